"""Whom to trust: the machine's certificate authorities, and one more where the settings name it."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit


def context(ca_bundle: Path | None) -> ssl.SSLContext:
    """A context that verifies hosts; there is no way to switch that off."""
    made = ssl.create_default_context()
    if ca_bundle is not None:
        made.load_verify_locations(ca_bundle)
    return made


def distrusted(url: str) -> str:
    """What to do about an address whose certificate is not trusted."""
    return f"The certificate of {urlsplit(url).hostname} is not trusted; see ACCOUNTPULSE_CA_BUNDLE."

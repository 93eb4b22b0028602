"""Whom to trust: the machine's certificate authorities, and one more where the settings name it."""

import ssl
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit


def context(ca_bundle: Path | None) -> ssl.SSLContext:
    """A context that verifies hosts; there is no way to switch that off.

    All sessions of a process share it, since reading the machine's authorities takes longer than many a request; where
    their file has changed, or the settings' own, they are read anew.
    """
    machine = ssl.get_default_verify_paths().cafile
    changed = Path(machine).stat().st_mtime_ns if machine else 0
    return _context((machine, changed), None if ca_bundle is None else ca_bundle.read_bytes(), ca_bundle)


@lru_cache(maxsize=2)
def _context(_machine: tuple[str | None, int], _bundle: bytes | None, ca_bundle: Path | None) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if ca_bundle is not None:
        made.load_verify_locations(ca_bundle)
    return made


def distrusted(url: str) -> str:
    """What to do about an address whose certificate is not trusted."""
    return f"The certificate of {urlsplit(url).hostname} is not trusted; see ACCOUNTPULSE_CA_BUNDLE."


def is_distrust(error: BaseException | None) -> bool:
    """Whether a certificate that came was held to be wrong; a handshake that broke off says nothing of it.

    The clients wrap the one error that says so in others of theirs, as causes or as arguments.
    """
    return _verification(error) is not None


def distrust(error: BaseException) -> str:
    """Why a certificate was held to be wrong, in OpenSSL's words."""
    return getattr(_verification(error), "verify_message", "certificate verify failed")


def _verification(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    found = caused_by(error, ssl.SSLCertVerificationError)
    return found if isinstance(found, ssl.SSLCertVerificationError) else None


def caused_by(error: object, kind: type[BaseException], depth: int = 8) -> BaseException | None:
    """The innermost error of a kind among an error, its causes, and what it holds."""
    if not isinstance(error, BaseException) or not depth:
        return None
    inner = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
    found = next((found for each in inner if (found := caused_by(each, kind, depth - 1))), None)
    return found or (error if isinstance(error, kind) else None)

"""Which addresses may be set: https, or plain http to this machine; no password, no query."""

import re
from urllib.parse import urlsplit

from accountpulse.core.loopback import is_loopback

_UNFIT = re.compile("[\x00-\x20\x7f\ud800-\udfff]")  # urlsplit would leave some of them out without a word


def url_problem(url: str, *, with_query: bool = False) -> str | None:
    """What is wrong with an address, as the end of a sentence that begins with its setting; None: nothing.

    `with_query`: it may have a query, as the address of a webhook may.
    """
    if _UNFIT.search(url):
        return "must not have blanks, line breaks or control characters"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_address = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        return "is not an address such as https://example.com"
    if parts.username or parts.password:
        return "must not contain a user or password"
    if (parts.query and not with_query) or parts.fragment:
        return "must not have a query or fragment"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https:// (plain http is for addresses of this machine only)"
    return None

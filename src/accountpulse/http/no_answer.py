"""Why no answer came, in words: who was called, and how far the call got. Nothing of the request, nothing secret.

Two clients' own kinds of errors are known by their names, so that neither is loaded for the other's.
"""

import socket
import ssl
from urllib.parse import urlsplit

from accountpulse.http.tls import caused_by

_PORTS = {"https": 443, "http": 80}
_NO_WAY = ("ConnectTimeout", "ConnectionTimeoutError")  # requests', aiohttp's
_CLOSED = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def place(url: str) -> str:
    """Host and port of an address, as `api.example.com:443`."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 443)}"


def is_unreached(error: BaseException) -> bool:
    """Whether the call did not even come to the system: no such host, nobody who listens, or no way there."""
    return _is(error, socket.gaierror, ConnectionRefusedError) or type(error).__name__ in _NO_WAY


def why(error: BaseException, url: str) -> str:
    """What went wrong on the way to `url`; of any other error its name, which says nothing of anybody."""
    where = place(url)
    if _is(error, socket.gaierror):
        return f"the host {urlsplit(url).hostname} isn't known (DNS)"
    if _is(error, ConnectionRefusedError):
        return f"nothing listens at {where}: the connection was refused"
    if _is(error, ssl.SSLError):
        return f"the TLS handshake with {where} broke off"
    if _is(error, TimeoutError) or "Timeout" in type(error).__name__:
        return f"no answer from {where} in time"
    if _is(error, *_CLOSED) or "Disconnected" in type(error).__name__:
        return f"{where} closed the connection"
    return f"no connection with {where}: {type(error).__name__}"


def _is(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(caused_by(error, kind) for kind in kinds)

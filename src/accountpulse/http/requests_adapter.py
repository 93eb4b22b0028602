"""The same sending rules for what speaks through `requests`, as Salesforce's own client does: a transport adapter.

Clients have no time limits, no retries and follow redirects; here they get all three decided for them.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from accountpulse.http import shape, tls
from accountpulse.http.bodies import ENCODINGS, MOST_CSV, MOST_OBJECTS, MOST_SIGN_IN, Body, UnfitBody
from accountpulse.http.budget import RequestBudget
from accountpulse.http.retry import AttemptFailure, Attempts, is_transient

TOTAL = 120.0  # seconds between two parts of an answer, and that a body may take in all
CONNECT = 10.0  # seconds
READ = 1 << 16
_SIGN_IN = re.compile(r"/services/(Soap|oauth2)/|/login$")
SEND_ARGUMENTS = ("stream", "timeout", "verify", "cert", "proxies")  # of HTTPAdapter.send, after the request
FAULTS = "/services/Soap/"  # a SOAP fault is a 500 that says what is wrong: trying again could lock the user out


class TrustingAdapter(HTTPAdapter):
    """Sends once, to whom we trust: the machine's authorities, and one more where the settings name it."""

    def __init__(self, ca_bundle: Path | None) -> None:
        """`ca_bundle`: the settings' own authority."""
        self._ca_bundle = ca_bundle
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Give every connection our idea of whom to trust."""
        super().init_poolmanager(*args, **options, ssl_context=tls.context(self._ca_bundle))
        pools = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = {**pools, "https": _CleanPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The same, where a proxy stands between."""
        return super().proxy_manager_for(proxy, **options, ssl_context=tls.context(self._ca_bundle))

    def cert_verify(self, conn: Any, *_others: Any) -> None:
        """Trust whom the context trusts: requests would add authorities of its own to it, with every connection."""
        conn.cert_reqs = "CERT_REQUIRED"

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:  # noqa: ARG002
        """The same: REQUESTS_CA_BUNDLE would be read again, and added, with every connection."""
        return super().build_connection_pool_key_attributes(request, True, cert)


class RetryingAdapter(TrustingAdapter):
    """Sends with a time limit, counts, tries again by the policy, refuses redirects.

    An answer that another try won't change is handed back, and a SOAP fault; a redirect, and what stays away however
    often it is asked for, end as one of our errors.
    """

    def __init__(
        self,
        source: str,
        budget: RequestBudget,
        ca_bundle: Path | None,
        sleep: Callable[[float], None] = time.sleep,
        total: float = TOTAL,
        *,
        remedies: Mapping[int, str] | None = None,
        once: frozenset[str] = frozenset(),
    ) -> None:
        """`source` names the system in errors; `sleep` and `total` stand in for time in tests.

        `remedies` says, by status, what the reader can do where an answer isn't the client's to judge: a redirect.
        `once`: the methods whose requests mustn't be repeated before somebody has looked at what the first one did.
        """
        self._source = source
        self._budget = budget
        self._sleep = sleep
        self._total = total
        self._remedies = remedies or {}
        self._once = once
        super().__init__(ca_bundle)

    def send(self, request: requests.PreparedRequest, *positional: Any, **options: Any) -> requests.Response:
        """Send until there is an answer or no sense in trying again; the arguments are those of HTTPAdapter.send."""
        options.update(zip(SEND_ARGUMENTS, positional, strict=False))
        request.headers["Accept-Encoding"] = ENCODINGS
        tried = f"{request.method} {urlsplit(request.url or '').path}"
        attempts = Attempts(self._source, tried, self._budget, self._remedies)
        while isinstance(outcome := self._attempt(attempts, request, options), AttemptFailure):
            if request.method in self._once:
                raise outcome.error from None
            self._sleep(attempts.wait_after(outcome))
        return outcome

    def _attempt(
        self, attempts: Attempts, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response | AttemptFailure:
        attempts.send()
        limits = self._limits(options.get("timeout"))
        try:
            answer = super().send(request, **{**options, "timeout": limits})
            if not options.get("stream"):
                self.read(answer)  # a body that breaks off breaks here, where it can be tried again
        except UnfitBody as error:
            return attempts.unreadable(error)
        except requests.exceptions.InvalidJSONError as error:
            return attempts.unreadable(error, is_page=isinstance(error, _WebPage))
        except requests.RequestException as error:
            if tls.is_distrust(error):
                raise attempts.distrusted(request.url or "", error) from None
            return attempts.unanswered(error, request.url or "")
        if _is_final(answer.status_code, attempts.tried):
            return answer
        return attempts.refused(answer.status_code, answer.headers)

    def _limits(self, asked: Any) -> Any:
        """Ours, or the client's own, whose one number is for the answer; none is longer than the run lasts."""
        read = self._total
        if isinstance(asked, int | float):
            read = float(asked)
        elif asked is not None:
            return asked
        left = max(0.1, self._budget.left())
        return min(CONNECT, left), min(read, left)

    def read(self, answer: requests.Response) -> None:
        """Take in the whole body; a client whose bodies are too large for that takes them here in its own way."""
        keep(answer, b"".join(self.pieces(answer, self._total, _most(answer))))
        _refuse_nonsense(answer)

    def pieces(self, answer: requests.Response, seconds: float, most: int) -> Iterator[bytes]:
        """The body as it comes, at most so many bytes of it, and in time.

        A server that drips resets the client's own limit with every byte.
        """
        ends = time.monotonic() + min(seconds, max(0.1, self._budget.left()))
        try:
            body = Body(answer.headers, most)
            while part := answer.raw.read1(READ, decode_content=False):
                yield from body.pieces(part)
                if time.monotonic() > ends:
                    raise requests.exceptions.ReadTimeout
            body.end()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            raise requests.exceptions.ConnectionError(type(error).__name__) from error
        except UnfitBody:
            answer.close()
            raise


class _CleanConnection(urllib3.connection.HTTPSConnection):
    """Isn't used again where more has come than was asked for, also where only the TLS layer knows of it."""

    @property
    def is_connected(self) -> bool:
        left_over = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0
        return super().is_connected and not left_over


class _CleanPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CleanConnection


def _most(answer: requests.Response) -> int:
    """How many bytes an answer may hold, by what it is for."""
    if _SIGN_IN.search(urlsplit(answer.request.url or "").path):
        return MOST_SIGN_IN
    return MOST_CSV if "csv" in answer.headers.get("Content-Type", "") else MOST_OBJECTS


def _is_final(status: int, tried: str) -> bool:
    """Whether the client should see this answer; a redirect is nobody's answer."""
    if status == 500 and FAULTS in tried:
        return True
    return not is_transient(status) and not 300 < status < 400


def keep(answer: requests.Response, body: bytes) -> None:
    """Make this the body that the client will find."""
    answer._content = body  # noqa: SLF001
    answer._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001


class _WebPage(requests.exceptions.InvalidJSONError):
    """A page for people where JSON should be."""


def _refuse_nonsense(answer: requests.Response) -> None:
    """A good status over a page for people, a cut body or none at all is no answer: it must not be taken for data."""
    if answer.status_code != 200:
        return
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind:
        try:
            answer.content.decode()  # UTF-8, as JSON always is
            msgspec.json.decode(answer.content, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise requests.exceptions.InvalidJSONError from None
        except RecursionError:
            raise shape.too_deep() from None
    elif "html" in kind:
        raise _WebPage
    elif not answer.content:
        raise requests.exceptions.InvalidJSONError


def session(
    source: str,
    budget: RequestBudget,
    ca_bundle: Path | None,
    sleep: Callable[[float], None] = time.sleep,
    total: float = TOTAL,
    *,
    remedies: Mapping[int, str] | None = None,
    once: frozenset[str] = frozenset(),
) -> requests.Session:
    """A session whose every request goes through an adapter of ours."""
    return session_of(RetryingAdapter(source, budget, ca_bundle, sleep, total, remedies=remedies, once=once))


def session_of(adapter: HTTPAdapter) -> requests.Session:
    """A session whose every request goes through this adapter."""
    made = requests.Session()
    made.auth = _as_it_is
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps what the client signed: without this, an entry of ~/.netrc would take the place of its token."""
    return request

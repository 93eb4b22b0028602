"""The same sending rules for the vendors' own clients, which speak through `requests`: a transport adapter.

They have no time limits, no retries and follow redirects; here they get all three decided for them.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from accountpulse.core.errors import AccessError, SourceUnavailable
from accountpulse.http import tls
from accountpulse.http.budget import RequestBudget
from accountpulse.http.retry import refusal, wait_before_retry

TOTAL = 120.0  # seconds between two parts of an answer, and that a body may take in all
CONNECT = 10.0  # seconds
READ = 1 << 16
FAULTS = "/services/Soap/"  # a SOAP fault is a 500 that says what is wrong: trying again could lock the user out


class Adapter(HTTPAdapter):
    """Sends with a time limit, counts, tries again by the policy, refuses redirects.

    An answer under 500 is handed back, and a SOAP fault; everything else ends as one of our errors.
    """

    def __init__(
        self,
        source: str,
        budget: RequestBudget,
        ca_bundle: Path | None,
        sleep: Callable[[float], None] = time.sleep,
        total: float = TOTAL,
    ) -> None:
        """`source` names the system in errors; `sleep` and `total` stand in for time in tests."""
        self._source = source
        self._budget = budget
        self._context = tls.context(ca_bundle)
        self._sleep = sleep
        self._total = total
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Give every connection our idea of whom to trust."""
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def send(  # noqa: PLR0917
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send until there is an answer or no sense in trying again."""
        tried = f"{request.method} {urlsplit(request.url or '').path}"
        attempt = 1
        while True:
            answer, kind = None, ""
            self._budget.sent(self._source)
            try:
                answer = super().send(request, stream, self._limits(timeout), verify, cert, proxies)
                if not stream:
                    self.read(answer)  # a body that breaks off breaks here, where it can be tried again
            except requests.exceptions.SSLError as error:
                remedy = tls.distrusted(request.url or "")
                raise AccessError(self._source, tried, type(error).__name__, remedy) from None
            except requests.RequestException as error:
                self._budget.cut(self._source)
                answer, kind = None, type(error).__name__
            if answer is not None and self._final(answer, tried):
                return answer
            status, headers = (None, {}) if answer is None else (answer.status_code, answer.headers)
            wait = wait_before_retry(status, headers, attempt, datetime.now(UTC), random.random())  # noqa: S311
            if wait is None or not self._budget.retried(wait):
                self._give_up(tried, status, kind)
            self._sleep(wait)
            attempt += 1

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
        keep(answer, b"".join(self.pieces(answer, self._total)))
        _refuse_nonsense(answer)

    def pieces(self, answer: requests.Response, seconds: float) -> Iterator[bytes]:
        """The body as it comes, in time: a server that drips resets the client's own limit with every byte."""
        ends = time.monotonic() + min(seconds, max(0.1, self._budget.left()))
        try:
            while part := answer.raw.read1(READ, decode_content=True):
                yield part
                if time.monotonic() > ends:
                    raise requests.exceptions.ReadTimeout
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            raise requests.exceptions.ConnectionError(type(error).__name__) from error

    def _final(self, answer: requests.Response, tried: str) -> bool:
        """Whether the client should see this answer; a redirect is nobody's answer."""
        if 300 < answer.status_code < 400:
            raise refusal(self._source, tried, answer.status_code, {})
        fault = answer.status_code == 500 and FAULTS in tried
        return fault or (answer.status_code not in (408, 429) and answer.status_code < 500)

    def _give_up(self, tried: str, status: int | None, kind: str) -> NoReturn:
        if status is None:
            raise SourceUnavailable(self._source, tried, kind)
        raise refusal(self._source, tried, status, {})


def keep(answer: requests.Response, body: bytes) -> None:
    """Make this the body that the client will find."""
    answer._content = body  # noqa: SLF001
    answer._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001


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
    elif "html" in kind or not answer.content:
        raise requests.exceptions.InvalidJSONError


def session(
    source: str,
    budget: RequestBudget,
    ca_bundle: Path | None,
    sleep: Callable[[float], None] = time.sleep,
    total: float = TOTAL,
) -> requests.Session:
    """A session whose every request goes through the adapter."""
    made = requests.Session()
    made.auth = _as_it_is
    adapter = Adapter(source, budget, ca_bundle, sleep, total)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps what the client signed: without this, an entry of ~/.netrc would take the place of its token."""
    return request

"""One asynchronous client for a source: sends, waits, tries again, decodes, and says clearly what went wrong."""

import asyncio
import gc
import random
import urllib.request
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer
from accountpulse.http import tls
from accountpulse.http.budget import RequestBudget
from accountpulse.http.concurrency import RateLimiter
from accountpulse.http.retry import refusal, wait_before_retry

READ_BUFFER = 2**20  # bytes; pages are large, and the default stops and starts the socket several times in each
TOTAL = 60.0  # seconds a call may take in all: a body that drips has an end too
T = TypeVar("T")


class Refused(Exception):
    """An answer with an error status that the caller may know what to do with."""

    def __init__(self, status: int, error: AccountpulseError, body: bytes) -> None:
        """`error` is what to raise where the caller doesn't know; `body` is for deciding, never for showing."""
        self.status = status
        self.error = error
        self.body = body
        super().__init__(status)


class Client:
    """Talks to one system for one run.

    `remedies` says what the reader can do about a status of this system. `limiter` decides how many requests are under
    way at once, and when the next goes. `sleep` and `now` stand in for the clock in tests, and `total` for TOTAL. Every
    request is safe to repeat: all of them read.
    """

    def __init__(  # noqa: PLR0917
        self,
        source: str,
        base_url: str,
        headers: Mapping[str, str],
        budget: RequestBudget,
        remedies: Mapping[int, str],
        ca_bundle: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        total: float = TOTAL,
    ) -> None:
        """Nothing is opened before `async with`."""
        self.source = source
        self._base_url = base_url
        self._headers = {"Accept": "application/json", **headers}
        self._budget = budget
        self._remedies = remedies
        self._ca_bundle = ca_bundle
        self._sleep = sleep
        self._now = now
        self._total = total
        self.limiter = RateLimiter(now)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        secure = self._base_url.startswith("https:")
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            # reading the certificate authorities takes longer than some runs: only where there is something to verify
            connector=aiohttp.TCPConnector(ssl=tls.context(self._ca_bundle) if secure else True),
            proxy=_proxy(self._base_url),
            read_bufsize=READ_BUFFER,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, decoder: "msgspec.json.Decoder[T]", params: Mapping[str, str] | None = None) -> T:
        """Ask for `path`; the decoded answer."""
        return await self._call("GET", path, decoder, params=params)

    async def post(self, path: str, decoder: "msgspec.json.Decoder[T]", body: Mapping[str, Any] | None) -> T:
        """Send a JSON body, or none, to `path`; the decoded answer."""
        return await self._call("POST", path, decoder, body=body)

    async def _call(
        self,
        method: str,
        path: str,
        decoder: "msgspec.json.Decoder[T]",
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        attempt = 1
        while True:
            status: int | None = None
            headers: Mapping[str, str] = {}
            failure: Exception
            try:
                status, headers, content = await self._send(method, path, params, body)
                if status < 300:
                    return decoder.decode(content)
                failure = self._failure(method, path, status, content)
            except msgspec.DecodeError as error:
                # a cut or foreign body under a good status: may pass, and must never be taken for "no data"
                tried, kind = f"{method} {path}", type(error).__name__
                failure = UnexpectedAnswer(self.source, tried, f"an answer that can't be read: {kind}")
                status = None
            except aiohttp.ClientSSLError as error:
                remedy = tls.distrusted(self._base_url)
                raise AccessError(self.source, f"{method} {path}", type(error).__name__, remedy) from None
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._budget.cut(self.source)
                failure = SourceUnavailable(self.source, f"{method} {path}", type(error).__name__)
            wait = wait_before_retry(status, headers, attempt, self._now(), random.random())  # noqa: S311
            if wait is None or not self._budget.retried(wait):
                raise failure from None
            await self._sleep(wait)
            attempt += 1

    async def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("the client is used outside `async with`")
        url = self._base_url + path
        # encoded here: the session would take the standard library's encoder
        content_type = {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        permit = await self.limiter.begin()
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            self._budget.sent(self.source)
            async with self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=content_type,
                allow_redirects=False,
                timeout=self._limits(),
            ) as answer:
                content = await answer.read()
                status, headers = answer.status, answer.headers
        finally:
            self.limiter.end(permit, status, headers)
        return status, headers, content

    def _limits(self) -> aiohttp.ClientTimeout:
        """A call ends with the run at the latest."""
        return aiohttp.ClientTimeout(total=min(self._total, max(0.1, self._budget.left())), connect=10)

    def _failure(self, method: str, path: str, status: int, content: bytes) -> Exception:
        error = refusal(self.source, f"{method} {path}", status, self._remedies)
        return Refused(status, error, content) if 400 <= status < 500 and status not in (401, 408, 429) else error


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address. Looked up once: the session would do it at every request."""
    parts = urlsplit(url)
    found = urllib.request.getproxies()
    if parts.hostname is None or urllib.request.proxy_bypass(parts.hostname):
        return None
    return found.get(parts.scheme) or found.get("all")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in their order; the first error ends the others, and is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a source's work to its end; an answer that nobody knew what to do with is raised as its error."""
    # what is there already needn't be looked through again and again while pages come, nor at the process's end: a
    # quarter of the CPU; memory.trim looks through all of it
    gc.freeze()
    try:
        return asyncio.run(work)
    except Refused as refused:
        raise refused.error from None

"""One asynchronous client for a source: sends, waits, tries again, decodes, and says clearly what went wrong."""

import asyncio
import gc
import urllib.request
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import aiohttp
import msgspec

from accountpulse.core.errors import AccessError, AccountpulseError, UnexpectedAnswer
from accountpulse.http import shape, tls
from accountpulse.http.answer_time import AnswerTime, LoopLag
from accountpulse.http.bodies import ENCODINGS, MOST, Body, UnfitBody
from accountpulse.http.budget import RequestBudget
from accountpulse.http.one_answer import OneAnswerConnector, TimedResponse
from accountpulse.http.rate_limiter import RateLimiter
from accountpulse.http.retry import JUDGED, AttemptFailure, Attempts

READ_BUFFER = 2**20  # bytes; pages are large, and the default stops and starts the socket several times in each
SHOWN_GONE = 3  # ids that a note names
TOTAL = 60.0  # seconds a call may take in all: a body that drips has an end too
T = TypeVar("T")


class RequestRefused(Exception):
    """An answer with an error status that the caller may know what to do with."""

    def __init__(
        self, status: int, error: AccountpulseError, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        """`error` is what to raise where the caller doesn't know; `body` is for deciding, never for showing."""
        self.status = status
        self.error = error
        self.body = body
        self.headers = headers or {}
        super().__init__(status)


@dataclass(frozen=True)
class Refusal:
    """An answer with an error status. `tried` names the request; `body` is for deciding, never for showing."""

    tried: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Endpoint:
    """Where a system is, and how it is spoken to.

    `headers` go with every request, `remedies` says, by status, what the reader can do at this system. `cause` reads
    the vendor's own code, which decides before the status does; None: it says nothing more.
    """

    source: str
    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    remedies: Mapping[int, str] = field(default_factory=dict)
    cause: Callable[[Refusal], AccountpulseError | None] = lambda _refusal: None


@dataclass(frozen=True)
class _Call:
    """One request, as often as it is sent."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: bytes | None = None  # JSON


class Client:
    """Talks to one system for one run.

    `limiter` decides how many requests are under way at once, and when the next goes. `sleep` and `now` stand in for
    the clock in tests, and `total` for TOTAL. Every request is safe to repeat: all of them read.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        budget: RequestBudget,
        *,
        ca_bundle: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        total: float = TOTAL,
    ) -> None:
        """Nothing is opened before `async with`."""
        self._endpoint = endpoint
        self._budget = budget
        self._ca_bundle = ca_bundle
        self._sleep = sleep
        self._now = now
        self._total = total
        self.limiter = RateLimiter(now)
        self.gone: dict[str, list[str]] = {}  # objects that a list has named and that can't be had, by noun
        self._session: aiohttp.ClientSession | None = None
        self._connector: OneAnswerConnector | None = None
        self._lag: LoopLag | None = None

    async def __aenter__(self) -> Self:
        url = self._endpoint.base_url
        # reading authorities takes longer than some runs: aiohttp has read the machine's when it was imported
        trusted = tls.context(self._ca_bundle) if self._ca_bundle and url.startswith("https:") else True
        self._lag = LoopLag()
        self._connector = OneAnswerConnector(self._lag, ssl=trusted)
        self._session = aiohttp.ClientSession(
            headers={"Accept": "application/json", "Accept-Encoding": ENCODINGS, **self._endpoint.headers},
            connector=self._connector,
            response_class=TimedResponse,
            proxy=_proxy(url),
            read_bufsize=READ_BUFFER,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._lag is not None:
            self._lag.stop()
        if error is None:
            self._refuse_mixed_up()

    async def get(self, path: str, decoder: "msgspec.json.Decoder[T]", params: Mapping[str, str] | None = None) -> T:
        """Ask for `path`; the decoded answer."""
        return await self._answer(_Call("GET", path, params), decoder)

    async def post(self, path: str, decoder: "msgspec.json.Decoder[T]", body: Mapping[str, Any] | None) -> T:
        """Send a JSON body, or none, to `path`; the decoded answer."""
        # encoded here: the session would take the standard library's encoder
        content = None if body is None else msgspec.json.encode(body)
        return await self._answer(_Call("POST", path, body=content), decoder)

    async def object(
        self,
        noun: str,
        item_id: str,
        path: str,
        decoder: "msgspec.json.Decoder[T]",
        params: Mapping[str, str] | None = None,
    ) -> T | None:
        """One object, at an address that was made from an id that a list has given; None: it is `gone`.

        A refusal that can be about the object (JUDGED) concerns it and nobody else.
        """
        try:
            return await self.get(path, decoder, params)
        except RequestRefused:
            self.lost(noun, item_id)
            return None

    def lost(self, noun: str, item_id: str) -> None:
        """Count an object as gone."""
        self.gone.setdefault(noun, []).append(item_id)

    def gone_notes(self) -> Iterator[str]:
        """Which objects could not be had, a line for each noun."""
        for noun, ids in self.gone.items():
            named = ", ".join(sorted(ids)[:SHOWN_GONE])
            yield f"{len(ids):,} {noun} that a list has named can't be had (deleted, merged or hidden): {named}"

    async def _answer(self, call: _Call, decoder: "msgspec.json.Decoder[T]") -> T:
        """The answer to the first attempt that succeeds."""
        tried = f"{call.method} {call.path}"
        attempts = Attempts(self._endpoint.source, tried, self._budget, self._endpoint.remedies, self._now)
        while isinstance(outcome := await self._attempt(attempts, call, decoder), AttemptFailure):
            await self._sleep(attempts.wait_after(outcome))
        return outcome

    async def _attempt(self, attempts: Attempts, call: _Call, decoder: "msgspec.json.Decoder[T]") -> T | AttemptFailure:
        try:
            status, headers, content = await self._send(attempts, call)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if tls.is_distrust(error):
                raise attempts.distrusted(self._endpoint.base_url, error) from None
            return attempts.unanswered(error, self._endpoint.base_url)
        except UnfitBody as error:
            return attempts.unreadable(error)
        self._refuse_mixed_up()
        if status < 300:
            try:
                return shape.decode(decoder, content)
            except (msgspec.DecodeError, UnfitBody) as error:
                return attempts.unreadable(error, is_page=content.lstrip()[:1] == b"<")
            except shape.WrongShape as error:
                raise attempts.misshapen(error) from None
        failure = attempts.refused(status, headers)
        if cause := self._endpoint.cause(Refusal(attempts.tried, status, headers, content)):
            # the vendor's own word for something to mend is hardly ever a passing one
            patience = 0.0 if isinstance(cause, AccessError) else failure.patience
            failure = replace(failure, error=cause, patience=patience)
        if status in JUDGED:
            raise RequestRefused(status, failure.error, content, headers)
        return failure

    async def _send(self, attempts: Attempts, call: _Call) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("the client is used outside `async with`")
        permit = await self.limiter.begin()
        status: int | None = None
        headers: Mapping[str, str] = {}
        took: AnswerTime | None = None
        try:
            attempts.send()
            async with self._session.request(
                call.method,
                self._endpoint.base_url + call.path,
                params=call.params,
                data=call.body,
                headers={} if call.body is None else {"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=self._limits(),
            ) as answer:
                content = await _read(answer)
                status, headers = answer.status, answer.headers
                took = cast("TimedResponse", answer).took
        finally:
            self.limiter.end(permit, status, headers, took)
        return status, headers, content

    def _refuse_mixed_up(self) -> None:
        """Nothing that was read can be trusted where answers may have come to other requests than their own."""
        if self._connector is not None and self._connector.mixed_up:
            remedy = "Something between this machine and the system sends answers twice: look at the proxy, run again."
            said = "an answer came late, and another request may have been given the one before it"
            raise UnexpectedAnswer(self._endpoint.source, "telling answers apart", said, remedy)

    def _limits(self) -> aiohttp.ClientTimeout:
        """A call ends with the run at the latest."""
        return aiohttp.ClientTimeout(total=min(self._total, max(0.1, self._budget.left())), connect=10)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The whole body, unpacked; UnfitBody closes the connection with its rest unread."""
    body = Body(answer.headers, MOST)
    parts = [piece async for data in answer.content.iter_any() for piece in body.pieces(data)]
    body.end()
    return b"".join(parts)


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


async def together_within(room: int, works: Iterable[tuple[int, Callable[[], Coroutine[Any, Any, None]]]]) -> None:
    """Run all, each with the room that it takes, as many side by side as fit; the first error ends the others.

    One that takes more than all the room runs alone.
    """
    under_way: dict[asyncio.Task[None], int] = {}

    async def wait_for_one() -> None:
        ended, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            del under_way[task]
            task.result()

    try:
        for takes, work in works:
            while under_way and sum(under_way.values()) + takes > room:
                await wait_for_one()
            under_way[asyncio.create_task(work())] = takes
        while under_way:
            await wait_for_one()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a source's work to its end; an answer that nobody knew what to do with is raised as its error."""
    # what the process has loaded needn't be looked through again and again while pages come, between two stages and at
    # its end: a quarter of the CPU. Once only: what a later run leaves behind must not be set aside with it
    if not gc.get_freeze_count():
        gc.freeze()
    try:
        return asyncio.run(work)
    except RequestRefused as refused:
        raise refused.error from None

"""Reading the histories that the search didn't bring: most while the walk goes on, and after it what is left."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from types import TracebackType
from typing import Self

import msgspec

from accountpulse.core.spooled import Stretch
from accountpulse.http.client import together
from accountpulse.systems.jira import parts
from accountpulse.systems.jira.history import HistoryReader, Present
from accountpulse.systems.jira.history_fetch import HistoryFetch
from accountpulse.systems.jira.parts import StretchContent
from accountpulse.systems.jira.rows import Lives
from accountpulse.systems.jira.search import BULK

HISTORIES = "histories"
AT_ONCE = 16  # fetches: each has up to BULK histories in memory
TURN = 100  # histories that are read in a row, before others may go on

Unread = tuple[str, bytes]  # an issue, and what it is now: a Present, packed

present_of = msgspec.msgpack.Decoder(Present).decode


class HistoryFlow:
    """Reads histories and hands them on; `async with` waits for those that are under way.

    An issue that was walked again since its history was fetched, and was found changed, is left unread (parts.unread).
    """

    def __init__(
        self, fetch: HistoryFetch, reader: HistoryReader, take: Callable[[Stretch, StretchContent], None]
    ) -> None:
        """Nothing is under way."""
        self._fetch = fetch
        self._reader = reader
        self._take = take
        self._waiting: list[Unread] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_open = fetch.cloud  # elsewhere histories come with the search

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await asyncio.gather(*self._under_way)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def add(self, issues: Iterable[Unread]) -> None:
        """Issues that were walked. Where too many fetches are under way, or one failed, they are left for the end."""
        if not self._is_open or len(self._under_way) >= AT_ONCE:
            return
        self._waiting += issues
        while len(self._waiting) >= BULK:
            some, self._waiting = self._waiting[:BULK], self._waiting[BULK:]
            self._under_way.add(asyncio.create_task(self._begin(some)))

    async def _begin(self, issues: Sequence[Unread]) -> None:
        self._is_open = await self._read(issues) and self._is_open
        task = asyncio.current_task()
        if task is not None:
            self._under_way.discard(task)

    async def read(self, issues: Sequence[Unread]) -> None:
        """All of these; those whose histories can't be had stay unread."""
        room = asyncio.Semaphore(AT_ONCE)

        async def some(begin: int) -> None:
            async with room:
                await self._read(issues[begin : begin + BULK])

        await together(map(some, range(0, len(issues), BULK)))

    async def _read(self, issues: Sequence[Unread]) -> bool:
        """Up to BULK histories; whether any came."""
        packed = dict(issues)
        histories = await self._fetch.of(list(packed))
        if not histories:
            return False
        lives = Lives()
        for number, (issue, (entries, is_whole)) in enumerate(histories.items()):
            read = self._reader.whole if is_whole else self._reader.cut
            lives.add(issue, read(entries, present_of(packed[issue])))
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
        any_came = any(entries for entries, _is_whole in histories.values())
        stretch = (HISTORIES, *_numbers(min(histories)))
        self._take(
            stretch, parts.of_histories(lives, [(issue, packed[issue]) for issue in histories], any_came=any_came)
        )
        return True


def _numbers(first: str) -> tuple[int, int]:
    """What tells one stretch of histories from all others: a number for the first of its ids, which may be any text."""
    start = int.from_bytes(sha256(first.encode()).digest()[:6])
    return start, start + 1

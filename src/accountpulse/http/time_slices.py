"""Walking a stretch of time in slices, all at once, where each slice has a cursor of its own.

A cursor can't be asked for its next page before the last one has come, so one walk takes pages × latency. Here the
stretch is cut into half-open slices that are walked side by side, as many as the source's `RateLimiter` allows.
Whoever has nothing left takes over the far part of the slice with the most left.

What a system has to give, with Intercom and Jira as the examples:

- `ask(part, cursor)` sends one request for the rows of `part` and gives back a `Page`. The answer may hold rows
  outside of `part` (bounds that are padded, dates in another zone): what lies outside is dropped here, by `time`.
  The unit of `part` is the system's own: Intercom walks seconds of `created_at`; Jira may walk minutes of `created`,
  since that is how fine its dates are, with `created >= … AND created < … ORDER BY created ASC`.
- Rows in order of time let a slice that was shortened stop early; where they come in another order, everything is
  walked to its end. `Page.total` is how many rows the answered query has, where the system says so (Jira Cloud
  doesn't, and has to give rows in order): a slice that has brought fewer is walked again, for a row that moved.
- `batch` makes what the rows of one slice are gathered in; `done` gets each slice as soon as it is complete, with its
  batch. A checkpoint belongs there: the slices that were handed on are covered exactly, and no other.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress, pairwise
from typing import Any, Generic, Protocol, TypeVar

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http.client import Refused
from accountpulse.http.concurrency import RateLimiter
from accountpulse.http.paging import Cursors

SPLIT_PAGES = 10  # a slice without order that has more is cut into parts of about so many
LARGE_PAGES = 60  # any slice that has more is cut: what is handed on only when it is complete fills the memory
PART_PAGES = 15  # then into parts of about so many: as many as walkers are in memory at once
WORTH_PAGES = 3  # a slice with fewer left is not taken over: a part costs about one request more

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class RowBatch(Protocol[R_contra]):
    """What gathers the rows of a slice."""

    def add(self, rows: Sequence[R_contra]) -> None:
        """Take the rows of a page; no row comes twice."""


B = TypeVar("B", bound=RowBatch[Any])


@dataclass(frozen=True, order=True)
class Slice:
    """A half-open stretch `[start, end)` of whole units."""

    start: int
    end: int


def equal_slices(start: int, end: int, count: int) -> list[Slice]:
    """`[start, end)` in at most `count` slices of about equal length; none where it is empty."""
    count = min(count, end - start)
    edges = [start + (end - start) * index // count for index in range(count + 1)] if count > 0 else []
    return [Slice(*pair) for pair in pairwise(edges)]


def without(slices: Iterable[Slice], done: Iterable[tuple[int, int]]) -> list[Slice]:
    """What is left of the slices when the stretches that are done are cut out of them."""
    left = list(slices)
    for start, end in done:
        pieces = [(Slice(part.start, min(part.end, start)), Slice(max(part.start, end), part.end)) for part in left]
        left = [piece for pair in pieces for piece in pair if piece.start < piece.end]
    return sorted(left)


@dataclass(frozen=True)
class Page(Generic[R]):
    """One answer. `cursor` None: it was the last; `total` None: the system doesn't say."""

    rows: Sequence[R]
    cursor: str | None
    total: int | None = None


@dataclass(frozen=True)
class Rows(Generic[R]):
    """How to ask a system for rows, and how to tell them apart. `time` None: kept wherever it is found."""

    source: str
    what: str  # names the rows in messages
    ask: Callable[[Slice, str | None], Awaitable[Page[R]]]
    key: Callable[[R], str]
    time: Callable[[R], int | None]


@dataclass(eq=False)
class _Walker(Generic[B]):
    """One slice on its way. `part` is what is left to it, `asked` what its cursor goes through."""

    part: Slice
    asked: Slice
    batch: B
    guess: int = 0  # rows, before the system has told
    first: bool = False  # of the beginning
    whole: bool = False  # the second time: neither cut nor stopped before its end
    ended: bool = False
    total: int | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event)  # the first page has come
    seen: set[str] = field(default_factory=set)
    own: int = 0  # rows seen that nobody else took over
    order: int | None = 0  # of rows: 1 rising, -1 falling, 0 not known yet, None: none
    last: int | None = None  # time of the last row
    page: int = 0  # rows of the largest page
    taken: list["_Walker[B]"] = field(default_factory=list)

    def look(self, times: Sequence[int]) -> None:
        """Learn in which order the rows come."""
        line = list(times) if self.last is None else [self.last, *times]
        rises, falls = line == sorted(line), line == sorted(line, reverse=True)
        if not (rises and falls):
            way = 1 if rises else -1 if falls else None
            self.order = way if self.order in (0, way) else None
        if times:
            self.last = times[-1]

    def owns(self, time: int | None) -> bool:
        """Whether nobody else took over where this row lies."""
        return time is None or (
            (time >= self.part.start or self.part.start == self.asked.start)
            and (time < self.part.end or self.part.end == self.asked.end)
        )

    def passed(self) -> bool:
        """Whether the rest of its cursor belongs to others; only where rows have come in order so far."""
        if self.last is None:
            return False
        above = self.part.end < self.asked.end and self.last >= self.part.end
        below = self.part.start > self.asked.start and self.last < self.part.start
        return (self.order == 1 and above) or (self.order == -1 and below)

    def left(self) -> int:
        """About how many rows will come after the page that is under way; 0 where it can't be cut."""
        if self.ended or not self.order or self.last is None:
            return 0
        behind, before = self._lengths()
        if self.total is not None:
            others = sum(other.guess if other.total is None else other.total for other in self.taken)
            left = self.total - others - self.own
        else:
            left = self.own * before // max(1, behind)
        return max(0, left - self.page)

    def cut(self) -> tuple[Slice, int] | None:
        """Give away the far half of what comes after the page that is under way, with a guess of its rows."""
        left, before = self.left(), self._lengths()[1]
        far = before * left // (2 * (left + self.page))
        if far < 1:
            return None
        if self.order == 1:
            given, self.part = self._cut_at(self.part.end - far)[::-1]
        else:
            given, self.part = self._cut_at(self.part.start + far)
        return given, left // 2

    def _cut_at(self, edge: int) -> tuple[Slice, Slice]:
        return Slice(self.part.start, edge), Slice(edge, self.part.end)

    def _lengths(self) -> tuple[int, int]:
        """How much of its part lies behind the last row, and before it."""
        last = min(max(self.last or 0, self.part.start), self.part.end - 1)
        behind, before = last - self.part.start, self.part.end - 1 - last
        return (before, behind) if self.order == -1 else (behind, before)


class Walk(Generic[R, B]):
    """One walk. `kept` counts the rows so far; `missing` those that were counted but, asked twice, not shown."""

    def __init__(
        self,
        rows: Rows[R],
        limiter: RateLimiter,
        batch: Callable[[], B],
        done: Callable[[Slice, B], None],
        progress: Callable[[int, int | None], None] = lambda _kept, _total: None,
    ) -> None:
        """`progress` gets the rows so far and, once every slice has told, how many there are."""
        self.kept = 0
        self.missing = 0
        self._rows = rows
        self._limiter = limiter
        self._batch = batch
        self._done = done
        self._progress = progress
        self._untold = 0  # slices of the beginning whose first page hasn't come
        self._expected: int | None = 0  # rows of those that have told; None: they don't say
        self._waiting: deque[_Walker[B]] = deque()
        self._active: dict[asyncio.Task[None], _Walker[B]] = {}
        self._met = False  # the first page has come; until then nobody else asks, so that a refusal comes once
        self._moved = asyncio.Event()  # something came or ended: there may be work for another walker

    async def run(self, slices: Iterable[Slice]) -> None:
        """Walk all of them to their ends. The first error ends the others, and is raised."""
        self._waiting.extend(map(self._walker, slices))
        self._untold = len(self._waiting)
        for walker in self._waiting:
            walker.first = True
        try:
            while self._started():
                await self._moved.wait()
                self._moved.clear()
                for task in [each for each in self._active if each.done()]:
                    del self._active[task]
                    task.result()
        finally:
            for task in self._active:
                task.cancel()
            await asyncio.gather(*self._active, return_exceptions=True)

    def _started(self) -> bool:
        """Start as many walkers as there is work and leave for; whether any is on its way."""
        while len(self._active) < (self._limiter.limit if self._met else 1) and (walker := self._next()) is not None:
            task = asyncio.create_task(self._walk(walker))
            task.add_done_callback(lambda _task: self._moved.set())
            self._active[task] = walker
        return bool(self._active)

    def _walker(self, part: Slice, guess: int = 0) -> _Walker[B]:
        return _Walker(part, part, self._batch(), guess)

    def _next(self) -> _Walker[B] | None:
        """A slice that waits, or the far part of the one with the most left."""
        if self._waiting:
            return self._waiting.popleft()
        busiest = max(self._active.values(), key=_Walker.left) if self._active else None
        if busiest is None or busiest.left() < WORTH_PAGES * max(1, busiest.page):
            return None
        given = busiest.cut()
        if given is None:
            return None
        busiest.taken.append(self._walker(*given))
        return busiest.taken[-1]

    async def _walk(self, walker: _Walker[B]) -> None:
        """One slice to its end; once more where rows were missed, since two walks seldom miss the same."""
        good = await self._pass(walker, walker.seen)
        walker.ended = True
        if good is None:
            return
        if await self._short(walker, good=good):
            walker.asked, walker.whole, again = walker.part, True, set[str]()
            good = await self._pass(walker, again)
            missing = max(0, (walker.total or 0) - max(walker.own, len(again)))
            if not good and (missing > 0 or walker.total is None):
                tried = f"paging through {self._rows.what}"
                raise UnexpectedAnswer(self._rows.source, tried, "twice the pages led in a circle or broke off")
            self.missing += missing
        walker.seen.clear()  # whoever gave it this part remembers it to his own end
        self._done(walker.part, walker.batch)

    async def _short(self, walker: _Walker[B], *, good: bool) -> bool:
        """Whether it brought fewer rows than the system had counted, those aside that others took over."""
        if walker.total is None:
            return not good
        for other in walker.taken:
            await other.told.wait()
        others = sum(other.total or 0 for other in walker.taken)
        return walker.own < walker.total - others

    async def _pass(self, walker: _Walker[B], met: set[str]) -> bool | None:
        """Page after page; whether it ended as it should. None: it was cut into parts that wait now.

        `met` gets the keys of this pass.
        """
        cursors, cursor = Cursors(), None
        while True:
            try:
                page = await self._rows.ask(walker.asked, cursor)
            except Refused as refused:
                if cursor is None or refused.status not in (400, 404):
                    raise
                return False  # the query had a first page: what is refused is its cursor, which has died
            if cursor is None:
                self._hear(walker, page.total)
            before = len(met)
            fresh = self._look(walker, page, met)
            if cursor is None and self._split(walker):
                return None
            self._keep(walker, fresh)
            self._moved.set()
            if page.cursor is None or (walker.passed() and not walker.whole):
                return True
            if not cursors.lead_on(page.cursor, len(met) - before):
                return False
            cursor = page.cursor

    def _hear(self, walker: _Walker[B], total: int | None) -> None:
        """Learn from the first page of a pass how many rows there are."""
        walker.total = total
        if walker.first and not walker.whole:
            self._untold -= 1
            self._expected = None if total is None or self._expected is None else self._expected + total

    def _look(self, walker: _Walker[B], page: Page[R], met: set[str]) -> list[R]:
        """Learn from a page; its rows that were not seen before."""
        names = list(map(self._rows.key, page.rows))
        if walker.seen.isdisjoint(names) and len(set(names)) == len(names):
            fresh = list(page.rows)
        else:
            news = dict(zip(reversed(names), reversed(page.rows), strict=True))
            fresh = [row for name, row in reversed(news.items()) if name not in walker.seen]
        walker.seen.update(names)
        met.update(names)
        walker.page = max(walker.page, len(page.rows))
        walker.look([moment for row in fresh if (moment := self._rows.time(row)) is not None])
        walker.told.set()
        self._met = True
        return fresh

    def _split(self, walker: _Walker[B]) -> bool:
        """Cut a slice that proves too large: its first page goes to waste, and nothing else."""
        pages = (walker.total or 0) / max(1, walker.page)
        most, part = (SPLIT_PAGES, SPLIT_PAGES) if walker.order is None else (LARGE_PAGES, PART_PAGES)
        if walker.whole or pages <= most or walker.part.end - walker.part.start < 2:
            return False
        self._waiting.extend(map(self._walker, equal_slices(walker.part.start, walker.part.end, int(pages / part) + 1)))
        self._moved.set()
        return True

    def _keep(self, walker: _Walker[B], fresh: list[R]) -> None:
        """Put into the batch what lies in the slice; what lies outside is a neighbour's, or nobody's."""
        part, times = walker.part, list(map(self._rows.time, fresh))
        known = [moment for moment in times if moment is not None]
        if not known or (part.start <= min(known) and max(known) < part.end):
            mine, own = fresh, len(fresh)
        else:
            mine = list(compress(fresh, (at is None or part.start <= at < part.end for at in times)))
            own = sum(map(walker.owns, times))
        walker.own += own
        walker.batch.add(mine)
        self.kept += len(mine)
        self._progress(self.kept, None if self._untold else self._expected)

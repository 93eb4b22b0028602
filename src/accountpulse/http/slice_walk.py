"""Walking a stretch of time in slices, all at once, where each slice has a cursor of its own.

A cursor can't be asked for its next page before the last one has come, so one walk takes pages × latency. Here the
stretch is cut into half-open slices that are walked side by side, as many as the source's `RateLimiter` allows.
Whoever is idle takes over the far half of the slice with the most left (work stealing).

What a system has to give, with Intercom and Jira as the examples:

- `ask(part, cursor)` sends one request for the rows of `part` and gives back a `RowPage`. The answer may hold rows
  outside of `part` (bounds that are padded, dates in another zone): what lies outside is dropped here, by `time`.
  The unit of `part` is the system's own: Intercom walks seconds of `created_at`; Jira may walk minutes of `created`,
  since that is how fine its dates are, with `created >= … AND created < … ORDER BY created ASC`.
- Rows in order of time let a slice that was shortened stop early; where they come in another order, everything is
  walked to its end. `RowPage.total` is how many rows the answered query has, where the system says so (Jira Cloud
  doesn't, and has to give rows in order): a slice that has brought fewer is walked again, for a row that moved.
- `batch` makes what the rows of one slice are gathered in; `done` gets each slice as soon as it is complete, with its
  batch. A checkpoint belongs there: the slices that were handed on are covered exactly, and no other.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Generic, Protocol, TypeVar

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http.client import RequestRefused
from accountpulse.http.paging import Cursors
from accountpulse.http.rate_limiter import RateLimiter
from accountpulse.http.time_slices import SliceProgress, SliceState, TimeSlice, joined

IDLE_PAGES = 50  # in a row, without a row that was asked for: bounds are padded, so that a few such pages are nothing
MORE = 0.1  # how many more rows than were counted may come, as a share: new ones come about while they are read
WORTH_PAGES = 3  # a slice with fewer left is not cut: a part costs about one request more

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class RowBatch(Protocol[R_contra]):
    """What gathers the rows of a slice."""

    def add(self, rows: Sequence[R_contra]) -> None:
        """Take the rows of a page; no row comes twice."""


B = TypeVar("B", bound=RowBatch[Any])


@dataclass(frozen=True)
class RowPage(Generic[R]):
    """One answer. `cursor` None: it was the last; `total` None: the system doesn't count."""

    rows: Sequence[R]
    cursor: str | None
    total: int | None = None


@dataclass(frozen=True)
class RowSource(Generic[R]):
    """How to ask a system for rows, and how to tell them apart. `time` None: kept wherever it is found."""

    source: str
    noun: str  # names the rows in messages
    ask: Callable[[TimeSlice, str | None], Awaitable[RowPage[R]]]
    key: Callable[[R], str]
    time: Callable[[R], int | None]


@dataclass(frozen=True)
class SliceRows:
    """The rows that came while a slice was walked. `outside`: of no slice of the walk; `repeated`: kept already.

    A page that only showed that the slice is too large doesn't count: its rows come again.
    """

    came: int
    outside: int
    repeated: int


class SliceWalk(Generic[R, B]):
    """One walk. `kept` counts the rows so far.

    UnexpectedAnswer where twice fewer rows came than the system has counted, clearly more, or page after page without
    any that was asked for.
    """

    def __init__(
        self,
        rows: RowSource[R],
        limiter: RateLimiter,
        batch: Callable[[], B],
        done: Callable[[TimeSlice, B, SliceRows], None],
        progress: Callable[[int, int | None], None] = lambda _kept, _total: None,
        *,
        is_answered: bool = False,
        expected: int | None = None,
    ) -> None:
        """`progress` gets the rows so far and, once every initial slice has had its first page, how many there are.

        `is_answered`: the system has answered such a query before. Else nobody else asks until the first page has come,
        so that a refusal comes once. `expected`: about how many rows there are, where the system doesn't count those of
        each slice.
        """
        self.kept = 0
        self._rows = rows
        self._limiter = limiter
        self._batch = batch
        self._done = done
        self._progress = progress
        self._unanswered = 0  # initial slices whose first page hasn't come
        self._total: int | None = 0  # rows of the others; None: the system doesn't count
        self._stretches: list[TimeSlice] = []  # that the walk goes through
        self._waiting: deque[SliceProgress[B]] = deque()
        self._active: dict[asyncio.Task[None], SliceProgress[B]] = {}
        self._is_answered = is_answered
        self._expected = expected
        self._changed = asyncio.Event()  # a page came or a slice ended: there may be work for somebody idle

    async def run(self, slices: Iterable[TimeSlice]) -> None:
        """Walk all of them to their ends. The first error ends the others, and is raised."""
        self._waiting.extend(SliceProgress(each, self._batch(), is_initial=True) for each in slices)
        self._stretches = joined([progress.asked for progress in self._waiting])
        self._unanswered = len(self._waiting)
        try:
            while self._start_idle():
                await self._changed.wait()
                self._changed.clear()
                for task in [each for each in self._active if each.done()]:
                    del self._active[task]
                    task.result()
        finally:
            for task in self._active:
                task.cancel()
            await asyncio.gather(*self._active, return_exceptions=True)

    # --- who walks what

    def _start_idle(self) -> bool:
        """Start as many slices as there is work and leave for; whether any is on its way."""
        most = self._limiter.limit if self._is_answered else 1
        while len(self._active) < most and (progress := self._next()) is not None:
            task = asyncio.create_task(self._walk(progress))
            task.add_done_callback(lambda _task: self._changed.set())
            self._active[task] = progress
        return bool(self._active)

    def _next(self) -> SliceProgress[B] | None:
        """A slice that waits, or the far half of the one with the most left."""
        if self._waiting:
            return self._waiting.popleft()
        busiest = max(self._active.values(), key=SliceProgress.remaining) if self._active else None
        if busiest is None or self._remaining(busiest) < WORTH_PAGES * max(1, busiest.page_rows):
            return None
        return busiest.give_far_half(self._batch)

    def _remaining(self, progress: SliceProgress[B]) -> float:
        """About how many rows of a slice are to come; all slices together have no more left than were expected."""
        if self._expected is None:
            return progress.remaining()
        most = sum(map(SliceProgress.remaining, self._active.values()))
        return progress.remaining() * min(1.0, max(0, self._expected - self.kept) / max(1, most))

    # --- one slice

    async def _walk(self, progress: SliceProgress[B]) -> None:
        """One slice to its end; once more where rows were missed, since two walks seldom miss the same."""
        progress.begin()
        complete = await self._follow(progress, progress.seen)
        if progress.state is SliceState.SPLIT:
            return
        progress.end_pages()
        if await self._has_missed(progress, complete=complete):
            await self._walk_again(progress)
        progress.finish()
        repeated = progress.came - progress.kept - progress.outside
        self._done(progress.part, progress.batch, SliceRows(progress.came, progress.outside, repeated))

    async def _has_missed(self, progress: SliceProgress[B], *, complete: bool) -> bool:
        """Whether rows didn't come that the system has counted.

        Where it doesn't count: whether the pages broke off, or rows lie between this slice and what was given of it.
        """
        for other in progress.given:
            await other.has_first_page.wait()
        if progress.total is None:
            return not complete or progress.misses_neighbour()
        return (progress.missed() or 0) > 0

    async def _walk_again(self, progress: SliceProgress[B]) -> None:
        """What is missed once more is refused: an account with fewer rows would look like a healthier one."""
        progress.walk_again()
        keys: set[str] = set()
        complete = await self._follow(progress, keys)
        missing = max(0, (progress.total or 0) - max(progress.rows, len(keys)))
        if not complete and (missing > 0 or progress.total is None):
            raise self._refused("twice the pages led in a circle or broke off")
        if missing:
            raise self._refused(f"twice {missing:,} fewer came than the {progress.total:,} that were counted")

    def _refused(self, answer: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(self._rows.source, f"paging through {self._rows.noun}", answer)

    async def _follow(self, progress: SliceProgress[B], keys: set[str]) -> bool:
        """Page after page, into `keys` the keys of its rows; whether the pages ended as they should, or were split."""
        cursors, cursor, idle = Cursors(), None, 0
        while True:
            try:
                page = await self._rows.ask(progress.asked, cursor)
            except RequestRefused as refused:
                if cursor is None or refused.status not in (400, 404):
                    raise
                return False  # the query had a first page: what is refused is its cursor, which has died
            earlier = len(keys)
            fresh, times = self._new_rows(progress, page, keys)
            if cursor is None and not self._accept_first_page(progress, page.total):
                return True
            idle = 0 if self._keep(progress, fresh, times) else idle + 1
            self._check_end(progress, len(keys), idle)
            self._changed.set()
            if page.cursor is None or (progress.has_passed() and progress.state is SliceState.WALKING):
                return True
            cursor = page.cursor
            if not cursors.lead_on(cursor, len(keys) - earlier):
                return False
            del page, fresh, times  # as many slices as there are wait for their next pages

    def _check_end(self, progress: SliceProgress[B], came: int, idle: int) -> None:
        """Refuse an answer that doesn't end: a filter that the system ignored, or pages that it makes up."""
        if idle >= IDLE_PAGES:
            raise self._refused(f"{idle} pages in a row had no row that was asked for")
        if progress.total is not None and came > progress.total + max(progress.page_rows, MORE * progress.total):
            raise self._refused(f"{came:,} came, and the system counted {progress.total:,}")

    # --- one page

    def _new_rows(
        self, progress: SliceProgress[B], page: RowPage[R], keys: set[str]
    ) -> tuple[Sequence[R], list[int | None]]:
        """Learn from a page; its rows that were not seen before, with their times."""
        progress.came += len(page.rows)
        found = list(map(self._rows.key, page.rows))
        if progress.seen.isdisjoint(found) and len(set(found)) == len(found):
            fresh = page.rows
        else:
            by_key = dict(zip(reversed(found), reversed(page.rows), strict=True))
            fresh = [row for key, row in reversed(by_key.items()) if key not in progress.seen]
        progress.seen.update(found)
        keys.update(found)
        progress.page_rows = max(progress.page_rows, len(page.rows))
        times = list(map(self._rows.time, fresh))
        progress.observe([time for time in times if time is not None])
        return fresh, times

    def _accept_first_page(self, progress: SliceProgress[B], total: int | None) -> bool:
        """Learn from the first page of a pass how many rows there are; False: they are too many, and it was split."""
        progress.total = total
        if progress.state is SliceState.REWALKING:
            return True
        if progress.is_initial:
            self._unanswered -= 1
            self._total = None if total is None or self._total is None else self._total + total
        progress.has_first_page.set()
        self._is_answered = True
        parts = progress.parts_wanted()
        if parts == 1:
            progress.accept_first_page()
            return True
        self._waiting.extend(SliceProgress(each, self._batch()) for each in progress.split(parts))
        self._changed.set()
        return False

    def _keep(self, progress: SliceProgress[B], fresh: Sequence[R], times: list[int | None]) -> int:
        """Put into the batch what lies in the slice, and count it; the rest is a neighbour's, or nobody's."""
        dated, part = [time for time in times if time is not None], progress.part
        if not dated or (part.start <= min(dated) and max(dated) < part.end):
            mine = fresh
            progress.rows += len(fresh)
        else:
            mine = list(compress(fresh, map(part.contains, times)))
            progress.rows += sum(map(progress.accounts_for, times))
            progress.outside += sum(not any(each.contains(time) for each in self._stretches) for time in times)
        progress.batch.add(mine)
        progress.kept += len(mine)
        self.kept += len(mine)
        self._progress(self.kept, None if self._unanswered else self._total)
        return len(mine)

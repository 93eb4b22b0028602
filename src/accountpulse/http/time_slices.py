"""Slices of a stretch of time: how far each has been read, what is left of it and where to cut it. No I/O.

`slice_walk` asks for the rows; what it learns from the answers goes in here. docs/http.md draws the states.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Generic, Self, TypeVar

SPLIT_PAGES = 10  # a slice without order that has more is split into parts of about so many
LARGE_PAGES = 60  # any slice that has more is split: what is handed on only when it is complete fills the memory
PART_PAGES = 7  # then into parts of about so many: as many as are walked at a time are in memory at once
MOST_PARTS = 200  # at once: a count may be wrong by any factor, and a part that is still too large is split again

B = TypeVar("B")


@dataclass(frozen=True, order=True)
class TimeSlice:
    """A half-open stretch `[start, end)` of whole units."""

    start: int
    end: int

    def contains(self, time: int | None) -> bool:
        """Whether `time` lies in it; no time at all lies anywhere."""
        return time is None or self.start <= time < self.end


def equal_slices(start: int, end: int, count: int) -> list[TimeSlice]:
    """`[start, end)` in at most `count` slices of about equal length; none where it is empty."""
    count = min(count, end - start)
    edges = [start + (end - start) * index // count for index in range(count + 1)] if count > 0 else []
    return [TimeSlice(*pair) for pair in pairwise(edges)]


def without(slices: Iterable[TimeSlice], done: Iterable[tuple[int, int]]) -> list[TimeSlice]:
    """What is left of the slices when the stretches that are done are cut out of them."""
    left = list(slices)
    for start, end in done:
        pairs = [
            (TimeSlice(part.start, min(part.end, start)), TimeSlice(max(part.start, end), part.end)) for part in left
        ]
        left = [piece for pair in pairs for piece in pair if piece.start < piece.end]
    return sorted(left)


def joined(slices: Iterable[TimeSlice]) -> list[TimeSlice]:
    """The stretches that the slices cover, in order."""
    found: list[TimeSlice] = []
    for each in sorted(slices):
        if found and each.start <= found[-1].end:
            found[-1] = TimeSlice(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


class Direction(Enum):
    """In which order of time the rows of a cursor come."""

    UNKNOWN = "one time only so far"
    RISING = "the oldest first"
    FALLING = "the newest first"
    MIXED = "in no order"


@dataclass
class RowOrder:
    """The order of the rows so far, and the time of the last one (None: no row with a time has come).

    `density` says how many rows of the last page came in a unit of time.
    """

    direction: Direction = Direction.UNKNOWN
    last: int | None = None
    density: float = 0.0

    def observe(self, times: Sequence[int]) -> None:
        """Learn from the times of a page's rows."""
        line = list(times) if self.last is None else [self.last, *times]
        rises, falls = line == sorted(line), line == sorted(line, reverse=True)
        if not (rises and falls):
            found = Direction.RISING if rises else Direction.FALLING if falls else Direction.MIXED
            self.direction = found if self.direction in (Direction.UNKNOWN, found) else Direction.MIXED
        if times:
            self.last = times[-1]
            self.density = len(times) / max(1, abs(line[-1] - line[0]))

    def lengths(self, part: TimeSlice) -> tuple[int, int]:
        """How much of `part` lies behind the last row, and how much before it."""
        last = min(max(self.last or 0, part.start), part.end - 1)
        behind, before = last - part.start, part.end - 1 - last
        return (before, behind) if self.direction is Direction.FALLING else (behind, before)


class SliceState(Enum):
    """Where a slice is in its life."""

    WAITING = "nothing has been asked yet"
    FIRST_PAGE = "its first request is under way"
    WALKING = "its cursor is followed, page after page; its far part may be given to somebody idle"
    SPLIT = "it was too large, and is walked in parts of its own"
    COUNTING = "its pages have ended; the rows that came are compared with those that the system counted"
    REWALKING = "rows were missed, so it is walked once more, to its end and uncut"
    DONE = "its rows were handed on"


SLICE_TRANSITIONS: Mapping[SliceState, frozenset[SliceState]] = {
    SliceState.WAITING: frozenset({SliceState.FIRST_PAGE}),
    SliceState.FIRST_PAGE: frozenset({SliceState.WALKING, SliceState.SPLIT}),
    SliceState.WALKING: frozenset({SliceState.WALKING, SliceState.COUNTING}),
    SliceState.COUNTING: frozenset({SliceState.REWALKING, SliceState.DONE}),
    SliceState.REWALKING: frozenset({SliceState.DONE}),
    SliceState.SPLIT: frozenset(),
    SliceState.DONE: frozenset(),
}


@dataclass(eq=False)
class SliceProgress(Generic[B]):
    """One slice in its life. `asked` is what its cursor goes through, `part` what of that is still its own.

    Each method that is named after a step is one arrow of SLICE_TRANSITIONS; the others only look.
    """

    asked: TimeSlice
    batch: B  # what its rows are gathered in
    estimate: int = 0  # of its rows, until the system has counted them
    is_initial: bool = False  # the walk began with it
    part: TimeSlice = field(init=False)
    state: SliceState = field(default=SliceState.WAITING, init=False)
    total: int | None = field(default=None, init=False)  # rows by the system's count; None: it doesn't count
    rows: int = field(default=0, init=False)  # that came and weren't given away
    came: int = field(default=0, init=False)  # in all pages that were followed, each as often as it came
    kept: int = field(default=0, init=False)  # of its own part
    outside: int = field(default=0, init=False)  # of no slice of the walk
    page_rows: int = field(default=0, init=False)  # of the largest page
    order: RowOrder = field(default_factory=RowOrder, init=False)
    first: int | None = field(default=None, init=False)  # time of the first row that came
    beyond: int | None = field(default=None, init=False)  # of the first row that came from what was given away
    seen: set[str] = field(default_factory=set, init=False)  # keys of rows
    given: list[Self] = field(default_factory=list, init=False)  # what others took over
    has_first_page: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self.part = self.asked

    # --- steps

    def begin(self) -> None:
        """WAITING → FIRST_PAGE: the first request goes."""
        self._enter(SliceState.FIRST_PAGE)

    def accept_first_page(self) -> None:
        """FIRST_PAGE → WALKING: its page has come and is kept."""
        self._enter(SliceState.WALKING)

    def split(self, parts: int) -> list[TimeSlice]:
        """FIRST_PAGE → SPLIT: into so many parts, which are walked in its place."""
        self._enter(SliceState.SPLIT)
        return equal_slices(self.part.start, self.part.end, parts)

    def give_far_half(self, batch: Callable[[], B]) -> Self | None:
        """WALKING → WALKING: give away the far half of what comes after the page that is under way.

        None, and nothing given, where that is shorter than a unit of time.
        """
        remaining, before = self.remaining(), self.order.lengths(self.part)[1]
        far = before * remaining // (2 * (remaining + self.page_rows))
        if far < 1:
            return None
        self._enter(SliceState.WALKING)
        rises = self.order.direction is Direction.RISING
        edge = self.part.end - far if rises else self.part.start + far
        early, late = TimeSlice(self.part.start, edge), TimeSlice(edge, self.part.end)
        self.part, far_part = (early, late) if rises else (late, early)
        self.given.append(type(self)(far_part, batch(), remaining // 2))
        return self.given[-1]

    def end_pages(self) -> None:
        """WALKING → COUNTING: the last page has come, the rest is others', or the cursor has died."""
        self._enter(SliceState.COUNTING)

    def walk_again(self) -> None:
        """COUNTING → REWALKING: with a new cursor, through its own part alone."""
        self._enter(SliceState.REWALKING)
        self.asked = self.part

    def finish(self) -> None:
        """COUNTING or REWALKING → DONE: the rows are handed on."""
        self._enter(SliceState.DONE)
        self.seen.clear()  # whoever gave it this part remembers it to his own end

    def _enter(self, state: SliceState) -> None:
        if state not in SLICE_TRANSITIONS[self.state]:
            raise RuntimeError(f"a slice can't go from {self.state.name} to {state.name}")
        self.state = state

    def observe(self, times: Sequence[int]) -> None:
        """Learn from the times of a page's rows, in their order."""
        self.order.observe(times)
        if self.first is None and times:
            self.first = times[0]
        if self.given:
            self.beyond = next((time for time in times if not self.accounts_for(time)), self.beyond)

    # --- decisions

    def remaining(self) -> int:
        """About how many rows come after the page that is under way; 0 where it can't be cut."""
        if self.state is not SliceState.WALKING or self.order.direction in (Direction.UNKNOWN, Direction.MIXED):
            return 0
        if self.total is not None:
            given = sum(other.estimate if other.total is None else other.total for other in self.given)
            rows = self.total - given - self.rows
        else:
            behind, before = self.order.lengths(self.part)
            rows = max(self.rows * before // max(1, behind), int(self.order.density * before))
        return max(0, rows - self.page_rows)

    def parts_wanted(self) -> int:
        """Into how many parts it should be split after its first page, which then goes to waste; 1: it is walked."""
        if self.state is not SliceState.FIRST_PAGE or self.part.end - self.part.start < 2:
            return 1
        pages = (self.total or 0) / max(1, self.page_rows)
        unordered = self.order.direction is Direction.MIXED
        most, part_pages = (SPLIT_PAGES, SPLIT_PAGES) if unordered else (LARGE_PAGES, PART_PAGES)
        return min(MOST_PARTS, int(pages / part_pages) + 1) if pages > most else 1

    def has_passed(self) -> bool:
        """Whether the rest of its cursor belongs to others; only where rows have come in order so far."""
        if self.order.last is None:
            return False
        above = self.part.end < self.asked.end and self.order.last >= self.part.end
        below = self.part.start > self.asked.start and self.order.last < self.part.start
        rises, falls = self.order.direction is Direction.RISING, self.order.direction is Direction.FALLING
        return (rises and above) or (falls and below)

    def accounts_for(self, time: int | None) -> bool:
        """Whether a row is one of those that it has to account for: nobody else took over where it lies.

        A row beyond the ends of `asked` counts: the system has counted it too.
        """
        return time is None or (
            (time >= self.part.start or self.part.start == self.asked.start)
            and (time < self.part.end or self.part.end == self.asked.end)
        )

    def misses_neighbour(self) -> bool:
        """Whether whoever took over its far part last began only after the first row that this one saw there.

        Then rows may lie between the two: the system means other times than ours by the ends of a slice.
        """
        if self.beyond is None:
            return False
        first = self.given[-1].first
        rises = self.order.direction is Direction.RISING
        return first is None or (first > self.beyond if rises else first < self.beyond)

    def missed(self) -> int | None:
        """How many rows the system has counted that didn't come; None where it doesn't count.

        Asked when everybody who took over a part has had a first page.
        """
        if self.total is None:
            return None
        return self.total - sum(other.total or 0 for other in self.given) - self.rows

"""A stretch of time walked in slices: every row once, however rows come, and few requests beside those needed."""

import asyncio
import random
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http.concurrency import ConcurrencyLimit
from accountpulse.http.rate_limiter import RateLimiter
from accountpulse.http.slice_walk import RowPage, RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import SliceProgress, SliceState, TimeSlice, equal_slices, without
from virtual import Clock

Row = tuple[int, int]  # its name, its time


@dataclass
class System:
    """Rows behind cursors; bounds are padded by `pad`, as a vendor may understand them."""

    rows: Sequence[Row]
    size: int
    order: str = "rising"
    pad: int = 0
    counts: bool = True
    latency: float = 0.1
    before_page: Callable[["System", int], None] = lambda _system, _number: None
    asked: int = 0
    walks: dict[tuple[TimeSlice, str], list[Row]] = field(default_factory=dict)

    async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
        await asyncio.sleep(self.latency)
        self.asked += 1
        self.before_page(self, self.asked)
        found = self.found(part)
        begin = int(cursor or 0)
        more = begin + self.size < len(found)
        return RowPage(
            found[begin : begin + self.size],
            str(begin + self.size) if more else None,
            len(found) if self.counts else None,
        )

    def found(self, part: TimeSlice) -> list[Row]:
        inside = [row for row in self.rows if part.start - self.pad <= row[1] < part.end + self.pad]
        if self.order == "rising":
            return sorted(inside, key=lambda row: row[1])
        if self.order == "falling":
            return sorted(inside, key=lambda row: -row[1])
        random.Random(f"{self.order}{part}").shuffle(inside)  # noqa: S311
        return inside


@dataclass
class RowBatch:
    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Sequence[Row]) -> None:
        self.rows.extend(rows)


class Walked:
    """A walk of everything, and what it handed on."""

    def __init__(
        self, system: System, slices: Sequence[TimeSlice], at_once: int = 8, expected: int | None = None
    ) -> None:
        self.parts: list[tuple[TimeSlice, list[Row]]] = []
        self.counts: list[SliceRows] = []
        clock = Clock()
        limiter = RateLimiter(clock.now, Fixed(at_once))
        rows = RowSource("system", "rows", system.ask, lambda row: str(row[0]), lambda row: row[1])
        self.walk: SliceWalk[Row, RowBatch] = SliceWalk(rows, limiter, RowBatch, self._done, expected=expected)
        clock.run(self.walk.run(slices))
        self.seconds = clock.seconds

    def _done(self, part: TimeSlice, batch: RowBatch, rows: SliceRows) -> None:
        self.parts.append((part, batch.rows))
        self.counts.append(rows)

    @property
    def rows(self) -> list[Row]:
        return sorted(row for _, rows in self.parts for row in rows)


class Fixed(ConcurrencyLimit):
    """Always the same number at once."""

    def answered(self, seconds: float, under_way: int) -> None:
        pass


def spread(count: int, until: int = 100_000, seed: int = 1) -> list[Row]:
    """Rows as support gets them: a week has its days and nights."""
    rng = random.Random(seed)  # noqa: S311
    times = (rng.randrange(until) for _ in range(10 * count))
    busy = [time for time in times if time // 1000 % 3 != 2]
    return [(number, time) for number, time in enumerate(busy[:count])]


systems = st.builds(
    System,
    rows=st.lists(st.integers(-5, 320), max_size=150).map(lambda times: list(enumerate(times))),
    size=st.integers(1, 12),
    order=st.sampled_from(["rising", "falling", "mixed", "otherwise"]),
    pad=st.integers(0, 2),
)


@given(systems, st.integers(1, 12), st.integers(1, 40))
def test_every_row_of_the_stretch_comes_once_and_no_other(system: System, slices: int, at_once: int) -> None:
    walked = Walked(system, equal_slices(0, 300, slices), at_once)
    assert walked.rows == sorted(row for row in system.rows if 0 <= row[1] < 300)


@given(systems, st.integers(1, 12), st.integers(1, 40))
def test_what_is_handed_on_covers_the_stretch_without_overlap(system: System, slices: int, at_once: int) -> None:
    walked = Walked(system, equal_slices(0, 300, slices), at_once)
    parts = sorted(part for part, _ in walked.parts)
    assert parts[0].start == 0
    assert parts[-1].end == 300
    assert all(one.end == other.start for one, other in pairwise(parts))
    for part, rows in walked.parts:
        assert all(part.start <= time < part.end for _, time in rows)


@given(systems.filter(lambda system: system.order in ("rising", "falling")), st.integers(1, 12), st.integers(1, 40))
def test_a_system_that_gives_no_totals_is_walked_as_well(system: System, slices: int, at_once: int) -> None:
    system.counts = False
    walked = Walked(system, equal_slices(0, 300, slices), at_once)
    assert walked.rows == sorted(row for row in system.rows if 0 <= row[1] < 300)


class Mistaken(Exception):
    """Rows came that weren't asked for."""


@dataclass
class OtherClock(System):
    """Ends of slices from `since` on mean `late` units later, as where clocks were changed; it counts no rows."""

    since: int = 0
    late: int = 0

    def found(self, part: TimeSlice) -> list[Row]:
        start, end = (edge + self.late * (edge >= self.since) for edge in (part.start, part.end))
        rows = super().found(TimeSlice(start, end))
        if not all(part.contains(time) for _, time in rows):
            raise Mistaken
        return rows


@given(
    st.lists(st.integers(0, 270), min_size=20, max_size=150),
    st.sampled_from(["rising", "falling"]),
    st.integers(0, 300),
    st.integers(-30, 30),
    st.integers(1, 24),
)
def test_no_row_is_lost_in_silence_where_the_system_means_other_times_by_the_ends_of_a_slice(
    times: list[int], order: str, since: int, late: int, at_once: int
) -> None:
    system = OtherClock(list(enumerate(times)), 3, order, counts=False, since=since, late=late)
    try:
        walked = Walked(system, equal_slices(0, 300, 2), at_once)
    except Mistaken:
        assert late
    else:
        assert walked.rows == sorted(system.rows)


@given(systems.filter(lambda system: len(system.rows) > 0), st.integers(1, 12), st.integers(0, 30), st.data())
def test_a_row_that_moves_while_pages_are_read_is_not_lost(
    system: System, at_once: int, after: int, data: st.DataObject
) -> None:
    """It jumps from the front of the list to its end, so that another row slips over a page's edge."""
    moved = data.draw(st.sampled_from(range(len(system.rows))))
    plain = system.found

    def found(part: TimeSlice) -> list[Row]:
        rows = plain(part)
        name = system.rows[moved]
        if system.asked > after and name in rows:
            rows.remove(name)
            rows.append(name)
        return rows

    system.found = found  # type: ignore[method-assign]
    walked = Walked(system, equal_slices(0, 300, 3), at_once)
    assert walked.rows == sorted(row for row in system.rows if 0 <= row[1] < 300)


@pytest.mark.parametrize("at_once", [1, 8, 16, 32])
@pytest.mark.parametrize("order", ["rising", "falling"])
def test_requests_stay_near_those_needed(at_once: int, order: str) -> None:
    system = System(spread(6_000), 15, order)
    walked = Walked(system, equal_slices(0, 100_000, 8), at_once)
    assert len(walked.rows) == 6_000
    assert system.asked <= 1.1 * 6_000 / 15 + len(walked.parts)


def test_requests_stay_near_those_needed_where_rows_have_no_order() -> None:
    system = System(spread(6_000), 15, "mixed")
    walked = Walked(system, equal_slices(0, 100_000, 8), 16)
    assert system.asked <= 1.1 * 6_000 / 15 + len(walked.parts)


@pytest.mark.parametrize("at_once", [8, 16, 32])
def test_the_work_is_shared_evenly_to_the_end(at_once: int) -> None:
    """All rows in one of the eight slices: whoever is idle takes over, so that nobody walks alone for long."""
    system = System([(name, 90_000 + time // 10) for name, time in spread(3_000)], 15)
    walked = Walked(system, equal_slices(0, 100_000, 8), at_once)
    assert len(walked.rows) == 3_000
    pages = 200
    assert walked.seconds <= 1.4 * 0.1 * pages / at_once + 1.0


def test_the_work_is_shared_where_the_system_counts_nothing_and_rows_came_about_in_few_days() -> None:
    """A few old rows, then all in a tenth of the last slice: the last page tells more than all before it."""
    rows = [*((name, name * 900) for name in range(100)), *((name + 100, 95_000 + name) for name in range(2_900))]
    system = System(rows, 15, counts=False)
    walked = Walked(system, equal_slices(0, 100_000, 8), 32, expected=3_000)
    assert len(walked.rows) == 3_000
    assert walked.seconds <= 1.5
    assert system.asked <= 1.1 * 200 + len(walked.parts)


def test_where_few_rows_are_expected_to_come_nobody_takes_over_any() -> None:
    busy_days = [(name, name // 100 * 20_000 + name % 100 * 10) for name in range(500)]
    system = System(busy_days, 15, counts=False)
    walked = Walked(system, [TimeSlice(0, 100_000)], 32, expected=len(busy_days))
    assert len(walked.rows) == 500
    assert system.asked <= 1.1 * 500 / 15 + len(walked.parts)


def test_one_cursor_asks_for_each_page_once() -> None:
    system = System(spread(1_500), 150)
    Walked(system, [TimeSlice(0, 100_000)], 1)
    assert system.asked == 10


def test_a_cursor_that_leads_in_a_circle_is_an_error_and_no_end() -> None:
    class Circle(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(part, cursor)
            return RowPage(page.rows, "10", page.total)

    with pytest.raises(UnexpectedAnswer, match="circle"):
        Walked(Circle(spread(500), 10), [TimeSlice(0, 100_000)])


def test_a_next_page_after_the_last_is_no_harm() -> None:
    class Beyond(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(part, cursor)
            return RowPage(page.rows, page.cursor or str(len(self.found(part))), page.total)

    system = Beyond(spread(500), 10)
    walked = Walked(system, [TimeSlice(0, 100_000)], 1)
    assert len(walked.rows) == 500
    assert system.asked == 51


def test_rows_that_are_counted_and_never_shown_are_asked_for_once_more_and_then_refused() -> None:
    class Boasting(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(part, cursor)
            return RowPage(page.rows, page.cursor, (page.total or 0) + 3)

    system = Boasting(spread(100), 10)
    with pytest.raises(UnexpectedAnswer, match="twice 3 fewer came than the 103 that were counted"):
        Walked(system, [TimeSlice(0, 100_000)], 1)
    assert system.asked == 20


@given(systems, st.integers(1, 8), st.integers(-4, 4), st.booleans())
def test_a_count_that_is_wrong_or_a_row_that_never_comes_is_refused_or_costs_no_row(
    system: System,
    slices: int,
    off: int,
    hides: bool,  # noqa: FBT001
) -> None:
    """Whatever else a system does, what is handed on is everything that it has and counts."""
    real = system.ask
    hidden = min((row for row in system.rows if 0 <= row[1] < 300), default=None) if hides else None

    async def ask(part: TimeSlice, cursor: str | None) -> RowPage[Row]:
        page = await real(part, cursor)
        return RowPage([row for row in page.rows if row != hidden], page.cursor, max(0, (page.total or 0) + off))

    system.ask = ask  # type: ignore[method-assign]
    try:
        walked = Walked(system, equal_slices(0, 300, slices))
    except UnexpectedAnswer:
        assert off or hides
        return
    lost = {hidden} if hidden is not None and off < 0 else set()  # so truthfully said
    assert set(walked.rows) == {row for row in system.rows if 0 <= row[1] < 300} - lost


def test_pages_without_any_row_that_was_asked_for_end_the_walk() -> None:
    """A system that ignores the filter gives everything it has."""

    class Deaf(System):
        async def ask(self, _part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(TimeSlice(200_000, 900_000), cursor)
            return RowPage(page.rows, page.cursor)

    system = Deaf([(f"{place}", 200_000 + place) for place in range(5_000)], 10)
    with pytest.raises(UnexpectedAnswer, match="50 pages in a row had no row that was asked for"):
        Walked(system, [TimeSlice(0, 100_000)], 1)
    assert system.asked == 50


def test_clearly_more_rows_than_were_counted_end_the_walk() -> None:
    class Endless(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(part, cursor)
            return RowPage(page.rows, page.cursor, 100)

    system = Endless(spread(5_000), 10)
    with pytest.raises(UnexpectedAnswer, match="120 came, and the system counted 100"):
        Walked(system, [TimeSlice(0, 100_000)], 1)


def test_every_row_that_came_is_kept_outside_or_repeated() -> None:
    """Padded bounds bring the neighbours' rows, and those before the first slice."""

    class Padded(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            return await super().ask(TimeSlice(part.start - 500, part.end + 500), cursor)

    rows = [(f"{place}", place * 100) for place in range(1_000)]
    walked = Walked(Padded(rows, 50), [TimeSlice(10_000, 50_000), TimeSlice(50_000, 90_000)], 1)
    assert len(walked.rows) == 800
    assert sum(each.outside for each in walked.counts) == 10  # 500 before and 500 after, a row each 100
    assert sum(each.repeated for each in walked.counts) == 10  # 500 on both sides of the edge
    assert sum(each.came for each in walked.counts) == 820


def test_a_row_that_comes_twice_is_kept_once_and_counted() -> None:
    class Stammering(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            page = await super().ask(part, cursor)
            return RowPage([*page.rows, page.rows[0]], page.cursor, page.total)

    walked = Walked(Stammering(spread(100), 10), [TimeSlice(0, 100_000)], 1)
    assert len(walked.rows) == 100
    assert [(each.came, each.outside, each.repeated) for each in walked.counts] == [(110, 0, 10)]


def test_an_error_of_one_slice_ends_the_walk_and_is_raised() -> None:
    class Failing(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            if part.start > 50_000:
                raise ValueError("of this slice")
            return await super().ask(part, cursor)

    with pytest.raises(ValueError, match="of this slice"):
        Walked(Failing(spread(5_000), 10), equal_slices(0, 100_000, 8))


@given(st.integers(-50, 50), st.integers(0, 50), st.integers(1, 20))
def test_equal_slices_cover_a_stretch_and_differ_by_one_at_most(start: int, length: int, count: int) -> None:
    slices = equal_slices(start, start + length, count)
    covered = Counter(unit for part in slices for unit in range(part.start, part.end))
    assert covered == Counter(range(start, start + length))
    lengths = [part.end - part.start for part in slices]
    assert lengths == [] or max(lengths) - min(lengths) <= 1


@given(
    edges=st.lists(st.integers(0, 200), min_size=2, max_size=12, unique=True).map(sorted),
    done=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)).map(sorted).map(tuple), max_size=6),
)
def test_what_is_left_is_every_unit_that_is_not_done_once(edges: list[int], done: list[tuple[int, int]]) -> None:
    slices = [TimeSlice(*pair) for pair in pairwise(edges)]
    left = without(slices, done)
    units = Counter(unit for part in left for unit in range(part.start, part.end))
    covered = {unit for start, end in done for unit in range(start, end)}
    assert set(units) == {unit for unit in range(edges[0], edges[-1]) if unit not in covered}
    assert set(units.values()) <= {1}
    assert all(any(part.start >= each.start and part.end <= each.end for each in slices) for part in left)


def walking(times: Sequence[int], total: int | None) -> SliceProgress[RowBatch]:
    """A slice of [0, 1000) whose first page had rows of these times."""
    progress = SliceProgress(TimeSlice(0, 1000), RowBatch())
    progress.begin()
    progress.order.observe(times)
    progress.rows = progress.page_rows = len(times)
    progress.total = total
    progress.accept_first_page()
    return progress


@pytest.mark.parametrize(
    ("times", "own", "far"),
    [([0, 50, 99], (0, 700), (700, 1000)), ([999, 950, 900], (300, 1000), (0, 300))],
    ids=["rising", "falling"],
)
def test_the_far_half_of_what_is_left_is_given_away(
    times: list[int], own: tuple[int, int], far: tuple[int, int]
) -> None:
    """Of 12 rows 3 came and 3 are under way: half of the other 6 is a third of what lies before the last row."""
    progress = walking(times, 12)
    assert progress.remaining() == 6
    other = progress.give_far_half(RowBatch)
    assert other is not None
    assert (progress.part, other.part, other.estimate) == (TimeSlice(*own), TimeSlice(*far), 3)
    assert progress.state is SliceState.WALKING
    assert other.state is SliceState.WAITING
    assert progress.missed() == 12 - 3, "nobody has counted the part that was given away"


@pytest.mark.parametrize("times", [[], [5], [5, 5], [1, 9, 4]], ids=["none", "one", "equal", "mixed"])
def test_a_slice_whose_rows_show_no_order_is_not_cut(times: list[int]) -> None:
    assert walking(times, 500).remaining() == 0


def test_a_slice_takes_no_step_that_its_state_does_not_allow() -> None:
    progress = SliceProgress(TimeSlice(0, 10), RowBatch())
    with pytest.raises(RuntimeError, match="from WAITING to DONE"):
        progress.finish()
    progress.begin()
    assert progress.split(2) == [TimeSlice(0, 5), TimeSlice(5, 10)]
    with pytest.raises(RuntimeError, match="from SPLIT to WALKING"):
        progress.accept_first_page()


def test_a_page_is_let_go_before_the_next_is_asked_for() -> None:
    """As many slices as there are wait for their next pages: with their last ones they would fill the memory."""
    pages: list[weakref.ref[RowPage[Row]]] = []

    class Remembered(System):
        async def ask(self, part: TimeSlice, cursor: str | None) -> RowPage[Row]:
            assert all(page() is None for page in pages)
            page = await super().ask(part, cursor)
            pages.append(weakref.ref(page))
            return page

    Walked(Remembered(spread(50), size=10), equal_slices(0, 100_000, 1), at_once=1)
    assert len(pages) == 5

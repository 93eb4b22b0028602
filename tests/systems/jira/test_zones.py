"""Slices of time meet at dates of our user's zone: every bug once in any zone, also where clocks are changed."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as lawful
from hypothesis import strategies as st

from accountpulse.http.rate_limiter import RateLimiter
from accountpulse.http.slice_walk import RowPage, RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, equal_slices
from accountpulse.systems.jira.jql_dates import JqlDates, ZoneMistaken
from accountpulse.systems.jira.search import Found, _asked, _jql, _timed
from accountpulse.systems.jira.wire import Fields, Issue
from virtual import Clock

PAGE = 10
YEAR = range(
    int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 60, int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) // 60
)
# clocks of an hour, of half an hour, of two hours; in autumn and in spring; around Ramadan; no change at all
ZONES = (
    "America/New_York", "America/St_Johns", "America/Santiago", "Africa/Casablanca", "Africa/Cairo",
    "Antarctica/Troll", "Asia/Beirut", "Asia/Kolkata", "Atlantic/Azores", "Australia/Lord_Howe",
    "Australia/Sydney", "Europe/Berlin", "Europe/London", "Pacific/Chatham",
    "Pacific/Kiritimati", "UTC",
)  # fmt: skip


def wall(zone: str, minute: int) -> str:
    """What a clock on the wall says."""
    return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).isoformat(" ")[:16]


@lru_cache
def changes(zone: str) -> list[int]:
    """The minutes of 2026 at which clocks are changed: an hour later the wall says something else than an hour more."""

    def offset(minute: int) -> timedelta | None:
        return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).utcoffset()

    days = [day for day in YEAR[::1440] if offset(day) != offset(day + 1440)]
    return [next(each for each in range(day, day + 1441) if offset(each) != offset(day)) for day in days] or [
        YEAR[90_000]
    ]


@lru_cache
def calendar(zone: str, change: int, *, takes_second: bool) -> Mapping[str, int]:
    """What dates mean around a change of a zone's clocks: of two minutes that look alike the first or the second."""
    stretch = range(change - 4000, change + 6000)
    return {wall(zone, each): each for each in (stretch if takes_second else reversed(stretch))}


@dataclass
class Site:
    """Issues by the minutes of their creation, in pages; `dates` is how it reads dates."""

    dates: Mapping[str, int]
    created: Sequence[int]
    asked: int = 0

    def meant(self, text: str) -> int:
        """The minute that a date means; one that no clock ever showed means the next that one did."""
        return self.dates.get(text) or self.dates[min(each for each in self.dates if each >= text)]

    def answer(self, jql: str, cursor: str | None) -> RowPage[Issue]:
        self.asked += 1
        ends = {operator: self.meant(text) for operator, text in re.findall(r'created (>=|<) "(.*?)"', jql)}
        found = [
            (minute, number)
            for number, minute in enumerate(self.created)
            if ends.get(">=", minute) <= minute < ends["<"]
        ]
        begin = int(cursor or 0)
        rows = [
            Issue(str(number), Fields(created=datetime.fromtimestamp(minute * 60 + number % 60, UTC)))
            for minute, number in sorted(found)[begin : begin + PAGE]
        ]
        return RowPage(rows, str(begin + PAGE) if begin + PAGE < len(found) else None)


class Ids:
    def __init__(self) -> None:
        self.ids: list[str] = []

    def add(self, rows: Sequence[Issue]) -> None:
        self.ids += [issue.id for issue in rows]


def walked(site: Site, dates: JqlDates, slices: int) -> list[str]:
    """The ids of all issues, as often as they are kept."""
    found = Found((), "type = Bug", len(site.created), min(site.created))
    ids: list[str] = []

    async def ask(part: TimeSlice, cursor: str | None) -> RowPage[Issue]:
        await asyncio.sleep(0.1)
        asked = _asked(found, part, dates)
        page = site.answer(_jql(found, asked, dates), cursor)
        return RowPage(_timed(list(page.rows), found, asked, dates), page.cursor)

    def done(_part: TimeSlice, batch: Ids, _rows: SliceRows) -> None:
        ids.extend(batch.ids)

    clock = Clock()
    rows = RowSource("jira", "issues", ask, lambda issue: issue.id, lambda issue: issue.minute)
    walk = SliceWalk(rows, RateLimiter(clock.now), Ids, done)
    clock.run(walk.run(equal_slices(found.oldest, max(site.created) + 1440, slices)))
    return sorted(ids, key=int)


@st.composite
def sites(draw: st.DrawFn, zones: Sequence[str] = ZONES) -> tuple[str, Site]:
    """A zone, and issues of two days around a change of its clocks, many of them in few minutes."""
    zone = draw(st.sampled_from(zones))
    change = draw(st.sampled_from(changes(zone)))
    size, rng = draw(st.integers(1, 200)), draw(st.randoms(use_true_random=False))
    created = [change + rng.randint(-150, 150) * rng.choice((1, 1, 12)) for _ in range(size)]
    return zone, Site(calendar(zone, change, takes_second=draw(st.booleans())), created)


def all_of(site: Site) -> list[str]:
    return [str(number) for number in range(len(site.created))]


@lawful(max_examples=120, deadline=None)
@given(sites(), st.integers(1, 12))
def test_every_bug_comes_once_whichever_of_two_equal_minutes_a_date_means(given: tuple[str, Site], slices: int) -> None:
    zone, site = given
    assert walked(site, JqlDates(ZoneInfo(zone)), slices) == all_of(site)


@lawful(max_examples=100, deadline=None)
@given(sites(), st.sampled_from(ZONES), st.integers(1, 12))
def test_a_zone_that_is_not_the_one_that_dates_mean_is_noticed_before_a_bug_is_lost(
    given: tuple[str, Site], other: str, slices: int
) -> None:
    zone, site = given
    try:
        assert walked(site, JqlDates(ZoneInfo(other)), slices) == all_of(site)
    except ZoneMistaken:
        assert zone != other


@lawful(max_examples=30, deadline=None)
@given(sites(), st.integers(1, 12))
def test_without_a_zone_every_bug_comes_once_as_well(given: tuple[str, Site], slices: int) -> None:
    _zone, site = given
    assert walked(site, JqlDates(None), slices) == all_of(site)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Berlin"])
def test_requests_are_those_for_the_pages_and_one_for_each_slice(zone: str) -> None:
    """Three bugs a minute for a day and a half over a change of clocks, if there is any: 810 pages."""
    change = changes(zone)[-1]
    site = Site(calendar(zone, change, takes_second=False), [change - 1350 + number // 3 for number in range(8100)])
    assert walked(site, JqlDates(ZoneInfo(zone)), 8) == all_of(site)
    assert site.asked <= 1.1 * 810 + 64

"""Laws of Jira's extraction: slices and pages change nothing; clauses are told apart; brackets hold; times are read."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise, permutations
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as lawful
from hypothesis import strategies as st

from accountpulse.core.period import Scope
from accountpulse.http.budget import RequestBudget
from accountpulse.http.client import Client, Endpoint
from accountpulse.http.slice_walk import RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, equal_slices
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems.jira import extract
from accountpulse.systems.jira import site as jira_site
from accountpulse.systems.jira.history import HistoryReader, Life, Present, _Chain, _entries
from accountpulse.systems.jira.jql_dates import ZoneMistaken
from accountpulse.systems.jira.links import Links, chunks, combinations_for, split_by_clause, stands_alone
from accountpulse.systems.jira.search import Search, condition
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.wire import Change, Issue, IssueHistory, milliseconds, page_decoder
from support import NOW, Configure
from systems.jira.asking import Asking, Owners, components, expected, owners

OVER_THE_WIRE = lawful(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def small() -> World:
    return build(seed=5, accounts=12, until=NOW, issues=600)


@pytest.fixture(params=["cloud", "datacenter"])
def running(request: pytest.FixtureRequest, small: World) -> Iterator[Sandbox]:
    with Sandbox(small, jira=request.param) as sandbox:
        yield sandbox


class Kept:
    """A batch that keeps the ids."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def add(self, rows: Sequence[Issue]) -> None:
        self.ids += [issue.id for issue in rows]


async def walked(loaded: Settings, scope: Scope, keys: list[str], count: int) -> Counter[str]:
    """How often each issue comes in a walk of so many slices."""
    access, ids, mapping = loaded.access["jira"], Counter[str](), JiraMapping()
    assert access is not None
    headers = {"Authorization": extract.authorization(access)}
    async with Client(Endpoint("jira", access.base_url, headers), RequestBudget()) as web:
        site = await jira_site.look_at(web)
        search = Search(web, site, ["created"], page_decoder(None))
        links = Links(mapping, keys, None)
        found = await search.look(tuple(keys), condition(links.clause(keys), mapping, scope, cloud=site.cloud))
        slices = equal_slices(found.oldest, int(scope.as_of.timestamp() // 60) + 3000, count)

        def done(_part: TimeSlice, batch: Kept, _rows: SliceRows) -> None:
            ids.update(batch.ids)

        async def walk() -> None:
            rows = RowSource("jira", "issues", search.ask(found), lambda each: each.id, lambda each: each.minute)
            await SliceWalk(rows, web.limiter, Kept, done).run(slices)

        try:
            await walk()
        except ZoneMistaken:
            ids.clear()
            search.distrust_zone()
            await walk()
    return ids


@OVER_THE_WIRE
@given(count=st.integers(1, 60), page=st.integers(3, 200), zone=st.sampled_from([None, "", "Asia/Tokyo"]))
def test_every_bug_comes_once_for_any_number_of_slices_and_any_page(  # noqa: PLR0917
    running: Sandbox, small: World, configure: Configure, scope: Scope, count: int, page: int, zone: str | None
) -> None:
    odd = running.jira_oddities
    odd.cloud_page = odd.server_page = page
    odd.reported_zone = zone
    email = {} if "JIRA_EMAIL" in running.environment() else {"JIRA_EMAIL": None}
    ids = asyncio.run(walked(configure(running, **email), scope, components(small), count))
    assert set(ids.values()) == {1}
    assert set(ids) >= set(expected(small, scope, lambda issue: issue.components, components(small)))


@OVER_THE_WIRE
@given(
    page=st.integers(5, 200),
    shuffled=st.booleans(),
    histories=st.none() | st.integers(1, 60),
    last_disagrees=st.booleans(),
)
def test_the_records_are_those_of_the_world_whatever_the_site_does(  # noqa: PLR0917
    running: Sandbox, small: World, configure: Configure, scope: Scope, tmp_path: Path, page: int, **odd: Any
) -> None:
    for name, value in {**odd, "cloud_page": page, "server_page": page}.items():
        setattr(running.jira_oddities, name, value)
    extract = Asking(configure, tmp_path, scope)(running, components(small))
    assert owners(extract) == expected(small, scope, lambda issue: issue.components, components(small))
    rows = extract.spools["issue_moves"].lazy().collect()
    rows = rows.filter(pl.col("from_done") != pl.col("to_done"))  # others say what was so at an instant
    moves = rows.select("issue_id", "at", "from_done", "to_done").rows()
    assert extract.unknowns.is_empty()
    assert sorted(moves) == sorted(crossings(small, scope, owners(extract)))


def crossings(world: World, scope: Scope, issues: Owners) -> set[tuple[str, datetime, bool, bool]]:
    """Each change into or out of done since the window's start."""
    statuses = {**world.jira.former, **world.jira.statuses}
    done = {name for name, status in statuses.items() if status.category == "done"}
    return {
        (issue.id, move.at, move.from_status in done, move.to_status in done)
        for issue in world.jira.issues
        for move in issue.transitions
        if issue.id in issues
        and move.at >= scope.window.start
        and (move.from_status in done) != (move.to_status in done)
    }


# --- clauses told apart ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "queries"), [(1, 1), (2, 2), (3, 3), (4, 4), (10, 5), (20, 6), (50, 8), (100, 10)])
def test_every_clause_has_a_combination_of_its_own_in_few_queries(count: int, queries: int) -> None:
    held = combinations_for(count)
    assert len(set(held)) == len(held) == count
    assert len({len(each) for each in held}) == 1
    assert 1 + max(number for each in held for number in each) <= queries


@given(st.data())
def test_issues_go_to_exactly_the_clauses_that_match_them(data: st.DataObject) -> None:
    keys = [f"clause {number}" for number in range(data.draw(st.integers(1, 40)))]
    matched = data.draw(st.dictionaries(st.integers(1, 60).map(str), st.frozensets(st.sampled_from(keys), min_size=1)))
    held = combinations_for(len(keys))
    found = [
        {issue for issue, mine in matched.items() if any(number in held[keys.index(key)] for key in mine)}
        for number in range(1 + max(number for each in held for number in each))
    ]
    single, several, doubtful = split_by_clause(keys, held, found)
    assert single == {issue: next(iter(mine)) for issue, mine in matched.items() if len(mine) == 1}
    assert several == {issue for issue, mine in matched.items() if len(mine) > 1}
    assert all(matched[issue] <= doubtful for issue in several), "each of them is asked alone"


@pytest.mark.parametrize(
    ("clause", "alone"),
    [
        ("project = CORE", True),
        ('component in ("A (old)", \'B "new"\')', True),
        (r'labels = "a \" b"', True),
        ("(a = 1 OR (b = 2))", True),
        ("", False),
        ("  ", False),
        ("(a = 1", False),
        ("a = 1)", False),
        ("a = 1) OR (b = 2", False),
        ('labels = "open', False),
        (r'labels = "open\"', False),
        ("labels = 'it's'", False),
    ],
)
def test_a_clause_stands_alone_where_nothing_of_it_reaches_out(clause: str, *, alone: bool) -> None:
    assert stands_alone(clause) == alone


@given(st.text(alphabet="ab()\"'\\ ", max_size=14))
def test_what_stands_alone_leaves_the_bracket_around_it_closed(clause: str) -> None:
    """Read by another way: with quoted texts taken away, brackets go away in pairs until none is left."""
    import re

    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", "q", f"({clause})")
    left = re.sub(r"[^()\"']", "", bare)
    while "()" in left:
        left = left.replace("()", "")
    depth, lowest = 0, 0
    for char in bare[1:-1]:
        depth += {"(": 1, ")": -1}.get(char, 0)
        lowest = min(lowest, depth)
    if stands_alone(clause):
        assert left == ""
        assert lowest == 0


@given(st.lists(st.text(min_size=1, max_size=40)), st.integers(1, 7))
def test_chunks_hold_every_key_once_and_in_order(keys: list[str], most: int) -> None:
    made = list(chunks(keys, most))
    assert [key for chunk in made for key in chunk] == keys
    assert all(1 <= len(chunk) <= most for chunk in made)


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b'"2026-10-01T16:29:31.871-0700"',
        b'"2026-10-01T23:29:31.871+0000"',
        b'"2026-10-01T23:29:31.871Z"',
        b'"2026-10-01T23:29:31.871"',
        b"1790897371871",
    ],
)
def test_a_time_is_read_in_every_way_that_jira_writes_it(text: bytes) -> None:
    history = msgspec.json.decode(b'{"created":%s}' % text, type=IssueHistory)
    assert milliseconds(history.created) == int(datetime(2026, 10, 1, 23, 29, 31, tzinfo=UTC).timestamp()) * 1000 + 871


def test_a_time_that_is_none_is_no_data() -> None:
    assert milliseconds(None) is None
    with pytest.raises(msgspec.DecodeError):
        page_decoder(None).decode(b'{"issues":[{"id":"1","fields":{"created":"yesterday"}}]}')


def test_nothing_personal_is_decoded() -> None:
    reporter = b'{"emailAddress":"a@b.example"}'
    text = b'{"issues":[{"id":"1","fields":{"created":null,"summary":"secret","reporter":%s}}]}' % reporter
    page = page_decoder("customfield_1").decode(text)
    assert b"secret" not in msgspec.json.encode(page)
    assert b"emailAddress" not in msgspec.json.encode(page)


# --- histories ---------------------------------------------------------------------------------------------------

STATUSES = {"1": False, "2": False, "3": True, "4": True}  # id → whether it is done; 9 is listed nowhere
DAY = 86_400_000
CREATED, SINCE, UNTIL, NOW_MS = 0, 100 * DAY, 190 * DAY, 220 * DAY


@st.composite
def lives(draw: st.DrawFn, statuses: str = "1234") -> tuple[list[tuple[int, str, str]], str]:
    """Moves (when, from, to) that lead on, some of one instant, and the status that they end in."""
    times = sorted(draw(st.lists(st.integers(1, NOW_MS // DAY - 1), max_size=7)))
    stations = [draw(st.sampled_from(statuses))]
    for _time in times:
        stations.append(draw(st.sampled_from([each for each in statuses if each != stations[-1]])))
    return [(time * DAY, *pair) for time, pair in zip(times, pairwise(stations), strict=True)], stations[-1]


def entries(moves: Sequence[tuple[int, str, str]]) -> list[IssueHistory]:
    return [IssueHistory(at, [Change(field="status", before=before, after=after)]) for at, before, after in moves]


def read(histories: list[IssueHistory], status: str, **more: Any) -> Life:
    present = Present(status, STATUSES.get(status), False, CREATED, NOW_MS, None, None)._replace(**more)
    return HistoryReader(STATUSES, SINCE, UNTIL).whole(histories, present)


def open_at_the_end(life: Life, status: str) -> bool | None:
    """What the metrics make of it; None where it is unknown."""
    if "open_bugs" in life.doubts:
        return None
    before = [move for move in life.moves if move[0] < UNTIL]
    after = [move for move in life.moves if move[0] >= UNTIL]
    return not (max(before)[2] if before else min(after)[1] if after else STATUSES[status])


def truth(moves: Sequence[tuple[int, str, str]], status: str, means: dict[str, bool]) -> tuple[bool, bool]:
    """Whether it was open at the end, and whether it was reopened in the window."""
    stood = moves[0][1] if moves else status
    for at, _before, after in moves:
        stood = after if at < UNTIL else stood
    reopened = any(means[before] and not means[after] and SINCE <= at < UNTIL for at, before, after in moves)
    return not means[stood], reopened


def was_reopened(life: Life) -> bool | None:
    return (
        None if "reopened_bugs" in life.doubts else any(b and not a and SINCE <= at < UNTIL for at, b, a in life.moves)
    )


@given(lives(), st.randoms(use_true_random=False), st.booleans())
def test_a_whole_history_is_followed_in_whatever_order_it_comes(
    life: tuple[list[tuple[int, str, str]], str],
    chance: Random,
    reverse: bool,  # noqa: FBT001
) -> None:
    moves, status = life
    shuffled = entries(moves)[::-1] if reverse else entries(moves)
    for order in (shuffled, chance.sample(shuffled, len(shuffled))):
        found = read(order, status)
        got = open_at_the_end(found, status), was_reopened(found)
        for value, right in zip(got, truth(moves, status, STATUSES), strict=True):
            # more moves of one instant than are tried to be put in order may stay unknown, never wrong
            assert value in (right, None)
        if len({at for at, _before, _after in moves}) == len(moves):
            assert got == truth(moves, status, STATUSES)
            assert not found.doubts


def test_there_and_back_twice_in_two_instants_ends_where_it_began() -> None:
    moves = [(at, *pair) for at in (DAY, UNTIL) for pair in (("1", "3"), ("3", "1"))]
    for order in permutations(entries(moves)):
        assert open_at_the_end(read(list(order), "1"), "1")


@given(lives("12349"))
def test_a_status_that_nobody_knows_makes_unknown_and_never_wrong(life: tuple[list[tuple[int, str, str]], str]) -> None:
    moves, status = life
    if status == "9":
        return
    found = read(entries(moves), status)
    for value, *either in zip(
        (open_at_the_end(found, status), was_reopened(found)),
        *(truth(moves, status, {**STATUSES, "9": done}) for done in (False, True)),
        strict=True,
    ):
        assert value is None or {value} == set(either)


@given(lives(), st.integers(1, 6))
def test_a_move_that_is_missing_between_others_makes_unknown_and_never_wrong(
    life: tuple[list[tuple[int, str, str]], str], place: int
) -> None:
    moves, status = life
    if place >= len(moves) or len({at for at, _before, _after in moves}) < len(moves):
        return
    found = read(entries([*moves[:place], *moves[place + 1 :]]), status)
    for value, right in zip(
        (open_at_the_end(found, status), was_reopened(found)), truth(moves, status, STATUSES), strict=True
    ):
        assert value in (right, None)


DATES = st.tuples(*[st.none() | st.integers(0, NOW_MS // DAY).map(lambda day: day * DAY)] * 3)


@given(lives(), st.integers(0, 6), st.sampled_from("1234"), DATES, st.booleans())
def test_a_history_is_quick_and_careful_alike(
    life: tuple[list[tuple[int, str, str]], str],
    place: int,
    other: str,
    dates: tuple[int | None, int | None, int | None],
    tells_last: bool,  # noqa: FBT001
) -> None:
    """The short way says what the long one says, or leaves it to it, whatever the dates of the present say."""
    moves, status = life
    if place < len(moves):
        moves[place] = (moves[place][0], moves[place][1], other)
    reader = HistoryReader(STATUSES, SINCE, UNTIL)
    updated, resolved, changed = dates
    if tells_last:
        changed = moves[-1][0] if moves else CREATED
    present = Present(status, STATUSES[status], False, CREATED, updated, resolved, changed)
    quick = reader._plain(entries(moves), present)
    if quick is not None:
        assert quick == _Chain(reader, present, *_entries(entries(moves))).life()

"""Intercom: the same records, to the last row, however the walk goes; and the corners of its data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accountpulse import settings
from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.period import Period, Scope, Window, scope_of
from accountpulse.core.records import Extract
from accountpulse.core.spooled import NoPartStore, PartStore
from accountpulse.sandbox.limits import Limit
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.systems.intercom.extract import body, slices
from support import NOW, extract
from systems.shelf import Killed, Shelf

LEADS = "-qualification-company"


class Little:
    """A company with some 1,800 conversations in all; hides them from messages."""

    def __init__(self) -> None:
        self.world = build(seed=3, accounts=24, until=NOW)
        self.leads = {each.id for each in self.world.intercom.companies.values() if each.company_id.endswith(LEADS)}


@pytest.fixture(scope="module")
def little() -> Little:
    return Little()


@contextmanager
def served(made: Little | World, **oddities: object) -> Iterator[Sandbox]:
    with Sandbox(made.world if isinstance(made, Little) else made) as running:
        for name, value in oddities.items():
            setattr(running.intercom_oddities, name, value)
        yield running


def read(
    running: Sandbox, scope: Scope, mapping: Path | None = None, parts: PartStore | None = None, **changes: str
) -> Extract:
    """What the extractor makes of it, for all companies that Intercom knows."""
    environment = {**running.environment(), **changes}
    if mapping is not None:
        environment["ACCOUNTPULSE_CONFIG"] = str(mapping)
    loaded = settings.load(environment)
    holds = loaded.mapping.block("intercom").holds
    customers = [each for each in running.world.intercom.companies.values() if not each.company_id.endswith(LEADS)]
    keys = sorted(each.id if holds == "id" else each.company_id for each in customers)
    return extract(loaded, "intercom", scope, keys, parts=parts or NoPartStore())


def rows(extract: Extract) -> pl.DataFrame:
    return extract.spools["conversations"].lazy().sort("created_at", "conversation_id").collect()


@pytest.fixture(scope="module")
def plain(little: Little, scope: Scope) -> pl.DataFrame:
    """The records of a walk without any oddity."""
    with served(little) as running:
        return rows(read(running, scope))


def configured(folder: Path, **intercom: object) -> Path:
    path = folder / "accountpulse.yaml"
    path.write_text(yaml.safe_dump({"intercom": intercom}), encoding="utf-8")
    return path


# --- however the walk goes


@given(
    page_cap=st.integers(5, 150),
    order=st.sampled_from(["asked", "none"]),
    moves=st.integers(0, 3),
    repeats=st.integers(0, 1),
    next_after_last=st.booleans(),
    inclusive=st.booleans(),
    longest_array=st.integers(1, 150),
    iso_times=st.booleans(),
)
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_are_the_same_for_any_page_size_order_and_oddity(
    little: Little, scope: Scope, plain: pl.DataFrame, **oddities: object
) -> None:
    with served(little, **oddities) as running:
        assert rows(read(running, scope)).equals(plain)


@pytest.mark.parametrize("days", [1, 7, 30, 89])
def test_records_are_the_same_for_any_length_of_window_that_ends_together(
    little: Little, scope: Scope, plain: pl.DataFrame, days: int
) -> None:
    """Other windows have other slices: what lies in both is the same."""
    start = scope.as_of - timedelta(days=days)
    shorter = Scope(scope.period, scope.as_of, Window(start, scope.as_of))
    with served(little) as running:
        found = rows(read(running, shorter))
    names = ("created_at", "last_closed_at", "rating_asked_at")
    inside = [(pl.col(name) >= start) & (pl.col(name) < scope.as_of) for name in names]
    assert found.equals(plain.filter(pl.any_horizontal(inside)))


def test_pages_that_lead_in_a_circle_are_an_error_and_no_short_table(little: Little, scope: Scope) -> None:
    with served(little, page_cap=5, repeats=10_000) as running, pytest.raises(UnexpectedAnswer, match="circle"):
        read(running, scope)


def test_a_limit_is_kept_and_changes_nothing(little: Little, scope: Scope, plain: pl.DataFrame) -> None:
    with served(little, page_cap=20) as running:
        running.limits = {"intercom": Limit(40, 1)}
        assert rows(read(running, scope)).equals(plain)
        refused = [call for call in running.log if call.status == 429]
        assert len(refused) <= len(running.log) / 100


# --- versions


@pytest.mark.parametrize("version", ["2.11", "2.12", "2.13", "2.14", "2.15", "2.16"])
def test_every_version_gives_the_same_where_it_can_show_it(
    little: Little, scope: Scope, plain: pl.DataFrame, tmp_path: Path, version: str
) -> None:
    """Before 2.15 nothing says the company, so it comes from the contacts; the sandbox's flag means urgent or high."""
    with served(little) as running:
        mapping = configured(tmp_path, priority={"flag": True})
        found = read(running, scope, mapping, INTERCOM_VERSION=version)
    same = [name for name in plain.columns if name != "keys"]
    assert rows(found).select(same).equals(plain.select(same))
    assert found.gaps == {}


def test_before_levels_a_priority_is_not_known_unless_the_flag_means_it(little: Little, scope: Scope) -> None:
    with served(little) as running:
        found = read(running, scope, INTERCOM_VERSION="2.15")
    assert found.gaps == {"p1_p2_pct": "not_configured"}
    assert rows(found)["p1_p2"].null_count() == rows(found).height


@pytest.mark.parametrize(("version", "shown"), [("2.11", True), ("2.13", False), ("2.14", True)])
def test_an_attribute_counts_in_versions_that_list_it(
    scope: Scope,
    tmp_path: Path,
    version: str,
    shown: bool,  # noqa: FBT001
) -> None:
    world = build(seed=3, accounts=24, until=NOW)
    inside = [talk for talk in world.intercom.conversations if scope.window.start <= talk.created_at < scope.as_of]
    world.intercom.attribute_types["Severity"] = "string"
    inside[0].custom_attributes = {"Severity": " p1 "}
    inside[1].custom_attributes = {"Severity": "P3"}
    rule = {"levels": [], "attribute": {"name": "Severity", "values": ["P1", "P2"]}}
    with served(world) as running:
        found = read(running, scope, configured(tmp_path, priority=rule), INTERCOM_VERSION=version)
    urgent = rows(found).filter("p1_p2")["conversation_id"].to_list()
    assert urgent == ([inside[0].id] if shown else [])
    assert ("p1_p2_pct" in found.gaps) is not shown


# --- whose it is


def owners(world: Little, scope: Scope, mapping: Path | None = None, **oddities: object) -> dict[str, list[str]]:
    with served(world, **oddities) as running:
        table = rows(read(running, scope, mapping))
    return dict(zip(table["conversation_id"], table["keys"].to_list(), strict=True))


def test_each_conversation_belongs_to_its_company_or_to_those_of_its_people(little: Little, scope: Scope) -> None:
    place, leads = little.world.intercom, little.leads
    assert leads
    found = owners(little, scope)
    talks = {talk.id: talk for talk in place.conversations}
    for name, keys in found.items():
        talk = talks[name]
        people = {company for person in talk.contact_ids for company in place.contacts[person].company_ids}
        own = {talk.company_id} - {None} - leads
        assert set(keys) - leads == (own or people - leads), name
        assert keys == sorted(keys)


def test_links_may_hold_the_id_that_the_workspace_gave(little: Little, scope: Scope, tmp_path: Path) -> None:
    own = {company.id: company.company_id for company in little.world.intercom.companies.values()}
    by_id = owners(little, scope)
    assert owners(little, scope, configured(tmp_path, holds="company_id")) == {
        name: sorted(own[key] for key in keys if key not in little.leads) for name, keys in by_id.items()
    }


def test_a_conversation_of_several_linked_companies_is_told(little: Little, scope: Scope) -> None:
    several = sum(len(set(keys) - little.leads) > 1 for keys in owners(little, scope).values())
    with served(little) as running:
        notes = read(running, scope).notes
    assert f"{several:,} conversations belong to several companies and count for each of them" in notes


def test_contacts_are_asked_for_in_chunks_and_only_where_no_company_is_named(little: Little, scope: Scope) -> None:
    with served(little) as running:
        read(running, scope)
        asked = sum(call.path.endswith("/contacts/search") for call in running.log)
    nameless = [talk for talk in little.world.intercom.conversations if talk.company_id is None]
    people = {person for talk in nameless for person in talk.contact_ids}
    assert 1 <= asked <= -(-len(people) // 150)


def test_an_array_that_is_refused_is_halved(little: Little, scope: Scope) -> None:
    assert owners(little, scope, longest_array=4) == owners(little, scope)


# --- the edges of the window


def told_at(world: World, moment: datetime, name: str) -> str:
    """A conversation of the first customer that was created then; its id."""
    copy = world.intercom.conversations[0]
    made = type(copy)(
        id=name, created_at=moment, updated_at=moment, source_type="conversation", author_type="user",
        contact_ids=copy.contact_ids, company_id=copy.company_id, state="open", first_contact_reply_at=moment,
    )  # fmt: skip
    world.intercom.conversations.append(made)
    return name


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"])
@pytest.mark.parametrize("month", [3, 10])
def test_the_first_instant_of_a_month_counts_and_its_end_does_not_in_any_zone(zone: str, month: int) -> None:
    """Berlin and Santiago change their clocks in these months, so that the two ends have different offsets."""
    world = build(seed=3, accounts=4, until=NOW)
    here = ZoneInfo(zone)
    first, end = (datetime(2026, each, 1, tzinfo=here).astimezone(UTC) for each in (month, month + 1))
    second = timedelta(seconds=1)
    told_at(world, first - second, "901")
    inside = [told_at(world, first, "902"), told_at(world, end - second, "903")]
    told_at(world, end, "904")
    with served(world) as running:
        found = rows(read(running, scope_of(Period(2026, month, zone), NOW, None)))
    assert [name for name in found["conversation_id"] if name.startswith("90") and len(name) == 3] == inside


def test_an_open_period_ends_with_the_start_of_the_run() -> None:
    world = build(seed=3, accounts=4, until=NOW)
    now = datetime(2026, 11, 20, 10, 30, 15, 500_000, tzinfo=UTC)
    counted, later = datetime(2026, 11, 20, 10, 30, 15, tzinfo=UTC), datetime(2026, 11, 20, 10, 30, 16, tzinfo=UTC)
    told_at(world, counted, "901")
    told_at(world, later, "902")
    with served(world) as running:
        found = rows(read(running, scope_of(Period(2026, 11), now)))["conversation_id"].to_list()
    assert "901" in found
    assert "902" not in found


moments = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


@given(moments, st.integers(0, 200), st.integers(0, 999_999))
def test_slices_cover_everything_before_the_end_once(start: datetime, days: int, microseconds: int) -> None:
    window = Window(start, start + timedelta(days=days, microseconds=microseconds))
    parts = sorted(slices(window))
    assert parts[0].start == 0
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert parts[-1].end - 1 < window.end.timestamp() <= max(parts[-1].end, window.start.timestamp())


def depth(query: dict[str, object]) -> int:
    inner: Callable[[object], int] = lambda each: depth(each) if isinstance(each, dict) else 0  # noqa: E731
    value = query["value"]
    return 1 + max(map(inner, value)) if isinstance(value, list) else 0


def test_queries_stay_within_two_levels_and_only_the_past_asks_for_closes_and_ratings(scope: Scope) -> None:
    for part in slices(scope.window):
        asked = body(part, scope.window, None)
        assert depth(asked["query"]) <= 2
        past = part.start < scope.window.start.timestamp()
        assert ("last_close_at" in str(asked)) is past
        assert "'operator': '<', 'value': " in str(asked), "nothing is asked for without an end"


# --- a walk that is killed


def test_what_a_killed_walk_has_learnt_is_not_forgotten(scope: Scope) -> None:
    """Counts, and what is not known of single conversations."""
    world = build(seed=3, accounts=24, until=NOW)
    inside = [talk for talk in world.intercom.conversations if scope.window.start <= talk.created_at < scope.as_of]
    for talk in inside[::5]:
        talk.priority = "cosmic"
    shelf = Shelf(3)
    with served(world, page_cap=25) as running:
        whole = read(running, scope)
        with pytest.raises(Killed):
            read(running, scope, parts=shelf)
        shelf.lives = 1_000
        ended = read(running, scope, parts=shelf)
    assert whole.unknowns.height > 5
    assert set(whole.unknowns["metric"]) == {"p1_p2_pct"}
    assert ended.unknowns.equals(whole.unknowns)
    assert ended.notes == whole.notes
    for each in (whole, ended):
        assert each.counts["conversations"].kept == each.spools["conversations"].height
        assert each.counts["conversations"].left_out["tickets"] == whole.counts["conversations"].left_out["tickets"]


def test_a_part_names_only_companies_that_no_earlier_part_has_named(little: Little, scope: Scope) -> None:
    many, one = Shelf(1_000), Shelf(1_000, size=1_000_000)
    with served(little, page_cap=25) as running:
        for shelf in (many, one):
            read(running, scope, parts=shelf)
    named = [company for part in many.parts for company in part.facts["companies"].items()]
    assert sum(bool(part.facts["companies"]) for part in many.parts) > 1
    assert sorted(named) == sorted(one.parts[0].facts["companies"].items())


@pytest.mark.parametrize("lives", [1, 3])
def test_a_walk_that_is_killed_is_gone_on_with_and_ends_as_if_nothing_had_been(
    little: Little, scope: Scope, plain: pl.DataFrame, lives: int
) -> None:
    shelf = Shelf(lives)

    def searched(running: Sandbox) -> int:
        return sum(call.path.endswith("/conversations/search") for call in running.log)

    with served(little, page_cap=25) as running:
        whole = read(running, scope)
        needed = searched(running)
        running.log.clear()
        with pytest.raises(Killed):
            read(running, scope, parts=shelf)
        assert len(shelf.parts) == lives
        running.log.clear()
        shelf.lives = 1_000
        ended = read(running, scope, parts=shelf)
        again = searched(running)
    assert rows(ended).equals(plain)
    assert ended.notes == whole.notes
    pages_kept = sum(spool.height for part in shelf.parts[:lives] for spool in part.spools.values()) // 25
    assert again <= needed - pages_kept * 3 // 4 + 10
    covered = sorted(stretch for part in shelf.parts for stretch in part.stretches)
    assert all(one[2] <= other[1] for one, other in pairwise(covered))

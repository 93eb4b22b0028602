"""What an explore says of itself, held against the mapping before anything is asked: kinds, filters, sight, zones.

A run and a check see the same.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accountpulse.core.errors import AccessError, SourceUnavailable
from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import Extract
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.settings import Settings
from accountpulse.systems.extraction import Probe
from accountpulse.systems.looker import lookup
from support import request
from systems.looker.asking import USAGE, Change, FieldChange, Read, calls, describes, sends

DAILY, MONTHLY = ("dau", "dau_trend_pct"), ("mau", "mau_trend_pct", "login_frequency")
Look = Callable[..., Probe]


@pytest.fixture
def look(loaded: Callable[..., Settings], scope: Scope) -> Look:
    """What a check sees of the sandbox with a changed `looker:` block."""

    def made(block: Change | None = None, at: Scope = scope) -> Probe:
        return lookup.probe(request(loaded({"looker": block or {}}), "looker", at))

    return made


def both(read: Read, look: Look, prepare: Callable[[], None], block: Change | None = None) -> Extract:
    """A run's extract, whose gaps and notes on the mapping a check has foreseen."""
    prepare()
    seen = look(block)
    prepare()
    found = read(block)
    assert dict(seen.gaps) == dict(found.gaps)
    assert set(seen.notes) <= set(found.notes)
    return found


# --- kinds of fields


@pytest.mark.parametrize(
    ("name", "change", "gaps", "told"),
    [
        (
            "distinct_users",
            {"type": "sum"},
            USAGE,
            "user_sessions.distinct_users (users) is a measure of type sum; name a measure of type count_distinct that",
        ),
        ("distinct_users", {"type": "count"}, USAGE, "a measure of type count; "),
        ("distinct_users", {"type": "number"}, USAGE, "a measure of type number; "),
        ("distinct_users", {"type": "yesno"}, USAGE, "a measure of type yesno; "),
        ("distinct_users", {"group": "dimensions", "type": "number"}, USAGE, "a dimension of type number; "),
        ("distinct_users", {"value_format_name": "usd_0"}, USAGE, "is formatted as money"),
        ("distinct_users", {"value_format": '0.0"%"'}, USAGE, "is formatted as a percentage"),
        ("distinct_users", {"error": "Unknown field"}, USAGE, "has a mistake in its LookML"),
        ("session_date", {"type": "date_time"}, USAGE, "name the time frame `date` of a dimension group"),
        ("session_date", {"type": "string"}, USAGE, "(date) is a dimension of type string; "),
        ("session_date", {"type": "date_week"}, USAGE, "(date) is a dimension of type date_week; "),
        ("session_date", {"can_filter": False}, USAGE, "user_sessions.session_date can't be filtered by"),
        ("session_month", {"type": "date_month_name"}, MONTHLY, "name the time frame `month` of the date"),
        ("session_month", {"type": "date_quarter"}, MONTHLY, "(month) is a dimension of type date_quarter; "),
        ("session_month", {"type": "date_date"}, MONTHLY, "(month) is a dimension of type date_date; "),
        ("session_count", {"type": "average"}, MONTHLY, "(sessions) is a measure of type average; "),
        ("session_count", {"type": "date"}, MONTHLY, "(sessions) is a measure of type date; "),
        ("session_count", {"type": "sum", "value_format": "$#,##0"}, MONTHLY, "is formatted as money"),
        ("account_id", {"group": "measures", "type": "list"}, USAGE, "(account) is a measure of type list; "),
        ("account_id", {"type": "yesno"}, USAGE, "(account) is a dimension of type yesno; "),
        ("account_id", {"group": "filters"}, USAGE, "(account) is a filter of type string; "),
    ],
)
def test_a_field_of_another_kind_is_a_mistake_of_the_mapping(  # noqa: PLR0917
    sandbox: Sandbox, read: Read, look: Look, name: str, change: FieldChange, gaps: tuple[str, ...], told: str
) -> None:
    found = both(read, look, lambda: describes(sandbox, "user_sessions", {name: change}))
    assert found.gaps == dict.fromkeys(gaps, "field_missing")
    assert any(told in note for note in found.notes)
    assert found.tables["features"].height > 0


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("distinct_users", {"type": "count", "view": "users"}),  # a joined view: Looker counts distinct primary keys
        ("distinct_users", {"type": None}),
        ("session_count", {"type": "sum"}),
        ("session_count", {"type": "count_distinct"}),
        ("session_count", {"type": "number", "value_format_name": "decimal_0"}),
        ("account_id", {"type": "number"}),
        ("session_date", {"type": "date"}),
        ("session_date", {"hidden": True}),
    ],
)
def test_a_field_that_can_mean_it_is_read(
    sandbox: Sandbox, read: Read, look: Look, name: str, change: FieldChange
) -> None:
    assert both(read, look, lambda: describes(sandbox, "user_sessions", {name: change})).gaps == {}


def test_a_month_of_another_date_is_a_mistake_of_the_mapping(sandbox: Sandbox, read: Read, look: Look) -> None:
    changes = {"session_date": {"dimension_group": "session"}, "session_month": {"dimension_group": "joined"}}
    found = both(read, look, lambda: describes(sandbox, "user_sessions", changes))
    assert found.gaps == dict.fromkeys(MONTHLY, "field_missing")
    assert any("name two time frames of one dimension group" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("operations_index", {"type": "yesno"}),
        ("operations_index", {"type": "string"}),
        ("operations_index", {"type": "date"}),
        ("operations_index", {"type": "running_total"}),  # of which rows it is the total, nobody knows
        ("operations_index", {"group": "dimensions", "type": "number"}),
    ],
)
def test_a_pillar_of_another_kind_costs_that_pillar(
    sandbox: Sandbox, read: Read, look: Look, name: str, change: FieldChange
) -> None:
    found = both(read, look, lambda: describes(sandbox, "platform_metrics", {name: change}))
    assert found.gaps == {"pillar_operations": "field_missing"}
    assert set(found.tables["figures"]["metric"]) == {"pillar_automation", "pillar_insights", "pillar_engagement"}


def test_a_filter_only_field_can_be_filtered_by_and_be_no_column(sandbox: Sandbox, read: Read, look: Look) -> None:
    only = {"used_date": {"group": "filters", "type": "date"}}
    assert both(read, look, lambda: describes(sandbox, "feature_usage", only)).gaps == {}
    found = both(read, look, lambda: describes(sandbox, "feature_usage", {"feature_name": {"group": "parameters"}}))
    assert found.gaps == {"feature_breadth": "field_missing"}
    assert any("feature_usage.feature_name is a parameter, and can't be a column" in note for note in found.notes)


# --- filters that an explore has of its own


def filters_sent(sandbox: Sandbox, read: Read, block: Change | None = None) -> tuple[Extract, list[dict[str, str]]]:
    sandbox.recorded = []
    found = read(block)
    bodies = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"]
    return found, [body["filters"] for body in bodies if body["view"] == "feature_usage"]


OCTOBER = {"feature_usage.used_date": "2026-10-01 to 2026-11-01"}


@pytest.mark.parametrize("kind", ["always_filter", "conditionally_filter"])
@pytest.mark.parametrize("name", ["used_week", "account_id"])
def test_an_explores_own_filter_on_days_or_accounts_is_set_aside(
    sandbox: Sandbox, read: Read, kind: str, name: str
) -> None:
    own: Any = {kind: [{"name": f"feature_usage.{name}", "value": "7 days"}]}
    describes(sandbox, "feature_usage", {"used_week": {"type": "date_week"}}, **own)
    found, sent = filters_sent(sandbox, read)
    assert sent == [{**OCTOBER, f"feature_usage.{name}": ""}]
    assert f"explore feature_usage: its own filter on feature_usage.{name} is set aside" in found.notes


def test_our_own_days_stand_in_for_the_days_of_the_explore(sandbox: Sandbox, read: Read) -> None:
    own = [{"name": "feature_usage.used_date", "value": "7 days"}]
    describes(sandbox, "feature_usage", always_filter=own)
    found, sent = filters_sent(sandbox, read)
    assert (sent, found.gaps) == ([OCTOBER], {})


@pytest.mark.parametrize("kind", ["always_filter", "conditionally_filter"])
def test_what_another_filter_leaves_out_is_not_known(sandbox: Sandbox, read: Read, look: Look, kind: str) -> None:
    own: Any = {kind: [{"name": "user_sessions.region", "value": "EMEA"}]}
    found = both(read, look, lambda: describes(sandbox, "user_sessions", {"region": {}}, **own))
    assert found.gaps == dict.fromkeys(USAGE, "unclear")
    assert any("filters on user_sessions.region by default" in note for note in found.notes)


@pytest.mark.parametrize("value", ["EMEA", ""])
def test_the_mapping_decides_what_such_a_filter_is(sandbox: Sandbox, read: Read, value: str) -> None:
    own = [{"name": "feature_usage.region", "value": "EMEA"}]
    describes(sandbox, "feature_usage", {"region": {}}, always_filter=own)
    sandbox.faults.append(Fault("looker", 200, {}, b"[]", path_contains="/queries/3/run"))  # which the sandbox can't
    _found, sent = filters_sent(sandbox, read, {"features": {"filters": {"feature_usage.region": value}}})
    assert sent == [{**OCTOBER, "feature_usage.region": value}]


def test_a_filter_without_a_value_leaves_nothing_out(sandbox: Sandbox, read: Read) -> None:
    own = [{"name": "feature_usage.region", "value": ""}]
    describes(sandbox, "feature_usage", {"region": {}}, always_filter=own)
    assert read().gaps == {}


# --- what our user may see


def limits(sandbox: Sandbox, values: object, status: int = 200) -> None:
    describes(
        sandbox,
        "user_sessions",
        {"region": {}},
        access_filters=[{"field": "user_sessions.region", "user_attribute": "region"}],
    )
    sends(sandbox, "/user", {"id": "17"})
    body = json.dumps(values).encode()
    sandbox.faults.append(Fault("looker", status, {}, body, path_contains="/users/17/attribute_values"))


@pytest.mark.parametrize("value", ["%", "%, NULL", "null,%"])
def test_a_user_that_sees_every_row_sees_usage(sandbox: Sandbox, read: Read, look: Look, value: str) -> None:
    assert both(read, look, lambda: limits(sandbox, [{"name": "region", "value": value}])).gaps == {}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([{"name": "region", "value": "EMEA"}], 200),
        ([{"name": "region", "value": None}], 200),
        ([{"name": "other", "value": "%"}], 200),
        ([], 200),
        ({"message": "Not found"}, 404),
    ],
)
def test_a_user_that_may_see_less_knows_nothing_of_usage(
    sandbox: Sandbox, read: Read, look: Look, values: object, status: int
) -> None:
    found = both(read, look, lambda: limits(sandbox, values, status))
    assert found.gaps == dict.fromkeys(USAGE, "not_visible")
    assert any("user_sessions.region (user attribute region)" in note for note in found.notes)


# --- zones


BERLIN = scope_of(Period(2026, 10, "Europe/Berlin"), datetime(2026, 11, 23, 9, tzinfo=UTC))


def test_a_month_that_looker_cannot_move_costs_what_is_counted_by_months(sandbox: Sandbox, read: Read) -> None:
    describes(sandbox, "user_sessions", {"session_month": {"convert_tz": False}})
    assert read(at=BERLIN).gaps == dict.fromkeys(MONTHLY, "unclear")


@pytest.mark.parametrize("change", [{"has_timezone_support": False}, {"session_date": {"convert_tz": False}}])
@pytest.mark.parametrize(
    ("zone", "database"),
    [
        ("UTC", "UTC"),
        ("UTC", "America/New_York"),
        ("Europe/Berlin", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_days_that_looker_cannot_move_are_known_in_their_own_zone_alone(  # noqa: PLR0917
    sandbox: Sandbox, read: Read, scope: Scope, change: dict[str, Any], zone: str, database: str
) -> None:
    fields = {name: value for name, value in change.items() if isinstance(value, dict)}
    more = {name: value for name, value in change.items() if name not in fields}
    describes(sandbox, "user_sessions", fields, **more)
    found = read({"database_timezone": database}, at=scope if zone == "UTC" else BERLIN)
    assert found.gaps == ({} if zone == database else dict.fromkeys(USAGE, "unclear"))
    if zone != database:
        assert any("say so in looker.database_timezone" in note for note in found.notes)


# --- saved Looks, before a run


def looks(sandbox: Sandbox, **query: Any) -> None:
    own = {"model": "alliants", "view": "platform_metrics", "fields": COLUMNS, **query}
    sends(sandbox, "/looks/42", {"id": "42", "deleted": own.pop("deleted", False), "query": own})


COLUMNS = [f"platform_metrics.{name}" for name in ("account_id", "metric_month", "engagement_index")]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"pivots": ["platform_metrics.metric_month"]}, "Look 42 is pivoted by platform_metrics.metric_month"),
        ({"deleted": True}, "Look 42 is deleted"),
        ({"fields": COLUMNS[:2]}, "the Look has no column platform_metrics.engagement_index"),
    ],
)
def test_a_look_that_a_run_could_not_use_is_told_before(
    sandbox: Sandbox, look: Look, query: dict[str, Any], told: str
) -> None:
    looks(sandbox, **query)
    seen = look()
    assert seen.gaps == {"pillar_engagement": "field_missing"}
    assert any(told in note for note in seen.notes)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"filters": {"platform_metrics.region": "EMEA"}}, "Look 42 filters on platform_metrics.region"),
        ({"filter_expression": "${a} > 1"}, "Look 42 has a filter of its own"),
        ({"total": True}, "Look 42 has totals or table calculations"),
        ({"dynamic_fields": "[]", "has_table_calculations": True}, "Look 42 has totals or table calculations"),
        ({"fields": [*COLUMNS, "platform_metrics.metric_date"]}, "Look 42 also has platform_metrics.metric_date"),
    ],
)
def test_what_narrows_a_look_is_told_before(sandbox: Sandbox, look: Look, query: dict[str, Any], told: str) -> None:
    looks(sandbox, **query)
    seen = look()
    assert seen.gaps == {}
    assert any(told in note for note in seen.notes)


def test_a_look_whose_month_is_a_day_is_told_before(sandbox: Sandbox, look: Look) -> None:
    looks(sandbox)
    describes(sandbox, "platform_metrics", {"metric_month": {"type": "date_date"}})
    seen = look()
    assert seen.gaps == {"pillar_engagement": "field_missing"}
    assert any("platform_metrics.metric_month (month) is a dimension of type date_date" in note for note in seen.notes)


def test_a_look_of_an_explore_that_is_closed_is_no_mistake_of_the_model(sandbox: Sandbox, look: Look) -> None:
    """A user that may see Looks alone."""
    sandbox.looker.closed |= {"user_sessions", "feature_usage", "platform_metrics"}
    own = {"look": "42", "account": COLUMNS[0], "value": COLUMNS[2], "month": COLUMNS[1]}
    pillars = dict.fromkeys(("operations", "automation", "insights"), own)
    seen = look({"usage": "none", "features": "none", "platform": {"pillars": pillars}})
    assert seen.notes == ()
    assert {metric for metric, reason in seen.gaps.items() if reason == "field_missing"} == set()


def test_a_check_asks_each_explore_for_one_row_without_a_measure(sandbox: Sandbox, look: Look) -> None:
    sandbox.recorded = []
    assert look().notes == ()
    made = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"]
    assert [each["view"] for each in made] == ["user_sessions", "feature_usage", "platform_metrics"]
    assert {each["limit"] for each in made} == {"1"}
    assert made[0]["fields"] == ["user_sessions.account_id", "user_sessions.session_date"]
    assert calls(sandbox, "/run/") == 3


# --- permissions


@pytest.mark.parametrize("status", [400, 404])
def test_an_instance_that_refuses_every_query_is_unavailable(sandbox: Sandbox, read: Read, status: int) -> None:
    """Also where a Look still runs: no query is what the mapping asks for, and each would have a gap of its own."""
    sandbox.faults.append(Fault("looker", status, {}, path_contains="/queries", times=1000))
    with pytest.raises(SourceUnavailable, match=rf"every query was refused, with HTTP {status}.*in Looker"):
        read()


def test_an_instance_that_refuses_every_explore_is_unavailable(sandbox: Sandbox, read: Read) -> None:
    sandbox.faults.append(Fault("looker", 400, {}, path_contains="/explores/", times=1000))
    with pytest.raises(SourceUnavailable, match="every explore was refused, with HTTP 400"):
        read()


def test_a_refusal_that_is_none_of_lookers_own_is_no_gap(sandbox: Sandbox, read: Read) -> None:
    sandbox.faults.append(Fault("looker", 418, {}, path_contains="/queries"))
    with pytest.raises(SourceUnavailable, match=r"user_sessions failed \(HTTP 418\)"):
        read()


def test_a_user_that_may_query_nothing_is_a_permission_to_give(sandbox: Sandbox, read: Read) -> None:
    sandbox.looker.forbidden |= {"user_sessions", "feature_usage", "platform_metrics"}
    with pytest.raises(AccessError, match=r"querying model alliants .* access_data and explore"):
        read()


def test_a_check_says_that_our_user_may_not_query(sandbox: Sandbox, look: Look) -> None:
    sandbox.looker.forbidden.add("user_sessions")
    seen = look()
    assert {name for name, reason in seen.gaps.items() if reason == "field_missing"} == {*DAILY, *MONTHLY}
    assert any("explore user_sessions: the query was refused (HTTP 403)" in note for note in seen.notes)
    sandbox.looker.forbidden |= {"feature_usage", "platform_metrics"}
    with pytest.raises(AccessError, match="access_data and explore"):
        look()

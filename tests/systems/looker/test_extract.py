"""What the extractor makes of Looker: names that lead nowhere, saved Looks, values, ids."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest

from accountpulse.core.errors import AccessError
from accountpulse.core.period import Scope
from accountpulse.core.records import Extract, RowCounts
from accountpulse.core.spooled import NoPartStore
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems.looker import extract
from support import request
from systems.looker.asking import DAYS, FEATURES, PILLARS, USAGE, A, B, Change, Read, calls, sends
from systems.shelf import Killed, Shelf

# --- names that lead nowhere ------------------------------------------------------------------------------------


def test_a_field_that_is_absent_costs_its_metrics_and_the_nearest_name_is_told(read: Read) -> None:
    found = read({"usage": {"users": "user_sessions.distinct_user"}})
    assert found.gaps == dict.fromkeys(USAGE, "field_missing")
    assert (
        "explore user_sessions has no field user_sessions.distinct_user that our user can see; "
        "the nearest name is user_sessions.distinct_users"
    ) in found.notes
    assert found.spools["usage_days"].height == 0
    assert found.tables["features"].height > 0
    assert found.tables["figures"].height > 0


def test_a_month_that_is_absent_costs_only_what_is_counted_by_months(read: Read) -> None:
    found = read({"usage": {"month": "user_sessions.session_week"}})
    assert found.gaps == dict.fromkeys(("mau", "mau_trend_pct", "login_frequency"), "field_missing")
    assert found.spools["usage_days"].height > 0


def test_a_pillar_that_is_absent_costs_that_pillar(read: Read) -> None:
    found = read({"platform": {"pillars": {"automation": "platform_metrics.automatic_index"}}})
    assert found.gaps == {"pillar_automation": "field_missing"}
    assert set(found.tables["figures"]["metric"]) == {"pillar_operations", "pillar_insights", "pillar_engagement"}
    assert any("nearest name is platform_metrics.automation_index" in note for note in found.notes)


@pytest.mark.parametrize(
    ("block", "gaps", "note"),
    [
        ({"usage": {"explore": "user_session"}}, USAGE, "HTTP 404); the nearest name is user_sessions"),
        ({"features": {"explore": "warp_drive"}}, ("feature_breadth",), "is absent, or not open to our user"),
        (
            {"platform": {"explore": "platform_metric"}},
            ("pillar_operations", "pillar_automation", "pillar_insights"),
            "nearest name is platform_metrics",
        ),
    ],
)
def test_an_explore_that_is_absent_costs_its_metrics(
    read: Read, block: Change, gaps: tuple[str, ...], note: str
) -> None:
    found = read(block)
    assert found.gaps == dict.fromkeys(gaps, "field_missing")
    assert any(note in each for each in found.notes)


def test_an_explore_that_is_closed_to_our_user_costs_its_metrics(sandbox: Sandbox, read: Read) -> None:
    sandbox.looker.closed.add("feature_usage")
    assert read().gaps == {"feature_breadth": "field_missing"}


def test_an_explore_that_may_be_seen_and_not_queried_costs_its_metrics(sandbox: Sandbox, read: Read) -> None:
    sandbox.looker.forbidden.add("feature_usage")
    found = read()
    assert found.gaps == {"feature_breadth": "field_missing"}
    assert any("feature_usage: the query was refused (HTTP 403)" in note for note in found.notes)


def test_a_model_that_is_absent_is_a_setting_to_mend(read: Read) -> None:
    with pytest.raises(AccessError, match=r"looking at model analytics .* looker\.model"):
        read({"model": "analytics"})


def test_an_explore_that_is_absent_is_no_absent_model_where_others_are_there(sandbox: Sandbox, read: Read) -> None:
    """Also where our user may not look at the model itself."""
    sandbox.looker.closed.add("user_sessions")
    sandbox.faults.append(Fault("looker", 404, {}, path_contains="/explores/user_sessions"))
    sandbox.faults.append(Fault("looker", 403, {}, path_contains="/lookml_models/alliants"))
    found = read()
    assert found.gaps == dict.fromkeys(USAGE, "field_missing")


def test_parts_that_are_not_in_use_ask_nothing(sandbox: Sandbox, read: Read) -> None:
    found = read(
        {
            "usage": "none",
            "features": "none",
            "platform": {"pillars": {"operations": LOOK, "automation": LOOK, "insights": LOOK}},
        }
    )
    assert found.gaps == dict.fromkeys((*USAGE, "feature_breadth"), "not_configured")
    assert [call.path for call in sandbox.log] == ["/api/4.0/login", "/api/4.0/looks/42/run/json"]


def test_features_without_a_catalogue_ask_nothing(sandbox: Sandbox, read: Read) -> None:
    assert read({"features": {"catalogue": []}}).gaps == {"feature_breadth": "not_configured"}
    assert not calls(sandbox, "feature_usage")


# --- Looks ------------------------------------------------------------------------------------------------------

LOOK = {
    "look": 42,
    "account": "platform_metrics.account_id",
    "value": "platform_metrics.engagement_index",
    "month": "platform_metrics.metric_month",
}


def test_a_look_that_is_absent_costs_that_pillar_alone(read: Read) -> None:
    found = read({"platform": {"pillars": {"engagement": {**LOOK, "look": "43"}}}})
    assert found.gaps == {"pillar_engagement": "field_missing"}
    assert "Look 43 is absent, or not open to our user (HTTP 404)" in found.notes
    assert set(found.tables["figures"]["metric"]) == {"pillar_operations", "pillar_automation", "pillar_insights"}


def test_a_look_without_the_column_costs_that_pillar_alone(sandbox: Sandbox, read: Read) -> None:
    other = {**LOOK, "value": "platform_metrics.engagement_idx"}
    found = read({"platform": {"pillars": {"reach": other}}})
    assert found.gaps == {"pillar_reach": "field_missing"}
    assert any("nearest name is platform_metrics.engagement_index" in note for note in found.notes)
    assert "pillar_engagement" in set(found.tables["figures"]["metric"])
    assert calls(sandbox, "/looks/") == 1  # though two pillars come from it


def test_a_looks_figures_are_those_of_the_period_as_the_world_has_them(world: World, read: Read) -> None:
    found = read().tables["figures"].filter(pl.col("metric") == "pillar_engagement")
    true = {
        key: min(100.0, max(0.0, use.pillars["engagement"]["2026-10"]))
        for key, use in world.looker.usage.items()
        if "2026-10" in use.pillars["engagement"]
    }
    assert dict(found.select("key", "value").iter_rows()) == true


# --- values -----------------------------------------------------------------------------------------------------


def usage_row(users: object, key: object = A, day: object = "2026-10-05") -> dict[str, object]:
    return {
        "user_sessions.account_id": key,
        "user_sessions.session_date": day,
        "user_sessions.distinct_users": users,
    }


def test_figures_as_text_are_read_and_rows_of_nobody_dropped(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS, [usage_row("12"), usage_row(7, None), usage_row(3, B, None), usage_row("4.0", B)])
    days = read().spools["usage_days"].lazy().collect()
    assert days.select("key", "users").rows() == [(A, 12), (B, 4)]


def unknown(found: Extract) -> dict[str, dict[str, str]]:
    """Key → metric → reason of what single accounts lack."""
    told: dict[str, dict[str, str]] = {}
    for key, metric, reason in found.unknowns.iter_rows():
        told.setdefault(key, {})[metric] = reason
    return told


def with_october(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows beside those of an account that comes every day of the four months, so that no day is missing."""
    first = date(2026, 7, 1)
    return [*rows, *(usage_row(1, "everyday", (first + timedelta(days=n)).isoformat()) for n in range(123))]


@pytest.mark.parametrize("wrong", ["1,234", "12%", "many", 1e300, 1.5, True, {"a": 1}])
def test_a_formatted_figure_is_not_known_rather_than_small(sandbox: Sandbox, read: Read, wrong: object) -> None:
    sends(sandbox, DAYS, with_october([usage_row(5), usage_row(wrong, B)]))
    found = read()
    assert not found.gaps
    assert unknown(found)[B]["dau"] == unknown(found)[B]["dau_trend_pct"] == "unclear"
    assert any(
        note.startswith(
            f"user_sessions.distinct_users: values that can't be read, such as that of {B}; it is formatted"
        )
        for note in found.notes
    )
    days = found.spools["usage_days"].lazy().filter(pl.col("key") == A).collect()
    assert days["users"].to_list() == [5]


def test_figures_that_are_all_formatted_are_no_numbers(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS, [usage_row("1,234"), usage_row("2,345", B)])
    found = read()
    assert found.gaps == {"dau": "field_missing", "dau_trend_pct": "field_missing"}
    assert any(note.startswith("user_sessions.distinct_users is formatted text") for note in found.notes)
    assert found.tables["usage_months"].height > 0


def test_a_time_frame_of_seconds_does_not_pass_for_days(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS, [usage_row(5, day="2026-10-05 11:22:33")])
    found = read()
    assert found.gaps == {"dau": "field_missing", "dau_trend_pct": "field_missing"}
    assert any("name its time frame `date`" in note for note in found.notes)


def test_a_pillar_outside_its_range_is_clamped_with_a_warning(sandbox: Sandbox, read: Read) -> None:
    names = ("operations", "automation", "insights")
    figures = [(104.5, -2, "87.5"), (None, 100, "formatted: 9")]
    rows = [
        {
            "platform_metrics.account_id": key,
            **{f"platform_metrics.{name}_index": value for name, value in zip(names, values, strict=True)},
        }
        for key, values in zip((A, B), figures, strict=True)
    ]
    sends(sandbox, PILLARS, rows)
    found = read({"platform": {"pillars": {"engagement": "platform_metrics.operations_index"}}})
    assert found.tables["figures"].sort("metric", "key").rows() == [
        (A, "pillar_automation", 0.0),
        (B, "pillar_automation", 100.0),
        (A, "pillar_engagement", 100.0),
        (A, "pillar_insights", 87.5),
        (A, "pillar_operations", 100.0),
    ]
    assert unknown(found)[B] == {"pillar_insights": "unclear"}
    assert found.gaps == {}
    note = "figures of pillars outside 0 to 100, which were clamped: 3 (automation, engagement, operations)"
    assert note in found.notes


# --- ids --------------------------------------------------------------------------------------------------------


def test_ids_without_a_counterpart_are_counted_on_both_sides(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS, [usage_row(1, A[:15]), usage_row(1, "stranger 1"), usage_row(1, "stranger 2")])
    sends(sandbox, "/looks/42/", [])
    only_days = {"usage": {"month": "nowhere"}, "features": "none", "platform": {"explore": "nowhere"}}
    assert [note for note in read(only_days, keys=(A, B)).notes if "customer" in note] == [
        "account ids of the explores and Looks that are no customer's: 2 of 3",
        "customers without a row in the explores and Looks: 1 of 2",
    ]


# --- Looks of which the rows are of no use


def of_look(value: object, key: str = A, **more: object) -> dict[str, object]:
    columns = ("account_id", "metric_month", "engagement_index")
    values = (key, "2026-10", value)
    return {**{f"platform_metrics.{name}": each for name, each in zip(columns, values, strict=True)}, **more}


PIVOTED = {"platform_metrics.account_id": A, "platform_metrics.metric_month": "2026-10"}


@pytest.mark.parametrize(
    ("rows", "reason", "told"),
    [
        ([of_look({"2026-10": 1.0})], "field_missing", "take the pivot out of the Look"),
        (
            [{**PIVOTED, "platform_metrics.engagement_index|FIELD|2026-10": 1.0}],
            "field_missing",
            "has platform_metrics.engagement_index pivoted: take the pivot out of it",
        ),
        ([of_look("12 %")], "field_missing", "platform_metrics.engagement_index is formatted text"),
        ([{**of_look(1), "platform_metrics.metric_month": "2026-10-05"}], "field_missing", "is no month"),
        ([{**of_look(1), "platform_metrics.account_id": {"a": 1}}], "unclear", "other things than plain values"),
        ([of_look(1), {"platform_metrics.account_id": B}], "unclear", "its rows have different columns"),
        ([{"looker_error": "SQL error"}], "source_failed", "running Look 42: the database refused the query"),
        ([of_look(1, str(n)) for n in range(500)], "unclear", "running Look 42: 500 rows came, where a limit"),
        ({"rows": []}, "unclear", "running Look 42: it is not a list of rows"),
    ],
)
def test_a_look_of_no_use_costs_its_figure_alone(
    sandbox: Sandbox, read: Read, rows: object, reason: str, told: str
) -> None:
    sends(sandbox, "/looks/42/", rows)
    found = read()
    assert found.gaps == {"pillar_engagement": reason}
    assert any(told in note for note in found.notes)
    assert set(found.tables["figures"]["metric"]) == {"pillar_operations", "pillar_automation", "pillar_insights"}
    assert found.spools["usage_days"].height > 0


def test_a_look_with_several_rows_for_an_account_knows_nothing_of_it(sandbox: Sandbox, read: Read) -> None:
    """Two segments, or two spellings: a mean of means is none."""
    rows = [of_look(40), of_look(60, segment="b"), of_look(70, B[:15]), of_look(80, B), of_look(5, "another")]
    sends(sandbox, "/looks/42/", rows)
    found = read()
    assert {key: told for key, told in unknown(found).items() if "pillar_engagement" in told} == {
        key: {"pillar_engagement": "several_rows"} for key in (A, B, B[:15])
    }
    engaged = found.tables["figures"].filter(pl.col("metric") == "pillar_engagement")
    assert engaged.select("key", "value").rows() == [("another", 5.0)]
    assert any("pillar_engagement: accounts with several rows, whose figures don't add up: 3" in n for n in found.notes)


def test_seats_of_two_spellings_are_not_added_up(sandbox: Sandbox, read: Read) -> None:
    seats = {"look": "42", "account": "platform_metrics.account_id", "value": "platform_metrics.engagement_index"}
    sends(sandbox, "/looks/42/", [of_look(40, A), of_look(40, A[:15]), of_look(7, B)])
    found = read({"seats": seats, "platform": {"pillars": {"engagement": "platform_metrics.insights_index"}}})
    assert found.tables["figures"].filter(pl.col("metric") == "seats").select("key", "value").rows() == [(B, 7.0)]


# --- where the rows went


def test_every_row_is_in_its_table_or_left_out_by_a_rule(sandbox: Sandbox, read: Read) -> None:
    nobodys = usage_row(7, None), usage_row(7, "  ")
    sends(sandbox, DAYS, with_october([usage_row(5), *nobodys, usage_row(3, B, None)]))
    later = {**of_look(9), "platform_metrics.metric_month": "2026-11"}
    sends(sandbox, "/looks/42/", [of_look(1), of_look(None, B), later, of_look(2, "c"), of_look(3, "c")])
    only = {"features": "none", "platform": {"explore": "nowhere"}}
    found = read(only)
    assert found.counts["usage_days"] == RowCounts(127, 0, {"without an account": 2, "without a day": 1})
    left_out = {"several of one account": 2, "without a value that can be read": 1}
    assert found.counts["figures"] == RowCounts(5, 1, left_out)
    for name, counts in found.counts.items():
        assert counts.kept == found.rows[name], name
    assert unknown(found)[B]["dau"] == "unclear"  # on which day it had users is not known
    assert any(note.startswith(f"accounts with a row without day: 1, such as {B}") for note in found.notes)


# --- features that are called otherwise


def used(*features: str | None) -> list[dict[str, object]]:
    return [{"feature_usage.account_id": A, "feature_usage.feature_name": name} for name in features]


def test_a_catalogue_that_the_explore_does_not_know_is_no_breadth_of_0(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, FEATURES, used("SSO", "Audit log", None))
    found = read()
    assert found.gaps == {"feature_breadth": "unclear"}
    assert any("in Looker they are called Audit log, SSO" in note for note in found.notes)


def test_an_explore_without_a_row_is_no_breadth_of_0(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, FEATURES, [])
    assert read().gaps == {"feature_breadth": "unclear"}


def test_use_of_something_without_a_name_is_use_of_no_feature(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, FEATURES, used("sso", None))
    found = read()
    assert found.tables["features"].rows() == [(A, "sso"), (A, None)]
    assert any("that nobody used, if that is their name: " in note for note in found.notes)


# --- a run that is killed


def test_questions_that_were_answered_before_the_end_are_not_asked_again(
    sandbox: Sandbox, loaded: Callable[..., Settings], scope: Scope
) -> None:
    def ask(parts: Shelf | NoPartStore) -> Extract:
        return extract.extract(request(loaded(), "looker", scope, parts=parts))

    whole, shelf = ask(NoPartStore()), Shelf(lives=2)
    needed = calls(sandbox, "/run/json")
    with pytest.raises(Killed):
        ask(shelf)
    sandbox.log.clear()
    shelf.lives = 10
    ended = ask(shelf)
    assert calls(sandbox, "/run/json") == needed - 2  # days and months had been kept
    assert ended.notes == whole.notes
    assert ended.gaps == whole.gaps
    assert ended.spools["usage_days"].lazy().collect().equals(whole.spools["usage_days"].lazy().collect())
    assert all(ended.tables[name].equals(table) for name, table in whole.tables.items())


def test_a_question_that_has_gaps_is_asked_again(
    sandbox: Sandbox, loaded: Callable[..., Settings], scope: Scope
) -> None:
    shelf = Shelf(lives=10)
    settings = loaded({"looker": {"usage": {"users": "user_sessions.distinct_user"}}})
    found = extract.extract(request(settings, "looker", scope, parts=shelf))
    assert {part.stretches[0][0] for part in shelf.parts} == {"features", "figures"}
    sandbox.log.clear()
    again = extract.extract(request(settings, "looker", scope, parts=shelf))
    assert (again.gaps, again.notes) == (found.gaps, found.notes)
    assert calls(sandbox, "/explores/user_sessions") == 1
    assert calls(sandbox, "/run/json") == 0

"""Looker through its own client, over a real socket, with everything that an instance may do to its callers."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests
import yaml

from accountpulse.errors import AccessError, SourceUnavailable, UnexpectedAnswer
from accountpulse.extractors import looker
from accountpulse.extractors.base import Request
from accountpulse.extractors.looker_api import Api
from accountpulse.period import Period, Scope, scope_of
from accountpulse.records import Extract
from accountpulse.rest.meter import Meter
from accountpulse.sandbox.model import World
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import LookerAccess, Secret, Settings
from support import NOW, Configure

A, B = "001Hu00000AbCdEIAV", "001Hu00000AbCdFIAV"
DAYS, MONTHS, FEATURES, PILLARS = (f"/queries/{number}/run/json" for number in (1, 2, 3, 4))
USAGE = ("dau", "dau_trend_pct", "mau", "mau_trend_pct", "login_frequency")
Change = dict[str, Any]
Read = Callable[..., Extract]


def merged(base: Change, change: Change) -> Change:
    return {
        **base,
        **{
            key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
            for key, value in change.items()
        },
    }


@pytest.fixture
def loaded(sandbox: Sandbox, configure: Configure, tmp_path: Path) -> Callable[..., Settings]:
    """Settings whose `looker:` block differs from the sandbox's."""

    def made(change: Change | None = None, **environment: str | None) -> Settings:
        own = yaml.safe_load(Path(sandbox.environment()["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8"))
        file = tmp_path / "accountpulse.yaml"
        file.write_text(yaml.safe_dump(merged(own, change or {})), encoding="utf-8")
        return configure(sandbox, ACCOUNTPULSE_CONFIG=str(file), **environment)

    return made


@pytest.fixture
def read(loaded: Callable[..., Settings], scope: Scope) -> Read:
    """What the extractor makes of the sandbox with a changed `looker:` block."""

    def extract(
        block: Change | None = None, keys: tuple[str, ...] = (), meter: Meter | None = None, at: Scope = scope
    ) -> Extract:
        return looker.extract(Request(loaded({"looker": block or {}}), at, keys, meter=meter or Meter()))

    return extract


def calls(sandbox: Sandbox, path: str = "", status: int | None = None) -> int:
    return sum(call.system == "looker" and path in call.path and status in {None, call.status} for call in sandbox.log)


def sends(sandbox: Sandbox, path: str, answer: object, **headers: str) -> None:
    """The next request of this path is answered with these rows, or this text."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    sandbox.faults.append(Fault("looker", 200, headers, body, path_contains=path))


# --- signing in -------------------------------------------------------------------------------------------------


def test_a_token_that_expires_is_replaced_and_its_request_repeated(sandbox: Sandbox, read: Read) -> None:
    calm = read()
    assert calls(sandbox, "/login") == 1
    sandbox.log.clear()
    sandbox.looker.calls_per_token = 3
    found = read()
    assert all(found.tables[name].equals(table) for name, table in calm.tables.items())
    refused = calls(sandbox, status=401)
    assert refused >= 3
    assert calls(sandbox, "/login") == refused + 1


def test_a_token_that_is_never_taken_ends_after_one_new_sign_in(sandbox: Sandbox, read: Read) -> None:
    sandbox.looker.calls_per_token = 0
    with pytest.raises(AccessError, match="LOOKER_CLIENT_ID"):
        read()
    assert (calls(sandbox, "/login"), calls(sandbox, status=401), calls(sandbox)) == (2, 2, 4)


@pytest.mark.parametrize("body", [b"<html>sign in here</html>", b"\xff\xfe"])
def test_a_sign_in_page_of_somebody_else_is_no_token(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sends(sandbox, "/login", body)
    with pytest.raises(UnexpectedAnswer, match="signing in"):
        read()


def test_the_clients_own_settings_are_not_read(
    sandbox: Sandbox, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"base_url": "https://looker.example.com", "client_id": "other", "client_secret": "other"}
    for name, value in wrong.items():
        monkeypatch.setenv(f"LOOKERSDK_{name.upper()}", value)
    lines = [f"{name}={value}" for name, value in wrong.items()]
    (tmp_path / "looker.ini").write_text("\n".join(["[Looker]", *lines, "timeout=1"]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert read().tables["usage_days"].height > 0
    assert calls(sandbox, "/login", 200) == 1


# --- the way there ----------------------------------------------------------------------------------------------

watched: list[set[tuple[object, ...]]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        for seen in watched:
            seen.add(("name", arguments[0]))
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        for seen in watched:
            seen.add(("address", *arguments[1][:2]))


sys.addaudithook(_watch)


@contextmanager
def outgoing() -> Iterator[set[tuple[object, ...]]]:
    """Every name that this process looks up and every address that it connects to."""
    watched.append(set())
    try:
        yield watched[-1]
    finally:
        watched.pop()


@pytest.mark.parametrize(
    ("block", "status"),
    [
        ({"platform": {"pillars": {"reach": {"look": 7, "account": "a", "value": "b"}}}}, 404),
        ({"usage": {"explore": "nowhere"}}, 404),
    ],
)
def test_an_error_is_not_looked_up_at_a_third_host(sandbox: Sandbox, read: Read, block: Change, status: int) -> None:
    with outgoing() as seen:
        read(block)
    assert calls(sandbox, status=status) >= 1
    port = int(sandbox.url.rpartition(":")[2])
    assert {each for each in seen if each not in {("name", "127.0.0.1"), ("address", "127.0.0.1", port)}} == set()
    assert ("address", "127.0.0.1", port) in seen


def test_the_watch_sees_what_goes_elsewhere() -> None:
    with outgoing() as seen, pytest.raises(requests.ConnectionError):
        requests.get("http://localhost:9/errorcodes/index.json", timeout=1)
    assert ("name", "localhost") in seen


def test_a_redirect_is_not_followed_with_our_token(sandbox: Sandbox, read: Read) -> None:
    sandbox.faults.append(
        Fault("looker", 302, {"Location": f"{sandbox.https_url}/elsewhere"}, path_contains="/queries/1/run")
    )
    with pytest.raises(AccessError, match="redirect"):
        read()
    assert not any("elsewhere" in call.path for call in sandbox.log)


def test_a_moment_of_weakness_is_waited_for(sandbox: Sandbox, read: Read) -> None:
    for status in (429, 503):
        sandbox.faults.append(Fault("looker", status, {"Retry-After": "0"}, path_contains="/run/"))
    meter = Meter()
    assert read(meter=meter).tables["usage_days"].height > 0
    assert meter.retries == 2


def test_a_body_that_breaks_off_is_fetched_again_and_counts_once(sandbox: Sandbox, read: Read) -> None:
    calm = read()
    row = json.dumps([{"user_sessions.account_id": A, "user_sessions.session_date": "2026-10-01"}]).encode()
    sends(sandbox, DAYS, row[:-1], **{"Content-Length": "100000"})
    meter = Meter()
    found = read(meter=meter)
    assert meter.retries >= 1
    assert found.tables["usage_days"].equals(calm.tables["usage_days"])


def test_an_instance_that_says_nothing_is_left_after_the_seconds_of_the_settings() -> None:
    class Waited(Exception):
        pass

    def sleep(_seconds: float) -> None:
        raise Waited

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        access = LookerAccess(f"http://127.0.0.1:{silent.getsockname()[1]}", Secret("an id"), Secret("a secret"))
        ended = threading.Event()

        def ask() -> None:
            with pytest.raises(Waited):
                Api(access, Meter(), None, 1, sleep).explores("alliants")
            ended.set()

        threading.Thread(target=ask, daemon=True).start()
        assert ended.wait(timeout=30), "there is no time limit"


# --- answers that are no data -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"<html>gone</html>", b'{"message": {}, "errors": 5}'])
def test_a_refusal_in_whatever_words_is_a_refusal(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sandbox.faults.append(Fault("looker", 404, {"Content-Type": "application/json"}, body, 1, "/looks/42/"))
    assert read().gaps == {"pillar_engagement": "field_missing"}


@pytest.mark.parametrize("path", ["/explores/user_sessions", "/queries"])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"', b"<html>hello</html>", b'{"fields": 5, "id": []}'])
def test_a_good_status_over_something_else_is_no_answer(sandbox: Sandbox, read: Read, path: str, body: bytes) -> None:
    sends(sandbox, path, body)
    with pytest.raises(UnexpectedAnswer, match="user_sessions"):
        read()


@pytest.mark.parametrize("after", [0, 1, 1500])
def test_a_database_error_under_a_good_status_is_no_usage(sandbox: Sandbox, read: Read, after: int) -> None:
    sandbox.looker.broken["user_sessions"] = after
    with pytest.raises(UnexpectedAnswer, match=r"explore user_sessions failed .the database refused") as caught:
        read()
    assert "went away" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>maintenance</html>",
        b'{"errors": [{"message": "SQL Error"}], "data": []}',
        b'{"rows": [], "metadata": {}}',
        b'[{"user_sessions.account_id": "a"',
        b"",
        b'[{"user_sessions.account_id": {"a": 1}, "user_sessions.session_date": null}]',
    ],
)
def test_an_answer_of_another_shape_is_no_usage(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sends(sandbox, DAYS, body)
    with pytest.raises(UnexpectedAnswer, match="user_sessions"):
        read()


def test_rows_without_a_column_that_was_asked_for_are_no_usage(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS, [{"user_sessions.account_id": A, "user_sessions.distinct_users": 3}])
    with pytest.raises(UnexpectedAnswer, match=r"without user_sessions\.session_date"):
        read()


# --- limits -----------------------------------------------------------------------------------------------------


def test_every_query_asks_for_all_rows_of_whole_days_in_utc(sandbox: Sandbox, read: Read) -> None:
    sandbox.recorded = []
    read()
    asked = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"]
    assert [each["view"] for each in asked] == ["user_sessions", "user_sessions", "feature_usage", "platform_metrics"]
    assert {(each["model"], each["limit"], each["query_timezone"]) for each in asked} == {("alliants", "-1", "UTC")}
    trend, month = "2026-07-01 to 2026-11-01", "2026-10-01 to 2026-11-01"
    assert [list(each["filters"].values()) for each in asked] == [[trend], [trend], [month], [month]]
    assert all(each["sorts"] and set(each["sorts"]) <= set(each["fields"]) for each in asked)
    looks = [each.query for each in sandbox.recorded if "/looks/" in each.path]
    assert looks == [{"limit": "-1"}]


def test_an_open_period_is_asked_for_up_to_the_day_that_has_begun(sandbox: Sandbox, read: Read) -> None:
    sandbox.recorded = []
    read(at=scope_of(Period(2026, 11), NOW))
    asked = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"]
    assert {filter_ for each in asked for filter_ in each["filters"].values()} == {
        "2026-08-01 to 2026-11-24",
        "2026-11-01 to 2026-11-24",
    }


def test_days_are_cut_in_the_zone_of_the_period(sandbox: Sandbox, read: Read) -> None:
    sandbox.recorded = []
    berlin = scope_of(Period(2026, 10, "Europe/Berlin"), datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    read(at=berlin)  # in Berlin it is November
    asked = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"]
    assert {each["query_timezone"] for each in asked} == {"Europe/Berlin"}
    assert asked[2]["filters"] == {"feature_usage.used_date": "2026-10-01 to 2026-11-01"}


@pytest.mark.parametrize("most", [500, 1000, 5000])
def test_an_answer_that_a_limit_cut_is_refused_with_its_size(sandbox: Sandbox, read: Read, most: int) -> None:
    sandbox.looker.most_rows = most
    with pytest.raises(UnexpectedAnswer, match=f"{most:,} rows came, where a limit") as caught:
        read()
    assert "download_without_limit" in str(caught.value)


def five_hundred(sandbox: Sandbox, last: str) -> list[dict[str, Any]]:
    """An answer of as many rows as the default limit, and what the query from behind begins with."""
    rows = [
        {"feature_usage.account_id": f"account {number:03}", "feature_usage.feature_name": "sso"}
        for number in range(500)
    ]
    sends(sandbox, FEATURES, rows)
    sends(sandbox, PILLARS, [{**rows[-1], "feature_usage.account_id": last}])
    return rows


def test_an_answer_that_ends_just_there_is_whole(sandbox: Sandbox, read: Read) -> None:
    rows = five_hundred(sandbox, "account 499")
    sandbox.recorded = []
    found = read()
    assert found.tables["features"]["key"].to_list() == [row["feature_usage.account_id"] for row in rows]
    behind = [json.loads(each.body) for each in sandbox.recorded if each.path == "/api/4.0/queries"][3]
    assert behind["limit"] == "1"
    assert behind["sorts"] == ["feature_usage.account_id desc", "feature_usage.feature_name desc"]


def test_an_answer_that_goes_on_behind_is_refused(sandbox: Sandbox, read: Read) -> None:
    five_hundred(sandbox, "account 500")
    with pytest.raises(UnexpectedAnswer, match="500 rows came"):
        read()


def test_a_look_that_may_be_cut_is_refused(sandbox: Sandbox, read: Read) -> None:
    row = {"platform_metrics.metric_month": "2026-10", "platform_metrics.engagement_index": 5}
    sends(sandbox, "/looks/42/", [{"platform_metrics.account_id": f"{number}", **row} for number in range(500)])
    with pytest.raises(UnexpectedAnswer, match=r"running Look 42 failed .500 rows came"):
        read()


def test_the_number_of_calls_does_not_depend_on_the_number_of_accounts(
    sandbox: Sandbox, read: Read, configure: Configure, scope: Scope
) -> None:
    read()
    with Sandbox(build(seed=3, accounts=12, until=NOW)) as small:
        looker.extract(Request(configure(small), scope))
        assert [call.path for call in small.log] == [call.path for call in sandbox.log]
    assert len(sandbox.log) == 13  # one sign-in, three explores, four queries of two calls each, one Look


# --- names that lead nowhere ------------------------------------------------------------------------------------


def test_a_field_that_is_absent_costs_its_metrics_and_the_nearest_name_is_told(read: Read) -> None:
    found = read({"usage": {"users": "user_sessions.distinct_user"}})
    assert found.gaps == dict.fromkeys(USAGE, "field_missing")
    assert (
        "explore user_sessions has no field user_sessions.distinct_user that our user can see; "
        "the nearest name is user_sessions.distinct_users"
    ) in found.notes
    assert found.tables["usage_days"].is_empty()
    assert found.tables["features"].height > 0
    assert found.tables["pillars"].height > 0


def test_a_month_that_is_absent_costs_only_what_is_counted_by_months(read: Read) -> None:
    found = read({"usage": {"month": "user_sessions.session_week"}})
    assert found.gaps == dict.fromkeys(("mau", "mau_trend_pct", "login_frequency"), "field_missing")
    assert found.tables["usage_days"].height > 0


def test_a_pillar_that_is_absent_costs_that_pillar(read: Read) -> None:
    found = read({"platform": {"pillars": {"automation": "platform_metrics.automatic_index"}}})
    assert found.gaps == {"pillar_automation": "field_missing"}
    assert set(found.tables["pillars"]["pillar"]) == {"operations", "insights", "engagement"}
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
    assert set(found.tables["pillars"]["pillar"]) == {"operations", "automation", "insights"}


def test_a_look_without_the_column_costs_that_pillar_alone(sandbox: Sandbox, read: Read) -> None:
    other = {**LOOK, "value": "platform_metrics.engagement_idx"}
    found = read({"platform": {"pillars": {"reach": other}}})
    assert found.gaps == {"pillar_reach": "field_missing"}
    assert any("nearest name is platform_metrics.engagement_index" in note for note in found.notes)
    assert "engagement" in set(found.tables["pillars"]["pillar"])
    assert calls(sandbox, "/looks/") == 1  # though two pillars come from it


def test_a_looks_figures_are_those_of_the_period_as_the_world_has_them(world: World, read: Read) -> None:
    found = read().tables["pillars"].filter(pl.col("pillar") == "engagement")
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
    days = read().tables["usage_days"]
    assert days.select("key", "users").rows() == [(A, 12), (B, 4)]


@pytest.mark.parametrize("wrong", ["1,234", "12%", "many", 1e300])
def test_a_formatted_figure_is_not_known_rather_than_small(sandbox: Sandbox, read: Read, wrong: object) -> None:
    sends(sandbox, DAYS, [usage_row(5), usage_row(wrong, B)])
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
    assert found.tables["pillars"].sort("pillar", "key").rows() == [
        (A, "automation", 0.0),
        (B, "automation", 100.0),
        (A, "engagement", 100.0),
        (A, "operations", 100.0),
    ]
    assert found.gaps == {"pillar_insights": "field_missing"}
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


def test_an_instance_that_is_down_is_unavailable(sandbox: Sandbox, read: Read) -> None:
    sandbox.down.add("looker")
    with pytest.raises(SourceUnavailable, match=r"looker: POST /api/4\.0/login failed"):
        read()
    assert calls(sandbox) == calls(sandbox, "/login", 503) == 5

"""Looker over a real socket: signing in, the way there, limits, answers that are no data."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from accountpulse.core.errors import AccessError, SourceUnavailable, UnexpectedAnswer
from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.secret import Secret
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.systems.looker import extract
from accountpulse.systems.looker.api import Api
from accountpulse.systems.looker.settings import LookerAccess
from support import NOW, Configure, request
from systems.looker.asking import DAYS, FEATURES, PILLARS, A, Change, Read, calls, sends

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


@pytest.mark.parametrize("seconds", [b"1e400", b"1" + b"0" * 30, b'"soon"', b"NaN", b"[]", b"[" * 5_000 + b"]" * 5_000])
def test_a_token_whose_end_is_no_number_of_seconds_is_no_token(sandbox: Sandbox, read: Read, seconds: bytes) -> None:
    sends(sandbox, "/login", b'{"access_token": "t", "token_type": "Bearer", "expires_in": ' + seconds + b"}")
    with pytest.raises(UnexpectedAnswer, match=r"signing in|can't be read|nested too deeply"):
        read()


@pytest.mark.parametrize("body", [b'"x"', b"{}", b'{"access_token": null}'])
def test_an_answer_without_a_token_is_not_called_a_wrong_credential(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sandbox.faults.append(Fault("looker", 200, {}, body, times=2, path_contains="/login"))
    with pytest.raises(UnexpectedAnswer, match=r"signing in failed \(an answer without a token"):
        read()


@pytest.mark.parametrize("body", [b"<html>sign in here</html>", b"\xff\xfe"])
def test_a_sign_in_page_of_somebody_else_is_no_token(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sends(sandbox, "/login", body)
    with pytest.raises(UnexpectedAnswer, match="signing in"):
        read()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b'{"message": "Not found"}', "Check LOOKER_CLIENT_ID and LOOKER_CLIENT_SECRET"),
        (404, b"<html>no such page</html>", r"No Looker API answers there: check LOOKER_BASE_URL.* 19999"),
        (405, b'{"message": "Method Not Allowed"}', "check LOOKER_BASE_URL"),
        (403, b'{"message": "Forbidden"}', r"use the API \(Admin, API\)"),
        (401, b'{"message": "Requires authentication."}', "Check LOOKER_CLIENT_ID"),
    ],
)
def test_a_refused_sign_in_says_what_to_mend(sandbox: Sandbox, read: Read, status: int, body: bytes, told: str) -> None:
    sandbox.faults.append(Fault("looker", status, {}, body, path_contains="/login"))
    with pytest.raises(AccessError, match=f"signing in was refused .HTTP {status}.* {told}"):
        read()
    assert calls(sandbox) == 1


def test_a_web_page_at_the_sign_in_names_the_address(sandbox: Sandbox, read: Read) -> None:
    page = Fault("looker", 200, {"Content-Type": "text/html"}, b"<html>sign in</html>", 5, "/login")
    sandbox.faults.append(page)
    with pytest.raises(UnexpectedAnswer, match=r"a web page instead of JSON.* Check the base URL"):
        read()


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"fields": {"dimensions": [{"name": 5}]}}, r"\$\.fields\.dimensions\[0\]\.name"),
        ({"fields": {"dimensions": "all"}}, r"\$\.fields\.dimensions"),
        ({"fields": {}, "has_timezone_support": []}, r"\$\.has_timezone_support"),
    ],
)
def test_an_answer_of_another_type_names_the_field_and_is_asked_for_once(
    sandbox: Sandbox, read: Read, answer: object, path: str
) -> None:
    sends(sandbox, "/explores/user_sessions", answer)
    with pytest.raises(UnexpectedAnswer, match=rf"looking at explore user_sessions failed .*{path}"):
        read()
    assert calls(sandbox, "/explores/user_sessions") == 1


def test_the_id_of_a_query_may_be_a_number(sandbox: Sandbox, read: Read) -> None:
    """Older versions of Looker write ids so."""
    calm = read()
    sends(sandbox, "/queries?fields=id", {"id": 1})
    assert read().spools["usage_days"].lazy().collect().equals(calm.spools["usage_days"].lazy().collect())


def test_the_clients_own_settings_are_not_read(
    sandbox: Sandbox, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"base_url": "https://looker.example.com", "client_id": "other", "client_secret": "other"}
    for name, value in wrong.items():
        monkeypatch.setenv(f"LOOKERSDK_{name.upper()}", value)
    lines = [f"{name}={value}" for name, value in wrong.items()]
    (tmp_path / "looker.ini").write_text("\n".join(["[Looker]", *lines, "timeout=1"]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert read().spools["usage_days"].height > 0
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
    budget = RequestBudget()
    assert read(budget=budget).spools["usage_days"].height > 0
    assert budget.retries == 2


def test_a_body_that_breaks_off_is_fetched_again_and_counts_once(sandbox: Sandbox, read: Read) -> None:
    calm = read()
    row = json.dumps([{"user_sessions.account_id": A, "user_sessions.session_date": "2026-10-01"}]).encode()
    sends(sandbox, DAYS, row[:-1], **{"Content-Length": "100000"})
    budget = RequestBudget()
    found = read(budget=budget)
    assert budget.retries >= 1
    assert found.spools["usage_days"].lazy().collect().equals(calm.spools["usage_days"].lazy().collect())


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
                Api(access, RequestBudget(), None, 1, sleep).explores("alliants")
            ended.set()

        threading.Thread(target=ask, daemon=True).start()
        assert ended.wait(timeout=120), "there is no time limit"


# --- answers that are no data -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"<html>gone</html>", b'{"message": {}, "errors": 5}'])
def test_a_refusal_in_whatever_words_is_a_refusal(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sandbox.faults.append(Fault("looker", 404, {"Content-Type": "application/json"}, body, 1, "/looks/42/"))
    assert read().gaps == {"pillar_engagement": "field_missing"}


@pytest.mark.parametrize("path", ["/explores/user_sessions", "/queries"])
@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"<html>hello</html>", b'{"fields": 5, "id": []}'])
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
        b'{"errors": [{"message": "SQL Error"}], "data": []}',
        b'{"rows": [], "metadata": {}}',
        b'[{"user_sessions.account_id": {"a": 1}, "user_sessions.session_date": null}]',
    ],
)
def test_an_answer_of_another_shape_is_no_usage(sandbox: Sandbox, read: Read, body: bytes) -> None:
    sends(sandbox, DAYS, body)
    with pytest.raises(UnexpectedAnswer, match="user_sessions"):
        read()


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'[{"user_sessions.account_id": "a"', b""])
def test_an_answer_that_is_cut_or_for_people_is_asked_for_again(sandbox: Sandbox, read: Read, body: bytes) -> None:
    calm = read()
    sends(sandbox, DAYS, body)
    budget = RequestBudget()
    assert read(budget=budget).spools["usage_days"].lazy().collect().equals(calm.spools["usage_days"].lazy().collect())
    assert budget.retries == 1
    sandbox.faults.append(Fault("looker", 200, {}, body, times=5, path_contains=DAYS))
    with pytest.raises(SourceUnavailable, match="queries/1/run/json"):
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


def test_the_number_of_calls_does_not_depend_on_the_number_of_accounts(
    sandbox: Sandbox, read: Read, configure: Configure, scope: Scope
) -> None:
    read()
    with Sandbox(build(seed=3, accounts=12, until=NOW)) as small:
        extract.extract(request(configure(small), "looker", scope))
        assert [call.path for call in small.log] == [call.path for call in sandbox.log]
    assert len(sandbox.log) == 13  # one sign-in, three explores, four queries of two calls each, one Look


def test_an_instance_that_is_down_is_unavailable(sandbox: Sandbox, read: Read) -> None:
    sandbox.down.add("looker")
    with pytest.raises(SourceUnavailable, match=r"looker: POST /api/4\.0/login failed"):
        read()
    assert calls(sandbox) == calls(sandbox, "/login", 503) == 5

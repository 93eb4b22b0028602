"""The sandbox's Looker keeps the vendor's rules, asked over the wire without our client."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from sandbox.openapi import SPECS, vendor
from support import NOW

FIELDS = ["user_sessions.account_id", "user_sessions.session_date", "user_sessions.distinct_users"]
OCTOBER = {"user_sessions.session_date": "2026-10-01 to 2026-11-01"}


class Caller:
    """A signed-in user of the API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.root = f"{sandbox.url}/api/4.0"
        self.secrets = {
            "client_id": sandbox.world.looker.client_id,
            "client_secret": sandbox.world.looker.client_secret,
        }
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()

    def sign_in(self) -> None:
        token = self.session.post(f"{self.root}/login", data=self.secrets).json()["access_token"]
        self.session.headers["Authorization"] = f"token {token}"

    def get(self, path: str, **query: str) -> requests.Response:
        return self.session.get(f"{self.root}{path}", params=query)

    def post(self, path: str, **body: object) -> requests.Response:
        return self.session.post(f"{self.root}{path}", json=body)

    def run(self, **query: object) -> Any:
        """The rows of a query."""
        asked = {"model": "alliants", "view": "user_sessions", "fields": FIELDS, "filters": OCTOBER, **query}
        made = self.post("/queries", **asked).json()
        return self.get(f"/queries/{made['id']}/run/json").json()


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)


def test_without_a_limit_an_answer_is_cut_without_a_word(caller: Caller) -> None:
    everything = caller.run(limit="-1")
    assert len(everything) > 2000
    assert caller.run() == everything[:500]
    assert caller.run(limit="700") == everything[:700]


def test_the_limit_of_the_run_goes_before_that_of_the_query(caller: Caller) -> None:
    made = caller.post("/queries", model="alliants", view="user_sessions", fields=FIELDS, limit="700").json()
    assert len(caller.get(f"/queries/{made['id']}/run/json", limit="3").json()) == 3


def test_unlimited_is_cut_too_where_the_role_has_a_limit(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.looker.most_rows = 1200
    assert len(caller.run(limit="-1")) == 1200


def test_a_look_has_a_limit_of_its_own_that_a_run_may_set_aside(caller: Caller) -> None:
    everything = caller.get("/looks/42/run/json", limit="-1").json()
    assert len(everything) > 1000
    assert caller.get("/looks/42/run/json").json() == everything[:500]
    assert caller.get("/looks/41/run/json").status_code == 404


def test_an_order_may_be_asked_for(caller: Caller) -> None:
    ordered = [f"{FIELDS[0]} desc", f"{FIELDS[1]} desc"]
    rows = caller.run(limit="-1")
    assert rows == sorted(rows, key=lambda row: (row[FIELDS[0]], row[FIELDS[1]]))
    assert caller.run(limit="-1", sorts=ordered) == rows[::-1]
    most = max(row[FIELDS[2]] for row in rows)
    assert caller.run(limit="1", sorts=[f"{FIELDS[2]} desc 0"])[0][FIELDS[2]] == most


def test_days_of_users_add_up_to_what_the_world_has(world: World, caller: Caller) -> None:
    account, usage = next((key, use) for key, use in world.looker.usage.items() if any(use.users))
    filters = {**OCTOBER, FIELDS[0]: account}
    rows = caller.run(limit="-1", fields=[*FIELDS, "user_sessions.session_count"], filters=filters)
    first = (world.looker.first_day.replace(year=2026, month=10, day=1) - world.looker.first_day).days
    for day in range(31):
        there = [person for person, days in enumerate(usage.users) if days >> (first + day) & 1]
        found = [row for row in rows if row[FIELDS[1]] == f"2026-10-{day + 1:02}"]
        twice = sum(usage.sessions_twice[person] >> (first + day) & 1 for person in there)
        counts = [(row[FIELDS[2]], row["user_sessions.session_count"]) for row in found]
        assert counts == ([(len(there), len(there) + twice)] if there else [])


@pytest.mark.parametrize("month", ["2019-03-01 to 2019-04-01", "2031-03-01 to 2031-04-01"])
def test_a_month_before_or_after_the_companys_life_has_no_rows(caller: Caller, month: str) -> None:
    counted = [*FIELDS, "user_sessions.session_count"]
    assert caller.run(fields=counted, filters={FIELDS[1]: month}) == []
    for view, field, measure in (
        ("feature_usage", "used_date", "usage_count"),
        ("platform_metrics", "metric_month", "operations_index"),
    ):
        fields = [f"{view}.account_id", f"{view}.{field}", f"{view}.{measure}"]
        filters = {f"{view}.{field.replace('month', 'date')}": month}
        assert caller.run(view=view, fields=fields, filters=filters) == []


def test_an_equal_query_is_the_same_query(caller: Caller) -> None:
    body = {"model": "alliants", "view": "user_sessions", "fields": FIELDS}
    first, second = (caller.post("/queries", **body).json()["id"] for _ in range(2))
    other = caller.post("/queries", **body, limit="5").json()["id"]
    assert first == second != other


def test_a_field_that_is_unknown_is_left_out_without_a_word(caller: Caller) -> None:
    assert caller.run(fields=[*FIELDS, "user_sessions.unheard_of"], limit="1") == caller.run(limit="1")


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"fields": ["user_sessions.unheard_of"]}, 400, "Must query at least one dimension or measure"),
        ({"filters": {"user_sessions.unheard_of": "1"}}, 400, "Invalid filter: user_sessions.unheard_of"),
        ({"query_timezone": "Mars/Olympus"}, 400, "Invalid query timezone"),
        ({"limit": "many"}, 422, "Validation Failed"),
        ({"view": "unheard_of"}, 404, "Not found"),
        ({"model": "unheard_of"}, 404, "Not found"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    caller: Caller, query: dict[str, object], status: int, message: str
) -> None:
    asked = {"model": "alliants", "view": "user_sessions", "fields": FIELDS, **query}
    answer = caller.post("/queries/run/json", **asked)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert f"/r/err/4.0/{status}/post/queries" in answer.json()["documentation_url"]


def test_what_the_database_refuses_is_a_row_under_a_good_status(caller: Caller) -> None:
    rows = caller.run(filters={"user_sessions.session_date": "the day before yesterday"})
    assert list(rows[0]) == ["looker_error"]


def test_a_database_may_fail_in_the_middle(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.looker.broken["user_sessions"] = 2
    rows = caller.run(limit="-1")
    assert ["looker_error" in row for row in rows] == [False, False, True]


def test_a_token_serves_a_number_of_calls_and_is_unknown_then(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.looker.calls_per_token = 2
    path = "/lookml_models/alliants"
    assert [caller.get(path).status_code for _ in range(4)] == [200, 200, 401, 401]
    caller.sign_in()
    assert caller.get(path).status_code == 200


def test_a_wrong_secret_is_not_found(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.root}/login", data={**caller.secrets, "client_secret": "wrong"})
    assert answer.status_code == 404


def test_explores_that_are_closed_are_not_named(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.looker.closed.add("feature_usage")
    names = [each["name"] for each in caller.get("/lookml_models/alliants").json()["explores"]]
    assert names == ["user_sessions", "platform_metrics", "surveys"]
    assert caller.get("/lookml_models/alliants/explores/feature_usage").status_code == 404


def test_surveys_are_filtered_by_day_and_channel(world: World, caller: Caller) -> None:
    fields = ["surveys.account_id", "surveys.answer_count"]
    days = {"surveys.answered_date": "2026-10-01 to 2026-11-01"}

    def asked(**filters: str) -> int:
        named = {f"surveys.{name}": text for name, text in filters.items()}
        rows = caller.run(view="surveys", fields=fields, filters={**days, **named}, limit="-1")
        return sum(row["surveys.answer_count"] for row in rows)

    def held(*channels: str) -> int:
        answers = [each for usage in world.looker.usage.values() for each in usage.answers]
        first, end = ((date(2026, month, 1) - world.looker.first_day).days for month in (10, 11))
        return sum(first <= day < end and channel in channels for day, channel, _score in answers)

    assert asked(channel="email") == held("email") > 0
    assert asked(channel="email, in_app") == asked() == held("email", "in_app") > held("email")


def test_a_filter_that_the_tables_cannot_apply_is_an_error_and_no_wider_answer(caller: Caller) -> None:
    rows = caller.run(filters={**OCTOBER, "user_sessions.distinct_users": ">5"})
    assert "looker_error" in rows[0]


def every_kind(caller: Caller) -> Iterator[int]:
    """One call of each kind, and of each refusal."""
    body = {"model": "alliants", "view": "user_sessions", "fields": FIELDS}
    yield caller.post("/queries", **body).status_code
    yield caller.post("/queries", **{**body, "model": "unheard_of"}).status_code
    for query in ({}, {"fields": ["x"]}, {"limit": "many"}, {"view": "x"}):
        yield caller.post("/queries/run/json", **{**body, **query}).status_code
    yield caller.get("/queries/1/run/json", limit="2").status_code
    yield caller.get("/queries/99/run/json").status_code
    for path in ("", "/explores/user_sessions", "/explores/unheard_of"):
        yield caller.get(f"/lookml_models/alliants{path}").status_code
    yield caller.get("/looks/42").status_code
    yield caller.get("/looks/41").status_code
    yield caller.get("/looks/42/run/json", limit="2").status_code
    yield caller.get("/looks/41/run/json").status_code
    yield caller.session.post(f"{caller.root}/login", data={}).status_code


@pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' OpenAPI files are not here")
def test_answers_and_refusals_have_the_vendors_shapes(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.recorded = []
    statuses = list(every_kind(caller))
    assert statuses == [200, 404, 200, 400, 422, 404, 200, 404, 200, 200, 404, 200, 404, 200, 404, 404]
    file = vendor("Looker.4.0.oas.json", "/api/4.0")
    assert len(sandbox.recorded) == len(statuses)
    for each in sandbox.recorded:
        wrong = file.mistakes(each)
        if "/run/json" in each.path and each.status == 200:  # the file calls rows a text, since csv and png are one
            assert all("is not of type 'string'" in mistake for mistake in wrong)
            assert isinstance(json.loads(each.answer), list)
        else:
            assert wrong == [], f"{each.method} {each.path}"


# --- the crooked world's


def crooked(seed: int) -> World:
    return build(seed, 40, until=NOW, kind="crooked")


def test_an_explore_filters_by_itself_until_a_query_says_any_value() -> None:
    with Sandbox(crooked(4)) as running:
        caller = Caller(running)
        described = caller.get("/lookml_models/alliants/explores/user_sessions").json()
        own = {"user_sessions.device": ""}
        fields = ["user_sessions.account_id", "user_sessions.session_count"]
        cut, whole = (caller.run(limit="-1", fields=fields, filters={**OCTOBER, **more}) for more in ({}, own))
    assert described["always_filter"] == [{"name": "user_sessions.device", "value": "web"}]
    total = [sum(row[fields[1]] or 0 for row in rows if not isinstance(row[fields[1]], str)) for rows in (cut, whole)]
    assert 0 < total[0] < total[1]


def test_a_look_may_be_pivoted_and_says_so() -> None:
    with Sandbox(crooked(4)) as running:
        caller = Caller(running)
        rows, look = caller.get("/looks/42/run/json", limit="-1").json(), caller.get("/looks/42").json()
    assert look["query"]["pivots"] == ["platform_metrics.metric_month"]
    assert set(rows[0]) == {"platform_metrics.account_id", "platform_metrics.engagement_index"}
    assert set(rows[0]["platform_metrics.engagement_index"]) >= {"2026-09"}


def test_fields_say_of_which_kind_they_are(caller: Caller) -> None:
    fields = caller.get("/lookml_models/alliants/explores/user_sessions").json()["fields"]
    kinds = {each["name"]: (each["category"], each["type"]) for group in fields.values() for each in group}
    assert kinds == {
        "user_sessions.account_id": ("dimension", "string"),
        "user_sessions.session_date": ("dimension", "date_date"),
        "user_sessions.session_month": ("dimension", "date_month"),
        "user_sessions.distinct_users": ("measure", "count_distinct"),
        "user_sessions.session_count": ("measure", "count"),
    }


def test_one_account_has_two_spellings_and_some_rows_have_none() -> None:
    world = crooked(3)
    with Sandbox(world) as running:
        rows = Caller(running).run(limit="-1", fields=["user_sessions.account_id", "user_sessions.distinct_users"])
    accounts = [row["user_sessions.account_id"] for row in rows]
    twice = {each.account_id for each in world.customers if "account spelled twice" in each.crooked}
    assert {each for each in twice if each in accounts and each[:15] in accounts} == twice
    assert None in accounts
    shown = {type(row["user_sessions.distinct_users"]) for row in rows}
    assert shown == {int, str, type(None)}

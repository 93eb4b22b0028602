"""looker_sdk, as its documentation shows it, signs in to the sandbox and reads the instance."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import looker_sdk
import pytest
from looker_sdk import models40 as models
from looker_sdk.error import SDKError
from looker_sdk.sdk.api40.methods import Looker40SDK

from accountpulse.core.period import Scope
from accountpulse.sandbox.looker.data import explores
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from readers.judging import mistakes_in, needs_files
from support import Configure, extract

Query = models.WriteQuery
SESSIONS = ["user_sessions.account_id", "user_sessions.session_month", "user_sessions.distinct_users"]


@pytest.fixture
def sdk(served: Sandbox, company: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looker40SDK]:
    monkeypatch.setenv("LOOKERSDK_BASE_URL", served.url)
    monkeypatch.setenv("LOOKERSDK_CLIENT_ID", company.looker.client_id)
    monkeypatch.setenv("LOOKERSDK_CLIENT_SECRET", company.looker.client_secret)
    made = looker_sdk.init40()
    yield made
    made.logout()
    made.transport.session.close()


def query(fields: list[str] = SESSIONS, **more: Any) -> Query:
    return Query(model="alliants", view=fields[0].partition(".")[0], fields=fields, limit="-1", **more)


def test_the_instance_says_what_it_is_and_has(sdk: Looker40SDK, company: World) -> None:
    assert sdk.me().email == "sandbox@sandbox.example"
    assert sdk.versions().current_version.version == "4.0"
    (model,) = sdk.all_lookml_models()
    known = explores(company.looker)
    assert (model.name, [each.name for each in model.explores]) == (company.looker.model, list(known))
    assert sdk.lookml_model(company.looker.model).name == model.name
    for name, (dimensions, measures) in known.items():
        explore = sdk.lookml_model_explore(company.looker.model, name)
        assert [each.name for each in explore.fields.dimensions] == list(dimensions)
        assert [each.name for each in explore.fields.measures] == list(measures)
    with pytest.raises(SDKError):
        sdk.lookml_model_explore(company.looker.model, "nowhere")


def test_a_query_is_kept_and_found_again(sdk: Looker40SDK) -> None:
    made = sdk.create_query(query())
    assert sdk.create_query(query()).id == made.id
    assert sdk.query(made.id).fields == SESSIONS
    assert sdk.query_for_slug(made.slug).id == made.id


def test_monthly_users_read_as_ours_do(sdk: Looker40SDK, served: Sandbox, configure: Configure, scope: Scope) -> None:
    loaded = configure(served)
    links = extract(loaded, "salesforce", scope).tables["links"]
    keys = tuple(key for source, key in links.select("source", "key").iter_rows() if source == "looker")
    ours = extract(loaded, "looker", scope, keys).tables["usage_months"]
    rows = json.loads(
        sdk.run_inline_query("json", query(filters={"user_sessions.session_date": "2026-07-01 to 2026-11-01"}))
    )
    read = {(row["user_sessions.account_id"][:15], row["user_sessions.session_month"]): row for row in rows}
    told = {
        (key[:15], f"{month:%Y-%m}"): users for key, month, users in ours.select("key", "month", "users").iter_rows()
    }
    assert len(told) > 50
    assert told == {place: read[place]["user_sessions.distinct_users"] for place in told}


def test_each_format_has_the_same_rows(sdk: Looker40SDK) -> None:
    made = sdk.create_query(query())
    rows = json.loads(sdk.run_query(made.id, "json"))
    detail = json.loads(sdk.run_query(made.id, "json_detail"))
    heading, *lines = csv.reader(io.StringIO(sdk.run_query(made.id, "csv")))
    assert [{name: cell["value"] for name, cell in row.items()} for row in detail["data"]] == rows
    assert [each["name"] for each in detail["fields"]["dimensions"]] == SESSIONS[:2]
    assert heading == ["User Sessions Account Id", "User Sessions Session Month", "User Sessions Distinct Users"]
    assert lines == [[str(value) for value in row.values()] for row in rows]
    assert json.loads(sdk.run_inline_query("json", query())) == rows


def test_the_saved_look_is_found_and_run(sdk: Looker40SDK, company: World) -> None:
    assert [each.id for each in sdk.all_looks()] == [company.looker.look_id]
    (found,) = sdk.search_looks(title="engagement%")
    assert sdk.search_looks(title="nothing") == []
    look = sdk.look(found.id)
    rows = json.loads(sdk.run_look(look.id, "json", limit=-1))
    named = look.query.fields
    figures = {
        (account, month): used.pillars["engagement"][month]
        for account, used in company.looker.usage.items()
        for month in used.pillars.get("engagement", {})
    }
    assert {(row[named[0]], row[named[1]]): row[named[2]] for row in rows} == figures


@needs_files
def test_what_it_heard_is_what_the_vendors_file_says(sdk: Looker40SDK, served: Sandbox) -> None:
    served.recorded = []
    made = sdk.create_query(query())
    asked = (
        sdk.me,
        sdk.versions,
        sdk.all_lookml_models,
        sdk.all_looks,
        lambda: sdk.look("42"),
        lambda: sdk.query(made.id),
    )
    for ask in asked:
        ask()
    assert mistakes_in(served.recorded, "Looker.4.0.oas.json", "/api/4.0") == []

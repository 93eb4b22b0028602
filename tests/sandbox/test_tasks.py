"""Tasks of the sandbox's Salesforce, made and changed by the real client's calls."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce as Client

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.org import record_id
from salesforce_org import ONE, Org

Calls = Callable[..., list[dict[str, Any]]]
OWNER, LEFT = record_id("005", 101), record_id("005", 102)


@pytest.fixture
def org(company: Any) -> Org:
    made = Org(company)
    for identifier, active in ((OWNER, True), (LEFT, False)):
        made.add("User", Id=identifier, IsActive=active)
    return made


@pytest.fixture
def call(org: Org) -> Iterator[Calls]:
    """A collections call with Tasks."""
    with Sandbox(org.world) as running, requests.Session() as session:
        given = running.environment()
        login = {"grant_type": "client_credentials", "client_id": given["SALESFORCE_CLIENT_ID"]}
        login["client_secret"] = given["SALESFORCE_CLIENT_SECRET"]
        session.trust_env = False
        session.verify = given["ACCOUNTPULSE_CA_BUNDLE"]
        token = session.post(f"{given['SALESFORCE_LOGIN_URL']}/services/oauth2/token", data=login).json()
        host = token["instance_url"].removeprefix("https://")
        client = Client(session_id=token["access_token"], instance=host, version="66.0", session=session)

        def made(method: str, *records: dict[str, Any]) -> list[dict[str, Any]]:
            typed = [{"attributes": {"type": "Task"}, **each} for each in records]
            return client.restful("composite/sobjects", method=method, json={"records": typed})  # type: ignore[no-any-return]

        yield made


def codes(results: list[dict[str, Any]]) -> list[list[str]]:
    return [[error["statusCode"] for error in result["errors"]] for result in results]


def test_a_new_task_has_what_salesforce_fills_in_and_a_status_closes_it(org: Org, call: Calls) -> None:
    [made] = call("POST", {"WhatId": ONE, "Subject": "Call"})
    assert (made["success"], made["errors"]) == (True, [])
    [row] = org.objects["Task"].rows
    assert (row["Id"], row["AccountId"], row["Status"], row["IsClosed"]) == (made["id"], ONE, "Not Started", False)
    call("PATCH", {"id": made["id"], "Status": "Completed"})
    assert row["IsClosed"] is True


def test_what_the_org_refuses_of_a_call_costs_no_other_record(org: Org, call: Calls) -> None:
    gone = org.add("Task", IsDeleted=True)
    owned = [{"Subject": "Call", "OwnerId": owner} for owner in (OWNER, LEFT)]
    assert codes(call("POST", *owned)) == [[], ["INACTIVE_OWNER_OR_USER"]]
    changes = [{"id": gone, "Subject": "x"}, {"id": record_id("00T", 77), "Subject": "x"}]
    assert codes(call("PATCH", *changes)) == [["ENTITY_IS_DELETED"], ["INVALID_CROSS_REFERENCE_KEY"]]
    assert [row["OwnerId"] for row in org.objects["Task"].rows] == [None, OWNER]

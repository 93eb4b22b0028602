"""Twelve odd secrets in all settings, repeated by every system and by a checkpoint, leave in nothing (37)."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from accountpulse.core.period import Period, scope_of
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from aws.rig import Rig
from aws.test_secrets_stay import everything_in
from leaks import EMAIL, ODD, found_in, key, pem, secrets
from observe.test_rollbar import Project
from program import start
from support import NOW

OCTOBER = ("--period", "2026-10")
JSON = {"Content-Type": "application/json", "Retry-After": "0"}
BASIC = base64.b64encode(f"{EMAIL}:{ODD['JIRA_API_TOKEN']}".encode()).decode()
ECHO = " ~ ".join([*secrets(), BASIC, f"Bearer {ODD['INTERCOM_API_TOKEN']}"])


def careless() -> World:
    """Each account's name holds some of the secrets, all of them together each one."""
    world = build(seed=7, accounts=8, until=NOW)
    public = (
        key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    org = replace(
        world.salesforce,
        certificate=public.decode(),
        client_id=ODD["SALESFORCE_CLIENT_ID"],
        client_secret=ODD["SALESFORCE_CLIENT_SECRET"],
    )
    world = world.with_part("salesforce", org)
    world.intercom.token, world.jira.token, world.jira.email = ODD["INTERCOM_API_TOKEN"], ODD["JIRA_API_TOKEN"], EMAIL
    world.looker.client_id, world.looker.client_secret = ODD["LOOKER_CLIENT_ID"], ODD["LOOKER_CLIENT_SECRET"]
    customers = [customer.account_id for customer in world.customers]
    for row in org.objects["Account"].rows:
        if row["Id"] in customers:
            row["Name"] = f"ACME {' ~ '.join([*secrets(), BASIC][customers.index(row['Id']) :: 4])}"
    return world


def repeating() -> list[Fault]:
    """Every system repeats what it was sent: in errors that pass, in a page for people, and the org for each record."""
    body = json.dumps({"errors": [{"message": ECHO, "code": ECHO}], "message": ECHO, "errorMessages": [ECHO]}).encode()
    page = f"<html>{ECHO}</html>".encode()
    results = [{"success": False, "errors": [{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": ECHO}]}] * 8
    return [
        Fault("salesforce", 503, JSON, json.dumps([{"errorCode": ECHO, "message": ECHO}]).encode(), method="GET"),
        Fault(
            "salesforce", 200, JSON, json.dumps(results).encode(), path_contains="composite/sobjects", method="PATCH"
        ),
        *(Fault(name, 429, JSON, body) for name in ("intercom", "jira", "looker")),
        Fault("intercom", 200, {"Content-Type": "text/html"}, page, path_contains="/conversations/search"),
    ]


def spoil(folder: Path) -> None:
    """The checkpoint of the stopped run as one is that was written without redaction; this process knows no secret."""
    state = State(folder)
    (facts,) = state.runs.all("2026-10/")
    scope = scope_of(Period(2026, 10), NOW)
    extract = state.checkpoints.load(scope, "salesforce")
    assert extract is not None
    accounts = extract.tables["accounts"]
    spoilt = replace(
        extract,
        notes=(*extract.notes, *(f"a note with {secret}" for secret in secrets())),
        tables={**extract.tables, "accounts": accounts.with_columns(account_name=accounts["account_name"] + ECHO)},
    )
    state.checkpoints.save(scope, spoilt, facts["run_id"])
    assert found_in(everything_in(folder), secrets()) != []  # the search finds what is there


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Everything that left, by where it went."""
    folder, world = tmp_path_factory.mktemp("planted"), careless()
    texts: dict[str, str] = {}
    with Sandbox(world) as sandbox, Project() as project:
        given = {
            **sandbox.environment(),
            **ODD,
            "SALESFORCE_PRIVATE_KEY": pem(),
            "SALESFORCE_USERNAME": world.salesforce.username,
            "ACCOUNTPULSE_STATE": str(folder / "state"),
            "ROLLBAR_ENDPOINT": project.url,
        }

        def call(code: int, *words: str) -> None:
            done = start(folder, *words, **given)
            assert done.returncode == code, done.stderr[-2000:]
            name = "explain" if words[0] == "explain" else " ".join(words)
            texts[f"stdout of {name}"], texts[f"stderr of {name}"] = done.stdout, done.stderr

        sandbox.down.add("jira")
        sandbox.faults[:] = repeating()
        call(5, "run", *OCTOBER)
        spoil(folder / "state")
        sandbox.down.clear()
        sandbox.faults[:] = repeating()
        call(4, "run", *OCTOBER, "--out", "out")
        call(0, "accounts", "--out", "out/links.csv")
        call(0, "report")
        call(2, "explain", world.salesforce.objects["Account"].rows[0]["Name"])
        with Rig(folder, given) as rig:
            sandbox.faults[:] = [Fault("intercom", 403, JSON, ECHO.encode(), times=10**6)]
            texts["answer"] = json.dumps(rig.invoke({"period": "2026-09"}).body, ensure_ascii=False)
        texts["log"] = rig.log.read_text(encoding="utf-8")
    texts["rollbar"] = json.dumps([item["data"] for item in project.items], ensure_ascii=False)
    State(folder / "state").files.remove_all("extract/2026-10/salesforce/")  # what `spoil` put there
    texts["state"] = everything_in(folder / "state")
    texts["records"] = json.dumps(world.salesforce.objects["Health_Score__c"].rows, default=str, ensure_ascii=False)
    texts |= {str(path.name): path.read_text(encoding="utf-8") for path in (folder / "out").iterdir()}
    yield texts


def test_37_everything_that_may_leave_has_left(left: dict[str, str]) -> None:
    shown = left["stdout of run --period 2026-10 --out out"]
    assert "8 accounts left out" in shown
    assert shown.count("a note with •••") == len(secrets())
    assert "Salesforce  8 accounts, 2 signals          from the checkpoint" in shown
    for name in ("report-2026-10.html", "report-2026-10.csv", "links.csv", "stderr of explain", "state"):
        assert "•••" in left[name], name
    assert "INTERCOM_API_TOKEN" in left["answer"]
    assert "INTERCOM_API_TOKEN" in left["rollbar"]
    assert left["health-scores-2026-10.csv"].count("\n") == 9
    assert not [name for name, text in left.items() if "Traceback" in text]


def test_37_no_form_of_any_secret_is_in_anything_that_left(left: dict[str, str]) -> None:
    wanted = [*secrets(), BASIC]
    assert {name: found for name, text in left.items() if (found := found_in(text, wanted))} == {}

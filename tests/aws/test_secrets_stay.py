"""A secret in the places where one turns up by mistake leaves in nothing that goes out (37 of docs/reliability.md)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from aws.rig import Rig
from observe.test_rollbar import TOKEN, Project
from support import NOW

SECRET = 'pl4nted"s3cret\\value'
OCTOBER = {"period": "2026-10"}


@pytest.fixture
def careless() -> World:
    """Somebody has pasted the token into an account's name and owner, and the workspace repeats it in its refusals."""
    world = build(seed=7, accounts=8, until=NOW)
    world.intercom.token = SECRET
    customers = {customer.account_id for customer in world.customers}
    for row in world.salesforce.objects["Account"].rows:
        if row["Id"] in customers:
            row["Name"] = f"ACME (token {SECRET})"
    return world


def planted(sandbox: Sandbox) -> None:
    """In the body and a header of a refusal, and in a page for people."""
    body = f"too many requests of Bearer {SECRET}".encode()
    headers = {"Retry-After": "0", "X-Token": SECRET}
    sandbox.faults += [
        Fault("intercom", 429, headers, body, path_contains="/conversations/search"),
        Fault("intercom", 200, {"Content-Type": "text/html"}, body, path_contains="/conversations/search"),
    ]


def everything_in(folder: Path) -> str:
    """All objects of the state, tables taken apart."""
    state, texts = State(folder), []
    for name in state.files.names(""):
        if name.endswith(".parquet"):
            table = state.files.read_table(name)
            assert table is not None
            texts.append(json.dumps(table.to_dicts(), default=str, ensure_ascii=False))
        else:
            found = state.files.store.read(name)
            assert found is not None
            texts.append(found.content.decode())
    assert texts
    return "\n".join(texts)


def assert_clean(*texts: str) -> None:
    for text in texts:
        assert "pl4nted" not in text
        assert "s3cret" not in text


def test_37_a_planted_secret_is_in_no_log_state_answer_or_record(tmp_path: Path, careless: World) -> None:
    with Sandbox(careless) as running:
        planted(running)
        environment = {**running.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
        with Rig(tmp_path, environment) as rig:
            good = rig.invoke(OCTOBER)
            dry = rig.invoke({**OCTOBER, "dry_run": True})
    assert (good.kind, dry.kind) == ("response", "response"), good.body
    state = everything_in(tmp_path / "state")
    assert "ACME (token •••)" in state  # the name is there, and the secret is not
    assert_clean(state, rig.log.read_text(encoding="utf-8"), json.dumps(good.body), json.dumps(dry.body))
    assert_clean(json.dumps(careless.salesforce.objects["Health_Score__c"].rows, default=str))


def test_37_a_failing_run_leaks_it_neither_to_its_caller_nor_to_rollbar(tmp_path: Path, careless: World) -> None:
    with Sandbox(careless) as running, Project() as project:
        environment = {
            **running.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            "ROLLBAR_ACCESS_TOKEN": TOKEN,
            "ROLLBAR_ENDPOINT": project.url,
        }
        body = f"denied: Bearer {SECRET}".encode()
        with Rig(tmp_path, environment) as rig:
            running.faults.append(Fault("intercom", 403, {}, body, times=10**6))
            refused = rig.invoke(OCTOBER)
            running.faults[:] = [Fault("intercom", 503, {"Retry-After": "0"}, body, times=10**6)]
            down = rig.invoke(OCTOBER)
    assert (refused.kind, down.kind) == ("error", "error")
    assert len(project.items) == 2
    texts = [json.dumps(each, ensure_ascii=False) for each in (refused.body, down.body, *project.items)]
    assert_clean(*texts, rig.log.read_text(encoding="utf-8"), everything_in(tmp_path / "state"))


def test_37_the_command_line_prints_it_nowhere(tmp_path: Path, careless: World) -> None:
    with Sandbox(careless) as running:
        planted(running)
        kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "120"}
        given = {**kept, **running.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
        printed = []
        for words in (["check"], ["check", "--json"], ["run", "--period", "2026-10", "--dry-run"]):
            command = [sys.executable, "-m", "accountpulse", *words]
            done = subprocess.run(command, check=False, capture_output=True, text=True, env=given, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            printed.append(done.stdout + done.stderr)
        printed.append((tmp_path / "out" / "health-scores-2026-10.csv").read_text(encoding="utf-8"))
    assert_clean(*printed)

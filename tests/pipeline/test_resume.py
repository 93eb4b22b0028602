"""A run that is killed at any instant is finished by the same command: nothing is read or written twice, or missing."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from support import NOW

OCTOBER = Period(2026, 10)
CHANGING = {"Id", "Run_Id__c", "Scored_At__c", "SystemModstamp", "LastModifiedDate", "CreatedDate"}
ROUNDS, KILLS = 2, 3


def begin(folder: Path, sandbox: Sandbox, *extra: str) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, **sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder)}
    command = [sys.executable, "-m", "accountpulse", "run", "--period", "2026-10", *extra]
    return subprocess.Popen(
        command, env=environment, cwd=folder.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def org_of(world: World) -> list[dict[str, Any]]:
    rows = world.salesforce.objects["Health_Score__c"].rows
    kept = [{name: value for name, value in row.items() if name not in CHANGING} for row in rows]
    return sorted(kept, key=lambda row: str(row["External_Key__c"]))


def history_of(folder: Path) -> list[pl.DataFrame]:
    history = State(folder).history
    tables = [history.load(OCTOBER, "metrics"), history.load(OCTOBER, "scores")]
    found = [table for table in tables if table is not None]
    assert len(found) == len(tables)
    return found


@pytest.fixture(scope="module")
def small_world() -> World:
    return build(seed=7, accounts=25, until=NOW)


def test_killed_at_random_instants_it_ends_as_a_clean_run_does(tmp_path: Path, small_world: World) -> None:
    org = small_world.salesforce.objects["Health_Score__c"].rows
    chance = random.Random(20261101)  # noqa: S311
    with Sandbox(small_world) as sandbox:
        started = time.monotonic()
        assert begin(tmp_path / "clean", sandbox).wait() == 0
        length = time.monotonic() - started
        records, tables = org_of(small_world), history_of(tmp_path / "clean")
        assert len(records) == 25
        killed = 0
        for number in range(ROUNDS):
            org.clear()
            folder = tmp_path / f"round-{number}"
            for _ in range(KILLS):
                process = begin(folder, sandbox)
                time.sleep(chance.uniform(0.2, 1.0) * length)
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
            assert begin(folder, sandbox).wait() == 0
            assert org_of(small_world) == records
            for ours, clean in zip(history_of(folder), tables, strict=True):
                assert ours.equals(clean)
            assert [facts["status"] for facts in State(folder).runs.all()][-1] == "finished"
            assert list(State(folder).files.names("locks/")) == []
    assert killed >= ROUNDS  # or the instants say nothing


def test_what_was_read_before_the_stop_is_not_read_again(tmp_path: Path, small_world: World) -> None:
    with Sandbox(small_world) as sandbox:
        sandbox.down.add("intercom")
        assert begin(tmp_path / "state", sandbox).wait() == 5
        sandbox.down.clear()
        sandbox.log.clear()
        assert begin(tmp_path / "state", sandbox).wait() == 0
        asked = {call.system for call in sandbox.log}
        read = [call for call in sandbox.log if call.system == "salesforce" and "/query" in call.path]
    small_world.salesforce.objects["Health_Score__c"].rows.clear()
    assert "intercom" in asked
    assert not asked & {"jira", "looker"}
    assert len(read) <= 3  # what the load itself asks: the month, the marks of the current one, the count
    (facts,) = State(tmp_path / "state").runs.all()
    assert facts["status"] == "finished"


def test_a_period_that_another_process_runs_is_left_to_it(tmp_path: Path, small_world: World) -> None:
    now = datetime.now(UTC)
    with Sandbox(small_world) as sandbox, State(tmp_path / "state").locks.hold("2026-10", "other", now):
        assert begin(tmp_path / "state", sandbox).wait() == 6
        assert begin(tmp_path / "state", sandbox, "--dry-run").wait() == 0
        assert not any(call.method in ("PATCH", "PUT") for call in sandbox.log)

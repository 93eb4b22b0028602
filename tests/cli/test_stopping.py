"""A run that is told to stop: its period is free, what it read is kept, and the same command goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accountpulse import pipeline, settings
from accountpulse.cli import stopping
from accountpulse.core.errors import Stopped
from accountpulse.core.period import Period
from accountpulse.core.spooled import PREFIX
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from support import Silent


def begin(folder: Path, sandbox: Sandbox) -> subprocess.Popen[str]:
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {**sandbox.environment(), "PATH": os.environ["PATH"], "TMPDIR": str(folder / "tmp")}
    environment["ACCOUNTPULSE_STATE"] = str(folder / "state")
    command = [sys.executable, "-m", "accountpulse", "run", "--period", "2026-10"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=pipe, stderr=pipe, text=True)


def wait_for(process: subprocess.Popen[str], is_there: Callable[[], bool]) -> None:
    while not is_there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def stopped(folder: Path, sandbox: Sandbox, number: signal.Signals) -> dict[str, Any]:
    """The document of a run that is told to stop while its threads read, one of which waits for nearly two minutes."""
    state = State(folder / "state")
    sandbox.faults.append(Fault("intercom", 429, {"Retry-After": "110"}, path_contains="/conversations"))
    process = begin(folder, sandbox)
    wait_for(process, (folder / "state/extract/2026-10/jira/manifest.json").exists)
    process.send_signal(number)
    _out, said = process.communicate()
    assert process.returncode == 5
    assert f"stopped by {number.name}. Run the same command again" in said
    assert "Traceback" not in said
    assert list(state.files.names("locks/")) == []
    assert not list((folder / "tmp").glob(f"{PREFIX}*"))
    (facts,) = state.runs.all()
    return facts


def test_a_run_that_is_stopped_by_hand_ends_in_order(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox:
        facts = stopped(tmp_path, sandbox, signal.SIGINT)
    assert (facts["status"], facts["exit_code"]) == ("stopped", 5)


class Deaf:
    """Is told to stop where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_stop_that_comes_while_an_object_is_destroyed_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.unraisablehook
    with pytest.raises(Stopped, match="SIGTERM"), stopping.orderly():
        Deaf()
        time.sleep(5)
        pytest.fail("it was not heard")
    assert sys.unraisablehook is before
    assert not capsys.readouterr().err


def test_a_run_that_is_terminated_ends_in_order_and_is_gone_on_with(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox:
        facts = stopped(tmp_path, sandbox, signal.SIGTERM)
        assert facts["status"] == "stopped"
        sandbox.faults.clear()
        sandbox.log.clear()
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")})
        result = pipeline.execute(loaded, RunRequest(period=Period(2026, 10)), datetime.now(UTC), Silent())
        assert (result.exit_code, result.run_id) == (0, facts["run_id"])
        assert "jira" not in {call.system for call in sandbox.log}
    company.salesforce.objects["Health_Score__c"].rows.clear()

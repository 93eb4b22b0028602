"""A process that is killed while it writes state leaves the old object or the new one, and nothing that stays.

The kernel does it: no file may become longer than a limit, and whoever tries is killed in the middle of that write,
when the file has its passing name. Objects become longer in the order in which they are written, so that each limit
strikes another one.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from accountpulse import pipeline, settings
from accountpulse.core.period import Period, scope_of
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from support import NOW, Silent

OCTOBER = Period(2026, 10)
KILLS = 25
LIMITED = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["accountpulse", "run", "--period", "2026-10"]
runpy.run_module("accountpulse", run_name="__main__")
"""
WRITES = """
import os, random, resource, signal, sys
import polars as pl
from accountpulse.core.period import Period, scope_of
from accountpulse.core.spooled import spooled
from accountpulse.state import State
sys.path.insert(0, sys.argv[1])
from support import NOW
from datetime import timedelta

def write(folder, limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    state, scope = State(folder), scope_of(Period(2026, 10), NOW)
    ids = [f"001GONE{number}" for number in range(30)]

    def table(words):  # which don't compress
        chance = random.Random(words)
        return pl.DataFrame({"account_id": ids, "text": [chance.randbytes(16 * words).hex() for _ in ids]})

    state.checkpoints.save_part(
        scope, "intercom", "r1", "p-0-1", spools={"some": spooled(table(1))}, facts={"stretches": []}
    )
    state.history.save(Period(2026, 10), table(6), table(8), {"evidence": table(2), "signals": table(4)})
    with state.locks.hold("2026-10", "r1", NOW):
        state.runs.begin(scope, "r1", "f", NOW)
        state.runs.end(scope, "r1", "finished", {"notes": ["x" * 8_000]})

for number, limit in enumerate(sys.argv[3:]):
    if not (child := os.fork()):
        write(f"{sys.argv[2]}/{number}", int(limit))
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """States whose writer was killed at one write or another, of history, checkpoints, lock and run."""
    folder, chance = tmp_path_factory.mktemp("killed"), random.Random(15)  # noqa: S311
    limits = [chance.randrange(1, 8_000) for _ in range(KILLS)]
    command = [sys.executable, "-B", "-c", WRITES, str(Path(__file__).parents[1]), str(folder), *map(str, limits)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert [os.waitstatus_to_exitcode(int(line)) for line in done.stdout.split()] == [-signal.SIGXFSZ] * KILLS
    return [folder / str(number) for number in range(KILLS)]


def test_what_a_killed_write_left_is_neither_read_nor_kept(killed: list[Path]) -> None:
    assert all(len(left_behind(folder)) == 1 for folder in killed)
    assert len({left_behind(folder)[0].rpartition(".")[0] for folder in killed}) > 3  # of several kinds
    for folder in killed:
        state, scope = State(folder), scope_of(OCTOBER, NOW)
        with state.locks.hold("2026-10", "r2", NOW):
            state.sweep(scope, "r2")
            assert left_behind(folder) == []
            assert list(state.files.names("extract/")) == []
        assert [facts["status"] for facts in state.runs.all()] in ([], ["begun"])
        tables = [state.history.load(OCTOBER, kind) for kind in ("evidence", "signals", "metrics", "scores")]
        assert {table.height for table in tables if table is not None} <= {30}
        assert state.files.notes == []
        state.forget("001GONE7")
        assert not [path for path in folder.rglob("*") if path.is_file() and b"001GONE7\n" in path.read_bytes()]
        assert all(
            table is None or "001GONE7" not in table["account_id"]
            for table in (state.history.load(OCTOBER, kind) for kind in ("evidence", "signals", "metrics", "scores"))
        )


def test_a_run_that_is_killed_at_its_state_ends_as_a_clean_run_does(company: World, tmp_path: Path) -> None:
    rows = company.salesforce.objects["Health_Score__c"].rows
    with Sandbox(company) as sandbox:
        environment = {**sandbox.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "clean")}
        request = RunRequest(period=OCTOBER)
        pipeline.execute(settings.load(environment), request, NOW, Silent())
        expected = State(tmp_path / "clean").history.load(OCTOBER, "scores")
        rows.clear()
        environment["ACCOUNTPULSE_STATE"] = str(tmp_path / "state")
        given = {**environment, "PATH": os.environ["PATH"]}
        command = [sys.executable, "-B", "-c", LIMITED, "20000"]  # the history
        killed = subprocess.run(command, check=False, env=given, capture_output=True)
        assert killed.returncode == -signal.SIGXFSZ
        assert [name.rpartition(".")[0] for name in left_behind(tmp_path / "state")] == [".metrics.parquet"]
        result = pipeline.execute(settings.load(environment), request, NOW, Silent())
    assert result.exit_code == 0
    assert len(rows) == 25
    assert left_behind(tmp_path / "state") == []
    found = State(tmp_path / "state").history.load(OCTOBER, "scores")
    assert found is not None
    assert expected is not None
    assert found.equals(expected)
    rows.clear()

"""Snapshots as people make, list and look at them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.state import State
from program import Said, call

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


class Shell:
    """Commands over one state."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.environment = folder, environment

    def __call__(self, *words: str, columns: int = 100) -> Said:
        return call(self.folder, *words, **self.environment, COLUMNS=str(columns))

    @property
    def state(self) -> State:
        return State(self.environment["ACCOUNTPULSE_STATE"])


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """After a snapshot of yesterday; the sandbox is gone by then, since nothing more is asked."""
    folder = tmp_path_factory.mktemp("snapshots")
    with Sandbox(build(seed=7, accounts=6, until=datetime.now(UTC).replace(microsecond=0))) as sandbox:
        made = Shell(folder, **sandbox.environment(), ACCOUNTPULSE_STATE=str(folder / "state"))
        done = made("run", "--as-of", YESTERDAY)
    assert done.exit_code == 0, done.stderr
    assert f"Kept as the snapshot of {YESTERDAY}: `accountpulse report --as-of {YESTERDAY}`." in done.stdout
    assert "Nothing was sent to Salesforce; --current writes the records of the running month." in done.stdout
    return made


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_history_lists_snapshots_apart_from_months(shell: Shell, columns: int) -> None:
    shown = shell("history", columns=columns).stdout
    assert (
        shown.index("No run of a month yet") < shown.index("Snapshots, for `report --as-of`") < shown.index(YESTERDAY)
    )
    assert max(map(len, shown.splitlines())) <= columns or columns < 80
    (facts,) = map(json.loads, shell("history", "--json").stdout.splitlines())
    assert (facts["snapshot"], facts["period"], facts["current"]) == (YESTERDAY, YESTERDAY[:7], False)


def test_report_and_explain_show_a_snapshot_by_its_day_or_its_run(shell: Shell) -> None:
    run_id = next(iter(shell.state.snapshots.runs.all()))["run_id"]
    for words in (("--as-of", YESTERDAY), ("--run", run_id), ("--run", "last")):
        document = json.loads(shell("report", "--json", *words).stdout)
        assert document["snapshot"] == YESTERDAY
        assert document["before"] is None
        shown = shell("explain", document["accounts"]["id"][0], *words).stdout
        assert f"snapshot of {YESTERDAY}, scorecard default" in shown
    written = shell("report", "--as-of", YESTERDAY)
    assert written.exit_code == 0
    assert (shell.folder / "out" / f"report-{YESTERDAY}.html").exists()
    assert "not over" not in written.stdout


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("report",), 3, f"there are snapshots alone: `report --as-of {YESTERDAY}` shows the last one"),
        (
            ("report", "--as-of", "2020-01-31"),
            3,
            "does not hold a snapshot of 2020-01-31 with its scorecard; ",
        ),
        (("report", "--as-of", "2020-01"), 2, "--as-of '2020-01' is not a day of the form YYYY-MM-DD"),
        (("explain", "x", "--as-of", YESTERDAY, "--period", "2026-10"), 2, "either --period YYYY-MM, --as-of DAY or"),
    ],
)
def test_what_cannot_be_shown_is_said_with_what_can(shell: Shell, words: tuple[str, ...], code: int, text: str) -> None:
    done = shell(*words)
    assert (done.exit_code, text in done.stderr) == (code, True), done.stderr

"""The program as people start it: what it prints, and how it ends."""

import csv
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from accountpulse import __version__
from accountpulse.cli.demo import emptied
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from accountpulse.state.history import NEEDS
from program import CLEAN, call, start
from support import NOW


def test_the_demo_scores_loads_reads_back_and_reports_every_customer(tmp_path: Path) -> None:
    done = start(tmp_path, "demo", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "Scored 120 accounts" in done.stdout
    assert "Wrote 120 records to Salesforce (120 created, 0 updated)" in done.stdout
    assert "Read back from the sandbox's Salesforce: 120 records of this run." in done.stdout
    for title in ("Salesforce", "Intercom", "Jira", "Looker", "Most at risk", "Next"):
        assert title in done.stdout
    shown, _, steps = done.stdout.partition("Next\n")
    assert max(map(len, shown.splitlines())) <= 80  # in a narrower one: tests/report/test_files.py
    assert "Report: accountpulse-demo/report-" in shown
    with next((tmp_path / "accountpulse-demo").glob("health-scores-*.csv")).open(
        encoding="utf-8", newline=""
    ) as stream:
        assert len(list(csv.DictReader(stream))) == 120
    assert "The 5 months before ran first" in done.stdout
    assert [path.suffix for path in sorted((tmp_path / "accountpulse-demo").glob("report-*"))] == [
        ".csv",
        ".html",
    ]
    with next((tmp_path / "accountpulse-demo").glob("report-*.csv")).open(encoding="utf-8", newline="") as stream:
        assert all(line["tier_before"] for line in csv.DictReader(stream))
    assert not (tmp_path / "out").exists()  # where a real run leaves its own
    commands = [line.strip() for line in steps.splitlines() if "accountpulse " in line and line[2] != " "]
    explain, history, *others = (command.replace("python", shlex.quote(sys.executable)) for command in commands)
    told = subprocess.run(explain, shell=True, cwd=tmp_path, env=CLEAN, capture_output=True, text=True, check=True)  # noqa: S602
    assert "Churn risk" in told.stdout
    assert "Since" in told.stdout
    listed = subprocess.run(history, shell=True, cwd=tmp_path, env=CLEAN, capture_output=True, text=True, check=True)  # noqa: S602
    assert listed.stdout.count("finished") == 6
    for command in others:
        words = shlex.split(command)[3:]
        assert (
            call(tmp_path, *(words if "--help" in words or words[0] != "sandbox" else [*words, "--help"])).exit_code
            == 0
        )


def test_a_demo_takes_an_earlier_demos_state_away_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "demo-state" / "runs").mkdir(parents=True)
    (tmp_path / "state").write_text("of somebody else", encoding="utf-8")
    assert not emptied(tmp_path / "demo-state").exists()
    assert (tmp_path / "state").read_text(encoding="utf-8") == "of somebody else"
    with pytest.raises(UsageError, match="give another folder by --out"):
        emptied(tmp_path / "state")


def test_a_system_that_is_down_ends_a_run_with_5_and_is_named(tmp_path: Path, sandbox: Sandbox, world: World) -> None:
    sandbox.down.add("looker")
    done = start(tmp_path, "run", "--period", "2026-10", **sandbox.environment())
    assert done.returncode == 5
    assert "looker" in done.stdout.lower()
    assert "--allow-partial" in done.stdout + done.stderr
    assert world.salesforce.objects["Health_Score__c"].rows == []


def test_a_wrong_token_ends_a_run_with_3_and_names_the_setting_but_not_its_value(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    environment = {**sandbox.environment(), "INTERCOM_API_TOKEN": "wrong-token-of-a-test"}
    done = start(tmp_path, "run", "--period", "2026-10", **environment)
    assert done.returncode == 3
    assert "INTERCOM_API_TOKEN" in done.stdout + done.stderr
    assert "wrong-token-of-a-test" not in done.stdout + done.stderr
    assert [call.status for call in sandbox.log if call.system == "intercom"] == [401]


def test_every_mistake_of_the_mapping_is_listed_at_once(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "accountpulse.yaml").write_text(
        "timezone: Mars/Olympus\nlooker:\n  modle: alliants\nintercom:\n  priority:\n    levels: 5\n", encoding="utf-8"
    )
    environment = {name: value for name, value in sandbox.environment().items() if name != "ACCOUNTPULSE_CONFIG"}
    done = start(tmp_path, "run", **environment)
    assert done.returncode == 3
    for mistake in ("timezone", "modle", "levels"):
        assert mistake in done.stderr
    assert "Traceback" not in done.stderr
    assert sandbox.log == []


@pytest.mark.parametrize("text", ["2026-13", "October", "2026-1", "2999-01", "-"])
def test_a_month_that_cannot_be_scored_is_one_line(tmp_path: Path, sandbox: Sandbox, text: str) -> None:
    done = start(tmp_path, "run", f"--period={text}", **sandbox.environment())
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert text in done.stderr
    assert sandbox.log == []


def test_without_any_setting_a_run_lists_what_is_missing(tmp_path: Path) -> None:
    done = start(tmp_path, "run")
    assert done.returncode == 3
    assert "SALESFORCE_" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_in_a_number_column_is_named_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("account_id,csat_score,mau\nA,90,10\nB,good,11\n", encoding="utf-8")
    done = start(tmp_path, "score", "--metrics", "metrics.csv", "--out", "scores.csv")
    assert done.returncode == 2
    assert "csat_score" in done.stderr
    assert "line 3" in done.stderr
    assert not (tmp_path / "scores.csv").exists()


def test_a_table_of_metrics_is_scored_without_any_system(tmp_path: Path) -> None:
    truth = start(tmp_path, "sandbox", "--truth", "truth.csv", "--accounts", "5", "--period", "2026-10")
    assert truth.returncode == 0, truth.stderr
    with (tmp_path / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    accounts = list(dict.fromkeys(row["account_id"] for row in rows))
    values = {(row["account_id"], row["metric"]): row["value"] for row in rows}
    with (tmp_path / "metrics.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["account_id", *metrics])
        writer.writerows([account, *(values[account, name] for name in metrics)] for account in accounts)
    done = start(tmp_path, "score", "--metrics", "metrics.csv", "--out", "scores.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["account_id"] for row in csv.DictReader(stream)] == accounts


def test_two_accounts_with_one_company_are_both_named(tmp_path: Path) -> None:
    world = build(seed=7, accounts=6, until=NOW)
    rows = [row for row in world.salesforce.objects["Account"].rows if row["Id"] in _ids(world)]
    rows[1]["Intercom_Company_Id__c"] = rows[0]["Intercom_Company_Id__c"]
    with Sandbox(world) as sandbox:
        done = start(tmp_path, "run", "--period", "2026-10", **sandbox.environment())
        shown = call(tmp_path, "accounts", **sandbox.environment())
    assert (done.returncode, shown.exit_code) == (4, 4)
    for row in rows[:2]:
        assert row["Id"] in done.stdout
        assert row["Id"] in shown.stdout
    assert "Wrote 4 records" in done.stdout


def _ids(world: World) -> set[str]:
    return {customer.account_id for customer in world.customers}


def test_a_scorecard_with_mistakes_is_refused_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("name: mine\nhaelth:\n  weight: 1\ntiers: 5\n", encoding="utf-8")
    done = start(tmp_path, "scorecard", "check", "card.yaml")
    assert done.returncode in {2, 3}
    assert "Traceback" not in done.stderr
    assert "haelth" in done.stderr
    assert "tiers" in done.stderr


def test_a_source_that_does_not_exist_is_told_before_anything_else(tmp_path: Path) -> None:
    done = start(tmp_path, "run", "--only", "intrcom")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "--only: 'intrcom' is not a source; the sources are salesforce, intercom, jira, looker"
    ]


def test_the_sandboxs_settings_can_be_pasted_into_a_shell_from_a_narrow_terminal(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "accountpulse", "sandbox", "--accounts", "1", "--port", "0"],
        cwd=tmp_path, env={**CLEAN, "COLUMNS": "40"}, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        lines = []
        while not lines or not lines[-1].startswith("export JIRA_EMAIL="):
            lines.append(server.stdout.readline().rstrip("\n"))
            assert lines[-1].startswith(("# ", "export ")), lines
        server.send_signal(signal.SIGINT)
    assert server.returncode == 0


def test_a_place_that_the_truth_can_not_be_written_to_is_named(tmp_path: Path) -> None:
    done = call(tmp_path, "sandbox", "--truth", str(tmp_path), "--accounts", "1", "--period", "2019-03")
    assert (done.exit_code, "can't be written" in done.stderr) == (2, True)


def test_the_program_says_its_version(tmp_path: Path) -> None:
    assert start(tmp_path, "--version").stdout == f"accountpulse {__version__}\n"


def test_the_program_says_what_it_can_do(tmp_path: Path) -> None:
    done = start(tmp_path, "--help")
    assert done.returncode == 0
    for command in ("demo", "run", "accounts", "score", "scorecard", "report", "history", "forget", "sandbox"):
        assert command in done.stdout


def test_history_lists_runs_and_forget_erases_an_account(tmp_path: Path, sandbox: Sandbox, world: World) -> None:
    done = start(tmp_path, "run", "--period", "2026-10", **sandbox.environment())
    assert done.returncode == 0, done.stderr
    shown = start(tmp_path, "history")
    assert shown.returncode == 0
    assert "2026-10" in shown.stdout
    assert "finished" in shown.stdout
    told = start(tmp_path, "history", "--json")
    assert json.loads(told.stdout)["written"] == 120
    account = world.customers[0].account_id
    files = sorted((tmp_path / "state" / "history").rglob("*.parquet"))
    before = {file: pl.read_parquet(file, hive_partitioning=False) for file in files}
    own = {file: table.filter(account_id=account).height for file, table in before.items()}
    assert {file.stem for file in files} == set(NEEDS)
    refused = start(tmp_path, "forget", "nobody")
    assert refused.returncode == 2
    erased = start(tmp_path, "forget", account, "--yes")
    assert erased.returncode == 0
    assert f"{sum(own.values())} rows of {account}" in erased.stdout
    state = State(tmp_path / "state")
    for kind in NEEDS:
        table = state.history.load(Period(2026, 10), kind)
        assert table is not None
        assert account not in str(table.to_dict(as_series=False))
    for file, table in before.items():
        assert pl.read_parquet(file, hive_partitioning=False).height == table.height - own[file]


def test_without_a_run_history_says_so(tmp_path: Path) -> None:
    shown = start(tmp_path, "history")
    assert (shown.returncode, "No run yet" in shown.stdout) == (0, True)

"""A system, and a destination, is one folder and one line of the register: shown on a copy of the package."""

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import accountpulse

HERE = Path(__file__).parent
PACKAGE = Path(accountpulse.__file__).parent
SUPPORT = (
    "total_conversations",
    "p1_p2_pct",
    "escalation_pct",
    "median_first_response_seconds",
    "median_resolution_seconds",
    "csat_score",
    "csat_response_rate",
)
ACCOUNTS = 24


@dataclass
class Copy:
    """A copy of the installed package, and a folder to run it in."""

    root: Path

    def add(self, part: str, name: str) -> None:
        """One folder, and one line in the register of the part."""
        shutil.copytree(HERE / part / name, self.root / "accountpulse" / part / name)
        register = self.root / "accountpulse" / part / "__init__.py"
        before = register.read_text(encoding="utf-8")
        after = before.replace('    "salesforce",\n', f'    "salesforce",\n    "{name}",\n', 1)
        assert len(after.splitlines()) == len(before.splitlines()) + 1
        register.write_text(after, encoding="utf-8")

    def run(self, *commands: str, **environment: str) -> tuple[str, list[Any]]:
        """What the commands print, and the truth about the company."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        state = {"ACCOUNTPULSE_STATE": str(self.root / "state"), "PYTHONPATH": str(self.root), "COLUMNS": "160"}
        done = subprocess.run(
            [sys.executable, str(HERE / "driver.py"), str(ACCOUNTS), *commands],
            cwd=self.root,
            env={**kept, **state, "HOME": str(self.root), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said, _, truth = done.stdout.rstrip().rpartition("\n")
        return said, json.loads(truth)

    def history(self, kind: str) -> pl.DataFrame:
        return pl.read_parquet(self.root / "state" / "history" / kind / "period=2026-10" / f"{kind}.parquet")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, root / "accountpulse", ignore=shutil.ignore_patterns("__pycache__"))
    made = Copy(root)
    made.add("systems", "helpdesk")
    made.add("sandbox", "helpdesk")
    made.add("systems", "ledger")
    return made


@pytest.fixture(scope="module")
def ran(copy: Copy) -> tuple[str, list[Any]]:
    commands = ("run --period 2026-10", "check --period 2026-10", "accounts --json", "run --period 2026-10")
    return copy.run(*commands, LEDGER_FILE=str(copy.root / "ledger.parquet"))


def test_no_other_source_file_knows_its_name() -> None:
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".py", ".yaml", ".js", ".html"}:
            text = path.read_text(encoding="utf-8").lower()
            assert "helpdesk" not in text, path
            assert "ledger" not in text, path


def test_support_of_all_accounts_is_that_of_both_systems_united(copy: Copy, ran: tuple[str, list[Any]]) -> None:
    measured = {row["account_id"]: row for row in copy.history("metrics").iter_rows(named=True)}
    expected = [row for row in ran[1] if row[1] in SUPPORT]
    assert len(expected) == len(measured) * len(SUPPORT) == ACCOUNTS * len(SUPPORT)
    wrong = []
    for account, metric, value, reason in expected:
        got, why = measured[account][metric], measured[account][f"{metric}_reason"]
        same = got is None and why == reason if value is None else got is not None and math.isclose(got, value)
        if not same:
            wrong.append(f"{account} {metric}: {got} ({why}), true is {value} ({reason})")
    assert wrong == []


def test_accounts_of_both_one_and_no_support_system_are_among_them(copy: Copy, ran: tuple[str, list[Any]]) -> None:
    assert ran
    evidence = copy.history("evidence").filter(pl.col("source").is_in(["intercom", "helpdesk"]))
    linked = evidence.filter(pl.col("reason").is_null()).group_by("account_id").agg(pl.col("source").sort())
    pairs = {tuple(sources) for sources in linked["source"]}
    assert pairs >= {("intercom",), ("helpdesk", "intercom")}
    rows = evidence.filter(pl.col("source") == "helpdesk")["rows"]
    assert rows.sum() == 36  # three of every second customer


def test_every_command_says_which_system_said_what(ran: tuple[str, list[Any]]) -> None:
    said = ran[0]
    assert "36 tickets" in said
    assert "helpdesk: signed in" in said.replace("  ", " ") or "helpdesk" in said
    assert '"helpdesk": {' in said
    assert said.count("exit code 0") >= 2


def test_a_failed_system_leaves_support_unknown_only_where_the_account_is_linked_in_it(copy: Copy) -> None:
    without = copy.run("run --period 2026-09 --allow-partial", HELPDESK_URL="http://127.0.0.1:9", WITHOUT="")[0]
    assert without


def test_a_destination_gets_every_record_and_a_second_run_changes_nothing(
    copy: Copy, ran: tuple[str, list[Any]]
) -> None:
    table = pl.read_parquet(copy.root / "ledger.parquet")
    assert table.height == table["account_id"].n_unique() == ACCOUNTS
    scores = copy.history("scores").sort("account_id")
    assert table.sort("account_id")["health_score"].equals(scores["health_score"])
    assert f"Wrote {ACCOUNTS} records to Ledger" in ran[0]
    assert "Wrote 0 records to Ledger (0 created, 0 updated), 24 unchanged" in ran[0]

"""A state that the version before the rooms were moved wrote is read as it is: history, scorecards, checkpoints."""

import csv
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.period import parse_period, scope_of
from accountpulse.pipeline import earlier_runs, proof_input, report_document
from accountpulse.report.files import files
from accountpulse.state import State
from program import start
from support import NAMES

BEFORE = Path(__file__).parent / "before"  # `state.tgz`, and what that version said of it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three months of six accounts; the last run of September was stopped, since Jira was down."""
    with tarfile.open(BEFORE / "state.tgz") as archive:
        archive.extractall(tmp_path / "state", filter="data")
    return tmp_path


def test_explain_and_history_say_what_they_said(folder: Path) -> None:
    expected = json.loads((BEFORE / "explain.json").read_text(encoding="utf-8"))
    said = start(folder, "explain", expected["account_id"], "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert [each["source"] for each in found.pop("sources")] == ["Salesforce", "Intercom", "Jira", "Looker"]
    assert found["risk"].pop("probability") is None
    assert found.pop("owner").startswith("005")  # that version knew no names
    assert found.pop("owner_id") is None
    assert all((each["title"], each["owner"]) == (None, None) for each in found.pop("signals"))
    assert found.pop("links") == []
    assert found.pop("group") is None  # it kept no parents
    assert (found.pop("pulse"), found.pop("forecast"), found.pop("disagreements")) == (None, None, [])
    assert found.pop("limit").startswith("three or more payment problems: health, 73.6 now, can't rise above 74 until")
    assert found.pop("next_step") == "Find a new champion, and agree on a review"  # champions cost most
    assert found == expected
    lines = start(folder, "history", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        json.loads(line) for line in (BEFORE / "history.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def test_the_report_lists_what_it_listed(folder: Path) -> None:
    made = files(report_document.document(State(str(folder / "state")), None))
    (content,) = [content for name, content in made.items() if name.endswith(".csv")]
    found = {row["account_id"]: row for row in csv.DictReader(io.StringIO(content.decode()))}
    with (BEFORE / "report.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["account_id"]: row for row in csv.DictReader(file)}
    assert {row["owner_id"] for row in found.values()} == {""}
    assert set(found) == set(expected)
    for account, row in expected.items():  # what is next is said by other rules now
        same = [name for name in row if name != "next_step"]
        assert [found[account][name] for name in same] == [row[name] for name in same]


def test_its_checkpoints_are_read_afresh(folder: Path) -> None:
    """They don't say what was unknown of single accounts, so that what they hold could pass for all of it."""
    state = State(str(folder / "state"))
    scope = scope_of(parse_period("2026-09"), datetime(2026, 11, 30, tzinfo=UTC))
    assert [state.checkpoints.load(scope, name) for name in NAMES] == [None] * len(NAMES)


def test_an_earlier_month_is_scored_anew_to_the_same_bits(folder: Path) -> None:
    state = State(str(folder / "state"))
    october = earlier_runs.recall_or_refuse(state, parse_period("2026-10"))
    again = earlier_runs.rescored_whole(october, state, october.card)
    names = ["account_id", "health_score", "churn_risk_score", "tier", "coverage"]
    assert again.sort("account_id").select(names).equals(october.scores.sort("account_id").select(names))


def test_forgetting_an_account_leaves_no_row_of_it(folder: Path) -> None:
    state = State(str(folder / "state"))
    account = json.loads((BEFORE / "explain.json").read_text(encoding="utf-8"))["account_id"]
    assert state.history.forget(account) > 0
    for kind in ("metrics", "scores", "evidence", "signals"):
        for file in (folder / "state" / "history" / kind).rglob("*.parquet"):
            assert pl.read_parquet(file).filter(pl.col("account_id") == account).is_empty()


def test_its_months_count_as_reconstructed_and_one_that_was_not_finished_as_none(folder: Path) -> None:
    state = State(str(folder / "state"))
    months = proof_input.months_of(state)
    finished = [facts["period"] for facts in state.runs.all() if facts["status"] == "finished"]
    assert set(months["as_of"].dt.to_string("%Y-%m-%d")) == {
        parse_period(name).shifted(1).first_day.isoformat() for name in finished
    }
    assert set(months["reconstructed"]) == {True}
    assert months["measured_at"].null_count() == 0
    (note,) = state.files.notes
    assert all(name in note for name in finished)
    assert "count as reconstructed" in note

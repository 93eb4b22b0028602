"""A scorecard with tiers of its own: everything that a person reads uses its names, and no others."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from accountpulse import pipeline, settings
from accountpulse.cli import difference, explain, scoring, summary
from accountpulse.core.period import Period
from accountpulse.pipeline import report_document
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.report import table
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.scorecard import default_text
from accountpulse.state import State
from support import NOW, Silent

PACKAGED = ("Champion", "Healthy", "At Risk", "Critical")
MINE = "tiers:\n  - {name: Gold, min: 70}\n  - {name: Silver, min: 0}\n"


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged scorecard with the tiers Gold and Silver."""
    head, _, rest = default_text().partition("tiers:\n")
    path = tmp_path_factory.mktemp("cards") / "mine.yaml"
    path.write_text(head + MINE + rest[rest.index("\nchurn_risk:") :], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def result(card: Path, folder: Path) -> RunResult:
    with Sandbox(build(seed=7, accounts=20, until=NOW)) as sandbox:
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        return pipeline.execute(loaded, RunRequest(period=Period(2026, 10), scorecard=card), NOW, Silent())


def names_only_its_own(text: str, *expected: str) -> None:
    assert [name for name in PACKAGED if f"{name} " in text] == []
    for name in expected:
        assert name in text


def test_the_runs_table_lists_them_in_their_order_and_not_rated_last(result: RunResult) -> None:
    console = Console(file=io.StringIO(), width=120)
    summary.report(result, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    names_only_its_own(text, "Gold", "Silver", "Not Rated")
    lines = text[text.index("Tier ") :].splitlines()[1:4]
    assert [line.split("  ")[0] for line in lines] == ["Gold", "Silver", "Not Rated"]
    assert result.scores is not None
    assert [int(line.removeprefix("Not ").split()[1]) for line in lines] == [
        result.scores.filter(pl.col("tier") == name).height for name in ("Gold", "Silver", "Not Rated")
    ]


@pytest.mark.usefixtures("result")
def test_score_and_the_difference_of_two_scorecards_use_them(
    card: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scoring.score_stored(State(folder), None, card, tmp_path / "scores.csv") == 0
    names_only_its_own(capsys.readouterr().out, "Gold", "Silver", "Not Rated")
    other = tmp_path / "other.yaml"
    other.write_text(card.read_text(encoding="utf-8").replace("Gold, min: 70", "Gold, min: 90"), encoding="utf-8")
    assert difference.compare_on_state(card, other, State(folder), None, None) == 0
    names_only_its_own(capsys.readouterr().out, "Gold → Silver")


def test_explain_and_the_report_use_them(result: RunResult, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert result.scores is not None
    gold = result.scores.filter(pl.col("tier") == "Gold")["account_id"][0]
    assert explain.explain_account(State(folder), gold, None, as_json=False) == 0
    names_only_its_own(capsys.readouterr().out, "Gold")
    document = report_document.document(State(folder), None)
    assert [tier["name"] for tier in document["tiers"]] == ["Gold", "Silver", "Not Rated"]
    assert [row["tier"] for row in document["distribution"]] == ["Gold", "Silver", "Not Rated"]
    lines = list(csv.DictReader(io.StringIO(table.csv(document).decode("utf-8-sig"))))
    assert {line["tier"] for line in lines} == set(result.scores["tier"])


def test_the_page_of_the_report_uses_them(result: RunResult, folder: Path) -> None:
    page = pytest.importorskip("accountpulse.report.page")
    assert result.scores is not None
    markup = page.render(report_document.document(State(folder), None))
    for name in PACKAGED:
        assert f">{name}<" not in markup
    for name in ("Gold", "Silver"):
        assert f"<option>{name}</option>" in markup
    assert "Not Gold, and overdue or due within 90 days" in markup


def test_the_best_tier_is_green_the_worst_red_whatever_they_are_called() -> None:
    styles = {"Champion": "green", "Healthy": "green", "At Risk": "yellow", "Critical": "red", "Not Rated": "dim"}
    assert summary.tier_styles(PACKAGED) == styles
    assert summary.tier_styles(["Gold", "Silver"]) == {"Gold": "green", "Silver": "red", "Not Rated": "dim"}
    assert list(summary.tier_styles("ABC").values()) == ["green", "yellow", "red", "dim"]
    assert list(summary.tier_styles("A").values()) == ["green", "dim"]

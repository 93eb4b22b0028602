"""`explain`, `score` and `scorecard diff`, as people call them, over a state that real runs left behind."""

import json
import math
import shutil
from pathlib import Path

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.pipeline import report_document
from accountpulse.pipeline.earlier_runs import recall, run_before
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.scorecard import default_text
from accountpulse.state import State
from program import call
from support import NOW, Silent

MONTHS = (7, 9, 10)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state after runs of July, September and October, the last one with another scorecard."""
    folder = tmp_path_factory.mktemp("kept")
    card = folder / "mine.yaml"
    card.write_text(default_text().replace("weight: 0.30", "weight: 0.25", 1), encoding="utf-8")
    with Sandbox(build(seed=7, accounts=40, until=NOW)) as sandbox:
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder / "state")})
        for month in MONTHS:
            options = RunRequest(period=Period(2026, month), scorecard=card if month == 10 else None)
            assert pipeline.execute(loaded, options, NOW, Silent()).exit_code == 0
    return folder / "state"


def scores(kept: Path, month: int = 10) -> pl.DataFrame:
    return pl.read_parquet(kept / "history" / "scores" / f"period=2026-{month:02}" / "scores.parquet")


def told(tmp_path: Path, kept: Path, account: str, *words: str) -> dict:
    done = call(tmp_path, "explain", account, "--json", *words, ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_keeps_the_scorecard_that_it_used(kept: Path) -> None:
    earlier = recall(State(kept), Period(2026, 10))
    assert earlier is not None
    assert earlier.facts["scorecard"] == f"default {earlier.card.hash}"
    assert earlier.card.hash != recall(State(kept), Period(2026, 9)).card.hash  # type: ignore[union-attr]
    assert earlier.card.dimensions[:3] == ("support", "bugs", "adoption")  # in the file's order
    before = run_before(State(kept), Period(2026, 9))
    assert before is not None
    assert before.period == Period(2026, 7)  # August was not run
    assert run_before(State(kept), Period(2026, 7)) is None


def test_every_account_is_explained_and_every_sum_adds_up(tmp_path: Path, kept: Path) -> None:
    now, then = scores(kept), {row["account_id"]: row for row in scores(kept, 9).iter_rows(named=True)}
    for row in now.head(6).iter_rows(named=True):
        story = told(tmp_path, kept, row["account_id"])
        assert (story["tier"], story["health_score"]) == (row["tier"], row["health_score"])
        changed, earlier = story["changed"], then[row["account_id"]]
        assert changed["since"] == "2026-09"
        if row["health_score"] is None or earlier["health_score"] is None:
            assert changed["parts"] is None
            continue
        contributions = sum(metric["contribution"] for metric in story["metrics"])
        assert math.isclose(contributions, row["health_before_caps"], abs_tol=1e-9)
        parts = changed["parts"]
        total = parts["scorecard"] + parts["coverage"] + sum(parts["metrics"].values()) + parts["caps"]
        assert math.isclose(total, row["health_score"] - earlier["health_score"], abs_tol=1e-9)
        assert parts["scorecard"] != 0  # adoption weighs less now
        assert math.isclose(sum(each["weight"] for each in story["dimensions"]), 1)
        risk = story["risk"]
        plain = 100 / (1 + math.exp(-sum(risk["terms"].values())))
        assert math.isclose(risk["score"], plain, rel_tol=1e-9) or risk["score"] > plain  # a floor
        july = risk["health_before_caps_3_months_before"]
        assert (july is None) == (scores(kept, 7).filter(account_id=row["account_id"])["health_score"].item() is None)


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_the_page_fits_a_terminal_and_says_what_the_json_says(tmp_path: Path, kept: Path, columns: str) -> None:
    row = next(row for row in scores(kept).iter_rows(named=True) if row["cap_reason"] and row["health_score"])
    done = call(tmp_path, "explain", row["account_id"], ACCOUNTPULSE_STATE=str(kept), COLUMNS=columns)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(len(line) for line in lines if "://" not in line) <= int(columns)  # links aren't broken
    assert len(lines) <= 50
    flat = " ".join(done.stdout.split())
    story = told(tmp_path, kept, row["account_id"])
    texts = [each["text"] for each in (*story["drivers"], *story["changed"]["movers"])]
    assert len(texts) >= 4
    words = (row["account_name"], row["tier"], "an index, not a probability", f"Next: {story['next_step']}")
    for text in (*words, *story["cap_reasons"], *texts):
        assert " ".join(text.split()) in flat, text


def test_explain_says_the_next_step_of_the_report(tmp_path: Path, kept: Path) -> None:
    """The health of the run before is by the scorecard of this one: only then do the changes of health fit."""
    listed = report_document.document(State(str(kept)), Period(2026, 10))["accounts"]
    by_account = dict(zip(listed["id"], listed["step"], strict=True))
    for row in scores(kept).head(3).iter_rows(named=True):
        assert told(tmp_path, kept, row["account_id"])["next_step"] == by_account[row["account_id"]]
    assert len(set(by_account.values())) > 3


def test_an_account_is_found_by_either_id_or_by_its_name(tmp_path: Path, kept: Path) -> None:
    known = scores(kept)
    row = known.filter(known["account_name"].is_unique()).row(0, named=True)
    for wanted in (row["account_id"], row["account_id"][:15], row["account_name"], row["account_name"].upper()):
        assert told(tmp_path, kept, wanted)["account_id"] == row["account_id"], wanted


def test_a_name_that_fits_several_accounts_lists_them(tmp_path: Path, kept: Path) -> None:
    done = call(tmp_path, "explain", "a", ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 2
    assert "give the id of the one you mean" in done.stderr
    first, second, *_ = sorted(
        (name, account) for account, name in scores(kept)["account_id", "account_name"].rows() if "a" in name.lower()
    )
    assert f"{first[1]}  {first[0]}" in done.stderr
    assert f"{second[1]}  {second[0]}" in done.stderr


def test_a_name_or_an_id_with_a_typo_is_answered_with_those_that_are_near(tmp_path: Path, kept: Path) -> None:
    known = dict(scores(kept)["account_name", "account_id"].rows())
    account = known["O'Brien & Sons"]
    for wanted in ("OBrien & Sons", "O'Brain and Sons", "Sons & O'Brien", "o'brain", f"{account[:-1]}9"):
        done = call(tmp_path, "explain", wanted, ACCOUNTPULSE_STATE=str(kept))
        assert done.exit_code == 2, wanted
        assert "did you mean:" in done.stderr
        assert f"  {account}  O'Brien & Sons" in done.stderr.splitlines()[1], wanted
    assert told(tmp_path, kept, account.lower())["account_id"] == account  # a spreadsheet lost its case


def test_a_word_in_another_encoding_than_the_terminals_is_no_fault_of_ours(tmp_path: Path, kept: Path) -> None:
    done = call(tmp_path, "explain", "M\udcfcller", ACCOUNTPULSE_STATE=str(kept))  # the bytes of Müller in Latin-1
    assert done.exit_code == 2
    assert "M\ufffdller" in done.stderr


@pytest.mark.parametrize("wanted", ["", "no such company", "001000000000000"])
def test_nobody_of_that_name_is_one_line(tmp_path: Path, kept: Path, wanted: str) -> None:
    done = call(tmp_path, "explain", wanted, ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_month_that_was_not_run_says_which_were(tmp_path: Path, kept: Path) -> None:
    done = call(tmp_path, "explain", "x", "--period", "2026-08", ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 3
    assert "there are runs of 2026-07, 2026-09, 2026-10" in done.stderr
    empty = call(tmp_path, "explain", "x")
    assert empty.exit_code == 3
    assert "run `accountpulse run` first" in empty.stderr


def test_the_first_run_of_an_account_has_nothing_to_compare_with(tmp_path: Path, kept: Path) -> None:
    account = scores(kept, 7)["account_id"][0]
    assert told(tmp_path, kept, account, "--period", "2026-07")["changed"] is None
    done = call(tmp_path, "explain", account, "--period", "2026-07", ACCOUNTPULSE_STATE=str(kept))
    assert "nothing to compare with" in done.stdout


def test_a_run_whose_scorecard_is_gone_is_not_explained_with_another_one(tmp_path: Path, kept: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(kept, copy)
    shutil.rmtree(copy / "scorecards")
    done = call(tmp_path, "explain", "x", ACCOUNTPULSE_STATE=str(copy))
    assert done.exit_code == 3
    assert "with its scorecard" in done.stderr


# --- what if ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The packaged scorecard, and one whose best tiers are harder to reach."""
    folder = tmp_path_factory.mktemp("cards")
    (folder / "old.yaml").write_text(default_text(), encoding="utf-8")
    (folder / "new.yaml").write_text(default_text().replace("min: 75", "min: 80"), encoding="utf-8")
    return folder / "old.yaml", folder / "new.yaml"


def test_a_months_metrics_scored_again_with_the_same_card_are_the_runs_own_scores(
    tmp_path: Path, kept: Path, cards: tuple[Path, Path]
) -> None:
    words = ("score", "--period", "2026-09", "--scorecard", str(cards[0]), "--out", "again.parquet")
    done = call(tmp_path, *words, ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 0, done.stderr
    again, ran = pl.read_parquet(tmp_path / "again.parquet"), scores(kept, 9)
    assert "mau_points" not in again.columns
    assert again.equals(ran.select(again.columns))  # the scorecard's name and hash among them


def test_a_diff_over_a_month_counts_who_changes_tier_and_says_why(
    tmp_path: Path, kept: Path, cards: tuple[Path, Path]
) -> None:
    old, new = map(str, cards)
    words = ("scorecard", "diff", old, new, "--period", "2026-10", "--out", "diff.csv")
    done = call(tmp_path, *words, ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 0, done.stderr
    assert "1 difference" in done.stdout
    assert "tiers.Healthy.min: 75 → 80" in done.stdout
    table = pl.read_csv(tmp_path / "diff.csv")
    assert table.height == 40
    changing = table.filter(pl.col("tier_changes"))
    assert changing.height
    assert f"{changing.height} account" in done.stdout
    assert set(changing["tier_before"]) == {"Healthy"}
    assert set(changing["tier_after"]) == {"At Risk"}
    assert all(75 <= health < 80 for health in changing["health_score_after"])
    for row in changing.iter_rows(named=True):
        assert row["why"] == "Healthy begins at 80, no longer at 75"
        assert row["account_name"] in done.stdout
    same = call(tmp_path, "scorecard", "diff", old, old, "--period", "2026-10", ACCOUNTPULSE_STATE=str(kept))
    assert "0 accounts of 40 change tier" in same.stdout

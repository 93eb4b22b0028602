"""`scorecard suggest`: a file with the owner's comments and other weights, and the reason for each that moves."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from accountpulse.cli.calibrate import TrainingRequest
from accountpulse.cli.suggest import suggest_weights
from accountpulse.core.errors import UsageError
from accountpulse.core.records import Rules
from accountpulse.proof import training
from accountpulse.proof.labels import LabelRules
from accountpulse.proof.points import LeafPoints
from accountpulse.proof.training import TrainingRules, training_rows
from accountpulse.sandbox.world.churn_tables import ChurnTables, churn_tables
from accountpulse.scoring.columns import points_of
from accountpulse.scoring.scorecard import load
from accountpulse.scoring.trend import score_table
from program import start
from proof.test_calibrate import CARD, outcomes_of

NOW = datetime(2026, 9, 1, tzinfo=UTC)
NEEDED = ["account_id", "as_of", "feature_breadth", "login_frequency", "csat_score", "champion_stability"]


@pytest.fixture(scope="module")
def world() -> ChurnTables:
    """The breadth of use points the wrong way."""
    return churn_tables(11, 320, reversed_metric="feature_breadth")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, world: ChurnTables) -> Path:
    folder = tmp_path_factory.mktemp("suggest")
    (folder / "ours.yaml").write_text(CARD, encoding="utf-8")
    write(folder, world)
    return folder


def write(folder: Path, world: ChurnTables) -> None:
    world.metrics.select(NEEDED).write_parquet(folder / "m.parquet")
    world.outcomes.write_csv(folder / "o.csv")


@pytest.fixture(scope="module")
def done(files: Path) -> tuple[str, str]:
    """What the command said in the reversed world, without line breaks, and the new file."""
    words = ("scorecard", "suggest", "--metrics", "m.parquet", "--outcomes", "o.csv", "--scorecard", "ours.yaml")
    ended = start(files, *words, "--out", "new/ours.yaml", OPENBLAS_NUM_THREADS="1")
    assert ended.returncode == 0, ended.stderr
    return " ".join(ended.stdout.split()), (files / "new" / "ours.yaml").read_text(encoding="utf-8")


def request(files: Path, folder: Path | None = None, **more: object) -> TrainingRequest:
    tables = ((folder or files) / "m.parquet", (folder or files) / "o.csv", files / "ours.yaml")
    return replace(TrainingRequest(*tables, None, None, None, None, Rules()), **more)  # type: ignore[arg-type]


def test_a_reversed_metric_is_named_and_out_of_the_tree_and_all_else_of_the_file_stays(done: tuple[str, str]) -> None:
    said, text = done
    assert "features in use points the wrong way, with 30.0 % of the weight" in said
    assert "features in use 30.0 out" in said
    assert "Recommended: on later months" in said
    assert "What the files say" in said  # the existing diff
    assert "What it does to" in said
    assert text.startswith("# Weights by `accountpulse scorecard suggest` on ")
    assert "      # taken out: points the wrong way: customers with fewer points left less often;" in text
    assert "      # feature_breadth: {weight: 0.5, anchors: [[0, 0], [100, 100]]}   # how much of it\n" in text
    assert "\n# Ours.\nname: ours\nhorizon_days: 180\n" in text
    new = load(text, "new.yaml")
    assert [leaf.name for leaf in new.leaves] == ["login_frequency", "csat_score", "champion_stability"]
    assert new.tiers == load(CARD, "ours.yaml").tiers


def test_the_new_file_scores_as_the_suggested_weights_do(done: tuple[str, str], world: ChurnTables) -> None:
    card, new = load(CARD, "ours.yaml"), load(done[1], "new.yaml")
    metrics = world.metrics.select(NEEDED)
    scored = metrics.hstack(score_table(metrics, card, detail=True).drop("account_id", "as_of"))
    known_until: date = world.outcomes["date"].max()  # type: ignore[assignment]
    rules = TrainingRules(LabelRules(), known_until)
    found = training.suggested(training_rows(scored, outcomes_of(world), card, rules))
    assert found is not None
    points = scored.select(pl.col(points_of(leaf.name)).fill_null(float("nan")) for leaf in card.leaves).to_numpy()
    wanted = pl.Series(LeafPoints(card, points).health(found.weights)).fill_nan(None)
    got = score_table(metrics, new)["health_before_caps"]
    assert got.is_null().equals(wanted.is_null())
    assert (got - wanted).abs().max() < 0.2  # type: ignore[operator]


def test_where_leaving_depends_on_nothing_no_weights_are_suggested(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, churn_tables(5, 150, independent=True))
    assert suggest_weights(request(files, tmp_path), tmp_path / "n.yaml", NOW) == 4
    said = " ".join(capsys.readouterr().out.split())
    assert "Neither these weights nor others are shown to foretell who leaves better than chance." in said
    assert not (tmp_path / "n.yaml").exists()


def test_with_few_departures_no_weights_are_suggested(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, churn_tables(11, 60))
    assert suggest_weights(request(files, tmp_path), tmp_path / "n.yaml", NOW) == 4
    assert "suggested weights of dimensions it takes 50" in " ".join(capsys.readouterr().out.split())
    assert suggest_weights(request(files, tmp_path), tmp_path / "n.yaml", NOW, as_json=True) == 4
    found = json.loads(capsys.readouterr().out)
    assert (found["suggested"], found["changes"], found["out"]) == (False, [], None)
    assert "suggested weights of dimensions it takes 50" in " ".join(found["refusals"])
    assert not (tmp_path / "n.yaml").exists()


def test_a_metric_that_has_seen_the_outcome_keeps_weights_from_being_suggested(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, churn_tables(11, 120, leaked_metric="champion_stability"))
    assert suggest_weights(request(files, tmp_path), tmp_path / "n.yaml", NOW) == 4
    assert "champions still there alone ranks at" in capsys.readouterr().out
    assert not (tmp_path / "n.yaml").exists()


def test_where_no_weight_moves_nothing_is_written_and_it_ends_with_4(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dimension = "groups: {use: {weight: 1, metrics: {login_frequency: {weight: 1, anchors: [[0, 0], [5, 100]]}}}}"
    one = f"name: one\n{dimension}\n{CARD[CARD.index('tiers:') :]}"
    (tmp_path / "one.yaml").write_text(one, encoding="utf-8")
    assert suggest_weights(request(files, scorecard=tmp_path / "one.yaml"), tmp_path / "n.yaml", NOW) == 4
    assert "Nothing was written: the new file would be the old one." in capsys.readouterr().out
    assert not (tmp_path / "n.yaml").exists()


def test_no_file_is_overwritten(files: Path) -> None:
    with pytest.raises(UsageError, match="this file is there already, and none is overwritten"):
        suggest_weights(request(files), files / "ours.yaml", NOW)
    assert (files / "ours.yaml").read_text(encoding="utf-8") == CARD


def test_the_packaged_scorecard_keeps_its_comments_as_well(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = churn_tables(11, 150, reversed_metric="feature_breadth")
    world.metrics.write_parquet(tmp_path / "m.parquet")
    world.outcomes.write_csv(tmp_path / "o.csv")
    assert suggest_weights(request(files, tmp_path, scorecard=None), tmp_path / "n.yaml", NOW, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["suggested"], Path(found["out"]).name) == (True, "n.yaml")
    assert any(change["reason"] for change in found["changes"])
    assert sum(change["new"] for change in found["changes"]) == pytest.approx(1.0)
    text = (tmp_path / "n.yaml").read_text(encoding="utf-8")
    assert "# The scorecard that is used where a company brings none of its own.\n#\n# How to read it:\n" in text
    assert load(text, "n.yaml").name == "default"

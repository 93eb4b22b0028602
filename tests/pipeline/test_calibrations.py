"""The probability in a run and in what is made of it: only while the calibration counts, else a line that says why."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from scipy.special import expit

from accountpulse import pipeline, settings
from accountpulse.cli.engines import score_on
from accountpulse.cli.explain import explain_account
from accountpulse.cli.scoring import score_file, score_stored
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period
from accountpulse.pipeline import report_document
from accountpulse.pipeline.calibrations import CalibrationChoice, choose, read_calibration
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.report.files import files
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.scorecard import default
from accountpulse.settings import Settings
from accountpulse.state import State
from calibrations import FITTED as EARLIER
from support import NOW, Silent

OCTOBER = Period(2026, 10)
FITTED = replace(
    EARLIER,
    scorecard_hash="",
    outcome="lost",
    months=("2025-12", "2026-01"),
    fitted_on=date(2026, 9, 1),
    expires_on=date(2027, 1, 1),
)
NAMES = ("churn_probability", "churn_probability_lower", "churn_probability_upper")


CARD = default()


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(build(seed=7, accounts=12, until=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(org: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("calibrated")
    return settings.load({**org.environment(), "ACCOUNTPULSE_STATE": str(folder / "state")})


def fitted(loaded: Settings, **changes: Any) -> Calibration:
    """One that counts for the packaged scorecard in this company, but for `changes`."""
    return replace(FITTED, **{"scorecard_hash": default(loaded.rules.pillars).hash, **changes})


@pytest.fixture(scope="module")
def calibrated(loaded: Settings) -> RunResult:
    """A run of October, with a calibration in its state."""
    State(loaded.state).save_calibration(fitted(loaded).to_document())
    return pipeline.execute(loaded, RunRequest(period=OCTOBER, out=Path(loaded.state) / "csv"), NOW, Silent())


def scores_of(loaded: Settings) -> pl.DataFrame:
    scores = State(loaded.state).history.load(OCTOBER, "scores")
    assert scores is not None
    return scores


def test_a_run_sends_and_keeps_the_probability_of_every_rated_account(
    org: Sandbox, loaded: Settings, calibrated: RunResult
) -> None:
    assert (calibrated.exit_code, [note for note in calibrated.notes if "probability" in note]) == (0, [])
    scores = scores_of(loaded)
    assert scores["churn_probability"].count() == scores["risk_z"].count() > 6
    in_org = {row["Account__c"]: row for row in org.world.salesforce.objects["Health_Score__c"].rows}
    for row in scores.iter_rows(named=True):
        expected = None if row["risk_z"] is None else pytest.approx(100 * expit(-0.5 + 0.8 * row["risk_z"]))
        assert row["churn_probability"] == expected
        sent = in_org[row["account_id"]]["Churn_Probability__c"]
        assert sent == (None if expected is None else pytest.approx(row["churn_probability"], abs=0.006))
    (csv,) = (Path(loaded.state) / "csv").glob("*.csv")
    assert pl.read_csv(csv)["Churn_Probability_Upper__c"].count() == scores["churn_probability_upper"].count()


@pytest.mark.usefixtures("calibrated")
def test_explain_shows_the_probability(loaded: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    row = scores_of(loaded).drop_nulls("risk_z").row(0, named=True)
    explain_account(State(loaded.state), row["account_id"], None, as_json=True)
    probability = json.loads(capsys.readouterr().out)["risk"]["probability"]
    assert [probability[key] for key in ("value", "lower", "upper")] == [row[name] for name in NAMES]
    assert probability["text"].startswith("probability of leaving within 180 days ")
    explain_account(State(loaded.state), row["account_id"], None, as_json=False)
    assert probability["text"] in capsys.readouterr().out


@pytest.mark.usefixtures("calibrated")
def test_the_report_has_the_probability_on_its_page_and_in_its_csv(loaded: Settings) -> None:
    made = files(report_document.document(State(loaded.state), OCTOBER))
    (page,) = [content.decode() for name, content in made.items() if name.endswith(".html")]
    assert "was calibrated on customers who left and stayed" in page
    (csv,) = [content for name, content in made.items() if name.endswith(".csv")]
    listed = {row["account_id"]: [row[name] for name in NAMES] for row in pl.read_csv(csv).to_dicts()}
    assert listed == {row[0]: list(row[1:]) for row in scores_of(loaded).select("account_id", *NAMES).rows()}


@pytest.mark.usefixtures("calibrated")
def test_a_stored_month_and_a_table_are_scored_with_the_probability(
    loaded: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, mine = tmp_path / "scores.parquet", tmp_path / "mine.yaml"
    mine.write_text(State(loaded.state).calibration() or "", encoding="utf-8")
    assert score_stored(State(loaded.state), OCTOBER, None, out, calibration=mine) == 0
    kept = scores_of(loaded).sort("account_id").select("account_id", *NAMES)
    assert pl.read_parquet(out).sort("account_id").select("account_id", *NAMES).equals(kept)
    metrics = str(next(Path(loaded.state).glob("history/metrics/*/*.parquet")))
    assert score_on("polars", None, metrics, None, str(out), calibration=mine) == 0
    assert pl.read_parquet(out)["churn_probability"].count() > 6
    table = tmp_path / "table.csv"
    table.write_text("account_id,mau,critical_signals\nA,3,0\n", encoding="utf-8")
    capsys.readouterr()
    score_file(table, None, out, calibration=mine)
    assert (
        "! no probability beside the risk index: calibration.yaml: it was fitted on another" in capsys.readouterr().err
    )
    assert "churn_probability" not in pl.read_parquet(out).columns


def test_a_run_whose_calibration_has_expired_has_the_index_alone_and_says_so(org: Sandbox, tmp_path: Path) -> None:
    where = settings.load({**org.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")})
    State(where.state).save_calibration(fitted(where, expires_on=date(2026, 11, 1)).to_document())
    result = pipeline.execute(where, RunRequest(period=OCTOBER, dry_run=True, keep_csv=True), NOW, Silent())
    why = "it expired on 2026-11-01, and these scores are as of 2026-11-01: run `accountpulse calibrate` again"
    assert f"no probability beside the risk index: calibration.yaml: {why}" in result.notes
    assert result.scores is not None
    assert not {*NAMES} & {*result.scores.columns}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scorecard_hash": "0123456789ab"}, "it was fitted on another scorecard (0123456789ab)"),
        ({"horizon_days": 90}, "it was fitted for 90 days, and the scorecard's horizon_days is 180"),
        ({"expires_on": date(2026, 11, 1)}, "it expired on 2026-11-01, and these scores are as of 2026-11-01"),
    ],
)
def test_a_calibration_that_does_not_count_is_told_of(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    state = State(tmp_path)
    state.save_calibration(replace(FITTED, **{"scorecard_hash": CARD.hash, **changes}).to_document())
    choice = choose(None, state, CARD, date(2026, 11, 1))
    (note,) = choice.notes
    assert choice.calibration is None
    assert note.startswith(f"no probability beside the risk index: calibration.yaml: {why}")


@pytest.mark.parametrize("content", [b"intercept: 1\n", b"\xff\xfe\x00", b"", b"- [\n"])
def test_a_calibration_that_cannot_be_read_is_told_of_in_one_line_and_stays_where_it_lies(
    tmp_path: Path, content: bytes
) -> None:
    state = State(tmp_path)
    state.files.store.write("calibration.yaml", content)
    (note,) = choose(None, state, CARD, date(2026, 11, 1)).notes
    assert note.startswith("no probability beside the risk index: calibration.yaml: ")
    assert "\n" not in note
    assert (tmp_path / "calibration.yaml").read_bytes() == content


def test_a_folder_in_its_place_is_set_aside_and_noted(tmp_path: Path) -> None:
    (tmp_path / "calibration.yaml").mkdir()
    state = State(tmp_path)
    assert choose(None, state, CARD, date(2026, 11, 1)) == CalibrationChoice()
    (note,) = state.files.notes
    assert note.endswith(": scores have no probability")


def test_without_a_calibration_nothing_is_said(tmp_path: Path) -> None:
    assert choose(None, State(tmp_path), CARD, date(2026, 11, 1)) == CalibrationChoice()


def test_a_calibration_that_is_named_comes_before_the_states_and_must_be_readable(tmp_path: Path) -> None:
    state, named = State(tmp_path / "state"), tmp_path / "mine.yaml"
    mine = replace(FITTED, scorecard_hash=CARD.hash)
    state.save_calibration(replace(mine, slope=0.1).to_document())
    named.write_text(mine.to_document(), encoding="utf-8")
    assert choose(read_calibration(named), state, CARD, date(2026, 11, 1)).calibration == mine
    named.write_text("slope: 1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        read_calibration(named)
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_calibration(tmp_path / "absent.yaml")

"""`calibrate` and what it learns from: a probability that is true in later months, or the reason why there is none."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression

from accountpulse.cli.calibrate import TrainingRequest, calibrate, learn
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period
from accountpulse.core.records import OUTCOMES, Rules
from accountpulse.pipeline.first_measurement import MEASURED_TYPE
from accountpulse.proof import training
from accountpulse.proof.labels import LabelRules, month_rows
from accountpulse.proof.training import Training, TrainingRules, training_rows
from accountpulse.sandbox.world.churn_tables import ChurnTables, churn_tables
from accountpulse.scoring.calibration import Calibration, from_document, why_unused, with_probability
from accountpulse.scoring.columns import reason_of
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.scoring.trend import score_table
from accountpulse.state import State
from program import start

CARD = """# Ours.
name: ours
horizon_days: 180
groups:
  use:
    weight: 0.6
    metrics:
      feature_breadth: {weight: 0.5, anchors: [[0, 0], [100, 100]]}   # how much of it
      login_frequency: {weight: 0.5, anchors: [[0, 0], [6, 100]]}
  care:
    weight: 0.4
    metrics:
      csat_score: {weight: 0.5, anchors: [[50, 0], [100, 100]]}
      champion_stability: {weight: 0.5, anchors: [[0, 0], [100, 100]]}
tiers: [{name: Good, min: 60}, {name: Poor, min: 0}]
"""
COLUMNS = [
    "account_id",
    "as_of",
    "segment",
    "arr",
    "feature_breadth",
    "login_frequency",
    "csat_score",
    "days_to_renewal",
]
FLAT_RISK = (
    "{intercept: -2.2, slope: 0.05, trend: [[0, 0], [1, 0]], renewal: [[0, 0], [1, 0]], signals: {}, floors: [], "
    "bands: {medium: 10, high: 30}}"
)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
LAST = "2025-03"  # the last training month; a horizon lies between it and the later ones


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return load(CARD, "ours.yaml")


@pytest.fixture(scope="module")
def world() -> ChurnTables:
    return churn_tables(12, 500)


def scored(metrics: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    frame = metrics.select(*COLUMNS, "champion_stability")
    return frame.hstack(score_table(frame, card, detail=True).drop("account_id", "as_of"))


def outcomes_of(world: ChurnTables) -> pl.DataFrame:
    named = world.outcomes.rename({"date": "happened_on"})
    empty = {name: pl.lit(None, kind) for name, kind in OUTCOMES.items() if name not in named.columns}
    return named.with_columns(**empty).with_columns(origin=pl.lit("table")).select(*OUTCOMES)


@pytest.fixture(scope="module")
def months(world: ChurnTables, card: Scorecard) -> pl.DataFrame:
    return scored(world.metrics, card)


RULES = TrainingRules(LabelRules(horizon_days=180), date(2026, 9, 1))


def learned(world: ChurnTables, card: Scorecard, rules: TrainingRules = RULES) -> Training:
    return training_rows(scored(world.metrics, card), outcomes_of(world), card, rules)


@pytest.fixture(scope="module")
def fitted(months: pl.DataFrame, world: ChurnTables, card: Scorecard) -> Calibration:
    """Of the months up to LAST, but for the first three, which have no trend."""
    found = training.calibrate(
        training_rows(months, outcomes_of(world), card, replace(RULES, last=LAST)), "left", date(2026, 9, 1)
    )
    assert found is not None
    return found


def test_in_later_months_the_probability_is_better_than_the_base_rate_and_neither_too_sure_nor_too_timid(
    months: pl.DataFrame, world: ChurnTables, fitted: Calibration
) -> None:
    later = with_probability(months.filter(pl.col("as_of") >= date(2025, 10, 1)), fitted)
    rows = month_rows(later, outcomes_of(world), RULES.labels, RULES.known_until).drop_nulls(["lost", "risk_z"])
    said, lost = rows["churn_probability"].to_numpy() / 100, rows["lost"].to_numpy().astype(float)
    assert lost.sum() > 60
    assert 1 - np.mean((said - lost) ** 2) / np.mean((lost - lost.mean()) ** 2) > 0
    line = LogisticRegression(C=1e9).fit(np.log(said / (1 - said)).reshape(-1, 1), lost)
    assert 0.7 < line.coef_[0, 0] < 1.4
    assert abs(said.mean() - lost.mean()) < 0.05


def test_the_document_says_what_it_was_fitted_on(fitted: Calibration, card: Scorecard) -> None:
    assert fitted.kind == "account"
    assert fitted.months == (*(f"2024-{month:02}" for month in range(3, 13)), "2025-01", "2025-02", LAST)
    assert (fitted.horizon_days, fitted.scorecard_hash, fitted.level) == (180, card.hash, 0.95)
    assert 50 <= fitted.events < fitted.accounts <= 500
    assert 0.05 < fitted.base_rate < 0.3
    assert from_document(fitted.to_document()) == fitted


def test_it_expires_twelve_months_after_the_last_training_month(fitted: Calibration, card: Scorecard) -> None:
    assert fitted.expires_on == date(2026, 4, 1)
    assert why_unused(fitted, card, date(2026, 3, 1)) is None
    assert "expired" in str(why_unused(fitted, card, date(2026, 4, 1)))


def test_rows_without_a_churn_risk_a_trend_or_a_closed_window_are_counted_and_left_out(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    rated = pl.when(pl.col("as_of") != date(2024, 7, 1))
    some = months.with_columns(rated.then(pl.col(name)).alias(name) for name in ("risk_z", "churn_risk_score"))
    found = training_rows(some, outcomes_of(world), card, replace(RULES, known_until=date(2026, 2, 1)))
    labelled = month_rows(months, outcomes_of(world), RULES.labels, date(2026, 2, 1))
    rows = {day: group.drop_nulls("lost").height for (day,), group in labelled.group_by("as_of")}
    assert found.not_rated == rows[date(2024, 7, 1)]
    assert found.without_trend == sum(rows[date(2024, month, 1)] for month in (1, 2, 3))  # April looks back to January
    assert found.rows["as_of"].min() == date(2024, 4, 1)
    assert found.rows["as_of"].max() == date(2025, 8, 1)  # 180 days later is 2026-01-28
    assert found.open_rows == labelled["lost"].null_count() > 0
    assert found.rows.height + found.not_rated + found.without_trend + found.open_rows == labelled.height


def test_a_card_without_a_trend_learns_from_the_first_months_too(months: pl.DataFrame, world: ChurnTables) -> None:
    flat = load(f"{CARD}churn_risk: {FLAT_RISK}", "flat.yaml")
    found = training_rows(months, outcomes_of(world), flat, RULES)
    assert (found.without_trend, found.months[0]) == (0, "2023-12")


def test_what_was_reconstructed_is_not_learned_from(months: pl.DataFrame, world: ChurnTables, card: Scorecard) -> None:
    marked = months.with_columns(reconstructed=pl.col("as_of") < date(2025, 1, 1))
    found = training_rows(marked, outcomes_of(world), card, RULES)
    assert found.rebuilt == months.filter(pl.col("as_of") < date(2025, 1, 1)).height
    assert found.months[0] == "2025-03"  # the first three have no trend
    with pytest.raises(UsageError, match="Months count that are run within 10 days of their end"):
        training_rows(marked.with_columns(reconstructed=pl.lit(value=True)), outcomes_of(world), card, RULES)


def test_without_months_or_outcomes_there_is_nothing_to_learn_from(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    with pytest.raises(UsageError, match="no outcome to learn from"):
        training_rows(months, outcomes_of(world).clear(), card, RULES)
    with pytest.raises(UsageError, match="no month with a score"):
        training_rows(months.clear(), outcomes_of(world), card, RULES)


# --- what is refused -----------------------------------------------------------------------------------------------


def test_where_leaving_depends_on_nothing_no_probability_and_no_weights_are_offered(card: Scorecard) -> None:
    found = learned(churn_tables(5, 200, independent=True), card)
    assert found.evidence.events > 50
    assert training.calibrate(found, "left", NOW.date()) is None
    assert any("ranks better than chance" in reason for reason in found.gate.refusals)


def refused(months: pl.DataFrame, outcomes: pl.DataFrame, card: Scorecard) -> tuple[str, ...]:
    found = training_rows(months, outcomes, card, RULES)
    made = training.calibrate(found, "left", NOW.date())
    assert made is None or made.kind == "band"
    return found.gate.refusals if made is None else (*found.gate.refusals, "bands")


def of_accounts(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.filter(pl.col("account_id") < f"A{first:07}")


def test_below_ten_departures_there_is_no_probability(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    told = refused(of_accounts(months, 15), of_accounts(outcomes_of(world), 15), card)
    assert any("For how well the score ranks (AUC) it takes 10;" in reason for reason in told)


def test_with_twenty_departures_there_is_a_range_for_each_band_of_risk(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    found = training_rows(of_accounts(months, 70), of_accounts(outcomes_of(world), 70), card, RULES)
    assert 20 <= found.evidence.events < 50
    made = training.calibrate(found, "left", NOW.date())
    assert made is not None
    assert made.kind == "band"
    assert [(band.name, band.from_risk) for band in made.bands] == [("low", 0.0), ("medium", 10.0), ("high", 30.0)]
    for band, low, high in zip(made.bands, (0.0, 10.0, 30.0), (10.0, 30.0, 101.0), strict=True):
        rows = found.rows.filter(pl.col("churn_risk_score").is_between(low, high, closed="left"))
        share = 100 * rows["lost"].mean() if rows.height else 50.0  # type: ignore[operator]
        assert band.lower <= share <= band.upper
    scores = with_probability(months.head(50), made)
    assert scores["churn_probability"].null_count() == 50
    assert from_document(made.to_document()) == made


def test_a_few_months_give_no_probability_for_each_customer(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    told = refused(months.filter(pl.col("as_of") >= date(2025, 5, 1)), outcomes_of(world), card)
    # nothing is learned from the first three, which have no trend yet; they tell of the seasons all the same
    assert any("Months with a score whose outcome is known: 8." in reason for reason in told)


def test_one_early_date_makes_no_year_of_months_and_no_trend(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    few = months.filter(pl.col("as_of") >= date(2025, 5, 1))
    early = pl.concat([few, few.head(1).with_columns(account_id=pl.lit("long ago"), as_of=pl.lit(date(2003, 1, 1)))])
    before, found = (training_rows(each, outcomes_of(world), card, RULES) for each in (few, early))
    assert (before.evidence.months, found.evidence.months) == (8, 9)
    assert found.without_trend == before.without_trend + 1


def test_departures_of_one_quarter_give_none(months: pl.DataFrame, world: ChurnTables, card: Scorecard) -> None:
    outcomes = outcomes_of(world).filter(pl.col("kind") == "lost").with_columns(happened_on=date(2025, 2, 15))
    assert any("in one quarter" in reason for reason in refused(months, outcomes, card))


def test_a_cross_section_is_tried_on_other_customers_where_it_is_asked_for(
    world: ChurnTables, months: pl.DataFrame, card: Scorecard
) -> None:
    """One month of everybody: no later months, no year of months, one quarter or two."""
    month = months.filter(pl.col("as_of") == date(2024, 4, 1))
    across = replace(RULES, cross_section=True)
    assert "it takes 12" in "".join(refused(month, outcomes_of(world), card))
    found = training_rows(month, outcomes_of(world), card, across)
    assert found.one_row_each
    assert found.without_trend == 0
    assert found.foretold is not None
    assert found.foretold.skill.lower > 0  # the world's customers leave by what the metrics show
    fitted = training.calibrate(found, "left", date(2026, 9, 1))
    assert fitted is not None
    assert fitted.kind == "account"
    with pytest.raises(UsageError, match="one row an account"):
        training_rows(months, outcomes_of(world), card, across)


def test_departures_without_a_score_in_time_give_none(
    months: pl.DataFrame, world: ChurnTables, card: Scorecard
) -> None:
    gone = outcomes_of(world).filter(pl.col("kind") == "lost")["account_id"].unique().sort().head(60)
    told = refused(months.remove(pl.col("account_id").is_in(gone.implode())), outcomes_of(world), card)
    assert any("had no score in time" in reason for reason in told)


def test_a_score_that_knows_the_outcome_gives_none(card: Scorecard, world: ChurnTables) -> None:
    lost = month_rows(scored(world.metrics, card), outcomes_of(world), RULES.labels, RULES.known_until)
    told = lost.with_columns(
        **{name: pl.when("lost").then(90.0).otherwise(10.0) for name in ("churn_risk_score", "risk_z")},
        champion_stability_points=pl.when("lost").then(1.0).otherwise(99.0),
    ).drop("lost", "renewal_on", "lost_on")
    reasons = refused(told, outcomes_of(world), card)
    assert any("a metric probably knows the outcome" in reason and "champions" in reason for reason in reasons)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, world: ChurnTables) -> Path:
    folder = tmp_path_factory.mktemp("calibrate")
    world.metrics.select(*COLUMNS, "champion_stability").write_parquet(folder / "months.parquet")
    world.outcomes.write_csv(folder / "outcomes.csv")
    (folder / "ours.yaml").write_text(CARD, encoding="utf-8")
    return folder


def request(files: Path, **more: object) -> TrainingRequest:
    asked = TrainingRequest(
        files / "months.parquet", files / "outcomes.csv", files / "ours.yaml", None, None, LAST, None, Rules()
    )
    return replace(asked, **more)  # type: ignore[arg-type]


def test_the_command_keeps_the_calibration_in_the_state_and_shows_what_a_run_adds(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fitted: Calibration
) -> None:
    state = State(tmp_path / "state")
    assert calibrate(request(files), state, datetime(2026, 3, 1, tzinfo=UTC), dry_run=False) == 0
    kept = from_document(str(state.calibration()))
    assert (kept.intercept, kept.slope, kept.months) == (fitted.intercept, fitted.slope, fitted.months)
    assert "outcomes by origin: table" in kept.outcome
    said = capsys.readouterr().out
    for words in ("Brier skill", "Slope", "Calibration error", "until 2026-04-01", "churn_probability_upper"):
        assert words in said
    fifty = with_probability(pl.DataFrame({"risk_z": [0.0], "churn_risk_score": [50.0]}), kept)
    assert f"{fifty['churn_probability'][0]:.1f} %" in said  # the line of the index 50


def test_one_that_has_expired_is_kept_for_no_run_and_says_so(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, file = State(tmp_path / "state"), tmp_path / "calibration.yaml"
    assert calibrate(request(files), state, NOW, dry_run=False) == 4
    assert state.calibration() is None
    assert calibrate(request(files), file, NOW, dry_run=False) == 0  # `score` may use it for earlier months
    assert capsys.readouterr().out.count("It has expired, on 2026-04-01") == 2
    assert from_document(file.read_text()).expires_on == date(2026, 4, 1)
    assert calibrate(request(files), state, NOW, dry_run=False, as_json=True) == 4
    data = json.loads(capsys.readouterr().out)
    assert set(data) == {"version", "offered", "calibration", "refusals", "written"}  # as docs/commands.md has them
    assert (data["offered"], data["calibration"]["expires_on"]) == (False, "2026-04-01")


def test_no_file_that_is_read_or_is_no_calibration_is_overwritten(files: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.yaml"
    other.write_text("mine: 1\n")
    for out, words in ((files / "ours.yaml", "is read here"), (other, "is no calibration")):
        before = out.read_bytes()
        with pytest.raises(UsageError, match=words):
            calibrate(request(files), out, NOW, dry_run=False)
        assert out.read_bytes() == before


def test_the_state_is_learned_from_as_a_table_is(world: ChurnTables, card: Scorecard, tmp_path: Path) -> None:
    state, few = State(tmp_path / "state"), world.metrics.filter(pl.col("account_id") < "A0000060")
    keep(state, few.filter(pl.col("as_of") <= date(2024, 9, 1)), card)
    state.outcomes.import_table(outcomes_of(world))
    known_until = date(2025, 3, 1)
    _, found = learn(TrainingRequest(state, None, None, None, None, None, known_until, Rules()), NOW)
    rules = replace(RULES, known_until=known_until, last="2024-08")
    wanted = training_rows(scored(few, card), outcomes_of(world), card, rules)
    key = ["account_id", "as_of"]
    assert found.card.hash == card.hash
    assert found.months == wanted.months == ("2024-03", "2024-04", "2024-05", "2024-06", "2024-07", "2024-08")
    both = found.rows.select(*key, "risk_z", "lost").sort(key), wanted.rows.select(*key, "risk_z", "lost").sort(key)
    assert_frame_equal(*both)


def keep(state: State, metrics: pl.DataFrame, card: Scorecard) -> None:
    """Each month as its first run would have kept it."""
    state.history.save_scorecard(card.hash, card.content)
    empty = {reason_of(name): pl.lit(None, pl.String) for name in card.catalogue if name in metrics.columns}
    for (day,), month in metrics.group_by("as_of", maintain_order=True):
        stamps = {
            "measured_at": pl.lit(datetime(day.year, day.month, 2, tzinfo=UTC), MEASURED_TYPE),
            "reconstructed": pl.lit(value=False),
            "window_days": pl.lit(90.0),
            "signals_waived": pl.lit(value=True),
        }
        stamped = month.select("account_id", *COLUMNS[2:], "champion_stability").with_columns(**empty, **stamps)
        scores = score_table(stamped, card, detail=True).with_columns(**stamps)
        period = Period(day.year, day.month).shifted(-1)
        state.history.save_first(period, stamped, scores)


def test_another_horizon_than_the_scorecards_is_only_looked_at(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"--horizon 90: .*horizon_days of its scorecard \(180\)"):
        calibrate(request(files, horizon=90), tmp_path / "c.yaml", NOW, dry_run=False)
    assert calibrate(request(files, horizon=90), tmp_path / "c.yaml", NOW, dry_run=True) == 0
    assert "Dry run: nothing was written." in capsys.readouterr().out
    assert not (tmp_path / "c.yaml").exists()


def test_a_refusal_ends_with_4_writes_nothing_and_says_what_becomes_of_the_one_before(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fitted: Calibration
) -> None:
    few = pl.col("account_id") < "A0000015"
    pl.read_csv(files / "outcomes.csv").filter(few).write_csv(tmp_path / "few.csv")
    pl.read_parquet(files / "months.parquet").filter(few).write_parquet(tmp_path / "few.parquet")
    state = State(tmp_path / "state")
    asked = request(files, source=tmp_path / "few.parquet", outcomes=tmp_path / "few.csv")
    assert calibrate(asked, state, NOW, dry_run=False) == 4
    bare = capsys.readouterr().out
    assert "No probability can be offered" in bare
    assert "Nothing was written: scores keep the risk index" in bare
    assert state.calibration() is None
    state.save_calibration("slope: {")
    assert calibrate(asked, state, NOW, dry_run=False) == 4
    assert "stays, but can't be used" in " ".join(capsys.readouterr().out.split())
    state.save_calibration(fitted.to_document())
    before = state.calibration()
    assert calibrate(asked, state, NOW, dry_run=False) == 4
    assert "in the state stays, but doesn't count: it expired" in " ".join(capsys.readouterr().out.split())
    in_time = datetime(2026, 1, 1, tzinfo=UTC)
    assert calibrate(asked, state, in_time, dry_run=False) == 4
    assert "in the state stays and counts until 2026-04-01" in " ".join(capsys.readouterr().out.split())
    assert state.calibration() == before


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "scipy.py").write_text("raise ImportError('No module named scipy')\n", encoding="utf-8")
    done = start(tmp_path, "calibrate", PYTHONPATH=str(tmp_path / "without"))
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "calibrate:",
        "  - it needs packages that are not installed: pip install 'accountpulse[backtest]'",
    ]

"""What earlier months mean for a score: the trend, the last tier, and the run before."""

from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.pipeline.earlier_runs import Basis, score_months, score_period
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.state import State

OCTOBER, JULY = Period(2026, 10), Period(2026, 7)
CARD = """name: small
coverage: {tier_needs_readable: [critical_signals]}
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""


@pytest.fixture
def card() -> Scorecard:
    return load(CARD, "small.yaml")


def metrics(csat: float, signals: float | None = 0.0, reason: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "account_id": ["A"],
            "csat_score": [csat],
            "critical_signals": [signals],
            "critical_signals_reason": [reason],
        },
        schema_overrides={"critical_signals": pl.Float64, "critical_signals_reason": pl.String},
    )


def scored(state: State, card: Scorecard, table: pl.DataFrame, *failed: str, waived: bool = False) -> dict:
    return score_period(table, state.history, Basis(OCTOBER, card, 90.0, failed, waived)).row(0, named=True)


def test_the_trend_compares_with_what_todays_card_says_of_three_months_before(tmp_path: Path, card: Scorecard) -> None:
    state = State(tmp_path)
    assert scored(state, card, metrics(80))["health_before_caps_3m"] is None
    state.history.save(JULY, metrics(90), pl.DataFrame({"account_id": ["A"], "health_before_caps": [12.0]}))
    fallen = scored(state, card, metrics(80))
    assert fallen["health_before_caps_3m"] == 90.0  # not the 12 that some older card gave
    steady = scored(State(tmp_path / "empty"), card, metrics(80))
    assert fallen["churn_risk_score"] > steady["churn_risk_score"]


def test_a_company_without_signals_has_a_trend_too(tmp_path: Path, card: Scorecard) -> None:
    state, blind = State(tmp_path), metrics(90, None, "not_configured")
    state.history.save(JULY, blind, blind)
    assert scored(state, card, blind, waived=True)["health_before_caps_3m"] == 90.0
    assert scored(state, card, blind)["health_before_caps_3m"] is None  # Not Rated then


def test_after_an_outage_the_last_tier_is_the_best_that_is_asserted(tmp_path: Path, card: Scorecard) -> None:
    state = State(tmp_path)
    assert scored(state, card, metrics(80), "bugs")["tier"] == "Not Rated"
    state.history.save(Period(2026, 6), metrics(10), pl.DataFrame({"account_id": ["A"], "tier": ["Poor"]}))
    held = scored(state, card, metrics(80), "bugs")
    assert (held["tier"], held["health_score"], held["cap_reason"]) == ("Poor", 74.9, "source_failed: bugs")
    assert scored(state, card, metrics(80))["tier"] == "Good"


def seen(csat: float | None, reason: str | None = None) -> pl.DataFrame:
    """A's CSAT, known or with a reason."""
    table = metrics(0)
    value = pl.Series("csat_score", [csat], dtype=pl.Float64)
    return table.with_columns(value, pl.Series("csat_score_reason", [reason], dtype=pl.String))


CSAT = "csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}"
TWO_METRICS = CARD.replace(CSAT, f"{CSAT}, {CSAT.replace('csat_score', 'mau')}").replace(
    "coverage: {", "coverage: {tier_min: 0.4, dimension_min: 0.4, "
)


@pytest.fixture
def pair() -> Scorecard:
    return load(TWO_METRICS, "two.yaml")


def with_mau(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(mau=pl.lit(90.0), mau_reason=pl.lit(None, pl.String))


def keep(state: State, card: Scorecard, period: Period, table: pl.DataFrame) -> dict:
    """Score a month and keep it, as a run does."""
    result = score_period(table, state.history, Basis(period, card, 90.0, (), False))
    state.history.save(period, table, result)
    return result.row(0, named=True)


@pytest.mark.parametrize("reason", ["not_visible", "not_attributable", "several_rows", "unclear"])
def test_losing_sight_of_what_held_an_account_down_does_not_promote_it(
    tmp_path: Path, pair: Scorecard, reason: str
) -> None:
    state = State(tmp_path)
    assert keep(state, pair, Period(2026, 9), with_mau(seen(20)))["tier"] == "Poor"  # (20 + 90) / 2 = 55
    october = keep(state, pair, OCTOBER, with_mau(seen(None, reason)))
    assert (october["tier"], october["cap_reason"]) == ("Poor", "lost_sight: csat_score")
    assert (october["health_before_caps"], october["health_score"]) == (90.0, 74.9)
    assert october["lower_bound"] == 45.0
    november = keep(state, pair, Period(2026, 11), with_mau(seen(None, reason)))  # a second month promotes no more
    assert (november["tier"], november["cap_reason"]) == ("Poor", "lost_sight: csat_score")


@pytest.mark.parametrize("reason", ["no_evidence", "too_few", "too_new", "not_linked", "not_configured"])
def test_what_has_nothing_to_do_with_sight_changes_the_tier_as_ever(
    tmp_path: Path, pair: Scorecard, reason: str
) -> None:
    state = State(tmp_path)
    keep(state, pair, Period(2026, 9), with_mau(seen(20)))
    october = keep(state, pair, OCTOBER, with_mau(seen(None, reason)))
    assert (october["tier"], october["cap_reason"]) == ("Good", None)


def test_a_metric_that_was_never_known_is_no_lost_sight(tmp_path: Path, pair: Scorecard) -> None:
    state = State(tmp_path)
    keep(state, pair, Period(2026, 9), with_mau(seen(None, "not_visible")))
    assert keep(state, pair, OCTOBER, with_mau(seen(None, "not_visible")))["tier"] == "Good"


def test_sight_that_comes_back_lifts_the_limit(tmp_path: Path, pair: Scorecard) -> None:
    state = State(tmp_path)
    keep(state, pair, Period(2026, 8), with_mau(seen(20)))
    keep(state, pair, Period(2026, 9), with_mau(seen(None, "unclear")))
    assert keep(state, pair, OCTOBER, with_mau(seen(95)))["cap_reason"] is None


def test_who_had_no_tier_gets_none_by_losing_sight(tmp_path: Path, pair: Scorecard) -> None:
    state = State(tmp_path)
    state.history.save(Period(2026, 9), with_mau(seen(20)), pl.DataFrame({"account_id": ["A"], "tier": ["Not Rated"]}))
    october = keep(state, pair, OCTOBER, with_mau(seen(None, "unclear")))
    assert october["tier"] == "Not Rated"
    assert "can't be read any more" in october["not_rated_reason"]


def test_many_months_together_are_scored_as_each_alone(tmp_path: Path, card: Scorecard, pair: Scorecard) -> None:
    history, june = State(tmp_path).history, Period(2026, 6)
    measured = {
        june: metrics(40),
        JULY: with_mau(metrics(90)),  # columns that others lack
        OCTOBER: with_mau(seen(None, "not_visible")),  # which loses sight, with a trend against July
        Period(2026, 9): seen(60).with_columns(pl.col("critical_signals_reason").cast(pl.Enum(["too_new"]))),
    }
    for period, table in measured.items():
        history.save(period, table, pl.DataFrame({"account_id": ["A"], "tier": ["Poor"]}))
    for each in (card, pair):
        together = score_months(measured, history, Basis(JULY, each, 90.0, (), False))
        for period, table in measured.items():
            alone = score_period(table, history, Basis(period, each, 90.0, (), False))
            assert together[period].equals(alone), (period, each.name)
    assert together[OCTOBER]["cap_reason"].to_list() == ["lost_sight: csat_score"]

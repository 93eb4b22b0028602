"""What earlier months mean for a score: the trend, the last tier, and the run before."""

from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.pipeline.earlier_runs import Basis, score_period
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
    return score_period(table, state, Basis(OCTOBER, card, 90.0, failed, waived)).row(0, named=True)


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

"""What each term adds to the risk, told of one account: the parts of the index that the engines calculate whole."""

import math

import pytest
from hypothesis import HealthCheck, given, settings

from accountpulse.scoring.model import ChurnRisk
from accountpulse.scoring.risk import terms
from accountpulse.scoring.scorecard import Scorecard, default
from scoring import generate
from scoring.test_laws import BATCH, loaded, scored

PLAIN = {
    "intercept": -2.2,
    "slope": 0.05,
    "trend": [[-20, 1.4], [-10, 0.7], [0, 0], [10, -0.3]],
    "renewal": [[-30, 1.2], [0, 1.0], [90, 0.6], [365, -1.0]],
    "signals": {"critical_signals": {"first": 1.6, "more": 0.6, "max": 2.8}},
    "floors": [],
    "bands": {"medium": 10, "high": 30},
}
CARD = Scorecard(default().file, ChurnRisk.model_validate(PLAIN))


def told(**values: float) -> dict[str, float]:
    return terms({"health_before_caps": 70.0, **values}, CARD)


def test_what_is_not_known_adds_nothing() -> None:
    assert told() == {"intercept": -2.2, "health": -1.0, "trend": 0.0, "renewal": 0.0, "critical_signals": 0.0}


@pytest.mark.parametrize(
    ("before", "expected"),
    [(90.0, 1.4), (95.0, 1.4), (80.0, 0.7), (85.0, 1.05), (75.0, 0.35), (70.0, 0.0), (60.0, -0.3), (50.0, -0.3)],
)
def test_the_trend_goes_along_its_line_and_stays_flat_beyond_it(before: float, expected: float) -> None:
    assert told(health_before_caps_3m=before)["trend"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("days", "expected"), [(-60, 1.2), (-30, 1.2), (-15, 1.1), (0, 1.0), (90, 0.6), (365, -1.0), (700, -1.0)]
)
def test_the_renewal_goes_along_its_line(days: float, expected: float) -> None:
    assert told(days_to_renewal=days)["renewal"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("count", "expected"), [(-1, 0.0), (0, 0.0), (0.5, 0.8), (1, 1.6), (2, 2.2), (3, 2.8), (4, 2.8)]
)
def test_signals_add_the_first_then_each_more_up_to_the_most(count: float, expected: float) -> None:
    assert told(critical_signals=count)["critical_signals"] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(generate.scorecards(), BATCH)
def test_the_terms_add_up_to_the_risk_that_was_calculated(card: dict, rows: list[dict]) -> None:
    """For any scorecard and account; no floor raises the risk here."""
    unfloored = {**card, "churn_risk": {**generate.RISK, "floors": []}}
    whole = loaded(unfloored)
    for row, got in zip(rows, scored(unfloored, rows), strict=True):
        if got["health_score"] is not None:
            z = sum(terms({**row, **got}, whole).values())
            assert got["churn_risk_score"] == pytest.approx(100 / (1 + math.exp(-z)), rel=1e-9)

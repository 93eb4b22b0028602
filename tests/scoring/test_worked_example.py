"""The example by hand in docs/scoring.md: what the page says is what comes out, to the last decimal."""

import csv
import io
import math
import re
from pathlib import Path

import pytest

from accountpulse.core import tables
from accountpulse.scoring.change import change_between
from accountpulse.scoring.risk import terms
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.scoring.scores import score
from accountpulse.scoring.table import read_table

PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
CARD, ROW, RESULT, LATER = re.findall(r"(?s)```(?:yaml|csv)\n(.*?)```", PAGE[PAGE.index("## An example by hand") :])


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return load(CARD, "scoring.md")


def scored(text: str, card: Scorecard) -> dict:
    frame = read_table(tables.read(text.encode(), "example.csv"), card).rows
    (row,) = score(frame, card, detail=True).to_dicts()
    return {**frame.to_dicts()[0], **row}


def test_every_number_of_the_result_is_the_pages(card: Scorecard) -> None:
    row = scored(ROW, card)
    (expected,) = csv.DictReader(io.StringIO(RESULT))
    assert row["drivers"] == expected.pop("drivers").split("; ")
    for name, text in expected.items():
        if name in ("account_id", "tier", "cap_reason"):
            assert row[name] == text
        else:
            assert math.isclose(row[name], float(text), rel_tol=1e-15), name


def test_the_points_contributions_and_costs_are_the_pages(card: Scorecard) -> None:
    row = scored(ROW, card)
    by_hand = {
        # points, contribution, lost
        "csat_score": (65, 9.75, 5.25),
        "escalation_pct": (None, 0, 0),
        "mau": (62.5, 14.0625, 8.4375),
        "dau": (60, 13.5, 9),
        "feature_breadth": (40, 16, 24),
        "login_frequency": (None, 0, 0),
    }
    for name, (points, contribution, lost) in by_hand.items():
        got = [row[f"{name}_{part}"] for part in ("points", "contribution", "lost")]
        assert got == pytest.approx([points, contribution, lost], abs=1e-12), name
        assert {str(value).removesuffix(".0") for value in (points, contribution) if value} <= set(
            re.findall(r"\d+(?:\.\d+)?", PAGE)
        )


def test_the_risk_is_the_pages(card: Scorecard) -> None:
    row = scored(ROW, card)
    by_hand = {"intercept": -2.2, "health": -0.165625, "trend": 0.7, "renewal": 0.3, "moderate_signals": 0.6}
    assert terms(row, card) == pytest.approx(by_hand, abs=1e-12)
    assert row["churn_risk_score"] == pytest.approx(100 / (1 + math.exp(0.765625)), abs=1e-9)
    assert f"= {row['churn_risk_score']:.5f}…" in PAGE
    assert card.risk_band(row["churn_risk_score"]) == "high"


def test_what_changed_a_month_later_is_the_pages(card: Scorecard) -> None:
    then, now = scored(ROW, card), scored(LATER, card)
    assert now["health_score"] == pytest.approx(55.65625, abs=1e-12)
    made = change_between(then, then, now, card)
    assert made is not None
    assert (made.scorecard, made.coverage, made.caps) == pytest.approx((0, -0.75, 0), abs=1e-12)
    assert made.metrics == pytest.approx(
        {"csat_score": 2.53125, "mau": 0, "dau": 0.5625, "feature_breadth": 0}, abs=1e-12
    )
    assert made.now_known == ("escalation_pct",)
    assert made.total == pytest.approx(2.34375, abs=1e-12)

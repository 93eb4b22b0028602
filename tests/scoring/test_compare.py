"""Two scorecards over the same accounts: the difference by hand, and as a law."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.scoring.compare import differences, metric_effects, side_by_side, why_moved
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.scoring.scores import score
from scoring import generate
from scoring.test_laws import LAWS, loaded, scored, table

CARD = """name: hand
groups:
  a:
    weight: 1
    metrics:
      csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}
      qbr_attendance: {weight: 3, anchors: [[0, 0], [100, 100]]}
caps:
  - {when: {critical_bugs: {gte: 1}}, cap: 40, reason: bug}
tiers: [{name: Good, min: 50}, {name: Poor, min: 0}]
"""


def card(*changes: tuple[str, str]) -> Scorecard:
    text = CARD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load(text, "hand.yaml")


def results(rows: list[dict], made: Scorecard) -> list[dict]:
    return score(table(rows), made, detail=True).to_dicts()


def test_the_same_content_has_no_difference_and_a_moved_part_is_none() -> None:
    twice = card(("caps:\n", "caps:\n  - {when: {open_bugs: {gte: 9}}, cap: 60, reason: many}\n"))
    assert differences(card(), card()) == []
    assert [(each.path, each.before, each.after) for each in differences(card(), twice)] == [
        ("caps.many", None, {"when": {"open_bugs": {"gte": 9.0}}, "cap": 60.0, "reason": "many"})
    ]
    found = differences(card(), card(("weight: 3", "weight: 2"), ("{name: Good, min: 50}, ", "")))
    assert [(each.path, each.before, each.after) for each in found] == [
        ("groups.a.metrics.qbr_attendance.weight", 3.0, 2.0),
        ("tiers.Good", {"name": "Good", "min": 50.0}, None),
    ]


def test_what_a_weight_does_is_told_of_the_metric_that_does_it() -> None:
    # before: (30 + 3·70) / 4 = 60; after, with 3 beside 3: 50. CSAT lies 30 below 60: at 1/2 instead of 1/4 it pulls
    # 7.5 more; business reviews lie 10 above: at 1/2 instead of 3/4 they lift 2.5 less
    old, new = card(), card(("weight: 1, anchors", "weight: 3, anchors"))
    row = {"csat_score": 30.0, "qbr_attendance": 70.0, "critical_bugs": 0.0}
    before, after = results([row], old)[0], results([row], new)[0]
    assert metric_effects(before, after, old, new) == pytest.approx({"csat_score": -7.5, "qbr_attendance": -2.5})
    assert why_moved(before, after, old, new) == "CSAT −7.5; business reviews held −2.5"


def test_caps_edges_and_missing_scores_are_reasons_too() -> None:
    row = {"csat_score": 60.0, "qbr_attendance": 60.0, "critical_bugs": 1.0}
    plain, free = card(), card(("gte: 1", "gte: 2"))
    bound, loose = results([row], plain)[0], results([row], free)[0]
    assert why_moved(bound, loose, plain, free) == "no longer capped by bug"
    assert why_moved(loose, bound, free, plain) == "now capped by bug"
    strict = card(("gte: 1", "gte: 2"), ("min: 50", "min: 65"))
    assert why_moved(loose, results([row], strict)[0], free, strict) == "Good begins at 65, no longer at 50"
    wary = card(("gte: 1", "gte: 2"), ("caps:", "coverage: {tier_needs_readable: [critical_signals]}\ncaps:"))
    unread = results([row], wary)[0]
    assert why_moved(loose, unread, free, wary) == "now without a score: critical_signals can't be read"
    assert why_moved(unread, loose, wary, free) == "no longer lacking: critical_signals can't be read"


def test_accounts_stand_beside_both_results() -> None:
    rows = [{"csat_score": 60.0, "qbr_attendance": 60.0}, {"csat_score": None, "qbr_attendance": None}]
    old, new = card(), card(("min: 50", "min: 65"))
    names = pl.DataFrame({"account_id": ["A0", "A1"], "arr": [10.0, None]})
    made = side_by_side(score(table(rows), old), score(table(rows), new), names)
    assert made.select("account_id", "arr", "tier_before", "tier_after", "tier_changes", "health_change").rows() == [
        ("A0", 10.0, "Good", "Poor", True, 0.0),
        ("A1", None, "Not Rated", "Not Rated", False, None),
    ]


@LAWS
@given(generate.scorecards(), generate.scorecards(), st.integers(0, 2**32).map(generate.accounts))
def test_the_effects_of_all_metrics_are_the_whole_difference(old, new, rows) -> None:
    left, right = loaded(old), loaded(new)
    for before, after in zip(scored(old, rows), scored(new, rows), strict=True):
        if before["health_before_caps"] is None or after["health_before_caps"] is None:
            continue
        total = after["health_before_caps"] - before["health_before_caps"]
        assert math.isclose(sum(metric_effects(before, after, left, right).values()), total, abs_tol=1e-9)

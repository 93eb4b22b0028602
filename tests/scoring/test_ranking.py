"""Which metrics are named as drivers, in which order; and what a cap on a dimension holds down. By hand."""

import polars as pl
import pytest

from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.scoring.scores import score

TIERS = "tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]\n"
TWO = """
groups:
  support:
    weight: 1
    metrics:
      csat_score: {weight: 3, anchors: [[0, 0], [100, 100]]}
      open_bugs: {weight: 1, anchors: [[0, 100], [10, 0]]}
  use: {weight: 3, metrics: {feature_breadth: {weight: 1, anchors: [[0, 0], [100, 100]]}}}
"""


def card(text: str) -> Scorecard:
    return load(f"name: hand\nversion: 1\n{TIERS}{text}", "hand.yaml")


def one(row: dict, scorecard: Scorecard) -> dict:
    return score(pl.DataFrame({"account_id": "A", **row}), scorecard, detail=True).to_dicts()[0]


def flat(weights: dict[str, float]) -> Scorecard:
    """A dimension of own metrics whose points are their values."""
    declared = "".join(f"  {name}: {{label: {name}, unit: points}}\n" for name in weights)
    rules = "".join(f"      {n}: {{weight: {w}, anchors: [[0, 0], [100, 100]]}}\n" for n, w in weights.items())
    return card(f"metrics:\n{declared}groups:\n  all:\n    weight: 1\n    metrics:\n{rules}")


# --- drivers


@pytest.mark.parametrize("count", [1, 2, 3, 4, 31, 32, 33, 64, 65])
def test_the_three_most_costly_of_any_number_of_metrics_are_named_the_worst_first(count: int):
    # of equal weights, the metric number n has n points less than 100: the last ones cost most
    names = [f"m{number:03d}" for number in range(count)]
    result = one({name: 100.0 - number for number, name in enumerate(names)}, flat(dict.fromkeys(names, 1)))
    assert result["drivers"] == [name for name in reversed(names) if name != "m000"][:3]


def test_what_costs_nothing_or_is_not_known_is_no_driver():
    full = flat({"a": 1, "b": 1, "c": 1})
    assert one({"a": 100.0, "b": 100.0, "c": 100.0}, full)["drivers"] == []
    assert one({"a": 100.0, "b": 99.0, "c": None}, full)["drivers"] == ["b"]
    assert one({"a": None, "b": None, "c": None}, full)["drivers"] == []


def test_the_smallest_and_the_largest_possible_losses_are_told_apart():
    # 100 points of a single metric; a hundred-millionth of a point
    assert one({"a": 0.0}, flat({"a": 1}))["drivers"] == ["a"]
    tiny = one({"a": 100 - 2e-8, "b": 100 - 4e-8}, flat({"a": 1, "b": 1}))
    assert tiny["drivers"] == ["b", "a"]


def test_a_last_bit_does_not_decide_who_is_named_first():
    # both cost 3 points: 0.3 × 10, and 0.1 × 30, which is 3.0000000000000004 in floats of some orders
    tied = flat({"a": 3, "b": 1, "c": 6})
    result = one({"a": 90.0, "b": 70.0, "c": 100.0}, tied)
    assert result["a_lost"] == pytest.approx(result["b_lost"], abs=1e-12)
    assert sorted(result["drivers"]) == ["a", "b"]
    again = one({"a": 90.0 + 1e-14, "b": 70.0 - 1e-14, "c": 100.0}, tied)
    assert again["drivers"] == result["drivers"]


# --- a cap on a dimension, its condition known, possible, certain


# what is known, the condition on support, then: health, lower bound, upper bound
CASES = [
    # support 100, but without csat it could be (0·3 + 100) / 4 = 25: the cap is possible; use 80
    ({"open_bugs": 0, "feature_breadth": 80}, "lt: 50", (85, 40, 85)),
    # support 0, but it could be (300 + 0) / 4 = 75: the cap holds, yet is not certain; (75 + 240) / 4
    ({"open_bugs": 10, "feature_breadth": 80}, "lt: 50", (40, 40, 78.75)),
    # support 0, at best (0 + 100) / 4 = 25: the cap is certain
    ({"csat_score": 0, "feature_breadth": 80}, "lt: 50", (40, 40, 40)),
    # an edge belongs to lte, not to lt: at best 25, at worst 0
    ({"csat_score": 0, "feature_breadth": 80}, "lt: 25", (40, 40, 66.25)),
    ({"csat_score": 0, "feature_breadth": 80}, "lte: 25", (40, 40, 40)),
    # known to the last: (3·60 + 20) / 4 = 50, health (50 + 240) / 4 = 72.5
    ({"csat_score": 60, "open_bugs": 8, "feature_breadth": 80}, "lt: 50", (72.5, 72.5, 72.5)),
    ({"csat_score": 60, "open_bugs": 8, "feature_breadth": 80}, "lte: 50", (40, 40, 40)),
    ({"csat_score": 60, "open_bugs": 8, "feature_breadth": 80}, "eq: 50", (40, 40, 40)),
    ({"csat_score": 60, "open_bugs": 8, "feature_breadth": 80}, "gt: 50", (72.5, 72.5, 72.5)),
    ({"csat_score": 60, "open_bugs": 8, "feature_breadth": 80}, "gte: 50", (40, 40, 40)),
    # between 25 and 100: it could be 50, and need not
    ({"open_bugs": 0, "feature_breadth": 80}, "eq: 50", (85, 40, 85)),
    ({"open_bugs": 0, "feature_breadth": 80}, "eq: 20", (85, 66.25, 85)),
    # low and high as ends of a range: 25 to 100 is above 20 for certain, above 30 only perhaps
    ({"open_bugs": 0, "feature_breadth": 80}, "gt: 20", (40, 40, 40)),
    ({"open_bugs": 0, "feature_breadth": 80}, "gt: 30", (40, 40, 85)),
]
# the other dimension, at 80, is not below any of the edges either; but above them it is
EITHER = [
    (name, *case) for case in CASES for name in ("support", "any_dimension") if name == "support" or case[1][0] != "g"
]


@pytest.mark.parametrize(("name", "row", "condition", "expected"), EITHER)
def test_a_cap_on_a_dimension_counts_its_ends_in_the_bounds(name, row, condition, expected):
    result = one(row, card(f"{TWO}caps: [{{when: {{{name}: {{{condition}}}}}, cap: 40, reason: why}}]\n"))
    assert (result["health_score"], result["lower_bound"], result["upper_bound"]) == expected
    assert result["cap_reason"] == ("why" if expected[0] == 40 else None)


def test_two_comparisons_of_one_condition_must_both_hold():
    both = card(f"{TWO}caps: [{{when: {{open_bugs: {{gt: 2, lt: 6}}}}, cap: 40, reason: why}}]\n")
    held = [
        one({"csat_score": 100, "open_bugs": bugs, "feature_breadth": 100}, both)["cap_reason"] for bugs in (2, 4, 6)
    ]
    assert held == [None, "why", None]


def test_a_higher_cap_than_health_changes_nothing_but_its_reason_is_told():
    high = card(f"{TWO}caps: [{{when: {{open_bugs: {{gte: 0}}}}, cap: 90, reason: why}}]\n")
    result = one({"csat_score": 100, "open_bugs": 0, "feature_breadth": 80}, high)
    assert (result["health_score"], result["cap_reason"]) == (85, "why")


def test_the_columns_of_each_metric_come_only_when_asked_for():
    plain = score(pl.DataFrame({"account_id": "A", "csat_score": 50.0}), card(TWO)).columns
    assert not [name for name in plain if name.endswith(("_points", "_contribution", "_lost"))]

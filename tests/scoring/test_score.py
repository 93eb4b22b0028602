"""Scores calculated by hand from SCORECARD's formulas; each test carries its arithmetic."""

import math

import polars as pl
import pytest

from accountpulse.core.catalogue import METRICS
from accountpulse.scoring.scorecard import Scorecard, default, load
from accountpulse.scoring.scores import score

PILLARS = ("ops", "auto")
NO_SIGNALS = {"critical_signals": 0, "moderate_signals": 0, "watch_signals": 0, "critical_confirmed_signals": 0}
# every metric of the packaged scorecard on the value that its anchors give 75 points for, or nearest above
GREEN = {
    "seats": 100, "mau": 80, "dau": 16, "feature_breadth": 50, "login_frequency": 2.5,
    "pillar_ops": 75, "pillar_auto": 75,
    "total_conversations": 15, "p1_p2_pct": 10, "escalation_pct": 5, "median_first_response_seconds": 14400,
    "median_resolution_seconds": 86400, "csat_score": 85, "csat_response_rate": 15,
    "critical_bugs": 0.5, "open_bugs": 2,
    "reopened_bugs": 1, "avg_resolution_days": 7, "bug_trend": 1, "arr_trajectory_pct": 2, "payment_health": 0.625,
    "contract_changes": 0.625, "tier_alignment": 0.625, "days_to_renewal": 90, "champion_stability": 80,
    "qbr_attendance": 75, "expansion_signals": 1, **NO_SIGNALS,
}  # fmt: skip


def many(rows: list[dict], card: Scorecard | None = None, **options) -> list[dict]:
    """The results of several accounts, in one call: building the expressions costs more than a thousand accounts."""
    frame = pl.DataFrame([{"account_id": "A", **row} for row in rows], infer_schema_length=None, strict=False)
    return score(frame, card or default(PILLARS), detail=True, **options).to_dicts()


def one(row: dict, card: Scorecard | None = None, **options) -> dict:
    return many([row], card, **options)[0]


def card(text: str, coverage: str = "{}") -> Scorecard:
    head = f"name: hand\nversion: 1\ncoverage: {coverage}\ntiers: [{{name: Good, min: 75}}, {{name: Poor, min: 0}}]\n"
    return load(head + text, "hand.yaml", PILLARS)


TWO = """
groups:
  support:
    weight: 1
    metrics:
      csat_score: {weight: 3, anchors: [[0, 0], [100, 100]]}
      open_bugs: {weight: 1, anchors: [[0, 100], [10, 0]]}
  use: {weight: 3, metrics: {feature_breadth: {weight: 1, anchors: [[0, 0], [50, 60], [100, 100]]}}}
"""


def test_a_score_is_the_weighted_mean_of_what_is_known():
    # support = (3·80 + 1·60) / 4 = 75; use: half of the way from 60 to 100 = 80; health = (1·75 + 3·80) / 4 = 78.75
    result = one({"csat_score": 80, "open_bugs": 4, "feature_breadth": 75}, card(TWO))
    assert (result["support_score"], result["use_score"], result["health_score"]) == (75.0, 80.0, 78.75)
    assert result["coverage"] == 100.0
    assert result["tier"] == "Good"
    # effective weights: 1/4·3/4, 1/4·1/4, 3/4
    assert result["csat_score_contribution"] == pytest.approx(0.1875 * 80)
    assert result["open_bugs_lost"] == pytest.approx(0.0625 * 40)
    assert result["feature_breadth_lost"] == pytest.approx(0.75 * 20)
    assert result["drivers"] == ["feature_breadth", "csat_score", "open_bugs"]  # 15, 3.75, 2.5


def test_what_is_not_known_leaves_the_mean_and_the_coverage():
    # support = 60 from open_bugs alone; coverage (1·(1/4) + 3·1) / 4 = 0.8125; health (60 + 3·80) / 4 = 75
    result = one({"csat_score": None, "open_bugs": 4, "feature_breadth": 75}, card(TWO))
    assert (result["support_score"], result["coverage"], result["health_score"]) == (60.0, 81.25, 75.0)
    # bounds over the whole weight: csat 0 or 100 → support (0 + 60) / 4 = 15 or (300 + 60) / 4 = 90
    assert result["lower_bound"] == (15 + 240) / 4
    assert result["upper_bound"] == (90 + 240) / 4
    assert result["csat_score_points"] is None


def test_a_dimension_with_too_little_known_has_no_score_but_its_data_counts_in_coverage_and_bounds():
    result = one({"open_bugs": 4, "feature_breadth": 75}, card(TWO, "{dimension_min: 0.5}"))
    assert result["support_score"] is None
    assert result["health_score"] == 80.0
    assert result["coverage"] == 81.25
    assert (result["lower_bound"], result["upper_bound"]) == (63.75, 82.5)
    assert result["open_bugs_contribution"] == result["open_bugs_lost"] == 0.0


def test_a_dimension_with_just_enough_known_has_a_score():
    result = one({"open_bugs": 4, "feature_breadth": 75}, card(TWO, "{dimension_min: 0.25}"))
    assert result["support_score"] == 60.0


def test_a_dimension_has_bounds_of_its_own_over_its_whole_weight():
    # support with bugs not known: (3·80 + 0) / 4 and (3·80 + 100) / 4; use is known
    result = one({"csat_score": 80, "open_bugs": None, "feature_breadth": 75}, card(TWO))
    assert (result["support_lower_bound"], result["support_upper_bound"]) == (60.0, 85.0)
    assert (result["use_lower_bound"], result["use_upper_bound"]) == (80.0, 80.0)
    assert "use_lower_bound" not in score(pl.DataFrame({"account_id": ["A"]}), card(TWO)).columns


def test_groups_nest_to_any_depth():
    # inner = (1·80 + 1·40) / 2 = 60; keep = (0.6·60 + 0.4·90) / 1 = 72
    nested = """
groups:
  keep:
    weight: 0.6
    groups:
      deep: {weight: 2, groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}},
                                 b: {weight: 1, metrics: {qbr_attendance: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}}
  value: {weight: 0.4, pillars: {each: equal, anchors: [[0, 0], [100, 100]]}}
"""
    made = card(nested)
    assert made.dimensions == ("a", "b", "value")
    result = one({"csat_score": 80, "qbr_attendance": 40, "pillar_ops": 100, "pillar_auto": 80}, made)
    assert result["health_score"] == pytest.approx(72)
    assert result["value_score"] == 90.0


def test_a_metric_per_seat_is_a_percentage_and_falls_back_where_seats_are_not_known():
    # 65 of 100 seats: half of the way from 50 to 80 → 62.5 points; without seats: −20 % → 50 points
    row = {**GREEN, "mau": 65, "mau_trend_pct": -20}
    known, seated, *without_seats = many(
        [GREEN, row, *({**row, "seats": seats} for seats in (None, 0, -3, math.nan, math.inf))]
    )
    assert seated["mau_points"] == pytest.approx(62.5)
    for fallen in without_seats:
        assert fallen["mau_points"] == 50.0
        assert fallen["dau_points"] is None
    # a leaf that stands on its else counts as missing in the bounds: mau and dau from 0 to 100 instead of known
    fallen = one({**row, "seats": None, "dau_trend_pct": 10})
    adoption = {end: (0.6 * end + 0.25 * 75 + 0.15 * 75) for end in (0, 100)}
    rest = known["health_before_caps"] - 0.3 * known["adoption_score"]
    assert fallen["lower_bound"] == pytest.approx(rest + 0.3 * adoption[0])
    assert fallen["upper_bound"] == pytest.approx(rest + 0.3 * adoption[100])


def test_shares_of_few_conversations_do_not_count():
    few = one({**GREEN, "total_conversations": 4})
    assert few["p1_p2_pct_points"] is None  # needs 5
    assert few["median_resolution_seconds_points"] == 75.0  # needs 3
    assert few["csat_score_points"] == 75.0  # needs none
    assert one({**GREEN, "total_conversations": None})["p1_p2_pct_points"] is None


def test_counts_of_another_window_are_scaled_to_90_days_but_enough_is_not():
    # 5 conversations in 30 days are 15 in 90: 75 points; 1 reopened is 3: between 2 (50) and 4 (25)
    result = one({**GREEN, "total_conversations": 5}, window_days=30)
    assert result["total_conversations_points"] == 75.0
    assert result["reopened_bugs_points"] == 37.5
    assert result["p1_p2_pct_points"] == 75.0
    assert one({**GREEN, "total_conversations": 4}, window_days=30)["p1_p2_pct_points"] is None


def test_an_account_on_every_green_edge_is_healthy_to_the_last_bit():
    result = one(GREEN)
    assert result["health_score"] == 75.0
    assert result["tier"] == "Healthy"
    # four fifths of any number of seats are 80 %, however 1/seats is rounded
    rows = [{**GREEN, "seats": 5 * fifth, "mau": 4 * fifth} for fifth in range(1, 400)]
    assert {result["mau_points"] for result in many(rows)} == {75.0}


def test_no_cap_no_tier_is_decided_on_a_rounded_value():
    just = one({"csat_score": 74.99999, "open_bugs": 2.500001, "feature_breadth": 68.75 - 1e-7}, card(TWO))
    assert 74.99 < just["health_score"] < 75
    assert just["tier"] == "Poor"


# --- caps ------------------------------------------------------------------------------------------------------


# change, health after caps, reasons
CAPPED = [
    ({"critical_confirmed_signals": 1, "critical_signals": 1}, 35, "confirmed critical signal; open critical signal"),
    ({"critical_signals": 2}, 35, "two or more critical signals; open critical signal"),
    ({"critical_signals": 1}, 49, "open critical signal"),
    ({"moderate_signals": 3}, 59, "three or more moderate signals; open moderate signal"),
    ({"moderate_signals": 1}, 74, "open moderate signal"),
    ({"payment_health": 3}, 75 - 0.15 * 0.25 * 60, "three or more payment problems"),  # 15 points instead of 75
    ({"critical_bugs": 2}, 75 - 0.10 * 0.35 * 50, "two or more critical bugs open"),  # 25 instead of 75
    ({"watch_signals": 3}, 75, "three or more watch signals"),
    # champions: 49 points instead of 75; a renewal in 180 days: 100 instead of 75
    (
        {"champion_stability": 49, "days_to_renewal": 180},
        75 - 0.1 * 0.45 * 26 + 0.15 * 0.1 * 25,
        "champion lost close to renewal",
    ),
    ({"champion_stability": 49, "days_to_renewal": 181}, 75 - 0.1 * 0.45 * 26 + 0.15 * 0.1 * 25, None),
]


def test_the_lowest_cap_wins_and_every_reason_is_told():
    for (change, health, reason), result in zip(CAPPED, many([{**GREEN, **c} for c, _, _ in CAPPED]), strict=True):
        assert result["cap_reason"] == reason, change
        assert result["health_score"] == pytest.approx(min(74, health) if reason and "champion" in reason else health)


def test_a_low_dimension_caps_and_one_without_a_score_does_not():
    unused = {**GREEN, "mau": 0, "dau": 0, "feature_breadth": 0, "login_frequency": 0}
    assert one(unused)["cap_reason"] == "adoption below 25; a dimension below 25"
    blind = {**GREEN, "mau": None, "dau": None, "feature_breadth": None, "login_frequency": None}
    result = one(blind)
    assert result["cap_reason"] is None
    # but it could be low: 0.7·75 and adoption 0 → 52.5, under the cap of 59; at best 0.7·75 + 0.3·100 = 82.5
    assert result["lower_bound"] == pytest.approx(52.5)
    assert result["upper_bound"] == pytest.approx(82.5)


def test_a_cap_that_nobody_could_read_holds_in_the_lower_bound_only():
    result = one({**GREEN, "payment_health": None})
    assert result["cap_reason"] is None
    # payment 0 or 100 instead of 75: 0.15·0.25·75 = 2.8125 less, 0.9375 more; the cap of 74 holds nothing more down
    assert result["lower_bound"] == pytest.approx(75 - 2.8125)
    assert result["upper_bound"] == pytest.approx(75.9375)
    better = one({**GREEN, "critical_confirmed_signals": None})
    assert (better["health_score"], better["lower_bound"], better["upper_bound"]) == (75.0, 35.0, 75.0)


# --- Not Rated -------------------------------------------------------------------------------------------------


def without(*names: str) -> dict:
    return {name: value for name, value in GREEN.items() if name not in names}


def test_too_little_weight_is_not_rated():
    # adoption, platform value: 0.5 of the weight
    usage = ("seats", "mau", "dau", "feature_breadth", "login_frequency", "pillar_ops", "pillar_auto")
    result = one({**{name: GREEN[name] for name in usage}, **NO_SIGNALS})
    assert (result["tier"], result["coverage"]) == ("Not Rated", 50.0)
    assert result["health_score"] is result["health_before_caps"] is result["churn_risk_score"] is None
    assert result["not_rated_reason"] == "coverage below 60 %; fewer than 3 dimensions have a score"
    assert result["adoption_score"] == 75.0


def test_exactly_enough_weight_is_rated():
    # adoption 0.30 + support 0.15 + financial 0.15 = 0.60, however the sum is rounded
    lost = (
        "pillar_ops",
        "pillar_auto",
        "critical_bugs",
        "open_bugs",
        "reopened_bugs",
        "avg_resolution_days",
        "bug_trend",
        "champion_stability",
        "qbr_attendance",
        "expansion_signals",
    )
    result = one(without(*lost))
    assert result["coverage"] == pytest.approx(60)
    assert result["tier"] == "Healthy"


def test_without_usage_and_value_nobody_is_rated():
    result = one(without("mau", "dau", "feature_breadth", "login_frequency", "pillar_ops", "pillar_auto"))
    assert result["not_rated_reason"] == "coverage below 60 %; no score for adoption or platform value"


@pytest.mark.parametrize(
    ("waived", "excused"), [(False, {"no_evidence"}), (True, {"no_evidence", "not_configured", None})]
)
def test_an_unread_warning_is_not_an_absent_one(waived, excused):
    reasons = ["source_failed", "field_missing", "not_configured", "no_evidence", None]
    rows = [{**GREEN, "critical_signals": None, "critical_signals_reason": reason} for reason in reasons]
    for reason, result in zip(reasons, many(rows, signals_waived=waived), strict=True):
        assert (result["tier"] == "Healthy") is (reason in excused)
        assert result["not_rated_reason"] == (None if reason in excused else "critical_signals can't be read")


def test_a_known_critical_signal_speaks_even_where_nothing_else_is_known():
    result = one({"critical_signals": 1})
    assert (result["tier"], result["health_score"], result["churn_risk_score"]) == ("Critical", None, 50.0)
    assert result["not_rated_reason"]
    assert result["cap_reason"] == "open critical signal"


def test_without_pillars_platform_value_is_an_unknown_dimension_with_its_weight():
    result = one(GREEN, default())
    assert result["platform_value_score"] is None
    assert result["coverage"] == pytest.approx(80)
    assert result["health_score"] == 75.0
    assert result["lower_bound"] == pytest.approx(60.0)
    assert result["upper_bound"] == pytest.approx(80.0)


# --- an outage -------------------------------------------------------------------------------------------------


def test_an_outage_keeps_the_tier_below_the_next():
    expected = {
        "Critical": (49.9, "Critical"),
        "At Risk": (74.9, "At Risk"),
        "Healthy": (75.0, "Healthy"),
        "Champion": (75.0, "Healthy"),
    }
    results = many([{**GREEN, "last_tier": last} for last in expected], failed_sources=["bugs", "usage"])
    for last, result in zip(expected, results, strict=True):
        assert (result["health_score"], result["tier"]) == expected[last]
        assert result["cap_reason"] == (None if last == "Champion" else "source_failed: bugs, usage")
    assert one({**GREEN, "last_tier": "Critical"})["health_score"] == 75.0


def test_an_outage_rates_nobody_who_had_no_tier():
    rows = [{**GREEN, "last_tier": last} for last in (None, "Not Rated", "Platinum")]
    for result in many(rows, failed_sources=["bugs"]):
        assert result["tier"] == "Not Rated"
        assert "bugs could not be read" in result["not_rated_reason"]


# --- churn risk ------------------------------------------------------------------------------------------------


def sigmoid(z: float) -> float:
    return 100 / (1 + math.exp(-z))


def risk_of(*changes: dict) -> list[float]:
    return [result["churn_risk_score"] for result in many([{**GREEN, **change} for change in changes])]


def test_risk_is_the_sum_of_its_terms():
    plain, fallen, two, six = risk_of({}, {"health_before_caps_3m": 90}, {"watch_signals": 2}, {"watch_signals": 6})
    # health 75, renewal in 90 days +0.6, no trend, no signals: −2.2 + 0.052·(−25) + 0.6 = −2.9
    assert plain == pytest.approx(sigmoid(-2.9))
    # fallen by 15 points in three months: half of the way from −10 (0.7) to −20 (1.4)
    assert fallen == pytest.approx(sigmoid(-2.9 + 1.05))
    # two watch signals: 0.2 + 0.2; six would be 1.2, but 0.6 is the most
    assert (two, six) == (pytest.approx(sigmoid(-2.9 + 0.4)), pytest.approx(sigmoid(-2.9 + 0.6)))


def test_the_first_signal_counts_more_than_the_next():
    # no caps, so no floors: health 80, z = −2.2 + 0.052·(−30) = −3.76; critical signals 1.6, then 0.6 each, at most 2.8
    rows = [{"csat_score": 80, "open_bugs": 2, "feature_breadth": 75, "critical_signals": count} for count in (1, 2, 5)]
    risks = [result["churn_risk_score"] for result in many(rows, card(TWO))]
    assert risks == pytest.approx([sigmoid(-3.76 + 1.6), sigmoid(-3.76 + 2.2), sigmoid(-3.76 + 2.8)])


def test_the_exponent_of_the_risk_knows_no_floor_and_is_null_where_nobody_is_rated():
    # health 78.75 as above, z = −2.2 + 0.052·(50 − 78.75) + 1.6 = −2.095; the cap lifts the risk to 50, and not z
    made = card(TWO + "caps: [{when: {critical_signals: {gte: 1}}, cap: 40, reason: why}]\n", "{tier_min: 0.5}")
    known = {"csat_score": 80, "open_bugs": 4, "feature_breadth": 75, "critical_signals": 1}
    rated, critical, unknown = many([known, {"critical_signals": 1}, {"critical_signals": None}], made)
    assert (rated["churn_risk_score"], rated["risk_z"]) == (50.0, pytest.approx(-2.095))
    assert (critical["churn_risk_score"], critical["risk_z"]) == (50.0, None)
    assert (unknown["churn_risk_score"], unknown["risk_z"]) == (None, None)


def test_risk_is_floored_by_the_cap():
    late = {"moderate_signals": 4, "days_to_renewal": -30, "health_before_caps_3m": 100}
    critical, moderate, high = risk_of({"critical_signals": 1}, {"moderate_signals": 1}, late)
    assert critical == 50.0  # sigmoid(−2.9 + 1.6) = 21
    assert moderate == 10.0  # sigmoid(−2.9 + 0.6) = 9.1
    # a renewal overdue by 30 days has 0 points instead of 75; its risk lies above the floor and stays
    health = 75 - 0.15 * 0.10 * 75
    assert high == pytest.approx(sigmoid(-2.2 + 0.052 * (50 - health) + 1.4 + 1.2 + 1.5))


@pytest.mark.parametrize(("risk", "band"), [(9.99, "low"), (10, "medium"), (30, "high"), (None, None)])
def test_risk_has_bands(risk, band):
    assert default().risk_band(risk) == band


# --- the behaviour of the packaged scorecard, as it was designed --------------------------------------------------

GOOD = {
    **GREEN,
    "mau": 88,
    "dau": 22,
    "feature_breadth": 65,
    "pillar_ops": 82,
    "pillar_auto": 84,
    "csat_score": 90,
    "days_to_renewal": 220,
    "critical_bugs": 0,
    "payment_health": 0,
    "contract_changes": 0,
    "tier_alignment": 0,
}


def test_a_good_account_behaves_as_designed():
    changes = [
        {},
        {"days_to_renewal": 45},
        {"critical_signals": 1},
        {"moderate_signals": 1},
        {"champion_stability": 0, "days_to_renewal": 120},
    ]
    plain, near, critical, moderate, champion = many([{**GOOD, **change} for change in changes])
    assert 80 < plain["health_score"] < 85
    assert plain["tier"] == near["tier"] == "Healthy"
    assert plain["health_score"] - near["health_score"] < 1  # a renewal moves the risk, hardly the health
    assert plain["churn_risk_score"] < 1.5
    assert near["churn_risk_score"] > 3 * plain["churn_risk_score"]
    assert (critical["health_score"], critical["tier"], critical["churn_risk_score"]) == (49.0, "Critical", 50.0)
    assert (moderate["health_score"], moderate["tier"], moderate["churn_risk_score"]) == (74.0, "At Risk", 10.0)
    assert (champion["health_score"], champion["tier"]) == (74.0, "At Risk")


def test_what_an_outage_of_each_source_does_to_the_coverage_of_a_good_account():
    support = [name for name in GREEN if name in METRICS and METRICS[name].domain == "support"]
    bugs = ["critical_bugs", "open_bugs", "reopened_bugs", "avg_resolution_days", "bug_trend"]
    usage = ["mau", "dau", "feature_breadth", "login_frequency", "pillar_ops", "pillar_auto"]
    relationship = ["champion_stability", "qbr_attendance", "expansion_signals"]
    contract = [
        "arr_trajectory_pct",
        "payment_health",
        "contract_changes",
        "tier_alignment",
        "days_to_renewal",
        *relationship,
    ]

    def lost(*names):
        return {name: value for name, value in GOOD.items() if name not in names}

    gone = [(*support, *bugs), tuple(usage), tuple(relationship), (*contract, *NO_SIGNALS)]
    results = many([lost(*names) for names in gone])
    assert [result["coverage"] for result in results] == pytest.approx([75, 50, 90, 75])
    assert [result["tier"] == "Not Rated" for result in results] == [False, True, False, True]
    quiet = one({**lost(*support), "total_conversations": 0})
    assert quiet["support_score"] is None
    assert quiet["coverage"] == pytest.approx(85 + 15 * 0.05)  # that there were none is known, and weighs 0.05


def test_nan_infinity_and_absent_columns_are_not_known():
    assert one({"csat_score": math.nan, "open_bugs": math.inf}, card(TWO))["coverage"] == 0.0
    empty = one({}, card(TWO))
    assert empty["tier"] == "Not Rated"
    assert empty["not_rated_reason"] == "nothing that counts is known"
    assert empty["drivers"] == []


def test_a_segment_changes_anchors_not_weights():
    segments = "segments: [{name: paid, when: {segment: [Paid]}, anchors: {feature_breadth: [[0, 10], [100, 50]]}}]\n"
    made = card(TWO + segments)
    row = {"csat_score": 80, "open_bugs": 4, "feature_breadth": 75}
    assert one({**row, "segment": "Paid"}, made)["feature_breadth_points"] == 40.0
    assert one({**row, "segment": "Free"}, made)["feature_breadth_points"] == 80.0
    blind = one({"csat_score": 80, "open_bugs": 4, "segment": "Paid"}, made)
    assert blind["lower_bound"] == (75 + 3 * 10) / 4
    assert blind["upper_bound"] == (75 + 3 * 50) / 4


def test_lazy_in_lazy_out_and_a_row_for_each_account_in_order():
    frame = pl.DataFrame({"account_id": ["B", "A"], "csat_score": [10, None]})
    lazy = score(frame.lazy(), card(TWO))
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["account_id"].to_list() == ["B", "A"]
    assert score(frame[:0], card(TWO)).height == 0


def test_a_value_can_be_a_percentage_of_arr():
    # 3 of 12 are 25 %, half of the way from 0 to 50; without ARR, or with none above 0, nothing is known
    metrics = "metrics: {payment_health: {weight: 1, per: arr, anchors: [[0, 100], [50, 0]]}}"
    per_arr = card(f"groups: {{money: {{weight: 1, {metrics}}}}}")
    found = many([{"payment_health": 3, "arr": arr} for arr in (12, 6, None, 0)], per_arr)
    assert [result["health_score"] for result in found] == [50.0, 0.0, None, None]
    assert one({"payment_health": 3, "seats": 12}, per_arr)["health_score"] is None


def test_a_count_that_stands_in_is_scaled_to_the_window_as_well():
    # 4 in 45 days are 8 in 90: 20 points of [0, 100] to [10, 0]; of a metric that is no count nothing is scaled
    other = "{metric: reopened_bugs, anchors: [[0, 100], [10, 0]]}"
    metrics = f"csat_score: {{weight: 1, anchors: [[0, 0], [9, 9]], else: {other}}}"
    counted = card(f"groups: {{a: {{weight: 1, metrics: {{{metrics}}}}}}}")
    plain = card(f"groups: {{a: {{weight: 1, metrics: {{{metrics.replace('reopened', 'open')}}}}}}}")
    assert one({"reopened_bugs": 4}, counted, window_days=45.0)["health_score"] == 20.0
    assert one({"reopened_bugs": 4}, counted)["health_score"] == 60.0
    assert one({"open_bugs": 4}, plain, window_days=45.0)["health_score"] == 60.0


def test_the_scorecards_name_and_hash_stand_beside_every_score():
    small = card(TWO)
    assert [row["scorecard"] for row in many([{"csat_score": 80}, {"csat_score": None}], small)] == [
        f"hand {small.hash}"
    ] * 2


def test_a_frame_gives_a_frame_and_a_lazy_one_a_lazy_one():
    frame = pl.DataFrame({"account_id": ["A"], "csat_score": [80.0]})
    eager, lazy = score(frame, card(TWO)), score(frame.lazy(), card(TWO))
    assert isinstance(eager, pl.DataFrame)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().equals(eager)


def test_a_segments_anchors_are_taken_for_a_metric_that_stands_in_too():
    # 40 of [0, 0] to [100, 100] is 40; for Paid, of [0, 0] to [50, 100], 80
    rule = "{weight: 1, anchors: [[0, 0], [9, 9]], else: {metric: feature_breadth, anchors: [[0, 0], [100, 100]]}}"
    paid = "segments: [{name: p, when: {segment: Paid}, anchors: {feature_breadth: [[0, 0], [50, 100]]}}]"
    own = card(f"groups: {{a: {{weight: 1, metrics: {{csat_score: {rule}}}}}}}\n{paid}\n")
    found = many([{"feature_breadth": 40, "segment": segment} for segment in ("Paid", "Free", None)], own)
    assert [result["health_score"] for result in found] == [80.0, 40.0, 40.0]


def test_an_outage_holds_health_down_to_0_where_the_next_tier_begins_at_once():
    small = load("name: t\ntiers: [{name: Some, min: 0.05}, {name: None at all, min: 0}]" + TWO, "t.yaml")
    held = one({"csat_score": 80, "last_tier": "None at all"}, small, failed_sources=("bugs",))
    assert (held["health_score"], held["tier"]) == (0.0, "None at all")


def test_a_value_on_an_anchor_has_exactly_its_points():
    # on the line to it, (0.4 − 0.11) · ((98.3 − 29.6) / (0.4 − 0.11)) + 29.6 would be 98.29999999999998
    anchors = [[0.11, 29.6], [0.4, 98.3], [2.0, 99.0]]
    steep = card(f"groups: {{a: {{weight: 1, metrics: {{csat_score: {{weight: 1, anchors: {anchors}}}}}}}}}")
    found = many([{"csat_score": x} for x, _ in anchors], steep)
    assert [result["csat_score_points"] for result in found] == [29.6, 98.3, 99.0]


def test_several_failed_sources_are_told_with_commas():
    result = one({"csat_score": 80, "last_tier": None}, card(TWO), failed_sources=("bugs", "usage"))
    assert result["not_rated_reason"] == "bugs, usage could not be read, and there is no tier of an earlier run to keep"


FLOORED = """
caps: [{when: {open_bugs: {gte: 5}}, cap: 50, reason: bugs}, {when: {open_bugs: {gte: 9}}, cap: 49, reason: more}]
churn_risk:
  {intercept: -9, slope: 0, trend: [[0, 0], [1, 0]], renewal: [[0, 0], [1, 0]], signals: {},
   floors: [{cap_below: 50, risk: 60}], bands: {medium: 10, high: 30}}
"""


def test_a_floor_holds_below_its_cap_and_not_at_it():
    found = many([{"open_bugs": bugs} for bugs in (0, 5, 9)], card(TWO + FLOORED))
    assert [result["churn_risk_score"] > 1 for result in found] == [False, False, True]
    assert found[2]["churn_risk_score"] == 60.0


def test_without_any_floor_a_critical_signal_alone_is_a_risk_of_50():
    none = card(TWO + FLOORED.replace("[{cap_below: 50, risk: 60}]", "[]"), "{tier_min: 0.5}")
    result = one({"critical_signals": 1, "csat_score": None}, none)
    assert (result["tier"], result["health_score"], result["churn_risk_score"]) == ("Poor", None, 50.0)  # the lowest


def test_pillars_that_nobody_configured_can_be_anything_between_their_anchors():
    # support 80 of weight 1, and a dimension of weight 3 that might be 20 to 90: (80 + 60) / 4 and (80 + 270) / 4
    text = """name: p
tiers: [{name: All, min: 0}]
groups:
  support: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}
  value: {weight: 3, pillars: {anchors: [[0, 20], [100, 90]]}}
"""
    result = one({"csat_score": 80}, load(text, "p.yaml"))
    assert (result["lower_bound"], result["upper_bound"]) == (35.0, 87.5)


def test_pillars_may_stand_in_a_group_of_groups():
    text = """name: p
tiers: [{name: All, min: 0}]
groups:
  product:
    weight: 1
    groups: {value: {weight: 1, pillars: {anchors: [[0, 0], [100, 100]]}}}
"""
    nested = load(text, "p.yaml", PILLARS)
    assert [leaf.key for leaf in nested.leaves] == ["product/value/pillar_ops", "product/value/pillar_auto"]
    assert one({"pillar_ops": 30, "pillar_auto": 50}, nested)["health_score"] == 40.0

from datetime import date

import polars as pl

from accountpulse.core.catalogue import METRICS, Metric
from accountpulse.scoring.explain import (
    bounds_text,
    cap_reasons,
    duration,
    limit,
    plain,
    probability_text,
    read_columns,
    reason,
    renewal_text,
    sentences,
    signed,
    value_text,
    why_unknown,
)
from accountpulse.scoring.scorecard import default, load

CARD = default(("ops",))
KNOWN = {leaf.name: 1.0 for leaf in CARD.leaves} | {"seats": 120, "total_conversations": 9}


def test_a_driver_is_told_with_raw_values_and_what_it_costs():
    row = {**KNOWN, "mau": 31, "health_score": 60.0, "health_before_caps": 60.0, "drivers": ["mau"], "mau_lost": 9.42}
    assert sentences(row, CARD) == ["monthly active users: 31 of 120 seats (26 %), costs 9.4 points"]


def test_a_driver_that_stands_on_its_substitute_says_so():
    row = {
        **KNOWN,
        "mau": 31,
        "mau_trend_pct": -12.5,
        "seats": None,
        "dau_trend_pct": 3,
        "health_score": 60.0,
        "drivers": ["mau", "dau"],
        "mau_lost": 9.42,
        "dau_lost": 1.0,
    }
    assert sentences(row, CARD) == [
        "monthly active users: seats not known; change of monthly active users −12.5 %, costs 9.4 points",
        "daily active users: seats not known; change of daily active users +3 %, costs 1 point",
    ]


OWN = """
name: own
metrics:
  nps: {label: net promoter score, unit: points}
  nps_points: {label: points of the last survey, unit: points}
tiers: [{name: Good, min: 60}, {name: Bad, min: 0}]
groups:
  adoption:
    weight: 1
    metrics:
      nps: {weight: 1, anchors: [[0, 0], [100, 100]]}
      nps_points: {weight: 1, anchors: [[0, 0], [100, 100]]}
"""


def test_a_metric_that_is_called_like_a_detail_of_another_is_read_for_reasons():
    scores = pl.DataFrame({"account_id": ["a"], "nps_points": [10.0], "nps_contribution": [5.0], "nps_lost": [5.0]})
    assert read_columns(scores, load(OWN, "own.yaml")).columns == ["account_id", "nps_points", "nps_lost"]


def test_what_holds_health_down_comes_first():
    row = {
        **KNOWN,
        "health_score": 49.0,
        "health_before_caps": 76.89,
        "cap_reason": "open critical signal",
        "drivers": [],
    }
    assert sentences(row, CARD) == ["capped at 49 (from 76.9): open critical signal"]


def test_a_cap_that_does_not_lower_the_score_comes_after_the_drivers_with_what_follows_from_it():
    row = {**KNOWN, "health_score": 38.24, "health_before_caps": 38.24, "drivers": ["mau"], "mau": 31, "mau_lost": 9.42}
    capped = row | {"cap_reason": "open critical signal; a dimension below 25"}
    what = "health, 38.2 now, can't rise above 49 until this is settled"
    assert sentences(capped, CARD) == [
        "monthly active users: 31 of 120 seats (26 %), costs 9.4 points",
        f"open critical signal: {what} (further limits: a dimension below 25)",
    ]
    assert limit(row | {"cap_reason": "source_failed: looker"}, CARD) == (
        "Looker could not be read: the tier can't rise until this is settled"
    )
    held = row | {"cap_reason": "source_failed: intercom, jira, metrics.nps; lost_sight: csat_score, mau"}
    assert cap_reasons(held, CARD) == [
        "Intercom, Jira and Nps could not be read",
        "CSAT and monthly active users can't be seen any more",
    ]
    assert sentences(held | {"health_score": 30.0}, CARD)[0] == (
        "capped at 30 (from 38.2): Intercom, Jira and Nps could not be read; "
        "CSAT and monthly active users can't be seen any more"
    )
    unrated = {"cap_reason": "open critical signal", "health_score": None, "health_before_caps": None}
    assert limit(unrated, CARD) == "open critical signal: health can't rise above 49 until this is settled"
    assert limit(row, CARD) is None


def test_an_account_that_is_not_rated_says_why_and_puts_no_price_on_anything():
    row = {
        **KNOWN,
        "health_score": None,
        "tier": "Not Rated",
        "coverage": 45.04,
        "not_rated_reason": "coverage below 60 %",
        "drivers": ["open_bugs"],
        "open_bugs_lost": 3.0,
    }
    assert sentences(row, CARD) == ["Not Rated (45 % of the weight is known): coverage below 60 %", "open bugs: 1"]


def test_missing_data_is_told_with_its_reason():
    row = {
        **KNOWN,
        "csat_score": None,
        "csat_score_reason": "no_evidence",
        "total_conversations": 4,
        "critical_bugs": None,
        "critical_bugs_reason": "source_failed",
        "open_bugs": None,
        "open_bugs_reason": "source_failed",
    }
    assert sentences(row, CARD) == [
        (
            "no data: P1/P2 conversations, escalated conversations, CSAT response rate (too few to judge by); "
            "CSAT (nobody rated); open critical bugs, open bugs (the source could not be read in this run)"
        )
    ]


def test_what_a_value_lacks_to_count_has_a_reason_of_its_own():
    leaves = {leaf.name: leaf for leaf in CARD.leaves}
    few = {**KNOWN, "total_conversations": 4}
    unseated = {**KNOWN, "seats": None}
    assert reason(KNOWN, leaves["p1_p2_pct"]) is None
    assert reason(few, leaves["p1_p2_pct"]) == "too_few"
    assert reason({**KNOWN, "total_conversations": None}, leaves["median_resolution_seconds"]) == "too_few"
    assert (reason(unseated, leaves["mau"]), why_unknown(unseated, leaves["mau"])) == ("no_seats", "seats not known")
    assert reason({**unseated, "mau_trend_pct": 1.0}, leaves["mau"]) is None
    assert reason({**KNOWN, "csat_score": None}, leaves["csat_score"]) == "unknown"
    failed = {**KNOWN, "csat_score": None, "csat_score_reason": "source_failed"}
    assert reason(failed, leaves["csat_score"]) == "source_failed"


def test_a_renewal_is_told_by_its_date():
    row = {**KNOWN, "days_to_renewal": 45, "health_score": 60.0, "drivers": ["days_to_renewal"]}
    row["days_to_renewal_lost"] = 1.5
    told = "days to renewal: 2026-12-16 (in 45 days), costs 1.5 points"
    assert sentences(row, CARD, date(2026, 11, 1)) == [told]
    assert renewal_text(-1, date(2026, 11, 1)) == "2026-10-31 (1 day overdue)"


def test_signs_and_decimals_are_the_readers():
    assert [signed(value) for value in (3, -0.44, 0.04, -0.04, 1234.56)] == ["+3", "−0.4", "0", "0", "+1,234.6"]
    assert [signed(value, 2) for value in (0.5, -2.345)] == ["+0.5", "−2.35"]
    assert [plain(value, 6) for value in (100, 0.052, 95.25)] == ["100", "0.052", "95.25"]
    assert [plain(value, 0) for value in (20, 1200, 0.4, -0.4, -30)] == ["20", "1,200", "0", "0", "−30"]


def test_a_probability_is_told_with_its_bounds_or_as_the_range_of_a_band():
    lead = "probability of leaving within 180 days"
    assert probability_text(18.2, 10.96, 28.5, 180) == f"{lead} 18 % (11–28 %)"
    assert probability_text(20.0, 10.0, 100.0, 180) == f"{lead} 20 % (10–100 %)"
    assert probability_text(6.64, 0.04, 9.96, 180) == f"{lead} 6.6 % (0–10 %)"
    assert probability_text(None, 5.0, 30.0, 90) == (
        "probability of leaving within 90 days 5–30 % (accounts in its risk band)"
    )
    assert probability_text(None, None, None, 180) is None


def test_values_are_written_as_people_write_them():
    def text(unit, value, name="x"):
        return value_text(METRICS.get(name) or Metric(name, "usage", "x", unit), value)

    assert text("seconds", 18720) == "5 h 12 min"
    assert text("percent", 12.34) == "12.3 %"
    assert text("percent", 12, "arr_trajectory_pct") == "+12 %"
    assert text("count", 1204) == "1,204"
    assert (text("days", 1), text("days", -3)) == ("1 day", "−3 days")
    assert text("ratio", 1.5) == "1.5"
    assert text("per week", 2.5) == "2.5 per week"
    assert (text("GB", 1234.56), text("minutes", 1), text("€", -2)) == ("1,234.6 GB", "1 minute", "−2 €")
    assert [duration(s) for s in (0, 45, 3600, 90_061, 86_400)] == ["0 s", "45 s", "1 h", "1 d 1 h", "1 d"]
    assert plain(-0.04) == "0"


def test_bounds_are_said_whole_also_where_they_are_one_number():
    assert bounds_text(61.24, 80.0, 90.0) == "between 61.2 and 80.0, whatever is not known"
    assert bounds_text(74.0, 74.0, 90.0) == "what is not known can't change it"
    assert bounds_text(73.98, 74.02, 90.0) == "what is not known can't change it"  # as they are shown
    assert bounds_text(81.5, 81.5, 100.0) == ""  # nothing is unknown
    assert bounds_text(None, None, 20.0) == ""

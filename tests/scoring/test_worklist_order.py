"""The order of accounts, and which renewals are in danger. By hand."""

from typing import Any

import polars as pl

from accountpulse.scoring.ranking import renewals_in_danger, risk_before_floors, worklist_order
from accountpulse.scoring.scorecard import default, load

SCHEMA = {
    "account_id": pl.String, "churn_risk_score": pl.Float64, "risk_z": pl.Float64, "arr": pl.Float64,
    "tier": pl.String, "days_to_renewal": pl.Float64,
}  # fmt: skip


def scores(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{"account_id": f"A{n}", **row} for n, row in enumerate(rows)], schema=SCHEMA)


def test_on_a_floor_the_risk_before_it_ranks_then_arr_and_what_is_unknown_comes_last() -> None:
    rows = scores(
        {"arr": 900.0},  # 0: no risk
        {"churn_risk_score": 50.0, "risk_z": -1.0, "arr": 5.0},
        {"churn_risk_score": 50.0, "risk_z": -0.5, "arr": 1.0},  # 2: riskier before the floor
        {"churn_risk_score": 50.0, "risk_z": -1.0, "arr": 7.0},  # 3: as 1, with more ARR
        {"churn_risk_score": 50.0, "arr": 99.0},  # 4: a floor without a health
        {"churn_risk_score": 60.0, "risk_z": 0.4},
        {"arr": 1000.0},
        {"churn_risk_score": 50.0, "risk_z": -1.0, "arr": 7.0},  # 7: as 3, with a higher id
    )
    assert worklist_order(rows) == [5, 2, 3, 7, 1, 4, 6, 0]
    assert worklist_order(rows.drop("risk_z", "arr")) == [5, 1, 2, 3, 4, 7, 0, 6]
    before = rows.select(risk_before_floors()).to_series()
    assert before[0] is None
    assert round(before[1], 3) == 26.894  # 100 / (1 + e)


def test_a_renewal_is_in_danger_where_it_is_not_green_and_due_in_90_days() -> None:
    rows = scores(
        {"tier": "At Risk", "days_to_renewal": 90.0, "arr": 10.0},
        {"tier": "At Risk", "days_to_renewal": 91.0, "arr": 99.0},
        {"tier": "Healthy", "days_to_renewal": 3.0, "arr": 99.0},
        {"tier": "Not Rated", "days_to_renewal": -400.0, "arr": 20.0},
        {"tier": "Critical", "days_to_renewal": 0.0},
        {"tier": "Critical", "arr": 99.0},
        {"tier": "Critical", "days_to_renewal": 5.0, "arr": 10.0},
    )
    assert renewals_in_danger(rows, default()) == [3, 0, 6, 4]


def test_where_no_tier_begins_at_75_the_best_is_green() -> None:
    text = "groups: {a: {weight: 1, metrics: {mau: {weight: 1, anchors: [[0, 0], [9, 100]]}}}}\nname: x\n"
    card = load(text + "tiers: [{name: Fine, min: 60}, {name: Poor, min: 0}]\n", "x.yaml")
    assert card.green_tiers == ("Fine",)
    assert default().green_tiers == ("Champion", "Healthy")

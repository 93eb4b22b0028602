"""Rules of the report that the demo's company doesn't show, by hand."""

from typing import Any

import polars as pl
import pytest

from accountpulse.report.accounts import worklist
from accountpulse.report.catalogue import direction
from accountpulse.report.page_account import adding_up
from accountpulse.report.sections import at_risk, distribution, renewals, warnings
from accountpulse.report.steps import next_step
from accountpulse.scoring.scorecard import default

CARD = default()
SCHEMA = {
    "id": pl.String,
    "tier": pl.String,
    "segment": pl.String,
    "owner": pl.String,
    "band": pl.String,
    "arr": pl.Float64,
    "risk": pl.Float64,
    "health": pl.Float64,
    "days": pl.Float64,
    "renewal": pl.Date,
    "value_at_risk": pl.Float64,
}


def accounts(*given: dict[str, Any]) -> pl.DataFrame:
    rows = [{"id": f"A{index}", "tier": "At Risk", **row} for index, row in enumerate(given)]
    made = pl.DataFrame(rows, schema=SCHEMA)
    return made.with_columns(value_at_risk=pl.col("arr") * pl.col("risk") / 100)


def test_the_worklist_puts_what_is_known_first_then_risk_alone_then_arr_alone() -> None:
    rows = accounts(
        {"arr": 9.0, "risk": None},
        {"arr": None, "risk": 10.0},
        {"arr": 100.0, "risk": 10.0},
        {"arr": None, "risk": 90.0},
        {"arr": 50.0, "risk": 30.0},
        {"arr": 900.0, "risk": None},
        {},
    )
    assert worklist(rows) == [4, 2, 3, 1, 5, 0, 6]  # 15, 10; 90, 10; 900, 9; nothing


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        (["Champion"] * 4 + ["At Risk"], []),  # 80 % is not above it
        (["Champion"] * 3 + ["Healthy"] * 2 + ["At Risk"], ["83% of the rated"]),
        (["Champion"] + ["At Risk"] * 3 + ["Not Rated"], []),
        (["At Risk"] * 3 + ["Not Rated"], ["25% of the accounts are Not Rated"]),
        (["Not Rated"], ["100% of the accounts are Not Rated"]),
        (["Champion"] * 3 + ["Not Rated"], ["100% of the rated", "25% of the accounts"]),
    ],
)
def test_a_portfolio_that_is_too_green_or_too_unknown_is_warned_of(tiers: list[str], said: list[str]) -> None:
    found = warnings(accounts(*({"tier": tier} for tier in tiers)), CARD)
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_arr_that_nobody_knows_is_not_zero() -> None:
    rows = accounts({"tier": "Healthy", "band": "low"}, {"tier": "At Risk", "band": "high", "arr": 5.0})
    by_tier = {each["tier"]: each["arr"] for each in distribution(rows, ["Champion", "Healthy", "At Risk"], None)}
    assert by_tier == {"Champion": 0.0, "Healthy": None, "At Risk": 5.0}
    assert at_risk(rows)["by_tier"] == [
        {"tier": "At Risk", "band": "high", "accounts": 1, "arr": 5.0},
        {"tier": "Healthy", "band": "low", "accounts": 1, "arr": None},
    ]


def test_a_renewal_in_180_days_is_shown_and_one_in_90_days_listed_where_it_is_bad() -> None:
    days = ((181.0, "Critical"), (180.0, "Critical"), (90.0, "Critical"), (90.0, "At Risk"), (-3.0, "Not Rated"))
    found = renewals(accounts(*({"days": left, "tier": tier} for left, tier in days)), CARD)
    assert [point["i"] for point in found["points"]] == [4, 2, 3, 1]
    assert [point["overdue"] for point in found["points"]] == [True, False, False, False]
    assert found["attention"] == [4, 2]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"critical_signals": 1, "days_to_renewal": -5, "drivers": ["mau"]}, "open critical signal"),
        ({"days_to_renewal": -5, "drivers": ["mau"]}, "overdue"),
        ({"tier": "Not Rated", "not_rated_reason": "coverage below 60 %"}, "coverage below 60 %"),
        ({"moderate_signals": 1, "cap_reason": "open moderate signal", "drivers": ["mau"]}, "open moderate signal"),
        ({"moderate_signals": 1, "cap_reason": None, "drivers": ["mau"]}, "training"),
        ({"tier": "Champion", "days_to_renewal": 80, "drivers": ["mau"]}, "Prepare the renewal"),
        ({"days_to_renewal": 80, "drivers": ["csat_score"]}, "support"),
        ({"drivers": ["critical_bugs"]}, "bugs"),
        ({"drivers": ["payment_health"]}, "payments"),
    ],
)
def test_the_next_step_goes_by_what_weighs_most(row: dict[str, Any], words: str) -> None:
    step = next_step({"tier": "At Risk", **row}, CARD)
    assert step is not None
    assert words in step


def test_where_nothing_costs_a_point_there_is_no_next_step() -> None:
    assert next_step({"tier": "Champion", "drivers": []}, CARD) is None


def test_every_metric_of_the_packaged_scorecard_has_a_step() -> None:
    assert all(next_step({"tier": "At Risk", "drivers": [leaf.name]}, CARD) for leaf in CARD.leaves)


@pytest.mark.parametrize(
    ("values", "total", "shown"),
    [
        ([], 0.0, []),
        ([1.0, 2.0], 3.0, [1.0, 2.0]),
        ([0.36, 0.36, 0.36], 1.08, [0.4, 0.4, 0.3]),  # the largest rests go up
        ([-0.07, 2.38], 2.31, [-0.1, 2.4]),
        ([1.0, 1.0], 1.9, [0.9, 1.0]),  # what does not add up is put on one of them
        ([1.0, 1.0], 2.5, [1.4, 1.1]),
    ],
)
def test_numbers_that_add_up_are_shown_so_that_they_add_up(
    values: list[float], total: float, shown: list[float]
) -> None:
    assert adding_up(values, total) == shown


def test_the_direction_is_read_from_the_anchors() -> None:
    assert direction(((0.0, 100.0), (10.0, 0.0))) == "lower is better"
    assert direction(((0.0, 0.0), (10.0, 100.0))) == "higher is better"
    assert direction(((0.0, 50.0), (10.0, 50.0))) == "neither is better"

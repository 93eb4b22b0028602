"""Rules of the report that the demo's company doesn't show, by hand."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from accountpulse.report.catalogue import direction, good_text
from accountpulse.report.crossings import crossed
from accountpulse.report.page_account import adding_up
from accountpulse.report.sections import at_risk, distribution, renewals, warnings
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
}


def accounts(*given: dict[str, Any]) -> pl.DataFrame:
    rows = [{"id": f"A{index}", "tier": "At Risk", **row} for index, row in enumerate(given)]
    return pl.DataFrame(rows, schema=SCHEMA)


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


def test_renewals_of_180_days_are_shown_the_overdue_first() -> None:
    found = renewals(accounts(*({"days": left, "tier": "At Risk"} for left in (181.0, 180.0, 90.0, -3.0))))
    assert [(point["i"], point["overdue"]) for point in found] == [(3, True), (2, False), (1, False)]


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


@pytest.mark.parametrize(
    ("name", "anchors", "per", "window", "text"),
    [
        ("median_first_response_seconds", [[3600, 100], [14400, 75], [43200, 50]], None, 90, "good is 4 h or less"),
        ("mau", [[10, 0], [50, 50], [80, 75], [95, 100]], "seats", 90, "good is 80 % of seats or more"),
        ("csat_score", [[50, 0], [90, 100]], None, 90, "good is 80 % or more"),  # three quarters of the way
        ("total_conversations", [[3, 100], [15, 75], [45, 50]], None, 30, "good is 5 or less"),  # 15 in 90 days
        ("open_bugs", [[0, 70], [5, 0]], None, 90, None),  # no value is good
        ("open_bugs", [[0, 100], [5, 80]], None, 90, None),  # every value is
        ("open_bugs", [[0, 75], [5, 75]], None, 90, None),
    ],
)
def test_what_is_good_is_where_the_anchors_reach_75_points(
    name: str, anchors: list[list[float]], per: str | None, window: float, text: str | None
) -> None:
    curve = tuple((float(value), float(points)) for value, points in anchors)
    assert good_text(CARD.catalogue[name], curve, per, window) == text


def test_what_only_the_calendar_did_is_neither_worse_nor_better() -> None:
    # id: tier before and now, days to the renewal before and now, the account's way, its line of the renewal
    cases = {
        "a": (("Healthy", "Healthy"), (100, 70), "", "neither"),
        "b": (("Critical", "Critical"), (100, 70), "", "neither"),
        "c": (("Critical", "At Risk"), (200, 170), "rose", "neither"),
        "d": (("Healthy", "At Risk"), (100, 70), "fell", "neither"),
        "e": (("At Risk", "At Risk"), (20, -10), "fell", "worse"),
        "f": (("Healthy", "Healthy"), (20, -10), "", "neither"),
        "g": (("At Risk", "At Risk"), (20, 355), "rose", "better"),
    }

    def scores(place: int) -> pl.DataFrame:
        rows = [(name, tiers[place], days[place]) for name, (tiers, days, *_) in cases.items()]
        return pl.DataFrame(rows, schema=["account_id", "tier", "days_to_renewal"], orient="row")

    now = SimpleNamespace(scores=scores(1), as_of_day=date(2026, 11, 1), card=CARD)
    before = SimpleNamespace(as_of_day=date(2026, 10, 1))
    inputs: Any = SimpleNamespace(comparable=scores(0), before=before, month=now, judged=None)
    rows = accounts(*({"arr": float(arr)} for arr in (1, 2, 3, 4, 5, 6, 7)))
    found = crossed(rows, inputs)
    assert ["abcdefg"[each["i"]] for each in found] == list("edgcfba")
    for each in found:
        *_, way, kind = cases["abcdefg"[each["i"]]]
        (line,) = [line for line in each["lines"] if line["line"] == "renewal"]
        assert each["way"] == way
        assert (line["worse"], line["better"]) == (kind == "worse", kind == "better")

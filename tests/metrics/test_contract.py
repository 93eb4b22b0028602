from datetime import date, timedelta
from typing import Any

import pytest

from accountpulse.core.records import Rules
from accountpulse.metrics.contract import measure_contract
from metrics.measuring import AS_OF, TICK, TODAY, A, B, at, measured, of, of_a

RULES = Rules(
    tiers=("Bronze", "Silver", "Gold", "Platinum"),
    tier_floors={"Silver": 25e3, "Gold": 100e3, "Platinum": 250e3},
    reviews_expected={"Bronze": 0.0, "Silver": 1.0, "Gold": 2.0, "Platinum": 4.0},
)
A_YEAR_AGO = at("2025-11-01")  # 365 days before 1 November 2026
NINETY_DAYS_AGO = at("2026-08-03")


def answers(rows: dict[str, list[Any]] | None = None, **account: Any) -> dict[str, Any]:
    return of_a(measure_contract, rows or {}, accounts=[{"account_id": A, **account}], rules=RULES)


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("renewals", "expected"),
    [
        ([], "no_evidence"),
        ([(0, in_days(0))], 0),
        ([(0, in_days(30)), (0, in_days(10)), (0, in_days(-5))], 10),
        ([(0, in_days(-30)), (0, in_days(-5))], -5),  # only overdue ones: the latest
        ([(1, in_days(5)), (0, in_days(300))], 300),  # the first strategy wins
        ([(1, in_days(5)), (0, in_days(-40))], -40),  # also with an overdue date
        ([(2, in_days(7)), (1, None)], 7),  # a strategy without a date yields none
        ([(0, None)], "no_evidence"),
        ([(0, in_days(-180))], -180),
        ([(0, in_days(-181))], "no_evidence"),  # overdue for longer than a renewal may be
        ([(0, in_days(-854)), (2, in_days(241))], 241),  # and it hides no other way
        ([(0, in_days(-854)), (1, in_days(-20)), (2, in_days(241))], -20),
    ],
)
def test_the_next_renewal_is_that_of_the_first_strategy_with_any(renewals: list[Any], expected: Any) -> None:
    rows = [{"rank": rank, "due": due} for rank, due in renewals]
    assert answers({"renewals": rows})["days_to_renewal"] == expected


def test_how_long_a_renewal_may_be_overdue_is_a_rule() -> None:
    rows = {"renewals": [{"rank": 0, "due": in_days(-31)}]}
    for days, expected in ((30, "no_evidence"), (31, -31)):
        found = of_a(measure_contract, rows, accounts=[{"account_id": A}], rules=Rules(renewal_overdue_days=days))
        assert found["days_to_renewal"] == expected


@pytest.mark.parametrize(
    ("opened", "closed", "counts"),
    [
        (NINETY_DAYS_AGO, at("2026-08-04"), 1),  # opened in the trailing 90 days, though closed
        (NINETY_DAYS_AGO - TICK, at("2026-08-04"), 0),
        (at("2025-01-01"), None, 1),  # still open
        (at("2025-01-01"), AS_OF, 1),  # closed since
        (at("2025-01-01"), AS_OF - TICK, 0),
        (AS_OF - TICK, None, 1),
        (AS_OF, None, 0),
    ],
)
def test_payment_problems_are_recent_or_still_open(opened: Any, closed: Any, counts: int) -> None:
    rows = [{"opened_at": opened, "closed_at": closed}]
    assert answers({"payment_problems": rows})["payment_health"] == counts
    assert answers({"payment_problems": rows * 3})["payment_health"] == 3 * counts


def test_downgrades_count_in_the_trailing_365_days() -> None:
    days = (in_days(-366), in_days(-365), in_days(-1), in_days(0), None)
    assert answers({"downgrades": [{"closed_on": day} for day in days]})["contract_changes"] == 2
    assert answers()["contract_changes"] == 0


@pytest.mark.parametrize(
    ("arr", "since", "changes", "expected"),
    [
        (120.0, None, [(at("2026-05-01"), 100.0)], 20.0),
        (90.0, None, [(at("2026-05-01"), 70.0), (at("2026-02-01"), 100.0)], -10.0),  # what it was before the first
        (120.0, None, [], 0.0),
        (120.0, None, [(A_YEAR_AGO, 100.0)], 20.0),
        (120.0, None, [(A_YEAR_AGO - TICK, 100.0)], 0.0),
        (120.0, None, [(AS_OF, 100.0)], 0.0),
        (0.0, None, [(at("2026-05-01"), 100.0)], -100.0),
        (120.0, None, [(at("2026-05-01"), 0.0)], "no_evidence"),
        (120.0, None, [(at("2026-05-01"), -5.0)], "no_evidence"),
        (120.0, None, [(at("2026-05-01"), 5e-324)], "no_evidence"),  # would be more than a number can hold
        (120.0, None, [(at("2026-05-01"), None)], "no_evidence"),
        (None, None, [(at("2026-05-01"), 100.0)], "no_evidence"),
        (float("nan"), None, [(at("2026-05-01"), 100.0)], "no_evidence"),
        (None, None, [], "no_evidence"),
        (0.0, None, [], "no_evidence"),
        (120.0, date(2025, 11, 1), [], 0.0),
        (120.0, date(2025, 11, 2), [], "too_new"),
        (None, date(2026, 6, 1), [], "too_new"),
    ],
)
def test_arr_is_compared_with_365_days_before(arr: Any, since: Any, changes: list[Any], expected: Any) -> None:
    rows = {"arr_changes": [{"at": moment, "before": before} for moment, before in changes]}
    assert answers(rows, arr=arr, customer_since=since)["arr_trajectory_pct"] == expected


def test_two_first_changes_of_one_instant_that_disagree_are_unclear() -> None:
    rows = [{"at": at("2026-05-01"), "before": before} for before in (100.0, 90.0)]
    assert answers({"arr_changes": rows}, arr=120.0)["arr_trajectory_pct"] == "unclear"
    assert answers({"arr_changes": [rows[0], rows[0]]}, arr=120.0)["arr_trajectory_pct"] == 20


@pytest.mark.parametrize(
    ("tier", "arr", "expected"),
    [
        ("Silver", 25e3, 0),
        ("Silver", 24_999.0, 1),
        ("Gold", 300e3, 1),
        ("Bronze", 250e3, 3),
        ("Platinum", 0.0, 3),
        ("Bronze", -10.0, 0),  # the lowest
        ("Silver", -10.0, 1),
        (None, 1e3, "no_evidence"),
        ("Diamond", 1e3, "unclear"),  # a tier that nobody can place
        ("Diamond", None, "unclear"),
        ("Gold", None, "no_evidence"),
    ],
)
def test_tiers_are_as_many_steps_apart_as_the_order_says(tier: Any, arr: Any, expected: Any) -> None:
    assert answers(customer_tier=tier, arr=arr)["tier_alignment"] == expected


def test_without_tiers_or_expectations_neither_is_configured() -> None:
    found = of_a(measure_contract, {}, accounts=[{"account_id": A, "customer_tier": "Gold", "arr": 1.0}])
    assert (found["tier_alignment"], found["qbr_attendance"]) == ("not_configured", "not_configured")


@pytest.mark.parametrize(
    ("tier", "held", "expected"),
    [
        ("Platinum", [-1, -100, -200], 75.0),
        ("Platinum", [-1, -1, -1], 25.0),  # an event and its tasks on one day are one review
        ("Platinum", [-365, -366, 0], 25.0),
        ("Silver", [-1, -2, -3], 100.0),
        ("Gold", [], 0.0),
        ("Bronze", [-1], "not_expected"),
        ("Diamond", [-1], "not_configured"),
        (None, [-1], "not_configured"),
    ],
)
def test_reviews_are_compared_with_what_the_tier_is_owed(tier: Any, held: list[int], expected: Any) -> None:
    rows = {"reviews": [{"held_on": in_days(days)} for days in held]}
    assert answers(rows, customer_tier=tier)["qbr_attendance"] == expected


@pytest.mark.parametrize(
    ("champions", "expected"),
    [
        ([("x", True), ("y", True), ("z", False)], pytest.approx(200 / 3, rel=1e-15)),
        ([("x", True), ("x", True), ("y", False)], 50.0),  # a champion of two deals
        ([("x", True), ("x", False)], 0.0),  # gone, says one record
        ([("x", False)], 0.0),
        ([], "no_evidence"),
    ],
)
def test_champions_are_people_and_count_once(champions: list[Any], expected: Any) -> None:
    rows = [{"contact_id": contact, "still_there": there} for contact, there in champions]
    assert answers({"champions": rows})["champion_stability"] == expected


def test_expansions_are_opportunities_and_count_once() -> None:
    rows = [{"opportunity_id": name} for name in ("x", "y", "x")]
    assert answers({"expansions": rows})["expansion_signals"] == 2
    assert answers()["expansion_signals"] == 0


def test_accounts_do_not_mix() -> None:
    rows = {
        "renewals": [{"rank": 0, "due": in_days(5)}, {"rank": 1, "due": in_days(9), "account_id": B}],
        "champions": [
            {"contact_id": "x", "still_there": True},
            {"contact_id": "x", "still_there": False, "account_id": B},
        ],
    }
    accounts = [{"account_id": A, "arr": 50.0}, {"account_id": B, "arr": 80.0}]
    result = measured(measure_contract, rows, accounts=accounts, rules=RULES)
    assert [of(result, account)["days_to_renewal"] for account in (A, B)] == [5, 9]
    assert [of(result, account)["champion_stability"] for account in (A, B)] == [100, 0]

from datetime import date, timedelta
from typing import Any

import pytest

from accountpulse.metrics.usage import usage
from accountpulse.period import Period, scope_of
from accountpulse.records import Rules
from metrics.measuring import A, B, at, measured, of, of_a

JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))
CATALOGUE = Rules(features=tuple(f"feature {n}" for n in range(49)), pillars=("reach",))


def every_day(first: date, users: int) -> list[dict[str, Any]]:
    days = (first + timedelta(days=n) for n in range(31))
    return [{"day": day, "users": users} for day in days if day.month == first.month]


def month(first: date, users: int, sessions: int = 0, **columns: Any) -> dict[str, Any]:
    return {"month": first, "users": users, "sessions": sessions, **columns}


def answers(days: list[Any] | None = None, months: list[Any] | None = None, **arguments: Any) -> dict[str, Any]:
    return of_a(usage, {"usage_days": days or [], "usage_months": months or []}, **arguments)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (every_day(OCTOBER, 4), 4.0),
        ([{"day": date(2026, 10, 1), "users": 31}], 1.0),  # days without a row are 0
        ([{"day": date(2026, 10, 31), "users": 62}, {"day": date(2026, 11, 1), "users": 99}], 2.0),
        ([{"day": date(2026, 10, 1), "users": 31}, {"day": date(2026, 9, 30), "users": 99}], 1.0),
        ([{"day": date(2026, 7, 1), "users": 99}], 0.0),  # known, and nobody came
        ([{"day": date(2026, 6, 30), "users": 99}], "not_linked"),  # before the four months
        ([], "not_linked"),
    ],
)
def test_daily_users_are_a_mean_over_all_days_of_the_period(days: list[Any], expected: Any) -> None:
    found = answers(days)["dau"]
    assert found == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-15))


def test_an_open_period_has_the_days_that_have_begun() -> None:
    scope = scope_of(Period(2026, 10), at("2026-10-10 09:00"))
    days = [{"day": date(2026, 10, 10), "users": 25}, {"day": date(2026, 10, 11), "users": 99}]
    found = answers(days, [month(OCTOBER, 5, sessions=10)], scope=scope)
    assert found["dau"] == pytest.approx(2.5, rel=1e-15)
    assert found["login_frequency"] == pytest.approx(10 / 5 / (10 / 7), rel=1e-15)


@pytest.mark.parametrize(
    ("months", "users", "frequency"),
    [
        ([month(OCTOBER, 10, 310)], 10, 7.0),  # each user once a day
        ([month(OCTOBER, 10, 0)], 10, 0.0),
        ([month(OCTOBER, 0, 0)], 0, "no_evidence"),
        ([month(SEPTEMBER, 10, 99)], 0, "no_evidence"),
        ([], "not_linked", "not_linked"),
    ],
)
def test_sessions_are_counted_per_monthly_user_and_week(months: list[Any], users: Any, frequency: Any) -> None:
    found = answers(months=months)
    assert (found["mau"], found["login_frequency"]) == (users, frequency)


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        ([month(JULY, 10), month(AUGUST, 20), month(SEPTEMBER, 30), month(OCTOBER, 30)], 50.0),
        ([month(JULY, 10), month(AUGUST, 20), month(SEPTEMBER, 30)], -100.0),
        ([month(JULY, 7), month(AUGUST, 7), month(SEPTEMBER, 7), month(OCTOBER, 7)], 0.0),
        ([month(JULY, 30), month(OCTOBER, 30)], 200.0),  # August and September are known to be 0
        ([month(AUGUST, 10), month(SEPTEMBER, 30), month(OCTOBER, 30)], 50.0),
        ([month(AUGUST, 10), month(OCTOBER, 10)], 100.0),
        ([month(SEPTEMBER, 30), month(OCTOBER, 30)], "too_new"),
        ([month(OCTOBER, 30)], "too_new"),
        ([month(JULY, 0), month(OCTOBER, 5)], "no_evidence"),  # no percentage of nothing
        ([month(date(2026, 6, 1), 9), month(OCTOBER, 5)], "too_new"),  # only the four months are looked at
        ([], "not_linked"),
    ],
)
def test_the_trend_compares_with_the_mean_of_the_known_earlier_months(months: list[Any], expected: Any) -> None:
    assert answers(months=months)["mau_trend_pct"] == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # the same number every day is no change, however long the months are
        (every_day(JULY, 3) + every_day(AUGUST, 3) + every_day(SEPTEMBER, 3) + every_day(OCTOBER, 3), 0.0),
        (every_day(JULY, 1) + every_day(AUGUST, 2) + every_day(SEPTEMBER, 3) + every_day(OCTOBER, 3), 50.0),
        (every_day(SEPTEMBER, 4) + every_day(OCTOBER, 4), "too_new"),
        (every_day(AUGUST, 4) + every_day(OCTOBER, 4), 100.0),
        ([{"day": JULY, "users": 0}, *every_day(OCTOBER, 4)], "no_evidence"),
        ([], "not_linked"),
    ],
)
def test_the_daily_trend_weighs_months_by_their_days(days: list[Any], expected: Any) -> None:
    assert answers(days)["dau_trend_pct"] == expected


def test_days_make_earlier_months_known_to_the_monthly_trend_too() -> None:
    found = answers([{"day": date(2026, 7, 31), "users": 1}], [month(SEPTEMBER, 9), month(OCTOBER, 9)])
    assert found["mau_trend_pct"] == 200.0  # of three months with 9 users in all


@pytest.mark.parametrize(
    ("features", "breadth", "users"),
    [
        ([f"feature {n}" for n in range(49)], 100.0, 0),
        (["feature 1", "feature 1", "feature 2", "not in the catalogue"], pytest.approx(200 / 49, rel=1e-15), 0),
        (["not in the catalogue"], 0.0, 0),  # which makes the account known all the same
        ([], "not_linked", "not_linked"),
    ],
)
def test_breadth_counts_features_of_the_catalogue(features: list[str], breadth: Any, users: Any) -> None:
    found = of_a(usage, {"features": [{"feature": name} for name in features]}, rules=CATALOGUE)
    assert (found["feature_breadth"], found["mau"]) == (breadth, users)
    assert found["mau_trend_pct"] == ("not_linked" if users == "not_linked" else "too_new")


def test_breadth_without_a_catalogue_is_not_configured() -> None:
    assert answers(months=[month(OCTOBER, 1)])["feature_breadth"] == "not_configured"
    assert answers(months=[month(OCTOBER, 1)], rules=CATALOGUE)["feature_breadth"] == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([42.5], 42.5),
        ([-3.0], 0.0),
        ([100.5], 100.0),
        ([0.0], 0.0),
        ([None], "no_evidence"),
        ([float("nan")], "no_evidence"),
        ([], "no_evidence"),
        ([10.0, 90.0, 20.0], 20.0),  # several keys of one account
    ],
)
def test_a_pillar_is_one_figure_from_0_to_100(values: list[float | None], expected: Any) -> None:
    other = {"pillar": "another", "value": 77.0}
    rows = {"pillars": [other, *({"pillar": "reach", "value": value} for value in values)]}
    assert of_a(usage, rows, rules=CATALOGUE)["pillar_reach"] == expected


def test_accounts_do_not_mix() -> None:
    rows = {"usage_months": [month(JULY, 1), month(OCTOBER, 3), month(OCTOBER, 8, account_id=B)]}
    result = measured(usage, rows, accounts=[{"account_id": A}, {"account_id": B}])
    assert [of(result, account)["mau"] for account in (A, B)] == [3, 8]
    assert [of(result, account)["mau_trend_pct"] for account in (A, B)] == [800.0, "too_new"]

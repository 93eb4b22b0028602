from datetime import date, timedelta
from typing import Any

import pytest

from accountpulse.core.catalogue import own_metric
from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import Rules
from accountpulse.metrics.usage import measure_usage
from metrics.measuring import A, B, at, measured, of, of_a

JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))
CATALOGUE = Rules(features=tuple(f"feature {n}" for n in range(49)), pillars=("reach",))


def every_day(first: date, users: int) -> list[dict[str, Any]]:
    days = (first + timedelta(days=n) for n in range(31))
    return [{"day": day, "users": users} for day in days if day.month == first.month]


def month(first: date, users: int, sessions: int = 0, **columns: Any) -> dict[str, Any]:
    return {"month": first, "users": users, "sessions": sessions, **columns}


def answers(days: list[Any] | None = None, months: list[Any] | None = None, **arguments: Any) -> dict[str, Any]:
    return of_a(measure_usage, {"usage_days": days or [], "usage_months": months or []}, **arguments)


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
    found = of_a(measure_usage, {"features": [{"feature": name} for name in features]}, rules=CATALOGUE)
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
    other = {"metric": "pillar_another", "value": 77.0}
    rows = {"figures": [other, *({"metric": "pillar_reach", "value": value} for value in values)]}
    assert of_a(measure_usage, rows, rules=CATALOGUE)["pillar_reach"] == expected


def test_accounts_do_not_mix() -> None:
    rows = {"usage_months": [month(JULY, 1), month(OCTOBER, 3), month(OCTOBER, 8, account_id=B)]}
    result = measured(measure_usage, rows, accounts=[{"account_id": A}, {"account_id": B}])
    assert [of(result, account)["mau"] for account in (A, B)] == [3, 8]
    assert [of(result, account)["mau_trend_pct"] for account in (A, B)] == [800.0, "too_new"]


@pytest.mark.parametrize(
    ("zone", "now", "days"),
    [
        ("Europe/Berlin", "2026-10-09 21:59", 9),  # 23:59 there: the tenth has not begun
        ("Europe/Berlin", "2026-10-09 22:00", 10),
        ("Europe/Berlin", "2026-10-25 12:00", 25),  # the day that has 25 hours is one day
        ("Europe/Berlin", "2026-10-31 22:59", 31),  # 23:59 there, since the clocks went back
        ("Europe/Berlin", "2026-10-31 23:00", 31),  # over
        ("America/Los_Angeles", "2026-10-10 06:59", 9),
        ("America/Los_Angeles", "2026-10-10 07:00", 10),
        ("Pacific/Kiritimati", "2026-09-30 10:01", 1),  # where October begins first
        ("UTC", "2026-10-10 00:00", 10),
        ("UTC", "2027-05-01 00:00", 31),
    ],
)
def test_the_days_of_an_open_period_are_counted_in_its_zone(zone: str, now: str, days: int) -> None:
    scope = scope_of(Period(2026, 10, zone), at(now))
    rows = [{"day": date(2026, 10, day), "users": 7} for day in range(1, days + 1)]
    later = [{"day": date(2026, 10, day), "users": 7000} for day in range(days + 1, 32)]
    found = answers(rows + later, [month(OCTOBER, 7, sessions=7 * days)], scope=scope)
    assert found["dau"] == pytest.approx(7, rel=1e-15)
    assert found["login_frequency"] == pytest.approx(7, rel=1e-15)  # once a day each


def test_an_open_period_is_compared_by_days_that_have_begun() -> None:
    scope = scope_of(Period(2026, 10), at("2026-10-03 18:00"))
    three = [{"day": date(2026, 10, day), "users": 6} for day in (1, 2, 3)]
    found = answers(every_day(JULY, 4) + every_day(AUGUST, 4) + every_day(SEPTEMBER, 4) + three, scope=scope)
    assert found["dau"] == pytest.approx(6, rel=1e-15)
    assert found["dau_trend_pct"] == pytest.approx(50, rel=1e-14)


def test_months_of_different_lengths_over_the_turn_of_a_leap_year() -> None:
    # March 2028: 31 users-days a day; before it February (29), January (31) and December (31)
    scope = scope_of(Period(2028, 3), at("2028-04-02"))
    first = {12: date(2027, 12, 1), 1: date(2028, 1, 1), 2: date(2028, 2, 1), 3: date(2028, 3, 1)}
    days = [{"day": first[12], "users": 62}, {"day": first[1], "users": 31}, {"day": first[2], "users": 87}]
    days += [{"day": first[3], "users": 93}]
    found = answers(days, scope=scope)  # a day on average: 2, 1, 3; then 3
    assert found["dau"] == pytest.approx(3, rel=1e-15)
    assert found["dau_trend_pct"] == pytest.approx(50, rel=1e-14)


def test_a_month_without_a_row_is_known_to_be_empty_once_the_account_has_been_seen() -> None:
    seen_in_august = [month(AUGUST, 12)]
    found = answers(months=seen_in_august)
    assert (found["mau"], found["mau_trend_pct"]) == (0, -100.0)  # August 12, September 0: 6; now 0
    assert found["login_frequency"] == "no_evidence"
    assert found["dau"] == 0


def test_a_figure_that_is_null_adds_nothing() -> None:
    days = [{"day": date(2026, 10, 1), "users": None}, {"day": date(2026, 10, 2), "users": 31}]
    found = answers(days, [{"month": OCTOBER, "users": 4, "sessions": None}])
    assert (found["dau"], found["mau"], found["login_frequency"]) == (1.0, 4, 0.0)


def test_days_and_months_outside_the_four_months_are_nobodys_business() -> None:
    future, past = date(2026, 11, 1), date(2026, 6, 30)
    outside = answers([{"day": future, "users": 9}, {"day": past, "users": 9}], [month(future, 9), month(past, 9)])
    assert set(outside.values()) == {"not_linked", "not_configured"}


@pytest.mark.parametrize(
    ("values", "expected"), [([], "no_evidence"), ([None], "no_evidence"), ([-40.0], -40.0), ([1.0, 250.0, 7.0], 7.0)]
)
def test_an_own_metric_is_taken_as_it_is(values: list[float | None], expected: Any) -> None:
    """Also where it is called like a column of ours."""
    rules = Rules(own=(own_metric("sessions", "sessions", "count"), own_metric("other", "other", "count")))
    figures = [{"metric": "other", "value": 77.0}, *({"metric": "sessions", "value": value} for value in values)]
    rows = {"figures": figures, "usage_months": [{"month": date(2026, 10, 1), "users": 5, "sessions": 31}]}
    found = of_a(measure_usage, rows, rules=rules)
    assert (found["sessions"], found["other"], found["mau"], found["login_frequency"]) == (
        expected,
        77.0,
        5.0,
        31 * 7 / 155,
    )


def test_an_account_that_only_has_pillars_is_unknown_to_usage() -> None:
    found = of_a(measure_usage, {"figures": [{"metric": "pillar_reach", "value": 50.0}]}, rules=CATALOGUE)
    assert found["pillar_reach"] == 50.0
    assert {found[name] for name in ("dau", "mau", "feature_breadth", "mau_trend_pct")} == {"not_linked"}


def test_two_keys_of_one_account_add_up_day_by_day() -> None:
    days = [{"day": date(2026, 10, 5), "users": 31}, {"day": date(2026, 10, 5), "users": 62}]
    assert answers(days)["dau"] == pytest.approx(3, rel=1e-15)


# --- two sources of usage ----------------------------------------------------------------------------------------


def in_each(**months_of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "source": source} for source, rows in months_of.items() for row in rows]


def test_users_of_two_sources_are_added_up() -> None:
    found = answers(months=in_each(one=[month(OCTOBER, 30)], two=[month(OCTOBER, 12)]))
    assert found["mau"] == 42.0


def test_a_source_that_came_later_is_no_growth() -> None:
    """One source has known the account since July, another since October: what the sum was before is not known."""
    old = [month(first, 30) for first in (JULY, AUGUST, SEPTEMBER, OCTOBER)]
    assert answers(months=in_each(one=old))["mau_trend_pct"] == 0.0
    assert answers(months=in_each(one=old, two=[month(OCTOBER, 12)]))["mau_trend_pct"] == "too_new"
    both = in_each(one=old, two=[month(first, 10) for first in (JULY, AUGUST, SEPTEMBER, OCTOBER)])
    assert answers(months=both)["mau_trend_pct"] == 0.0

"""Usage against plain loops that follow docs/metrics.md, over any rows and any month."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import Rules
from accountpulse.metrics.usage import measure_usage
from metrics.measuring import A, B, at, measured, of

CATALOGUE = ("sso", "api", "reports")

months = some.dates(date(2020, 1, 1), date(2030, 12, 1)).map(lambda day: Period(day.year, day.month))


@some.composite
def portfolios(draw: some.DrawFn) -> tuple[Scope, dict[str, list[dict[str, Any]]]]:
    """A month, over or still open, and rows of two accounts in and around its four months."""
    period = draw(months)
    moment = period.start + timedelta(hours=draw(some.integers(1, 24 * 40)))
    ids, counts = some.sampled_from([A, B]), some.integers(0, 500)
    days = some.integers(-130, 45).map(lambda offset: period.first_day + timedelta(days=offset))
    firsts = some.integers(-5, 1).map(lambda offset: period.shifted(offset).first_day)
    rows = {
        "usage_days": some.fixed_dictionaries({"account_id": ids, "day": days, "users": counts}),
        "usage_months": some.fixed_dictionaries(
            {"account_id": ids, "month": firsts, "users": counts, "sessions": counts}
        ),
        "features": some.fixed_dictionaries({"account_id": ids, "feature": some.sampled_from([*CATALOGUE, "beta"])}),
    }
    return scope_of(period, moment), {name: draw(some.lists(each, max_size=8)) for name, each in rows.items()}


def days_of(scope: Scope, month: int) -> list[date]:
    """The days of the month so many months before the period; of the period those that have begun."""
    period = scope.period.shifted(-month)
    count = period.days
    if month == 0 and scope.as_of < period.end:
        count = (scope.as_of.date() - period.first_day).days + 1
    return [period.first_day + timedelta(days=day) for day in range(count)]


def trend(now: Fraction, before: list[Fraction]) -> Fraction | str:
    if len(before) < 2:
        return "too_new"
    mean = sum(before, Fraction(0)) / len(before)
    return 100 * (now - mean) / mean if mean else "no_evidence"


def expected(scope: Scope, rows: dict[str, list[dict[str, Any]]], account: str) -> dict[str, Fraction | str]:
    own = {name: [row for row in each if row["account_id"] == account] for name, each in rows.items()}
    daily, monthly, sessions, seen = [], [], [], []
    for month in range(4):
        days, first = days_of(scope, month), scope.period.shifted(-month).first_day
        there = [row for row in own["usage_days"] if row["day"] in days]
        of_month = [row for row in own["usage_months"] if row["month"] == first]
        daily.append(Fraction(sum(row["users"] for row in there), len(days)))
        monthly.append(Fraction(sum(row["users"] for row in of_month)))
        sessions.append(Fraction(sum(row["sessions"] for row in of_month)))
        seen.append(bool(there or of_month))
    features = {row["feature"] for row in own["features"]}
    if not any(seen) and not features:
        return dict.fromkeys(
            ("dau", "mau", "mau_trend_pct", "dau_trend_pct", "feature_breadth", "login_frequency"), "not_linked"
        )
    known = max((month for month in range(4) if seen[month]), default=0)  # all months since the first one with a row
    weeks = Fraction(len(days_of(scope, 0)), 7)
    return {
        "dau": daily[0],
        "mau": monthly[0],
        "mau_trend_pct": trend(monthly[0], monthly[1 : known + 1]),
        "dau_trend_pct": trend(daily[0], daily[1 : known + 1]),
        "feature_breadth": Fraction(100 * len(features & set(CATALOGUE)), len(CATALOGUE)),
        "login_frequency": sessions[0] / monthly[0] / weeks if monthly[0] else "no_evidence",
    }


@settings(deadline=None, max_examples=60)
@given(portfolio=portfolios())
def test_usage_is_what_its_page_says(portfolio: tuple[Scope, dict[str, list[dict[str, Any]]]]) -> None:
    scope, rows = portfolio
    accounts = [{"account_id": A}, {"account_id": B}]
    result = measured(measure_usage, rows, accounts=accounts, scope=scope, rules=Rules(features=CATALOGUE))
    for account in (A, B):
        found = of(result, account)
        for name, value in expected(scope, rows, account).items():
            if isinstance(value, str):
                assert found[name] == value, name
            else:
                assert found[name] == pytest.approx(float(value), rel=1e-12, abs=1e-12), name


def test_the_loops_agree_with_a_calculation_by_hand() -> None:
    scope = scope_of(Period(2026, 10), at("2026-11-02"))
    rows: dict[str, list[dict[str, Any]]] = {
        "usage_days": [
            {"account_id": A, "day": date(2026, 10, 3), "users": 62},
            {"account_id": A, "day": date(2026, 8, 3), "users": 31},
        ],
        "usage_months": [{"account_id": A, "month": date(2026, 10, 1), "users": 31, "sessions": 62}],
        "features": [{"account_id": A, "feature": "sso"}],
    }
    # days: October 2 a day; September 0, August 1. Sessions: 62 / 31 users / (31 / 7) weeks
    assert expected(scope, rows, A) == {
        "dau": 2, "mau": 31, "mau_trend_pct": "no_evidence", "dau_trend_pct": 300,
        "feature_breadth": Fraction(100, 3), "login_frequency": Fraction(14, 31),
    }  # fmt: skip
    assert set(expected(scope, rows, B).values()) == {"not_linked"}

"""What rows of usage can be trusted for: one row a fact, answers that agree, days that the data covers."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import Period, Scope, scope_of, snapshot_of
from accountpulse.core.records import Extract, frame
from accountpulse.core.spooled import spooled
from accountpulse.sandbox.server import Sandbox
from accountpulse.systems.looker.grain import UsageFindings, judge_accounts, judge_days
from systems.looker.asking import DAYS as DAYS_PATH
from systems.looker.asking import FEATURES as FEATURES_PATH
from systems.looker.asking import MONTHS as MONTHS_PATH
from systems.looker.asking import USAGE, A, B, Read, describes, sends

SHORT, LONG = "001Hu00000000G8", "001Hu00000000G8IAI"
JULY, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (7, 9, 10, 11))
SCOPE = scope_of(Period(2026, 10), datetime.fromisoformat("2026-11-23T00:00:00+00:00"))
DAILY, MONTHLY = ("dau", "dau_trend_pct"), ("mau", "mau_trend_pct", "login_frequency")
TRENDS = {"dau_trend_pct", "mau_trend_pct"}

Told = dict[str, dict[str, str]]


def told(found: UsageFindings | Extract) -> Told:
    rows = found.frame() if isinstance(found, UsageFindings) else found.unknowns
    result: Told = {}
    for key, metric, reason in rows.iter_rows():
        result.setdefault(key, {})[metric] = reason
    return result


def judged(days: list[tuple[Any, ...]], months: list[tuple[Any, ...]], *, compare: bool = False) -> UsageFindings:
    daily = [dict(zip(("key", "day", "users"), row, strict=True)) for row in days]
    monthly = [dict(zip(("key", "month", "users", "sessions"), row, strict=True)) for row in months]
    spool = spooled(frame("usage_days", daily))
    return judge_accounts(spool, frame("usage_months", monthly), SCOPE, compare=compare)


# --- one fact, one row


def day_row(key: str | None, day: date, users: object) -> dict[str, object]:
    names = ("account_id", "session_date", "distinct_users")
    return {f"user_sessions.{name}": each for name, each in zip(names, (key, day.isoformat(), users), strict=True)}


def month_row(key: str, month: str, users: object, sessions: object = 99) -> dict[str, object]:
    names = ("account_id", "session_month", "distinct_users", "session_count")
    return {f"user_sessions.{name}": each for name, each in zip(names, (key, month, users, sessions), strict=True)}


def everybody(key: str, first: date = JULY, users: int = 1) -> list[dict[str, object]]:
    """An account that comes on each day up to the end of October."""
    return [day_row(key, first + timedelta(days=n), users) for n in range((NOVEMBER - first).days)]


def every_month(key: str, users: int = 1) -> list[dict[str, object]]:
    return [month_row(key, f"2026-{month:02}", users) for month in (7, 8, 9, 10)]


def test_distinct_users_of_two_spellings_of_one_account_do_not_add_up(sandbox: Sandbox, read: Read) -> None:
    """The truth lies between 56 and 112."""
    days = [*everybody(A), day_row(LONG, OCTOBER, 56), day_row(SHORT, OCTOBER, 56)]
    sends(sandbox, DAYS_PATH, days)
    sends(sandbox, MONTHS_PATH, [*every_month(A), month_row(LONG, "2026-10", 56), month_row(SHORT, "2026-10", 56)])
    found = read()
    assert not found.gaps
    assert told(found) == {key: dict.fromkeys(USAGE, "several_rows") for key in (LONG, SHORT)}
    for what in ("day", "month"):
        text = f"accounts with several rows for one {what}, whose distinct users don't add up: 1, such as {SHORT}"
        assert any(note.startswith(text) for note in found.notes)


@pytest.mark.parametrize("other", [LONG, LONG.lower(), f" {SHORT} ", SHORT])
def test_every_spelling_of_an_id_is_the_same_account(other: str) -> None:
    found = judged([(SHORT, OCTOBER, 5), (other, OCTOBER, 5)], [])
    assert set(told(found)) == {SHORT, other}
    assert set(told(found)[other].items()) == {(metric, "several_rows") for metric in DAILY}


def test_a_spelling_that_changed_between_two_days_adds_up_by_days_and_not_by_months() -> None:
    days = [(SHORT, date(2026, 10, day), 5) for day in (1, 2)] + [(LONG, date(2026, 10, day), 5) for day in (3, 4)]
    found = judged(days, [(SHORT, OCTOBER, 5, 9), (LONG, OCTOBER, 5, 9)])
    assert told(found) == {key: dict.fromkeys(MONTHLY, "several_rows") for key in (SHORT, LONG)}


def test_two_rows_in_an_earlier_month_cost_the_trends_alone() -> None:
    found = judged([(A, SEPTEMBER, 5), (A, SEPTEMBER, 5)], [(B, SEPTEMBER, 5, 9), (B, SEPTEMBER, 4, 9)])
    assert told(found) == {A: {"dau_trend_pct": "several_rows"}, B: {"mau_trend_pct": "several_rows"}}


def test_rows_outside_of_the_four_months_cost_nothing() -> None:
    assert told(judged([(A, date(2026, 6, 30), None), (A, NOVEMBER, None)], [])) == {}


# --- null is decided


@pytest.mark.parametrize("wrong", [None, -1])
def test_a_row_without_a_number_is_not_a_row_of_nobody(wrong: int | None) -> None:
    assert told(judged([(A, OCTOBER, wrong)], [])) == {A: dict.fromkeys(DAILY, "unclear")}
    assert told(judged([(A, SEPTEMBER, wrong)], [])) == {A: {"dau_trend_pct": "unclear"}}
    assert told(judged([], [(A, OCTOBER, wrong, 9)])) == {A: dict.fromkeys(MONTHLY, "unclear")}
    assert told(judged([], [(A, SEPTEMBER, wrong, 9)])) == {A: {"mau_trend_pct": "unclear"}}
    assert told(judged([], [(A, OCTOBER, 9, wrong)])) == {A: {"login_frequency": "unclear"}}
    assert told(judged([], [(A, SEPTEMBER, 9, wrong)])) == {}  # sessions of earlier months are not looked at


# --- two answers about one month


@pytest.mark.parametrize(
    ("daily", "monthly", "agree"),
    [
        ([4, 6], 6, True),  # the same ones again
        ([4, 6], 10, True),  # others each day
        ([4, 6], 8, True),
        ([4, 6], 5, False),  # fewer in the month than in a day of it
        ([4, 6], 11, False),  # more in the month than in all of its days
        ([4, 6], None, False),  # no row of the month
        ([], 5, False),  # no row of a day
        ([1000], 960, True),  # databases estimate: within 5 %
        ([1000], 950, False),
        ([], None, True),
    ],
)
def test_days_and_months_have_to_agree(daily: list[int], monthly: int | None, *, agree: bool) -> None:
    days = [(A, date(2026, 10, number), users) for number, users in enumerate(daily, 1)]
    months = [] if monthly is None else [(A, OCTOBER, monthly, 9)]
    found = judged(days, months, compare=True)
    assert told(found) == ({} if agree else {A: dict.fromkeys(USAGE, "unclear")})
    earlier = judged(
        [(key, day.replace(month=9), users) for key, day, users in days],
        [(key, SEPTEMBER, users, more) for key, _month, users, more in months],
        compare=True,
    )
    assert told(earlier) == ({} if agree else {A: dict.fromkeys(TRENDS, "unclear")})
    assert told(judged(days, months)) == {}


def test_a_month_of_one_account_that_is_missing_costs_no_other(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS_PATH, [*everybody(A), *everybody(B)])
    sends(sandbox, MONTHS_PATH, [*every_month(A), *every_month(B)[:3]])
    found = read()
    assert told(found) == {B: dict.fromkeys(USAGE, "unclear")}
    assert any("daily and monthly users contradict each other: 1, such as" in note for note in found.notes)


def test_the_world_agrees_with_itself(read: Read) -> None:
    found = read()
    assert found.unknowns.is_empty()
    assert not found.gaps


# --- days that the data covers


def over(days: Iterable[date], scope: Scope = SCOPE, quiet_days: int = 4) -> UsageFindings:
    end = scope.usage_first() + timedelta(days=scope.measured_days)
    spool = spooled(frame("usage_days", [{"key": A, "day": day, "users": 3} for day in days]))
    return judge_days(spool, scope, end, quiet_days)


def stretch(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


WHOLE = stretch(JULY, date(2026, 10, 31))


def without(first: date, last: date) -> list[date]:
    return [day for day in WHOLE if not first <= day <= last]


@pytest.mark.parametrize(
    ("days", "gaps"),
    [
        (WHOLE, {}),
        (stretch(JULY, date(2026, 10, 28)), {}),  # three quiet days: a long weekend
        (stretch(JULY, date(2026, 10, 27)), dict.fromkeys(USAGE, "unclear")),
        (stretch(JULY, date(2026, 10, 12)), dict.fromkeys(USAGE, "unclear")),  # loading stopped on the 12th
        (stretch(JULY, date(2026, 9, 30)), dict.fromkeys(USAGE, "unclear")),
        ([], dict.fromkeys(USAGE, "unclear")),
        (without(date(2026, 10, 8), date(2026, 10, 11)), dict.fromkeys(USAGE, "unclear")),
        (without(date(2026, 10, 8), date(2026, 10, 10)), {}),
        (without(date(2026, 9, 28), date(2026, 10, 1)), dict.fromkeys(USAGE, "unclear")),
        (without(date(2026, 8, 8), date(2026, 8, 11)), dict.fromkeys(TRENDS, "unclear")),
        (stretch(date(2026, 7, 4), date(2026, 10, 31)), {}),
        (stretch(date(2026, 7, 5), date(2026, 10, 31)), dict.fromkeys(TRENDS, "too_new")),  # part of July
        (stretch(date(2026, 8, 1), date(2026, 10, 31)), {}),  # whole months: each account says how many it has
        (stretch(date(2026, 8, 15), date(2026, 10, 31)), dict.fromkeys(TRENDS, "too_new")),
        (stretch(date(2026, 10, 2), date(2026, 10, 31)), {}),
        (stretch(date(2026, 10, 10), date(2026, 10, 31)), dict.fromkeys(USAGE, "too_new")),
    ],
)
def test_days_without_anybody_are_a_hole_and_no_zero(days: list[date], gaps: dict[str, str]) -> None:
    found = over(days)
    assert found.gaps == gaps
    if gaps:
        assert found.notes


def test_the_mapping_says_how_many_quiet_days_are_a_hole() -> None:
    days = stretch(JULY, date(2026, 10, 27))
    assert over(days, quiet_days=5).gaps == {}
    assert over(WHOLE[:-1], quiet_days=1).gaps == dict.fromkeys(USAGE, "unclear")


@pytest.mark.parametrize(
    ("now", "last", "known"),
    [
        ("2026-10-20T09:00:00+00:00", date(2026, 10, 19), True),  # today is still being loaded
        ("2026-10-20T09:00:00+00:00", date(2026, 10, 17), True),
        ("2026-10-20T09:00:00+00:00", date(2026, 10, 16), False),
        ("2026-10-08T09:00:00+00:00", date(2026, 10, 7), True),
        ("2026-10-08T09:00:00+00:00", date(2026, 10, 6), False),  # a quarter of the month so far
        ("2026-10-02T09:00:00+00:00", date(2026, 10, 1), False),  # half of it
    ],
)
def test_an_open_month_may_lack_less_than_a_quarter_of_its_days(now: str, last: date, *, known: bool) -> None:
    scope = scope_of(Period(2026, 10), datetime.fromisoformat(now))
    assert over(stretch(JULY, last), scope).gaps == ({} if known else dict.fromkeys(USAGE, "unclear"))


def test_rows_of_zero_users_are_no_sign_of_data() -> None:
    rows = [{"key": A, "day": day, "users": 3 if day < date(2026, 10, 12) else 0} for day in WHOLE]
    found = judge_days(spooled(frame("usage_days", rows)), SCOPE, NOVEMBER, 4)
    assert found.gaps == dict.fromkeys(USAGE, "unclear")


def test_a_pipeline_that_stopped_is_told_with_its_days(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS_PATH, [row for row in everybody(A) if str(row["user_sessions.session_date"]) <= "2026-10-12"])
    found = read()
    assert found.gaps == dict.fromkeys(USAGE, "unclear")
    assert any("on 19 days on end (2026-10-13 to 2026-10-31): data seems to be missing" in note for note in found.notes)


def test_a_hole_in_the_days_is_one_of_the_features_of_the_same_explore(sandbox: Sandbox, read: Read) -> None:
    sends(sandbox, DAYS_PATH, [row for row in everybody(A) if str(row["user_sessions.session_date"]) <= "2026-10-12"])
    sends(sandbox, FEATURES_PATH, [{"user_sessions.account_id": A, "user_sessions.feature": "sso"}])
    describes(sandbox, "user_sessions", {"feature": {}})
    fields = {"account": "account_id", "date": "session_date", "feature": "feature"}
    same = {"explore": "user_sessions", **{key: f"user_sessions.{name}" for key, name in fields.items()}}
    assert read({"features": same}).gaps == dict.fromkeys((*USAGE, "feature_breadth"), "unclear")


def test_months_without_anybody_in_the_period_are_no_zero_where_days_cannot_be_read(
    sandbox: Sandbox, read: Read
) -> None:
    sends(sandbox, DAYS_PATH, [day_row(A, OCTOBER, "1,234")])
    sends(sandbox, MONTHS_PATH, every_month(A)[:3])
    reasons = {**dict.fromkeys(DAILY, "field_missing"), **dict.fromkeys(MONTHLY, "unclear")}
    assert read().gaps == reasons


def test_what_single_rows_say_is_the_same_however_they_lie_on_disk() -> None:
    rows = frame("usage_days", [{"key": key, "day": day, "users": 2} for key in (SHORT, LONG, A) for day in WHOLE])
    months = frame("usage_months")
    whole = judge_accounts(spooled(rows), months, SCOPE, compare=False)
    shuffled = judge_accounts(spooled(rows.sample(fraction=1, shuffle=True, seed=1)), months, SCOPE, compare=False)
    assert whole.frame().equals(shuffled.frame())
    assert pl.Series(whole.frame()["key"]).unique().sort().to_list() == [SHORT, LONG]


# --- a snapshot's stretches of 28 days

SNAPSHOT = snapshot_of(date(2026, 11, 22), datetime.fromisoformat("2026-11-23T08:00:00+00:00"))
FIRSTS = (date(2026, 8, 3), date(2026, 8, 31), date(2026, 9, 28), date(2026, 10, 26))  # Mondays, four weeks apart


@pytest.mark.parametrize(
    ("day", "metrics"),
    [
        (date(2026, 10, 26), set(DAILY)),  # the first day of the last stretch
        (date(2026, 11, 22), set(DAILY)),
        (date(2026, 10, 25), {"dau_trend_pct"}),  # the day before it, in the same month
        (date(2026, 8, 3), {"dau_trend_pct"}),
        (date(2026, 8, 2), set()),
    ],
)
def test_a_day_that_comes_twice_costs_the_stretch_that_it_lies_in(day: date, metrics: set[str]) -> None:
    rows = frame("usage_days", [{"key": A, "day": each, "users": 2} for each in (day, day, date(2026, 11, 1))])
    found = judge_accounts(spooled(rows), frame("usage_months"), SNAPSHOT, compare=False)
    assert told(found).get(A, {}) == dict.fromkeys(metrics, "several_rows")


def test_each_day_of_four_stretches_once_is_no_day_that_comes_twice() -> None:
    days = stretch(FIRSTS[0], date(2026, 11, 22))
    rows = frame("usage_days", [{"key": key, "day": day, "users": 2} for key in (A, B) for day in days])
    stretches = frame(
        "usage_months",
        [{"key": key, "month": first, "users": 40, "sessions": 99} for key in (A, B) for first in FIRSTS],
    )
    assert judge_accounts(spooled(rows), stretches, SNAPSHOT, compare=True).unknowns == []
    fewer = stretches.with_columns(users=pl.when(pl.col("month") == FIRSTS[1]).then(1).otherwise("users"))
    found = judge_accounts(spooled(rows), fewer, SNAPSHOT, compare=True)
    assert told(found) == {key: dict.fromkeys(TRENDS, "unclear") for key in (A, B)}


@pytest.mark.parametrize(
    ("first", "last", "gaps"),
    [
        (FIRSTS[0], date(2026, 11, 22), {}),
        (FIRSTS[0], date(2026, 11, 19), {}),  # three quiet days
        (FIRSTS[0], date(2026, 11, 18), dict.fromkeys(USAGE, "unclear")),
        (date(2026, 8, 31), date(2026, 11, 22), {}),  # whole stretches
        (date(2026, 9, 3), date(2026, 11, 22), {}),
        (date(2026, 9, 4), date(2026, 11, 22), dict.fromkeys(TRENDS, "too_new")),  # part of one
        (date(2026, 10, 30), date(2026, 11, 22), dict.fromkeys(USAGE, "too_new")),
    ],
)
def test_the_days_of_a_snapshot_are_there_or_are_no_zero(first: date, last: date, gaps: dict[str, str]) -> None:
    assert over(stretch(first, last), SNAPSHOT).gaps == gaps

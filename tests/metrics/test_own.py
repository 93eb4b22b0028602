"""Which of an account's own figures counts for a month, and why none does."""

from collections.abc import Mapping
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import DATED_FIGURES
from accountpulse.metrics.own import judge_figures
from support import NOW

OCTOBER = scope_of(Period(2026, 10), NOW)
Row = tuple[float | None, date | None]


def judged(
    rows: list[Row], max_age_days: Mapping[str, int] | None = None, scope: Scope = OCTOBER
) -> float | str | None:
    """What comes of one account's values for October 2026: the value, or the reason; None: neither."""
    frame = pl.DataFrame([("A", "nps", *row) for row in rows], schema=DATED_FIGURES, orient="row")
    found = judge_figures(frame, scope, max_age_days or {})
    known, unknown = found.figures.rows(), found.unknowns.rows()
    assert len(known) + len(unknown) <= 1
    assert all(row[:2] == ("A", "nps") for row in (*known, *unknown))
    return next((row[2] for row in (*known, *unknown)), None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(40, date(2026, 9, 1)), (30, date(2026, 10, 31)), (20, date(2026, 3, 1))], 30),  # the newest
        ([(40, date(2026, 10, 31)), (90, date(2026, 11, 1))], 40),  # November says nothing of October
        ([(90, date(2026, 11, 1)), (91, date(2026, 11, 20))], "too_new"),
        ([(40, date(2026, 10, 5)), (41, date(2026, 10, 5))], "several_rows"),
        ([(40, date(2026, 10, 5)), (40, date(2026, 10, 5))], 40),  # the same fact twice
        ([(41, date(2026, 9, 5)), (42, date(2026, 9, 5)), (40, date(2026, 10, 5))], 40),  # of old ones nothing hangs
        ([(40, None)], 40),
        ([(40, None), (41, None)], "several_rows"),
        ([(None, date(2026, 10, 5)), (40, date(2026, 9, 5))], 40),  # an empty cell says nothing
        ([(None, date(2026, 10, 5))], None),
    ],
)
def test_the_newest_value_of_the_time_counts(rows: list[Row], expected: float | str | None) -> None:
    assert judged(rows) == expected


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2026, 10, 1), 7), (date(2026, 9, 30), "stale"), (date(2026, 10, 31), 7)]
)
def test_a_value_may_be_as_old_as_allowed_on_the_last_day_of_the_month(day: date, expected: float | str) -> None:
    """30 days before 31 October is 1 October."""
    assert judged([(7, day)], {"nps": 30}) == expected


def test_a_value_without_a_day_has_no_age() -> None:
    assert judged([(7, None)], {"nps": 30}) == 7


def test_in_a_month_that_is_still_open_today_counts_and_tomorrow_does_not() -> None:
    scope = scope_of(Period(2026, 11), NOW)  # the 23rd
    assert judged([(7, date(2026, 11, 23)), (8, date(2026, 11, 24))], scope=scope) == 7


@given(st.permutations([(1.0, date(2026, 10, 1)), (2.0, date(2026, 10, 2)), (3.0, date(2026, 11, 2)), (None, None)]))
def test_the_order_of_the_rows_changes_nothing(rows: list[Row]) -> None:
    assert judged(rows) == 2.0

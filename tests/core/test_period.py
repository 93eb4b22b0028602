from datetime import UTC, date, datetime, timedelta

import pytest

from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period, last_complete, parse_period, scope_of

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "202610", "last", "", "2026-10-01", " 2026-10", "٢٠٢٦-١٠"]
)
def test_only_a_year_and_a_month_are_a_period(text: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM"):
        parse_period(text)


def test_a_period_is_a_calendar_month_in_its_zone() -> None:
    period = parse_period("2026-03", "America/New_York")
    # clocks go forward on 8 March: the month has 743 hours
    assert period.end - period.start == timedelta(hours=743)
    assert period.start == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert period.end == datetime(2026, 4, 1, 4, tzinfo=UTC)


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert Period(2026, 1).shifted(-3).name == "2025-10"
    assert Period(2026, 12).shifted(1).name == "2027-01"
    assert Period(2028, 2).days == 29


@pytest.mark.parametrize(
    ("zone", "name"),
    [("UTC", "2025-12"), ("America/Los_Angeles", "2025-11"), ("Pacific/Kiritimati", "2025-12")],
)
def test_the_last_complete_month_depends_on_the_zone(zone: str, name: str) -> None:
    half_past_midnight = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    assert last_complete(half_past_midnight, zone).name == name


def test_a_complete_period_ends_at_the_next_month() -> None:
    scope = scope_of(Period(2026, 10), NOW, 90)
    assert scope.as_of == datetime(2026, 11, 1, tzinfo=UTC)
    assert scope.window.start == datetime(2026, 8, 3, tzinfo=UTC)
    assert scope.as_of_day == date(2026, 11, 1)
    assert scope.measured_days == 31


def test_an_open_period_ends_now() -> None:
    scope = scope_of(Period(2026, 11), NOW, 90)
    assert scope.as_of == NOW
    assert scope.measured_days == 23


def test_the_window_can_be_the_period_itself() -> None:
    assert scope_of(Period(2026, 10), NOW, None).window.start == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_future_period_is_refused() -> None:
    with pytest.raises(UsageError, match="has not begun"):
        scope_of(Period(2026, 12), NOW)

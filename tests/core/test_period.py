from datetime import UTC, date, datetime, timedelta

import pytest

from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period, day_in, last_complete, parse_day, parse_period, scope_of, snapshot_of

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


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("window", [90, None])
@pytest.mark.parametrize("month", [Period(2026, 3), Period(2026, 10), Period(2024, 2)])
def test_of_a_months_last_day_a_snapshot_has_the_months_own_instants(
    month: Period, window: int | None, zone: str
) -> None:
    here = Period(month.year, month.month, zone)
    last_day = here.shifted(1).first_day - timedelta(days=1)
    of_month, of_day = scope_of(here, NOW, window), snapshot_of(last_day, NOW, zone, window)
    assert (of_day.as_of, of_day.window, of_day.as_of_day) == (of_month.as_of, of_month.window, of_month.as_of_day)
    assert (of_day.period, of_day.name, of_day.last_day) == (here, last_day.isoformat(), of_month.last_day)
    assert of_day.is_over
    assert of_month.is_over


def test_a_snapshot_looks_at_usage_over_whole_days_also_where_its_own_is_not_over() -> None:
    over, today = snapshot_of(date(2026, 11, 22), NOW), snapshot_of(date(2026, 11, 23), NOW)
    assert (over.as_of, today.as_of) == (datetime(2026, 11, 23, tzinfo=UTC), NOW)
    assert (over.is_over, today.is_over) == (True, False)
    for scope in (over, today):
        assert (scope.usage_first(), scope.usage_end) == (date(2026, 10, 26), date(2026, 11, 23))
        assert (scope.usage_first(3), scope.measured_days) == (date(2026, 8, 3), 28)
    assert (over.last_day, today.last_day) == (date(2026, 11, 22), date(2026, 11, 23))
    assert (over.text, scope_of(Period(2026, 11), NOW).text) == ("22 November 2026", "November 2026")


def test_of_a_month_usage_is_looked_at_over_calendar_months() -> None:
    scope = scope_of(Period(2026, 11), NOW)
    assert [scope.usage_first(back) for back in (0, 1, 3)] == [date(2026, month, 1) for month in (11, 10, 8)]
    assert (scope.usage_end, scope.last_day) == (date(2026, 11, 24), date(2026, 11, 23))


def test_a_day_is_read_in_one_form_and_may_be_called_today() -> None:
    today = day_in("Pacific/Kiritimati", datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    assert today == date(2026, 11, 23)
    assert parse_day("today", "--as-of", today) == today
    assert parse_day("2026-11-01", "--as-of") == date(2026, 11, 1)
    for text in ("2026-11", "20261101", "2026-11-31", "2026-1-01", "", "٢٠٢٦-١٠-٠١", "2026-11-01T00:00:00"):
        with pytest.raises(UsageError, match="is not a day of the form YYYY-MM-DD"):
            parse_day(text, "--as-of", today)
    with pytest.raises(UsageError, match="is not a day"):
        parse_day("today", "--as-of")
    with pytest.raises(UsageError, match="2026-11-24 has not begun yet: today is 2026-11-23"):
        parse_day("2026-11-24", "--as-of", today)
    with pytest.raises(UsageError, match="has not begun"):
        snapshot_of(date(2026, 11, 24), NOW)

"""Which snapshots are kept: every day for 60 days, one a week for 26 weeks. Months are kept for ever, and not here."""

from collections.abc import Iterable
from datetime import date, timedelta

DAYS = 60
WEEKS = 26


def kept(days: Iterable[date], today: date) -> set[date]:
    """The days that stay of those that there are.

    A day stays for 60 days; the last of each ISO week (Monday to Sunday) for 26 weeks; the newest of all always.
    """
    given = set(days)
    last_of_week: dict[tuple[int, int], date] = {}
    for day in sorted(given):
        last_of_week[day.isocalendar()[:2]] = day
    first_daily, first_weekly = today - timedelta(days=DAYS), today - timedelta(weeks=WEEKS)
    daily = {day for day in given if day > first_daily}
    weekly = {day for day in last_of_week.values() if day > first_weekly}
    return daily | weekly | ({max(given)} if given else set())

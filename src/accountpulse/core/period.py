"""Calendar months in a zone, and the half-open windows that a run looks at.

Nothing here asks the clock: "now" is an argument.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from accountpulse.core.errors import UsageError


@dataclass(frozen=True, order=True)
class Period:
    """One calendar month in a zone: `[first day 00:00, first day of the next month 00:00)`."""

    year: int
    month: int
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """The month as `YYYY-MM`."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def days(self) -> int:
        """How many days the month has."""
        return (self.shifted(1).first_day - self.first_day).days

    @property
    def start(self) -> datetime:
        """The first instant of the month, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the month, in UTC."""
        return self.shifted(1).start

    def is_over(self, as_of_day: date) -> bool:
        """Whether a day, such as that of a run's `as_of`, lies after the month."""
        return as_of_day >= self.shifted(1).first_day

    def shifted(self, months: int) -> "Period":
        """The month that lies `months` later (earlier where negative)."""
        index = self.year * 12 + self.month - 1 + months
        return Period(index // 12, index % 12 + 1, self.zone)


@dataclass(frozen=True)
class Window:
    """A half-open stretch of time `[start, end)`, both aware and in UTC."""

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / timedelta(days=1)


@dataclass(frozen=True)
class Scope:
    """The instants of one run, fixed once: every source and metric uses the same.

    `as_of` is the end of the period, or the start of the run where the period is still open. `window` is the
    stretch that support and bugs are measured over.
    """

    period: Period
    as_of: datetime
    window: Window

    def trailing(self, days: int) -> Window:
        """The stretch of `days` days of the period's zone that ends at `as_of`: 25 hours long where clocks go back."""
        local = self.as_of.astimezone(ZoneInfo(self.period.zone))
        return Window((local - timedelta(days=days)).astimezone(UTC), self.as_of)

    @property
    def as_of_day(self) -> date:
        """The day that `as_of` falls on in the period's zone (the day after a complete period)."""
        return self.as_of.astimezone(ZoneInfo(self.period.zone)).date()

    @property
    def measured_days(self) -> int:
        """Days of the period that usage is measured over: all of a complete month, the begun ones of an open one."""
        if self.as_of >= self.period.end:
            return self.period.days
        return (self.as_of_day - self.period.first_day).days + 1


def parse_period(text: str, zone: str = "UTC", what: str = "period") -> Period:
    """Read `YYYY-MM`; anything else is a UsageError, which calls it `what`."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII)
    if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1970:
        raise UsageError(f"{what} {text!r} is not a month of the form YYYY-MM, such as 2026-10")
    return Period(int(match[1]), int(match[2]), zone)


def last_complete(now: datetime, zone: str = "UTC") -> Period:
    """The last month that is over at `now` in `zone`."""
    local = now.astimezone(ZoneInfo(zone))
    return Period(local.year, local.month, zone).shifted(-1)


def scope_of(period: Period, now: datetime, window_days: int | None = 90) -> Scope:
    """The instants of a run for `period` that starts at `now`; `window_days` None means the month itself.

    A period that has not begun is a UsageError.
    """
    if period.start >= now:
        raise UsageError(f"period {period.name} has not begun yet (it starts {period.start:%Y-%m-%d %H:%M} UTC)")
    as_of = min(period.end, now)
    start = period.start if window_days is None else as_of - timedelta(days=window_days)
    return Scope(period, as_of, Window(start, as_of))

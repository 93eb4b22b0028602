"""Calendar months and days in a zone, and the half-open windows that a run looks at.

Nothing here asks the clock: "now" is an argument.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from accountpulse.core.errors import UsageError

STRETCH = 28  # days of usage that a snapshot looks at, and of each stretch before: four of every day of the week
TODAY = "today"


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

    A snapshot is a run of one day, `snapshot`, in place of a month: `as_of` is the end of that day, or the start of
    the run where the day is not over; `period` is the month that the day lies in.
    """

    period: Period
    as_of: datetime
    window: Window
    snapshot: date | None = None

    @property
    def name(self) -> str:
        """The month as `YYYY-MM`, or the day of a snapshot as `YYYY-MM-DD`."""
        return name_of(self.period, self.snapshot)

    @property
    def text(self) -> str:
        """The same for people: `November 2026`, `22 November 2026`."""
        return text_of(self.period, self.snapshot)

    @property
    def is_over(self) -> bool:
        """Whether the month, or the day of a snapshot, was over at `as_of`."""
        end = self.period.end if self.snapshot is None else _end_of(self.snapshot, self.period.zone)
        return self.as_of >= end

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
        """Days of usage: all of a complete month, the begun ones of an open one; 28 of a snapshot."""
        if self.snapshot is not None:
            return STRETCH
        if self.as_of >= self.period.end:
            return self.period.days
        return (self.as_of_day - self.period.first_day).days + 1

    def usage_first(self, back: int = 0) -> date:
        """The first day of the stretch that usage is measured over, or of the `back`-th one before it.

        Calendar months; of a snapshot stretches of 28 whole days, the last of which ends where `as_of_day` begins: a
        day that is not over would look like one on which people stayed away.
        """
        if self.snapshot is None:
            return self.period.shifted(-back).first_day
        return self.as_of_day - timedelta(days=STRETCH * (back + 1))

    @property
    def usage_end(self) -> date:
        """The day after the last one that usage is measured over."""
        return self.usage_first() + timedelta(days=self.measured_days)

    @property
    def last_day(self) -> date:
        """The last day of which anything is measured, one that is not over included."""
        return self.usage_end - timedelta(days=1) if self.snapshot is None else self.snapshot


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


def parse_day(text: str, what: str, today: date | None = None) -> date:
    """Read `YYYY-MM-DD`; anything else is a UsageError, which calls it `what`.

    Where `today` is given, it may be called so, and a day to come is a UsageError too.
    """
    if text == TODAY and today is not None:
        return today
    if not is_day(text):
        also = "" if today is None else f", or {TODAY}"
        raise UsageError(f"{what} {text!r} is not a day of the form YYYY-MM-DD, such as 2026-11-22{also}")
    day = date.fromisoformat(text)
    if today is not None and day > today:
        raise UsageError(f"{what} {text} has not begun yet: today is {today}")
    return day


def is_day(text: str) -> bool:
    """Whether a text is a day as `YYYY-MM-DD`, as snapshots are named, and not a month."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is None:
        return False
    try:
        return date.fromisoformat(text).year >= 1970
    except ValueError:
        return False


def day_in(zone: str, now: datetime) -> date:
    """The day that it is at `now` in a zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def name_of(period: Period, snapshot: date | None) -> str:
    """A month as `YYYY-MM`, or the day of a snapshot as `YYYY-MM-DD`."""
    return period.name if snapshot is None else snapshot.isoformat()


def text_of(period: Period, snapshot: date | None) -> str:
    """A month, or the day of a snapshot, as people write it."""
    return f"{period.first_day:%B %Y}" if snapshot is None else f"{snapshot.day} {snapshot:%B %Y}"


def snapshot_of(day: date, now: datetime, zone: str = "UTC", window_days: int | None = 90) -> Scope:
    """The instants of a snapshot of `day` that starts at `now`; `window_days` None: as many days as its month has.

    On a month's last day these are the month's own, but for usage. A day that has not begun is a UsageError.
    """
    if day > day_in(zone, now):
        raise UsageError(f"{day} has not begun yet: no snapshot can be made of it")
    period = Period(day.year, day.month, zone)
    as_of = min(_end_of(day, zone), now)
    if window_days is None:
        start = (as_of.astimezone(ZoneInfo(zone)) - timedelta(days=period.days)).astimezone(UTC)
    else:
        start = as_of - timedelta(days=window_days)
    return Scope(period, as_of, Window(start, as_of), day)


def _end_of(day: date, zone: str) -> datetime:
    """The first instant after a day, in UTC."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)

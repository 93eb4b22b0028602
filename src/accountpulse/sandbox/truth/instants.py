"""The times of one period, and what every truth is written in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from accountpulse.sandbox.world.model import Customer

Value: TypeAlias = float | str  # a number, or the reason why there is none
Values: TypeAlias = dict[str, Value]  # by the metric's name
Truth: TypeAlias = Callable[[Customer], Values]


@dataclass(frozen=True)
class Instants:
    """The times of one period: everything is measured at or before `as_of`."""

    first: date  # of the month
    as_of: datetime
    window_start: datetime

    @property
    def day(self) -> date:
        """The day that as_of falls on."""
        return self.as_of.date()

    @property
    def days(self) -> int:
        """Days of the month that have begun by as_of."""
        following = (self.first + timedelta(days=32)).replace(day=1)
        return (min(following, self.day + timedelta(days=1)) - self.first).days

    def in_window(self, moment: datetime | None) -> bool:
        """Whether a moment lies in the window of support and bugs."""
        return moment is not None and self.window_start <= moment < self.as_of


def instants_of(period: str, now: datetime) -> Instants:
    """The times of a month `YYYY-MM` for a run at `now`."""
    first = date.fromisoformat(f"{period}-01")
    following = (first + timedelta(days=32)).replace(day=1)
    end = datetime(following.year, following.month, 1, tzinfo=UTC)
    as_of = min(end, now)
    return Instants(first, as_of, as_of - timedelta(days=90))

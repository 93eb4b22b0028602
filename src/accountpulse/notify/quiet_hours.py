"""When nothing is sent: hours of each day, and whole days."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class QuietTimes:
    """From `start` to `end` of each day, over midnight where `end` is the earlier one; None: of no day.

    `days` are quiet as a whole; by the names of WEEK.
    """

    start: time | None = None
    end: time | None = None
    days: Collection[str] = ()

    def is_quiet(self, now: datetime) -> bool:
        """Whether this moment, in the company's time zone, is quiet."""
        if WEEK[now.weekday()] in self.days:
            return True
        if self.start is None or self.end is None:
            return False
        clock = now.time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def over_at(self, now: datetime) -> datetime | None:
        """The next minute that is not quiet, within a week; None: there is none."""
        minute = now.replace(second=0, microsecond=0)
        ends = (minute + timedelta(minutes=count) for count in range(1, 8 * 24 * 60))
        return next((each for each in ends if not self.is_quiet(each)), None)

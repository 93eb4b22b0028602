"""Dates as JQL writes them: minutes of the wall clock in our user's time zone, without an offset. No I/O.

Where clocks are set back, the minutes of an hour are on the wall twice, and which of the two a date means is Jira's to
say. An end of a slice that lies there is moved outwards, to the next minute that is on the wall once. All zones have
had offsets of whole minutes since long before there were issues.

https://support.atlassian.com/jira-software-cloud/docs/jql-fields/#Created
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from accountpulse.http.time_slices import TimeSlice

DAY = 1440  # minutes: no zone is further from UTC
MINUTE = timedelta(minutes=1)


class ZoneMistaken(Exception):
    """Issues came that lie outside of the dates that were asked for: Jira reads dates in another zone than ours."""


@dataclass(frozen=True)
class JqlDates:
    """How minutes since 1970 are written in JQL. `zone` None: it isn't known, and each end is moved by a day."""

    zone: ZoneInfo | None

    def text(self, minute: int) -> str:
        """A minute on the wall clock, in quotes."""
        return f'"{_instant(minute).astimezone(self.zone or UTC):%Y-%m-%d %H:%M}"'

    def around(self, part: TimeSlice) -> TimeSlice:
        """The slice, each end moved outwards to a minute whose text means that minute and no other."""
        return TimeSlice(self._plain(part.start, -1), self._plain(part.end, +1))

    def hold(self, asked: TimeSlice, minutes: Iterable[int]) -> None:
        """Refuse issues that lie outside of the dates that were asked for; ZoneMistaken.

        In whatever zone Jira reads a date, each issue lies on one side of it. Two slices that meet at a date miss none
        as long as each holds its own alone.
        """
        if self.zone is not None and not all(map(asked.contains, minutes)):
            raise ZoneMistaken

    def _plain(self, minute: int, way: int) -> int:
        if self.zone is None:
            return minute + way * DAY
        while back := self._set_back(minute):
            minute += way * back
        return minute

    def _set_back(self, minute: int) -> int:
        """By how many minutes clocks were or will be set back, where the minute is on the wall twice; else 0."""
        wall = _instant(minute).astimezone(self.zone)
        first, second = (wall.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
        return (first - second) // MINUTE


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)

"""What lies before a snapshot: the snapshots and months of the state by the last day that each measured."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

import polars as pl

from accountpulse.core.period import Period, parse_period
from accountpulse.state import State

WEEK = 7  # days between a snapshot and what it is compared with
WITHIN_WEEK = 3  # days that this may be more, or less
WITHIN = 10  # days between a snapshot and where the trend looks for one
WITHIN_MONTHS = 16  # and for a month, where there is no such snapshot: one of them always ends so near


class KeptRun(NamedTuple):
    """A month or a snapshot that the state holds; `until` is the last day that it measured."""

    until: date
    period: Period
    snapshot: date | None

    @property
    def is_month(self) -> bool:
        """Months measure usage over the calendar month, snapshots over 28 days: compared only where they must be."""
        return self.snapshot is None


def kept_runs(state: State) -> list[KeptRun]:
    """All that there are, earliest first; a month that was not over when it was run ends where its run did."""
    months = [_of_month(state, name) for name in state.history.periods()]
    days = [date.fromisoformat(name) for name in state.snapshots.days()]
    snapshots = [KeptRun(day, Period(day.year, day.month), day) for day in days]
    return sorted([*months, *snapshots], key=lambda each: (each.until, not each.is_month))


def newest_first(found: Sequence[KeptRun]) -> list[KeptRun]:
    """The newest first, but a snapshot before a month that ended up to 7 days after it.

    Whoever follows snapshots from week to week would see lines crossed in a month's run that only its other stretch of
    usage crosses.
    """

    def rank(each: KeptRun) -> tuple[date, bool]:
        return each.until + timedelta(days=0 if each.is_month else WEEK), not each.is_month

    return sorted(found, key=rank, reverse=True)


def nearest(found: Sequence[KeptRun], target: date) -> KeptRun | None:
    """The snapshot that lies nearest to a day, within 10 days; else the month within 16; None where neither does."""
    for is_month, within in ((False, WITHIN), (True, WITHIN_MONTHS)):
        near = [each for each in found if each.is_month is is_month and abs(each.until - target).days <= within]
        if near:
            return min(near, key=lambda each: (abs(each.until - target), each.until))
    return None


def a_week_before(found: Sequence[KeptRun], day: date) -> list[KeptRun]:
    """What a snapshot of `day` may be compared with, the best first, all of it earlier.

    The snapshot, or else the month, that lies nearest to 7 days before, within 3 days (of two the earlier); then the
    newest of the others, of two of one day the snapshot.
    """
    target = day - timedelta(days=WEEK)

    def rank(each: KeptRun) -> tuple[bool, bool, int, bool, date]:
        apart = abs(each.until - target).days
        is_near = apart <= WITHIN_WEEK
        far = apart if is_near else (day - each.until).days
        return not is_near, is_near and each.is_month, far, each.is_month, each.until

    return sorted((each for each in found if each.until < day), key=rank)


class TablesBefore:
    """The tables before a snapshot, in the place of those of earlier months: see `load`."""

    def __init__(self, state: State, day: date) -> None:
        """Of a snapshot of `day`; nothing is read here."""
        self._state, self._day = state, day

    def load(self, period: Period, kind: Literal["metrics", "scores"]) -> pl.DataFrame | None:
        """In place of the month so many months before: what lies nearest to so many times 30 days before.

        Twelve are 365 days. The snapshot's own month stands for the newest there is, also an earlier run of its day.
        """
        months = (self._day.year - period.year) * 12 + self._day.month - period.month
        if months == 0:
            found = self._runs[-1] if self._runs else None
        else:
            found = nearest(self._runs, self._day - timedelta(days=30 * months + months // 12 * 5))
        if found is None:
            return None
        if found.snapshot is None:
            return self._state.history.load(found.period, kind)
        return self._state.snapshots.load(found.snapshot, kind)

    @cached_property
    def _runs(self) -> list[KeptRun]:
        return [each for each in kept_runs(self._state) if each.until <= self._day]


def _of_month(state: State, name: str) -> KeptRun:
    period = parse_period(name)
    last = period.shifted(1).first_day - timedelta(days=1)
    facts = state.runs.last_finished(name)
    if facts is not None and (as_of := date.fromisoformat(facts["as_of_day"])) <= last:
        last = as_of
    return KeptRun(last, period, None)

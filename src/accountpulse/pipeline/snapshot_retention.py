"""After a finished snapshot: old ones go, and what their runs have read."""

from collections.abc import Iterator
from datetime import date

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import day_in
from accountpulse.pipeline.run import Run
from accountpulse.state.retention import DAYS, WEEKS, kept


def drop_old_snapshots(run: Run) -> tuple[str, ...]:
    """Take away what isn't kept any more; lines for the reader say which days went. What fails is told, and stays."""
    try:
        return tuple(_drop(run))
    except AccountpulseError as error:
        return (f"old snapshots could not be removed, the next run tries again: {' '.join(str(error).split())}",)


def _drop(run: Run) -> Iterator[str]:
    state, today = run.state, day_in(run.scope.period.zone, run.now)
    there = {date.fromisoformat(day) for day in state.snapshots.days()}
    gone = sorted(there - kept(there, today))
    in_vain = {date.fromisoformat(day) for day in state.snapshots.run_days()} - there
    for day in (*gone, *(day for day in in_vain if (today - day).days >= DAYS)):
        state.snapshots.remove(day)
    for name in state.checkpoints.names():  # a finished snapshot is never gone on with; months are left alone
        is_day = len(name) == len("2026-11-22")
        if is_day and name < run.scope.name and state.locks.holder(name, run.now) is None:
            state.checkpoints.remove(name)
    if gone:
        days = f"{gone[0]}" if len(gone) == 1 else f"{len(gone):,}, from {gone[0]} to {gone[-1]}"
        rule = f"every day is kept for {DAYS} days, the last one of a week for {WEEKS} weeks"
        yield f"snapshots removed: {days} ({rule})"

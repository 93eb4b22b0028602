"""A run's place in the queue: its id, its instants, and the period's lock; or those of the run that it goes on with."""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accountpulse import __version__
from accountpulse.core.period import Scope, last_complete, scope_of
from accountpulse.pipeline.result import Options
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.lock import LONGEST, Lock


@dataclass(frozen=True)
class Ticket:
    """What one run works under; without a lock it is a dry run, and keeps nothing."""

    run_id: str
    scope: Scope
    resumed: bool = False  # what an earlier process of this run has read is not read again
    lock: Lock | None = None
    notes: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether anything of this run is to stay: checkpoints, history, records."""
        return self.lock is not None

    @property
    def checkpoints_of(self) -> str | None:
        """The run whose checkpoints stand for what would have to be read; None: read everything."""
        return self.run_id if self.resumed else None


@contextmanager
def queue(settings: Settings, options: Options, state: State, now: datetime) -> Iterator[Ticket]:
    """Hold the period for a run; AlreadyRunning where another run holds it. A dry run holds nothing.

    A run that was killed or stopped is gone on with, under its own id and instants, unless this one was asked for
    less than the whole (`--only`, `--account`).
    """
    scope = _scope(settings, options, now)
    if options.dry_run:
        yield Ticket(_new_id(now), scope)
        return
    whole = not (options.only or options.accounts)
    fingerprint = _fingerprint(settings)
    earlier = state.runs.unfinished(scope.period.name, fingerprint, now) if whole else None
    run_id = earlier.run_id if earlier else _new_id(now)
    if earlier:
        scope = scope_of(scope.period, earlier.as_of, _window_days(settings))
    with state.locks.hold(scope.period.name, run_id, now, _limit(options)) as lock:
        if not options.accounts:
            state.runs.begin(scope, run_id, fingerprint, now)
        notes = [f"goes on with run {run_id}, which did not finish"] if earlier else []
        if lock.taken_over:
            notes.append(f"took over the period from {lock.taken_over}, which is no longer there")
        yield Ticket(run_id, scope, earlier is not None, lock, tuple(notes))


def _scope(settings: Settings, options: Options, now: datetime) -> Scope:
    period = options.period or last_complete(now, settings.mapping.timezone)
    return scope_of(period, now, _window_days(settings))


def _limit(options: Options) -> timedelta:
    """How long the period may be held: as long as the run may last, and a little for its last words."""
    return LONGEST if options.ends is None else timedelta(seconds=options.ends - time.monotonic() + 60)


def _window_days(settings: Settings) -> int | None:
    window = settings.mapping.window
    return None if window == "period" else window


def _new_id(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def begun_at(run_id: str | None) -> datetime | None:
    """The moment that a run's id begins with; None where it is none of ours."""
    try:
        return datetime.strptime((run_id or "").split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _fingerprint(settings: Settings) -> str:
    """What extraction depends on: with other settings, what was read before can't be used."""
    places = [
        access.base_url if access is not None else None
        for access in (settings.intercom, settings.jira, settings.looker)
    ]
    text = "\n".join(map(str, (__version__, places, settings.salesforce.login_url, settings.mapping.model_dump_json())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]

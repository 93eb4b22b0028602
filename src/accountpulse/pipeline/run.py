"""A run: what it was asked, under which id and instants it works, and the lock of its period."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from accountpulse import __version__
from accountpulse.core.period import Period, Scope, last_complete, scope_of
from accountpulse.core.records import SourceName
from accountpulse.http.budget import PATIENCE, RequestBudget
from accountpulse.pipeline.watch import NoWatch, Watch
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.lock import Lock

LOOKING = 60.0  # seconds of patience with a source, where somebody sits before the screen and only looks


@dataclass(frozen=True)
class RunRequest:
    """What one run was asked to do; the names are those of the command line."""

    period: Period | None = None
    dry_run: bool = False
    allow_partial: bool = False
    only: tuple[SourceName, ...] = ()
    accounts: tuple[str, ...] = ()
    scorecard: Path | None = None
    calibration: Path | None = None
    out: Path | None = None
    keep_csv: bool = False  # keep the CSV beside the state instead of a folder of this machine
    hand_over: bool = False  # where its time is over, give the period up for the next process
    ends: float | None = None  # on the monotonic clock: begin no request from here on
    patience: float = PATIENCE  # seconds that each source may wait in all

    @property
    def is_whole(self) -> bool:
        """Whether everything is read and every account scored: only then it stands for its month."""
        return not (self.only or self.accounts)


@dataclass(frozen=True)
class Run:
    """What one run works under. Without a lock it is a dry run, and nothing of it stays.

    `resumed`: what an earlier process of this run has read is not read again.
    """

    settings: Settings
    request: RunRequest
    card: Scorecard
    state: State
    scope: Scope
    run_id: str
    now: datetime
    watch: Watch
    lock: Lock | None = None
    resumed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def may_write(self) -> bool:
        """Whether anything of this run is to stay: checkpoints, history, records."""
        return self.lock is not None

    @property
    def keeps_history(self) -> bool:
        """Whether it stands for its month: a run of some accounts leaves the month's history as it is."""
        return self.may_write and not self.request.accounts

    @property
    def scorecard_name(self) -> str:
        """The scorecard's name and hash."""
        return f"{self.card.name} {self.card.hash}"

    def budget(self) -> RequestBudget:
        """A new count of requests, which ends with the run."""
        return RequestBudget(ends=self.request.ends, patience=self.request.patience)


@contextmanager
def started(settings: Settings, request: RunRequest, card: Scorecard, now: datetime, watch: Watch) -> Iterator[Run]:
    """Hold the period for a run; AlreadyRunning where another run holds it. A dry run holds nothing.

    A run that was killed or stopped is gone on with, under its own id and instants, unless this one was asked for
    less than the whole (`--only`, `--account`).
    """
    state = State(settings.state)
    scope = _scope(settings, request, now)
    if request.dry_run:
        yield Run(settings, request, card, state, scope, _new_id(now), now, watch, notes=tuple(_of_open_month(scope)))
        return
    fingerprint = fingerprint_of(settings)
    earlier = state.runs.unfinished(scope.period.name, fingerprint, now) if request.is_whole else None
    run_id = earlier.run_id if earlier else _new_id(now)
    if earlier:
        scope = scope_of(scope.period, earlier.as_of, settings.mapping.window_days)
    with state.locks.hold(scope.period.name, run_id, now) as lock:
        if request.is_whole:
            state.sweep(scope, run_id)
        if not request.accounts:
            state.runs.begin(scope, run_id, fingerprint, now)
        notes = [*_of_open_month(scope), *([f"goes on with run {run_id}, which did not finish"] if earlier else ())]
        if lock.taken_over:
            notes.append(f"took over the period from {lock.taken_over}, which is no longer there")
        yield Run(settings, request, card, state, scope, run_id, now, watch, lock, earlier is not None, tuple(notes))


def looking(settings: Settings, card: Scorecard, scope: Scope, now: datetime, patience: float = LOOKING) -> Run:
    """A run that only looks: for `check` and `accounts`, which read as a run does and leave nothing behind."""
    request, state = RunRequest(dry_run=True, patience=patience), State(settings.state)
    return Run(settings, request, card, state, scope, _new_id(now), now, NoWatch())


def _scope(settings: Settings, request: RunRequest, now: datetime) -> Scope:
    period = request.period or last_complete(now, settings.mapping.timezone)
    return scope_of(period, now, settings.mapping.window_days)


def _of_open_month(scope: Scope) -> Iterator[str]:
    """A warning that numbers of a month are those of a part of it."""
    if scope.as_of < scope.period.end:
        yield (
            f"{scope.period.name} is not over: its scores will change. Its users are those of its days so far, and "
            "mau_trend_pct compares them with whole months"
        )


def _new_id(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def begun_at(run_id: str | None) -> datetime | None:
    """The moment that a run's id begins with; None where it is none of ours."""
    try:
        return datetime.strptime((run_id or "").split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def fingerprint_of(settings: Settings) -> str:
    """What extraction depends on: with other settings, what was read before can't be used."""
    others, crm = settings.fingerprints
    mapped = msgspec.to_builtins(settings.mapping)
    del mapped["digest"]  # whom a digest goes to changes nothing that is read
    text = "\n".join(map(str, (__version__, others, crm, msgspec.json.encode(mapped).decode())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]

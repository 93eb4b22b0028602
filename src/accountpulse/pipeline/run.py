"""A run: what it was asked, under which id and instants it works, and the lock of its month or day."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from accountpulse import __version__
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period, Scope, day_in, last_complete, scope_of, snapshot_of
from accountpulse.core.records import SourceName
from accountpulse.http.budget import PATIENCE, RequestBudget
from accountpulse.pipeline.watch import NoWatch, Watch
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.lock import Lock
from accountpulse.state.retention import DAYS, WEEKS, kept
from accountpulse.state.runs import Runs

LOOKING = 60.0  # seconds of patience with a source, where somebody sits before the screen and only looks


TIMELY = timedelta(days=10)  # after as_of: what is measured later knows of what has happened since


@dataclass(frozen=True)
class RunRequest:
    """What one run was asked to do; the names are those of the command line."""

    period: Period | None = None
    as_of: date | None = None  # in place of a month: a snapshot of this day
    current: bool = False  # a snapshot alone: write the records of the running month
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
    month_lock: Lock | None = None  # of a snapshot that writes the records of its month
    resumed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def may_write(self) -> bool:
        """Whether anything of this run is to stay: checkpoints, history, records."""
        return self.lock is not None

    @property
    def is_late(self) -> bool:
        """Whether it measures a time that is over so long that it knows of what has happened since."""
        return self.now > self.scope.as_of + TIMELY

    @property
    def loads(self) -> bool:
        """Whether records go to the destinations, or in a dry run would go: a month's do, a snapshot's where asked."""
        return self.scope.snapshot is None or self.request.current

    @property
    def runs(self) -> Runs:
        """Where its document lies."""
        return self.state.runs if self.scope.snapshot is None else self.state.snapshots.runs

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
    """Hold the month or day for a run; AlreadyRunning where another run holds it. A dry run holds nothing.

    A run that was killed or stopped is gone on with, under its own id and instants, unless this one was asked for
    less than the whole (`--only`, `--account`). A snapshot that writes records holds their month as well. What makes no
    sense to ask for is a UsageError, before anything is read.
    """
    state = State(settings.state)
    _refuse_unclear(request)
    scope, fingerprint = _scope(settings, request, now), fingerprint_of(settings)
    runs = state.runs if scope.snapshot is None else state.snapshots.runs
    goes_on = request.is_whole and not request.dry_run
    earlier = runs.unfinished(scope.name, fingerprint, now) if goes_on else None
    run_id = earlier.run_id if earlier else _new_id(now)
    if earlier:
        scope = _scope(settings, request, earlier.as_of, of=scope)
    _refuse_needless(request, state, scope, now)
    if request.dry_run:
        yield Run(settings, request, card, state, scope, run_id, now, watch, notes=tuple(_of_open_time(scope)))
        return
    with ExitStack() as held:
        lock = held.enter_context(state.locks.hold(scope.name, run_id, now))
        month_lock = held.enter_context(state.locks.hold(scope.period.name, run_id, now)) if request.current else None
        if request.is_whole:
            state.sweep(scope, run_id)
        if not request.accounts:
            runs.begin(scope, run_id, fingerprint, now)
        notes = [*_of_open_time(scope), *([f"goes on with run {run_id}, which did not finish"] if earlier else ())]
        if lock.taken_over:
            notes.append(f"took over the period from {lock.taken_over}, which is no longer there")
        resumed = earlier is not None
        yield Run(settings, request, card, state, scope, run_id, now, watch, lock, month_lock, resumed, tuple(notes))


def looking(settings: Settings, card: Scorecard, scope: Scope, now: datetime, patience: float = LOOKING) -> Run:
    """A run that only looks: for `check` and `accounts`, which read as a run does and leave nothing behind."""
    request, state = RunRequest(dry_run=True, patience=patience), State(settings.state)
    return Run(settings, request, card, state, scope, _new_id(now), now, NoWatch())


def _refuse_unclear(request: RunRequest) -> None:
    """What contradicts itself."""
    if request.as_of is not None and request.period is not None:
        raise UsageError("give either --period YYYY-MM or --as-of DAY")
    if request.current and request.as_of is None:
        raise UsageError("--current goes with --as-of DAY: a month's run writes its records anyway")
    if request.as_of is not None and request.accounts and not (request.current or request.dry_run):
        what = "a snapshot of some accounts is not kept, and without --current nothing of it is written"
        raise UsageError(f"--account: {what}. Add --current or --dry-run, or leave --account out")


def _refuse_needless(request: RunRequest, state: State, scope: Scope, now: datetime) -> None:
    """A snapshot that would not be kept, or whose records would stand in place of newer ones."""
    if scope.snapshot is None:
        return
    today, there = day_in(scope.period.zone, now), map(date.fromisoformat, state.snapshots.days())
    if not request.dry_run and scope.snapshot not in kept([*there, scope.snapshot], today):
        rule = f"every day is kept for {DAYS} days, the last one of a week for {WEEKS} weeks"
        raise UsageError(f"a snapshot of {scope.name} would not be kept: {rule}. Add --dry-run to look at it")
    if request.current:
        _refuse_over_newer(state, scope, today)


def _refuse_over_newer(state: State, scope: Scope, today: date) -> None:
    """A month that is over has its own run; of the running one, records of a later moment stay."""
    month = scope.period.name
    if scope.period.is_over(today):
        remedy = f"`accountpulse run --period {month}` writes them; leave --current out to keep the snapshot alone"
        raise UsageError(f"--current: {month} is over, and its records are those of its own run. {remedy}")
    writers = [
        *state.runs.all(f"{month}/"),
        *(facts for facts in state.snapshots.runs.all(f"{month}-") if facts.get("current") is not False),
    ]
    newer = [
        each for each in writers if datetime.fromisoformat(each["as_of"]) > scope.as_of and _may_have_written(each)
    ]
    if newer:
        told = f"run {newer[-1]['run_id']} is as of {newer[-1]['as_of']}"
        raise UsageError(f"--current: the records of {month} are newer than {scope.name}: {told}. Leave --current out")


def _may_have_written(facts: Mapping[str, Any]) -> bool:
    """Whether a run has written records, or was killed before it could say so."""
    return bool(facts["status"] != "stopped" or facts.get("written"))


def _scope(settings: Settings, request: RunRequest, now: datetime, of: Scope | None = None) -> Scope:
    """The instants of what was asked for; `of`: of the same month or day, as an earlier process began at `now`."""
    zone, days = settings.mapping.timezone, settings.mapping.window_days
    if request.as_of is not None:
        return snapshot_of(request.as_of, now, zone, days)
    period = of.period if of is not None else request.period or last_complete(now, zone)
    return scope_of(period, now, days)


def _of_open_time(scope: Scope) -> Iterator[str]:
    """A warning that numbers of a month, or of a day, are those of a part of it."""
    if scope.is_over:
        return
    if scope.snapshot is not None:
        until = f"{scope.as_of.astimezone(ZoneInfo(scope.period.zone)):%H:%M}"
        last = scope.usage_end - timedelta(days=1)
        yield f"{scope.name} is not over: measured up to {until} ({scope.period.zone}), usage up to the end of {last}"
    else:
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

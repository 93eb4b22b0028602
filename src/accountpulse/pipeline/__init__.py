"""read → measure → rate → deliver: the only place that knows the order, and what happens when a part fails."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from accountpulse.core import memory
from accountpulse.core.errors import (
    AccessError,
    AccountpulseError,
    AlreadyRunning,
    ConfigurationError,
    OutOfTime,
    SourceUnavailable,
    Stopped,
)
from accountpulse.core.given_files import MOST_YAML, Unreadable, read_text
from accountpulse.core.records import TABLE, Rules
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.calibrations import read_calibration
from accountpulse.pipeline.deliver import Delivery, deliver_records
from accountpulse.pipeline.first_measurement import keep_first
from accountpulse.pipeline.measure import Measured, measure_accounts
from accountpulse.pipeline.outcome_reading import keep_outcomes
from accountpulse.pipeline.rate import Rated, rate_accounts
from accountpulse.pipeline.read import Reading, read_sources
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import Run, RunRequest, started
from accountpulse.pipeline.snapshot_retention import drop_old_snapshots
from accountpulse.pipeline.watch import Watch
from accountpulse.scoring import scorecard
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state.history import HistoryKind
from accountpulse.state.runs import RunState
from accountpulse.systems import SYSTEMS

SIGNALS_WAIVED = "signals: none in accountpulse.yaml: accounts are rated though nobody can see their churn signals"


def execute(settings: Settings, request: RunRequest, now: datetime, watch: Watch) -> RunResult:
    """One run: read every configured source, measure, score, and write (or, in a dry run, say what would be written).

    A wrong credential or file raises (AccessError, ConfigurationError); a source that is down ends in the result's
    exit code 5 with nothing written, unless partial loading was allowed; an account's own trouble ends in `problems`.
    """
    card = read_scorecard(settings, request.scorecard)
    refuse_unreachable(card, settings)
    named = None if request.calibration is None else read_calibration(request.calibration)
    begun = time.monotonic()
    with started(settings, request, card, now, watch) as running:
        watch.enter(running.run_id, running.scope.name, running.notes)
        try:
            result = _phases(running, named)
        except OutOfTime as error:
            result = _result(running, Reading({}), late=str(error))
        except AccountpulseError as error:
            _tell_notes(running, watch)
            if running.keeps_history and not isinstance(error, AlreadyRunning):  # else it is another's
                _note_end(running, error.exit_code, str(error), _refused_by(error))
            raise
        except KeyboardInterrupt:
            _tell_notes(running, watch)
            if running.keeps_history:
                _note_end(running, Stopped.exit_code, "stopped by a signal")
            raise
        if request.dry_run:
            result = _kept_for_a_look(result)
        if running.keeps_history:
            state: RunState = "finished" if result.loaded else "stopped"
            ended = now + timedelta(seconds=time.monotonic() - begun)
            summary = {**result.summary(), "ended_at": ended.isoformat()}
            running.runs.end(running.scope, running.run_id, state, summary)
            if result.loaded and running.scope.snapshot is not None:
                result = replace(result, notes=(*result.notes, *drop_old_snapshots(running)))
        if result.out_of_time and request.hand_over and running.lock is not None:
            running.state.locks.hand_over(running.lock, now)
        return result


def _kept_for_a_look(result: RunResult) -> RunResult:
    """A dry run that scored is kept beside the history; one that can't be kept has told what it had to tell."""
    running, rated, measured = result.run, result.rated, result.measured
    if rated is None or measured is None:
        return result
    facts = {
        **result.summary(),
        "begun_at": running.now.isoformat(),
        "fingerprint": "",
        "status": "dry run",
        "dry_run": True,
    }
    tables: dict[HistoryKind, pl.DataFrame] = {"metrics": rated.metrics, "scores": rated.scores}
    tables |= {kind: table for kind, table in measured.details.items()}  # noqa: C416 - of a wider type
    try:
        running.state.dry_runs.save(running.run_id, facts, running.card.content, tables)
    except AccountpulseError as error:
        note = f"this dry run is not kept for `accountpulse report --run`: {' '.join(str(error).split())}"
        return replace(result, notes=(*result.notes, note))
    return replace(result, is_kept=True)


def _tell_notes(running: Run, watch: Watch) -> None:
    """What the state had to say to a run that has no result to say it in."""
    for note in running.state.files.notes:
        watch.say(note)


def _refused_by(error: AccountpulseError) -> list[str]:
    """The source that could not be read, where it is one that ended the run."""
    if not isinstance(error, AccessError | SourceUnavailable):
        return []
    return [error.source] if error.source in SYSTEMS else []


def _note_end(running: Run, exit_code: int, error: str, failed: Sequence[str] = ()) -> None:
    """For `history`, as far as the state can still be written: a run that was raised out of its work can go on."""
    with suppress(AccountpulseError):
        ending = {"exit_code": exit_code, "error": error, **({"failed": list(failed)} if failed else {})}
        running.runs.end(running.scope, running.run_id, "stopped", ending)


def _phases(running: Run, named: Calibration | None) -> RunResult:
    reading, extracts = read_sources(running)
    if running.scope.snapshot is None:  # what became of customers is kept as the months' runs know it
        keep_outcomes(running, reading, extracts)
    memory.trim()
    if reading.stopped:
        return _result(running, reading)
    measured = measure_accounts(running, reading, extracts)
    rated = rate_accounts(running, reading, measured, named)
    if running.may_write:
        running.state.history.save_scorecard(running.card.hash, running.card.content)
    delivery = deliver_records(running, reading, measured, rated)
    keep_first(running, reading, rated, delivery)
    return _result(running, reading, measured, rated, delivery)


def _result(
    running: Run,
    reading: Reading,
    measured: Measured | None = None,
    rated: Rated | None = None,
    delivery: Delivery | None = None,
    *,
    late: str | None = None,
) -> RunResult:
    """The phases' results together, with every note of theirs in their order."""
    notes = [*running.notes]
    if late is None:
        notes += [*_notes(running.card, running.settings.rules), *reading.notes]
    notes += () if measured is None else measured.notes
    notes += () if rated is None else rated.notes
    notes += () if delivery is None else (note for load in delivery.loads for note in load.notes)
    notes += running.state.files.notes
    return RunResult(running, reading, measured, rated, delivery, late, tuple(notes))


def _notes(card: Scorecard, rules: Rules) -> Iterator[str]:
    if rules.signals_waived:
        yield SIGNALS_WAIVED
    yield from own_metrics.notes(card, rules)


def read_scorecard(settings: Settings, path: Path | None) -> Scorecard:
    """The scorecard of the command line, else of accountpulse.yaml, else the packaged one."""
    named = settings.mapping.scorecard
    chosen = path or (settings.config_folder / named if named else None)
    pillars = settings.rules.pillars
    if chosen is None:
        return scorecard.default(pillars)
    try:
        text = read_text(chosen, MOST_YAML)
    except Unreadable as error:
        raise ConfigurationError("scorecard", [f"{chosen} can't be read ({error})"]) from None
    return scorecard.load(text, chosen.name, pillars)


def refuse_unreachable(card: Scorecard, settings: Settings) -> None:
    """A scorecard that could rate nobody with the sources at hand is a mistake before the run, not after it."""
    sources = [SYSTEMS[name].source for name in settings.configured]
    rules = settings.rules
    unfed = own_metrics.unfed(card, rules)
    measurable = [
        name
        for name, metric in card.catalogue.items()
        if rules.fed.get(name) == TABLE or (name not in unfed and rules.feeders(metric, sources))
    ]
    if problems := scorecard.unreachable(card, measurable, signals_waived=rules.signals_waived):
        raise ConfigurationError("scorecard", problems)

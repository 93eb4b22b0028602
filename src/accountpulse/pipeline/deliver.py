"""Scores → Salesforce, or the CSV that would have been sent; and the summary that stays behind."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse.core.errors import AlreadyRunning, ConfigurationError
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.result import Options, Outcome, Standing
from accountpulse.pipeline.run import Ticket, begun_at
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.lock import Lock
from accountpulse.systems import csv_file
from accountpulse.systems.salesforce import load as salesforce_loader
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.load import LoadResult
from accountpulse.systems.salesforce.record import Stamp, payload

DRY_RUN_FOLDER = Path("out")


def deliver(  # noqa: PLR0917
    settings: Settings, options: Options, state: State, ticket: Ticket, outcome: Outcome, now: datetime
) -> Outcome:
    """The outcome after writing: records in Salesforce and the period's history, or in a dry run the CSV alone.

    A dry run asks the org the same questions as a load; where it isn't ready for one, the outcome says so.
    """
    metrics, scores = outcome.metrics, outcome.scores
    if scores is None or metrics is None:
        return outcome
    period = outcome.scope.period
    sent = payload(scores, outcome.dimensions, Stamp(period.name, now, outcome.scorecard, outcome.run_id))
    outcome = replace(outcome, csv=_keep(options, state, outcome, sent))
    if ticket.lock is None:
        return _rehearse(settings, options, outcome, sent)
    _refuse_if_lost(state, ticket.lock)
    outcome = _load(settings, options, outcome, sent)
    if not options.accounts:
        state.history.save(period, metrics, scores, outcome.held)
    return outcome


def _keep(options: Options, state: State, outcome: Outcome, sent: pl.DataFrame) -> str | None:
    """Leave the CSV of what is sent where it was asked for; where that is."""
    if options.keep_csv:
        name = f"dry-runs/{outcome.run_id}.csv"
        state.files.store.write(name, csv_file.content(sent))
        return f"{state.files.store.place}/{name}"
    folder = options.out or (DRY_RUN_FOLDER if options.dry_run else None)
    if folder is None:
        return None
    path = folder / f"health-scores-{outcome.scope.period.name}.csv"
    csv_file.write(sent, path)
    return str(path)


def _refuse_if_lost(state: State, lock: Lock) -> None:
    """A run that overslept its time may find the period in other hands: then it must not write."""
    if not state.locks.is_held(lock):
        raise AlreadyRunning("another run took this period over while this one was reading: nothing was written.")


def _rehearse(settings: Settings, options: Options, outcome: Outcome, sent: pl.DataFrame) -> Outcome:
    """What a load would do, or why the org would refuse it as a whole."""
    budget = RequestBudget(ends=options.ends)
    org = Org.connect(settings.salesforce, budget, settings.ca_bundle)
    try:
        plan = salesforce_loader.plan(org, settings.mapping.salesforce.target, sent)
    except ConfigurationError as error:
        return replace(outcome, unready=error)
    return replace(
        outcome,
        created=len(plan.create),
        updated=len(plan.update),
        unchanged=len(plan.unchanged),
        refused=len(plan.refused),
        problems=(*outcome.problems, *plan.refused),
        notes=(*outcome.notes, *plan.notes),
        load_calls=budget.calls,
    )


def _load(settings: Settings, options: Options, outcome: Outcome, sent: pl.DataFrame) -> Outcome:
    budget, target = RequestBudget(ends=options.ends), settings.mapping.salesforce.target
    org = Org.connect(settings.salesforce, budget, settings.ca_bundle)
    plan = salesforce_loader.plan(org, target, sent)
    result = salesforce_loader.load(org, target, plan)
    outcome = replace(
        outcome,
        loaded=True,
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        refused=len(result.refused),
        problems=(*outcome.problems, *result.refused, *result.stuck),
        notes=(*outcome.notes, *plan.notes),
        load_calls=budget.calls,
    )
    return replace(outcome, imbalance=_imbalance(outcome, sent.height, result))


def _imbalance(outcome: Outcome, scored: int, result: LoadResult) -> str | None:
    """Written records must be in the org, and every scored account must be accounted for."""
    if result.found != result.expected:
        return f"Salesforce holds {result.found:,} records of this run, but {result.expected:,} were written."
    accounted = outcome.written + outcome.unchanged + outcome.refused
    if accounted != scored:
        return f"{scored:,} accounts were scored, but only {accounted:,} are written, unchanged or refused."
    return None


def facts(outcome: Outcome, settings: Settings, state: State, now: datetime, ended: datetime) -> dict[str, Any]:
    """The summary of a run that stays in the state; `now` is when it began to read."""
    scores = outcome.scores
    return {
        "run_id": outcome.run_id,
        "period": outcome.scope.period.name,
        "as_of": outcome.scope.as_of.isoformat(),
        "ended_at": ended.isoformat(),
        "as_of_day": outcome.scope.as_of_day.isoformat(),
        "window_days": outcome.scope.window.days,
        "scorecard": outcome.scorecard,
        "signals_waived": settings.mapping.signals is None,
        "scored": 0 if scores is None else scores.height,
        "rated": outcome.rated,
        "written": outcome.written,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused,
        "imbalance": outcome.imbalance,
        "problems": [[problem.account_id, problem.stage, problem.text] for problem in outcome.problems],
        "failed": list(outcome.failed),
        "sources": {
            source: _source(standing, outcome, settings, state, now) for source, standing in outcome.standings.items()
        },
        "requests": {source: standing.budget.calls for source, standing in outcome.standings.items()},
        "load_requests": outcome.load_calls,
        "notes": list(outcome.notes),
        "exit_code": outcome.exit_code,
    }


def _source(standing: Standing, outcome: Outcome, settings: Settings, state: State, now: datetime) -> dict[str, Any]:
    """How a source stood; `read_at` is when the run that read it began to."""
    read_at: datetime | None = now
    if standing.from_checkpoint:
        read_at = begun_at(state.checkpoints.run_of(outcome.scope, standing.source))
    error = None if standing.error is None else settings.redactor(str(standing.error))
    state_of = "failed" if error is not None else "from checkpoint" if standing.from_checkpoint else "read"
    return {
        "state": state_of,
        "rows": dict(standing.rows),
        "requests": standing.budget.calls,
        "seconds": round(standing.seconds, 1),
        "error": error,
        "read_at": None if error is not None or read_at is None else read_at.isoformat(),
    }

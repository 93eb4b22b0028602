"""Scores → Salesforce, or the CSV that would have been sent; and the summary that stays behind."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from accountpulse.errors import AlreadyRunning
from accountpulse.loaders import csv_file
from accountpulse.loaders import salesforce as salesforce_loader
from accountpulse.loaders.base import Stamp, payload
from accountpulse.pipeline.outcome import Options, Outcome
from accountpulse.pipeline.ticket import Ticket
from accountpulse.rest.salesforce import Org
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.lock import Lock

DRY_RUN_FOLDER = Path("out")


def deliver(  # noqa: PLR0917
    settings: Settings, options: Options, state: State, ticket: Ticket, outcome: Outcome, now: datetime
) -> Outcome:
    """The outcome after writing: records in Salesforce and the period's history, or in a dry run the CSV alone."""
    metrics, scores = outcome.metrics, outcome.scores
    if scores is None or metrics is None:
        return outcome
    period = outcome.scope.period
    sent = payload(scores, outcome.dimensions, Stamp(period.name, now, outcome.scorecard, outcome.run_id))
    folder = options.out or (DRY_RUN_FOLDER if options.dry_run else None)
    if folder is not None:
        path = folder / f"health-scores-{period.name}.csv"
        csv_file.write(sent, path)
        outcome = replace(outcome, csv=path)
    if ticket.lock is not None:
        _refuse_if_lost(state, ticket.lock)
        meter = outcome.standings["salesforce"].meter
        org = Org.connect(settings.salesforce, meter, settings.ca_bundle)
        result = salesforce_loader.load(org, settings.mapping.salesforce.target, sent)
        outcome = replace(
            outcome,
            loaded=True,
            created=result.created,
            written=result.created + result.updated,
            problems=(*outcome.problems, *result.refused),
            notes=(*outcome.notes, *result.notes),
        )
        if not options.accounts:
            state.history.save(period, metrics, scores)
    return outcome


def _refuse_if_lost(state: State, lock: Lock) -> None:
    """A run that overslept its time may find the period in other hands: then it must not write."""
    if not state.locks.is_held(lock):
        raise AlreadyRunning("another run took this period over while this one was reading: nothing was written.")


def facts(outcome: Outcome, settings: Settings) -> dict[str, Any]:
    """The summary of a run that stays in the state."""
    scores = outcome.scores
    return {
        "run_id": outcome.run_id,
        "period": outcome.scope.period.name,
        "as_of": outcome.scope.as_of.isoformat(),
        "as_of_day": outcome.scope.as_of_day.isoformat(),
        "window_days": outcome.scope.window.days,
        "scorecard": outcome.scorecard,
        "signals_waived": settings.mapping.signals is None,
        "scored": 0 if scores is None else scores.height,
        "rated": outcome.rated,
        "written": outcome.written,
        "created": outcome.created,
        "problems": [[problem.account_id, problem.stage, problem.text] for problem in outcome.problems],
        "failed": list(outcome.failed),
        "requests": {source: standing.meter.calls for source, standing in outcome.standings.items()},
        "notes": list(outcome.notes),
        "exit_code": outcome.exit_code,
    }

"""What became of customers, as the systems say it: kept by every run, and read alone by `accountpulse outcomes`."""

from collections.abc import Mapping
from datetime import datetime

from accountpulse.core.period import last_complete, scope_of
from accountpulse.core.records import OF_ANY_TIME, Extract, SourceName
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.run import LOOKING, Run
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems.extraction import ExtractRequest


def keep_outcomes(run: Run, reading: Reading, extracts: Mapping[SourceName, Extract]) -> None:
    """Keep what this run has read of outcomes; what came from another run's checkpoint is older than what is kept."""
    for name, extract in extracts.items():
        status = reading.statuses[name]
        if run.may_write and extract.tables.keys() >= OF_ANY_TIME and (run.resumed or not status.from_checkpoint):
            _keep(run.state, extract)


def refresh(settings: Settings, state: State, now: datetime) -> tuple[str, ...]:
    """Read outcomes alone, and keep them; notes for the reader. A system that can't be read is its error."""
    scope = scope_of(last_complete(now, settings.mapping.timezone), now)
    notes: list[str] = []
    for system in settings.systems:
        if system.outcomes is not None:
            budget = RequestBudget(patience=LOOKING)
            request = ExtractRequest(settings.connection(system.name), scope, budget=budget, read_at=now)
            extract = system.outcomes(request)
            _keep(state, extract)
            notes += (f"{system.title}: {note}" for note in extract.notes)
    return tuple(notes)


def _keep(state: State, extract: Extract) -> None:
    accounts = extract.tables["accounts"]["account_id"]
    state.outcomes.keep(extract.tables["outcomes"], set(accounts))
    state.outcomes.keep_merges(extract.tables["merges"])

"""The report of a month, from the state: for the command line, and for Lambda, which keeps it in the state."""

from datetime import date
from typing import Any

from accountpulse.core.outgoing import outgoing_data
from accountpulse.core.period import Period
from accountpulse.pipeline import report_input
from accountpulse.report import portfolio
from accountpulse.report.files import files
from accountpulse.state import State

FOLDER = "reports"


def document(state: State, period: Period | None, run_id: str | None = None, day: date | None = None) -> dict[str, Any]:
    """What the report of a month shows, its texts as they may leave; None: the latest month with a run.

    `run_id`: of that run, also a dry one; `last`: the last of all. `day`: of the snapshot of that day. A
    ConfigurationError where the state doesn't hold it with its scorecard.
    """
    return dict(outgoing_data(portfolio.document(report_input.read(state, period, run_id, day))))


def keep(state: State, period: Period, day: date | None = None) -> str:
    """Write the page and its table of a month, or of the snapshot of a day, to `reports/` in the state.

    The result is where the page is.
    """
    made = document(state, period) if day is None else document(state, None, day=day)
    for name, content in files(made).items():
        state.files.store.write(f"{FOLDER}/{name}", content)
    return f"{state.files.store.place.rstrip('/')}/{FOLDER}/{period.name if day is None else day}.html"

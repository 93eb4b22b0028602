"""`accountpulse demo`: the whole job on the sandbox, from an empty folder to records that are read back."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from accountpulse import pipeline, settings
from accountpulse.cli import progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.cli.report import write_files
from accountpulse.core.period import Period, last_complete
from accountpulse.pipeline import report_document
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.pipeline.watch import NoWatch
from accountpulse.report.files import EXTRA, drawing
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems.salesforce.destination import SalesforceDestination

EARLIER = 5  # months that are run before, so that trends, changes and lines have something to show
LARGE = 500  # accounts from which on one month has to do


def show_demo(period: Period | None, accounts: int, seed: int, out: Path) -> int:
    """Run it, print everything, and return the exit code."""
    now = datetime.now(UTC)
    console = summary.tables()
    console.print(f"[bold]accountpulse demo[/bold]: {plural(accounts, 'invented customer')}, seed {seed}")
    with progress.waiting("inventing a company …"):
        sandbox = Sandbox(build(seed=seed, accounts=accounts, until=now))
    with sandbox, tempfile.TemporaryDirectory(prefix="accountpulse-") as folder:
        console.print(f"A sandbox on {sandbox.url} answers like Intercom, Jira, Looker and Salesforce.\n")
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": folder})
        month = period or last_complete(now)
        _run_before(loaded, month, now, EARLIER if accounts < LARGE else 1, console)
        with progress.watching() as watch:
            result = pipeline.execute(loaded, RunRequest(period=month, out=out), now, watch)
        summary.report(result, console)
        found = _read_back(loaded, result)
        report = _report(State(folder), month, out)
    console.print(f"Read back from the sandbox's Salesforce: {plural(found, 'record')} of this run.")
    console.print(report, markup=False)
    console.print("\n[bold]Next[/bold]")
    console.print(_next_steps())
    return result.exit_code or (0 if found == result.count("written") else 4)


def _run_before(loaded: Settings, month: Period, now: datetime, count: int, console: Console) -> None:
    """Run the months before, quietly; what goes wrong in them shows in the month itself."""
    for back in range(count, 0, -1):
        earlier = month.shifted(-back)
        with progress.waiting(f"first {earlier.first_day:%B %Y} …"):
            pipeline.execute(loaded, RunRequest(period=earlier), now, NoWatch())
    months = "The month" if count == 1 else f"The {count} months"
    console.print(f"{months} before ran first, quietly, to have something to compare with.\n")


def _report(state: State, month: Period, out: Path) -> str:
    """Write the report, where its packages are installed; a line that says where it is."""
    if drawing() is None:
        return f"No report: {EXTRA}"
    page, _ = write_files(report_document.document(state, month), out)
    return f"Report: {page} (open it in a browser)"


def _read_back(loaded: Settings, result: RunResult) -> int:
    """Ask the org itself how many records of this run it holds."""
    return len(SalesforceDestination(loaded.connection("salesforce")).read_back(result.run_id))


def _next_steps() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for step, why in (
        ("the CSV file above", "every account, as it was sent"),
        ("accountpulse score --help", "score a table of your own"),
        ("accountpulse sandbox --help", "keep the four stand-ins running, to try `accountpulse run` on them"),
        ("README.md", "how to point it at your systems"),
    ):
        table.add_row(f"  {step}", why)
    return table

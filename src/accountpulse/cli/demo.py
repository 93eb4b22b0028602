"""`accountpulse demo`: the whole job on the sandbox, from an empty folder to records that are read back."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from accountpulse import pipeline, settings
from accountpulse.cli import progress, show
from accountpulse.cli.words import plural
from accountpulse.loaders import salesforce as loader
from accountpulse.period import Period
from accountpulse.pipeline.outcome import Options, Outcome
from accountpulse.rest.meter import Meter
from accountpulse.rest.salesforce import Org
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import Settings


def show_demo(period: Period | None, accounts: int, seed: int, out: Path) -> int:
    """Run it, print everything, and return the exit code."""
    now = datetime.now(UTC)
    console = show.tables()
    console.print(f"[bold]accountpulse demo[/bold]: {plural(accounts, 'invented customer')}, seed {seed}")
    with progress.waiting("inventing a company …"):
        sandbox = Sandbox(build(seed=seed, accounts=accounts, until=now))
    with sandbox, tempfile.TemporaryDirectory(prefix="accountpulse-") as folder:
        console.print(f"A sandbox on {sandbox.url} answers like Intercom, Jira, Looker and Salesforce.\n")
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": folder})
        with progress.watching(loaded.redactor) as watch:
            outcome = pipeline.run(loaded, Options(period=period, out=out), now, watch)
        show.report(outcome, console, loaded.redactor)
        found = _read_back(loaded, outcome)
    console.print(f"Read back from the sandbox's Salesforce: {plural(found, 'record')} of this run.")
    console.print("\n[bold]Next[/bold]")
    console.print(_next_steps())
    return outcome.exit_code or (0 if found == outcome.written else 4)


def _read_back(loaded: Settings, outcome: Outcome) -> int:
    """Ask the org itself how many records of this run it holds."""
    org = Org.connect(loaded.salesforce, Meter(), loaded.ca_bundle)
    return len(loader.read_back(org, loaded.mapping.salesforce.target, outcome.run_id))


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

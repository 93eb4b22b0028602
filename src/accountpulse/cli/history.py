"""`accountpulse history` and `accountpulse forget`: what the state holds, and taking an account out of it."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from accountpulse.cli import summary
from accountpulse.cli.files import write_table
from accountpulse.cli.formatting import plural
from accountpulse.core.errors import UsageError
from accountpulse.core.ids import to_18
from accountpulse.core.period import Period
from accountpulse.core.tables import kind_of
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import earlier_runs
from accountpulse.state import State

COLUMNS = ("Period", "Run", "Ended", "Scored", "Rated", "Written", "Left out", "Not read")
COUNTS = ("Scored", "Rated", "Written", "Left out")
SPARE = ("Rated", "Left out")  # what a narrow terminal goes without
ROOMY = 90  # columns


def show_history(state: State, as_json: bool) -> int:  # noqa: FBT001
    """A line a run, oldest period first, in the order of their beginnings."""
    runs = sorted(state.runs.all(), key=lambda facts: (facts["period"], facts["begun_at"]))
    console = summary.tables()
    if as_json:
        write_json(sys.stdout, runs)
    elif runs:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        shown = COLUMNS if console.width >= ROOMY else tuple(name for name in COLUMNS if name not in SPARE)
        for name in shown:
            table.add_column(name, justify="right" if name in COUNTS else "left", no_wrap=name == "Run")
        for facts in runs:
            cells = dict(zip(COLUMNS, _cells(facts), strict=True))
            table.add_row(*(escape(cells[name]) for name in shown))
        console.print(table)
    else:
        console.print(f"No run yet in {escape(state.files.store.place)}.")
    for note in state.files.notes:
        typer.echo(f"! {note}", err=True)
    return 0


def write_stored_metrics(state: State, period: Period | None, path: Path | None) -> int:
    """Write what a month's last run measured to a file that `accountpulse score` takes, for the same scores."""
    if path is None:
        raise UsageError("--period goes with --metrics FILE")
    kind_of(path.name)
    earlier = earlier_runs.recall_or_refuse(state, period)
    basis = earlier.basis(earlier.card)
    frame = earlier_runs.metrics_table(earlier_runs.score_inputs(earlier.metrics, state.history, basis), basis)
    write_table(path, frame)
    what = f"Metrics of {plural(frame.height, 'account')} in {earlier.period.name}, run {earlier.facts['run_id']}"
    summary.tables().print(f"{what}: {path}", markup=False, soft_wrap=True)
    for note in state.files.notes:
        typer.echo(f"! {note}", err=True)
    return 0


def _cells(facts: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (f"{facts[name]:,}" if name in facts else "–" for name in ("scored", "rated", "written"))
    code = facts.get("exit_code", 0)
    ended = f"{facts['status']}, {code}" if code else facts["status"]
    left_out = f"{len(facts['problems']):,}" if "problems" in facts else "–"
    return facts["period"], facts["run_id"], ended, *counts, left_out, ", ".join(facts.get("failed", ()))


def forget_account(state: State, account: str, yes: bool) -> int:  # noqa: FBT001
    """Erase it, after asking; say what else holds it."""
    account_id = to_18(account)
    if not re.fullmatch(r"[A-Za-z0-9]{18}", account_id, re.ASCII):
        raise UsageError("ACCOUNT must be a Salesforce id of 15 or 18 characters")
    place = state.files.store.place
    if not yes:
        what = f"{account_id} from every period in {place}, and all checkpoints, reports and dry runs"
        typer.confirm(f"Erase {what}?", abort=True)
    rows = state.forget(account_id)
    typer.echo(f"Erased {plural(rows, 'row')} of {account_id} from the history in {place},")
    typer.echo("and all checkpoints, reports, dry runs, and whatever was set aside or half written.")
    for note in state.files.notes:
        typer.echo(f"! {note}; it was erased with the rest that was set aside", err=True)
    typer.echo(
        "Not touched: records in Salesforce, CSV files and reports that you kept, older versions of objects in a "
        "versioned bucket."
    )
    return 0

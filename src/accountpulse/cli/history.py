"""`accountpulse history` and `accountpulse forget`: what the state holds, and taking an account out of it."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from accountpulse.cli import summary
from accountpulse.cli.files import write_table
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.core.errors import UsageError
from accountpulse.core.ids import to_18
from accountpulse.core.period import Period
from accountpulse.core.tables import kind_of
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import earlier_runs
from accountpulse.state import State

COLUMNS = ("Period", "Begun (UTC)", "Took", "Ended", "Scored", "Rated", "Written", "Left out", "Not read", "Run")
COUNTS = ("Took", "Scored", "Rated", "Written", "Left out")
SPARE = ("Took", "Rated", "Left out", "Not read")  # what a terminal of less than ROOMY columns goes without
ROOMY = 104
NARROW_SPARE = (*SPARE, "Scored", "Written")  # and one of less than NARROW
NARROW = 70
RunFacts = Mapping[str, Any]  # a run's document
NARROWEST = 56  # below it the beginning is told by the run's id alone


def show_history(state: State, as_json: bool) -> int:  # noqa: FBT001
    """A line a run, oldest month first, in the order of their beginnings; then the snapshots, and the dry runs."""
    runs, snapshots = _by_time(state.runs.all()), _by_time(state.snapshots.runs.all())
    dry_runs = list(state.dry_runs.all())
    if as_json:
        write_json(sys.stdout, [*runs, *snapshots, *dry_runs])
    else:
        _show_runs(summary.tables(), runs, snapshots, dry_runs, state.files.store.place)
    note(state.files.notes)
    return 0


def _by_time(runs: Iterable[RunFacts]) -> list[RunFacts]:
    return sorted(runs, key=lambda facts: (_name(facts), facts["begun_at"]))


def _show_runs(
    console: Console, runs: Sequence[RunFacts], snapshots: Sequence[RunFacts], dry_runs: Sequence[RunFacts], place: str
) -> None:
    if runs:
        console.print(_table(runs, console.width))
    elif snapshots:
        console.print(f"No run of a month yet in {escape(place)}.")
    else:
        console.print(f"No run yet in {escape(place)}.")
    if snapshots:
        console.print("\nSnapshots, for `report --as-of` and `explain --as-of`:")
        console.print(_table(snapshots, console.width, period="Day"))
    if dry_runs:
        console.print("Dry runs that are kept, for `report --run` and `explain --run`:")
        for facts in dry_runs:
            console.print(f"  {facts['run_id']} of {_name(facts)}, begun {_begun(facts)} UTC", markup=False)


def _table(runs: Sequence[RunFacts], width: int, period: str = COLUMNS[0]) -> Table:
    """A row a run, in the columns that there is room for; `period` heads the first one."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    spare = () if width >= ROOMY else SPARE if width >= NARROW else NARROW_SPARE
    shown = [name for name in COLUMNS if name not in spare]
    if width < NARROWEST:
        shown.remove("Begun (UTC)")
    for name in shown:
        heading = period if name == COLUMNS[0] else name
        justify: JustifyMethod = "right" if name in COUNTS else "left"
        table.add_column(heading, justify=justify, no_wrap=name in ("Run", "Period"), overflow="fold")
    for facts in runs:
        cells = dict(zip(COLUMNS, _cells(facts), strict=True))
        table.add_row(*(escape(cells[name]) for name in shown))
    return table


def _name(facts: RunFacts) -> str:
    """The month, or the day of a snapshot."""
    return str(facts.get("snapshot") or facts["period"])


def write_stored_metrics(state: State, period: Period | None, path: Path | None, *, as_json: bool = False) -> int:
    """Write what a month's last run measured to a file that `accountpulse score` takes, for the same scores."""
    if path is None:
        raise UsageError("--period goes with --metrics FILE")
    kind_of(path.name)
    earlier = earlier_runs.recall_or_refuse(state, period)
    basis = earlier.basis(earlier.card)
    frame = earlier_runs.metrics_table(earlier_runs.score_inputs(earlier.metrics, state.history, basis), basis)
    write_table(path, frame)
    run_id = earlier.facts["run_id"]
    if as_json:
        facts = {"period": earlier.period.name, "run_id": run_id, "accounts": frame.height, "metrics": str(path)}
        write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])
    else:
        what = f"Metrics of {plural(frame.height, 'account')} in {earlier.period.name}, run {run_id}"
        summary.tables().print(f"{what}: {path}", markup=False, soft_wrap=True)
    note(state.files.notes)
    return 0


def _cells(facts: RunFacts) -> tuple[str, ...]:
    counts = (f"{facts[name]:,}" if name in facts else "–" for name in ("scored", "rated", "written"))
    code = facts.get("exit_code", 0)
    ended = f"{facts['status']}, {code}" if code else facts["status"]
    left_out = f"{len(facts['problems']):,}" if "problems" in facts else "–"
    begun = datetime.fromisoformat(facts["begun_at"]).astimezone(UTC)
    lasted = "–" if "ended_at" not in facts else _duration(datetime.fromisoformat(facts["ended_at"]) - begun)
    failed = ", ".join(facts.get("failed", ()))
    return _name(facts), _begun(facts), lasted, ended, *counts, left_out, failed, facts["run_id"]


def _begun(facts: RunFacts) -> str:
    return f"{datetime.fromisoformat(facts['begun_at']).astimezone(UTC):%Y-%m-%d %H:%M}"


def _duration(time: timedelta) -> str:
    """`42 s`, `7 min`, `1 h 20 min`."""
    minutes = round(time / timedelta(minutes=1))
    if time < timedelta(minutes=2):
        return f"{time.total_seconds():.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _ask(what: str) -> None:
    """Go on only where somebody says yes; the question is no part of the result."""
    print(f"Erase {what}? [y/N]: ", end="", file=sys.stderr, flush=True)  # noqa: T201
    line = sys.stdin.readline()
    if line.strip().lower() in ("y", "yes"):
        return
    if not line:
        print(file=sys.stderr)  # noqa: T201
    raise UsageError("Nothing was erased." if line else "Nobody answered: nothing was erased. --yes erases unasked.")


def forget_account(state: State, account: str, *, yes: bool, as_json: bool = False) -> int:
    """Erase it, after asking; say what else holds it."""
    account_id = to_18(account)
    if not re.fullmatch(r"[A-Za-z0-9]{18}", account_id, re.ASCII):
        raise UsageError("ACCOUNT must be a Salesforce id of 15 or 18 characters")
    place = state.files.store.place
    if not yes:
        what = f"{account_id} from every month and snapshot in {place}, and all checkpoints, reports and dry runs"
        _ask(what)
    rows = state.forget(account_id)
    if as_json:
        facts = {"account_id": account_id, "rows": rows, "state": place, "notes": list(state.files.notes)}
        write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])
        return 0
    typer.echo(f"Erased {plural(rows, 'row')} of {account_id} from the history in {place},")
    typer.echo("and all checkpoints, reports, dry runs, and whatever was set aside or half written.")
    note(f"{each}; it was erased with the rest that was set aside" for each in state.files.notes)
    typer.echo(
        "Not touched: records and Tasks in Salesforce, digests that were sent and digest files, CSV files and reports "
        "that you kept, older versions of objects in a versioned bucket."
    )
    return 0

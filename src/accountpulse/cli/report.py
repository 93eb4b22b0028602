"""`accountpulse report`: a month's page and its table, from the state alone."""

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from accountpulse.cli import summary
from accountpulse.cli.files import write
from accountpulse.cli.formatting import NOT_OVER, plural
from accountpulse.cli.voice import note
from accountpulse.core.period import Period, parse_period
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import report_document
from accountpulse.report.files import files
from accountpulse.state import State


def write_report(
    state: State, period: Period | None, out: Path, run_id: str | None = None, day: date | None = None
) -> int:
    """Write both files, and say where they are and what is wrong with the month."""
    document = report_document.document(state, period, run_id, day)
    paths = write_files(document, out)
    console = summary.tables()
    counts = document["counts"]
    console.print(
        f"{document['period_text']}: {plural(counts['scored'], 'account')}, {counts['not_rated']:,} Not Rated"
    )
    if document["run"]["dry_run"]:
        run_id = document["run"]["id"]
        console.print(f"Dry run {run_id}: nothing was written, and the run is not part of the history.", markup=False)
    summary.marked(console, "✗", "red", document["alarms"])
    is_over = document["snapshot"] or parse_period(document["period"]).is_over(date.fromisoformat(document["as_of"]))
    open_month = () if is_over else (f"as of {document['as_of']}: {NOT_OVER}",)
    newer = _newer_snapshot(state, document) if (period, run_id, day) == (None, None, None) else ()
    summary.marked(console, "!", "yellow", [*open_month, *newer, *document["warnings"]])
    for what, path in zip(("Page", "CSV"), paths, strict=True):
        console.print(f"{what + ':':<6}{path}", markup=False, soft_wrap=True)
    note(state.files.notes)
    return 0


def _newer_snapshot(state: State, document: Mapping[str, Any]) -> Iterator[str]:
    """A line where the latest month is not the latest that the state holds."""
    newest = max(state.snapshots.days(), default="")
    if newest >= document["as_of"]:
        yield f"a snapshot of {newest} is newer: `accountpulse report --as-of {newest}`"


def print_document(state: State, period: Period | None, run_id: str | None = None, day: date | None = None) -> int:
    """Print the document that a page would be made of, as JSON."""
    write_json(sys.stdout, [report_document.document(state, period, run_id, day)])
    return 0


def write_files(document: Mapping[str, Any], out: Path) -> list[Path]:
    """Write the page and the table into a folder; where they are, the page first."""
    paths = []
    for name, content in files(document).items():
        path = out / f"report-{name}"
        write(path, content)
        paths.append(path)
    return paths

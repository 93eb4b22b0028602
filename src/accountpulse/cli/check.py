"""`accountpulse check`: a line for each thing that was looked at, as it comes."""

import sys
from collections.abc import Mapping
from datetime import datetime

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from accountpulse.check import Finding, Findings, check
from accountpulse.cli import summary
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import VOICE
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Period
from accountpulse.observe.outlet import write_json

MARKS = {"good": ("✓", "green"), "warning": ("!", "yellow"), "bad": ("✗", "red")}


def show_check(environment: Mapping[str, str], period: Period | None, now: datetime, *, as_json: bool) -> int:
    """Look, print, and return the exit code."""
    console = summary.tables()

    def tell(line: Finding) -> None:
        if VOICE.quiet and line.mark != "bad":
            return
        if as_json:
            write_json(sys.stdout, [{"mark": line.mark, "area": line.area, "text": line.text}])
        else:
            mark, style = MARKS[line.mark]
            row = Table.grid(padding=(0, 1, 0, 0))
            row.add_row(Text(mark, style=style), f"{line.area:<10}", escape(line.text))
            console.print(row)

    try:
        found = check(environment, period, now, tell)
    except AccountpulseError as error:
        found = Findings(tell)
        found.failed("check", error)
    if not as_json:
        console.print(_closing(found))
    return found.exit_code


def _closing(found: Findings) -> str:
    bad = sum(line.mark == "bad" for line in found.lines)
    warnings = sum(line.mark == "warning" for line in found.lines)
    if bad:
        return f"\n{plural(bad, 'problem')} to fix before a run."
    said = f", with {plural(warnings, 'note')}" if warnings else ""
    return f"\nReady to run{said}."

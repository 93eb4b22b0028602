"""Files that the command line is given."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console

from accountpulse.core import given_files, tables
from accountpulse.core.errors import UsageError
from accountpulse.core.outgoing import outgoing_table
from accountpulse.core.redact import REDACT
from accountpulse.core.tables import GivenTable
from accountpulse.core.xlsx_writing import TableLook
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard

if TYPE_CHECKING:  # score needs no pipeline
    from accountpulse.pipeline.result import RunResult


def read(path: Path) -> bytes:
    """A table's content; one that can't be read is a UsageError."""
    try:
        return given_files.read(path, given_files.MOST_TABLE)
    except given_files.Unreadable as error:
        raise UsageError(f"{path} can't be read ({error})") from None


def read_given(path: Path, needed: Sequence[str] = ("account_id",)) -> GivenTable:
    """The table in a file of any kind; one that can't be read is a UsageError. `needed` as in core/tables.py."""
    tables.kind_of(path.name)
    return tables.read(read(path), path.name, needed)


def check_apart(outs: Iterable[Path], inputs: Iterable[Path | None]) -> None:
    """A UsageError where a file that is to be written is one that is read: it would be lost."""
    read_too = [given for given in inputs if given is not None and given.exists()]
    for out in outs:
        if out.exists() and any(out.samefile(given) for given in read_too):
            raise UsageError(f"--out: {out} is a file that is read here, and would be overwritten; name another place")


def write(path: Path, data: bytes) -> None:
    """Make the file, and its folder; a place that can't be written to is a UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None


def write_table(path: Path, frame: pl.DataFrame, look: TableLook | None = None) -> None:
    """The same with a table, as the kind of file that its name says; ids stay exactly as they are."""
    ids = REDACT.table(frame.select("account_id"))
    shown = outgoing_table(frame.drop("account_id")).hstack(ids).select(frame.columns)
    write(path, tables.write(shown, path.name, look))


def write_metrics(result: "RunResult", path: Path, console: Console) -> None:
    """A run's metrics, as `accountpulse score` takes them, and a line that says so; a stopped run has none."""
    if result.rated is None:
        console.print(f"{path} is not written: nothing was measured.", markup=False, soft_wrap=True)
        return
    write_table(path, result.rated.table)
    rows = f"{result.rated.table.height:,} accounts"
    console.print(f"Metrics of {rows}: {path} (for `accountpulse score --metrics`)", markup=False, soft_wrap=True)
    if result.failed:
        without = f"Caps that apply because {', '.join(result.failed)} could not be read are not part of it."
        console.print(without, markup=False, soft_wrap=True)


def read_card(file: Path | None, pillars: tuple[str, ...]) -> Scorecard:
    """The scorecard in the file, or the packaged one."""
    if file is None:
        return scorecard.default(pillars)
    try:
        text = given_files.read_text(file, given_files.MOST_YAML)
    except given_files.Unreadable as error:
        raise UsageError(f"{file} can't be read ({error})") from None
    return scorecard.load(text, file.name, pillars)

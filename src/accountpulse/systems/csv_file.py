"""A table file as a destination: what another destination would be sent, as a file that a spreadsheet can open."""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from accountpulse.core import tables
from accountpulse.core.errors import UsageError
from accountpulse.core.plain_text import plain_table
from accountpulse.core.records import Problem, ScoreRecords
from accountpulse.core.redact import REDACT
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.destination import LoadResult, Requirement


@dataclass(frozen=True)
class CsvPlan:
    """Every record is a new line of the file."""

    create: pl.DataFrame
    update: tuple[()] = ()
    unchanged: tuple[()] = ()
    refused: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class CsvDestination:
    """`columns` gives records the columns of whom the file stands for; `keep` puts the file's bytes in its place.

    The ending of `name` says what kind of file it is.
    """

    columns: Callable[[ScoreRecords], pl.DataFrame]
    keep: Callable[[bytes], object]
    name: str = "records.csv"
    title: str = "CSV"
    budget: RequestBudget = field(default_factory=RequestBudget)

    def sent(self, records: ScoreRecords) -> pl.DataFrame:
        """As Destination says."""
        return self.columns(records)

    def requirements(self, _dimensions: tuple[str, ...], _tiers: tuple[str, ...] = ()) -> Iterator[Requirement]:
        """As Destination says: none, since it is seen when the file is written."""
        return iter(())

    def plan(self, records: ScoreRecords) -> CsvPlan:
        """As Destination says."""
        return CsvPlan(self.sent(records))

    def load(self, plan: CsvPlan) -> LoadResult:
        """As Destination says: the file appears whole or not at all."""
        self.keep(content(plain_table(plan.create), self.name))
        count = plan.create.height
        return LoadResult(created=count, expected=count, found=count)

    def verify(self, _result: LoadResult) -> str | None:
        """As Destination says: nothing can be wrong with a file that was written whole."""
        return None


def content(table: pl.DataFrame, name: str) -> bytes:
    """One row a record, as the kind of file that the name says; no cell is one that a spreadsheet would run.

    No secret is in it; other texts stay exactly as they are, since some of them are keys.
    """
    return tables.write(REDACT.table(table), name)


def write(table: pl.DataFrame, path: Path) -> None:
    """Write a table as the kind of file that its name says; a folder that can't be written to is a UsageError."""
    put(path, content(table, path.name))


def put(path: Path, made: bytes) -> None:
    """Put bytes at a path, whole or not at all; a folder that can't be written to is a UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(made)
            Path(part).chmod(0o644)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}); choose another folder with --out") from None

"""Scores → the logbook."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from accountpulse.systems.logbook.settings import LogbookAccess, LogbookMapping

from accountpulse.core.errors import SourceUnavailable
from accountpulse.core.records import Problem, ScoreRecords
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection
from accountpulse.systems.destination import LoadResult, Requirement

KEY = ["account_id", "period"]
STAMPS = ["scored_at", "run_id"]  # differ in every run


@dataclass(frozen=True)
class LogbookPlan:
    """Rows to add, rows to replace, and rows that are there as they are."""

    create: pl.DataFrame
    update: pl.DataFrame
    unchanged: pl.DataFrame
    refused: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Logbook:
    """A Parquet file."""

    connection: Connection[LogbookAccess, LogbookMapping]
    budget: RequestBudget
    title: str = "Logbook"

    def sent(self, records: ScoreRecords) -> pl.DataFrame:
        """As Destination says."""
        return records.table

    def requirements(self, _dimensions: tuple[str, ...], _tiers: tuple[str, ...] = ()) -> Iterator[Requirement]:
        """As Destination says."""
        folder = self.connection.access.file.parent
        if folder.is_dir():
            yield Requirement("good", "logbook", f"{folder} is there")
        else:
            yield Requirement("bad", "logbook", f"{folder} is absent: make it", 3)

    def plan(self, records: ScoreRecords) -> LogbookPlan:
        """As Destination says."""
        before, table = self._before(records), records.table
        same = [name for name in table.columns if name not in STAMPS]
        unchanged = table.join(before, on=same, how="semi", nulls_equal=True)
        changed = table.join(unchanged, on=KEY, how="anti")
        there = changed.join(before, on=KEY, how="semi")
        return LogbookPlan(changed.join(there, on=KEY, how="anti"), there, unchanged)

    def load(self, plan: LogbookPlan) -> LoadResult:
        """As Destination says."""
        fresh = pl.concat([plan.create, plan.update])
        kept = self._before(ScoreRecords(fresh, ())).join(fresh, on=KEY, how="anti")
        try:
            pl.concat([kept, fresh]).write_parquet(self.connection.access.file)
        except OSError as error:
            raise SourceUnavailable("logbook", "writing the file", type(error).__name__) from None
        written = fresh.height
        return LoadResult(plan.create.height, plan.update.height, plan.unchanged.height, [], [], written, written)

    def verify(self, _result: LoadResult) -> str | None:
        """As Destination says."""
        return None

    def _before(self, records: ScoreRecords) -> pl.DataFrame:
        file = self.connection.access.file
        return pl.read_parquet(file) if file.exists() else pl.DataFrame(schema=records.table.schema)

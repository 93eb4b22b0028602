"""What walks of Jira bring, in parts that are kept, and the two tables that come of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from accountpulse.core.records import ISSUE_MOVES, ISSUES, Columns
from accountpulse.core.spooled import PIECE, PartCollector, PartStore, SpooledTable
from accountpulse.systems.jira.rows import IssueBatch, merged
from accountpulse.systems.jira.wire import Issue

_IDS: Columns = {"issue_id": pl.String}
# `unread` are issues whose histories didn't come with them, `read` those whose histories were fetched since
_TABLES: Mapping[str, Columns] = {"issues": ISSUES, "issue_moves": ISSUE_MOVES, "unread": _IDS, "read": _IDS}


@dataclass(frozen=True)
class StretchTables:
    """What a slice or a fetch of histories contains: rows of four tables, and how many issues came, by question."""

    tables: Mapping[str, pl.DataFrame]
    unreadable: bool = False  # histories were asked for, and not all came
    came: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows of all tables."""
        return sum(table.height for table in self.tables.values())


class CountedIssueBatch(IssueBatch):
    """The issues of one slice; `rows` counts all that came, also those that don't matter."""

    rows = 0

    def add(self, rows: Sequence[Issue]) -> None:
        """Take the issues of a page."""
        self.rows += len(rows)
        super().add(rows)


def _joined(batches: Sequence[StretchTables]) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """A part of what several slices contain."""
    names = [name for name in _TABLES if any(name in each.tables for each in batches)]
    tables = {name: pl.concat([each.tables[name] for each in batches if name in each.tables]) for name in names}
    came = Counter[str]()
    for each in batches:
        came.update(each.came)
    return tables, {"unreadable": any(each.unreadable for each in batches), "came": came}


def ids_table(issues: Sequence[str]) -> pl.DataFrame:
    """A table of issues alone."""
    return pl.DataFrame({"issue_id": issues}, schema=_IDS)


def collector(parts: PartStore) -> PartCollector[StretchTables]:
    """Takes what slices and fetches of histories bring."""
    return PartCollector(parts, {name: SpooledTable(columns) for name, columns in _TABLES.items()}, _joined)


def unread(spools: Mapping[str, SpooledTable]) -> list[str]:
    """The issues whose histories are still to be fetched, in the order of their ids."""
    waiting, read = (spools[name].lazy().unique() for name in ("unread", "read"))
    return sorted(waiting.join(read, on="issue_id", how="anti").collect()["issue_id"], key=int)


def tables(spools: Mapping[str, SpooledTable]) -> dict[str, SpooledTable]:
    """The two tables, each row once; so many issues at a time as may be in memory."""
    merged_spools = {"issues": SpooledTable(ISSUES), "issue_moves": SpooledTable(ISSUE_MOVES)}
    shares = 1 + (spools["issues"].height + spools["issue_moves"].height) // (2 * PIECE)
    for share in range(shares):
        mine = pl.col("issue_id").hash() % shares == share
        issues, moves = (spools[name].lazy().filter(mine).collect() for name in merged_spools)
        for name, table in zip(merged_spools, merged([(issues, moves)]), strict=True):
            merged_spools[name].add(table)
    return merged_spools

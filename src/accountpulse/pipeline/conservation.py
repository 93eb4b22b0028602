"""Where everything went: came = attributed + left out by a rule + outside of the time + nobody's; and every account."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.records import Extract, RowCounts, SourceName

# an account's own rows are judged by accounts.link
_NOT_ATTRIBUTED = ("accounts", "parents", "links", "dated_figures", "pulses", "owner_changes")


@dataclass(frozen=True)
class RowsOf:
    """The rows that a table of a source was read from.

    `nobodys` belong to no account that is scored. `left_out` counts by rule, in words.
    """

    source: SourceName
    table: str
    came: int
    attributed: int
    outside: int
    nobodys: int
    left_out: Mapping[str, int]


class RowsLost(AccountpulseError):
    """Rows or accounts came and went nowhere, or came from nowhere: our own fault, and no number can be trusted."""


def rows_of(extract: Extract, nobodys: Mapping[str, int]) -> Iterator[RowsOf]:
    """Each table of an extract; `nobodys` of them are the rows that attribution gave to nobody. RowsLost: a hole."""
    for table, height in extract.rows.items():
        if table in _NOT_ATTRIBUTED:
            continue
        counts = extract.counts.get(table, RowCounts(height))
        if counts.kept != height:
            text = f"{counts.came:,} rows came for {table}, {counts.kept:,} should be there, and {height:,} are"
            raise RowsLost(f"{extract.source}: {text}. This is a fault of accountpulse: please report it.")
        lost = nobodys.get(table, 0)
        yield RowsOf(extract.source, table, counts.came, height - lost, counts.outside, lost, dict(counts.left_out))


def same_accounts(before: pl.Series, after: pl.Series, what: str) -> None:
    """RowsLost where a table of accounts (`what`) has others than it was made of: each id once, in any order."""
    if before.sort().equals(after.sort(), null_equal=True):
        return
    text = f"{before.len():,} accounts were to have {what}, and {after.n_unique():,} have them"
    raise RowsLost(f"{text}. This is a fault of accountpulse: please report it.")


def as_data(rows: Iterable[RowsOf]) -> dict[str, Any]:
    """The rows of one source in sum, and of each of its tables (`tables`), as plain data."""
    each = {row.table: _plain([row]) for row in rows}
    return {**_plain(rows), "tables": each}


def _plain(rows: Iterable[RowsOf]) -> dict[str, Any]:
    counted = ("came", "attributed", "outside", "nobodys")
    left_out: Counter[str] = Counter()
    for row in rows:
        left_out.update(row.left_out)
    return {**{name: sum(getattr(row, name) for row in rows) for name in counted}, "left_out": dict(left_out)}

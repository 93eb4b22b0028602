"""What a run keeps beside its numbers, for the report: how much each source holds of an account, and its open signals.

```
evidence   account_id, source, reason (why the source says nothing of the account; null: it does), rows (what it holds)
signals    account_id, severity (critical, moderate, watch), monitoring, confirmed, opened_on; those open at as_of
```
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

import polars as pl

from accountpulse.core.records import SOURCES, TABLES_OF

_PARTS: Mapping[str, str] = {table: source for source, tables in TABLES_OF.items() for table in tables}


class Rows(Protocol):
    """A table of any kind that can be read lazily."""

    @property
    def columns(self) -> Collection[str]:
        """Their names."""

    def lazy(self) -> pl.LazyFrame:
        """All of it."""


def evidence(reasons: pl.DataFrame, tables: Mapping[str, Rows]) -> pl.DataFrame:
    """One row an account and source. `reasons` has a column for each source; `tables` are rows of accounts, by name."""
    counted = [
        table.lazy()
        .group_by("account_id")
        .agg(rows=pl.len().cast(pl.Int64))
        .with_columns(source=pl.lit(_PARTS[name]))
        .collect()
        for name, table in tables.items()
        if "account_id" in table.columns
    ]
    nothing = pl.DataFrame(schema={"account_id": pl.String, "rows": pl.Int64, "source": pl.String})
    rows = pl.concat([nothing, *counted]).group_by("account_id", "source").agg(pl.col("rows").sum())
    pairs = reasons.unpivot(on=list(SOURCES), index="account_id", variable_name="source", value_name="reason")
    return (
        pairs.with_columns(pl.col("source").cast(pl.String), pl.col("reason").cast(pl.String))
        .join(rows, on=["account_id", "source"], how="left")
        .with_columns(pl.col("rows").fill_null(0))
        .sort("account_id", "source")
    )


def open_signals(signals: Rows, as_of: datetime) -> pl.DataFrame:
    """The signals of accounts that were open at `as_of`, the most severe and oldest first; none without an account."""
    began = pl.col("opened_at").is_null() | (pl.col("opened_at") < as_of)
    still = pl.col("closed_at").is_null() | (pl.col("closed_at") >= as_of)
    severity = pl.col("severity").cast(pl.Enum(["critical", "moderate", "watch"]), strict=False)
    return (
        signals.lazy()
        .filter(pl.col("account_id").is_not_null() & began & still)
        .sort("account_id", severity, "opened_at", nulls_last=True)
        .select(
            "account_id",
            "severity",
            pl.col("monitoring").fill_null(value=False),
            pl.col("confirmed").fill_null(value=False),
            opened_on=pl.col("opened_at").dt.date(),
        )
        .collect()
    )

"""What a run keeps beside its numbers, for the report: how much each source holds of an account, and its open signals.

```
evidence   account_id, source, reason (why the source says nothing of the account; null: it does), rows (what it holds),
           urls (the account's pages there, for people; null: none)
parents    as PARENTS of core/records.py has it
pulses     account_id, pulse_colour, pulse_state, pulse_on, author and reason (shown, never logged; null: not known)
signals    account_id, severity (critical, moderate, watch), monitoring, confirmed, opened_on, title and owner (shown,
           never logged; null: not known); those open at as_of
```
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

from accountpulse.core.records import SourceName


class LazyTable(Protocol):
    """A table of any kind that can be read lazily."""

    @property
    def columns(self) -> Collection[str]:
        """Their names."""

    def lazy(self) -> pl.LazyFrame:
        """All of it."""


def rows_by_source(tables: Mapping[str, LazyTable]) -> pl.DataFrame:
    """How many rows of an account each source has in its tables, which are rows of accounts: one row a pair."""
    counted = [
        table.lazy().group_by("account_id", "source").agg(rows=pl.len().cast(pl.Int64)).collect()
        for name, table in tables.items()
        if "account_id" in table.columns and name != "dated_figures"  # fields of the account, no rows of its own
    ]
    nothing = pl.DataFrame(schema={"account_id": pl.String, "source": pl.String, "rows": pl.Int64})
    return pl.concat([nothing, *counted]).group_by("account_id", "source").agg(pl.col("rows").sum())


def evidence(
    reasons: pl.DataFrame, rows: Sequence[pl.DataFrame], sources: Sequence[SourceName], urls: pl.DataFrame
) -> pl.DataFrame:
    """One row an account and source. `reasons` has a column for each source; `rows` are those of `rows_by_source`.

    `urls`: account_id, source, urls.
    """
    pairs = reasons.unpivot(on=list(sources), index="account_id", variable_name="source", value_name="reason")
    return (
        pairs.with_columns(pl.col("source").cast(pl.String), pl.col("reason").cast(pl.String))
        .join(pl.concat(rows), on=["account_id", "source"], how="left")
        .with_columns(pl.col("rows").fill_null(0))
        .join(urls, on=["account_id", "source"], how="left")
        .sort("account_id", "source")
    )


def open_signals(signals: LazyTable, as_of: datetime) -> pl.DataFrame:
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
            "title",
            "owner",
            opened_on=pl.col("opened_at").dt.date(),
        )
        .collect()
    )

"""The months that a proof looks at: which of them count, by what name, and whose row is whose."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.core.records import RECONSTRUCTED
from accountpulse.proof.arr_later import ACCOUNT
from accountpulse.scoring.columns import AS_OF, BEFORE_3M, RISK_Z
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import BACK, SLACK


def with_codes(months: pl.DataFrame) -> pl.DataFrame:
    """The months with an integer for each account."""
    ids = months["account_id"]
    kind = ids.dtype if isinstance(ids.dtype, pl.Enum) else pl.Enum(ids.unique().sort())
    return months.with_columns(ids.cast(kind).to_physical().cast(pl.Int64).alias(ACCOUNT))


def numbered(*tables: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The tables with `account_id` as one Enum in the order of the texts: these are compared as numbers."""
    ids = pl.concat([table["account_id"].unique() for table in tables]).unique().sort()
    yield from (table.with_columns(pl.col("account_id").cast(pl.Enum(ids))) for table in tables)


def reconstructed(months: pl.DataFrame) -> pl.Series:
    """Which rows were measured long after their month, so that they may know what came; none where nothing says so."""
    if RECONSTRUCTED not in months.columns:
        return pl.repeat(value=False, n=months.height, dtype=pl.Boolean, eager=True)
    return months[RECONSTRUCTED].fill_null(value=False)


def comparable(months: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The months, with `risk_z` null where no account has a month three months before, so that no trend is known.

    A risk without its trend term spreads less than a whole one, and a line that is fitted on it is too steep for later
    months. As they are where the card has no trend, the months bring theirs, no account has several, or there are no
    later ones.
    """
    if months.is_empty() or BEFORE_3M in months.columns or not any(added for _, added in card.risk.trend):
        return months
    begun = months[AS_OF].is_in(_with_earlier(months[AS_OF].unique()).implode())
    if begun.all() or not begun.any() or not months["account_id"].is_duplicated().any():
        return months
    return months.with_columns(pl.when(begun).then(pl.col(RISK_Z)).alias(RISK_Z))


def _with_earlier(days: pl.Series) -> pl.Series:
    """The days that have another one of them about three months before."""
    sought = days.sort()
    numbers = sought.to_physical().to_numpy()
    first, after = (np.searchsorted(numbers, numbers - BACK + off) for off in (-SLACK, SLACK + 1))
    return sought.filter(first < after)


def measured_month() -> pl.Expr:
    """The month that a row measured, YYYY-MM: `as_of` is the day after its last day."""
    return (pl.col(AS_OF) - timedelta(days=1)).dt.to_string("%Y-%m")


def in_range(rows: pl.DataFrame, first: str | None, last: str | None) -> pl.DataFrame:
    """The rows of the months from `first` to `last`, YYYY-MM, both included; None: no limit."""
    if first is None and last is None:
        return rows
    return rows.filter(measured_month().is_between(pl.lit(first or "0000"), pl.lit(last or "9999")))


def check_range(months: pl.DataFrame, first: str | None, last: str | None) -> None:
    """A UsageError where none of the months lies between `first` and `last`."""
    if not in_range(months, first, last).is_empty():
        return
    named = month_names(months)
    asked = " ".join(f"{word} {month}" for word, month in (("from", first), ("to", last)) if month is not None)
    raise UsageError(f"there is no month {asked}: those that are here are {named[0]} to {named[-1]}")


def month_names(rows: pl.DataFrame) -> list[str]:
    """The months that rows measured, earliest first."""
    return rows.select(pl.col(AS_OF).unique()).select(measured_month().unique()).to_series().sort().to_list()

"""What all domains share: frames of whole numbers, windows, counts, and values that say why they are missing."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.core.period import Scope, Window
from accountpulse.core.records import Reason

MetricFrame = nw.LazyFrame[Any]
Frames = Mapping[str, MetricFrame]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def numbered(table: pl.DataFrame | pl.LazyFrame) -> MetricFrame:
    """The table in types that all engines add up and compare alike.

    Instants become milliseconds and dates become days since 1970-01-01, as integers; NaN becomes null.
    """
    schema = table.collect_schema()
    return nw.from_native(table.lazy().select(_number(pl.col(name), kind) for name, kind in schema.items()))


def _number(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return column.dt.epoch("ms")
    if isinstance(kind, pl.Date):
        return column.cast(pl.Int32).cast(pl.Int64)
    return column.fill_nan(None) if kind.is_float() else column


def instant(moment: datetime) -> int:
    """Milliseconds since 1970, rounded up: a time of whole milliseconds lies before it just where it did before."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))


def day(value: date) -> int:
    """Days since 1970-01-01."""
    return (value - _EPOCH.date()).days


def within(column: str, window: Window) -> nw.Expr:
    """Where an instant lies in the half-open window; false where it is unknown."""
    moment = nw.col(column)
    return ((moment >= instant(window.start)) & (moment < instant(window.end))).fill_null(value=False)


def on_trailing_days(column: str, scope: Scope, days: int) -> nw.Expr:
    """Where a date is one of the `days` days before the day of `as_of`; false where it is unknown."""
    end = day(scope.as_of_day)
    return ((nw.col(column) >= end - days) & (nw.col(column) < end)).fill_null(value=False)


def open_at(opened: str, closed: str, as_of: datetime) -> nw.Expr:
    """Where something was open at `as_of`; a start that is unknown counts as long ago, so that it isn't lost."""
    began = nw.col(opened).is_null() | (nw.col(opened) < instant(as_of))
    return began & (nw.col(closed).is_null() | (nw.col(closed) >= instant(as_of)))


def count_if(condition: nw.Expr) -> nw.Expr:
    """How many rows of a group hold the condition; unknown is no."""
    return condition.fill_null(value=False).cast(nw.Int64).sum()


def row_count() -> nw.Expr:
    """How many rows of a group there are."""
    return nw.len().cast(nw.Int64)  # engines count in 32 bits without a sign: a product or a difference would wrap


def known_count(name: str) -> nw.Expr:
    """How many rows of a group have a value."""
    return nw.col(name).count().cast(nw.Int64)


def beside(accounts: MetricFrame, *parts: MetricFrame, counts: tuple[str, ...] = ()) -> MetricFrame:
    """The accounts, each with its row of every part; the named counts are 0 where a part has no row of it."""
    for part in parts:
        accounts = accounts.join(part, on="account_id", how="left")
    return accounts.with_columns(nw.col(name).fill_null(0) for name in counts)


def ratio(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """One column by another; null where the whole is 0, negative or unknown."""
    return part / nw.when(whole > 0).then(whole)


def percent(part: str, whole: str) -> nw.Expr:
    """The share of one count in another, 0 to 100; null where the whole is 0."""
    return ratio(nw.col(part) * 100, nw.col(whole))


def percent_of(part: nw.Expr, whole: float) -> nw.Expr:
    """The share in a fixed number, at most 100. Multiplies, since engines divide by a constant differently."""
    return nw.when(part >= whole).then(nw.lit(100.0)).otherwise(part * (100.0 / whole))


def reported(name: str, value: nw.Expr, *unless: tuple[nw.Expr, Reason]) -> tuple[nw.Expr, nw.Expr]:
    """A metric's two columns: its value, and `<name>_reason` where it is null.

    The first condition of `unless` that holds makes it null for its reason; a value that is null without one has
    `no_evidence`.
    """
    value = value.cast(nw.Float64)
    why: Any = nw.when(value.is_null()).then(nw.lit("no_evidence"))
    for condition, reason in reversed(unless):
        value = nw.when(~condition).then(value)
        why = nw.when(condition).then(nw.lit(reason)).otherwise(why)
    return value.alias(name), why.alias(f"{name}_reason")

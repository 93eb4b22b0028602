"""What a table of metrics must be before it is scored, asked in one pass and without holding it in memory."""

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw

from accountpulse.core.errors import UsageError
from accountpulse.scoring.columns import is_reason
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.table import SHOWN, TEXTS, columns_read, unknown_columns_of


def unknown_columns(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> list[str]:
    """A line for each column that is neither a metric nor an attribute, with the nearest name; it is not read."""
    return unknown_columns_of(metrics.collect_schema(), name, card)


def checked_table(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> nw.LazyFrame[Any]:
    """The columns that are read, ids as text without blanks around them.

    Everything that is wrong is one UsageError: no account_id, text in a number's column, NaN and infinities, accounts
    without an id or twice, no account at all.
    """
    schema = metrics.collect_schema()
    if "account_id" not in schema:
        raise UsageError(f"{name}: there is no column account_id")
    allowed = columns_read(card)
    read = [column for column in schema if column in allowed]
    frame = metrics.select(read).with_columns(nw.col("account_id").cast(nw.String).str.strip_chars())
    numeric = [column for column in read if column not in TEXTS and not is_reason(column)]
    problems = [f"{c}: {schema[c]} is no kind of number" for c in numeric if not _may_be_number(schema[c])]
    problems += _wrong_values(frame, [column for column in numeric if schema[column].is_numeric()])
    problems += _accounts_twice(frame)
    if problems:
        raise UsageError("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))
    return frame


def _may_be_number(kind: nw.dtypes.DType) -> bool:
    return kind.is_numeric() or kind == nw.Unknown  # a column of nothing but nulls


def _wrong_values(frame: nw.LazyFrame[Any], numeric: list[str]) -> Iterator[str]:
    without_id = nw.col("account_id").is_null() | (nw.col("account_id") == "")
    infinite = ((c, ~nw.col(c).cast(nw.Float64).is_finite()) for c in numeric)
    counts = frame.select(
        *(wrong.fill_null(value=False).cast(nw.Int64).sum().alias(column) for column, wrong in infinite),
        without_id.fill_null(value=True).cast(nw.Int64).sum().alias("account_id"),
        rows=nw.len(),
    ).collect("polars")
    found: dict[str, int] = counts.rows(named=True)[0]
    if not found.pop("rows"):
        yield "there is no account in it"
        return
    for column, count in found.items():
        if count:
            fault = "empty" if column == "account_id" else "not a plain number such as 1234.5"
            yield f"{column}: {fault} in {count:,} {'row' if count == 1 else 'rows'}"


def _accounts_twice(frame: nw.LazyFrame[Any]) -> Iterator[str]:
    counted = frame.select("account_id").filter(nw.col("account_id") != "").group_by("account_id")
    twice = counted.agg(rows=nw.len()).filter(nw.col("rows") > 1)
    for account, rows in twice.sort("account_id").head(SHOWN).collect("polars").rows():
        yield f"account {account} stands in {rows:,} rows"

"""What a table of metrics must be before it is scored, asked in one pass and without holding it in memory."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import narwhals.stable.v2 as nw

from accountpulse.core.errors import UsageError
from accountpulse.core.tables import SHOWN
from accountpulse.scoring.columns import AS_OF, is_reason
from accountpulse.scoring.plausible import Range, expected_ranges
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.table import NO_DATE, TEXTS, columns_read, unknown_columns_of


def unknown_columns(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> list[str]:
    """A line for each column that is neither a metric nor an attribute, with the nearest name; it is not read."""
    return unknown_columns_of(metrics.collect_schema(), name, card)


def checked_table(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> nw.LazyFrame[Any]:
    """The columns that are read, ids as text without blanks around them.

    Everything that is wrong is one UsageError: no account_id, text in a number's column, NaN and infinities, accounts
    without an id or twice (a date, where there is `as_of`), no date in `as_of`, no account at all.
    """
    schema = metrics.collect_schema()
    if "account_id" not in schema:
        raise UsageError(f"{name}: there is no column account_id")
    allowed = columns_read(card)
    read = [column for column in schema if column in allowed]
    frame = metrics.select(read).with_columns(nw.col("account_id").cast(nw.String).str.strip_chars())
    numeric = [column for column in read if column not in (*TEXTS, AS_OF) and not is_reason(column)]
    problems = [f"{c}: {schema[c]} is no kind of number" for c in numeric if not _may_be_number(schema[c])]
    problems += _wrong_values(frame, [column for column in numeric if schema[column].is_numeric()])
    problems += _wrong_dates(frame) if AS_OF in read else []
    problems += _accounts_twice(frame, [name for name in ("account_id", AS_OF) if name in read])
    if problems:
        raise UsageError("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))
    return _dated(frame) if AS_OF in read else frame


def odd_values(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> list[str]:
    """A line for each column that holds values which can't be or are hardly meant; they are scored as they are."""
    return [f"{name}: {told}; scored as it is" for told in _outside(metrics, expected_ranges(card))]


def first_and_last(frame: nw.LazyFrame[Any]) -> tuple[date, date] | None:
    """The first and the last date of a table that was checked; None where it has no dates."""
    if AS_OF not in frame.collect_schema():
        return None
    days = frame.select(first=nw.col(AS_OF).min(), last=nw.col(AS_OF).max()).collect("polars").row(0)
    first, last = days
    return None if first is None else (first, last)


def _dated(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The same with `as_of` as dates; it holds nothing else."""
    given = nw.col(AS_OF)
    is_text = frame.collect_schema()[AS_OF] == nw.String
    return frame.with_columns(given.str.to_date(format="%Y-%m-%d") if is_text else given.cast(nw.Date))


def _wrong_dates(frame: nw.LazyFrame[Any]) -> Iterator[str]:
    """What `as_of` holds beside dates; a date may be a text, or midnight. There are few different ones."""
    values = frame.select(AS_OF).group_by(AS_OF).agg(rows=nw.len()).collect("polars").rows()
    empty = sum(rows for value, rows in values if value is None)
    wrong = sum(rows for value, rows in values if value is not None and not _is_date(value))
    for count, fault in ((empty, "empty"), (wrong, NO_DATE)):
        if count:
            yield f"{AS_OF}: {fault} in {count:,} {'row' if count == 1 else 'rows'}"


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False
    return value.time() == time() if isinstance(value, datetime) else isinstance(value, date)


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


def _outside(frame: nw.LazyFrame[Any], ranges: Mapping[str, Range]) -> Iterator[str]:
    """A line for each column that has values outside its range; infinities and NaN are told of elsewhere."""
    schema = frame.collect_schema()
    values = {name: nw.col(name).cast(nw.Float64) for name in ranges if name in schema and schema[name].is_numeric()}
    if not values:
        return
    wrong = {
        name: value.is_finite() & ((value < ranges[name].low) | (value > ranges[name].high))
        for name, value in values.items()
    }
    counts = frame.select(each.fill_null(value=False).cast(nw.Int64).sum().alias(name) for name, each in wrong.items())
    for name, count in counts.collect("polars").rows(named=True)[0].items():
        if count:
            yield f"{name}: {ranges[name].fault} in {count:,} {'row' if count == 1 else 'rows'}"


def _accounts_twice(frame: nw.LazyFrame[Any], keys: list[str]) -> Iterator[str]:
    counted = frame.select(keys).filter(nw.col("account_id") != "").drop_nulls(keys).group_by(*keys)
    twice = counted.agg(rows=nw.len()).filter(nw.col("rows") > 1)
    for *key, rows in twice.sort(*keys).head(SHOWN).collect("polars").rows():
        yield f"account {' of '.join(map(str, key))} stands in {rows:,} rows"

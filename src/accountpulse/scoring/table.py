"""Tables of metrics, of every kind that core/tables.py reads; every problem with its place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from accountpulse.core import tables, written_days
from accountpulse.core.catalogue import PILLAR
from accountpulse.core.nearest import nearest
from accountpulse.core.tables import LINE, SHOWN, GivenTable
from accountpulse.core.written_numbers import MONEY, Places
from accountpulse.scoring.columns import (
    AS_OF,
    ATTRIBUTES,
    BEFORE_3M,
    LAST_TIER,
    LOST_SIGHT,
    SCALE,
    WAIVED,
    is_reason,
    reason_of,
)
from accountpulse.scoring.plausible import expected_ranges, outside
from accountpulse.scoring.scorecard import Scorecard

TEXTS = ("account_id", "account_name", "segment", LAST_TIER, LOST_SIGHT)
NUMBERS = {"seats": "count", "arr": MONEY, BEFORE_3M: "points", SCALE: "ratio", WAIVED: "count"}  # with their units
NO_DATE = "not a date such as 2026-10-31"


@dataclass(frozen=True)
class MetricsTable:
    """The rows as `score_table` takes them, and what there is to say of how they were read."""

    rows: pl.DataFrame
    notes: tuple[str, ...] = ()


def pillars_in(given: GivenTable) -> tuple[str, ...]:
    """The pillars that a table has columns for: a scorecard is loaded with these before the table is read with it."""
    exact = given.kind == "parquet"
    return pillars_of(column if exact else tables.plain_heading(column) for column in given.columns)


def pillars_of(columns: Iterable[str]) -> tuple[str, ...]:
    """The pillars among the columns of a table."""
    return tuple(c.removeprefix(PILLAR) for c in columns if c.startswith(PILLAR) and not is_reason(c))


def columns_in(given: GivenTable, card: Scorecard) -> list[str]:
    """The columns that a table has, as they are called in it or, where that is clear, by the scorecard."""
    return given.called(columns_read(card)).columns


def unknown_columns_in(given: GivenTable, card: Scorecard) -> list[str]:
    """A line for each column that is neither a metric nor an attribute, with the nearest name; it is not read."""
    return unknown_columns_of(columns_in(given, card), given.name, card)


def unknown_columns_of(columns: Iterable[str], name: str, card: Scorecard) -> list[str]:
    """As `unknown_columns_in`, for the columns of a table that was opened elsewhere."""
    read, given = columns_read(card), list(columns)
    labels = {metric.label: metric.name for metric in card.catalogue.values()}
    reasons = {reason_of(column) for column in given}  # of metrics that have a line themselves
    return [
        f"{name}: column {column!r} is no metric{nearest(column, read, labels) or _hint(column)}; it is not read"
        for column in dict.fromkeys(given)
        if column not in {*read, *ATTRIBUTES} and column not in reasons
    ]


def columns_read(card: Scorecard) -> set[str]:
    """The columns that a table may have for this scorecard; others are left out."""
    return {*TEXTS, *NUMBERS, AS_OF, *card.catalogue, *(reason_of(metric) for metric in card.catalogue)}


def read_table(given: GivenTable, card: Scorecard) -> MetricsTable:
    """The table, as `score_table` takes it: one row an account, numbers as floats, empty cells null.

    Columns: account_id, account_name, segment, seats, arr, any metric by its name, its `<metric>_reason`; others are
    left out. With `as_of` (becomes a date) it is one row an account and date. Everything that is wrong is one
    UsageError: what is no number, or may be two; NaN, infinity, values that can't be (a count below 0, a share above
    100), no date in as_of, errors of a spreadsheet, accounts without an id or twice (a date), no account.
    """
    read, units = columns_read(card), units_of(card)
    given = given.called(read)
    tables.refuse_without(given, ("account_id",))
    columns = [column for column in given.columns if column in read]
    numbers = tables.numbers_in(given, {column: units[column] for column in columns if column in units})
    others = [column for column in columns if column not in (*units, AS_OF, "account_id")]
    texts = tables.texts_in(given, ["account_id", *others])
    raw = texts.frame.hstack(numbers.frame).insert_column(0, given.frame[LINE])
    dated, of_dates = _with_dates(raw, given) if AS_OF in columns else (raw, [])
    problems = [*numbers.problems, *texts.problems, *of_dates, *_account_problems(dated, given.word)]
    if raw.is_empty():
        problems.append("there is no account in it")
    if problems:
        raise given.refused(problems)
    odd = (
        f"{given.name}: {told}; scored as it is" for told in outside(numbers.frame, expected_ranges(card), given.places)
    )
    return MetricsTable(dated.select(columns), (*given.notes, *numbers.notes, *odd))


def units_of(card: Scorecard) -> Mapping[str, str]:
    """The columns that are numbers, with their units."""
    return {**NUMBERS, **{name: metric.unit for name, metric in card.catalogue.items()}}


def first_and_last(table: pl.DataFrame) -> tuple[date, date] | None:
    """The first and the last date of `as_of`; None where the table has none."""
    first, last = (table[AS_OF].min(), table[AS_OF].max()) if AS_OF in table.columns else (None, None)
    return (first, last) if isinstance(first, date) and isinstance(last, date) else None


def last_date(table: pl.DataFrame) -> date | None:
    """The last date of `as_of`; None where the table has none."""
    days = first_and_last(table)
    return None if days is None else days[1]


def _hint(column: str) -> str:
    return "; declare it under metrics: in the scorecard, or leave it out" if column else "; the heading is empty"


def _with_dates(raw: pl.DataFrame, given: GivenTable) -> tuple[pl.DataFrame, list[str]]:
    """With `as_of` as dates, and what is wrong with it. A time of day other than midnight is none."""
    value = given.frame[AS_OF]
    hint = ""
    if value.dtype == pl.String:
        made = written_days.days(value)
        hint = written_days.example(value, made)
    elif (of_type := typed_day(AS_OF, value.dtype)) is not None:
        made = value.to_frame().select(of_type).to_series()
    else:
        return raw, [f"{AS_OF}: {value.dtype} is no kind of date"]
    places = {"empty": value.is_null(), NO_DATE: value.is_not_null() & made.is_null()}
    problems = [
        f"{AS_OF}: {fault} in {given.places.named(rows)}{hint if fault == NO_DATE else ''}"
        for fault, rows in places.items()
        if rows.any()
    ]
    return raw.with_columns(made.alias(AS_OF)), problems


def typed_day(column: str, kind: pl.DataType) -> pl.Expr | None:
    """The day of a column of dates, or of instants at midnight where they are (null: at another time of day).

    None where the type is no kind of date.
    """
    value = pl.col(column)
    if isinstance(kind, pl.Datetime):
        return pl.when(value.dt.time() == pl.time(0, 0, 0)).then(value.dt.date()).alias(column)
    return value.cast(pl.Date) if kind in (pl.Date, pl.Null) else None


def _account_problems(raw: pl.DataFrame, word: str) -> list[str]:
    dates = [AS_OF] if AS_OF in raw.columns else []
    ids = raw.select(LINE, *dates, "account_id")
    problems = []
    without_id = ids["account_id"].is_null()
    if without_id.any():
        where = Places(ids[LINE], word).named(without_id)
        problems.append(f"account_id: empty in {where}; give each account its id, and delete what is none")
    ids = ids.drop_nulls()
    again = ids.filter(pl.struct("account_id", *dates).is_duplicated())  # few or none, of perhaps a million
    twice = again.group_by("account_id", *dates, maintain_order=True).agg(LINE)
    for *key, lines in twice.head(SHOWN).iter_rows():
        where = Places(pl.Series(lines), word).named(pl.Series([True] * len(lines)))
        problems.append(f"account {' of '.join(map(str, key))} stands in {where}")
    if twice.height > SHOWN:
        problems.append(f"{twice.height - SHOWN} more accounts stand in the table twice")
    return problems

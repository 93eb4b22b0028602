"""Tables of metrics, CSV or Parquet, to and from bytes; every problem with its place."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Literal

import polars as pl

from accountpulse.core.catalogue import PILLAR
from accountpulse.core.errors import UsageError
from accountpulse.core.nearest import nearest
from accountpulse.core.spreadsheet import harmless
from accountpulse.scoring.columns import AS_OF, ATTRIBUTES, BEFORE_3M, LAST_TIER, is_reason, reason_of
from accountpulse.scoring.scorecard import Scorecard

TableFormat = Literal["csv", "parquet"]
SEPARATORS = ",;\t"
TEXTS = ("account_id", "account_name", "segment", LAST_TIER)
NUMBERS = ("seats", "arr", BEFORE_3M)
LINE = "line of the file"  # where a row stands; no metric has blanks in its name
SHOWN = 5
NO_DATE = "not a date such as 2026-10-31"


def table_format(name: str) -> TableFormat:
    """What a file is by its name; another ending than .csv and .parquet is a UsageError."""
    for format_ in ("csv", "parquet"):
        if name.lower().endswith(f".{format_}"):
            return format_
    raise UsageError(f"{name}: write .csv or .parquet; the ending says what the file is")


def columns_in(data: bytes, name: str) -> list[str]:
    """The columns that a table has, as they are called in it."""
    return _header(data, name)


def pillars_in(data: bytes, name: str) -> tuple[str, ...]:
    """The pillars that a table has columns for: a scorecard is loaded with these before the table is read with it."""
    return pillars_of(_header(data, name))


def pillars_of(columns: Iterable[str]) -> tuple[str, ...]:
    """The pillars among the columns of a table."""
    return tuple(c.removeprefix(PILLAR) for c in columns if c.startswith(PILLAR) and not is_reason(c))


def unknown_columns_in(data: bytes, name: str, card: Scorecard) -> list[str]:
    """A line for each column that is neither a metric nor an attribute, with the nearest name; it is not read."""
    return unknown_columns_of(_header(data, name), name, card)


def unknown_columns_of(columns: Iterable[str], name: str, card: Scorecard) -> list[str]:
    """As `unknown_columns_in`, for the columns of a table that was opened elsewhere."""
    read = columns_read(card)
    return [
        f"{name}: column {column!r} is no metric{nearest(column, read) or _hint(column)}; it is not read"
        for column in dict.fromkeys(columns)
        if column not in {*read, *ATTRIBUTES}
    ]


def read_table(data: bytes, name: str, card: Scorecard) -> pl.DataFrame:
    """The table in `data`, as `score_table` takes it: one row an account, numbers as floats, empty cells null.

    Columns: account_id, account_name, segment, seats, arr, any metric by its name, its `<metric>_reason`; others are
    left out. With `as_of` (becomes a date; ISO in a CSV) it is one row an account and date. CSV: UTF-8, separated by
    commas; by semicolons or tabs, where a decimal comma is one. Everything that is wrong is one UsageError: text in a
    number's column, NaN, infinity, no date in as_of, accounts without an id or twice (a date), no account.
    """
    _check_header(_header(data, name), name)
    raw = _frame(data, name, columns_read(card))
    word = "line" if table_format(name) == "csv" else "row"
    raw, of_dates = _with_dates(raw, word)
    problems = [*_number_problems(raw, word), *of_dates, *_account_problems(raw, word)]
    if raw.is_empty():
        problems.append("there is no account in it")
    if problems:
        raise UsageError("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))
    ids = pl.col("account_id").cast(pl.String).str.strip_chars()
    return raw.drop(LINE).with_columns(ids, *(pl.col(column).cast(pl.Float64) for column in _numeric(raw)))


def first_and_last(table: pl.DataFrame) -> tuple[date, date] | None:
    """The first and the last date of `as_of`; None where the table has none."""
    first, last = (table[AS_OF].min(), table[AS_OF].max()) if AS_OF in table.columns else (None, None)
    return (first, last) if isinstance(first, date) and isinstance(last, date) else None


def last_date(table: pl.DataFrame) -> date | None:
    """The last date of `as_of`; None where the table has none."""
    days = first_and_last(table)
    return None if days is None else days[1]


def rows_in(data: bytes, name: str, columns: Collection[str]) -> tuple[pl.DataFrame, str]:
    """These columns of a table, as far as it has them, unchanged (of a CSV as text), and where each row stands (LINE).

    Beside it the word for such a place. Rows without any value are left out; a UsageError where it is no table, or has
    no column account_id.
    """
    _check_header(_header(data, name), name)
    return _frame(data, name, columns), "line" if table_format(name) == "csv" else "row"


def write_table(frame: pl.DataFrame, name: str) -> bytes:
    """The table as a file of the name's kind. CSV: lists joined by `; `, and no cell that a spreadsheet would run."""
    target = io.BytesIO()
    if table_format(name) == "parquet":
        frame.write_parquet(target)
    else:
        names = [column for column, kind in frame.schema.items() if kind == pl.List]
        lists = [pl.col(column).list.join("; ").replace("", None) for column in names]
        harmless(frame.with_columns(lists)).write_csv(target)
    return target.getvalue()


# --- reading ---------------------------------------------------------------------------------------------------


def _header(data: bytes, name: str) -> list[str]:
    if table_format(name) == "parquet":
        try:
            return list(pl.read_parquet_schema(io.BytesIO(data)))
        except (pl.exceptions.PolarsError, OSError):
            raise UsageError(f"{name}: this is no Parquet file") from None
    text = _text(data, name)
    first = next(csv.reader(io.StringIO(text), delimiter=_separator(text)), [])
    return [column.strip() for column in first]


def _separator(text: str) -> str:
    """What stands between the cells: a comma, unless only another one leaves a column account_id."""
    line = text.splitlines()[0] if text.strip() else ""
    names = {separator: next(csv.reader([line], delimiter=separator), []) for separator in SEPARATORS}
    return next((each for each in SEPARATORS if "account_id" in map(str.strip, names[each])), ",")


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{name}: line {line} is not UTF-8: save the table as CSV UTF-8") from None


def columns_read(card: Scorecard) -> set[str]:
    """The columns that a table may have for this scorecard; others are left out."""
    return {*TEXTS, *NUMBERS, AS_OF, *card.catalogue, *(reason_of(metric) for metric in card.catalogue)}


def _check_header(columns: Sequence[str], name: str) -> None:
    problems = [f"column {column!r} is given twice" for column, count in Counter(columns).items() if count > 1]
    if "account_id" not in columns:
        found = nearest("account_id", columns).replace("did you mean", "is it")
        problems.append(f"there is no column account_id{found}" if any(columns) else "the file is empty")
    if problems:
        raise UsageError("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))


def _hint(column: str) -> str:
    return "; declare it under metrics: in the scorecard, or leave it out" if column else "; the heading is empty"


def _frame(data: bytes, name: str, read: Collection[str]) -> pl.DataFrame:
    """The columns that are read, unchanged, each row with its line; rows without any value are left out."""
    columns = _header(data, name)
    try:
        if table_format(name) == "parquet":
            raw = pl.read_parquet(io.BytesIO(data)).with_row_index(LINE, offset=1)
        else:
            separator = _separator(_text(data, name))
            raw = pl.read_csv(io.BytesIO(data), infer_schema=False, new_columns=columns, separator=separator)
            raw = raw.with_columns(_lines(columns))
            raw = raw.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
            if separator != ",":
                raw = _with_decimal_points(raw, name, [column for column in _numeric(raw) if column in read])
    except pl.exceptions.NoDataError:
        raise UsageError(f"{name}: the table is empty") from None
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0]
        if table_format(name) == "csv":
            why = _longer_row(_text(data, name), len(columns)) or why
        raise UsageError(f"{name}: not a table that can be read ({why})") from None
    filled = raw.filter(~pl.all_horizontal(pl.col(columns).is_null()))
    return filled.select(LINE, *(column for column in columns if column in read))


def _longer_row(text: str, width: int) -> str | None:
    """The first line of a CSV with more cells than its heading, in words; None: there is none."""
    rows = csv.reader(io.StringIO(text), delimiter=_separator(text))
    wide = ((rows.line_num, len(row)) for row in rows if len(row) > width)
    line, cells = next(wide, (0, 0))
    return f"line {line} has {cells} cells, the heading {width}; a comma inside a value needs quotes" if line else None


def _with_decimal_points(raw: pl.DataFrame, name: str, numeric: Sequence[str]) -> pl.DataFrame:
    """Decimal commas as points; a file that has both can't be read for certain (is 1.234 more than a thousand?)."""
    commas, points = (
        any(raw[column].str.contains(sign, literal=True).any() for column in numeric) for sign in (",", ".")
    )
    if commas and points:
        raise UsageError(f"{name}: some numbers have a decimal comma and some a point; write all in one way")
    return raw.with_columns(pl.col(numeric).str.replace(",", ".", literal=True))


def _lines(columns: Sequence[str]) -> pl.Expr:
    """The line that a row begins on: the heading is line 1, and a quoted cell may go over several."""
    breaks = pl.sum_horizontal(pl.col(column).str.count_matches("\n").fill_null(0) for column in columns)
    return (pl.int_range(2, pl.len() + 2) + breaks.cum_sum() - breaks).alias(LINE)


def _numeric(raw: pl.DataFrame) -> list[str]:
    return [column for column in raw.columns if column not in (*TEXTS, AS_OF, LINE) and not is_reason(column)]


def _number_problems(raw: pl.DataFrame, word: str) -> list[str]:
    """The columns with something else than finite numbers, with the first lines of it."""
    problems = []
    for column in _numeric(raw):
        value = pl.col(column)
        as_number = value.cast(pl.Float64, strict=False)
        if not (raw.schema[column].is_numeric() or raw.schema[column] in (pl.String, pl.Null)):
            problems.append(f"{column}: {raw.schema[column]} is no kind of number")
            continue
        wrong = raw.filter(value.is_not_null() & ~as_number.is_finite().fill_null(value=False))
        if wrong.height:
            problems.append(f"{column}: not a plain number such as 1234.5 in {_places(wrong[LINE].to_list(), word)}")
    return problems


def _with_dates(raw: pl.DataFrame, word: str) -> tuple[pl.DataFrame, list[str]]:
    """`as_of` as dates, where there is one, and what is wrong with it. A time of day other than midnight is none."""
    if AS_OF not in raw.columns:
        return raw, []
    value, kind = pl.col(AS_OF), raw.schema[AS_OF]
    if kind == pl.String:
        iso = pl.when(value.str.contains(r"^\d{4}-\d{2}-\d{2}$")).then(value)
        made = iso.str.to_date("%Y-%m-%d", strict=False)
    elif (of_type := typed_day(AS_OF, kind)) is not None:
        made = of_type
    else:
        return raw.drop(AS_OF), [f"{AS_OF}: {kind} is no kind of date"]
    dated = raw.with_columns(made)
    places = {"empty": raw.filter(value.is_null()), NO_DATE: raw.filter(value.is_not_null() & dated[AS_OF].is_null())}
    problems = [
        f"{AS_OF}: {fault} in {_places(rows[LINE].to_list(), word)}" for fault, rows in places.items() if rows.height
    ]
    return dated, problems


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
    ids = raw.select(LINE, *dates, account_id=pl.col("account_id").cast(pl.String).str.strip_chars().replace("", None))
    problems = []
    without_id = ids.filter(pl.col("account_id").is_null())
    if without_id.height:
        problems.append(f"account_id: empty in {_places(without_id[LINE].to_list(), word)}")
    ids = ids.drop_nulls()
    again = ids.filter(pl.struct("account_id", *dates).is_duplicated())  # few or none, of perhaps a million
    twice = again.group_by("account_id", *dates, maintain_order=True).agg(LINE)
    problems += [
        f"account {' of '.join(map(str, key))} stands in {_places(lines, word)}"
        for *key, lines in twice.head(SHOWN).iter_rows()
    ]
    if twice.height > SHOWN:
        problems.append(f"{twice.height - SHOWN} more accounts stand in the table twice")
    return problems


def _places(lines: Collection[int], word: str) -> str:
    shown = ", ".join(str(line) for line in list(lines)[:SHOWN])
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return f"{word if len(lines) == 1 else word + 's'} {shown}{more}"

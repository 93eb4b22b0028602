"""A table as an .xlsx file for people: the heading stays in sight, columns are as wide as what they hold.

Cells hold exact values and show rounded ones. Texts are written as texts, so that none is run as a formula.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from accountpulse.core.errors import UsageError

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_575  # below the heading: Excel specifications and limits, "Total number of rows on a worksheet"
MOST_TEXT = 32_767  # characters in a cell: the same page
_EXACT = 10**15  # from here on a spreadsheet loses digits
_FIRST_DAY = date(1900, 3, 1)  # before it spreadsheets count days differently
WIDEST, NARROWEST = 60, 8  # characters
LOOKED_AT = 1_000  # rows whose texts say how wide a column is

Put = Callable[[int, int, Any], object]


@dataclass(frozen=True)
class TableLook:
    """How a table shows its values: decimals by column, and the background of cells by column and text (`#RRGGBB`)."""

    decimals: Mapping[str, int] = field(default_factory=dict)
    colours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    wide: tuple[str, ...] = ()  # columns of sentences


def xlsx(frame: pl.DataFrame, name: str, look: TableLook) -> bytes:
    """The file's bytes; a UsageError where the table has more rows than a sheet. Null is an empty cell."""
    import xlsxwriter

    if frame.height > MOST_ROWS:
        more = f"a sheet has {MOST_ROWS:,} rows at most, the table {frame.height:,}"
        raise UsageError(f"{name}: {more}: write .csv or .parquet")
    target = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet()
        formats = _Formats(book, look)
        _lay_out(sheet, frame, formats, look)
        puts = [_put(sheet, column, formats) for column in frame.iter_columns()]
        for number, row in enumerate(frame.iter_rows(), 1):
            for column, value in enumerate(row):
                if value is not None:
                    puts[column](number, column, value)
    return target.getvalue()


class _Formats:
    """The formats of the cells, each made once."""

    def __init__(self, book: Any, look: TableLook) -> None:
        self._book, self._look = book, look
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def of(self, **properties: Any) -> "Format":
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def number(self, name: str) -> "Format | None":
        decimals = self._look.decimals.get(name)
        if decimals is None:
            return None
        return self.of(num_format="#,##0" + ("." + "0" * decimals if decimals else ""))

    def colour(self, name: str, text: str) -> "Format | None":
        colour = self._look.colours.get(name, {}).get(text)
        return None if colour is None else self.of(bg_color=colour)


def _lay_out(sheet: "Worksheet", frame: pl.DataFrame, formats: _Formats, look: TableLook) -> None:
    """The heading, the widths, and what stays in sight; ids of digits alone get no mark of an error."""
    from xlsxwriter.utility import xl_col_to_name

    for number, column in enumerate(frame.iter_columns()):
        width = WIDEST if column.name in look.wide else _width(column)
        sheet.set_column(number, number, width)
    for number, name in enumerate(frame.columns):
        sheet.write_string(0, number, name, formats.of(bold=True, bottom=1))
    named = frame.columns[:4].index("account_name") + 1 if "account_name" in frame.columns[:4] else 1
    sheet.freeze_panes(1, named)
    if frame.width:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(frame.width - 1)}{frame.height + 1}"})


def _width(column: pl.Series) -> int:
    longest: Any = 10
    if column.dtype == pl.String:
        longest = column.head(LOOKED_AT).str.len_chars().max() or 0
    return int(min(WIDEST, max(NARROWEST, len(column.name) + 3, longest + 1)))


def _put(sheet: "Worksheet", column: pl.Series, formats: _Formats) -> Put:
    """What writes a value of the column into a cell."""
    name, kind = column.name, column.dtype
    if kind == pl.Boolean:
        put: Put = sheet.write_boolean
        return put
    if kind.is_numeric():
        shown = formats.number(name)
        return lambda row, at, value: _write_number(sheet, row, at, value, shown)
    if kind == pl.Date:
        day = formats.of(num_format="yyyy-mm-dd")
        return lambda row, at, value: _write_day(sheet, row, at, value, day)
    if isinstance(kind, pl.Datetime):
        instant = formats.of(num_format="yyyy-mm-dd hh:mm:ss")
        return lambda row, at, value: sheet.write_datetime(row, at, _in_utc(value), instant)
    return lambda row, at, value: sheet.write_string(row, at, _text(value), formats.colour(name, str(value)))


def _write_number(sheet: "Worksheet", row: int, at: int, value: Any, shown: "Format | None") -> object:
    if isinstance(value, int) and abs(value) >= _EXACT:
        return sheet.write_string(row, at, str(value))
    return sheet.write_number(row, at, value, shown)


def _write_day(sheet: "Worksheet", row: int, at: int, value: date, shown: "Format") -> object:
    if value < _FIRST_DAY:
        return sheet.write_string(row, at, value.isoformat())
    return sheet.write_datetime(row, at, datetime(value.year, value.month, value.day), shown)  # noqa: DTZ001


def _in_utc(instant: datetime) -> datetime:
    """A spreadsheet knows no time zones: instants are shown in UTC."""
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"

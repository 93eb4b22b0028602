"""The sheet of an .xlsx file that holds the table, as columns of texts and of numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from accountpulse.core.csv_text import MOST_ABOVE, IsHeading
from accountpulse.core.total_rows import is_total
from accountpulse.core.xlsx_cells import NoWorkbook, SheetCell, SheetRow, Workbook

SHOWN = 5


@dataclass(frozen=True)
class SheetTexts:
    """The heading, and each row below it that holds anything: `texts` and `numbers` by the column's number."""

    heading: tuple[str, ...]
    heading_row: int
    above: tuple[tuple[int, str], ...]  # rows above the heading, and their texts
    texts: pl.DataFrame  # "0", "1", …: null where a cell is empty
    numbers: pl.DataFrame  # Float64, of the columns with cells that hold numbers: null where a cell holds a text
    rows: pl.Series
    notes: tuple[str, ...]


def read_xlsx(data: bytes, is_heading: IsHeading) -> SheetTexts:
    """The table of the only sheet that has a row that `is_heading` says yes to, of the first sheet where none has.

    A NoWorkbook where several have one, or where cells of the table are merged.
    """
    book = Workbook(data)
    sheet = _sheet(book, is_heading)
    above: list[tuple[int, str]] = []
    rows = list(book.rows(sheet))
    at = next((number for number, row in enumerate(rows[:MOST_ABOVE]) if is_heading(_texts(row))), None)
    if not rows:
        raise NoWorkbook("the file is empty")
    above = [(row.number, " ".join(text for text in _texts(row) if text)) for row in rows[: at or 0]]
    heading, below = rows[at or 0], rows[(at or 0) + 1 :]
    _refuse_merged(book, sheet, below)
    notes = [] if len(book.sheets) == 1 else [f"read the sheet {sheet!r}"]
    hidden = [row.number for row in below if row.is_hidden]
    if hidden:
        are = "row is" if len(hidden) == 1 else "rows are"
        notes.append(f"{len(hidden):,} {are} hidden ({_some(hidden)}); hidden rows are read like the others")
    names = tuple(_texts(heading))
    texts, numbers = _columns(below, len(names))
    rows_at = pl.Series("row", [row.number for row in below], dtype=pl.Int64)
    return SheetTexts(names, heading.number, tuple(above), texts, numbers, rows_at, tuple(notes))


def _sheet(book: Workbook, is_heading: IsHeading) -> str:
    names = list(book.sheets)
    if len(names) == 1:
        return names[0]
    found = [name for name in names if any(is_heading(_texts(row)) for row in islice(book.rows(name), MOST_ABOVE))]
    if len(found) > 1:
        listed = ", ".join(map(repr, found[:SHOWN]))
        raise NoWorkbook(f"the sheets {listed} all have such a table: save the one that is meant as a file of its own")
    return found[0] if found else names[0]


def _texts(row: SheetRow) -> Sequence[str]:
    width = max(row.cells) + 1
    return [row.cells[number].text if number in row.cells else "" for number in range(width)]


def _columns(rows: Sequence[SheetRow], width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    nothing = SheetCell("")
    texts, numbers = {}, {}
    for column in range(width):
        cells = [row.cells.get(column, nothing) for row in rows]
        texts[str(column)] = pl.Series([cell.text or None for cell in cells], dtype=pl.String)
        values = pl.Series([cell.number for cell in cells], dtype=pl.Float64)
        if values.null_count() < len(values):
            numbers[str(column)] = values
    return pl.DataFrame(texts), pl.DataFrame(numbers)


def _refuse_merged(book: Workbook, sheet: str, below: Sequence[SheetRow]) -> None:
    """Cells that are merged below the heading: only the first of them holds what is meant for all."""
    filled = [row.number for row in below if not any(is_total(cell.text) for cell in row.cells.values())]
    found = []
    for place in book.merged(sheet):
        first, _, last = place.partition(":")
        top, bottom = (int("".join(filter(str.isdigit, corner)) or 0) for corner in (first, last or first))
        if bisect_left(filled, top) < bisect_right(filled, bottom):
            found.append(place)
    if found:
        raise NoWorkbook(f"cells are merged ({', '.join(found[:SHOWN])}): split them, and fill each")


def _some(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return ", ".join(map(str, numbers[:SHOWN])) + more

"""The sheet of an .xlsx file that holds the table, as columns of texts and of numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import polars as pl

from accountpulse.core.csv_text import MOST_ABOVE, IsHeading, filled
from accountpulse.core.total_rows import is_total
from accountpulse.core.xlsx_cells import NoWorkbook, SheetRow, Workbook

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

    Without such a row, the heading is the one with the most texts. A NoWorkbook where several sheets have one, or where
    cells of the table are merged.
    """
    book = Workbook(data)
    sheet = _sheet(book, is_heading)
    rows = book.rows(sheet)
    first = list(islice(rows, MOST_ABOVE))
    if not first:
        raise NoWorkbook("the file is empty")
    heads = [_texts(row) for row in first]
    widest = max(range(len(heads)), key=lambda number: filled(heads[number]))
    at = next((number for number, head in enumerate(heads) if is_heading(head)), widest)
    above = tuple((row.number, " ".join(filter(None, head))) for row, head in zip(first[:at], heads, strict=False))
    names = tuple(heads[at])
    columns = _SheetColumns(len(names))
    for row in chain(first[at + 1 :], rows):
        columns.take(row)
    texts, numbers = columns.frames()
    _refuse_merged(book.merged, columns.places, texts)
    unseen = [name for column, name in enumerate(names) if name and any(column in each for each in book.hidden)]
    notes = (
        *([] if len(book.sheets) == 1 else [f"read the sheet {sheet!r}"]),
        *([f"hidden columns are read like the others: {', '.join(unseen)}"] if unseen else []),
        *columns.notes(),
    )
    places = pl.Series("row", columns.places, dtype=pl.Int64)
    return SheetTexts(names, first[at].number, above, texts, numbers, places, notes)


class _SheetColumns:
    """The columns so far; cells are not kept, since a large sheet has millions of them."""

    def __init__(self, width: int) -> None:
        self.places: list[int] = []
        self.hidden: list[int] = []
        self.beyond: list[int] = []  # rows with cells to the right of the heading
        self._texts: list[list[str | None]] = [[] for _ in range(width)]
        self._numbers: list[list[float | None]] = [[] for _ in range(width)]

    def take(self, row: SheetRow) -> None:
        """Take a row's cells below the heading; others are not read."""
        self.places.append(row.number)
        if max(row.cells) >= len(self._texts):
            self.beyond.append(row.number)
        if row.is_hidden:
            self.hidden.append(row.number)
        for column, (texts, numbers) in enumerate(zip(self._texts, self._numbers, strict=True)):
            cell = row.cells.get(column)
            texts.append(None if cell is None else cell.text)
            numbers.append(None if cell is None else cell.number)

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The texts of all columns, and the numbers of those that have any."""
        texts = {str(column): pl.Series(cells, dtype=pl.String) for column, cells in enumerate(self._texts)}
        typed = {str(column): pl.Series(cells, dtype=pl.Float64) for column, cells in enumerate(self._numbers)}
        return pl.DataFrame(texts), pl.DataFrame({n: cells for n, cells in typed.items() if cells.count()})

    def notes(self) -> list[str]:
        """What is hidden, and what is left out."""
        notes = []
        if self.hidden:
            are = "row is" if len(self.hidden) == 1 else "rows are"
            notes.append(
                f"{len(self.hidden):,} {are} hidden ({_some(self.hidden)}); hidden rows are read like the others"
            )
        if self.beyond:
            word = "row" if len(self.beyond) == 1 else "rows"
            notes.append(f"cells to the right of the heading are not read ({word} {_some(self.beyond)})")
        return notes


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


def _refuse_merged(merged: Sequence[str], places: Sequence[int], texts: pl.DataFrame) -> None:
    """Cells that are merged below the heading: only the first of them holds what is meant for all."""
    found = []
    for place in merged:
        first, _, last = place.partition(":")
        top, bottom = (int("".join(filter(str.isdigit, corner)) or 0) for corner in (first, last or first))
        rows = range(bisect_left(places, top), bisect_right(places, bottom))
        if any(not any(is_total(text or "") for text in texts.row(row)) for row in rows):
            found.append(place)
    if found:
        raise NoWorkbook(f"cells are merged ({', '.join(found[:SHOWN])}): split them, and fill each")


def _some(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return ", ".join(map(str, numbers[:SHOWN])) + more

"""Tables that people give and get: `.csv`, `.xlsx` and `.parquet`, by the ending of the name.

One reader and one writer for all of them. What is above the heading, blank rows and a total row below the table are
left out and told of; numbers are read as people write them where the column leaves no doubt (core/written_numbers.py).
What can't be read for certain is a UsageError with the line, what stands there and what to write.
"""

import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from accountpulse.core import csv_text, written_numbers, xlsx_writing
from accountpulse.core.errors import UsageError
from accountpulse.core.nearest import nearest
from accountpulse.core.spreadsheet import harmless, meant_texts, unwrapped
from accountpulse.core.total_rows import AROUND, LIKE_TOTAL, SUBTOTAL, TOTALS
from accountpulse.core.written_numbers import Places, WrittenNumbers
from accountpulse.core.xlsx_writing import TableLook

TableKind = Literal["csv", "xlsx", "parquet"]
KINDS: tuple[TableKind, ...] = ("csv", "xlsx", "parquet")
OFFICE = (".xls", ".xlsm", ".xlsb", ".xltx", ".ods", ".numbers")  # of office programs, and not read
LINE = "line of the file"  # where a row stands; no column of ours has blanks in its name
SHOWN = 5
# blanks and what isn't seen at all: text that is pasted from a page brings zero-width ones along
UNSEEN = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
# what a spreadsheet makes of a long number in a column of ids: 1.23457E+14
SHORTENED = r"^[0-9]([.,][0-9]+)?[Ee]\+[0-9]+$"


def kind_of(name: str) -> TableKind:
    """What a file is by its name; another ending than .csv, .xlsx and .parquet is a UsageError."""
    if name.startswith(("~$", ".~lock.")):
        raise NoTable(name, "an office program leaves this file while the table is open there: name the table itself")
    for kind in KINDS:
        if name.lower().endswith(f".{kind}"):
            return kind
    if name.lower().endswith(OFFICE):
        raise NoTable(name, "write .csv, .xlsx or .parquet; an office program saves any table as .xlsx")
    raise NoTable(name, "write .csv, .xlsx or .parquet; the ending says what the file is")


def is_table(name: str) -> bool:
    """Whether a name has the ending of a table."""
    return name.lower().endswith(tuple(f".{kind}" for kind in KINDS))


def plain_heading(text: str) -> str:
    """A heading without the differences that don't count: `Account ID`, `account-id` and `account_id` are the same."""
    return re.sub(r"[\s\-_]+", "_", text.strip(UNSEEN).lower()).strip("_")


class TableRefused(UsageError):
    """A table that can't be read for certain; `problems` are one line each."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        """`name` is the file's."""
        self.problems = list(problems)
        super().__init__("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))


class NoTable(TableRefused):
    """A file that is no table at all: one problem, on one line."""

    def __init__(self, name: str, why: str) -> None:
        """`name` is the file's."""
        super().__init__(name, [why])
        self.args = (f"{name}: {why}",)


@dataclass(frozen=True)
class GivenTable:
    """A table as it was given: a row of `frame` for each row that holds anything.

    `frame` has the column LINE, then the columns by their headings: texts without outer blanks (null: an empty cell);
    of a Parquet file its own types. `numbers` are the cells that an .xlsx holds as numbers (Float64, else null), in
    columns of the same names and in the same order of rows.
    """

    name: str
    kind: TableKind
    frame: pl.DataFrame
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)
    notes: tuple[str, ...] = ()  # what there is to say to whoever gave it
    heading_line: int = 1
    nameless: tuple[int, ...] = ()  # columns that hold something below no heading, by their number from 1 on
    guessed_from: int | None = None  # the first line that is not UTF-8: letters of names may be wrong then

    @property
    def word(self) -> str:
        """What a place in it is called."""
        return "line" if self.kind == "csv" else "row"

    @property
    def columns(self) -> list[str]:
        """The headings, in their order."""
        return [column for column in self.frame.columns if column != LINE]

    @property
    def places(self) -> Places:
        """Where each row stands."""
        return Places(self.frame[LINE], self.word)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its line: the texts by heading; "" is an empty cell. Of every kind of file."""
        texts = self.frame.with_columns(pl.col(self.columns).cast(pl.String).fill_null(""))
        for line, *cells in texts.select(LINE, *self.columns).iter_rows():
            yield line, dict(zip(self.columns, cells, strict=True))

    def called(self, known: Collection[str]) -> "GivenTable":
        """The same with known names in place of headings that differ from them in case, blanks or hyphens alone.

        What was renamed is in the notes. Parquet files are written by programs: their names stay.
        """
        if self.kind == "parquet":
            return self
        by_plain = {plain_heading(name): name for name in known}
        renamed = {
            column: by_plain[plain]
            for column in self.columns
            if column not in known and (plain := plain_heading(column)) in by_plain
        }
        targets = [renamed.get(column, column) for column in self.columns]
        if twice := sorted({name for name in renamed.values() if targets.count(name) > 1}):
            named = [column for column in self.columns if renamed.get(column, column) == twice[0]]
            raise self.refused([f"columns {' and '.join(map(repr, named))} are both {twice[0]}: leave one out"])
        if not renamed:
            return self
        told = ", ".join(f"{column!r} as {name}" for column, name in renamed.items())
        inside = {column: name for column, name in renamed.items() if column in self.numbers.columns}
        return replace(
            self,
            frame=self.frame.rename(renamed),
            numbers=self.numbers.rename(inside),
            notes=(*self.notes, f"{self.name}: read {told}"),
        )

    def refused(self, problems: Sequence[str]) -> "TableRefused":
        """The error that lists them under the file's name."""
        return TableRefused(self.name, problems)


@dataclass(frozen=True)
class ReadColumns:
    """The columns that were asked for, what is wrong with them, and what there is to say of them."""

    frame: pl.DataFrame
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def numbers_in(table: GivenTable, units: Mapping[str, str]) -> ReadColumns:
    """Columns of a table as numbers: Float64, null where a cell is empty or says that nothing is known.

    `units` gives each column's unit (core/catalogue.py; written_numbers.MONEY for amounts): only a share takes a per
    cent sign. Rows as in `table.frame`. Problems are lines with column, place and what to write; they are not raised.
    """
    columns, problems = [], []
    notes: list[str] = []
    for name, unit in units.items():
        found = _number_column(table, name, unit)
        notes += _perhaps_shares(table, name, unit, found.values)
        columns.append(found.values.alias(name))
        problems += [f"{name}: {problem}" for problem in found.problems]
        notes += [f"{table.name}: {name}: {note}" for note in found.notes]
    return ReadColumns(pl.DataFrame(columns), tuple(problems), tuple(notes))


def _perhaps_shares(table: GivenTable, name: str, unit: str, values: pl.Series) -> Iterator[str]:
    """Said where numbers in per cent are all so small that 0.81 may be meant for 81 %."""
    known = values.drop_nulls()
    if unit != written_numbers.SHARE or not ((known > 0) & (known < 1)).any() or not known.is_between(0, 1).all():
        return
    if table.frame[name].dtype != pl.String or not table.frame[name].str.contains("%", literal=True).any():
        most = f"{float(known.filter(known < 1).sort()[-1]):g}"
        told = f"no value is above 1, so {most} is read as {most} %"
        yield f"{table.name}: {name}: {told}; write 81.2 or 81.2% for 81.2 %"


def _number_column(table: GivenTable, name: str, unit: str) -> WrittenNumbers:
    column = table.frame[name]
    if column.dtype == pl.String:
        typed = table.numbers[name] if name in table.numbers.columns else None
        return written_numbers.numbers(column, table.places, unit, typed)
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        nothing = pl.Series(name, [None] * len(column), dtype=pl.Float64)
        return WrittenNumbers(nothing, (f"{column.dtype} is no kind of number",))
    values = column.cast(pl.Float64)
    wrong = ~values.is_finite().fill_null(value=True)
    told = f"{written_numbers.NO_NUMBER} in {table.places.named(wrong)}"
    return WrittenNumbers(values, (told,) if wrong.any() else ())


def texts_in(table: GivenTable, columns: Sequence[str]) -> ReadColumns:
    """Columns of a table as texts without outer blanks: null where a cell is empty or #N/A.

    Other errors of a spreadsheet are problems, as are numbers that it shortened in the first column, the key.
    """
    text = pl.col(columns).cast(pl.String).str.strip_chars(UNSEEN).replace("", None)
    found = table.frame.select(columns).with_columns(text)
    if table.kind == "parquet":
        return ReadColumns(found)
    problems = []
    for name in columns:
        problems += [f"{name}: {each}" for each in written_numbers.errors(found[name], table.places)]
    harmed = found[columns[0]].str.contains(SHORTENED).fill_null(value=False)
    if harmed.any():
        where = f"{found[columns[0]].filter(harmed)[0]!r} in {table.places.named(harmed)}"
        problems.append(f"{columns[0]}: {where} is what a spreadsheet made of a long number; make the column text")
    known = pl.when(~text.str.contains(written_numbers.UNKNOWN_ERROR)).then(text)
    return ReadColumns(found.with_columns(known), tuple(problems))


# --- reading ---------------------------------------------------------------------------------------------------


def read(data: bytes, name: str, needed: Sequence[str] = ("account_id",)) -> GivenTable:
    """The table in a file's bytes; `needed` are columns that it can't do without, the key of its rows first.

    The heading is the first row that has them all, whatever their case and blanks; `called` gives them their names.
    A UsageError where it is no such table, or where a heading is given twice.
    """
    kind = kind_of(name)
    reader = {"csv": _of_csv, "xlsx": _of_xlsx, "parquet": _of_parquet}[kind]
    return reader(data, name, needed)


def refuse_without(table: GivenTable, needed: Sequence[str]) -> None:
    """A UsageError where a needed column isn't there, with the nearest that is."""
    missing = [column for column in needed if column not in table.columns]
    if missing and not any(table.columns):
        raise table.refused(["the file is empty"])
    hints = [nearest(column, table.columns).replace("did you mean", "is it") for column in missing]
    if missing:
        told = [f"there is no column {each}{hint}" for each, hint in zip(missing, hints, strict=True)]
        raise table.refused([*told, _headings(table)])


def _headings(table: GivenTable) -> str:
    """What was taken for the heading, for whoever has to see what is wrong with it."""
    if len(table.columns) == 1 and table.kind == "csv":
        return f"{table.word} {table.heading_line} has one cell: commas, semicolons or tabs separate cells"
    shown = ", ".join(map(repr, table.columns[:SHOWN]))
    more = f" and {len(table.columns) - SHOWN} more" if len(table.columns) > SHOWN else ""
    where = "" if table.kind == "parquet" else f", in {table.word} {table.heading_line},"
    return f"its headings{where} are {shown}{more}: give the column that is meant this name"


def _of_parquet(data: bytes, name: str, _needed: Sequence[str]) -> GivenTable:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError):
        raise NoTable(name, "this is no Parquet file") from None
    filled = frame.with_row_index(LINE, offset=1).filter(~pl.all_horizontal(pl.all().exclude(LINE).is_null()))
    return GivenTable(name, "parquet", filled)


def _of_csv(data: bytes, name: str, needed: Sequence[str]) -> GivenTable:
    try:
        found = csv_text.read_csv(data, _heading_of(needed))
    except csv_text.NoCsv as error:
        raise NoTable(name, str(error)) from None
    texts = meant_texts(unwrapped(found.rows)).with_columns(pl.all().str.strip_chars().replace("", None))
    frame = texts.insert_column(0, found.lines.alias(LINE))
    notes = [_above(name, "line", found.above, found.heading_line)] if found.above else []
    if found.guessed is not None:
        notes.append(
            f"{name}: line {found.guessed} is not UTF-8; the file is read as Windows-1252. If letters are wrong, save "
            "it as CSV UTF-8"
        )
    table = GivenTable(
        name, "csv", frame, notes=tuple(notes), heading_line=found.heading_line, guessed_from=found.guessed
    )
    return _tidied(table, found.heading, needed)


def _of_xlsx(data: bytes, name: str, needed: Sequence[str]) -> GivenTable:
    from accountpulse.core import xlsx_sheet
    from accountpulse.core.xlsx_cells import NoWorkbook

    try:
        found = xlsx_sheet.read_xlsx(data, _heading_of(needed))
    except NoWorkbook as error:
        raise NoTable(name, str(error)) from None
    notes = [*([_above(name, "row", found.above, found.heading_row)] if found.above else [])]
    notes += [f"{name}: {note}" for note in found.notes]
    frame = found.texts.insert_column(0, found.rows.alias(LINE))
    table = GivenTable(name, "xlsx", frame, found.numbers, tuple(notes), heading_line=found.heading_row)
    return _tidied(table, found.heading, needed)


def _heading_of(needed: Sequence[str]) -> csv_text.IsHeading:
    wanted = {plain_heading(column) for column in needed}
    return lambda row: wanted <= {plain_heading(cell) for cell in row}


def _above(name: str, word: str, above: Sequence[tuple[int, str]], heading: int) -> str:
    first, text = above[0]
    more = f" and {len(above) - 1} more" if len(above) > 1 else ""
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    return f"{name}: the heading is {word} {heading}; {word} {first} above it ({shown}){more} is not read"


# --- writing ---------------------------------------------------------------------------------------------------


def write(frame: pl.DataFrame, name: str, look: TableLook | None = None) -> bytes:
    """The table as a file of the name's kind, UTF-8. Null is an empty cell, lists are joined by `; `.

    No cell is one that a spreadsheet would run. `look` is for people: .csv has numbers rounded by it, .xlsx shows them
    so and keeps their digits, .parquet has every type and digit as it is. What is written without one is read back the
    same by `read`, texts without their outer blanks.
    """
    target = io.BytesIO()
    kind = kind_of(name)
    if kind == "parquet":
        frame.write_parquet(target)
        return target.getvalue()
    lists = [column for column, dtype in frame.schema.items() if dtype == pl.List]
    shown = frame.with_columns(pl.col(column).list.join("; ").replace("", None) for column in lists)
    if kind == "xlsx":
        return xlsx_writing.xlsx(shown, name, look or TableLook())
    decimals = {} if look is None else look.decimals
    rounded = shown.with_columns(
        pl.col(column).round(decimals[column]) for column in shown.columns if column in decimals
    )
    harmless(written_numbers.unmistakable(rounded)).write_csv(target)
    return target.getvalue()


# --- what is no row of the table -------------------------------------------------------------------------------


def _tidied(table: GivenTable, heading: Sequence[str], needed: Sequence[str]) -> GivenTable:
    """The same with headings for names, without blank rows and columns, and without a total row at its end."""
    table = _named(table, heading)
    table = _kept(table, table.frame.select(~pl.all_horizontal(pl.col(table.columns).is_null())).to_series())
    keys = [column for column in table.columns if plain_heading(column) == plain_heading(needed[0])]
    if not keys:
        return table
    table = _without_headings(table, keys[0])
    if table.frame.is_empty():
        return table
    _refuse_footnotes(table, keys[0])
    _refuse_subtotals(table, keys[0])
    return _told_of_likely_totals(_without_totals(table, keys[0]), keys[0])


def _named(table: GivenTable, heading: Sequence[str]) -> GivenTable:
    """The columns by their headings. One without a heading is left out, and told where it holds anything."""
    twice = [column for column in dict.fromkeys(heading) if column and heading.count(column) > 1]
    if twice:
        raise table.refused([f"column {column!r} is given twice" for column in twice])
    names = {str(number): column for number, column in enumerate(heading) if column}
    nameless = tuple(
        number + 1
        for number, column in enumerate(heading)
        if not column and table.frame[str(number)].null_count() < table.frame.height
    )
    if table.kind == "csv":
        _refuse_decimals(table, heading, nameless)
    more = [f"{table.name}: column {number} has no heading; it is not read" for number in nameless]
    inside = {number: column for number, column in names.items() if number in table.numbers.columns}
    frame = table.frame.select(LINE, *names).rename(names)
    numbers = table.numbers.select(inside.keys()).rename(inside)
    return replace(table, frame=frame, numbers=numbers, nameless=nameless, notes=(*table.notes, *more))


def _refuse_decimals(table: GivenTable, heading: Sequence[str], nameless: Sequence[int]) -> None:
    """What follows a whole number and has no heading may be its decimals: of 12,5 that commas separate."""
    digits = pl.all().str.contains("^[+-]?[0-9]+$").fill_null(value=True).all()
    for column in nameless:
        if (
            column > 1
            and heading[column - 2]
            and all(
                table.frame.select(str(column - 2), str(column - 1)).drop_nulls(str(column - 1)).select(digits).row(0)
            )
        ):
            told = f"column {column} has no heading, and may hold decimals of {heading[column - 2]!r}"
            raise table.refused([f"{told}: put numbers such as 12,5 in quotes, or give it a heading"])


def _kept(table: GivenTable, mask: pl.Series) -> GivenTable:
    """The rows where the mask holds."""
    if mask.all():
        return table
    numbers = table.numbers.filter(mask) if table.numbers.width else table.numbers
    return replace(table, frame=table.frame.filter(mask), numbers=numbers)


def _without_headings(table: GivenTable, key: str) -> GivenTable:
    """Without the heading where it stands again, as at the top of a printed page; other headings are refused."""
    again = (pl.col(key).str.to_lowercase() == key.lower()).fill_null(value=False)
    mask = table.frame.select(again).to_series()
    if not mask.any():
        return table
    rows = table.frame.filter(mask)
    where = _places(rows, table)
    same = pl.all_horizontal((pl.col(column) == column).fill_null(value=False) for column in table.columns)
    if not rows.select(same.all()).item():
        raise table.refused([f"{where}: headings again, and others than above; give each table as a file of its own"])
    kept = _kept(table, ~mask)
    return replace(kept, notes=(*kept.notes, f"{table.name}: {where}: the heading again; it is not read"))


def _told_of_likely_totals(table: GivenTable, key: str) -> GivenTable:
    """Refused where the last row seems to sum up the others, as `Total (4 accounts)`; said where another one does."""
    likely = table.frame.select(pl.col(key).str.contains(LIKE_TOTAL).fill_null(value=False)).to_series()
    if not likely.any():
        return table
    told = f"({table.frame[key].filter(likely)[-1]!r})"
    if likely[-1]:
        way_out = "delete it if it sums up the others, move it up if it is an account"
        raise table.refused([f"{_places(table.frame.tail(1), table)} {told}: {way_out}"])
    where = _places(table.frame.filter(likely), table)
    return replace(table, notes=(*table.notes, f"{table.name}: {where} {told}: read as an account; delete a total"))


def _refuse_subtotals(table: GivenTable, key: str) -> None:
    subtotals = table.frame.filter(pl.col(key).str.contains(SUBTOTAL))
    if not subtotals.is_empty():
        told = f"{_places(subtotals, table)} ({subtotals[key][0]!r})"
        raise table.refused([f"{told}: a subtotal; delete it, else it would be an account"])


def _without_totals(table: GivenTable, key: str) -> GivenTable:
    """Without the rows at the end that sum up the others. Such a row elsewhere may be meant: it is refused."""
    called = pl.col(key).str.to_lowercase().str.strip_chars(AROUND).is_in(TOTALS).fill_null(value=False)
    few = table.frame.with_row_index("at").filter(pl.col(key).is_null() | called)
    sums = few.filter(pl.any_horizontal(pl.col(table.columns).str.to_lowercase().str.strip_chars(AROUND).is_in(TOTALS)))
    at, count = set(sums["at"]), table.frame.height
    at_end = {row for row in at if at >= set(range(row, count))}
    if at_end < at:
        where = _places(sums.filter(~pl.col("at").is_in(at_end)), table)
        raise table.refused([f"{where}: a total in the midst of the table; delete it, else it would be an account"])
    if not at:
        return table
    kept = _kept(table, ~pl.Series(range(count)).is_in(at_end))
    return replace(
        kept, notes=(*kept.notes, f"{table.name}: {_places(sums, table)} sums up the others; it is not read")
    )


def _refuse_footnotes(table: GivenTable, key: str) -> None:
    """A sentence below the table, or a word after a gap, which would be an account of which nothing is known."""
    last = table.frame.tail(1)
    rest = [column for column in table.columns if column != key]
    if not rest or not last.select(pl.all_horizontal(pl.col(rest).is_null())).item():
        return
    told = f"{_places(last, table)} holds nothing but {last[key].item()!r}; delete it if it is a note"
    if " " in (last[key].item() or ""):
        raise table.refused([told])
    lines = table.frame[LINE].tail(2).to_list()
    if table.kind == "xlsx" and len(lines) == 2 and lines[1] - lines[0] > 1:
        raise table.refused([f"{told}, or the blank rows above it if it is an account"])


def _places(rows: pl.DataFrame, table: GivenTable) -> str:
    return Places(rows[LINE], table.word).named(pl.Series([True] * rows.height))

"""A CSV file's bytes as a table of texts: its encoding, what stands between its cells, and where its heading is."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

SEPARATORS = ",;\t"
HEAD = 64 * 1024  # characters in which the heading is looked for
MOST_ABOVE = 25  # rows among which the heading is looked for
_NAMES_SEPARATOR = re.compile("sep=.?")  # the line by which spreadsheets are told what separates cells
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

IsHeading = Callable[[Sequence[str]], bool]


class NoCsv(Exception):
    """Not a CSV file that can be read; the text says why, with the line, and what to do."""


@dataclass(frozen=True)
class CsvTexts:
    """The heading, and each row below it as texts, with the line that it begins on."""

    heading: tuple[str, ...]
    heading_line: int
    above: tuple[tuple[int, str], ...]  # lines above the heading, and their texts
    rows: pl.DataFrame  # "0", "1", …: as they stand there
    lines: pl.Series
    guessed: int | None = None  # the first line that is not UTF-8: the file was read as Windows-1252


def read_csv(data: bytes, is_heading: IsHeading) -> CsvTexts:
    """The table; its heading is the first row that `is_heading` says yes to, else the one with the most texts."""
    data, guessed = _as_utf8(data)
    head = data[:HEAD].decode("utf-8", errors="ignore")
    separator, above, heading_line, heading, start = _find_heading(head, is_heading)
    rows = _rows(_from_line(data, start), separator, heading, start)
    lines = rows.select(_lines(rows.columns, start)).to_series()
    return CsvTexts(tuple(heading), heading_line, above, rows, lines, guessed)


def _as_utf8(data: bytes) -> tuple[bytes, int | None]:
    """The same in UTF-8 without a byte-order mark, and the first line that wasn't, where none said the encoding."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise NoCsv("it is an office program's file and no CSV: give an .xlsx file its ending, or save it as CSV UTF-8")
    encoding = "utf-8"
    for mark, name in _BOMS:
        if data.startswith(mark):
            data, encoding = data.removeprefix(mark), name
            break
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeDecodeError:
            raise NoCsv("it begins as UTF-16 and isn't: save the table as CSV UTF-8") from None
    guessed = None
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            guessed = data[: error.start].count(b"\n") + 1
            data = _of_windows(data, guessed)
    if b"\0" in data[:HEAD]:
        raise NoCsv("it holds bytes that no text has: save the table as CSV UTF-8")
    return (data.replace(b"\r", b"\n") if b"\r" in data[:HEAD] and b"\n" not in data else data), guessed


def _of_windows(data: bytes, line: int) -> bytes:
    try:
        return data.decode("cp1252").encode()
    except UnicodeDecodeError:
        raise NoCsv(f"line {line} is not UTF-8: save the table as CSV UTF-8") from None


def _find_heading(head: str, is_heading: IsHeading) -> tuple[str, tuple[tuple[int, str], ...], int, list[str], int]:
    """What separates cells, the lines above the heading, the heading's line and cells, and the line after it."""
    if not head.strip():
        raise NoCsv("the file is empty")
    widest: tuple[str, int, list[str], int] = (",", 1, [], 2)  # the first row with the most texts
    for separator in SEPARATORS:
        above: list[tuple[int, str]] = []
        for line, after, row in _head_rows(head, separator):
            if is_heading(row):
                return separator, tuple(above), line, row, after
            if not any(row) or _NAMES_SEPARATOR.fullmatch(row[0]):
                continue
            if filled(row) > filled(widest[2]):
                widest = (separator, line, row, after)
            above.append((line, " ".join(cell for cell in row if cell)))
    separator, line, row, after = widest
    return separator, (), line, row, after


def filled(row: Sequence[str]) -> int:
    """How many of its cells hold anything."""
    return sum(map(bool, row))


def _head_rows(head: str, separator: str) -> Iterator[tuple[int, int, list[str]]]:
    """The first rows: the line that each begins on, the line after it, and its cells."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    begins = 1
    try:
        for count, row in enumerate(reader):
            if count == MOST_ABOVE:
                return
            yield begins, reader.line_num + 1, [cell.strip() for cell in row]
            begins = reader.line_num + 1
    except csv.Error:  # a cell longer than the csv module takes
        return


def _from_line(data: bytes, line: int) -> bytes:
    at = 0
    for _ in range(line - 1):
        found = data.find(b"\n", at)
        if found < 0:
            return b""
        at = found + 1
    return data[at:]


def _rows(data: bytes, separator: str, heading: Sequence[str], start: int) -> pl.DataFrame:
    names = [str(number) for number in range(len(heading))]
    table = f"{separator.join(names)}\n".encode() + data  # so that shorter rows are filled up
    try:
        rows = pl.read_csv(table, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:
        _check_rows(data, separator, len(heading), start)
        try:  # cells without anything in them may go beyond the heading
            return pl.read_csv(table, separator=separator, infer_schema=False, truncate_ragged_lines=True)
        except pl.exceptions.PolarsError as error:
            raise NoCsv(f"not a table that can be read ({str(error).splitlines()[0]})") from None
    if rows.select(pl.any_horizontal(pl.all().str.contains("\n", literal=True).any())).item():
        _check_rows(data, separator, len(heading), start)  # a quote too many could hide whole rows in a cell
    return rows


def _check_rows(data: bytes, separator: str, width: int, start: int) -> None:
    """A NoCsv with the first line that has more filled cells than the heading, or quotes that don't fit."""
    reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=separator, strict=True)
    begins = start
    try:
        for row in reader:
            if any(cell.strip() for cell in row[width:]):
                told = f"line {begins} has {len(row)} cells, the heading {width}"
                raise NoCsv(f"{told}; a comma inside a value needs quotes" if separator == "," else told)
            begins = start + reader.line_num
    except csv.Error as error:
        raise NoCsv(f"line {begins}: not a CSV row ({error}); is a quote missing, or one too many?") from None


def _lines(columns: Sequence[str], start: int) -> pl.Expr:
    """The line that a row begins on: a quoted cell may go over several."""
    breaks = pl.sum_horizontal(pl.col(column).str.count_matches("\n").fill_null(0) for column in columns)
    return (pl.int_range(start, pl.len() + start) + breaks.cum_sum() - breaks).alias("line")

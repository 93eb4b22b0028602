"""The cells of an .xlsx file (ECMA-376, Office Open XML), row by row, with what a value alone doesn't tell.

Readers that hand over values alone say 0.812 of a cell that shows 81.2 %, and null of #REF! and of a formula that was
never worked out. So the sheets are read here as they lie in the file: each cell's kind, its number format, hidden rows
and merged cells.
"""

import io
import math
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from typing import IO, Any, NamedTuple, cast
from xml.etree.ElementTree import ParseError, XMLPullParser

from accountpulse.core.written_numbers import CURRENCY, NO_RESULT

MIB = 1 << 20
MOST_UNPACKED = 256 * MIB  # of all parts together; a sheet of 100,000 accounts with 40 columns unpacks to 120 MiB
CHUNK = MIB
MOST_BETWEEN = 200_000  # elements in a row, a text or the list of formats; a row has 16,384 cells at most
_EXACT = 10**15  # a spreadsheet holds 15 digits; of a longer whole number the last ones are lost
# of the built-in number formats (ECMA-376 part 1, 18.8.30) those that show a share, and those that show a date or time
_PERCENT_IDS = frozenset({9, 10})
_DATE_IDS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DATE_CODE = re.compile(r"[dmyhs]|AM/PM", re.IGNORECASE)
# parts of files that are no .xlsx, whatever they are called
_OTHERS = {"xl/workbook.bin": "it is an .xlsb file", "index/document.iwa": "it is a file of Numbers",
           "content.xml": "it is an OpenDocument file (.ods)"}  # fmt: skip
_UNSAID = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE
)  # of a format code: texts, colours


_YES = ("1", "true")
# as Polars strips texts; Python's own strip takes four control characters more
_BLANK = "".join(blank for blank in map(chr, range(0x3001)) if blank.isspace() and not "\x1c" <= blank <= "\x1f")


class NoWorkbook(Exception):
    """Not an .xlsx file that can be read; the text says why, and what to do."""


class SheetCell(NamedTuple):
    """What a cell holds: as text, and as a number where it is one (a share in percent: 81.2 of `81.2%`)."""

    text: str
    number: float | None = None


class SheetRow(NamedTuple):
    """One row that holds something: its number from 1 on, its cells by column from 0 on."""

    number: int
    cells: dict[int, SheetCell]
    is_hidden: bool


@dataclass(frozen=True)
class NumberFormat:
    """How a cell shows its number."""

    is_share: bool = False
    is_date: bool = False
    currency: str = ""
    digits: int = 0  # zeros are put before a shorter number: 0007


class Workbook:
    """The sheets of an .xlsx file; a NoWorkbook where it is none, is encrypted, or unpacks to more than it may."""

    def __init__(self, data: bytes, most: int = MOST_UNPACKED) -> None:
        """`most` bytes may all its parts unpack to together."""
        if not data:
            raise NoWorkbook("the file is empty")
        if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise NoWorkbook(
                "it has a password: save it without one"
                if "EncryptedPackage".encode("utf-16-le") in data
                else "it is an .xls file, or another one of an old office program: save it as .xlsx"
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except zipfile.BadZipFile:
            raise NoWorkbook("it is no .xlsx file: save the table as .xlsx or as CSV UTF-8") from None
        self._parts = {part.lower(): part for part in self._zip.namelist()}
        if sum(part.file_size for part in self._zip.infolist()) > most:  # zipfile unpacks no more than it says
            raise NoWorkbook(f"it unpacks to more than {most // MIB:,} MiB: save the table as CSV UTF-8 or Parquet")
        self.merged: list[str] = []  # such as B4:B8
        self.hidden: list[range] = []  # columns, from 0 on
        self.sheets = self._sheets()

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet that hold anything.

        Once they have all been read, `merged` has its merged cells and `hidden` its hidden columns.
        """
        reading = _SheetReading(self)
        self.merged, self.hidden = [], []
        for element in self._elements(self.sheets[sheet], {"row", "col", "mergeCell"}):
            name = _local(element.tag)
            if name == "mergeCell":
                self.merged.append(element.get("ref", ""))
                continue
            if name == "col":
                if element.get("hidden") in _YES:
                    self.hidden.append(range(int(element.get("min", 1)) - 1, int(element.get("max", 0))))
                continue
            try:
                row = reading.row(element)
            except (ValueError, IndexError):  # a number that is none, a text that isn't there
                raise _damaged() from None
            if row is not None:
                yield row

    @cached_property
    def texts(self) -> list[str]:
        """The shared texts, which cells name by their number."""
        return [_text(each) for each in self._elements("xl/sharedStrings.xml", {"si"})]

    @cached_property
    def formats(self) -> list[NumberFormat]:
        """The number formats, which cells name by their number."""
        codes: dict[int, str] = {}
        found: list[NumberFormat] = []
        for element in self._elements("xl/styles.xml", {"numFmt", "cellXfs"}):
            if _local(element.tag) == "numFmt":
                codes[int(element.get("numFmtId", 0))] = element.get("formatCode", "")
            else:
                ids = [int(each.get("numFmtId", 0)) for each in element if _local(each.tag) == "xf"]
                found = [_format(number, codes.get(number)) for number in ids]
        return found

    @cached_property
    def is_unsolved(self) -> bool:
        """Whether formulas are to be worked out when it is opened: programs that can't do it write 0 until then."""
        return any(each.get("fullCalcOnLoad") in _YES for each in self._elements("xl/workbook.xml", {"calcPr"}))

    @cached_property
    def first_day(self) -> datetime:
        """Day 0 of the dates: of 1900's calendar, whose 29 February 1900 there never was, or of 1904's."""
        for element in self._elements("xl/workbook.xml", {"workbookPr"}):
            if element.get("date1904") in _YES:
                return datetime(1904, 1, 1)  # noqa: DTZ001
        return datetime(1899, 12, 30)  # noqa: DTZ001

    def _sheets(self) -> dict[str, str]:
        """Where each sheet that isn't hidden lies, in their order; all of them where all are hidden."""
        targets = {
            element.get("Id", ""): posixpath.normpath(posixpath.join("/xl", element.get("Target", ""))).lstrip("/")
            for element in self._elements("xl/_rels/workbook.xml.rels", {"Relationship"})
        }
        found: dict[str, str] = {}
        hidden: dict[str, str] = {}
        for element in self._elements("xl/workbook.xml", {"sheet"}):
            link = next((value for key, value in element.items() if key.endswith("}id")), "")
            if targets.get(link, "").startswith("xl/worksheets/"):
                chosen = found if element.get("state", "visible") == "visible" else hidden
                chosen[element.get("name", "")] = targets[link]
        if not (found or hidden):
            what = next((what for part, what in _OTHERS.items() if part in self._parts), "it has no sheet with cells")
            raise NoWorkbook(f"{what}: save the table as .xlsx or as CSV UTF-8")
        return found or hidden

    def _elements(self, part: str, wanted: set[str]) -> Iterator[Any]:
        """The elements of a part by their names, as they end; a part that isn't there has none."""
        name = self._parts.get(part.lower())
        if name is None:
            return
        try:
            with self._zip.open(name) as stream:
                yield from _elements_of(stream, wanted)
        except (ParseError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise _damaged() from None


def _elements_of(stream: IO[bytes], wanted: set[str]) -> Iterator[Any]:
    """The wanted elements as they end, each with what is in it; nothing of them is kept."""
    parser: XMLPullParser[Any] = XMLPullParser(("end",))
    since = 0  # elements since the last wanted one
    for chunk in _chunks(stream):
        parser.feed(chunk)
        for _, element in cast("Iterator[tuple[str, Any]]", parser.read_events()):
            since += 1
            if _local(element.tag) in wanted:
                yield element
                element.clear()
                since = 0
            elif since > MOST_BETWEEN:
                raise _damaged()


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The part's XML in pieces; refused where it has a document type, whose entities multiply."""
    last = b""
    while chunk := stream.read(CHUNK):
        both = last + chunk
        if b"<!DOCTYPE" in both or b"\0" in chunk:  # NUL: UTF-16, in which a document type could hide
            raise _damaged()
        last = chunk[-16:]
        yield chunk


class _SheetReading:
    """The cells of a sheet, whose rows and cells may leave out where they stand."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._number = 0

    def row(self, element: Any) -> SheetRow | None:
        """The row, or None where no cell holds anything."""
        self._number = int(element.get("r") or self._number + 1)
        cells: dict[int, SheetCell] = {}
        column = -1
        for each in element:
            if _local(each.tag) != "c":
                continue
            letters = each.get("r", "").rstrip("0123456789")
            column = _column(letters) if letters else column + 1
            if (cell := self._cell(each)) is not None:
                cells[column] = cell
        return SheetRow(self._number, cells, element.get("hidden") in _YES) if cells else None

    def _cell(self, element: Any) -> SheetCell | None:
        kind, value, has_formula = element.get("t", "n"), None, False
        for part in element:
            name = _local(part.tag)
            if name == "v":
                value = part.text
            elif name == "f":
                has_formula = True
            elif name == "is":
                value = _text(part)
        if value is None or (kind != "str" and not value.strip(_BLANK)):
            return SheetCell(NO_RESULT) if has_formula and kind != "str" else None
        if has_formula and kind == "n" and float(value) == 0 and self._book.is_unsolved:
            return SheetCell(NO_RESULT)
        if kind == "n":
            return self._number_cell(float(value), int(element.get("s", 0)))
        if kind == "s":
            value = self._book.texts[int(value)]
        elif kind == "b":
            value = "TRUE" if value in _YES else "FALSE"
        text = value.strip(_BLANK)
        return SheetCell(text) if text else None

    def _number_cell(self, value: float, style: int) -> SheetCell:
        if not math.isfinite(value):
            return SheetCell(_plain(value))
        formats = self._book.formats
        shown = formats[style] if style < len(formats) else NumberFormat()
        if shown.is_date:
            return SheetCell(self._date(value))
        if shown.is_share:
            percent = float(Decimal(repr(value)).scaleb(2))
            return SheetCell(f"{_plain(percent)}%", percent)
        text = _plain(value).zfill(shown.digits) if shown.digits and value >= 0 else _plain(value)
        return SheetCell(f"{text} {shown.currency}".rstrip(), value)

    def _date(self, days: float) -> str:
        try:
            found = self._book.first_day + timedelta(milliseconds=round(days * 86_400_000))
        except OverflowError:
            return f"{_plain(days)} (shown as a date)"
        if 0 <= days < 1:
            return found.time().isoformat()
        return found.date().isoformat() if found.time() == datetime.min.time() else found.isoformat(" ")


def _plain(value: float) -> str:
    """A number as text: whole ones without a point, as far as a spreadsheet knows every digit of them."""
    if value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else f"{value:.14E}"
    return repr(value)


def _format(number: int, code: str | None) -> NumberFormat:
    if code is None:
        return NumberFormat(number in _PERCENT_IDS, number in _DATE_IDS)
    said = _UNSAID.sub("", code.partition(";")[0])
    is_share = "%" in said
    digits = len(said) if re.fullmatch("0{2,}", said) else 0
    is_date = not is_share and "general" not in said.lower() and bool(_DATE_CODE.search(said))
    return NumberFormat(is_share, is_date, "" if is_share or is_date else _currency(code), digits)


def _currency(code: str) -> str:
    """What a format code puts beside a number as its currency: `€` of `#,##0 [$€-407]`, `$` of `$#,##0`."""
    positive = code.partition(";")[0]
    if named := re.search(r"\[\$([^\]-]+)", positive):
        return named[1].strip()
    quoted = (text.strip() for text in re.findall(r'"([^"]*)"', positive))
    bare = re.search(r"[$€£¥₹]", re.sub(r'"[^"]*"|\[[^\]]*\]', "", positive))
    return next((text for text in quoted if re.fullmatch(CURRENCY, text)), bare[0] if bare else "")


def _text(element: Any) -> str:
    """The text of a string item, without what is spoken over it (phonetic runs)."""
    parts = []
    for each in element:
        if _local(each.tag) == "t":
            parts.append(each.text or "")
        elif _local(each.tag) == "r":
            parts += [run.text or "" for run in each if _local(run.tag) == "t"]
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), "".join(parts))


@cache
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


@cache
def _local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def _damaged() -> NoWorkbook:
    return NoWorkbook("it is damaged, or has a password: open it in the office program and save it again")

"""Rows as Looker's `json` format sends them → columns, while they arrive: the whole text is never held.

A portfolio's daily users are some hundred megabytes of text and some ten of columns.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.spooled import SpooledTable

BATCH = 1 << 20  # bytes of text that are decoded at once
LONGEST = 16 * BATCH  # no row is as long: text that holds none by then is none of rows
ERROR = "looker_error"  # a row of this alone is the database's error, under a good status

Kind = Literal["key", "text", "day", "month", "count", "figure"]
Scalar = str | int | float | bool | None
Cell = Scalar | msgspec.UnsetType

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00(:00(\.0+)?)?( ?UTC|Z)?)?", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}.*", re.ASCII)
_MOST = 2**53  # of whole numbers that a float holds exactly

UNFIT: Mapping[Kind, str] = {
    "key": "is no id",
    "text": "is no text",
    "day": "is no day such as 2026-10-31; name its time frame `date`",
    "month": "is no month such as 2026-10; name its time frame `month`",
    "count": "is formatted text or no number; take the format off the measure in Looker",
    "figure": "is formatted text or no number; take the format off the measure in Looker",
}


class NotRows(Exception):
    """The answer is no list of plain rows, or holds an error instead; the text says what it is."""

    remedy = ""


class BrokenText(NotRows):
    """The answer is cut, or a page for people."""


class DatabaseRefused(NotRows):
    """The database behind Looker failed; Looker says so under a good status."""

    def __init__(self) -> None:
        """The error's own text may quote data."""
        super().__init__("the database refused the query")


class CutRows(NotRows):
    """As many rows came as a limit of Looker's lets through, and there may be more."""

    remedy = "Give our user download_without_limit, and take totals and table calculations out of a Look."

    def __init__(self, count: int) -> None:
        """`count` rows came."""
        super().__init__(f"{count:,} rows came, where a limit of Looker's cut them")


class ResultRows:
    """Takes an answer apart; afterwards `spool`, `lacking`, `unreadable`, `count` and `last` say what was in it.

    `spool`: the rows, columns by Looker's name, null where Looker has null and where a value is not of its kind.
    `lacking`: names that the rows don't have (their columns are null), `names`: those that they have then.
    `unreadable`: the accounts of values that are not of their kind, by name; `nested`: names with a table in a cell, as
    pivoted Looks have. `last`: the last row's cells, in the order of `wanted`.
    """

    def __init__(self, wanted: Mapping[str, Kind], batch: int = BATCH) -> None:
        """`wanted`: the columns to take, by Looker's name. `batch`: see BATCH."""
        self._batch = batch
        self.wanted = dict(wanted)
        self._places = [f"c{place}" for place in range(len(self.wanted))]
        fields = [
            (place, Any, msgspec.field(name=name, default=msgspec.UNSET))
            for place, name in zip(self._places, self.wanted, strict=True)
        ]
        error = ("error", Any, msgspec.field(name=ERROR, default=msgspec.UNSET))
        row: Any = msgspec.defstruct("Row", [*fields, error], gc=False)
        self._decoder: Any = msgspec.json.Decoder(list.__class_getitem__(row))
        self._text = bytearray()
        self._begun = False
        self._barren = 0  # bytes since the last row, blanks included
        self.spool = SpooledTable({name: _DTYPE[kind] for name, kind in self.wanted.items()})
        self.lacking: set[str] = set()
        self.unreadable: dict[str, set[str]] = {}
        self.nested: set[str] = set()
        self._readable: set[str] = set()
        self._misnamed: set[str] = set()
        self._forms: dict[str, set[bool]] = {}  # whether ids are numbers, by name
        self.names: frozenset[str] = frozenset()
        self.count = 0
        self.last: tuple[Cell, ...] = ()

    @property
    def unfit(self) -> set[str]:
        """Names that are of another kind altogether: no value can be read, or some show that the others mislead."""
        return self._misnamed | {name for name in self.unreadable if name not in self._readable}

    def feed(self, text: bytes) -> None:
        """Take the next piece of the answer; what can't be read yet waits for the next one."""
        self._text += text
        self._barren += len(text)
        if len(self._text) >= self._batch:
            self._take()

    def close(self) -> None:
        """The answer is at its end."""
        self._take()
        rest = bytes(self._text).strip()
        if not self._begun:
            raise _other(rest)
        if rest != b"]":
            raise BrokenText("it breaks off, or is not JSON")
        self._text.clear()

    def _take(self) -> None:
        """Decode the rows that are whole."""
        self._text = self._text.lstrip()
        if not self._begun and self._text.startswith(b"["):
            self._begun = True
            del self._text[:1]
        elif self._begun and self._text.startswith(b","):
            del self._text[:1]
        if self._begun:
            rows, end = self._whole_rows()
            if rows:
                self._keep(rows)
                self._barren = 0
                if self.lacking and not self.names:
                    self.names = frozenset(msgspec.json.decode(b"[" + self._text[:end] + b"]")[0])
                del self._text[:end]
        if max(len(self._text), self._barren) > LONGEST:
            raise NotRows("it is not a list of rows")

    def _whole_rows(self) -> tuple[list[Any], int]:
        """The rows before the last brace that ends one, and where that is.

        Only the end of a row makes valid JSON of what lies before it: inside a text or an object something is left
        open. So of the last few braces the first that decodes is right.
        """
        end = len(self._text)
        for _ in range(8):
            end = self._text.rfind(b"}", 0, end)
            if end < 0:
                break
            try:
                return self._decoder.decode(b"[" + self._text[: end + 1] + b"]"), end + 1
            except msgspec.ValidationError:
                raise NotRows("its rows have other things than plain values") from None
            except msgspec.DecodeError:
                continue
            except RecursionError:
                raise NotRows("it is nested too deeply") from None
        return [], 0

    def _keep(self, rows: Sequence[Any]) -> None:
        if list(map(attrgetter("error"), rows)).count(msgspec.UNSET) < len(rows):
            raise DatabaseRefused
        if not self.count:
            self.lacking = {
                name
                for name, place in zip(self.wanted, self._places, strict=True)
                if getattr(rows[0], place) is msgspec.UNSET
            }
        cells = {
            name: list(map(attrgetter(place), rows)) for name, place in zip(self.wanted, self._places, strict=True)
        }
        columns = (
            pl.Series(name, [None] * len(rows), dtype=_DTYPE[kind])
            if name in self.lacking
            else self._column(name, kind, cells)
            for name, kind in self.wanted.items()
        )
        self.spool.add(pl.DataFrame(list(columns)))
        self.count += len(rows)
        self.last = tuple(getattr(rows[-1], place) for place in self._places)

    def _column(self, name: str, kind: Kind, cells: Mapping[str, list[Cell]]) -> pl.Series:
        if msgspec.UNSET in cells[name]:
            raise NotRows("its rows have different columns")
        try:
            read = self._ids(name, cells[name]) if kind == "key" else _series(name, kind, cells[name])
        except (ValueError, OverflowError, TypeError):
            read = self._one_by_one(name, kind, cells)
        if read.null_count() < read.len():
            self._readable.add(name)
        return read

    def _ids(self, name: str, cells: list[Cell]) -> pl.Series:
        """Ids as text, or as numbers; no database writes one column in both ways: then one of them is wrong."""
        are_numbers = False
        try:
            read = pl.Series(name, cells, dtype=pl.String, strict=True)
        except TypeError:
            read, are_numbers = _series(name, "key", cells), True
            if any(isinstance(cell, str) for cell in cells):
                self._misnamed.add(name)
        if read.null_count() < read.len():
            forms = self._forms.setdefault(name, set())
            forms.add(are_numbers)
            if len(forms) > 1:
                self._misnamed.add(name)
        return read

    def _one_by_one(self, name: str, kind: Kind, cells: Mapping[str, list[Cell]]) -> pl.Series:
        """A column in which some values are not of its kind: these are null, and their accounts are noted."""
        holders = (each for each, of in self.wanted.items() if of == "key" and each not in self.lacking)
        accounts = next((cells[each] for each in holders), [])
        values: list[Any] = []
        for place, cell in enumerate(cells[name]):
            try:
                values.append(_within_int64(_READ[kind](cell)))
            except (ValueError, OverflowError, TypeError):
                values.append(None)
                self._cannot_read(name, kind, cell, accounts[place] if accounts else None)
        return pl.Series(name, values, dtype=_DTYPE[kind], strict=True)

    def _cannot_read(self, name: str, kind: Kind, cell: Any, account: Any) -> None:
        if isinstance(cell, dict | list):
            if kind == "key":
                raise NotRows("its rows have other things than plain values")
            self.nested.add(name)
        if kind == "key" or (isinstance(cell, str) and kind in _FINER and _FINER[kind].fullmatch(cell)):
            self._misnamed.add(name)  # whose rows they are, or how many they are, is not known of the others either
        whose = self.unreadable.setdefault(name, set())
        if isinstance(account, str | int) and not isinstance(account, bool):
            whose.add(str(account))


def _series(name: str, kind: Kind, cells: list[Any]) -> pl.Series:
    """A column of values that are all of the kind; else a ValueError, OverflowError or TypeError."""
    is_plain = set(map(type, cells)) <= _PLAIN.get(kind, set())
    return pl.Series(name, cells if is_plain else list(map(_READ[kind], cells)), dtype=_DTYPE[kind], strict=True)


def _within_int64(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise OverflowError
    return value


def _other(text: bytes) -> NotRows:
    """What an answer is that should have been a list. `json_detail` and `json_bi` keep errors beside the rows."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return BrokenText("it is not JSON")
    except RecursionError:
        return NotRows("it is nested too deeply")
    if isinstance(found, dict) and any(found.get(name) for name in ("errors", "error", ERROR)):
        return DatabaseRefused()
    return NotRows("it is not a list of rows")


# --- one value each: null stays null, what is not of the kind is a ValueError -------------------------------------


def _key(cell: Scalar) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if type(cell) is float and cell.is_integer() and abs(cell) < _MOST:
        return str(int(cell))
    if type(cell) is int:
        return str(cell)
    raise ValueError


def _text(cell: Scalar) -> str | None:
    if cell is not None and not isinstance(cell, str | int | float):
        raise ValueError
    return None if cell is None else str(cell)


@lru_cache(maxsize=4096)
def _day(cell: Scalar) -> date | None:
    if cell is None:
        return None
    match = _MIDNIGHT.fullmatch(cell) if isinstance(cell, str) else None
    if match is None:
        raise ValueError
    return date.fromisoformat(match[1])


@lru_cache(maxsize=4096)
def _month(cell: Scalar) -> date | None:
    """Looker's time frame `month` is `2026-10`; the first day of one will do."""
    if isinstance(cell, str) and _MONTH.fullmatch(cell):
        return date.fromisoformat(f"{cell}-01")
    day = _day(cell)
    if day is not None and day.day != 1:
        raise ValueError
    return day


def _figure(cell: Scalar) -> float | None:
    """A number, also as plain text, as some databases give decimals."""
    if cell is None:
        return None
    if isinstance(cell, bool) or (isinstance(cell, str) and not _NUMBER.fullmatch(cell.strip())):
        raise ValueError
    number = float(cell)
    if number - number != 0:  # infinite: written so large
        raise ValueError
    return number


def _count(cell: Scalar) -> int | None:
    """A whole number, however it is written."""
    if type(cell) is int:
        return cell
    number = _figure(cell)
    if number is not None and number != int(number):
        raise ValueError
    return None if number is None else int(number)


_READ: Mapping[Kind, Callable[[Any], Any]] = {
    "key": _key, "text": _text, "day": _day, "month": _month, "count": _count, "figure": _figure,
}  # fmt: skip
# types of values that are of the kind as they are
_PLAIN: Mapping[Kind, set[type]] = {"text": {str, type(None)}, "count": {int, type(None)}}
# values of a finer time frame than the kind's: where there are any, those that look right are of that time frame, too
_FINER: Mapping[Kind, re.Pattern[str]] = {"day": _TIME, "month": _DATE}
_DTYPE: Mapping[Kind, Any] = {
    "key": pl.String, "text": pl.String, "day": pl.Date, "month": pl.Date, "count": pl.Int64, "figure": pl.Float64,
}  # fmt: skip

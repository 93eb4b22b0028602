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


class BrokenText(NotRows):
    """The answer is cut, or a page for people."""


class ResultRows:
    """Takes an answer apart; afterwards `spool`, `lacking`, `unfit`, `count` and `last` say what was in it.

    `spool`: the rows, columns by Looker's name, null where Looker has null. `lacking`: names that the rows don't have
    (their columns are null), `names`: those that they have then. `unfit`: names whose values are not of their kind
    (the column is null there). `last`: the last row's cells, in the order of `wanted`.
    """

    def __init__(self, wanted: Mapping[str, Kind], batch: int = BATCH) -> None:
        """`wanted`: the columns to take, by Looker's name. `batch`: see BATCH."""
        self._batch = batch
        self.wanted = dict(wanted)
        self._places = [f"c{place}" for place in range(len(self.wanted))]
        fields = [
            (place, Cell, msgspec.field(name=name, default=msgspec.UNSET))
            for place, name in zip(self._places, self.wanted, strict=True)
        ]
        error = ("error", Any, msgspec.field(name=ERROR, default=msgspec.UNSET))
        row: Any = msgspec.defstruct("Row", [*fields, error], gc=False)
        self._decoder: Any = msgspec.json.Decoder(list.__class_getitem__(row))
        self._text = bytearray()
        self._begun = False
        self.spool = SpooledTable({name: _DTYPE[kind] for name, kind in self.wanted.items()})
        self.lacking: set[str] = set()
        self.unfit: set[str] = set()
        self.names: frozenset[str] = frozenset()
        self.count = 0
        self.last: tuple[Cell, ...] = ()

    def feed(self, text: bytes) -> None:
        """Take the next piece of the answer; what can't be read yet waits for the next one."""
        self._text += text
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
                if self.lacking and not self.names:
                    self.names = frozenset(msgspec.json.decode(b"[" + self._text[:end] + b"]")[0])
                del self._text[:end]
        if len(self._text) > LONGEST:
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
        return [], 0

    def _keep(self, rows: Sequence[Any]) -> None:
        if any(row.error is not msgspec.UNSET for row in rows):
            raise NotRows("the database refused the query")
        if not self.count:
            self.lacking = {
                name
                for name, place in zip(self.wanted, self._places, strict=True)
                if getattr(rows[0], place) is msgspec.UNSET
            }
        columns = (
            pl.Series(name, [None] * len(rows), dtype=_DTYPE[kind])
            if name in self.lacking
            else self._column(name, kind, list(map(attrgetter(place), rows)))
            for (name, kind), place in zip(self.wanted.items(), self._places, strict=True)
        )
        self.spool.add(pl.DataFrame(list(columns)))
        self.count += len(rows)
        self.last = tuple(getattr(rows[-1], place) for place in self._places)

    def _column(self, name: str, kind: Kind, cells: list[Cell]) -> pl.Series:
        if msgspec.UNSET in cells:
            raise NotRows("its rows have different columns")
        try:
            return pl.Series(name, list(map(_READ[kind], cells)), dtype=_DTYPE[kind], strict=True)
        except (ValueError, OverflowError, TypeError):
            self.unfit.add(name)
            return pl.Series(name, [None] * len(cells), dtype=_DTYPE[kind])


def _other(text: bytes) -> NotRows:
    """What an answer is that should have been a list. `json_detail` and `json_bi` keep errors beside the rows."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return BrokenText("it is not JSON")
    if isinstance(found, dict) and any(found.get(name) for name in ("errors", "error", ERROR)):
        return NotRows("the database refused the query")
    return NotRows("it is not a list of rows")


# --- one value each: null stays null, what is not of the kind is a ValueError -------------------------------------


def _key(cell: Scalar) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if type(cell) is int:
        return str(cell)
    raise ValueError


def _text(cell: Scalar) -> str | None:
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
    if type(cell) is int:
        return cell
    number = _figure(cell)
    return None if number is None else round(number)


_READ: Mapping[Kind, Callable[[Any], Any]] = {
    "key": _key, "text": _text, "day": _day, "month": _month, "count": _count, "figure": _figure,
}  # fmt: skip
_DTYPE: Mapping[Kind, Any] = {
    "key": pl.String, "text": pl.String, "day": pl.Date, "month": pl.Date, "count": pl.Int64, "figure": pl.Float64,
}  # fmt: skip

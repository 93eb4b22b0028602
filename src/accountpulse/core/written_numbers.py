"""Numbers as people write them, from the texts of a whole column: `1,200`, `$120,000.50`, `81,2 %`, `(1.200)`, `n/a`.

A comma or a point may be the decimal mark or stand between thousands. The column as a whole says which: one `12,5`
makes `1.200` twelve hundred. Where nothing in it says so, the column is refused. Nothing is read in two ways, and what
can't be read for certain is a problem with its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

DecimalMark = Literal[".", ","]
MARKS: tuple[DecimalMark, DecimalMark] = (".", ",")
MONEY = ""  # the unit of amounts, whose currency nobody declares
SHARE = "percent"  # the unit whose values may have a per cent sign: 81.2 % is 81.2

# the blanks (also no-break, thin and narrow ones) and apostrophes that stand between thousands
_GAP = "[ \u00a0\u2009\u202f'\u2019]"
_BLANK = "[ \u00a0\u2009\u202f]*"
CURRENCY = r"(?:[$€£¥₹]|US\$|C\$|A\$|USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN|CZK|INR|kr\.?|zł|Kč|Fr\.)"
# other ways to write a currency; `$` alone is taken for the American one
_SAME = {"EUR": "€", "USD": "$", "US$": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "CAD": "C$", "AUD": "A$", "PLN": "zł",
         "CZK": "Kč", "Fr": "CHF", "Fr.": "CHF", "kr.": "kr"}  # fmt: skip
_MISSING = ("#n/a", "#nv", "#n/d", "#n/b", "n/a", "n.a.", "na", "k.a.", "k. a.", "null")
# they may mean zero as well: read as not known, and said
_PERHAPS_ZERO = ("-", "–", "—", "−", "none")
NO_RESULT = "(a formula without its result)"  # what the reader of .xlsx makes of one
# in English, German, French, Spanish, Italian and Dutch; #### is a number for which its column was too narrow
_ERROR_WORDS = (
    "NULL|DIV/0|VALUE|REF|NAME|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY|UNKNOWN|WERT|BEZUG|ZAHL|ÜBERLAUF|FELD|VALEUR|"
    "NOMBRE|NOM|NUL|¡DIV/0|¡VALOR|¡REF|¡NUM|¡NULO|¿NOMBRE|VALORE|RIF|NOME|WAARDE|VERW|NAAM|GETAL|DEEL/0|LEEG"
)
_ERROR_CODES = r"#GETTING_DATA|(?:Err|Fehler|Erreur|Errore):[0-9]{3}|#{3,}"
ERROR = rf"^(?:{re.escape(NO_RESULT)}|#(?:{_ERROR_WORDS})[!?]|{_ERROR_CODES})$"
UNKNOWN_ERROR = r"^#(N/A|NV|N/D|N/B)!?$"  # a look-up that found nothing: the one error that means `not known`

_AMBIGUOUS = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"
_SIGNED = _AMBIGUOUS.replace("^", "^[+-]?")
IS_ERROR, ERROR_REMEDY = "an error of the spreadsheet", "mend its formula, or empty the cell"
SAVE_AGAIN = "open the file in the office program, let it work out its formulas, and save it again"
WIDEN = "make its column wide enough in the office program, and save it again"
NO_NUMBER = "not a plain number such as 1234.5"
SHOWN = 5


def _decimal(mark: DecimalMark) -> str:
    """A number that only this decimal mark explains; or a thousand and more that only the other mark explains."""
    other = "," if mark == "." else "."
    head = "[1-9][0-9]{0,2}"  # of a grouped number
    groups = rf"{head}(?:\{other}[0-9]{{3}})+|{head}(?:{_GAP}[0-9]{{3}})+"
    fraction = rf"(?:[0-9]+|{groups})?\{mark}[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\{mark}"
    return rf"^(?:{fraction}|{head}(?:\{other}[0-9]{{3}}){{2,}})$"


def _whole(mark: DecimalMark) -> str:
    """Any number with this decimal mark."""
    other = "," if mark == "." else "."
    groups = "|".join(rf"[1-9][0-9]{{0,2}}(?:{gap}[0-9]{{3}})+" for gap in (rf"\{other}", _GAP))
    return rf"^(?:(?:[0-9]+|{groups})(?:\{mark}[0-9]*)?|\{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?$"


_DECIMAL = {mark: _decimal(mark) for mark in MARKS}
_WHOLE = {mark: _whole(mark) for mark in MARKS}


@dataclass(frozen=True)
class WrittenNumbers:
    """The values (Float64; null: not known), what is wrong with them, and what there is to say of their reading."""

    values: pl.Series
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """Where each row stands, and the word for such a place."""

    lines: pl.Series
    word: str

    def named(self, mask: pl.Series) -> str:
        """`line 4`, `lines 4, 7 and 12 more`: where the mask holds."""
        found = self.lines.filter(mask)
        shown = ", ".join(map(str, found.head(SHOWN).to_list()))
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        return f"{self.word if len(found) == 1 else self.word + 's'} {shown}{more}"


def numbers(texts: pl.Series, places: Places, unit: str, typed: pl.Series | None = None) -> WrittenNumbers:
    """The numbers of a column of texts.

    `unit` as in core/catalogue.py: only SHARE takes a per cent sign, only amounts (a unit that is not KNOWN there) a
    currency. `typed` are the cells that a spreadsheet holds as numbers: there is nothing to understand in them.
    """
    plain = _plain(texts, typed)
    if plain is not None:
        return WrittenNumbers(plain)
    return _NumberColumn(texts, places, unit, typed).read()


def errors(texts: pl.Series, places: Places) -> Iterator[str]:
    """A line for each kind of a spreadsheet's errors in a column, with what to do."""
    wrong = texts.filter(texts.str.contains(ERROR)).unique(maintain_order=True)
    kinds = pl.DataFrame({"text": wrong}).with_columns(
        pl.when(pl.col("text") == NO_RESULT)
        .then(pl.lit(SAVE_AGAIN))
        .when(pl.col("text").str.contains("^#+$"))
        .then(pl.lit(WIDEN))
        .otherwise(pl.lit(ERROR_REMEDY))
        .alias("remedy")
    )
    for (remedy,), found in kinds.group_by(["remedy"], maintain_order=True):
        where = places.named(texts.is_in(found["text"].implode()).fill_null(value=False))
        yield f"{IS_ERROR} in {where} ({found['text'][0]!r}): {remedy}"


def unmistakable(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with a 0 more in columns whose every number could be read in two ways: 1.234 becomes 1.2340."""
    found = []
    for name, kind in frame.schema.items():
        if kind.is_float() and not _is_clear(frame[name].drop_nulls().head(64).cast(pl.String)):
            texts = frame[name].cast(pl.String)
            if not _is_clear(texts):
                found.append(texts.str.replace(_SIGNED, "${0}0"))
    return frame.with_columns(found)


def _is_clear(texts: pl.Series, mark: DecimalMark = ".") -> bool:
    """Whether a number among those with this mark says that it is the decimal one."""
    return bool((texts.str.contains(mark, literal=True) & ~texts.str.contains(_SIGNED)).any())


def _plain(texts: pl.Series, typed: pl.Series | None) -> pl.Series | None:
    """The values of a column of plain numbers with one decimal mark and no other; else None, as where it is unclear.

    Only a short cut for large tables: the long way finds the same.
    """
    has_points = bool(texts.str.contains(".", literal=True).any())
    mark: DecimalMark = "." if has_points or not texts.str.contains(",", literal=True).any() else ","
    values = (texts if mark == "." else texts.str.replace(",", ".", literal=True)).cast(pl.Float64, strict=False)
    if typed is not None or (values.is_null() & texts.is_not_null()).any() or not values.is_finite().all():
        return None
    return values if _is_clear(texts, mark) or not texts.str.contains(_SIGNED).any() else None


def _says(body: pl.Series, mark: DecimalMark) -> pl.Series:
    return body.str.contains(_DECIMAL[mark]).fill_null(value=False) & ~_ambiguous(body)


def _ambiguous(body: pl.Series) -> pl.Series:
    return body.str.contains(_AMBIGUOUS).fill_null(value=False)


def _parts(texts: pl.Series) -> pl.DataFrame:
    """Each text taken apart: `body` (digits and marks), `negative`, `currency`, `percent`; a null body: not known."""
    text = pl.col("text").str.strip_chars()
    low = text.str.to_lowercase()
    frame = pl.DataFrame({"text": texts.cast(pl.String)})
    frame = frame.with_columns(
        text=pl.when(low.is_in([*_MISSING, *_PERHAPS_ZERO, ""]) | text.str.contains(UNKNOWN_ERROR))
        .then(None)
        .otherwise(text)
    )
    frame = frame.with_columns(
        brackets=pl.col("text").str.contains(r"^\(.*\)$"),
        inner=pl.col("text").str.replace(r"^\((.*)\)$", "$1").str.strip_chars(),
    )
    sign = rf"^([+\-−]?){_BLANK}({CURRENCY})?{_BLANK}([+\-−]?){_BLANK}(.*?){_BLANK}(%|{CURRENCY})?$"
    return (
        frame.with_columns(pl.col("inner").str.extract_groups(sign).alias("groups"))
        .with_columns(
            before=pl.col("groups").struct[1],
            first=pl.col("groups").struct[0].replace("", None),
            second=pl.col("groups").struct[2].replace("", None),
            after=pl.col("groups").struct[4],
            rest=pl.col("groups").struct[3],
        )
        .select(
            "text",
            # two signs, or a sign in brackets, are no number: such a text stays whole and is refused
            pl.when(_count("first", "second") + pl.col("brackets").cast(pl.Int8) > 1)
            .then("text")
            .when(pl.col("before").is_not_null() & pl.col("after").is_not_null())
            .then("text")
            .otherwise("rest")
            .alias("body"),
            negative=pl.col("brackets") | pl.coalesce("first", "second").is_in(["-", "−"]).fill_null(value=False),
            percent=(pl.col("after") == "%").fill_null(value=False),
            currency=pl.coalesce("before", pl.when(pl.col("after") != "%").then("after")),
        )
    )


def _count(*names: str) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int8) for name in names)


class _NumberColumn:
    """One column on its way from texts to numbers."""

    def __init__(self, texts: pl.Series, places: Places, unit: str, typed: pl.Series | None) -> None:
        self.texts, self.places, self.unit = texts, places, unit
        self.typed = typed if typed is not None else pl.Series([None], dtype=pl.Float64).new_from_index(0, len(texts))
        self.is_typed = self.typed.is_not_null()
        self.parts = _parts(texts.set(self.is_typed, None))
        self.body = self.parts["body"]
        self.typed_percent = self.is_typed & texts.str.ends_with("%").fill_null(value=False)

    def read(self) -> WrittenNumbers:
        mark, problems = self._mark()
        if mark is None:
            return WrittenNumbers(self.typed, tuple(problems))
        fits = self.body.str.contains(_WHOLE[mark]).fill_null(value=True)
        values = self._values(mark, fits)
        fits &= self.body.is_null() | values.is_finite().fill_null(value=False)  # 1e999
        problems += [*self._strange(~fits), *self._signs(), *self._currencies()]
        return WrittenNumbers(values, tuple(problems), tuple(self._perhaps_zeros()))

    def _mark(self) -> tuple[DecimalMark | None, list[str]]:
        """The decimal mark of the column, and what is wrong; None: it can't be known."""
        unclear = _ambiguous(self.body)
        says = {mark: _says(self.body, mark) | (unclear & self._is_amount_without(mark)) for mark in MARKS}
        proven = [mark for mark in MARKS if says[mark].any()]
        if len(proven) == 2:
            examples = " and ".join(f"{self._first(says[mark])!r} in {self._first_place(says[mark])}" for mark in MARKS)
            return None, [f"{examples} have different decimal marks: write all in one way, such as 1234.5"]
        if proven or not unclear.any():
            return (proven[0] if proven else "."), []
        body = str(self.body.filter(unclear)[0])
        ways = " or ".join(sorted((_number(body, mark) for mark in MARKS), key=len, reverse=True))
        where = f"{self._first(unclear)!r} in {self.places.named(unclear)}"
        told = f"{where} may mean {ways}, and no other number of the column says which"
        return None, [f"{told}: write it without marks between thousands"]

    def _is_amount_without(self, mark: DecimalMark) -> pl.Series:
        """Amounts of a currency that lack this mark: of money nobody writes three decimals, so $1,200 has thousands."""
        return self.parts["currency"].is_not_null() & ~self.body.str.contains(mark, literal=True)

    def _values(self, mark: DecimalMark, fits: pl.Series) -> pl.Series:
        other = "," if mark == "." else "."
        frame = pl.DataFrame({"body": self.body.set(~fits, None), "negative": self.parts["negative"]})
        bare = pl.col("body").str.replace_all(rf"{_GAP}|\{other}", "").str.replace(mark, ".", literal=True)
        value = bare.cast(pl.Float64, strict=False)
        found = frame.select(pl.when("negative").then(-value).otherwise(value).alias("value"))["value"]
        return self.typed.zip_with(self.is_typed, found).alias(self.texts.name)

    def _strange(self, wrong: pl.Series) -> Iterator[str]:
        yield from errors(self.texts.set(~wrong, None), self.places)
        other = wrong & ~self.texts.str.contains(ERROR).fill_null(value=False)
        if other.any():
            yield f"{NO_NUMBER} in {self.places.named(other)} ({self._first(other)!r})"

    def _signs(self) -> Iterator[str]:
        """Per cent signs where the unit is none, or at some values alone: 0.8 beside 81 % may be 80 %."""
        percent = self.parts["percent"] | self.typed_percent
        if not percent.any():
            return
        where = f"{self._first(percent)!r} in {self.places.named(percent)}"
        if self.unit != SHARE:
            yield f"{where} has a per cent sign, but {_unit_text(self.unit)}: write the number without it"
            return
        zero = (self.typed == 0).fill_null(value=False) | self.body.str.contains(r"^0+([.,]0+)?$").fill_null(
            value=False
        )
        bare = ~percent & ~zero & (self.is_typed | self.body.is_not_null())
        if bare.any():
            without = f"{self._first(bare)!r} in {self.places.named(bare)}"
            yield f"{where} has a per cent sign, {without} has none: give it to all or to none"

    def _currencies(self) -> Iterator[str]:
        from accountpulse.core.catalogue import KNOWN_UNITS

        # of a cell that holds a number the text is the number and what its format puts beside it
        shown = self.texts.set(~self.is_typed, None).str.extract(r"^\S+ (.+)$")
        given = self.parts["currency"].zip_with(~self.is_typed, shown).replace(_SAME)
        if given.null_count() == len(given):
            return
        there = given.is_not_null()
        if self.unit in KNOWN_UNITS:
            where = f"{self._first(there)!r} in {self.places.named(there)}"
            yield f"{where} is an amount of money, but {_unit_text(self.unit)}"
        kinds = given.drop_nulls().unique(maintain_order=True).to_list()
        if len(kinds) > 1:
            yield f"there are amounts in {kinds[0]} and in {kinds[1]}: give all in one currency"

    def _perhaps_zeros(self) -> Iterator[str]:
        low = self.texts.str.strip_chars().str.to_lowercase()
        found = low.is_in(_PERHAPS_ZERO).fill_null(value=False) & ~self.is_typed
        if found.any():
            where = f"{self._first(found)!r} in {self.places.named(found)}"
            yield f"{where} is read as not known; write 0 where zero is meant"

    def _first(self, mask: pl.Series) -> str:
        return str(self.texts.filter(mask)[0])

    def _first_place(self, mask: pl.Series) -> str:
        return f"{self.places.word} {self.places.lines.filter(mask)[0]}"


def _number(body: str, mark: DecimalMark) -> str:
    """An ambiguous body, as it is with this decimal mark: 1.200 is 1.2 or 1200."""
    other = "," if mark == "." else "."
    return f"{float(body.replace(other, '').replace(mark, '.')):g}" if mark in body else body.replace(other, "")


def _unit_text(unit: str) -> str:
    return f"the unit is {unit}" if unit else "it is no share"

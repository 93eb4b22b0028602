"""Outcomes in a table of one's own: `account_id, date, kind, arr_lost`, of any kind that core/tables.py reads.

Nothing is guessed: a day that can be read in two ways, a kind that is not known or a row without an account is an
error that names its line, since a row that is left out in silence would turn a customer who left into one who stayed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from accountpulse.core import tables, written_days
from accountpulse.core.nearest import nearest
from accountpulse.core.records import OUTCOMES
from accountpulse.core.tables import LINE, GivenTable
from accountpulse.core.written_numbers import MONEY, Places
from accountpulse.scoring.table import typed_day

KINDS = ("lost", "contraction", "renewed")
NEEDED = ("account_id", "date", "kind")
AMOUNT = "arr_lost"
ORIGIN = "table"
EARLIEST = date(1990, 1, 1)
SHOWN = 5  # accounts named in a note; the rest is counted


@dataclass(frozen=True)
class OutcomeTable:
    """`rows` as OUTCOMES, one an account, kind and day; `notes` say in words what was counted once or isn't known."""

    rows: pl.DataFrame
    notes: tuple[str, ...] = ()


def outcomes_in(
    given: GivenTable, today: date | None = None, ids: Callable[[str], str] = lambda key: key
) -> OutcomeTable:
    """The outcomes in a table: `account_id`, `date`, `kind` (lost, contraction, renewed), maybe `arr_lost`.

    Amounts as people write them, days as core/written_days.py reads them. `ids` gives an id its one form. Rows that are
    the same in account, kind and day count once; where their `arr_lost` differ, it is not known (null). `known_at` is
    null: a table doesn't say when it was known.

    A UsageError names everything that is wrong at once: columns, rows without an account, days, kinds and amounts
    that can't be read for certain, a table without any row, and where `today` is given days after it and before 1990.
    """
    given = given.called((*NEEDED, AMOUNT))
    _check_columns(given)
    texts = tables.texts_in(given, ["account_id", "kind"])
    amounts = tables.numbers_in(given, {AMOUNT: MONEY} if AMOUNT in given.columns else {})
    problems = [*texts.problems, *amounts.problems]
    raw = given.frame.select(pl.col(LINE).alias("line"), "date").with_columns(
        texts.frame["account_id"].map_elements(ids, return_dtype=pl.String),
        texts.frame["kind"].str.to_lowercase(),
        _days(given.frame["date"]).alias("happened_on"),
        (amounts.frame[AMOUNT] if AMOUNT in given.columns else pl.lit(None, pl.Float64)).alias("amount"),
    )
    problems += [*_problems(raw, given.word), *([] if today is None else _untimely(raw, today, given.word))]
    if raw.is_empty():
        problems.append("there is no outcome in it")
    if problems:
        raise given.refused(problems)
    return _each_once(raw, given.name, (*given.notes, *amounts.notes))


def _check_columns(given: GivenTable) -> None:
    missing = [each for each in NEEDED if each not in given.columns]
    if missing:
        hints = [
            f"there is no column {each}{nearest(each, given.columns).replace('did you mean', 'is it')}"
            for each in missing
        ]
        raise given.refused([*hints, "outcomes are given as account_id, date, kind and, where known, arr_lost"])


def _days(given: pl.Series) -> pl.Series:
    """The days; null where one can't be read for certain."""
    if not given.dtype.is_temporal():
        return written_days.days(given.cast(pl.String).str.strip_chars())
    made = typed_day(given.name, given.dtype)
    return given.to_frame().select(pl.lit(None, pl.Date) if made is None else made).to_series()


def _problems(raw: pl.DataFrame, word: str) -> Iterator[str]:
    """A line for each way in which rows can't be read."""
    kind, amount = raw.schema["date"], pl.col("amount")
    if kind.is_temporal() and typed_day("date", kind) is None:
        yield f"date: {kind} is no kind of date"
        return
    given = pl.col("date").cast(pl.String).str.strip_chars()
    without_day = raw.filter(pl.col("date").is_null())
    if (empty := raw.filter(pl.col("account_id").is_null())).height:
        yield f"account_id: empty in {_places(empty, word)}"
    if without_day.height:
        yield f"date: empty in {_places(without_day, word)}"
    unread = raw.filter(pl.col("date").is_not_null() & pl.col("happened_on").is_null()).with_columns(given)
    if unread.height:
        texts = raw.select(given).to_series()
        hint = written_days.doubt(texts, raw["happened_on"])
        yield f"date: {unread['date'][0]!r} is not a day such as 2026-03-31 ({_places(unread, word)}){hint}"
    strange = raw.filter(~pl.col("kind").is_in(KINDS).fill_null(value=False))
    for (kind,), rows in strange.group_by(["kind"], maintain_order=True):
        yield f"kind: {'empty' if kind is None else repr(kind)} is none of {', '.join(KINDS)} ({_places(rows, word)})"
    below = raw.filter(amount < 0)
    if below.height:
        yield f"{AMOUNT}: not a plain number such as 1234.5, 0 or more, in {_places(below, word)}"


def _untimely(raw: pl.DataFrame, today: date, word: str) -> Iterator[str]:
    """Days that nothing can have happened on yet, and such that are mistyped, most likely."""
    for rows, what in (
        (raw.filter(pl.col("happened_on") > today), "is a day to come: give it once it has happened"),
        (raw.filter(pl.col("happened_on") < EARLIEST), f"lies before {EARLIEST.year}"),
    ):
        if rows.height:
            yield f"date: {rows['happened_on'][0]} {what} ({_places(rows, word)})"


def _places(rows: pl.DataFrame, word: str) -> str:
    return Places(rows["line"], word).named(pl.Series([True] * rows.height))


def _each_once(raw: pl.DataFrame, name: str, said: tuple[str, ...]) -> OutcomeTable:
    amount = pl.col("amount").drop_nulls()
    rows = raw.group_by("account_id", "happened_on", "kind", maintain_order=True).agg(
        pl.len().alias("times"),
        pl.when(amount.n_unique() == 1).then(amount.first()).alias(AMOUNT),
        (amount.n_unique() > 1).alias("several"),
    )
    notes = list(said)
    if again := int((rows["times"] - 1).sum()):
        says, counts = ("row says", "it counts") if again == 1 else ("rows say", "each counts")
        named = _first_accounts(rows.filter(pl.col("times") > 1))
        notes.append(f"{name}: {again:,} {says} again what another says ({named}); {counts} once")
    if rows["several"].any():
        named = _first_accounts(rows.filter("several"))
        notes.append(f"{name}: different arr_lost for one outcome ({named}); it counts as not known")
    table = rows.with_columns(known_at=pl.lit(None, pl.Date), origin=pl.lit(ORIGIN), doubt=pl.lit(None, pl.String))
    return OutcomeTable(table.select(*OUTCOMES).cast(pl.Schema(OUTCOMES)), tuple(notes))


def _first_accounts(rows: pl.DataFrame) -> str:
    return ", ".join(rows["account_id"].unique(maintain_order=True).head(SHOWN))

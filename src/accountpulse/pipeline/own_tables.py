"""Own metrics that come from tables: read before everything else, and given to accounts once it is known who is who."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from accountpulse.accounts import Linked, owners
from accountpulse.core import given_files, tables, written_days
from accountpulse.core.errors import AccountpulseError, ConfigurationError, SourceUnavailable, UsageError
from accountpulse.core.records import DATED_FIGURES, SourceName
from accountpulse.core.written_numbers import Places
from accountpulse.scoring.caps import OF_TABLE
from accountpulse.scoring.plausible import expected_ranges, outside
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.table import typed_day
from accountpulse.settings import OwnTable, Settings
from accountpulse.state import store_at
from accountpulse.systems import CRM, SOURCES, TITLES

NO_DAY = "not a day such as 2026-10-31"
_ROWS = {"line": pl.Int64, "key": pl.String, "value": pl.Float64, "day": pl.Date, "is_dated": pl.Boolean}


@dataclass(frozen=True)
class TableReading:
    """One own metric's table: its rows that have a value (line, key, value, day), or why it could not be read.

    `day` is null where the table has no such column, and where a row's cell is empty (then `is_dated` is false).
    """

    metric: str
    table: OwnTable
    rows: pl.DataFrame
    checksum: str | None = None
    error: AccountpulseError | None = None
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The table, as the mapping names it."""
        return self.table.source

    @property
    def facts(self) -> dict[str, object]:
        """For the run's document: what was read, and from which bytes."""
        error = None if self.error is None else str(self.error)
        return {"from": self.place, "rows": self.rows.height, "sha256": self.checksum, "error": error}


def read_tables(settings: Settings, card: Scorecard) -> tuple[TableReading, ...]:
    """The tables of the own metrics that the scorecard declares, each file read once.

    A store that doesn't answer is its metric's failure, as a system is that is down. A table that isn't there or can't
    be opened, and whatever is wrong in one, is for its owner to mend: one ConfigurationError with every line, before
    any system is asked.
    """
    wanted = {name: each for name, each in settings.mapping.own_tables.items() if name in card.file.metrics}
    contents = {each.source: _content(name, each.source, settings) for name, each in wanted.items()}
    problems: list[str] = []
    found = []
    for metric, table in wanted.items():
        content = contents[table.source]
        if isinstance(content, SourceUnavailable):
            found.append(TableReading(metric, table, pl.DataFrame(schema=_ROWS), error=content))
            continue
        try:
            if isinstance(content, _Wrong):
                raise content
            rows, notes = _read(content, metric, table, card)
        except _Wrong as wrong:
            problems += [f"{OF_TABLE}{metric}: {table.source}: {problem}" for problem in wrong.problems]
            continue
        found.append(TableReading(metric, table, rows, hashlib.sha256(content).hexdigest(), notes=notes))
    if problems:
        raise ConfigurationError("metrics", problems)
    return tuple(found)


class _Wrong(Exception):
    """What is wrong with a table, a line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = problems
        super().__init__()


def _content(metric: str, place: str, settings: Settings) -> bytes | SourceUnavailable | _Wrong:
    """The table's bytes, or why there are none: _Wrong is for its owner to mend, the other may pass."""
    key = f"{OF_TABLE}{metric}"
    if not place.startswith("s3://"):
        try:
            return given_files.read(settings.config_folder / place, given_files.MOST_TABLE)
        except given_files.Unreadable as error:
            beside = f"it can't be read ({error}); it is looked for from the folder of accountpulse.yaml"
            return _Wrong([f"{beside}: put it there, or mend {key}.from"])
    root, _, name = place.rpartition("/")
    try:
        found = store_at(root, key).read(name)
    except ConfigurationError as error:
        return _Wrong(error.problems)
    except AccountpulseError as error:
        return SourceUnavailable(key, f"reading {place}", str(error))
    return _Wrong([f"there is no such object: put it there, or mend {key}.from"]) if found is None else found.content


def _read(content: bytes, metric: str, table: OwnTable, card: Scorecard) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows with a value, and what there is to say of how they were read; _Wrong lists every mistake."""
    value = table.value or metric
    needed = [table.account, value, *([] if table.dated is None else [table.dated])]
    try:
        given = tables.read(content, table.source, needed).called(needed)
        tables.refuse_without(given, needed)
    except UsageError as error:
        raise _Wrong(_lines(error)) from None
    numbers = tables.numbers_in(given, {value: card.catalogue[metric].unit})
    values = numbers.frame.rename({value: metric})
    keys = tables.texts_in(given, [table.account])
    days, is_dated = _days(given, table.dated)
    hint = "" if table.dated is None else _example(given.frame[table.dated], days)
    line = given.frame[tables.LINE].cast(pl.Int64)
    named = {"line": line, "key": keys.frame[table.account], "value": numbers.frame[value], "day": days}
    rows = pl.DataFrame([column.alias(name) for name, column in named.items()]).with_columns(is_dated.alias("is_dated"))
    told = rows["value"].is_not_null()
    problems = [
        *keys.problems,
        *numbers.problems,
        *_unless_none(given, told & rows["key"].is_null(), f"{table.account}: empty beside a value"),
        *_unless_none(
            given, told & is_dated & days.is_null() & (table.dated is not None), f"{table.dated}: {NO_DAY}", hint
        ),
    ]
    if problems:
        raise _Wrong(problems)
    odd = (f"{given.name}: {each}; scored as it is" for each in outside(values, expected_ranges(card), given.places))
    dayless = _unless_none(
        given,
        told & ~is_dated,
        f"{given.name}: {table.dated} is empty beside a value",
        "; nobody can say for which month it holds, so it counts for none: write its day",
    )
    return rows.filter(told), (*given.notes, *numbers.notes, *odd, *dayless)


def _days(given: tables.GivenTable, dated: str | None) -> tuple[pl.Series, pl.Series]:
    """The day of each row, null where there is none that can be read, and whether its cell says anything.

    Without a column of days no row has one, and none lacks it.
    """
    rows = given.frame
    if dated is None:
        return pl.Series([None] * rows.height, dtype=pl.Date), pl.Series([True] * rows.height, dtype=pl.Boolean)
    said, kind = rows[dated].is_not_null(), rows.schema[dated]
    if kind == pl.String:
        return written_days.days(rows[dated]), said
    typed = typed_day(dated, kind)
    nothing = pl.Series([None] * rows.height, dtype=pl.Date)
    return nothing if typed is None else rows.select(typed).to_series(), said


def _example(given: pl.Series, days: pl.Series) -> str:
    return written_days.example(given, days) if given.dtype == pl.String else ""


def _unless_none(given: tables.GivenTable, mask: pl.Series, what: str, example: str = "") -> Iterator[str]:
    if mask.any():
        yield f"{what} in {given.places.named(mask)}{example}"


def _lines(error: UsageError) -> list[str]:
    """The problems that an error lists under the file's name, or its one line."""
    first, *others = str(error).splitlines()
    return [line.removeprefix("  - ") for line in others] or [first.partition(": ")[2] or first]


# --- whose they are --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnedFigures:
    """The rows of all tables as DATED_FIGURES, what isn't known of accounts (account_id, metric, reason), and notes."""

    figures: pl.DataFrame
    unknowns: pl.DataFrame
    notes: tuple[str, ...]


def owned_figures(readings: Sequence[TableReading], linked: Linked, customers: pl.DataFrame) -> OwnedFigures:
    """Whose rows they are, by the accounts' ids, their links to a system, or their names.

    `customers` are all accounts with their names, also those that are left out: a name of two of them is nobody's.

    `source_failed` for all accounts where the table could not be read; `not_attributable` for accounts of one name
    that the table names; `unclear` for a value without its day; the link's own reason where an account has none.
    """
    figures, unknowns = [pl.DataFrame(schema=DATED_FIGURES)], [_unknown([], "", "unclear")]
    notes: list[str] = []
    for each in readings:
        if each.error is not None:
            unknowns.append(_unknown(linked.accounts["account_id"], each.metric, "source_failed"))
            continue
        names = _names(customers)
        owned = _owned(each, linked, names)
        notes += [*each.notes, *_strangers(each, owned), *_contradictions(each, owned)]
        undated = owned.filter(~pl.col("is_dated") & pl.col("account_id").is_not_null())
        unknowns += [*_of_links(each, linked, names), _unknown(undated["account_id"].unique(), each.metric, "unclear")]
        rows = owned.filter("is_dated").drop_nulls("account_id").with_columns(metric=pl.lit(each.metric))
        figures.append(rows.select(list(DATED_FIGURES)))
    return OwnedFigures(pl.concat(figures), pl.concat(unknowns), tuple(dict.fromkeys(notes)))  # a file may feed several


def _owned(reading: TableReading, linked: Linked, names: pl.DataFrame) -> pl.DataFrame:
    """The rows with the `account_id` that they belong to; null: nobody's."""
    keys = reading.rows["key"]
    holds = reading.table.holds
    if holds == "name":
        by_name = names.filter(~pl.col("name").is_duplicated())
        named = reading.rows.with_columns(name=_folded("key"))
        return named.join(by_name, on="name", how="left", maintain_order="left")
    source = next(each for each in SOURCES if each.name == _system(holds))
    return reading.rows.join(owners(keys, linked, source), on="key", how="left", maintain_order="left")


def _system(holds: str) -> SourceName:
    return CRM if holds == "id" else holds


def _names(customers: pl.DataFrame) -> pl.DataFrame:
    return customers.select("account_id", name=_folded("account_name")).drop_nulls("name")


def _folded(column: str) -> pl.Expr:
    """A name without what people don't see or mean by it: case, and blanks around it and doubled."""
    return pl.col(column).str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()


def _of_links(reading: TableReading, linked: Linked, names: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """What the way to the accounts leaves unknown of them."""
    holds = reading.table.holds
    if holds == "name":
        there = reading.rows.select(name=_folded("key")).unique()
        doubled = names.filter(pl.col("name").is_duplicated()).join(there, on="name", how="semi")
        yield _unknown(doubled["account_id"], reading.metric, "not_attributable")
    elif holds != "id":
        unlinked = linked.reasons.select("account_id", reason=holds).drop_nulls("reason")
        yield unlinked.select("account_id", pl.lit(reading.metric).alias("metric"), pl.col("reason").cast(pl.String))


def _unknown(accounts: pl.Series | list[str], metric: str, reason: str) -> pl.DataFrame:
    ids = pl.Series("account_id", accounts, dtype=pl.String)
    return ids.to_frame().with_columns(metric=pl.lit(metric), reason=pl.lit(reason))


def _strangers(reading: TableReading, owned: pl.DataFrame) -> Iterator[str]:
    """How many rows are no customer's; names that two accounts have are theirs, and nobody's."""
    lost = owned.filter(pl.col("account_id").is_null())
    if lost.is_empty():
        return
    what = {"id": "id of a customer that is scored", "name": "name of one customer alone"}
    meant = what.get(reading.table.holds) or f"key of a customer that is scored in {TITLES[reading.table.holds]}"
    where = f"{_line_word(reading)} {lost['line'][0]}"
    yield (
        f"{reading.place}: {lost.height:,} of {owned.height:,} rows are left out, since {reading.table.account!r} "
        f"holds no {meant} there, such as {where}"
    )


def _contradictions(reading: TableReading, owned: pl.DataFrame) -> Iterator[str]:
    """The accounts that have different values of one day, or without days: no one of them can be told to be right."""
    whose = owned.filter("is_dated").drop_nulls("account_id")
    several = whose.filter(pl.col("value").n_unique().over("account_id", "day") > 1)
    found = several.group_by("account_id", "day", maintain_order=True).agg(pl.col("line").sort())
    if found.is_empty():
        return
    account, day, lines = found.row(0)
    where = Places(pl.Series(lines), _line_word(reading)).named(pl.Series([True] * len(lines)))
    more = f", and {found.height - 1:,} more like them" if found.height > 1 else ""
    of_day = "" if day is None else f" of {day}"
    days = "" if reading.table.dated is not None else ", or name the column of their days as `dated`"
    told = f"{where} give account {account} different values{of_day}{more}"
    yield f"{reading.place}: {told}; none of these counts: leave one of them{days}"


def _line_word(reading: TableReading) -> str:
    return "line" if tables.kind_of(reading.place) == "csv" else "row"

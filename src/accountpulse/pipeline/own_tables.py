"""Own metrics that come from tables: read before everything else, and given to accounts once it is known who is who."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from accountpulse.accounts import Linked, owners
from accountpulse.core import given_files
from accountpulse.core.errors import AccountpulseError, ConfigurationError, SourceUnavailable
from accountpulse.core.nearest import nearest
from accountpulse.core.records import DATED_FIGURES, SourceName
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import OwnTable, Settings
from accountpulse.state import store_at
from accountpulse.systems import CRM, SOURCES, TITLES

LISTED = 20  # mistakes of a table that are told one by one
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

    One that can't be reached is its metric's failure, as a system is that is down: data that others deliver may come
    late. What is wrong in it is a ConfigurationError with every line, before any system is asked.
    """
    wanted = {name: each for name, each in settings.mapping.own_tables.items() if name in card.file.metrics}
    contents = {each.source: _content(name, each.source, settings) for name, each in wanted.items()}
    problems: list[str] = []
    found = []
    for metric, table in wanted.items():
        content = contents[table.source]
        if isinstance(content, AccountpulseError):
            found.append(TableReading(metric, table, pl.DataFrame(schema=_ROWS), error=content))
            continue
        rows = _rows(content, metric, table, problems)
        found.append(TableReading(metric, table, rows, hashlib.sha256(content).hexdigest()))
    if problems:
        raise ConfigurationError("metrics", problems)
    return tuple(found)


def _content(metric: str, place: str, settings: Settings) -> bytes | AccountpulseError:
    """The table's bytes, or why there are none."""
    key, remedy = f"metrics.{metric}", "Put it there, or mend the mapping, and run again."
    if not place.startswith("s3://"):
        try:
            return given_files.read(settings.config_folder / place, given_files.MOST_TABLE)
        except given_files.Unreadable as error:
            return SourceUnavailable(key, f"reading {place}", str(error), remedy)
    root, _, name = place.rpartition("/")
    try:
        found = store_at(root, key).read(name)
    except ConfigurationError as error:
        return SourceUnavailable(key, f"reading {place}", error.problems[0], "Then run again.")
    except AccountpulseError as error:
        return SourceUnavailable(key, f"reading {place}", str(error))
    return (
        SourceUnavailable(key, f"reading {place}", "there is no such object", remedy)
        if found is None
        else found.content
    )


def _rows(content: bytes, metric: str, table: OwnTable, problems: list[str]) -> pl.DataFrame:
    """The rows with a value; `problems` takes what is wrong with the table."""
    value, names = (
        table.value or metric,
        [table.account, table.value or metric, *([table.dated] if table.dated else [])],
    )
    raw = pl.read_csv(io.BytesIO(content), infer_schema=False).with_row_index("line", offset=2)
    absent = [name for name in names if name not in raw.columns]
    if absent:
        problems += [f"{table.source}: there is no column {name!r}{nearest(name, raw.columns)}" for name in absent]
        return pl.DataFrame(schema=_ROWS)
    day = pl.col(table.dated).str.to_date("%Y-%m-%d", strict=False) if table.dated else pl.lit(None, pl.Date)
    rows = raw.select(
        pl.col("line").cast(pl.Int64),
        key=pl.col(table.account),
        text=pl.col(value),
        value=pl.col(value).cast(pl.Float64, strict=False),
        day=day,
        is_dated=pl.col(table.dated).is_not_null() if table.dated else pl.lit(value=True),
    ).drop_nulls("text")
    wrong = rows.filter(pl.col("value").is_null())
    problems += [
        f"{table.source}, line {line}, {value}: {text!r} is not a number"
        for line, text in wrong.select("line", "text").iter_rows()
    ]
    return rows.select(list(_ROWS))


# --- whose they are --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnedFigures:
    """The rows of all tables as DATED_FIGURES, what isn't known of accounts (account_id, metric, reason), and notes."""

    figures: pl.DataFrame
    unknowns: pl.DataFrame
    notes: tuple[str, ...]


def owned_figures(tables: tuple[TableReading, ...], linked: Linked) -> OwnedFigures:
    """Whose rows they are, by the accounts' ids, their links to a system, or their names.

    `source_failed` for all accounts where the table could not be read; `not_attributable` for accounts of one name
    that the table names; `unclear` for a value without its day; the link's own reason where an account has none.
    """
    figures, unknowns = [pl.DataFrame(schema=DATED_FIGURES)], [_unknown([], "", "unclear")]
    notes: list[str] = []
    for each in tables:
        if each.error is not None:
            unknowns.append(_unknown(linked.accounts["account_id"], each.metric, "source_failed"))
            continue
        owned = _owned(each, linked)
        notes += _strangers(each, owned)
        undated = owned.filter(~pl.col("is_dated") & pl.col("account_id").is_not_null())
        unknowns += [*_of_links(each, linked), _unknown(undated["account_id"].unique(), each.metric, "unclear")]
        rows = owned.filter("is_dated").drop_nulls("account_id").with_columns(metric=pl.lit(each.metric))
        figures.append(rows.select(list(DATED_FIGURES)))
    return OwnedFigures(pl.concat(figures), pl.concat(unknowns), tuple(notes))


def _owned(reading: TableReading, linked: Linked) -> pl.DataFrame:
    """The rows with the `account_id` that they belong to; null: nobody's."""
    keys = reading.rows["key"]
    holds = reading.table.holds
    if holds == "name":
        by_name = _names(linked).filter(~pl.col("name").is_duplicated())
        named = reading.rows.with_columns(name=_folded("key"))
        return named.join(by_name, on="name", how="left", maintain_order="left")
    source = next(each for each in SOURCES if each.name == _system(holds))
    return reading.rows.join(owners(keys, linked, source), on="key", how="left", maintain_order="left")


def _system(holds: str) -> SourceName:
    return CRM if holds == "id" else holds


def _names(linked: Linked) -> pl.DataFrame:
    return linked.accounts.select("account_id", name=_folded("account_name")).drop_nulls("name")


def _folded(column: str) -> pl.Expr:
    """A name without what people don't see or mean by it: case, and blanks around it and doubled."""
    return pl.col(column).str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()


def _of_links(reading: TableReading, linked: Linked) -> Iterator[pl.DataFrame]:
    """What the way to the accounts leaves unknown of them."""
    holds = reading.table.holds
    if holds == "name":
        there = reading.rows.select(name=_folded("key")).unique()
        doubled = _names(linked).filter(pl.col("name").is_duplicated()).join(there, on="name", how="semi")
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
    what = {"id": "id of a customer", "name": "name of one customer alone"}
    meant = what.get(reading.table.holds) or f"key of a customer in {TITLES[reading.table.holds]}"
    where = f"line {lost['line'][0]}"
    yield (
        f"{reading.place}: {lost.height:,} of {owned.height:,} rows are left out, since {reading.table.account!r} "
        f"holds no {meant} there, such as {where}"
    )

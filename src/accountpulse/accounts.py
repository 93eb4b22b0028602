"""Who is who: which record of which system belongs to which account."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from accountpulse.records import SOURCES, Extract, Problem, Reason, Source

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"  # the 32 characters that stand for five bits
_NOUN: Mapping[Source, str] = {
    "salesforce": "Salesforce account",
    "intercom": "Intercom company",
    "jira": "Jira link",
    "looker": "Looker customer",
}
_SHOWN = 5  # how many other accounts a message names
_SHOWN_KEY = 80  # how many characters of a key it shows
_KEY_COLUMNS = ("keys", "key", "account_id")


@dataclass(frozen=True)
class Linked:
    """The accounts that can be scored, and what each source can say about them.

    `accounts` has the columns of ACCOUNTS, its ids 18 characters long. `reasons` has a row for each of them:
    `account_id` and a column for each source, null where the account is linked there, else why it is not.
    `keys` (source, key, match, account_id) is what their links hold, `match` in the form that keys are compared in.
    `problems` are the accounts that were left out. `unlinked` counts the accounts without a known key, for each
    configured source.
    """

    accounts: pl.DataFrame
    reasons: pl.DataFrame
    keys: pl.DataFrame
    problems: tuple[Problem, ...]
    unlinked: Mapping[Source, int]


@dataclass(frozen=True)
class Attributed:
    """A table with an `account_id` instead of its keys: one row for each row and account that it belongs to.

    `shared` counts the rows that belong to several accounts, `nobodys` those that belong to none that is scored.
    """

    rows: pl.DataFrame
    shared: int = 0
    nobodys: int = 0


def to_18(key: str) -> str:
    """A record id of 15 characters in its 18-character form; any other key as it is, without outer blanks.

    Each added character stands for five of the id's and says which of them are capital letters, so that two ids
    that differ in case alone stay different where case is lost.
    """
    key = key.strip()
    if len(key) != 15 or not _looks_like_an_id(key):
        return key
    return key + "".join(_SUFFIX[_capitals(key[start : start + 5])] for start in (0, 5, 10))


def _looks_like_an_id(key: str) -> bool:
    return len(key) in (15, 18) and key.isascii() and key.isalnum()


def _capitals(chunk: str) -> int:
    return sum(1 << place for place, char in enumerate(chunk) if char.isupper())


def _comparable(key: str) -> str:
    """What is equal for two ways to write one key: record ids of 15 or 18 characters, whatever became of their case."""
    whole = to_18(key)
    return whole.upper() if _looks_like_an_id(whole) else whole


def link(
    accounts: pl.DataFrame,
    extracts: Mapping[Source, Extract],
    configured: Collection[Source],
    failed: Collection[Source],
) -> Linked:
    """Match accounts with the keys that they have in each source.

    Left out, with a Problem: an account without an id, one that is given twice, one whose key in a configured source
    is another account's key too. Reasons, first match: `not_configured`; `source_failed` (also a configured source
    without an extract); `not_linked` without a key; what the extract says of a key that its system doesn't know.
    """
    accounts = accounts.with_columns(_mapped(accounts["account_id"].fill_null(""), to_18))
    keys = _keys(accounts, extracts)
    problems = [*_unclear_ids(accounts), *_shared_keys(accounts, keys, configured)]
    good = accounts.filter(~pl.col("account_id").is_in(["", *{problem.account_id for problem in problems}]))
    keys = keys.join(good, on="account_id", how="semi")
    statuses = {source: _status(good, keys, extracts.get(source), source) for source in SOURCES}
    unlinked = {source: statuses[source].count() for source in SOURCES if source in configured}
    wide = {source: _source_wide(source, extracts, configured, failed) for source in SOURCES}
    reasons = good.select("account_id").with_columns(
        *(pl.lit(wide[source], pl.String).fill_null(statuses[source]).alias(source) for source in SOURCES)
    )
    return Linked(good, reasons, keys, tuple(problems), unlinked)


def attribute(table: pl.DataFrame, linked: Linked, source: Source) -> Attributed:
    """A source's table as rows of accounts; a row that belongs to no known account drops out.

    A table with `keys` names its rows in its first column: a row stands once for each account, however many of its
    keys lead there. A table without any key column stays as it is.
    """
    column = next((name for name in _KEY_COLUMNS if name in table.columns), None)
    if column is None:
        return Attributed(table)
    if column != "keys":
        named = table.rename({column: "key"})
        rows = named.join(_owners(named["key"], linked, source), on="key", maintain_order="left").drop("key")
        return Attributed(rows, nobodys=table.height - rows.height)
    row_id = table.columns[0]
    pairs = table.select(row_id, key="keys").explode("key")
    owned = pairs.join(_owners(pairs["key"], linked, source), on="key").select(row_id, "account_id").unique()
    rows = table.drop("keys").unique(row_id, keep="first", maintain_order=True)
    shared = owned.group_by(row_id).len().filter(pl.col("len") > 1).height
    return Attributed(rows.join(owned, on=row_id), shared, nobodys=rows.height - owned[row_id].n_unique())


def attribute_all(extracts: Mapping[Source, Extract], linked: Linked) -> dict[str, Attributed]:
    """Every table of the extracts but `accounts` and `links`, by name, as rows of accounts."""
    return {
        name: attribute(table, linked, source)
        for source, extract in extracts.items()
        for name, table in extract.tables.items()
        if name not in {"accounts", "links"}
    }


def _mapped(keys: pl.Series, form: Callable[[str], str]) -> pl.Series:
    """The keys in another form, each worked out once."""
    given = keys.drop_nulls().unique()
    return keys.replace(given, pl.Series([form(key) for key in given], dtype=pl.String))


def _keys(accounts: pl.DataFrame, extracts: Mapping[Source, Extract]) -> pl.DataFrame:
    """Every link once, and each account as its own key in the system that it comes from; blank keys are none."""
    given = [extract.tables["links"] for extract in extracts.values() if "links" in extract.tables]
    itself = accounts.select("account_id", source=pl.lit("salesforce"), key="account_id")
    links = pl.concat([*given, itself])
    match, account_id = _mapped(links["key"], _comparable), _mapped(links["account_id"], to_18)
    keys = links.select("source", "key", match.alias("match"), account_id)
    return keys.filter(pl.col("match") != "").unique(
        ["source", "match", "account_id"], keep="first", maintain_order=True
    )


def _unclear_ids(accounts: pl.DataFrame) -> Iterator[Problem]:
    for account_id, rows in accounts.group_by("account_id", maintain_order=True).len().iter_rows():
        if not account_id:
            yield Problem("", "accounts", f"{rows} rows of accounts came without an id")
        elif rows > 1:
            yield Problem(account_id, "accounts", f"account {account_id} was given {rows} times")


def _shared_keys(accounts: pl.DataFrame, keys: pl.DataFrame, configured: Collection[Source]) -> Iterator[Problem]:
    ours = set(accounts["account_id"])
    owners = keys.filter(pl.col("source").is_in(configured)).group_by("source", "match", maintain_order=True)
    for source, _, key, ids in owners.agg(pl.col("key").first(), "account_id").iter_rows():
        for account_id in ids if len(ids) > 1 else ():
            if account_id in ours:
                yield Problem(account_id, "accounts", _shared(source, key, account_id, ids))


def _shared(source: Source, key: str, account_id: str, ids: Sequence[str]) -> str:
    others = [other for other in ids[: _SHOWN + 1] if other != account_id][:_SHOWN]
    more = len(ids) - 1 - len(others)
    named = ", ".join(others) + (f" and {more} more" if more else "")
    return f"{_NOUN[source]} {key[:_SHOWN_KEY]!r} is also linked by {named}: leave the link on one of them"


def _source_wide(
    source: Source,
    extracts: Mapping[Source, Extract],
    configured: Collection[Source],
    failed: Collection[Source],
) -> Reason | None:
    if source not in configured:
        return "not_configured"
    return "source_failed" if source in failed or source not in extracts else None


def _status(accounts: pl.DataFrame, keys: pl.DataFrame, extract: Extract | None, source: Source) -> pl.Series:
    """For each account null where any of its keys is known to the source, else the reason."""
    unknown = {_comparable(key): reason for key, reason in extract.unknown_keys.items()} if extract else {}
    found = (
        keys.filter(pl.col("source") == source)
        .with_columns(reason=pl.col("match").replace_strict(unknown, default=None, return_dtype=pl.String))
        .group_by("account_id")
        .agg(linked=pl.col("reason").is_null().any(), reason=pl.col("reason").min())
    )
    why = pl.when("linked").then(None).otherwise(pl.col("reason").fill_null("not_linked"))
    return (
        accounts.join(found, on="account_id", how="left", maintain_order="left").select(why.alias(source)).to_series()
    )


def _owners(keys: pl.Series, linked: Linked, source: Source) -> pl.DataFrame:
    """Which account each of the keys, as the source writes it, belongs to: `key`, `account_id`."""
    written = keys.drop_nulls().unique()
    links = linked.keys.filter(pl.col("source") == source).select("match", "account_id")
    matched = pl.DataFrame({"key": written, "match": _mapped(written, _comparable)}).join(links, on="match")
    return matched.select("key", "account_id")

"""Who is who: which record of which system belongs to which account. Nothing is guessed: who is in doubt is named."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from accountpulse.core.ids import comparable_id, to_18
from accountpulse.core.records import LINKS, NOT_MEASURED, Extract, LinkFile, Problem, Source, SourceName
from accountpulse.core.spooled import SpooledTable

_SHOWN = 5  # how many other accounts a message names
_SHOWN_KEY = 80  # how many characters of a key it shows
_KEY_COLUMNS = ("keys", "key", "account_id")
_LINK = list(LINKS)
_NOTHING = LinkFile()
_CLAIM = {**LINKS, "by": pl.String, "line": pl.Int64}


@dataclass(frozen=True)
class Linked:
    """The accounts that can be scored, and what each source can say about them.

    `accounts` has the columns of ACCOUNTS, its ids 18 characters long. `reasons` has a row for each of them:
    `account_id` and a column for each source, null where the account is linked there, else why it is not.
    `claims` is every link that counts, also of accounts that were left out: account_id, source, key, `by` (rule or
    file), `line` of the file, `match` (the key in the form that keys are compared in), `reason` (why the source
    doesn't know it; null: it does), `shared` (another account claims it too), `several` (a rule gives the account more
    than this one). `absent` (source, account_id) is where the file says that there is no record. `keys` are the claims
    of `accounts`. `problems` are the accounts that were left out. `unlinked` counts the accounts without a known key,
    for each configured source. `notes` are lines for the reader.
    """

    accounts: pl.DataFrame
    reasons: pl.DataFrame
    claims: pl.DataFrame
    absent: pl.DataFrame
    keys: pl.DataFrame
    problems: tuple[Problem, ...]
    unlinked: Mapping[SourceName, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attributed:
    """A table with an `account_id` instead of its keys: one row for each row and account that it belongs to.

    `shared` counts the rows that belong to several accounts, `nobodys` those that belong to none that is scored.
    """

    rows: pl.DataFrame
    shared: int = 0
    nobodys: int = 0


def link(
    accounts: pl.DataFrame,
    extracts: Mapping[SourceName, Extract],
    sources: Sequence[Source],
    configured: Collection[SourceName],
    failed: Collection[SourceName],
    *,
    link_file: LinkFile = _NOTHING,
) -> Linked:
    """Match accounts with the keys that they have in each source: by rule (the links of the extracts), or by the file.

    `sources` are all that there are, `configured` those that were asked.
    Where the file comes first, what it says of an account and source replaces the rule; where the rules do, it counts
    only where they link nothing or not clearly. Left out, with a Problem: an account without an id, one that is given
    twice, one with a key in a configured source that is another account's too, one that a rule gives several keys.
    Reasons, first match: `not_configured`; `source_failed` (also a configured source without an extract; of tables
    that other configured sources fill as well, only where the account has a key in it); `not_linked` without a key;
    what the extract says of a key that its system doesn't know.
    """
    accounts = accounts.with_columns(_mapped(accounts["account_id"].fill_null(""), to_18))
    from_file = _from_file(accounts, link_file)
    claims, absent, refused = _claims(accounts, extracts, sources, from_file, link_file)
    ours = claims.filter(pl.col("source").is_in(configured))
    problems = [
        *_unclear_ids(accounts),
        *_shared(accounts, ours, sources, link_file),
        *_several(accounts, ours, sources),
    ]
    good = accounts.filter(~pl.col("account_id").is_in(["", *{problem.account_id for problem in problems}]))
    keys = claims.join(good, on="account_id", how="semi")
    statuses = {source.name: _status(good, keys, source.name) for source in sources}
    unlinked = {name: status.count() for name, status in statuses.items() if name in configured}
    unread = {name for name in configured if name in failed or name not in extracts}
    alone = {source.name for source in sources if not _has_company(source, sources, configured)}
    reasons = good.select("account_id").with_columns(
        _reason(status, name, configured, unread, alone).alias(name) for name, status in statuses.items()
    )
    notes = (
        *_not_customers(accounts, from_file, link_file),
        *_unknown(claims, sources, configured, link_file),
        *_rejected(refused, sources, configured, link_file),
    )
    return Linked(good, reasons, claims, absent, keys, tuple(problems), unlinked, notes)


def _has_company(source: Source, sources: Sequence[Source], configured: Collection[SourceName]) -> bool:
    """Whether another configured source fills one of its tables as well."""
    others = [each for each in sources if each.name != source.name and each.name in configured]
    return any(each.feeds(source.tables) for each in others)


def _reason(
    status: pl.Series,
    name: SourceName,
    configured: Collection[SourceName],
    unread: Collection[SourceName],
    alone: Collection[SourceName],
) -> pl.Expr:
    """Why a source says nothing of each account."""
    if name not in configured:
        return pl.lit("not_configured")
    if name not in unread:
        return pl.lit(status)
    failed = pl.lit("source_failed")
    return failed if name in alone else pl.when(pl.lit(status).is_null()).then(failed).otherwise(pl.lit("not_linked"))


def rule_links(links: pl.DataFrame, source: Source, found: Mapping[str, Sequence[str]] | None) -> pl.DataFrame:
    """A source's links by rule, as LINKS: the account's field holds the key, or the value that leads to keys (`found`).

    An account whose value leads nowhere has no link; one whose value leads to several keys has all of them.
    """
    own = links.filter(pl.col("source") == source.name)
    if found is None:
        return own
    rows = [(value, key) for value, keys in found.items() for key in keys]
    carried = pl.DataFrame(rows, schema={"value": pl.String, "key": pl.String}, orient="row")
    form = source.comparable
    carried = carried.select("key", match=_mapped(carried["value"], form)).unique()
    wanted = own.select("account_id", "source", match=_mapped(own["key"], form)).filter(pl.col("match") != "")
    return wanted.join(carried, on="match").select(_LINK)


def asked_keys(
    links: pl.DataFrame, source: Source, found: Mapping[str, Sequence[str]] | None, link_file: LinkFile
) -> tuple[str, ...]:
    """The keys that a source is asked for: those of the rules that may count, and those of the file."""
    from_file = [each for each in link_file.links if each.source == source.name]
    decided = {comparable_id(each.account_id) for each in from_file} if link_file.first == "file" else set()
    allowed, _refused = _allowed(rule_links(links, source, found), [source], link_file)
    rules = allowed.select("account_id", "key").drop_nulls().iter_rows()
    keys = {key for account_id, key in rules if key.strip() and comparable_id(account_id) not in decided}
    return tuple(sorted(keys | {each.key for each in from_file if each.key is not None}))


def attribute(table: pl.DataFrame, linked: Linked, source: Source) -> Attributed:
    """A source's table as rows of accounts; a row that belongs to no known account drops out.

    A table with `keys` names its rows in its first column: a row stands once for each account, however many of its
    keys lead there. A table without any key column stays as it is.
    """
    column = next((name for name in _KEY_COLUMNS if name in table.columns), None)
    if column is None:
        return Attributed(table)
    if column != "keys":
        owned = owners(table[column], linked, source)  # a key that two accounts claim belongs to neither
        ids = table[column].replace_strict(owned["key"], owned["account_id"], default=None, return_dtype=pl.String)
        rows = table.drop(column).with_columns(ids.alias("account_id"))
        rows = rows.filter(pl.col("account_id").is_not_null()) if ids.null_count() else rows
        return Attributed(rows, nobodys=table.height - rows.height)
    row_id = table.columns[0]
    pairs = table.select(row_id, key="keys").explode("key")
    owned = pairs.join(owners(pairs["key"], linked, source), on="key").select(row_id, "account_id").unique()
    rows = table.drop("keys").unique(row_id, keep="first", maintain_order=True)
    shared = owned.group_by(row_id).len().filter(pl.col("len") > 1).height
    return Attributed(rows.join(owned, on=row_id), shared, nobodys=rows.height - owned[row_id].n_unique())


@dataclass(frozen=True)
class AttributedTables:
    """The tables of an extract as rows of accounts, and how many rows of each belong to nobody that is scored."""

    tables: Mapping[str, pl.DataFrame | SpooledTable]
    nobodys: Mapping[str, int]


def attribute_all(extract: Extract, linked: Linked, source: Source) -> AttributedTables:
    """Every table of an extract that is measured, by name, as rows of accounts with their `source`.

    Spooled tables stay on disk; no row of theirs may come in two pieces.
    """
    small = {name: table for name, table in extract.tables.items() if name not in {"accounts", "links", *NOT_MEASURED}}
    tables: dict[str, pl.DataFrame | SpooledTable] = {}
    nobodys = {}
    for name, table in small.items():
        tables[name], nobodys[name] = _from(attribute(table, linked, source), source)
    for name, spool in extract.spools.items():
        tables[name], nobodys[name] = _spool_from(spool, linked, source)
    return AttributedTables(tables, nobodys)


def _from(attributed: Attributed, source: Source) -> tuple[pl.DataFrame, int]:
    return attributed.rows.with_columns(pl.lit(source.name).alias("source")), attributed.nobodys


def _spool_from(spool: SpooledTable, linked: Linked, source: Source) -> tuple[SpooledTable, int]:
    owned, nobodys = None, 0
    for piece in spool.pieces():
        rows, lost = _from(attribute(piece, linked, source), source)
        owned = owned or SpooledTable(rows.schema)
        owned.add(rows)
        nobodys += lost
    return owned or spool, nobodys


def united(one: pl.DataFrame | SpooledTable | None, more: pl.DataFrame | SpooledTable) -> pl.DataFrame | SpooledTable:
    """A table of one source with that of another below it; their `source` keeps them apart, so no keys meet."""
    if one is None:
        return more
    if isinstance(one, SpooledTable) and isinstance(more, SpooledTable):
        for piece in more.pieces():
            one.add(piece)
        return one
    return pl.concat([_in_memory(one), _in_memory(more)], how="diagonal")


def _in_memory(table: pl.DataFrame | SpooledTable) -> pl.DataFrame:
    return table.lazy().collect()


def _mapped(keys: pl.Series, form: Callable[[str], str]) -> pl.Series:
    """The keys in another form, each worked out once."""
    given = keys.drop_nulls().unique()
    return keys.replace(given, pl.Series([form(key) for key in given], dtype=pl.String))


def _from_file(accounts: pl.DataFrame, link_file: LinkFile) -> pl.DataFrame:
    """What the file says, with the accounts' own ids: an id that lost its case in a spreadsheet is still theirs."""
    rows = [(each.account_id, each.source, each.key, "file", each.line) for each in link_file.links]
    from_file = pl.DataFrame(rows, schema=_CLAIM, orient="row")
    ours = {comparable_id(account_id): account_id for account_id in accounts["account_id"]}
    return from_file.with_columns(
        _mapped(from_file["account_id"], lambda text: ours.get(comparable_id(text), to_18(text)))
    )


def _claims(
    accounts: pl.DataFrame,
    extracts: Mapping[SourceName, Extract],
    sources: Sequence[Source],
    from_file: pl.DataFrame,
    link_file: LinkFile,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Every link that counts, once, `absent`, and what rules would link but people refused.

    Each account is its own key in the system that it comes from.
    """
    given = [extract.tables["links"] for extract in extracts.values() if "links" in extract.tables]
    crm = next(source.name for source in sources if source.has_accounts)
    itself = accounts.select("account_id", source=pl.lit(crm), key="account_id")
    links = pl.concat([*given, itself]).select(_LINK)
    links = links.with_columns(_mapped(links["account_id"], to_18))
    found = {source: extract.found_keys for source, extract in extracts.items()}
    rules = pl.concat([rule_links(links, source, found.get(source.name)) for source in sources])
    rules, refused = _allowed(rules, sources, link_file)
    rules = rules.with_columns(by=pl.lit("rule"), line=pl.lit(None, pl.Int64))
    both = pl.concat([rules, from_file])
    compared = pl.concat([_compared(both, source, extracts.get(source.name)) for source in sources])
    real = (pl.col("by") == "file") | (pl.col("match") != "").fill_null(value=False)
    counting = _preferred(compared.filter(real), link_file.first)
    absent = counting.filter(pl.col("match").is_null()).select("source", "account_id")
    best = counting.drop_nulls("match").sort("key", "line").unique(["source", "match", "account_id"], keep="first")
    return _in_doubt(best.sort("source", "match", "account_id")), absent, refused


def _allowed(rules: pl.DataFrame, sources: Sequence[Source], link_file: LinkFile) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rules' links without those that people refused, and the latter."""
    forms = {source.name: source.comparable for source in sources}
    said = (each for each in link_file.rejected if each.source in forms)
    no = {(comparable_id(each.account_id), each.source, forms[each.source](each.key or "")) for each in said}
    if not no:
        return rules, rules.clear()
    pairs = rules.select(_LINK).iter_rows()
    refused = pl.Series(
        [
            key is not None and (comparable_id(account), source, forms[source](key)) in no
            for account, source, key in pairs
        ],
        dtype=pl.Boolean,
    )
    return rules.filter(~refused), rules.filter(refused)


def _in_doubt(claims: pl.DataFrame) -> pl.DataFrame:
    """Claims with `shared` and `several`: a key that the system doesn't know makes nothing doubtful."""
    known = pl.col("reason").is_null()
    shared = known & (known.sum().over("source", "match") > 1)
    several = known & (pl.col("by") == "rule") & (known.sum().over("source", "account_id") > 1)
    return claims.with_columns(shared=shared, several=several)


def _compared(claims: pl.DataFrame, source: Source, extract: Extract | None) -> pl.DataFrame:
    """A source's claims with `match`, and with the `reason` why it doesn't know the key."""
    form, claims = source.comparable, claims.filter(pl.col("source") == source.name)
    unknown = {form(key): reason for key, reason in extract.unknown_keys.items()} if extract else {}
    with_match = claims.with_columns(match=_mapped(claims["key"], form))
    reason = pl.col("match").replace_strict(unknown, default=None, return_dtype=pl.String)
    return with_match.with_columns(reason=reason)


def _preferred(claims: pl.DataFrame, first: str) -> pl.DataFrame:
    """Of rule and file the one that counts, for each source and account."""
    rules, from_file = claims.filter(pl.col("by") == "rule"), claims.filter(pl.col("by") == "file")
    pair = ["source", "account_id"]
    if first == "rules":
        known = rules.filter(pl.col("reason").is_null()).unique(["source", "match", "account_id"])
        alone = (pl.len().over(pair) == 1) & (pl.len().over("source", "match") == 1)
        from_file = from_file.join(known.filter(alone), on=pair, how="anti")
    return pl.concat([rules.join(from_file, on=pair, how="anti"), from_file])


def _unclear_ids(accounts: pl.DataFrame) -> Iterator[Problem]:
    for account_id, rows in accounts.group_by("account_id", maintain_order=True).len().iter_rows():
        if not account_id:
            yield Problem("", "accounts", f"{rows} rows of accounts came without an id")
        elif rows > 1:
            yield Problem(account_id, "accounts", f"account {account_id} was given {rows} times")


def _shared(
    accounts: pl.DataFrame, claims: pl.DataFrame, sources: Sequence[Source], link_file: LinkFile
) -> Iterator[Problem]:
    """The accounts with a key that another account has too."""
    nouns = {source.name: source.key_noun for source in sources}
    ours = set(accounts["account_id"])
    owners = claims.filter("shared").group_by("source", "match", maintain_order=True).agg("key", "account_id", "line")
    for source, _, keys, ids, lines in owners.iter_rows():
        for key, account_id, line in zip(keys, ids, lines, strict=True):
            if account_id in ours:
                said = f" (line {line} of {link_file.name})" if line is not None else ""
                text = f"{nouns[source]} {key[:_SHOWN_KEY]!r}{said} is also linked by {_others(account_id, ids)}"
                yield Problem(account_id, "accounts", f"{text}: leave the link on one of them")


def _several(accounts: pl.DataFrame, claims: pl.DataFrame, sources: Sequence[Source]) -> Iterator[Problem]:
    """The accounts that a rule gives several keys; who means all of them says so in the file."""
    titles, ours = {source.name: source.title for source in sources}, set(accounts["account_id"])
    many = claims.filter("several").group_by("source", "account_id", maintain_order=True)
    for source, account_id, keys in many.agg("key").iter_rows():
        if account_id in ours:
            named = _listed([repr(key[:_SHOWN_KEY]) for key in keys])
            text = f"its rule finds {len(keys)} keys in {titles[source]}: {named}"
            remedy = "leave one of them, or list those that count in the mapping file"
            yield Problem(account_id, "accounts", f"{text}; {remedy}")


def _others(account_id: str, ids: Sequence[str]) -> str:
    return _listed([other for other in ids if other != account_id])


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _not_customers(accounts: pl.DataFrame, from_file: pl.DataFrame, link_file: LinkFile) -> Iterator[str]:
    """Which lines of the file name accounts that are none of ours: customers leave, and slips look the same."""
    lost = from_file.join(accounts, on="account_id", how="anti").unique("account_id", maintain_order=True).sort("line")
    if lost.height:
        named = _listed(
            [f"{account_id} (line {line})" for account_id, line in lost.select("account_id", "line").iter_rows()]
        )
        yield f"{link_file.name} names accounts that are not among the customers: {named}"


def _unknown(
    claims: pl.DataFrame, sources: Sequence[Source], configured: Collection[SourceName], link_file: LinkFile
) -> Iterator[str]:
    """Which keys of the file their systems don't know."""
    wrong = claims.filter((pl.col("by") == "file") & pl.col("reason").is_not_null()).sort("line")
    for source in (each for each in sources if each.name in configured):
        keys = wrong.filter(pl.col("source") == source.name).select("key", "line").iter_rows()
        if named := [f"{key[:_SHOWN_KEY]!r} (line {line})" for key, line in keys]:
            yield f"{link_file.name} names keys that {source.title} does not know: {_listed(named)}"


def _rejected(
    refused: pl.DataFrame, sources: Sequence[Source], configured: Collection[SourceName], link_file: LinkFile
) -> Iterator[str]:
    """Which links of rules the file refuses."""
    for source in (each for each in sources if each.name in configured):
        pairs = refused.filter(pl.col("source") == source.name).unique(_LINK).sort("account_id", "key")
        named = [
            f"{account} and {key[:_SHOWN_KEY]!r}" for account, key in pairs.select("account_id", "key").iter_rows()
        ]
        if named:
            yield f"not linked in {source.title}, since {link_file.name} rejects what the rule finds: {_listed(named)}"


def _status(accounts: pl.DataFrame, keys: pl.DataFrame, source: SourceName) -> pl.Series:
    """For each account null where any of its keys is known to the source, else the reason."""
    found = (
        keys.filter(pl.col("source") == source)
        .group_by("account_id")
        .agg(linked=pl.col("reason").is_null().any(), reason=pl.col("reason").min())
    )
    why = pl.when("linked").then(None).otherwise(pl.col("reason").fill_null("not_linked"))
    return (
        accounts.join(found, on="account_id", how="left", maintain_order="left").select(why.alias(source)).to_series()
    )


def owners(keys: pl.Series, linked: Linked, source: Source) -> pl.DataFrame:
    """Which account each of the keys, as the source writes it, belongs to: `key`, `account_id`."""
    written = keys.drop_nulls().unique()
    links = linked.keys.filter(pl.col("source") == source.name).select("match", "account_id")
    matched = pl.DataFrame({"key": written, "match": _mapped(written, source.comparable)}).join(links, on="match")
    return matched.select("key", "account_id")

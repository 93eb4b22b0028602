"""Every account with its place in each system: as the rows of the mapping file, and as plain data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

import polars as pl

from accountpulse.accounts import Linked
from accountpulse.core.ids import to_18
from accountpulse.core.records import SourceName
from accountpulse.settings.link_decisions import ABSENT, KEYS
from accountpulse.settings.link_file import COLUMNS
from accountpulse.systems import TITLES

LinkState = Literal["linked", "unknown", "none", "shared", "several"]
STATES: tuple[LinkState, ...] = ("linked", "unknown", "none", "shared", "several")
IN_DOUBT = frozenset({"shared", "several"})
NAMED = 3  # other accounts or keys that a note names


@dataclass
class LinkPlace:
    """One account in one source: how it stands, its keys, whether a rule or the file says so, and who else does."""

    state: LinkState = "none"
    keys: list[str] = field(default_factory=list)
    by: str | None = None  # with state none: the file says that there is no record
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LinkRow:
    """One account with its place in each source."""

    account_id: str
    name: str
    arr: float | None
    places: Mapping[SourceName, LinkPlace]


def rows_of(accounts: pl.DataFrame, linked: Linked) -> list[LinkRow]:
    """Every account once, also those that were left out: who needs a look comes first, then larger before smaller."""
    places = _places(linked)
    named = {to_18(row["account_id"] or ""): row for row in accounts.iter_rows(named=True)}
    rows = [
        LinkRow(
            account, row["account_name"] or "", row["arr"], {s: places.get((account, s), LinkPlace()) for s in KEYS}
        )
        for account, row in named.items()
        if account
    ]
    return sorted(rows, key=lambda row: (row.arr is None, -(row.arr or 0), row.account_id))


def _places(linked: Linked) -> dict[tuple[str, SourceName], LinkPlace]:
    owners: dict[tuple[str, str], list[str]] = {}
    places: dict[tuple[str, SourceName], LinkPlace] = {}
    for claim in linked.claims.iter_rows(named=True):
        owners.setdefault((claim["source"], claim["match"]), []).append(claim["account_id"])
    for claim in linked.claims.iter_rows(named=True):
        account, source = claim["account_id"], claim["source"]
        place = places.setdefault((account, source), LinkPlace("unknown"))
        place.keys.append(claim["key"].strip())
        place.by = claim["by"]
        if claim["shared"]:
            place.state = "shared"
            place.others += [other for other in owners[source, claim["match"]] if other != account]
        elif claim["several"] and place.state != "shared":
            place.state = "several"
        elif claim["reason"] is None and place.state == "unknown":
            place.state = "linked"
    for source, account in linked.absent.iter_rows():
        places.setdefault((account, source), LinkPlace(by="file"))
    return places


def counts(rows: Sequence[LinkRow], source: SourceName) -> Counter[str]:
    """How many accounts stand how in a source; `linked` also by where the link comes from."""
    found: Counter[str] = Counter()
    for place in (row.places[source] for row in rows):
        found[place.state] += 1
        if place.state == "linked":
            found[f"by {place.by}"] += 1
    return found


def mapping_file(rows: Sequence[LinkRow]) -> pl.DataFrame:
    """The rows as the mapping file has them: given back as it is, the file says what holds now.

    A key that a rule found, and that its system doesn't know or has several of, is left to the rule: the cell is blank
    and the note names it.
    """
    lines = [line for row in sorted(rows, key=lambda row: row.account_id) for line in _lines(row)]
    return pl.DataFrame(lines, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def _lines(row: LinkRow) -> Iterator[tuple[str | None, ...]]:
    cells = [_cells(row.places[source]) for source in KEYS]
    by = "; ".join(f"{source} {row.places[source].by}" for source, keys in zip(KEYS, cells, strict=True) if keys)
    note = "; ".join(text for source in KEYS if (text := note_of(source, row.places[source])))
    for number, keys in enumerate(zip_longest(*cells) if any(cells) else [(None,) * len(KEYS)]):
        yield (row.account_id, row.name, *keys, *((by or None, note or None) if number == 0 else (None, None)))


def _cells(place: LinkPlace) -> list[str]:
    if place.by == "file":
        return place.keys or [ABSENT]
    return place.keys if place.state in {"linked", "shared"} and len(place.keys) == 1 else []


def note_of(source: SourceName, place: LinkPlace) -> str:
    """What is wrong with a place, in words; nothing where nothing is."""
    title, keys = TITLES[source], _some([repr(key) for key in place.keys])
    if place.state == "unknown":
        return f"{title} does not know {keys}"
    if place.state == "shared":
        return f"{title} {keys} is also linked by {_some(place.others)}"
    if place.state == "several":
        return f"{title} has several for it: {keys}"
    return ""


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {more} more" if more > 0 else "")


def data(rows: Sequence[LinkRow], sources: Sequence[SourceName]) -> dict[str, Any]:
    """The same as plain data, for --json."""
    return {
        "customers": len(rows),
        "sources": {source: {state: counts(rows, source)[state] for state in STATES} for source in sources},
        "accounts": [
            {
                "account_id": row.account_id,
                "account_name": row.name,
                **{source: _plain(row.places[source]) for source in sources},
            }
            for row in sorted(rows, key=lambda row: row.account_id)
        ],
    }


def _plain(place: LinkPlace) -> dict[str, Any]:
    return {"state": place.state, "by": place.by, "keys": place.keys, "also_linked_by": place.others}

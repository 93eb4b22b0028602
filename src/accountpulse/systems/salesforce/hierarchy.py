"""Whose account is whose parent: the customers' own, and those above them that are no customers, in the same query."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accountpulse.core.ids import to_18
from accountpulse.core.plain_text import plain
from accountpulse.systems.salesforce.currencies import CURRENCY
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.queries import OrgReading, at

ACCOUNT = "Account"
LEVELS = 5  # parents in a row that a query can name: SOQL and SOSL Reference, "Relationship Query Limitations"


def parent_fields(reading: OrgReading, name: str | None) -> tuple[str, ...]:
    """What is asked for of an account's parents, beside the field that holds the first one's id."""
    way = _way(reading, name)
    if way is None:
        return ()
    names = (f"{_path(way, level)}.Name" for level in range(1, LEVELS + 1))
    ids = (f"{_path(way, level)}.{name}" for level in range(1, LEVELS + 1))
    return tuple(path for path in (*names, *ids) if reading.find(ACCOUNT, path) is not None)


def parents(reading: OrgReading, name: str | None, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Rows of PARENTS; none where the field isn't mapped, can't be read, or leads to no accounts."""
    way = _way(reading, name)
    if way is None or name is None:
        return
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found[row["Id"]] = {**_edge(row, way, name, 0), "account_id": row["Id"], "currency": row.get(CURRENCY)}
    for row in rows:
        for level in range(1, LEVELS):
            key = _id(row, way, name, level)
            if key is None:
                break
            if key not in found:
                found[key] = {**_edge(row, way, name, level), "account_id": key, "currency": None}
    hidden = {each["parent_id"] for each in found.values() if each["parent_id"] and each["parent_name"] is None}
    if hidden:
        remedy = "give our user read access to them"
        reading.note(
            f"parents that our user can't see are shown by their ids: {len(hidden):,}, such as {min(hidden)}; {remedy}"
        )
    deeper = [row["Id"] for row in rows if _id(row, way, name, LEVELS + 1) is not None]
    if deeper:
        what = "parents above the fifth are read where they are customers alone"
        reading.note(f"{what}: {len(deeper):,} accounts have more, such as {deeper[0]}")
    yield from found.values()


def _edge(row: Row, way: str, name: str, level: int) -> Mapping[str, Any]:
    """The parent of the account that is so many levels above the row's own."""
    parent = _id(row, way, name, level + 1)
    called = at(row, f"{_path(way, level + 1)}.Name")
    spelled = " ".join(plain(called).split()) if isinstance(called, str) else ""
    return {"parent_id": parent, "parent_name": spelled or None}


def _id(row: Row, way: str, name: str, level: int) -> str | None:
    """The id of the account that is so many levels above the row's own; null where there is none."""
    path = name if level == 1 else f"{_path(way, level - 1)}.{name}"
    value = at(row, path)
    return to_18(str(value)) if value else None


def _path(way: str, level: int) -> str:
    return ".".join([way] * level)


def _way(reading: OrgReading, name: str | None) -> str | None:
    """The word that leads to the parent, such as `Parent`."""
    found = None if name is None else reading.find(ACCOUNT, name)
    if found is None or (found.relationship is not None and ACCOUNT in found.parents):
        return None if found is None else found.relationship
    reading.note(f"{ACCOUNT}.{name} is no lookup of accounts: there are no groups")
    return None

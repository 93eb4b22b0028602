"""Names of the company's own people, who own accounts and signals and give pulses, by the lookup that holds their ids.

Names are read of users and queues alone: a lookup of another object may lead to a contact, who is a customer's person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from accountpulse.core.ids import looks_like_an_id, to_18
from accountpulse.core.plain_text import plain
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.queries import OrgReading, at
from accountpulse.systems.salesforce.row_facts import counted

USER, QUEUE = "005", "00G"  # how their ids begin: Object Reference, "User" and "Group"
ACCOUNT = "Account"
STAFF = frozenset({"User", "Group"})
SHORTEST_END = 4  # characters of an id that tell two people of one name apart


@dataclass
class StaffNames:
    """Who was met in the fields that hold people of one's own, and how each is shown.

    `as_name` false: by the id, and no name is read. Rows hold ids until `shown` puts the names in their place.
    """

    reading: OrgReading
    as_name: bool
    _names: dict[str, str] = field(default_factory=dict)  # by the id of 18 characters
    _ids: set[str] = field(default_factory=set)  # all that were met
    _ways: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def fields(self, name: str, each: str | None) -> tuple[str, ...]:
        """What is asked for beside a field of an object: the person's name; of accounts also whether it is active."""
        way = self._way(name, each)
        wanted = () if way is None else (f"{way}.Name", *([f"{way}.IsActive"] if name == ACCOUNT else []))
        return tuple(path for path in wanted if self.reading.find(name, path) is not None)

    def held(self, name: str, each: str | None, row: Row) -> str | None:
        """What a row's field holds, an id of 18 characters or a text; the person's name is kept for `shown`."""
        value = None if each is None else at(row, each)
        if each is None or value is None:
            return None
        if not (self._is_lookup(name, each) or is_staff_id(str(value))):
            return str(value)
        key, way = to_18(str(value)), self._way(name, each)
        self._ids.add(key)
        called = None if way is None else at(row, f"{way}.Name")
        if isinstance(called, str) and (spelled := " ".join(plain(called).split())):
            self._names[key] = spelled
        return key

    def shown(self, table: pl.DataFrame, who: str) -> pl.DataFrame:
        """A table whose column `who` is what people read; with `<who>_id`, where it has this column, the id beside."""
        shown = table.with_columns(pl.col(who).replace(_labels(self._names)))
        if f"{who}_id" not in table.columns:
            return shown
        ids = table[who].set(~table[who].is_in(sorted(self._ids)), None)
        return shown.with_columns(ids.alias(f"{who}_id"))

    def tell(self, each: str | None, rows: Sequence[Row]) -> None:
        """Notes on accounts whose owner's name can't be seen, and on those whose owner is no longer active.

        By the ids of accounts: no person is named in a log.
        """
        way = self._way(ACCOUNT, each)
        if each is None or way is None:
            return
        owners = {str(row["Id"]): to_18(str(held)) for row in rows if (held := at(row, each)) is not None}
        hidden = [account for account, owner in owners.items() if owner not in self._names]
        idle = [str(row["Id"]) for row in rows if self._is_idle(row, each, way)]
        if hidden:
            remedy = "give our user read access to users, or write owner_as: id"
            self.reading.note(f"owner: the id is shown where the name can't be seen: {counted(hidden)}; {remedy}")
        if idle:
            self.reading.note(
                f"owner: the owner is an inactive user: {counted(idle)}; give them to somebody who is there"
            )

    def _is_idle(self, row: Row, each: str, way: str) -> bool:
        """Whether the owner is a user who is no longer active; a queue never is."""
        is_user = str(at(row, each)).startswith(USER)
        return is_user and at(row, way) is not None and at(row, way).get("IsActive") is False

    def _is_lookup(self, name: str, each: str) -> bool:
        found = self.reading.find(name, each)
        return found is not None and found.type in ("reference", "id")

    def _way(self, name: str, each: str | None) -> str | None:
        """The way from an object to the person that a lookup holds, such as `Owner`; None: nobody is named."""
        if each is None or not self.as_name:
            return None
        if (name, each) not in self._ways:
            self._ways[name, each] = self._found(name, each)
        return self._ways[name, each]

    def _found(self, name: str, each: str) -> str | None:
        found = self.reading.find(name, each)
        if found is None or found.relationship is None or not found.parents:
            return None  # absent, or a text
        if not STAFF.issuperset(found.parents):
            others = ", ".join(sorted(set(found.parents) - STAFF))
            self.reading.note(f"owner: {name}.{each} leads to {others}, and only users are named: the id is shown")
            return None
        way = ".".join([*each.split(".")[:-1], found.relationship])
        if self.reading.find(name, f"{way}.Name") is None:
            self.reading.note(f"owner: names of users can't be read by our user: {name}.{each} is shown as an id")
            return None
        return way


def is_staff_id(text: str) -> bool:
    """Whether a text is the id of a user or a queue."""
    return looks_like_an_id(text.strip()) and text.strip().startswith((USER, QUEUE))


def _labels(names: Mapping[str, str]) -> dict[str, str]:
    """How each id is shown: by its name; people of one name also by as much of the id's end as tells them apart."""
    alike: dict[str, list[str]] = {}
    for key, name in names.items():
        alike.setdefault(name.casefold(), []).append(key)
    return {key: names[key] + end for keys in alike.values() for key, end in _ends(keys)}


def _ends(keys: list[str]) -> Iterator[tuple[str, str]]:
    if len(keys) == 1:
        yield keys[0], ""
        return
    size = next(n for n in range(SHORTEST_END, 19) if len({key[-n:] for key in keys}) == len(keys))
    yield from ((key, f" (…{key[-size:]})") for key in keys)

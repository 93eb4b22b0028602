"""Each record of the org against what describe says of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NoReturn

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.schema import Field

Row = Mapping[str, Any]
ODD_RECORD = "Look at this record in the org, and run again."
_ABSENT = object()  # in place of a value that isn't in the record, which null is


@dataclass(frozen=True)
class FieldCheck:
    """The fields of an object that were asked for, each with what describe says of it.

    `usual` has those of the object itself, by name, with the types that their values have nearly always; only the
    others, and those that are reached through parents, are looked at closely.
    """

    name: str
    usual: tuple[tuple[str, frozenset[type]], ...]
    fields: tuple[tuple[tuple[str, ...], Field | None], ...]
    nested: tuple[tuple[tuple[str, ...], Field | None], ...]

    @classmethod
    def of(cls, name: str, fields: Mapping[str, Field | None]) -> "FieldCheck":
        """For these fields, by their paths."""
        split = tuple((tuple(path.split(".")), found) for path, found in fields.items())
        near = ((path[0], found.usual_types if found else frozenset()) for path, found in split if len(path) == 1)
        return cls(name, tuple(near), split, tuple(each for each in split if len(each[0]) > 1))

    def are_usual(self, rows: Sequence[Row]) -> bool:
        """Whether all records have the object's own fields in the types of nearly always, column by column."""
        try:
            return all(set(map(type, map(itemgetter(name), rows))) <= usual for name, usual in self.usual)
        except KeyError:
            return False

    def hold(self, row: Row, *, is_usual: bool = False) -> str:
        """The record's id; UnexpectedAnswer where a field doesn't come, or is of another type than describe says.

        `is_usual`: all of its own fields are known to be, by `are_usual`.
        """
        closely = self.nested
        if not is_usual and any(type(row.get(name, _ABSENT)) not in usual for name, usual in self.usual):
            closely = self.fields
        for path, definition in closely:
            if (fault := _fault(row, path, definition)) is not None:
                self._refuse(f"{'.'.join(path)} of {self._id(row)} is {fault}")
        return self._id(row)

    def _id(self, row: Row) -> str:
        identifier = row.get("Id")
        if not (isinstance(identifier, str) and looks_like_an_id(identifier)):
            self._refuse("Id is no record id")
        return str(identifier)

    def _refuse(self, what: str) -> NoReturn:
        raise UnexpectedAnswer("salesforce", f"querying {self.name}", f"{self.name}.{what}", ODD_RECORD)


def _fault(row: Row, path: tuple[str, ...], definition: Field | None) -> str | None:
    """What is wrong with a field of a row, as the end of "… is"; None: nothing, or a parent is null."""
    value: Any = row
    for word in path:
        if value is None:
            return None
        value = value.get(word, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is _ABSENT:
            return "not in the record"
    return None if definition is None or type(value) in definition.usual_types else definition.wrong(value)


def held(org: Org, name: str, fields: Mapping[str, Field | None], soql: str) -> Iterator[Row]:
    """The records of a query that selects these fields and Id, each held against describe."""
    check = FieldCheck.of(name, {**fields, "Id": Field("Id", "id", nillable=False)})
    for row in org.query(soql, name):
        check.hold(row)
        yield row

"""Each record of the org against what describe says of its fields."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.schema import Field

Row = Mapping[str, Any]
ODD_RECORD = "Look at this record in the org, and run again."
AT_ONCE = 500  # records
_ABSENT = object()  # in place of a value that isn't in the record, which null is


@dataclass(frozen=True)
class FieldCheck:
    """The fields of an object that were asked for, each by its way through parents, with what describe says of it."""

    name: str
    fields: tuple[tuple[tuple[str, ...], Field | None], ...]

    @classmethod
    def of(cls, name: str, fields: Mapping[str, Field | None]) -> "FieldCheck":
        """For these fields, by their paths."""
        return cls(name, tuple((tuple(path.split(".")), found) for path, found in fields.items()))

    def held(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The records; UnexpectedAnswer where a field doesn't come, or is of another type than it may be.

        They are looked at some hundreds at a time, column by column; one by one only where something is unusual.
        """
        for some in some_at_once(rows):
            is_usual = self._are_usual(some)
            for row in some:
                self._hold(row, is_usual=is_usual)
                yield row

    def _are_usual(self, rows: Sequence[Row]) -> bool:
        """Whether all records have all fields in the types that their values have nearly always, column by column."""
        try:
            types = [(set(map(type, _column(rows, path))), found) for path, found in self.fields]
        except (KeyError, TypeError):  # a field that didn't come, or a parent that is no record
            return False
        return all(found is None or of_values <= found.usual_types for of_values, found in types)

    def _hold(self, row: Row, *, is_usual: bool) -> None:
        for path, definition in () if is_usual else self.fields:
            if (fault := _fault(row, path, definition)) is not None:
                self._refuse(f"{'.'.join(path)} of {self._id(row)} is {fault}")
        self._id(row)

    def _id(self, row: Row) -> str:
        identifier = row.get("Id")
        if not (isinstance(identifier, str) and looks_like_an_id(identifier)):
            self._refuse("Id is no record id")
        return str(identifier)

    def _refuse(self, what: str) -> NoReturn:
        raise UnexpectedAnswer("salesforce", f"querying {self.name}", f"{self.name}.{what}", ODD_RECORD)


def _column(rows: Sequence[Row], path: Sequence[str]) -> Sequence[Any]:
    """The values of a field of all rows, but of those where a parent is null."""
    parents: Sequence[Any] = rows
    for word in path[:-1]:
        parents = [found for each in parents if (found := each[word]) is not None]
    return [each[path[-1]] for each in parents]


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


def some_at_once(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows, some hundreds at a time."""
    came = iter(rows)
    while some := list(islice(came, AT_ONCE)):
        yield some


def held(org: Org, name: str, fields: Mapping[str, Field | None], soql: str) -> Iterator[Row]:
    """The records of a query that selects these fields and Id, each held against describe."""
    check = FieldCheck.of(name, {**fields, "Id": Field("Id", "id", nillable=False)})
    yield from check.held(org.query(soql, name))

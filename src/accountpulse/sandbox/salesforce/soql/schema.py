"""What a query can see of the org: objects, fields, the way from a record to its parents."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.world.model import FieldDef, SObject

Row: TypeAlias = dict[str, Any]
Getter: TypeAlias = Callable[[Row], Any]

MAX_HOPS = 5  # parents that a path may climb; SOQL reference, "Understanding Relationship Query Limitations"


@dataclass(frozen=True)
class Path:
    """A field reached from an object: the reference fields on the way, then the field itself."""

    hops: tuple[tuple[FieldDef, SObject], ...]
    owner: SObject
    field: FieldDef


class Schema:
    """The org as one user sees it: without the fields in `hidden`, pairs of object and field name."""

    def __init__(
        self,
        objects: Mapping[str, SObject],
        hidden: AbstractSet[tuple[str, str]] = frozenset(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        nulls_compare: bool = True,
    ) -> None:
        """`objects` are used as they are at each query, so rows may come and go; date literals count from `now`.

        `nulls_compare`: see conditions.py.
        """
        self._objects = objects
        self._hidden = hidden
        self.now = now
        self.nulls_compare = nulls_compare

    def sobject(self, name: str) -> SObject:
        """The object type, whatever the case of the name; INVALID_TYPE where there is none."""
        for sobject in self._objects.values():
            if sobject.name.lower() == name.lower():
                return sobject
        raise SoqlError(
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
            "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )

    def sobjects(self) -> list[SObject]:
        """Every object type."""
        return list(self._objects.values())

    def rows(self, sobject: SObject, *, with_deleted: bool) -> Iterator[Row]:
        """The rows that this user may see; those in the bin and in the archive only `with_deleted` (queryAll)."""
        for row in sobject.rows:
            gone = row.get("IsDeleted") or row["Id"] in sobject.archived
            if row["Id"] not in sobject.unshared and (with_deleted or not gone):
                yield row

    def fields(self, sobject: SObject) -> list[FieldDef]:
        """The fields that this user may read."""
        return [field for field in sobject.fields.values() if (sobject.name, field.name) not in self._hidden]

    def field(self, sobject: SObject, name: str) -> FieldDef:
        """The field, whatever the case of the name; INVALID_FIELD where it is absent or hidden."""
        for field in self.fields(sobject):
            if field.name.lower() == name.lower():
                return field
        raise SoqlError(
            "INVALID_FIELD",
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )

    def path(self, sobject: SObject, dotted: str) -> Path:
        """Follow `Parent.Grandparent.Field` from the object; a leading name of the object itself is allowed."""
        *relationships, name = dotted.split(".")
        if relationships and relationships[0].lower() == sobject.name.lower():
            relationships = relationships[1:]
        if len(relationships) > MAX_HOPS:
            raise SoqlError("INVALID_FIELD", f"the path {dotted} climbs more than {MAX_HOPS} parents")
        hops: list[tuple[FieldDef, SObject]] = []
        for relationship in relationships:
            reference, sobject = self._parent(sobject, relationship)
            hops.append((reference, sobject))
        return Path(tuple(hops), sobject, self.field(sobject, name))

    def children(self, parent: SObject) -> list[tuple[str, SObject, FieldDef]]:
        """What refers to an object: the relationship's name as its parent calls it, the child, and its field.

        A field that no path leads through (a polymorphic one) has no such name, nor has a second field of one child.
        """
        found: dict[str, tuple[str, SObject, FieldDef]] = {}
        for child in self._objects.values():
            for field in self.fields(child):
                name = _plural(child.name)
                if field.reference_to == parent.name and field.relationship and name not in found and child != parent:
                    found[name] = (name, child, field)
        return list(found.values())

    def child(self, parent: SObject, name: str) -> tuple[str, SObject, FieldDef]:
        """One of them, whatever the case of the name; INVALID_TYPE where there is none."""
        for each in self.children(parent):
            if each[0].lower() == name.lower():
                return each
        text = f"Didn't understand relationship '{name}' in FROM part of query call."
        raise SoqlError("INVALID_TYPE", text)

    def _parent(self, sobject: SObject, relationship: str) -> tuple[FieldDef, SObject]:
        for field in self.fields(sobject):
            if (field.relationship or "").lower() == relationship.lower() and field.reference_to:
                return field, self.sobject(field.reference_to)
        raise SoqlError(
            "INVALID_FIELD",
            f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom "
            "relationship, be sure to append the '__r' after the custom relationship name.",
        )


def _plural(name: str) -> str:
    """What a parent calls its children: Contacts, Opportunities, Histories, Churn_Signals__r."""
    plain = "History" if name.endswith("History") else name.removesuffix("__c")
    several = f"{plain[:-1]}ies" if plain.endswith("y") else f"{plain}s"
    return f"{several}__r" if name.endswith("__c") else several


class Parents:
    """Rows by id, indexed once for each object that one query asks for."""

    def __init__(self) -> None:
        self._indexes: dict[str, dict[str, Row]] = {}

    def index(self, sobject: SObject) -> dict[str, Row]:
        """The object's rows by the first 15 characters of their id; a parent that isn't shared is none."""
        if sobject.name not in self._indexes:
            rows = (row for row in sobject.rows if row["Id"] not in sobject.unshared)
            self._indexes[sobject.name] = {row["Id"][:15]: row for row in rows}
        return self._indexes[sobject.name]

    def getter(self, path: Path) -> Getter:
        """A function from a row to the value at the end of the path, None where a parent is missing."""
        name = path.field.name
        if not path.hops:
            return lambda row: row.get(name)
        steps = [(reference.name, self.index(parent)) for reference, parent in path.hops]

        def climb(row: Row) -> Any:
            for reference, index in steps:
                parent = index.get((row.get(reference) or "")[:15])
                if parent is None:
                    return None
                row = parent
            return row.get(name)

        return climb

"""What describe says of an object, as far as anybody here asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import Any

NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
LISTED = frozenset({"picklist", "combobox", "multipicklist"})  # texts with values of their own
QUOTED = frozenset({"string", "picklist", "combobox", "textarea", "email", "url", "phone", "id", "reference"})
TIMES = frozenset({"date", "datetime"})
_Type = type
TEXTS = frozenset({*QUOTED, *TIMES, "multipicklist", "encryptedstring", "time"})  # that JSON writes as text


@dataclass(frozen=True)
class Field:
    """A field that our user can see; `type` is Salesforce's word for its kind."""

    name: str
    type: str = "string"
    updateable: bool = False
    createable: bool = False
    unique: bool = False
    external_id: bool = False
    length: int = 0  # characters of a text
    precision: int = 0  # digits of a number, in all
    scale: int = 0  # digits behind its point
    values: frozenset[str] | None = None  # that may be written to a restricted picklist
    picklist: tuple[str, ...] = ()  # every value, inactive ones too, since records keep them
    active: frozenset[str] = frozenset()  # those that may be chosen today
    relationship: str | None = None  # the word that leads to the parent: `Account` for AccountId
    parents: tuple[str, ...] = ()  # the objects that it may refer to
    filterable: bool = True  # may stand in WHERE: long and encrypted texts may not
    nillable: bool = True
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)  # a label → its value, where they differ

    @property
    def _may_be_null(self) -> bool:
        """A field of one's own that was made required later is still empty in older records; no checkbox ever is."""
        return self.nillable or (self.name.endswith("__c") and self.type != "boolean")

    @cached_property
    def usual_types(self) -> "frozenset[_Type]":
        """The types of the values that `wrong` has nothing against, as far as the type alone says so."""
        null = {NoneType} if self._may_be_null else set()
        if self.type == "boolean":
            return frozenset({bool} | null)
        if self.type in NUMBERS:
            return frozenset({int, float} | null)
        return frozenset({str} | null)

    def wrong(self, value: Any) -> str | None:
        """Why this can't be a value of the field, as the end of "… is"; None: it can.

        A number may be written as text. Kinds that are read by nobody here may hold anything.
        """
        if value is None:
            return None if self._may_be_null else f"null, which a {self.type} that is required can't be"
        if self.type == "boolean":
            fits = isinstance(value, bool)
        elif self.type in NUMBERS:
            fits = isinstance(value, int | float | str) and not isinstance(value, bool)
        else:
            fits = self.type not in TEXTS or isinstance(value, str)
        what = next((name for kind, name in _JSON if isinstance(value, kind)), "something else")
        return None if fits else f"{what}, which no {self.type} is"


_JSON = ((bool, "true or false"), (int | float, "a number"), (str, "a text"), (list, "a list"), (dict, "a record"))


@dataclass(frozen=True)
class ObjectDescription:
    """An object that our user can see: its fields by name, and whether records of it may be made and changed."""

    fields: Mapping[str, Field]
    createable: bool = True
    updateable: bool = True


def described(answer: Mapping[str, Any]) -> ObjectDescription:
    """A describe's answer. KeyError, TypeError or AttributeError: it is none."""
    return ObjectDescription(
        dict(_fields(answer)), bool(answer.get("createable", True)), bool(answer.get("updateable", True))
    )


def _fields(answer: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    for item in answer["fields"]:
        if not isinstance(item["name"], str):
            raise TypeError("name")
        yield item["name"], _field(item)


def _field(item: Mapping[str, Any]) -> Field:
    values = item.get("picklistValues") or ()
    active = frozenset(str(value["value"]) for value in values if value.get("active", True))
    labels = {str(value.get("label")): str(value["value"]) for value in values if value.get("label") is not None}
    return Field(
        name=item["name"],
        type=str(item.get("type", "string")),
        updateable=bool(item.get("updateable")),
        createable=bool(item.get("createable")),
        unique=bool(item.get("unique")),
        external_id=bool(item.get("externalId")),
        length=int(item.get("length") or 0),
        precision=int(item.get("precision") or 0),
        scale=int(item.get("scale") or 0),
        values=active if item.get("restrictedPicklist") else None,
        picklist=tuple(str(value["value"]) for value in values),
        active=active,
        relationship=item.get("relationshipName"),
        parents=tuple(item.get("referenceTo") or ()),
        filterable=bool(item.get("filterable", True)),
        nillable=bool(item.get("nillable", True)),
        labels={label: value for label, value in labels.items() if label != value},
    )

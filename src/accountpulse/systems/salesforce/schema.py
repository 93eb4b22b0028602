"""What describe says of an object, as far as anybody here asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import Any

import msgspec

from accountpulse.http.shape import converted

NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
LISTED = frozenset({"picklist", "combobox", "multipicklist"})  # texts with values of their own
QUOTED = frozenset({"string", "picklist", "combobox", "textarea", "email", "url", "phone", "id", "reference"})
TIMES = frozenset({"date", "datetime"})
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
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
    must_be_given: bool = False  # a new record without a value is refused
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)  # a label → its value, where they differ
    label: str = field(default="", compare=False)  # what people call it
    groupable: bool = field(default=True, compare=False)  # may stand in GROUP BY

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
        elif self.type in NUMBERS and isinstance(value, str):
            return None if _NUMBER.fullmatch(value.strip()) else f"a text that is no number, which no {self.type} is"
        elif self.type in NUMBERS:
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            fits = self.type not in TEXTS or isinstance(value, str)
        what = next((name for kind, name in _JSON if isinstance(value, kind)), "something else")
        return None if fits else f"{what}, which no {self.type} is"


_JSON = ((bool, "true or false"), (int | float, "a number"), (str, "a text"), (list, "a list"), (dict, "a record"))


@dataclass(frozen=True)
class ObjectDescription:
    """An object that our user can see: its fields by name, and whether records of it may be made and changed.

    `children`: the objects that refer to it, each with the field that does.
    """

    fields: Mapping[str, Field]
    createable: bool = True
    updateable: bool = True
    children: tuple[tuple[str, str], ...] = ()
    label: str = ""


def described(answer: Any) -> ObjectDescription:
    """A describe's answer; WrongShape where it is none."""
    found = converted(_Description, answer)
    fields = {each.name: _field(each) for each in found.fields}
    children = tuple((each.child_s_object, each.field) for each in found.child_relationships or ())
    return ObjectDescription(
        fields, found.createable is not False, found.updateable is not False, children, found.label or ""
    )


# as REST writes them: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
class _Choice(msgspec.Struct):
    value: str
    label: str | None = None
    active: bool | None = True


class _DescribedField(msgspec.Struct, rename="camel"):
    name: str
    type: str = "string"
    updateable: bool | None = False
    createable: bool | None = False
    unique: bool | None = False
    external_id: bool | None = False
    length: int | None = 0
    precision: int | None = 0
    scale: int | None = 0
    restricted_picklist: bool | None = False
    picklist_values: list[_Choice] | None = None
    relationship_name: str | None = None
    reference_to: list[str] | None = None
    filterable: bool | None = True
    groupable: bool | None = True
    nillable: bool | None = True
    label: str | None = None
    defaulted_on_create: bool | None = None
    default_value: Any = None
    default_value_formula: str | None = None

    @property
    def must_be_given(self) -> bool:
        """Whether a new record needs a value of its own: required, and nothing stands in for it."""
        required = self.nillable is False and bool(self.createable) and self.type != "boolean"
        return required and self.defaulted_on_create is False and not (self.default_value or self.default_value_formula)


class _Child(msgspec.Struct):
    child_s_object: str = msgspec.field(name="childSObject")
    field: str


class _Description(msgspec.Struct, rename="camel"):
    fields: list[_DescribedField]
    createable: bool | None = True
    updateable: bool | None = True
    child_relationships: list[_Child] | None = None
    label: str | None = None


def _field(item: _DescribedField) -> Field:
    values = item.picklist_values or ()
    active = frozenset(each.value for each in values if each.active is not False)
    return Field(
        name=item.name,
        type=item.type,
        updateable=bool(item.updateable),
        createable=bool(item.createable),
        unique=bool(item.unique),
        external_id=bool(item.external_id),
        length=item.length or 0,
        precision=item.precision or 0,
        scale=item.scale or 0,
        values=active if item.restricted_picklist else None,
        picklist=tuple(each.value for each in values),
        active=active,
        relationship=item.relationship_name,
        parents=tuple(item.reference_to or ()),
        filterable=item.filterable is not False,
        nillable=item.nillable is not False,
        label=item.label or "",
        groupable=item.groupable is not False,
        must_be_given=item.must_be_given,
        labels={each.label: each.value for each in values if each.label not in (None, each.value)},
    )

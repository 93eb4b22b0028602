"""What describe says of an object, as far as anybody here asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A field that our user can see."""

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
    relationship: str | None = None  # the word that leads to the parent: `Account` for AccountId
    parents: tuple[str, ...] = ()  # the objects that it may refer to


def fields_of(described: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a describe's answer by name."""
    return {item["name"]: _field(item) for item in described["fields"]}


def _field(item: Mapping[str, Any]) -> Field:
    values = item.get("picklistValues") or ()
    active = frozenset(str(value["value"]) for value in values if value.get("active", True))
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
        relationship=item.get("relationshipName"),
        parents=tuple(item.get("referenceTo") or ()),
    )

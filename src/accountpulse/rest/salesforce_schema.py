"""What describe says of an object, as far as anybody here asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A field that our user can see. `values` are those of its picklist, inactive ones too, since records keep them."""

    name: str
    type: str = "string"
    updateable: bool = False
    createable: bool = False
    unique: bool = False
    external_id: bool = False
    values: tuple[str, ...] = ()
    relationship: str | None = None  # the word that leads to the parent: `Account` for AccountId
    parents: tuple[str, ...] = ()  # the objects that it may refer to


def fields_of(described: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a describe's answer by name."""
    return {
        item["name"]: Field(
            item["name"],
            str(item.get("type", "string")),
            bool(item.get("updateable")),
            bool(item.get("createable")),
            bool(item.get("unique")),
            bool(item.get("externalId")),
            tuple(str(each.get("value")) for each in item.get("picklistValues") or ()),
            item.get("relationshipName"),
            tuple(item.get("referenceTo") or ()),
        )
        for item in described["fields"]
    }

"""What a mapping names in an org: fields, whose kinds are held against describe, and conditions in SOQL."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accountpulse.systems.mapping_parts import FieldKind, FieldOf, MappingBlock, fields_named
from accountpulse.systems.salesforce.choices import Only
from accountpulse.systems.salesforce.figure_settings import AccountFigure
from accountpulse.systems.salesforce.outcome_settings import RenewalOpportunities
from accountpulse.systems.salesforce.pulse_settings import Forecast, PulseField
from accountpulse.systems.salesforce.schema import TIMES, Field
from accountpulse.systems.salesforce.settings import (
    AccountFields,
    ChampionContacts,
    ChampionRoles,
    DowngradeHistory,
    Expansion,
    PaymentField,
    Renewal,
    Reviews,
)

# text among the numbers: what is none there leaves its account out with a word, and never counts as one
TYPES: Mapping[FieldKind, frozenset[str]] = {
    "date": TIMES,
    "yes/no": frozenset({"boolean"}),
    "count": frozenset({"int", "long", "double", "string"}),
    "number": frozenset({"int", "long", "double", "string"}),
    "figure": frozenset({"int", "long", "double", "percent"}),
    "money": frozenset({"currency", "double", "string"}),
    "picklist": frozenset({"picklist", "combobox"}),
    "reference": frozenset({"reference", "id"}),
    "account": frozenset({"reference", "id"}),
    "text": frozenset({"string", "textarea", "email", "url", "phone", "encryptedstring", "picklist", "combobox"}),
}
WORDS = {"boolean": "checkbox", "double": "number", "int": "number", "long": "number", "string": "text"}
KINDS: Mapping[FieldKind, str] = {
    "yes/no": "checkbox",
    "count": "number",
    "money": "currency",
    "account": "Lookup(Account)",
    "figure": "number or percent",
}
ACCOUNT = "Account"
NEAR = 3  # fields that a note offers instead

Finder = Callable[[str, str], Field | None]
Describer = Callable[[str], Mapping[str, Field] | None]


@dataclass(frozen=True)
class Unfit:
    """A key that names a field of another kind than it may: the part of the mapping, the field, and what to do."""

    part: str
    object: str
    field: str
    text: str


def unfit(block: MappingBlock, part: str, find: Finder, fields: Describer) -> Iterator[Unfit]:
    """Every field that a mapping names and whose kind it can't have; one that the org lacks is another matter.

    `part` is the block's own key where it isn't the mapping's whole. `find` says what describe has of a field, also
    through parents, and `fields` what an object has.
    """
    for named in fields_named(block):
        path = [part, *named.key.split(".")] if part else named.key.split(".")
        for name in _objects(block, named, fields):
            found = find(name, named.name)
            if found is not None and not fits(found, named.kinds):
                yield Unfit(path[0], name, named.name, _text(path, name, named, found, fields(name) or {}))


def fits(found: Field, kinds: Iterable[FieldKind]) -> bool:
    """Whether a field is of one of the kinds."""
    return any(kind == "any" or (found.type in TYPES[kind] and _leads(found, kind)) for kind in kinds)


def _leads(found: Field, kind: FieldKind) -> bool:
    """Whether a lookup may hold what the kind means; where describe doesn't say what it refers to, it may."""
    return kind != "account" or not found.parents or ACCOUNT in found.parents


def _text(path: list[str], name: str, named: FieldOf, found: Field, others: Mapping[str, Field]) -> str:
    right = [each for each, definition in others.items() if fits(definition, named.kinds)]
    near = difflib.get_close_matches(named.name, right, n=NEAR, cutoff=0.3)
    offer = f", such as {' or '.join(near)}" if near else ""
    key = ".".join(f"{int(each) + 1}" if each.isdigit() else each for each in path[1:])
    what = f"Lookup({', '.join(found.parents)})" if found.parents else WORDS.get(found.type, found.type)
    wanted = " or ".join(dict.fromkeys(KINDS.get(each, each) for each in named.kinds))
    return (
        f"{f'{key}: ' if key else ''}{name}.{named.name} is a {what} field, and this key takes a {wanted} field{offer}"
    )


def _objects(block: MappingBlock, named: FieldOf, fields: Describer) -> tuple[str, ...]:
    """The objects that have the field which a key names."""
    blocks, last = _way(block, named.key)
    owner = blocks[-1]
    if isinstance(owner, Only):
        owner = blocks[-2]
    elif isinstance(owner, DowngradeHistory) and last == "field":
        parent = (fields(owner.object) or {}).get(owner.parent)
        return () if parent is None else parent.parents
    return _objects_of(owner)


def _objects_of(block: Any) -> tuple[str, ...]:
    if isinstance(block, Renewal):
        return (block.place[0],)
    if isinstance(block, Reviews):
        return block.objects
    for kinds, name in _FIXED:
        if isinstance(block, kinds):
            return (name,)
    return (block.object,) if hasattr(block, "object") else ()


_FIXED: tuple[tuple[tuple[type, ...], str], ...] = (
    ((AccountFields, AccountFigure, PaymentField, PulseField), "Account"),
    ((ChampionRoles, ChampionContacts), "Contact"),
    ((Expansion, Forecast, RenewalOpportunities), "Opportunity"),
)


def _way(block: MappingBlock, key: str) -> tuple[list[Any], str]:
    """The blocks on the way to a key, outermost first, and its last word."""
    *words, last = key.split(".")
    found: list[Any] = [block]
    value: Any = block
    for word in words:
        if isinstance(value, MappingBlock):
            value = getattr(value, word)
        else:
            value = value[int(word)] if isinstance(value, tuple | list) else value[word]
        if isinstance(value, MappingBlock):
            found.append(value)
    return found, last


def own_texts(block: object, key: str = "salesforce") -> dict[str, str]:
    """Every `where` of a mapping, which is SOQL that its administrator wrote, with its key in accountpulse.yaml."""
    found: dict[str, str] = {}
    if isinstance(block, MappingBlock):
        for name in block.__struct_fields__:
            value, path = getattr(block, name), f"{key}.{name}"
            found |= {value: path} if name == "where" and isinstance(value, str) else own_texts(value, path)
    elif isinstance(block, tuple):
        for number, each in enumerate(block, 1):
            found |= own_texts(each, f"{key} {number}")
    return found

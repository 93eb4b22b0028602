"""What the models of accountpulse.yaml are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

import msgspec
from msgspec import structs

from accountpulse.core.catalogue import METRICS, PILLAR
from accountpulse.core.records import ACCOUNTS, SEATS
from accountpulse.core.web_links import template_problem
from accountpulse.core.yaml_structs import After, Before

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
T = TypeVar("T")


def _api_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name that the system could have (letters, digits, _ and dots)")
    return name


def _or_none(value: object) -> object:
    return None if value == "none" else value


Unless = Annotated[T | None, Before(_or_none)]  # the word `none`: this part is not used
ApiName = Annotated[str, After(_api_name)]
Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]  # one at least
MetricName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
AgeDays = Annotated[int, msgspec.Meta(ge=1, le=3650)]


def _own(name: str) -> str:
    if name == SEATS:
        raise ValueError("seats are an attribute of the account: give them as looker.seats")
    if name in METRICS or name in ACCOUNTS:
        raise ValueError("is measured already; an own metric needs a name of its own")
    if name.startswith(PILLAR):
        raise ValueError("a pillar goes under looker.platform.pillars")
    return name


OwnMetricName = Annotated[MetricName, After(_own)]


FieldKind = Literal[
    "date",
    "day",
    "month",
    "yes/no",
    "count",
    "distinct count",
    "number",
    "figure",
    "money",
    "picklist",
    "reference",
    "account",
    "text",
    "any",
]


@dataclass(frozen=True)
class FieldKinds:
    """What a key of the mapping may mean: the kinds of field that it can name, each in its system's own types.

    A system holds its own list of fields against it before anything is read.
    """

    kinds: tuple[FieldKind, ...]


DateName = Annotated[ApiName, FieldKinds(("date",))]  # a day, or an instant
YesNoName = Annotated[ApiName, FieldKinds(("yes/no",))]
CountName = Annotated[ApiName, FieldKinds(("count",))]  # a whole number of things
NumberName = Annotated[ApiName, FieldKinds(("count", "number"))]
FigureName = Annotated[ApiName, FieldKinds(("figure",))]  # a number or a percentage, no text
MoneyName = Annotated[ApiName, FieldKinds(("money", "number"))]
PicklistName = Annotated[ApiName, FieldKinds(("picklist", "text"))]  # values that the mapping lists
ReferenceName = Annotated[ApiName, FieldKinds(("reference", "text"))]  # an id
AccountName = Annotated[ApiName, FieldKinds(("account", "text"))]  # the id of an account
TextName = Annotated[ApiName, FieldKinds(("text", "picklist", "reference"))]
AnyName = Annotated[ApiName, FieldKinds(("any",))]
DayName = Annotated[ApiName, FieldKinds(("day",))]  # a whole day that rows can be grouped by
MonthName = Annotated[ApiName, FieldKinds(("month",))]  # a month of a year, likewise
# of things that come again, such as users: two of them don't add up
DistinctCountName = Annotated[ApiName, FieldKinds(("distinct count",))]

OFF = "off"


def _or_off(value: object) -> object:
    return OFF if value is False else value  # YAML reads off as false


def _template(*placeholders: str) -> After:
    def checked(text: str | None) -> str | None:
        problem = None if text is None or text == OFF else template_problem(text, placeholders)
        if problem is not None:
            raise ValueError(f"{problem}; or write off for no links")
        return text

    return After(checked)


# where people see an account in the system: a template, `off` for none, null for the usual one
AccountUrl = Annotated[str | None, Before(_or_off), _template("id", "key")]
SearchUrl = Annotated[str | None, Before(_or_off), _template("id", "key", "quoted", "jql")]


class FieldOf(NamedTuple):
    """A field that a mapping names: the path of its key (`renewal.0.date`), the name, and what it may mean."""

    key: str
    name: str
    kinds: tuple[FieldKind, ...]


def fields_named(block: msgspec.Struct, path: str = "") -> Iterator[FieldOf]:
    """Every field that a mapping names with a declared kind, through all of its parts."""
    for declared in structs.fields(block):
        place, value = f"{path}.{declared.encode_name}".lstrip("."), getattr(block, declared.name)
        kinds = kinds_of(declared.type)
        if kinds and isinstance(value, str):
            yield FieldOf(place, value, kinds)
        yield from _fields_in(value, place)


def kinds_of(annotation: Any) -> tuple[FieldKind, ...]:
    """The kinds of field that a key of a mapping may name, by its type; none where it names no field, or any."""
    found = _kind_in(annotation)
    return found.kinds if found is not None else ()


def _fields_in(value: Any, path: str) -> Iterator[FieldOf]:
    if isinstance(value, msgspec.Struct):
        yield from fields_named(value, path)
    elif isinstance(value, tuple | list):
        for number, each in enumerate(value):
            yield from _fields_in(each, f"{path}.{number}")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _fields_in(each, f"{path}.{name}")


def _kind_in(annotation: Any) -> FieldKinds | None:
    """The kind that stands beside the type, or beside a part of a union."""
    found = next((each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, FieldKinds)), None)
    return found or next((kind for part in get_args(annotation) if (kind := _kind_in(part)) is not None), None)


class MappingBlock(msgspec.Struct, frozen=True, rename={"source": "from"}):
    """Base of all parts: nothing changes after loading. The key `from` says which way something is read."""

"""The tree of a query, before anything is known about the org."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """A date literal, such as LAST_N_DAYS:90; the number is 0 where the word takes none."""

    word: str
    number: int


Value: TypeAlias = str | bool | float | date | datetime | Span | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; the operator is one of = != < <= > >=."""

    path: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Like:
    """`path LIKE pattern`."""

    path: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class In:
    """`path [NOT] IN (values)`, or the values that a query of one id field finds."""

    path: str
    negated: bool
    values: "tuple[Value, ...] | Query"


@dataclass(frozen=True, slots=True)
class Junction:
    """Several conditions joined by the same word, AND or OR."""

    word: str
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT a condition."""

    part: "Condition"


Condition: TypeAlias = Comparison | Like | In | Junction | Negation


@dataclass(frozen=True, slots=True)
class Order:
    """One field to sort by."""

    path: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function of a group: COUNT, COUNT_DISTINCT, SUM, AVG, MIN or MAX of one field, under an alias."""

    function: str
    path: str
    alias: str


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. Without `paths` and `aggregates` it is COUNT(). An `offset` of 0 caps the rows, None doesn't."""

    paths: tuple[str, ...]
    source: str
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int | None
    aggregates: tuple[Aggregate, ...] = ()
    groups: tuple[str, ...] = ()
    children: "tuple[Query, ...]" = ()  # queries of child records; their source is the relationship's name

"""The fields of an explore, held against what the mapping means by them (docs/evidence.md, rule 2).

The types are LookML's: https://cloud.google.com/looker/docs/reference/param-measure-types and
https://cloud.google.com/looker/docs/reference/param-dimension-filter-parameter-types
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from accountpulse.systems.mapping_parts import FieldKind, FieldOf

FieldCategory = Literal["dimension", "measure", "filter", "parameter"]
DEFINITIONS: Mapping[str, FieldCategory] = {
    "dimensions": "dimension", "measures": "measure", "filters": "filter", "parameters": "parameter",
}  # fmt: skip
COLUMNS: frozenset[FieldCategory] = frozenset({"dimension", "measure"})
ANY: frozenset[FieldCategory] = frozenset(DEFINITIONS.values())

_DAYS = frozenset({"date", "date_date"})
_INSTANTS = _DAYS | {
    "date_raw", "date_time", "datetime", "time",
    "date_hour", "date_minute", "date_second", "date_millisecond", "date_microsecond",
}  # fmt: skip
_IDS = frozenset({"string", "number", "int", "zipcode", "unquoted"})
_COUNTS = frozenset({"count", "count_distinct", "sum", "sum_distinct", "number", "int"})
_NUMBERS = _COUNTS | {
    "average", "average_distinct", "median", "median_distinct", "percentile", "percentile_distinct", "min", "max",
}  # fmt: skip


@dataclass(frozen=True)
class ExploreField:
    """A field of an explore. `type` None: Looker doesn't say it; the values are judged all the same."""

    name: str
    category: FieldCategory
    type: str | None = None
    view: str | None = None
    group: str | None = None  # the dimension group that a time frame belongs to
    filterable: bool = True
    in_zone: bool = True  # its days are cut in the zone of the query
    unit: str | None = None  # money or a share, by its format
    broken: bool = False  # LookML's own check finds a mistake in its definition

    @property
    def is_time(self) -> bool:
        """Whether it is a day, an instant or a longer time frame."""
        return self.type is not None and (self.type in _INSTANTS or self.type.startswith("date_"))


@dataclass(frozen=True)
class _Accepted:
    categories: frozenset[FieldCategory]
    types: frozenset[str]
    instead: str  # what to write


_ACCEPTED: Mapping[FieldKind, _Accepted] = {
    "reference": _Accepted(frozenset({"dimension"}), _IDS, "name a dimension of text or numbers that holds the id"),
    "text": _Accepted(frozenset({"dimension"}), _IDS, "name a dimension of text"),
    "day": _Accepted(frozenset({"dimension"}), _DAYS, "name the time frame `date` of a dimension group"),
    "month": _Accepted(frozenset({"dimension"}), frozenset({"date_month"}), "name the time frame `month` of the date"),
    "date": _Accepted(frozenset({"dimension", "filter"}), _INSTANTS, "name a date, such as the time frame `date`"),
    "distinct count": _Accepted(
        frozenset({"measure"}), frozenset({"count_distinct"}), "name a measure of type count_distinct that counts users"
    ),
    "count": _Accepted(frozenset({"measure"}), _COUNTS, "name a measure of type count, count_distinct or sum"),
    "number": _Accepted(frozenset({"measure"}), _NUMBERS, "name a measure that is a number"),
}


def mistake(field: ExploreField, wanted: FieldOf, own_views: Collection[str]) -> str | None:
    """Why the field can't be what the mapping means by it, and what to write instead; None: it can.

    `own_views`: the names of the explore's own view. A `count` of a joined view counts each of its rows once, however
    often the join repeats it: Looker counts distinct primary keys there.
    """
    if field.broken:
        return f"{field.name} ({wanted.key}) has a mistake in its LookML; run the LookML validator"
    accepted = _accepted(wanted)
    if accepted is None:
        return None
    is_joined_count = field.type == "count" and field.view is not None and field.view not in own_views
    types = accepted.types | ({"count"} if "distinct count" in wanted.kinds and is_joined_count else set())
    fits = field.category in accepted.categories and (field.type is None or field.type in types)
    if fits and field.unit is not None and accepted.types <= _COUNTS and field.category == "measure":
        return f"{field.name} ({wanted.key}) is formatted as {field.unit}; {accepted.instead}"
    kind = f"a {field.category}" + (f" of type {field.type}" if field.type is not None else "")
    return None if fits else f"{field.name} ({wanted.key}) is {kind}; {accepted.instead}"


def _accepted(wanted: FieldOf) -> _Accepted | None:
    """What the declared kinds allow together, the widest of a number's."""
    found = [_ACCEPTED[kind] for kind in wanted.kinds if kind in _ACCEPTED]
    return max(found, key=lambda each: len(each.types), default=None)


def unit_of(formats: Iterable[str | None]) -> str | None:
    """Whether a format shows money or a share."""
    for text in formats:
        if text and (text.startswith(("usd", "gbp", "eur")) or any(sign in text for sign in "$€£¥")):
            return "money"
        if text and (text.startswith("percent") or "%" in text):
            return "a percentage"
    return None


def nearest(name: str, known: Collection[str]) -> str:
    """A hint at the name that may have been meant."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; the nearest name is {near[0]}" if near else ""

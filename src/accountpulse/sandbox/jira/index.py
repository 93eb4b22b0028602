"""What a Jira site finds by: the places of its issues under every value, so that a search costs no scan.

A set of issues is one whole number whose bit p stands for the issue at place p; places follow creation.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from accountpulse.sandbox.jira.fields import searched
from accountpulse.sandbox.world.model import Jira, JiraIssue

CATEGORY_NAMES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
UNUSED = tuple(f"customfield_{number}" for number in range(11000, 11060))  # fields that a grown site has besides
FEW = 100  # issues of a value: their set costs less than to keep it
Value = Callable[[JiraIssue], Iterable[object]]
_ANY_BIT = re.compile(rb"[^\0]")
_BITS = [[bit for bit in range(8) if byte >> bit & 1] for byte in range(256)]


class Index:
    """The issues of a site as they were when the index was made; what changes later is not found by it."""

    def __init__(self, site: Jira) -> None:
        """Each field is read when a query first names it."""
        self.site = site
        visible = (issue for issue in site.issues if issue.project not in site.hidden)
        self.issues = sorted(visible, key=lambda issue: (issue.created, int(issue.id)))
        self.everything = (1 << len(self.issues)) - 1
        self.fields_in_use = {name for issue in self.issues for name in issue.fields}  # custom ones
        self._component_ids = component_ids(site)
        self._places: dict[str, Mapping[str, list[int]]] = {}
        self._dates: dict[str, tuple[list[datetime], list[int]]] = {}
        self._sets: dict[tuple[str, object], int] = {}

    def having(self, name: str, value: str) -> int:
        """The issues that carry a value in a field, whatever its case; of a name, of an id, of a key."""
        places = self._field(name).get(value.casefold(), ())
        return self._kept((name, value.casefold()), places) if len(places) > FEW else self._set(places)

    def worded(self, name: str, words: str) -> int:
        """The issues whose text has these words in a row; both without marks between the words."""
        found = (places for text, places in self._field(name).items() if f" {words} " in f" {plain(text)} ")
        return self._set(place for places in found for place in places)

    def filled(self, name: str) -> int:
        """The issues whose field is not empty."""
        return self._kept((name, None), (place for places in self._field(name).values() for place in places))

    def dated(self, name: str, operator: str, bound: datetime) -> int:
        """The issues whose date compares so with a bound; an empty date compares with nothing."""
        if name not in self._dates:
            dates = [(when, place) for place, issue in enumerate(self.issues) if (when := _moment(issue, name))]
            dates.sort()
            self._dates[name] = [when for when, _ in dates], [place for _, place in dates]
        moments, places = self._dates[name]
        cut = (bisect_left if operator in ("<", ">=") else bisect_right)(moments, bound)
        earlier = self._earliest(name, cut)
        return earlier if operator in ("<", "<=") else self._earliest(name, len(places)) & ~earlier

    def places(self, found: int) -> list[int]:
        """The places in a set, oldest first."""
        content = found.to_bytes(len(self.issues) // 8 + 1, "little")
        return [8 * byte.start() + bit for byte in _ANY_BIT.finditer(content) for bit in _BITS[byte[0][0]]]

    def _earliest(self, name: str, count: int) -> int:
        """The issues with the first so many dates of a field."""
        if name == "created":  # places follow it
            return (1 << count) - 1
        return self._kept((name, count), self._dates[name][1][:count])

    def _kept(self, key: tuple[str, object], places: Iterable[int]) -> int:
        """A large set, put together once."""
        if key not in self._sets:
            self._sets[key] = self._set(places)
        return self._sets[key]

    def _set(self, places: Iterable[int]) -> int:
        bits = bytearray(len(self.issues) // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def _field(self, name: str) -> Mapping[str, Sequence[int]]:
        if name not in self._places:
            found: dict[str, list[int]] = {}
            value = self._value(name)
            for place, issue in enumerate(self.issues):
                for text in {str(each).casefold() for each in value(issue) if each is not None}:
                    found.setdefault(text, []).append(place)
            self._places[name] = found
        return self._places[name]

    def _value(self, name: str) -> Value:
        if name.startswith("cf["):
            field = f"customfield_{name[3:-1]}"
            kind = self.site.field_kinds.get(field, "text")
            return lambda issue: (*_texts(issue.fields.get(field)), *searched(kind, issue.customers.get(field, ())))
        statuses, projects = {**self.site.former, **self.site.statuses}, project_ids(self.site)
        values: dict[str, Value] = {
            "project": lambda issue: (issue.project, project_name(self.site, issue.project), projects[issue.project]),
            "component": self._components,
            "labels": lambda issue: issue.labels,
            "issuetype": lambda issue: (issue.type, type_id(self.site, issue)),
            "type": lambda issue: (issue.type, type_id(self.site, issue)),
            "priority": lambda issue: (issue.priority, priority_id(self.site, issue.priority)),
            "status": lambda issue: (statuses[issue.status].name, issue.status),
            "statuscategory": lambda issue: (
                statuses[issue.status].category,
                CATEGORY_NAMES.get(statuses[issue.status].category),
                self.site.category_names.get(statuses[issue.status].category),
            ),
            "resolution": lambda issue: (issue.resolution,),
            "key": lambda issue: (issue.key,),
            "issuekey": lambda issue: (issue.key,),
            "id": lambda issue: (issue.id, issue.key),
        }
        return values[name]

    def _components(self, issue: JiraIssue) -> Iterable[object]:
        for name in issue.components:
            yield name
            yield self._component_ids.get((issue.project, name))


def component_ids(site: Jira) -> dict[tuple[str, str], str]:
    """The id of every component: they belong to one project each, however alike their names are."""
    listed = (*site.components.items(), *site.compass.items())
    pairs = [(project, name) for project, names in listed for name in names]
    return {pair: str(20000 + number) for number, pair in enumerate(pairs)}


def visible_components(site: Jira) -> dict[tuple[str, str], str]:
    """The ids of those in projects that the caller may browse, Compass's among them."""
    return {pair: number for pair, number in component_ids(site).items() if pair[0] not in site.hidden}


def project_ids(site: Jira) -> dict[str, str]:
    """The id of every project."""
    return {key: str(10000 + number) for number, key in enumerate(sorted(site.components))}


def project_name(site: Jira, key: str) -> str:
    """What people call a project."""
    return site.project_names.get(key, f"{key} project")


def type_id(site: Jira, issue: JiraIssue) -> str:
    """The id of an issue's type."""
    return issue.type_id or str(10100 + site.issue_types.index(issue.type))


def priority_id(site: Jira, name: str | None) -> str | None:
    """The id of a priority, also of one that was deleted since."""
    if name is None or name in site.former_priorities:
        return site.former_priorities.get(name or "")
    return str(1 + site.priorities.index(name))


def plain(text: str) -> str:
    """A text as text search compares it: its words, in small letters."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _moment(issue: JiraIssue, name: str) -> datetime | None:
    if name in ("resolved", "resolutiondate"):
        return issue.resolutiondate
    moments = {"created": issue.created, "updated": issue.updated}
    return moments.get(name, issue.statuscategorychangedate)


def _texts(value: object) -> Iterable[object]:
    """A custom field's values: itself, its members, or what an option is called."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield from (item[name] for name in ("value", "name", "id") if name in item)
        else:
            yield item

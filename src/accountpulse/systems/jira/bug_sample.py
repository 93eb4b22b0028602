"""What bugs carry that may name accounts: components, projects, organisations, labels and custom fields, as sampled."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from accountpulse.systems.discovery import AccountSample
from accountpulse.systems.jira.fields import ORGANIZATIONS, LinkKind, link_kind
from accountpulse.systems.jira.links import stands_alone, values_of
from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.wire import FieldSchema
from accountpulse.systems.key_match import KeyMatch, fields_of, keys
from accountpulse.systems.samples import inside, rows, text

COMPONENT, PROJECT, ORGANIZATION, LABEL, JQL = "component", "project", "organization", "label", "jql"
MOST_FIELDS = 60  # custom fields that are asked for
PLAIN_FIELDS = ("components", "labels", "project", "priority", "issuetype")
# words in names of fields that say whose an issue is; they only decide which of many fields are asked for
_WHOSE = re.compile(
    r"customer|account|client|company|tenant|organi[sz]ation|crm|salesforce|kunde|konto|firma|cliente|compte|cuenta",
    re.I,
)
_CLAUSE = re.compile(
    r"\b(component|project|labels|organizations?|summary|text|reporter|cf\[\d+\])\s*(=|~|in\s*\(|is\s)|\"\s*(=|~)", re.I
)


@dataclass(frozen=True)
class CustomField:
    """A custom field that could say whose a bug is."""

    id: str
    name: str
    kind: LinkKind
    is_organizations: bool = False


def custom_fields(listed: Iterable[Mapping[str, Any]]) -> list[CustomField]:
    """Those that can be a link, the likeliest first. Fields of people are none here: their values are names."""
    found = []
    for each in listed:
        number, schema = text(each.get("id")), _schema(each.get("schema"))
        kind = link_kind(schema)
        if kind is None or schema is None or number is None or not re.fullmatch(r"customfield_\d+", number):
            continue
        if "user" not in (schema.type, schema.items):
            found.append(CustomField(number, text(each.get("name")) or number, kind, schema.custom == ORGANIZATIONS))
    return sorted(found, key=lambda each: (not each.is_organizations, _WHOSE.search(each.name) is None))[:MOST_FIELDS]


def _schema(found: object) -> FieldSchema | None:
    try:
        return msgspec.convert(found, FieldSchema)
    except msgspec.ValidationError:
        return None


@dataclass
class BugSample:
    """Bugs as a search gave them: which values each carries, by carrier; and how many have each priority and type.

    `listed`: values that the site's lists have, also where no bug carries them.
    """

    fields: Sequence[CustomField] = ()
    carried: list[dict[str, set[str]]] = field(default_factory=list)
    priorities: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    projects: Counter[str] = field(default_factory=Counter)
    listed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, issue: Mapping[str, Any]) -> None:
        """Take what one bug carries."""
        shown = issue.get("fields")
        self.priorities.update(_names([inside(shown, "priority")], "name"))
        self.types.update(_names([inside(shown, "issuetype")], "name"))
        self.projects.update(_names([inside(shown, "project")], "key"))
        labels = inside(shown, "labels")
        values: dict[str, Iterable[str]] = {
            COMPONENT: _names(rows(inside(shown, "components")), "name"),
            PROJECT: _names([inside(shown, "project")], "key", "name"),
            LABEL: [each for each in labels if isinstance(each, str)] if isinstance(labels, list) else (),
        }
        for each in self.fields:
            found = values_of(inside(shown, each.id), each.kind)
            values[each.id] = [name for value in found for name in value.names]
        self.carried.append({carrier: set(map(folded, names)) for carrier, names in values.items()})

    def carriers(self) -> list[str]:
        """Everything that bugs can carry, the surest first: what has a list of its values before what is free."""
        order: dict[LinkKind, int] = {"value": 0, "object": 1, "number": 2, "text": 4}
        ordered = sorted(self.fields, key=lambda each: (not each.is_organizations, order[each.kind]))
        free = [each.id for each in ordered if each.kind == "text"]
        return [COMPONENT, PROJECT, *(each.id for each in ordered if each.kind != "text"), LABEL, *free]

    def matches(self, accounts: AccountSample) -> Iterator[KeyMatch]:
        """Each carrier against each field of the account: how many of its values bugs carry, and how many bugs tell.

        Without a bug, what the site lists stands for what bugs carry.
        """
        ours = {name: keys(values, folded) for name, values in fields_of(accounts).items()}
        for carrier in self.carriers():
            seen = [each[carrier] for each in self.carried] if self.carried else [self.listed.get(carrier, set())]
            known: set[str] = set().union(*seen)
            for name, values in ours.items():
                if linked := len(known & values):
                    told = sum(not values.isdisjoint(each) for each in seen)
                    yield KeyMatch(carrier, name, linked, 0, len(values), len(known), told)

    def known(self, match: KeyMatch, accounts: AccountSample) -> int | None:
        """How many of the account's values the site lists; None: it has no list of them."""
        listed = self.listed.get(match.carrier)
        return len(keys(fields_of(accounts)[match.field], folded) & listed) if listed else None


def clauses(accounts: AccountSample) -> dict[str, list[str]]:
    """Fields of the account whose values are mostly clauses of JQL, with these."""
    found = {}
    for name, values in accounts.fields.items():
        like = sorted(value for value in values if _CLAUSE.search(value) and stands_alone(value))
        if like and 2 * len(like) >= len(values):
            found[name] = like
    return found


def _names(items: Iterable[object], *ways: str) -> list[str]:
    return [name for each in items for way in ways if (name := text(inside(each, way))) is not None]

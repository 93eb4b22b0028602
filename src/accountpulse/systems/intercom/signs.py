"""What makes a conversation P1/P2, or an escalation, by the company's rules: true, false, or null for not known.

Any sign is enough. Where none is seen, each has to be known for "no": a priority that the version doesn't list, a list
that is cut, an attribute of another kind say nothing.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from accountpulse.systems.intercom.settings import IntercomMapping
from accountpulse.systems.intercom.wire import (
    Conversation,
    ConversationWithAttributes,
    LinkedTicket,
    Tags,
    is_cut,
)

BACK_OFFICE = frozenset({"Back-office", "Tracker"})
OTHERS = frozenset({"Customer"})  # of the categories that are known
LEVELS = frozenset({"none", "low", "medium", "high", "urgent"})  # of a priority, from 2.16 on
FLAG = frozenset({"priority", "not_priority"})  # before

_WHOLE = re.compile(r"(-?\d+)\.0+", re.ASCII)

Sign = bool | None  # null: not known


def at_least(version: str, first: str) -> bool:
    """Whether an API version has what `first` brought."""
    return tuple(map(int, version.split("."))) >= tuple(map(int, first.split(".")))


def lists_attributes(version: str) -> bool:
    """Whether search shows the custom attributes of conversations: 2.12 and 2.13 don't."""
    return version == "2.11" or at_least(version, "2.14")


class PrioritySigns:
    """What makes a conversation P1/P2. `is_shown`: whether the API version can show anything that is configured."""

    def __init__(self, mapping: IntercomMapping, version: str) -> None:
        """`version` decides what can be seen of a priority and of attributes."""
        rule, levels = mapping.priority, at_least(version, "2.16")
        self.tags = folded(rule.tags)
        self.attribute = rule.attribute if lists_attributes(version) else None
        self._urgent = frozenset(rule.levels if levels else ("priority",) if rule.flag else ())
        self._known = LEVELS if levels else FLAG
        self._values = frozenset(map(attribute_text, self.attribute.values)) if self.attribute else frozenset()
        self.looks_at_priority = bool(self._urgent)
        self.is_shown = bool(self._urgent or self.tags or self.attribute)

    def of(self, rows: Sequence[Conversation]) -> list[Sign]:
        """One for each conversation."""
        if not self.is_shown:
            return [None] * len(rows)
        if self.tags or self.attribute is not None:
            return [_any_of(self._priority(row.priority), self._tagged(row), self._valued(row)) for row in rows]
        return [self._priority(row.priority) for row in rows]

    def _priority(self, priority: str | None) -> Sign:
        if not self._urgent or priority in self._known:
            return priority in self._urgent
        return None

    def _tagged(self, row: Conversation) -> Sign:
        return tagged(row.tags, self.tags) if self.tags else False

    def _valued(self, row: Conversation) -> Sign:
        if self.attribute is None:
            return False
        attributes = row.custom_attributes if isinstance(row, ConversationWithAttributes) else None
        if attributes is None:
            return None
        value = attributes.get(self.attribute.name)  # absent or null: nobody has set it
        if value is not None and not isinstance(value, str | int | float):
            return None
        return value is not None and attribute_text(value) in self._values


class EscalationSigns:
    """What makes a conversation an escalation. `is_shown`: whether anything is configured."""

    def __init__(self, mapping: IntercomMapping) -> None:
        """All of it can be seen at every version."""
        rule = mapping.escalation
        self.tags = folded(rule.tags)
        self.teams = frozenset(rule.teams)
        self.linked_tickets = rule.linked_tickets
        self.is_shown = bool(self.tags or self.teams or self.linked_tickets)

    def of(self, rows: Sequence[Conversation]) -> list[Sign]:
        """One for each conversation."""
        if not self.is_shown:
            return [None] * len(rows)
        return [self._of(row) for row in rows]

    def _of(self, row: Conversation) -> Sign:
        seen = tagged(row.tags, self.tags) if self.tags else False
        if seen or (self.teams and attribute_text(row.team_assignee_id or 0) in self.teams):  # 0 or null: nobody's
            return True
        is_linked = self._linked(row) if self.linked_tickets else False
        return is_linked or (None if seen is None else is_linked)

    def _linked(self, row: Conversation) -> Sign:
        linked = row.linked_objects
        if linked is None or linked.data is None:
            return None
        rest = None if (linked.total_count or linked.has_more) and is_cut(linked.data, linked) else False
        return _any_of(*map(_is_back_office, linked.data), rest) if linked.data else rest


def tagged(tags: Tags | None, wanted: frozenset[str]) -> Sign:
    """Whether one of these names or ids is among the tags."""
    if tags is None or tags.tags is None:
        return None
    seen: Sign = None if (tags.total_count or tags.has_more) and is_cut(tags.tags, tags) else False
    for tag in tags.tags:
        if tag.id in wanted or (tag.name is not None and fold(tag.name) in wanted):
            return True
        if tag.name is None:
            seen = None
    return seen


def _is_back_office(linked: LinkedTicket) -> Sign:
    if linked.category in BACK_OFFICE:
        return True
    return False if linked.category in OTHERS or linked.type == "conversation" else None


def _any_of(*signs: Sign) -> Sign:
    return True if True in signs else None if None in signs else False


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """A name to compare with: blanks around it and case don't matter."""
    return text.strip().casefold()


def folded(texts: Iterable[object]) -> frozenset[str]:
    """Names to compare with."""
    return frozenset(fold(str(text)) for text in texts)


def attribute_text(value: object) -> str:
    """An attribute's value to compare with: `42`, `42.0` and `"42"` are one, and so are `true` and `"True"`."""
    text = fold(str(value))
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text

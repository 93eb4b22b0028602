"""Finds conversations by their times without looking at all of them, and keeps each one's text.

A page of a slice is then two searches in sorted lists and one join, however many conversations there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from accountpulse.sandbox.intercom import shapes
from accountpulse.sandbox.intercom.search import CONVERSATION_FIELDS, Matcher
from accountpulse.sandbox.world.model import Conversation, Intercom

Positions = Sequence[int]  # places in the list by time of creation
FEW = 20  # one in so many
SORTED = ("statistics.last_close_at", "conversation_rating.requested_at")


class Index:
    """The conversations by time of creation, and by when they were last closed or asked for a rating."""

    def __init__(self, conversations: Iterable[Conversation], *, inclusive: bool = False) -> None:
        """`inclusive`: a bound belongs to what it bounds."""
        self.conversations = sorted(conversations, key=lambda conversation: (conversation.created_at, conversation.id))
        self._inclusive = inclusive
        self._created = [conversation.created_at.timestamp() for conversation in self.conversations]
        self._sorted = {name: self._by(name) for name in SORTED}

    def _by(self, name: str) -> tuple[list[float], list[int]]:
        read = CONVERSATION_FIELDS[name]
        pairs = sorted(
            (at, place)
            for place, conversation in enumerate(self.conversations)
            if (at := read(conversation)) is not None
        )
        return [at for at, _ in pairs], [place for _, place in pairs]

    def find(self, query: Any) -> Positions:
        """What a query means; SearchError where it means nothing."""
        matcher = Matcher(query, CONVERSATION_FIELDS, inclusive=self._inclusive)
        near = self._near(query)
        if isinstance(near, range) and _only_created(query):
            return near
        return [place for place in near if matcher.test(self.conversations[place])]

    def _near(self, query: dict[str, Any]) -> Positions:
        """Everything that a query can mean, and maybe more."""
        operator, value = query["operator"], query["value"]
        if operator == "AND":
            return self._all_of(value)
        if operator == "OR":
            parts = [self._near(part) for part in value]
            whole = any(isinstance(part, range) for part in parts)
            return range(len(self.conversations)) if whole else sorted({place for part in parts for place in part})
        if query["field"] == "created_at" and operator in ("<", ">"):
            return self._bounded(self._created, operator, float(value))
        if query["field"] in SORTED and operator in ("<", ">"):
            times, places = self._sorted[query["field"]]
            found = self._bounded(times, operator, float(value))
            return sorted(places[found.start : found.stop])
        return range(len(self.conversations))

    def _all_of(self, parts: list[dict[str, Any]]) -> Positions:
        ranges = [near for part in parts if _only_created(part) and isinstance(near := self._near(part), range)]
        common = range(max((each.start for each in ranges), default=0), len(self.conversations))
        common = range(common.start, max(common.start, min((each.stop for each in ranges), default=common.stop)))
        others = [part for part in parts if not _only_created(part)]
        few = len(common) * FEW <= len(self.conversations)  # looking at these is less than gathering the others
        if few or not others:
            return common
        return min([common, *map(self._near, others)], key=len)

    def _bounded(self, times: list[float], operator: str, bound: float) -> range:
        if operator == "<":
            return range((bisect_right if self._inclusive else bisect_left)(times, bound))
        return range((bisect_left if self._inclusive else bisect_right)(times, bound), len(times))

    def sorted(self, found: Positions, sort: dict[str, Any] | None) -> Positions:
        """In the wanted order; by creation where none is wanted."""
        if not sort:
            return found
        read = CONVERSATION_FIELDS.get(str(sort.get("field")))
        if read is None:
            return found
        if sort["field"] != "created_at":
            found = sorted(found, key=lambda place: (read(self.conversations[place]) or 0, place))
        return found[::-1] if sort.get("order") == "descending" else found


def _only_created(query: dict[str, Any]) -> bool:
    """Whether a query bounds the time of creation and asks for nothing else."""
    if query["operator"] == "AND":
        return all(map(_only_created, query["value"]))
    return query.get("field") == "created_at" and query["operator"] in ("<", ">")


class EncodedConversations:
    """Each conversation as search lists it, written once a version."""

    def __init__(
        self, workspace: Intercom, conversations: Sequence[Conversation], version: str, *, iso: bool = False
    ) -> None:
        """Nothing is written before it is asked for."""
        self._workspace, self._conversations, self._version, self._iso = workspace, conversations, version, iso
        self._texts: list[bytes | None] = [None] * len(conversations)

    def joined(self, found: Positions) -> bytes:
        """The conversations at these places, with commas between."""
        texts = self._texts
        return b",".join([texts[place] or self._written(place) for place in found])

    def _written(self, place: int) -> bytes:
        shown = shapes.conversation_json(self._workspace, self._conversations[place], self._version, whole=False)
        if self._iso and shown["statistics"] and not self._conversations[place].iso_times:
            shown["statistics"] = shapes.with_iso_times(shown["statistics"])
        self._texts[place] = text = msgspec.json.encode(shown)
        return text

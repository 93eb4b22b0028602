"""The query language of Intercom's search, for the fields that we know; anything else is refused.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/searchconversations
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import inf
from operator import ge, gt, le, lt
from typing import Any, Generic, TypeVar

from accountpulse.sandbox.world.model import Conversation, Rating, SupportContact

T = TypeVar("T")
Reader = Callable[[T], Any]
MOST_FILTERS = 15
DEEPEST = 2
LONGEST_ARRAY = 150
COMPARISONS = {("<", False): lt, (">", False): gt, ("<", True): le, (">", True): ge}  # whether with the bound itself


class SearchError(Exception):
    """A query that is answered with 400."""


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


CONVERSATION_FIELDS: Mapping[str, Reader[Conversation]] = {
    "id": lambda conversation: conversation.id,
    "created_at": lambda conversation: _at(conversation.created_at),
    "updated_at": lambda conversation: _at(conversation.updated_at),
    "state": lambda conversation: conversation.state,
    "priority": lambda conversation: conversation.priority,
    "contact_ids": lambda conversation: conversation.contact_ids,
    "team_assignee_id": lambda conversation: conversation.team_id,
    "statistics.first_contact_reply_at": lambda conversation: _at(conversation.first_contact_reply_at),
    "statistics.first_admin_reply_at": lambda conversation: _at(conversation.first_admin_reply_at),
    "statistics.last_close_at": lambda conversation: _at(conversation.last_close_at),
    "conversation_rating.requested_at": lambda conversation: (
        _at(rating.requested_at) if (rating := _rating(conversation)) else None
    ),
    "conversation_rating.score": lambda conversation: rating.score if (rating := _rating(conversation)) else None,
}
CONTACT_FIELDS: Mapping[str, Reader[SupportContact]] = {
    "id": lambda person: person.id,
    "external_id": lambda person: person.external_id,
    "role": lambda person: person.role,
    "created_at": lambda person: _at(person.created_at),
    "updated_at": lambda person: _at(person.created_at),
}


def _rating(conversation: Conversation) -> Rating | None:
    return conversation.rating if conversation.rating is not None and not conversation.rating.by_bot else None


class Matcher(Generic[T]):
    """A query as a test of one object."""

    def __init__(
        self,
        query: Any,
        fields: Mapping[str, Reader[T]],
        *,
        inclusive: bool = False,
        longest_array: int = LONGEST_ARRAY,
    ) -> None:
        """Checks the whole query first; SearchError says what is wrong."""
        self._fields = fields
        self._inclusive = inclusive
        self._longest = longest_array
        self.test = self._compiled(query, DEEPEST)

    def _compiled(self, query: Any, depth: int) -> Callable[[T], bool]:
        if not isinstance(query, dict) or "operator" not in query or "value" not in query:
            raise SearchError("query must have an operator and a value")
        if query["operator"] in ("AND", "OR"):
            return self._group(query, depth)
        return self._filter(query)

    def _group(self, query: dict[str, Any], depth: int) -> Callable[[T], bool]:
        parts = query["value"]
        if not isinstance(parts, list) or not 0 < len(parts) <= MOST_FILTERS:
            raise SearchError(f"a group has 1 to {MOST_FILTERS} filters")
        if depth == 0:
            raise SearchError(f"groups nest {DEEPEST} levels deep at most")
        tests = [self._compiled(part, depth - 1) for part in parts]
        if query["operator"] == "AND":
            return lambda item: all(test(item) for test in tests)
        return lambda item: any(test(item) for test in tests)

    def _filter(self, query: dict[str, Any]) -> Callable[[T], bool]:
        read, wanted, operator = self._fields.get(query.get("field", "")), query["value"], query["operator"]
        if read is None:
            raise SearchError(f"field {query.get('field')!r} can't be searched")
        if operator in ("IN", "NIN"):
            if not isinstance(wanted, list) or not 0 < len(wanted) <= self._longest:
                raise SearchError(f"{operator} takes an array of 1 to {self._longest} values")
            values = {str(each) for each in wanted}
            return lambda item: bool(_texts(read(item)) & values) == (operator == "IN")
        if operator in ("=", "!="):
            return lambda item: (str(wanted) in _texts(read(item))) == (operator == "=")
        if operator not in ("<", ">"):
            raise SearchError(f"operator {operator!r} is not valid")
        bound = _number(wanted)
        compare = COMPARISONS[operator, self._inclusive]
        if query["field"] == "id":
            return lambda item: compare(_number(read(item)), bound)
        return lambda item: (value := read(item)) is not None and compare(value, bound)


def _number(value: Any) -> float:
    """A time, or an id of digits; an empty one comes before all others."""
    try:
        return float(value) if value != "" else -inf
    except (TypeError, ValueError):
        raise SearchError(f"{type(value).__name__} can't be compared with < or >") from None


def _texts(value: Any) -> set[str]:
    return {str(each) for each in value} if isinstance(value, list) else {str(value)}

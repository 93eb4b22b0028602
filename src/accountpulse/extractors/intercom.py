"""Intercom → support conversations: one walk over the whole workspace, attributed in memory.

Search can't filter by company, so each account's own search would cost far more and miss what was assigned by hand.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import polars as pl

from accountpulse.extractors.base import Request
from accountpulse.extractors.intercom_companies import Companies
from accountpulse.extractors.intercom_shapes import (
    Conversation,
    ConversationPage,
    Next,
    Pages,
    Statistics,
    attributes,
    milliseconds,
    present,
)
from accountpulse.period import Window
from accountpulse.records import TABLES, Extract, Reason
from accountpulse.rest import client
from accountpulse.rest.client import Client
from accountpulse.rest.paging import PageGuard
from accountpulse.settings.access import IntercomAccess
from accountpulse.settings.mapping import Escalation, IntercomMapping, Priority

PAGE = 150  # the most that search gives
PAD = 1  # second: whether `>` includes its bound is not documented; the exact window is applied here
LEVELS_SINCE = "2.16"  # before, priority was a flag
CUSTOMERS = frozenset({"user", "lead", "contact"})
BACK_OFFICE = frozenset({"Back-office", "Tracker"})
REMEDIES = {
    401: "Check INTERCOM_API_TOKEN, and that INTERCOM_BASE_URL is the host of its region.",
    403: "Give the token of INTERCOM_API_TOKEN the permission to read conversations, contacts and companies.",
}

_PAGE = msgspec.json.Decoder(ConversationPage)
_ONE = msgspec.json.Decoder(Conversation)


def extract(request: Request) -> Extract:
    """Conversations that were created, last closed, or asked for a rating in the window; tickets left out.

    `keys` hold Intercom's id of the company, or the workspace's own, as `intercom.holds` says.
    """
    access = request.settings.intercom
    if access is None:
        raise ValueError("intercom is not configured")
    return client.run(_extract(request, access))


async def _extract(request: Request, access: IntercomAccess) -> Extract:
    mapping = request.settings.mapping.intercom
    headers = {"Authorization": f"Bearer {access.token.reveal()}", "Intercom-Version": access.version}
    bundle = request.settings.ca_bundle
    async with Client("intercom", access.base_url, headers, request.meter, REMEDIES, bundle) as web:
        reader = Reader(mapping, access.version, request.scope.window)
        companies = Companies(web, mapping.holds)
        rows: list[dict[str, Any]] = []
        async for conversation in _search(web, request):
            if (row := reader.row(conversation)) is not None:
                whole = await _completed(web, conversation)
                companies.note(whole)
                rows.append(reader.row(whole) or row)
        owners = await companies.owners()
        unknown = await companies.unknown(request.keys)
    for row in rows:
        row["keys"] = owners.get(row["conversation_id"], [])
    table = pl.DataFrame(rows, schema=TABLES["conversations"], orient="row")
    return Extract("intercom", {"conversations": table}, reader.gaps(), unknown, reader.notes(companies))


async def _search(web: Client, request: Request) -> AsyncIterator[Conversation]:
    """Every conversation that may matter, each once."""
    body: dict[str, Any] = {"query": query(request.scope.window), "pagination": {"per_page": PAGE}}
    guard, seen, cursor = PageGuard("intercom", "conversations"), set[str](), None
    while True:
        page = await web.post("/conversations/search", _PAGE, body)
        cursor = cursor_of(page.pages)
        guard.check(cursor, len(page.conversations))
        for conversation in page.conversations:
            if conversation.id not in seen:
                seen.add(conversation.id)
                yield conversation
        request.progress(len(seen), page.total_count)
        if cursor is None:
            return
        body["pagination"] = {"per_page": PAGE, "starting_after": cursor}


def query(window: Window) -> dict[str, Any]:
    """Created before the end of the window, and created, closed or asked for a rating since its start."""
    since = int((window.start - timedelta(seconds=PAD)).timestamp())
    until = int((window.end + timedelta(seconds=PAD)).timestamp())
    fields = ("created_at", "statistics.last_close_at", "conversation_rating.requested_at")
    recent = [{"field": field, "operator": ">", "value": since} for field in fields]
    before = {"field": "created_at", "operator": "<", "value": until}
    # the vendor's schema knows arrays of conditions and arrays of groups, never both in one
    groups = [{"operator": "AND", "value": [before]}, {"operator": "OR", "value": recent}]
    return {"operator": "AND", "value": groups}


def cursor_of(pages: Pages | None) -> str | None:
    """The cursor of the next page; None at the end."""
    return pages.next.starting_after if pages is not None and isinstance(pages.next, Next) else None


async def _completed(web: Client, conversation: Conversation) -> Conversation:
    """The conversation with whole lists: search may cut them, reading it alone doesn't."""
    contacts, linked = conversation.contacts, conversation.linked_objects
    short = (contacts is not None and (contacts.total_count or 0) > len(contacts.contacts or [])) or (
        linked is not None and (linked.total_count or 0) > len(linked.data or [])
    )
    if not short:
        return conversation
    return await web.get(f"/conversations/{conversation.id}", _ONE)


class Reader:
    """Turns conversations into rows by the company's rules."""

    def __init__(self, mapping: IntercomMapping, version: str, window: Window) -> None:
        """`version` decides what a priority can say."""
        self._mapping = mapping
        self._start = round(window.start.timestamp() * 1000)
        self._end = round(window.end.timestamp() * 1000)
        self._levels = frozenset(mapping.priority.levels if version >= LEVELS_SINCE else ())
        self._tickets = 0

    def row(self, conversation: Conversation) -> dict[str, Any] | None:
        """The columns of CONVERSATIONS but `keys`; None where the conversation doesn't matter to the window."""
        statistics = conversation.statistics or Statistics()
        created = milliseconds(conversation.created_at)
        closed = milliseconds(statistics.last_close_at) if conversation.state == "closed" else None
        rating = conversation.conversation_rating
        asked = milliseconds(rating.created_at) if rating is not None else None
        if created is None or created >= self._end or not any(map(self._inside, (created, closed, asked))):
            return None
        if present(conversation.ticket):
            self._tickets += 1
            return None
        first, answer = self._durations(statistics)
        score = rating.rating if rating is not None and asked is not None else None
        return {
            "conversation_id": conversation.id,
            "created_at": created,
            "customer_involved": _customer_involved(conversation, statistics),
            "p1_p2": self._p1_p2(conversation, self._mapping.priority),
            "escalated": _escalated(conversation, self._mapping.escalation),
            "first_response_ms": first,
            "last_closed_at": closed,
            "resolution_ms": answer if closed is not None else None,
            "rating_asked_at": asked,
            "rating": score if score is not None and 1 <= score <= 5 else None,
        }

    def gaps(self) -> dict[str, Reason]:
        """Metrics that the configured rules can't show at this version."""
        gaps: dict[str, Reason] = {}
        if not self._p1_p2_visible():
            gaps["p1_p2_pct"] = "not_configured"
        if not _escalation_configured(self._mapping.escalation):
            gaps["escalation_pct"] = "not_configured"
        return gaps

    def notes(self, companies: Companies) -> tuple[str, ...]:
        """What the reader should know about this walk."""
        notes = [*companies.notes]
        if self._tickets:
            notes.append(f"{self._tickets:,} tickets among the conversations were left out")
        return tuple(notes)

    def _inside(self, moment: int | None) -> bool:
        return moment is not None and self._start <= moment < self._end

    def _durations(self, statistics: Statistics) -> tuple[int | None, int | None]:
        """First response and resolution in milliseconds, on the configured basis."""
        if self._mapping.time_basis == "office_hours":
            return _seconds(statistics.time_to_admin_reply), _seconds(statistics.time_to_last_close)
        begun = milliseconds(statistics.first_contact_reply_at)
        return (
            _span(begun, milliseconds(statistics.first_admin_reply_at)),
            _span(begun, milliseconds(statistics.last_close_at)),
        )

    def _p1_p2_visible(self) -> bool:
        return bool(self._levels or self._mapping.priority.tags or self._mapping.priority.attribute)

    def _p1_p2(self, conversation: Conversation, rule: Priority) -> bool | None:
        if not self._p1_p2_visible():
            return None
        if conversation.priority in self._levels or _tagged(conversation, rule.tags):
            return True
        if rule.attribute is None:
            return False
        value = attributes(conversation.custom_attributes).get(rule.attribute.name)
        return _folded(value) in {_folded(wanted) for wanted in rule.attribute.values}


def _customer_involved(conversation: Conversation, statistics: Statistics) -> bool:
    author = conversation.source.author if conversation.source is not None else None
    replied = statistics.first_contact_reply_at is not None or present(conversation.first_contact_reply)
    return replied or (author is not None and author.type in CUSTOMERS)


def _escalation_configured(rule: Escalation) -> bool:
    return bool(rule.tags or rule.teams or rule.linked_tickets)


def _escalated(conversation: Conversation, rule: Escalation) -> bool | None:
    if not _escalation_configured(rule):
        return None
    linked = conversation.linked_objects.data if conversation.linked_objects is not None else None
    return (
        _tagged(conversation, rule.tags)
        or str(conversation.team_assignee_id) in rule.teams
        or (rule.linked_tickets and any(ticket.category in BACK_OFFICE for ticket in linked or ()))
    )


def _tagged(conversation: Conversation, wanted: tuple[str, ...]) -> bool:
    """Whether a tag has one of the wanted names or ids; blanks and case don't matter."""
    tags = conversation.tags.tags if conversation.tags is not None else None
    names = {_folded(text) for tag in tags or () for text in (tag.id, tag.name) if text}
    return not names.isdisjoint(map(_folded, wanted))


def _folded(value: object) -> str:
    return str(value).strip().casefold()


def _seconds(value: float | None) -> int | None:
    return None if value is None or value < 0 else round(value * 1000)


def _span(begin: int | None, end: int | None) -> int | None:
    return end - begin if begin is not None and end is not None and end >= begin else None

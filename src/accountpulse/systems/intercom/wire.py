"""The parts of Intercom's answers that we decode, and nothing else: no body, subject or e-mail address.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from accountpulse.core.errors import UnexpectedAnswer

Moment = int | float | str | None  # seconds, or ISO: both have been seen in statistics
MILLISECONDS = 100_000_000_000  # from here on a time is in milliseconds: as seconds it would be the year 5138


class IntercomStruct(msgspec.Struct, gc=False):
    """Base of all shapes; fields that are not named are skipped undecoded."""


class Presence(IntercomStruct):
    """Anything of which only counts that it is there."""


class Item(IntercomStruct):
    """Anything of which only the id counts."""

    id: str | int | None = None


class Tag(IntercomStruct):
    """A tag: ids and names can be configured."""

    id: str | None = None
    name: str | None = None


class CutList(IntercomStruct):
    """A list in an object: it may be cut, and these tell."""

    total_count: int | None = None
    has_more: bool | None = None


class Tags(CutList):
    """The tags of a conversation."""

    tags: list[Tag] | None = None


class Author(IntercomStruct):
    """Who began a conversation, or was rated: user, lead, contact, admin, bot and others."""

    type: str | None = None


class Origin(IntercomStruct):
    """The first message, without its content."""

    author: Author | None = None
    delivered_as: str | None = None


class Statistics(IntercomStruct):
    """Intercom's own clockwork; durations are seconds within office hours."""

    time_to_admin_reply: float | None = None
    time_to_last_close: float | None = None
    first_contact_reply_at: Moment = None
    first_admin_reply_at: Moment = None
    last_close_at: Moment = None


class Rating(IntercomStruct):
    """A CSAT request; `created_at` is when it was asked, `rating` null until it is answered.

    Where nobody asked there is none, or one with nothing in it. `teammate`: who was rated.
    """

    rating: int | float | str | None = None
    created_at: Moment = None
    contact: Presence | None = None
    teammate: Author | None = None


class LinkedTicket(IntercomStruct):
    """A ticket that is linked to a conversation."""

    type: str | None = None
    category: str | None = None


class LinkedObjects(CutList):
    """Linked tickets and conversations: at most 1,000, wherever they are listed."""

    data: list[LinkedTicket] | None = None


class Contacts(CutList):
    """The people of a conversation."""

    contacts: list[Item] | None = None


class Company(IntercomStruct):
    """A company: Intercom's `id`, and the `company_id` that the workspace's own system gave it, as it was written."""

    id: str
    company_id: str | int | None = None

    @property
    def own(self) -> str | None:
        """The workspace's own id of it as text; None where it has none."""
        own = self.company_id
        return own or None if own is None or isinstance(own, str) else str(own)


class Conversation(IntercomStruct):
    """One conversation, as search lists it."""

    id: str
    created_at: Moment = None
    state: str | None = None
    priority: str | None = None
    source: Origin | None = None
    statistics: Statistics | None = None
    first_contact_reply: Presence | None = None
    ticket: Presence | None = None
    tags: Tags | None = None
    conversation_rating: Rating | None = None
    contacts: Contacts | None = None
    company: Company | None = None
    team_assignee_id: int | float | str | None = None
    linked_objects: LinkedObjects | None = None


class ConversationWithAttributes(Conversation):
    """One conversation with its custom attributes, where a rule looks at one of them."""

    custom_attributes: dict[str, Any] | None = None


class Next(IntercomStruct):
    """Where the next page begins."""

    starting_after: str | None = None


class Pages(IntercomStruct):
    """The paging part of an answer; companies have a link or null where conversations have a cursor."""

    next: Next | str | None = None
    per_page: int | None = None
    total_pages: int | None = None


class ConversationPage(IntercomStruct):
    """One page of the search."""

    conversations: Sequence[Conversation]
    pages: Pages | None = None
    total_count: int | None = None


class PageWithAttributes(ConversationPage):
    """The same, with custom attributes."""

    conversations: Sequence[ConversationWithAttributes]


class CompanyRefs(CutList):
    """The companies of a contact: at most ten are listed."""

    data: list[Item] | None = None


class Contact(IntercomStruct):
    """A contact: who it is and where it belongs."""

    id: str
    companies: CompanyRefs | None = None


class ContactPage(IntercomStruct):
    """One page of contacts."""

    data: list[Contact]
    pages: Pages | None = None


class CompanyPage(IntercomStruct):
    """One page of companies."""

    data: list[Company]
    pages: Pages | None = None


class AttachedPage(IntercomStruct):
    """One page of one contact's companies."""

    companies: list[Company] | None = None
    data: list[Company] | None = None
    total_count: int | None = None
    pages: Pages | None = None


class NamedItem(IntercomStruct):
    """A tag or a team of the workspace."""

    id: str | int | None = None
    name: str | None = None


class NamedItems(IntercomStruct):
    """All tags or all teams: they come whole."""

    data: list[NamedItem] | None = None
    teams: list[NamedItem] | None = None
    tags: list[NamedItem] | None = None


class AttributeOption(IntercomStruct):
    """A value that an attribute can have."""

    label: str | None = None
    archived: bool | None = None


class DataAttribute(IntercomStruct):
    """What the workspace may note of its companies or conversations; options are texts, or objects from 2.16 on."""

    name: str
    data_type: str | None = None
    options: list[AttributeOption | str] | None = None
    archived: bool | None = None
    custom: bool | None = None


class DataAttributes(IntercomStruct):
    """All attributes of one kind of object: they come whole."""

    data: list[DataAttribute]


def milliseconds(moment: Moment, whose: str = "a time") -> int | None:
    """A time as milliseconds since 1970: from seconds, milliseconds, a number in text, or ISO; null stays null.

    `whose` names the field and the record where it is none of these.
    """
    if moment is None or moment == "":
        return None
    if isinstance(moment, str) and not re.fullmatch(r"-?\d+(\.\d+)?", moment, re.ASCII):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError:
            remedy = "Please report it: this version doesn't know such a time."
            raise UnexpectedAnswer("intercom", f"reading {whose}", "neither seconds nor ISO", remedy) from None
        return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
    number = float(moment)
    return round(number if number >= MILLISECONDS else number * 1000)


def is_cut(listed: Sequence[object] | None, counted: CutList) -> bool:
    """Whether a list has more than it shows."""
    return counted.has_more is True or (counted.total_count or 0) > len(listed or ())


def with_lists(whole: Conversation, listed: Conversation) -> Conversation:
    """A conversation that was read alone, with what search listed of it: neither takes back what the other shows.

    Where both together are shorter than search has counted, they stay cut. Created it was when search found it to be.
    """
    return msgspec.structs.replace(
        whole,
        created_at=listed.created_at,
        tags=_united(whole.tags, listed.tags, "tags"),
        contacts=_united(whole.contacts, listed.contacts, "contacts"),
        linked_objects=_united(whole.linked_objects, listed.linked_objects, "data"),
    )


L = TypeVar("L", Tags, Contacts, LinkedObjects)


def _united(whole: L | None, listed: L | None, items: str) -> L | None:
    if whole is None or listed is None:
        return whole or listed
    first: Sequence[Any] | None = getattr(whole, items)
    second: Sequence[Any] | None = getattr(listed, items)
    more: list[Any] = [each for each in second or () if each not in (first or ())]
    changes = {} if first is None and second is None else {items: [*(first or ()), *more]}
    total = max(whole.total_count or 0, listed.total_count or 0)
    return msgspec.structs.replace(whole, **changes, total_count=total)


def cursor_of(pages: Pages | None) -> str | None:
    """The cursor of the next page; None at the end."""
    return pages.next.starting_after if pages is not None and isinstance(pages.next, Next) else None

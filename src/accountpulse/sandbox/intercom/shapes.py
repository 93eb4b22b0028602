"""Intercom's objects as its API writes them, by version; texts are invented, to show that nobody keeps them."""

from datetime import datetime
from typing import Any

from accountpulse.sandbox.world.model import Company, Conversation, Intercom, Rating, SupportContact

SHOWN_TICKETS = 3  # more are cut in search answers, as are contacts; reading a conversation alone shows all
SHOWN_CONTACTS = 5
SHOWN_COMPANIES = 10  # of a contact
APP = "sandbox"
MESSAGE = "<p>" + "An invented message that nobody should keep. " * 12 + "</p>"  # as long as they usually are
Json = dict[str, Any]
DELIVERED = {"admin": "admin_initiated", "bot": "automated"}


def seconds(moment: datetime | None) -> int | None:
    """A time as Intercom writes it."""
    return None if moment is None else int(moment.timestamp())


def conversation(state: Intercom, talk: Conversation, version: str, *, whole: bool) -> Json:
    """A conversation: as search lists it, or whole."""
    people = talk.contact_ids if whole else talk.contact_ids[:SHOWN_CONTACTS]
    linked = talk.linked_tickets if whole else talk.linked_tickets[:SHOWN_TICKETS]
    levels = version >= "2.16"
    nobody = 0 if levels else None
    shown: Json = {
        "type": "conversation",
        "id": talk.id,
        "title": None,
        "created_at": seconds(talk.created_at),
        "updated_at": seconds(talk.updated_at),
        "waiting_since": None,
        "snoozed_until": None,
        "open": talk.state == "open",
        "state": talk.state,
        "read": True,
        "priority": talk.priority if levels else "priority" if talk.priority in ("urgent", "high") else "not_priority",
        "admin_assignee_id": talk.admin_id or nobody,
        "team_assignee_id": talk.team_id or nobody,
        "tags": {"type": "tag.list", "tags": [_tag(name) for name in talk.tags]},
        "conversation_rating": _rating(state, talk, talk.rating),
        "source": _source(talk),
        "contacts": {"type": "contact.list", "contacts": [_person(state, person) for person in people]},
        "teammates": {"type": "admin.list", "teammates": []},
        "first_contact_reply": None,
        "sla_applied": None,
        "statistics": _statistics(talk),
        "linked_objects": {
            "type": "list",
            "total_count": len(talk.linked_tickets),
            "has_more": len(linked) < len(talk.linked_tickets),
            "data": [{"type": "ticket", "id": f"7{n}{talk.id}", "category": name} for n, name in enumerate(linked)],
        },
        "ai_agent_participated": talk.rating is not None and talk.rating.by_bot,
        "ai_agent": _agent(talk.rating, version),
    }
    if len(people) < len(talk.contact_ids):
        shown["contacts"]["total_count"] = len(talk.contact_ids)
    if talk.first_contact_reply_at is not None:
        shown["first_contact_reply"] = {
            "created_at": seconds(talk.first_contact_reply_at), "type": "conversation", "url": None,
        }  # fmt: skip
    shown |= _by_version(state, talk, version)
    if talk.is_ticket:
        shown["ticket"] = {"id": int(talk.id), "type": "ticket"}
    if whole:
        shown["conversation_parts"] = {"type": "conversation_part.list", "conversation_parts": [], "total_count": 0}
    return shown


def _by_version(state: Intercom, talk: Conversation, version: str) -> Json:
    """What came, went and came back."""
    shown: Json = {}
    if version == "2.11" or version >= "2.14":
        shown["custom_attributes"] = talk.custom_attributes
    if version >= "2.15":
        known = state.companies.get(talk.company_id or "")
        shown["company"] = company(known) if known is not None else None
    if version >= "2.16":
        shown |= {"sales_agent_participated": False, "sales_agent": None, "external_references": []}
    return shown


def company(known: Company) -> Json:
    """A company."""
    return {
        "type": "company",
        "id": known.id,
        "app_id": APP,
        "company_id": known.company_id,
        "name": known.name,
        "created_at": seconds(known.created_at),
        "updated_at": seconds(known.created_at),
        "user_count": len(known.contact_ids),
        "custom_attributes": known.custom_attributes,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": {},
    }


def contact(person: SupportContact) -> Json:
    """A contact, with at most ten of its companies."""
    listed = person.company_ids[:SHOWN_COMPANIES]
    refs = [{"id": each, "type": "company", "url": f"/companies/{each}"} for each in listed]
    total = len(person.company_ids)
    return {
        "type": "contact",
        "id": person.id,
        "workspace_id": APP,
        "external_id": person.external_id,
        "role": person.role,
        "email": f"{person.external_id}@sandbox.example",
        "name": "Somebody",
        "created_at": seconds(person.created_at),
        "updated_at": seconds(person.created_at),
        "custom_attributes": {},
        "companies": {
            "type": "list",
            "data": refs,
            "url": f"/contacts/{person.id}/companies",
            "total_count": total,
            "has_more": total > len(refs),
        },
    }


def _person(state: Intercom, identifier: str) -> Json:
    return {"type": "contact", "id": identifier, "external_id": state.contacts[identifier].external_id}


def _source(talk: Conversation) -> Json:
    return {
        "type": talk.source_type,
        "id": f"9{talk.id}",
        "delivered_as": DELIVERED.get(talk.author_type, "customer_initiated"),
        "subject": "An invented subject",
        "body": MESSAGE,
        "author": {"type": talk.author_type, "id": "1", "name": "Somebody", "email": "somebody@sandbox.example"},
        "attachments": [],
        "url": None,
        "redacted": False,
    }


def _tag(name: str) -> Json:
    return {"type": "tag", "id": str(sum(map(ord, name))), "name": name}


def _rating(state: Intercom, talk: Conversation, rating: Rating | None) -> Json | None:
    """Null where nobody asked; asked and not answered is an object without a rating."""
    if rating is None or rating.by_bot:
        return None
    return {
        "rating": rating.score,
        "remark": "" if rating.score else None,
        "created_at": seconds(rating.requested_at),
        "contact": _person(state, talk.contact_ids[0]),
        "teammate": {"type": "admin", "id": "991"},
    }


def _agent(rating: Rating | None, version: str) -> Json | None:
    if rating is None or not rating.by_bot:
        return None
    return {
        "source_type": "workflow",
        "source_title": None,
        "last_answer_type": None,
        "resolution_state": "escalated" if version >= "2.15" else "routed_to_team",
        "rating": rating.score,
        "rating_remark": None,
    }


def _statistics(talk: Conversation) -> Json | None:
    if talk.first_contact_reply_at is None and talk.last_close_at is None:
        return None
    replied, closed = seconds(talk.first_admin_reply_at), talk.last_close_at is not None
    return {
        "type": "conversation_statistics",
        "time_to_assignment": talk.office_seconds_to_reply,
        "time_to_admin_reply": talk.office_seconds_to_reply,
        "time_to_first_close": talk.office_seconds_to_last_close,
        "time_to_last_close": talk.office_seconds_to_last_close,
        "median_time_to_reply": talk.office_seconds_to_reply,
        "first_contact_reply_at": seconds(talk.first_contact_reply_at),
        "first_assignment_at": replied,
        "first_admin_reply_at": replied,
        "first_close_at": seconds(talk.first_close_at),
        "last_assignment_at": replied,
        "last_assignment_admin_reply_at": replied,
        "last_contact_reply_at": seconds(talk.first_contact_reply_at),
        "last_admin_reply_at": replied,
        "last_close_at": seconds(talk.last_close_at),
        "last_closed_by_id": "991" if closed else None,
        "count_reopens": talk.reopens,
        "count_assignments": 1,
        "count_conversation_parts": 2,
    }

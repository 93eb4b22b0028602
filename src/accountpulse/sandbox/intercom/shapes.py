"""Intercom's objects as its API writes them, by version; texts are invented, to show that nobody keeps them."""

from datetime import UTC, datetime
from typing import Any

from accountpulse.sandbox.world.model import Company, Conversation, Intercom, Rating, SupportContact

SHOWN_TICKETS = 3  # more are cut in search answers, as are contacts; reading a conversation alone shows all
SHOWN_CONTACTS = 5
SHOWN_TAGS = 5
SHOWN_COMPANIES = 10  # of a contact
APP = "sandbox"
MESSAGE = "<p>" + "An invented message that nobody should keep. " * 12 + "</p>"  # as long as they usually are
Json = dict[str, Any]
DELIVERED = {"admin": "admin_initiated", "bot": "automated"}


def seconds(moment: datetime | None) -> int | None:
    """A time as Intercom writes it."""
    return None if moment is None else int(moment.timestamp())


def conversation_json(workspace: Intercom, conversation: Conversation, version: str, *, whole: bool) -> Json:
    """A conversation: as search lists it, or whole."""
    people = conversation.contact_ids if whole else conversation.contact_ids[:SHOWN_CONTACTS]
    tickets = conversation.linked_tickets if whole else conversation.linked_tickets[:SHOWN_TICKETS]
    tags = conversation.tags if whole else conversation.tags[:SHOWN_TAGS]
    levels = version >= "2.16"
    nobody = 0 if levels else None
    shown: Json = {
        "type": "conversation",
        "id": conversation.id,
        "title": None,
        "created_at": seconds(conversation.created_at),
        "updated_at": seconds(conversation.updated_at),
        "waiting_since": None,
        "snoozed_until": None,
        "open": conversation.state == "open",
        "state": conversation.state,
        "read": True,
        "priority": conversation.priority if levels else _old_priority(conversation),
        "admin_assignee_id": conversation.admin_id or nobody,
        "team_assignee_id": conversation.team_id or nobody,
        "tags": {"type": "tag.list", "tags": [tag(name) for name in tags]},
        "conversation_rating": _rating(workspace, conversation, conversation.rating),
        "source": _source(conversation),
        "contacts": {"type": "contact.list", "contacts": [_person(workspace, person) for person in people]},
        "teammates": {"type": "admin.list", "teammates": []},
        "first_contact_reply": None,
        "sla_applied": None,
        "statistics": _statistics(conversation),
        "linked_objects": _linked_objects(conversation, tickets),
        "ai_agent_participated": conversation.rating is not None and conversation.rating.by_bot,
        "ai_agent": _agent(conversation.rating, version),
    }
    if len(people) < len(conversation.contact_ids):
        shown["contacts"]["total_count"] = len(conversation.contact_ids)
    if len(tags) < len(conversation.tags):
        shown["tags"]["total_count"] = len(conversation.tags)
    if conversation.first_contact_reply_at is not None:
        shown["first_contact_reply"] = {
            "created_at": seconds(conversation.first_contact_reply_at), "type": "conversation", "url": None,
        }  # fmt: skip
    shown |= _by_version(workspace, conversation, version)
    if conversation.is_ticket:
        shown["ticket"] = {"id": int(conversation.id), "type": "ticket"}
    if whole:
        shown["conversation_parts"] = {"type": "conversation_part.list", "conversation_parts": [], "total_count": 0}
    return shown


def _old_priority(conversation: Conversation) -> str:
    return "priority" if conversation.priority in ("urgent", "high") else "not_priority"


def _linked_objects(conversation: Conversation, tickets: list[str]) -> Json:
    return {
        "type": "list",
        "total_count": len(conversation.linked_tickets),
        "has_more": len(tickets) < len(conversation.linked_tickets) and not conversation.cut_unsaid,
        "data": [
            {"type": "ticket", "id": f"7{n}{conversation.id}", "category": name} for n, name in enumerate(tickets)
        ],
    }


def _by_version(workspace: Intercom, conversation: Conversation, version: str) -> Json:
    """What came, went and came back."""
    shown: Json = {}
    if version == "2.11" or version >= "2.14":
        shown["custom_attributes"] = conversation.custom_attributes
    if version >= "2.15":
        company = workspace.companies.get(conversation.company_id or "")
        shown["company"] = company_json(company) if company is not None else None
    if version >= "2.16":
        shown |= {"sales_agent_participated": False, "sales_agent": None, "external_references": []}
    return shown


def company_json(company: Company) -> Json:
    """A company."""
    return {
        "type": "company",
        "id": company.id,
        "app_id": APP,
        "company_id": company.company_id,
        "name": company.name,
        "created_at": seconds(company.created_at),
        "updated_at": seconds(company.created_at),
        "user_count": len(company.contact_ids),
        "website": company.website or "",  # as the vendor does where none is known
        "custom_attributes": company.custom_attributes,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": {},
    }


def contact_json(person: SupportContact) -> Json:
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
        "email": f"{person.external_id}@{person.mail_domain}",
        "name": "Somebody",
        "created_at": seconds(person.created_at),
        "updated_at": seconds(person.created_at),
        "custom_attributes": {},
        "tags": _nothing(f"/contacts/{person.id}/tags"),
        "notes": _nothing(f"/contacts/{person.id}/notes"),
        "companies": {
            "type": "list",
            "data": refs,
            "url": f"/contacts/{person.id}/companies",
            "total_count": total,
            "has_more": total > len(refs) and not person.cut_unsaid,
        },
    }


def _nothing(address: str) -> Json:
    """An empty list with the address of the whole of it."""
    return {"type": "list", "data": [], "url": address, "total_count": 0, "has_more": False}


def _person(workspace: Intercom, identifier: str) -> Json:
    return {"type": "contact", "id": identifier, "external_id": workspace.contacts[identifier].external_id}


def _source(conversation: Conversation) -> Json:
    return {
        "type": conversation.source_type,
        "id": f"9{conversation.id}",
        "delivered_as": DELIVERED.get(conversation.author_type, "customer_initiated"),
        "subject": "An invented subject",
        "body": MESSAGE,
        "author": {
            "type": conversation.author_type,
            "id": "1",
            "name": "Somebody",
            "email": "somebody@sandbox.example",
        },
        "attachments": [],
        "url": None,
        "redacted": False,
    }


def tag(name: str) -> Json:
    """A tag: the same id wherever it is."""
    return {"type": "tag", "id": str(sum(map(ord, name))), "name": name}


def _rating(workspace: Intercom, conversation: Conversation, rating: Rating | None) -> Json | None:
    """Null where nobody asked; asked and not answered is an object without a rating."""
    if rating is None or rating.by_bot:
        return None
    return {
        "rating": rating.score if rating.written is None else rating.written,
        "remark": "" if rating.score else None,
        "created_at": None if rating.undated else seconds(rating.requested_at),
        "contact": _person(workspace, conversation.contact_ids[0]),
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


def _statistics(conversation: Conversation) -> Json | None:
    if conversation.untimed or (conversation.first_contact_reply_at is None and conversation.last_close_at is None):
        return None
    replied, closed = seconds(conversation.first_admin_reply_at), conversation.last_close_at is not None
    shown: Json = {
        "type": "conversation_statistics",
        "time_to_assignment": conversation.office_seconds_to_reply,
        "time_to_admin_reply": conversation.office_seconds_to_reply,
        "time_to_first_close": conversation.office_seconds_to_last_close,
        "time_to_last_close": conversation.office_seconds_to_last_close,
        "median_time_to_reply": conversation.office_seconds_to_reply,
        "first_contact_reply_at": seconds(conversation.first_contact_reply_at),
        "first_assignment_at": replied,
        "first_admin_reply_at": replied,
        "first_close_at": seconds(conversation.first_close_at),
        "last_assignment_at": replied,
        "last_assignment_admin_reply_at": replied,
        "last_contact_reply_at": seconds(conversation.first_contact_reply_at),
        "last_admin_reply_at": replied,
        "last_close_at": seconds(conversation.last_close_at),
        "last_closed_by_id": "991" if closed else None,
        "count_reopens": conversation.reopens,
        "count_assignments": 1,
        "count_conversation_parts": 2,
    }
    return with_iso_times(shown) if conversation.iso_times else shown


def with_iso_times(statistics: Json) -> Json:
    """The same statistics with ISO times, as some answers have them."""
    times = {name: at for name, at in statistics.items() if name.endswith("_at") and at is not None}
    return {**statistics, **{name: _iso(at) for name, at in times.items()}}


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

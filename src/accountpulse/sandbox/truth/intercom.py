"""The true conversations of Intercom: whom each belongs to, and what happened in it."""

from datetime import datetime

from accountpulse.sandbox.truth.support import ConversationsOf, SupportConversation
from accountpulse.sandbox.world.model import Conversation, Customer, Intercom


def intercom_conversations(workspace: Intercom) -> ConversationsOf:
    """The workspace's conversations by customer; tickets are none."""
    by_company: dict[str, list[SupportConversation]] = {}
    for conversation in workspace.conversations:
        if not conversation.is_ticket:
            for company in _companies(workspace, conversation):
                by_company.setdefault(company, []).append(_neutral(conversation))

    def conversations_of(customer: Customer) -> list[SupportConversation] | None:
        company = customer.intercom_company
        return None if company is None or company not in workspace.companies else by_company.get(company, [])

    return conversations_of


def _companies(workspace: Intercom, conversation: Conversation) -> set[str]:
    """Whom a conversation belongs to: its company, else the companies of the people in it; a lead's is nobody's."""
    company = conversation.company_id
    if company is not None and not workspace.companies[company].company_id.endswith("-qualification-company"):
        return {company}
    return {company for person in conversation.contact_ids for company in workspace.contacts[person].company_ids}


def _neutral(conversation: Conversation) -> SupportConversation:
    began = conversation.first_contact_reply_at
    closed_at = conversation.last_close_at if conversation.state == "closed" else None
    rating = conversation.rating if conversation.rating is not None and not conversation.rating.by_bot else None
    return SupportConversation(
        id=conversation.id,
        created_at=conversation.created_at,
        customer_involved=began is not None or conversation.author_type in ("user", "lead", "contact"),
        urgent=conversation.priority in ("urgent", "high"),
        escalated=_escalated(conversation),
        first_response_seconds=_seconds(began, conversation.first_admin_reply_at),
        closed_at=closed_at,
        resolution_seconds=_seconds(began, closed_at),
        rating_requested_at=None if rating is None else rating.requested_at,
        rating=None if rating is None else rating.score,
    )


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _escalated(conversation: Conversation) -> bool:
    tags = {tag.strip().lower() for tag in conversation.tags}
    return bool(tags & {"escalated", "escalation"}) or bool(
        {"Back-office", "Tracker"} & set(conversation.linked_tickets)
    )

"""The true conversations of a crooked workspace: whose each is, and what of it can't be known."""

from datetime import datetime

from accountpulse.sandbox.truth.support import ConversationsOf, SupportConversation
from accountpulse.sandbox.world.model import Conversation, Customer, Intercom
from accountpulse.sandbox.world.org import long_id

PRIORITIES = ("none", "low", "medium", "high", "urgent")
SHOWN_TICKETS, SHOWN_CONTACTS = 3, 5  # of a conversation that can't be read by itself any more
LINKED = "salesforce_account_id"


def crooked_conversations(workspace: Intercom) -> ConversationsOf:
    """The workspace's conversations by customer; tickets are none."""
    by_company: dict[str, list[SupportConversation]] = {}
    for conversation in workspace.conversations:
        if not conversation.is_ticket:
            for company in _companies(workspace, conversation):
                by_company.setdefault(company, []).append(_neutral(workspace, conversation))

    def conversations_of(customer: Customer) -> list[SupportConversation] | None:
        company = _linked(workspace, customer)
        return None if company is None else by_company.get(company, [])

    return conversations_of


def _linked(workspace: Intercom, customer: Customer) -> str | None:
    """The customer's company, found as this company looks for it; an id of fifteen characters is that of eighteen."""
    if workspace.link == "id":
        return customer.intercom_company if customer.intercom_company in workspace.companies else None
    for company in workspace.companies.values():
        own = company.company_id if workspace.link == "company_id" else company.custom_attributes.get(LINKED)
        listed = workspace.link == "company_id" or company.contact_ids  # the list leaves out those without users
        if listed and own and _same_account(str(own), customer.account_id):
            return company.id
    return None


def _same_account(written: str, account_id: str) -> bool:
    text = written.strip()
    return len(text) in (15, 18) and long_id(text) == account_id


def _companies(workspace: Intercom, conversation: Conversation) -> set[str]:
    """Whom it belongs to: its company, else those of its people; a lead's made-up company is nobody's.

    Who was merged is whom he became, where the version says so; who was deleted belongs to nobody any more. Before
    2.15 a conversation doesn't show its company.
    """
    company = workspace.companies.get(conversation.company_id or "") if workspace.version >= "2.15" else None
    if company is not None and not company.company_id.endswith("-qualification-company"):
        return {company.id}
    people = [workspace.contacts[each] for each in conversation.contact_ids]
    if workspace.version >= "2.16":
        people = [workspace.contacts[each.merged_into] if each.merged_into else each for each in people]
    people = people[:SHOWN_CONTACTS] if conversation.gone else people
    there = [person for person in people if person.state in ("active", "archived")]
    return {company for person in there for company in person.company_ids}


def _neutral(workspace: Intercom, conversation: Conversation) -> SupportConversation:
    began = conversation.first_contact_reply_at
    closed_at = conversation.last_close_at if conversation.state == "closed" else None
    rating = conversation.rating if conversation.rating is not None and not conversation.rating.by_bot else None
    urgent, escalated = _urgent(workspace, conversation), _escalated(conversation)
    unknown = {"p1_p2_pct"} if urgent is None else set()
    unknown |= {"escalation_pct"} if escalated is None else set()
    if conversation.untimed:  # closed, and nobody says when, or whether anybody had answered
        unknown |= {"median_first_response_seconds", "median_resolution_seconds"}
    answered = _seconds(began, conversation.first_admin_reply_at)
    if answered is not None and answered < 0:
        unknown |= {"median_first_response_seconds"}
    if rating is not None and rating.undated:
        unknown |= {"csat_score", "csat_response_rate"}
    return SupportConversation(
        id=conversation.id,
        created_at=conversation.created_at,
        customer_involved=began is not None or conversation.author_type in ("user", "lead", "contact"),
        urgent=urgent,
        escalated=escalated,
        first_response_seconds=answered,
        closed_at=closed_at,
        resolution_seconds=_seconds(began, closed_at),
        rating_requested_at=None if rating is None else rating.requested_at,
        rating=None if rating is None else rating.score,
        unknown=frozenset(unknown),
    )


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _urgent(workspace: Intercom, conversation: Conversation) -> bool | None:
    """By its level, or by the attribute; None where the level means nothing that is known."""
    name, values = workspace.urgent_when or ("", ())
    value = conversation.custom_attributes.get(name)
    if conversation.priority in ("urgent", "high") or (value is not None and f"{value}".removesuffix(".0") in values):
        return True
    return False if conversation.priority in PRIORITIES else None


def _escalated(conversation: Conversation) -> bool | None:
    """None where the sign may stand in a part of the list that nobody can read any more."""
    tags = {tag.strip().lower() for tag in conversation.tags}
    tickets = conversation.linked_tickets[:SHOWN_TICKETS] if conversation.gone else conversation.linked_tickets
    if tags & {"escalated", "escalation"} or {"Back-office", "Tracker"} & set(tickets):
        return True
    return None if len(tickets) < len(conversation.linked_tickets) else False

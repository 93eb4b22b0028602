"""The truth about support."""

import statistics
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from accountpulse.sandbox.world.model import Conversation, Customer, World

METRICS = (
    "total_conversations",
    "p1_p2_pct",
    "escalation_pct",
    "median_first_response_seconds",
    "median_resolution_seconds",
    "csat_score",
    "csat_response_rate",
)


class Instants(Protocol):
    """What support needs to know of the period."""

    @property
    def as_of(self) -> datetime:
        """The end of everything."""

    def in_window(self, moment: datetime | None) -> bool:
        """Whether a moment counts."""


def support(world: World, at: Instants) -> Callable[[Customer], dict[str, float | str]]:
    """A teller of one customer's support metrics."""
    belonging: dict[str, list[Conversation]] = {}
    for talk in world.intercom.conversations:
        if talk.is_ticket or talk.created_at >= at.as_of:
            continue
        for company in _companies(world, talk):
            belonging.setdefault(company, []).append(talk)

    def tell(customer: Customer) -> dict[str, float | str]:
        if customer.intercom_company is None or customer.intercom_company not in world.intercom.companies:
            return dict.fromkeys(METRICS, "not_linked")
        return _measured(belonging.get(customer.intercom_company, []), at)

    return tell


def _companies(world: World, talk: Conversation) -> set[str]:
    """Whom a conversation belongs to: its company, else the companies of the people in it; a lead's is nobody's."""
    if talk.company_id is not None and not _of_a_lead(world, talk.company_id):
        return {talk.company_id}
    return {company for person in talk.contact_ids for company in world.intercom.contacts[person].company_ids}


def _of_a_lead(world: World, company: str) -> bool:
    return world.intercom.companies[company].company_id.endswith("-qualification-company")


def _with_customer(talk: Conversation) -> bool:
    return talk.first_contact_reply_at is not None or talk.author_type in ("user", "lead", "contact")


def _measured(talks: list[Conversation], at: Instants) -> dict[str, float | str]:
    counted = [talk for talk in talks if _with_customer(talk) and at.in_window(talk.created_at)]
    urgent = [talk for talk in counted if talk.priority in ("urgent", "high")]
    escalated = [talk for talk in counted if _escalated(talk)]
    answers = [
        (talk.first_admin_reply_at - talk.first_contact_reply_at).total_seconds()
        for talk in counted
        if talk.first_admin_reply_at is not None and talk.first_contact_reply_at is not None
    ]
    closes = [
        (talk.last_close_at - talk.first_contact_reply_at).total_seconds()
        for talk in talks
        if _with_customer(talk)
        and talk.state == "closed"
        and at.in_window(talk.last_close_at)
        and talk.last_close_at is not None
        and talk.first_contact_reply_at is not None
    ]
    asked = [talk.rating for talk in talks if talk.rating is not None and not talk.rating.by_bot]
    asked = [rating for rating in asked if at.in_window(rating.requested_at)]
    scores = [rating.score for rating in asked if rating.score is not None]
    none = "no_evidence"
    return {
        "total_conversations": len(counted),
        "p1_p2_pct": 100 * len(urgent) / len(counted) if counted else none,
        "escalation_pct": 100 * len(escalated) / len(counted) if counted else none,
        "median_first_response_seconds": statistics.median(answers) if answers else none,
        "median_resolution_seconds": statistics.median(closes) if closes else none,
        "csat_score": 100 * sum(score >= 4 for score in scores) / len(scores) if scores else none,
        "csat_response_rate": 100 * len(scores) / len(asked) if asked else none,
    }


def _escalated(talk: Conversation) -> bool:
    tags = {tag.strip().lower() for tag in talk.tags}
    return bool(tags & {"escalated", "escalation"}) or bool({"Back-office", "Tracker"} & set(talk.linked_tickets))

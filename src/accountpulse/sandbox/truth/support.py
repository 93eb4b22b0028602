"""The truth about support, over the conversations of all systems that have some."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from accountpulse.sandbox.truth.instants import Instants, Truth, Value, Values
from accountpulse.sandbox.world.model import Customer

METRICS = (
    "total_conversations",
    "p1_p2_pct",
    "escalation_pct",
    "median_first_response_seconds",
    "median_resolution_seconds",
    "csat_score",
    "csat_response_rate",
)
OF_CREATION = METRICS[:4]  # those over the conversations that were created in the window


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportConversation:
    """A conversation of a customer, whichever system it is in; `id` is unique within that system.

    `urgent` and `escalated` are None where the system can't say so. Durations count from the customer's first message.
    """

    id: str
    created_at: datetime
    customer_involved: bool
    urgent: bool | None = None
    escalated: bool | None = None
    first_response_seconds: float | None = None  # None: nobody has answered
    closed_at: datetime | None = None  # the last time; None: it is open
    resolution_seconds: float | None = None  # up to `closed_at`
    rating_requested_at: datetime | None = None  # None: nobody asked
    rating: int | None = None  # 1 to 5; None: nobody rated
    unknown: frozenset[str] = frozenset()  # metrics that can't be told of it


# a customer's conversations in one system; None: the customer isn't linked there
ConversationsOf: TypeAlias = Callable[[Customer], Iterable[SupportConversation] | None]


def support_truth(systems: Sequence[ConversationsOf], at: Instants) -> Truth:
    """Support metrics of a customer over all systems where it is linked."""

    def measure(customer: Customer) -> Values:
        linked = [found for conversations_of in systems if (found := conversations_of(customer)) is not None]
        if not linked:
            return dict.fromkeys(METRICS, "not_linked")
        return _measured([each for found in linked for each in found if each.created_at < at.as_of], at)

    return measure


def _measured(conversations: list[SupportConversation], at: Instants) -> Values:
    involved = [each for each in conversations if each.customer_involved]
    counted = [each for each in involved if at.in_window(each.created_at)]
    closed = [each for each in involved if at.in_window(each.closed_at)]
    asked = [each for each in conversations if at.in_window(each.rating_requested_at)]
    scores = [each.rating for each in asked if each.rating is not None]
    unclear = {metric for each in involved for metric in each.unknown - set(OF_CREATION)}
    unclear |= {metric for each in counted for metric in each.unknown}
    measured: Values = {
        "total_conversations": len(counted),
        "p1_p2_pct": _percent(each.urgent for each in counted),
        "escalation_pct": _percent(each.escalated for each in counted),
        "median_first_response_seconds": _median(each.first_response_seconds for each in counted),
        "median_resolution_seconds": _median(each.resolution_seconds for each in closed),
        "csat_score": _percent(score >= 4 for score in scores),
        "csat_response_rate": _percent(each.rating is not None for each in asked),
    }
    return measured | dict.fromkeys(unclear, "unclear")


def _percent(flags: Iterable[bool | None]) -> Value:
    """How many percent are true of those that say."""
    given = list(flags)
    present = [flag for flag in given if flag is not None]
    if given and not present:
        return "not_configured"
    return 100 * sum(present) / len(present) if present else "no_evidence"


def _median(durations: Iterable[float | None]) -> Value:
    present = [duration for duration in durations if duration is not None]
    return statistics.median(present) if present else "no_evidence"

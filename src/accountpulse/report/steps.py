"""The next step with an account, in words: by what weighs most, one rule after the other."""

from collections.abc import Mapping
from typing import Any

from accountpulse.scoring.columns import CRITICAL, RENEWAL
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

Row = Mapping[str, Any]
SOON = 90  # days to a renewal from which on it is the next thing to talk about
USAGE = "Find out who stopped using the product, and offer training"
VALUE = "Agree with the sponsor on the use that is missing, and plan it"
PEOPLE = "Find a new champion, and agree on a review"
MONEY = "Settle open payments and the terms with whoever decides"
SUPPORT = "Go through the support cases with the support lead"
BUGS = "Get dates for the open bugs, and tell the customer"
MODERATE = "moderate_signals"
STEPS: Mapping[str, str] = {
    **dict.fromkeys(("mau", "dau", "mau_trend_pct", "dau_trend_pct", "login_frequency"), USAGE),
    "feature_breadth": "Show the features that are not in use yet",
    "champion_stability": PEOPLE,
    "qbr_attendance": "Agree on a date for the business review",
    "expansion_signals": "Ask what the customer plans next year",
    "payment_health": MONEY,
    "contract_changes": "Ask why the contract became smaller",
    "arr_trajectory_pct": "Ask why the contract became smaller",
    "tier_alignment": "Check whether the customer has the tier that it pays for",
    RENEWAL: "Prepare the renewal",
}
BY_DOMAIN = {"support": SUPPORT, "bugs": BUGS, "usage": VALUE, "contract": MONEY}


def next_step(row: Row, card: Scorecard) -> str | None:
    """What to do next; None where nothing costs a point.

    In this order: an open critical signal, an overdue renewal, what a rating lacks, an open moderate signal that is
    among what holds health down, a renewal within 90 days of an account in the best tier, the metric that costs most.
    """
    days, tier = row.get(RENEWAL), row.get("tier")
    if (row.get(CRITICAL) or 0) >= 1:
        return "Go through the open critical signal with its owner today"
    if days is not None and days < 0:
        return "Settle the renewal, which is overdue"
    if tier == NOT_RATED:
        return f"Make it known: {row.get('not_rated_reason')}"
    if row.get("cap_reason") and (row.get(MODERATE) or 0) >= 1:
        return "Go through the open moderate signal with its owner"
    if tier == card.tiers[0].name and days is not None and days <= SOON:
        return STEPS[RENEWAL]
    return _by_cost(row, card)


def _by_cost(row: Row, card: Scorecard) -> str | None:
    drivers = row.get("drivers") or []
    if not drivers:
        return None
    metric = card.catalogue[drivers[0]]
    return STEPS.get(metric.name) or BY_DOMAIN.get(metric.domain, VALUE)

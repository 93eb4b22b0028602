"""The next step with an account, in words: by what weighs most, one rule after the other."""

from collections.abc import Mapping
from typing import Any

from accountpulse.report.limits import SOON
from accountpulse.scoring.columns import CAP_REASON, CRITICAL, DRIVERS, NOT_RATED_REASON, RENEWAL, TIER
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

MODERATE = "moderate_signals"


def next_step(row: Mapping[str, Any], card: Scorecard) -> str | None:
    """What to do next; None where nothing costs a point.

    In this order: an open critical signal, an overdue renewal, what a rating lacks, an open moderate signal that is
    among the caps that apply, a renewal within 90 days of an account in the best tier, the metric that costs most.
    """
    days, tier = row.get(RENEWAL), row.get(TIER)
    if (row.get(CRITICAL) or 0) >= 1:
        return "Go through the open critical signal with its owner today"
    if days is not None and days < 0:
        return "Settle the renewal, which is overdue"
    if tier == NOT_RATED:
        return f"Make it known: {row.get(NOT_RATED_REASON)}"
    if row.get(CAP_REASON) and (row.get(MODERATE) or 0) >= 1:
        return "Go through the open moderate signal with its owner"
    if tier == card.tiers[0].name and days is not None and days <= SOON:
        return card.catalogue[RENEWAL].next_step
    return _by_cost(row, card)


def _by_cost(row: Mapping[str, Any], card: Scorecard) -> str | None:
    drivers = row.get(DRIVERS) or []
    return card.catalogue[drivers[0]].next_step if drivers else None

"""One account's score with everything that explains it, as plain data: what `accountpulse explain` shows."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from accountpulse.scoring import explain
from accountpulse.scoring.change import change_between
from accountpulse.scoring.columns import (
    BEFORE_3M,
    BEFORE_CAPS,
    COVERAGE,
    DRIVERS,
    HEALTH,
    LOWER_BOUND,
    NOT_RATED_REASON,
    PROBABILITIES,
    RENEWAL,
    RISK,
    TIER,
    UPPER_BOUND,
    ScoreRow,
    contribution_of,
    lost_of,
    points_of,
    score_of,
)
from accountpulse.scoring.risk import terms
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Node, Scorecard

AccountDetails = dict[str, Any]  # for JSON: numbers unrounded, words beside them
RISK_NOTE = "an index, not a probability"
COPIED = (
    "account_id", "account_name", "segment", "owner", "owner_id", "seats", "arr", TIER, HEALTH, BEFORE_CAPS,
    LOWER_BOUND, UPPER_BOUND, COVERAGE,
)  # fmt: skip


@dataclass(frozen=True)
class ScoredAccount:
    """One account in one run: its stored scores and metrics, the scorecard, and the period."""

    row: ScoreRow
    card: Scorecard
    period: str
    as_of: date  # the day after the last one that was measured


def account_details(
    now: ScoredAccount, then: ScoredAccount | None = None, rescored: ScoreRow | None = None
) -> AccountDetails:
    """Scores, risk, dimensions, metrics and drivers of an account, and what changed since an earlier run.

    `then` is the same account in the earlier run, `rescored` the result of its values then with the scorecard of `now`;
    without both, `changed` is null.
    """
    row, card = now.row, now.card
    return {
        **{name: row.get(name) for name in COPIED},
        "period": now.period,
        "as_of": now.as_of.isoformat(),
        "scorecard": {"name": card.name, "version": card.version, "hash": card.hash},
        "cap_reasons": explain.cap_reasons(row, card),
        "limit": explain.limit(row, card),
        "not_rated_reasons": _split(row.get(NOT_RATED_REASON)),
        "renewal": None if row.get(RENEWAL) is None else explain.renewal_text(row[RENEWAL], now.as_of),
        "risk": _risk(row, card),
        "dimensions": [_dimension(row, node, card) for node in card.dimension_nodes],
        "metrics": [_metric(row, leaf, now) for leaf in card.leaves],
        "drivers": [_driver(row, name, now) for name in row.get(DRIVERS) or ()],
        "not_known": explain.unknown_metrics(row, card),
        "changed": None if then is None or rescored is None else _changed(now, then, rescored),
    }


def _split(text: str | None) -> list[str]:
    return text.split("; ") if text else []


def _risk(row: ScoreRow, card: Scorecard) -> dict[str, Any]:
    score = row.get(RISK)
    parts = None if row.get(BEFORE_CAPS) is None else terms(row, card)
    return {
        "score": score,
        "band": card.risk_band(score),
        "note": RISK_NOTE,
        "probability": _probability(row, card.file.horizon_days),
        "health_before_caps_3_months_before": row.get(BEFORE_3M),
        "terms": parts,  # they add up to z
        "before_floor": None if parts is None else 100 / (1 + math.exp(-sum(parts.values()))),
    }


def _probability(row: ScoreRow, horizon_days: int) -> dict[str, Any] | None:
    """In percent; null where no calibration counted when the account was scored."""
    value, lower, upper = (row.get(name) for name in PROBABILITIES)
    text = explain.probability_text(value, lower, upper, horizon_days)
    if text is None:
        return None
    return {"value": value, "lower": lower, "upper": upper, "horizon_days": horizon_days, "text": text}


def _dimension(row: ScoreRow, node: Node, card: Scorecard) -> dict[str, Any]:
    leaves = list(node.leaves())
    share = sum(leaf.share for leaf in leaves) or card.share_of(node)
    known = sum(leaf.share for leaf in leaves if row.get(points_of(leaf.name)) is not None)
    return {
        "name": node.name,
        "score": row.get(score_of(node.name)),
        "weight": share,
        "coverage": min(1.0, known / share) if known > TOLERANCE else 0.0,
    }


def _metric(row: ScoreRow, leaf: Leaf, now: ScoredAccount) -> dict[str, Any]:
    points, value = row.get(points_of(leaf.name)), row.get(leaf.name)
    metric = now.card.catalogue[leaf.name]
    return {
        "name": leaf.name,
        "label": metric.label,
        "dimension": leaf.path[-1],
        "value": value,
        "unit": metric.unit,
        "text": None if points is None else explain.measured(row, now.card, leaf.name, now.as_of),
        "reason": explain.reason(row, leaf),
        "why_not_known": explain.why_unknown(row, leaf),
        "points": points,
        "weight": leaf.share,
        "contribution": row[contribution_of(leaf.name)],
        "lost": row[lost_of(leaf.name)],
    }


def _driver(row: ScoreRow, name: str, now: ScoredAccount) -> dict[str, Any]:
    lost = row[lost_of(name)] if row.get(HEALTH) is not None else None
    return {"metric": name, "lost": lost, "text": explain.driver(row, now.card, name, now.as_of)}


def _changed(now: ScoredAccount, then: ScoredAccount, rescored: ScoreRow) -> dict[str, Any]:
    """Since when, from what to what, and the parts that add up to the difference; no parts where one had no health."""
    parts = change_between(then.row, rescored, now.row, now.card)
    labels = now.card.catalogue
    changed: dict[str, Any] = {
        "since": then.period,
        "health_then": then.row.get(HEALTH),
        "tier_then": then.row.get(TIER),
        "why_not_rated_then": _split(then.row.get(NOT_RATED_REASON)),
        "scorecard_then": {"name": then.card.name, "version": then.card.version, "hash": then.card.hash},
        "total": None,
        "parts": None,
        "movers": [],
        "now_known": [],
        "no_longer_known": [],
    }
    if parts is None:
        return changed
    movers = [
        {
            "metric": name,
            "effect": parts.metrics[name],
            "text": explain.mover((then.row, then.as_of), (now.row, now.as_of), now.card, name, parts.metrics[name]),
        }
        for name in parts.movers()
    ]
    return changed | {
        "total": parts.total,
        "parts": {
            "scorecard": parts.scorecard,
            "coverage": parts.coverage,
            "metrics": dict(parts.metrics),
            "caps": parts.caps,
        },
        "movers": movers,
        "now_known": [labels[name].label for name in parts.now_known],
        "no_longer_known": [labels[name].label for name in parts.no_longer_known],
    }

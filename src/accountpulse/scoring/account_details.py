"""All there is to say about one account's score, as plain data: what `explain` prints and gives as JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from accountpulse.scoring import explain
from accountpulse.scoring.change import change
from accountpulse.scoring.inputs import BEFORE_3M, RENEWAL
from accountpulse.scoring.risk import terms
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Node, Scorecard

Row = Mapping[str, Any]
RISK_NOTE = "an index, not a probability"
COPIED = (
    "account_id", "account_name", "segment", "seats", "arr", "tier", "health_score", "health_before_caps",
    "lower_bound", "upper_bound", "coverage",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One account in one run: its stored result with its metrics beside it, the scorecard, and when it was."""

    row: Row
    card: Scorecard
    period: str
    as_of: date  # the day after the last one that was measured


def tell(now: Told, then: Told | None = None, rescored: Row | None = None) -> dict[str, Any]:
    """The story of an account, for JSON: numbers unrounded, words beside them.

    `then` is the same account in an earlier run, `rescored` the result of its values then with the scorecard of now.
    """
    row, card = now.row, now.card
    return {
        **{name: row.get(name) for name in COPIED},
        "period": now.period,
        "as_of": now.as_of.isoformat(),
        "scorecard": {"name": card.name, "version": card.version, "hash": card.hash},
        "cap_reasons": _split(row.get("cap_reason")),
        "not_rated_reasons": _split(row.get("not_rated_reason")),
        "renewal": None if row.get(RENEWAL) is None else explain.renewal_text(row[RENEWAL], now.as_of),
        "risk": _risk(row, card),
        "dimensions": [_dimension(row, node, card) for node in card.dimension_nodes],
        "metrics": [_metric(row, leaf, now) for leaf in card.leaves],
        "drivers": [_driver(row, name, now) for name in row.get("drivers") or ()],
        "not_known": explain.unknown(row, card),
        "changed": None if then is None or rescored is None else _changed(now, then, rescored),
    }


def _split(text: str | None) -> list[str]:
    return text.split("; ") if text else []


def _risk(row: Row, card: Scorecard) -> dict[str, Any]:
    score = row.get("churn_risk_score")
    parts = None if row.get("health_before_caps") is None else terms(row, card)
    return {
        "score": score,
        "band": card.risk_band(score),
        "note": RISK_NOTE,
        "health_before_caps_3_months_before": row.get(BEFORE_3M),
        "terms": parts,  # they add up to z
        "before_floor": None if parts is None else 100 / (1 + math.exp(-sum(parts.values()))),
    }


def _dimension(row: Row, node: Node, card: Scorecard) -> dict[str, Any]:
    leaves = list(node.leaves())
    share = sum(leaf.share for leaf in leaves) or card.share_of(node)
    known = sum(leaf.share for leaf in leaves if row.get(f"{leaf.name}_points") is not None)
    return {
        "name": node.name,
        "score": row.get(f"{node.name}_score"),
        "weight": share,
        "coverage": min(1.0, known / share) if known > TOLERANCE else 0.0,
    }


def _metric(row: Row, leaf: Leaf, now: Told) -> dict[str, Any]:
    points, value = row.get(f"{leaf.name}_points"), row.get(leaf.name)
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
        "contribution": row[f"{leaf.name}_contribution"],
        "lost": row[f"{leaf.name}_lost"],
    }


def _driver(row: Row, name: str, now: Told) -> dict[str, Any]:
    lost = row[f"{name}_lost"] if row.get("health_score") is not None else None
    return {"metric": name, "lost": lost, "text": explain.driver(row, now.card, name, now.as_of)}


def _changed(now: Told, then: Told, rescored: Row) -> dict[str, Any]:
    """Since when, from what to what, and the parts that add up to the difference; no parts where one had no health."""
    parts = change(then.row, rescored, now.row, now.card)
    labels = now.card.catalogue
    told: dict[str, Any] = {
        "since": then.period,
        "health_then": then.row.get("health_score"),
        "tier_then": then.row.get("tier"),
        "why_not_rated_then": _split(then.row.get("not_rated_reason")),
        "scorecard_then": {"name": then.card.name, "version": then.card.version, "hash": then.card.hash},
        "total": None,
        "parts": None,
        "movers": [],
        "now_known": [],
        "no_longer_known": [],
    }
    if parts is None:
        return told
    movers = [
        {
            "metric": name,
            "effect": parts.metrics[name],
            "text": explain.mover((then.row, then.as_of), (now.row, now.as_of), now.card, name, parts.metrics[name]),
        }
        for name in parts.movers()
    ]
    return told | {
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

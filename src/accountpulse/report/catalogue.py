"""What each number of a report means: unit, window, direction, weight, where it comes from."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from accountpulse.core.catalogue import Metric
from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.explain import plain, value_text
from accountpulse.scoring.inputs import ANCHOR_DAYS
from accountpulse.scoring.model import Curve
from accountpulse.scoring.scorecard import GREEN, Leaf, Node, Scorecard, dimension_label


def catalogue(inputs: ReportInput) -> list[dict[str, Any]]:
    """Every metric that counts, in the scorecard's order.

    `weight` is its share of the whole where everything is known, `per` the attribute that the value is a percentage of,
    `instead` the metric that stands in where this one is not known. `good` says from which value on a metric is good,
    by its anchors (null: none is, or all are), `good_in` the same for each segment that has anchors of its own.
    """
    return [_entry(leaf, inputs) for leaf in inputs.month.card.leaves]


def _entry(leaf: Leaf, inputs: ReportInput) -> dict[str, Any]:
    card, rule = inputs.month.card, leaf.rule
    other = rule.substitute
    return {
        **_metric(card.catalogue[leaf.name], inputs),
        "dimension": leaf.path[-1],
        "direction": direction(rule.anchors),
        **_good(leaf.name, rule.anchors, rule.per, inputs),
        "weight": leaf.share,
        "per": rule.per,
        "instead": None
        if other is None
        else {
            **_metric(card.catalogue[other.metric], inputs),
            "direction": direction(other.anchors),
            **_good(other.metric, other.anchors, None, inputs),
        },
    }


def _good(name: str, anchors: Curve, per: str | None, inputs: ReportInput) -> dict[str, Any]:
    card = inputs.month.card

    def said(curve: Curve) -> str | None:
        return good_text(card.catalogue[name], curve, per, inputs.month.window_days)

    segments = [(segment.when.names, segment.anchors.get(name)) for segment in reversed(card.file.segments)]
    return {
        "good": said(anchors),
        "good_in": {each: said(own or anchors) for names, own in segments for each in names}
        if any(own for _, own in segments)
        else {},
    }


def good_text(metric: Metric, anchors: Curve, per: str | None, window_days: float) -> str | None:
    """`good is 4 h or less`, `good is 80 % of seats or more`; None where no value reaches the edge of good, or all do.

    A metric that grows with the window is measured over `window_days`, while its anchors are for 90.
    """
    edge = _edge_of_good(anchors)
    if edge is None or direction(anchors) == "neither is better":
        return None
    value = edge * window_days / ANCHOR_DAYS if metric.grows else edge
    unit = "ARR" if per == "arr" else per
    text = f"{plain(value)} % of {unit}" if per else value_text(metric, value)
    return f"good is {text} or {'more' if direction(anchors) == 'higher is better' else 'less'}"


def _edge_of_good(anchors: Curve) -> float | None:
    """The value from which on points reach GREEN; None where none does, or where all do."""
    rising = anchors[-1][1] > anchors[0][1]
    curve = anchors if rising else anchors[::-1]  # from worst to best
    if curve[0][1] >= GREEN:
        return None
    for (x0, y0), (x1, y1) in pairwise(curve):
        if y1 >= GREEN:
            return x0 + (x1 - x0) * (GREEN - y0) / (y1 - y0)
    return None


def _metric(metric: Metric, inputs: ReportInput) -> dict[str, Any]:
    month = inputs.month
    own = metric.name in month.card.file.metrics
    return {
        "name": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "window": metric.window_text(
            month.window_days, month.as_of_day - timedelta(days=1), snapshot=month.snapshot is not None
        ),
        "source": (month.facts.get("own_metrics") or {}).get(metric.name) if own else _fed_by(metric, inputs),
    }


def _fed_by(metric: Metric, inputs: ReportInput) -> str:
    """The sources that feed a metric and were asked in this month; where none was, those that could."""
    able = [source for source in inputs.sources if source.feeds(metric.tables)]
    asked = [source.title for source in able if source.name in inputs.month.facts["requests"]]
    return ", ".join(asked or [source.title for source in able])


def direction(anchors: Curve) -> str:
    """Which way is good, by the points at both ends."""
    first, last = anchors[0][1], anchors[-1][1]
    return "neither is better" if first == last else "higher is better" if last > first else "lower is better"


def dimensions(card: Scorecard) -> list[dict[str, Any]]:
    """The dimensions in the scorecard's order, with their share of the whole weight."""
    return [
        {"name": node.name, "label": dimension_label(node.name), "weight": card.share_of(node)}
        for node in card.dimension_nodes
    ]


def tiers(card: Scorecard, not_rated: str) -> list[dict[str, Any]]:
    """The tiers, best first; the last is Not Rated, which no health reaches and which is not green."""
    ends = [100.0, *(tier.min for tier in card.tiers)]
    rated = [
        {"name": tier.name, "from": tier.min, "to": end, "rank": rank, "green": tier.name in card.green_tiers}
        for rank, (tier, end) in enumerate(zip(card.tiers, ends, strict=False))
    ]
    return [*rated, {"name": not_rated, "from": None, "to": None, "rank": len(rated), "green": False}]


def bands(card: Scorecard) -> list[dict[str, Any]]:
    """The bands of the churn risk, lowest first."""
    edges = [0.0, card.risk.bands.medium, card.risk.bands.high, 100.0]
    return [
        {"name": name, "from": edges[place], "to": edges[place + 1]}
        for place, name in enumerate(("low", "medium", "high"))
    ]


def leaves_of(card: Scorecard) -> Iterator[tuple[Node, list[Leaf]]]:
    """Each dimension with its metrics."""
    for node in card.dimension_nodes:
        yield node, list(node.leaves())

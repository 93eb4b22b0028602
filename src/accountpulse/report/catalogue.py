"""What each number of a report means: unit, window, direction, weight, where it comes from."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from accountpulse.core.catalogue import Metric
from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.model import Curve
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard


def catalogue(inputs: ReportInput) -> list[dict[str, Any]]:
    """Every metric that counts, in the scorecard's order.

    `weight` is its share of the whole where everything is known, `per` the attribute that the value is a percentage of,
    `instead` the metric that stands in where this one is not known.
    """
    return [_entry(leaf, inputs) for leaf in inputs.month.card.leaves]


def _entry(leaf: Leaf, inputs: ReportInput) -> dict[str, Any]:
    card, rule = inputs.month.card, leaf.rule
    other = rule.substitute
    return {
        **_metric(card.catalogue[leaf.name], inputs),
        "dimension": leaf.path[-1],
        "direction": direction(rule.anchors),
        "weight": leaf.share,
        "per": rule.per,
        "instead": None
        if other is None
        else {**_metric(card.catalogue[other.metric], inputs), "direction": direction(other.anchors)},
    }


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
        {"name": node.name, "label": node.name.replace("_", " "), "weight": card.share_of(node)}
        for node in card.dimension_nodes
    ]


def tiers(card: Scorecard, not_rated: str) -> list[dict[str, Any]]:
    """The tiers, best first; the last is Not Rated, which no health reaches."""
    ends = [100.0, *(tier.min for tier in card.tiers)]
    rated = [
        {"name": tier.name, "from": tier.min, "to": end, "rank": rank}
        for rank, (tier, end) in enumerate(zip(card.tiers, ends, strict=False))
    ]
    return [*rated, {"name": not_rated, "from": None, "to": None, "rank": len(rated)}]


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

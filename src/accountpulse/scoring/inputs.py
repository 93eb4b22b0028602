"""The input: every column that a scorecard reads, present or not, each a finite number or null; and points from it."""

from collections.abc import Collection, Iterator

import narwhals.stable.v2 as nw

from accountpulse.core.catalogue import METRICS
from accountpulse.scoring.columns import (
    AS_OF,
    BEFORE_3M,
    CRITICAL,
    LAST_TIER,
    LOST_SIGHT,
    RENEWAL,
    SCALE,
    WAIVED,
    reason_of,
)
from accountpulse.scoring.expressions import Expr, Stage, all_of, along, finite, first_true, number, quotient, unknown
from accountpulse.scoring.model import Curve, MetricRule
from accountpulse.scoring.scorecard import Leaf, Scorecard

ANCHOR_DAYS = 90.0  # what the anchors of metrics that grow with the window are for
GROWING = frozenset(name for name, metric in METRICS.items() if metric.grows)


def metric_column(name: str) -> str:
    """The internal column of a metric's value."""
    return f"metric:{name}"


def points_column(leaf: Leaf) -> str:
    """The internal column of a leaf's points, its own or its substitute's."""
    return f"score:{leaf.key}"


def own_points_column(leaf: Leaf) -> str:
    """The internal column of the points that a leaf has by its own metric."""
    return f"own:{leaf.key}"


def needed(card: Scorecard) -> list[str]:
    """Every metric that the scorecard asks for, each once."""
    return list(dict.fromkeys(_metrics_of(card)))


def _metrics_of(card: Scorecard) -> Iterator[str]:
    for leaf in card.leaves:
        yield from leaf.metrics
        yield from leaf.rule.enough
    for cap in card.file.caps:
        yield from (name for name in cap.when if name in card.catalogue)
    yield from card.risk.signals
    yield from card.file.coverage.tier_needs_readable
    yield from (CRITICAL, RENEWAL)


def input_columns(card: Scorecard, present: Collection[str]) -> Stage:
    """The internal columns of what comes in; a column that is absent is null."""
    numbers = {metric_column(name): name for name in needed(card)}
    numbers |= {"seats": "seats", "arr": "arr", "before_3m": BEFORE_3M}
    numbers |= {name: name for name in (SCALE, WAIVED) if name in present}
    texts = {"segment": "segment", LAST_TIER: LAST_TIER, LOST_SIGHT: LOST_SIGHT}
    texts |= {f"reason:{name}": reason_of(name) for name in card.file.coverage.tier_needs_readable}
    return [
        nw.col("account_id"),
        *(nw.col(name) for name in (AS_OF,) if name in present),
        *(_number(source, present).alias(name) for name, source in numbers.items()),
        *(_text(source, present).alias(name) for name, source in texts.items()),
    ]


def _number(name: str, present: Collection[str]) -> Expr:
    return finite(nw.col(name)) if name in present else unknown()


def _text(name: str, present: Collection[str]) -> Expr:
    return nw.col(name).cast(nw.String) if name in present else nw.lit(None, dtype=nw.String)


def segment_of(card: Scorecard) -> Expr:
    """Which of the scorecard's segments an account belongs to, the first that matches; null: none."""
    found = [(nw.col("segment").is_in(s.when.names), float(index)) for index, s in enumerate(card.file.segments)]
    return first_true(found).alias("segment_index")


def values(card: Scorecard, scale: Expr | float) -> Stage:
    """What the anchors are applied to: scaled to 90 days, per attribute, null where there is not enough."""
    return [
        column
        for leaf in card.leaves
        for column in (
            _value(leaf.rule, leaf.name, scale).alias(f"value:{leaf.key}"),
            *([_scaled(leaf.metrics[1], scale).alias(f"else:{leaf.key}")] if leaf.rule.substitute else []),
        )
    ]


def scale_of(window_days: float, present: Collection[str]) -> Expr | float:
    """What counts over the window are multiplied by: the table's own word where it has one, else by its length."""
    by_length = ANCHOR_DAYS / window_days
    return nw.col(SCALE).fill_null(by_length) if SCALE in present else by_length


def _scaled(name: str, scale: Expr | float) -> Expr:
    value = nw.col(metric_column(name))
    return value if name not in GROWING or (isinstance(scale, float) and scale == 1.0) else value * scale


def _value(rule: MetricRule, name: str, scale: Expr | float) -> Expr:
    value = _scaled(name, scale)
    if rule.per:
        value = quotient(value * 100.0, nw.col(rule.per))
    if rule.enough:
        met = all_of([nw.col(metric_column(other)) >= least for other, least in rule.enough.items()])
        value = nw.when(met).then(value)
    return value


def leaf_points(card: Scorecard) -> Stage:
    """The points of each leaf by its own metric."""
    return [
        _by_segment(card, leaf.name, leaf.rule.anchors, nw.col(f"value:{leaf.key}")).alias(own_points_column(leaf))
        for leaf in card.leaves
    ]


def final_points(card: Scorecard) -> Stage:
    """The points of each leaf, its substitute's where it has none of its own; and its lowest and highest possible."""
    columns = []
    for leaf in card.leaves:
        own, low, high = nw.col(own_points_column(leaf)), *_extremes(card, leaf)
        final = own
        if substitute := leaf.rule.substitute:
            other = _by_segment(card, substitute.metric, substitute.anchors, nw.col(f"else:{leaf.key}"))
            final = nw.when(own.is_null()).then(other).otherwise(own)
        columns += [
            final.alias(points_column(leaf)),
            nw.when(own.is_null()).then(low).otherwise(own).alias(f"low:{leaf.key}"),
            nw.when(own.is_null()).then(high).otherwise(own).alias(f"high:{leaf.key}"),
        ]
    return columns


def _segment_anchors(card: Scorecard, name: str) -> list[tuple[Expr, Curve]]:
    """The other anchors of a metric, each with the condition that an account's segment has them."""
    segments = enumerate(card.file.segments)
    return [(nw.col("segment_index") == index, s.anchors[name]) for index, s in segments if name in s.anchors]


def _by_segment(card: Scorecard, name: str, anchors: Curve, value: Expr) -> Expr:
    cases = [(condition, along(value, other)) for condition, other in _segment_anchors(card, name)]
    return first_true(cases, along(value, anchors))


def _extremes(card: Scorecard, leaf: Leaf) -> tuple[Expr, Expr]:
    """The lowest and the highest points that a leaf, or its substitute, could have."""
    curves = {leaf.name: leaf.rule.anchors}
    if leaf.rule.substitute:
        curves[leaf.rule.substitute.metric] = leaf.rule.substitute.anchors
    cases: list[tuple[Expr, list[float]]] = []
    for index, segment in enumerate(card.file.segments):
        if any(name in segment.anchors for name in curves):
            replaced = {name: segment.anchors.get(name, curve) for name, curve in curves.items()}
            cases.append((nw.col("segment_index") == index, _all_points(replaced.values())))
    unsegmented = _all_points(curves.values())
    lows = [(condition, number(min(points))) for condition, points in cases]
    highs = [(condition, number(max(points))) for condition, points in cases]
    return first_true(lows, number(min(unsegmented))), first_true(highs, number(max(unsegmented)))


def _all_points(curves: Collection[Curve]) -> list[float]:
    return [points for curve in curves for _, points in curve]

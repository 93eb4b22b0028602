"""Numbers → scores with reasons, for all accounts at once: expressions only, in a fixed order, nothing rounded."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from accountpulse.scoring import caps, inputs, risk, tree
from accountpulse.scoring.expressions import Expr, first_true, joined
from accountpulse.scoring.mistakes import NOT_RATED
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard

Frame = TypeVar("Frame")
Stage = list[Expr]
DRIVERS = 3


def score(
    frame: Frame,
    card: Scorecard,
    *,
    window_days: float = 90.0,
    failed_sources: Sequence[str] = (),
    signals_waived: bool = False,
    detail: bool = False,
) -> Frame:
    """One row of scores for each row of metrics; lazy in, lazy out.

    Reads `account_id`, the attributes `segment`, `seats`, `arr`, any metric by its name and its `<metric>_reason`,
    `health_before_caps_3m` (three months ago, for the trend), and `last_tier`, which counts only where a source
    failed. A column that is absent is null; NaN and infinity are null. Gives, 0 to 100 each and null where not known:
    `health_score` and `health_before_caps`, `churn_risk_score` (higher is worse), `coverage`, `lower_bound`,
    `upper_bound`, `<dimension>_score`; and `tier` (or `Not Rated`), `cap_reason`, `not_rated_reason`, `drivers` (up to
    three metrics, the most costly first), `scorecard` (its name and hash). With `detail` each leaf adds
    `<metric>_points` (null: not known), `<metric>_contribution` (to health before caps) and `<metric>_lost` (points
    that it costs), and each dimension `<dimension>_lower_bound` and `<dimension>_upper_bound`.
    """
    native: Any = frame
    given = nw.from_native(native)
    lazy = given.lazy()
    staged = lazy.select(*inputs.columns(card, lazy.collect_schema().names()))
    for stage in _stages(card, window_days, failed_sources, signals_waived=signals_waived):
        if stage:
            staged = staged.with_columns(*stage)
    scored = staged.select(*_results(card, detail=detail))
    result: Any = (scored.collect() if isinstance(given, nw.DataFrame) else scored).to_native()
    return result  # type: ignore[no-any-return]


def _stages(
    card: Scorecard, window_days: float, failed_sources: Sequence[str], *, signals_waived: bool
) -> Iterator[Stage]:
    yield [inputs.segment_of(card)]
    yield inputs.values(card, window_days)
    yield inputs.leaf_points(card)
    yield inputs.final_points(card)
    yield from tree.upwards(card)
    yield from tree.downwards(card)
    yield from tree.effects(card)
    yield from tree.drivers(card.ranked, DRIVERS)
    limits = caps.limits(card, failed_sources)
    yield caps.matches(card, limits)
    yield [*caps.lowest(limits), caps.cap_reason(limits).alias("cap_reason")]
    lacking = caps.unmet(card, failed_sources, signals_waived=signals_waived)
    yield [joined(lacking).alias("not_rated_reason"), risk.exponent(card).alias("z")]
    yield [
        nw.col("not_rated_reason").is_null().alias("rated"),
        caps.critical_known().alias("critical"),
        caps.capped("score:", "known").alias("health"),
        risk.floored(card, nw.col("z")).alias("risk"),
    ]


def _results(card: Scorecard, *, detail: bool) -> Stage:
    rated = nw.col("rated")
    risks: list[tuple[Expr, Expr | float]] = [(rated, nw.col("risk")), (nw.col("critical"), risk.highest_floor(card))]
    return [
        nw.col("account_id"),
        nw.when(rated).then(nw.col("health")).alias("health_score"),
        nw.when(rated).then(nw.col("score:")).alias("health_before_caps"),
        first_true(risks).alias("churn_risk_score"),
        _tier(card).alias("tier"),
        (nw.col("coverage:") * 100.0).alias("coverage"),
        caps.capped("low:", "possible").alias("lower_bound"),
        caps.capped("high:", "certain").alias("upper_bound"),
        *(nw.col(f"score:{node.key}").alias(f"{node.name}_score") for node in card.dimension_nodes),
        nw.col("cap_reason"),
        nw.col("not_rated_reason"),
        _drivers(card.ranked).alias("drivers"),
        nw.lit(f"{card.name} {card.hash}").alias("scorecard"),
        *(column for node in card.dimension_nodes if detail for column in _bounds(node)),
        *(column for leaf in card.leaves if detail for column in _detail(leaf)),
    ]


def _tier(card: Scorecard) -> Expr:
    """The best tier that health reaches; an open critical signal is the worst one even where nothing else is known."""
    reached = [(nw.col("rated") & (nw.col("health") >= tier.min), nw.lit(tier.name)) for tier in card.tiers]
    worst = (nw.col("critical") | nw.col("rated"), nw.lit(card.tiers[-1].name))
    return first_true([*reached, worst], nw.lit(NOT_RATED))


def _drivers(leaves: Sequence[Leaf]) -> Expr:
    """The names of the drivers as a list, empty where nothing costs a point."""
    nobody = nw.lit([], dtype=nw.List(nw.String))  # type: ignore[arg-type]
    if not leaves:
        return nobody
    parts = [tree.driver_name(place, leaves) for place in range(DRIVERS)]
    names = nw.concat_str(parts, separator=" ", ignore_nulls=True).str.split(" ")
    return nw.when(nw.col("driver:0").is_null()).then(nobody).otherwise(names)


def _bounds(node: Node) -> Stage:
    """Between what a dimension's score lies, whatever is not known."""
    return [
        nw.col(f"low:{node.key}").alias(f"{node.name}_lower_bound"),
        nw.col(f"high:{node.key}").alias(f"{node.name}_upper_bound"),
    ]


def _detail(leaf: Leaf) -> Stage:
    return [
        nw.col(inputs.points(leaf)).alias(f"{leaf.name}_points"),
        nw.col(f"contribution:{leaf.key}").alias(f"{leaf.name}_contribution"),
        nw.col(f"lost:{leaf.key}").alias(f"{leaf.name}_lost"),
    ]

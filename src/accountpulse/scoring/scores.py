"""Numbers → scores with reasons, for all accounts at once: expressions only, in a fixed order, nothing rounded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.scoring import caps, columns, inputs, risk, tree
from accountpulse.scoring.expressions import Expr, Stage, first_true, joined
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard

NativeFrame = TypeVar("NativeFrame")
DRIVERS = 3


def score(
    frame: NativeFrame,
    card: Scorecard,
    *,
    window_days: float = 90.0,
    failed_sources: Sequence[str] = (),
    signals_waived: bool = False,
    detail: bool = False,
) -> NativeFrame:
    """One row of scores for each row of metrics; lazy in, lazy out.

    Reads `account_id`, the attributes `segment`, `seats`, `arr`, any metric by its name and its `<metric>_reason`,
    `health_before_caps_3m` (three months ago, for the trend), and `last_tier`, which counts only where a source
    failed or `lost_sight` names metrics. A column that is absent is null; NaN and infinity are null. What a row says of
    itself in `scale_to_90_days` and `rated_without_signals` counts before `window_days` and `signals_waived`.

    The rows keep `account_id`, and `as_of` where it is given: an account may have several rows.
    Gives, 0 to 100 each and null where not known: `health_score` and `health_before_caps`, `churn_risk_score` (higher
    is worse), `coverage`, `lower_bound`, `upper_bound`, `<dimension>_score`; and `tier` (or `Not Rated`), `cap_reason`,
    `not_rated_reason`, `drivers` (up to three metrics, the most costly first), `scorecard` (its name and hash), and
    `risk_z`, the exponent of the risk before floors, unbounded, for calibrations (null: Not Rated).
    With `detail` each leaf adds `<metric>_points` (null: not known), `<metric>_contribution` (to health before caps)
    and `<metric>_lost` (points that it costs), and each dimension `<dimension>_lower_bound` and
    `<dimension>_upper_bound`.
    """
    native: Any = frame
    metrics = nw.from_native(native)
    lazy = metrics.lazy()
    names = lazy.collect_schema().names()
    staged = lazy.select(*inputs.input_columns(card, names))
    keys = [name for name in ("account_id", columns.AS_OF) if name in names]
    lost_sight = columns.LOST_SIGHT in names
    scale = inputs.scale_of(window_days, names)
    waived = (nw.col(columns.WAIVED) > 0).fill_null(value=signals_waived) if columns.WAIVED in names else signals_waived
    staged = _worked_out(staged, _stages(card, scale, failed_sources, signals_waived=waived, lost_sight=lost_sight))
    scored = staged.select(*keys, *_results(card, detail=detail))
    result: Any = (scored.collect() if isinstance(metrics, nw.DataFrame) else scored).to_native()
    return result  # type: ignore[no-any-return]


def _worked_out(staged: nw.LazyFrame[Any], stages: Iterable[Stage]) -> nw.LazyFrame[Any]:
    """The frame with the columns of all stages; each may rest on those before it."""
    for stage in stages:
        if stage:
            staged = staged.with_columns(*stage)
    return staged


def _stages(
    card: Scorecard,
    scale: Expr | float,
    failed_sources: Sequence[str],
    *,
    signals_waived: Expr | bool,
    lost_sight: bool,
) -> Iterator[Stage]:
    yield from _upwards(card, scale)
    yield from tree.downwards(card)
    yield from tree.effects(card)
    yield from tree.drivers(card.leaves_by_name, DRIVERS)
    limits = caps.limits_of(card, failed_sources, lost_sight=lost_sight)
    yield caps.matches(card, limits)
    yield [*caps.lowest(limits), caps.cap_reason(limits).alias(columns.CAP_REASON)]
    reasons = caps.not_rated_reasons(card, failed_sources, signals_waived=signals_waived, lost_sight=lost_sight)
    yield [joined(reasons).alias(columns.NOT_RATED_REASON), risk.exponent(card).alias("z")]
    yield [
        nw.col(columns.NOT_RATED_REASON).is_null().alias("rated"),
        caps.critical_known().alias("critical"),
        caps.capped("score:", "known").alias("health"),
        risk.with_floor(card, nw.col("z")).alias("risk"),
    ]


def _upwards(card: Scorecard, scale: Expr | float) -> Iterator[Stage]:
    yield [inputs.segment_of(card)]
    yield inputs.values(card, scale)
    yield inputs.leaf_points(card)
    yield inputs.final_points(card)
    yield from tree.upwards(card)


def why_not_rated(frame: pl.DataFrame, card: Scorecard, *, signals_waived: bool = False) -> pl.Series:
    """Of each row of metrics why it has no rating, as `score` says it where no source failed; null: it has one.

    In about half of the time, since nothing is worked out that comes after the coverage.
    """
    asked = nw.from_native(frame.lazy()).select(*inputs.input_columns(card, frame.columns))
    staged = _worked_out(asked, _upwards(card, 1.0))
    reasons = caps.not_rated_reasons(card, (), signals_waived=signals_waived)
    found: pl.LazyFrame = staged.select(joined(reasons).alias(columns.NOT_RATED_REASON)).to_native()
    return found.collect()[columns.NOT_RATED_REASON]


def _results(card: Scorecard, *, detail: bool) -> Stage:
    rated = nw.col("rated")
    risks: list[tuple[Expr, Expr | float]] = [(rated, nw.col("risk")), (nw.col("critical"), risk.highest_floor(card))]
    return [
        nw.when(rated).then(nw.col("health")).alias(columns.HEALTH),
        nw.when(rated).then(nw.col("score:")).alias(columns.BEFORE_CAPS),
        first_true(risks).alias(columns.RISK),
        nw.when(rated).then(nw.col("z")).alias(columns.RISK_Z),
        _tier(card).alias(columns.TIER),
        (nw.col("coverage:") * 100.0).alias(columns.COVERAGE),
        caps.capped("low:", "possible").alias(columns.LOWER_BOUND),
        caps.capped("high:", "certain").alias(columns.UPPER_BOUND),
        *(nw.col(f"score:{node.key}").alias(columns.score_of(node.name)) for node in card.dimension_nodes),
        nw.col(columns.CAP_REASON),
        nw.col(columns.NOT_RATED_REASON),
        _drivers(card.leaves_by_name).alias(columns.DRIVERS),
        nw.lit(f"{card.name} {card.hash}").alias(columns.SCORECARD),
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
    none = nw.lit([], dtype=nw.List(nw.String))  # type: ignore[arg-type]
    if not leaves:
        return none
    parts = [tree.driver_name(place, leaves) for place in range(DRIVERS)]
    names = nw.concat_str(parts, separator=" ", ignore_nulls=True).str.split(" ")
    return nw.when(nw.col("driver:0").is_null()).then(none).otherwise(names)


def detail_columns(card: Scorecard) -> set[str]:
    """The names of what `detail` adds."""
    bounds = {
        name(node.name) for node in card.dimension_nodes for name in (columns.lower_bound_of, columns.upper_bound_of)
    }
    parts = (columns.points_of, columns.contribution_of, columns.lost_of)
    return bounds | {name(leaf.name) for leaf in card.leaves for name in parts}


def _bounds(node: Node) -> Stage:
    """The lowest and highest score that a dimension can have, whatever is not known."""
    return [
        nw.col(f"low:{node.key}").alias(columns.lower_bound_of(node.name)),
        nw.col(f"high:{node.key}").alias(columns.upper_bound_of(node.name)),
    ]


def _detail(leaf: Leaf) -> Stage:
    return [
        nw.col(inputs.points_column(leaf)).alias(columns.points_of(leaf.name)),
        nw.col(f"contribution:{leaf.key}").alias(columns.contribution_of(leaf.name)),
        nw.col(f"lost:{leaf.key}").alias(columns.lost_of(leaf.name)),
    ]

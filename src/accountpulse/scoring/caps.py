"""What limits a score: caps, an outage, sight that was lost, and too little knowledge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import narwhals.stable.v2 as nw

from accountpulse.core.records import UNREADABLE
from accountpulse.scoring.columns import CRITICAL, LAST_TIER, LOST_SIGHT, SIGHT_LOST, SOURCE_FAILED
from accountpulse.scoring.expressions import Expr, Stage, all_of, any_of, first_true, joined
from accountpulse.scoring.inputs import metric_column
from accountpulse.scoring.model import ANY_DIMENSION, Cap
from accountpulse.scoring.scorecard import TOLERANCE, Node, Scorecard, dimension_label

# whether a cap holds: known, by what is known; possible, could hold for some value of what is unknown; certain, for any
Certainty = Literal["known", "possible", "certain"]
CERTAINTIES: tuple[Certainty, ...] = ("known", "possible", "certain")
NO_SIGHT = "metrics that were known can't be read any more, and there is no tier of an earlier run to keep"
OF_TABLE = "metrics."  # before the name of an own metric whose table failed, among the sources that did
JUST_BELOW = 0.1  # a health that an outage limits is still shown as one below the edge


@dataclass(frozen=True)
class HealthLimit:
    """A cap, or the tier that an outage or lost sight does not let an account leave.

    `reason` None: it is the account's own, `lost_sight: <metrics>`, and the limit is for accounts that lost sight.
    """

    cap: float
    reason: str | None
    rule: Cap | None = None
    last_tier: str = ""


def limits_of(card: Scorecard, failed_sources: Sequence[str], *, lost_sight: bool = False) -> list[HealthLimit]:
    """All that can limit health, the lowest first. `lost_sight`: accounts may have lost sight of a metric."""
    found = [HealthLimit(cap.cap, cap.reason, rule=cap) for cap in card.file.caps]
    if failed_sources:
        found += _kept_tiers(card, f"{SOURCE_FAILED}{', '.join(failed_sources)}")
    if lost_sight:
        found += _kept_tiers(card, None)
    return sorted(found, key=lambda limit: limit.cap)


def _kept_tiers(card: Scorecard, reason: str | None) -> Iterator[HealthLimit]:
    for better, tier in zip(card.tiers, card.tiers[1:], strict=False):
        yield HealthLimit(max(0.0, better.min - JUST_BELOW), reason, last_tier=tier.name)


def matches(card: Scorecard, limits: Sequence[HealthLimit]) -> Stage:
    """The columns `<certainty>:<number>`: whether a limit holds."""
    return [
        _holds(card, limit, certainty).alias(f"{certainty}:{index}")
        for index, limit in enumerate(limits)
        for certainty in CERTAINTIES
    ]


def _holds(card: Scorecard, limit: HealthLimit, certainty: Certainty) -> Expr:
    if limit.rule is None:
        kept = (nw.col(LAST_TIER) == limit.last_tier).fill_null(value=False)
        return kept if limit.reason is not None else kept & ~nw.col(LOST_SIGHT).is_null()
    return all_of(
        [
            _condition(card, name, operator, edge, certainty)
            for name, condition in limit.rule.when.items()
            for operator, edge in condition.comparisons
        ]
    )


def _condition(card: Scorecard, name: str, operator: str, edge: float, certainty: Certainty) -> Expr:
    by_name = {node.name: node for node in card.dimension_nodes}
    if name == ANY_DIMENSION:
        return any_of([_dimension_condition(node, operator, edge, certainty) for node in card.dimension_nodes])
    if name in by_name:
        return _dimension_condition(by_name[name], operator, edge, certainty)
    value = nw.col(metric_column(name))
    return _compare(value, operator, edge).fill_null(value=certainty == "possible")


def _dimension_condition(node: Node, operator: str, edge: float, certainty: Certainty) -> Expr:
    """What is possible and what is certain follows from the dimension's two bounds."""
    if certainty == "known":
        return _compare(nw.col(f"score:{node.key}"), operator, edge)
    low, high = (_compare(nw.col(f"{end}:{node.key}"), operator, edge) for end in ("low", "high"))
    if operator == "eq" and certainty == "possible":
        return (nw.col(f"low:{node.key}") <= edge) & (nw.col(f"high:{node.key}") >= edge)
    return low | high if certainty == "possible" else low & high


def _compare(value: Expr, operator: str, edge: float) -> Expr:
    compared: dict[str, Expr] = {
        "gte": value >= edge,
        "gt": value > edge,
        "lte": value <= edge,
        "lt": value < edge,
        "eq": value == edge,
    }
    return compared[operator]


def lowest(limits: Sequence[HealthLimit]) -> Stage:
    """The columns `cap:<certainty>`: the lowest cap that holds, null where none does."""
    return [
        first_true([(nw.col(f"{certainty}:{index}"), limit.cap) for index, limit in enumerate(limits)]).alias(
            f"cap:{certainty}"
        )
        for certainty in CERTAINTIES
    ]


def capped(score: str, certainty: Certainty) -> Expr:
    """A score under the lowest cap that holds."""
    value, cap = nw.col(score), nw.col(f"cap:{certainty}")
    return nw.when(value > cap).then(cap).otherwise(value)


def cap_reason(limits: Sequence[HealthLimit]) -> Expr:
    """Every reason that holds, the lowest cap's first."""
    lost = nw.concat_str([nw.lit(SIGHT_LOST), nw.col(LOST_SIGHT)])
    reasons = [lost if limit.reason is None else nw.lit(limit.reason) for limit in limits]
    return joined([(nw.col(f"known:{index}"), reason) for index, reason in enumerate(reasons)])


# --- too little is known ---------------------------------------------------------------------------------------


def not_rated_reasons(
    card: Scorecard, failed_sources: Sequence[str], *, signals_waived: Expr | bool, lost_sight: bool = False
) -> list[tuple[Expr, str]]:
    """The conditions under which an account has no tier, each with its reason."""
    rules = card.file.coverage
    keys = {node.name: f"score:{node.key}" for node in card.dimension_nodes}
    found = [(nw.col("coverage:") < rules.tier_min - TOLERANCE, f"coverage below {100 * rules.tier_min:g} %")]
    found.append((nw.col("score:").is_null(), "nothing that counts is known"))
    if rules.tier_needs_any_of:
        missing = all_of([nw.col(keys[name]).is_null() for name in rules.tier_needs_any_of])
        found.append((missing, f"no score for {' or '.join(map(dimension_label, rules.tier_needs_any_of))}"))
    if rules.tier_min_dimensions:
        scored = [nw.when(nw.col(key).is_null()).then(0).otherwise(1) for key in keys.values()]
        few = nw.sum_horizontal(*scored) < rules.tier_min_dimensions
        found.append((few, f"fewer than {rules.tier_min_dimensions} dimensions have a score"))
    for name in rules.tier_needs_readable:
        waived = signals_waived if card.catalogue[name].domain == "signals" else False
        found.append((_unreadable(name, waived=waived), f"{name} can't be read"))
    has_tier = nw.col(LAST_TIER).is_in([tier.name for tier in card.tiers]).fill_null(value=False)
    # one figure of the company's own is a gap like others: coverage and bounds show it
    if systems := [name for name in failed_sources if not name.startswith(OF_TABLE)]:
        unread = ", ".join(systems)
        found.append((~has_tier, f"{unread} could not be read, and there is no tier of an earlier run to keep"))
    if lost_sight:
        found.append((~has_tier & ~nw.col(LOST_SIGHT).is_null(), NO_SIGHT))
    return found


def _unreadable(name: str, *, waived: Expr | bool) -> Expr:
    """Not known because it could not be read; without any reason, or not configured, only a waiver excuses it."""
    reason = nw.col(f"reason:{name}")
    unsaid = reason.is_in(["not_configured"]).fill_null(value=True)
    unread = reason.is_in(UNREADABLE).fill_null(value=False)
    if isinstance(waived, bool):
        unread = unread if waived else unread | unsaid
    else:
        unread |= unsaid & ~waived
    return nw.col(metric_column(name)).is_null() & unread


def critical_known() -> Expr:
    """An open critical signal is known, whatever else is not."""
    return (nw.col(metric_column(CRITICAL)) >= 1).fill_null(value=False)

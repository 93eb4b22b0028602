"""Two scorecards side by side: what differs in the files, and what that does to the same accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from accountpulse.scoring.columns import (
    BEFORE_CAPS,
    CAP_REASON,
    HEALTH,
    NOT_RATED_REASON,
    RISK,
    TIER,
    ScoreRow,
    contribution_of,
    lost_of,
)
from accountpulse.scoring.explain import plain, signed
from accountpulse.scoring.scorecard import Scorecard, plain_steps

_KEYS = ("name", "reason", "step")  # identify the members of a list, so that an inserted one shifts no other
_SMALLEST = 1e-9  # points: a smaller effect is a last bit


@dataclass(frozen=True)
class Difference:
    """One place where two files differ; None: the file has nothing there."""

    path: str
    before: Any
    after: Any


def differences(before: Scorecard, after: Scorecard) -> list[Difference]:
    """Every place where the content differs, in the order of the earlier file."""
    return list(_differences("", _whole(before), _whole(after)))


def _whole(card: Scorecard) -> dict[str, Any]:
    """The content with the next steps that it has, also where these are the packaged ones."""
    return {**card.content["scorecard"], "next_steps": plain_steps(card.next_steps)}


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    left, right = _keyed(before), _keyed(after)
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys((*left, *right)):
            yield from _differences(f"{path}.{key}" if path else str(key), left.get(key), right.get(key))
    elif before != after:
        yield Difference(path, before, after)


def _keyed(value: Any) -> Any:
    """A list of members with names as a mapping by name."""
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        return value
    for key in _KEYS:
        names = [part.get(key) for part in value]
        if None not in names and len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return value


def side_by_side(before: pl.DataFrame, after: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """The same accounts under both cards: `account_id`, the columns of `accounts`, and tier, health and risk of each.

    `before` and `after` are results of `score`. `health_change` is null where one of them has no health.
    """
    columns = (TIER, HEALTH, RISK)
    left = before.select("account_id", *(pl.col(name).alias(f"{name}_before") for name in columns))
    right = after.select("account_id", *(pl.col(name).alias(f"{name}_after") for name in columns))
    joined = accounts.join(left, on="account_id", maintain_order="left").join(
        right, on="account_id", maintain_order="left"
    )
    return joined.with_columns(
        health_change=pl.col("health_score_after") - pl.col("health_score_before"),
        tier_changes=pl.col("tier_before") != pl.col("tier_after"),
    )


def metric_effects(before: ScoreRow, after: ScoreRow, old: Scorecard, new: Scorecard) -> dict[str, float]:
    """What each metric does to health before caps, from one card to the other; the sum is the whole difference.

    Both rows are results with `detail` that have a health. A metric counts by how far its points lie from the health
    before: more weight on points below it pulls down, less weight lifts.
    """
    middle: float = before[BEFORE_CAPS]
    return {
        name: _effect(after, name, middle) - _effect(before, name, middle)
        for name in dict.fromkeys((*(leaf.name for leaf in old.leaves), *(leaf.name for leaf in new.leaves)))
    }


def _effect(row: ScoreRow, name: str, middle: float) -> float:
    """Effective weight × (points − middle); 0 where the card doesn't have the metric, or it is not known."""
    gained, lost = row.get(contribution_of(name)) or 0.0, row.get(lost_of(name)) or 0.0
    weight: float = (gained + lost) / 100
    return float(gained) - weight * middle


def why_moved(before: ScoreRow, after: ScoreRow, old: Scorecard, new: Scorecard, count: int = 3) -> str:
    """Why an account's score moves, in words: what is missing, what limits it, the metrics that do most."""
    parts = [
        *_rated_or_not(before, after),
        *_caps_in_one("now capped by", after, before),
        *_caps_in_one("no longer capped by", before, after),
        *_moved_tiers(before, after, old, new),
    ]
    if before[BEFORE_CAPS] is not None and after[BEFORE_CAPS] is not None:
        effects = metric_effects(before, after, old, new)
        labels = {**old.catalogue, **new.catalogue}
        names = sorted(
            (name for name in effects if abs(effects[name]) >= _SMALLEST), key=lambda name: -abs(effects[name])
        )
        parts += [
            f"{labels[name].label} {signed(effects[name])}" for name in names[:count] if signed(effects[name]) != "0"
        ]
    return "; ".join(parts)


def _rated_or_not(before: ScoreRow, after: ScoreRow) -> list[str]:
    if after[NOT_RATED_REASON] and not before[NOT_RATED_REASON]:
        return [f"now without a score: {after[NOT_RATED_REASON]}"]
    if before[NOT_RATED_REASON] and not after[NOT_RATED_REASON]:
        return [f"no longer lacking: {before[NOT_RATED_REASON]}"]
    return []


def _moved_tiers(before: ScoreRow, after: ScoreRow, old: Scorecard, new: Scorecard) -> list[str]:
    """The tiers of both results that begin elsewhere in the new card."""
    if before[TIER] == after[TIER]:
        return []
    edges = {tier.name: tier.min for tier in old.tiers}
    return [
        f"{tier.name} begins at {plain(tier.min)}, no longer at {plain(edges[tier.name])}"
        for tier in new.tiers
        if tier.name in (before[TIER], after[TIER]) and edges.get(tier.name, tier.min) != tier.min
    ]


def _caps_in_one(lead: str, row: ScoreRow, other: ScoreRow) -> list[str]:
    """The caps that hold in one of the two alone, where they change anything."""
    if row[HEALTH] is None or row[HEALTH] >= row[BEFORE_CAPS]:
        return []
    reasons = (row[CAP_REASON] or "").split("; ")
    only_here = [reason for reason in reasons if reason not in (other[CAP_REASON] or "").split("; ")]
    return [f"{lead} {', '.join(only_here)}"] if only_here else []

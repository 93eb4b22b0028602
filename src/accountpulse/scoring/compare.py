"""Two scorecards side by side: what differs in the files, and what that does to the same accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from accountpulse.scoring.explain import plain, signed
from accountpulse.scoring.scorecard import Scorecard

Row = Mapping[str, Any]
_KEYS = ("name", "reason")  # what tells the members of a list apart, so that an inserted one moves no other
_WHOLE = 1e-9


@dataclass(frozen=True)
class Difference:
    """One place where two files differ; None: the file has nothing there."""

    path: str
    before: Any
    after: Any


def differences(before: Scorecard, after: Scorecard) -> list[Difference]:
    """Every place where the content differs, in the order of the earlier file."""
    return list(_differ("", before.content["scorecard"], after.content["scorecard"]))


def _differ(path: str, before: Any, after: Any) -> Iterator[Difference]:
    left, right = _keyed(before), _keyed(after)
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys((*left, *right)):
            yield from _differ(f"{path}.{key}" if path else str(key), left.get(key), right.get(key))
    elif before != after:
        yield Difference(path, before, after)


def _keyed(value: Any) -> Any:
    """A list of named parts as a mapping by their names."""
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        return value
    for key in _KEYS:
        names = [part.get(key) for part in value]
        if None not in names and len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return value


def moved(before: pl.DataFrame, after: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """The same accounts under both cards: `account_id`, the columns of `accounts`, and tier, health and risk of each.

    `before` and `after` are results of `score`. `health_change` is null where one of them has no health.
    """
    columns = ("tier", "health_score", "churn_risk_score")
    left = before.select("account_id", *(pl.col(name).alias(f"{name}_before") for name in columns))
    right = after.select("account_id", *(pl.col(name).alias(f"{name}_after") for name in columns))
    joined = accounts.join(left, on="account_id", maintain_order="left").join(
        right, on="account_id", maintain_order="left"
    )
    return joined.with_columns(
        health_change=pl.col("health_score_after") - pl.col("health_score_before"),
        tier_changes=pl.col("tier_before") != pl.col("tier_after"),
    )


def effects(before: Row, after: Row, old: Scorecard, new: Scorecard) -> dict[str, float]:
    """What each metric does to health before caps, from one card to the other; the sum is the whole difference.

    Both rows are results with `detail` that have a health. A metric counts by how far its points lie from the health
    before: more weight on points below it pulls down, less weight lifts.
    """
    middle: float = before["health_before_caps"]
    return {
        name: _pull(after, name, middle) - _pull(before, name, middle)
        for name in dict.fromkeys((*(leaf.name for leaf in old.leaves), *(leaf.name for leaf in new.leaves)))
    }


def _pull(row: Row, name: str, middle: float) -> float:
    """Effective weight × (points − middle); 0 where the card doesn't have the metric, or it is not known."""
    gained, lost = row.get(f"{name}_contribution") or 0.0, row.get(f"{name}_lost") or 0.0
    weight: float = (gained + lost) / 100
    return float(gained) - weight * middle


def why(before: Row, after: Row, old: Scorecard, new: Scorecard, count: int = 3) -> str:
    """Why an account's score moves, in words: what it lacks, what holds it down, the metrics that do most."""
    parts = [
        *_lacking(before, after),
        *_held("now held down by", after, before),
        *_held("no longer held down by", before, after),
        *_edges(before, after, old, new),
    ]
    if before["health_before_caps"] is not None and after["health_before_caps"] is not None:
        found = effects(before, after, old, new)
        labels = {**old.catalogue, **new.catalogue}
        names = sorted((name for name in found if abs(found[name]) >= _WHOLE), key=lambda name: -abs(found[name]))
        parts += [f"{labels[name].label} {signed(found[name])}" for name in names[:count] if signed(found[name]) != "0"]
    return "; ".join(parts)


def _lacking(before: Row, after: Row) -> list[str]:
    if after["not_rated_reason"] and not before["not_rated_reason"]:
        return [f"now without a score: {after['not_rated_reason']}"]
    if before["not_rated_reason"] and not after["not_rated_reason"]:
        return [f"no longer lacking: {before['not_rated_reason']}"]
    return []


def _edges(before: Row, after: Row, old: Scorecard, new: Scorecard) -> list[str]:
    """The tiers of both results that begin elsewhere in the new card."""
    if before["tier"] == after["tier"]:
        return []
    edges = {tier.name: tier.min for tier in old.tiers}
    return [
        f"{tier.name} begins at {plain(tier.min)}, no longer at {plain(edges[tier.name])}"
        for tier in new.tiers
        if tier.name in (before["tier"], after["tier"]) and edges.get(tier.name, tier.min) != tier.min
    ]


def _held(lead: str, held: Row, other: Row) -> list[str]:
    """The caps that hold in one of the two alone, where they change anything."""
    if held["health_score"] is None or held["health_score"] >= held["health_before_caps"]:
        return []
    reasons = (held["cap_reason"] or "").split("; ")
    fresh = [reason for reason in reasons if reason not in (other["cap_reason"] or "").split("; ")]
    return [f"{lead} {', '.join(fresh)}"] if fresh else []

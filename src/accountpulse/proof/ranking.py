"""Ranking: whether the score puts those who leave above those who stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from accountpulse.proof.intervals import (
    CLOSE,
    LEVEL,
    NO_VARIANCE,
    Codes,
    Floats,
    Interval,
    Observed,
    effective,
    numbers,
    observed,
    on_logit,
    without_gaps,
)


@dataclass(frozen=True)
class Captured:
    """What the `count` riskiest rows hold of those who left; expected values where equal scores straddle the edge."""

    count: int
    lost: float  # how many of the `count` left
    share: float  # of all who left, 0 to 1
    lift: float  # how much more often they left than rows at large


def auc(score: object, lost: object, account: object) -> Interval | None:
    """The chance that a row that left has a higher score than one that stayed, equal scores counting half.

    `score` (higher: more likely to leave, finite), `lost` (bool) and `account` (integer code) have one value a row.
    None where all rows left, or none. The variance is DeLong's (1988) with the placements added up by account
    (Obuchowski 1997), the interval symmetric on the logit scale, which covers better near 1, with Student's t for the
    accounts of the rarer class. Where no variance can be had (one account that left, all scores equal, an AUC of 0 or
    1) the accounts are counted instead: Newcombe's method 5 (2006), as wide as so few accounts ask for. ValueError for
    unequal lengths and unknown values.
    """
    found = auc_at(score, lost, account, (LEVEL,))
    return None if found is None else found[0]


def auc_at(score: object, lost: object, account: object, levels: Sequence[float]) -> tuple[Interval, ...] | None:
    """`auc` with an interval for each of the levels."""
    (scores,) = numbers(score)
    seen = observed(lost, account, scores.size)
    if not seen.both:
        return None
    placed = _placements(scores, seen)
    value = float(placed[seen.lost].mean())
    variance = _variance(placed - value, seen)
    if variance is None or not 0.0 < value < 1.0:
        return tuple(_newcombe(value, seen, level) for level in levels)
    return tuple(on_logit(value, variance, seen.errors_at(level)) for level in levels)


def auc_difference(a: object, b: object, lost: object, account: object) -> Interval | None:
    """AUC of score `a` less AUC of score `b` on the same rows; exactly 0 for scores that rank alike.

    As `auc`, with the paired variance, and a plain interval within −1 to 1. None where all rows left, or none. Where
    only one account left, or only one stayed, nothing is known of the variance and the bounds are −1 and 1.
    """
    first, second = numbers(a, b)
    seen = observed(lost, account, first.size)
    if not seen.both:
        return None
    apart = _placements(first, seen) - _placements(second, seen)
    if not apart.any():
        return Interval(0.0, 0.0, 0.0)
    value = float(apart[seen.lost].mean())
    variance = _variance(apart - value, seen)
    if variance is None:
        return Interval(value, -1.0, 1.0)
    half = seen.errors * float(np.sqrt(variance))
    return Interval(value, max(-1.0, value - half), min(1.0, value + half))


def average_precision(score: object, lost: object) -> float | None:
    """Mean precision over the thresholds, weighted by the recall that each adds; equal scores are one threshold.

    scikit-learn's definition. None where nobody left: there is nothing to find.
    """
    (scores,) = numbers(score)
    left = observed(lost, np.zeros(scores.size, np.int64), scores.size).lost
    if not left.any():
        return None
    level = _levels(scores)
    rows, found = np.bincount(level)[::-1], np.bincount(level, weights=left)[::-1]
    precision = np.cumsum(found) / np.cumsum(rows)
    return float(np.sum(precision * found) / found.sum())


def captured(score: object, lost: object, count: int) -> Captured | None:
    """What the `count` rows of the highest score hold of those who left; None where nobody left.

    Of rows with equal scores at the edge, each is as likely to be among the `count`. A count above the number of rows
    is that number; ValueError below 1.
    """
    (scores,) = numbers(score)
    left = observed(lost, np.zeros(scores.size, np.int64), scores.size).lost
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    if not left.any():
        return None
    count = min(count, scores.size)
    edge = np.partition(scores, scores.size - count)[scores.size - count]
    above, at = scores > edge, scores == edge
    found = float(left[above].sum() + left[at].mean() * (count - above.sum()))
    return Captured(count, found, found / float(left.sum()), found / count / float(left.mean()))


def _placements(scores: Floats, seen: Observed) -> Floats:
    """For a row that left the share of stayers below it, for one that stayed the share of leavers above it."""
    level = _levels(scores)
    rows, leavers = np.bincount(level), np.bincount(level[seen.lost], minlength=int(level.max()) + 1)
    stayers = rows - leavers
    below = (np.cumsum(stayers) - stayers / 2) / stayers.sum()
    above = (leavers.sum() - np.cumsum(leavers) + leavers / 2) / leavers.sum()
    placed: Floats = above[level]
    placed[seen.lost] = below[level[seen.lost]]
    return placed


def _levels(scores: Floats) -> Codes:
    """The scores as 0, 1, … in their order; those that are places already are counted, not sorted again."""
    if scores.size and scores.max() - scores.min() <= CLOSE * scores.size and np.all(np.trunc(scores) == scores):
        return without_gaps(scores.astype(np.int64))[0]
    return np.unique(scores, return_inverse=True)[1].astype(np.int64, copy=False)


def _variance(apart: Floats, seen: Observed) -> float | None:
    """Obuchowski's variance from placements less their mean; None where none shows, or a class has one account."""
    lost_sums = np.bincount(seen.codes[seen.lost], weights=apart[seen.lost], minlength=seen.count)
    leavers = lost_sums / seen.lost.sum()
    stayers = seen.sums(np.where(seen.lost, 0.0, apart)) / (~seen.lost).sum()
    with_leavers, with_stayers = seen.events, int(np.count_nonzero(seen.kept_rows))
    if min(with_leavers, with_stayers) < 2:
        return None
    variance = (
        with_leavers / (with_leavers - 1) * np.sum(leavers**2)
        + with_stayers / (with_stayers - 1) * np.sum(stayers**2)
        + 2 * seen.count / (seen.count - 1) * np.sum(leavers * stayers)
    )
    return float(variance) if variance > NO_VARIANCE else None


def _newcombe(value: float, seen: Observed, level: float) -> Interval:
    """Newcombe's method 5: the values θ that lie within z standard errors at θ, by Hanley and McNeil (1982)."""
    errors = NormalDist().inv_cdf(0.5 + level / 2)
    left, stayed = effective(seen.lost_rows), effective(seen.kept_rows)
    grid = np.linspace(0.0, 1.0, 20_001)
    size = (left + stayed) / 2 - 1
    spread = grid * (1 - grid) / (left * stayed) * (1 + size * ((1 - grid) / (2 - grid) + grid / (1 + grid)))
    possible = grid[np.abs(grid - value) <= errors * np.sqrt(spread)]
    return Interval(value, min(value, float(possible[0])), max(value, float(possible[-1])))

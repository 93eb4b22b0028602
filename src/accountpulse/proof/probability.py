"""Whether a probability is true: where it says 10 %, 10 of 100 leave."""

from dataclasses import dataclass

import numpy as np

from accountpulse.proof.intervals import Floats, Interval, Observed, clustered_variance, numbers, observed, ratio
from accountpulse.proof.logistic import clustered_covariance, line
from accountpulse.proof.logistic import probability as expected

MOST_BINS = 10
_ACCOUNTS_A_BIN = 20
_NEAREST = 1e-9  # to 0 and 1, where a logit is taken


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of about the same probability: what was said, and what happened."""

    rows: int
    accounts: int
    lowest: float
    highest: float
    mean: float  # of the probabilities
    share: Interval  # of the rows that were lost


@dataclass(frozen=True)
class ProbabilityQuality:
    """How true probabilities were; 0 to 1 throughout, None where the rows can't tell."""

    brier: float
    base_brier: float  # of the reference
    skill: (
        Interval | None
    )  # 1 − brier / base_brier: above 0 is better than the reference; None: the reference is perfect, or one account
    intercept: float | None  # 0 is true; None as for the slope
    slope: float | None  # 1 is true, below 1 too sure; None: one class, one probability, or classes that it separates
    slope_interval: Interval | None
    ece: float
    bins: tuple[ReliabilityBin, ...]


def quality(p: object, lost: object, account: object, reference: object = None) -> ProbabilityQuality:
    """Brier score and skill, calibration line, expected calibration error and reliability bins.

    One value a row: `p` (0 to 1), `lost` (bool), `account` (integer code), and where a base rate was known beforehand
    `reference` (0 to 1). Without it the reference is the rows' own base rate, which nobody can know beforehand and
    which is harder to beat. The skill's variance is that of a ratio of sums per account; intercept and slope are the
    logistic of lost on logit p (Cox 1958); the expected calibration error is the mean distance of the bins, which few
    rows make larger. At most ten bins of about as many rows, one for each 20 accounts where there are fewer; equal
    probabilities are never parted. ValueError without rows or for values outside.
    """
    (said,) = numbers(p)
    seen = observed(lost, account, said.size)
    if not said.size or said.min() < 0 or said.max() > 1:
        raise ValueError("probabilities must be between 0 and 1, and there must be some")
    brier = float(np.mean((said - seen.lost) ** 2))
    bins = _bins(said, seen)
    error = sum(each.rows / said.size * abs(each.mean - each.share.value) for each in bins)
    known = np.full(said.size, seen.base_rate) if reference is None else numbers(said, reference)[1]
    base = float(np.mean((known - seen.lost) ** 2))
    skill = _skill(said, known, seen, own=reference is None) if base else None
    return ProbabilityQuality(brier, base, skill, *_calibration(said, seen), float(error), bins)


def _skill(said: Floats, reference: Floats, seen: Observed, *, own: bool) -> Interval | None:
    missed, before = (said - seen.lost) ** 2, (reference - seen.lost) ** 2
    value = 1 - float(missed.mean() / before.mean())
    if own:  # the base rate comes from the rows: to first order its Brier score is base · (1 − base)
        before = before.mean() + (1 - 2 * seen.base_rate) * (seen.lost - seen.base_rate)
    # what a row adds to the ratio of the two means
    influence = (missed - (1 - value) * before) / float(before.mean()) / said.size
    variance = clustered_variance(seen.sums(influence))
    if variance is None:
        return None
    half = seen.errors * float(np.sqrt(variance))
    return Interval(value, value - half, min(1.0, value + half))


def _calibration(said: Floats, seen: Observed) -> tuple[float | None, float | None, Interval | None]:
    """Intercept, slope and the slope's interval."""
    near = np.clip(said, _NEAREST, 1 - _NEAREST)
    logits = np.log(near) - np.log1p(-near)
    found = line(logits, seen.lost.astype(np.float64))
    if found is None:
        return None, None, None
    intercept, slope = found
    if seen.count < 2:
        return intercept, slope, None
    fitted = expected(intercept + slope * logits)
    half = seen.errors * float(np.sqrt(clustered_covariance(logits, fitted, seen)[1, 1]))
    return intercept, slope, Interval(slope, slope - half, slope + half)


def _bins(said: Floats, seen: Observed) -> tuple[ReliabilityBin, ...]:
    wanted = min(MOST_BINS, max(1, seen.count // _ACCOUNTS_A_BIN))
    _, level, rows = np.unique(said, return_inverse=True, return_counts=True)
    middle = (np.cumsum(rows) - rows / 2) / said.size
    place = np.minimum((middle * wanted).astype(np.int64), wanted - 1)[level]
    return tuple(_bin(said[there], seen.rows(there)) for each in np.unique(place) for there in [place == each])


def _bin(said: Floats, seen: Observed) -> ReliabilityBin:
    share = ratio(seen.sums(seen.lost), seen.sums(np.ones(said.size)))
    return ReliabilityBin(said.size, seen.count, float(said.min()), float(said.max()), float(said.mean()), share)

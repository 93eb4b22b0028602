"""From the risk's exponent to a probability: two numbers, with how far they can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accountpulse.proof.intervals import Flags, Floats, Interval, Observed, numbers, observed, ratio
from accountpulse.proof.logistic import clustered_covariance, line, logit, probability
from accountpulse.proof.probability import ProbabilityQuality, quality
from accountpulse.proof.splits import Fold, by_account, forward

FEW_EVENTS = 50  # below so many accounts that left, the base rate is put in as a prior
_PRIOR = 2.0  # as much as so many accounts that left: Platt's two further observations, at the base rate
_FOLDS = 4


@dataclass(frozen=True)
class PlattFit:
    """p = 1 / (1 + e^−(intercept + slope · z)), slope ≥ 0."""

    intercept: float
    slope: float
    covariance: tuple[float, float, float]  # var(intercept), cov, var(slope), rows of an account added up
    events: int  # distinct accounts that left
    accounts: int
    base_rate: float  # of the rows

    def probabilities(self, risk_z: object) -> Floats:
        """The probability of each row, 0 to 1."""
        (exponents,) = numbers(risk_z)
        return probability(self.intercept + self.slope * exponents)


@dataclass(frozen=True)
class BandShare:
    """A band of risk, and the share of its rows that was lost."""

    name: str
    from_risk: float
    rows: int
    share: Interval  # 0 to 1 where no row lies in the band: nothing is known


def fit(risk_z: object, lost: object, account: object) -> PlattFit | None:
    """Platt's line (1999) on the risk's exponent before floors; None where nothing can be fitted.

    That is where all rows were lost, or none, or there is one account only. One value a row: `risk_z` (finite), `lost`
    (bool), `account` (integer code). Targets are smoothed as Platt's: (n + 1) / (n + 2) for the n lost rows, and
    1 / (m + 2) for the m others. Below 50 events they are drawn to the base rate as well, with the weight of two
    accounts that left, so that a few departures don't make it too sure. Where the line would fall, the slope is 0 and
    every row has the base rate. The covariance is the sandwich's over sums per account, taken from what happened and
    not from the smoothed targets, so that it is never the narrower for them.
    """
    (exponents,) = numbers(risk_z)
    seen = observed(lost, account, exponents.size)
    if not seen.both or seen.count < 2:
        return None
    target = _targets(seen)
    intercept, slope = line(exponents, target) or (0.0, 0.0)
    if slope <= 0:
        intercept, slope = logit(float(target.mean())), 0.0
    covariance = _covariance(exponents, probability(intercept + slope * exponents), seen, slope)
    return PlattFit(intercept, slope, covariance, seen.events, seen.count, seen.base_rate)


def out_of_time(risk_z: object, lost: object, account: object, month: object, gap: int) -> ProbabilityQuality | None:
    """How true the probabilities of later months are that are fitted on the months before; None where none can be.

    `month` counts months, `gap` is the horizon in months, rounded up. The later two thirds of the months are foretold
    in four blocks, each by a fit on the rows whose windows had closed when the block began. The skill's reference is
    the base rate of those rows: what could have been said then.
    """
    folds = forward(np.asarray(month), gap, _FOLDS, tested=2 / 3)
    return _foretold(risk_z, lost, account, folds)


def out_of_accounts(risk_z: object, lost: object, account: object) -> ProbabilityQuality | None:
    """How true the probabilities of a quarter of the accounts are that are fitted on the others, for each quarter."""
    return _foretold(risk_z, lost, account, by_account(np.asarray(account, dtype=np.int64), _FOLDS))


def _foretold(risk_z: object, lost: object, account: object, folds: Sequence[Fold]) -> ProbabilityQuality | None:
    """The rows tested in each fold, by a fit on those learned from in it; None where none can be fitted."""
    (exponents,) = numbers(risk_z)
    seen = observed(lost, account, exponents.size)
    said, known = np.full((2, exponents.size), np.nan)
    for fold in folds:
        learned = fit(exponents[fold.training], seen.lost[fold.training], seen.codes[fold.training])
        if learned:
            said[fold.testing] = learned.probabilities(exponents[fold.testing])
            known[fold.testing] = learned.base_rate
    told = ~np.isnan(said)
    return quality(said[told], seen.lost[told], seen.codes[told], known[told]) if told.any() else None


def band_shares(
    risk: object, lost: object, account: object, bands: Sequence[tuple[str, float]]
) -> tuple[BandShare, ...]:
    """The share lost in each band of risk, as `intervals.ratio` gives it: for 20 to 49 events, in place of a line.

    `bands` are names and the risk that each begins at, rising, the first at the lowest risk there is. A band without
    rows has the bounds 0 and 1 and no value (NaN). ValueError for bands that don't hold every row.
    """
    (risks,) = numbers(risk)
    seen = observed(lost, account, risks.size)
    edges = np.array([start for _, start in bands], dtype=np.float64)
    if not bands or (np.diff(edges) <= 0).any() or (risks < edges[0]).any():
        raise ValueError(f"bands must rise from the lowest risk on, not {bands}")
    place = np.searchsorted(edges, risks, side="right") - 1
    return tuple(
        BandShare(name, start, int((place == index).sum()), _share(seen, place == index))
        for index, (name, start) in enumerate(bands)
    )


def _share(seen: Observed, there: Flags) -> Interval:
    if not there.any():
        return Interval(np.nan, 0.0, 1.0)
    return ratio(seen.sums(there & seen.lost), seen.sums(there))


def _targets(seen: Observed) -> Floats:
    lost, kept = int(seen.lost.sum()), int((~seen.lost).sum())
    smoothed = np.where(seen.lost, (lost + 1) / (lost + 2), 1 / (kept + 2))
    if seen.events >= FEW_EVENTS:
        return smoothed
    pull = _PRIOR / (seen.events + _PRIOR)
    return (1 - pull) * smoothed + pull * seen.base_rate


def _covariance(exponents: Floats, fitted: Floats, seen: Observed, slope: float) -> tuple[float, float, float]:
    """Of the line; with a slope of 0, of the intercept alone."""
    if slope:
        found = clustered_covariance(exponents, fitted, seen)
        return float(found[0, 0]), float(found[0, 1]), float(found[1, 1])
    spread = float(np.sum(seen.sums(seen.lost - fitted) ** 2)) / float(np.sum(fitted * (1 - fitted))) ** 2
    return seen.count / (seen.count - 1) * spread, 0.0, 0.0

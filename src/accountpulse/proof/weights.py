"""Weights ≥ 0 that foretell departures, pulled towards the owner's with a strength that later rows choose.

The model is Platt's line on the risk of the very card whose weights are looked for: logit p = a + b · z, where z is the
risk's exponent at weights w ≥ 0. In β = b · w it is a logistic on the parts' points with all coefficients ≥ 0. The
penalty is the squared distance of β from the line through the owner's weights, at any b, so that it knows no scale.
Infinitely strong it leaves the owner's card with Platt's line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accountpulse.proof.intervals import LEVEL, Codes, Flags, Floats, Interval, Observed, beyond_chance, levels_of
from accountpulse.proof.logistic import line, log_loss, probability
from accountpulse.proof.ranking import auc_at
from accountpulse.proof.splits import Fold, SplitKind, by_account, forward

OWNERS = float("inf")
STRENGTHS = (OWNERS, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
LEAST_EVENTS = 10  # in what is learned from, and in what it is tried on
_FOLDS = 3


@dataclass(frozen=True)
class WeightData:
    """Rows to learn weights of parts from; a part is a leaf, or a dimension with the owner's weights inside."""

    columns: Floats  # rows × parts: what 1 of β adds to the logit
    owners: Floats  # the parts' weights; they add up to 1
    alone: Floats  # rows × parts: 100 − points, NaN where not known
    month: Codes
    gap: int  # the horizon in months
    seen: Observed

    def rows(self, chosen: Flags) -> "WeightData":
        """Some of the rows."""
        seen = self.seen.rows(chosen)
        return WeightData(self.columns[chosen], self.owners, self.alone[chosen], self.month[chosen], self.gap, seen)

    def ranking(self, part: int, levels: Sequence[float] = (LEVEL,)) -> tuple[Interval, ...] | None:
        """The AUC of one part alone: the fewer points, the likelier to leave. None without rows of both kinds."""
        known = ~np.isnan(self.alone[:, part])
        if not known.any():
            return None
        return auc_at(self.alone[known, part], self.seen.lost[known], self.seen.codes[known], levels)

    @property
    def unknown(self) -> Flags:
        """Parts that no row knows."""
        nowhere: Flags = np.all(np.isnan(self.alone), axis=0)
        return nowhere


@dataclass(frozen=True)
class FittedWeights:
    """Weights of the parts; those of the wrong way have 0."""

    weights: Floats  # they add up to 1
    strength: float
    wrong_way: Flags
    unknown: Flags  # parts of which no row knows anything, so that nothing is said of their weights: they have 0 here


@dataclass(frozen=True)
class _Logistic:
    intercept: float
    coefficients: Floats  # of columns less their means
    means: Floats

    def loss(self, data: WeightData) -> float:
        return log_loss(self.intercept + (data.columns - self.means) @ self.coefficients, _target(data))


def fitted(data: WeightData) -> FittedWeights:
    """The weights of all rows at the strength that did best on rows that it wasn't fitted on; of equals the strongest.

    A part that points the wrong way beyond chance gets 0. Where that is true of
    all parts, or no part adds anything, the weights are the owner's.
    """
    wrong = wrong_way(data)
    strength = _strength(data)
    found = _logistics(data, wrong, (strength,))[0].coefficients
    if not found.any():
        found = np.where(wrong | data.unknown, 0.0, data.owners)
    if not found.any():
        found = data.owners
    return FittedWeights(found / found.sum(), strength, wrong, data.unknown)


def wrong_way(data: WeightData) -> Flags:
    """Parts that point the wrong way beyond chance, all of them judged together (`intervals.beyond_chance`)."""
    levels = levels_of(data.owners.size)
    ranked = {part: found for part in range(data.owners.size) if (found := data.ranking(part, levels))}
    beyond = beyond_chance(list(ranked.values()))
    wrong = [
        part for (part, found), apart in zip(ranked.items(), beyond, strict=True) if apart and found[0].value < 0.5
    ]
    return np.isin(np.arange(data.owners.size), wrong)


def folds(data: WeightData, count: int, tested: float) -> tuple[list[Fold], SplitKind]:
    """The rows by time in so many folds, those with too few departures left out; by account where none remains."""
    by_time = [fold for fold in forward(data.month, data.gap, count, tested) if _enough(data, fold)]
    if by_time:
        return by_time, "time"
    return [fold for fold in by_account(data.seen.codes, _FOLDS)[:count] if _enough(data, fold)], "accounts"


def _enough(data: WeightData, fold: Fold) -> bool:
    parts = [data.seen.rows(rows) for rows in (fold.training, fold.testing)]
    return all(part.both and part.events >= LEAST_EVENTS for part in parts)


def _strength(data: WeightData) -> float:
    losses = np.zeros(len(STRENGTHS))
    for fold in folds(data, _FOLDS, tested=1 / 2)[0]:
        training, testing = data.rows(fold.training), data.rows(fold.testing)
        tried = _logistics(training, wrong_way(training), STRENGTHS)
        losses += [each.loss(testing) * testing.month.size for each in tried]
    return STRENGTHS[int(np.argmin(losses))]


def _logistics(data: WeightData, wrong: Flags, strengths: tuple[float, ...]) -> list[_Logistic]:
    """One for each strength, strongest first, each begun where the last one ended; parts that no row knows have 0."""
    means = data.columns.mean(axis=0)
    centred = data.columns - means
    owners = np.where(wrong | data.unknown, 0.0, data.owners)
    intercept, scale = line(centred @ owners, _target(data)) or (0.0, 0.0)
    if scale <= 0:
        intercept, scale = float(np.log(data.seen.base_rate / (1 - data.seen.base_rate))), 0.0
    start = np.array([intercept, *(scale * owners)])
    found = []
    for strength in strengths:
        if strength < OWNERS and owners.any():
            start = _minimum(centred, _target(data), start, owners, strength)
        found.append(_Logistic(float(start[0]), start[1:], means))
    return found


def _minimum(centred: Floats, target: Floats, start: Floats, owners: Floats, strength: float) -> Floats:
    """The mean log loss and half the strength × the squared distance from the owner's line, at its least."""
    from scipy.optimize import minimize

    towards = owners / np.sqrt(np.sum(owners**2))

    def cost(tried: Floats) -> tuple[float, Floats]:
        exponent = tried[0] + centred @ tried[1:]
        residual = probability(exponent) - target
        apart = tried[1:] - towards * float(towards @ tried[1:])
        slopes = centred.T @ residual / target.size + strength * apart
        return log_loss(exponent, target) + strength / 2 * float(apart @ apart), np.array([residual.mean(), *slopes])

    bounds = [(None, None), *((0.0, None) if weight > 0 else (0.0, 0.0) for weight in owners)]
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10, "gtol": 1e-6})
    return np.asarray(found.x, dtype=np.float64)


def _target(data: WeightData) -> Floats:
    return data.seen.lost.astype(np.float64)

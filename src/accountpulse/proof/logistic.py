"""A logistic line, and how far its two numbers can be trusted where accounts have many rows."""

import numpy as np

from accountpulse.proof.intervals import Floats, Observed

_STEPS = 100


def probability(exponent: Floats) -> Floats:
    """1 / (1 + e^−x), without overflow."""
    small = np.exp(-np.abs(exponent))
    return np.where(exponent >= 0, 1.0, small) / (1.0 + small)


def logit(share: float) -> float:
    """log(p / (1 − p)), for a share between 0 and 1."""
    return float(np.log(share) - np.log1p(-share))


def line(column: Floats, target: Floats) -> tuple[float, float] | None:
    """Intercept and slope of the most likely logistic of `target` (0 to 1) on a column, by Newton's method.

    None where there is none: a column of one value, targets that are all 0 or all 1, or classes that one value of the
    column separates.
    """
    ones, zeros = column[target > 0], column[target < 1]
    if not ones.size or not zeros.size or ones.min() >= zeros.max() or zeros.min() >= ones.max():
        return None
    centre, spread = float(column.mean()), float(column.std())
    if spread <= 1e-12 * max(1.0, abs(centre)):
        return None
    columns = _with_ones((column - centre) / spread)
    found = np.array([logit(float(target.mean())), 0.0])
    for _ in range(_STEPS):
        fitted = probability(columns @ found)
        slopes = columns.T @ (target - fitted)
        if np.abs(slopes).max() <= 1e-10 * target.size:
            slope = float(found[1]) / spread
            return float(found[0]) - slope * centre, slope
        step = np.linalg.solve(_curvature(columns, fitted), slopes).astype(np.float64)
        found = _downhill(columns, target, found, step)
    return None


def clustered_covariance(column: Floats, fitted: Floats, seen: Observed) -> Floats:
    """The 2 × 2 covariance of intercept and slope with the rows of an account added up (Liang and Zeger 1986).

    `fitted` are the line's probabilities; the correction is accounts / (accounts − 1), for two accounts or more.
    """
    centre, spread = float(column.mean()), float(column.std()) or 1.0
    standard = (column - centre) / spread
    residual = seen.lost - fitted
    pulls = np.column_stack([seen.sums(residual), seen.sums(residual * standard)])
    back = np.array([[1.0, -centre / spread], [0.0, 1.0 / spread]])  # to the column as it is
    bread = back @ np.linalg.inv(_curvature(_with_ones(standard), fitted))
    covariance: Floats = seen.count / (seen.count - 1) * bread @ (pulls.T @ pulls) @ bread.T
    return covariance


def _with_ones(column: Floats) -> Floats:
    return np.column_stack([np.ones(column.size), column])


def _curvature(columns: Floats, fitted: Floats) -> Floats:
    curvature: Floats = (columns * (fitted * (1 - fitted))[:, None]).T @ columns
    return curvature


def _downhill(columns: Floats, target: Floats, found: Floats, step: Floats) -> Floats:
    """The step, halved until the loss is no greater; far from the maximum a whole step may overshoot."""
    loss = log_loss(columns @ found, target)
    for halvings in range(30):
        tried = found + step / 2**halvings
        if log_loss(columns @ tried, target) <= loss + 1e-14:
            break
    following: Floats = tried
    return following


def log_loss(exponent: Floats, target: Floats) -> float:
    """The mean of −log of the probability that was given to what happened."""
    return float(np.mean(np.logaddexp(0.0, exponent) - target * exponent))

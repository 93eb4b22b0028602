"""Intervals at 95 % for figures whose rows aren't independent: the rows of one account rise and fall together.

Every variance here is taken over sums per account (the ratio estimate of cluster sampling, Cochran 1977, section 3.12),
never over rows. An account is an integer code; its rows may lie anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]

LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
ROWS, MONEY, ONCE = 3.0, 2.0, float("inf")  # least degrees of freedom of shares; how they were found, `ratio` says
CLOSE = 16  # times the rows: codes of a wider range than that are sorted rather than counted
NO_VARIANCE = 1e-24  # below it is rounding, and would pretend certainty


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds between which the truth lies in 95 of 100 such samples."""

    value: float
    lower: float
    upper: float


def numbers(*values: object) -> tuple[Floats, ...]:
    """The columns as floats of one length, at least 1-dimensional; ValueError where a number is not finite."""
    columns = tuple(np.asarray(column, dtype=np.float64) for column in values)
    if any(column.ndim != 1 or column.size != columns[0].size for column in columns):
        raise ValueError(f"columns of one length are needed, not {[column.shape for column in columns]}")
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("a number is null or infinite: leave such rows out, and count them, before")
    return columns


@dataclass(frozen=True)
class Observed:
    """What happened: of each row its account, and whether it was lost."""

    lost: Flags
    codes: Codes  # 0, 1, … without gaps
    count: int  # accounts

    @property
    def both(self) -> bool:
        """Whether some rows were lost and some weren't."""
        return bool(self.lost.any() and not self.lost.all())

    @property
    def events(self) -> int:
        """Distinct accounts that left."""
        return int(np.count_nonzero(self.lost_rows))

    @property
    def base_rate(self) -> float:
        """The share of the rows that was lost."""
        return float(self.lost.mean())

    @property
    def errors(self) -> float:
        """Student's t for the accounts of the rarer class, which carry the variance."""
        return self.errors_at(LEVEL)

    def errors_at(self, level: float) -> float:
        """The same at another level than 95 %."""
        return student(min(effective(self.lost_rows), effective(self.kept_rows)), level)

    @cached_property
    def lost_rows(self) -> Floats:
        """How many rows of each account were lost."""
        return np.bincount(self.codes[self.lost], minlength=self.count).astype(np.float64)

    @cached_property
    def kept_rows(self) -> Floats:
        """How many rows of each account were not lost."""
        return np.bincount(self.codes, minlength=self.count) - self.lost_rows

    def sums(self, values: object) -> Floats:
        """The values added up for each account."""
        added = np.bincount(self.codes, weights=np.asarray(values, dtype=np.float64), minlength=self.count)
        return added.astype(np.float64)

    def rows(self, chosen: Flags | slice) -> "Observed":
        """Some of the rows, with their accounts alone."""
        lost = self.lost[chosen]
        return observed(lost, self.codes[chosen], lost.size)


def observed(lost: object, account: object, size: int) -> Observed:
    """What happened in so many rows: `lost` true or false, `account` an integer code; ValueError for anything else."""
    left, codes = np.asarray(lost), np.asarray(account)
    if left.shape != (size,) or codes.shape != (size,):
        raise ValueError(f"{size} rows, but lost has the shape {left.shape} and account {codes.shape}")
    if left.dtype != np.bool_ and not (left.dtype.kind in "iuf" and np.isin(left, (0, 1)).all()):
        raise ValueError("lost must be true or false in every row: leave censored rows out before")
    if codes.dtype.kind not in "iu":
        raise ValueError(f"account must be integer codes, not {codes.dtype}")
    own, count = without_gaps(codes.astype(np.int64, copy=False))
    return Observed(left.astype(np.bool_, copy=False), own, count)


def without_gaps(codes: Codes) -> tuple[Codes, int]:
    """The codes as 0, 1, … in their order, and how many there are; counted where they lie close, which is faster."""
    if codes.size and (span := int(codes.max()) - int(codes.min())) <= CLOSE * codes.size:
        shifted, there = codes - codes.min(), np.zeros(span + 1, np.bool_)
        there[shifted] = True
        return (shifted, span + 1) if there.all() else ((np.cumsum(there) - 1)[shifted], int(there.sum()))
    found, own = np.unique(codes, return_inverse=True)
    return own.astype(np.int64), int(found.size)


def clustered_variance(influence: Floats) -> float | None:
    """The variance of an estimate from what each account adds to it (about 0 in sum); None below two accounts."""
    count = influence.size
    return None if count < 2 else float(count / (count - 1) * np.sum(influence**2))


def effective(sizes: Floats) -> float:
    """So many accounts of equal size as tell as much as these: Kish's (Σ size)² / Σ size² (1965); 0 without any."""
    squares = float(np.sum(sizes**2))
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def student(count: float, level: float = LEVEL, least: float = 1.0) -> float:
    """How many standard errors a bound lies away where `count` accounts carry the variance: Student's t, as few are.

    `least`: never fewer degrees of freedom; infinite: the normal distribution.
    """
    from scipy.special import stdtrit

    if least == ONCE:
        return NormalDist().inv_cdf(0.5 + level / 2)
    return float(stdtrit(max(least, count - 1.0), 0.5 + level / 2))


def levels_of(count: int) -> tuple[float, ...]:
    """The levels at which `beyond_chance` needs the intervals of so many parts, the strictest first."""
    return tuple(1 - (1 - LEVEL) * place / count for place in range(1, count + 1))


def beyond_chance(parts: Sequence[Sequence[Interval]], chance: float = 0.5) -> list[bool]:
    """Which of the parts lie apart from `chance`, so that of those named 5 in 100 are named by chance.

    Each part brings its intervals at `levels_of` as many parts, or more where some can't be judged. Where none tells
    anything, one is named in 5 of 100 books. Benjamini and Hochberg's step-up (1995): the k parts that are furthest
    apart are named, for the largest k whose intervals at the k-th level all leave `chance` out.
    """
    for place in reversed(range(len(parts))):
        apart = [not part[place].lower <= chance <= part[place].upper for part in parts]
        if sum(apart) > place:
            return apart
    return [False] * len(parts)


def wilson(share: float, size: float, errors: float = Z) -> Interval:
    """Wilson's interval (1927) of a share among `size` independent observations; it never has width 0."""
    centre = (share + errors**2 / (2 * size)) / (1 + errors**2 / size)
    spread = share * (1 - share) / size + (errors / (2 * size)) ** 2
    half = errors / (1 + errors**2 / size) * float(np.sqrt(spread))
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def ratio(part: Floats, whole: Floats, least: float = ROWS) -> Interval:
    """The share that the accounts' `part` is of their `whole` (0 ≤ part ≤ whole, one value an account).

    Wilson's interval at the effective sample size: so many independent observations as have the variance that the
    accounts show (Korn and Graubard 1998; Dean and Pagano 2015), with Student's t for as many accounts as carry the
    part: of few nobody knows how unequal such parts are. Where all or none were lost no variance shows: then the
    accounts are counted. ValueError where there is no whole.

    One account that carries all would make the interval as wide as 0 to 75 %, so `least` bounds the degrees of freedom:
    ROWS or MONEY, the least with which simulations of 56 accounts still cover; ONCE where each account loses one row at
    most, as renewals do: such parts are equal, and the interval is Wilson's. So it covers 95 to 98 %; an account
    bootstrap covers 87 to 95 %, least for sums of money.
    """
    kept = whole > 0
    part, whole = part[kept], whole[kept]
    if not whole.size:
        raise ValueError("a share of nothing")
    share = min(1.0, float(part.sum() / whole.sum()))
    variance = clustered_variance((part - share * whole) / whole.sum())
    if variance is None or variance <= NO_VARIANCE or share in (0.0, 1.0):
        return wilson(share, effective(whole))
    carried = min(effective(part), effective(whole - part))
    return wilson(share, share * (1 - share) / variance, student(carried, least=least))


def on_logit(value: float, variance: float, errors: float = Z) -> Interval:
    """The interval of a value between 0 and 1 that is symmetric on the logit scale, so that it never leaves 0 to 1."""
    logit = np.log(value / (1 - value))
    half = errors * np.sqrt(variance) / (value * (1 - value))
    lower, upper = 1 / (1 + np.exp(-(logit + np.array([-half, half]))))
    return Interval(value, float(lower), float(upper))

"""How many left, and how much money with them, by tier or any other group."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from accountpulse.proof.intervals import (
    MONEY,
    ONCE,
    ROWS,
    Flags,
    Floats,
    Interval,
    Observed,
    clustered_variance,
    effective,
    observed,
    ratio,
    student,
)


@dataclass(frozen=True)
class GroupRates:
    """One group's rows: who left, and the share of the money that left."""

    customers: int  # distinct accounts
    rows: int
    lost: int  # distinct accounts with a row that was lost
    share: Interval  # of the rows
    arr_loss: Interval | None  # the share of the rows' ARR that is that of lost rows; None: no ARR known
    arr_unknown: int  # rows without an ARR, which aren't in arr_loss


@dataclass(frozen=True)
class Retention:
    """What became of a group's ARR; 1 is all of it."""

    gross: Interval  # without what others grew, 0 to 1
    net: Interval  # with it
    unknown: int  # rows whose ARR before or after isn't known, which aren't in it


def rates(lost: object, weight: object, account: object, group: object) -> dict[object, GroupRates]:
    """By group, in the order in which the groups appear.

    One value a row: `lost` (bool), `weight` (ARR; NaN or below 0: not known), `account` (integer code), `group` (any
    label, None too). Intervals are `intervals.ratio` over sums per account: Wilson's at the effective sample size, with
    Student's t for money, and for rows where an account lost several of them.
    """
    arr = _amounts(weight)
    seen = observed(lost, account, arr.size)
    least = ONCE if np.all(seen.lost_rows <= 1) else ROWS
    return {label: _rates(arr[there], seen.rows(there), least) for label, there in _groups(group, arr.size)}


def retention(before: object, after: object, account: object, group: object) -> dict[object, Retention]:
    """Gross and net retention of ARR by group; a group without known ARR is left out.

    One value a row: ARR `before` and `after` the horizon (0 where the account left; NaN or below 0: not known). Gross:
    1 − Σ max(before − after, 0) / Σ before; net: Σ after / Σ before. Gross has the interval of `intervals.ratio`; net
    is no share, so it has one of a ratio of sums per account with Student's t, never narrower below than gross.
    """
    earlier, later = _amounts(before), _amounts(after)
    if later.size != earlier.size:
        raise ValueError(f"{earlier.size} amounts before, but {later.size} after")
    seen = observed(np.zeros(earlier.size, np.bool_), account, earlier.size)
    rows = _groups(group, earlier.size)
    found = {label: _retention(earlier[there], later[there], seen.rows(there)) for label, there in rows}
    return {label: each for label, each in found.items() if each}


def _rates(arr: Floats, seen: Observed, least: float) -> GroupRates:
    share = ratio(seen.lost_rows, seen.lost_rows + seen.kept_rows, least)
    known = np.nan_to_num(arr)
    money = ratio(seen.sums(known * seen.lost), seen.sums(known), MONEY) if known.any() else None
    return GroupRates(seen.count, arr.size, seen.events, share, money, int(np.isnan(arr).sum()))


def _retention(before: Floats, after: Floats, seen: Observed) -> Retention | None:
    known = ~(np.isnan(before) | np.isnan(after))
    earlier, later = np.where(known, before, 0.0), np.where(known, after, 0.0)
    if not earlier.any():
        return None
    whole = seen.sums(earlier)
    shrunk = ratio(seen.sums(np.maximum(earlier - later, 0.0)), whole, MONEY)
    gross = Interval(1 - shrunk.value, 1 - shrunk.upper, 1 - shrunk.lower)
    return Retention(gross, _net(seen.sums(later), whole, gross), int((~known).sum()))


def _net(kept: Floats, whole: Floats, gross: Interval) -> Interval:
    value = float(kept.sum() / whole.sum())
    variance = clustered_variance((kept - value * whole) / whole.sum()) or 0.0
    half = max(student(effective(whole)) * float(np.sqrt(variance)), gross.value - gross.lower)
    return Interval(value, max(0.0, value - half), value + half)


def _amounts(values: object) -> Floats:
    """Amounts of money, NaN where not known: also those below 0, which are no contract's."""
    found = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(found) & (found >= 0), found, np.nan)


def _groups(group: object, size: int) -> list[tuple[object, Flags | slice]]:
    """Each label and where its rows are."""
    labels = np.asarray(group)
    if labels.shape != (size,):
        raise ValueError(f"group must have a label for each of {size} rows")
    if labels.dtype.kind in "iu" and np.all(labels[1:] >= labels[:-1]):  # each one's rows lie together
        edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), size] if size else []
        return [(int(labels[start]), slice(start, end)) for start, end in pairwise(edges)]
    labels = np.asarray(group, dtype=object)
    places: dict[object, int] = {}
    codes = np.fromiter((places.setdefault(label, len(places)) for label in labels.tolist()), np.int64, size)
    return [(label, codes == place) for label, place in places.items()]

"""Other weights for a scorecard: what they would be, why each moves, and whether they ranked better on later months."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from accountpulse.proof.figures import bounded, percent
from accountpulse.proof.intervals import Floats, Interval, numbers, observed
from accountpulse.proof.points import LeafPoints, effective_weights, owners_weights, tree_weights, with_owners
from accountpulse.proof.ranking import auc, auc_difference
from accountpulse.proof.splits import SplitKind
from accountpulse.proof.weights import FittedWeights, WeightData, fitted, folds
from accountpulse.scoring.scorecard import Leaf, Scorecard

WeightLevel = Literal["dimensions", "leaves"]
_UNIT = 25.0  # points that a coefficient stands for
_MOVED = 0.005  # of the whole weight
_RARELY = 0.2  # of the rows


@dataclass(frozen=True)
class WeightChange:
    """A dimension's or metric's part of the whole weight, before and after, and why."""

    key: str  # its place in the tree
    name: str
    old: float  # 0 to 1
    new: float
    known: float  # the share of rows in which it has points
    auc: Interval | None  # alone, of fewer points foretelling departure; None: not known for both kinds of rows
    wrong_way: bool  # customers with fewer points left less often, beyond chance
    reason: str  # in words; empty where the weight stays and isn't of the wrong way


@dataclass(frozen=True)
class Suggestion:
    """New weights, and whether they are to be recommended."""

    level: WeightLevel
    weights: dict[str, float]  # key of every group and metric → its weight among its siblings; 0: take it out
    changes: tuple[WeightChange, ...]  # one for each part, in the file's order
    strength: float  # of the pull to the owner's weights; infinite: they are kept, but for those of the wrong way
    difference: Interval | None  # AUC of new less old risk on rows not learned from; None: no such rows
    tried_by: SplitKind  # how those rows were set apart
    recommended: bool
    verdict: str  # in words

    @property
    def wrong_way(self) -> tuple[str, ...]:
        """The names of those that point the wrong way."""
        return tuple(change.name for change in self.changes if change.wrong_way)


@dataclass(frozen=True)
class BookRows:
    """Rows to learn from, one an account and month, all arrays of one length.

    `points` has a column for each of the card's leaves (0 to 100, NaN: not known), `risk_z` is the risk's exponent
    before floors (finite), `lost` bool, `account` an integer code, `month` a count of months, `gap` the horizon in
    months, rounded up.
    """

    points: Floats
    risk_z: object
    lost: object
    account: object
    month: object
    gap: int


def suggest(card: Scorecard, rows: BookRows, level: WeightLevel) -> Suggestion | None:
    """New weights of dimensions or leaves; None where all rows were lost, or none, or risk doesn't look at health.

    Rows without health (no leaf known) are left out. What is given was fitted on all rows. Whether such weights are
    better is tried on the later months, with weights that were found in the same way a horizon before them; where the
    months don't suffice, on a third of the accounts.
    """
    book = _book(card, rows, level)
    if book is None:
        return None
    difference, ranking, kind = _tried(book)
    found = fitted(book.data)
    weights = book.weights(found)
    changes = _changes(book, found, weights)
    moved = any(_has_moved(change.old, change.new) for change in changes)
    ranks = ranking is not None and ranking.lower > 0.5
    recommended = moved and ranks and difference is not None and difference.value > 0 and difference.lower >= 0
    verdict = _verdict(difference, ranking, kind, moved=moved)
    return Suggestion(level, weights, changes, found.strength, difference, kind, recommended, verdict)


@dataclass(frozen=True)
class _Weighted:
    """What a weight is suggested for."""

    key: str
    name: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class _Book:
    card: Scorecard
    parts: tuple[_Weighted, ...]
    inside: Floats  # leaves × parts: a leaf's share of its part
    points: LeafPoints
    risk_z: Floats
    old_health: Floats
    data: WeightData

    def weights(self, found: FittedWeights) -> dict[str, float]:
        """The weight of every group and leaf; groups without leaves, and what no row knows, keep their part."""
        whole = effective_weights(self.card, owners_weights(self.card)).sum()
        unknown = (part for part, nowhere in zip(self.parts, found.unknown, strict=True) if nowhere)
        kept = {leaf.key for part in unknown for leaf in part.leaves}
        return with_owners(self.card, tree_weights(self.card, self.inside @ found.weights * whole), kept)

    def new_risk(self, found: FittedWeights) -> Floats:
        """The risk's exponent at these weights; NaN where health would not be known any more."""
        new_health = self.points.health(self.weights(found))
        return self.risk_z - self.card.risk.slope * (new_health - self.old_health)


def _book(card: Scorecard, rows: BookRows, level: WeightLevel) -> _Book | None:
    (risk_z,) = numbers(rows.risk_z)
    points = np.asarray(rows.points, dtype=np.float64)
    if points.shape != (risk_z.size, len(card.leaves)):
        raise ValueError(f"points must be {risk_z.size} rows × {len(card.leaves)} leaves, not {points.shape}")
    seen = observed(rows.lost, rows.account, risk_z.size)
    owners = owners_weights(card)
    rated = ~np.isnan(LeafPoints(card, points).health(owners))
    leaves, seen, risk_z = LeafPoints(card, points[rated]), seen.rows(rated), risk_z[rated]
    if not seen.both or card.risk.slope == 0:
        return None
    parts = _parts(card, level)
    inside = _inside(card, parts)
    health = leaves.health(owners)
    others = (risk_z - card.risk.slope * (50 - health)) / (_UNIT * card.risk.slope)
    columns = (50 - leaves.filled(owners) @ inside) / _UNIT + others[:, None]
    whole = effective_weights(card, owners)
    weights = np.array([whole[inside[:, place] > 0].sum() for place in range(len(parts))]) / whole.sum()
    month = np.asarray(rows.month)[rated]
    data = WeightData(columns, weights, _alone(leaves, parts, owners), month, rows.gap, seen)
    return _Book(card, parts, inside, leaves, risk_z, health, data)


def _parts(card: Scorecard, level: WeightLevel) -> tuple[_Weighted, ...]:
    if level == "leaves":
        return tuple(_Weighted(leaf.key, leaf.name, (leaf,)) for leaf in card.leaves)
    filled = [node for node in card.dimension_nodes if node.children]
    return tuple(_Weighted(node.key, node.name, tuple(node.leaves())) for node in filled)


def _inside(card: Scorecard, parts: tuple[_Weighted, ...]) -> Floats:
    """Leaves × parts: each leaf's share of its part's weight."""
    inside = np.zeros((len(card.leaves), len(parts)))
    places = {leaf.key: place for place, leaf in enumerate(card.leaves)}
    for column, part in enumerate(parts):
        for leaf in part.leaves:
            inside[places[leaf.key], column] = leaf.weight
    shares: Floats = inside / inside.sum(axis=0)
    return shares


def _alone(leaves: LeafPoints, parts: tuple[_Weighted, ...], owners: dict[str, float]) -> Floats:
    """Rows × parts: 100 less the score of each part itself."""
    scores = leaves.scores(owners)
    return np.column_stack([100.0 - scores[part.key] for part in parts])


def _tried(book: _Book) -> tuple[Interval | None, Interval | None, SplitKind]:
    """The AUC that weights of earlier months gain on later ones, or those of some accounts on the others; and its own.

    None where there are no such rows.
    """
    trials, kind = folds(book.data, 1, tested=1 / 3)
    if not trials:
        return None, None, kind
    trial = trials[0]
    new = book.new_risk(fitted(book.data.rows(trial.training)))
    rows = trial.testing & ~np.isnan(new)
    seen = book.data.seen
    lost, account = seen.lost[rows], seen.codes[rows]
    return auc_difference(new[rows], book.risk_z[rows], lost, account), auc(new[rows], lost, account), kind


# --- in words --------------------------------------------------------------------------------------------------


def _changes(book: _Book, found: FittedWeights, weights: dict[str, float]) -> tuple[WeightChange, ...]:
    effective = effective_weights(book.card, weights)
    shares = ((book.inside > 0).T @ effective) / effective.sum()
    return tuple(_change(book, found, place, float(shares[place])) for place in range(len(book.parts)))


def _change(book: _Book, found: FittedWeights, place: int, new: float) -> WeightChange:
    old, part = float(book.data.owners[place]), book.parts[place]
    known = float((~np.isnan(book.data.alone[:, place])).mean())
    ranking, wrong = next(iter(book.data.ranking(place) or ()), None), bool(found.wrong_way[place])
    reason = _reason(ranking, known, new - old, wrong=wrong) if wrong or _has_moved(old, new) else ""
    return WeightChange(part.key, part.name, old, new, known, ranking, wrong, reason)


def _has_moved(old: float, new: float) -> bool:
    return abs(new - old) >= _MOVED


def _reason(ranking: Interval | None, known: float, change: float, *, wrong: bool) -> str:
    if not known:
        return "never known here, so that nothing is said of it: it keeps its part of its group"
    if ranking is None:
        return f"known in {percent(known)} of the rows: too rarely to say anything about it"
    alone = f"AUC alone {bounded(ranking)}"
    if wrong:
        return f"points the wrong way: customers with fewer points left less often; {alone}. Look at its anchors"
    seldom = f", known in {percent(known)} of the rows" if known < _RARELY else ""
    if ranking.lower <= 0.5:
        more = "who leaves by itself, but it adds to the others" if change > 0 else "who leaves"
        return f"no evidence that it foretells {more}; {alone}{seldom}"
    if change > 0:
        return f"foretells who leaves better than its weight says; {alone}{seldom}"
    return f"foretells who leaves, but less than its weight says once the others are known; {alone}{seldom}"


def _verdict(difference: Interval | None, ranking: Interval | None, kind: SplitKind, *, moved: bool) -> str:
    if not moved:
        return "The weights stay: no others are shown to foretell better."
    if difference is None:
        return "Not recommended: there are too few departures to try the new weights on customers that weren't used."
    if difference == Interval(0.0, 0.0, 0.0):
        return "Not recommended: from earlier months alone the weights would have stayed, so that others weren't tried."
    where = "later months" if kind == "time" else "customers"
    gain = (
        f"on {where} that weren't used to find them, such weights changed the AUC by "
        f"{bounded(difference, 3, signed=True)}"
    )
    if ranking is None or ranking.lower <= 0.5:
        reached = "" if ranking is None else f", to {bounded(ranking)}"
        return f"Not recommended: {gain}{reached}, which isn't shown to be better than chance (0.50)."
    if difference.value > 0 and difference.lower >= 0:
        return f"Recommended: {gain}."
    return f"Not recommended: {gain}, which doesn't rule out a loss."

"""A scorecard's tree as matrices: health from leaf points for any weights, missing leaves as the scorecard has them.

scoring/tree.py says the same as expressions over columns; a fit needs it thousands of times over, for other weights.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from accountpulse.proof.intervals import Floats
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Node, Scorecard

Weights = Mapping[str, float]  # a node's or leaf's key → its weight among its siblings; 0: it isn't in the tree


def owners_weights(card: Scorecard) -> dict[str, float]:
    """The weights of the card as it stands."""
    nodes = {node.key: node.weight for node in card.root.nodes() if node is not card.root}
    return nodes | {leaf.key: leaf.weight for leaf in card.leaves}


@dataclass(frozen=True)
class LeafPoints:
    """Points of each row and leaf, in the order of `card.leaves`; NaN: not known."""

    card: Scorecard
    points: Floats

    def health(self, weights: Weights) -> Floats:
        """Health before caps of each row with these weights; NaN where no leaf is known."""
        return self.scores(weights)[self.card.root.key]

    def filled(self, weights: Weights) -> Floats:
        """The points, with what stands in for a missing leaf: the score of the nearest group above that has one.

        So Σ share × points is health: leaving a leaf out of a weighted mean is giving it the mean of the others. A
        dimension of which too little is known has no score, so all its leaves count as missing. NaN where the root has
        no score.
        """
        scores = self.scores(weights)
        places = {leaf.key: place for place, leaf in enumerate(self.card.leaves)}
        filled = np.empty_like(self.points)

        def fill(node: Node, above: Floats) -> None:
            unknown = np.isnan(scores[node.key])
            value = np.where(unknown, above, scores[node.key])
            for child in node.children:
                if isinstance(child, Node):
                    fill(child, value)
                else:
                    own = self.points[:, places[child.key]]
                    filled[:, places[child.key]] = np.where(unknown | np.isnan(own), value, own)

        fill(self.card.root, scores[self.card.root.key])
        return filled

    def scores(self, weights: Weights) -> dict[str, Floats]:
        """The score of every node and leaf by its key."""
        found = {leaf.key: self.points[:, place] for place, leaf in enumerate(self.card.leaves)}

        def score(node: Node) -> None:
            for child in node.children:
                if isinstance(child, Node):
                    score(child)
            found[node.key] = self._mean(node, [(found[child.key], weights[child.key]) for child in node.children])

        score(self.card.root)
        return found

    def _mean(self, node: Node, children: list[tuple[Floats, float]]) -> Floats:
        known, added = np.zeros(len(self.points)), np.zeros(len(self.points))
        for points, weight in children:
            there = ~np.isnan(points)
            known += weight * there
            added += weight * np.where(there, points, 0.0)
        least = self.card.file.coverage.dimension_min - TOLERANCE if node.is_dimension else 0.0
        enough = (known > 0) & (known >= least * sum(weight for _, weight in children))
        return np.where(enough, added / np.where(enough, known, 1.0), np.nan)


def effective_weights(card: Scorecard, weights: Weights) -> Floats:
    """What each leaf counts in health where everything is known, in the order of `card.leaves`; they add up to 1.

    Groups without leaves (pillars that nobody configured) keep their part; then the sum is below 1.
    """
    shares = {"": 1.0}
    for node in card.root.nodes():
        total = sum(weights[child.key] for child in node.children)
        for child in node.children:
            shares[child.key] = shares[node.key] * weights[child.key] / total if total else 0.0
    return np.array([shares[leaf.key] for leaf in card.leaves])


def tree_weights(card: Scorecard, effective: Floats) -> dict[str, float]:
    """The weights of nodes and leaves that give the leaves these effective weights: each node's is its leaves' sum."""
    of_leaf = {leaf.key: float(weight) for leaf, weight in zip(card.leaves, effective, strict=True)}
    found = dict(of_leaf)

    def weight_of(child: Node | Leaf) -> float:
        if isinstance(child, Leaf):
            return of_leaf[child.key]
        inner = [weight_of(each) for each in child.children]
        found[child.key] = sum(inner) if list(child.leaves()) else card.share_of(child)
        return found[child.key]

    for child in card.root.children:
        weight_of(child)
    return found


def with_owners(card: Scorecard, weights: Weights, kept: AbstractSet[str]) -> dict[str, float]:
    """The weights, but the owner's part of its group for each of the leaves in `kept`, and for a group of such alone.

    The others of a group share the rest of it as they did.
    """
    owners, found = owners_weights(card), dict(weights)
    for node in card.root.nodes():
        own = [child for child in node.children if (keys := _leaf_keys(child)) and keys <= kept]
        others = [child for child in node.children if child not in own]
        share, total = sum(owners[child.key] for child in others), sum(found[child.key] for child in others)
        if own and total:
            found |= {child.key: found[child.key] * share / total for child in others}
        found |= {child.key: owners[child.key] for child in own}
    return found


def _leaf_keys(child: Node | Leaf) -> set[str]:
    return {child.key} if isinstance(child, Leaf) else {leaf.key for leaf in child.leaves()}

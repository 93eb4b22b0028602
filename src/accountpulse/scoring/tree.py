"""From points to scores: upwards, what each group is worth and how much is known; downwards, what each leaf weighs."""

from collections.abc import Iterator, Sequence

import narwhals.stable.v2 as nw

from accountpulse.scoring.expressions import Expr, first_true, number, quotient, total, unknown
from accountpulse.scoring.inputs import points
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Node, Scorecard

Stage = list[Expr]


def score_of(node: Node | Leaf) -> str:
    """The internal column of a score."""
    return f"score:{node.key}"


def upwards(card: Scorecard) -> Iterator[Stage]:
    """The columns score, coverage, low and high of each group, deepest groups first, the root (key empty) last."""
    for nodes in _levels(card.root, deepest_first=True):
        filled = [node for node in nodes if node.children]
        yield [column for node in filled for column in _sums(node)]
        yield [
            *(column for node in filled for column in _shares(node)),
            *(column for node in nodes if not node.children for column in _empty(node)),
        ]
        yield [_score(node, card).alias(score_of(node)) for node in filled]


def downwards(card: Scorecard) -> Iterator[Stage]:
    """`each:<group>`: what one unit of weight inside a group counts in the whole; 0 where the group has no score."""
    for nodes in _levels(card.root, deepest_first=False):
        yield [_unit(node, card.root).alias(f"each:{node.key}") for node in nodes if node.children]


def _levels(root: Node, *, deepest_first: bool) -> list[list[Node]]:
    levels: dict[int, list[Node]] = {}
    for node in root.nodes():
        levels.setdefault(len(node.path) + bool(node.name), []).append(node)
    return [levels[depth] for depth in sorted(levels, reverse=deepest_first)]


def _weights(node: Node) -> list[Expr]:
    """The weight of each child, 0 where it has no score."""
    return [nw.when(nw.col(score_of(child)).is_null()).then(0.0).otherwise(child.weight) for child in node.terms]


def _sums(node: Node) -> Stage:
    scored = total(nw.col(score_of(child)).fill_null(0.0) * child.weight for child in node.terms)
    columns = [scored.alias(f"sum:{node.key}"), total(_weights(node)).alias(f"weight:{node.key}")]
    if not node.is_dimension:
        known = total(nw.col(f"coverage:{child.key}") * child.weight for child in node.terms)
        columns.append(known.alias(f"known:{node.key}"))
    for bound in ("low", "high"):
        reached = total(nw.col(f"{bound}:{child.key}") * child.weight for child in node.terms)
        columns.append(reached.alias(f"{bound}-sum:{node.key}"))
    return columns


def _shares(node: Node) -> Stage:
    known = nw.col(f"{'weight' if node.is_dimension else 'known'}:{node.key}")
    whole = number(node.total)
    return [
        quotient(known, whole).alias(f"coverage:{node.key}"),
        *(quotient(nw.col(f"{bound}-sum:{node.key}"), whole).alias(f"{bound}:{node.key}") for bound in ("low", "high")),
    ]


def _empty(node: Node) -> Stage:
    low, high = node.emptiest
    return [
        unknown().alias(score_of(node)),
        number(0.0).alias(f"coverage:{node.key}"),
        number(low).alias(f"low:{node.key}"),
        number(high).alias(f"high:{node.key}"),
    ]


def _score(node: Node, card: Scorecard) -> Expr:
    score = quotient(nw.col(f"sum:{node.key}"), nw.col(f"weight:{node.key}"))
    if not node.is_dimension:
        return score
    enough = nw.col(f"coverage:{node.key}") >= card.file.coverage.dimension_min - TOLERANCE
    return nw.when(enough).then(score)


def _unit(node: Node, root: Node) -> Expr:
    above = number(1.0)
    if node is not root:
        above = nw.col(f"each:{'/'.join(node.path)}") * node.weight
    known = quotient(above, nw.col(f"weight:{node.key}"))
    return nw.when(nw.col(score_of(node)).is_null()).then(0.0).otherwise(known)


def effects(card: Scorecard) -> Iterator[Stage]:
    """`weight-of`, then `contribution` and `lost` of each leaf: effective weight, × points, × (100 − points)."""
    yield [_effective(leaf).alias(f"weight-of:{leaf.key}") for leaf in card.leaves]
    yield [
        column
        for leaf in card.leaves
        for weight, points_ in [(nw.col(f"weight-of:{leaf.key}"), nw.col(points(leaf)))]
        for column in (
            (weight * points_).fill_null(0.0).alias(f"contribution:{leaf.key}"),
            (weight * (100.0 - points_)).fill_null(0.0).alias(f"lost:{leaf.key}"),
        )
    ]


def _effective(leaf: Leaf) -> Expr:
    unit = nw.col(f"each:{'/'.join(leaf.path)}") * leaf.weight
    return nw.when(nw.col(points(leaf)).is_null()).then(0.0).otherwise(unit)


def drivers(leaves: Sequence[Leaf], count: int = 3) -> Iterator[Stage]:
    """`driver:0` and so on: the place in `leaves` of those that cost most points; null where no more costs any."""
    if not leaves:
        return
    left = [nw.col(f"left:{index}") for index in range(len(leaves))]
    losses = [nw.col(f"lost:{leaf.key}") for leaf in leaves]
    yield [nw.when(loss > 0).then(loss).alias(f"left:{index}") for index, loss in enumerate(losses)]
    for place in range(count):
        yield [nw.max_horizontal(*left).alias("most")]
        found = [(loss == nw.col("most"), float(index)) for index, loss in enumerate(left)]
        yield [first_true(found).alias(f"driver:{place}")]
        if place < count - 1:
            taken = nw.col(f"driver:{place}")
            yield [nw.when(taken != index).then(loss).alias(f"left:{index}") for index, loss in enumerate(left)]

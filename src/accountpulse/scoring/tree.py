"""From points to scores: upwards, what each group is worth and how much is known; downwards, what each leaf weighs."""

from collections.abc import Iterator, Sequence

import narwhals.stable.v2 as nw

from accountpulse.scoring.expressions import Expr, Stage, first_true, number, quotient, total, unknown
from accountpulse.scoring.inputs import points_column
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Node, Scorecard


def score_column(node: Node | Leaf) -> str:
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
        yield [_score(node, card).alias(score_column(node)) for node in filled]


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
    return [
        nw.when(nw.col(score_column(child)).is_null()).then(0.0).otherwise(child.weight)
        for child in node.children_by_name
    ]


def _sums(node: Node) -> Stage:
    scored = total(nw.col(score_column(child)).fill_null(0.0) * child.weight for child in node.children_by_name)
    columns = [scored.alias(f"sum:{node.key}"), total(_weights(node)).alias(f"weight:{node.key}")]
    if not node.is_dimension:
        known = total(nw.col(f"coverage:{child.key}") * child.weight for child in node.children_by_name)
        columns.append(known.alias(f"known:{node.key}"))
    for bound in ("low", "high"):
        bounded = total(nw.col(f"{bound}:{child.key}") * child.weight for child in node.children_by_name)
        columns.append(bounded.alias(f"{bound}-sum:{node.key}"))
    return columns


def _shares(node: Node) -> Stage:
    known = nw.col(f"{'weight' if node.is_dimension else 'known'}:{node.key}")
    whole = number(node.total_weight)
    return [
        quotient(known, whole).alias(f"coverage:{node.key}"),
        *(quotient(nw.col(f"{bound}-sum:{node.key}"), whole).alias(f"{bound}:{node.key}") for bound in ("low", "high")),
    ]


def _empty(node: Node) -> Stage:
    low, high = node.empty_bounds
    return [
        unknown().alias(score_column(node)),
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
    return nw.when(nw.col(score_column(node)).is_null()).then(0.0).otherwise(known)


def effects(card: Scorecard) -> Iterator[Stage]:
    """`weight-of`, then `contribution` and `lost` of each leaf: effective weight, × points, × (100 − points)."""
    each = {leaf.key: nw.col(f"each:{'/'.join(leaf.path)}") for leaf in card.leaves}
    yield [(each[leaf.key] * leaf.weight).alias(f"weight-of:{leaf.key}") for leaf in card.leaves]
    yield [
        column
        for leaf in card.leaves
        for weight, points in [(nw.col(f"weight-of:{leaf.key}"), nw.col(points_column(leaf)))]
        for column in (
            (weight * points).fill_null(0.0).alias(f"contribution:{leaf.key}"),
            (weight * (100.0 - points)).fill_null(0.0).alias(f"lost:{leaf.key}"),
        )
    ]


def drivers(leaves: Sequence[Leaf], count: int) -> Iterator[Stage]:
    """`driver:0` and so on: the keys of the leaves that cost most points, in that order; null where no more costs any.

    A key is one number: the points lost, rounded to about 1e-12 so that a last bit decides nothing, then the leaf's
    place, the first largest. So keys are never equal, and the largest one below the last found is the next.
    """
    if not leaves:
        return
    yield [_key(leaf, index, len(leaves)).alias(f"key:{index}") for index, leaf in enumerate(leaves)]
    for place in range(count):
        keys = [nw.col(f"key:{index}") for index in range(len(leaves))]
        if place:
            keys = [nw.when(key < nw.col(f"driver:{place - 1}")).then(key) for key in keys]
        yield [nw.max_horizontal(*keys).alias(f"driver:{place}")]


def driver_name(place: int, leaves: Sequence[Leaf]) -> Expr:
    """The metric that the key `driver:<place>` stands for; null where there is none."""
    key, size = nw.col(f"driver:{place}"), _places(len(leaves))
    from_last = key - (key * (1.0 / size)).floor() * float(size)  # exact: size is a power of two
    cases = [(from_last == size - 1 - index, nw.lit(leaf.name)) for index, leaf in enumerate(leaves)]
    return first_true(cases, nw.lit(None, dtype=nw.String))


def _key(leaf: Leaf, index: int, count: int) -> Expr:
    """The points lost and the place in one float, both exact: at most 100 × 2^45 + a place, below 2^53."""
    size = _places(count)
    steps = (nw.col(f"lost:{leaf.key}") * (2.0**45 / size) + 0.5).floor()
    return nw.when(steps > 0).then(steps * float(size) + float(size - 1 - index))


def _places(count: int) -> int:
    """The power of two that has room for so many places."""
    return 1 << (count - 1).bit_length()

"""A scorecard's tree as matrices says what scoring says, for the owner's weights and for others."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from accountpulse.proof.points import LeafPoints, effective_weights, owners_weights, tree_weights
from accountpulse.scoring.scorecard import default, load
from accountpulse.scoring.scores import score
from proof.worlds import CARD

NESTED = """
name: nested
metrics:
  a: {label: A, unit: points}
  b: {label: B, unit: points}
  c: {label: C, unit: points}
  d: {label: D, unit: points}
coverage: {dimension_min: 0.5}
groups:
  retention:
    weight: 3
    groups:
      use:
        weight: 2
        metrics:
          a: {weight: 1, anchors: [[0, 0], [100, 100]]}
          b: {weight: 2, anchors: [[0, 0], [100, 100]]}
      help: {weight: 1, metrics: {c: {weight: 1, anchors: [[0, 0], [100, 100]]}}}
  growth:
    weight: 1
    metrics: {d: {weight: 1, anchors: [[0, 0], [100, 100]]}}
  platform_value: {weight: 2, pillars: {each: equal, anchors: [[0, 0], [100, 100]]}}
tiers: [{name: All, min: 0}]
"""


CARDS = {"flat": load(CARD, "flat.yaml"), "nested": load(NESTED, "nested.yaml"), "packaged": default()}


@cache
def table(name, rows=300):
    """Rows with a third of all metrics unknown, scored: their points and scores."""
    card, rng = CARDS[name], np.random.default_rng(0)
    names = sorted({name for leaf in card.leaves for name in leaf.metrics})
    columns = {
        name: [None if rng.random() < 0.35 else float(rng.integers(0, 100)) for _ in range(rows)] for name in names
    }
    frame = pl.DataFrame({"account_id": [str(row) for row in range(rows)], **columns, "critical_signals": [0.0] * rows})
    scored = score(frame.with_columns(moderate_signals=pl.lit(0.0), seats=pl.lit(100.0)), card, detail=True)
    points = scored.select(pl.col(f"{leaf.name}_points").cast(pl.Float64) for leaf in card.leaves)
    return points.to_numpy(), scored


@pytest.mark.parametrize("name", ["flat", "nested", "packaged"])
def test_health_is_what_scoring_says(name):
    card, (points, scored) = CARDS[name], table(name)
    known = scored["health_before_caps"].is_not_null().to_numpy()
    assert known.sum() > 40
    found = LeafPoints(card, points).health(owners_weights(card))
    assert found[known] == pytest.approx(scored["health_before_caps"].to_numpy()[known], abs=1e-9)


@pytest.mark.parametrize("name", ["flat", "nested", "packaged"])
def test_every_dimension_is_what_scoring_says(name):
    card, (points, scored) = CARDS[name], table(name)
    found = LeafPoints(card, points).scores(owners_weights(card))
    for node in card.dimension_nodes:
        theirs = scored[f"{node.name}_score"].cast(pl.Float64).to_numpy()
        np.testing.assert_allclose(found[node.key], theirs, atol=1e-9)


@pytest.mark.parametrize("name", ["flat", "nested", "packaged"])
def test_what_stands_in_for_a_missing_leaf_makes_health_a_plain_weighted_mean(name):
    card = CARDS[name]
    leaves, owners = LeafPoints(card, table(name)[0]), owners_weights(card)
    shares = effective_weights(card, owners)
    np.testing.assert_allclose(leaves.filled(owners) @ shares / shares.sum(), leaves.health(owners), atol=1e-9)


def test_effective_weights_are_the_leaves_shares_and_a_tree_can_be_made_of_them():
    for name, card in CARDS.items():
        shares = effective_weights(card, owners_weights(card))
        assert shares == pytest.approx([leaf.share for leaf in card.leaves])
        back = tree_weights(card, shares)
        assert effective_weights(card, back) == pytest.approx(shares)
        leaves = LeafPoints(card, table(name)[0])
        np.testing.assert_allclose(leaves.health(back), leaves.health(owners_weights(card)), atol=1e-9)


def test_a_leaf_of_weight_zero_is_one_that_isnt_in_the_tree():
    without = load(NESTED.replace("          a: {weight: 1, anchors: [[0, 0], [100, 100]]}\n", ""), "without.yaml")
    card, points = CARDS["nested"], table("nested")[0]
    weights = owners_weights(card) | {"retention/use/a": 0.0}
    others = LeafPoints(without, points[:, 1:])
    np.testing.assert_allclose(LeafPoints(card, points).health(weights), others.health(owners_weights(without)))

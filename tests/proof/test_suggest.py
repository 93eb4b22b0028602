"""Suggested weights: near a free fit, 0 for what points the wrong way, the owner's where nothing better is shown."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from accountpulse.proof.intervals import observed
from accountpulse.proof.points import LeafPoints, effective_weights, owners_weights
from accountpulse.proof.splits import by_account, forward
from accountpulse.proof.suggest import BookRows, suggest
from accountpulse.proof.weights import OWNERS, WeightData, fitted
from accountpulse.scoring.scorecard import load
from accountpulse.scoring.scores import score
from proof.worlds import CARD, HORIZON, WEIGHTS, World, generate, risk_z

BOOK = load(CARD, "card.yaml")


def rows_of(world, z=None):
    """The rows with the card's own risk: without trend, renewal and signals, which no one knows here."""
    if z is None:
        z = -2.2 + 0.052 * (50 - LeafPoints(BOOK, world.points).health(owners_weights(BOOK)))
    return BookRows(world.points, z, world.lost, world.account, world.month, HORIZON)


@pytest.fixture(scope="module")
def card():
    return BOOK


@pytest.fixture(scope="module")
def world():
    return generate(np.random.default_rng(11), 600, months=24, unknown=0.1)


@pytest.fixture(scope="module")
def suggestion(card, world):
    return suggest(card, rows_of(world), "leaves")


def test_a_metric_that_points_the_wrong_way_gets_weight_zero_and_is_named(suggestion):
    assert suggestion.wrong_way == ("turned",)
    turned = suggestion.changes[-1]
    assert (turned.old, turned.new) == (pytest.approx(0.15), 0)
    assert suggestion.weights["relation/turned"] == 0
    assert turned.auc.upper < 0.5
    assert turned.reason.startswith("points the wrong way: customers with fewer points left less often; AUC alone 0.4")


def test_weights_that_rank_no_better_than_chance_are_not_recommended_however_bad_the_old_ones_are(card):
    """All but one part are turned round, and that one tells nothing: what is left ranks by chance."""
    world = generate(np.random.default_rng(21), 400, months=24, unknown=0.1)
    points = 100 - world.points
    points[:, -1] = np.random.default_rng(5).uniform(0, 100, world.lost.size)
    found = suggest(card, rows_of(replace(world, points=points)), "leaves")
    assert found.difference.lower > 0
    assert not found.recommended
    assert found.verdict.endswith("which isn't shown to be better than chance (0.50).")


def test_the_suggested_card_ranks_within_three_hundredths_of_a_free_logistic(card, world, suggestion):
    unseen = generate(np.random.default_rng(12), 8000, unknown=0.1)
    new = np.array([suggestion.weights[leaf.key] for leaf in card.leaves])
    free = LogisticRegression(C=1e6, max_iter=1000).fit(np.nan_to_num(world.points, nan=50) / 25, world.lost)
    best = roc_auc_score(unseen.lost, free.decision_function(np.nan_to_num(unseen.points, nan=50) / 25))
    there = (~np.isnan(unseen.points) * new).sum(axis=1) > 0
    ours = roc_auc_score(unseen.lost[there], risk_z(unseen.points[there], new))
    owners = roc_auc_score(unseen.lost, risk_z(unseen.points))
    assert owners + 0.02 < ours
    assert best - 0.03 <= ours


def test_it_is_recommended_where_later_months_exclude_a_loss(suggestion):
    assert suggestion.tried_by == "time"
    assert suggestion.difference.lower >= 0
    assert suggestion.recommended
    assert suggestion.verdict.startswith("Recommended: on later months that weren't used to find them")


def test_weights_are_at_least_zero_add_up_to_one_and_each_that_moves_has_a_reason(card, suggestion):
    assert min(suggestion.weights.values()) >= 0
    assert sum(change.new for change in suggestion.changes) == pytest.approx(1)
    assert effective_weights(card, suggestion.weights) == pytest.approx([change.new for change in suggestion.changes])
    for change in suggestion.changes:
        assert bool(change.reason) == (abs(change.new - change.old) >= 0.005)
        assert f"{change.auc.value:.2f}" in change.reason or not change.reason


def test_a_leaf_that_foretells_more_than_its_weight_says_rises_and_one_without_evidence_falls(suggestion):
    by_name = {change.name: change for change in suggestion.changes}
    assert by_name["use"].new > by_name["use"].old
    assert "better than its weight says" in by_name["use"].reason
    assert by_name["surveys"].new < by_name["surveys"].old
    assert "no evidence" in by_name["surveys"].reason


def test_the_suggested_weights_as_a_scorecard_give_the_health_that_was_meant(card, world, suggestion):
    """Writing the file is another's; here what has weight 0 is taken out, and scoring itself scores."""
    document = yaml.safe_load(CARD)
    for name, group in list(document["groups"].items()):
        for leaf, rule in list(group["metrics"].items()):
            rule["weight"] = round(suggestion.weights[f"{name}/{leaf}"], 6)
            if not rule["weight"]:
                del group["metrics"][leaf]
        group["weight"] = round(suggestion.weights[name], 6)
        if not group["metrics"]:
            del document["groups"][name]
    columns = {leaf.name: world.points[:500, place] for place, leaf in enumerate(card.leaves)}
    frame = pl.DataFrame({"account_id": [str(row) for row in range(500)], **columns}, nan_to_null=True)
    health = score(frame, load(yaml.safe_dump(document), "new.yaml"))["health_before_caps"].to_numpy()
    meant = LeafPoints(card, world.points[:500]).health(suggestion.weights)
    assert np.isfinite(meant).sum() > 400
    np.testing.assert_allclose(health, meant, atol=1e-3)


def test_where_churn_is_independent_nothing_is_recommended(card):
    found = suggest(card, rows_of(generate(np.random.default_rng(5), 300, effect=0.0)), "leaves")
    assert not found.recommended
    assert found.verdict.startswith(("Not recommended", "The weights stay"))


def test_of_dimensions_the_leaves_keep_their_proportions(card, world):
    found = suggest(card, rows_of(world), "dimensions")
    assert [change.name for change in found.changes] == ["adoption", "service", "relation"]
    assert found.weights["adoption/use"] / found.weights["adoption/breadth"] == pytest.approx(15 / 20)
    adoption = found.changes[0]
    assert adoption.new > adoption.old


def test_without_months_enough_whole_accounts_are_set_apart(card):
    world = generate(np.random.default_rng(6), 1200, months=1)
    found = suggest(card, rows_of(world), "leaves")
    assert found.tried_by == "accounts"
    assert "on customers that weren't used" in found.verdict


def test_with_too_few_departures_to_try_it_nothing_is_recommended(card):
    world = generate(np.random.default_rng(7), 60)
    found = suggest(card, rows_of(world), "leaves")
    assert world.events < 25
    assert (found.difference, found.recommended) == (None, False)
    assert found.strength == OWNERS


def test_a_metric_that_is_never_known_is_said_to_be_so_and_keeps_its_part_of_its_group(card):
    world = generate(np.random.default_rng(8), 300)
    world.points[:, 1] = np.nan
    found = suggest(card, rows_of(world), "leaves")
    change = found.changes[1]
    assert (change.known, change.auc, change.wrong_way) == (0, None, False)
    old, leaf = owners_weights(card), card.leaves[1]
    (group,) = (node for node in card.root.nodes() if leaf in node.children)
    shares = [weights[leaf.key] / sum(weights[each.key] for each in group.children) for weights in (old, found.weights)]
    assert shares[0] == pytest.approx(shares[1])
    # the health of all rows is that of the same weights without it
    bare = found.weights | {leaf.key: 0.0}
    points = LeafPoints(card, world.points)
    np.testing.assert_allclose(points.health(found.weights), points.health(bare), atol=1e-9)


def test_rows_without_any_known_leaf_are_left_out(card):
    world = generate(np.random.default_rng(9), 300)
    more = World(
        *(np.concatenate([one, one[:50]]) for one in (world.account, world.month)),
        np.concatenate([world.points, np.full((50, 7), np.nan)]),
        *(np.concatenate([one, one[:50]]) for one in (world.lost, world.arr)),
    )
    z = risk_z(world.points)
    once, again = (suggest(card, each, "leaves") for each in (rows_of(world), rows_of(more, np.append(z, z[:50]))))
    assert again.weights == pytest.approx(once.weights)


def test_where_nothing_can_be_learned_there_is_no_suggestion(card):
    world = generate(np.random.default_rng(10), 50)
    for lost in (np.zeros(len(world), bool), np.ones(len(world), bool)):
        rows = BookRows(world.points, risk_z(world.points), lost, world.account, world.month, HORIZON)
        assert suggest(card, rows, "leaves") is None
    with pytest.raises(ValueError, match="leaves"):
        suggest(
            card,
            BookRows(world.points[:, 1:], risk_z(world.points), world.lost, world.account, world.month, 6),
            "leaves",
        )


# --- the fit, and how rows are set apart -----------------------------------------------------------------------


def data_of(world, owners=WEIGHTS):
    columns = (50 - world.points) / 25
    seen = observed(world.lost, world.account, len(world))
    return WeightData(columns, owners / owners.sum(), 100 - world.points, world.month, HORIZON, seen)


def test_how_steep_the_risk_is_changes_no_weight(card, world, suggestion):
    """Only how the leaves stand to each other is looked for: Platt's line takes the scale."""
    steep = replace(card, risk=card.risk.model_copy(update={"slope": 0.2, "intercept": 1.0}))
    z = 1 + 0.2 * (50 - LeafPoints(card, world.points).health(owners_weights(card)))
    found = suggest(steep, rows_of(world, z), "leaves")
    assert found.strength == suggestion.strength
    assert found.weights == pytest.approx(suggestion.weights, abs=1e-4)


def test_with_many_departures_the_weights_are_those_of_a_logistic_with_no_negative_coefficient():
    """scikit-learn's free fit, in a world in which no coefficient of it is negative, so that the bound doesn't bind."""
    world = generate(np.random.default_rng(14), 6000, loadings=(0.9, 0.7, 0.5, 0.4, 0.5, 0.6, 0.7))
    data = data_of(world)
    other = LogisticRegression(C=np.inf, tol=1e-10).fit(data.columns, world.lost).coef_[0]
    assert other.min() > 0
    assert fitted(data).weights == pytest.approx(other / other.sum(), abs=0.03)


def test_where_every_part_points_the_wrong_way_the_owners_weights_stay():
    world = generate(np.random.default_rng(15), 600, loadings=(-0.9,) * 7)
    found = fitted(data_of(world))
    assert found.wrong_way.all()
    assert found.weights == pytest.approx(WEIGHTS)


def test_a_block_of_later_months_is_learned_from_months_a_horizon_before():
    month = np.arange(24_300, 24_324)
    folds = forward(month, 6, 3, tested=1 / 2)
    assert [month[fold.testing].tolist() for fold in folds] == [
        [24_312, 24_313, 24_314, 24_315], [24_316, 24_317, 24_318, 24_319], [24_320, 24_321, 24_322, 24_323]
    ]  # fmt: skip
    assert [month[fold.training].max() for fold in folds] == [24_306, 24_310, 24_314]
    assert forward(np.array([5, 5, 6]), 6, 3, tested=1 / 2) == []
    assert forward(np.array([], int), 6, 3, tested=1 / 2) == []


def test_accounts_are_set_apart_whole():
    codes = np.array([0, 0, 1, 2, 3, 3])
    folds = by_account(codes, 3)
    assert [codes[fold.testing].tolist() for fold in folds] == [[0, 0, 3, 3], [1], [2]]
    assert all((fold.training ^ fold.testing).all() for fold in folds)

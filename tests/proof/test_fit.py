"""Platt's line: against scikit-learn, by hand, in books with few departures, and where there is nothing to fit."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from accountpulse.proof.fit import band_shares, fit, out_of_time
from proof.worlds import HORIZON, generate, risk_z


def book(rows=20_000, accounts=4000, *, slope=0.8, intercept=-1.0, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1, rows)
    lost = rng.random(rows) < 1 / (1 + np.exp(-(intercept + slope * z)))
    return z, lost, rng.integers(0, accounts, rows)


def test_with_many_departures_the_line_is_that_of_scikit_learn_and_near_the_truth():
    z, lost, account = book()
    found = fit(z, lost, account)
    other = LogisticRegression(C=np.inf, tol=1e-10).fit(z.reshape(-1, 1), lost)
    assert found.slope == pytest.approx(other.coef_[0, 0], abs=0.01)
    assert found.intercept == pytest.approx(other.intercept_[0], abs=0.01)
    assert abs(found.slope - 0.8) < 3 * np.sqrt(found.covariance[2])
    assert (found.events, found.accounts) == (np.unique(account[lost]).size, np.unique(account).size)
    assert found.base_rate == lost.mean()
    assert found.probabilities([-2.0])[0] == pytest.approx(1 / (1 + np.exp(-found.intercept + 2 * found.slope)))


def test_targets_are_smoothed_as_platts():
    """64 accounts of one row, above and below with 48 and 16 lost: two groups, whose fitted shares are the targets'."""
    z = np.repeat([0.0, 1.0], [64, 64])
    lost = np.concatenate([np.arange(64) < 16, np.arange(64) < 48])
    high, low = (64 + 1) / (64 + 2), 1 / (64 + 2)
    found = fit(z, lost, np.arange(128))
    assert found.probabilities([0.0, 1.0]) == pytest.approx(
        [0.25 * high + 0.75 * low, 0.75 * high + 0.25 * low], abs=1e-8
    )


def test_below_fifty_departures_the_line_is_drawn_to_the_base_rate():
    """By hand: two groups of 20 with 2 and 8 lost; 10 events, so targets are 10/12 Platt's and 2/12 the base rate."""
    z = np.repeat([0.0, 1.0], [20, 20])
    lost = np.concatenate([np.arange(20) < 2, np.arange(20) < 8])
    high, low = 11 / 12, 1 / 32
    platt = np.array([0.1 * high + 0.9 * low, 0.4 * high + 0.6 * low])
    found = fit(z, lost, np.arange(40))
    assert found.probabilities([0.0, 1.0]) == pytest.approx(10 / 12 * platt + 2 / 12 * 0.25, abs=1e-8)


def test_the_covariance_is_the_accounts_sandwich():
    z, lost, account = book(rows=3000, accounts=150, seed=2)
    found = fit(z, lost, account)
    p = found.probabilities(z)
    x = np.column_stack([np.ones(z.size), z])
    bread = np.linalg.inv(sum(q * (1 - q) * np.outer(row, row) for q, row in zip(p, x, strict=True)))
    pulls = [((lost - p)[account == each, None] * x[account == each]).sum(axis=0) for each in np.unique(account)]
    meat = sum(np.outer(pull, pull) for pull in pulls) * len(pulls) / (len(pulls) - 1)
    whole = bread @ meat @ bread
    assert found.covariance == pytest.approx((whole[0, 0], whole[0, 1], whole[1, 1]), rel=1e-6)


def test_rows_that_are_repeated_within_their_accounts_make_nothing_surer():
    z, lost, account = book(rows=2000, accounts=300, seed=3)
    once, more = fit(z, lost, account), fit(*(np.repeat(each, 4) for each in (z, lost, account)))
    assert more.covariance == pytest.approx(once.covariance, rel=0.02)


def test_a_line_that_would_fall_has_the_slope_zero_and_the_base_rate():
    z, lost, account = book(slope=-1.0)
    found = fit(z, lost, account)
    assert found.slope == 0
    assert found.probabilities([-5.0, 5.0]) == pytest.approx([lost.mean()] * 2, abs=1e-3)
    assert found.covariance[1:] == (0, 0)
    assert found.covariance[0] > 0


def test_a_score_of_one_value_gives_the_base_rate():
    found = fit(np.full(200, 1.3), np.arange(200) < 60, np.arange(200))
    assert found.slope == 0
    assert found.probabilities([1.3])[0] == pytest.approx(0.3, abs=0.01)


def test_a_score_that_separates_all_still_has_a_finite_line_and_wide_doubt():
    z = np.arange(40.0)
    found = fit(z, z >= 30, np.arange(40))
    assert 0 < found.slope < 5
    assert np.isfinite(found.covariance).all()


def test_where_all_or_none_were_lost_or_one_account_is_there_nothing_is_fitted():
    z = np.arange(6.0)
    assert fit(z, np.zeros(6, bool), np.arange(6)) is None
    assert fit(z, np.ones(6, bool), np.arange(6)) is None
    assert fit(z, z > 2, np.zeros(6, int)) is None
    assert fit([], [], np.array([], int)) is None


def test_the_line_is_found_from_far_away_and_on_any_scale():
    z, lost, account = book(rows=2000, accounts=2000, seed=5)
    near, far = fit(z, lost, account), fit(1e6 + 1e3 * z, lost, account)
    assert far.slope * 1e3 == pytest.approx(near.slope, rel=1e-6)
    assert far.covariance[2] * 1e6 == pytest.approx(near.covariance[2], rel=1e-6)
    target = np.where(lost, (lost.sum() + 1) / (lost.sum() + 2), 1 / ((~lost).sum() + 2))

    def loss(line):
        return np.mean(np.logaddexp(0, line[0] + line[1] * z) - target * (line[0] + line[1] * z))

    other = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    assert (near.intercept, near.slope) == pytest.approx(tuple(other.x), abs=1e-4)


def test_bands_have_the_share_lost_and_one_without_rows_knows_nothing():
    found = band_shares(
        risk=[2, 5, 9.9, 10, 12], lost=[0, 0, 1, 1, 0], account=np.arange(5),
        bands=[("low", 0), ("medium", 10), ("high", 30)],
    )  # fmt: skip
    assert [(each.name, each.from_risk, each.rows) for each in found] == [
        ("low", 0, 3), ("medium", 10, 2), ("high", 30, 0)
    ]  # fmt: skip
    assert [each.share.value for each in found[:2]] == pytest.approx([1 / 3, 1 / 2])
    assert (found[2].share.lower, found[2].share.upper) == (0, 1)


@pytest.mark.parametrize("bands", [[], [("low", 5.0)], [("low", 0.0), ("high", 0.0)]])
def test_bands_that_dont_hold_every_row_are_refused(bands):
    with pytest.raises(ValueError, match="bands"):
        band_shares([1, 2, 3], [0, 1, 0], [1, 2, 3], bands)


def test_later_months_are_foretold_from_rows_whose_windows_had_closed():
    """The first months say that risk means leaving, later ones the opposite: a fit that looked ahead would know."""
    month = np.repeat(np.arange(12), 60)
    z = np.tile(np.repeat([-1.0, 1.0], 30), 12)
    often, account = np.tile(np.arange(30) < 15, 24), np.tile(np.arange(60), 12)
    found = out_of_time(z, often & np.where(month < 4, z > 0, z < 0), account, month, 8)
    assert found.brier > found.base_brier
    assert found.slope < 0
    assert found.skill.value < 0


def test_without_months_enough_nothing_is_foretold():
    world = generate(np.random.default_rng(1), months=5)
    z = risk_z(world.points)
    assert out_of_time(z, world.lost, world.account, world.month, HORIZON) is None
    assert out_of_time([], [], np.array([], int), np.array([], int), HORIZON) is None


def test_with_many_departures_the_slope_of_later_months_is_near_one():
    world = generate(np.random.default_rng(2), 4000, hazard=0.015)
    found = out_of_time(risk_z(world.points), world.lost, world.account, world.month, HORIZON)
    assert world.events > 1000
    assert 0.9 < found.slope < 1.1
    assert found.skill.lower > 0
    assert found.ece < 0.02

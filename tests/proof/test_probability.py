"""How true probabilities are: against scikit-learn, by hand, and in degenerate books."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from accountpulse.proof.probability import quality


def book(seed=0, rows=4000, accounts=400, *, sharpness=1.0):
    """Rows whose lost follows from their logit; what is said is `sharpness` × that logit."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, rows)
    true = -1.5 + rng.normal(0, 1, accounts)[account]
    lost = rng.random(rows) < 1 / (1 + np.exp(-true))
    return 1 / (1 + np.exp(-sharpness * true)), lost, account


def test_brier_intercept_and_slope_are_those_of_scikit_learn():
    p, lost, account = book(sharpness=2.0)
    found = quality(p, lost, account)
    assert found.brier == pytest.approx(brier_score_loss(lost, p), abs=1e-12)
    logit = np.log(p / (1 - p)).reshape(-1, 1)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, lost)
    assert found.slope == pytest.approx(other.coef_[0, 0], abs=1e-5)
    assert found.intercept == pytest.approx(other.intercept_[0], abs=1e-5)


def test_probabilities_that_are_too_sure_have_a_slope_below_one():
    p, lost, account = book(sharpness=2.0)
    found = quality(p, lost, account)
    assert found.slope_interval.lower < 0.5 < found.slope_interval.upper
    true = quality(*book(sharpness=1.0))
    assert true.slope_interval.lower < 1 < true.slope_interval.upper
    assert true.ece < 0.03 < found.ece


def test_skill_is_what_is_gained_on_the_base_rate():
    found = quality([0.1, 0.1, 0.1, 0.7], [0, 0, 0, 1], [1, 2, 3, 4])
    assert found.brier == pytest.approx((3 * 0.01 + 0.09) / 4)
    assert found.base_brier == pytest.approx(0.25 * 0.75)
    assert found.skill.value == pytest.approx(1 - 0.03 / 0.1875)


def test_a_base_rate_that_was_known_beforehand_is_the_reference():
    found = quality([0.1, 0.1, 0.1, 0.7], [0, 0, 0, 1], [1, 2, 3, 4], [0.5, 0.5, 0.5, 0.5])
    assert found.base_brier == 0.25
    assert found.skill.value == pytest.approx(1 - 0.03 / 0.25)


def test_the_base_rate_itself_has_exactly_no_skill():
    _, lost, account = book(1)
    found = quality(np.full(lost.size, lost.mean()), lost, account)
    assert (found.skill.value, found.skill.lower, found.skill.upper) == pytest.approx((0, 0, 0), abs=1e-12)
    assert (found.slope, found.slope_interval) == (None, None)
    assert len(found.bins) == 1


def test_an_accounts_rows_count_once_however_often_they_are_repeated():
    p, lost, account = book(2, rows=600, accounts=100)
    once, more = quality(p, lost, account), quality(*(np.repeat(each, 4) for each in (p, lost, account)))
    assert more.skill.lower == pytest.approx(once.skill.lower, abs=1e-9)
    assert more.slope_interval.upper == pytest.approx(once.slope_interval.upper, abs=1e-6)
    assert [each.share.upper for each in more.bins] == pytest.approx([each.share.upper for each in once.bins])


def test_the_skills_width_is_that_of_an_account_bootstrap():
    p, lost, account = book(3, rows=2000, accounts=200)
    rng, rows = np.random.default_rng(0), [np.flatnonzero(account == each) for each in range(200)]
    drawn = []
    for _ in range(400):
        chosen = np.concatenate([rows[place] for place in rng.integers(0, 200, 200)])
        base = lost[chosen].mean()
        drawn.append(1 - np.mean((p[chosen] - lost[chosen]) ** 2) / (base * (1 - base)))
    found = quality(p, lost, account).skill
    assert (found.upper - found.lower) / (2 * 1.98) == pytest.approx(np.std(drawn), rel=0.12)


def test_bins_are_at_most_ten_hold_every_row_once_and_never_part_equal_probabilities():
    p, lost, account = book(4)
    rounded = np.round(p, 2)
    found = quality(rounded, lost, account)
    assert 5 < len(found.bins) <= 10
    assert sum(each.rows for each in found.bins) == p.size
    assert all(left.highest < right.lowest for left, right in zip(found.bins, found.bins[1:], strict=False))
    assert found.ece == pytest.approx(sum(abs(b.mean - b.share.value) * b.rows for b in found.bins) / p.size)
    assert len(quality(p[:100], lost[:100], np.arange(100)).bins) == 5


def test_a_bin_in_which_nobody_left_has_a_bound_above_zero():
    p, lost = np.repeat([0.01, 0.6], 100), np.repeat([False, True], 100)
    found = quality(p, lost, np.arange(200))
    assert found.bins[0].share.lower == 0
    # Wilson for 0 of 100
    assert found.bins[0].share.upper == pytest.approx(1.959964**2 / (100 + 1.959964**2), abs=1e-6)
    assert found.bins[-1].share.upper == 1
    assert found.bins[-1].share.lower < 0.97


def test_of_one_class_only_no_skill_and_no_slope_is_told():
    found = quality([0.1, 0.2, 0.3], [0, 0, 0], [1, 2, 3])
    assert (found.base_brier, found.skill, found.slope) == (0, None, None)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.09) / 3)


def test_of_classes_that_a_probability_separates_no_slope_is_told():
    assert quality([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], [1, 2, 3, 4]).slope is None


def test_of_one_account_no_skill_is_told():
    found = quality([0.2, 0.6, 0.3], [0, 1, 0], [7, 7, 7])
    assert (found.skill, found.slope_interval) == (None, None)


def test_certainty_that_failed_is_no_error():
    found = quality([0.0, 1.0, 1.0, 0.0, 1.0], [0, 1, 0, 1, 1], [1, 2, 3, 4, 5])
    assert found.brier == pytest.approx(0.4)
    assert np.isfinite(found.slope)


@pytest.mark.parametrize("p", [[], [1.2, 0.1], [-0.1, 0.1], [np.nan, 0.1], [np.nan, 0.1]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"between 0 and 1|null or infinite"):
        quality(p, np.zeros(len(p), bool), np.arange(len(p)))

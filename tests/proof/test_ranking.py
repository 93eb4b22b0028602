"""AUC with account-clustered intervals, average precision, capture: against scikit-learn, by hand, and known truth."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata, t
from sklearn.metrics import average_precision_score, roc_auc_score

from accountpulse.proof.intervals import Interval
from accountpulse.proof.ranking import auc, auc_difference, average_precision, captured


def book(seed, rows=400, accounts=60, levels=12):
    """Rows with many equal scores, of accounts that have some lost and some kept rows."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, rows)
    score = rng.integers(0, levels, rows) + rng.integers(0, 4, accounts)[account]
    return score.astype(float), rng.random(rows) < 0.1 + 0.03 * score, account


def delong(score, lost):
    """AUC and its variance, every pair written out (DeLong 1988)."""
    wins = (score[lost][:, None] > score[~lost]) + 0.5 * (score[lost][:, None] == score[~lost])
    return wins.mean(), wins.mean(axis=1).var(ddof=1) / lost.sum() + wins.mean(axis=0).var(ddof=1) / (~lost).sum()


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_average_precision_are_those_of_scikit_learn(seed):
    score, lost, account = book(seed)
    assert auc(score, lost, account).value == pytest.approx(roc_auc_score(lost, score), abs=1e-12)
    assert average_precision(score, lost) == pytest.approx(average_precision_score(lost, score), abs=1e-12)


def test_where_every_row_is_an_account_the_interval_is_delongs_on_the_logit_scale():
    score, lost, _ = book(3)
    value, variance = delong(score, lost)
    errors = t.ppf(0.975, min(lost.sum(), (~lost).sum()) - 1)
    half = errors * np.sqrt(variance) / (value * (1 - value))
    middle = np.log(value / (1 - value))
    found = auc(score, lost, np.arange(lost.size))
    assert found.lower == pytest.approx(1 / (1 + np.exp(half - middle)), abs=1e-9)
    assert found.upper == pytest.approx(1 / (1 + np.exp(-half - middle)), abs=1e-9)


ROWS = st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


@settings(max_examples=50)
@given(ROWS)
def test_of_any_rows_the_auc_is_the_share_of_pairs_and_lies_in_its_interval(rows):
    score, lost, account = (np.array(each) for each in zip(*rows, strict=True))
    assume(lost.any() and not lost.all())
    found, back = auc(score, lost, account), auc(-score, lost, account)
    assert found.value == pytest.approx(roc_auc_score(lost, score), abs=1e-12)
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.lower < found.upper
    assert (back.value, back.lower, back.upper) == pytest.approx(
        (1 - found.value, 1 - found.upper, 1 - found.lower), abs=1e-4
    )
    tied = captured(score, lost, 3)
    assert 0 <= tied.lost <= min(3, lost.sum())


def test_an_accounts_rows_count_once_however_often_they_are_repeated():
    score, lost, account = book(4)
    once, twice = auc(score, lost, account), auc(*(np.repeat(each, 5) for each in (score, lost, account)))
    assert (twice.value, twice.lower, twice.upper) == pytest.approx((once.value, once.lower, once.upper), abs=1e-9)


def test_the_clustered_width_is_that_of_an_account_bootstrap():
    score, lost, account = book(5, rows=1500, accounts=150)
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(account == each) for each in np.unique(account)]
    drawn = []
    for _ in range(200):
        chosen = np.concatenate([rows[place] for place in rng.integers(0, len(rows), len(rows))])
        ranks, left = rankdata(score[chosen]), lost[chosen]
        drawn.append((ranks[left].mean() - (left.sum() + 1) / 2) / (~left).sum())
    found = auc(score, lost, account)
    assert (found.upper - found.lower) / (2 * 1.976) == pytest.approx(np.std(drawn), rel=0.15)


def test_codes_of_accounts_and_the_order_of_rows_change_nothing():
    score, lost, account = book(6)
    mixed = np.random.default_rng(1).permutation(score.size)
    once, other = auc(score, lost, account), auc(score[mixed], lost[mixed], 10_000 - 7 * account[mixed])
    assert (once.lower, once.upper) == pytest.approx((other.lower, other.upper), abs=1e-12)


def test_near_one_the_logit_interval_covers_better_than_the_plain_one():
    rng = np.random.default_rng(8)
    true, lost = norm.cdf(2.66 / np.sqrt(2)), np.arange(150) < 15
    ours, plain = [], []
    for _ in range(400):
        score = rng.normal(0, 1, lost.size) + 2.66 * lost
        found, (value, variance) = auc(score, lost, np.arange(lost.size)), delong(score, lost)
        ours.append(found.lower <= true <= found.upper)
        plain.append(abs(value - true) <= t.ppf(0.975, 14) * np.sqrt(variance))
    assert np.mean(ours) >= 0.90
    assert np.mean(plain) <= 0.84


@pytest.mark.parametrize(
    ("score", "lost", "account", "value"),
    [
        ([1, 2, 3, 9], [0, 0, 0, 1], [1, 2, 3, 4], 1.0),  # one account left, and it has the highest score
        ([5, 5, 5, 5, 5, 5], [0, 0, 0, 1, 1, 0], [1, 2, 3, 4, 5, 6], 0.5),  # a score that says nothing
        ([9, 8, 1, 2, 1, 2], [1, 1, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], 1.0),
        ([1, 1, 5, 6, 7, 8], [1, 1, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], 0.0),
        ([3, 9, 1, 2, 1, 2], [1, 1, 0, 0, 0, 0], [1, 1, 3, 4, 5, 6], 1.0),  # one account left, with two rows
    ],
)
def test_where_no_variance_shows_the_interval_is_wide_and_holds_the_estimate(score, lost, account, value):
    found = auc(score, lost, account)
    assert found.value == value
    assert 0.0 <= found.lower <= value <= found.upper <= 1.0
    assert found.upper - found.lower > 0.25


def test_the_wide_interval_is_newcombes():
    """Newcombe 2006, method 5: at AUC 1 the lower bound solves 1 − θ = z · se(θ), with Hanley and McNeil's se."""
    lost = np.arange(40) < 10
    lower = auc(np.where(lost, 2.0, 1.0), lost, np.arange(40)).lower
    q1, q2 = lower / (2 - lower), 2 * lower**2 / (1 + lower)
    size = (10 + 30) / 2  # method 5 puts the mean of both in the place of each
    variance = (lower * (1 - lower) + (size - 1) * (q1 - lower**2) + (size - 1) * (q2 - lower**2)) / (10 * 30)
    assert 1 - lower == pytest.approx(1.959964 * np.sqrt(variance), abs=1e-4)


def test_where_all_who_left_stand_alike_and_all_who_stayed_too_nothing_is_certain():
    """Each has 2 of 3 pairs right, in every account alike: no variance shows but that of rounding."""
    score, lost = np.tile([1.0, 2.0, 3.0, 0.0, 1.5, 2.5], 10), np.tile([1, 1, 1, 0, 0, 0], 10)
    found = auc(score, lost, np.repeat(np.arange(10), 6))
    assert found.upper - found.lower > 0.2


def test_with_one_class_there_is_no_ranking():
    score, account = np.arange(5.0), np.arange(5)
    for lost in (np.zeros(5, bool), np.ones(5, bool)):
        assert auc(score, lost, account) is None
        assert auc_difference(score, -score, lost, account) is None
    assert average_precision(score, np.zeros(5, bool)) is None
    assert captured(score, np.zeros(5, bool), 2) is None
    assert auc([], [], np.array([], int)) is None


def test_a_score_against_itself_or_against_one_that_ranks_alike_differs_by_exactly_nothing():
    score, lost, account = book(9)
    assert auc_difference(score, score, lost, account) == Interval(0.0, 0.0, 0.0)
    assert auc_difference(np.exp(score), score, lost, account) == Interval(0.0, 0.0, 0.0)


def test_the_paired_difference_is_that_of_both_and_narrower_than_they_are():
    score, lost, account = book(10)
    other = score + np.random.default_rng(2).normal(0, 2, score.size)
    found, one, two = (
        auc_difference(score, other, lost, account), auc(score, lost, account), auc(other, lost, account)
    )  # fmt: skip
    assert found.value == pytest.approx(roc_auc_score(lost, score) - roc_auc_score(lost, other), abs=1e-12)
    assert found.upper - found.lower < one.upper - one.lower
    assert found.upper - found.lower < two.upper - two.lower
    back = auc_difference(other, score, lost, account)
    assert (back.value, back.lower, back.upper) == pytest.approx((-found.value, -found.upper, -found.lower), abs=1e-12)


def test_of_one_account_that_left_no_difference_is_known():
    found = auc_difference([1, 2, 3, 4], [4, 2, 1, 3], [0, 0, 0, 1], [1, 2, 3, 4])
    assert (found.lower, found.upper) == (-1.0, 1.0)


def test_the_riskiest_hold_so_many_of_those_who_left():
    score, lost = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    found = captured(score, lost, 3)
    assert (found.lost, found.share) == (2, 1.0)
    assert found.lift == pytest.approx((2 / 3) / 0.2)


def test_of_equal_scores_at_the_edge_each_is_as_likely_to_be_among_them():
    # above: 9 (left). At the edge: 5, 5, 5, 5, of which one left, for two places
    found = captured([9, 5, 5, 5, 5, 1], [1, 0, 1, 0, 0, 1], 3)
    assert found.lost == pytest.approx(1 + 2 * 1 / 4)
    assert found.share == pytest.approx(1.5 / 3)
    assert captured([9, 5, 5, 5, 5, 1], [1, 0, 1, 0, 0, 1], 99).share == 1.0


@pytest.mark.parametrize(
    ("score", "lost", "account"),
    [
        ([1, np.nan, 3], [0, 1, 0], [1, 2, 3]),
        ([1, np.inf, 3], [0, 1, 0], [1, 2, 3]),
        ([1, 2, 3], [0, 1], [1, 2, 3]),
        ([1, 2, 3], [0, 1, 0], [1, 2]),
        ([1, 2, 3], [0, 2, 0], [1, 2, 3]),
        ([1, 2, 3], [0, np.nan, 1], [1, 2, 3]),
        ([1, 2, 3], np.array([True, None, False]), [1, 2, 3]),
        ([1, 2, 3], [0, 1, 0], ["a", "b", "c"]),
        ([1, 2, 3], [0, 1, 0], [1.5, 2.0, 3.0]),
    ],
)
def test_unknown_values_are_refused(score, lost, account):
    with pytest.raises(ValueError, match=r"null or infinite|rows|lost must be|account must be"):
        auc(score, lost, account)
    with pytest.raises(ValueError, match="at least 1"):
        captured([1, 2], [0, 1], 0)

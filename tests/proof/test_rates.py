"""Who left by group, and how much money with them: by hand, against scipy, and where all or none left."""

import numpy as np
import pytest
from scipy.stats import binomtest

from accountpulse.proof.intervals import ratio
from accountpulse.proof.rates import rates, retention


def test_customers_rows_and_shares_are_counted_by_group():
    found = rates(
        lost=[True, True, False, False, False, True],
        weight=[100, 100, 50, 250, np.nan, 10],
        account=[1, 1, 2, 3, 3, 4],
        group=["red", "red", "red", "red", "green", "green"],
    )
    red, green = found["red"], found["green"]
    assert list(found) == ["red", "green"]
    assert (red.customers, red.rows, red.lost, red.arr_unknown) == (3, 4, 1, 0)
    assert red.share.value == 2 / 4
    assert red.arr_loss.value == 200 / 500
    assert (green.customers, green.rows, green.lost, green.arr_unknown) == (2, 2, 1, 1)
    assert green.arr_loss.value == 1.0


@pytest.mark.parametrize("lost", [0, 40])
def test_where_all_or_none_left_the_interval_is_wilsons_over_accounts(lost):
    """Rows of one account are one observation there: 40 accounts with six rows each are 40, not 240."""
    account = np.repeat(np.arange(40), 6)
    found = rates(account < lost, np.ones(240), account, np.zeros(240, int))[0].share
    other = binomtest(lost, 40).proportion_ci(method="wilson")
    assert (found.lower, found.upper) == pytest.approx((other.low, other.high), abs=1e-9)


@pytest.mark.parametrize("rows", [2, 3, 7, 10])
def test_where_every_account_lost_the_same_share_of_its_rows_the_accounts_are_counted(rows):
    account = np.repeat(np.arange(12), rows)
    found = rates(np.tile(np.arange(rows) < 1, 12), np.full(12 * rows, 0.1), account, ["all"] * 12 * rows)["all"]
    assert found.share.upper - found.share.lower > 0.3
    assert found.arr_loss.upper - found.arr_loss.lower > 0.3


def wilsons(share, size, errors):
    """The roots of (θ − share)² = errors² θ (1 − θ) / size."""
    return tuple(np.roots([1 + errors**2 / size, -(2 * share + errors**2 / size), share**2])[::-1])


@pytest.mark.parametrize(("lost", "accounts"), [(80, 400), (1, 56), (3, 22)])
def test_where_each_account_loses_one_row_at_most_the_interval_is_wilsons(lost, accounts):
    # the effective size is accounts − 1
    found = rates(np.arange(accounts) < lost, np.ones(accounts), np.arange(accounts), ["all"] * accounts)["all"].share
    expected = wilsons(lost / accounts, accounts - 1, 1.959964)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-6)


def test_one_departure_among_56_customers_is_told_in_bounds_that_can_be_read():
    found = rates(np.arange(56) < 1, np.ones(56), np.arange(56), ["all"] * 56)["all"]
    exact = binomtest(1, 56).proportion_ci(method="exact")
    assert found.share.upper == pytest.approx(exact.high, abs=0.005)
    # of the money nobody knows how unequal others' would be: t of two degrees of freedom
    expected = wilsons(1 / 56, 55, 4.302653)
    assert (found.arr_loss.lower, found.arr_loss.upper) == pytest.approx(expected, abs=1e-6)


def test_where_accounts_lose_several_rows_few_of_them_make_the_interval_wider():
    # 8 of 40 accounts lost two of two rows: 7 degrees of freedom, and the 40 accounts are so many observations less one
    found = rates(np.arange(80) // 2 < 8, np.ones(80), np.arange(80) // 2, ["all"] * 80)["all"].share
    assert (found.lower, found.upper) == pytest.approx(wilsons(0.2, 39, 2.364624), abs=1e-6)


def test_rows_that_are_repeated_within_their_accounts_make_nothing_surer():
    rng = np.random.default_rng(0)
    lost, account = rng.random(300) < 0.2, rng.integers(0, 80, 300)
    arr = rng.lognormal(10, 1, 300)
    once, more = (rates(*rows, ["all"] * rows[0].size)["all"] for rows in (
        (lost, arr, account), tuple(np.repeat(each, 3) for each in (lost, arr, account))
    ))  # fmt: skip
    assert more.share.lower == pytest.approx(once.share.lower, abs=1e-9)
    assert more.arr_loss.upper == pytest.approx(once.arr_loss.upper, abs=1e-9)


def test_a_loss_that_one_account_carries_is_hardly_known():
    arr = np.array([1000.0, *[10.0] * 99])
    found = rates(np.arange(100) < 1, arr, np.arange(100), ["all"] * 100)["all"].arr_loss
    assert found.value == pytest.approx(1000 / 1990)
    assert found.lower < 0.05
    assert found.upper > 0.95


def test_without_any_arr_no_loss_of_money_is_told():
    for arr in (np.nan, 0.0, -5.0):
        assert rates([True, False], [arr, arr], [1, 2], ["a", "a"])["a"].arr_loss is None
    assert rates([True, False], [-5.0, 1.0], [1, 2], ["a", "a"])["a"].arr_unknown == 1


def test_a_group_may_have_any_label_and_an_empty_table_has_none():
    found = rates([True, False, True], [1, 1, 1], [1, 2, 3], [None, "x", None])
    assert found[None].rows == 2
    assert rates([], [], np.array([], int), []) == {}


def test_gross_retention_forgets_growth_and_net_counts_it():
    found = retention(
        before=[100, 100, 100, 100, np.nan], after=[0, 80, 100, 160, 5], account=[1, 2, 3, 4, 5], group=["a"] * 5
    )["a"]
    assert found.gross.value == pytest.approx(280 / 400)
    assert found.net.value == pytest.approx(340 / 400)
    assert found.unknown == 1
    assert 0 <= found.gross.lower < found.gross.value < found.gross.upper <= 1
    assert found.net.lower < found.net.value < found.net.upper


def test_retention_of_a_hundred_percent_is_not_certain():
    found = retention([50] * 30, [50] * 30, np.arange(30), ["a"] * 30)["a"]
    assert (found.gross.value, found.gross.upper, found.net.value) == (1, 1, 1)
    assert found.gross.lower == pytest.approx(binomtest(30, 30).proportion_ci(method="wilson").low, abs=1e-9)
    assert found.net.lower < 1 < found.net.upper


def test_a_group_without_known_arr_has_no_retention():
    assert retention([np.nan, 0], [1, 1], [1, 2], ["a", "a"]) == {}


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        ratio(np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="label"):
        rates([True], [1.0], [1], [])
    with pytest.raises(ValueError, match="before"):
        retention([1.0], [1.0, 2.0], [1], ["a"])

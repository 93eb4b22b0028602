"""Roll-ups by parents: against brute force over descendants, by hand, and the laws that hold for any forest."""

import random
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.core.records import PARENTS
from accountpulse.scoring.groups import AccountGroups, group_text, groups_of, lowest_text, rollups

Account = tuple[str, float | None, float | None, str]  # id, ARR, health, tier


def scored(*accounts: Account) -> pl.DataFrame:
    rows = [(key, f"Name {key}", arr, health, tier) for key, arr, health, tier in accounts]
    kinds = {"arr": pl.Float64, "health_score": pl.Float64, "tier": pl.String}
    return pl.DataFrame(rows, schema={"account_id": pl.String, "account_name": pl.String, **kinds}, orient="row")


def parents(above: Mapping[str, str | None], **currency: str) -> pl.DataFrame:
    rows = [(child, parent, parent and f"Name {parent}", currency.get(child)) for child, parent in above.items()]
    return pl.DataFrame(rows, schema=PARENTS, orient="row")


def group(found: AccountGroups, parent: str) -> dict[str, Any]:
    return found.table.row(by_predicate=pl.col("parent_id") == parent, named=True)


ACME = scored(("A", 100.0, 90.0, "Champion"), ("B", 300.0, 50.0, "At Risk"), ("C", None, 10.0, "Critical"),
              ("D", 100.0, None, "Not Rated"))  # fmt: skip
ABOVE = {"A": None, "B": "A", "C": "A", "D": "B"}


def test_a_parent_has_the_mean_by_arr_the_lowest_below_it_and_how_much_is_rated() -> None:
    """By hand: (100 × 90 + 300 × 50) / 400 = 60; 400 of 500 rated; C has no ARR, and no weight."""
    found = group(rollups(ACME, parents(ABOVE)), "A")
    assert (found["accounts"], found["group_health"], found["group_arr"], found["group_arr_rated"]) == (4, 60, 500, 80)
    assert (found["lowest_id"], found["lowest_health"], found["unknown_arr"], found["in_list"]) == ("C", 10.0, 1, True)
    assert group_text(found) == (
        "Name A: group health 60 of 4 accounts, 1 without ARR, 80 % of ARR rated, lowest Name C: 10, Critical"
    )  # fmt: skip


def test_a_parent_below_another_has_its_own_group_and_names_the_one_above() -> None:
    found = rollups(ACME, parents(ABOVE))
    below = group(found, "B")
    assert (below["accounts"], below["above_id"], below["lowest_id"], below["group_health"]) == (2, "A", None, 50.0)
    assert lowest_text(below) is None  # Not Rated is no tier that is low


def test_an_account_that_a_signal_made_critical_without_a_score_is_the_lowest() -> None:
    accounts = scored(("A", 1.0, 90.0, "Champion"), ("B", 1.0, 5.0, "Critical"), ("C", 1.0, None, "Critical"))
    found = group(rollups(accounts, parents({"B": "A", "C": "A"})), "A")
    assert lowest_text(found) == "Name C: no score, Critical"


def test_a_parent_that_is_no_customer_joins_those_below_it_and_is_named() -> None:
    accounts = scored(("B", 1.0, 40.0, "Critical"), ("C", 3.0, 80.0, "Healthy"))
    found = rollups(accounts, parents({"B": "X", "C": "Y", "Y": "X"}))
    top = group(found, "X")
    assert (top["in_list"], top["accounts"], top["group_health"]) == (False, 2, 70.0)
    assert found.notes == ("parents that are not among the scored accounts: Name X, Name Y",)


def test_a_circle_ends_is_named_and_makes_no_group_but_what_is_below_does() -> None:
    accounts = scored(*[(each, 1.0, 50.0, "At Risk") for each in "ABCDE"])
    found = rollups(accounts, parents({"A": "B", "B": "C", "C": "A", "D": "A", "E": "D"}))
    assert found.table["parent_id"].to_list() == ["D"]
    assert group(found, "D")["above_id"] is None
    named = "Name A, Name B, Name C"
    assert found.notes[0] == f"parents of themselves, in a circle, which makes no group: {named}"
    assert rollups(accounts, parents({"A": "A"})).table.is_empty()


def test_several_currencies_are_named() -> None:
    accounts = scored(("A", 1.0, 50.0, "At Risk"), ("B", 1.0, 50.0, "At Risk"))
    found = rollups(accounts, parents({"A": None, "B": "A"}, A="EUR", B="USD"))
    assert group(found, "A")["currencies"] == ["EUR", "USD"]
    assert found.notes == ("groups with ARR in several currencies, converted to one: Name A (EUR, USD)",)


def test_without_weights_there_is_no_mean() -> None:
    accounts = scored(("A", 0.0, 90.0, "Champion"), ("B", None, 50.0, "At Risk"), ("C", 5.0, None, "Not Rated"))
    found = group(rollups(accounts, parents({"B": "A", "C": "A"})), "A")
    assert (found["group_health"], found["group_arr"], found["group_arr_rated"]) == (None, 5.0, 0.0)


def test_an_amount_below_zero_weighs_nothing_and_the_share_stays_a_share() -> None:
    accounts = scored(("A", 100.0, 80.0, "Healthy"), ("B", -50.0, 20.0, "Critical"), ("C", 100.0, None, "Not Rated"))
    found = group(rollups(accounts, parents({"B": "A", "C": "A"})), "A")
    assert (found["group_health"], found["group_arr"], found["group_arr_rated"]) == (80.0, 150.0, 50.0)


def test_a_share_is_rounded_down_so_that_all_is_all() -> None:
    accounts = scored(("A", 997.0, 80.0, "Healthy"), ("B", 3.0, None, "Not Rated"))
    assert ", 99 % of ARR rated" in group_text(group(rollups(accounts, parents({"B": "A"})), "A"))


def test_an_account_below_a_parent_that_was_not_scored_is_named() -> None:
    accounts = scored(("A", 1.0, 80.0, "Healthy"), ("B", 1.0, 60.0, "At Risk"))
    found = rollups(accounts, parents({"B": "A", "LEFT": "A"}))
    assert found.notes == ("below a parent, and without a score in this run, so that no group has them: LEFT",)


def test_no_parents_make_no_groups() -> None:
    assert rollups(ACME, None).table.is_empty()
    assert rollups(ACME, parents({"A": None, "B": None})).table.is_empty()


def test_everybody_is_shown_its_own_group_or_that_of_its_parent() -> None:
    above = parents({**ABOVE, "Z": None})
    shown = groups_of(rollups(ACME, above), above)
    assert {account: each["parent_id"] for account, each in shown.items()} == {"A": "A", "B": "B", "C": "A", "D": "B"}


AMOUNTS = st.none() | st.integers(-1_000, 10**7).map(float)
HEALTHS = st.none() | st.integers(0, 10_000).map(lambda n: n / 100)


@given(
    st.lists(st.tuples(AMOUNTS, HEALTHS), min_size=1, max_size=25),
    st.lists(st.integers(-1, 30), min_size=25, max_size=25),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_sums_and_lowest_are_those_of_brute_force_in_any_order(
    values: list[tuple[float | None, float | None]], above: list[int], shuffled: random.Random
) -> None:
    """Any graph in which each has one parent at most: some are no customers, some circles."""
    accounts = [
        (f"{number:02}", arr, health, "Not Rated" if health is None else "At Risk")
        for number, (arr, health) in enumerate(values)
    ]
    edges: dict[str, str | None] = {
        f"{child:02}": None if parent < 0 else f"{parent:02}" for child, parent in enumerate(above)
    }
    found = rollups(scored(*accounts), parents(edges))
    by_id = {each[0]: each for each in accounts}
    for row in found.table.iter_rows(named=True):
        below = [each for each in by_id if each != row["parent_id"] and row["parent_id"] in _chain(each, edges)]
        inside = [by_id[each] for each in {*below, *({row["parent_id"]} & by_id.keys())}]
        assert row["accounts"] == len(inside)
        known = [arr for _, arr, _, _ in inside if arr is not None]  # whole amounts, which floats add up exactly
        assert row["group_arr"] == (sum(known) if known else None)
        heavy = [(arr, health) for _, arr, health, _ in inside if arr is not None and arr > 0]
        weight = sum(arr for arr, health in heavy if health is not None)
        whole = sum(arr for arr, _ in heavy)
        assert row["group_arr_rated"] == (pytest.approx(100 * weight / whole) if whole else None)
        mean = sum(arr * health for arr, health in heavy if health is not None) / weight if weight else None
        assert row["group_health"] == (None if mean is None else pytest.approx(mean))
        rated = [by_id[each] for each in below if by_id[each][2] is not None]
        lowest = min(rated, key=lambda each: (each[2], -(each[1] or 0), each[0]), default=None)
        assert row["lowest_id"] == (None if lowest is None else lowest[0])
        assert row["parent_id"] not in _chain(row["parent_id"], edges)
    mixed = accounts.copy()
    shuffled.shuffle(mixed)
    again = rollups(scored(*mixed), parents(dict(reversed(edges.items()))))
    assert again.table.equals(found.table)


def _chain(account: str, above: Mapping[str, str | None]) -> list[str]:
    """Everybody above an account, each once."""
    path: list[str] = []
    each = above.get(account)
    while each is not None and each not in path:
        path.append(each)
        each = above.get(each)
    return path


@pytest.mark.parametrize("shape", ["chain", "star"])
def test_twenty_thousand_accounts_need_no_recursion(shape: str) -> None:
    count = 20_000
    accounts = [(f"{number:05}", 1.0, 50.0, "At Risk") for number in range(count)]
    above = {f"{number:05}": "00000" if shape == "star" else f"{number - 1:05}" for number in range(1, count)}
    found = rollups(scored(*accounts), parents(above))
    assert group(found, "00000")["accounts"] == count
    assert found.table.height == (1 if shape == "star" else count - 1)

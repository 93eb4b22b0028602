"""Tables of a row an account, laid beside each other as a join would lay them."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from accountpulse.core.by_account import beside

ACCOUNTS = st.lists(st.sampled_from("abcdefgh"), unique=True)


def table(accounts: list[str], **columns: str) -> pl.DataFrame:
    ids = pl.DataFrame({"account_id": accounts}, schema={"account_id": pl.String})
    return ids.with_columns(
        pl.format("{} of {}", pl.lit(text), "account_id").alias(name) for name, text in columns.items()
    )


@given(ACCOUNTS, ACCOUNTS)
def test_what_stands_beside_is_what_a_join_gives(accounts: list[str], others: list[str]) -> None:
    mine, more = table(accounts, tier="Gold"), table(others, health="82", owner="Ada")
    joined = mine.join(more, on="account_id", how="left", maintain_order="left")
    assert_frame_equal(beside(mine, more), joined)


@given(ACCOUNTS)
def test_a_column_that_is_there_stays(accounts: list[str]) -> None:
    mine = table(accounts, tier="Gold")
    assert_frame_equal(beside(mine, table(accounts[::-1], tier="Silver")), mine)


def test_an_account_that_comes_twice_is_refused() -> None:
    with pytest.raises(pl.exceptions.ComputeError):
        beside(table(["a", "b"]), table(["a", "a"], tier="Gold"))

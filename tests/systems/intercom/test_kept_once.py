"""Conversations that came twice are found however many there are, and only those."""

import polars as pl

from accountpulse.core.spooled import SpooledTable
from accountpulse.systems.intercom.unclear import SHARE, kept_once

COLUMNS = {"conversation_id": pl.String, "keys": pl.List(pl.String), "rating": pl.Int64}


def spool(*tables: pl.DataFrame) -> SpooledTable:
    found = SpooledTable(COLUMNS)
    for table in tables:
        found.add(table)
    return found


def rows(first: int, last: int, rating: int = 5) -> pl.DataFrame:
    ids = pl.int_range(first, last, eager=True).cast(pl.String)
    return pl.DataFrame({"conversation_id": ids}).with_columns(keys=pl.lit(["acme"]), rating=pl.lit(rating, pl.Int64))


def test_of_more_than_are_compared_at_once_those_that_came_twice_are_found() -> None:
    count = 2 * SHARE + 1
    once, several = kept_once(spool(rows(0, count), rows(7, 9), rows(count - 1, count, rating=1)))
    assert once.height == count
    assert several == {"acme": str(count - 1)}  # 7 and 8 came with the same facts
    assert once.lazy().select(pl.col("conversation_id").n_unique()).collect().item() == count


def test_where_none_came_twice_nothing_is_copied() -> None:
    whole = spool(rows(0, 10))
    assert kept_once(whole) == (whole, {})


def test_none_at_all_are_none_twice() -> None:
    empty = spool()
    assert kept_once(empty) == (empty, {})

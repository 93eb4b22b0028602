"""Account ids as an instance holds them, beside those of our accounts."""

from collections.abc import Iterable, Iterator

import polars as pl

from accountpulse.core.ids import comparable_id
from accountpulse.core.spooled import SpooledTable


def unmatched(spools: Iterable[SpooledTable], keys: Iterable[str]) -> Iterator[str]:
    """Ids without a counterpart, counted on both sides: many of them say that the join key is wrong."""
    given = (spool.lazy().select(pl.col("key").unique()).collect()["key"] for spool in spools)
    theirs = {comparable_id(key) for rows in given for key in rows}
    ours = {comparable_id(key) for key in keys}
    if not_customers := len(theirs - ours):
        yield f"account ids of the explores and Looks that are no customer's: {not_customers:,} of {len(theirs):,}"
    if silent := len(ours - theirs):
        yield f"customers without a row in the explores and Looks: {silent:,} of {len(ours):,}"

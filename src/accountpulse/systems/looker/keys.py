"""Account ids as an instance holds them, beside those of our accounts."""

from collections.abc import Iterable, Iterator

import polars as pl

from accountpulse.core.ids import looks_like_an_id, to_18
from accountpulse.core.spooled import SpooledTable


def unmatched(spools: Iterable[SpooledTable], keys: Iterable[str]) -> Iterator[str]:
    """Ids without a counterpart, counted on both sides: many of them say that the join key is wrong."""
    given = (spool.lazy().select(pl.col("key").unique()).collect()["key"] for spool in spools)
    theirs = {_compared(key) for rows in given for key in rows}
    ours = {_compared(key) for key in keys}
    if not_customers := len(theirs - ours):
        yield f"account ids of the explores and Looks that are no customer's: {not_customers:,} of {len(theirs):,}"
    if silent := len(ours - theirs):
        yield f"customers without a row in the explores and Looks: {silent:,} of {len(ours):,}"


def _compared(key: str) -> str:
    """Record ids of 15 and 18 characters are the same, whatever became of the case of the longer one."""
    whole = to_18(key)
    return whole.upper() if looks_like_an_id(whole) else whole

"""The trend in a table with several months an account: health before caps of its own row three months before."""

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.scoring.columns import AS_OF, BEFORE_3M, BEFORE_CAPS
from accountpulse.scoring.expressions import Expr
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score

BACK, SLACK = 90, 10  # days: how far the trend looks back, and how far off a row may be
BUCKET = 2 * SLACK + 1  # days: what is looked for lies in two neighbouring buckets of this size
KEYS = ("account_id", AS_OF)
MOST_DAYS = 10**8  # more than there are between any two dates


def score_table(
    table: pl.DataFrame, card: Scorecard, *, detail: bool = False, wanted: Sequence[str] = ()
) -> pl.DataFrame:
    """As `score`, in the table's order; the trend comes from the table itself where it has `as_of` and no trend.

    A table without `as_of`, or with `health_before_caps_3m`, is scored as it is. Each account and date stands in it
    once. `wanted`: only these columns, and only what they need is computed; none: all of them.
    """
    if lacks_trend(table.columns):
        table = table.with_columns(_trend(table, card))
    scores = score(table.lazy(), card, detail=detail)
    return (scores.select(wanted) if wanted else scores).collect(engine="streaming")


def _trend(table: pl.DataFrame, card: Scorecard) -> pl.Series:
    """The `health_before_caps_3m` of each row, from the table's own rows."""
    first = score(table.lazy(), card).select(BEFORE_CAPS).collect(engine="streaming")
    number = pl.Enum(table["account_id"].unique())  # whole numbers are joined several times as fast as texts
    keys = table.select(pl.col("account_id").cast(number).to_physical(), AS_OF)
    before = earlier_health(nw.from_native(keys.hstack(first).lazy())).to_native().collect()
    row = pl.col("account_id").cast(pl.Int64) * MOST_DAYS + pl.col(AS_OF).to_physical()
    found = before.select(BEFORE_3M, row=row)
    return keys.select(row=row).join(found, on="row", how="left", maintain_order="left")[BEFORE_3M]


def lacks_trend(columns: list[str]) -> bool:
    """Whether a table with these columns gets its trend from its own rows."""
    return AS_OF in columns and BEFORE_3M not in columns


def earlier_health(scores: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """`account_id`, `as_of` and `health_before_caps_3m`: the health before caps of the account 90 ± 10 days before.

    Of several rows the one nearest to 90 days counts, of two as near the later one; null where it was Not Rated. A row
    without such an earlier one is left out. Reads `account_id`, `as_of` (dates), `health_before_caps`; on any engine.
    """
    rows = scores.select(*KEYS, _day().alias("day"), nw.col(BEFORE_CAPS).alias(BEFORE_3M))
    first = (nw.col("day") - (BACK + SLACK)) // BUCKET
    wanted = nw.concat([rows.select(*KEYS, "day", (first + more).alias("bucket")) for more in (0, 1)])
    earlier = rows.select(
        "account_id", BEFORE_3M, nw.col("day").alias("then"), (nw.col("day") // BUCKET).alias("bucket")
    )
    off = nw.col("day") - nw.col("then") - BACK
    pairs = (
        wanted.join(earlier, on=["account_id", "bucket"], how="inner")
        .with_columns(off.alias("off"))
        .filter((nw.col("off") >= -SLACK) & (nw.col("off") <= SLACK))
        .select(*KEYS, BEFORE_3M, (nw.col("off").abs() * 2 + (nw.col("off") > 0).cast(nw.Int64)).alias("rank"))
    )
    return pairs.filter(nw.col("rank") == nw.col("rank").min().over(*KEYS)).select(*KEYS, BEFORE_3M)


def _day() -> Expr:
    """The number of the day, as `date.toordinal`: differences of dates are no numbers on every engine."""
    years = nw.col(AS_OF).dt.year().cast(nw.Int64) - 1
    return nw.col(AS_OF).dt.ordinal_day().cast(nw.Int64) + years * 365 + years // 4 - years // 100 + years // 400

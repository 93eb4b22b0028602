"""The ARR at the end of a window, beside that at its start."""

from datetime import timedelta

import polars as pl

from accountpulse.core.outcomes import LOST
from accountpulse.proof.labels import RENEWAL_ON, LabelRules
from accountpulse.scoring.columns import AS_OF

ACCOUNT = "account code"  # an integer for each account; no metric has blanks in its name
ARR_LATER = "ARR at the end of the window"
NEAR_DAYS = 45  # a month that lies so little before the window's end tells the ARR there


def with_arr_later(rows: pl.DataFrame, months: pl.DataFrame, rules: LabelRules, *, renewals: bool) -> pl.DataFrame:
    """The rows with the ARR at the end of their window: 0 where the account left in it.

    Else that of the account's last month on or before that day and at most 45 days before; null: there is none, or its
    ARR is not known. Null also, for those who left as well, where the window ends after all months: else only those who
    left would be known there. Without a column `arr` it is null everywhere.
    """
    if "arr" not in rows.columns or not rows["arr"].count():
        return rows.with_columns(pl.lit(None, pl.Float64).alias(ARR_LATER))
    grace, horizon = timedelta(days=rules.grace_days), timedelta(days=rules.horizon_days)
    end = pl.col(RENEWAL_ON) + grace if renewals else pl.col(AS_OF) + horizon
    ends = rows.select(ACCOUNT, LOST, end=end).with_row_index("place").sort("end")
    known = months.select(ACCOUNT, AS_OF, later=pl.col("arr").cast(pl.Float64)).sort(AS_OF)
    found = ends.join_asof(
        known, left_on="end", right_on=AS_OF, by=ACCOUNT, tolerance=f"{NEAR_DAYS}d", check_sortedness=False
    ).sort("place")
    seen = pl.col("end") <= pl.lit(months[AS_OF].max(), pl.Date) + timedelta(days=NEAR_DAYS)
    later = pl.when(seen & pl.col(LOST)).then(0.0).when(seen).then(pl.col("later"))
    return rows.with_columns(found.select(later.alias(ARR_LATER)).to_series())

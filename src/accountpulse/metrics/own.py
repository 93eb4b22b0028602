"""A company's own figures, each with its day: which of an account's values counts for a month, and which doesn't."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from accountpulse.core.period import Scope

_ONE = ["account_id", "metric"]
_EVER = date(1, 1, 1)  # of values without a day, which stand as they are now


@dataclass(frozen=True)
class JudgedFigures:
    """`figures` (account_id, metric, value) has what counts, `unknowns` (account_id, metric, reason) what doesn't."""

    figures: pl.DataFrame
    unknowns: pl.DataFrame


def judge_figures(rows: pl.DataFrame, scope: Scope, max_age_days: Mapping[str, int]) -> JudgedFigures:
    """The value of each account and metric in DATED_FIGURES: the newest that isn't from after the month.

    A null value says nothing. `too_new`: all of an account's values are from after the month; `several_rows`: the
    newest day has different ones; `stale`: that day lies more than the metric's `max_age_days` before the last day
    that is measured. A value without a day has no age, and counts as it is.
    """
    last_day = scope.last_day
    dated = rows.drop_nulls("value").with_columns(pl.col("day").fill_null(_EVER))
    in_time = dated.filter(pl.col("day") <= last_day)
    newest = in_time.filter(pl.col("day") == pl.col("day").max().over(_ONE))
    found = newest.group_by(_ONE, maintain_order=True).agg(
        pl.col("value").first(), pl.col("day").first(), several=pl.col("value").n_unique() > 1
    )
    oldest = {metric: last_day - timedelta(days=days) for metric, days in max_age_days.items()}
    limit = pl.col("metric").replace_strict(oldest, default=_EVER, return_dtype=pl.Date)
    is_stale = (pl.col("day") < limit) & (pl.col("day") > _EVER)
    good = found.filter(~pl.col("several") & ~is_stale).select("account_id", "metric", "value")
    unknown = (
        (dated.join(in_time, on=_ONE, how="anti"), "too_new"),
        (found.filter("several"), "several_rows"),
        (found.filter(~pl.col("several") & is_stale), "stale"),
    )
    return JudgedFigures(good, pl.concat(_because(part, why) for part, why in unknown))


def _because(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    return rows.select("account_id", "metric", reason=pl.lit(reason)).unique(maintain_order=True)

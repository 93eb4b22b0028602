"""Scoring a file with an engine, from its check to the summary."""

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.engines import Engine, checks
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.columns import NOT_RATED_REASON, TIER
from accountpulse.scoring.scorecard import Scorecard


@dataclass(frozen=True)
class ScoreSummary:
    """How many accounts were scored and rated.

    `tiers` has a row a tier: `tier`, `accounts`, `arr` (null where none is known).
    """

    accounts: int
    rated: int
    tiers: pl.DataFrame


def score_file(
    engine: Engine,
    metrics: nw.LazyFrame[Any],
    name: str,
    card: Scorecard,
    out: str,
    *,
    calibration: Calibration | None = None,
) -> ScoreSummary:
    """Check the table, score it into `out`, and summarize what was written. `name` is the table's, for messages."""
    frame = checks.checked_table(metrics, name, card)
    engine.write(engine.score(frame, card, calibration), out)
    return _summary(engine.read(out), frame)


def _summary(scores: nw.LazyFrame[Any], metrics: nw.LazyFrame[Any]) -> ScoreSummary:
    accounts = scores.select("account_id", TIER, rated=nw.col(NOT_RATED_REASON).is_null().cast(nw.Int64))
    if "arr" in metrics.collect_schema():
        accounts = accounts.join(metrics.select("account_id", "arr"), on="account_id", how="left")
    else:
        accounts = accounts.with_columns(arr=nw.lit(None, dtype=nw.Float64))
    by_tier = (
        accounts.group_by(TIER)
        .agg(accounts=nw.len(), rated=nw.col("rated").sum(), arr=nw.col("arr").sum(), known=nw.col("arr").count())
        .collect("polars")
        .to_native()
    )
    arr = pl.when(pl.col("known") > 0).then(pl.col("arr")).alias("arr")
    count, rated = (int(by_tier[column].sum()) for column in ("accounts", "rated"))
    return ScoreSummary(count, rated, by_tier.select(TIER, pl.col("accounts").cast(pl.Int64), arr))

"""Scoring a file with an engine, from its check to the summary."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.engines import Engine, checks
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.columns import AS_OF, BEFORE_CAPS, NOT_RATED_REASON, TIER
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import KEYS, earlier_health, lacks_trend

DatesOfTable = tuple[date, date] | None  # the first and the last date of a table
CalibrationOfDays = Callable[[DatesOfTable], Calibration | None]  # which one counts for them


@dataclass(frozen=True)
class ScoreSummary:
    """How many rows were scored and rated: one an account, or one an account and date.

    `tiers` has a row a tier: `tier`, `accounts`, `arr` (null where none is known); in a table with `as_of` those of the
    last date, `last`.
    """

    rows: int
    rated: int
    tiers: pl.DataFrame
    last: date | None = None


def score_file(
    engine: Engine,
    metrics: nw.LazyFrame[Any],
    name: str,
    card: Scorecard,
    out: str,
    *,
    calibration: CalibrationOfDays = lambda _: None,
) -> ScoreSummary:
    """Check the table, score it into `out`, and summarize what was written. `name` is the table's, for messages."""
    frame = checks.checked_table(metrics, name, card)
    days = checks.first_and_last(frame)
    engine.write(engine.score(_with_trend(engine, frame, card), card, calibration(days)), out)
    return _summary(engine.read(out), frame, None if days is None else days[1])


def _with_trend(engine: Engine, frame: nw.LazyFrame[Any], card: Scorecard) -> nw.LazyFrame[Any]:
    """The table with the trend of its own rows, where it has several months and no trend."""
    if not lacks_trend(frame.collect_schema().names()):
        return frame
    before = earlier_health(engine.score(frame, card).select(*KEYS, BEFORE_CAPS))
    return frame.join(before, on=list(KEYS), how="left")


def _summary(scores: nw.LazyFrame[Any], metrics: nw.LazyFrame[Any], last: date | None) -> ScoreSummary:
    columns = metrics.collect_schema().names()
    keys = [name for name in KEYS if name in columns]
    rows = scores.select(*keys, TIER, rated=nw.col(NOT_RATED_REASON).is_null().cast(nw.Int64))
    count, rated = map(int, rows.select(rows=nw.len(), rated=nw.col("rated").sum()).collect("polars").row(0))
    if "arr" in columns:
        rows = rows.join(metrics.select(*keys, "arr"), on=keys, how="left")
    else:
        rows = rows.with_columns(arr=nw.lit(None, dtype=nw.Float64))
    if last is not None:
        rows = rows.filter(nw.col(AS_OF) == nw.lit(last))
    by_tier = (
        rows.group_by(TIER)
        .agg(accounts=nw.len(), arr=nw.col("arr").sum(), known=nw.col("arr").count())
        .collect("polars")
        .to_native()
    )
    arr = pl.when(pl.col("known") > 0).then(pl.col("arr")).alias("arr")
    return ScoreSummary(count, rated, by_tier.select(TIER, pl.col("accounts").cast(pl.Int64), arr), last)

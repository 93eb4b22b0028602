"""What a load writes beside the scores, for people who work there: owner, money, why, what next, what changed."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.core.records import DETAILS
from accountpulse.pipeline import earlier_runs
from accountpulse.pipeline.run import Run
from accountpulse.scoring.columns import DRIVERS, HEALTH, RENEWAL, TIER
from accountpulse.scoring.disagreement import disagreements
from accountpulse.scoring.explain import driver, read_columns
from accountpulse.scoring.groups import lowest_text, rollups
from accountpulse.scoring.next_steps import next_step, with_health_before
from accountpulse.scoring.signal_cap import signal_cap, signal_tier

_TIER_BEFORE = "tier_before"
_OF_GROUP = "group_"
_TEXTS = ("main_driver", "next_step")


def with_details(run: Run, scores: pl.DataFrame, parents: pl.DataFrame, *, is_whole: bool) -> pl.DataFrame:
    """The scores with the columns of DETAILS; those that the metrics beside them have already stay as they are.

    `parents`: as PARENTS has it. Where only some accounts were chosen the columns of groups are left out, since the
    sums would be theirs alone. `is_whole`: every configured source was read. Else nothing is said of a change: it would
    be the outage's.
    """
    earlier = earlier_runs.health_before(run.state, run.scope.period, run.card)
    detailed = _with_before(scores, earlier)
    is_some = bool(run.request.accounts)
    if not is_some:
        detailed = beside(detailed, _groups(scores, parents))
    days = pl.col(RENEWAL) if RENEWAL in scores.columns else pl.lit(None, pl.Float64)
    change = pl.col(HEALTH) - pl.col(f"{HEALTH}_before") if is_whole else pl.lit(None, pl.Float64)
    texts = pl.DataFrame(list(_texts(run, detailed)), schema=dict.fromkeys(_TEXTS, pl.String), orient="row")
    wanted = {name: kind for name, kind in DETAILS.items() if not (is_some and name.startswith(_OF_GROUP))}
    absent = [pl.lit(None, kind).alias(name) for name, kind in wanted.items() if name not in detailed.columns]
    return detailed.with_columns(absent).with_columns(
        renewal_date=pl.lit(run.scope.as_of_day) + pl.duration(days=days),
        health_change=change,
        tier_before=pl.col(_TIER_BEFORE) if is_whole else pl.lit(None, pl.String),
        signal_cap=pl.lit(signal_cap(run.card)),
        signal_tier=signal_tier(run.card),
        green_tiers=pl.lit(f";{';'.join(run.card.green_tiers)};"),
        disagreement=_disagreement(run, scores),
        **{name: texts[name] for name in _TEXTS},
    )


def _groups(scores: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    """What each parent comes to with the accounts below it, of two accounts or more."""
    table = rollups(scores, parents).table.filter(pl.col("accounts") > 1)
    lowest = [lowest_text(row) for row in table.iter_rows(named=True)]
    figures = table.select(pl.col("parent_id").alias("account_id"), "group_health", "group_arr", "group_arr_rated")
    return figures.with_columns(group_lowest=pl.Series(lowest, dtype=pl.String))


def _disagreement(run: Run, scores: pl.DataFrame) -> pl.Series:
    """Where the score and people disagree, in words; null: nowhere."""
    found = disagreements(scores, run.card, run.scope.last_day)
    texts = found.group_by("account_id", maintain_order=True).agg(pl.col("text").str.join("; "))
    return scores.select("account_id").join(texts, on="account_id", how="left", maintain_order="left")["text"]


def _with_before(scores: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """The scores with health and tier of the month before."""
    scores = with_health_before(scores, earlier)
    if earlier is None:
        return scores.with_columns(pl.lit(None, pl.String).alias(_TIER_BEFORE))
    return beside(scores, earlier.select("account_id", pl.col(TIER).alias(_TIER_BEFORE)))


def _texts(run: Run, scores: pl.DataFrame) -> Iterator[tuple[str | None, str | None]]:
    for row in read_columns(scores, run.card).iter_rows(named=True):
        yield _main_driver(run, row), next_step(row, run.card)


def _main_driver(run: Run, row: Mapping[str, Any]) -> str | None:
    drivers = row.get(DRIVERS)
    return driver(row, run.card, drivers[0], run.scope.as_of_day) if drivers else None

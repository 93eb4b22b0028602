"""`accountpulse score`: a table in, or a month from the state, a table out; no system is asked."""

import sys
from pathlib import Path

import polars as pl

from accountpulse.cli import summary
from accountpulse.cli.files import read, read_card, write_table
from accountpulse.cli.formatting import plural
from accountpulse.core.period import Period
from accountpulse.pipeline import earlier_runs
from accountpulse.scoring import table
from accountpulse.scoring.columns import NOT_RATED_REASON
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score
from accountpulse.state import State


def score_file(metrics: Path, scorecard: Path | None, out: Path) -> int:
    """Score one table and write another; 4 where no account could be rated."""
    table.table_format(out.name)
    data = read(metrics)
    pillars = table.pillars_in(data, metrics.name)
    card = read_card(scorecard, pillars)
    warn(table.unknown_columns_in(data, metrics.name, card))
    frame = table.read_table(data, metrics.name, card)
    return _finish(score(frame.lazy(), card).collect(), frame, card, out)


def score_stored(state: State, period: Period | None, scorecard: Path | None, out: Path) -> int:
    """Score the metrics that a run stored, as that run would have with this scorecard; 4 where none could be rated."""
    table.table_format(out.name)
    earlier = earlier_runs.recall_or_refuse(state, period)
    card = read_card(scorecard, earlier.card.pillars)
    return _finish(earlier_runs.rescored_whole(earlier, state, card), earlier.metrics, card, out)


def _finish(scores: pl.DataFrame, inputs: pl.DataFrame, card: Scorecard, out: Path) -> int:
    """Write the scores and say how many of them there are."""
    write_table(out, scores)
    names = [column for column in ("account_id", "arr") if column in inputs.columns]
    accounts = scores.join(inputs.select(names), on="account_id", how="left", maintain_order="left")
    if "arr" not in accounts.columns:
        accounts = accounts.with_columns(arr=pl.lit(None, pl.Float64))
    console = summary.tables()
    console.print(summary.tiers(accounts, card.tier_names))
    rated = scores.filter(pl.col(NOT_RATED_REASON).is_null()).height
    counted = f"{plural(scores.height, 'account')} with {card.name} {card.hash}, {rated:,} rated"
    console.print(f"\nScored {counted}: {out}", markup=False)
    return 0 if rated else 4


def warn(lines: list[str]) -> None:
    """Print warnings on stderr."""
    for line in lines:
        print(f"! {line}", file=sys.stderr)  # noqa: T201

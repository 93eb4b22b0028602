"""`accountpulse score`: a table in, a table out; no system is asked."""

from pathlib import Path

import polars as pl

from accountpulse.cli import show
from accountpulse.cli.files import read, read_card, write
from accountpulse.cli.words import plural
from accountpulse.scoring import table
from accountpulse.scoring.score import score


def score_file(metrics: Path, scorecard: Path | None, out: Path) -> int:
    """Score one table and write another; 4 where no account could be rated."""
    table.ending(out.name)
    data = read(metrics)
    pillars = table.pillars_in(data, metrics.name)
    card = read_card(scorecard, pillars)
    frame = table.read_table(data, metrics.name, card)
    scores = score(frame.lazy(), card).collect()
    write(out, table.write_table(scores, out.name))
    names = [column for column in ("account_id", "arr") if column in frame.columns]
    shown = scores.join(frame.select(names), on="account_id", how="left", maintain_order="left")
    if "arr" not in shown.columns:
        shown = shown.with_columns(arr=pl.lit(None, pl.Float64))
    console = show.tables()
    console.print(show.tiers(shown))
    rated = scores.filter(pl.col("not_rated_reason").is_null()).height
    console.print(f"\nScored {plural(scores.height, 'account')} with {card.name} {card.hash}, {rated:,} rated: {out}")
    return 0 if rated or not scores.height else 4

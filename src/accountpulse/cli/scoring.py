"""`accountpulse score` and `accountpulse scorecard check`: files in, files out; no system is asked."""

from pathlib import Path

import polars as pl

from accountpulse.cli import show
from accountpulse.cli.words import plural
from accountpulse.errors import UsageError
from accountpulse.scoring import scorecard as scorecards
from accountpulse.scoring import table
from accountpulse.scoring.score import score
from accountpulse.scoring.scorecard import Scorecard


def score_file(metrics: Path, scorecard: Path | None, out: Path) -> int:
    """Score one table and write another; 4 where no account could be rated."""
    table.ending(out.name)
    data = _read(metrics)
    pillars = table.pillars_in(data, metrics.name)
    card = _card(scorecard, pillars)
    frame = table.read_table(data, metrics.name, card)
    scores = score(frame.lazy(), card).collect()
    _write(out, table.write_table(scores, out.name))
    names = [column for column in ("account_id", "arr") if column in frame.columns]
    shown = scores.join(frame.select(names), on="account_id", how="left", maintain_order="left")
    if "arr" not in shown.columns:
        shown = shown.with_columns(arr=pl.lit(None, pl.Float64))
    console = show.tables()
    console.print(show.tiers(shown))
    rated = scores.filter(pl.col("not_rated_reason").is_null()).height
    console.print(f"\nScored {plural(scores.height, 'account')} with {card.name} {card.hash}, {rated:,} rated: {out}")
    return 0 if rated or not scores.height else 4


def check_scorecard(file: Path, pillars: tuple[str, ...]) -> int:
    """Say that a scorecard is good, or raise with every mistake."""
    card = _card(file, pillars)
    leaves, dimensions = plural(len(card.leaves), "metric"), plural(len(card.dimensions), "dimension")
    show.tables().print(f"{file} is a good scorecard: {card.name}, {dimensions}, {leaves}, hash {card.hash}")
    return 0


def _card(file: Path | None, pillars: tuple[str, ...]) -> Scorecard:
    if file is None:
        return scorecards.default(pillars)
    try:
        return scorecards.load(_read(file).decode("utf-8"), file.name, pillars)
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not a text file in UTF-8") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror})") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None

"""`accountpulse score`: a table in, or a month from the state, a table out; no system is asked."""

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from accountpulse import settings
from accountpulse.cli import summary
from accountpulse.cli.files import check_apart, read, read_card, write_table
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Period
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import calibrations, earlier_runs
from accountpulse.scoring import table
from accountpulse.scoring.calibration import Calibration, calibrated
from accountpulse.scoring.columns import AS_OF, NOT_RATED_REASON
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import KEYS, score_table
from accountpulse.state import State


def score_file(
    metrics: Path, scorecard: Path | None, out: Path, *, calibration: Path | None = None, as_json: bool = False
) -> int:
    """Score one table and write another; 4 where no account could be rated."""
    table.table_format(out.name)
    check_apart([out], [metrics, scorecard, calibration])
    data = read(metrics)
    pillars = table.pillars_in(data, metrics.name)
    card = read_card(scorecard, pillars)
    note(table.unknown_columns_in(data, metrics.name, card))
    frame = table.read_table(data, metrics.name, card)
    counting = counting_calibration(calibration, card, table.first_and_last(frame))
    return _finish(calibrated(score_table(frame, card), counting), frame, card, out, as_json=as_json)


def score_stored(
    state: State,
    period: Period | None,
    scorecard: Path | None,
    out: Path,
    *,
    calibration: Path | None = None,
    as_json: bool = False,
) -> int:
    """Score the metrics that a run stored, as that run would have with this scorecard; 4 where none could be rated."""
    table.table_format(out.name)
    earlier = earlier_runs.recall_or_refuse(state, period)
    card = read_card(scorecard, earlier.card.pillars)
    counting = counting_calibration(calibration, card, (earlier.as_of_day, earlier.as_of_day))
    scores = calibrated(earlier_runs.rescored_whole(earlier, state, card), counting)
    return _finish(scores, earlier.metrics, card, out, as_json=as_json)


def counting_calibration(named: Path | None, card: Scorecard, days: tuple[date, date] | None) -> Calibration | None:
    """The calibration that counts: the named one, else the state's, if it has any. Why one doesn't is warned of.

    `days` are the first and the last one of the scores; a table without dates is scored as of today. Where it expires
    between them, it counts for the rows before.
    """
    today = datetime.now(UTC).date()
    first, last = days or (today, today)
    if named is not None:
        choice = calibrations.choose(calibrations.read_calibration(named), None, card, first)
    else:
        try:
            state = State(settings.state_of(os.environ))
        except AccountpulseError:
            return None  # a table can be scored without any state
        choice = calibrations.choose(None, state, card, first)
    found = choice.calibration
    expired = found is not None and last >= found.expires_on
    note([*choice.notes, *([calibrations.expires_within(found)] if found is not None and expired else [])])
    return found


def _finish(scores: pl.DataFrame, inputs: pl.DataFrame, card: Scorecard, out: Path, *, as_json: bool) -> int:
    """Write the scores and say how many of them there are."""
    write_table(out, scores)
    last = table.last_date(inputs)
    keys = ["account_id"] if last is None else list(KEYS)
    names = [column for column in (*keys, "arr") if column in inputs.columns]
    accounts = scores.join(inputs.select(names), on=keys, how="left", maintain_order="left")
    if last is not None:
        accounts = accounts.filter(pl.col(AS_OF) == last)
    if "arr" not in accounts.columns:
        accounts = accounts.with_columns(arr=pl.lit(None, pl.Float64))
    rated = scores.filter(pl.col(NOT_RATED_REASON).is_null()).height
    tell_scored((scores.height, rated), summary.by_tier(accounts), card, last, str(out), as_json=as_json)
    return 0 if rated else 4


def tell_scored(
    counts: tuple[int, int], tiers: pl.DataFrame, card: Scorecard, last: date | None, out: str, *, as_json: bool
) -> None:
    """Print the tiers, how many rows were scored and rated (`counts`), and where they lie.

    `tiers` as summary.tier_table takes them, those of the date `last` where there are several.
    """
    rows, rated = counts
    if as_json:
        facts = {"scorecard": f"{card.name} {card.hash}", "as_of": None if last is None else last.isoformat()}
        found = tiers.select("tier", "accounts", "arr").sort("tier").to_dicts()
        counted = {"rows": rows, "rated": rated, "tiers": found, "out": out}
        write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts, **counted}])
        return
    console = summary.tables()
    console.print(summary.tier_table(tiers, card.tier_names))
    console.print(f"\n{_scored(rows, rated, card, last)}: {out}", markup=False)


def _scored(rows: int, rated: int, card: Scorecard, last: date | None) -> str:
    """How many rows were scored, and how many of them rated; `last`: the date that tiers were shown of."""
    what, shown = ("account", "") if last is None else ("row", f"; the tiers are those of {last}")
    return f"Scored {plural(rows, what)} with {card.name} {card.hash}, {rated:,} rated{shown}"

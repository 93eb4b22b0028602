"""`accountpulse score`: a table in, or a month from the state, a table out; no system is asked."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from accountpulse import settings
from accountpulse.cli import summary, table_look
from accountpulse.cli.environment import environment
from accountpulse.cli.files import check_apart, read_card, read_given, write_table
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.core import tables
from accountpulse.core.catalogue import PILLAR
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Period
from accountpulse.core.tables import GivenTable
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
    tables.kind_of(out.name)
    check_apart([out], [metrics, scorecard, calibration])
    given = read_given(metrics)
    card = read_card(scorecard, table.pillars_in(given))
    note([*pillars_apart(card, metrics.name), *table.unknown_columns_in(given, card)])
    frame = read_metrics(given, card)
    del given
    counting = counting_calibration(calibration, card, table.first_and_last(frame))
    in_words = _is_worded(out, frame.height)
    return _finish(calibrated(score_table(frame, card, detail=in_words), counting), frame, card, out, as_json=as_json)


def pillars_apart(card: Scorecard, name: str) -> Iterator[str]:
    """A line where the table has other pillars than accountpulse.yaml: a run reads another scorecard from the file."""
    try:
        mapped = settings.rules_of(settings.mapping_of(environment())).pillars
    except AccountpulseError:
        return  # a table can be scored without any mapping
    apart = [f"{PILLAR}{pillar}" for pillar in sorted(set(mapped) ^ set(card.pillars))]
    if mapped and apart:
        yield (
            f"{name} and accountpulse.yaml differ in pillars: only one of them has {', '.join(apart)}. The scorecard's "
            f"hash, {card.hash}, is not that of a run, and the scores can't be compared with a run's"
        )


def read_metrics(given: GivenTable, card: Scorecard) -> pl.DataFrame:
    """The rows of a table of metrics; what there is to say of how it was read goes to stderr."""
    found = table.read_table(given, card)
    note(list(found.notes))
    return found.rows


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
    tables.kind_of(out.name)
    earlier = earlier_runs.recall_or_refuse(state, period)
    card = read_card(scorecard, earlier.card.pillars)
    counting = counting_calibration(calibration, card, (earlier.as_of_day, earlier.as_of_day))
    scores = earlier_runs.rescored_whole(earlier, state, card, detail=_is_worded(out, earlier.metrics.height))
    return _finish(calibrated(scores, counting), earlier.metrics, card, out, as_json=as_json)


def _is_worded(out: Path, rows: int) -> bool:
    """Whether the drivers stand in the file in words as well: not in files for programs, and not in a huge CSV."""
    kind = tables.kind_of(out.name)
    if kind == "csv" and rows > table_look.MOST_WORDED:
        most = f"a .csv of more than {table_look.MOST_WORDED:,} rows is taken for one that programs read"
        note([f"{out.name} has no drivers in words: {most}; write .xlsx to have them"])
        return False
    return kind != "parquet"


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
            state = State(settings.state_of(environment()))
        except AccountpulseError:
            return None  # a table can be scored without any state
        choice = calibrations.choose(None, state, card, first)
    found = choice.calibration
    expired = found is not None and last >= found.expires_on
    note([*choice.notes, *([calibrations.expires_within(found)] if found is not None and expired else [])])
    return found


def _finish(scores: pl.DataFrame, inputs: pl.DataFrame, card: Scorecard, out: Path, *, as_json: bool) -> int:
    """Write the scores and say how many of them there are."""
    _write(scores, inputs, card, out)
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


def _write(scores: pl.DataFrame, inputs: pl.DataFrame, card: Scorecard, out: Path) -> None:
    """Parquet for programs, as it is; other files for people."""
    if tables.kind_of(out.name) == "parquet":
        write_table(out, scores)
        return
    shown = table_look.for_people(scores, inputs, card)
    write_table(out, shown, table_look.look_of(shown, card))


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

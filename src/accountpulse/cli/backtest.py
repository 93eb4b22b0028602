"""`accountpulse backtest`: what the score said against what happened, from a table or from the state."""

import sys
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from accountpulse.cli import backtest_files, backtest_summary, summary
from accountpulse.cli.files import check_apart
from accountpulse.cli.proof_tables import GivenOutcomes, ProofTables, check_extra, known_by, of_state, of_table
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.period import parse_period
from accountpulse.core.records import Rules
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline.calibrations import read_calibration
from accountpulse.proof.labels import LabelRules
from accountpulse.scoring.calibration import Calibration, why_unused, with_probability
from accountpulse.scoring.columns import AS_OF
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.document import BacktestDocument


@dataclass(frozen=True)
class BacktestRequest:
    """What the command was asked; None: not given."""

    outcomes: Path | None
    scorecards: tuple[Path, ...]
    horizon: int | None
    lead: int
    first: str | None
    last: str | None
    capacity: int | None
    known_until: date | None
    out: Path
    calibration: Path | None = None
    as_json: bool = False


def backtest_table(metrics: Path, asked: BacktestRequest, now: datetime) -> int:
    """Hold a table of metrics with `as_of` against outcomes, scored with the scorecard that is given first."""
    check_extra("backtest")
    _check_folder(asked.out)
    check_apart(backtest_files.paths_in(asked.out), [metrics, asked.outcomes, *asked.scorecards, asked.calibration])
    tables = of_table(metrics, asked.outcomes, asked.scorecards, now)
    if asked.calibration is None:
        _finish(tables, asked, now)
        return 0
    calibration = _counting(asked.calibration, tables, asked.horizon)
    _finish(replace(tables, months=with_probability(tables.months, calibration)), asked, now, calibration)
    return 0


def backtest_state(asked: BacktestRequest, state: State, rules: Rules, now: datetime) -> int:
    """Hold the months of the state, as they were first measured, against outcomes.

    The state keeps it for the report, unless it looked at some of the months only.
    """
    check_extra("backtest")
    if asked.calibration is not None:
        raise UsageError(
            "--calibration is for a table (--metrics): the state has the probabilities that were said then"
        )
    _check_folder(asked.out)
    check_apart(backtest_files.paths_in(asked.out), [asked.outcomes, *asked.scorecards])
    document = _finish(of_state(state, GivenOutcomes(asked.outcomes, rules, now), asked.scorecards), asked, now)
    if asked.first is None and asked.last is None and document.months:
        backtest_files.keep(document, state, now)
    return 0


def _check_folder(out: Path) -> None:
    """A UsageError where the files can't come into the folder, before anything is computed."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: this is a file, not a folder; the page, the JSON and the rows come into one")


def _counting(file: Path, tables: ProofTables, horizon: int | None) -> Calibration:
    """The calibration in the file; a ConfigurationError where it doesn't count for the table.

    A UsageError where a horizon is asked for that is not its own.
    """
    found, first = read_calibration(file), tables.months[AS_OF].min()
    if horizon is not None and horizon != found.horizon_days:
        raise UsageError(
            f"--horizon {horizon}: the probabilities of {file} speak of {found.horizon_days} days; leave --horizon out"
        )
    why = why_unused(found, tables.card, first) if isinstance(first, date) else None
    if why is not None:
        raise ConfigurationError("calibration", [f"{file}: {why}"])
    return found


def _finish(
    past: ProofTables, asked: BacktestRequest, now: datetime, judged: Calibration | None = None
) -> "BacktestDocument":
    """Compute it, write the files and print the summary."""
    from accountpulse.proof.backtest import BacktestRules, backtest

    horizon = asked.horizon or past.card.file.horizon_days
    rules = BacktestRules(
        source=past.named,
        labels=LabelRules(horizon, asked.lead, past.grace_days),
        known_until=known_by(asked.known_until, past, now),
        first=asked.first,
        last=asked.last,
        capacity=asked.capacity,
        judged_from=None if judged is None else _judged_from(judged),
        notes=past.notes,
    )
    result = backtest(past.months, past.outcomes, past.card, rules, past.other)
    lines = list(backtest_files.write_files(result, asked.out))
    if asked.as_json:
        write_json(sys.stdout, [backtest_files.plain(result.document)])
        return result.document
    console = summary.tables()
    backtest_summary.show(result.document, console)
    if judged is not None and result.document.account_months.probability is None:
        summary.marked(console, "!", "yellow", [_not_judged(judged)])
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    return result.document


def _judged_from(calibration: Calibration) -> date:
    """The first `as_of` whose customers' leaving could not be learned from: a horizon after the last training month."""
    after = parse_period(calibration.months[-1]).shifted(1).first_day
    return after + timedelta(days=calibration.horizon_days)


def _not_judged(calibration: Calibration) -> str:
    """Why no probability of the calibration was held against what happened."""
    if calibration.kind == "band":
        return "The calibration gives ranges for bands of risk, and no probability that could be judged"
    return (
        f"The calibration's probabilities aren't judged: too few account-months with a known outcome are as of "
        f"{_judged_from(calibration)} or later, a horizon after the months that it was fitted on"
    )

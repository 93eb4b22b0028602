"""`accountpulse backtest`: what the score said against what happened, from a table or from the state."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accountpulse.cli import backtest_files, backtest_summary, summary
from accountpulse.cli.proof_tables import GivenOutcomes, ProofTables, check_extra, of_state, of_table
from accountpulse.core.records import Rules
from accountpulse.proof.labels import LabelRules
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


def backtest_table(metrics: Path, asked: BacktestRequest, now: datetime) -> int:
    """Hold a table of metrics with `as_of` against outcomes, scored with the scorecard that is given first."""
    check_extra("backtest")
    _finish(of_table(metrics, asked.outcomes, asked.scorecards, now), asked)
    return 0


def backtest_state(asked: BacktestRequest, state: State, rules: Rules, now: datetime) -> int:
    """Hold the months of the state, as they were first measured, against outcomes.

    The state keeps it for the report, unless it looked at some of the months only.
    """
    check_extra("backtest")
    document = _finish(of_state(state, GivenOutcomes(asked.outcomes, rules, now), asked.scorecards), asked)
    if asked.first is None and asked.last is None:
        backtest_files.keep(document, state, now)
    return 0


def _finish(past: ProofTables, asked: BacktestRequest) -> "BacktestDocument":
    """Compute it, write the files and print the summary."""
    from accountpulse.proof.backtest import BacktestRules, backtest

    horizon = asked.horizon or past.card.file.horizon_days
    rules = BacktestRules(
        source=past.named,
        labels=LabelRules(horizon, asked.lead, past.grace_days),
        known_until=asked.known_until or past.known_until,
        first=asked.first,
        last=asked.last,
        capacity=asked.capacity,
        notes=past.notes,
    )
    result = backtest(past.months, past.outcomes, past.card, rules, past.other)
    lines = list(backtest_files.write_files(result, asked.out))
    console = summary.tables()
    backtest_summary.show(result.document, console)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    return result.document

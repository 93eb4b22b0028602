"""`accountpulse backtest`: what the score said against what happened, from a table or from the state."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accountpulse.cli import backtest_summary, summary
from accountpulse.cli.files import write
from accountpulse.cli.proof_tables import GivenOutcomes, ProofTables, check_extra, of_state, of_table
from accountpulse.core.outgoing import outgoing_data, outgoing_table
from accountpulse.core.records import Rules
from accountpulse.core.redact import REDACT
from accountpulse.proof.labels import LabelRules
from accountpulse.scoring import table
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.backtest import Backtest

FILES = ("backtest.json", "rows.parquet")


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
    return _finish(of_table(metrics, asked.outcomes, asked.scorecards, now), asked)


def backtest_state(asked: BacktestRequest, state: State, rules: Rules, now: datetime) -> int:
    """Hold the months of the state, as they were first measured, against outcomes."""
    check_extra("backtest")
    return _finish(of_state(state, GivenOutcomes(asked.outcomes, rules, now), asked.scorecards), asked)


def _finish(past: ProofTables, asked: BacktestRequest) -> int:
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
    paths = _write(result, asked.out)
    console = summary.tables()
    backtest_summary.show(result.document, console)
    for what, path in zip(("JSON", "Rows"), paths, strict=True):
        console.print(f"{what + ':':<6}{path}", markup=False, soft_wrap=True)
    return 0


def _write(result: "Backtest", out: Path) -> list[Path]:
    """Write the document and its rows into a folder; where they are."""
    import msgspec

    plain = outgoing_data(msgspec.to_builtins(result.document, order="deterministic"))
    ids = REDACT.table(result.rows.select("account_id"))
    rows = outgoing_table(result.rows.drop("account_id")).hstack(ids).select(result.rows.columns)
    contents = (msgspec.json.format(msgspec.json.encode(plain)) + b"\n", table.write_table(rows, FILES[1]))
    for name, content in zip(FILES, contents, strict=True):
        write(out / name, content)
    return [out / name for name in FILES]

"""`accountpulse backtest`: what the score said against what happened, from a table or from the state."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from accountpulse.cli import backtest_summary, summary
from accountpulse.cli.files import read, read_card, write
from accountpulse.cli.scoring import warn
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.outgoing import outgoing_data, outgoing_table
from accountpulse.core.records import Rules
from accountpulse.core.redact import REDACT
from accountpulse.proof.labels import LabelRules
from accountpulse.proof.outcome_table import AMOUNT, NEEDED, OutcomeTable, outcomes_in
from accountpulse.scoring import scorecard, table
from accountpulse.scoring.columns import (
    AS_OF,
    BEFORE_CAPS,
    CAP_REASON,
    COVERAGE,
    DRIVERS,
    HEALTH,
    RISK,
    RISK_Z,
    SCORECARD,
    TIER,
    points_of,
    score_of,
)
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import score_table
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.backtest import Backtest, OtherCard

EXTRA = "it needs packages that are not installed: pip install 'accountpulse[backtest]'"
FILES = ("backtest.json", "rows.parquet")


@dataclass(frozen=True)
class BacktestRequest:
    """What the command was asked; None: not given."""

    metrics: Path | None
    outcomes: Path | None
    scorecards: tuple[Path, ...]
    horizon: int | None
    lead: int
    first: str | None
    last: str | None
    capacity: int | None
    known_until: date | None
    out: Path


@dataclass(frozen=True)
class _Past:
    """The months and what happened, with the scorecard that the months were scored with; `named`: whence, in words."""

    months: pl.DataFrame
    outcomes: pl.DataFrame
    card: Scorecard
    other: "OtherCard | None"
    known_until: date
    named: str
    notes: tuple[str, ...]
    grace_days: int = LabelRules().grace_days


def backtest_table(asked: BacktestRequest, now: datetime) -> int:
    """Hold a table of metrics with `as_of` against outcomes, scored with the scorecard that is given first."""
    _check_extra()
    return _finish(_of_table(asked, now), asked)


def backtest_state(asked: BacktestRequest, state: State, rules: Rules, now: datetime) -> int:
    """Hold the months of the state, as they were first measured, against outcomes."""
    _check_extra()
    return _finish(_of_state(asked, state, rules, now), asked)


def _check_extra() -> None:
    """A ConfigurationError where the packages of the extra `backtest` are not installed."""
    if find_spec("sklearn") is None:
        raise ConfigurationError("backtest", [EXTRA])


def _finish(past: _Past, asked: BacktestRequest) -> int:
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


# --- a table ---------------------------------------------------------------------------------------------------


def _of_table(asked: BacktestRequest, now: datetime) -> _Past:
    path = asked.metrics
    if path is None or len(asked.scorecards) > 2:
        raise UsageError("give one --scorecard to score the table with, and a second one to compare it with")
    data = read(path)
    _check_dated(data, path.name)
    pillars = table.pillars_in(data, path.name)
    cards = [read_card(each, pillars) for each in asked.scorecards] or [scorecard.default(pillars)]
    unknown = [set(table.unknown_columns_in(data, path.name, card)) for card in cards]
    warn(sorted(set.intersection(*unknown)))
    frames = [table.read_table(data, path.name, card) for card in cards]
    del data
    months = _scored(frames[0], cards[0])
    outcomes, notes = _outcomes_of_table(asked)
    other = None if len(cards) == 1 else _other(cards[1], _scored(frames[1], cards[1]))
    return _Past(months, outcomes, cards[0], other, _last_day(outcomes, now), path.name, notes)


def _check_dated(data: bytes, name: str) -> None:
    if AS_OF not in table.columns_in(data, name):
        raise UsageError(
            f"{name}: there is no column as_of, the day that each row was measured up to, such as 2026-03-01. A "
            "backtest needs it, and several of them an account"
        )


def _scored(frame: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The rows with their scores beside them, without what a backtest doesn't ask for."""
    wanted = [
        HEALTH, BEFORE_CAPS, RISK, RISK_Z, TIER, COVERAGE, CAP_REASON, DRIVERS,
        *map(score_of, card.dimensions), *(points_of(leaf.name) for leaf in card.leaves),
    ]  # fmt: skip
    return frame.hstack(score_table(frame, card, detail=True).select(wanted))


def _outcomes_of_table(asked: BacktestRequest) -> tuple[pl.DataFrame, tuple[str, ...]]:
    if asked.outcomes is None:
        raise UsageError("give the outcomes of the table's accounts: --outcomes FILE with account_id, date, kind")
    found = _read_outcomes(asked.outcomes)
    return found.rows, found.notes


def _read_outcomes(path: Path) -> OutcomeTable:
    """The outcomes in a file, its ids as they are: a table's accounts are called there as they are in the other."""
    frame, word = table.rows_in(read(path), path.name, (*NEEDED, AMOUNT))
    return outcomes_in(frame, path.name, frame[table.LINE], word)


def _last_day(outcomes: pl.DataFrame, now: datetime) -> date:
    """The last date of a file: nothing is known of later days, nor of days to come."""
    last: Any = outcomes["happened_on"].max()
    return min(last, now.date()) if last is not None else now.date()


# --- the state -------------------------------------------------------------------------------------------------


def _of_state(asked: BacktestRequest, state: State, rules: Rules, now: datetime) -> _Past:
    """Months and outcomes as the state has them; outcomes of a file come first for the times that it speaks of."""
    from accountpulse.cli.outcomes import read_outcomes
    from accountpulse.core.outcomes import first_answers
    from accountpulse.pipeline import proof_input

    if len(asked.scorecards) > 1:
        raise UsageError("give one --scorecard at most: it is compared with what was said then")
    months = proof_input.months_of(state)
    if months.is_empty():
        raise ConfigurationError("backtest", ["the state holds no month that was run as a whole: run one first"])
    card = _last_card(state, months)
    outcomes, notes = proof_input.outcomes_of(state, months, rules), tuple(state.files.notes)
    if asked.outcomes is not None:
        given = read_outcomes(asked.outcomes)
        outcomes = first_answers([given.rows, outcomes], rules.grace_days)
        notes = (*notes, *given.notes)
    other = None
    if asked.scorecards:
        compared = read_card(asked.scorecards[0], card.pillars)
        other = _other(compared, proof_input.months_of(state, compared))
    known_until = _read_on(months, outcomes, now) - timedelta(days=rules.grace_days)
    return _Past(
        months,
        outcomes,
        card,
        other,
        known_until,
        "what runs kept",
        (*notes, *_other_cards(months, card)),
        rules.grace_days,
    )


def _last_card(state: State, months: pl.DataFrame) -> Scorecard:
    """The scorecard of the latest month."""
    named = months.drop_nulls(SCORECARD).sort(AS_OF)[SCORECARD]
    content_hash = str(named[-1]).rsplit(" ", 1)[-1] if len(named) else ""
    content = state.history.load_scorecard(content_hash)
    if content is None:
        raise ConfigurationError("backtest", [f"the state has lost the scorecard {content_hash} of its latest month"])
    return scorecard.restored(content)


def _other_cards(months: pl.DataFrame, card: Scorecard) -> Iterator[str]:
    """A line where earlier months were scored with other scorecards."""
    others = months.filter(~pl.col(SCORECARD).str.ends_with(card.hash))[SCORECARD].unique().drop_nulls().sort()
    if len(others):
        yield (
            f"some months were scored with another scorecard than the latest ({', '.join(others)}): they count as they "
            "were scored then"
        )


def _read_on(months: pl.DataFrame, outcomes: pl.DataFrame, now: datetime) -> date:
    """The last day on which outcomes are known to have been read: by the last run, or when one became known."""
    measured: Any = months["measured_at"].max()
    known: Any = outcomes["known_at"].max()
    days = [measured.date() if measured is not None else None, known]
    return min(max((day for day in days if day is not None), default=now.date()), now.date())


def _other(card: Scorecard, scored: pl.DataFrame) -> "OtherCard":
    from accountpulse.proof.backtest import OtherCard

    return OtherCard(card, scored.select("account_id", AS_OF, RISK))


def day_of(text: str | None, option: str) -> date | None:
    """A day as YYYY-MM-DD; anything else is a UsageError."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a day of the form YYYY-MM-DD, such as 2026-10-31") from None

"""Months and outcomes for `backtest`, `calibrate` and `scorecard suggest`: of a table, or as the state has them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from accountpulse.cli.files import read_card, read_given
from accountpulse.cli.voice import note
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.period import parse_period
from accountpulse.core.records import Rules
from accountpulse.core.tables import GivenTable
from accountpulse.proof.labels import LabelRules
from accountpulse.proof.outcome_table import EARLIEST, NEEDED, OutcomeTable, outcomes_in
from accountpulse.scoring import scorecard, table
from accountpulse.scoring.columns import (
    AS_OF,
    BEFORE_CAPS,
    COVERAGE,
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
    from accountpulse.proof.backtest import OtherCard

NAMED = 5  # metrics named in a line; the rest is counted

EXTRA = "it needs packages that are not installed: pip install 'accountpulse[backtest]'"


@dataclass(frozen=True)
class ProofTables:
    """The months and what happened, with the scorecard that the months were scored with; `named`: whence, in words."""

    months: pl.DataFrame
    outcomes: pl.DataFrame
    card: Scorecard
    other: "OtherCard | None"
    known_until: date
    named: str
    notes: tuple[str, ...]
    grace_days: int = LabelRules().grace_days


def check_extra(command: str) -> None:
    """A ConfigurationError where the packages of the extra `backtest` are not installed."""
    try:
        for package in ("numpy", "scipy"):
            import_module(package)
    except ImportError:
        raise ConfigurationError(command, [EXTRA]) from None


# --- a table ---------------------------------------------------------------------------------------------------


def of_table(path: Path, given: Path | None, scorecards: tuple[Path, ...], now: datetime) -> ProofTables:
    """The months of a table of metrics, scored with the first scorecard (none: the packaged one), and `given` outcomes.

    A second scorecard is the other one, to be compared.
    """
    if len(scorecards) > 2:
        raise UsageError("give one --scorecard to score the table with, and a second one to compare it with")
    given_table = read_given(path)
    _check_dated(given_table)
    pillars = table.pillars_in(given_table)
    cards = [read_card(each, pillars) for each in scorecards] or [scorecard.default(pillars)]
    unknown = [set(table.unknown_columns_in(given_table, card)) for card in cards]
    note(sorted(set.intersection(*unknown)))
    read = [table.read_table(given_table, card) for card in cards]
    frames = [each.rows for each in read]
    note(list(dict.fromkeys(line for each in read for line in each.notes)))
    unmeasured = [line for card in cards for line in _unmeasured(card, given_table)]
    del given_table, read
    months = _scored(frames[0], cards[0])
    outcomes, notes = _outcomes_of_table(given)
    _check_ids(months, outcomes, (path.name, given.name if given is not None else ""))
    notes = (*notes, *unmeasured)
    other = None if len(cards) == 1 else _other(cards[1], _scored(frames[1], cards[1]))
    known_until, notes = _last_day(months, outcomes, now), (*notes, *_to_come(months, now))
    return ProofTables(months, outcomes, cards[0], other, known_until, path.name, notes)


def _check_dated(given: GivenTable) -> None:
    if AS_OF not in given.called([AS_OF]).columns:
        raise UsageError(
            f"{given.name}: there is no column as_of, the day that each row was measured up to, such as 2026-03-01. "
            "It is needed, and several of them an account"
        )


def _unmeasured(card: Scorecard, given: GivenTable) -> Iterator[str]:
    """A line where metrics of the scorecard have no column in the table."""
    present, name = table.columns_in(given, card), given.name
    leaves = [leaf for leaf in card.leaves if leaf.name not in present]
    if not leaves:
        return
    names = ", ".join(card.catalogue[leaf.name].label for leaf in leaves[:NAMED])
    more = f" and {len(leaves) - NAMED} more" if len(leaves) > NAMED else ""
    share = sum(leaf.share for leaf in leaves) / sum(leaf.share for leaf in card.leaves)
    yield f"{name} has no column for {names}{more}: {100 * share:.0f} % of the weight of {card.name} is never known"


def _check_ids(months: pl.DataFrame, outcomes: pl.DataFrame, names: tuple[str, str]) -> None:
    """A UsageError where the accounts of both tables are called differently, so that who left seems to have stayed.

    Outcomes from before the first month are of accounts that may be in none; where there are others, these are asked.
    """
    recent = outcomes.filter(pl.col("happened_on") > months[AS_OF].min())
    asked = (outcomes if recent.is_empty() else recent).select("account_id").unique(maintain_order=True)
    strangers = asked.join(months, on="account_id", how="anti", maintain_order="left")["account_id"]
    found = asked.height - len(strangers)
    if found or asked.is_empty():
        return
    raise UsageError(
        f"none of the {asked.height:,} accounts in {names[1]} is in {names[0]}: ids such as {strangers[0]} there, "
        f"such as {months['account_id'][0]} here. The same account needs the same id in both; else who left would "
        "count as having stayed"
    )


def _scored(frame: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The rows with their scores beside them, without what a backtest doesn't ask of all of them."""
    wanted = [
        HEALTH, BEFORE_CAPS, RISK, RISK_Z, TIER, COVERAGE,
        *map(score_of, card.dimensions), *(points_of(leaf.name) for leaf in card.leaves),
    ]  # fmt: skip
    scores = score_table(frame, card, detail=True, wanted=wanted)
    return frame.hstack(scores).rechunk()  # else it is copied later, and kept twice


def _outcomes_of_table(given: Path | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    if given is None:
        raise UsageError("give the outcomes of the table's accounts: --outcomes FILE with account_id, date, kind")
    found = _read_outcomes(given)
    return found.rows, found.notes


def _read_outcomes(path: Path) -> OutcomeTable:
    """The outcomes in a file, its ids as they are: a table's accounts are called there as they are in the other."""
    return outcomes_in(read_given(path, NEEDED))


def _last_day(months: pl.DataFrame, outcomes: pl.DataFrame, now: datetime) -> date:
    """The last day on which something became of an account of the months: nothing is known of later ones.

    A day to come is none: the days up to it aren't known. Where there is none at all it is the last of the months.
    """
    theirs = outcomes.join(months.select("account_id").unique(), on="account_id", how="semi")["happened_on"]
    last: Any = theirs.filter(theirs <= now.date()).max()
    return last if last is not None else min(months[AS_OF].max() or now.date(), now.date())  # type: ignore[return-value]


def _to_come(months: pl.DataFrame, now: datetime) -> Iterator[str]:
    """A line where rows are dated after today."""
    late = months[AS_OF].filter(months[AS_OF] > now.date()).sort(descending=True)
    if len(late):
        yield f"{AS_OF}: {len(late):,} rows are dated after today, up to {late[0]}; nothing can be known of them"
    early = months[AS_OF].filter(months[AS_OF] < EARLIEST).sort()
    if len(early):
        yield f"{AS_OF}: {len(early):,} rows are dated before {EARLIEST.year}, the first {early[0]}; is that meant?"


def known_by(asked: date | None, tables: ProofTables, now: datetime) -> date:
    """The last day of which all outcomes are known, as asked or as the tables say; a UsageError for a day to come."""
    if asked is not None and asked > now.date():
        raise UsageError(f"--known-until {asked} is a day to come: nobody knows yet who leaves until then")
    return asked or tables.known_until


# --- the state -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GivenOutcomes:
    """How outcomes are read with a state: a table in a file comes first for the times that it speaks of; None: none.

    `rules` say what is one event, and `now` is the instant of reading.
    """

    file: Path | None
    rules: Rules
    now: datetime


def of_state(state: State, given: GivenOutcomes, compared: tuple[Path, ...] = ()) -> ProofTables:
    """Months and outcomes as the state has them, with the scores of that time; `compared` is another scorecard."""
    from accountpulse.pipeline import proof_input

    if len(compared) > 1:
        raise UsageError("give one --scorecard at most: it is compared with what was said then")
    card = _last_card(state)
    months = proof_input.months_of(state)
    other = None
    if compared:
        second = read_card(compared[0], card.pillars)
        other = _other(second, proof_input.months_of(state, second))
    found = _of_months(state, months, card, given)
    return replace(found, other=other, notes=(*found.notes, *_other_cards(months, card)))


def of_state_scored(state: State, given: GivenOutcomes, file: Path | None) -> ProofTables:
    """The same, all months scored with one scorecard: that of a file, else of the latest month."""
    from accountpulse.pipeline import proof_input

    last = _last_card(state)
    card = last if file is None else read_card(file, last.pillars)
    return _of_months(state, proof_input.months_of(state, card), card, given)


def _of_months(state: State, months: pl.DataFrame, card: Scorecard, given: GivenOutcomes) -> ProofTables:
    from accountpulse.cli.outcomes import read_outcomes
    from accountpulse.core.outcomes import first_answers
    from accountpulse.pipeline import proof_input

    grace_days = given.rules.grace_days
    outcomes, notes = proof_input.outcomes_of(state, months, given.rules), list(dict.fromkeys(state.files.notes))
    if given.file is not None:
        read_now = read_outcomes(given.file, given.now.date())
        outcomes = first_answers([read_now.rows, outcomes], grace_days)
        notes += read_now.notes
    known_until = _read_on(months, outcomes, given.now) - timedelta(days=grace_days)
    if given.file is not None:
        known_until = max(known_until, _last_day(months, read_now.rows, given.now))
    return ProofTables(months, outcomes, card, None, known_until, "what runs kept", tuple(notes), grace_days)


def _last_card(state: State) -> Scorecard:
    """The scorecard of the latest month."""
    from accountpulse.pipeline import proof_input

    named = proof_input.latest_scorecard(state)
    if named is None:
        raise ConfigurationError("state", ["it holds no month that was run as a whole: run one first"])
    content_hash = named.rsplit(" ", 1)[-1]
    content = state.history.load_scorecard(content_hash)
    if content is None:
        raise ConfigurationError("state", [f"it has lost the scorecard {content_hash} of its latest month"])
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


def months_asked(first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """The months of --from and --to as YYYY-MM; a UsageError where one is no month, or the first after the last."""
    start, end = (
        None if text is None else parse_period(text, what=option).name
        for text, option in ((first, "--from"), (last, "--to"))
    )
    if start is not None and end is not None and start > end:
        raise UsageError(f"--from {start} is after --to {end}")
    return start, end


def day_of(text: str | None, option: str) -> date | None:
    """A day as YYYY-MM-DD; anything else is a UsageError."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a day of the form YYYY-MM-DD, such as 2026-10-31") from None

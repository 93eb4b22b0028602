"""`accountpulse calibrate`: from the risk index to a probability, as far as the departures bear it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from accountpulse.cli import summary
from accountpulse.cli.files import check_apart, write
from accountpulse.cli.proof_tables import GivenOutcomes, ProofTables, check_extra, known_by, of_state_scored, of_table
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.records import Rules
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline.calibrations import read_calibration
from accountpulse.proof.labels import LabelRules
from accountpulse.scoring.calibration import FILE, Calibration, from_document, why_unused
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.training import Training


@dataclass(frozen=True)
class TrainingRequest:
    """What is learned from: a table of metrics, or the state. None: not given."""

    source: Path | State
    outcomes: Path | None
    scorecard: Path | None
    horizon: int | None
    first: str | None
    last: str | None
    known_until: date | None
    rules: Rules  # what is one event, where outcomes come from the state
    cross_section: bool = False  # one row an account


def calibrate(
    asked: TrainingRequest, place: Path | State, now: datetime, *, dry_run: bool, as_json: bool = False
) -> int:
    """Fit a calibration, show how good it is, and keep it in a file or the state; 4 where none can be offered."""
    check_extra("calibrate")
    from accountpulse.cli import calibration_summary
    from accountpulse.proof import training

    if isinstance(place, Path):
        check_apart(
            [place], [asked.outcomes, asked.scorecard, asked.source if isinstance(asked.source, Path) else None]
        )
        _check_replaceable(place)
    tables, learned = learn(asked, now)
    horizon, own = learned.rules.labels.horizon_days, tables.card.file.horizon_days
    if horizon != own and not dry_run:
        raise UsageError(
            f"--horizon {horizon}: a calibration counts only for the horizon_days of its scorecard ({own}). Change it "
            "there, or add --dry-run to see the figures alone"
        )
    found = training.calibrate(learned, _outcome(tables, learned), now.date())
    console = summary.tables()
    expired = found is not None and found.expires_on <= now.date()
    if not as_json:
        calibration_summary.show(learned, found, tables, console, expired=expired)
    if found is None or (expired and isinstance(place, State)):
        code, done = 4, _what_stays(place, tables.card, now.date())
    else:
        code, done = 0, _kept(found, place, dry_run=dry_run)
    if as_json:
        _print_json(found, calibration_summary.refusals(learned), done, offered=code == 0)
    else:
        console.print(done, markup=False)
    return code


def _print_json(found: Calibration | None, refusals: Sequence[str], done: str, *, offered: bool) -> None:
    """What was fitted, if anything; why there is no probability for each customer; what was written, in words."""
    facts = {"offered": offered, "calibration": msgspec.to_builtins(found), "refusals": list(refusals), "written": done}
    write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])


def learn(asked: TrainingRequest, now: datetime) -> tuple[ProofTables, "Training"]:
    """The months and outcomes that were asked for, and what can be learned from them."""
    from accountpulse.proof.training import TrainingRules, training_rows

    if isinstance(asked.source, State):
        reading = GivenOutcomes(asked.outcomes, asked.rules, now)
        tables = of_state_scored(asked.source, reading, asked.scorecard)
    else:
        cards = () if asked.scorecard is None else (asked.scorecard,)
        tables = of_table(asked.source, asked.outcomes, cards, now)
    labels = LabelRules(asked.horizon or tables.card.file.horizon_days, grace_days=tables.grace_days)
    known_until = known_by(asked.known_until, tables, now)
    rules = TrainingRules(labels, known_until, asked.first, asked.last, asked.cross_section)
    return tables, training_rows(tables.months, tables.outcomes, tables.card, rules)


def _check_replaceable(out: Path) -> None:
    """A UsageError where the file is there and is no calibration: another file under this name is not lost."""
    if not out.exists():
        return
    try:
        read_calibration(out)
    except ConfigurationError:
        raise UsageError(f"--out {out}: this file is there already and is no calibration; name another") from None


def _outcome(tables: ProofTables, learned: "Training") -> str:
    """What counted as leaving, in words."""
    lost = tables.outcomes.filter(tables.outcomes["kind"] == "lost")
    origins = ", ".join(
        f"{origin} {count:,}" for origin, count in lost.group_by("origin").len().sort("origin").iter_rows()
    )
    where = "; tried on other customers, not in later months" if learned.rules.cross_section else ""
    return (
        f"left (lost) within {learned.rules.labels.horizon_days} days after as_of; outcomes by origin: {origins}{where}"
    )


def _kept(found: Calibration, place: Path | State, *, dry_run: bool) -> str:
    """Write the file; where it lies."""
    if dry_run:
        return "Dry run: nothing was written."
    if not isinstance(place, State):
        write(place, found.to_document().encode())
        return f"Calibration: {place}"
    before = place.calibration()
    place.save_calibration(found.to_document())
    again = ", in place of the one before" if before is not None else ""
    return f"Calibration: {FILE} in the state{again}"


def _what_stays(place: Path | State, card: Scorecard, today: date) -> str:
    """What becomes of a calibration that is there already."""
    text = place.calibration() if isinstance(place, State) else None
    if text is None:
        return "Nothing was written: scores keep the risk index, without a probability."
    begin = f"Nothing was written. The {FILE} that is in the state stays"
    try:
        before = from_document(text)
    except ConfigurationError as error:
        return f"{begin}, but can't be used ({'; '.join(error.problems)}): delete it."
    why = why_unused(before, card, today)
    if why is not None:
        return f"{begin}, but doesn't count: {why.partition(':')[0]}."
    return f"{begin} and counts until {before.expires_on}. To do without a probability until then, delete it."

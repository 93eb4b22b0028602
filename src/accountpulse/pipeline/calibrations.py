"""Which calibration counts for scores, the named one or the state's, and in words why none does."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from accountpulse.core.errors import AccountpulseError, ConfigurationError
from accountpulse.core.given_files import MOST_YAML, Unreadable, read_text
from accountpulse.scoring.calibration import FILE, Calibration, calibrated, from_document, why_unused
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.state import State

INDEX_ALONE = "no probability beside the risk index"


@dataclass(frozen=True)
class CalibrationChoice:
    """The calibration that counts, if any; `notes` say why one that is there doesn't."""

    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()

    def applied(self, scores: pl.DataFrame) -> pl.DataFrame:
        """The scores, with the probability and its bounds where a calibration counts."""
        return calibrated(scores, self.calibration)


def read_calibration(file: Path) -> Calibration:
    """The calibration in a file that was named; a ConfigurationError where it can't be used."""
    try:
        return from_document(read_text(file, MOST_YAML), file.name)
    except Unreadable as error:
        raise ConfigurationError("calibration", [f"{file} can't be read ({error})"]) from None


def choose(named: Calibration | None, state: State | None, card: Scorecard, as_of_day: date) -> CalibrationChoice:
    """The named calibration, else the state's, where it counts for scores of this card as of this day."""
    try:
        found = named or (None if state is None else _stored(state))
    except ConfigurationError as error:
        return _refused("; ".join(error.problems))
    except AccountpulseError as error:
        return _refused(str(error))
    if found is None:
        return CalibrationChoice()
    why = why_unused(found, card, as_of_day)
    return CalibrationChoice(found) if why is None else _refused(why)


def expires_within(calibration: Calibration) -> str:
    """What is said of rows that are dated after it expired, where others are not."""
    return f"{INDEX_ALONE} in rows as of {calibration.expires_on} or later: {FILE}: it expired then"


def _refused(why: str) -> CalibrationChoice:
    return CalibrationChoice(notes=(f"{INDEX_ALONE}: {FILE}: {' '.join(why.split())}",))


def _stored(state: State) -> Calibration | None:
    text = state.calibration()
    return None if text is None else from_document(text)

"""What there is to judge by: the departures, months and figures that decide what may be said."""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from accountpulse.core.outcomes import LOST
from accountpulse.proof.arr_later import ACCOUNT
from accountpulse.proof.document import PartAlone
from accountpulse.proof.fit import fit, out_of_accounts, out_of_time
from accountpulse.proof.gates import LEAK_AUC, RANKING_EVENTS, Evidence
from accountpulse.proof.label_report import LabelReport
from accountpulse.proof.labels import LOST_ON, LabelRules
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.proof.ranking import auc
from accountpulse.proof.samples import arrays
from accountpulse.scoring.columns import AS_OF, RISK, RISK_Z
from accountpulse.scoring.model import NOT_RATED

DAYS_A_MONTH = 30.4375
MOST_ROWS = 250_000  # of account-months that single metrics and lines are judged by; more would change no digit shown


def events_of(rows: pl.DataFrame) -> int:
    """Distinct accounts that left in a row with a churn risk."""
    return int(rows.select(pl.col(ACCOUNT).filter(pl.col(LOST) & pl.col(RISK).is_not_null()).n_unique()).item())


def thinned(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a label, of every second day, third day, … where there are more than MOST_ROWS of them.

    The rows of an account tell nearly the same from month to month, so that little is lost; the accounts all stay.
    """
    labelled = rows[LOST].is_not_null()
    step = -(-int(labelled.sum()) // MOST_ROWS)
    if step <= 1:
        return rows if labelled.all() else rows.filter(labelled)
    return rows.filter(labelled & ((rows[AS_OF].rank("dense") - 1) % step == 0))


def evidence_of(
    rows: pl.DataFrame,
    report: LabelReport,
    parts: tuple[PartAlone, ...],
    skill: ProbabilityQuality | None,
    rules: LabelRules,
) -> Evidence:
    """Of the labelled `rows` of one sample, with what its parts alone and a fit out of time came to."""
    labelled = rows.select(ACCOUNT, AS_OF, LOST, LOST_ON, RISK, RISK_Z).filter(pl.col(LOST).is_not_null())
    events = events_of(rows)
    line = fit(*arrays(thinned(labelled).drop_nulls(RISK_Z), RISK_Z)) if events >= RANKING_EVENTS else None
    left_on = labelled.filter(LOST)[LOST_ON]
    suspects = [part for part in parts if part.kind == "metric" and part.auc and _apart(part.auc.value) > LEAK_AUC]
    return Evidence(
        events=events,
        horizon_days=rules.horizon_days,
        stayed=labelled.filter(pl.col(RISK).is_not_null())[ACCOUNT].n_unique() - events,
        months=months_in(labelled),
        quarters=left_on.to_frame().select(pl.format("{}-{}", left_on.dt.year(), left_on.dt.quarter())).n_unique(),
        auc=auc(*arrays(labelled.drop_nulls(RISK), RISK)) if events >= RANKING_EVENTS else None,
        slope=None if line is None else line.slope,
        skill=None if skill is None else skill.skill,
        unscored=report.without_month + report.without_score,
        suspects=tuple(part.label for part in sorted(suspects, key=lambda part: -_apart(part.auc.value))),  # type: ignore[union-attr]
    )


def left_aside(rows: pl.DataFrame, rules: LabelRules, known_until: date) -> tuple[str, ...]:
    """In words, how many left within the horizon of a month of theirs and are not among `events_of`, and why not."""
    end = pl.col(AS_OF) + pl.duration(days=rules.horizon_days)
    near = rows.select(ACCOUNT, LOST, RISK, LOST_ON, end=end)
    near = near.filter((pl.col(LOST_ON) <= known_until) & (pl.col(LOST_ON) <= pl.col("end")))
    counted = near.filter(pl.col(LOST) & pl.col(RISK).is_not_null())
    rest = near.join(counted, on=ACCOUNT, how="anti")
    still_open = rest.filter(pl.col(RISK).is_not_null() & (pl.col("end") > known_until))
    unrated = rest.join(rest.filter(pl.col(RISK).is_not_null()), on=ACCOUNT, how="anti")
    told = []
    if still_open.height:
        first: date = still_open["end"].min()  # type: ignore[assignment]
        told.append(
            f"{still_open[ACCOUNT].n_unique():,} more left, but the {rules.horizon_days} days after the month that was "
            f"scored run past {known_until}, the last day that is known about. The first of them counts from "
            f"{first} on, or sooner with a later --known-until, where outcomes are known for longer."
        )
    if unrated.height:
        told.append(f"{unrated[ACCOUNT].n_unique():,} more left, but had no churn risk in these months ({NOT_RATED}).")
    return tuple(told)


def foretold(rows: pl.DataFrame, rules: LabelRules) -> ProbabilityQuality | None:
    """How true probabilities would be in the later months, fitted on the earlier ones alone; None: can't be told."""
    known = _of_both_kinds(rows)
    return None if known is None else out_of_time(*arrays(known, RISK_Z), month_numbers(known), horizon_months(rules))


def foretold_others(rows: pl.DataFrame) -> ProbabilityQuality | None:
    """How true probabilities would be for other accounts of the same time; None: can't be told."""
    known = _of_both_kinds(rows)
    return None if known is None else out_of_accounts(*arrays(known, RISK_Z))


def _of_both_kinds(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The rows that a line can be fitted on; None where all of them left, or none."""
    known = thinned(rows.select(ACCOUNT, AS_OF, LOST, RISK_Z)).drop_nulls()
    return known if known[LOST].n_unique() == 2 else None


def months_in(rows: pl.DataFrame) -> int:
    """How many different months the rows are of."""
    return int(np.unique(month_numbers(rows)).size)


def month_numbers(rows: pl.DataFrame) -> NDArray[np.int64]:
    """The month of each row's `as_of`, counted."""
    number = pl.col(AS_OF).dt.year().cast(pl.Int64) * 12 + pl.col(AS_OF).dt.month()
    return rows.select(number).to_series().to_numpy().astype(np.int64)


def horizon_months(rules: LabelRules) -> int:
    """The horizon in months, rounded up."""
    return int(np.ceil(rules.horizon_days / DAYS_A_MONTH))


def _apart(value: float) -> float:
    """How well something ranks, in whichever direction."""
    return max(value, 1 - value)

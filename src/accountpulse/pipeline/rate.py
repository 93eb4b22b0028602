"""Measured accounts → scores with reasons: what earlier periods and failed sources mean for this one."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.core.errors import UsageError
from accountpulse.core.ids import to_18
from accountpulse.core.records import Problem
from accountpulse.pipeline.calibrations import choose
from accountpulse.pipeline.conservation import same_accounts
from accountpulse.pipeline.earlier_runs import Basis, metrics_table, score_inputs, score_whole, tables_before
from accountpulse.pipeline.measure import Measured
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.run import Run
from accountpulse.pipeline.unmapped import unfed_note
from accountpulse.scoring import explain
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.columns import DRIVERS_TEXT, NOT_RATED_REASON
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.segments import unmatched_segments
from accountpulse.systems import CRM, TITLES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rated:
    """The scores of the chosen accounts: one row each, with its metrics, attributes and `drivers_text` beside them.

    Where a calibration counts, they have the probability too. `metrics` are those accounts as measured; `table` is what
    their scores are made of, as `accountpulse score` takes it. `problems` are the accounts that were left out; `notes`
    are lines for the reader.
    """

    scores: pl.DataFrame
    metrics: pl.DataFrame
    table: pl.DataFrame
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def rate_accounts(run: Run, reading: Reading, measured: Measured, named: Calibration | None = None) -> Rated:
    """Score them; `named` is the calibration that was asked for in place of the state's.

    An account that a fault of ours keeps from its reasons costs no other its score.
    """
    chosen, metrics = _chosen(run, measured), measured.metrics
    if chosen is not None:
        metrics = metrics.filter(pl.col("account_id").is_in(chosen))
    waived = run.settings.rules.signals_waived
    basis = Basis(run.scope.period, run.card, run.scope.window.days, reading.unread, signals_waived=waived)
    chosen_calibration = choose(named, run.state, run.card, run.scope.as_of_day)
    inputs = score_inputs(metrics, tables_before(run.state, run.scope.snapshot), basis)
    scores = chosen_calibration.applied(score_whole(inputs, basis))
    same_accounts(metrics["account_id"], scores["account_id"], "scores")
    scores = beside(scores, metrics)
    reasons = None if chosen is not None or reading.unread else scores[NOT_RATED_REASON]
    drivers, faults = _drivers_of_all(scores, run.card, run.scope.as_of_day)
    scores = scores.with_columns(pl.Series(DRIVERS_TEXT, drivers, dtype=pl.String))
    if faults:
        scores = scores.filter(~pl.col("account_id").is_in([fault.account_id for fault in faults]))
    problems = (*(each for each in measured.problems if chosen is None or each.account_id in chosen), *faults)
    return Rated(
        scores,
        metrics,
        metrics_table(inputs, basis),
        problems,
        (*chosen_calibration.notes, *_of_scorecard(run, measured.metrics, reasons)),
    )


def _of_scorecard(run: Run, metrics: pl.DataFrame, reasons: pl.Series | None) -> Iterator[str]:
    """What of the scorecard fits no account, or is fed by nothing; said of all accounts, whichever were chosen.

    `reasons`: why each of them has no rating; None: only some were chosen, or a source failed.
    """
    yield from unmatched_segments(run.card, metrics)
    if (unfed := unfed_note(metrics, run.card, run.settings, now=reasons)) is not None:
        yield f"scorecard: {unfed}"


def _drivers_of_all(scores: pl.DataFrame, card: Scorecard, as_of_day: date) -> tuple[list[str | None], list[Problem]]:
    """Each account's reasons in words, and the accounts that no reasons could be given for."""
    drivers: list[str | None] = []
    faults = []
    for row in explain.read_columns(scores, card).iter_rows(named=True):
        try:
            drivers.append("; ".join(explain.sentences(row, card, as_of_day)))
        except Exception as error:  # noqa: BLE001
            account = str(row["account_id"])
            _LOG.exception("account %s could not be scored", account)
            faults.append(Problem(account, "score", f"a fault of accountpulse itself: {type(error).__name__}"))
            drivers.append(None)
    return drivers, faults


def _chosen(run: Run, measured: Measured) -> set[str] | None:
    if not run.request.accounts:
        return None
    chosen = {to_18(account) for account in run.request.accounts}
    known = set(measured.metrics["account_id"]) | {problem.account_id for problem in measured.problems}
    if unknown := sorted(chosen - known):
        raise UsageError(f"--account: {', '.join(unknown)} is not among the customers in {TITLES[CRM]}")
    return chosen

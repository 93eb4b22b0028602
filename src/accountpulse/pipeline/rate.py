"""Measured accounts → scores with reasons: what earlier periods and failed sources mean for this one."""

import logging
from dataclasses import replace
from datetime import date

import polars as pl

from accountpulse.accounts import Linked
from accountpulse.core.errors import UsageError
from accountpulse.core.ids import to_18
from accountpulse.core.records import Problem
from accountpulse.pipeline.earlier_runs import Basis, score_period
from accountpulse.pipeline.result import Options, Outcome
from accountpulse.scoring import explain
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State

_LOG = logging.getLogger(__name__)


def rate(  # noqa: PLR0917
    settings: Settings,
    options: Options,
    card: Scorecard,
    state: State,
    linked: Linked,
    measured: pl.DataFrame,
    outcome: Outcome,
) -> Outcome:
    """The outcome with its scores: one row an account, the account's attributes and drivers in words beside them."""
    chosen = _chosen(options, linked)
    if chosen is not None:
        measured = measured.filter(pl.col("account_id").is_in(chosen))
    scope, waived = outcome.scope, settings.mapping.signals is None
    basis = Basis(scope.period, card, scope.window.days, outcome.failed, signals_waived=waived)
    scores = score_period(measured, state, basis)
    scores = scores.join(measured, on="account_id", how="left", maintain_order="left")
    words, faults = _words_of_all(scores, card, outcome.scope.as_of_day)
    scores = scores.with_columns(pl.Series("drivers_text", words, dtype=pl.String))
    if faults:
        scores = scores.filter(~pl.col("account_id").is_in([fault.account_id for fault in faults]))
    problems = (*(p for p in linked.problems if chosen is None or p.account_id in chosen), *faults)
    return replace(outcome, metrics=measured, scores=scores, problems=problems, unlinked=linked.unlinked)


def _words_of_all(scores: pl.DataFrame, card: Scorecard, as_of_day: date) -> tuple[list[str | None], list[Problem]]:
    """Each account's reasons, and the accounts that no reasons could be given for: a fault of ours costs no other."""
    words: list[str | None] = []
    faults = []
    for row in scores.iter_rows(named=True):
        try:
            words.append(_words(row, card, as_of_day))
        except Exception as error:  # noqa: BLE001
            account = str(row["account_id"])
            _LOG.exception("account %s could not be scored", account)
            faults.append(Problem(account, "score", f"a fault of accountpulse itself: {type(error).__name__}"))
            words.append(None)
    return words, faults


def _words(row: dict[str, object], card: Scorecard, as_of_day: date) -> str:
    return "; ".join(explain.sentences(row, card, as_of_day))


def _chosen(options: Options, linked: Linked) -> set[str] | None:
    if not options.accounts:
        return None
    chosen = {to_18(account) for account in options.accounts}
    known = set(linked.accounts["account_id"]) | {problem.account_id for problem in linked.problems}
    if unknown := sorted(chosen - known):
        raise UsageError(f"--account: {', '.join(unknown)} is not among the customers in Salesforce")
    return chosen

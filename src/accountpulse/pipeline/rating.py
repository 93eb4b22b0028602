"""Measured accounts → scores with reasons: what earlier periods and failed sources mean for this one."""

from dataclasses import replace

import polars as pl

from accountpulse.accounts import Linked, to_18
from accountpulse.errors import UsageError
from accountpulse.period import Period
from accountpulse.pipeline.outcome import Options, Outcome
from accountpulse.records import catalogue
from accountpulse.scoring import explain
from accountpulse.scoring.score import score
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State

TREND_MONTHS = 3  # how far the churn risk's trend looks back
LAST_TIER_MONTHS = 12  # how far back a last tier is looked for, where a source failed


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
    period = outcome.scope.period
    window = outcome.scope.window.days
    waived = settings.mapping.signals is None
    inputs = _with_trend(measured, state, period, card, window)
    if outcome.failed:
        inputs = _with_last_tier(inputs, state, period)
    scores = score(
        inputs.lazy(), card, window_days=window, failed_sources=outcome.failed, signals_waived=waived, detail=True
    ).collect()
    scores = scores.join(measured, on="account_id", how="left", maintain_order="left")
    words = [_words(row, card, settings) for row in scores.iter_rows(named=True)]
    scores = scores.with_columns(pl.Series("drivers_text", words, dtype=pl.String))
    problems = tuple(p for p in linked.problems if chosen is None or p.account_id in chosen)
    return replace(outcome, metrics=measured, scores=scores, problems=problems, unlinked=linked.unlinked)


def _words(row: dict[str, object], card: Scorecard, settings: Settings) -> str:
    return "; ".join(explain.sentences(row, card, catalogue(settings.rules.pillars)))


def _chosen(options: Options, linked: Linked) -> set[str] | None:
    if not options.accounts:
        return None
    chosen = {to_18(account) for account in options.accounts}
    known = set(linked.accounts["account_id"]) | {problem.account_id for problem in linked.problems}
    if unknown := sorted(chosen - known):
        raise UsageError(f"--account: {', '.join(unknown)} is not among the customers in Salesforce")
    return chosen


def _with_trend(measured: pl.DataFrame, state: State, period: Period, card: Scorecard, window: float) -> pl.DataFrame:
    """Adds uncapped health three months before: that month's stored metrics, scored with today's file."""
    before = state.history.load(period.shifted(-TREND_MONTHS), "metrics")
    if before is None:
        return measured
    then = score(before.lazy(), card, window_days=window).collect()
    rated = then.filter(pl.col("tier") != "Not Rated").select("account_id", health_before_caps_3m="health_before_caps")
    return measured.join(rated, on="account_id", how="left", maintain_order="left")


def _with_last_tier(measured: pl.DataFrame, state: State, period: Period) -> pl.DataFrame:
    """Adds each account's tier of the last run that rated this month or one of the months before."""
    for months in range(LAST_TIER_MONTHS + 1):
        scores = state.history.load(period.shifted(-months), "scores")
        if scores is not None:
            last = scores.select("account_id", last_tier="tier")
            return measured.join(last, on="account_id", how="left", maintain_order="left")
    return measured.with_columns(last_tier=pl.lit(None, dtype=pl.String))

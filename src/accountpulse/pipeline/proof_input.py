"""What the proof needs of the state: every month as it was then, and what became of the accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.core.period import Period, parse_period
from accountpulse.core.records import RECONSTRUCTED, Columns, Rules
from accountpulse.pipeline.earlier_runs import LOOK_BACK_MONTHS, Basis, score_months
from accountpulse.pipeline.first_measurement import (
    MEASURED_AT,
    MEASURED_TYPE,
    SIGNALS_WAIVED,
    WINDOW_DAYS,
)
from accountpulse.proof import outcomes as proof_outcomes
from accountpulse.scoring import columns, scorecard
from accountpulse.scoring.columns import SCORE_WORD
from accountpulse.scoring.disagreement import score_word
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.state import State
from accountpulse.state.history import FirstMonth

STAMPS: Columns = {columns.AS_OF: pl.Date, MEASURED_AT: MEASURED_TYPE, RECONSTRUCTED: pl.Boolean}
AT_ONCE = LOOK_BACK_MONTHS + 2  # months in memory: a score looks back a year
ABOUT = (
    "account_name", "segment", "customer_tier", "seats", "arr", columns.RENEWAL, columns.PULSE, columns.PULSE_STATE,
)  # fmt: skip
SCORED = (
    columns.HEALTH, columns.BEFORE_CAPS, columns.RISK, columns.TIER, columns.COVERAGE, columns.RISK_Z,
    columns.PROBABILITY, columns.CAP_REASON, columns.DRIVERS_TEXT, columns.SCORECARD,
)  # fmt: skip
EARLIER_VERSION = (
    "history: {months} were measured by an earlier version, which did not keep what was known first: they count as "
    "reconstructed"
)


@dataclass(frozen=True)
class MonthThen:
    """A month as it was first known; `kept`: by a run that kept what was known first."""

    period: Period
    first: FirstMonth
    kept: bool


class HistoryThen:
    """The months of a state, each as it was first known."""

    def __init__(self, state: State) -> None:
        """Nothing is read here; some months stay in memory."""
        self.month = lru_cache(maxsize=AT_ONCE)(lambda name: _month(state, name))

    def load(self, period: Period, kind: Literal["metrics", "scores"]) -> pl.DataFrame | None:
        """A month's table; None where there is none."""
        month = self.month(period.name)
        if month is None:
            return None
        return month.first.metrics if kind == "metrics" else month.first.scores


def months_of(state: State, card: Scorecard | None = None) -> pl.DataFrame:
    """Every month as it was first measured as a whole: one row an account and month, by month and account.

    `account_id` (18 characters; what was merged into another account, under that one's id, unless it has a row of its
    own), `as_of` (the day after the last one measured), `measured_at`, `reconstructed` (measured more than 10 days
    after the month, or by a version that did not keep what was known first), `account_name`, `segment`,
    `customer_tier`, `seats`, `arr`, `days_to_renewal`, `pulse_colour` and `pulse_state` as they were then, every
    metric, and of the scores `health_score`, `health_before_caps`, `churn_risk_score`, `tier`, `coverage`, `risk_z`,
    `churn_probability` (as it was said then), `cap_reason`, `drivers_text`, `scorecard`, each
    `<metric>_points` and `<dimension>_score`.
    `score_word` is the score in a word, by the month's own scorecard (`scoring/disagreement.py`).
    A column that a month doesn't have is null there.

    `card`: scored with it in place of the scores that were kept, with the trend of that time. What the reader should
    know is among the state's notes.
    """
    then, older, measured = HistoryThen(state), [], dict[Period, pl.DataFrame]()
    tables = [pl.DataFrame(schema={"account_id": pl.String, **STAMPS, "arr": pl.Float64, "segment": pl.String})]
    for name in _names(state):
        month = then.month(name)
        if month is None or month.first.metrics.is_empty():
            continue
        older += [] if month.kept else [name]
        if card is None:
            rows = _rows(month.period, month.first.metrics, month.first.scores)
            tables.append(_with_score_word(state, rows))
        else:
            measured[month.period] = month.first.metrics
    if card is not None:
        tables += _rescored(measured, then, card)
    if older:
        state.files.notes.append(EARLIER_VERSION.format(months=", ".join(older)))
    return _by_survivor(pl.concat(tables, how="diagonal_relaxed"), state.outcomes.survivors())


def latest_scorecard(state: State) -> str | None:
    """Name and hash of the scorecard that the latest month was scored with; None where there is no month."""
    for name in reversed(_names(state)):
        month = _month(state, name)
        scores = None if month is None else month.first.scores
        if scores is not None and columns.SCORECARD in scores.columns and scores[columns.SCORECARD].count():
            return str(scores[columns.SCORECARD].drop_nulls()[-1])
    return None


def outcomes_of(state: State, months: pl.DataFrame | None = None, rules: Rules | None = None) -> pl.DataFrame:
    """What became of the accounts, as OUTCOMES, from all origins, merged accounts under the survivor's id.

    `months` as `months_of` gives them, which are read where they aren't given. `rules` say what a contraction is and
    what is one event.
    """
    rules = rules or Rules()
    months = months_of(state) if months is None else months
    survivors = state.outcomes.survivors()
    table, said = (_renamed(each, survivors) for each in (state.outcomes.imported(), state.outcomes.said()))
    own = proof_outcomes.of_months(months, rules.contraction_pct, rules.grace_days)
    said = proof_outcomes.without_overtaken(said, rules.grace_days)
    said = proof_outcomes.settled(said, months, rules.grace_days)
    every = proof_outcomes.united(table, said, own, rules.grace_days)
    return proof_outcomes.with_doubts(every, months, rules.grace_days)


def _names(state: State) -> list[str]:
    return sorted({*state.history.first_periods(), *state.history.periods()})


def _month(state: State, name: str) -> MonthThen | None:
    """A month as it was first known; of an earlier version's, what its last finished run measured of the whole month.

    None where a source had failed then, the month wasn't over, or nothing says either.
    """
    period = parse_period(name)
    if (first := state.history.first(period)) is not None:
        return MonthThen(period, first, kept=True)
    facts = state.runs.last_finished(name)
    if facts is None or facts["failed"] or facts["as_of_day"] < period.shifted(1).first_day.isoformat():
        return None
    metrics, scores = state.history.load(period, "metrics"), state.history.load(period, "scores")
    if metrics is None or scores is None:
        return None
    stamps = {
        MEASURED_AT: pl.lit(datetime.fromisoformat(facts["begun_at"]).astimezone(UTC), MEASURED_TYPE),
        RECONSTRUCTED: pl.lit(value=True),
        WINDOW_DAYS: pl.lit(float(facts["window_days"])),
        SIGNALS_WAIVED: pl.lit(bool(facts["signals_waived"])),
    }
    return MonthThen(period, FirstMonth(metrics.with_columns(**stamps), scores.with_columns(**stamps)), kept=False)


def _rows(period: Period, metrics: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """A month's rows of `months_of`, from its scores with the metrics beside them."""
    stamped = scores.with_columns(pl.lit(period.shifted(1).first_day).alias(columns.AS_OF))
    numbers, texts = pl.selectors.numeric(), pl.selectors.by_dtype(pl.Enum, pl.Categorical)
    wanted = stamped.select("account_id", *STAMPS, *_wanted(scores, metrics))
    return wanted.with_columns(numbers.cast(pl.Float64), texts.cast(pl.String))


def _with_score_word(state: State, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with SCORE_WORD, by the scorecard that they were scored with; as they are where it was not kept."""
    kept = rows[columns.SCORECARD].drop_nulls() if columns.SCORECARD in rows.columns else None
    content = None if kept is None or kept.is_empty() else state.history.load_scorecard(kept[0].rsplit(" ", 1)[-1])
    return rows if content is None else rows.with_columns(score_word(scorecard.restored(content)).alias(SCORE_WORD))


def _rescored(measured: Mapping[Period, pl.DataFrame], then: HistoryThen, card: Scorecard) -> Iterator[pl.DataFrame]:
    """The months' metrics scored with another card, as their runs would have done it."""
    by_basis: dict[tuple[float, bool], dict[Period, pl.DataFrame]] = {}
    for period, metrics in measured.items():
        window_days, waived = (metrics[name][0] for name in (WINDOW_DAYS, SIGNALS_WAIVED))
        by_basis.setdefault((window_days, waived), {})[period] = metrics
    for (window_days, waived), group in by_basis.items():
        basis = Basis(next(iter(group)), card, window_days, (), signals_waived=waived)
        for period, scores in score_months(group, then, basis).items():
            metrics = group[period]
            yield _rows(period, metrics, beside(scores, metrics))


def _wanted(scores: pl.DataFrame, metrics: pl.DataFrame) -> list[str]:
    """The columns that stand in every month's rows, as far as this one has them."""
    measured = [name for name in metrics.columns if columns.reason_of(name) in metrics.columns]
    dimensions = [
        name for name in scores.columns if columns.lower_bound_of(name.removesuffix("_score")) in scores.columns
    ]
    points = [columns.points_of(name) for name in measured]
    wanted = dict.fromkeys((*ABOUT, *measured, *SCORED, *points, *dimensions))
    return [name for name in wanted if name in scores.columns and name not in STAMPS and name != "account_id"]


def _by_survivor(months: pl.DataFrame, survivors: Mapping[str, str]) -> pl.DataFrame:
    """One row an account and month: an account's own before that of one that was merged into it."""
    merged = pl.col("account_id").is_in([*survivors])
    ordered = months.with_columns(merged=merged).pipe(_renamed, survivors).sort(columns.AS_OF, "account_id", "merged")
    return ordered.unique(["account_id", columns.AS_OF], keep="first", maintain_order=True).drop("merged")


def _renamed(table: pl.DataFrame, survivors: Mapping[str, str]) -> pl.DataFrame:
    return table.with_columns(pl.col("account_id").replace(survivors))

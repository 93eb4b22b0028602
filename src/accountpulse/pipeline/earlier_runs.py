"""What earlier runs left behind, and what it means for a later score: the trend, the last tier, sight that was lost."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, partial
from typing import Any, Literal, Protocol

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.period import Period, name_of, parse_period, text_of
from accountpulse.core.records import UNSEEN
from accountpulse.pipeline.snapshot_history import KeptRun, TablesBefore, a_week_before, kept_runs, newest_first
from accountpulse.scoring import scorecard
from accountpulse.scoring.columns import (
    BEFORE_3M,
    BEFORE_CAPS,
    HEALTH,
    LAST_TIER,
    LOST_SIGHT,
    SCALE,
    SCORECARD,
    TIER,
    WAIVED,
    reason_of,
)
from accountpulse.scoring.inputs import ANCHOR_DAYS, needed
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.next_steps import with_health_before
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score
from accountpulse.state import State
from accountpulse.state.history import DetailKind, HistoryKind
from accountpulse.state.runs import Runs

TREND_MONTHS = 3  # how far the churn risk's trend looks back
LAST = "last"  # in place of a run's id
LOOK_BACK_MONTHS = 12  # how far back the run before is looked for


class EarlierTables(Protocol):
    """Where the tables of earlier months are: the state's history, or what was known of these months then."""

    def load(self, period: Period, kind: Literal["metrics", "scores"]) -> pl.DataFrame | None:
        """A month's table; None where there is none."""


def tables_before(state: State, snapshot: date | None) -> EarlierTables:
    """What lies before a month, or before a snapshot of this day."""
    return state.history if snapshot is None else TablesBefore(state, snapshot)


@dataclass(frozen=True)
class Basis:
    """What a period's metrics are scored on."""

    period: Period
    card: Scorecard
    window_days: float  # that support and bugs were measured over
    failed: tuple[str, ...]  # the configured sources that could not be read
    signals_waived: bool  # accounts are rated though nobody can see their signals


@dataclass(frozen=True)
class EarlierRun:
    """The last run of a month, a snapshot, or a dry run of either, as the state keeps it."""

    period: Period  # of a snapshot the month that its day lies in
    facts: Mapping[str, Any]
    metrics: pl.DataFrame
    scores: pl.DataFrame  # with the details of every leaf, and the metrics beside them
    kept: Mapping[str, Any]  # the content of the scorecard that it used
    detail: Callable[[DetailKind], pl.DataFrame | None]  # what it kept beside its numbers

    @cached_property
    def card(self) -> Scorecard:
        """The scorecard that it used."""
        return scorecard.restored(self.kept)

    @property
    def snapshot(self) -> date | None:
        """The day of a snapshot; None: it is a month's run."""
        day = self.facts.get("snapshot")
        return None if day is None else date.fromisoformat(day)

    @property
    def name(self) -> str:
        """The month as `YYYY-MM`, or the day of a snapshot as `YYYY-MM-DD`."""
        return name_of(self.period, self.snapshot)

    @property
    def text(self) -> str:
        """The same for people: `November 2026`, `22 November 2026`."""
        return text_of(self.period, self.snapshot)

    @property
    def window_days(self) -> float:
        """How many days support and bugs were measured over."""
        return float(self.facts["window_days"])

    @property
    def as_of_day(self) -> date:
        """The day after the last one that was measured, or that day where it was not over."""
        return date.fromisoformat(self.facts["as_of_day"])

    @property
    def last_day(self) -> date:
        """The last day of which anything was measured, one that was not over included."""
        return self.snapshot or min(self.as_of_day, self.period.shifted(1).first_day - timedelta(days=1))

    @property
    def failed(self) -> tuple[str, ...]:
        """The configured sources that could not be read."""
        return tuple(self.facts["failed"])

    @property
    def signals_waived(self) -> bool:
        """Whether accounts were rated though nobody could see their signals."""
        return bool(self.facts["signals_waived"])

    def basis(self, card: Scorecard) -> Basis:
        """What its metrics would have been scored on with another scorecard."""
        return Basis(self.period, card, self.window_days, self.failed, self.signals_waived)


def recall(state: State, period: Period) -> EarlierRun | None:
    """The last run of a period; None where there is none, or its scorecard was not kept."""
    return _recalled(state, period, state.runs.last_finished(period.name), partial(state.history.load, period))


def recall_day(state: State, day: date) -> EarlierRun | None:
    """The snapshot of a day; None where there is none, or its scorecard was not kept."""
    facts = state.snapshots.runs.last_finished(day.isoformat())
    return _recalled(state, Period(day.year, day.month), facts, partial(state.snapshots.load, day))


def _recalled(
    state: State, period: Period, facts: Mapping[str, Any] | None, load: Callable[[HistoryKind], pl.DataFrame | None]
) -> EarlierRun | None:
    metrics, scores = load("metrics"), load("scores")
    if facts is None or metrics is None or scores is None or scores.is_empty() or SCORECARD not in scores.columns:
        return None
    kept = state.history.load_scorecard(scores[SCORECARD][0].rsplit(" ", 1)[-1])
    if kept is None:
        return None
    return EarlierRun(period, facts, metrics, scores, kept, load)


def recall_run(state: State, run_id: str) -> EarlierRun:
    """The run of this id, a dry one or a real one, or the last of all (`last`).

    A ConfigurationError where the state holds none, or the numbers of a later run of that month in place of its own.
    """
    wanted = _last_id(state) if run_id == LAST else run_id
    if wanted is not None and (dry := state.dry_runs.load(wanted)) is not None:
        period = parse_period(str(dry.facts["period"]))
        return EarlierRun(
            period, dry.facts, dry.metrics, dry.scores, dry.scorecard, partial(state.dry_runs.detail, wanted)
        )
    facts = next((facts for runs in _runs(state) for facts in runs.all() if facts["run_id"] == wanted), None)
    found = None if facts is None else _recall_named(state, facts)
    if found is not None and found.facts["run_id"] == wanted:
        return found
    kept = state.dry_runs.ids()
    there = f"; dry runs are kept of {', '.join(kept)}" if kept else ""
    later = f" any more: it holds {found.facts['run_id']} of {found.name}" if found is not None else there
    problem = f"the state (ACCOUNTPULSE_STATE) does not hold the numbers of {wanted or 'any run'}{later}"
    raise ConfigurationError("state", [f"{problem}. `accountpulse history` lists the runs.", *state.files.notes])


def _last_id(state: State) -> str | None:
    """The run that began last, of the dry ones and of the last of each month and day: ids begin with their time."""
    months = (state.runs.last_finished(month) for month in state.history.periods())
    days = (state.snapshots.runs.last_finished(day) for day in state.snapshots.days())
    ids = [*state.dry_runs.ids(), *(str(facts["run_id"]) for facts in (*months, *days) if facts is not None)]
    return max(ids, default=None)


def recall_or_refuse(state: State, period: Period | None) -> EarlierRun:
    """The last run of a period, or of the latest period that has one; a ConfigurationError where there is none."""
    known = state.history.periods()
    if period is None and known:
        period = parse_period(known[-1])
    earlier = recall(state, period) if period is not None else None
    if earlier is None:
        wanted = f"a run of {period.name}" if period else "any run"
        there = f"there are runs of {', '.join(known[-12:])}" if known else "run `accountpulse run` first"
        if not known and state.dry_runs.ids():
            there = "there are dry runs alone: `report --run last` and `explain ACCOUNT --run last` show the last one"
        if not known and (days := state.snapshots.days()):
            there = f"there are snapshots alone: `report --as-of {days[-1]}` shows the last one"
        problem = f"the state folder (ACCOUNTPULSE_STATE) does not hold {wanted} with its scorecard; {there}"
        raise ConfigurationError("state", [problem, *state.files.notes])
    return earlier


def day_or_refuse(state: State, day: date) -> EarlierRun:
    """The snapshot of a day; a ConfigurationError where there is none."""
    found = recall_day(state, day)
    if found is None:
        known = state.snapshots.days()
        there = f"there are snapshots of {', '.join(known[-12:])}" if known else f"make it: `run --as-of {day}`"
        problem = f"the state folder (ACCOUNTPULSE_STATE) does not hold a snapshot of {day} with its scorecard; {there}"
        raise ConfigurationError("state", [problem, *state.files.notes])
    return found


def chosen(state: State, period: Period | None, run_id: str | None, day: date | None = None) -> EarlierRun:
    """The run of this id, the snapshot of this day, else the last run of the period or of all months.

    A UsageError where more than one is named.
    """
    if sum(each is not None for each in (period, run_id, day)) > 1:
        raise UsageError("give either --period YYYY-MM, --as-of DAY or --run ID")
    if day is not None:
        return day_or_refuse(state, day)
    return recall_or_refuse(state, period) if run_id is None else recall_run(state, run_id)


def run_before(state: State, period: Period) -> EarlierRun | None:
    """The latest earlier period with a run that read every source, up to a year back; else with any run."""
    return _whole_first(recall(state, period.shifted(-months)) for months in range(1, LOOK_BACK_MONTHS + 1))


def before(state: State, run: EarlierRun) -> EarlierRun | None:
    """What a run is compared with, always earlier: of a month the month before it that has a run, up to a year back.

    Of a snapshot the one of a week before (4 to 10 days), else the month that ends there, else the newest of all. One
    that lacks a source only where all others do: what it could not read would look as if it had come since.
    """
    if run.snapshot is None:
        return run_before(state, run.period)
    return _whole_first(_recall_kept(state, each) for each in a_week_before(kept_runs(state), run.snapshot))


def _whole_first(found: Iterable[EarlierRun | None]) -> EarlierRun | None:
    """The first that lacks no source, else the first."""
    first: EarlierRun | None = None
    for each in found:
        if each is not None and not each.failed:
            return each
        first = first or each
    return first


def latest(state: State, day: date | None = None) -> EarlierRun | None:
    """The newest run, of months and snapshots, also one that lacks a source; None: there is none.

    A snapshot up to a week older than a month stands before it (`newest_first`). `day`: none that measured a later day.
    """
    runs = [each for each in kept_runs(state) if day is None or each.until <= day]
    found = (_recall_kept(state, each) for each in newest_first(runs))
    return next((each for each in found if each is not None), None)


def _recall_kept(state: State, each: KeptRun) -> EarlierRun | None:
    return recall(state, each.period) if each.snapshot is None else recall_day(state, each.snapshot)


def _recall_named(state: State, facts: Mapping[str, Any]) -> EarlierRun | None:
    day = facts.get("snapshot")
    return recall(state, parse_period(facts["period"])) if day is None else recall_day(state, date.fromisoformat(day))


def _runs(state: State) -> tuple[Runs, Runs]:
    return state.runs, state.snapshots.runs


def rescored(earlier: EarlierRun, card: Scorecard, account_id: str | None = None) -> pl.DataFrame:
    """The metrics of an earlier run (of one account) scored with a card, in detail: no trend, nothing failed."""
    metrics = earlier.metrics if account_id is None else earlier.metrics.filter(pl.col("account_id") == account_id)
    waived = earlier.signals_waived
    return score(metrics.lazy(), card, window_days=earlier.window_days, signals_waived=waived, detail=True).collect()


def beside_health_before(run: EarlierRun, then: EarlierRun | None, account_id: str | None = None) -> pl.DataFrame:
    """A run's scores (of one account) as next steps read them: with health in the run before, by its scorecard.

    `then`: the run before, as `before` finds it.
    """
    scores = run.scores if account_id is None else run.scores.filter(pl.col("account_id") == account_id)
    if then is None:
        return with_health_before(scores, None)
    same_card = then.card.hash == run.card.hash
    return with_health_before(scores, then.scores if same_card else rescored(then, run.card, account_id))


def health_before(state: State, period: Period, card: Scorecard) -> pl.DataFrame | None:
    """Health and tier of each account in the latest earlier month that read every source, by this scorecard.

    Up to a year back; None where there is none. One that was made by another scorecard is scored with this one.
    """
    for months in range(1, LOOK_BACK_MONTHS + 1):
        month = period.shifted(-months)
        facts = state.runs.last_finished(month.name)
        if facts is None or facts["failed"]:
            continue
        scores = state.history.load(month, "scores", ("account_id", HEALTH, TIER, SCORECARD))
        if scores is None or scores.is_empty():
            continue
        if scores[SCORECARD][0].rsplit(" ", 1)[-1] == card.hash:
            return scores.drop(SCORECARD)
        earlier = recall(state, month)
        return None if earlier is None else rescored(earlier, card).select("account_id", HEALTH, TIER)
    return None


def rescored_whole(earlier: EarlierRun, state: State, card: Scorecard, *, detail: bool = False) -> pl.DataFrame:
    """An earlier period's scores as its run would have made them with another scorecard."""
    basis = earlier.basis(card)
    history = tables_before(state, earlier.snapshot)
    return _scored(score_inputs(earlier.metrics, history, basis), basis, detail=detail)


def score_period(measured: pl.DataFrame, history: EarlierTables, basis: Basis) -> pl.DataFrame:
    """The scores of a period's metrics, in detail, with what earlier periods say of trend and last tier.

    Health before caps of three months before stands beside them, as `health_before_caps_3m`.
    """
    return score_whole(score_inputs(measured, history, basis), basis)


def score_whole(inputs: pl.DataFrame, basis: Basis) -> pl.DataFrame:
    """The same of `score_inputs`."""
    return _beside(_scored(inputs, basis, detail=True), inputs)


def _beside(scores: pl.DataFrame, inputs: pl.DataFrame) -> pl.DataFrame:
    """The scores with health of three months before beside them."""
    return beside(scores, inputs.select("account_id", BEFORE_3M))


def metrics_table(inputs: pl.DataFrame, basis: Basis) -> pl.DataFrame:
    """What scores are made of as `accountpulse score --metrics` takes it, for the same scores; of `score_inputs`.

    Where they aren't the usual ones, the settings that the scores rest on stand beside the metrics. What a source that
    failed means for the tiers is no part of it.
    """
    if basis.window_days != ANCHOR_DAYS:
        inputs = inputs.with_columns(pl.lit(ANCHOR_DAYS / basis.window_days).alias(SCALE))
    return inputs.with_columns(pl.lit(1.0).alias(WAIVED)) if basis.signals_waived else inputs


def score_months(
    measured: Mapping[Period, pl.DataFrame], history: EarlierTables, basis: Basis
) -> dict[Period, pl.DataFrame]:
    """As `score_period` for each of these months, on one basis (its own period is of no account), in two passes."""
    earlier = {period.shifted(-TREND_MONTHS): None for period in measured}
    there = {period: found for period in earlier if (found := history.load(period, "metrics")) is not None}
    then = _scored_together(there, replace(basis, failed=()), detail=False)
    inputs = {
        period: _with_sight(
            _with_before(table, then.get(period.shifted(-TREND_MONTHS))), history, replace(basis, period=period)
        )
        for period, table in measured.items()
    }
    scores = _scored_together(inputs, basis, detail=True)
    return {period: _beside(scores[period], inputs[period]) for period in measured}


def _scored_together(
    inputs: Mapping[Period, pl.DataFrame], basis: Basis, *, detail: bool
) -> dict[Period, pl.DataFrame]:
    """The scores of each month; an account's row depends on no other, so all are scored in one pass."""
    if not inputs:
        return {}
    texts = pl.selectors.by_dtype(pl.Enum, pl.Categorical)
    named = [
        table.with_columns(texts.cast(pl.String), account_id=pl.format("{} {}", pl.lit(period.name), "account_id"))
        for period, table in inputs.items()
    ]
    scores = _scored(pl.concat(named, how="diagonal_relaxed"), basis, detail=detail)
    month = pl.col("account_id").str.slice(0, len("2026-10")).alias("month of the row")
    parts = scores.with_columns(month, pl.col("account_id").str.slice(len("2026-10 "))).partition_by(
        "month of the row", as_dict=True, include_key=False
    )
    return {period: parts.get((period.name,), scores.clear()) for period in inputs}


def _scored(inputs: pl.DataFrame, basis: Basis, *, detail: bool) -> pl.DataFrame:
    return score(
        inputs.lazy(),
        basis.card,
        window_days=basis.window_days,
        failed_sources=basis.failed,
        signals_waived=basis.signals_waived,
        detail=detail,
    ).collect()


def score_inputs(measured: pl.DataFrame, history: EarlierTables, basis: Basis) -> pl.DataFrame:
    """A period's metrics with what earlier periods say of trend and last tier, as the columns that scoring reads."""
    return _with_sight(_with_trend(measured, history, basis), history, basis)


def _with_sight(inputs: pl.DataFrame, history: EarlierTables, basis: Basis) -> pl.DataFrame:
    """Adds which metrics can't be seen any more, and the last tier, where a score may hang on it."""
    lost = lost_sight(inputs, history, basis.period, needed(basis.card))
    if not lost.is_empty():
        inputs = beside(inputs, lost)
    return _with_last_tier(inputs, history, basis.period) if basis.failed or not lost.is_empty() else inputs


def lost_sight(measured: pl.DataFrame, history: EarlierTables, period: Period, metrics: Iterable[str]) -> pl.DataFrame:
    """`account_id` and LOST_SIGHT of accounts that can't see metrics any more that they could see before.

    A metric counts that can't be seen now (UNSEEN) and was known in the last month in which it could be, up to a year
    back: a second month without sight doesn't promote either.
    """
    unseen = _states(measured, metrics).filter("unseen").select("account_id", "metric")
    lost = []
    for months in range(1, LOOK_BACK_MONTHS + 1):
        if unseen.is_empty():
            break
        before = history.load(period.shifted(-months), "metrics")
        if before is None:
            continue
        then = unseen.join(_states(before, metrics), on=["account_id", "metric"], how="left")
        lost.append(then.filter("known").select("account_id", "metric"))
        unseen = then.filter(pl.col("unseen").fill_null(value=True)).select("account_id", "metric")
    found = pl.concat([unseen.clear(), *lost]).sort("account_id", "metric")
    return found.group_by("account_id").agg(pl.col("metric").str.join(", ").alias(LOST_SIGHT))


def _states(measured: pl.DataFrame, metrics: Iterable[str]) -> pl.DataFrame:
    """A row for each account and metric that is known, or can't be seen: `known`, `unseen`."""
    there = [name for name in metrics if name in measured.columns and reason_of(name) in measured.columns]
    parts = [
        measured.select(
            "account_id",
            metric=pl.lit(name),
            known=pl.col(name).is_not_null(),
            unseen=pl.col(reason_of(name)).cast(pl.String).is_in(UNSEEN).fill_null(value=False),
        )
        for name in there
    ]
    nothing = {"account_id": pl.String, "metric": pl.String, "known": pl.Boolean, "unseen": pl.Boolean}
    return pl.concat([pl.DataFrame(schema=nothing), *parts])


def _with_trend(measured: pl.DataFrame, history: EarlierTables, basis: Basis) -> pl.DataFrame:
    """Adds uncapped health three months before: that month's stored metrics, scored with today's file."""
    before = history.load(basis.period.shifted(-TREND_MONTHS), "metrics")
    then = None if before is None else _scored(before, replace(basis, failed=()), detail=False)
    return _with_before(measured, then)


def _with_before(measured: pl.DataFrame, then: pl.DataFrame | None) -> pl.DataFrame:
    """Adds uncapped health of the scores of three months before; null without them."""
    if then is None:
        return measured.with_columns(pl.lit(None, pl.Float64).alias(BEFORE_3M))
    rated = then.filter(pl.col(TIER) != NOT_RATED).select("account_id", pl.col(BEFORE_CAPS).alias(BEFORE_3M))
    return beside(measured, rated)


def _with_last_tier(measured: pl.DataFrame, history: EarlierTables, period: Period) -> pl.DataFrame:
    """Adds each account's tier of the last run that rated this month or one of the months before."""
    for months in range(LOOK_BACK_MONTHS + 1):
        scores = history.load(period.shifted(-months), "scores")
        if scores is not None:
            last = scores.select("account_id", pl.col(TIER).alias(LAST_TIER))
            return beside(measured, last)
    return measured.with_columns(pl.lit(None, dtype=pl.String).alias(LAST_TIER))

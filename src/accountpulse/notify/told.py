"""What a channel was last told of each account, held against the newest run.

A row an account: what its scores are made of (the columns that scoring reads), as they were when it was last told, so
that they can be scored with any later scorecard; and beside them, under names that begin with `told:`:

critical, opened_on    open critical signals, and the day on which the latest of them was opened; null: not known
stage, renewal         how near the renewal was (`scoring/crossings.py`), and its date
tier                   the tier, by the scorecard of then
coverage               what a fall of coverage is counted from, in percent; null: not known
open                   the lines that were told as crossed for the worse, and not yet as crossed back
missing                the account was told as missing from the runs
run                    the run by which it was last told of, or first noted
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from accountpulse.core.records import Columns
from accountpulse.core.web_links import WebLink
from accountpulse.notify.open_lines import still_open
from accountpulse.scoring.columns import CAP_REASON, COVERAGE, CRITICAL, HEALTH, RENEWAL, TIER, reason_of
from accountpulse.scoring.crossings import COVERAGE_FALL, SCORED, Crossing, LineState, crossings, line_state
from accountpulse.scoring.explain import plain
from accountpulse.scoring.inputs import needed
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score

TOLD: Columns = {
    "told:critical": pl.Float64,
    "told:opened_on": pl.Date,
    "told:stage": pl.Int64,
    "told:renewal": pl.Date,
    "told:tier": pl.String,
    "told:coverage": pl.Float64,
    "told:open": pl.List(pl.String),
    "told:missing": pl.Boolean,
    "told:run": pl.String,
}
FAILED = "source_failed"
_SIZES = ("seats", "arr")
_SHOWN = ("account_id", TIER, CAP_REASON, HEALTH, COVERAGE, CRITICAL, RENEWAL)


@dataclass(frozen=True)
class NewestRun:
    """The newest whole run.

    `scores` have metrics, attributes and (for next steps) the health of the run before beside them; `inputs` are what
    scoring read.
    """

    run_id: str
    as_of: date  # the day on which what was measured ends: the day after `day`, or that day where it was not over
    card: Scorecard
    scores: pl.DataFrame
    inputs: pl.DataFrame
    failed: tuple[str, ...]  # titles of the sources that could not be read
    stopped: tuple[str, ...]  # and of those for which a later run did not finish
    opened: Mapping[str, date]  # of accounts with an open critical signal the day on which the latest was opened
    links: Mapping[str, tuple[WebLink, ...]]  # where a person finds each account
    currency: str | None = None  # of ARR, where the settings of the run named it
    signals: Mapping[str, str] = field(default_factory=dict)  # of the same signal: what it is, in words
    day: date = field(kw_only=True)  # the last one of which anything was measured: what people are shown


class Crossed(NamedTuple):
    """An account that crossed lines, and whether nothing that was told as worse is open any more.

    `told_by`: the run by which it was last told of. It tells apart the same crossing, told a second time anew.
    """

    crossings: tuple[Crossing, ...]
    is_clear: bool
    told_by: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What became of the accounts since a channel was last told, and what it has been told once it is told this."""

    crossed: Mapping[str, Crossed]  # by account, only those that crossed something
    told: pl.DataFrame
    new: tuple[str, ...]
    missing: tuple[str, ...]  # were told of, and are not in this run; each is named once
    waiting: tuple[str, ...]  # can't be judged without a source that was not read
    by_scorecard: int  # accounts with another tier by the scorecard's change alone


def compare(told: pl.DataFrame | None, newest: NewestRun, *, same_card: bool) -> Comparison:
    """Hold the newest run against what was told; without that everybody is new and nothing is crossed.

    `same_card`: it was told by the scorecard of the newest run. Metrics of a source that failed count as they were
    when they were last read: what the outage alone would change is not crossed. An account that can't be judged so
    keeps what it was told.
    """
    before = {row["account_id"]: row for row in _rows_then(told, newest.card)}
    inputs, unread = _carried(newest, told)
    judged = _by_account(_scored(inputs, newest.card)) if unread else {}
    shown = _by_account(newest.scores)
    steps = {
        account: _step(
            before.get(account),
            now,
            judged.get(account) if account in unread else None,
            newest,
            same_card=same_card,
        )
        for account, now in shown.items()
    }
    known = {account: step for account, step in steps.items() if account in before}
    new = [account for account in shown if account not in before and account not in unread]
    missing = [account for account in before if account not in shown]
    waiting = [account for account, step in known.items() if step.is_waiting]
    return Comparison(
        crossed={account: step.crossed for account, step in known.items() if step.crossed.crossings},
        told=_told(told, inputs, {account: steps[account] for account in (*known, *new)}, waiting, missing),
        new=tuple(new),
        missing=tuple(account for account in missing if not before[account]["told:missing"]),
        waiting=tuple(waiting),
        by_scorecard=0 if same_card else sum(row["told:tier"] != row[TIER] for row in before.values()),
    )


class _Step(NamedTuple):
    """One account's way from what was told to the newest run: what it crossed, and its `told:` columns from now on."""

    crossed: Crossed
    facts: Mapping[str, Any]
    is_waiting: bool


def _step(
    then: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    judged: Mapping[str, Any] | None,
    newest: NewestRun,
    *,
    same_card: bool,
) -> _Step:
    """`then`: what was told, scored anew; `judged`: with the last known values of what could not be read."""
    state = line_state(now, newest.as_of, newest.opened.get(now["account_id"]))
    if then is None:
        facts = {**_facts(state, None, state.coverage, ()), "told:run": newest.run_id}
        return _Step(Crossed((), is_clear=True), facts, is_waiting=False)
    before = _state_then(then, same_card=same_card)
    seen = state if judged is None else _of_scores(judged, state)
    found = crossings(before, seen, newest.card)
    is_waiting = judged is not None and _hangs_on_outage(found, seen, state)
    if is_waiting:
        found = tuple(each for each in found if each.line not in SCORED)
    elif "coverage" in (then["told:open"] or ()) and (risen := _risen(before, seen)):
        found = (*found, risen)
    lines = still_open(then["told:open"] or (), found, before, before if is_waiting else seen, newest.card)
    coverage = before.coverage if is_waiting else _reference(before, seen, found)
    facts = {**_facts(seen, before, coverage, lines), "told:run": newest.run_id if found else then["told:run"]}
    return _Step(Crossed(found, not lines, then["told:run"]), facts, is_waiting)


def _hangs_on_outage(found: Iterable[Crossing], seen: LineState, state: LineState) -> bool:
    """Whether a line is crossed by the last known values that the run itself does not show so."""
    lines = {each.line for each in found}
    return bool(lines.intersection(SCORED)) and (
        seen.tier != state.tier or seen.caps != state.caps or "coverage" in lines
    )


def _of_scores(judged: Mapping[str, Any], state: LineState) -> LineState:
    """The run's own renewal and signals, with tier, caps and coverage as they are judged."""
    return state._replace(
        tier=judged[TIER],
        caps=line_state({**judged, RENEWAL: None}, date.min).caps,
        health=judged[HEALTH],
        coverage=judged[COVERAGE],
    )


def _state_then(row: Mapping[str, Any], *, same_card: bool) -> LineState:
    scored = line_state({**row, RENEWAL: None}, date.min)
    return scored._replace(
        coverage=row["told:coverage"] if same_card else row[COVERAGE],
        critical=row["told:critical"],
        opened_on=row["told:opened_on"],
        stage=row["told:stage"] or 0,
        renewal=row["told:renewal"],
    )


def _risen(before: LineState, seen: LineState) -> Crossing | None:
    """Coverage that had been told as fallen, and is back."""
    if before.coverage is None or seen.coverage is None or NOT_RATED in (before.tier, seen.tier):
        return None
    if seen.coverage < before.coverage + COVERAGE_FALL - 1e-9:
        return None
    text = f"{plain(seen.coverage, 0)} % of the weight is known again, {plain(before.coverage, 0)} % before"
    return Crossing("coverage", text, worse=False)


def _reference(before: LineState, seen: LineState, found: Iterable[Crossing]) -> float | None:
    """What a fall of coverage counts from: the highest since it was last told, so that a slow fall is told, too."""
    if before.coverage is None or seen.coverage is None or any(each.line == "coverage" for each in found):
        return seen.coverage
    return max(before.coverage, seen.coverage)


def _facts(
    state: LineState, before: LineState | None, coverage: float | None, lines: Sequence[str]
) -> Mapping[str, Any]:
    """The `told:` columns; what is not known now stays as it was told."""
    unseen = state.critical is None and before is not None
    undated = state.renewal is None and before is not None
    signals, renewal = before if unseen and before else state, before if undated and before else state
    return {
        "told:critical": signals.critical,
        "told:opened_on": signals.opened_on,
        "told:stage": renewal.stage,
        "told:renewal": renewal.renewal,
        "told:tier": state.tier,
        "told:coverage": coverage,
        "told:open": list(lines),
        "told:missing": False,
    }


def _carried(newest: NewestRun, told: pl.DataFrame | None) -> tuple[pl.DataFrame, frozenset[str]]:
    """What scoring reads, with the last known values in the place of what a source that failed did not give.

    And the accounts of which anything that counts could not be read, known before or not.
    """
    inputs = newest.inputs
    names = [name for name in needed(newest.card) if reason_of(name) in inputs.columns and name in inputs.columns]
    is_unread = {name: pl.col(reason_of(name)).cast(pl.String).eq(FAILED).fill_null(value=False) for name in names}
    unread = frozenset(inputs.filter(pl.any_horizontal(is_unread.values()))["account_id"]) if names else frozenset()
    if not unread or told is None:
        return inputs, unread
    when = {column: is_unread[name] for name in names for column in (name, reason_of(name))}
    # these may come from a source that failed, and have no reason of their own
    any_unread = pl.any_horizontal(is_unread.values())
    when |= {name: any_unread & pl.col(name).is_null() for name in _SIZES if name in inputs.columns}
    when = {column: condition for column, condition in when.items() if column in told.columns}
    then = told.select("account_id", pl.lit(value=True).alias("told:"), pl.col(list(when)).name.prefix("then:"))
    rows = inputs.with_columns(pl.col(reason_of(name)).cast(pl.String) for name in names).join(
        then, on="account_id", how="left", maintain_order="left"
    )
    carried = [
        pl.when(condition & pl.col("told:").is_not_null())
        .then(pl.col(f"then:{column}"))
        .otherwise(pl.col(column))
        .alias(column)
        for column, condition in when.items()
    ]
    return rows.with_columns(carried).select(inputs.columns), unread


def _scored(inputs: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Scores with the two metrics beside them that lines are drawn by."""
    scores = score(inputs.lazy(), card).collect()
    beside = [name for name in (CRITICAL, RENEWAL) if name in inputs.columns]
    return scores.join(inputs.select("account_id", *beside), on="account_id", how="left", maintain_order="left")


def _rows_then(told: pl.DataFrame | None, card: Scorecard) -> Iterable[dict[str, Any]]:
    if told is None or told.is_empty():
        return ()
    scores = _scored(told, card).select("account_id", TIER, CAP_REASON, HEALTH, COVERAGE)
    return scores.join(told.select("account_id", *TOLD), on="account_id", how="left").iter_rows(named=True)


def _by_account(scores: pl.DataFrame) -> dict[str, dict[str, Any]]:
    columns = [name for name in _SHOWN if name in scores.columns]
    return {row["account_id"]: row for row in scores.select(columns).iter_rows(named=True)}


def _told(
    told: pl.DataFrame | None,
    inputs: pl.DataFrame,
    steps: Mapping[str, _Step],
    waiting: Sequence[str],
    missing: Sequence[str],
) -> pl.DataFrame:
    """The table from now on: this run's rows, and those of before of accounts that are missing or can't be judged."""
    rows = [{"account_id": account, **step.facts} for account, step in steps.items()]
    facts = pl.DataFrame(rows, schema={"account_id": pl.String, **TOLD})
    texts = pl.selectors.by_dtype(pl.Enum, pl.Categorical)
    current = inputs.with_columns(texts.cast(pl.String)).join(facts, on="account_id", how="inner")
    if told is None:
        return current.sort("account_id")
    plain_columns = [name for name in told.columns if name not in TOLD]
    kept = told.filter(pl.col("account_id").is_in(waiting)).select(plain_columns).join(facts, on="account_id")
    gone = told.filter(pl.col("account_id").is_in(missing)).with_columns(pl.lit(value=True).alias("told:missing"))
    current = current.filter(~pl.col("account_id").is_in(waiting))
    return pl.concat([current, kept, gone], how="diagonal_relaxed").sort("account_id")

"""What a channel was last told of each account, held against the newest run.

A row an account: what its scores are made of (the columns that scoring reads), as they were when it was last told, so
that they can be scored with any later scorecard; and beside them, under names that begin with `told:`:

critical, opened_on    open critical signals, and the day on which the latest of them was opened; null: not known
stage, renewal         how near the renewal was (`scoring/crossings.py`), and its date
tier                   the tier, by the scorecard of then
coverage               what a fall of coverage is counted from, in percent; null: not known
open                   the lines that were told as crossed for the worse, and not yet as crossed back
missing                the account was told as missing from the runs
name, owner_id, owner  what the account is called, and whose it is; null: not known
run                    the run by which it was last told of, or first noted
pulse, forecast, …     what its people said, and where they and the score disagreed (`notify/disagreements.py`)
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from accountpulse.core.records import Columns
from accountpulse.core.web_links import WebLink
from accountpulse.notify.disagreements import TOLD_WORDS, DisagreementNews, disagreement_news
from accountpulse.notify.open_lines import still_open
from accountpulse.scoring.columns import CAP_REASON, COVERAGE, CRITICAL, HEALTH, RENEWAL, SCORE_WORD, TIER, reason_of
from accountpulse.scoring.crossings import (
    COVERAGE_FALL,
    STAGES,
    Crossing,
    LineState,
    crossings,
    judged_crossings,
    line_state,
)
from accountpulse.scoring.disagreement import score_word
from accountpulse.scoring.explain import plain
from accountpulse.scoring.inputs import needed
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.outages import SIZES, with_last_known
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
    "told:name": pl.String,
    "told:owner_id": pl.String,
    "told:owner": pl.String,
    "told:run": pl.String,
    **TOLD_WORDS,
}
_NOT_CONFIGURED = "not_configured"
_WHO = {"told:name": "account_name", "told:owner_id": "owner_id", "told:owner": "owner"}
_SHOWN = ("account_id", *_WHO.values(), TIER, CAP_REASON, HEALTH, COVERAGE, CRITICAL, RENEWAL)


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
    unfinished: date | None = None  # the day of a later run that did not finish, for whatever reason
    sources: tuple[str, ...] = ()  # titles of the sources that were set up
    signals: Mapping[str, str] = field(default_factory=dict)  # of the same signal: what it is, in words
    groups: Mapping[str, str] = field(default_factory=dict)  # of accounts with parents or children: their group
    day: date = field(kw_only=True)  # the last one of which anything was measured: what people are shown


class Crossed(NamedTuple):
    """An account that crossed lines, and whether nothing that was told as worse is open any more.

    `told_by`: the run by which it was last told of. It tells apart the same crossing, told a second time anew.
    """

    crossings: tuple[Crossing, ...]
    is_clear: bool
    told_by: str | None = None


class GoneAccount(NamedTuple):
    """An account that was told of, and is among the scored ones no longer; what it was called, and whose it was."""

    account_id: str
    name: str  # the id where none is known
    owner_id: str | None
    owner: str | None


@dataclass(frozen=True)
class Comparison:
    """What became of the accounts since a channel was last told, and what it has been told once it is told this."""

    crossed: Mapping[str, Crossed]  # by account, only those that crossed something
    told: pl.DataFrame
    new: tuple[str, ...]
    missing: tuple[GoneAccount, ...]  # were told of, and are not in this run; each is named once
    waiting: tuple[str, ...]  # can't be judged without a source that was not read
    by_scorecard: int  # accounts with another tier by the scorecard's change alone
    unset: tuple[str, ...] = ()  # metrics that nobody is asked for any more, and of which values were told
    opposed: DisagreementNews = field(default_factory=DisagreementNews)  # where the score and people disagree now

    @property
    def quiet(self) -> int:
        """How many of the new accounts there is nothing to be told of."""
        return sum(account not in self.crossed for account in self.new)


def compare(
    told: pl.DataFrame | None,
    newest: NewestRun,
    *,
    same_card: bool,
    unset: Collection[str] = (),
    doubtful: Collection[str] = (),
) -> Comparison:
    """Hold the newest run against what was told; without that everybody is new and nothing is crossed.

    `same_card`: it was told by the scorecard of the newest run. Metrics of a source that failed count as they were
    when they were last read: what the outage alone would change is not crossed. An account that can't be judged so
    keeps what it was told. Metrics that nobody is asked for any more (`unset`: those of which that was told already)
    are left out of both sides, and what was told of them stays for the day on which they are measured again.
    `doubtful`: accounts of which something else may have been told, or not; they are told as they stand.
    """
    told = _whole(told)
    gone = _no_longer_measured(told, newest)
    same_basis = same_card and gone.keys() <= {*unset, *SIZES}
    before = {row["account_id"]: row for row in _rows_then(_without(told, gone), newest.card)}
    inputs, unread = with_last_known(newest.inputs, told, newest.card)
    judged = _by_account(_scored(inputs, newest.card)) if unread else {}
    shown = _by_account(newest.scores)
    step = partial(_step, newest=newest, is_first=told is None, same_basis=same_basis)
    steps = {
        account: step(before.get(account), now, judged.get(account) if account in unread else None)
        for account, now in shown.items()
    }
    for account in doubtful:
        if account in steps and not steps[account].crossed.crossings:
            steps[account] = _as_it_stands(steps[account], shown[account], newest)
    opposed = disagreement_news(before, newest.scores, newest.card, newest.day, unread, same_card=same_card)
    news = {*opposed.begun, *opposed.ended}
    for account, words in opposed.told.items():
        run = {"told:run": newest.run_id} if account in news else {}
        steps[account] = steps[account]._replace(facts={**steps[account].facts, **words, **run})
    known = {account: step for account, step in steps.items() if account in before}
    new = [account for account in shown if account not in before and account not in unread]
    missing = [account for account in before if account not in shown]
    waiting = [account for account, step in known.items() if step.is_waiting]
    kept = _with_last_values(inputs, told, gone)
    return Comparison(
        crossed={account: step.crossed for account, step in steps.items() if step.crossed.crossings},
        told=_told(told, kept, {account: steps[account] for account in (*known, *new)}, waiting, missing),
        new=tuple(new),
        missing=tuple(_missing(before[account]) for account in missing if not before[account]["told:missing"]),
        waiting=tuple(waiting),
        by_scorecard=0 if same_card else sum(row["told:tier"] != row[TIER] for row in before.values()),
        unset=tuple(name for name in gone if name not in SIZES),
        opposed=opposed,
    )


def _whole(told: pl.DataFrame | None) -> pl.DataFrame | None:
    """With every column, also where an earlier version wrote it."""
    if told is None:
        return None
    return told.with_columns(pl.lit(None, kind).alias(name) for name, kind in TOLD.items() if name not in told.columns)


def _missing(row: Mapping[str, Any]) -> GoneAccount:
    account = row["account_id"]
    return GoneAccount(account, row["told:name"] or account, row["told:owner_id"], row["told:owner"])


class _Step(NamedTuple):
    """One account's way from what was told to the newest run: what it crossed, and its `told:` columns from now on."""

    crossed: Crossed
    facts: Mapping[str, Any]
    is_waiting: bool


def _step(
    then: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    judged: Mapping[str, Any] | None,
    *,
    newest: NewestRun,
    is_first: bool,
    same_basis: bool,
) -> _Step:
    """`then`: what was told, scored anew; `judged`: with the last known values of what could not be read."""
    state = line_state(now, newest.as_of, newest.opened.get(now["account_id"]))
    who = {name: now.get(column) for name, column in _WHO.items()}
    if then is None:
        found = () if is_first else _of_new(state, newest.card)
        lines = still_open((), found, state._replace(tier=newest.card.green_tiers[-1]), state, newest.card)
        facts = {**who, **_facts(state, None, state.coverage, lines), "told:run": newest.run_id}
        return _Step(Crossed(found, not lines), facts, is_waiting=False)
    before = _state_then(then, same_basis=same_basis)
    found, seen, is_waiting = judged_crossings(before, state, judged, newest.card)
    if not is_waiting and "coverage" in (then["told:open"] or ()) and (risen := _risen(before, seen)):
        found = (*found, risen)
    lines = still_open(then["told:open"] or (), found, before, before if is_waiting else seen, newest.card)
    coverage = before.coverage if is_waiting else _reference(before, seen, found)
    facts = {**who, **_facts(seen, before, coverage, lines), "told:run": newest.run_id if found else then["told:run"]}
    return _Step(Crossed(found, not lines, then["told:run"]), facts, is_waiting)


def _of_new(state: LineState, card: Scorecard) -> tuple[Crossing, ...]:
    """What is told of an account that is new; nothing where its tier is green, and nothing urgent is known of it."""
    quiet = state._replace(caps=frozenset(), critical=0.0, opened_on=None, stage=len(STAGES) - 1)
    urgent = tuple(each for each in crossings(quiet, state, card) if each.worse and each.line != "cap")
    if state.tier in card.green_tiers and not urgent:
        return ()
    return (Crossing("tier", f"new: {state.tier}", worse=True), *urgent)


def _as_it_stands(step: _Step, now: Mapping[str, Any], newest: NewestRun) -> _Step:
    """A line for an account that is where it was told to be, though a digest may have arrived that said otherwise."""
    worse = bool(step.facts["told:open"]) or now[TIER] not in newest.card.green_tiers
    signals = ", critical signal open" if now.get(CRITICAL) else ""
    text = f"{now[TIER]} as of this run{signals}; the last digest may have arrived, and said otherwise"
    crossed = Crossed((Crossing("tier", text, worse=worse),), not worse, step.crossed.told_by)
    return step._replace(crossed=crossed, facts={**step.facts, "told:run": newest.run_id})


def _state_then(row: Mapping[str, Any], *, same_basis: bool) -> LineState:
    scored = line_state({**row, RENEWAL: None}, date.min)
    return scored._replace(
        coverage=row["told:coverage"] if same_basis else row[COVERAGE],
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


def _facts(state: LineState, before: LineState | None, coverage: float | None, lines: Sequence[str]) -> dict[str, Any]:
    """The `told:` columns of the lines; what is not known now stays as it was told."""
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


def _no_longer_measured(told: pl.DataFrame | None, newest: NewestRun) -> Mapping[str, tuple[str, ...]]:
    """What no account has any more for want of a setting, and was told of some: its column, and that of its reason."""
    now = newest.inputs
    if told is None or now.is_empty():
        return {}
    known = {name for name in told.columns if told[name].is_not_null().any()}
    pairs = {name: reason_of(name) for name in needed(newest.card) if {name, reason_of(name)} <= {*now.columns}}
    gone = {
        name: (name, reason)
        for name, reason in pairs.items()
        if name in known and now[reason].cast(pl.String).eq(_NOT_CONFIGURED).fill_null(value=False).all()
    }
    sizes = [name for name in SIZES if name in known and name in now.columns and now[name].is_null().all()]
    return {**gone, **{name: (name,) for name in sizes if gone}}


def _without(told: pl.DataFrame | None, gone: Mapping[str, tuple[str, ...]]) -> pl.DataFrame | None:
    if told is None or not gone:
        return told
    texts = {reason_of(name): _NOT_CONFIGURED for name in gone if name not in SIZES}
    nulls = (pl.lit(None, told.schema[name]).alias(name) for name in gone)
    return told.with_columns(*nulls, *(pl.lit(text).alias(name) for name, text in texts.items()))


def _with_last_values(
    inputs: pl.DataFrame, told: pl.DataFrame | None, gone: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """What scoring reads, with what was last told in the place of what is not measured any more."""
    if told is None or not gone:
        return inputs
    columns = [column for each in gone.values() for column in each if column in told.columns]
    then = told.select("account_id", pl.col(columns).name.prefix("then:"))
    both = inputs.join(then, on="account_id", how="left", maintain_order="left")
    texts = {column for each in gone.values() for column in each[1:]}
    now = {column: pl.col(column).cast(pl.String) if column in texts else pl.col(column) for column in columns}
    kept = (pl.coalesce(f"then:{column}", now[column]).alias(column) for column in columns)
    return both.with_columns(kept).select(inputs.columns)


def _scored(inputs: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Scores with the two metrics beside them that lines are drawn by."""
    scores = score(inputs.lazy(), card).collect()
    beside = [name for name in (CRITICAL, RENEWAL) if name in inputs.columns]
    return scores.join(inputs.select("account_id", *beside), on="account_id", how="left", maintain_order="left")


def _rows_then(told: pl.DataFrame | None, card: Scorecard) -> Iterable[dict[str, Any]]:
    if told is None or told.is_empty():
        return ()
    word = score_word(card).alias(SCORE_WORD)
    scores = _scored(told, card).select("account_id", TIER, CAP_REASON, HEALTH, COVERAGE, word)
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

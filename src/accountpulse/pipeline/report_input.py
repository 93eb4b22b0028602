"""What a report of a month needs of the state: its last run, the run before, and the months of the line."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from accountpulse.core.period import Period
from accountpulse.pipeline import earlier_runs
from accountpulse.pipeline.earlier_runs import LOOK_BACK_MONTHS, EarlierRun
from accountpulse.report.inputs import ReportInput
from accountpulse.scoring import scorecard
from accountpulse.scoring.columns import HEALTH, SCORECARD
from accountpulse.scoring.outages import with_last_known
from accountpulse.scoring.scores import score
from accountpulse.state import State
from accountpulse.systems import SOURCES

LINE = ("account_id", HEALTH, SCORECARD)


def read(state: State, period: Period | None, run_id: str | None = None, day: date | None = None) -> ReportInput:
    """Reads the state only; a ConfigurationError where it holds no such run with its scorecard."""
    now = earlier_runs.chosen(state, period, run_id, day)
    before = earlier_runs.before(state, now)
    line = _line(state, now)
    return ReportInput(
        month=now,
        before=before,
        rescored=None if before is None else earlier_runs.rescored(before, now.card),
        judged=None if before is None or not now.failed else _judged(before, now),
        line=line,
        versions=_versions(state, line),
        evidence=now.detail("evidence"),
        signals=now.detail("signals"),
        parents=now.detail("parents"),
        pulses=now.detail("pulses"),
        unfinished=_unfinished(state, now),
        backtest=state.backtests.last(),
        sources=SOURCES,
    )


def _judged(before: EarlierRun, now: EarlierRun) -> pl.DataFrame:
    """The accounts that lack a source, as if its metrics were still those of the run before."""
    inputs, unread = with_last_known(now.metrics, before.metrics, now.card)
    lacking = inputs.filter(pl.col("account_id").is_in(unread)).lazy()
    return score(lacking, now.card, window_days=now.window_days, signals_waived=now.signals_waived).collect()


def _line(state: State, now: EarlierRun) -> dict[str, pl.DataFrame]:
    """The months of the last twelve that have scores; a snapshot stands for its own month."""
    found = {now.period.name: now.scores.select(LINE)}
    known = set(state.history.periods())
    for back in range(1, LOOK_BACK_MONTHS):
        month = now.period.shifted(-back)
        scores = state.history.load(month, "scores", LINE) if month.name in known else None
        if scores is not None and not scores.is_empty():
            found[month.name] = scores
    return dict(sorted(found.items()))


def _versions(state: State, line: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    hashes = {str(scores[SCORECARD][0]).rsplit(" ", 1)[-1] for scores in line.values()}
    kept = {content_hash: state.history.load_scorecard(content_hash) for content_hash in sorted(hashes)}
    return {name: scorecard.restored(content).version for name, content in kept.items() if content is not None}


def _unfinished(state: State, now: EarlierRun) -> tuple[Mapping[str, Any], ...]:
    """Runs of this month or the next that began later and did not finish, and that no later run made up for.

    Of a snapshot: snapshots, of any day.
    """
    begun = str(now.facts["begun_at"])
    months = (state.runs.all(f"{month.name}/") for month in (now.period, now.period.shifted(1)))
    found = []
    for every in months if now.snapshot is None else (state.snapshots.runs.all(),):
        runs = [facts for facts in every if str(facts["begun_at"]) > begun]
        latest = max(runs, key=lambda facts: str(facts["begun_at"]), default=None)
        if latest is not None and latest["status"] != "finished":
            found.append(latest)
    return tuple(found)

"""Bugs: how many an account suffers from, how bad they are, how fast they go. States are those at `as_of`."""

import narwhals.stable.v2 as nw

from accountpulse.core.period import Scope
from accountpulse.core.records import Rules
from accountpulse.metrics.shared import (
    Frames,
    MetricFrame,
    beside,
    count_if,
    instant,
    known_count,
    ratio,
    reported,
    row_count,
    within,
)

_COUNTS = ("open", "critical", "reopened", "created", "resolved")
_DAY = 86_400_000  # milliseconds
_ISSUE = ["source", "issue_id"]  # two sources may give the same id to different issues


def measure_bugs(accounts: MetricFrame, tables: Frames, scope: Scope, _rules: Rules) -> MetricFrame:
    """`account_id`, the bug metrics and their reasons, for every account."""
    counted = (
        _then(tables["issues"], tables["issue_moves"], scope)
        .group_by("account_id")
        .agg(
            open=count_if(~nw.col("done")),
            critical=count_if(~nw.col("done") & nw.col("critical")),
            reopened=count_if(nw.col("reopened") > 0),
            created=count_if(within("created_at", scope.window)),
            resolved=count_if(within("resolved_at", scope.window)),
            timed=known_count("taken_ms"),
            taken_ms=nw.col("taken_ms").sum(),
        )
    )
    return beside(accounts, counted, counts=_COUNTS).select(
        "account_id",
        *reported("open_bugs", nw.col("open")),
        *reported("critical_bugs", nw.col("critical")),
        *reported("reopened_bugs", nw.col("reopened")),
        *reported("avg_resolution_days", ratio(nw.col("taken_ms"), nw.col("timed") * _DAY)),
        *reported("bug_trend", _trend()),
    )


def _then(issues: MetricFrame, moves: MetricFrame, scope: Scope) -> MetricFrame:
    """The issues that existed at `as_of`, as they were then.

    Their `done` and `resolved_at` are of that time. One without moves was done as it is now, unless its resolution came
    later. `reopened`: in the window. `taken_ms`: from creation to a resolution in the window; null where there is
    none, or where it would be negative.
    """
    as_of = instant(scope.as_of)
    existing = issues.filter(nw.col("created_at") < as_of)
    for part in (_last_before(moves, as_of), _first_after(moves, as_of), _reopened(moves, scope)):
        existing = existing.join(part, on=_ISSUE, how="left")
    present = nw.col("done") & (nw.col("resolved_at") < as_of)
    resolved = nw.when(present).then(nw.col("resolved_at")).otherwise(nw.col("moved_to_done_at"))
    as_now = nw.col("done") & ~(nw.col("resolved_at") >= as_of).fill_null(value=False)
    taken = nw.col("resolved_at") - nw.col("created_at")
    return (
        existing.with_columns(
            done_then=nw.coalesce(nw.col("last_to") == 1, nw.col("next_from") == 1, as_now),
            resolved_at=resolved,
        )
        .with_columns(done=nw.col("done_then"), resolved_at=nw.when(nw.col("done_then")).then(nw.col("resolved_at")))
        .with_columns(taken_ms=nw.when(within("resolved_at", scope.window) & (taken >= 0)).then(taken))
    )


def _last_before(moves: MetricFrame, as_of: int) -> MetricFrame:
    """For each issue, where its last move before `as_of` led, and when it last moved into done before it."""
    before = moves.filter(nw.col("at") < as_of)
    last = before.with_columns(latest=nw.col("at").max().over(_ISSUE)).filter(nw.col("at") == nw.col("latest"))
    into_done = before.filter(~nw.col("from_done") & nw.col("to_done"))
    return (
        last.group_by(_ISSUE)
        .agg(last_to=nw.col("to_done").cast(nw.Int64).max())
        .join(into_done.group_by(_ISSUE).agg(moved_to_done_at=nw.col("at").max()), on=_ISSUE, how="left")
    )


def _first_after(moves: MetricFrame, as_of: int) -> MetricFrame:
    """For each issue, where its first move at or after `as_of` came from."""
    after = moves.filter(nw.col("at") >= as_of)
    first = after.with_columns(earliest=nw.col("at").min().over(_ISSUE)).filter(nw.col("at") == nw.col("earliest"))
    return first.group_by(_ISSUE).agg(next_from=nw.col("from_done").cast(nw.Int64).max())


def _reopened(moves: MetricFrame, scope: Scope) -> MetricFrame:
    """The issues that moved from done to not done in the window, each once."""
    back = moves.filter(nw.col("from_done") & ~nw.col("to_done") & within("at", scope.window))
    return back.group_by(_ISSUE).agg(reopened=row_count())


def _trend() -> nw.Expr:
    """Created by resolved; created by 1 where none was resolved, 1 where nothing happened."""
    created, resolved = nw.col("created"), nw.col("resolved")
    quiet = (created == 0) & (resolved == 0)
    return nw.when(quiet).then(nw.lit(1.0)).otherwise(created / nw.when(resolved > 0).then(resolved).otherwise(1))

"""ARR a year ago, where only this program's own history knows it."""

from dataclasses import replace

import polars as pl

from accountpulse.core.records import TABLES, Extract, RowCounts
from accountpulse.pipeline.earlier_runs import tables_before
from accountpulse.pipeline.run import Run

METRIC = "arr_trajectory_pct"
MONTHS = 12
OPEN = ("too_new", "no_evidence")  # what another way to find ARR may answer; other reasons say that none can be sure


def with_own_history(extract: Extract, run: Run) -> Extract:
    """The extract with the ARR of twelve months before, at the start of the year, of the accounts that lack it.

    Only where the mapping asks for it (`from: own`) and the org itself had nothing to say of the account. Where nothing
    was measured then, or the account was not in it, the metric stays unknown; one that was, and had no ARR then, has no
    evidence. Of a snapshot "then" is the month that ended nearest to a year before.
    """
    if not run.settings.rules.own_arr_history:
        return extract
    before = tables_before(run.state, run.scope.snapshot).load(run.scope.period.shifted(-MONTHS), "metrics")
    if before is None:
        return extract
    is_open = (pl.col("metric") == METRIC) & pl.col("reason").is_in(OPEN)
    asked = extract.unknowns.filter(is_open).select(account_id="key").unique()
    found = asked.join(before.select("account_id", before="arr"), on="account_id")
    there = pl.col("key").is_in(found["account_id"].implode())
    empty = found.filter(pl.col("before").is_null())
    unknowns = pl.concat(
        [
            extract.unknowns.remove(is_open & there),
            empty.select(key="account_id", metric=pl.lit(METRIC), reason=pl.lit("no_evidence")),
        ]
    )
    return replace(_with_changes(extract, found.drop_nulls("before"), run), unknowns=unknowns)


def _with_changes(extract: Extract, known: pl.DataFrame, run: Run) -> Extract:
    """The extract with one change more of each of these accounts, at the start of the year."""
    start = run.scope.trailing(365).start
    rows = known.sort("account_id").with_columns(at=pl.lit(start), after=pl.lit(None))
    changes = extract.tables["arr_changes"].vstack(
        rows.select(pl.col(name).cast(kind) for name, kind in TABLES["arr_changes"].items())
    )
    came = extract.counts.get("arr_changes", RowCounts(extract.tables["arr_changes"].height))
    counts = {**extract.counts, "arr_changes": replace(came, came=came.came + known.height)}
    return replace(extract, tables={**extract.tables, "arr_changes": changes}, counts=counts)

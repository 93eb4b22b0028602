"""ARR a year ago, where only this program's own history knows it."""

from dataclasses import replace

import polars as pl

from accountpulse.core.records import TABLES, Extract
from accountpulse.pipeline.run import Run

METRIC = "arr_trajectory_pct"
MONTHS = 12


def with_own_history(extract: Extract, run: Run) -> Extract:
    """The extract with each account's ARR of twelve months before as its one change, at the start of the year.

    Only where the mapping asks for it (`from: own`) and the org itself had nothing to say. Where that month was
    never measured, the gap stays: the history is too new. An account that was not there then has a null.
    """
    scope = run.scope
    if not run.settings.rules.own_arr_history or extract.gaps.get(METRIC) != "too_new":
        return extract
    before = run.state.history.load(scope.period.shifted(-MONTHS), "metrics")
    if before is None:
        return extract
    then = before.select("account_id", before="arr")
    accounts = extract.tables["accounts"].select("account_id")
    columns = TABLES["arr_changes"]
    changes = (
        accounts.join(then, on="account_id", how="left", maintain_order="left")
        .with_columns(at=pl.lit(scope.trailing(365).start), after=pl.lit(None))
        .select(pl.col(name).cast(kind) for name, kind in columns.items())
    )
    gaps = {name: reason for name, reason in extract.gaps.items() if name != METRIC}
    counts = {name: each for name, each in extract.counts.items() if name != "arr_changes"}  # these rows are ours
    return replace(extract, tables={**extract.tables, "arr_changes": changes}, gaps=gaps, counts=counts)

"""What people say of each account, beside its metrics: the CSM's pulse and what sales expect of the renewal."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.core.records import OPINIONS, OWNER_CHANGES, Extract, frame
from accountpulse.metrics.opinions import VOID_DAYS, outlooks, pulses_at
from accountpulse.pipeline.earlier_runs import tables_before
from accountpulse.pipeline.run import Run
from accountpulse.scoring.columns import PULSE_STATE

MONTHS = VOID_DAYS // 30  # a pulse that is older is void
FEW = 10  # accounts, of which most may well change hands in a month


def read_pulses(run: Run, extract: Extract) -> pl.DataFrame:
    """PULSES_AT of the accounts that have a pulse."""
    pulses, told = extract.tables["pulses"], extract.tables["owner_changes"]
    if pulses.is_empty():
        return pulses_at(pulses, told, run.scope)
    untold = extract.tables["accounts"].join(told, on="account_id", how="anti")
    changes = pl.concat([told, *_changes_we_saw(run, untold)])
    return pulses_at(pulses, changes, run.scope)


def _changes_we_saw(run: Run, accounts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """OWNER_CHANGES by the runs of the months before, of accounts of which the org's own history tells none.

    Who owned an account then and doesn't now handed it over at some time since: not before that month's end. Of a month
    that is read long afterwards that may have been after it. Where most accounts have another owner, it is the mapping
    that changed.
    """
    if run.is_late:
        return
    earlier = tables_before(run.state, run.scope.snapshot)
    for back in range(1, MONTHS + 1):
        month = run.scope.period.shifted(-back)
        table = earlier.load(month, "metrics")
        if table is None or "owner_id" not in table.columns:
            continue
        then = table.select("account_id", pl.coalesce(pl.col("owner_id", "owner").cast(pl.String)).alias("then"))
        both = accounts.join(then, on="account_id").drop_nulls("then")
        changed = both.filter(pl.coalesce("owner_id", "owner") != pl.col("then"))
        if changed.height * 2 > both.height > FEW:
            continue
        yield changed.select("account_id", at=pl.lit(month.end), owner_id="owner_id").cast(dict(OWNER_CHANGES))  # type: ignore[arg-type]


def lost_pulses(run: Run, pulses: pl.DataFrame) -> Iterator[str]:
    """A line where nobody has a pulse, and in the month before some had: fields that are hidden look like none."""
    if pulses.height:
        return
    before = tables_before(run.state, run.scope.snapshot).load(run.scope.period.shifted(-1), "metrics")
    had = 0 if before is None or PULSE_STATE not in before.columns else before[PULSE_STATE].count()
    if had:
        text = "can our user still read the fields (`Accountpulse_Integration_Pulse`)?"
        yield f"salesforce: pulse: no account has one, and {had:,} had one in the month before: {text}"


def with_opinions(
    run: Run, measured: pl.DataFrame, tables: Mapping[str, Any], pulses: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The measured accounts with the columns of OPINIONS, and their pulses as they are kept beside the history.

    A forecast has no history: of a time that is long over it would be today's.
    """
    renewals = tables.get("renewals")
    said = outlooks(measured, frame("renewals") if renewals is None else renewals.lazy().collect(), run.scope)
    if run.is_late:
        said = said.clear()
    both = beside(beside(measured, pulses.drop("author", "reason")), said)
    kept = pulses.join(measured, on="account_id", how="semi", maintain_order="left")
    return both.select(*measured.columns, *OPINIONS), kept

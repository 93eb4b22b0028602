"""What people say of an account as the period ended: the CSM's pulse, and what sales expect of the renewal.

Neither is a metric, and no score reads them: they stand beside it.
"""

from datetime import timedelta

import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import Columns

STALE_DAYS, VOID_DAYS = 90, 120  # a pulse's age from which on it is stale, and from which on it says nothing
PULSES_AT: Columns = {
    "account_id": pl.String, "pulse_colour": pl.String, "pulse_state": pl.String, "pulse_on": pl.Date,
    "author": pl.String, "reason": pl.String,
}  # fmt: skip


def pulses_at(pulses: pl.DataFrame, owner_changes: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """PULSES_AT of each row of PULSES, sorted by account: what each pulse says as the period ended.

    `pulse_state` is the first that applies: the row's doubt (without colour, date, author and reason then); `undated`;
    `void` from VOID_DAYS on, counted from the day it was given to the last day that was measured; `restarted` where the
    owner changed since (OWNER_CHANGES); `stale` from STALE_DAYS on; else `current`.
    """
    zone = scope.period.zone
    given = pl.col("given_at").dt.convert_time_zone(zone).dt.date()
    age = pl.lit(scope.last_day) - given
    restarted = pl.col("account_id").is_in(_restarted(pulses, owner_changes, scope).implode())
    is_known = pl.col("doubt").is_null()
    state = (
        pl.when(~is_known)
        .then("doubt")
        .when(given.is_null())
        .then(pl.lit("undated"))
        .when(age >= timedelta(days=VOID_DAYS))
        .then(pl.lit("void"))
        .when(restarted)
        .then(pl.lit("restarted"))
        .when(age >= timedelta(days=STALE_DAYS))
        .then(pl.lit("stale"))
        .otherwise(pl.lit("current"))
    )
    said = {"pulse_colour": pl.col("colour"), "pulse_on": given, "author": pl.col("author"), "reason": pl.col("reason")}
    columns = {name: pl.when(is_known).then(column) for name, column in said.items()}
    found = pulses.select("account_id", pulse_state=state, **columns)
    return found.select(pl.col(name).cast(kind) for name, kind in PULSES_AT.items()).sort("account_id")


def _restarted(pulses: pl.DataFrame, owner_changes: pl.DataFrame, scope: Scope) -> pl.Series:
    """The accounts whose owner changed between the pulse and as_of.

    A pulse of the very day on which its author took the account over is the new owner's own.
    """
    zone = scope.period.zone
    given, at = pl.col("given_at"), pl.col("at")
    is_same_day = given.dt.convert_time_zone(zone).dt.date() == at.dt.convert_time_zone(zone).dt.date()
    own = is_same_day & (pl.col("owner_id") == pl.col("author_id")).fill_null(value=False)
    pairs = pulses.select("account_id", "given_at", "author_id").join(owner_changes, on="account_id")
    return pairs.filter((at > given) & (at < scope.as_of) & ~own)["account_id"].unique()


def outlooks(measured: pl.DataFrame, renewals: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """`account_id` and `renewal_outlook` of each measured account whose renewal has one, sorted by account.

    It is that of the renewal that gives `days_to_renewal`; of several on that day only where all say the same.
    `renewals`: RENEWALS.
    """
    day = pl.lit(scope.as_of_day) + pl.duration(days=pl.col("days_to_renewal"))
    due = measured.select("account_id", due=day.cast(pl.Date)).drop_nulls()
    rows = renewals.join(due, on=["account_id", "due"])
    first = rows.filter(pl.col("rank") == pl.col("rank").min().over("account_id"))
    said = first.group_by("account_id").agg(
        renewal_outlook=pl.when(pl.col("forecast").n_unique() == 1).then(pl.col("forecast").first())
    )
    return said.drop_nulls().sort("account_id")

"""A run that lacks a source, judged as if its metrics were what they were when it was last read."""

import polars as pl

from accountpulse.scoring.columns import reason_of
from accountpulse.scoring.inputs import needed
from accountpulse.scoring.scorecard import Scorecard

FAILED = "source_failed"  # why a metric is null
SIZES = ("seats", "arr")  # attributes that metrics are a share of


def with_last_known(
    inputs: pl.DataFrame, then: pl.DataFrame | None, card: Scorecard
) -> tuple[pl.DataFrame, frozenset[str]]:
    """What scoring reads, with the values of `then` in the place of what a source that failed did not give.

    And the accounts of which anything that counts could not be read, known before or not. Both tables have metrics with
    their reasons, one row an account; an account that `then` lacks stays as it is.
    """
    names = [name for name in needed(card) if reason_of(name) in inputs.columns and name in inputs.columns]
    is_unread = {name: pl.col(reason_of(name)).cast(pl.String).eq(FAILED).fill_null(value=False) for name in names}
    unread = frozenset(inputs.filter(pl.any_horizontal(is_unread.values()))["account_id"]) if names else frozenset()
    if not unread or then is None:
        return inputs, unread
    when = {column: is_unread[name] for name in names for column in (name, reason_of(name))}
    # these may come from a source that failed, and have no reason of their own
    any_unread = pl.any_horizontal(is_unread.values())
    when |= {name: any_unread & pl.col(name).is_null() for name in SIZES if name in inputs.columns}
    when = {column: condition for column, condition in when.items() if column in then.columns}
    before = then.select("account_id", pl.lit(value=True).alias("then:"), pl.col(list(when)).name.prefix("then:"))
    rows = inputs.with_columns(pl.col(reason_of(name)).cast(pl.String) for name in names).join(
        before, on="account_id", how="left", maintain_order="left"
    )
    carried = [
        pl.when(condition & pl.col("then:").is_not_null())
        .then(pl.col(f"then:{column}"))
        .otherwise(pl.col(column))
        .alias(column)
        for column, condition in when.items()
    ]
    return rows.with_columns(carried).select(inputs.columns), unread

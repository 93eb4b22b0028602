"""What became of customers: one answer for each account and time, where several ways to know it were asked.

All tables here are `records.OUTCOMES`.
"""

from collections.abc import Sequence

import polars as pl

from accountpulse.core.records import OUTCOMES

LOST, CONTRACTION, RENEWED = "lost", "contraction", "renewed"
SAME_LOSS_DAYS = 365  # two ways that date a loss within so many days speak of one: renewals mostly come once a year
KEY = ("account_id", "happened_on", "kind")


def none() -> pl.DataFrame:
    """No outcome."""
    return pl.DataFrame(schema=OUTCOMES)


def each_once(outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row an account, kind and day, sorted by account and day.

    What several rows lost adds up, and isn't known where one of them isn't; known is it from the first on; the first
    origin and doubt stay.
    """
    amount, doubt = pl.col("arr_lost"), pl.col("doubt").drop_nulls()
    grouped = outcomes.group_by(*KEY, maintain_order=True).agg(
        pl.when(amount.null_count() == 0).then(amount.sum()).alias("arr_lost"),
        pl.col("known_at").min(),
        pl.col("origin").first(),
        doubt.first(),
    )
    return grouped.select(*OUTCOMES).sort(*KEY)


def first_answers(answers: Sequence[pl.DataFrame], grace_days: int) -> pl.DataFrame:
    """Of several ways to know what became of an account, for each time the first one that says it.

    A row counts unless an earlier way has said of the account, within `grace_days`, the same kind or the opposite
    (lost, renewed); of a loss, unless one has said it within SAME_LOSS_DAYS. A row that a later way contradicts gets
    that as its doubt. Contractions meet contractions alone.
    """
    kept = none()
    for answer in answers:
        more = each_once(answer)
        pairs = _met(more, kept, grace_days)
        kept = _doubted(kept, pairs)
        kept = pl.concat([kept, more.join(pairs, on=KEY, how="anti")])
    return kept.sort(*KEY)


def _met(more: pl.DataFrame, kept: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """The rows of `more`, each beside those of `kept` that speak of the same thing: `then`, `other`."""
    others = kept.select("account_id", then="happened_on", other="kind")
    pairs = more.select(*KEY, "origin").join(others, on="account_id")
    apart = (pl.col("happened_on") - pl.col("then")).dt.total_days().abs()
    same, is_loss = pl.col("kind") == pl.col("other"), pl.col("kind") == LOST
    opposite = ~same & (pl.col("kind") != CONTRACTION) & (pl.col("other") != CONTRACTION)
    reach = pl.when(same & is_loss).then(pl.max_horizontal(pl.lit(SAME_LOSS_DAYS), grace_days)).otherwise(grace_days)
    return pairs.filter((same | opposite) & (apart <= reach))


def _doubted(kept: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`kept`, with what contradicts a row as its doubt, where it had none."""
    against = pairs.filter(pl.col("kind") != pl.col("other"))
    said = pl.format("{} says {} on {}", "origin", "kind", pl.col("happened_on").dt.to_string("%Y-%m-%d"))
    why = against.group_by("account_id", happened_on="then", kind="other").agg(why=said.sort().first())
    joined = kept.join(why, on=KEY, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("doubt", "why").alias("doubt")).select(*OUTCOMES)

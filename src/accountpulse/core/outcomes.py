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
    (lost, renewed); of a loss, unless one has said it within SAME_LOSS_DAYS, or only within the grace where somebody
    says a renewal that near to the earlier loss. A row that a later way contradicts gets that as its doubt. A renewal
    and a later loss are no contradiction where one way tells both. Contractions meet contractions alone.

    A loss up to the day of a renewal that the same way says (`entered_twice`) doesn't count where a later way says,
    without a doubt, that the account renewed, and none that it was lost then; the renewal has it as its doubt.
    """
    kept = none()
    for rank, answer in enumerate(answers, 1):
        more, later = each_once(answer), pl.concat([none(), *answers[rank:]])
        more = renewed_after_all(more, _confirmed(entered_twice(more, grace_days), later, grace_days))
        met = _met(more, kept, grace_days)
        kept = pl.concat([_doubted(kept, met), more.join(met, on=KEY, how="anti")])
    return kept.sort(*KEY)


def entered_twice(outcomes: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """The losses beside which the same origin says a renewal within `grace_days`.

    `account_id`, `origin`, `lost` and `renewed` (their days).
    """
    lost, renewed = (_days(outcomes, kind, kind, "origin") for kind in (LOST, RENEWED))
    return lost.join(renewed, on=["account_id", "origin"]).filter(_near(LOST, RENEWED, grace_days))


def renewed_after_all(outcomes: pl.DataFrame, twice: pl.DataFrame) -> pl.DataFrame:
    """`outcomes` without the losses in `twice`, as `entered_twice` has them; each is a doubt of its renewal instead."""
    named = [*KEY, "origin"]
    said = pl.format("{} says lost on {} as well", "origin", pl.col(LOST).dt.to_string("%Y-%m-%d"))
    gone = twice.select("account_id", "origin", happened_on=LOST, kind=pl.lit(LOST))
    stays = twice.select("account_id", "origin", happened_on=RENEWED, kind=pl.lit(RENEWED), why=said)
    why = stays.group_by(named).agg(pl.col("why").sort().first())
    rest = outcomes.join(gone, on=named, how="anti", maintain_order="left")
    joined = rest.join(why, on=named, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("doubt", "why").alias("doubt")).select(*OUTCOMES)


def _confirmed(twice: pl.DataFrame, later: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """Those of which later ways say, without a doubt, that they were renewed, and not that they were lost.

    A loss after the renewal may be just that, and of such ways only some could say it.
    """
    twice = twice.filter(pl.col(LOST) <= pl.col(RENEWED))
    renewed, lost = _days(later.filter(pl.col("doubt").is_null()), RENEWED, "on"), _days(later, LOST, "on")
    yes = twice.join(renewed, on="account_id").filter(_near(RENEWED, "on", grace_days))
    no = twice.join(lost, on="account_id").filter(_near(LOST, "on", grace_days))
    return twice.join(yes, on=twice.columns, how="semi").join(no, on=twice.columns, how="anti")


def _days(outcomes: pl.DataFrame, kind: str, name: str, *more: str) -> pl.DataFrame:
    """Each day of one kind, under a name."""
    return outcomes.filter(pl.col("kind") == kind).select("account_id", *more, pl.col("happened_on").alias(name))


def _near(one: str, other: str, days: int) -> pl.Expr:
    return (pl.col(one) - pl.col(other)).dt.total_days().abs() <= days


def _met(more: pl.DataFrame, kept: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """The rows of `more`, each beside those of `kept` that speak of the same thing: `then`, `other`."""
    others = kept.select("account_id", then="happened_on", other="kind")
    pairs = more.select(*KEY, "origin").join(others, on="account_id")
    same, is_loss = pl.col("kind") == pl.col("other"), pl.col("kind") == LOST
    opposite = ~same & (pl.col("kind") != CONTRACTION) & (pl.col("other") != CONTRACTION)
    near, further = _near("happened_on", "then", grace_days), _near("happened_on", "then", SAME_LOSS_DAYS)
    same_loss = pairs.filter(same & is_loss & further & ~near)
    met = pl.concat(
        [
            pairs.filter((same | opposite) & near),
            same_loss.join(_contradicted(more, kept, grace_days), on=["account_id", "then"], how="anti"),
        ]
    )
    return met.join(_in_turn(met, more, kept, grace_days), on=met.columns, how="anti")


def _contradicted(more: pl.DataFrame, kept: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """The days (`then`) of losses in `kept` near which there is a renewal."""
    renewed = _days(pl.concat([kept, more]), RENEWED, "on")
    return _days(kept, LOST, "then").join(renewed, on="account_id").filter(_near("then", "on", grace_days))


def _in_turn(met: pl.DataFrame, more: pl.DataFrame, kept: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """Of the opposites that met, each renewal and later loss that are told as one after the other.

    By the way that says the row of `more`; or by what is kept, where that row is the loss, which is kept already.
    """
    is_loss = pl.col("kind") == LOST
    renewed = pl.when(is_loss).then("then").otherwise("happened_on")
    lost = pl.when(is_loss).then("happened_on").otherwise("then")
    opposite = met.filter(pl.col("kind") != pl.col("other")).with_columns(renewed=renewed, lost=lost)
    opposite = opposite.filter(pl.col(RENEWED) < pl.col(LOST))
    found = []
    for told, pairs in ((more, opposite), (kept, opposite.filter(is_loss))):
        turns = _days(told, RENEWED, "first").join(_days(told, LOST, "second"), on="account_id")
        beside = pairs.join(turns.filter(pl.col("first") < pl.col("second")), on="account_id")
        found.append(beside.filter(_near(RENEWED, "first", grace_days), _near(LOST, "second", grace_days)))
    return pl.concat(found).select(met.columns)


def _doubted(kept: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`kept`, with what contradicts a row as its doubt, where it had none."""
    against = pairs.filter(pl.col("kind") != pl.col("other"))
    said = pl.format("{} says {} on {}", "origin", "kind", pl.col("happened_on").dt.to_string("%Y-%m-%d"))
    why = against.group_by("account_id", happened_on="then", kind="other").agg(why=said.sort().first())
    joined = kept.join(why, on=KEY, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("doubt", "why").alias("doubt")).select(*OUTCOMES)

"""Outcomes of all origins together: a table's, what systems said, and what the months themselves show.

All outcomes here are `records.OUTCOMES`; `months` are one row an account and month as it was then.
"""

import polars as pl

from accountpulse.core.outcomes import (
    CONTRACTION,
    KEY,
    LOST,
    RENEWED,
    SAME_LOSS_DAYS,
    each_once,
    entered_twice,
    first_answers,
    renewed_after_all,
)
from accountpulse.core.records import OUTCOMES
from accountpulse.scoring.columns import RENEWAL

HISTORY = "history"  # the origin of what months show
A_MONTH = 31  # days within which the next month is measured
AFTERWARDS = "one of the two months was measured afterwards"


def of_months(months: pl.DataFrame, contraction_pct: float, grace_days: int) -> pl.DataFrame:
    """What an account's months show: ARR that fell to zero, or by more than `contraction_pct`; a renewal that passed.

    `months` has `account_id`, `as_of` (the day after the last one measured), `measured_at`, `reconstructed`, `arr` and,
    where it is known to anybody, `days_to_renewal`; a null says nothing, and the month before it is looked at. A fall
    is dated by the last day of the month that shows it. A renewal is a date of which a month knew, which passed, and in
    whose place the next month knows a later one; it is doubtful where that lies within `grace_days`. Known is all of it
    from the day of measuring on.
    """
    falls = _falls(_with_before(months, "arr"), contraction_pct)
    if RENEWAL not in months.columns:
        return each_once(falls)
    due = pl.col("as_of") + pl.duration(days=pl.col(RENEWAL).cast(pl.Float64).floor().cast(pl.Int64))
    passed = _passed(_with_before(months.with_columns(due=due), "due"), grace_days)
    return each_once(pl.concat([falls, passed]))


def _with_before(months: pl.DataFrame, column: str) -> pl.DataFrame:
    """The months that know a column, with what the one before knew (`before`), where there is one."""
    known = months.drop_nulls(column).sort("account_id", "as_of")
    before = pl.col(column).shift(1).over("account_id")
    doubtful = pl.col("reconstructed") | pl.col("reconstructed").shift(1).over("account_id")
    return known.with_columns(before=before, afterwards=doubtful).drop_nulls("before")


def _falls(pairs: pl.DataFrame, contraction_pct: float) -> pl.DataFrame:
    left = pl.col("arr") <= 0
    by = (pl.col("before") - pl.col("arr")) * 100
    fell = pairs.filter((pl.col("before") > 0) & (by > contraction_pct * pl.col("before")))
    return _outcomes(
        fell,
        happened_on=pl.col("as_of") - pl.duration(days=1),
        kind=pl.when(left).then(pl.lit(LOST)).otherwise(pl.lit(CONTRACTION)),
        arr_lost=pl.col("before") - pl.when(left).then(0.0).otherwise("arr"),
        doubt=pl.when("afterwards").then(pl.lit(AFTERWARDS)),
    )


def _passed(pairs: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    later = (pl.col("due") - pl.col("before")).dt.total_days()
    renewed = pairs.filter((pl.col("before") < pl.col("as_of")) & (later > 0))
    put_off = pl.format("the next renewal lies only {} days later: it may have been put off", later)
    return _outcomes(
        renewed,
        happened_on=pl.col("before"),
        kind=pl.lit(RENEWED),
        arr_lost=pl.lit(None),
        doubt=pl.when(later <= grace_days).then(put_off).when("afterwards").then(pl.lit(AFTERWARDS)),
    )


def _outcomes(rows: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    made = {**columns, "known_at": pl.col("measured_at").dt.date(), "origin": pl.lit(HISTORY)}
    return rows.select("account_id", **made).select(pl.col(name).cast(kind) for name, kind in OUTCOMES.items())


def without_overtaken(said: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """What systems said, without what another origin has since said of the same account, kind and time.

    One reading never says it twice within `grace_days`. But ARR may fall to zero weeks before anybody closes the
    opportunity: what was read in between stays, as nobody can tell whether that origin was read again. Of the two, the
    one that could be known later counts.
    """
    others = said.select("account_id", "kind", then="happened_on", other="origin", later="known_at")
    pairs = said.join(others, on=["account_id", "kind"]).filter(
        pl.col("origin") != pl.col("other"),
        (pl.col("happened_on") - pl.col("then")).dt.total_days().abs() <= grace_days,
        pl.col("known_at") < pl.col("later"),
    )
    return said.join(pairs, on=[*KEY, "origin"], how="anti", maintain_order="left")


def settled(said: pl.DataFrame, months: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """What systems said, without each loss that was a renewal's second entry, since the account went on to pay.

    That is, the first month after the grace knows ARR of it: who came back later had left. The renewal has the loss as
    its doubt; one that is doubtful for another reason settles nothing.
    """
    twice = entered_twice(said.filter((pl.col("kind") == LOST) | pl.col("doubt").is_null()), grace_days)
    paid = _paid_later(twice.select("account_id", happened_on=LOST), months, (grace_days, grace_days + A_MONTH))
    went_on = paid.select("account_id", lost="happened_on")
    return renewed_after_all(said, twice.join(went_on, on=["account_id", LOST], how="semi"))


def united(table: pl.DataFrame, said: pl.DataFrame, own: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """All of them, one row an account, kind and day.

    What a table says of an account's leaving and renewing is all that counts of it, and likewise its contractions.
    Elsewhere what systems said comes before what months show, as `first_answers` has it.
    """
    others = first_answers([said, own], grace_days)
    matter = (pl.col("kind") == CONTRACTION).alias("contraction")
    told = table.select("account_id", matter).unique()
    rest = others.with_columns(matter).join(told, on=["account_id", "contraction"], how="anti").select(*OUTCOMES)
    return each_once(pl.concat([table, rest]))


def with_doubts(outcomes: pl.DataFrame, months: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """The outcomes, each with every reason to doubt that an account was lost.

    It is said to have renewed within `grace_days`, or a month of the year after the grace still knows ARR of it.
    """
    lost = outcomes.filter(pl.col("kind") == LOST).select("account_id", "happened_on")
    doubts = pl.concat(
        [_renewed_too(lost, outcomes, grace_days), _paid_later(lost, months, (grace_days, SAME_LOSS_DAYS))]
    )
    why = doubts.group_by("account_id", "happened_on", maintain_order=True).agg(pl.col("why").str.join("; "))
    joined = outcomes.join(
        why.with_columns(kind=pl.lit(LOST)), on=["account_id", "happened_on", "kind"], how="left", maintain_order="left"
    )
    doubt = pl.concat_str("doubt", "why", separator="; ", ignore_nulls=True)
    is_doubtful = pl.any_horizontal(pl.col("doubt", "why").is_not_null())
    return joined.with_columns(doubt=pl.when(is_doubtful).then(doubt)).select(*OUTCOMES)


def _renewed_too(lost: pl.DataFrame, outcomes: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    renewed = outcomes.filter(pl.col("kind") == RENEWED).select("account_id", on="happened_on")
    near = (pl.col("happened_on") - pl.col("on")).dt.total_days().abs() <= grace_days
    return _first(lost.join(renewed, on="account_id").filter(near), "renewed on {}")


def _paid_later(lost: pl.DataFrame, months: pl.DataFrame, days: tuple[int, int]) -> pl.DataFrame:
    """The losses after which a month knew ARR: more than so many days later, and at most so many."""
    paying = months.filter(pl.col("arr") > 0).select("account_id", on="as_of")
    after = (pl.col("on") - pl.col("happened_on")).dt.total_days()
    return _first(
        lost.join(paying, on="account_id").filter((after > days[0]) & (after <= days[1])),
        "still had ARR on {}",
    )


def _first(found: pl.DataFrame, text: str) -> pl.DataFrame:
    day = pl.col("on").min().dt.to_string("%Y-%m-%d")
    return found.group_by("account_id", "happened_on", maintain_order=True).agg(why=pl.format(text, day))

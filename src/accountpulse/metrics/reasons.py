"""Why a metric is null for an account, where the sources that feed it say so: one source, or several together."""

from collections.abc import Mapping, Sequence

import polars as pl

from accountpulse.core.records import REASONS, Reason, SourceName

# `not_configured` counts only where nothing else is to be said of several sources
_OF_SEVERAL = tuple(reason for reason in REASONS if reason != "not_configured")


def why_column(source: SourceName) -> str:
    """The column of why a source says nothing; no metric has blanks in its name."""
    return f"why of {source}"


def outer_reason(
    metric: str, sources: Sequence[SourceName], gaps: Mapping[SourceName, Mapping[str, Reason]]
) -> pl.Expr:
    """Why the metric is not known, whatever its rows say; null where they decide.

    A source's own answer is the first in the order of REASONS: of the source, the metric in it, the account in it. A
    source that is not configured says nothing else. Where several
    feed the metric, those count in which the account is linked: one of them that could not be read, or can't know the
    metric, leaves it unknown, since a part of the account's rows would pass for all of them. A metric that one was not
    asked for (`not_configured`) is known from the others. Without any source its rows decide.
    """
    if not sources:
        return pl.lit(None, pl.String)
    answers = {source: _answer(source, gaps.get(source, {}).get(metric)) for source in sources}
    if len(answers) == 1:
        return next(iter(answers.values()))
    linked = {source: _is_linked(source) for source in sources}
    some_linked = pl.any_horizontal(linked.values())
    counting = {source: linked[source] | ~some_linked for source in sources}
    worst = pl.coalesce(
        pl.when(pl.any_horizontal(counting[s] & answers[s].eq_missing(pl.lit(reason)) for s in sources)).then(
            pl.lit(reason)
        )
        for reason in _OF_SEVERAL
    )
    known = pl.any_horizontal(linked[source] & answers[source].is_null() for source in sources)
    return pl.coalesce(worst, pl.when(~known).then(pl.lit("not_configured")))


def _answer(source: SourceName, gap: Reason | None) -> pl.Expr:
    of_source = pl.col(why_column(source))
    if gap is None:
        return of_source
    before_it = ("not_configured", *REASONS[: REASONS.index(gap)])
    return pl.when(of_source.is_in(before_it)).then(of_source).otherwise(pl.lit(gap))


def unknown_column(metric: str) -> str:
    """The column that says why the metric is not known of single accounts; no metric has blanks in its name."""
    return f"unknown {metric}"


def unknowns_by_account(unknowns: pl.DataFrame) -> pl.DataFrame:
    """One row an account, and `unknown_column` of each metric that is unknown of some account.

    `unknowns` has account_id, metric and reason. Of several reasons the first of REASONS.
    """
    order = pl.Enum(REASONS)
    first = unknowns.group_by("account_id", "metric").agg(pl.col("reason").cast(order).min().cast(pl.String))
    wide = first.pivot("metric", index="account_id", values="reason", sort_columns=True)
    return wide.rename({name: unknown_column(name) for name in wide.columns if name != "account_id"})


def first_reason(*answers: pl.Expr) -> pl.Expr:
    """The first of REASONS that one of the answers gives; null where none gives any."""
    said = [answer.cast(pl.Enum(REASONS)) for answer in answers]
    return pl.min_horizontal(*said).cast(pl.String)


def _is_linked(source: SourceName) -> pl.Expr:
    """Whether the account has rows there, or would have if the source could be read."""
    of_source = pl.col(why_column(source))
    return of_source.is_null() | (of_source == "source_failed")

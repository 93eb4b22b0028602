"""Why a metric is null for an account, where the sources that feed it say so: one source, or several together."""

from collections.abc import Mapping, Sequence

import polars as pl

from accountpulse.core.records import Reason, SourceName

_SOURCE_WIDE = ("not_configured", "source_failed")
# of several reasons the first that holds is given; `not_configured` only where nothing else is to be said
_WORST_FIRST: tuple[Reason, ...] = ("source_failed", "field_missing", "too_few", "too_new", "no_evidence", "not_linked")


def why_column(source: SourceName) -> str:
    """The column of why a source says nothing; no metric has blanks in its name."""
    return f"why of {source}"


def outer_reason(
    metric: str, sources: Sequence[SourceName], gaps: Mapping[SourceName, Mapping[str, Reason]]
) -> pl.Expr:
    """Why the metric is not known, whatever its rows say; null where they decide.

    A source's own answer is the widest of: the source as a whole, the metric in it, the account in it. Where several
    feed the metric, those count in which the account is linked: one of them that could not be read, or can't know the
    metric, leaves it unknown, since a part of the account's rows would pass for all of them. A metric that one was not
    asked for (`not_configured`) is known from the others.
    """
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
        for reason in _WORST_FIRST
    )
    known = pl.any_horizontal(linked[source] & answers[source].is_null() for source in sources)
    return pl.coalesce(worst, pl.when(~known).then(pl.lit("not_configured")))


def _answer(source: SourceName, gap: Reason | None) -> pl.Expr:
    of_source = pl.col(why_column(source))
    wide = pl.when(of_source.is_in(_SOURCE_WIDE)).then(of_source)
    return pl.coalesce(wide, pl.lit(gap, pl.String), of_source)


def _is_linked(source: SourceName) -> pl.Expr:
    """Whether the account has rows there, or would have if the source could be read."""
    of_source = pl.col(why_column(source))
    return of_source.is_null() | (of_source == "source_failed")

"""Where data is missing: accounts of each source and tier, told apart by why.

- known: the source was read, the account is linked there, and it holds something of it.
- not_linked: the account has no id in that source, or one that the source doesn't know.
- nothing_there: linked and read, and the source holds no row of it. Counts are then a true 0.
- could_not_look: the source failed in this run, or nothing of it is readable for our user.

A source that is not configured has no line: nobody asked for it.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from accountpulse.core.records import UNREADABLE, Source
from accountpulse.report.details import reason
from accountpulse.report.inputs import MonthlyRun, ReportInput
from accountpulse.scoring.columns import points_of, reason_of
from accountpulse.scoring.explain import NO_EVIDENCE, REASONS

KINDS = ("known", "not_linked", "nothing_there", "could_not_look")


def source_coverage(inputs: ReportInput) -> pl.DataFrame:
    """One row an account and configured source: account_id, tier, arr, source, kind (one of KINDS).

    Where a run kept no evidence, a source is empty that has no value but counts of 0.
    """
    asked = [source for source in inputs.sources if _is_asked(inputs, source)]
    parts = [_of_source(inputs.month, source, inputs.evidence) for source in asked]
    empty = {"account_id": pl.String, "tier": pl.String, "arr": pl.Float64, "source": pl.String, "kind": pl.String}
    return pl.concat([pl.DataFrame(schema=empty), *parts])


def gaps(by_source: pl.DataFrame, tiers: list[str], sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Accounts and ARR of each source and tier, and how many of the accounts are of each kind."""
    arr = pl.when(pl.col("arr").count() > 0).then(pl.col("arr").sum())
    counts = {kind: (pl.col("kind") == kind).sum() for kind in KINDS}
    found = by_source.group_by("source", "tier").agg(accounts=pl.len(), arr=arr, **counts).to_dicts()
    titles = {source.name: source.title for source in sources}
    places = list(titles)
    found.sort(key=lambda row: (places.index(row["source"]), tiers.index(row["tier"])))
    return [{**row, "source": titles[row["source"]]} for row in found]


def missing_metrics(month: MonthlyRun) -> list[dict[str, Any]]:
    """For each metric that some account lacks: how many have it, and how many don't, by the reason in words."""
    made = []
    for leaf in month.card.leaves:
        codes = month.scores.filter(pl.col(points_of(leaf.name)).is_null()).select(reason(month.scores, leaf))
        if codes.is_empty():
            continue
        reasons: dict[str, int] = {}
        for code, count in codes.to_series().value_counts(sort=True).iter_rows():
            words = REASONS.get(code, REASONS["unknown"])
            words = NO_EVIDENCE.get(leaf.name, words) if code == "no_evidence" else words
            reasons[words] = reasons.get(words, 0) + count
        made.append({"metric": leaf.name, "known": month.scores.height - codes.height, "reasons": reasons})
    return made


def _metrics_of(month: MonthlyRun, source: Source) -> list[str]:
    """The metrics of a source that the run measured, whether or not the scorecard counts them."""
    columns = month.scores.columns
    return [
        name
        for name, metric in month.card.catalogue.items()
        if source.feeds(metric.tables) and name in columns and name not in month.card.file.metrics
    ]


def _is_asked(inputs: ReportInput, source: Source) -> bool:
    """Whether the source was configured: it says of some account anything else than that."""
    if inputs.evidence is not None:
        said = inputs.evidence.filter(pl.col("source") == source.name)["reason"]
        return bool((said != "not_configured").fill_null(value=True).any())
    month = inputs.month
    names = [name for name in _metrics_of(month, source) if reason_of(name) in month.scores.columns]
    asked = [(pl.col(reason_of(name)) != "not_configured").fill_null(value=True).any() for name in names]
    return bool(asked) and any(month.scores.select(pl.concat_list(asked)).row(0)[0])


def _of_source(month: MonthlyRun, source: Source, evidence: pl.DataFrame | None) -> pl.DataFrame:
    names = _metrics_of(month, source)
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in names)
    reasons = [pl.col(reason_of(name)) for name in names]
    unread = ~known & pl.any_horizontal(reason.is_in(UNREADABLE) for reason in reasons)
    unlinked = ~known & pl.any_horizontal(reason == "not_linked" for reason in reasons)
    rows = month.scores.select("account_id", "tier", pl.col("arr").cast(pl.Float64), *names, *_reason_columns(names))
    if evidence is None:
        rows = rows.with_columns(own=pl.lit(None, pl.String), rows=pl.lit(None, pl.Int64))
        empty = pl.all_horizontal(_says_nothing(month, name) for name in names)
    else:
        counted = evidence.filter(pl.col("source") == source.name).select("account_id", "rows", own="reason")
        rows = rows.join(counted, on="account_id", how="left", maintain_order="left")
        empty = pl.col("rows").fill_null(1) == 0
    # what the source itself said of the account comes first: its metrics may be known from another source
    own = pl.when(pl.col("own").is_in(UNREADABLE)).then(pl.lit("could_not_look"))
    kind = (
        pl.when(unlinked.fill_null(value=False))
        .then(pl.lit("not_linked"))
        .when(unread.fill_null(value=False))
        .then(pl.lit("could_not_look"))
        .when(empty.fill_null(value=False))
        .then(pl.lit("nothing_there"))
        .otherwise(pl.lit("known"))
    )
    kind = pl.coalesce(own, pl.when(pl.col("own") == "not_linked").then(pl.lit("not_linked")), kind)
    return rows.select("account_id", "tier", "arr", source=pl.lit(source.name), kind=kind)


def _reason_columns(names: list[str]) -> list[str]:
    return [reason_of(name) for name in names]


def _says_nothing(month: MonthlyRun, name: str) -> pl.Expr:
    """No value, or a count of 0; the ratio of nothing to nothing is 1."""
    unit = month.card.catalogue[name].unit
    nothing = {"count": 0.0, "ratio": 1.0}.get(unit)
    value = pl.col(name)
    return value.is_null() if nothing is None else value.is_null() | (value == nothing)

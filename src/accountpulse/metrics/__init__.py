"""From records to numbers about an account: pure, over whole columns, each number with a reason where it is null."""

from collections.abc import Callable, Mapping

import polars as pl

from accountpulse.core.catalogue import Domain, catalogue
from accountpulse.core.period import Scope
from accountpulse.core.records import ACCOUNTS, DOMAINS_OF, SEATS, TABLES, Reason, Rules, Source
from accountpulse.core.spooled import SpooledTable
from accountpulse.metrics import shared
from accountpulse.metrics.bugs import bugs
from accountpulse.metrics.contract import contract
from accountpulse.metrics.shared import Frame, numbered
from accountpulse.metrics.signals import signals
from accountpulse.metrics.support import support
from accountpulse.metrics.usage import usage

__all__ = ["measure"]

Tables = Mapping[str, pl.DataFrame | SpooledTable]
_MEASURE: Mapping[Domain, Callable[[Frame, shared.Tables, Scope, Rules], Frame]] = {
    "support": support,
    "bugs": bugs,
    "usage": usage,
    "contract": contract,
    "signals": signals,
}
_SOURCE_OF: Mapping[Domain, Source] = {domain: source for source, held in DOMAINS_OF.items() for domain in held}
SHARE = 200_000  # rows of a table beyond which accounts are measured in shares: a median needs all its values at once
_SOURCE_WIDE = ("not_configured", "source_failed")


def measure(
    accounts: pl.DataFrame,
    tables: Tables,
    reasons: pl.DataFrame,
    gaps: Mapping[str, Reason],
    *,
    scope: Scope,
    rules: Rules,
) -> pl.DataFrame:
    """Every metric of every account: one row each, sorted by `account_id`.

    `tables` are those of records, with an `account_id` in place of their keys; one that is missing counts as empty,
    a spool is read in pieces.
    `reasons` has a column for each source: why it says nothing of an account, null where it does. `gaps` names
    metrics that nobody can have, and why. Columns: those of ACCOUNTS, then each metric (Float64) and
    `<metric>_reason` (null where there is a value). Of several reasons the widest is given: the source, then
    the metric, then the account, then the metric's own rule. Seats are those of `figures` where an account has any.
    """
    accounts = _with_seats(accounts.select(*ACCOUNTS), tables.get("figures", _empty("figures")))
    shares = 1 + max((table.height for table in tables.values()), default=0) // SHARE
    every = (accounts.gather_every(shares, share) for share in range(shares))
    measured = [_measured(some, tables, reasons, gaps, scope, rules) for some in every]
    return pl.concat(measured).sort("account_id")


def _measured(  # noqa: PLR0917
    accounts: pl.DataFrame,
    tables: Tables,
    reasons: pl.DataFrame,
    gaps: Mapping[str, Reason],
    scope: Scope,
    rules: Rules,
) -> pl.DataFrame:
    """The metrics of some of the accounts, from their rows alone."""
    theirs = pl.col("account_id").is_in(accounts["account_id"].implode())
    frames = {}
    for name in TABLES:
        table = tables.get(name, _empty(name)).lazy()
        frames[name] = numbered(table.filter(theirs) if "account_id" in table.collect_schema() else table)
    known = numbered(accounts)
    result = accounts.lazy()
    for domain in _MEASURE.values():
        result = result.join(domain(known, frames, scope, rules).to_native(), on="account_id", how="left")
    said = reasons.lazy().rename({source: _said(source) for source in DOMAINS_OF})
    result = result.join(said, on="account_id", how="left")
    overlaid = [
        column
        for name, metric in catalogue(rules.pillars, rules.own).items()
        for column in _overlaid(name, _SOURCE_OF[metric.domain], gaps.get(name))
    ]
    # what several metrics read would else be kept whole in memory for them
    plan = pl.QueryOptFlags(comm_subplan_elim=False)
    return result.select(*ACCOUNTS, *overlaid).collect(engine="streaming", optimizations=plan)


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"account_id": pl.String, **TABLES[name]})


def _with_seats(accounts: pl.DataFrame, figures: pl.DataFrame | SpooledTable) -> pl.DataFrame:
    """Seats as usage knows them, added up over an account's keys; where it knows none, the account's own."""
    found = figures.lazy().filter(pl.col("metric") == SEATS).drop_nulls("value")
    counted = found.group_by("account_id").agg(figure=pl.col("value").sum()).collect()
    joined = accounts.join(counted, on="account_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("figure", SEATS).alias(SEATS)).select(*ACCOUNTS)


def _said(source: str) -> str:
    """The column of why a source says nothing; no metric has blanks in its name."""
    return f"why of {source}"


def _overlaid(name: str, source: Source, gap: Reason | None) -> tuple[pl.Expr, pl.Expr]:
    """The metric's two columns, null with the outer reason where there is one."""
    of_source = pl.col(_said(source))
    wide = pl.when(of_source.is_in(_SOURCE_WIDE)).then(of_source)
    outer = pl.coalesce(wide, pl.lit(gap, pl.String), of_source)
    return (
        pl.when(outer.is_null()).then(pl.col(name)).alias(name),
        pl.coalesce(outer, pl.col(f"{name}_reason")).alias(f"{name}_reason"),
    )

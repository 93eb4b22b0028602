"""From records to numbers about an account: pure, over whole columns, each number with a reason where it is null."""

from collections.abc import Callable, Mapping

import polars as pl

from accountpulse.metrics.bugs import bugs
from accountpulse.metrics.contract import contract
from accountpulse.metrics.shared import Frame, Tables, numbered
from accountpulse.metrics.signals import signals
from accountpulse.metrics.support import support
from accountpulse.metrics.usage import usage
from accountpulse.period import Scope
from accountpulse.records import ACCOUNTS, DOMAINS_OF, SEATS, TABLES, Domain, Reason, Rules, Source, catalogue

__all__ = ["measure"]

_MEASURE: Mapping[Domain, Callable[[Frame, Tables, Scope, Rules], Frame]] = {
    "support": support,
    "bugs": bugs,
    "usage": usage,
    "contract": contract,
    "signals": signals,
}
_SOURCE_OF: Mapping[Domain, Source] = {domain: source for source, held in DOMAINS_OF.items() for domain in held}
_SOURCE_WIDE = ("not_configured", "source_failed")


def measure(
    accounts: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    reasons: pl.DataFrame,
    gaps: Mapping[str, Reason],
    *,
    scope: Scope,
    rules: Rules,
) -> pl.DataFrame:
    """Every metric of every account: one row each, sorted by `account_id`.

    `tables` are those of records, with an `account_id` in place of their keys; one that is missing counts as empty.
    `reasons` has a column for each source: why it says nothing of an account, null where it does. `gaps` names
    metrics that nobody can have, and why. Columns: those of ACCOUNTS, then each metric (Float64) and
    `<metric>_reason` (null where there is a value). Of several reasons the widest is given: the source, then
    the metric, then the account, then the metric's own rule. Seats are those of `figures` where an account has any.
    """
    frames = {name: numbered(tables.get(name, _empty(name))) for name in TABLES}
    accounts = _with_seats(accounts.select(*ACCOUNTS), tables.get("figures", _empty("figures")))
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
    return result.select(*ACCOUNTS, *overlaid).sort("account_id").collect()


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"account_id": pl.String, **TABLES[name]})


def _with_seats(accounts: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Seats as usage knows them, added up over an account's keys; where it knows none, the account's own."""
    found = figures.filter(pl.col("metric") == SEATS).drop_nulls("value")
    counted = found.group_by("account_id").agg(figure=pl.col("value").sum())
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

"""From records to numbers about an account: pure, over whole columns, each number with a reason where it is null."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from accountpulse.core.catalogue import Domain, catalogue
from accountpulse.core.period import Scope
from accountpulse.core.records import (
    ACCOUNTS,
    NOT_MEASURED,
    SEATS,
    TABLES,
    Reason,
    Rules,
    Source,
    SourceName,
)
from accountpulse.core.spooled import SpooledTable
from accountpulse.metrics.bugs import measure_bugs
from accountpulse.metrics.contract import measure_contract
from accountpulse.metrics.own import judge_figures
from accountpulse.metrics.reasons import first_reason, outer_reason, unknown_column, unknowns_by_account, why_column
from accountpulse.metrics.shared import Frames, MetricFrame, numbered
from accountpulse.metrics.signals import measure_signals
from accountpulse.metrics.support import measure_support
from accountpulse.metrics.usage import measure_usage

__all__ = ["measure"]

RecordTables = Mapping[str, pl.DataFrame | SpooledTable]
Gaps = Mapping[SourceName, Mapping[str, Reason]]
_MEASURE: Mapping[Domain, Callable[[MetricFrame, Frames, Scope, Rules], MetricFrame]] = {
    "support": measure_support,
    "bugs": measure_bugs,
    "usage": measure_usage,
    "contract": measure_contract,
    "signals": measure_signals,
}
_SHARE = "share of the accounts"  # no column has blanks in its name
SHARE = 200_000  # rows of a table beyond which accounts are measured in shares: a median needs all its values at once


def measure(
    accounts: pl.DataFrame,
    tables: RecordTables,
    reasons: pl.DataFrame,
    gaps: Gaps,
    *,
    unknowns: pl.DataFrame | None = None,
    sources: Sequence[Source],
    scope: Scope,
    rules: Rules,
    share: int = SHARE,
) -> pl.DataFrame:
    """Every metric of every account: one row each, sorted by `account_id`.

    `tables` are those of records, with an `account_id` in place of their keys and, where several sources fill one, the
    row's `source`; one that is missing counts as empty, a spooled one is read in pieces.
    `reasons` has a column for each of `sources`: why it says nothing of an account, null where it does. `gaps` names,
    by source, metrics that nobody can have from it, and why; `unknowns` (account_id, metric, reason) those that single
    accounts can't. Columns: those of ACCOUNTS, then each metric (Float64) and `<metric>_reason` (null where there is a
    value). Of several reasons the first of REASONS is given; metrics/reasons.py says what several sources come to.
    Seats are those of `figures` where an account has any; `dated_figures` are figures, where they are of the time.
    `share` stands in for SHARE.
    """
    tables, unknowns = _with_dated(tables, unknowns, scope, rules)
    accounts = _with_seats(accounts.select(*ACCOUNTS), tables.get("figures", _empty("figures")))
    shares = 1 + max((table.height for table in tables.values()), default=0) // share
    outer = {
        name: outer_reason(name, rules.feeders(metric, sources), gaps)
        for name, metric in catalogue(rules.pillars, rules.own).items()
    }
    said = reasons.rename({source.name: why_column(source.name) for source in sources})
    if unknowns is not None and unknowns.height:
        said = said.join(unknowns_by_account(unknowns), on="account_id", how="left")
    unknown = {name: pl.col(unknown_column(name)) for name in outer if unknown_column(name) in said.columns}
    accounts = accounts.sort("account_id").with_columns((pl.int_range(pl.len()) * shares // pl.len()).alias(_SHARE))
    of_accounts = accounts.select("account_id", _SHARE)
    shared = {name: _shared_out(table, of_accounts, shares) for name, table in tables.items()}
    measured = []
    for number in range(shares):
        some = accounts.filter(pl.col(_SHARE) == number).drop(_SHARE)
        own = {name: parts[number] for name, parts in shared.items()}
        measured.append(_overlaid(_of_domains(some, own, scope, rules), said.lazy(), outer, unknown))
    return pl.concat(measured)  # of accounts in order, each part sorted


def _shared_out(
    table: pl.DataFrame | SpooledTable, of_accounts: pl.DataFrame, shares: int
) -> Sequence[pl.DataFrame | SpooledTable]:
    """A table's rows by the shares of their accounts: in one go, since to look for each share's costs as much as it.

    Tables in memory, and those that name no accounts, are as they are for all shares.
    """
    if isinstance(table, pl.DataFrame) or shares == 1 or "account_id" not in table.columns:
        return [table] * shares
    parts = [SpooledTable(table.columns) for _ in range(shares)]
    for piece in table.pieces():
        theirs = piece.join(of_accounts, on="account_id")
        for (number,), rows in theirs.partition_by(_SHARE, as_dict=True, include_key=False).items():
            parts[number].add(rows)
    return parts


def _with_dated(
    tables: RecordTables, unknowns: pl.DataFrame | None, scope: Scope, rules: Rules
) -> tuple[RecordTables, pl.DataFrame | None]:
    """The tables with dated figures among the others, and what is unknown of them beside what else is."""
    dated = tables.get("dated_figures", _empty("dated_figures")).lazy().collect()
    if dated.is_empty():
        return tables, unknowns
    judged = judge_figures(dated, scope, rules.max_age_days)
    others = tables.get("figures", _empty("figures")).lazy().collect()
    figures = pl.concat([others, judged.figures], how="diagonal")
    known = [] if unknowns is None else [unknowns.select(judged.unknowns.columns)]
    return {**tables, "figures": figures}, pl.concat([*known, judged.unknowns])


def _of_domains(accounts: pl.DataFrame, tables: RecordTables, scope: Scope, rules: Rules) -> pl.LazyFrame:
    """The metrics of some of the accounts, from their rows alone."""
    theirs = pl.col("account_id").is_in(accounts["account_id"].implode())
    frames = {}
    for name in (each for each in TABLES if each not in NOT_MEASURED):
        table = tables.get(name, _empty(name)).lazy()
        columns = table.collect_schema()
        table = table if "source" in columns else table.with_columns(source=pl.lit(""))
        frames[name] = numbered(table.filter(theirs) if "account_id" in columns else table)
    known = numbered(accounts)
    result = accounts.lazy()
    for domain in _MEASURE.values():
        result = result.join(domain(known, frames, scope, rules).to_native(), on="account_id", how="left")
    return result


def _overlaid(
    measured: pl.LazyFrame, said: pl.LazyFrame, outer: Mapping[str, pl.Expr], unknown: Mapping[str, pl.Expr]
) -> pl.DataFrame:
    """The metrics, each null where there is an outer reason, or it is unknown of the account."""
    columns = []
    for name, reason in outer.items():
        is_known, why = reason.is_null(), pl.coalesce(reason, pl.col(f"{name}_reason"))
        if name in unknown:
            is_known &= unknown[name].is_null()
            why = first_reason(reason, unknown[name], pl.col(f"{name}_reason"))
        columns += [pl.when(is_known).then(pl.col(name)).alias(name), why.alias(f"{name}_reason")]
    whole = measured.join(said, on="account_id", how="left").select(*ACCOUNTS, *columns).sort("account_id")
    # what several metrics read would else be kept whole in memory for them
    return whole.collect(engine="streaming", optimizations=pl.QueryOptFlags(comm_subplan_elim=False))


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"account_id": pl.String, **TABLES[name], "source": pl.String})


def _with_seats(accounts: pl.DataFrame, figures: pl.DataFrame | SpooledTable) -> pl.DataFrame:
    """Seats as usage knows them, added up over an account's keys; where it knows none, the account's own.

    Of several sources that count seats, the largest number: they count the same seats.
    """
    found = figures.lazy().filter(pl.col("metric") == SEATS).drop_nulls("value")
    found = found if "source" in found.collect_schema() else found.with_columns(source=pl.lit(""))
    by_source = found.group_by("account_id", "source").agg(pl.col("value").sum())
    counted = by_source.group_by("account_id").agg(figure=pl.col("value").max()).collect()
    joined = accounts.join(counted, on="account_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("figure", SEATS).alias(SEATS)).select(*ACCOUNTS)

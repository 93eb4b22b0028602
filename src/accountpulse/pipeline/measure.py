"""Extracts → every metric of every account, and what is kept beside them for the report."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from accountpulse import accounts, metrics
from accountpulse.accounts import Linked
from accountpulse.core.records import Extract, Problem, Reason, SourceName, frame
from accountpulse.core.spooled import SpooledTable
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.account_urls import account_urls
from accountpulse.pipeline.arr_history import with_own_history
from accountpulse.pipeline.conservation import RowsOf, rows_of, same_accounts
from accountpulse.pipeline.evidence import evidence, open_signals, rows_by_source
from accountpulse.pipeline.opinions import lost_pulses, read_pulses, with_opinions
from accountpulse.pipeline.own_tables import owned_figures
from accountpulse.pipeline.read import Extracts, Reading
from accountpulse.pipeline.run import Run
from accountpulse.scoring.columns import reason_of
from accountpulse.settings import Settings
from accountpulse.state.history import DetailKind
from accountpulse.systems import CRM, SOURCES, SYSTEMS


@dataclass(frozen=True)
class Measured:
    """Every metric of every account that can be scored; `details` are kept beside the history, for the report."""

    metrics: pl.DataFrame
    details: Mapping[DetailKind, pl.DataFrame]
    problems: tuple[Problem, ...]
    rows: tuple[RowsOf, ...] = ()  # where the rows of each table went
    notes: tuple[str, ...] = ()  # lines for the reader
    unlinked: Mapping[SourceName, int] = field(
        default_factory=dict
    )  # accounts without a link, or without what it leads to


def measure_accounts(run: Run, reading: Reading, extracts: Extracts) -> Measured:
    """Who is who, then the metrics. Empties `extracts`: a source's rows needn't stand beside the accounts' own."""
    extracts[CRM] = with_own_history(extracts[CRM], run)
    linked, left_out = link(run.settings, extracts, reading.failed)
    gaps = whole_gaps(run, {name: extract.gaps for name, extract in extracts.items()})
    tables: dict[str, pl.DataFrame | SpooledTable] = {}
    rows: list[pl.DataFrame] = []
    own_rows = owned_figures(reading.tables, linked, extracts[CRM].tables["accounts"])
    unknowns = [own_rows.unknowns]
    hierarchy = extracts[CRM].tables.get("parents", frame("parents"))  # a checkpoint of an earlier version has none
    pulses = read_pulses(run, extracts[CRM])
    conserved: list[RowsOf] = []
    while extracts:
        name, extract = extracts.popitem()
        source = SYSTEMS[name].source
        unknowns.append(accounts.attribute(extract.unknowns, linked, source).rows)
        own = accounts.attribute_all(extract, linked, source)
        conserved += rows_of(extract, own.nobodys)
        rows.append(rows_by_source(own.tables))
        tables |= {table: accounts.united(tables.get(table), more) for table, more in own.tables.items()}
    tables["dated_figures"] = accounts.united(tables.get("dated_figures"), own_rows.figures)
    details: dict[DetailKind, pl.DataFrame] = {
        "evidence": evidence(
            linked.reasons, rows, [source.name for source in SOURCES], account_urls(run.settings, linked)
        ),
        "signals": open_signals(tables["signals"], run.scope.as_of),
        "parents": hierarchy,
    }
    measured, details["pulses"] = with_opinions(run, metrics_of(run, linked, tables, unknowns, gaps), tables, pulses)
    same_accounts(linked.accounts["account_id"], measured["account_id"], "metrics")
    notes = (
        *linked.notes,
        *own_rows.notes,
        *lost_pulses(run, pulses),
        *own_metrics.shortfalls(measured, run.card, run.settings),
    )
    unlinked = _unlinked(run, linked, measured, details["evidence"])
    return Measured(measured, details, (*left_out, *linked.problems), _in_order(conserved), notes, unlinked)


def _unlinked(run: Run, linked: Linked, measured: pl.DataFrame, evidence: pl.DataFrame) -> Mapping[SourceName, int]:
    """Accounts without a known key, by source; also those whose key has no row where rows alone show who is known."""
    counts = dict(linked.unlinked)
    for source in (each for each in SOURCES if each.name in counts and not each.has_accounts):
        silent = evidence.filter((pl.col("source") == source.name) & pl.col("reason").is_null() & (pl.col("rows") == 0))
        names = [reason_of(name) for name, metric in run.card.catalogue.items() if source.feeds(metric.tables)]
        strange = measured.filter(pl.any_horizontal(pl.col(each) == "not_linked" for each in names))
        counts[source.name] += strange.join(silent, on="account_id", how="semi").height
    return counts


def _in_order(rows: list[RowsOf]) -> tuple[RowsOf, ...]:
    places = [source.name for source in SOURCES]
    return tuple(sorted(rows, key=lambda each: places.index(each.source)))


def link(
    settings: Settings, extracts: Mapping[SourceName, Extract], failed: Collection[SourceName]
) -> tuple[Linked, tuple[Problem, ...]]:
    """The accounts of which everything can be read, with their links; and the others: half an account is not scored."""
    crm = extracts[CRM]
    customers = crm.tables["accounts"]
    malformed = pl.col("account_id").is_in(list(crm.malformed))
    struck = customers.filter(malformed)["account_id"]
    left_out = tuple(Problem(each, "accounts", crm.malformed[each]) for each in struck)
    readable = customers.filter(~malformed)
    linked = accounts.link(readable, extracts, SOURCES, settings.configured, failed, link_file=settings.link_file)
    return linked, left_out


def whole_gaps(run: Run, gaps: Mapping[SourceName, Mapping[str, Reason]]) -> dict[SourceName, dict[str, Reason]]:
    """By source, the metrics that nobody can have from it; own metrics that nothing measures are nobody's."""
    unfed = own_metrics.gaps(run.card, run.settings.rules)
    return {source.name: {**gaps.get(source.name, {}), **unfed} for source in SOURCES}


def metrics_of(
    run: Run,
    linked: Linked,
    tables: Mapping[str, pl.DataFrame | SpooledTable],
    unknowns: Iterable[pl.DataFrame],
    gaps: Mapping[SourceName, Mapping[str, Reason]],
) -> pl.DataFrame:
    """The metrics of every linked account, with the scorecard's own; `tables` and `unknowns` are rows of accounts."""
    return metrics.measure(
        linked.accounts,
        tables,
        linked.reasons,
        gaps,
        unknowns=pl.concat(part.select("account_id", "metric", "reason") for part in unknowns),
        sources=SOURCES,
        scope=run.scope,
        rules=replace(run.settings.rules, own=run.card.own),
    )

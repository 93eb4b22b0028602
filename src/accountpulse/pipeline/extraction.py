"""Read every configured source, or take what an earlier run kept of it."""

import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from accountpulse.errors import AccountpulseError, SourceUnavailable
from accountpulse.extractors import EXTRACTORS
from accountpulse.extractors.base import Request
from accountpulse.period import Scope
from accountpulse.pipeline.outcome import Options, Standing, Watch
from accountpulse.pipeline.ticket import Ticket
from accountpulse.records import SOURCES, Extract, Source
from accountpulse.rest.meter import Meter
from accountpulse.settings import Settings
from accountpulse.state import State


def extract_all(
    settings: Settings, options: Options, ticket: Ticket, state: State, watch: Watch
) -> tuple[dict[Source, Extract], dict[Source, Standing]]:
    """Salesforce first, since it knows the accounts and their links; then the others side by side."""
    scope = ticket.scope

    def one(source: Source, keys: tuple[str, ...]) -> tuple[Extract | None, Standing]:
        if options.only and source not in options.only:
            return _from_checkpoint(source, state.checkpoints.load(scope, source))
        if ticket.resumed and (kept := state.checkpoints.load(scope, source, ticket.run_id)) is not None:
            return _from_checkpoint(source, kept)
        extract, standing = _extract(settings, options, scope, source, keys, watch)
        if extract is not None and ticket.writes:
            state.checkpoints.save(scope, extract, ticket.run_id)
        return extract, standing

    first, standing = one("salesforce", ())
    standings: dict[Source, Standing] = {"salesforce": standing}
    extracts: dict[Source, Extract] = {}
    if first is None:
        if standing.error is not None:
            raise standing.error
        return extracts, standings
    extracts["salesforce"] = first
    others = [source for source in SOURCES if source in settings.configured and source != "salesforce"]
    with ThreadPoolExecutor(max_workers=max(1, len(others))) as pool:
        results = list(pool.map(lambda source: one(source, _keys(first, source)), others))
    for source, (extract, standing) in zip(others, results, strict=True):
        standings[source] = standing
        if extract is not None:
            extracts[source] = extract
    for standing in standings.values():  # what must be mended comes before what may pass
        if standing.error is not None and not isinstance(standing.error, SourceUnavailable):
            raise standing.error
    return extracts, standings


def _extract(  # noqa: PLR0917
    settings: Settings, options: Options, scope: Scope, source: Source, keys: tuple[str, ...], watch: Watch
) -> tuple[Extract | None, Standing]:
    meter, begun = Meter(ends=options.ends), time.monotonic()
    watch.begin(source)
    request = Request(settings, scope, keys, lambda done, total: watch.rows(source, done, total), meter)
    extract, error = None, None
    try:
        extract = EXTRACTORS[source](request)
    except AccountpulseError as caught:
        error = caught
    standing = Standing(source, meter, time.monotonic() - begun, _rows(extract), error=error)
    watch.end(source, standing)
    return extract, standing


def _from_checkpoint(source: Source, extract: Extract | None) -> tuple[Extract | None, Standing]:
    return extract, Standing(source, Meter(), 0.0, _rows(extract), from_checkpoint=True)


def _rows(extract: Extract | None) -> dict[str, int]:
    return {} if extract is None else {name: table.height for name, table in extract.tables.items()}


def _keys(extract: Extract, source: Source) -> tuple[str, ...]:
    links = extract.tables["links"].filter(pl.col("source") == source)
    return tuple(links["key"].unique().sort().to_list())

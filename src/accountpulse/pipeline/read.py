"""Read every configured source, or take what an earlier run kept of it."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from accountpulse.accounts import asked_keys
from accountpulse.core.errors import AccountpulseError, SourceUnavailable
from accountpulse.core.period import Scope
from accountpulse.core.records import SOURCES, Extract, Source
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.result import Options, Standing, Watch
from accountpulse.pipeline.run import Ticket
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems import EXTRACTORS, FINDERS
from accountpulse.systems.extraction import PART, CheckpointPart, Extractor, NoPartStore, PartStore, Request
from accountpulse.systems.salesforce.sign_in import announcement


def extract_all(
    settings: Settings, options: Options, ticket: Ticket, state: State, watch: Watch
) -> tuple[dict[Source, Extract], dict[Source, Standing]]:
    """Salesforce first, since it knows the accounts and their links; then the others side by side."""
    scope = ticket.scope

    def one(source: Source, crm: Extract | None = None) -> tuple[Extract | None, Standing]:
        if options.only and source not in options.only:
            return _from_checkpoint(source, _kept(settings, source, crm, state.checkpoints.load(scope, source)))
        resumed = state.checkpoints.load(scope, source, ticket.run_id) if ticket.resumed else None
        if (kept := _kept(settings, source, crm, resumed)) is not None:
            return _from_checkpoint(source, kept)
        parts = _RunParts(state, ticket, source) if ticket.writes else NoPartStore()
        extract, standing = _extract(settings, options, scope, source, crm, watch, parts)
        if extract is not None and ticket.writes:
            state.checkpoints.save(scope, extract, ticket.run_id)
        return extract, standing

    first, standing = one("salesforce")
    standings: dict[Source, Standing] = {"salesforce": standing}
    extracts: dict[Source, Extract] = {}
    if first is None:
        if standing.error is not None:
            raise standing.error
        return extracts, standings
    extracts["salesforce"] = first
    others = [source for source in SOURCES if source in settings.configured and source != "salesforce"]
    with ThreadPoolExecutor(max_workers=max(1, len(others))) as pool:
        results = list(pool.map(lambda source: one(source, first), others))
    for source, (extract, standing) in zip(others, results, strict=True):
        standings[source] = standing
        if extract is not None:
            extracts[source] = extract
    for standing in standings.values():  # what must be mended comes before what may pass
        if standing.error is not None and not isinstance(standing.error, SourceUnavailable):
            raise standing.error
    return extracts, standings


def _extract(  # noqa: PLR0917
    settings: Settings,
    options: Options,
    scope: Scope,
    source: Source,
    crm: Extract | None,
    watch: Watch,
    parts: PartStore,
) -> tuple[Extract | None, Standing]:
    budget, begun = RequestBudget(ends=options.ends), time.monotonic()
    if source == "salesforce":
        watch.say(announcement(settings.salesforce))
    watch.begin(source)
    request = Request(settings, scope, (), lambda done, total: watch.rows(source, done, total), budget, parts)
    extract, error = None, None
    try:
        extract = EXTRACTORS[source](request) if crm is None else with_links(request, source, crm, EXTRACTORS)
    except AccountpulseError as caught:
        error = caught
    standing = Standing(source, budget, time.monotonic() - begun, _rows(extract), error=error)
    watch.end(source, standing)
    return extract, standing


@dataclass(frozen=True)
class _RunParts:
    """PartStore of one source in the state; those of another run don't count."""

    state: State
    ticket: Ticket
    source: Source
    size: int = PART

    def kept(self) -> Iterator[CheckpointPart]:
        """Only a run that is gone on with has any."""
        if self.ticket.resumed:
            found = self.state.checkpoints.parts(self.ticket.scope, self.source, self.ticket.run_id)
            for spools, facts in found:
                yield CheckpointPart(
                    tuple((name, start, end) for name, start, end in facts.pop("stretches")), spools, facts
                )

    def keep(self, part: CheckpointPart) -> None:
        """Named after its first stretch, which no other part has."""
        name = "-".join(map(str, part.stretches[0]))
        facts = {"stretches": part.stretches, **part.facts}
        self.state.checkpoints.save_part(self.ticket.scope, self.source, self.ticket.run_id, name, part.spools, facts)


def _from_checkpoint(source: Source, extract: Extract | None) -> tuple[Extract | None, Standing]:
    return extract, Standing(source, RequestBudget(), 0.0, _rows(extract), from_checkpoint=True)


def _kept(settings: Settings, source: Source, crm: Extract | None, extract: Extract | None) -> Extract | None:
    """A checkpoint, unless the accounts have keys by now that its source was not asked for: no rows are no zero."""
    if extract is None or crm is None:
        return extract
    wanted = asked_keys(crm.tables["links"], source, extract.found_keys, settings.link_file)
    return extract if set(wanted) <= set(extract.asked) else None


def _rows(extract: Extract | None) -> dict[str, int]:
    return {} if extract is None else extract.rows


def with_links(request: Request, source: Source, crm: Extract, readers: Mapping[Source, Extractor]) -> Extract:
    """What a reader of the source says about the keys of the accounts, found by an attribute where a rule says so."""
    finder = FINDERS.get(source)
    found = finder(request) if finder is not None else Extract(source, {})
    keys = asked_keys(crm.tables["links"], source, found.found_keys, request.settings.link_file)
    extract = readers[source](replace(request, keys=keys)) if source in readers else Extract(source, {})
    return replace(extract, notes=(*found.notes, *extract.notes), found_keys=found.found_keys, asked=keys)

"""Read every configured source, or take what an earlier run kept of it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from accountpulse.accounts import asked_keys
from accountpulse.core import memory
from accountpulse.core.errors import AccountpulseError, OutOfTime, SourceUnavailable
from accountpulse.core.records import Extract, SourceName
from accountpulse.core.spooled import PART, CheckpointPart, NoPartStore, PartStore
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.own_tables import TableReading, read_tables
from accountpulse.pipeline.run import Run, begun_at
from accountpulse.pipeline.watch import SourceStatus
from accountpulse.scoring.caps import OF_TABLE
from accountpulse.systems import CRM, SYSTEMS
from accountpulse.systems.extraction import ExtractRequest

Extracts = dict[SourceName, Extract]


@dataclass(frozen=True)
class Reading:
    """What came of reading: how each source stands, and why the run ends here, if it does."""

    statuses: Mapping[SourceName, SourceStatus]
    notes: tuple[str, ...] = ()
    stopped: str | None = None
    out_of_time: bool = False
    tables: tuple[TableReading, ...] = ()  # of own metrics

    @property
    def failed(self) -> tuple[SourceName, ...]:
        """The configured sources that could not be read."""
        return tuple(source for source, status in self.statuses.items() if status.error is not None)

    @property
    def unread(self) -> tuple[str, ...]:
        """Whatever should have been read and could not be: sources, and own metrics whose tables failed."""
        return (*self.failed, *(f"{OF_TABLE}{each.metric}" for each in self.tables if each.error is not None))


@dataclass
class SourceReader:
    """Reads the sources of one run. `look_up`: only ask which of the accounts' keys they know."""

    run: Run
    look_up: bool = False
    extracts: Extracts = field(default_factory=dict)
    statuses: dict[SourceName, SourceStatus] = field(default_factory=dict)

    def read_all(self) -> None:
        """The one that has the accounts first, since it knows the links; then the others side by side.

        What must be mended (credentials, settings) is raised, before what may pass; so is anything of the first one.
        """
        self.read(CRM)
        if (error := self.statuses[CRM].error) is not None:
            raise error
        if CRM not in self.extracts:
            return
        memory.trim()  # its records, before those of the others come
        others = [name for name in self.run.settings.configured if name != CRM]
        pool, stopped = ThreadPoolExecutor(max_workers=max(1, len(others))), False
        try:
            list(pool.map(self._read, others))
        except KeyboardInterrupt:  # the process ends: what is under way may take longer than it is given
            stopped = True
            raise
        finally:
            pool.shutdown(wait=not stopped, cancel_futures=stopped)
        # in the order of the flow, whichever came first
        self.statuses = {name: self.statuses[name] for name in (CRM, *others)}
        self.extracts = {name: self.extracts[name] for name in (CRM, *others) if name in self.extracts}
        for status in self.statuses.values():
            if status.error is not None and not isinstance(status.error, SourceUnavailable):
                raise status.error

    def read(self, name: SourceName) -> SourceStatus:
        """One source; the others need the extract of the one that has the accounts."""
        self._read(name)
        return self.statuses[name]

    def _read(self, name: SourceName) -> None:
        extract, self.statuses[name] = self._from_checkpoint(name) or self._afresh(name)
        if extract is not None:
            self.extracts[name] = extract

    def _from_checkpoint(self, name: SourceName) -> tuple[Extract | None, SourceStatus] | None:
        """What an earlier process kept, where it stands for reading; None: read it afresh."""
        run, checkpoints = self.run, self.run.state.checkpoints
        not_asked_for = bool(run.request.only) and name not in run.request.only
        if not (not_asked_for or run.resumed):
            return None
        extract = self._usable(name, checkpoints.load(run.scope, name, None if not_asked_for else run.run_id))
        if extract is None and not not_asked_for:
            return None
        read_at = begun_at(checkpoints.run_of(run.scope, name))
        rows = {} if extract is None else extract.rows
        return extract, SourceStatus(name, RequestBudget(), 0.0, rows, from_checkpoint=True, read_at=read_at)

    def _usable(self, name: SourceName, extract: Extract | None) -> Extract | None:
        """A checkpoint, unless the accounts have keys by now that its source was not asked for: no rows are no zero."""
        if extract is None or set(extract.rows) != set(SYSTEMS[name].tables):
            return None
        if name == CRM:
            return extract
        return extract if set(self._keys(name, extract)) <= set(extract.asked) else None

    def _afresh(self, name: SourceName) -> tuple[Extract | None, SourceStatus]:
        run, budget, begun = self.run, self.run.budget(), time.monotonic()
        system, connection = SYSTEMS[name], self.run.settings.connection(name)
        if system.announce is not None:
            run.watch.say(system.announce(connection.access))
        run.watch.begin(name)
        parts: PartStore = _RunParts(run, name) if run.may_write else NoPartStore()
        request = ExtractRequest(connection, run.scope, (), partial(run.watch.rows, name), budget, parts, run.now)
        extract, error = None, None
        try:
            extract = self._extract(name, request)
        except AccountpulseError as caught:
            error = caught
        rows = {} if extract is None else extract.rows
        read_at = run.now if error is None else None
        status = SourceStatus(name, budget, time.monotonic() - begun, rows, error=error, read_at=read_at)
        run.watch.end(name, status)
        if extract is not None and run.may_write:
            run.state.checkpoints.save(run.scope, extract, run.run_id)
        return extract, status

    def _extract(self, name: SourceName, request: ExtractRequest[Any, Any]) -> Extract:
        """What the source says of the accounts' keys, found by an attribute where a rule says so."""
        system = SYSTEMS[name]
        reader = system.extract if name == CRM or not self.look_up else system.look_up
        if name == CRM:
            return reader(request) if reader is not None else Extract(name, {})
        found = system.find(request) if system.find is not None else Extract(name, {})
        keys = self._keys(name, found)
        extract = reader(replace(request, keys=keys)) if reader is not None else Extract(name, {})
        return replace(extract, notes=(*found.notes, *extract.notes), found_keys=found.found_keys, asked=keys)

    def _keys(self, name: SourceName, found: Extract) -> tuple[str, ...]:
        links, link_file = self.extracts[CRM].tables["links"], self.run.settings.link_file
        return asked_keys(links, SYSTEMS[name].source, found.found_keys, link_file)


def read_sources(run: Run) -> tuple[Reading, Extracts]:
    """Every configured source. The extracts are handed over: who measures them lets go of them one by one."""
    tables = read_tables(run.settings, run.card)  # first: a mistake in one is told before minutes of reading
    reader = SourceReader(run)
    reader.read_all()
    statuses = reader.statuses
    late = next((status.error for status in statuses.values() if isinstance(status.error, OutOfTime)), None)
    stopped = str(late) if late is not None else _reason_to_stop(run, statuses, tables)
    notes = tuple(f"{name}: {note}" for name, extract in reader.extracts.items() for note in extract.notes)
    return Reading(statuses, notes, stopped, late is not None, tables), reader.extracts


def _reason_to_stop(
    run: Run, statuses: Mapping[SourceName, SourceStatus], tables: Sequence[TableReading]
) -> str | None:
    failed = [name for name, status in statuses.items() if status.error is not None]
    absent = [name for name in run.settings.configured if name not in statuses or not statuses[name].rows]
    without = ", ".join(name for name in absent if name not in failed)
    if without:
        what = f"There is no checkpoint of {without} for this period and the present links"
        return f"{what}: nothing was scored or written. Run without --only."
    failed += [each.place for each in tables if each.error is not None]
    if failed and not run.request.allow_partial:
        names = ", ".join(dict.fromkeys(failed))
        return f"{names} could not be read: nothing was written. Run again later, or with --allow-partial."
    return None


@dataclass(frozen=True)
class _RunParts:
    """Parts of one source in the state; those of another run don't count."""

    run: Run
    source: SourceName
    size: int = PART

    def kept(self) -> Iterator[CheckpointPart]:
        """Only a run that is gone on with has any."""
        if self.run.resumed:
            for spools, facts in self.run.state.checkpoints.parts(self.run.scope, self.source, self.run.run_id):
                stretches = tuple((name, start, end) for name, start, end in facts.pop("stretches"))
                yield CheckpointPart(stretches, spools, facts)

    def keep(self, part: CheckpointPart) -> None:
        """Named after its first stretch, which no other part has."""
        name = "-".join(map(str, part.stretches[0]))
        facts = {"stretches": part.stretches, **part.facts}
        self.run.state.checkpoints.save_part(
            self.run.scope, self.source, self.run.run_id, name, spools=part.spools, facts=facts
        )

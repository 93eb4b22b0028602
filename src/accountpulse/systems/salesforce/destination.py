"""Salesforce as a destination: one record of the target object an account and month."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from accountpulse.core.records import ScoreRecords
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection
from accountpulse.systems.destination import LoadResult, Requirement
from accountpulse.systems.salesforce import load as loading
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.load_plan import Plan, Record, plan, too_narrow, writable
from accountpulse.systems.salesforce.record import KEY, payload
from accountpulse.systems.salesforce.settings import SalesforceAccess, SalesforceMapping

CLOCK_WARNING, CLOCK_BAD = 60.0, 180.0  # seconds


@dataclass
class SalesforceDestination:
    """Writes to `salesforce.target`. Signs in at the first question, or goes on with the extraction's session."""

    connection: Connection[SalesforceAccess, SalesforceMapping]
    budget: RequestBudget = field(default_factory=RequestBudget)
    title: str = "Salesforce"

    @cached_property
    def _org(self) -> Org:
        return Org.connect(self.connection.access, self.budget, self.connection.ca_bundle)

    def sent(self, records: ScoreRecords) -> pl.DataFrame:
        """As Destination says: the fields by their API names."""
        return self._payload(records)

    def _payload(self, records: ScoreRecords) -> pl.DataFrame:
        return payload(records).rename({KEY: self.connection.mapping.target.external_id})

    def requirements(self, dimensions: tuple[str, ...], tiers: tuple[str, ...] = ()) -> Iterator[Requirement]:
        """As Destination says: the object's fields, this machine's clock, and the day's API calls."""
        target = self.connection.mapping.target
        fields, notes = writable(self._org, target, self._payload(ScoreRecords.none(dimensions)).schema)
        yield from _clock(self._org.ahead)
        if (left := self._org.allowance) is not None:
            kept = self.connection.mapping.daily_calls_reserve
            calls = f"{left.total - left.used:,} of {left.total:,} API calls of the day are left"
            yield Requirement("good", "quota", f"{calls}; a run needs {kept:g} % of them free")
        narrow = list(too_narrow(fields, target.external_id, tiers))
        for each in narrow:
            text = f"{target.object}.{each.text}; records with more are refused, see `accountpulse docs salesforce`"
            yield Requirement("bad" if each.always else "warning", "load", text, 4 if each.always else 0)
        if not narrow:
            yield Requirement("good", "load", f"{target.object} takes every field that is written")
        for note in notes:
            yield Requirement("warning", "load", note)

    def plan(self, records: ScoreRecords) -> Plan:
        """As Destination says."""
        return plan(self._org, self.connection.mapping.target, self._payload(records), records.former)

    def load(self, made: Plan) -> LoadResult:
        """As Destination says: upsert by external id, every record's own result read."""
        return loading.load(self._org, self.connection.mapping.target, made)

    def verify(self, result: LoadResult) -> str | None:
        """As Destination says: the org's own count of this run's records."""
        if result.found == result.expected:
            return None
        return f"Salesforce holds {result.found:,} records of this run, but {result.expected:,} were written."

    def read_back(self, run_id: str) -> list[Record]:
        """The records that the org holds of a run: key, score and tier."""
        return loading.read_back(self._org, self.connection.mapping.target, run_id)


def _clock(ahead: float | None) -> Iterator[Requirement]:
    """Signed requests (JWT bearer, AWS) are refused where clocks differ by minutes; so is a period's end wrong."""
    if ahead is None or abs(ahead) < CLOCK_WARNING:
        return
    bad = abs(ahead) >= CLOCK_BAD
    way = "ahead of" if ahead > 0 else "behind"
    text = f"this machine's clock is {abs(ahead):,.0f} s {way} Salesforce's: set it (NTP)"
    yield Requirement("bad" if bad else "warning", "clock", text, 3 if bad else 0)

"""`make load-faults`: loads of many accounts whose answers are lost or wrong, and what each says against the org.

    python -m faults.loads [--accounts N]... [--rounds N] [--seed N]

Each round breaks one to three requests of a load, then loads again in peace. A report is right where what it says was
written is what the org holds; after the second load the org holds every record once, as it was sent, and no job is
left at work.
"""

import argparse
import copy
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from accountpulse import settings
from accountpulse.core.errors import AccountpulseError
from accountpulse.sandbox.server import Call, Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.systems.salesforce.load import load
from accountpulse.systems.salesforce.settings import Target
from accountpulse.systems.salesforce.writes import UNFINISHED
from support import NOW
from systems.salesforce.test_load import JSON, Crm, scores

AGAIN = {"Retry-After": "0"}
READ = ("Run_Id__c", "SELECT+COUNT", "jobs/ingest")  # what a load asks, by a part of its path
COLLECTIONS, JOBS = ("composite",), ("jobs/ingest", "batches", "Results")  # and what it writes by
ANSWERS: tuple[tuple[int, dict[str, str], bytes], ...] = (
    (500, AGAIN, b""), (503, AGAIN, b""), (429, AGAIN, b""), (400, JSON, b"[]"), (403, JSON, b"[]"), (404, JSON, b"[]"),
    (200, JSON, b""), (200, JSON, b"[]"), (200, JSON, b"null"), (200, {"Content-Type": "text/html"}, b"<html>soon"),
)  # fmt: skip


class Planned(list[Call]):
    """The sandbox's log, which puts a fault in place when its number of writing calls has been seen."""

    def __init__(self, sandbox: Sandbox, faults: list[tuple[int, Fault]]) -> None:
        super().__init__()
        self._sandbox, self._faults, self._seen = sandbox, sorted(faults, key=lambda each: each[0]), 0

    def append(self, call: Call) -> None:
        super().append(call)
        self._seen += call.method != "GET"
        while self._faults and self._faults[0][0] <= self._seen:
            self._sandbox.faults.append(self._faults.pop(0)[1])


def drawn(chance: random.Random, written_by: tuple[str, ...], writes: int) -> list[tuple[int, Fault]]:
    """One to three faults, each after some of the load's writing calls, some of them lasting."""
    found = []
    for _ in range(chance.randint(1, 3)):
        status, headers, body = chance.choice(ANSWERS)
        is_write = chance.random() < 0.7
        path, times = chance.choice(written_by if is_write else READ), chance.choice((1, 1, 2, 10**6))
        fault = Fault("salesforce", status, headers, body, times, path, after=chance.random() < 0.5)
        found.append((chance.randint(0, writes), fault))
    return found


def judged(crm: Crm, records: Any, target: Target, faults: list[tuple[int, Fault]]) -> tuple[str, list[str]]:
    """How a load under faults ended, and everything that is wrong with what it said or left."""
    crm.objects["Health_Score__c"].rows.clear()
    crm.sandbox.log = Planned(crm.sandbox, faults)
    crm.budget.patience, crm.budget.waited = 2.0, 0.0
    refused, end, least, wrong = set(crm.behaviour.refused), "refused", False, []
    said = 0
    try:
        result = load(crm.org, target, crm.plan(records, target), crm.slept.append)
        end, said, least = "whole" if result.broken is None else "broken off", result.written, result.unseen is None
        there = set(records["Account__c"]) - {row["Account__c"] for row in crm.rows.values()}
        if result.broken is None and not (there == refused == {each.account_id for each in result.refused}):
            wrong.append(f"called whole: {len(there):,} are not there, {len(result.refused):,} are said to be refused")
    except AccountpulseError:  # says that nothing was written
        pass
    if said > len(crm.rows) or (said < len(crm.rows) and not least):
        wrong.append(f"{end}: it says {said:,}, the org holds {len(crm.rows):,}")
    end = f"{end}, written: at least" if least else end
    return end, [*wrong, *in_peace(crm, records, target)]


def in_peace(crm: Crm, records: Any, target: Target) -> Iterator[str]:
    """What is wrong after the same load again, without faults."""
    crm.sandbox.faults.clear()
    crm.behaviour.refused.clear()
    crm.behaviour.locked.clear()
    crm.sandbox.log = []
    crm.budget.waited = 0.0
    before = len(crm.rows)
    result = load(crm.org, target, crm.plan(records, target), crm.slept.append)
    rows = crm.objects["Health_Score__c"].rows
    if result.broken is not None or len(rows) != len(crm.rows) or len(rows) != records.height:
        yield f"after the second load: {len(rows):,} rows, {len(crm.rows):,} keys of {records.height:,}"
    if (result.created, result.unchanged) != (records.height - before, before):
        yield f"the second load: {result.created:,} created, {result.unchanged:,} unchanged; {before:,} were there"
    sent = dict(zip(records["External_Key__c"], records["Health_Score__c"], strict=True))
    if {row["External_Key__c"]: row["Health_Score__c"] for row in rows} != sent:
        yield "a record differs from what was sent"
    listed = crm.org.client.restful("jobs/ingest")["records"]
    if left := [job["id"] for job in listed if job["state"] in UNFINISHED]:
        yield f"jobs are left at work: {left}"


def rounds(count: int, how_many: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """How each load ended, and what was wrong with it; some records are locked or refused in every third round."""
    chance = random.Random(seed)
    with (
        Sandbox(copy.deepcopy(build(seed=7, accounts=1, until=NOW))) as running,
        tempfile.TemporaryDirectory() as folder,
    ):
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": f"{folder}/state"})
        crm = Crm(running, lambda *_args, **_changes: loaded)
        ids = crm.accounts(count)
        records = scores(ids, health_score=[chance.randint(0, 10_000) / 100 for _ in range(count)])
        for number in range(how_many):
            target = Target(bulk_above=chance.choice((0, 1_000_000)) if count < 5_000 else 5_000)
            faults = drawn(chance, JOBS, 3) if target.bulk_above < count else drawn(chance, COLLECTIONS, count // 200)
            if number % 3 == 0:
                crm.behaviour.refused.update(chance.sample(ids, 5))
                crm.behaviour.locked.update(dict.fromkeys(set(chance.sample(ids, 5)) - crm.behaviour.refused, 2))
            end, wrong = judged(crm, records, target, faults)
            yield end, [f"{count:,} accounts, round {number}, {target.bulk_above}: {each}; {faults}" for each in wrong]


def main() -> int:
    """Run the rounds, and print how the loads ended and what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m faults.loads")
    parser.add_argument("--accounts", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = 0
    for count in given.accounts or (700, 20_000):
        ends: Counter[str] = Counter()
        begun = time.monotonic()
        for end, wrong in rounds(count, given.rounds, given.seed):
            ends[end] += 1
            found += len(wrong)
            print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
        print(f"{count:,} accounts: {given.rounds} loads, {dict(ends)}; {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{found} reports or ends differ from the org")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

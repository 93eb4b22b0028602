"""Records → Salesforce: upsert by external id, every record's own result read, and the org counted afterwards."""

import random
import time
from collections.abc import Sequence

from accountpulse.core.records import Problem
from accountpulse.http.retry import backoff
from accountpulse.systems.destination import LoadResult
from accountpulse.systems.salesforce.client import Org, format_soql
from accountpulse.systems.salesforce.field_check import held
from accountpulse.systems.salesforce.load_plan import Plan, Record, folded, plan
from accountpulse.systems.salesforce.record import CURRENT
from accountpulse.systems.salesforce.settings import Target
from accountpulse.systems.salesforce.writes import Answer, Sleep, bulk, collections, end_job

LOCK_TRIES = 4  # of one record, the first one included
LOCK_WAIT = 1.0  # seconds, doubled each time, with jitter
COUNT = "SELECT COUNT() FROM {object} WHERE Run_Id__c = {run}"
PAGE = "SELECT Id, {fields} FROM {object} WHERE Run_Id__c = {run}"


def load(org: Org, target: Target, made: Plan, sleep: Sleep = time.sleep) -> LoadResult:
    """Carry the plan out. A locked record is tried again; any other refusal is listed with the org's words.

    The mark of the current month moves last, and only for accounts whose record is in the org: a load that breaks off
    leaves two marks, which the next one mends, and never none.

    What an earlier load has left at work is ended first, and the plan made again: the org may hold others by then.
    """
    if made.unfinished:
        for job in made.unfinished:
            end_job(org, job, sleep)
        made = plan(org, target, made.records)
    result = LoadResult(unchanged=len(made.unchanged), refused=list(made.refused))
    new = {folded(row[target.external_id]) for row in made.create}
    # neighbours of one account in one call don't lock each other
    rows = sorted((*made.create, *made.update), key=lambda row: (row["Account__c"], row[target.external_id]))
    there = {row["Account__c"] for row in made.unchanged}
    of_this_run = set(made.carried)
    for row, answer in zip(rows, _write(org, target, rows, sleep), strict=True):
        if answer.text:
            result.refused.append(Problem(row["Account__c"], "load", answer.text))
            continue
        there.add(row["Account__c"])
        of_this_run.add(folded(row[target.external_id]))
        # a repeated call whose first answer was lost says "updated" of what it has created
        created = answer.created or folded(row[target.external_id]) in new
        result.created += created
        result.updated += not created
    _move_mark(org, target, [row for row in made.outdated if row["Account__c"] in there], result, sleep)
    if made.run_id is not None:
        query = COUNT.format(object=target.object, run=format_soql("{}", made.run_id))
        result.expected, result.found = len(of_this_run), org.count(query, target.object)
        if result.found != result.expected:
            result.found = org.count(query, target.object)
    return result


def _move_mark(org: Org, target: Target, outdated: Sequence[Record], result: LoadResult, sleep: Sleep) -> None:
    rows = [{target.external_id: row[target.external_id], CURRENT: False} for row in outdated]
    for row, answer in zip(outdated, _write(org, target, rows, sleep), strict=True):
        if answer.text:
            text = f"its record of {row['Period__c']} is still marked as current: {answer.text}"
            result.stuck.append(Problem(row["Account__c"], "load", text))


def _write(org: Org, target: Target, rows: Sequence[Record], sleep: Sleep) -> list[Answer]:
    """The org's last answer to each record; those that met a lock are sent again, a few times."""
    answers = _send(org, target, rows, sleep)
    for attempt in range(1, LOCK_TRIES):
        locked = [place for place, answer in enumerate(answers) if answer.locked]
        if not locked:
            break
        sleep(backoff(LOCK_WAIT, attempt, random.random(), spread=1.0))  # noqa: S311
        again = _send(org, target, [rows[place] for place in locked], sleep)
        for place, answer in zip(locked, again, strict=True):
            answers[place] = answer
    return answers


def _send(org: Org, target: Target, rows: Sequence[Record], sleep: Sleep) -> list[Answer]:
    if len(rows) > target.bulk_above:
        return bulk(org, target.object, target.external_id, rows, sleep=sleep)
    return collections(org, target.object, target.external_id, rows)


def read_back(org: Org, target: Target, run_id: str) -> list[Record]:
    """The records that the org holds of a run: key, score and tier."""
    names = (target.external_id, "Health_Score__c", "Tier__c")
    query = PAGE.format(fields=", ".join(names), object=target.object, run=format_soql("{}", run_id))
    fields = {name: (org.describe(target.object) or {}).get(name) for name in names}
    return [{name: row[name] for name in names} for row in held(org, target.object, fields, query)]

"""Records → Salesforce: upsert by external id, every record's own result read, and the org counted afterwards."""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

import polars as pl

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.records import Problem
from accountpulse.http.retry import backoff
from accountpulse.systems.destination import LoadResult
from accountpulse.systems.salesforce.client import Org, format_soql
from accountpulse.systems.salesforce.field_check import held
from accountpulse.systems.salesforce.load_plan import Plan, Record, folded, plan
from accountpulse.systems.salesforce.record import CURRENT, OWNER
from accountpulse.systems.salesforce.settings import Target
from accountpulse.systems.salesforce.writes import Answer, Sleep, bulk, collections, end_job

LOCK_TRIES = 4  # of one record, the first one included
CROSS_REFERENCE = "CROSS_REFERENCE"  # in the codes of refusals of an id that a lookup holds
LOCK_WAIT = 1.0  # seconds, doubled each time, with jitter
COUNT = "SELECT COUNT() FROM {object} WHERE Run_Id__c = {run}"
PAGE = "SELECT Id, {fields} FROM {object} WHERE Run_Id__c = {run}"


def load(org: Org, target: Target, made: Plan, sleep: Sleep = time.sleep) -> LoadResult:
    """Carry the plan out. A locked record is tried again; any other refusal is listed with the org's words.

    The mark of the current month moves last, and only for accounts whose record is in the org: a load that breaks off
    leaves two marks, which the next one mends, and never none.

    What an earlier load has left at work is ended first, and the plan made again: the org may hold others by then.

    What ends the load before its end raises where nothing was written, else it is the result's `broken`.
    """
    if made.unfinished:
        for job in made.unfinished:
            end_job(org, job, sleep)
        made = plan(org, target, made.records, made.no_customers)
    result = LoadResult(unchanged=len(made.unchanged), refused=list(made.refused))
    # neighbours of one account in one call don't lock each other
    key = target.external_id
    rows = pl.concat([made.create, made.update]).sort("Account__c", key)
    answers: dict[int, Answer] = {}
    try:
        _write(org, target, rows, answers, sleep)
        result.notes += _write_without_owner(org, target, rows, answers, sleep)
    except AccountpulseError as error:
        result.broken = error
    written = _tally(target, made, rows, answers, result)
    of_this_run = made.carried.union(folded(written[key]))
    if result.broken is None:
        try:
            _move_mark(org, target, pl.concat([_replaced(made, written), made.former]), result, sleep)
            _count(org, target, made, len(of_this_run), result)
        except AccountpulseError as error:
            result.broken = error
    if result.broken is not None:
        _count_unseen(org, target, made, len(of_this_run), result)
        if not result.written and result.unseen is not None:
            raise result.broken
    return result


def _tally(
    target: Target, made: Plan, rows: pl.DataFrame, answers: Mapping[int, Answer], result: LoadResult
) -> pl.DataFrame:
    """Put what the org answered into the result; the records that it took."""
    new = set(folded(made.create[target.external_id]))
    accounts, keys = rows["Account__c"], folded(rows[target.external_id])
    written = []
    for place, answer in sorted(answers.items()):
        if answer.text:
            result.refused.append(Problem(accounts[place], "load", answer.text))
            continue
        written.append(place)
        # a repeated call whose first answer was lost says "updated" of what it has created
        created = answer.created or keys[place] in new
        result.created += created
        result.updated += not created
    return rows[written]


def _replaced(made: Plan, written: pl.DataFrame) -> pl.DataFrame:
    """The older months' marked records of accounts whose record of this month is in the org."""
    there = pl.concat([made.unchanged["Account__c"], written["Account__c"]])
    return made.outdated.filter(pl.col("Account__c").is_in(there.implode()))


def _count(org: Org, target: Target, made: Plan, expected: int, result: LoadResult) -> None:
    """How many records of this run the org holds, by its own count."""
    if made.run_id is None:
        return
    query = COUNT.format(object=target.object, run=format_soql("{}", made.run_id))
    result.expected, result.found = expected, org.count(query, target.object)
    if result.found != result.expected:
        result.found = org.count(query, target.object)


def _count_unseen(org: Org, target: Target, made: Plan, expected: int, result: LoadResult) -> None:
    """What a load that broke off has written without a word to us: a bulk job's beginning, or a call without answer."""
    result.unseen = None if made.run_id else 0
    with suppress(AccountpulseError), org.budget.without_waiting():
        _count(org, target, made, expected, result)
        result.unseen = max(0, result.found - result.expected)


def _move_mark(org: Org, target: Target, outdated: pl.DataFrame, result: LoadResult, sleep: Sleep) -> None:
    rows = outdated.select(target.external_id, pl.lit(value=False).alias(CURRENT))
    answers: dict[int, Answer] = {}
    _write(org, target, rows, answers, sleep)
    for place, answer in sorted(answers.items()):
        if answer.text:
            row = outdated.row(place, named=True)
            text = f"its record of {row['Period__c']} is still marked as current: {answer.text}"
            result.stuck.append(Problem(row["Account__c"] or row[target.external_id], "load", text))


def _write(org: Org, target: Target, rows: pl.DataFrame, answers: dict[int, Answer], sleep: Sleep) -> None:
    """Put the org's last answer to each record into `answers`; those that met a lock are sent again, a few times."""
    places = list(range(rows.height))
    for attempt in range(LOCK_TRIES):
        if attempt:
            sleep(backoff(LOCK_WAIT, attempt, random.random(), spread=1.0))  # noqa: S311
        answered = iter(places)
        for part in _send(org, target, rows[places] if attempt else rows, sleep):
            answers.update({place: answer for answer, place in zip(part, answered, strict=False)})
        places = [place for place in places if answers[place].locked]
        if not places:
            break


def _write_without_owner(
    org: Org, target: Target, rows: pl.DataFrame, answers: dict[int, Answer], sleep: Sleep
) -> tuple[str, ...]:
    """Once more, those whose owner the org may have refused: a user that it doesn't take costs no account its score."""
    if OWNER not in rows.columns:
        return ()
    owners = rows[OWNER]
    refused = {place: answer.text for place, answer in sorted(answers.items()) if answer.text}
    places = [place for place, text in refused.items() if owners[place] is not None and _may_be_owner(text)]
    if not places:
        return ()
    again: dict[int, Answer] = {}
    _write(org, target, rows[places].with_columns(pl.lit(None, pl.String).alias(OWNER)), again, sleep)
    answers.update({places[place]: answer for place, answer in again.items()})
    written = [places[place] for place, answer in sorted(again.items()) if not answer.text]
    if not written:
        return ()
    return (f"{len(written):,} records are written without {OWNER}, such as: {refused[written[0]]}",)


def _may_be_owner(text: str) -> bool:
    """Whether a refusal may be of the owner: of a user whom ours can't see, the org names no field."""
    return OWNER in text or CROSS_REFERENCE in text


def _send(org: Org, target: Target, rows: pl.DataFrame, sleep: Sleep) -> Iterator[list[Answer]]:
    if rows.height > target.bulk_above:
        return bulk(org, target.object, target.external_id, rows, sleep=sleep)
    return collections(org, target.object, target.external_id, rows)


def read_back(org: Org, target: Target, run_id: str) -> list[Record]:
    """The records that the org holds of a run: key, score and tier."""
    names = (target.external_id, "Health_Score__c", "Tier__c")
    query = PAGE.format(fields=", ".join(names), object=target.object, run=format_soql("{}", run_id))
    fields = {name: (org.describe(target.object) or {}).get(name) for name in names}
    return [{name: row[name] for name in names} for row in held(org, target.object, fields, query)]

"""Records → Salesforce: upsert by external id, 200 a call, every record's own result read."""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from accountpulse.errors import ConfigurationError
from accountpulse.loaders.base import OPTIONAL
from accountpulse.records import Problem
from accountpulse.rest.salesforce import UPSERT_LIMIT, Org, format_soql
from accountpulse.settings.mapping import Target

LOCKED = "UNABLE_TO_LOCK_ROW"  # somebody else writes to the account; the one refusal that passes by itself
LOCK_TRIES = 4  # of one record, the first one included
LOCK_WAIT = 1.0  # seconds, doubled each time, with jitter
PAGE = "SELECT {fields} FROM {object} WHERE Run_Id__c = {run}"
Record = dict[str, Any]


@dataclass
class LoadResult:
    """What became of the records: created + updated + refused = all of them."""

    created: int = 0
    updated: int = 0
    refused: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def load(org: Org, target: Target, records: pl.DataFrame, sleep: Callable[[float], None] = time.sleep) -> LoadResult:
    """Write every record, or say which were refused and why.

    The target is described first: a field that is absent or not writable is a ConfigurationError, before anything is
    written. A locked record is tried again; any other refusal is listed with the org's field and code.
    """
    columns, notes = _writable(org, target, records.columns)
    result = LoadResult(notes=notes)
    rows = list(_sound(records.select(columns).to_dicts(), target, result))
    # neighbours of one account in one call don't lock each other
    rows.sort(key=lambda row: (row["Account__c"], row[target.external_id]))
    for start in range(0, len(rows), UPSERT_LIMIT):
        _write(org, target, rows[start : start + UPSERT_LIMIT], result, sleep)
    return result


def _writable(org: Org, target: Target, columns: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The columns that the org takes; optional ones may be absent."""
    described = org.describe(target.object)
    page = "see docs/salesforce.md"
    if described is None:
        problem = f"object {target.object} is absent, or not readable for our user; {page}"
        raise ConfigurationError("salesforce.target", [problem])
    problems = []
    key = described.get(target.external_id)
    if key is not None and not (key.external_id and key.unique):
        problems.append(f"{target.object}.{target.external_id} must be marked as external id and unique")
    absent = [name for name in columns if name not in described]
    locked = [name for name in columns if name in described and not described[name].createable]
    problems += [
        f"field {target.object}.{name} is absent, or not visible; {page}" for name in absent if name not in OPTIONAL
    ]
    problems += [f"field {target.object}.{name} is not writable for our user; {page}" for name in locked]
    if problems:
        raise ConfigurationError("salesforce.target", problems)
    left_out = ", ".join(absent)
    notes = (f"{target.object} has no {left_out}: not written",) if absent else ()
    return [name for name in columns if name not in absent], notes


def _sound(rows: Sequence[Record], target: Target, result: LoadResult) -> Iterator[Record]:
    """The records that can be sent; a number that is none, or a key given twice, is refused here."""
    keys = [row[target.external_id] for row in rows]
    twice = {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else set()
    for row in rows:
        broken = [name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)]
        if row[target.external_id] in twice:
            result.refused.append(Problem(row["Account__c"], "load", "its key is given twice"))
        elif broken:
            result.refused.append(Problem(row["Account__c"], "load", f"{', '.join(broken)} is not a number"))
        else:
            yield row


def _write(org: Org, target: Target, rows: list[Record], result: LoadResult, sleep: Callable[[float], None]) -> None:
    for attempt in range(1, LOCK_TRIES + 1):
        answers = org.upsert(target.object, target.external_id, rows)
        locked = []
        for row, answer in zip(rows, answers, strict=True):
            if answer.get("success"):
                result.created += bool(answer.get("created"))
                result.updated += not answer.get("created")
            elif attempt < LOCK_TRIES and _codes(answer) == {LOCKED}:
                locked.append(row)
            else:
                result.refused.append(Problem(row["Account__c"], "load", _words(answer)))
        if not locked:
            return
        rows = locked
        sleep(LOCK_WAIT * 2 ** (attempt - 1) * (0.5 + random.random()))  # noqa: S311


def _codes(answer: Mapping[str, Any]) -> set[str]:
    return {str(error.get("statusCode")) for error in answer.get("errors") or ()}


def _words(answer: Mapping[str, Any]) -> str:
    """The org's own words on a refused record, with the fields that they are about."""
    texts = [
        f"{error.get('statusCode')} ({', '.join(error.get('fields') or ()) or 'record'}): {error.get('message')}"
        for error in answer.get("errors") or ()
    ]
    return "; ".join(texts) or "refused without a reason"


def read_back(org: Org, target: Target, run_id: str) -> list[Record]:
    """The records that the org holds of a run: key, score and tier."""
    names = (target.external_id, "Health_Score__c", "Tier__c")
    query = PAGE.format(fields=", ".join(names), object=target.object, run=format_soql("{}", run_id))
    return [{name: row[name] for name in names} for row in org.query(query, target.object)]

"""Bulk API 2.0 query: a job runs one query for a while, and hands its rows out as CSV, piece by piece.

Bulk API 2.0 Developer Guide, "Bulk API 2.0 Query".
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.bulk import DELIMITERS, ENDINGS
from accountpulse.sandbox.salesforce.data import ApiError, not_found
from accountpulse.sandbox.salesforce.soql.evaluator import Found, Relationship, run
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.world.org import record_id

OPERATIONS = ("query", "queryAll")
DEFAULTS = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
MOST = 50_000  # rows of a piece that names no number
FIRST = 500_001  # of a job's number: ingest jobs have the ones before


@dataclass
class _Job:
    facts: dict[str, Any]
    found: Found
    looks: int = 0


class BulkQueries:
    """The org's query jobs."""

    def __init__(self, schema: Schema, behaviour: SalesforceBehaviour, now: Callable[[], datetime]) -> None:
        """`behaviour` says how many looks find a job at work."""
        self._schema = schema
        self._behaviour = behaviour
        self._now = now
        self._jobs: dict[str, _Job] = {}

    def open(self, root: str, body: bytes) -> dict[str, Any]:
        """A new job; ApiError or SoqlError for an order that can't be carried out."""
        try:
            order = {**DEFAULTS, **json.loads(body)}
        except (ValueError, TypeError):
            raise ApiError(400, "JSON_PARSER_ERROR", "the body is no JSON object") from None
        choices = {
            "operation": OPERATIONS,
            "columnDelimiter": DELIMITERS,
            "lineEnding": ENDINGS,
            "contentType": ("CSV",),
        }
        for name, allowed in choices.items():
            if order.get(name) not in allowed:
                raise ApiError(400, "INVALIDJOB", f"InvalidJob : {order.get(name)} is no value of the property {name}")
        found = run(str(order.get("query") or ""), self._schema, with_deleted=order["operation"] == "queryAll")
        if found.results is not None or found.count_only or found.children:
            text = "Aggregate functions, GROUP BY and queries of child records are not supported in Bulk API 2.0"
            raise ApiError(400, "API_ERROR", text)
        at = f"{self._now():%Y-%m-%dT%H:%M:%S}.000+0000"
        identifier = record_id("750", FIRST + len(self._jobs))
        facts = {
            "id": identifier,
            **{name: order[name] for name in choices},
            "object": found.sobject.name,
            "createdById": record_id("005", 1),
            "createdDate": at,
            "systemModstamp": at,
            "state": "UploadComplete",
            "concurrencyMode": "Parallel",
            "apiVersion": float(root.rpartition("/v")[2]),
        }
        self._jobs[identifier] = _Job(facts, found)
        return facts

    def listed(self) -> dict[str, Any]:
        """All jobs."""
        return {"done": True, "records": [each.facts for each in self._jobs.values()], "nextRecordsUrl": None}

    def look(self, identifier: str) -> dict[str, Any]:
        """The job as it is; the last look of a planned number finds it done."""
        job = self._job(identifier)
        if job.facts["state"] in ("UploadComplete", "InProgress"):
            job.looks += 1
            done = job.looks > self._behaviour.bulk_looks
            job.facts["state"] = "JobComplete" if done else "InProgress"
        counted = {"numberRecordsProcessed": len(job.found.rows)} if job.facts["state"] == "JobComplete" else {}
        return {**job.facts, "jobType": "V2Query", "retries": 0, "totalProcessingTime": 10, **counted}

    def change(self, identifier: str, body: bytes) -> dict[str, Any]:
        """End a job that is at work."""
        job = self._job(identifier)
        if json.loads(body).get("state") != "Aborted" or job.facts["state"] not in ("UploadComplete", "InProgress"):
            raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.facts['state']}")
        job.facts["state"] = "Aborted"
        return job.facts

    def delete(self, identifier: str) -> Response:
        """Forget a job that has ended."""
        self._job(identifier)
        del self._jobs[identifier]
        return Response(status_code=204)

    def results(self, identifier: str, locator: str, most: str) -> Response:
        """A piece of the rows; its headers say how many they are and where the next piece begins."""
        job = self._job(identifier)
        if job.facts["state"] != "JobComplete":
            raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.facts['state']}; it must be JobComplete")
        if (locator and not locator.isdigit()) or (most and not most.isdigit()):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        begin = int(locator or 0)
        rows = job.found.rows[begin : begin + int(most or MOST)]
        end = begin + len(rows)
        following = str(end) if end < len(job.found.rows) else "null"
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(rows))}
        return Response(_csv(job, rows), media_type="text/csv", headers=headers)

    def _job(self, identifier: str) -> _Job:
        if identifier not in self._jobs:
            raise not_found()
        return self._jobs[identifier]


def _csv(job: _Job, rows: list[dict[str, Any]]) -> str:
    """Every cell in quotes, null as an empty one; fields of parents with their path as heading."""
    target = io.StringIO()
    delimiter, ending = DELIMITERS[job.facts["columnDelimiter"]], ENDINGS[job.facts["lineEnding"]]
    lines = csv.writer(target, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    paths = list(_paths(job.found.branch))
    lines.writerow([".".join(path) for path in paths])
    for row in rows:
        record = job.found.record(row, "")
        lines.writerow([_cell(_at(record, path)) for path in paths])
    return target.getvalue()


def _paths(branch: dict[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, wanted in branch.items():
        if isinstance(wanted, Relationship):
            yield from _paths(wanted.branch, (*before, name))
        else:
            yield (*before, name)


def _at(record: dict[str, Any] | None, path: tuple[str, ...]) -> Any:
    value: Any = record
    for name in path:
        value = None if value is None else value[name]
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)

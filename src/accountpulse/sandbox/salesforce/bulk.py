"""Bulk API 2.0 ingest: a job is opened, gets its CSV in one call, is closed, works for a while, and has results.

Bulk API 2.0 Developer Guide, "Bulk API 2.0 Ingest". Only upserts; the file's own mistakes end the whole job as Failed,
a record's mistakes end in the failed results.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.data import ApiError, not_found
from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.schema import Row, Schema
from accountpulse.sandbox.salesforce.soql.values import NUMBERS
from accountpulse.sandbox.salesforce.upsert import Upserter, typed
from accountpulse.sandbox.world.model import FieldDef, SObject
from accountpulse.sandbox.world.org import record_id

NULL = "#N/A"  # sets a field to null; an empty cell leaves it as it is
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
DEFAULTS = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
ENDED = ("JobComplete", "Failed", "Aborted")

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)


@dataclass
class _Job:
    """One job: what it was ordered to do, its file, and what became of the file's lines."""

    facts: dict[str, Any]
    sobject: SObject
    key: FieldDef
    content: bytes | None = None
    looks: int = 0
    heading: list[str] = field(default_factory=list)
    good: list[list[str]] = field(default_factory=list)
    bad: list[list[str]] = field(default_factory=list)
    left: list[list[str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        return str(self.facts["state"])


class _Broken(Exception):
    """The file can't be worked on at all; the text is the job's errorMessage."""


class Bulk:
    """The org's ingest jobs."""

    def __init__(
        self, schema: Schema, upserter: Upserter, behaviour: SalesforceBehaviour, now: Callable[[], datetime]
    ) -> None:
        """`behaviour` says how long jobs work, and which of them fails."""
        self._schema = schema
        self._upserter = upserter
        self._behaviour = behaviour
        self._now = now
        self._jobs: dict[str, _Job] = {}

    def open(self, root: str, body: bytes) -> dict[str, Any]:
        """A new job; ApiError 400 for an order that can't be carried out."""
        order = {**DEFAULTS, **_object(body)}
        allowed = {"object": None, "operation": {"upsert"}, "externalIdFieldName": None, "contentType": {"CSV"}}
        choices = {**allowed, "columnDelimiter": DELIMITERS, "lineEnding": ENDINGS}
        for name in (*choices, *order):
            if name not in choices or (choices[name] is not None and order.get(name) not in choices[name]):  # type: ignore[operator]
                raise ApiError(400, "INVALIDJOB", f"InvalidJob : {order.get(name)} is no value of the property {name}")
        try:
            sobject = self._schema.sobject(str(order.get("object")))
        except SoqlError:
            text = f"InvalidEntity : Entity '{order.get('object')}' is not supported to use Bulk API."
            raise ApiError(400, "INVALIDENTITY", text) from None
        try:
            sobject, key = self._upserter.target(sobject.name, str(order.get("externalIdFieldName")))
        except ApiError:
            text = f"InvalidJob : Field name provided, {order.get('externalIdFieldName')} does not match an External ID"
            raise ApiError(400, "INVALIDJOB", f"{text}, Salesforce Id, or indexed field for {sobject.name}") from None
        identifier = record_id("750", len(self._jobs) + 1)
        at = f"{self._now():%Y-%m-%dT%H:%M:%S}.000+0000"
        facts = {
            "id": identifier,
            **order,
            "object": sobject.name,
            "createdDate": at,
            "systemModstamp": at,
            "state": "Open",
            "concurrencyMode": "Parallel",
            "apiVersion": float(root.rpartition("/v")[2]),
            "contentUrl": f"{root.lstrip('/')}/jobs/ingest/{identifier}/batches",
        }
        self._jobs[identifier] = _Job(facts, sobject, key)
        return facts

    def jobs(self) -> dict[str, Any]:
        """Every job, newest first, as far as the list tells of each; it doesn't tell the external id field."""
        told = [
            {name: value for name, value in job.facts.items() if name != "externalIdFieldName"}
            for job in reversed(self._jobs.values())
        ]
        return {"done": True, "nextRecordsUrl": None, "records": [{**each, "jobType": "V2Ingest"} for each in told]}

    def upload(self, identifier: str, kind: str, body: bytes) -> None:
        """Take the file: once a job, CSV, and not too large."""
        job = self._job(identifier)
        if not kind.startswith("text/csv"):
            raise ApiError(400, "INVALIDREQUEST", f"the content type {kind} is not the job's")
        _expect(job, "Open")
        if job.content is not None:
            text = "please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do"
            raise ApiError(
                400, "INVALIDJOB", f"Found multiple contents for job: <{identifier}>, {text} 'PUT' once on a given Job."
            )
        if len(body) > self._behaviour.bulk_bytes:
            raise ApiError(413, "CONTENT_TOO_LARGE", f"{len(body)} bytes are more than a job takes")
        job.content = body

    def change(self, identifier: str, body: bytes) -> dict[str, Any]:
        """Close the job (UploadComplete), or end it (Aborted)."""
        job, state = self._job(identifier), _object(body).get("state")
        if state == "UploadComplete":
            _expect(job, "Open")
            if job.content is None:
                raise ApiError(400, "INVALIDJOBSTATE", "the job has no content")
        elif state == "Aborted":
            _expect(job, "Open", "UploadComplete", "InProgress")
            self._leave_all(job)
        else:
            raise ApiError(400, "INVALIDJOBSTATE", f"{state} is no state that a job can be given")
        job.facts["state"] = state
        return job.facts

    def look(self, identifier: str) -> dict[str, Any]:
        """The job as it is; the last look of a planned number finds it done."""
        job = self._job(identifier)
        if job.state in ("UploadComplete", "InProgress"):
            job.looks += 1
            job.facts["state"] = "InProgress"
            if job.looks > self._behaviour.bulk_looks:
                self._work(job)
        counts = {"numberRecordsProcessed": len(job.good) + len(job.bad), "numberRecordsFailed": len(job.bad)}
        return {**job.facts, "jobType": "V2Ingest", "retries": 0, **counts}

    def results(self, identifier: str, kind: str) -> str:
        """One of the three result files, of a job that has ended."""
        job = self._job(identifier)
        files = {
            "successfulresults": (["sf__Id", "sf__Created"], job.good),
            "failedresults": (["sf__Id", "sf__Error"], job.bad),
            "unprocessedrecords": ([], job.left),
        }
        if kind.lower() not in files:
            raise not_found()
        _expect(job, *ENDED)
        more, lines = files[kind.lower()]
        target = io.StringIO()
        csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([[*more, *job.heading], *lines])
        return target.getvalue()

    def _job(self, identifier: str) -> _Job:
        if identifier not in self._jobs:
            raise not_found()
        return self._jobs[identifier]

    # --- the work

    def _work(self, job: _Job) -> None:
        try:
            job.heading, lines = _read(job)
            fields = [self._field(job.sobject, name) for name in job.heading]
        except _Broken as broken:
            self._leave_all(job)
            job.facts |= {"state": "Failed", "errorMessage": str(broken)}
            return
        job.facts["state"] = "JobComplete"
        if self._behaviour.bulk_failure is not None:
            done, message = self._behaviour.bulk_failure
            self._behaviour.bulk_failure = None
            job.facts |= {"state": "Failed", "errorMessage": message}
            lines, job.left = lines[:done], lines[done:]
        self._write(job, fields, lines)

    def _write(self, job: _Job, fields: list[FieldDef], lines: list[list[str]]) -> None:
        changes: list[Row] = []
        sound: list[list[str]] = []
        for line in lines:
            try:
                row = {f.name: _value(f, cell) for f, cell in zip(fields, line, strict=True) if cell != ""}
            except ValueError as error:
                job.bad.append(["", f"INVALID_TYPE_ON_FIELD_IN_RECORD:value not of required type:{error} --", *line])
                continue
            changes.append(row)
            sound.append(line)
        for line, result in zip(sound, self._upserter.write(job.sobject, job.key, changes), strict=True):
            if result["success"]:
                job.good.append([result["id"], str(result["created"]).lower(), *line])
            else:
                job.bad.append(["", _error(result["errors"]), *line])

    def _field(self, sobject: SObject, name: str) -> FieldDef:
        try:
            return self._schema.field(sobject, name)
        except SoqlError:
            raise _Broken(f"InvalidBatch : Field name not found : {name}") from None

    def _leave_all(self, job: _Job) -> None:
        """Nothing is worked on: every line of the file stays unprocessed."""
        lines = list(csv.reader(io.StringIO((job.content or b"").decode(errors="replace"), newline="")))
        job.heading, job.left = (lines[0], lines[1:]) if lines else ([], [])


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "the body is no JSON object")
    return found


def _expect(job: _Job, *states: str) -> None:
    if job.state not in states:
        raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.state}; it must be {' or '.join(states)}")


def _read(job: _Job) -> tuple[list[str], list[list[str]]]:
    """The heading and the lines of the job's file."""
    try:
        text = (job.content or b"").decode()
    except UnicodeDecodeError:
        raise _Broken("InvalidBatch : the file is not UTF-8") from None
    ending = job.facts["lineEnding"]
    first = text.partition("\n")[0]
    if first.endswith("\r") != (ending == "CRLF"):
        raise _Broken(f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {ending}")
    delimiter = DELIMITERS[job.facts["columnDelimiter"]]
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _Broken(f"InvalidBatch : {error}") from None
    heading, *rest = lines or [[]]
    if job.key.name not in heading:
        raise _Broken(f"InvalidBatch : Field name not found : {job.key.name}")
    if any(len(line) != len(heading) for line in rest):
        raise _Broken("InvalidBatch : a line has not as many columns as the heading")
    return heading, rest


def _value(definition: FieldDef, cell: str) -> Any:
    """A cell in the field's type; ValueError, with the field's name, where it is none."""
    if cell == NULL:
        return typed(definition, None)
    value: Any = cell
    if definition.type in NUMBERS:
        value = float(cell) if _NUMBER.fullmatch(cell) else None
    elif definition.type == "boolean":
        value = {"true": True, "1": True, "false": False, "0": False}.get(cell.lower())
    try:
        if value is not None:
            return typed(definition, value)
    except ApiError:
        pass
    raise ValueError(definition.name)


def _error(errors: Iterable[dict[str, Any]]) -> str:
    """`CODE:message:fields --`, as the failed results write the first error of a record."""
    first = next(iter(errors))
    return f"{first['statusCode']}:{first['message']}:{' '.join(first['fields'])} --"

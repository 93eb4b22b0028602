"""Writing records to Salesforce by external id: sObject Collections, and Bulk API 2.0 for what is large.

Both give one answer a record, in the order of the records and a list a call, so that a caller has those of the calls
before one that fails; both clear a field that is None. Repeating a call changes nothing, since the external id meets
the same record again.
"""

import csv
import io
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.util import call_salesforce

from accountpulse.core.errors import AccessError, AccountpulseError, OutOfTime, SourceUnavailable, UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id
from accountpulse.http.retry import backoff
from accountpulse.systems.salesforce.client import Org, whole

COLLECTION = 200  # records a call of sObject Collections; REST API Developer Guide
JOB_BYTES = 90_000_000  # of CSV in one job; the limit is 100 MB, Bulk API 2.0 Developer Guide, "Limits"
FIRST_POLL, LONGEST_POLL = 1.0, 20.0  # seconds between two looks at a job, half as much again each time
UPLOADS = 4  # jobs that are opened for the same data, where answers to handing it over are lost
LONGEST_JOB = 1_800.0  # seconds after which a job is given up
NULL = "#N/A"  # an empty cell leaves the field as it is; Bulk API 2.0 Developer Guide, "Valid CSV Record Rows"
LOCKED = "UNABLE_TO_LOCK_ROW"  # somebody else writes to the same account
TEXT_CSV = "text/csv; charset=UTF-8"
UNFINISHED = ("Open", "UploadComplete", "InProgress")  # Bulk API 2.0 Developer Guide, "Get Information About a Job"
ENDED = ("JobComplete", "Failed", "Aborted")
RESULTS = ("successfulResults", "failedResults", "unprocessedrecords")

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Answer:
    """What the org said to one record. `text` is empty where it was written, else the org's words.

    `record_id`: of collections alone, where it was written.
    """

    created: bool = False
    text: str = ""
    locked: bool = False  # refused only because of a lock, which passes by itself
    record_id: str = ""


# --- sObject Collections -----------------------------------------------------------------------------------------


def collections(org: Org, name: str, external_id: str, records: pl.DataFrame) -> Iterator[list[Answer]]:
    """Create or update by external id, 200 a call; one record's trouble costs no other record."""
    for some in records.iter_slices(COLLECTION):
        yield _collection(org, name, external_id, some.to_dicts())


def _collection(org: Org, name: str, external_id: str, records: Sequence[Mapping[str, Any]]) -> list[Answer]:
    body = {"allOrNone": False, "records": [{"attributes": {"type": name}, **record} for record in records]}
    path = f"composite/sobjects/{name}/{external_id}"

    def send() -> Any:
        try:
            return org.client.restful(path, method="PATCH", json=body)
        except SalesforceMalformedRequest as error:
            if LOCKED in str(error.content):  # the whole call met a lock
                return [{"success": False, "errors": [{"statusCode": LOCKED}]}] * len(records)
            raise

    return answers(f"writing {name}", org.call(f"writing {name}", send), len(records))


def answers(tried: str, results: Any, count: int) -> list[Answer]:
    """The answers of a collections call for `count` records; an UnexpectedAnswer where they aren't of its shape."""
    if not isinstance(results, list) or len(results) != count:
        raise UnexpectedAnswer("salesforce", tried, "not one result for each record")
    if not all(isinstance(each, dict) and isinstance(each.get("success"), bool) for each in results):
        raise UnexpectedAnswer("salesforce", tried, "a result that doesn't say whether it was a success")
    return [_answer(result) for result in results]


def _answer(result: Mapping[str, Any]) -> Answer:
    if result["success"]:
        return Answer(bool(result.get("created")), record_id=str(result.get("id") or ""))
    errors = result.get("errors") or ()
    texts = [
        f"{error.get('statusCode')} ({', '.join(error.get('fields') or ()) or 'record'}): {error.get('message')}"
        for error in errors
    ]
    return Answer(
        text="; ".join(texts) or "refused without a reason",
        locked={error.get("statusCode") for error in errors} == {LOCKED},
    )


# --- Bulk API 2.0 --------------------------------------------------------------------------------------------------


def bulk(
    org: Org,
    name: str,
    external_id: str,
    records: pl.DataFrame,
    *,
    sleep: Sleep = time.sleep,
    limit: int = JOB_BYTES,
) -> Iterator[list[Answer]]:
    """The same by ingest jobs of at most `limit` bytes of CSV. Every record has the same fields.

    A job that hasn't ended after LONGEST_JOB seconds, or by the run's deadline, is aborted: a SourceUnavailable.
    """
    tried, begins = f"writing {name} by Bulk API", 0
    while begins < records.height:
        content, sent = _csv(records.slice(begins), limit)
        job = _handed_over(org, name, external_id, content, sleep)
        del content  # as large as the results that come later
        with _aborted_on_error(org, tried, job):
            ended = _ended(org, tried, job, sleep)
        found = _results(org, name, external_id, sent, ended)
        keys = [_folded(key) for key in records[external_id].slice(begins, sent)]
        if set(found) != set(keys) or len(found) != len(keys):
            raise UnexpectedAnswer("salesforce", tried, "not one result for each record")
        yield [found[key] for key in keys]
        begins += sent


def _folded(key: Any) -> str:
    """External ids are the same in capitals and small letters."""
    return str(key).casefold()


def _csv(records: pl.DataFrame, limit: int) -> tuple[bytes, int]:
    """The first records as a CSV file with a heading, as many as stay within the limit but at least one; how many."""
    content, count = io.BytesIO(), 0
    content.write(_line(records.columns))
    for record in records.iter_rows():
        line = _line(map(_cell, record))
        if count and content.tell() + len(line) > limit:
            break
        content.write(line)
        count += 1
    return content.getvalue(), count


def _line(cells: Iterable[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerow(cells)
    return target.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    return str(value).lower() if isinstance(value, bool) else str(value)


class _LostUpload(Exception):
    """Nobody knows whether a job has its data: the answer was lost. `error` is what to raise in the end."""

    def __init__(self, error: SourceUnavailable) -> None:
        self.error = error
        super().__init__()


def _handed_over(org: Org, name: str, external_id: str, content: bytes, sleep: Sleep) -> str:
    """A closed job that has the data; one of which nobody knows whether it has them is aborted, and another takes them.

    An aborted job that was never closed has written nothing, so that nothing is written twice.
    """
    for attempt in range(1, UPLOADS + 1):
        try:
            return _filled_job(org, name, external_id, content)
        except _LostUpload as lost:
            if attempt == UPLOADS:
                raise lost.error from None
        sleep(backoff(FIRST_POLL, attempt, random.random()))  # noqa: S311
    raise AssertionError("unreachable")


def _filled_job(org: Org, name: str, external_id: str, content: bytes) -> str:
    """Open a job, hand over its data and close it."""
    tried = f"writing {name} by Bulk API"
    order = {
        "object": name,
        "operation": "upsert",
        "externalIdFieldName": external_id,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    with org.budget.keeping_back():
        opened = org.call(tried, lambda: org.client.restful("jobs/ingest", method="POST", json=order))
    job = _job_id(tried, opened)
    with _aborted_on_error(org, tried, job):
        _hand_over(org, tried, job, content)
        _close(org, tried, job)
    return job


@contextmanager
def _aborted_on_error(org: Org, tried: str, job: str) -> Iterator[None]:
    """Abort a job that can't go on: one that outlives its run would put its values over those of a later one.

    Time before the run's deadline is kept back for that.
    """
    try:
        with org.budget.keeping_back():
            yield
    except (AccountpulseError, _LostUpload, KeyboardInterrupt):
        with suppress(AccountpulseError):
            _state(org, tried, job, "Aborted")
        raise


def _hand_over(org: Org, tried: str, job: str, content: bytes) -> None:
    """Put the job's data there, which may be done once a job; _LostUpload where nobody knows whether it came.

    A job that is no longer open has its data. Of an open one nothing says whether it has:
    Bulk API 2.0 Developer Guide, "Upload Job Data".
    """
    try:
        _content(org, tried, "PUT", f"jobs/ingest/{job}/batches", content)
    except (OutOfTime, UnexpectedAnswer):
        raise
    except SourceUnavailable as lost:
        if _look(org, tried, job).get("state") in (None, "Open"):
            raise _LostUpload(lost) from None


def _job_id(tried: str, job: Any) -> str:
    identifier = job.get("id") if isinstance(job, dict) else None
    if not (isinstance(identifier, str) and looks_like_an_id(identifier)):
        raise UnexpectedAnswer("salesforce", tried, "a job without an id")
    return identifier


def open_jobs(org: Org, name: str, external_id: str) -> list[str]:
    """The ids of the org's ingest jobs that upsert the same object by the same key and haven't ended.

    Such a job is an earlier load's that was cut off: at its end it would put that load's values over newer ones.
    """
    tried = "looking for unfinished Bulk API jobs"
    found: list[str] = []
    path, seen = "jobs/ingest?jobType=V2Ingest", set[str]()
    while path not in seen:
        seen.add(path)
        page = org.call(tried, partial(org.client.restful, path))
        records = page.get("records") if isinstance(page, dict) else None
        if not isinstance(records, list) or not isinstance(page.get("done"), bool):
            raise UnexpectedAnswer("salesforce", tried, "no list of jobs")
        found += [_job_id(tried, each) for each in records if _is_ours(each, name, external_id)]
        if page["done"]:
            return found
        path = str(page.get("nextRecordsUrl")).partition(f"/v{org.access.api_version}/")[2]
    raise UnexpectedAnswer("salesforce", tried, "a list of jobs without an end")


def _is_ours(job: Any, name: str, external_id: str) -> bool:
    if not isinstance(job, dict) or job.get("state") not in UNFINISHED or job.get("operation") != "upsert":
        return False
    key = job.get("externalIdFieldName")  # the list leaves it out where it says little of each job
    return job.get("object") == name and key in (None, external_id)


def end_job(org: Org, job: str, sleep: Sleep = time.sleep) -> None:
    """Abort a job; one that can't be any more is waited for. SourceUnavailable where it doesn't end."""
    tried = f"ending the unfinished Bulk API job {job}"
    with suppress(AccessError, UnexpectedAnswer):
        _state(org, tried, job, "Aborted")
    _ended(org, tried, job, sleep)


def _content(org: Org, tried: str, method: str, path: str, content: bytes | None = None) -> bytes:
    """A call that takes or gives CSV; the client's own `restful` knows JSON only."""

    def send() -> bytes:
        client = org.client
        headers = {**client.headers, "Accept": "application/json" if content else TEXT_CSV}
        if content is not None:
            headers["Content-Type"] = TEXT_CSV
        answer = call_salesforce(client.base_url + path, method, client.session, headers, data=content)
        given: bytes = answer.content
        return given

    found: bytes = org.call(tried, send)
    return found


def _state(org: Org, tried: str, job: str, state: str) -> Mapping[str, Any]:
    path = f"jobs/ingest/{job}"
    found: Mapping[str, Any] = org.call(
        tried, lambda: org.client.restful(path, method="PATCH", json={"state": state}) or {}
    )
    return found


def _look(org: Org, tried: str, job: str) -> Mapping[str, Any]:
    found = org.call(tried, lambda: org.client.restful(f"jobs/ingest/{job}"))
    if not isinstance(found, dict):
        raise UnexpectedAnswer("salesforce", tried, f"no description of job {job}")
    return found


def _close(org: Org, tried: str, job: str) -> None:
    """Say that the data is complete; where that is refused because it was said before (a repeated call), go on."""
    try:
        _state(org, tried, job, "UploadComplete")
    except UnexpectedAnswer:
        if _look(org, tried, job).get("state") in (None, "Open"):
            raise


def _ended(org: Org, tried: str, job: str, sleep: Sleep) -> Mapping[str, Any]:
    wait, waited = FIRST_POLL, 0.0
    while waited < LONGEST_JOB:
        sleep(min(wait, max(0.0, org.budget.left())))
        waited += wait
        found = _look(org, tried, job)
        state = found.get("state")
        if state in ENDED:
            return found
        if state not in UNFINISHED:
            raise UnexpectedAnswer("salesforce", tried, f"job {job} is in no state that is known")
        wait = min(LONGEST_POLL, wait * 1.5)
    text = f"job {job} hadn't ended after {LONGEST_JOB / 60:.0f} minutes and was aborted"
    raise SourceUnavailable("salesforce", tried, text, "See Bulk Data Load Jobs in the org's Setup, and run again.")


def _results(org: Org, name: str, external_id: str, sent: int, job: Mapping[str, Any]) -> dict[str, Answer]:
    """The answer to each of the `sent` records of a job that has ended, by its key; the job's own counts must agree.

    Where they don't, the job and its results are asked for once more. A result file is read where the counts say that
    there is something in it: an empty one may have no body at all.
    """
    tried = f"reading the results of writing {name} by Bulk API"
    wanted = (external_id, "sf__Created", "sf__Error")
    files = _files(org, tried, sent, job, wanted)
    if files is None:
        job = _look(org, tried, str(job["id"]))
        files = _files(org, tried, sent, job, wanted)
    if files is None:
        raise UnexpectedAnswer("salesforce", tried, "the job's counts differ from its results, twice")
    good, bad, left = files
    reason = f"not processed: the job ended as {job['state']} {job.get('errorMessage') or ''}".rstrip()
    try:
        answers = [
            *((row[external_id], Answer(row["sf__Created"].lower() == "true")) for row in good),
            *((row[external_id], _failure(row["sf__Error"])) for row in bad),
            *((row[external_id], Answer(text=reason)) for row in left),
        ]
    except (KeyError, AttributeError, TypeError):  # None, where a line is too short
        raise UnexpectedAnswer("salesforce", tried, "results without their columns") from None
    found = {_folded(key): answer for key, answer in answers}
    if len(found) != len(answers):
        raise UnexpectedAnswer("salesforce", tried, "two results for one record")
    return found


def _files(
    org: Org, tried: str, sent: int, job: Mapping[str, Any], wanted: Sequence[str]
) -> list[list[dict[str, str]]] | None:
    """Successful, failed and unprocessed records; None where they aren't as many as the job counts, or as were sent.

    Of each record its `wanted` columns: the files repeat everything that was sent.
    """
    processed, failed = (whole(job.get(name) or 0) for name in ("numberRecordsProcessed", "numberRecordsFailed"))
    if processed is None or failed is None:
        raise UnexpectedAnswer("salesforce", tried, "a job whose counts are no numbers")
    counts = (processed - failed, failed, sent - processed)
    if min(counts) < 0:
        return None
    try:
        files = [
            list(_rows(_content(org, tried, "GET", f"jobs/ingest/{job['id']}/{kind}"), wanted)) if count else []
            for kind, count in zip(RESULTS, counts, strict=True)
        ]
    except (csv.Error, UnicodeDecodeError):
        raise UnexpectedAnswer("salesforce", tried, "results that are no CSV") from None
    return files if tuple(map(len, files)) == counts else None


def _rows(content: bytes, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    # decoded line by line: as one text a file takes up to four times its bytes
    for row in csv.DictReader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")):
        yield {name: row[name] for name in wanted if name in row}


def _failure(text: str) -> Answer:
    """`CODE:message:fields --`, as the failed results have it."""
    match = re.fullmatch(r"([A-Z_]+):(.*?):([\w, ]*?) ?--", text, re.DOTALL | re.ASCII)
    words = f"{match[1]} ({match[3].strip() or 'record'}): {match[2]}" if match else text
    return Answer(text=words or "refused without a reason", locked=text.startswith(LOCKED))

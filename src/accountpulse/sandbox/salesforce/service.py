"""The sandbox's Salesforce: login, REST queries, the collections upsert and bulk jobs, with Salesforce's own errors.

Answers and codes as in the REST API Developer Guide. A path that is not served is 404, never an empty list.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.bulk import Bulk
from accountpulse.sandbox.salesforce.bulk_query import BulkQueries
from accountpulse.sandbox.salesforce.data import ApiError, Reader, not_found, page_size
from accountpulse.sandbox.salesforce.directory import Directory
from accountpulse.sandbox.salesforce.session import Answer, Sessions
from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.salesforce.tasks import TaskWriter
from accountpulse.sandbox.salesforce.upsert import Upserter
from accountpulse.sandbox.world.model import Salesforce

DAILY_CALLS = 100_000
LONGEST_URL = 16_384  # bytes; a longer address is answered 414, one that is too long with its headers 431
OLDEST, NEWEST = 31, 68  # API versions that are served
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]

Handler: TypeAlias = "Callable[[_Call], Any]"


class _Call:
    """One REST call: its version's root, the parts that its path names, and what came with it."""

    def __init__(self, request: Request, parts: Mapping[str, str], body: bytes) -> None:
        self.root = f"/services/data/{parts.get('version', '')}"
        self.parts = parts
        self.base = _base(request)
        self.query = request.query_params
        self.headers = request.headers
        self.body = body


class SalesforceService:
    """The org behind its routes. `now` dates what is written; `behaviour` may be changed while the server runs."""

    def __init__(self, org: Salesforce, behaviour: SalesforceBehaviour, now: Callable[[], datetime]) -> None:
        schema = Schema(org.objects, behaviour.hidden, now, nulls_compare=org.nulls_compare)
        self._behaviour = behaviour
        self._now = now
        self._sessions = Sessions(org, behaviour)
        self._reader = Reader(schema)
        self._upserter = Upserter(schema, behaviour, now)
        self._tasks = TaskWriter(schema, self._upserter)
        self._bulk = Bulk(schema, self._upserter, behaviour, now)
        self._bulk_queries = BulkQueries(schema, behaviour, now)
        self._directory = Directory(org, schema, self._reader, now)
        self._used = 0
        self._paths: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("GET", r"data", self._versions),
                ("GET", r"oauth2/userinfo", lambda call: self._directory.user(call.base)),
                ("POST", r"oauth2/userinfo", lambda call: self._directory.user(call.base)),
                ("GET", r"data/(?P<version>v[\d.]+)", lambda call: self._directory.resources(call.root)),
                ("GET", r"data/(?P<version>v[\d.]+)/limits", self._limits),
                ("GET", r"data/(?P<version>v[\d.]+)/query", self._query),
                ("GET", r"data/(?P<version>v[\d.]+)/queryAll", self._query_all),
                ("GET", r"data/(?P<version>v[\d.]+)/query(All)?/(?P<locator>[^/]+)", self._more),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects", self._describe_all),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects/(?P<object>\w+)", self._about),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects/(?P<object>\w+)/describe", self._describe),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects/(?P<object>\w+)/(?P<kind>deleted|updated)", self._changed),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects/(?P<object>\w+)/(?P<id>\w+)", self._record),
                ("GET", r"data/(?P<version>v[\d.]+)/sobjects/(?P<object>\w+)/(?P<key>\w+)/(?P<id>[^/]+)", self._by_key),
                (
                    "PATCH",
                    r"data/(?P<version>v[\d.]+)/composite/sobjects/(?P<object>\w+)/(?P<field>\w+)",
                    self._upsert,
                ),
                ("POST", r"data/(?P<version>v[\d.]+)/composite/sobjects", lambda call: self._tasks.insert(call.body)),
                ("PATCH", r"data/(?P<version>v[\d.]+)/composite/sobjects", lambda call: self._tasks.update(call.body)),
                *self._query_jobs(),
                ("POST", r"data/(?P<version>v[\d.]+)/jobs/ingest", self._open_job),
                ("GET", r"data/(?P<version>v[\d.]+)/jobs/ingest", self._jobs),
                ("PUT", r"data/(?P<version>v[\d.]+)/jobs/ingest/(?P<job>\w+)/batches", self._upload),
                ("PATCH", r"data/(?P<version>v[\d.]+)/jobs/ingest/(?P<job>\w+)", self._job_state),
                ("GET", r"data/(?P<version>v[\d.]+)/jobs/ingest/(?P<job>\w+)", self._job),
                ("GET", r"data/(?P<version>v[\d.]+)/jobs/ingest/(?P<job>\w+)/(?P<results>\w+)", self._job_results),
            )
        ]

    def _query_jobs(self) -> list[tuple[str, str, Handler]]:
        jobs = r"data/(?P<version>v[\d.]+)/jobs/query"
        one = rf"{jobs}/(?P<job>\w+)"
        queries = self._bulk_queries
        return [
            ("POST", jobs, lambda call: queries.open(call.root, call.body)),
            ("GET", jobs, lambda _call: queries.listed()),
            ("GET", one, lambda call: queries.look(call.parts["job"])),
            ("PATCH", one, lambda call: queries.change(call.parts["job"], call.body)),
            ("DELETE", one, lambda call: queries.delete(call.parts["job"])),
            ("GET", rf"{one}/results", self._query_results),
        ]

    def routes(self) -> list[Route]:
        """Everything under `/services`; a path that isn't served is 404, never an empty list."""
        return [
            Route("/services/Soap/u/{version}", self.soap, methods=["POST"]),
            Route("/services/oauth2/token", self.token, methods=["POST"]),
            Route("/services/{rest:path}", self.rest, methods=METHODS),
        ]

    # --- login ---

    async def soap(self, request: Request) -> Response:
        """Log in with user name and password."""
        version = request.path_params["version"]
        if not re.fullmatch(r"\d+\.0", version):
            return JSONResponse(not_found().body(), 404)
        body = (await request.body()).decode(errors="replace")
        return self._logged_in(self._sessions.soap(version, body, _base(request)))

    async def token(self, request: Request) -> Response:
        """Log in with OAuth."""
        body = (await request.body()).decode(errors="replace")
        header = request.headers.get("Authorization", "")
        return self._logged_in(self._sessions.oauth(body, header, _base(request), self._now()))

    def _logged_in(self, answer: Answer) -> Response:
        """Without the day's figures: logins are not counted among its calls."""
        if isinstance(answer.body, str):
            return Response(answer.body, answer.status, media_type="text/xml")
        return JSONResponse(answer.body, answer.status)

    # --- REST ---

    async def rest(self, request: Request) -> Response:
        """Answer a REST call, with Salesforce's own errors."""
        body = await request.body()
        address = len(str(request.url))
        if address > LONGEST_URL:
            return self._finished(HTMLResponse("<h1>URI Too Long</h1>", 414))
        if address + sum(len(name) + len(value) + 4 for name, value in request.headers.raw) > LONGEST_URL:
            return self._finished(HTMLResponse("<h1>Request Header Fields Too Large</h1>", 431))
        try:
            answer = self._answer(request, body)
            return self._finished(answer if isinstance(answer, Response) else JSONResponse(answer))
        except SoqlError as error:
            refused = ApiError(400, error.code, error.message)
        except ApiError as error:
            refused = error
        return self._finished(JSONResponse(refused.body(), refused.status))

    def _answer(self, request: Request, body: bytes) -> Any:
        if not self._sessions.accepts(request.headers.get("Authorization", "")):
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self._calls() >= DAILY_CALLS:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._used += 1
        if self._behaviour.busy:
            self._behaviour.busy -= 1
            text = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", text)
        path = request.path_params["rest"].rstrip("/")
        matches = [(method, found, handle) for method, p, handle in self._paths if (found := p.fullmatch(path))]
        if not matches or not _served(matches[0][1].groupdict().get("version")):
            raise not_found()
        for method, found, handle in matches:
            if method == request.method:
                return handle(_Call(request, found.groupdict(), body))
        allowed = ",".join(method for method, _, _ in matches)
        text = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
        raise ApiError(405, "METHOD_NOT_ALLOWED", text)

    def _calls(self) -> int:
        return self._behaviour.calls_before + self._used

    def _finished(self, response: Response) -> Response:
        response.headers["Sforce-Limit-Info"] = f"api-usage={self._calls()}/{DAILY_CALLS}"
        return response

    def _versions(self, _call: _Call) -> Any:
        return [
            {"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in range(OLDEST, NEWEST + 1)
        ]

    def _limits(self, _call: _Call) -> Any:
        day = {"Max": DAILY_CALLS, "Remaining": DAILY_CALLS - self._calls()}
        others = {"DailyBulkV2QueryJobs": 10_000, "DataStorageMB": 10_240, "HourlyODataCallout": 20_000}
        return {"DailyApiRequests": day} | {name: {"Max": most, "Remaining": most} for name, most in others.items()}

    def _query(self, call: _Call) -> Any:
        return self._reader.query(call.root, call.query.get("q", ""), self._page_size(call), with_deleted=False)

    def _query_all(self, call: _Call) -> Any:
        return self._reader.query(call.root, call.query.get("q", ""), self._page_size(call), with_deleted=True)

    def _more(self, call: _Call) -> Any:
        return self._reader.more(call.root, call.parts["locator"], self._page_size(call))

    def _page_size(self, call: _Call) -> int:
        return page_size(call.headers.get("Sforce-Query-Options", ""), self._behaviour.page_size)

    def _describe_all(self, call: _Call) -> Any:
        return self._reader.describe_all(call.root)

    def _describe(self, call: _Call) -> Any:
        return self._reader.describe(call.root, call.parts["object"])

    def _about(self, call: _Call) -> Any:
        return self._directory.about(call.root, call.parts["object"])

    def _changed(self, call: _Call) -> Any:
        start, end = (call.query.get(name, "") for name in ("start", "end"))
        return self._directory.changed(call.parts["object"], start, end, deleted=call.parts["kind"] == "deleted")

    def _by_key(self, call: _Call) -> Any:
        return self._directory.by_key(call.root, call.parts["object"], call.parts["key"], call.parts["id"])

    def _query_results(self, call: _Call) -> Any:
        locator, most = (call.query.get(name, "") for name in ("locator", "maxRecords"))
        return self._bulk_queries.results(call.parts["job"], locator, most)

    def _record(self, call: _Call) -> Any:
        return self._reader.record(call.root, call.parts["object"], call.parts["id"])

    def _upsert(self, call: _Call) -> Any:
        return self._upserter.upsert(call.parts["object"], call.parts["field"], call.body)

    def _open_job(self, call: _Call) -> Any:
        return self._bulk.open(call.root, call.body)

    def _jobs(self, _call: _Call) -> Any:
        return self._bulk.jobs()

    def _upload(self, call: _Call) -> Any:
        self._bulk.upload(call.parts["job"], call.headers.get("Content-Type", ""), call.body)
        return Response(status_code=201)

    def _job_state(self, call: _Call) -> Any:
        return self._bulk.change(call.parts["job"], call.body)

    def _job(self, call: _Call) -> Any:
        return self._bulk.look(call.parts["job"])

    def _job_results(self, call: _Call) -> Any:
        return Response(self._bulk.results(call.parts["job"], call.parts["results"]), media_type="text/csv")


def _base(request: Request) -> str:
    """Scheme, host and port under which the caller reached us."""
    return str(request.base_url).rstrip("/")


def _served(version: str | None) -> bool:
    return version is None or (re.fullmatch(r"v\d+\.0", version) is not None and OLDEST <= float(version[1:]) <= NEWEST)

"""Jira Cloud (REST v3) and Data Center (REST v2), read only, over the world's issues.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

import base64
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox.jira import jql
from accountpulse.sandbox.jira.catalogue import Catalogue
from accountpulse.sandbox.jira.index import Index
from accountpulse.sandbox.jira.oddities import JiraOddities
from accountpulse.sandbox.jira.shapes import Shapes, changed_by, status
from accountpulse.sandbox.world.model import Jira, JiraIssue

ID_PAGE = 5000  # the most that Cloud gives, where ids alone are asked for
CLOUD_HISTORIES = 40  # the most that Cloud's search shows of an issue's history
RESULT_WINDOW = 10_000  # how far Data Center counts: its max_result_window
BULK_ISSUES = 1000
WALKS = 1000  # searches whose tokens are still good
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class JiraService:
    """The site behind its routes. Walks keep what they found by token, so that a page is a slice."""

    site: Jira
    cloud: bool
    now: Callable[[], datetime]
    oddities: JiraOddities
    walks: dict[str, list[int]] = field(default_factory=dict)
    recent: dict[tuple[str, bool, bool, datetime], list[int]] = field(default_factory=dict)

    @cached_property
    def index(self) -> Index:
        """Made at the first search: what changes in the world after it is not found."""
        return Index(self.site)

    @cached_property
    def shapes(self) -> Shapes:
        """The site's way to write."""
        return Shapes(self.site, cloud=self.cloud)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the site lists besides."""
        return Catalogue(self.site, self.cloud, self.shapes, self._visible, self._issue)

    # --- paths

    def routes(self) -> list[Route]:
        """Everything under /jira of one product; an unknown path is an error."""
        bases = ["/jira", f"/jira/ex/jira/{self.site.cloud_id}"] if self.cloud else ["/jira"]
        found = [
            Route(f"{base}/rest/api/{version}/{path}", endpoint, methods=methods)
            for base in bases
            for version in (("2", "3", "latest") if self.cloud else ("2", "latest"))
            for path, endpoint, methods in self._paths()
        ]
        session = Route("/jira/rest/auth/1/session", self.session, methods=["GET"])
        return [
            *found,
            session,
            Route("/jira/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _paths(self) -> list[tuple[str, Endpoint, list[str]]]:
        common: list[tuple[str, Endpoint, list[str]]] = [
            ("serverInfo", self.server_info, ["GET"]),
            ("myself", self.myself, ["GET"]),
            ("status", self.statuses, ["GET"]),
            ("priority", self.priorities, ["GET"]),
            ("issuetype", self.issue_types, ["GET"]),
            ("field", self.fields, ["GET"]),
            ("project/{key}/components", self.components, ["GET"]),
            ("issue/{issue}", self.issue, ["GET"]),
            *self.catalogue.paths(),
        ]
        if not self.cloud:
            return [("project", self.projects, ["GET"]), ("search", self.search_server, ["GET", "POST"]), *common]
        return [
            ("project/search", self.projects, ["GET"]),
            ("search/jql", self.search_cloud, ["GET", "POST"]),
            ("search/approximate-count", self.count, ["POST"]),
            ("search", self.removed, ["GET", "POST"]),
            ("changelog/bulkfetch", self.histories, ["POST"]),
            *common,
        ]

    # --- who is calling

    def admits(self, request: Request) -> bool:
        """Whether the caller has shown the right credentials; a scoped token is good below its path alone."""
        given = request.headers.get("authorization", "")
        scoped = "/ex/jira/" in request.url.path
        token = self.site.scoped_token if scoped else self.site.token
        if not self.cloud:
            return given in (f"Bearer {token}", _basic(self.site.email, self.site.password))
        return given == _basic(self.site.email, token) or (scoped and given == f"Bearer {token}")

    async def server_info(self, _request: Request) -> Response:
        """Say which product this is; strangers may ask."""
        kind, version = ("Cloud", "1001.0.0-SNAPSHOT") if self.cloud else ("Server", "9.12.15")
        numbers = [int(number) for number in version.partition("-")[0].split(".")]
        shown = {"baseUrl": "http://127.0.0.1", "version": version, "versionNumbers": numbers, "deploymentType": kind}
        built = {"buildNumber": 100285, "buildDate": "2026-10-01T00:00:00.000+0000", "serverTitle": "Sandbox"}
        return JSONResponse(
            {**shown, **built, "scmInfo": "0" * 40, "serverTime": f"{self.now():%Y-%m-%dT%H:%M:%S}.000+0000"}
        )

    async def session(self, request: Request) -> Response:
        """Say under which name a session is signed in."""
        if not self.admits(request):
            return _error(401, "You are not authenticated. Authentication required to perform this operation.")
        return JSONResponse({"self": "http://127.0.0.1/rest/api/latest/user", "name": self.site.email})

    async def myself(self, request: Request) -> Response:
        """Say who the caller is."""
        if not self.admits(request):
            return _error(401, "Client must be authenticated to access this resource.")
        zone = self.site.timezone if self.oddities.reported_zone is None else self.oddities.reported_zone
        shown = {"timeZone": zone} if zone else {}
        person = {
            "self": "http://127.0.0.1/rest/api/3/myself",
            "displayName": "Sandbox",
            "emailAddress": self.site.email,
        }
        if self.cloud:
            return JSONResponse({"accountId": "5b10a2844c20165700ede21g", "active": True, **person, **shown})
        names = {"key": "JIRAUSER10100", "name": self.site.email}  # Data Center has no account ids
        return JSONResponse({**names, "active": True, **person, **shown})

    # --- what the site has; a stranger sees an empty site

    async def statuses(self, _request: Request) -> Response:
        """List the workflow statuses."""
        return JSONResponse([status(each) for each in self.site.statuses.values()])

    async def priorities(self, _request: Request) -> Response:
        """List the priorities, highest first."""
        return JSONResponse([self.shapes.priority(name) for name in self.site.priorities])

    async def issue_types(self, _request: Request) -> Response:
        """List the issue types."""
        return JSONResponse([self.shapes.issue_type(name) for name in self.site.issue_types])

    async def fields(self, _request: Request) -> Response:
        """List the fields: a few of the system's, and the custom ones."""
        kinds = {True: "com.atlassian.jira.plugin.system.customfieldtypes:textfield", False: "select"}
        custom = {name for issue in self.site.issues for name in issue.fields} | set(self.site.field_names)
        listed: list[dict[str, Any]] = [
            {"id": name, "name": name.title(), "custom": False}
            for name in ("summary", "status", "components", "labels")
        ]
        for name in sorted(custom):
            number = int(name.removeprefix("customfield_"))
            kind = kinds[name in self.site.text_fields]
            shown = {"id": name, "name": self.site.field_names.get(name, name), "custom": True}
            listed.append({**shown, "clauseNames": [f"cf[{number}]"], "schema": {"type": "string", "custom": kind}})
        return JSONResponse(listed)

    def _visible(self, request: Request) -> list[str]:
        return sorted(set(self.site.components) - set(self.site.hidden)) if self.admits(request) else []

    async def projects(self, request: Request) -> Response:
        """List the projects that the caller can see, in Cloud's pages or Data Center's one list."""
        listed = [self.shapes.project(key) for key in self._visible(request)]
        if not self.cloud:
            return JSONResponse(listed)
        start, size = (
            int(request.query_params.get(name, default)) for name, default in (("startAt", 0), ("maxResults", 50))
        )
        page = listed[start : start + min(size, 100)]
        last = start + len(page) >= len(listed)
        return JSONResponse(
            {"startAt": start, "maxResults": size, "total": len(listed), "isLast": last, "values": page}
        )

    async def components(self, request: Request) -> Response:
        """List a project's components."""
        key = self.catalogue.key(request)
        if key is None:
            return _error(404, f"No project could be found with key '{request.path_params['key']}'.")
        return JSONResponse([self.shapes.component(key, name) for name in self.site.components[key]])

    # --- searching

    async def removed(self, _request: Request) -> Response:
        """Answer for the search that Cloud no longer has."""
        return _error(410, REMOVED)

    def _found(self, request: Request, text: str) -> list[int]:
        """Where the issues of a query are, looked for once a minute: Data Center's pages all ask for the same."""
        key = (text, self.admits(request), self.oddities.shuffled, self.now().replace(second=0, microsecond=0))
        if key not in self.recent:
            self.recent[key] = self._find(*key)
            if len(self.recent) > WALKS:
                del self.recent[next(iter(self.recent))]
        return self.recent[key]

    def _find(self, text: str, admitted: bool, shuffled: bool, now: datetime) -> list[int]:  # noqa: FBT001
        """Cloud refuses a query that nothing narrows."""
        query = jql.parse(text, self.index, now)
        if self.cloud and not query.bounded:
            raise jql.JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction.")
        found = jql.run(query, self.index) if admitted else []
        if shuffled:
            random.Random(text).shuffle(found)
        return found

    async def search_cloud(self, request: Request) -> Response:
        """One page of Cloud's search: a token leads on, and there is no total."""
        parameters = await _parameters(request)
        names = tuple(_names(parameters.get("fields"))) or ("id",)
        size = min(
            int(parameters.get("maxResults") or 50),
            ID_PAGE if names in (("id",), ("key",)) else self.oddities.cloud_page,
        )
        try:
            token, start, found = self._walk(request, parameters)
        except jql.JqlError as error:
            return _error(400, str(error))
        histories = CLOUD_HISTORIES if "changelog" in _names(parameters.get("expand")) else None
        issues = self._issues(found[start : start + size], names, histories, parameters)
        last = start + size >= len(found)
        end: dict[str, Any] = {"isLast": last is not self.oddities.last_disagrees}
        if not last and not (self.oddities.lost_token and start == 0):
            given = parameters.get("nextPageToken")
            end["nextPageToken"] = given if self.oddities.repeated_token and given else f"{token}.{start + size}"
        return _spliced("issues", issues, end)

    def _walk(self, request: Request, parameters: dict[str, Any]) -> tuple[str, int, list[int]]:
        given = parameters.get("nextPageToken")
        if self.oddities.forget:
            self.oddities.forget = 0
            self.walks.clear()
        if given:
            token, _, start = str(given).partition(".")
            if token not in self.walks or not start.isdigit():
                raise jql.JqlError("The provided next page token is invalid or expired.")
            return token, int(start), self.walks[token]
        found = self._found(request, str(parameters.get("jql") or ""))
        token = f"walk{random.getrandbits(64):016x}"
        self.walks[token] = found
        if len(self.walks) > WALKS:
            del self.walks[next(iter(self.walks))]
        return token, 0, found

    async def count(self, request: Request) -> Response:
        """About how many issues a query has."""
        try:
            found = self._found(request, str((await _parameters(request)).get("jql") or ""))
        except jql.JqlError as error:
            return _error(400, str(error))
        return JSONResponse({"count": round(len(found) * self.oddities.count_error)})

    async def search_server(self, request: Request) -> Response:
        """One page of Data Center's search, by offset."""
        parameters = await _parameters(request)
        most = parameters.get("maxResults")
        size = min(50 if most is None else int(most), self.oddities.server_page)
        start = int(parameters.get("startAt") or 0)
        if start + size > RESULT_WINDOW:
            return _error(500, "Search limit exceeded: result window is too large.")
        try:
            found = self._found(request, str(parameters.get("jql") or ""))
        except jql.JqlError as error:
            return _error(400, str(error))
        names = tuple(_names(parameters.get("fields"))) or ("*navigable",)
        histories = None
        if "changelog" in _names(parameters.get("expand")) and not self.oddities.refuses_histories:
            histories = self.oddities.histories if self.oddities.histories is not None else RESULT_WINDOW
        issues = self._issues(found[start : start + size], names, histories, parameters)
        return _spliced("issues", issues, {"startAt": start, "maxResults": size, "total": len(found)})

    def _issues(
        self, places: list[int], names: tuple[str, ...], histories: int | None, parameters: dict[str, Any]
    ) -> list[bytes]:
        moves = "transitions" in _names(parameters.get("expand"))
        issues = self.index.issues
        return [self.shapes.issue(issues[place], names, histories, transitions=moves) for place in places]

    async def issue(self, request: Request) -> Response:
        """One issue, with all its history where it is asked for."""
        issue = self._issue(request)
        if issue is None:
            return _error(404, "Issue does not exist or you do not have permission to see it.")
        names = tuple(_names(request.query_params.get("fields"))) or ("*all",)
        expanded = _names(request.query_params.get("expand"))
        histories = RESULT_WINDOW if "changelog" in expanded else None
        shown = self.shapes.issue(issue, names, histories, transitions="transitions" in expanded)
        return Response(shown, media_type="application/json")

    def _issue(self, request: Request) -> JiraIssue | None:
        """The issue that a path names by id or key, if the caller may see it."""
        return self.by_id.get(request.path_params["issue"]) if self.admits(request) else None

    @cached_property
    def by_id(self) -> dict[str, JiraIssue]:
        """The visible issues by id and by key."""
        return {name: issue for issue in self.index.issues for name in (issue.id, issue.key)}

    async def histories(self, request: Request) -> Response:
        """The histories of up to 1,000 issues at once, of the fields that were asked for, oldest first."""
        parameters = json.loads(await request.body())
        wanted = {str(each) for each in parameters.get("issueIdsOrKeys") or ()}
        if not self.admits(request):
            return _error(401, "Client must be authenticated to access this resource.")
        if self.oddities.refuses_histories:
            return _error(403, "You do not have permission to read changelogs.")
        fields = tuple(parameters.get("fieldIds") or ())
        if not 0 < len(wanted) <= BULK_ISSUES or len(fields) > 10:
            return _error(400, "issueIdsOrKeys must have 1 to 1000 entries, fieldIds at most 10.")
        found = {issue.id: issue for name in wanted if (issue := self.by_id.get(name)) is not None}
        moves = sorted(
            (move.at, int(name), place)
            for name, issue in found.items()
            for place, move in enumerate(issue.transitions)
            if changed_by(move).intersection(fields) or not fields
        )
        size = min(int(parameters.get("maxResults") or 1000), 10_000)
        start = int(parameters.get("nextPageToken") or 0)
        grouped: dict[str, list[bytes]] = {}
        for _at, name, place in moves[start : start + size]:
            grouped.setdefault(str(name), []).append(self.shapes.change(found[str(name)], place, fields))
        logs = [
            b'{"issueId":"%s","changeHistories":[%s]}' % (name.encode(), b",".join(each))
            for name, each in grouped.items()
        ]
        return _spliced(
            "issueChangeLogs", logs, {"nextPageToken": str(start + size)} if start + size < len(moves) else {}
        )


def _basic(name: str, word: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()


async def _unknown(_request: Request) -> Response:
    return _error(404, "Not found")


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        found: dict[str, Any] = json.loads(await request.body())
        return found
    return dict(request.query_params)


def _names(given: Any) -> list[str]:
    """A list, or names with commas."""
    if given is None:
        return []
    return [each.strip() for each in (given.split(",") if isinstance(given, str) else given)]


def _spliced(name: str, parts: list[bytes], rest: dict[str, Any]) -> Response:
    """An answer whose list is made of texts that exist already."""
    end = b"," + json.dumps(rest).encode()[1:] if rest else b"}"
    return Response(b'{"%s":[%s]%s' % (name.encode(), b",".join(parts), end), media_type="application/json")


def _error(code: int, text: str) -> Response:
    return JSONResponse({"errorMessages": [text], "errors": {}}, code)

"""Jira Cloud (REST v3) and Data Center (REST v2), read only, over the world's issues.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox import jql
from accountpulse.sandbox.model import Jira, JiraIssue, Status, Transition

CLOUD_PAGE = 100  # what Cloud makes of a larger wish when it has to give several fields
SERVER_PAGE = 100  # what this Data Center's administrator allows
BULK_ISSUES = 1000
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}


@dataclass
class Desk:
    """The site behind its routes. Walks keep their found issues by token, so that a page is a slice."""

    site: Jira
    cloud: bool
    now: Callable[[], datetime]
    walks: dict[str, list[JiraIssue]] = field(default_factory=dict)

    # --- who asks

    def known(self, request: Request) -> bool:
        """Whether the caller has shown the right credentials."""
        given = request.headers.get("authorization", "")
        if self.cloud:
            pair = f"{self.site.email}:{self.site.token}".encode()
            return given == "Basic " + base64.b64encode(pair).decode()
        return given == f"Bearer {self.site.token}"

    async def server_info(self, _request: Request) -> Response:
        """Say which product this is; strangers may ask."""
        kind = "Cloud" if self.cloud else "Server"
        return JSONResponse({"baseUrl": "http://127.0.0.1", "version": "1001.0.0", "deploymentType": kind})

    async def myself(self, request: Request) -> Response:
        """Say who the caller is."""
        if not self.known(request):
            return _error(401, "Client must be authenticated to access this resource.")
        return JSONResponse({"accountId": "5b10a2844c20165700ede21g", "active": True, "timeZone": self.site.timezone})

    # --- what the site knows; a stranger sees an empty site

    async def statuses(self, _request: Request) -> Response:
        """List the workflow statuses."""
        return JSONResponse([_status(status) for status in self.site.statuses.values()])

    async def priorities(self, _request: Request) -> Response:
        """List the priorities, highest first."""
        return JSONResponse([self._priority(name) for name in self.site.priorities])

    async def issue_types(self, _request: Request) -> Response:
        """List the issue types."""
        return JSONResponse([_issue_type(self.site, name) for name in self.site.issue_types])

    async def fields(self, _request: Request) -> Response:
        """List the fields: a few of the system's, and the custom ones that issues have."""
        custom = sorted({name for issue in self.site.issues for name in issue.fields})
        system = ["summary", "status", "components", "labels"]
        return JSONResponse(
            [{"id": name, "name": name.title(), "custom": False} for name in system]
            + [{"id": name, "name": name, "custom": True} for name in custom]
        )

    async def projects(self, request: Request) -> Response:
        """List the projects that the caller can see, in Cloud's pages or Data Center's one list."""
        keys = sorted(self.site.components) if self.known(request) else []
        listed = [{"id": str(10000 + n), "key": key, "name": f"{key} project"} for n, key in enumerate(keys)]
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
        names = self.site.components.get(request.path_params["key"])
        if names is None or not self.known(request):
            return _error(404, f"No project could be found with key '{request.path_params['key']}'.")
        return JSONResponse([{"id": str(20000 + number), "name": name} for number, name in enumerate(names)])

    # --- searching

    async def removed(self, _request: Request) -> Response:
        """Answer for the search that Cloud no longer has."""
        return _error(410, REMOVED)

    async def search_cloud(self, request: Request) -> Response:
        """One page of Cloud's search: a token leads on, and there is no total."""
        wish = await _wish(request)
        size = min(int(wish.get("maxResults") or 50), CLOUD_PAGE)
        try:
            token, start, found = self._walk(request, wish)
        except jql.JqlError as error:
            return _error(400, str(error))
        names = _field_names(wish.get("fields")) or ["id"]
        page = found[start : start + size]
        answer: dict[str, Any] = {"issues": [self._issue(issue, names) for issue in page]}
        answer["isLast"] = start + size >= len(found)
        if not answer["isLast"]:
            answer["nextPageToken"] = f"{token}.{start + size}"
        return JSONResponse(answer)

    def _walk(self, request: Request, wish: dict[str, Any]) -> tuple[str, int, list[JiraIssue]]:
        given = wish.get("nextPageToken")
        if given:
            token, _, start = str(given).partition(".")
            if token not in self.walks or not start.isdigit():
                raise jql.JqlError("The provided next page token is invalid or expired.")
            return token, int(start), self.walks[token]
        query = jql.parse(str(wish.get("jql") or ""), self.site, self.now())
        if not query.bounded:
            raise jql.JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction.")
        token = f"walk{len(self.walks) + 1}"
        self.walks[token] = jql.run(query, self.site.issues) if self.known(request) else []
        return token, 0, self.walks[token]

    async def search_server(self, request: Request) -> Response:
        """One page of Data Center's search, by offset."""
        wish = await _wish(request)
        size = min(int(wish.get("maxResults") or 50), SERVER_PAGE)
        start = int(wish.get("startAt") or 0)
        try:
            query = jql.parse(str(wish.get("jql") or ""), self.site, self.now())
            found = jql.run(query, self.site.issues) if self.known(request) else []
        except jql.JqlError as error:
            return _error(400, str(error))
        names = _field_names(wish.get("fields")) or ["*navigable"]
        with_history = "changelog" in _field_names(wish.get("expand"))
        issues = [self._issue(issue, names, with_history=with_history) for issue in found[start : start + size]]
        return JSONResponse({"startAt": start, "maxResults": size, "total": len(found), "issues": issues})

    async def histories(self, request: Request) -> Response:
        """The histories of up to 1,000 issues at once, of the fields that were asked for."""
        wish = json.loads(await request.body())
        wanted = {str(each) for each in wish.get("issueIdsOrKeys") or ()}
        if not self.known(request):
            return _error(401, "Client must be authenticated to access this resource.")
        if not 0 < len(wanted) <= BULK_ISSUES or len(wish.get("fieldIds") or ()) > 10:
            return _error(400, "issueIdsOrKeys must have 1 to 1000 entries, fieldIds at most 10.")
        size = min(int(wish.get("maxResults") or 1000), 10_000)
        start = int(wish.get("nextPageToken") or 0)
        rows = [
            (issue, move)
            for issue in self.site.issues
            if issue.id in wanted or issue.key in wanted
            for move in issue.transitions
        ]
        grouped: dict[str, list[dict[str, Any]]] = {}
        for issue, move in rows[start : start + size]:
            grouped.setdefault(issue.id, []).append(self._history(move, number=True))
        answer: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": key, "changeHistories": found} for key, found in grouped.items()]
        }
        if start + size < len(rows):
            answer["nextPageToken"] = str(start + size)
        return JSONResponse(answer)

    # --- shapes

    def _issue(self, issue: JiraIssue, names: list[str], *, with_history: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": issue.id, "key": issue.key}
        everything = self._fields(issue)
        wanted = everything if {"*all", "*navigable"} & set(names) else names
        if names != ["id"]:
            shown["fields"] = {name: everything[name] for name in wanted if name in everything}
        if with_history:
            moves = [self._history(move, number=False) for move in reversed(issue.transitions)]
            shown["changelog"] = {"startAt": 0, "maxResults": len(moves), "total": len(moves), "histories": moves}
        return shown

    def _fields(self, issue: JiraIssue) -> dict[str, Any]:
        fields = {
            "summary": f"Invented summary of {issue.key}",
            "issuetype": _issue_type(self.site, issue.type),
            "project": {"id": str(10000 + sorted(self.site.components).index(issue.project)), "key": issue.project},
            "status": _status(self.site.statuses[issue.status]),
            "priority": self._priority(issue.priority) if issue.priority is not None else None,
            "resolution": {"id": "10000", "name": issue.resolution} if issue.resolution else None,
            "resolutiondate": self._time(issue.resolutiondate),
            "created": self._time(issue.created),
            "updated": self._time(issue.updated),
            "components": [{"id": str(30000 + number), "name": name} for number, name in enumerate(issue.components)],
            "labels": issue.labels,
            **issue.fields,
        }
        if self.cloud:  # Data Center has no such field
            fields["statuscategorychangedate"] = self._time(issue.statuscategorychangedate)
        return fields

    def _history(self, move: Transition, *, number: bool) -> dict[str, Any]:
        before, after = self.site.statuses[move.from_status], self.site.statuses[move.to_status]
        item = {"field": "status", "fieldId": "status", "from": before.id, "fromString": before.name}
        item |= {"to": after.id, "toString": after.name}
        # bulk fetch shows milliseconds in its example, the search's changelog the usual text
        created: int | str | None = round(move.at.timestamp() * 1000) if number else self._time(move.at)
        return {"id": str(round(move.at.timestamp())), "created": created, "items": [item]}

    def _priority(self, name: str) -> dict[str, str]:
        return {"id": str(1 + self.site.priorities.index(name)), "name": name}

    def _time(self, moment: datetime | None) -> str | None:
        """As Jira writes it: milliseconds, and the offset of the user's zone without a colon."""
        if moment is None:
            return None
        local = moment.astimezone(ZoneInfo(self.site.timezone))
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


async def _wish(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        found: dict[str, Any] = json.loads(await request.body())
        return found
    return dict(request.query_params)


def _field_names(given: Any) -> list[str]:
    """A list, or names with commas."""
    if given is None:
        return []
    return [each.strip() for each in (given.split(",") if isinstance(given, str) else given)]


def _status(status: Status) -> dict[str, Any]:
    number, name = CATEGORIES[status.category]
    category = {"id": number, "key": status.category, "name": name, "colorName": "green"}
    return {"id": status.id, "name": status.name, "description": "", "statusCategory": category}


def _issue_type(site: Jira, name: str) -> dict[str, Any]:
    return {"id": str(10100 + site.issue_types.index(name)), "name": name, "subtask": False}


def _error(status: int, text: str) -> Response:
    return JSONResponse({"errorMessages": [text], "errors": {}}, status)


def routes(site: Jira, now: Callable[[], datetime], *, cloud: bool) -> list[Route]:
    """Everything under /jira of one product; an unknown path is an error."""
    desk = Desk(site, cloud, now)
    read: Iterable[tuple[str, Callable[[Request], Any], list[str]]] = [
        ("serverInfo", desk.server_info, ["GET"]),
        ("myself", desk.myself, ["GET"]),
        ("status", desk.statuses, ["GET"]),
        ("priority", desk.priorities, ["GET"]),
        ("issuetype", desk.issue_types, ["GET"]),
        ("field", desk.fields, ["GET"]),
        ("project/{key}/components", desk.components, ["GET"]),
    ]
    if cloud:
        more = [
            ("project/search", desk.projects, ["GET"]),
            ("search/jql", desk.search_cloud, ["GET", "POST"]),
            ("search", desk.removed, ["GET", "POST"]),
            ("changelog/bulkfetch", desk.histories, ["POST"]),
        ]
    else:
        more = [("project", desk.projects, ["GET"]), ("search", desk.search_server, ["GET", "POST"])]

    async def unknown(_request: Request) -> Response:
        return _error(404, "Not found")

    versions = ("2", "3", "latest") if cloud else ("2", "latest")
    made = [
        Route(f"/jira/rest/api/{version}/{path}", endpoint, methods=methods)
        for version in versions
        for path, endpoint, methods in [*more, *read]
    ]
    return [*made, Route("/jira/{path:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]

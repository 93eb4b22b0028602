"""What a site lists besides its issues' search: single things by id, and what hangs on a project or an issue.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-projects/
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accountpulse.sandbox.jira.index import component_ids, project_ids
from accountpulse.sandbox.jira.shapes import CATEGORY_IDS, HOME, Shapes, status, status_category
from accountpulse.sandbox.world.model import Jira, JiraIssue

PAGE, LARGEST = 50, 100  # things of a page
Json = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]
Path = tuple[str, Endpoint, list[str]]


@dataclass
class Catalogue:
    """The lists of one site. `visible`: the projects that a caller sees; `issue`: one that a caller may see."""

    site: Jira
    cloud: bool
    shapes: Shapes
    visible: Callable[[Request], list[str]]
    issue: Callable[[Request], JiraIssue | None]

    def paths(self) -> list[Path]:
        """Path below the API's version, handler and methods."""
        lists: dict[str, Callable[[], Iterable[Json]]] = {
            "resolution": self.shapes.resolutions,
            "statuscategory": lambda: [status_category(key) for key in CATEGORY_IDS],
            "projectCategory": list,
            "project/type": lambda: [_project_type("software"), _project_type("business")],
            "role": lambda: [self._role()],
        }
        found: list[Path] = [(path, _always(read), ["GET"]) for path, read in lists.items()]
        found += [
            (f"{path}/{{id}}", _one(read), ["GET"])
            for path, read in {
                "status": lambda: [status(each) for each in self.site.statuses.values()],
                "statuscategory": lists["statuscategory"],
                "priority": lambda: [self.shapes.priority(name) for name in self.site.priorities],
                "issuetype": lambda: [self.shapes.issue_type(name) for name in self.site.issue_types],
                "resolution": self.shapes.resolutions,
            }.items()
        ]
        found += [(path, handler, ["GET"]) for path, handler in self._of_projects().items()]
        found += [(path, handler, ["GET"]) for path, handler in self._of_issues().items()]
        found += [("worklog/updated", self.no_worklogs, ["GET"]), ("group/member", self.no_group, ["GET"])]
        return [("priority/search", self.priorities, ["GET"]), *found] if self.cloud else found

    def _of_projects(self) -> dict[str, Endpoint]:
        found: dict[str, Endpoint] = {
            "component/{id}": self.component,
            "project/{key}": self.project,
            "project/{key}/versions": self.versions,
            "project/{key}/statuses": self.statuses,
        }
        if self.cloud:
            found |= {"project": self.projects, "project/{key}/component": self.components}
        return {**found, "project/{key}/version": self.version_page}

    def _of_issues(self) -> dict[str, Endpoint]:
        found: dict[str, Endpoint] = {
            "issue/{issue}/transitions": self.transitions,
            "issue/{issue}/comment": self._none_of("comments"),
            "issue/{issue}/worklog": self._none_of("worklogs"),
        }
        return {**found, "issue/{issue}/changelog": self.changelog} if self.cloud else found

    # --- projects

    def key(self, request: Request) -> str | None:
        """The project that a path names by key or id, if the caller sees it."""
        named, ids = request.path_params["key"], project_ids(self.site)
        return next((key for key in self.visible(request) if named in (key, ids[key])), None)

    async def projects(self, request: Request) -> Response:
        """All projects in one list, as Cloud gave them before their search and still does."""
        return JSONResponse([self.shapes.project(key) for key in self.visible(request)])

    async def project(self, request: Request) -> Response:
        """One project, with its components, issue types and versions."""
        key = self.key(request)
        if key is None:
            return _no_project(request)
        shown = self.shapes.project(key)
        shown["components"] = [self.shapes.component(key, name) for name in self.site.components[key]]
        shown["issueTypes"] = [self.shapes.issue_type(name) for name in self.site.issue_types]
        return JSONResponse({**shown, "description": "", "assigneeType": "UNASSIGNED", "versions": [], "roles": {}})

    async def components(self, request: Request) -> Response:
        """One page of a project's components."""
        key = self.key(request)
        if key is None:
            return _no_project(request)
        return _page(request, [self.shapes.component(key, name) for name in self.site.components[key]])

    async def component(self, request: Request) -> Response:
        """One component."""
        wanted = request.path_params["id"]
        for (project, name), number in component_ids(self.site).items():
            if number == wanted and project in self.visible(request):
                more = {"project": project, "projectId": int(project_ids(self.site)[project])}
                return JSONResponse({**self.shapes.component(project, name), **more})
        return _missing(f"The component with id {wanted} does not exist.")

    async def versions(self, request: Request) -> Response:
        """A project's versions: the sandbox's projects have none."""
        return _no_project(request) if self.key(request) is None else JSONResponse([])

    async def version_page(self, request: Request) -> Response:
        """The same as a page."""
        return _no_project(request) if self.key(request) is None else _page(request, [])

    async def statuses(self, request: Request) -> Response:
        """Each issue type with its statuses: here every one has all."""
        if self.key(request) is None:
            return _no_project(request)
        every = [status(each) for each in self.site.statuses.values()]
        types = [self.shapes.issue_type(name) for name in self.site.issue_types]
        return JSONResponse(
            [{**{name: each[name] for name in ("self", "id", "name", "subtask")}, "statuses": every} for each in types]
        )

    # --- issues

    async def changelog(self, request: Request) -> Response:
        """One page of an issue's history, oldest first."""
        issue = self.issue(request)
        if issue is None:
            return _no_issue()
        return _page(request, [self.shapes.history(move, number=False) for move in issue.transitions])

    async def transitions(self, request: Request) -> Response:
        """Where an issue can go."""
        issue = self.issue(request)
        if issue is None:
            return _no_issue()
        return JSONResponse({"expand": "transitions", "transitions": self.shapes.transitions(issue)})

    def _none_of(self, noun: str) -> Endpoint:
        async def answer(request: Request) -> Response:
            if self.issue(request) is None:
                return _no_issue()
            return JSONResponse({"startAt": 0, "maxResults": LARGEST, "total": 0, noun: []})

        return answer

    # --- the rest

    async def priorities(self, request: Request) -> Response:
        """One page of the priorities."""
        listed = [self.shapes.priority(name) for name in self.site.priorities]
        return _page(request, [{**each, "isDefault": False} for each in listed])

    async def no_worklogs(self, request: Request) -> Response:
        """The worklogs since a time: nobody logs work here."""
        since = int(request.query_params.get("since") or 0)
        address = f"{HOME}/worklog/updated?since={since}"
        return JSONResponse({"values": [], "since": since, "until": since, "self": address, "lastPage": True})

    async def no_group(self, request: Request) -> Response:
        """The members of a group: there is none."""
        return _missing(f"The group named '{request.query_params.get('groupname')}' does not exist.")

    @staticmethod
    def _role() -> Json:
        return {"self": f"{HOME}/role/10002", "name": "Administrators", "id": 10002, "description": "", "actors": []}


def _always(read: Callable[[], Iterable[Json]]) -> Endpoint:
    async def answer(_request: Request) -> Response:
        return JSONResponse(list(read()))

    return answer


def _one(read: Callable[[], Iterable[Json]]) -> Endpoint:
    """One thing by its id, its name or its key."""

    async def answer(request: Request) -> Response:
        wanted = request.path_params["id"]
        for each in read():
            if wanted in (str(each["id"]), each["name"], each.get("key")):
                return JSONResponse(each)
        return _missing(f"There is nothing with the id {wanted}.")

    return answer


def _page(request: Request, found: list[Json]) -> Response:
    """A page by `startAt` and `maxResults`."""
    start, most = (int(request.query_params.get(n, d)) for n, d in (("startAt", 0), ("maxResults", PAGE)))
    size = min(most, LARGEST)
    values = found[start : start + size]
    last = start + len(values) >= len(found)
    shown = {"self": str(request.url), "maxResults": size, "startAt": start, "total": len(found), "isLast": last}
    return JSONResponse({**shown, "values": values})


def _project_type(key: str) -> Json:
    name = f"jira.project.type.{key}.description"
    return {"key": key, "formattedKey": key.title(), "descriptionI18nKey": name, "icon": "", "color": "#F5A623"}


def _no_project(request: Request) -> Response:
    return _missing(f"No project could be found with key '{request.path_params['key']}'.")


def _no_issue() -> Response:
    return _missing("Issue does not exist or you do not have permission to see it.")


def _missing(text: str) -> Response:
    return Response(json.dumps({"errorMessages": [text], "errors": {}}), 404, media_type="application/json")

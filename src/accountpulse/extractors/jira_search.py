"""Searching Jira: the queries, their pages on both products, and the histories of issues."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from accountpulse.extractors.jira_shapes import (
    BulkChanges,
    Changelog,
    CloudPage,
    History,
    Issue,
    ServerPage,
)
from accountpulse.extractors.jira_site import Site
from accountpulse.period import Scope
from accountpulse.rest.client import Client
from accountpulse.rest.paging import PageGuard

CHUNK = 50  # values in one query
CLOUD_PAGE = 5000  # the most that Cloud takes; it gives fewer where fields are asked for
SERVER_PAGE = 1000  # the server makes less of it where its administrator said so
BULK = 1000  # issues in one bulk fetch of histories
FIELDS = ("created", "updated", "status", "priority", "resolutiondate", "project", "components", "labels")

_CLOUD = msgspec.json.Decoder(CloudPage)
_SERVER = msgspec.json.Decoder(ServerPage)
_BULK = msgspec.json.Decoder(BulkChanges)


def quoted(value: str) -> str:
    """A value as JQL text: everything that a user or a system wrote goes through here."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(values: Sequence[str]) -> str:
    """Values as a JQL list."""
    return "(" + ", ".join(map(quoted, values)) + ")"


def query(link: str, types: Sequence[str], projects: Sequence[str], scope: Scope) -> str:
    """Bugs of a link that are open now, or that anything happened to since the window's start.

    A date in JQL means the zone of our user's profile, so a day is added before; times are compared here.
    """
    since = (scope.window.start - timedelta(days=1)).date()
    parts = [link, f"issuetype in {listed(types)}", f'(statusCategory != Done OR updated >= "{since:%Y-%m-%d}")']
    if projects:
        parts.insert(0, f"project in {listed(projects)}")
    return " AND ".join(parts) + " ORDER BY key ASC"


async def search(web: Client, site: Site, jql: str, fields: Sequence[str]) -> AsyncIterator[Issue]:
    """Every issue of a query, each once."""
    pages = _cloud(web, site, jql, fields) if site.cloud else _server(web, site, jql, fields)
    seen: set[str] = set()
    async for issues in pages:
        for issue in issues:
            if issue.id not in seen:
                seen.add(issue.id)
                yield issue


async def _cloud(web: Client, site: Site, jql: str, fields: Sequence[str]) -> AsyncIterator[list[Issue]]:
    asked = [*fields, "statuscategorychangedate"]
    body: dict[str, Any] = {"jql": jql, "fields": asked, "maxResults": CLOUD_PAGE}
    guard = PageGuard("jira", "a search")
    while True:
        page = await web.post(f"{site.api}/search/jql", _CLOUD, body)
        guard.check(page.next_page_token, len(page.issues))
        yield page.issues
        if page.next_page_token is None:
            return
        body["nextPageToken"] = page.next_page_token


async def _server(web: Client, site: Site, jql: str, fields: Sequence[str]) -> AsyncIterator[list[Issue]]:
    start = 0
    while True:
        body = {
            "jql": jql,
            "fields": list(fields),
            "startAt": start,
            "maxResults": SERVER_PAGE,
            "expand": ["changelog"],
        }
        page = await web.post(f"{site.api}/search", _SERVER, body)
        yield page.issues
        start += len(page.issues)
        if start >= page.total or not page.issues:
            return


async def histories(web: Client, site: Site, issues: Sequence[str]) -> AsyncIterator[tuple[str, list[History]]]:
    """The changes of status of these issues, on Cloud; an issue may come in several parts."""
    for begin in range(0, len(issues), BULK):
        chunk = list(issues[begin : begin + BULK])
        body: dict[str, Any] = {"issueIdsOrKeys": chunk, "fieldIds": ["status"], "maxResults": BULK}
        guard = PageGuard("jira", "histories")
        while True:
            page = await web.post(f"{site.api}/changelog/bulkfetch", _BULK, body)
            guard.check(page.next_page_token, len(page.issue_change_logs))
            for changes in page.issue_change_logs:
                yield changes.issue_id, changes.change_histories
            if page.next_page_token is None:
                break
            body["nextPageToken"] = page.next_page_token


def whole(changelog: Changelog | None) -> bool:
    """Whether a search's changelog has all histories; it may be cut."""
    return changelog is not None and (changelog.total is None or changelog.total <= len(changelog.histories))

"""Ways to read a window of bugs and their histories: ours, two loops as one writes them by hand, and dlt's REST client.

All end with the same facts about the same bugs, and with every change of their status. The plain loop asks for all
fields, gathers the issues, and looks at them afterwards; the careful one asks for the fields that it needs and keeps
no more than these; dlt asks for the same and ends in Parquet.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import ways

SINCE = "2026-08-02"
JQL = f'project in (CORE, WEB) AND issuetype = Bug AND (statusCategory != Done OR updated >= "{SINCE}")'
FIELDS = ["created", "updated", "status", "priority", "resolutiondate", "components", "statuscategorychangedate"]
BULK = 1000


def ours(told: dict[str, Any]) -> int:
    """The extractor."""
    return ways.extracted("jira", "issues", told)


def plain(told: dict[str, Any]) -> int:
    """All fields, page after page into one list, then the histories, then the facts."""
    session, base = _session(told)
    issues = [issue for page in _pages(session, base, ["*all"]) for issue in page["issues"]]
    changed = list(_histories(session, base, issues))
    rows = [facts(issue) for issue in issues]
    moves = [move for issue, histories in changed for move in changes(issue, histories)]
    return len(rows) if moves else 0


def careful(told: dict[str, Any]) -> int:
    """The named fields, facts at once, nothing else kept."""
    session, base = _session(told)
    rows: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    for page in _pages(session, base, FIELDS):
        rows += map(facts, page["issues"])
    for issue, histories in _histories(session, base, rows):
        moves += changes(issue, histories)
    return len(rows) if moves else 0


def with_dlt(told: dict[str, Any]) -> int:
    """dlt's REST client and paginator, the named fields, facts into Parquet without child tables; no histories."""
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    environment = told["environment"]
    client = RESTClient(
        base_url=environment["JIRA_BASE_URL"],
        headers={"Authorization": _authorization(environment)},
        paginator=JSONResponseCursorPaginator("nextPageToken", cursor_body_path="nextPageToken"),
        data_selector="issues",
    )
    body = {"jql": JQL, "fields": FIELDS, "maxResults": 100}
    pages = client.paginate("/rest/api/3/search/jql", method="POST", json=body)
    return ways.into_parquet("issues", ([facts(issue) for issue in page] for page in pages))


WAYS = {"ours": ours, "plain": plain, "careful": careful, "dlt": with_dlt}


def facts(issue: dict[str, Any]) -> dict[str, Any]:
    """What the metrics need of an issue."""
    fields = issue["fields"]
    done = fields["status"]["statusCategory"]["key"] == "done"
    resolved = fields["resolutiondate"] or fields.get("statuscategorychangedate")
    return {
        "id": issue["id"],
        "components": [component["name"] for component in fields["components"]],
        "created_at": datetime.fromisoformat(fields["created"]),
        "done": done,
        "resolved_at": datetime.fromisoformat(resolved) if done and resolved else None,
        "critical": (fields["priority"] or {}).get("name") in ("Highest", "Blocker", "Critical"),
    }


def changes(issue: str, histories: Any) -> Iterator[dict[str, Any]]:
    """The changes of status in histories."""
    for history in histories:
        at = history["created"]
        when = datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else datetime.fromisoformat(at)
        for item in history["items"]:
            if item["field"] == "status":
                yield {"issue": issue, "at": when, "before": item["from"], "after": item["to"]}


def _authorization(environment: dict[str, str]) -> str:
    token = f"{environment['JIRA_EMAIL']}:{environment['JIRA_API_TOKEN']}"
    return "Basic " + base64.b64encode(token.encode()).decode()


def _session(told: dict[str, Any]) -> tuple[Any, str]:
    import requests

    session = requests.Session()
    session.headers["Authorization"] = _authorization(told["environment"])
    return session, told["environment"]["JIRA_BASE_URL"]


def _pages(session: Any, base: str, fields: list[str]) -> Iterator[dict[str, Any]]:
    """Page after page by token. (Data Center pages by offset, and a loop gets no further than 10,000 there.)"""
    body: dict[str, Any] = {"jql": JQL, "fields": fields, "maxResults": 100}
    while True:
        page = ways.post(session, f"{base}/rest/api/3/search/jql", body)
        yield page
        if "nextPageToken" not in page:
            return
        body["nextPageToken"] = page["nextPageToken"]


def _histories(session: Any, base: str, issues: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The histories by the thousand."""
    for begin in range(0, len(issues), BULK):
        ids = [issue["id"] for issue in issues[begin : begin + BULK]]
        body: dict[str, Any] = {"issueIdsOrKeys": ids, "fieldIds": ["status"]}
        while True:
            page = ways.post(session, f"{base}/rest/api/3/changelog/bulkfetch", body)
            yield from ((each["issueId"], each["changeHistories"]) for each in page["issueChangeLogs"])
            if "nextPageToken" not in page:
                break
            body["nextPageToken"] = page["nextPageToken"]

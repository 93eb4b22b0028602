"""Ways to read a window of bugs and their histories: ours, two loops as one writes them by hand, and dlt's REST client.

All end with the same facts about the same bugs, and with every change of their status. The plain loop asks for all
fields, gathers the issues, and looks at them afterwards; the careful one asks for the fields that it needs and keeps
no more than these; dlt asks for the same and ends in Parquet.
"""

import base64
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SINCE = "2026-08-02"
JQL = f'project in (CORE, WEB) AND issuetype = Bug AND (statusCategory != Done OR updated >= "{SINCE}")'
FIELDS = ["created", "updated", "status", "priority", "resolutiondate", "components", "statuscategorychangedate"]
BULK = 1000


def ours(told: dict[str, Any]) -> int:
    """The extractor, as the pipeline calls it; ends with typed frames."""
    from accountpulse import settings
    from accountpulse.extractors import EXTRACTORS
    from accountpulse.extractors.base import Request
    from accountpulse.period import Period, scope_of

    request = Request(settings.load(told["environment"]), scope_of(Period(2026, 10), NOW), tuple(told["keys"]))
    return EXTRACTORS["jira"](request).piles["issues"].height


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
        for issue in page["issues"]:
            moves += changes(issue["id"], issue.get("changelog", {}).get("histories", ()))
    if told["kind"] == "cloud":
        for issue, histories in _histories(session, base, rows):
            moves += changes(issue, histories)
    return len(rows) if moves else 0


def with_dlt(told: dict[str, Any]) -> int:
    """dlt's REST client and paginator, the named fields, facts into Parquet without child tables; no histories."""
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    environment = told["environment"]
    client = RESTClient(
        base_url=environment["JIRA_BASE_URL"],
        headers={"Authorization": _authorization(environment)},
        paginator=JSONResponseCursorPaginator("nextPageToken", cursor_body_path="nextPageToken"),
        data_selector="issues",
    )
    count = 0

    @dlt.resource(name="issues", max_table_nesting=0, write_disposition="replace")
    def issues() -> Iterator[list[dict[str, Any]]]:
        nonlocal count
        body = {"jql": JQL, "fields": FIELDS, "maxResults": 100}
        for page in client.paginate("/rest/api/3/search/jql", method="POST", json=body):
            count += len(page)
            yield [facts(issue) for issue in page]

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "extract",
            destination=dlt.destinations.filesystem(folder),
            dataset_name="bugs",
            pipelines_dir=f"{folder}/p",
        )
        pipeline.run(issues(), loader_file_format="parquet")
    return count


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
    token = environment["JIRA_API_TOKEN"]
    if "JIRA_EMAIL" not in environment:
        return f"Bearer {token}"
    return "Basic " + base64.b64encode(f"{environment['JIRA_EMAIL']}:{token}".encode()).decode()


def _session(told: dict[str, Any]) -> tuple[Any, str]:
    import requests

    session = requests.Session()
    session.headers["Authorization"] = _authorization(told["environment"])
    return session, told["environment"]["JIRA_BASE_URL"]


def _post(session: Any, url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = session.post(url, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = json.loads(answer.content)
    return found


def _pages(session: Any, base: str, fields: list[str]) -> Iterator[dict[str, Any]]:
    """Page after page: by token on Cloud, by offset with the histories on Data Center."""
    cloud, start = "Basic" in session.headers["Authorization"], 0
    body: dict[str, Any] = {"jql": JQL, "fields": fields, "maxResults": 100}
    while True:
        if cloud:
            page = _post(session, f"{base}/rest/api/3/search/jql", body)
        else:
            page = _post(session, f"{base}/rest/api/2/search", {**body, "startAt": start, "expand": ["changelog"]})
        yield page
        start += len(page["issues"])
        if start >= page["total"] if "total" in page else "nextPageToken" not in page:
            return
        body["nextPageToken"] = page.get("nextPageToken")
        if not cloud:
            del body["nextPageToken"]


def _histories(session: Any, base: str, issues: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The histories by the thousand on Cloud; those that came with the issues on Data Center."""
    if "Basic" not in session.headers["Authorization"]:
        yield from ((issue["id"], issue["changelog"]["histories"]) for issue in issues)
        return
    for begin in range(0, len(issues), BULK):
        ids = [issue["id"] for issue in issues[begin : begin + BULK]]
        body: dict[str, Any] = {"issueIdsOrKeys": ids, "fieldIds": ["status"]}
        while True:
            page = _post(session, f"{base}/rest/api/3/changelog/bulkfetch", body)
            yield from ((each["issueId"], each["changeHistories"]) for each in page["issueChangeLogs"])
            if "nextPageToken" not in page:
                break
            body["nextPageToken"] = page["nextPageToken"]

"""Ways to read a window of bugs and their histories: ours, a yardstick, two loops written by hand, dlt's REST client.

All end with the same facts about the same bugs, and with every change of their status. The plain loop asks for all
fields, gathers the issues, and looks at them afterwards; the careful one asks for the fields that it needs and keeps
no more than these; dlt asks for the same and ends in Parquet. The yardstick is as little work as we know how: aiohttp,
named fields by msgspec, days that it was told lie even in the window, and Parquet. It checks nothing, and reads no
meaning into a history.
"""

import asyncio
import base64
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import ways

SINCE = "2026-08-02"
JQL = f'project in (CORE, WEB) AND issuetype = Bug AND (statusCategory != Done OR updated >= "{SINCE}")'
FIELDS = ["created", "updated", "status", "priority", "resolutiondate", "components", "statuscategorychangedate"]
BULK = 1000
SLICES = 16  # of the yardstick


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


def yardstick(told: dict[str, Any]) -> int:
    """aiohttp, msgspec and Polars, in days side by side, then the histories side by side."""
    return asyncio.run(_yardstick(told))


async def _yardstick(told: dict[str, Any]) -> int:
    import aiohttp
    import polars as pl

    pages, histories = _decoders()
    headers = {"Authorization": _authorization(told["environment"]), "Content-Type": "application/json"}
    base = told["environment"]["JIRA_BASE_URL"] + "/rest/api/3"
    async with aiohttp.ClientSession(headers=headers, read_bufsize=2**20) as session:

        async def everything(path: str, body: dict[str, Any], decoder: Any) -> list[Any]:
            found: list[Any] = []
            while True:
                async with session.post(f"{base}/{path}", json=body) as answer:
                    page = decoder.decode(await answer.read())
                found += page.rows
                if page.token is None:
                    return found
                body["nextPageToken"] = page.token

        def walk(days: str) -> Any:
            return everything("search/jql", {"jql": f"{JQL}{days}", "fields": FIELDS, "maxResults": 100}, pages)

        walked = await asyncio.gather(*map(walk, _days(told["issue_days"])))
        issues = [issue for some in walked for issue in some]
        ids = [issue.id for issue in issues]
        chunks = [ids[begin : begin + BULK] for begin in range(0, len(ids), BULK)]
        bodies = [{"issueIdsOrKeys": chunk, "fieldIds": ["status"], "maxResults": 10_000} for chunk in chunks]
        logs = await asyncio.gather(*(everything("changelog/bulkfetch", body, histories) for body in bodies))
    rows = list(map(_facts, issues))
    moves = [
        (log.issueId, history.created, item.before, item.after)
        for some in logs
        for log in some
        for history in log.changeHistories
        for item in history.items
        if item.field == "status"
    ]
    with tempfile.TemporaryDirectory() as folder:
        pl.DataFrame(rows, orient="row", infer_schema_length=None).write_parquet(f"{folder}/issues.parquet")
        pl.DataFrame(moves, orient="row", infer_schema_length=None).write_parquet(f"{folder}/moves.parquet")
    return len(rows)


def _decoders() -> tuple[Any, Any]:
    """What reads a page of issues, and a page of histories: the named fields and no other."""
    import msgspec

    def struct(name: str, *fields: Any, **names: str) -> Any:
        return msgspec.defstruct(name, fields, rename=names or None, gc=False)

    named = struct("Named", ("name", str | None, None))
    status = struct("Status", ("category", struct("Category", ("key", str))), category="statusCategory")
    dates = [("created", datetime), ("updated", datetime)]
    later = [("resolutiondate", datetime | None, None), ("statuscategorychangedate", datetime | None, None)]
    facts = [("status", status), ("priority", named | None, None), ("components", list[named], [])]
    issue = struct("Issue", ("id", str), ("fields", struct("Fields", *dates, *facts, *later)))
    token = ("token", str | None, None)
    page = struct("Page", ("rows", list[issue]), token, rows="issues", token="nextPageToken")
    sides = [("field", str), ("before", str | None, None), ("after", str | None, None)]
    item = struct("Item", *sides, before="from", after="to")
    entry = struct("Entry", ("created", datetime | int), ("items", list[item]))
    log = struct("Log", ("issueId", str), ("changeHistories", list[entry]))
    logs = struct("Logs", ("rows", list[log]), token, rows="issueChangeLogs", token="nextPageToken")
    return msgspec.json.Decoder(page), msgspec.json.Decoder(logs)


def _days(count: int) -> list[str]:
    """The window's days in as many clauses, the first and the last of them open."""
    step = max(timedelta(1), timedelta(count) / SLICES)
    ends = [ways.MONTH_END - timedelta(count) + step * number for number in range(1, round(timedelta(count) / step))]
    edges = [f'"{end:%Y-%m-%d %H:%M}"' for end in ends]
    between = [f" AND created >= {one} AND created < {other}" for one, other in pairwise(edges)]
    return [f" AND created < {edges[0]}", *between, f" AND created >= {edges[-1]}"]


def _facts(issue: Any) -> tuple[Any, ...]:
    """`facts` of a decoded issue."""
    fields = issue.fields
    done = fields.status.category.key == "done"
    resolved = (fields.resolutiondate or fields.statuscategorychangedate) if done else None
    critical = fields.priority is not None and fields.priority.name in ("Highest", "Blocker", "Critical")
    return issue.id, [each.name for each in fields.components], fields.created, done, resolved, critical


WAYS = {"ours": ours, "plain": plain, "careful": careful, "dlt": with_dlt, "yardstick": yardstick}


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

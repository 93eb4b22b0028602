"""A Jira of a few issues, for what the sandbox's world doesn't hold; it answers as the vendor's documentation shows."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import polars as pl

from accountpulse.core.records import Extract
from accountpulse.metrics.bugs import measure_bugs
from metrics.measuring import measured, of

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]  # status, content (text: as it is), headers
OPEN, IN_WORK, DONE, CLOSED = "1", "3", "5", "6"
CATEGORIES = {OPEN: "new", IN_WORK: "indeterminate", DONE: "done", CLOSED: "done"}
CREATED = "2026-09-01T10:00:00.000+0000"


def status(number: str, category: str | None = None, name: str | None = None) -> dict[str, Any]:
    category = category or CATEGORIES.get(number)
    shown: dict[str, Any] = {"id": number, "name": name or f"status {number}"}
    return shown if category is None else {**shown, "statusCategory": {"key": category}}


def move(at: str, *steps: tuple[str, str], resolution: tuple[Any, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An entry of a history: `at` is a day of 2026 (`10-05`) or an instant; a step leads from one status to another."""
    items = [{"field": "status", "fieldtype": "jira", "from": before, "to": after} for before, after in steps]
    if resolution is not None:
        items.append({"field": "resolution", "fieldtype": "jira", "from": resolution[0], "to": resolution[1]})
    return {"created": at if "T" in at else f"2026-{at}T12:00:00.000+0000", "items": items, **more}


def issue(
    number: int, now: str = OPEN, *moves: dict[str, Any], found_by: Iterable[str] = ("Acme",), **fields: Any
) -> Any:
    """An issue that queries for the named values find; `moves` None: it comes without a history."""
    filled = {"created": CREATED, "updated": "2026-11-20T10:00:00.000+0000", "resolutiondate": None, "priority": None}
    filled |= {"status": status(now), "components": [{"id": "20", "name": "Acme"}], "labels": [], **fields}
    shown = {"id": str(number), "key": f"CORE-{number}", "fields": filled, "found_by": list(found_by)}
    return shown | {"changelog": {"total": len(moves), "histories": list(moves)}}


def is_search(path: str) -> bool:
    return path.endswith(("/api/2/search", "/search/jql"))


@dataclass
class SmallSite:
    """Answers every request of an extraction; `over` answers instead where it gives anything but None."""

    issues: list[Any]
    cloud: bool = False
    statuses: list[Any] = field(default_factory=lambda: [status(number) for number in CATEGORIES])
    priorities: list[Any] = field(default_factory=lambda: [{"id": "1", "name": "Highest"}, {"id": "3", "name": "Low"}])
    fields: list[Any] = field(default_factory=list)
    components: list[Any] = field(default_factory=lambda: [{"id": "20", "name": "Acme"}, {"id": "21", "name": "Beta"}])
    projects: list[Any] = field(default_factory=lambda: [{"id": "100", "key": "CORE", "name": "Core"}])
    over: Callable[[str, str, dict[str, Any]], Answer | None] = lambda _method, _path, _body: None
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self.send("GET", parts.path, {name: each[0] for name, each in parse_qs(parts.query).items()})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.send("POST", self.path, json.loads(self.rfile.read(length) or b"{}"))

            def send(self, method: str, path: str, body: dict[str, Any]) -> None:
                code, content, *headers = site.answer(method, path, body)
                raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(code)
                for name, value in {"Content-Type": "application/json", **(headers[0] if headers else {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_given: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        """What leads here; the CRM is nobody's."""
        nobody = {"SALESFORCE_USERNAME": "x", "SALESFORCE_PASSWORD": "x", "SALESFORCE_SECURITY_TOKEN": "x"}
        names = {"JIRA_BASE_URL": self.url, "JIRA_API_TOKEN": "x", **nobody}
        return names | ({"JIRA_EMAIL": "a@b.example"} if self.cloud else {})

    # --- answers

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        self.asked.append((method, path, body))
        return self.over(method, path, body) or self.usual(path, body)

    def usual(self, path: str, body: dict[str, Any]) -> Answer:
        """As a site answers that has nothing odd."""
        name = path.removeprefix("/rest/api/2/").removeprefix("/rest/api/3/")
        kind = "Cloud" if self.cloud else "Server"
        plain: dict[str, Any] = {
            "serverInfo": {"deploymentType": kind},
            "myself": {"timeZone": "UTC"},
            "status": self.statuses,
            "priority": self.priorities,
            "field": self.fields,
            "issuetype": [{"id": "10", "name": "Bug"}],
            "project": self.projects,
            "project/search": {"isLast": True, "values": self.projects},
        }
        if name in plain:
            return 200, plain[name]
        if name.startswith("project/") and name.endswith("/components"):
            return 200, self.components
        if name in ("search", "search/jql", "search/approximate-count"):
            found = [each for each in self.issues if self.finds(body["jql"], each)]
            return 200, {"count": len(found)} if name.endswith("count") else self.page(found, body)
        if name == "changelog/bulkfetch":
            wanted = [each for each in self.issues if each["id"] in body["issueIdsOrKeys"]]
            logs = [{"issueId": each["id"], "changeHistories": each["changelog"]["histories"]} for each in wanted]
            return 200, {"issueChangeLogs": logs}
        if name.startswith("issue/"):
            own = [each for each in self.issues if each["id"] == name.removeprefix("issue/")]
            return (200, self.shown(own[0], ("changelog",))) if own else (404, {"errorMessages": ["not there"]})
        return 404, {"errorMessages": ["No such thing."]}

    def finds(self, jql: str, each: Any) -> bool:
        """By the values that stand in quotes before the issue types; without any, everything."""
        link = jql.partition(" AND issuetype")[0]
        plain = link.replace("\\", "")
        return '"' not in link or any(f'"{name}"' in plain for name in each["found_by"])

    def page(self, found: list[Any], body: dict[str, Any]) -> Any:
        size, start = int(body["maxResults"]), int(body.get("startAt") or 0)
        rows = [self.shown(each, body.get("expand") or ()) for each in found[start : start + size]]
        total = len({each["id"] for each in found})
        return {"issues": rows, "isLast": True} if self.cloud else {"issues": rows, "total": total}

    def shown(self, each: Any, expand: Iterable[str]) -> Any:
        hidden = {"found_by"} if "changelog" in expand else {"found_by", "changelog"}
        return {name: value for name, value in each.items() if name not in hidden}

    def searches(self) -> list[str]:
        return [body["jql"] for _method, path, body in self.asked if is_search(path)]


def bugs(extract: Extract, key: str) -> dict[str, Any]:
    """The bug metrics of the account that a key links: each its value, or the reason why there is none."""
    issues = extract.spools["issues"].lazy().explode("keys").filter(pl.col("keys") == key).drop("keys").collect()
    moves = extract.spools["issue_moves"].lazy().collect()
    answers = of(measured(measure_bugs, {"issues": issues.rows(named=True), "issue_moves": moves.rows(named=True)}))
    answers |= dict(extract.gaps)
    own = extract.unknowns.filter(pl.col("key") == key)
    return answers | dict(own.select("metric", "reason").iter_rows())

"""What Jira's extraction costs, beside a plain sequential loop, against the sandbox in a process of its own.

    python benchmarks/extract_jira.py [--issues 20000] [--latency 0 100] [--rounds 3] [--kind cloud|datacenter]

Each measurement is a process of its own, from its start to the rows in memory: imports count. Ratios are what counts;
the ways take turns, so that a busy machine is busy for all.
"""

import argparse
import base64
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WAYS = ("ours", "loop", "loop of all fields")


def serve(issues: int, accounts: int, latency: int, kind: str, rate: int) -> None:
    """The sandbox, until stdin is closed; how to reach it is one line on stdout."""
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    world = build(accounts=accounts, until=NOW, issues=issues)
    with Sandbox(world, latency_ms=latency, jira="cloud" if kind == "cloud" else "datacenter") as sandbox:
        if rate:
            from accountpulse.sandbox.limits import Limit

            sandbox.limits = {"jira": Limit(rate, 1)}
        keys = sorted(customer.jira_component for customer in world.customers if customer.jira_component)
        print(json.dumps({"environment": sandbox.environment(), "keys": keys}), flush=True)
        for _line in sys.stdin:
            statuses = [call.status for call in sandbox.log]
            print(json.dumps({"calls": len(statuses), "refused": statuses.count(429)}), flush=True)
            sandbox.log.clear()


def ours(environment: dict[str, str], keys: list[str]) -> int:
    """The extractor, as the pipeline calls it."""
    from accountpulse import settings
    from accountpulse.extractors import jira
    from accountpulse.extractors.base import Request
    from accountpulse.period import Period, scope_of

    request = Request(settings.load(environment), scope_of(Period(2026, 10), NOW), tuple(keys))
    return jira.extract(request).tables["issues"].height


def loop(environment: dict[str, str], keys: list[str], *, everything: bool = False) -> int:
    """What one writes first: one query, page after page, json, then the histories by the thousand; rows as lists."""
    import requests

    base, session = environment["JIRA_BASE_URL"], requests.Session()
    cloud = "JIRA_EMAIL" in environment
    if cloud:
        pair = f"{environment['JIRA_EMAIL']}:{environment['JIRA_API_TOKEN']}".encode()
        session.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    else:
        session.headers["Authorization"] = f"Bearer {environment['JIRA_API_TOKEN']}"
    jql = 'project in (CORE, WEB) AND issuetype = Bug AND (statusCategory != Done OR updated >= "2026-08-02")'
    fields = ["created", "updated", "status", "priority", "resolutiondate", "components", "statuscategorychangedate"]
    body: dict[str, Any] = {"jql": jql, "fields": ["*all"] if everything else fields, "maxResults": 100}
    wanted, rows, moves = set(keys), [], []
    while True:
        if cloud:
            page = session.post(f"{base}/rest/api/3/search/jql", json=body).json()
        else:
            expanded = {**body, "startAt": len(rows), "expand": ["changelog"]}
            page = session.post(f"{base}/rest/api/2/search", json=expanded).json()
        for issue in page["issues"]:
            rows.append(row(issue, wanted))
            if "changelog" in issue:
                moves += changes(issue["id"], issue["changelog"]["histories"])
        if cloud and "nextPageToken" in page:
            body["nextPageToken"] = page["nextPageToken"]
        elif cloud or len(rows) >= page["total"]:
            break
    for start in range(0, len(rows) if cloud else 0, 1000):
        asked = {"issueIdsOrKeys": [each[0] for each in rows[start : start + 1000]], "fieldIds": ["status"]}
        while True:
            page = session.post(f"{base}/rest/api/3/changelog/bulkfetch", json=asked).json()
            for changed in page["issueChangeLogs"]:
                moves += changes(changed["issueId"], changed["changeHistories"])
            if "nextPageToken" not in page:
                break
            asked["nextPageToken"] = page["nextPageToken"]
    return len(rows)


def row(issue: dict[str, Any], wanted: set[str]) -> tuple[Any, ...]:
    fields = issue["fields"]
    done = fields["status"]["statusCategory"]["key"] == "done"
    resolved = fields["resolutiondate"] or fields.get("statuscategorychangedate")
    priority = (fields["priority"] or {}).get("name")
    names = [each["name"] for each in fields["components"] if each["name"] in wanted]
    created = datetime.fromisoformat(fields["created"])
    return issue["id"], names, created, done, datetime.fromisoformat(resolved) if done and resolved else None, priority


def changes(issue: str, histories: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    moved = []
    for history in histories:
        at = history["created"]
        when = datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else datetime.fromisoformat(at)
        moved += [(issue, when, item["from"], item["to"]) for item in history["items"] if item["field"] == "status"]
    return moved


def measure(way: str, place: str) -> None:
    """Run one way, and say what it cost since this process began."""
    with open(place, encoding="utf-8") as file:
        told = json.load(file)
    begun = time.monotonic() - time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
    how = {"ours": ours, "loop": loop, "loop of all fields": partial(loop, everything=True)}[way]
    rows = how(told["environment"], told["keys"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"wall": time.monotonic() - begun, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
    print(json.dumps({"rows": rows, **cost}))


@contextmanager
def served(options: argparse.Namespace, latency: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    told = ["--issues", options.issues, "--accounts", options.accounts, "--kind", options.kind, "--rate", options.rate]
    command = [sys.executable, __file__, "serve", *map(str, told), "--latency", str(latency)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as place,
    ):
        assert server.stdout is not None
        place.write(server.stdout.readline())
        place.flush()
        yield server, place.name
        assert server.stdin is not None
        server.stdin.close()


def compare(options: argparse.Namespace) -> None:
    for latency in options.latency:
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        with served(options, latency) as (server, place):
            for number in range(options.rounds + 1):  # the first round warms the server's texts up and doesn't count
                for way in WAYS:
                    command = [sys.executable, __file__, "measure", "--way", way, "--place", place]
                    cost = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    assert server.stdin is not None
                    assert server.stdout is not None
                    server.stdin.write("count\n")
                    server.stdin.flush()
                    cost |= json.loads(server.stdout.readline())
                    if number:
                        found[way].append(cost)
        report(latency, options.kind, found)


def report(latency: int, kind: str, found: dict[str, list[dict[str, float]]]) -> None:
    middle = {
        way: {name: statistics.median(cost[name] for cost in costs) for name in costs[0]}
        for way, costs in found.items()
    }
    print(f"\nJira {kind}, {latency} ms an answer, load {os.getloadavg()[0]:.1f}, medians of {len(found['ours'])}")
    for way, cost in middle.items():
        print(
            f"  {way:18} {cost['rows']:>7,.0f} rows {cost['wall']:6.2f} s wall {cost['cpu']:6.2f} s CPU "
            f"{cost['calls']:5,.0f} requests {cost['refused']:4,.0f} refused {cost['peak']:6.0f} MB peak"
        )
    for way in WAYS[1:]:
        wall, cpu = (middle[way][name] / middle["ours"][name] for name in ("wall", "cpu"))
        print(f"  the {way} takes {wall:.1f} times the wall and {cpu:.1f} times the CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("compare", "serve", "measure"), default="compare")
    parser.add_argument("--issues", type=int, default=20_000)
    parser.add_argument("--accounts", type=int, default=120)
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 100])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=0, help="requests a second that the server allows; 0: any number")
    parser.add_argument("--kind", choices=("cloud", "datacenter"), default="cloud")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--place")
    options = parser.parse_args()
    if options.what == "serve":
        serve(options.issues, options.accounts, options.latency[0], options.kind, options.rate)
    elif options.what == "measure":
        measure(options.way, options.place)
    else:
        compare(options)


if __name__ == "__main__":
    main()

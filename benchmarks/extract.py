"""What extraction costs, beside sequential loops, a yardstick and dlt, in one run; and whether the targets are reached.

    python benchmarks/extract.py [--source intercom|jira]… [--rows N] [--accounts N] [--rounds 3] [--dlt PYTHON]
                                 [--only SCENARIO]…

dlt is asked where `--dlt` names a Python that has it:

    python -m venv build/dlt && build/dlt/bin/pip install -r benchmarks/requirements.txt
    python benchmarks/extract.py --dlt build/dlt/bin/python

`command` is a whole run by the command line over all four systems, as a dry run with an empty state. In "starved of
CPU" the reading process shares one processor with endless loops (Linux, two processors at least): how many requests go
at once must stay what it is without them.

The sandbox answers from a process of its own, its texts written before. Each measurement is a process of its own too,
from its start to its rows: imports count. The ways take turns, so that a busy machine is busy for all of them. Of
several rounds the least wall and CPU are shown, since other programs only add to them, and the most of all else.
Everything with dlt takes about 12 minutes on two quiet cores; `--only` and `--source` take a part.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import intercom_ways
import jira_ways
import targets
import ways
from targets import Cost, Figure
from ways import NOW

ALL = ("ours", "plain", "careful", "dlt")
BESIDE = ("ours", "plain", "yardstick")
DENSE = 0.1  # times the accounts: few, so that there is one query and a slice of it has many bugs an hour


@dataclass(frozen=True)
class Scenario:
    """One server, and who walks it. `limit`: requests, and seconds in which they are allowed; `told` in headers.

    `busy`: so many endless loops share the one processor that the reading process may use; the server has another.
    """

    name: str
    rows: int = 1  # times the rows that were asked for
    accounts: float = 1
    latency: int = 0  # ms
    limit: tuple[int, int] | None = None
    told: bool = True
    busy: int = 0
    jira: str = "cloud"
    issue_days: int = 365  # in which the bugs came about
    ways: tuple[str, ...] = ("ours",)


COMMON = (
    Scenario("0 ms", ways=(*ALL, "command")),
    Scenario("100 ms", latency=100, ways=("ours", "plain", "dlt")),
    Scenario("100 ms, starved of CPU", latency=100, busy=2),
    Scenario("50 requests a second", limit=(50, 1)),
    Scenario("twice the rows, 0 ms", rows=2),
    Scenario("four times the rows, 0 ms", rows=4),
    Scenario("twice the accounts, 0 ms", accounts=2),
)


@dataclass(frozen=True)
class Subject:
    """One source: how much of it, in pages of how many, who reads it, and where its searches go."""

    rows: int
    accounts: int
    page: int
    ways: Mapping[str, Callable[[dict[str, Any]], int]]
    searches: tuple[str, ...]
    scenarios: tuple[Scenario, ...]


SUBJECTS = {
    "intercom": Subject(
        rows=60_000,
        accounts=500,
        page=150,
        ways=intercom_ways.WAYS,
        searches=("/conversations/search",),
        scenarios=(*COMMON, Scenario("500 requests in 10 seconds", rows=2, limit=(500, 10))),
    ),
    "jira": Subject(
        rows=20_000,
        accounts=120,
        page=100,
        ways=jira_ways.WAYS,
        searches=("/search/jql", "/search"),
        scenarios=(
            *COMMON,
            Scenario("few accounts, 14 days, 0 ms", accounts=DENSE, issue_days=14, ways=BESIDE),
            Scenario("few accounts, 14 days, 100 ms", accounts=DENSE, issue_days=14, latency=100, ways=BESIDE),
            Scenario("50 requests a second, never told", limit=(50, 1), told=False),
            Scenario("Data Center, 0 ms", jira="datacenter"),
            Scenario("Data Center, 100 ms", jira="datacenter", latency=100),
            Scenario("Data Center, 50 requests a second", jira="datacenter", limit=(50, 1)),
        ),
    ),
}


def serve(told: dict[str, Any]) -> None:
    """The sandbox until stdin ends; says how to reach it, then for each line what was asked since the last."""
    from accountpulse.sandbox.limits import Limit
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    source, cloud = told["source"], told["jira"] == "cloud"
    if told["busy"]:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    size = {"conversations" if source == "intercom" else "issues": told["rows"]}
    world = build(accounts=told["accounts"], until=NOW, issue_days=told["issue_days"], **size)
    with Sandbox(world, latency_ms=told["latency"], jira="cloud" if cloud else "datacenter") as sandbox:
        if source == "intercom":
            sandbox.services["intercom"].prepare("2.16")
        link = "intercom_company" if source == "intercom" else "jira_component"
        known = sorted(key for customer in world.customers if (key := getattr(customer, link)))
        place = {"environment": sandbox.environment(), "keys": known, "issue_days": told["issue_days"]}
        print(json.dumps(place), flush=True)
        for _line in sys.stdin:
            if told["limit"]:
                sandbox.limits = {source: Limit(*told["limit"], announced=told["told"])}
            searches = sum(call.path.endswith(SUBJECTS[source].searches) for call in sandbox.log)
            refused = sum(call.status == 429 for call in sandbox.log)
            print(json.dumps({"searches": searches, "requests": len(sandbox.log), "refused": refused}), flush=True)
            sandbox.log.clear()


@contextmanager
def served(source: str, scenario: Scenario, rows: int, accounts: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    told = {**asdict(scenario), "source": source, "rows": rows * scenario.rows}
    told["accounts"] = round(accounts * scenario.accounts)
    command = [sys.executable, __file__, "--serve", json.dumps(told)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as place,
    ):
        assert server.stdout is not None
        assert server.stdin is not None
        place.write(server.stdout.readline())
        place.flush()
        yield server, place.name
        server.stdin.close()


@contextmanager
def starved(loops: int) -> Iterator[None]:
    """Beside endless loops, all on one processor: whoever is started inside runs there as well."""
    mine = os.sched_getaffinity(0)
    if loops:
        os.sched_setaffinity(0, {min(mine)})
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()
        os.sched_setaffinity(0, mine)


def asked(server: subprocess.Popen[str]) -> Cost:
    assert server.stdout is not None
    assert server.stdin is not None
    server.stdin.write("\n")
    server.stdin.flush()
    found: Cost = json.loads(server.stdout.readline())
    return found


def measured(source: str, way: str, place: str, server: subprocess.Popen[str], python: str) -> Cost:
    """What one process costs from its start to its end; its children are counted in."""
    asked(server)
    begun = time.perf_counter()
    command = [python, __file__, "--measure", source, way, place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{way} failed")
    cost = {**json.loads(told.splitlines()[-1]), "wall": wall, "cpu": used.ru_utime + used.ru_stime}
    return {**cost, "peak": used.ru_maxrss / 1024, **asked(server)}


def compare(source: str, scenario: Scenario, options: argparse.Namespace) -> dict[str, Cost]:
    """The cost of each way; the first round, in which the server writes its texts, doesn't count."""
    subject = SUBJECTS[source]
    takers = [way for way in scenario.ways if way != "dlt" or options.dlt]
    found: dict[str, list[Cost]] = {way: [] for way in takers}
    size = options.rows or subject.rows, options.accounts or subject.accounts
    with served(source, scenario, *size) as (server, place):
        for number in range(options.rounds + 1):
            for way in takers if number else takers[:1]:
                if number > 1 and (way == "dlt" or (way != "ours" and scenario.latency)):
                    continue  # takes long, and once is enough to see how far away it is
                with starved(scenario.busy):
                    cost = measured(source, way, place, server, options.dlt if way == "dlt" else sys.executable)
                if number:
                    found[way].append(cost)
    kinds = {"wall": min, "cpu": min}
    return {
        way: {name: kinds.get(name, max)(cost[name] for cost in costs) for name in costs[0]}
        for way, costs in found.items()
    }


def report(source: str, scenario: Scenario, costs: dict[str, Cost]) -> list[Figure]:
    """Print the costs and the figures; the figures."""
    print(f"\n{source}, {scenario.name} (load {os.getloadavg()[0]:.1f})")
    mine, page = costs["ours"], SUBJECTS[source].page
    for way, cost in costs.items():
        times = f"wall × {cost['wall'] / mine['wall']:.1f}, CPU × {cost['cpu'] / mine['cpu']:.1f}"
        print(
            f"  {way:7} {cost['rows']:>8,.0f} rows {cost['wall']:7.2f} s wall {cost['cpu']:6.2f} s CPU"
            f" {cost['peak']:6.0f} MB peak {'' if way == 'ours' else times}"
        )
    figures = [*targets.of_all(mine, page, scenario.latency)]
    if "plain" in costs:
        figures += targets.of_loops(source, scenario.latency, costs)
    if scenario.limit:
        figures += targets.of_limit(mine, page, *scenario.limit, told=scenario.told)
    print(*figures, sep="\n", flush=True)
    return figures


def main() -> None:
    names = sorted({scenario.name for subject in SUBJECTS.values() for scenario in subject.scenarios})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", action="append", choices=list(SUBJECTS))
    parser.add_argument("--rows", type=int, help="[default: 60,000 conversations, 20,000 issues]")
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dlt", metavar="PYTHON", help="a Python with benchmarks/requirements.txt")
    parser.add_argument("--only", action="append", choices=names)
    options = parser.parse_args()
    figures: list[Figure] = []
    for source in options.source or SUBJECTS:
        mine: dict[str, Cost] = {}
        for scenario in SUBJECTS[source].scenarios:
            if not options.only or scenario.name in options.only:
                costs = compare(source, scenario, options)
                mine[scenario.name] = costs["ours"]
                figures += report(source, scenario, costs)
        if growth := [*targets.of_growth(mine, SUBJECTS[source].page), *targets.of_starved(mine)]:
            print(f"\n{source}, growing", *growth, sep="\n", flush=True)
            figures += growth
    print(f"\n{sum(figure.reached for figure in figures)} of {len(figures)} figures reached")


def _hidden(arguments: list[str]) -> bool:
    """The server's and the measured processes' own beginnings."""
    if arguments[:1] == ["--measure"]:
        source, way, place = arguments[1:4]
        told: dict[str, Any] = json.loads(Path(place).read_text(encoding="utf-8"))
        limits = ways.observed_limits() if way == "ours" else []
        rows = {**SUBJECTS[source].ways, "command": ways.by_command}[way](told)
        print(json.dumps({"rows": rows, "at_once": statistics.fmean(limits) if limits else 0}))
        return True
    if arguments[:1] == ["--serve"]:
        serve(json.loads(arguments[1]))
        return True
    return False


if __name__ == "__main__":
    _hidden(sys.argv[1:]) or main()

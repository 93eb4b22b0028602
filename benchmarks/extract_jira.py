"""What the extraction of bugs costs, beside two sequential loops and dlt, in the same run.

    python benchmarks/extract_jira.py [--rows 20000] [--accounts 120] [--rounds 3] [--dlt PYTHON] [--only SCENARIO]…

The sandbox answers from a process of its own; a first round that doesn't count lets it write its texts. Each
measurement is a process of its own too, from its start to its rows: imports count. The ways take turns, so that a busy
machine is busy for all of them; the table has medians. dlt is asked where `--dlt` names a Python that has it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jira_ways import NOW, WAYS

PAGE = 100
Cost = dict[str, float]


@dataclass(frozen=True)
class Scenario:
    """One server, and who walks it. `limit`: requests a second."""

    name: str
    rows: int = 1  # times the rows that were asked for
    accounts: int = 1
    latency: int = 0  # ms
    limit: int = 0
    kind: str = "cloud"
    ways: tuple[str, ...] = ("ours",)


SCENARIOS = (
    Scenario("0 ms", ways=("ours", "plain", "careful", "dlt")),
    Scenario("100 ms", latency=100, ways=("ours", "plain", "careful", "dlt")),
    Scenario("Data Center, 0 ms", kind="datacenter", ways=("ours", "plain", "careful")),
    Scenario("Data Center, 100 ms", kind="datacenter", latency=100, ways=("ours", "plain", "careful")),
    Scenario("50 requests a second", limit=50),
    Scenario("Data Center, 50 requests a second", limit=50, kind="datacenter"),
    Scenario("twice the rows, 0 ms", rows=2),
    Scenario("four times the rows, 0 ms", rows=4),
    Scenario("twice the accounts, 0 ms", accounts=2),
)


def serve(told: dict[str, Any]) -> None:
    """The sandbox until stdin ends; says how to reach it, then for each line what was asked since the last."""
    from accountpulse.sandbox.limits import Limit
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    world = build(accounts=told["accounts"], until=NOW, issues=told["rows"])
    cloud = told["kind"] == "cloud"
    with Sandbox(world, latency_ms=told["latency"], jira="cloud" if cloud else "datacenter") as sandbox:
        keys = sorted(customer.jira_component for customer in world.customers if customer.jira_component)
        print(json.dumps({"environment": sandbox.environment(), "keys": keys, "kind": told["kind"]}), flush=True)
        for _line in sys.stdin:
            if told["limit"]:
                sandbox.limits = {"jira": Limit(told["limit"], 1)}
            searches = sum(call.path.endswith(("/search/jql", "/search")) for call in sandbox.log)
            refused = sum(call.status == 429 for call in sandbox.log)
            print(json.dumps({"searches": searches, "requests": len(sandbox.log), "refused": refused}), flush=True)
            sandbox.log.clear()


@contextmanager
def served(scenario: Scenario, options: argparse.Namespace) -> Iterator[tuple[subprocess.Popen[str], str]]:
    told = {"rows": options.rows * scenario.rows, "accounts": options.accounts * scenario.accounts}
    told |= {"latency": scenario.latency, "limit": scenario.limit}
    command = [sys.executable, __file__, "--serve", json.dumps({**told, "kind": scenario.kind})]
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


def asked(server: subprocess.Popen[str]) -> Cost:
    assert server.stdout is not None
    assert server.stdin is not None
    server.stdin.write("\n")
    server.stdin.flush()
    found: Cost = json.loads(server.stdout.readline())
    return found


def measured(way: str, place: str, server: subprocess.Popen[str], python: str) -> Cost:
    """What one process costs from its start to its end."""
    asked(server)
    begun = time.perf_counter()
    with subprocess.Popen([python, __file__, "--measure", way, place], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{way} failed")
    cost = {"rows": json.loads(told.splitlines()[-1]), "wall": wall, "cpu": used.ru_utime + used.ru_stime}
    return {**cost, "peak": used.ru_maxrss / 1024, **asked(server)}


def compare(scenario: Scenario, options: argparse.Namespace) -> dict[str, Cost]:
    ways = [way for way in scenario.ways if way != "dlt" or options.dlt]
    found: dict[str, list[Cost]] = {way: [] for way in ways}
    with served(scenario, options) as (server, place):
        for number in range(options.rounds + 1):
            for way in ways:
                if way == "dlt" and number != 1:  # takes long, and once is enough to see how far away it is
                    continue
                cost = measured(way, place, server, options.dlt if way == "dlt" else sys.executable)
                if number:
                    found[way].append(cost)
    return {
        way: {name: statistics.median(cost[name] for cost in costs) for name in costs[0]}
        for way, costs in found.items()
    }


def report(scenario: Scenario, costs: dict[str, Cost]) -> None:
    print(f"\n{scenario.name} (load {os.getloadavg()[0]:.1f})")
    mine = costs["ours"]
    for way, cost in costs.items():
        pages = -(-cost["rows"] // PAGE)
        sent = f"{cost['searches']:4,.0f} searches for {pages:,.0f} pages, {cost['requests']:4,.0f} requests"
        used = f"{cost['wall']:6.2f} s wall {cost['cpu']:5.2f} s CPU {cost['peak']:4.0f} MB"
        more = f"  × ours: wall {cost['wall'] / mine['wall']:.1f}, CPU {cost['cpu'] / mine['cpu']:.1f}"
        print(f"  {way:7} {cost['rows']:>7,.0f} rows {used}  {sent}{more if way != 'ours' else ''}", flush=True)
    if scenario.limit:
        floor = mine["requests"] / scenario.limit
        print(f"          at least {floor:.1f} s at this limit; refused {mine['refused'] / mine['requests']:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--accounts", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dlt", metavar="PYTHON", help="a Python that has dlt with Parquet")
    parser.add_argument("--only", action="append", choices=[each.name for each in SCENARIOS])
    options = parser.parse_args()
    for scenario in SCENARIOS:
        if not options.only or scenario.name in options.only:
            report(scenario, compare(scenario, options))


def _hidden(arguments: list[str]) -> bool:
    """The server's and the measured processes' own beginnings."""
    if arguments[:1] == ["--measure"]:
        told: dict[str, Any] = json.loads(Path(arguments[2]).read_text(encoding="utf-8"))
        print(WAYS[arguments[1]](told))
        return True
    if arguments[:1] == ["--serve"]:
        serve(json.loads(arguments[1]))
        return True
    return False


if __name__ == "__main__":
    _hidden(sys.argv[1:]) or main()

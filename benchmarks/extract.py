"""What the extraction of conversations costs, beside two sequential loops and dlt, in the same run.

    python benchmarks/extract.py [--rows 60000] [--accounts 500] [--rounds 3] [--dlt PYTHON] [--only SCENARIO]…

The sandbox answers from a process of its own, its texts written before. Each measurement is a process of its own too,
from its start to its rows: imports count. The ways take turns, so that a busy machine is busy for all of them; the
table has medians. dlt is asked where `--dlt` names a Python that has it (benchmarks/requirements.txt).
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

from intercom_ways import NOW, WAYS

PAGE = 150
Cost = dict[str, float]


@dataclass(frozen=True)
class Scenario:
    """One server, and who walks it. `limit`: requests, and seconds in which they are allowed."""

    name: str
    rows: int = 1  # times the rows that were asked for
    accounts: int = 1
    latency: int = 0  # ms
    limit: tuple[int, int] | None = None
    ways: tuple[str, ...] = ("ours",)


SCENARIOS = (
    Scenario("0 ms", ways=("ours", "plain", "careful", "dlt")),
    Scenario("100 ms", latency=100, ways=("ours", "plain", "careful", "dlt")),
    Scenario("50 requests a second", limit=(50, 1)),
    Scenario("500 requests in 10 seconds", rows=2, limit=(500, 10)),
    Scenario("twice the rows, 0 ms", rows=2),
    Scenario("twice the rows, 100 ms", rows=2, latency=100),
    Scenario("four times the rows, 0 ms", rows=4),
    Scenario("twice the accounts, 0 ms", accounts=2),
)


def serve(rows: int, accounts: int, latency: int, limit: tuple[int, int] | None) -> None:
    """The sandbox until stdin ends; says how to reach it, then for each line what was asked since the last."""
    from accountpulse.sandbox.limits import Limit
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    world = build(accounts=accounts, until=NOW, conversations=rows)
    with Sandbox(world, latency_ms=latency) as sandbox:
        sandbox.intercom.prepare("2.16")
        keys = sorted(customer.intercom_company for customer in world.customers if customer.intercom_company)
        print(json.dumps({"environment": sandbox.environment(), "keys": keys}), flush=True)
        for _line in sys.stdin:
            if limit:
                sandbox.limits = {"intercom": Limit(*limit)}
            searches = [call for call in sandbox.log if call.path.endswith("/conversations/search")]
            refused = sum(call.status == 429 for call in sandbox.log)
            count = {"searches": len(searches), "requests": len(sandbox.log), "refused": refused}
            print(json.dumps(count), flush=True)
            sandbox.log.clear()


@contextmanager
def served(scenario: Scenario, options: argparse.Namespace) -> Iterator[tuple[subprocess.Popen[str], str]]:
    limit = "/".join(map(str, scenario.limit)) if scenario.limit else ""
    told = (options.rows * scenario.rows, options.accounts * scenario.accounts, scenario.latency, limit)
    command = [sys.executable, __file__, "--serve", *map(str, told)]
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
    """What one process costs from its start to its end; its children are counted in."""
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
        for number in range(options.rounds):
            for way in ways:
                if way == "dlt" and number:  # takes long, and once is enough to see how far away it is
                    continue
                found[way].append(measured(way, place, server, options.dlt if way == "dlt" else sys.executable))
    return {
        way: {name: statistics.median(cost[name] for cost in costs) for name in costs[0]}
        for way, costs in found.items()
    }


def report(scenario: Scenario, costs: dict[str, Cost]) -> None:
    print(f"\n{scenario.name} (load {os.getloadavg()[0]:.1f})")
    mine = costs["ours"]
    for way, cost in costs.items():
        times = f"wall × {cost['wall'] / mine['wall']:.1f}, CPU × {cost['cpu'] / mine['cpu']:.1f}"
        print(
            f"  {way:7} {cost['rows']:>8,.0f} rows {cost['wall']:7.2f} s wall {cost['cpu']:6.2f} s CPU"
            f" {cost['peak']:6.0f} MB peak {'' if way == 'ours' else times}"
        )
    pages = -(-mine["rows"] // PAGE)
    print(
        f"  ours asked for {pages:,.0f} pages with {mine['searches']:,.0f} searches, {mine['requests']:,.0f} requests"
        f" in all, {mine['refused']:,.0f} of them refused"
    )
    if scenario.limit:
        requests, seconds = scenario.limit
        least = pages * seconds / requests
        print(f"  rows / (page × limit) is {least:.1f} s; ours took {mine['wall'] / least:.2f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dlt", metavar="PYTHON", help="a Python with benchmarks/requirements.txt")
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
        rows, accounts, latency = map(int, arguments[1:4])
        requests, _, seconds = arguments[4].partition("/")
        serve(rows, accounts, latency, (int(requests), int(seconds)) if requests else None)
        return True
    return False


if __name__ == "__main__":
    _hidden(sys.argv[1:]) or main()

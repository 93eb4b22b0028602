"""`make mutate-answers`: every mutation at every endpoint of every system, several turns each.

    python -m mutations.run [--system NAME] [--turns N] [--world SEED]

A table says how often each mutation came to what; every difference in silence is printed, and ends it with 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from mutations.judge import Bench, Outcome, Verdict
from mutations.mutations import MUTATIONS
from support import NAMES, NOW

ACCOUNTS = 10
KINDS: dict[str, tuple[dict[str, Any], ...]] = {"jira": ({"jira": "cloud"}, {"jira": "datacenter"})}  # of sandboxes


def verdicts(world: World, system: str, turns: int) -> Iterator[Verdict]:
    """Each mutation at each endpoint of a system; a value's mutation takes another field in each turn.

    A turn has servers of its own: an org allows 100,000 calls a day.
    """
    for turn, editions in product(range(turns), KINDS.get(system, ({},))):
        with TemporaryDirectory() as folder, Bench(world, Path(folder), **editions) as bench:
            for (name, endpoint), mutation in product(bench.pairs(), MUTATIONS):
                if name == system:
                    yield bench.judge(name, endpoint, mutation, turn)


def main() -> int:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m mutations.run")
    parser.add_argument("--system", choices=NAMES, action="append")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--world", type=int, default=7)
    given = parser.parse_args()
    outcomes: dict[str, Counter[str]] = {mutation.name: Counter() for mutation in MUTATIONS}
    silent = []
    for system in given.system or NAMES:
        world = build(seed=given.world, accounts=ACCOUNTS, until=NOW)
        for verdict in verdicts(world, system, given.turns):
            outcomes[verdict.mutation][verdict.outcome] += 1
            if verdict.outcome == "silent":
                silent.append(verdict)
                print(f"{system}: {verdict}", flush=True)
        print(f"{system}: {given.turns} turns done", file=sys.stderr, flush=True)
    print("\n".join(table(outcomes)))
    print(f"{sum(map(Counter.total, outcomes.values())):,} changes of one answer; {len(silent)} differ in silence")
    return 1 if silent else 0


def table(outcomes: dict[str, Counter[str]]) -> Iterator[str]:
    """How often each mutation came to what."""
    names = get_args(Outcome)
    yield "".join([f"{'mutation':34}", *(f"{name:>18}" for name in names)])
    for mutation, counts in outcomes.items():
        yield "".join([f"{mutation:34}", *(f"{counts[name] or '':>18}" for name in names)])


if __name__ == "__main__":
    sys.exit(main())

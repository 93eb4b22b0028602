"""`make mutate-answers`: every mutation at every endpoint of every system, several turns each.

    python -m mutations.run [--system NAME] [--turns N] [--world SEED]

A table says how often each mutation came to what; every difference in silence is printed, and ends it with 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from accountpulse.sandbox.world import build
from mutations.judge import Bench, Outcome, Verdict
from mutations.mutations import MUTATIONS
from support import NAMES, NOW

ACCOUNTS = 10
KINDS: dict[str, tuple[dict[str, Any], ...]] = {"jira": ({"jira": "cloud"}, {"jira": "datacenter"})}  # of sandboxes


def verdicts(bench: Bench, system: str, turns: int) -> Iterator[Verdict]:
    """Each mutation at each endpoint of a system; a value's mutation takes another field in each turn."""
    for name, endpoint in bench.pairs():
        if name != system:
            continue
        for mutation in MUTATIONS:
            for turn in range(turns):
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
        for editions in KINDS.get(system, ({},)):
            world = build(seed=given.world, accounts=ACCOUNTS, until=NOW)
            with TemporaryDirectory() as folder, Bench(world, Path(folder), **editions) as bench:
                for verdict in verdicts(bench, system, given.turns):
                    outcomes[verdict.mutation][verdict.outcome] += 1
                    if verdict.outcome == "silent":
                        silent.append(verdict)
                        print(f"{system}: {verdict}", flush=True)
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

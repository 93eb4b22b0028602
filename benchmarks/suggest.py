"""Suggested links: how often they are right, and what 20,000 accounts × 50,000 candidates cost.

usage: python benchmarks/suggest.py [--accounts 20000] [--candidates 50000] [--seeds 5]

Precision: first suggestions at or above the threshold that are right. Recall: accounts whose counterpart can be known
that get it so. Both vocabularies of tests/accounts/link_worlds.py; the points were chosen on the first, and the second
is there to check them. CPU seconds and peak memory are this process's, with the libraries it loads.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "accounts"))
from link_worlds import FIRST, SECOND, LinkWorld, link_world

from accountpulse.accounts.likeness import THRESHOLD
from accountpulse.accounts.suggestions import suggest


def quality(world: LinkWorld) -> tuple[float, float, int]:
    """Precision, recall, and how many accounts without a counterpart got one."""
    found = suggest(world.accounts, world.candidates).filter((pl.col("rank") == 1) & (pl.col("score") >= THRESHOLD))
    pairs = list(found.select("account_id", "key").iter_rows())
    right = {account for account, key in pairs if world.truth[account] == key}
    strays = sum(world.truth[account] is None for account, _ in pairs)
    return len(right) / len(pairs), len(right & world.knowable) / len(world.knowable), strays


def large(accounts: int, candidates: int) -> None:
    """One world of the wanted size, and its cost."""
    both = [link_world(seed, words, accounts // 2) for seed, words in ((71, FIRST), (72, SECOND))]
    ours = pl.concat(world.accounts.with_columns(key=f"{n}" + pl.col("key")) for n, world in enumerate(both))
    theirs = pl.concat(world.candidates for world in both)
    number, more = 73, [theirs]
    while sum(map(len, more)) < candidates:
        more.append(link_world(number, FIRST if number % 2 else SECOND, 4_000).candidates)
        number += 1
    theirs = pl.concat(more).head(candidates)
    began = time.process_time()
    found = suggest(ours.head(accounts), theirs)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sizes = f"{min(accounts, ours.height):,} accounts × {theirs.height:,} candidates"
    print(f"{sizes}: {seconds:.1f} CPU s, peak {peak:,.0f} MB, {found.height:,} suggestions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    for name, words in (("first", FIRST), ("second", SECOND)):
        for seed in range(1, asked.seeds + 1):
            precision, recall, strays = quality(link_world(seed, words, 2_000))
            print(f"{name} vocabulary, seed {seed}: precision {precision:.4f}, recall {recall:.3f}, strays {strays}")
    large(asked.accounts, asked.candidates)


if __name__ == "__main__":
    main()

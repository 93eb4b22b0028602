"""Scoring against the yardstick: time, memory, and how both grow.

usage: python benchmarks/score.py [--accounts 1000000] [--runs 3] [--grow]

Two comparisons, each a fresh process a run, one after the other, on the same file in the same minute:
  scores    metrics in, every column of `score` out: ours / the yardstick
  command   `accountpulse score` from start to end, checks and summary included / the yardstick's program, which makes
            the same checks the short way (no NaN, no account twice) and counts tiers
CPU seconds, since machines are shared; peak memory is the process's. `--grow` adds 2, 5 and 10 times the accounts.
Ours must give what the yardstick gives: numbers to 1e-9, texts and lists alike.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import portfolio
import yaml
import yardstick

UNCOMPARED = ("scorecard", "risk_z")  # the yardstick has neither
NEAR = 1e-9


def yardstick_program(source: Path, out: Path, card: dict) -> None:
    """What a careful person writes around the yardstick: refuse what can't be scored, score, count."""
    frame = pl.scan_parquet(source)
    numbers = pl.selectors.numeric()
    fine = frame.select(
        finite=pl.all_horizontal(numbers.is_finite().all()), once=pl.col("account_id").n_unique() == pl.len()
    )
    if not all(fine.collect(engine="streaming").row(0)):
        raise SystemExit("NaN, or an account twice")
    yardstick.score(frame, card).sink_parquet(out)
    print(pl.scan_parquet(out).group_by("tier").agg(pl.len()).collect(engine="streaming"), file=sys.stderr)


def work(what: str, source: Path, out: Path) -> None:
    """One run in this process; tells its own CPU seconds without start and imports, and its peak memory."""
    card = portfolio.scorecard()
    began = time.process_time()
    if what == "yardstick":
        yardstick.score(pl.scan_parquet(source), card).sink_parquet(out)
    elif what == "yardstick program":
        yardstick_program(source, out, card)
    else:
        from accountpulse.scoring.scorecard import load
        from accountpulse.scoring.scores import score

        loaded = load(yaml.safe_dump(card, sort_keys=False), "card.yaml", portfolio.PILLARS)
        score(pl.scan_parquet(source), loaded, detail=what == "detail").sink_parquet(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"inside": time.process_time() - began, "peak": peak}))


def measured(command: list[str]) -> dict[str, float]:
    """The CPU seconds of a whole process, and what it tells about itself."""
    before, began = os.times(), time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return {"cpu": cpu, "wall": time.monotonic() - began, **told}


def run(what: str, source: Path, folder: Path) -> dict[str, float]:
    out = folder / f"{what.replace(' ', '_')}.parquet"
    if what == "command":
        program = [sys.executable, "-m", "accountpulse", "score", "--metrics", str(source), "--out", str(out)]
        return measured([*program, "--scorecard", str(folder / "card.yaml")])
    return measured([sys.executable, __file__, "--work", what, str(source), str(out)])


def compare(folder: Path) -> None:
    """Ours and the yardstick's results; a difference ends the benchmark.

    A dimension that lies within rounding of a cap's edge may lie on either side of it: such accounts are left out,
    and counted.
    """
    ours, theirs = (pl.read_parquet(folder / f"{name}.parquet") for name in ("ours", "yardstick"))
    others = ("health_score", "churn_risk_score")
    scores = [pl.col(name) for name in ours.columns if name.endswith("_score") and name not in others]
    below = pl.concat_list([score < 25 for score in scores])
    edge = ours.select(below).to_series() != theirs.select(below).to_series()
    near = pl.any_horizontal([(score - 25).abs() <= NEAR for score in scores])
    if not ours.filter(edge).select(near.all()).item():
        raise SystemExit("a dimension differs from the yardstick")
    print(f"{edge.sum()} accounts within rounding of an edge are not compared")
    ours, theirs = ours.filter(~edge), theirs.filter(~edge)
    for name in (each for each in ours.columns if each not in UNCOMPARED):
        left, right = ours[name], theirs[name]
        if left.dtype == pl.Float64:
            same = (left.is_null() == right.is_null()).all() and ((left - right).abs().max() or 0) < NEAR
        else:
            same = left.equals(right)
        if not same:
            raise SystemExit(f"{name} differs from the yardstick")
    print(f"every column of {ours.height:,} accounts is the yardstick's\n", flush=True)


def pair(ours: str, theirs: str, source: Path, folder: Path, runs: int) -> None:
    ratios, inside = [], []
    for number in range(runs):
        left, right = run(ours, source, folder), run(theirs, source, folder)
        ratios.append(left["cpu"] / right["cpu"])
        if "inside" in left:
            inside.append(left["inside"] / right["inside"])
        told = " ".join(f"{who} {m['cpu']:.2f} s" for who, m in ((ours, left), (theirs, right)))
        peaks = " ".join(f"{m['peak']:.0f} MB" for m in (left, right) if "peak" in m)
        print(f"  run {number + 1}: {told}, ratio {ratios[-1]:.2f} {peaks}", flush=True)
    within = f", without start and imports {statistics.median(inside):.2f}" if inside else ""
    print(f"{ours} / {theirs}: {statistics.median(ratios):.2f}{within}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--work", nargs=3)
    arguments = parser.parse_args()
    if arguments.work:
        what, source, out = arguments.work
        work(what, Path(source), Path(out))
        return
    card = portfolio.scorecard()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        card_file = yaml.safe_dump(card, sort_keys=False)
        (folder / "card.yaml").write_text(card_file)
        source = folder / "metrics.parquet"
        portfolio.write(source, card, arguments.accounts)
        leaves = sum(len(group["metrics"]) for group in card["groups"].values())
        print(f"{arguments.accounts:,} accounts, {leaves} metrics, {len(card['groups'])} dimensions\n")
        pair("ours", "yardstick", source, folder, arguments.runs)
        compare(folder)
        pair("command", "yardstick program", source, folder, arguments.runs)
        told = run("detail", source, folder)
        print(f"with points, contribution and loss of each metric: {told['cpu']:.2f} s, {told['peak']:.0f} MB\n")
        for times in (1, 2, 5, 10) if arguments.grow else ():
            portfolio.write(source, card, times * arguments.accounts)
            told = run("ours", source, folder)
            print(
                f"{times * arguments.accounts:>12,} accounts: {told['cpu']:.1f} CPU s, peak {told['peak']:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""A backtest of a million account-months beside one sort and one group of the same rows, written by hand in Polars.

usage: python benchmarks/backtest.py [--accounts 30000] [--runs 5] [--keep FOLDER]

Two programs, each a fresh process a run, one after the other, on the same files in the same minute:
  backtest    `accountpulse backtest --metrics --outcomes --scorecard --out`, from start to end: reading and checking
              the table, scoring it twice (the first time for the trend), labels, every figure with its interval, and
              the page, the JSON and the Parquet of all rows
  yardstick   read both Parquet files, sort all columns of the months by account_id and as_of, group them by account:
              the number of rows, and the mean and the sum of every column of numbers; it writes nothing
The yardstick has one sort and one group; no joins, labels, scores, checks or files. Its own start is in it, as ours is
in ours.
Wall and CPU seconds of the whole processes, since machines are shared; the peak is the largest resident set of each.
The targets: ten times the yardstick, and 2 GB.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import portfolio
import yaml
from targets import most

MONTHS = 36
METRICS = (  # in points of a scale of 100 per unit of health, and the chance that a value is known
    ("feature_breadth", 45.0, 18.0, 0.98),
    ("login_frequency", 2.0, 0.8, 0.98),
    ("csat_score", 78.0, 8.0, 0.8),
    ("p1_p2_pct", 12.0, -5.0, 0.9),
    ("median_first_response_seconds", 20_000.0, -4_000.0, 0.9),
    ("open_bugs", 4.0, -1.5, 1.0),
    ("critical_bugs", 0.3, -0.4, 1.0),
    ("arr_trajectory_pct", 4.0, 6.0, 1.0),
    ("payment_health", 0.3, -0.4, 1.0),
    ("champion_stability", 75.0, 12.0, 0.95),
    ("qbr_attendance", 60.0, 15.0, 0.9),
)
COUNTS = ("open_bugs", "critical_bugs", "payment_health")
SIGNALS = ("critical_signals", "moderate_signals")
TWO_GB = 2000.0  # MB


def first_of(month: int) -> date:
    return date(2023 + month // 12, month % 12 + 1, 1)


def scorecard() -> dict:
    """The benchmark's scorecard with the metrics of this table alone."""
    card = portfolio.scorecard()
    named = {*(name for name, *_ in METRICS), "mau", "days_to_renewal"}
    for group in card["groups"].values():
        group["metrics"] = {name: rule for name, rule in group["metrics"].items() if name in named}
    card["groups"] = {name: group for name, group in card["groups"].items() if group["metrics"]}
    for rule in (rule for group in card["groups"].values() for rule in group["metrics"].values()):
        rule.pop("else", None)
        rule.pop("enough", None)
    card["coverage"]["tier_needs_any_of"] = ["adoption"]
    return card


def write_world(folder: Path, accounts: int, seed: int = 1) -> int:
    """`months.parquet` and `outcomes.parquet` of a company with so many customers: who leaves is replaced.

    Health is slow and noisy, contracts are yearly, most leave at a renewal, about a tenth a year. The number of rows.
    """
    chance = np.random.default_rng(seed)
    ids, health = np.arange(accounts), chance.normal(0, 1, accounts)
    due, arr = chance.integers(0, 12, accounts), np.round(chance.lognormal(10, 0.8, accounts))
    months, outcomes = [], []
    for month in range(MONTHS):
        months.append(_month(month, Customers(ids, health, due, arr), chance))
        renews = due == month % 12
        leaves = chance.random(accounts) < 0.011 * np.exp(-0.8 * health) * np.where(renews, 4, 0.3)
        outcomes += [_told("lost", first_of(month + 1), ids[leaves], arr[leaves])]
        outcomes += [_told("renewed", first_of(month), ids[renews & ~leaves], None)]
        new = int(leaves.sum())
        ids = np.where(leaves, 0, ids)
        ids[leaves] = np.arange(new) + accounts + sum(len(each) for each in outcomes[:-2:2])
        health = 0.95 * health + np.sqrt(1 - 0.95**2) * chance.normal(0, 1, accounts)
        health[leaves] = chance.normal(0, 1, new)
        arr = np.where(leaves, np.round(chance.lognormal(10, 0.8, accounts)), arr)
    made = pl.concat(months)
    made.write_parquet(folder / "months.parquet")
    pl.concat(outcomes).write_parquet(folder / "outcomes.parquet")
    return made.height


def _names(ids: np.ndarray) -> pl.Series:
    return pl.select(pl.format("001{}QAA", pl.Series(ids).cast(pl.String).str.zfill(12))).to_series()


def _told(kind: str, day: date, ids: np.ndarray, arr: np.ndarray | None) -> pl.DataFrame:
    amount = pl.lit(None, pl.Float64) if arr is None else pl.Series(arr)
    return pl.DataFrame({"account_id": _names(ids)}).with_columns(date=pl.lit(day), kind=pl.lit(kind), arr_lost=amount)


class Customers(NamedTuple):
    """Of each customer of a month: its number, its health, the month of its renewals and its ARR."""

    ids: np.ndarray
    health: np.ndarray
    due: np.ndarray
    arr: np.ndarray


def _month(month: int, customers: Customers, chance: np.random.Generator) -> pl.DataFrame:
    ids, health, due, arr = customers
    size = len(ids)
    ahead = (due - month) % 12
    days = np.array([(first_of(month + each) - first_of(month)).days for each in range(12)], np.float64)
    columns = {
        "account_id": _names(ids),
        "as_of": pl.repeat(first_of(month), size, eager=True),
        "segment": pl.Series(np.where(ids % 3 == 0, "Enterprise", "Standard")),
        "seats": 20.0 + ids % 400,
        "arr": arr * (1 + 0.002 * month),
        "days_to_renewal": days[ahead],
    }
    columns["mau"] = np.floor(columns["seats"] * np.clip(0.55 + 0.15 * health + chance.normal(0, 0.1, size), 0, 1.2))
    for name, middle, slope, known in METRICS:
        value = np.clip(middle + slope * (health + chance.normal(0, 1, size)), 0, None)
        value = np.floor(value) if name in COUNTS else value
        columns[name] = np.where(chance.random(size) < known, value, np.nan)
    for name in SIGNALS:
        columns[name] = chance.binomial(1, np.clip(0.03 - 0.02 * health, 0, 1)).astype(np.float64)
    return pl.DataFrame(columns).with_columns(pl.selectors.float().fill_nan(None))


def yardstick(folder: Path) -> None:
    """One sort and one group, over every column."""
    months, outcomes = (pl.read_parquet(folder / f"{name}.parquet") for name in ("months", "outcomes"))
    rows = months.sort("account_id", "as_of")
    numbers = pl.selectors.numeric()
    accounts = rows.group_by("account_id").agg(pl.len(), numbers.mean().name.suffix("_mean"), numbers.sum())
    print(accounts.height, outcomes.height)


class Cost(NamedTuple):
    """Of one process: seconds, and MB."""

    wall: float
    cpu: float
    peak: float


def measured(command: list[str]) -> Cost:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}")
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(folder: Path, runs: int) -> None:
    given = [f"--{name}={folder / file}" for name, file in (
        ("metrics", "months.parquet"), ("outcomes", "outcomes.parquet"), ("scorecard", "card.yaml"), ("out", "out"),
    )]  # fmt: skip
    ours = [sys.executable, "-m", "accountpulse", "backtest", *given]
    theirs = [sys.executable, __file__, "--yardstick", str(folder)]
    pairs = []
    for number in range(runs):
        pairs.append((measured(ours), measured(theirs)))
        told = "; ".join(
            f"{who} {cost.wall:.2f} s wall, {cost.cpu:.2f} s CPU, {cost.peak:,.0f} MB"
            for who, cost in zip(("backtest", "yardstick"), pairs[-1], strict=True)
        )
        print(f"  run {number + 1}: {told}", flush=True)
    for what in ("wall", "cpu"):
        ratios = [getattr(mine, what) / getattr(other, what) for mine, other in pairs]
        print(most(f"{what}, backtest ÷ yardstick", statistics.median(ratios), 10, ".1f"))
    print(most("peak memory of the backtest, MB", max(mine.peak for mine, _ in pairs), TWO_GB, ",.0f"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="leave the tables and the backtest's files in this folder")
    parser.add_argument("--yardstick", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.yardstick:
        yardstick(options.yardstick)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        rows = write_world(folder, options.accounts)
        (folder / "card.yaml").write_text(yaml.safe_dump(scorecard(), sort_keys=False))
        print(f"{rows:,} account-months, {len(METRICS) + 2} metrics in the score\n", flush=True)
        compare(folder, options.runs)


if __name__ == "__main__":
    main()

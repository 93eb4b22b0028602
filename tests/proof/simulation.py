"""How often intervals hold the truth, in worlds where it is known.

`make proof-worlds`, or `PYTHONPATH=tests python -m proof.simulation --worlds 1000 --seed 1`; the tests run fewer.
"""

import argparse
import os
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from accountpulse.proof.fit import fit, out_of_time
from accountpulse.proof.gates import Claim, Evidence, gate
from accountpulse.proof.labels import LabelRules, renewal_rows
from accountpulse.proof.probability import quality
from accountpulse.proof.ranking import auc
from accountpulse.proof.rates import rates
from accountpulse.proof.suggest import BookRows, suggest
from accountpulse.sandbox.world.churn_tables import churn_tables
from accountpulse.scoring.scorecard import load
from proof.worlds import CARD, HORIZON, generate, health, risk_z

MANY = 60_000  # accounts whose months are about 10^6 draws
NULL = {"effect": 0.0}  # churn doesn't depend on anything that the score sees
EXPONENTS = np.array([-2.8, -2.4, -2.0, -1.6])


def seed_of_the_commit():
    """A number from the environment's WORLDS_SEED, else from the hash of the commit that is tested."""
    given = os.environ.get("WORLDS_SEED")
    if given:
        return int(given)
    command = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return int(found.stdout[:8], 16) if found.returncode == 0 else 1


def tiers_of(world):
    return np.digitize(health(world.points), [45.0, 55.0])


def rows_as_accounts(world):
    """The control: every row as if it were an account of its own."""
    return np.arange(len(world))


@cache
def truth():
    """What 10^6 draws say: the AUC, each tier's share lost, the fitted line and its skill."""
    world = generate(np.random.default_rng(20_261_130), MANY)
    z = risk_z(world.points)
    line = fit(z, world.lost, world.account)
    p = line.probabilities(z)
    base = world.lost.mean()
    return {
        "auc": auc(z, world.lost, world.account).value,
        "tiers": [world.lost[tiers_of(world) == tier].mean() for tier in range(3)],
        "money": [
            np.average(world.lost[there], weights=world.arr[there])
            for there in (tiers_of(world) == tier for tier in range(3))
        ],
        "line": line,
        "skill": 1 - np.mean((p - world.lost) ** 2) / (base * (1 - base)),
    }


def holds(interval, value):
    return interval.lower <= value <= interval.upper


def coverage(worlds, seed):
    """In which share of so many worlds each interval holds the truth, by its name."""
    known = truth()
    found = [_covered(generate(np.random.default_rng([seed, number])), known) for number in range(worlds)]
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def _covered(world, known):
    z, tiers = risk_z(world.points), tiers_of(world)
    by_row = rows_as_accounts(world)
    line = fit(z, world.lost, world.account)
    exponents = line.intercept + line.slope * EXPONENTS
    va, cov, vb = line.covariance
    half = 1.96 * np.sqrt(va + 2 * EXPONENTS * cov + EXPONENTS**2 * vb)
    true = known["line"].intercept + known["line"].slope * EXPONENTS
    said = known["line"].probabilities(z)
    return {
        "AUC": holds(auc(z, world.lost, world.account), known["auc"]),
        "AUC, rows as accounts": holds(auc(z, world.lost, by_row), known["auc"]),
        "share lost by tier": _shares(world, tiers, world.account, known["tiers"], "share"),
        "share lost by tier, rows as accounts": _shares(world, tiers, by_row, known["tiers"], "share"),
        "ARR lost by tier": _shares(world, tiers, world.account, known["money"], "arr_loss"),
        "probability": np.mean(np.abs(exponents - true) <= half),
        "Brier skill": holds(quality(said, world.lost, world.account).skill, known["skill"]),
    }


def _shares(world, tiers, accounts, known, name):
    found = rates(world.lost, world.arr, accounts, tiers)
    return np.mean([holds(getattr(each, name), known[tier]) for tier, each in found.items()])


def null_world(seed, number):
    return generate(np.random.default_rng([seed, number]), **NULL)


def holds_one_half(worlds, seed):
    """Where churn is independent of the score: in which share of so many worlds the AUC's interval holds 0.5."""
    found = [null_world(seed, number) for number in range(worlds)]
    return float(np.mean([holds(auc(risk_z(each.points), each.lost, each.account), 0.5) for each in found]))


def nothing_offered(worlds, seed):
    """Where churn is independent of the score: in which share of so many worlds nothing is offered."""
    card = load(CARD, "card.yaml")
    return float(np.mean([not _offered(null_world(seed, number), card) for number in range(worlds)]))


def _offered(world, card):
    z = risk_z(world.points)
    ranking, line = auc(z, world.lost, world.account), fit(z, world.lost, world.account)
    later = out_of_time(z, world.lost, world.account, world.month, HORIZON)
    evidence = Evidence(world.events, 200, 18, 6, ranking, line.slope, later.skill if later else None)
    allowed = gate(evidence).allowed
    if allowed & {Claim.BANDS, Claim.PROBABILITY}:
        return True
    if Claim.DIMENSION_WEIGHTS not in allowed:
        return False
    rows = BookRows(world.points, z, world.lost, world.account, world.month, HORIZON)
    return suggest(card, rows, "leaves" if Claim.LEAF_WEIGHTS in allowed else "dimensions").recommended


# --- small books -----------------------------------------------------------------------------------------------

SMALL, RARELY = 56, {"hazard": 0.004}  # customers, of whom a tier loses 1 to 5


def _by_row(world):
    return {"account-months": np.full(len(world), fill_value=True), "one row each": world.month == 6}


@cache
def truth_of_small_books():
    world = generate(np.random.default_rng(20_261_131), MANY // 2, **RARELY)
    books = {name: world.rows(rows) for name, rows in _by_row(world).items()}
    return {
        name: (book.lost.mean(), np.average(book.lost, weights=book.arr), _shares_of_tiers(book))
        for name, book in books.items()
    }


def _shares_of_tiers(book):
    return [book.lost[tiers_of(book) == tier].mean() for tier in range(3)]


def small_books_hold(worlds, seed):
    """In which share of so many small books the intervals hold the truth: those that lost 1 to 5, and by tier."""
    found = {}
    for number in range(worlds):
        world = generate(np.random.default_rng([seed, number]), SMALL, **RARELY)
        for name, (share, money, tiers) in truth_of_small_books().items():
            book = world.rows(_by_row(world)[name])
            whole = rates(book.lost, book.arr, book.account, np.zeros(len(book), int))[0]
            if 1 <= whole.lost <= 5:
                found.setdefault(f"share of {name}", []).append(holds(whole.share, share))
                found.setdefault(f"ARR of {name}", []).append(holds(whole.arr_loss, money))
            by_tier = _shares(book, tiers_of(book), book.account, tiers, "share")
            found.setdefault(f"share of {name} by tier", []).append(by_tier)
    return {name: float(np.mean(each)) for name, each in found.items()}


# --- renewals, in worlds with contracts ------------------------------------------------------------------------

RULES = LabelRules()
BOOK = 200  # accounts


def contracts(seed, accounts, *, independent):
    """A world's months with a risk that knows, as scorecards do, how far away the renewal is; and its outcomes."""
    tables = churn_tables(seed, accounts, independent=independent)
    risk = -pl.col("login_frequency") - pl.col("days_to_renewal") / 60
    months = tables.metrics.select("account_id", "as_of", "days_to_renewal", risk=risk)
    return months, tables.outcomes.rename({"date": "happened_on"}), tables.known_until


def auc_of_renewals(rows):
    known = rows.filter(pl.col("lost").is_not_null())
    account = known["account_id"].rank("dense").cast(pl.Int64).to_numpy()
    return auc(known["risk"].to_numpy(), known["lost"].to_numpy(), account)


@cache
def true_auc_of_renewals():
    """In a large world, by the calendar alone: contracts there end on one day of each year, and are never moved."""
    months, outcomes, known_until = contracts(20_261_130, 15_000, independent=False)
    left = outcomes.filter(pl.col("kind") == "lost").select("account_id", left="happened_on")
    days, last = pl.col("days_to_renewal"), pl.col("as_of") == months["as_of"].max()
    read = (days >= 90) & (last | (days - pl.col("as_of").dt.month_end().dt.day() < 90))
    renewal = pl.col("as_of") + pl.duration(days=days.cast(pl.Int64))
    after = (pl.col("left") - renewal).dt.total_days()
    over = (pl.lit(known_until) - renewal).dt.total_days() >= 60
    came = months.join(left, on="account_id", how="left").filter(read & over & ~(after < -60).fill_null(value=False))
    return auc_of_renewals(came.with_columns(lost=(after <= 60).fill_null(value=False))).value


def renewals_hold(worlds, seed, *, independent, dated=True):
    """In which share of so many worlds the interval of the renewals' AUC holds the truth, and the mean AUC.

    The worlds are the parts of one table: accounts know nothing of each other. The control, not `dated`: where days on
    which accounts left and renewed date the renewals, as if no month knew them.
    """
    months, outcomes, known_until = contracts(seed % 2**31, worlds * BOOK, independent=independent)
    labelled = months if dated else months.rename({"days_to_renewal": "not told"})
    rows = renewal_rows(labelled, outcomes, RULES, known_until)
    world = rows["account_id"].str.slice(1).cast(pl.Int64) // BOOK
    found = [auc_of_renewals(each) for each in rows.with_columns(world=world).partition_by("world")]
    value = 0.5 if independent else true_auc_of_renewals()
    return float(np.mean([holds(each, value) for each in found])), float(np.mean([each.value for each in found]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=seed_of_the_commit())
    given = parser.parse_args()
    print(f"{given.worlds} worlds, seed {given.seed}: share of intervals that hold the truth")
    for name, share in coverage(given.worlds, given.seed).items():
        print(f"  {name}: {share:.1%}")
    print("where churn is independent of the score:")
    print(f"  AUC holds 0.5: {holds_one_half(given.worlds, given.seed):.1%}")
    print(f"  nothing is offered: {nothing_offered(given.worlds, given.seed):.1%}")
    print(f"of {SMALL} customers, few of whom leave:")
    for name, share in small_books_hold(given.worlds, given.seed).items():
        print(f"  {name}: {share:.1%}")
    for name, independent in (("with contracts", False), ("with contracts, churn independent", True)):
        share, mean = renewals_hold(given.worlds, given.seed, independent=independent)
        print(f"{name}: AUC of renewals holds the truth: {share:.1%}, its mean is {mean:.3f}")
    print(f"  the truth: {true_auc_of_renewals():.3f} and 0.500")


if __name__ == "__main__":
    main()

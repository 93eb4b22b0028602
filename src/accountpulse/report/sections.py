"""The portfolio in groups: accounts and ARR by tier, by risk band, and the renewals ahead."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from accountpulse.report.accounts import band
from accountpulse.report.inputs import MonthlyRun
from accountpulse.report.limits import AHEAD, TOO_GREEN, TOO_UNKNOWN
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

BY = {"by_tier": "tier", "by_segment": "segment", "by_owner": "owner"}

ARR = pl.when(pl.col("arr").count() > 0).then(pl.col("arr").sum()).alias("arr")  # null: of no account is it known


def distribution(rows: pl.DataFrame, names: list[str], before: MonthlyRun | None) -> list[dict[str, Any]]:
    """Accounts and ARR of each tier, now and in the run before; tiers that only an older scorecard has come last."""
    now = _counted(rows.select("tier", "arr"))
    then = None if before is None else _counted(before.scores.select("tier", pl.col("arr").cast(pl.Float64)))
    return [_now_and_then("tier", name, now, then) for name in dict.fromkeys([*names, *sorted(map(str, then or ()))])]


def risk(rows: pl.DataFrame, before: MonthlyRun | None) -> list[dict[str, Any]]:
    """The same of each risk band, lowest risk first; last, as null, the accounts without a risk."""
    now, then = _counted(rows.select("band", "arr")), None
    if before is not None:
        then = _counted(before.scores.select(band(before.card).alias("band"), pl.col("arr").cast(pl.Float64)))
    return [_now_and_then("band", name, now, then) for name in ("low", "medium", "high", None)]


GroupTotals = Mapping[str | None, tuple[int, float | None]]


def _counted(rows: pl.DataFrame) -> GroupTotals:
    """Accounts and ARR by the first column."""
    grouped = rows.group_by(rows.columns[0]).agg(pl.len(), ARR)
    return {name: (count, arr) for name, count, arr in grouped.iter_rows()}


def _now_and_then(what: str, name: str | None, now: GroupTotals, then: GroupTotals | None) -> dict[str, Any]:
    accounts, arr = now.get(name, (0, 0.0))
    earlier, arr_earlier = (None, None) if then is None else then.get(name, (0, 0.0))
    return {
        what: name,
        "accounts": accounts,
        "arr": arr,
        "accounts_before": earlier,
        "arr_before": arr_earlier,
    }


def at_risk(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Accounts and ARR by risk band within each tier, segment and owner, most ARR first; band null: risk not known."""
    made = {}
    for name, column in BY.items():
        grouped = rows.group_by(column, "band").agg(ARR, accounts=pl.len())
        order = grouped.with_columns(whole=pl.col("arr").sum().over(column)).sort(
            "whole", column, "band", descending=[True, False, False], nulls_last=True
        )
        made[name] = order.select(column, "band", "accounts", "arr").to_dicts()
    return made


def renewals(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The overdue renewals and those of 180 days, earliest first."""
    due = rows.with_row_index("i").filter(pl.col("days") <= AHEAD).sort("days", "id")
    points = due.select(
        "i",
        "days",
        "health",
        "arr",
        "tier",
        date=pl.col("renewal").dt.to_string("iso:strict"),
        overdue=pl.col("days") < 0,
    )
    return points.to_dicts()


def warnings(rows: pl.DataFrame, card: Scorecard) -> list[str]:
    """What makes the whole distribution doubtful."""
    found = []
    rated = rows.filter(pl.col("tier") != NOT_RATED)
    share = rated.filter(pl.col("tier").is_in(card.green_tiers)).height / rated.height if rated.height else 0.0
    if share > TOO_GREEN:
        found.append(
            f"{share:.0%} of the rated accounts are green: a scorecard that finds nearly all healthy warns nobody"
        )
    unknown = 1 - rated.height / rows.height if rows.height else 0.0
    if unknown > TOO_UNKNOWN:
        found.append(f"{unknown:.0%} of the accounts are Not Rated: too little is known to judge the portfolio by")
    return found

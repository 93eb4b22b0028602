"""Accounts that belong together by their parents: what a group comes to, beside the scores, which it never changes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from accountpulse.core.records import Columns
from accountpulse.scoring.columns import HEALTH, TIER
from accountpulse.scoring.explain import plain
from accountpulse.scoring.model import NOT_RATED

GROUPS: Columns = {
    "parent_id": pl.String,
    "parent_name": pl.String,  # null: it can't be seen, and is no customer
    "in_list": pl.Boolean,  # the parent is itself among the scored accounts
    "above_id": pl.String,  # its own parent; null: none, or one in a circle
    "accounts": pl.Int64,  # scored ones below it, itself included where it is one
    "group_health": pl.Float64,  # mean of health weighted by ARR above 0, over those of which both are known
    "lowest_id": pl.String,  # below it, itself not included; null: nobody there has a tier
    "lowest_name": pl.String,
    "lowest_health": pl.Float64,
    "lowest_tier": pl.String,
    "group_arr": pl.Float64,  # known ARR added up; null: of nobody
    "group_arr_rated": pl.Float64,  # percent of the ARR above 0 whose accounts have a health score; null where none is
    "unknown_arr": pl.Int64,  # accounts whose ARR isn't known
    "currencies": pl.List(pl.String),  # of their own ARR, sorted; amounts are converted
}
_MOST = 5  # names in a note
MONEY, POINT = 10**6, 10**12  # parts of one unit of ARR, and of one point of health
_LowestKey = tuple[int, float, float, str]  # without health first, then by health, ARR and id


@dataclass(frozen=True)
class AccountGroups:
    """`table`: a row a parent with accounts below it, sorted by its id. `notes`: circles, strangers, currencies."""

    table: pl.DataFrame
    notes: tuple[str, ...] = ()


@dataclass
class _Sum:
    """What is added up over an account and all below it, in whole numbers: no order of adding changes it."""

    accounts: int = 0
    arr: int = 0  # in parts of MONEY
    weight: int = 0  # the same, of amounts above 0
    weight_rated: int = 0
    weighted: int = 0  # weight × health in parts of POINT
    unknown_arr: int = 0
    currencies: frozenset[str] = frozenset()
    lowest: _LowestKey | None = None  # itself included
    below: _LowestKey | None = None  # itself not included

    def add(self, other: "_Sum") -> None:
        """Take an account's sum that stands below."""
        self.accounts += other.accounts
        self.arr += other.arr
        self.weight += other.weight
        self.weight_rated += other.weight_rated
        self.weighted += other.weighted
        self.unknown_arr += other.unknown_arr
        self.currencies |= other.currencies
        self.below = _lower(self.below, other.lowest)


@dataclass(frozen=True)
class _Hierarchy:
    """Who stands above whom. `circled`: accounts that are above themselves."""

    above: Mapping[str, str]
    names: Mapping[str, str | None]
    currency: Mapping[str, str | None]
    circled: frozenset[str] = field(default=frozenset())


def rollups(scores: pl.DataFrame, parents: pl.DataFrame | None) -> AccountGroups:
    """Every parent that has scored accounts below it.

    `scores`: account_id, account_name, arr, health_score, tier. `parents`: as PARENTS has it; None: none were read. A
    circle makes no group: it is named, and what stands below its members is added up as far as that.
    """
    if parents is None or parents.is_empty():
        return AccountGroups(pl.DataFrame(schema=GROUPS))
    rows = {row["account_id"]: row for row in _needed(scores).iter_rows(named=True)}
    tree = _tree(rows, parents)
    sums = _added_up(rows, tree)
    found = sorted(each for each in set(tree.above.values()) & sums.keys() if _has_below(each, sums, rows))
    made = [_row(parent, sums[parent], rows, tree) for parent in found]
    return AccountGroups(pl.DataFrame(made, schema=GROUPS, orient="row"), tuple(_notes(made, tree, rows)))


def _has_below(parent: str, sums: Mapping[str, _Sum], rows: Mapping[str, Any]) -> bool:
    return sums[parent].accounts > (parent in rows)


def _needed(scores: pl.DataFrame) -> pl.DataFrame:
    named = "account_name" if "account_name" in scores.columns else pl.lit(None, pl.String).alias("account_name")
    return scores.select("account_id", named, pl.col("arr").cast(pl.Float64), HEALTH, TIER)


def _tree(rows: Mapping[str, Any], parents: pl.DataFrame) -> _Hierarchy:
    above: dict[str, str] = {}
    names: dict[str, str | None] = {}
    currency: dict[str, str | None] = {}
    for account, parent, name, code in parents.select("account_id", "parent_id", "parent_name", "currency").iter_rows():
        currency[account] = code
        if parent is not None:
            above[account] = parent
            names[parent] = name or names.get(parent)
    names |= {account: row["account_name"] for account, row in rows.items()}
    return _Hierarchy(above, names, currency, _circled(above))


def _circled(above: Mapping[str, str]) -> frozenset[str]:
    """The members of circles: each account is walked through once."""
    seen: dict[str, int] = {}
    found: set[str] = set()
    for number, start in enumerate(above):
        path, each = [], start
        while each in above and each not in seen:
            seen[each] = number
            path.append(each)
            each = above[each]
        if seen.get(each) == number and each in path:
            found.update(path[path.index(each) :])
    return frozenset(found)


def _added_up(rows: Mapping[str, Any], tree: _Hierarchy) -> dict[str, _Sum]:
    """From the lowest accounts upwards, each once all below it have been taken; nothing is taken through a circle."""
    sums = {each: _Sum() for each in {*rows, *tree.above, *tree.above.values()} - tree.circled}
    for account, row in rows.items():
        if account in sums:
            _take_own(sums[account], account, row, tree)
    waiting = dict.fromkeys(sums, 0)
    for child, parent in tree.above.items():
        if child in sums and parent in sums:
            waiting[parent] += 1
    ready = [each for each, count in waiting.items() if count == 0]
    while ready:
        each = ready.pop()
        over = tree.above.get(each)
        sums[each].lowest = _lower(sums[each].lowest, sums[each].below)
        if over is None or over not in sums:
            continue
        sums[over].add(sums[each])
        waiting[over] -= 1
        if waiting[over] == 0:
            ready.append(over)
    return sums


def _take_own(total: _Sum, account: str, row: Mapping[str, Any], tree: _Hierarchy) -> None:
    health, arr = row[HEALTH], row["arr"]
    total.accounts = 1
    code = tree.currency.get(account)
    total.currencies = frozenset() if code is None or arr is None else frozenset([code])
    if arr is None or not math.isfinite(arr):
        total.unknown_arr = 1
    else:
        total.arr = round(arr * MONEY)
        total.weight = max(0, total.arr)
        if health is not None:
            total.weight_rated, total.weighted = total.weight, total.weight * round(health * POINT)
    if row[TIER] != NOT_RATED:
        total.lowest = (health is not None, health or 0.0, -(arr or 0.0), account)


def _lower(one: _LowestKey | None, other: _LowestKey | None) -> _LowestKey | None:
    return one if other is None else other if one is None else min(one, other)


def _row(parent: str, total: _Sum, rows: Mapping[str, Any], tree: _Hierarchy) -> tuple[Any, ...]:
    lowest = None if total.below is None else rows[total.below[3]]
    is_known = total.accounts > total.unknown_arr
    above = tree.above.get(parent)
    return (
        parent,
        tree.names.get(parent),
        parent in rows,
        None if above in tree.circled else above,
        total.accounts,
        total.weighted / (total.weight_rated * POINT) if total.weight_rated else None,
        *((None,) * 4 if lowest is None else _shown(lowest)),
        total.arr / MONEY if is_known else None,
        100 * total.weight_rated / total.weight if total.weight else None,
        total.unknown_arr,
        sorted(total.currencies),
    )


def _shown(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["account_id"], row["account_name"], row[HEALTH], row[TIER]


def _notes(made: Sequence[tuple[Any, ...]], tree: _Hierarchy, rows: Mapping[str, Any]) -> Iterator[str]:
    if tree.circled:
        named = _listed(sorted(tree.names.get(each) or each for each in tree.circled))
        yield f"parents of themselves, in a circle, which makes no group: {named}"
    groups = [dict(zip(GROUPS, row, strict=True)) for row in made]
    strangers = [each["parent_name"] or each["parent_id"] for each in groups if not each["in_list"]]
    if strangers:
        yield f"parents that are not among the scored accounts: {_listed(strangers)}"
    absent = sorted(tree.above.keys() - rows.keys() - set(tree.above.values()))
    if absent:
        yield f"below a parent, and without a score in this run, so that no group has them: {_listed(absent)}"
    mixed = [each for each in groups if len(each["currencies"]) > 1]
    if mixed:
        named = _listed(
            [f"{each['parent_name'] or each['parent_id']} ({', '.join(each['currencies'])})" for each in mixed]
        )
        yield f"groups with ARR in several currencies, converted to one: {named}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more:,} more" if more > 0 else "")


def lowest_text(group: Mapping[str, Any]) -> str | None:
    """`Acme Iberia: 31, Critical`; None where nobody below has a tier."""
    if group["lowest_id"] is None:
        return None
    health = "no score" if group["lowest_health"] is None else plain(group["lowest_health"])
    return f"{group['lowest_name'] or group['lowest_id']}: {health}, {group['lowest_tier']}"


def group_text(group: Mapping[str, Any]) -> str:
    """`Acme Holding: group health 61.2 of 4 accounts, 98 % of ARR rated, lowest Acme Iberia: 31, Critical`."""
    health = "not known" if group["group_health"] is None else plain(group["group_health"])
    unknown = f", {group['unknown_arr']:,} without ARR" if group["unknown_arr"] else ""
    # rounded down: all is all
    rated = "" if group["group_arr_rated"] is None else f", {math.floor(group['group_arr_rated'])} % of ARR rated"
    lowest = "" if (text := lowest_text(group)) is None else f", lowest {text}"
    name = group["parent_name"] or group["parent_id"]
    return f"{name}: group health {health} of {group['accounts']:,} accounts{unknown}{rated}{lowest}"


def groups_of(groups: AccountGroups, parents: pl.DataFrame | None) -> dict[str, Mapping[str, Any]]:
    """The group that is shown of each account: its own where it is a parent, else its parent's; of two or more."""
    by_id = {row["parent_id"]: row for row in groups.table.iter_rows(named=True) if row["accounts"] > 1}
    if parents is None or not by_id:
        return {}
    pairs = parents.select("account_id", "parent_id").iter_rows()
    return {
        account: found
        for account, parent in pairs
        if (found := by_id.get(account) or (by_id.get(parent) if parent is not None else None)) is not None
    }

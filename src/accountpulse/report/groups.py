"""The groups of accounts by their parents, for the page's list and for the columns of the accounts."""

from typing import Any

import polars as pl

from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.groups import group_text, groups_of, lowest_text

COLUMNS = {
    "parent_id": pl.String,
    "parent": pl.String,
    "group": pl.String,
    "group_health": pl.Float64,
    "group_lowest": pl.String,
    "group_arr": pl.Float64,
    "group_arr_rated": pl.Float64,
}


def groups(rows: pl.DataFrame, inputs: ReportInput) -> list[dict[str, Any]]:
    """Each parent of two accounts or more, with what is known of the group; most ARR first, then by id.

    `i` and `lowest_i` are places in `rows`; null: the parent is not among them, or nobody below has a tier. `depth`:
    how many of the other groups' parents stand above it.
    """
    shown = inputs.groups.table.filter(pl.col("accounts") > 1)
    places = {account: place for place, account in enumerate(rows["id"])}
    above = dict(shown.select("parent_id", "above_id").iter_rows())
    ordered = shown.sort("group_arr", "parent_id", descending=[True, False], nulls_last=True)
    return [
        {
            "i": places.get(row["parent_id"]),
            "parent_id": row["parent_id"],
            "parent": row["parent_name"] or row["parent_id"],
            "depth": _depth(row["parent_id"], above),
            "accounts": row["accounts"],
            "health": row["group_health"],
            "lowest_i": places.get(row["lowest_id"]),
            "lowest": lowest_text(row),
            "arr": row["group_arr"],
            "arr_rated": row["group_arr_rated"],
            "unknown_arr": row["unknown_arr"],
            "currencies": row["currencies"],
        }
        for row in ordered.iter_rows(named=True)
    ]


def _depth(parent: str, above: dict[str, str | None]) -> int:
    count, each = 0, above.get(parent)
    while each is not None and each in above:
        count, each = count + 1, above[each]
    return count


def of_accounts(ids: pl.Series, inputs: ReportInput) -> pl.DataFrame:
    """COLUMNS of each account, in the order of `ids`: its parent; `group` in words, its own or the one that it is in.

    The figures are those of its own group, so only a parent has them.
    """
    parents = inputs.parents
    if parents is None or parents.is_empty():
        return pl.DataFrame({name: pl.Series([None] * len(ids), dtype=kind) for name, kind in COLUMNS.items()})
    own = {row["parent_id"]: row for row in inputs.groups.table.filter(pl.col("accounts") > 1).iter_rows(named=True)}
    said = groups_of(inputs.groups, parents)
    above = {row["account_id"]: row for row in parents.iter_rows(named=True)}
    made = []
    for account in ids:
        group, parent, whole = own.get(account), above.get(account), said.get(account)
        made.append(
            (
                None if parent is None else parent["parent_id"],
                None if parent is None else parent["parent_name"] or parent["parent_id"],
                None if whole is None else group_text(whole),
                *(
                    (None,) * 4
                    if group is None
                    else (group["group_health"], lowest_text(group), group["group_arr"], group["group_arr_rated"])
                ),
            )
        )
    return pl.DataFrame(made, schema=COLUMNS, orient="row")

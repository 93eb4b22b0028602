"""What people say beside the scores: of each account, where they disagree, and how many pulses count."""

from typing import Any

import polars as pl

from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.columns import OUTLOOK, PULSE, PULSE_ON, PULSE_STATE
from accountpulse.scoring.disagreement import disagreements, unrated_reds
from accountpulse.scoring.opinions import NO_PULSE, STATES

_COLUMNS = {
    PULSE: ("pulse", pl.String),
    PULSE_STATE: ("pulse_state", pl.String),
    PULSE_ON: ("pulse_on", pl.Date),
    OUTLOOK: ("forecast", pl.String),
}


def of_accounts(scores: pl.DataFrame, inputs: ReportInput) -> pl.DataFrame:
    """`pulse`, `pulse_state`, `pulse_on`, `forecast` and `disagreement` (in words) of each row of `scores`, in order.

    Null: nothing is said, also in a month of an earlier version.
    """
    said = scores.select(
        "account_id",
        *(
            (pl.col(column) if column in scores.columns else pl.lit(None)).cast(kind).alias(name)
            for column, (name, kind) in _COLUMNS.items()
        ),
    )
    found = disagreements(scores, inputs.month.card, inputs.month.last_day)
    texts = found.group_by("account_id", maintain_order=True).agg(pl.col("text").str.join("; "))
    beside = said.join(texts.rename({"text": "disagreement"}), on="account_id", how="left", maintain_order="left")
    return beside.drop("account_id")


def disagreed(rows: pl.DataFrame, inputs: ReportInput) -> list[dict[str, Any]]:
    """The accounts where the score and people disagree, the most ARR first, then by id.

    `i` is the place in `rows`; `lines` are `kind` (`pulse`, `forecast`; `unrated`: a red pulse, and no score to compare
    it with) and `text`.
    """
    month = inputs.month
    found: dict[str, list[dict[str, Any]]] = {}
    for row in disagreements(month.scores, month.card, month.last_day).iter_rows(named=True):
        found.setdefault(row["account_id"], []).append({"kind": row["kind"], "text": row["text"]})
    for row in unrated_reds(month.scores, month.card, month.last_day).iter_rows(named=True):
        found.setdefault(row["account_id"], []).append({"kind": "unrated", "text": row["text"]})
    arr = rows["arr"].to_list()
    listed = [{"i": i, "lines": found[account]} for i, account in enumerate(rows["id"]) if account in found]
    return sorted(listed, key=lambda each: (arr[each["i"]] is None, -(arr[each["i"]] or 0)))


def pulses(rows: pl.DataFrame) -> dict[str, int] | None:
    """How many accounts have a pulse of each state (STATES), and how many have none; None where nobody has one."""
    counts = dict(rows["pulse_state"].drop_nulls().value_counts().iter_rows())
    if not counts:
        return None
    return {**{state: counts.get(state, 0) for state in STATES}, NO_PULSE: rows["pulse_state"].null_count()}


def of_each(inputs: ReportInput, ids: pl.Series) -> list[dict[str, Any] | None]:
    """Each account's pulse as it was given: `pulse`, `state`, `on`, `author`, `reason`; None: it has none."""
    table = inputs.pulses
    if table is None:
        return [None] * len(ids)
    kept = {row["account_id"]: row for row in table.iter_rows(named=True)}
    return [None if (row := kept.get(account)) is None else pulse(row) for account in ids]


def pulse(row: dict[str, Any]) -> dict[str, Any]:
    """A pulse as it was kept, as plain data."""
    on = row[PULSE_ON]
    return {
        "pulse": row[PULSE],
        "state": row[PULSE_STATE],
        "on": None if on is None else on.isoformat(),
        "author": row["author"],
        "reason": row["reason"],
    }

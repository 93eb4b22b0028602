"""Who crossed a line since the run before, for the page's list."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from accountpulse.report.accounts import sorted_scores
from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.columns import CAP_REASON, COVERAGE, CRITICAL, HEALTH, RENEWAL, TIER, ScoreRow
from accountpulse.scoring.crossings import OVERDUE, Crossing, LineState, judged_crossings, line_state
from accountpulse.scoring.scorecard import Scorecard

WAYS = {"fell": "worse", "rose": "better"}  # in the order of the list, each with what a line of it is
READ = ("account_id", TIER, HEALTH, CAP_REASON, COVERAGE, CRITICAL, RENEWAL)


def crossed(rows: pl.DataFrame, inputs: ReportInput) -> list[dict[str, Any]]:
    """The accounts that crossed a line: first those with one for the worse, last those with neither; by ARR, by id.

    `i` is the place in `rows`; `way` is `fell` where any line is for the worse, else `rose` where any is better, else
    empty; `lines` are `line` (`tier`, `cap`, `critical signal`, `renewal` or `coverage`), `text`, `worse` and `better`.
    What only the calendar did, a renewal that came nearer, is neither; of an account that isn't green, an overdue one
    is worse. An account that is new crossed nothing, and nor did one that only the scorecard's new content moved.
    """
    then, before = inputs.comparable, inputs.before
    if then is None or before is None:
        return []
    month, found = inputs.month, []
    earlier, judged = dict(_states(then, before.as_of_day)), _judged(inputs)
    for i, (account, now) in enumerate(_states(sorted_scores(inputs), month.as_of_day)):
        if account not in earlier:
            continue
        lines = judged_crossings(earlier[account], now, judged.get(account), month.card).crossings
        if not lines:
            continue
        told = [_told(each, now, month.card) for each in lines]
        way = next((way for way, key in WAYS.items() if any(each[key] for each in told)), "")
        found.append({"i": i, "way": way, "lines": told})
    arr, order = rows["arr"].to_list(), (*WAYS, "")
    return sorted(found, key=lambda each: (order.index(each["way"]), arr[each["i"]] is None, -(arr[each["i"]] or 0)))


def _judged(inputs: ReportInput) -> dict[str, ScoreRow]:
    """By account."""
    rows = () if inputs.judged is None else inputs.judged.iter_rows(named=True)
    return {row["account_id"]: row for row in rows}


def _states(scores: pl.DataFrame, as_of: date) -> Iterator[tuple[str, LineState]]:
    """Each account's id and on which side of each line it is; of the columns only those that a line rests on."""
    for row in scores.select(name for name in READ if name in scores.columns).iter_rows(named=True):
        yield row["account_id"], line_state(row, as_of)


def _told(crossing: Crossing, now: LineState, card: Scorecard) -> dict[str, Any]:
    is_late = now.stage == OVERDUE and now.tier not in card.green_tiers
    worse = crossing.worse and (crossing.line != "renewal" or is_late)
    return {"line": crossing.line, "text": crossing.text, "worse": worse, "better": not crossing.worse}

"""What crossed a line since the run before: a tier, a cap, a critical signal, a renewal's window, coverage."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from accountpulse.report.accounts import sorted_scores
from accountpulse.report.inputs import ReportInput
from accountpulse.scoring.columns import (
    BEFORE_CAPS,
    CAP_REASON,
    COVERAGE,
    CRITICAL,
    HEALTH,
    NOT_RATED_REASON,
    RENEWAL,
    TIER,
    ScoreRow,
)
from accountpulse.scoring.explain import plain
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

WINDOWS = (30, 90, 180)  # days to a renewal
WAYS = ("fell", "rose", "")  # in the order of the list
LEAST_COVERAGE = 10.0  # percent of the weight: a smaller loss crosses no line

READ = ("account_id", TIER, HEALTH, BEFORE_CAPS, CAP_REASON, COVERAGE, CRITICAL, NOT_RATED_REASON, RENEWAL)

Line = tuple[str, str, bool]  # which line, in words, whether it is worse now


def crossed(rows: pl.DataFrame, inputs: ReportInput) -> list[dict[str, Any]]:
    """The accounts that crossed a line: first those with one for the worse, last those with neither; by ARR, by id.

    `i` is the place in `rows`; `way` is `fell` where any line is for the worse, else `rose` where any is better, else
    empty; `lines` are `line` (`tier`, `cap`, `critical signal`, `renewal` or `coverage`), `text` and `worse`. That the
    renewal of a green account is near is neither worse nor better. An account that is new crossed nothing, and nor did
    one that only the scorecard's new content moved.
    """
    then = inputs.comparable
    if then is None:
        return []
    earlier = {row["account_id"]: row for row in _read(then)}
    month, found = inputs.month, []
    for i, now in enumerate(_read(sorted_scores(inputs))):
        before = earlier.get(now["account_id"])
        lines = [] if before is None else list(_lines(before, now, month.card, month.as_of_day))
        if lines:
            told = [{"line": line, "text": text, "worse": worse} for line, text, worse in lines]
            found.append({"i": i, "way": _way(lines), "lines": told})
    arr = rows["arr"].to_list()
    return sorted(found, key=lambda each: (WAYS.index(each["way"]), arr[each["i"]] is None, -(arr[each["i"]] or 0)))


def _read(scores: pl.DataFrame) -> Iterator[ScoreRow]:
    """The rows, of their columns only those that a line rests on."""
    return scores.select(name for name in READ if name in scores.columns).iter_rows(named=True)


def _way(lines: list[Line]) -> str:
    if any(worse for *_, worse in lines):
        return "fell"
    return "rose" if any(line != "renewal" for line, *_ in lines) else ""


def _lines(then: ScoreRow, now: ScoreRow, card: Scorecard, as_of: date) -> Iterator[Line]:
    yield from _tier(then, now, card)
    yield from _cap(then, now)
    yield from _signal(then, now)
    yield from _renewal(then, now, as_of, is_green=now[TIER] in card.green_tiers)
    yield from _coverage(then, now)


def _tier(then: ScoreRow, now: ScoreRow, card: Scorecard) -> Iterator[Line]:
    ranks = {name: rank for rank, name in enumerate(card.tier_names)}
    if then[TIER] != now[TIER] and then[TIER] in ranks and now[TIER] in ranks:
        yield "tier", f"{then[TIER]} to {now[TIER]}", ranks[now[TIER]] > ranks[then[TIER]]


def _is_capped(row: ScoreRow) -> bool:
    return row[HEALTH] is not None and row[HEALTH] < row[BEFORE_CAPS]


def _cap(then: ScoreRow, now: ScoreRow) -> Iterator[Line]:
    if None in (then[HEALTH], now[HEALTH]):
        return
    if _is_capped(now) and not _is_capped(then):
        yield "cap", f"capped at {plain(now[HEALTH])}: {_first(now[CAP_REASON])}", True
    if _is_capped(then) and not _is_capped(now):
        yield "cap", f"no longer capped (was: {_first(then[CAP_REASON])})", False


def _first(reasons: str) -> str:
    return reasons.split("; ", maxsplit=1)[0]


def _signal(then: ScoreRow, now: ScoreRow) -> Iterator[Line]:
    before, after = then.get(CRITICAL), now.get(CRITICAL)
    if before is None or after is None or (before >= 1) == (after >= 1):
        return
    yield "critical signal", "critical signal opened" if after >= 1 else "no critical signal open any more", after >= 1


def _renewal(then: Mapping[str, Any], now: Mapping[str, Any], as_of: date, *, is_green: bool) -> Iterator[Line]:
    """The nearest window that was entered; a renewal that was overdue before crosses nothing."""
    before, after = then.get(RENEWAL), now.get(RENEWAL)
    if before is None or after is None:
        return
    day = (as_of + timedelta(days=after)).isoformat()
    if after < 0 <= before:
        yield "renewal", f"renewal overdue since {day}", True
    elif (window := next((days for days in WINDOWS if after <= days < before), None)) is not None:
        yield "renewal", f"renewal within {window} days ({day})", not is_green


def _coverage(then: ScoreRow, now: ScoreRow) -> Iterator[Line]:
    lost, again = now[TIER] == NOT_RATED != then[TIER], then[TIER] == NOT_RATED != now[TIER]
    if lost:
        yield "coverage", f"became {NOT_RATED}: {_first(now[NOT_RATED_REASON] or 'not known why')}", True
    elif again:
        yield "coverage", f"rated again: {now[TIER]}", False
    elif None not in (then[COVERAGE], now[COVERAGE]) and then[COVERAGE] - now[COVERAGE] >= LEAST_COVERAGE:
        yield "coverage", f"coverage {plain(then[COVERAGE], 0)} % to {plain(now[COVERAGE], 0)} %", True

"""False greens and false reds by name: what the score saw of an account, and what happened to it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from accountpulse.core.outcomes import LOST
from accountpulse.proof.document import CaseKind, ProofCase, SampleKind
from accountpulse.proof.labels import LOST_ON, RENEWAL_ON, LabelRules
from accountpulse.scoring.columns import (
    AS_OF,
    CAP_REASON,
    COVERAGE,
    DRIVERS,
    DRIVERS_TEXT,
    HEALTH,
    RISK,
    TIER,
    lost_of,
    points_of,
)
from accountpulse.scoring.explain import cap_reasons, driver
from accountpulse.scoring.scorecard import GREEN, RED, Scorecard  # what is said independent of the names of tiers
from accountpulse.scoring.scores import score

LISTED = 200  # accounts of each kind that are listed, those with most ARR first; all are counted
DRIVERS_SHOWN = 3


IN_TIME = "read in time"  # no metric has blanks in its name


def departed(rows: pl.DataFrame, rules: LabelRules, known_until: date) -> pl.DataFrame:
    """One row for each customer that left, at a renewal or not: what the score said while there was still time to act.

    Of the account-months the last one at least `lead_days` before the departure, or where there is none the last one
    before it; none further away than the horizon and the lead. With `read in time`.
    """
    lead, reach = timedelta(days=rules.lead_days), timedelta(days=rules.lead_days + rules.horizon_days)
    in_time = pl.col(AS_OF) <= pl.col(LOST_ON) - lead
    wanted = (pl.col(LOST_ON) <= known_until) & (pl.col(AS_OF) >= pl.col(LOST_ON) - reach)
    return _last_each(rows, wanted, in_time).with_columns(in_time.alias(IN_TIME))


def false_greens(
    read: pl.DataFrame, card: Scorecard, rules: LabelRules, sample: SampleKind
) -> tuple[tuple[ProofCase, ...], int]:
    """Customers that were green and left, of the rows of `departed`: most ARR first, and how many there are."""
    greens = read.filter(pl.col(HEALTH) >= GREEN).with_columns(pl.lit(value=True).alias(LOST))
    return _listed(
        greens, card, lambda row: _case(row, card, "false green", _happened(row, rules, sample))
    ), greens.height


def false_reds(
    rows: pl.DataFrame, card: Scorecard, rules: LabelRules, sample: SampleKind
) -> tuple[tuple[ProofCase, ...], int, int]:
    """Customers that were red and stayed, each once, by the last such row: most ARR first, and how many there are.

    Who left later, after the horizon or the renewal, comes last; how many these are.
    """
    red = ~pl.col(LOST) & (pl.col(HEALTH) < RED)
    last = _last_each(rows, red, pl.lit(value=True))
    later = pl.col(LOST_ON).is_not_null()
    cases = _listed(
        last, card, lambda row: _case(row, card, "false red", _happened(row, rules, sample)), last_of_all=later
    )
    return cases, last.height, last.filter(later).height


def _last_each(rows: pl.DataFrame, wanted: pl.Expr, preferred: pl.Expr) -> pl.DataFrame:
    """Of each account the last of the wanted rows, one that is preferred where there is one."""
    found = rows.select("account_id", AS_OF, wanted=wanted, preferred=preferred).with_row_index("place")
    found = found.filter("wanted").sort("preferred", AS_OF).unique("account_id", keep="last", maintain_order=True)
    return rows[found["place"]]


def _listed(
    rows: pl.DataFrame,
    card: Scorecard,
    case: Callable[[Mapping[str, Any]], ProofCase],
    last_of_all: pl.Expr | None = None,
) -> tuple[ProofCase, ...]:
    order = [-pl.col(name).cast(pl.Float64) for name in ("arr",) if name in rows.columns]
    ranked = rows.sort(*([] if last_of_all is None else [last_of_all]), *order, "account_id", AS_OF, nulls_last=True)
    return tuple(map(case, _with_costs(ranked.head(LISTED), card).iter_rows(named=True)))


def _with_costs(rows: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The rows with what each metric costs, where the months didn't keep it: scored again, for these few.

    Likewise the caps and drivers of months that were scored without either; those of a state keep their caps.
    """
    wanted = [lost_of(leaf.name) for leaf in card.leaves]
    if CAP_REASON not in rows.columns:
        wanted += [CAP_REASON, DRIVERS]
    if all(name in rows.columns for name in wanted):
        return rows
    return rows.with_columns(score(rows, card, detail=True).select(wanted))


def _case(row: Mapping[str, Any], card: Scorecard, kind: CaseKind, happened: str) -> ProofCase:
    return ProofCase(
        kind=kind,
        account_id=row["account_id"],
        account_name=row.get("account_name"),
        as_of=row[AS_OF],
        tier=row[TIER],
        health=row[HEALTH],
        risk=row[RISK],
        coverage=row.get(COVERAGE),
        arr=row.get("arr"),
        segment=row.get("segment"),
        saw=tuple(_saw(row, card)),
        happened=happened,
        lost_on=row[LOST_ON],
        renewal_on=row[RENEWAL_ON],
    )


def _saw(row: Mapping[str, Any], card: Scorecard) -> list[str]:
    """What cost most points, and what limited health, in words."""
    if text := row.get(DRIVERS_TEXT):
        return [str(text)]
    names = row.get(DRIVERS)
    lines = [driver(row, card, name, row[AS_OF]) for name in (_drivers(row, card) if names is None else names)]
    caps = cap_reasons(row, card)
    return [*lines, *([f"capped: {'; '.join(caps)}"] if caps else [])]


def _drivers(row: Mapping[str, Any], card: Scorecard) -> Sequence[str]:
    """The metrics that cost most, by their share of the whole weight, where the months don't name them."""
    lost = {leaf.name: leaf.share * (100.0 - points) for leaf, points in _points(row, card)}
    worst = sorted((name for name, cost in lost.items() if cost > 0), key=lambda name: (-lost[name], name))
    return worst[:DRIVERS_SHOWN]


def _points(row: Mapping[str, Any], card: Scorecard) -> list[tuple[Any, float]]:
    found = [(leaf, row.get(points_of(leaf.name))) for leaf in card.leaves]
    return [(leaf, points) for leaf, points in found if points is not None]


def _happened(row: Mapping[str, Any], rules: LabelRules, kind: SampleKind) -> str:
    """`left on 2026-03-31, 91 days later`; `did not leave within 180 days; left on 2026-11-30`."""
    left = row[LOST_ON]
    if row[LOST]:
        return f"left on {left}, {(left - row[AS_OF]).days:,} days later"
    stayed = f"within {rules.horizon_days} days" if kind == "months" else f"around the renewal of {row[RENEWAL_ON]}"
    return f"did not leave {stayed}" + ("" if left is None else f"; left on {left}")

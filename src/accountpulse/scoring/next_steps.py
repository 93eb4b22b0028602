"""The next step with an account, in words: the first of the scorecard's rules that holds."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from accountpulse.core.by_account import beside
from accountpulse.scoring.columns import CAP_REASON, DRIVERS, HEALTH, HEALTH_BEFORE, NOT_RATED_REASON, OUTAGES, TIER
from accountpulse.scoring.model import HEALTH_CHANGE, NOT_RATED, OneOrSeveral, StepConditions
from accountpulse.scoring.scorecard import Scorecard

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt, "eq": operator.eq,
}  # fmt: skip


def next_step(row: Mapping[str, Any], card: Scorecard) -> str | None:
    """What to do next with an account; None where no rule holds.

    `row`: the account's scores by column, its metrics and attributes; with `health_score_before`, the health of the run
    before, rules may rest on how it changed. What is absent or null fulfils no condition.
    """
    filled_in = _filled_in(row, card)
    for rule in card.next_steps:
        if _holds(rule.when, row, card) and (words := _in_words(rule.step, filled_in)) is not None:
            return words
    return None


def with_health_before(scores: pl.DataFrame, then: pl.DataFrame | None) -> pl.DataFrame:
    """Scores as `next_step` reads them, row by row: beside them `health_score_before`, of the same accounts in `then`.

    `then`: scores of the run before by the same scorecard; null where it is None or lacks the account.
    """
    if then is None:
        return scores.with_columns(pl.lit(None, pl.Float64).alias(HEALTH_BEFORE))
    return beside(scores, then.select("account_id", pl.col(HEALTH).alias(HEALTH_BEFORE)))


def _filled_in(row: Mapping[str, Any], card: Scorecard) -> dict[str, str | None]:
    drivers = row.get(DRIVERS)
    return {
        "driver": card.catalogue[drivers[0]].label if drivers else None,
        "not_rated": ", ".join(_each(row.get(NOT_RATED_REASON))) or None,
        # an outage is for whoever runs accountpulse to mend, not for the account's manager
        "cap": next((cap for cap in _each(row.get(CAP_REASON)) if not cap.startswith(OUTAGES)), None),
    }


def _each(reasons: str | None) -> list[str]:
    return reasons.split("; ") if reasons else []


def _in_words(step: str, filled_in: Mapping[str, str | None]) -> str | None:
    """The words of a rule; None where it names what is not known of the account."""
    for name, text in filled_in.items():
        if f"{{{name}}}" in step:
            if text is None:
                return None
            step = step.replace(f"{{{name}}}", text)
    return step


def _holds(when: StepConditions, row: Mapping[str, Any], card: Scorecard) -> bool:
    return (
        all(_compares(row, *comparison) for comparison in when.comparisons)
        and (when.tier is None or row.get(TIER) in _listed(when.tier))
        and (when.green is None or _is_green(row.get(TIER), card) is when.green)
        and (when.not_rated is None or _says(row.get(NOT_RATED_REASON), when.not_rated))
        and (when.cap is None or _says(row.get(CAP_REASON), when.cap))
        and (when.first_driver is None or _costs_most(row, card, when.first_driver))
    )


def _compares(row: Mapping[str, Any], name: str, compared: str, limit: float) -> bool:
    value = _health_change(row) if name == HEALTH_CHANGE else row.get(name)
    return value is not None and math.isfinite(value) and _COMPARED[compared](value, limit)


def _health_change(row: Mapping[str, Any]) -> float | None:
    now, then = row.get(HEALTH), row.get(HEALTH_BEFORE)
    return None if now is None or then is None else now - then


def _listed(names: OneOrSeveral) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _is_green(tier: str | None, card: Scorecard) -> bool | None:
    return None if tier in (None, NOT_RATED) else tier in card.green_tiers


def _says(reasons: str | None, part: str) -> bool:
    return reasons is not None and part.lower() in reasons.lower()


def _costs_most(row: Mapping[str, Any], card: Scorecard, names: OneOrSeveral) -> bool:
    drivers: list[str] | None = row.get(DRIVERS)
    if not drivers:
        return False
    return not {drivers[0], card.dimension_of.get(drivers[0])}.isdisjoint(_listed(names))

"""Churn risk: an index from 0 to 100, higher is worse. It is no probability until it has been calibrated."""

from itertools import pairwise

import narwhals.stable.v2 as nw

from accountpulse.scoring.columns import BEFORE_3M, BEFORE_CAPS, RENEWAL, ScoreRow
from accountpulse.scoring.expressions import Expr, along, first_true, number, total
from accountpulse.scoring.inputs import metric_column
from accountpulse.scoring.model import Curve, SignalTerm
from accountpulse.scoring.scorecard import Scorecard

DEFAULT_FLOOR = 50.0  # of an account with a critical signal and no health, where the file has no floor


def exponent(card: Scorecard) -> Expr:
    """z: rises as health before caps falls. An unknown trend, renewal or signal adds 0."""
    risk, health = card.risk, nw.col("score:")
    return total(
        [
            number(risk.intercept),
            (number(50.0) - health) * risk.slope,
            along(health - nw.col("before_3m"), risk.trend).fill_null(0.0),
            along(nw.col(metric_column(RENEWAL)), risk.renewal).fill_null(0.0),
            *(_signal_expression(nw.col(metric_column(name)), term) for name, term in sorted(risk.signals.items())),
        ]
    )


def with_floor(card: Scorecard, z: Expr) -> Expr:
    """100 / (1 + e^−z), and at least the floor that goes with the lowest cap that holds."""
    unfloored = number(100.0) * (number(1.0) / (number(1.0) + (number(0.0) - z).exp()))
    floors = sorted(card.risk.floors, key=lambda floor: -floor.risk)
    cases = [(nw.col("cap:known") < floor.cap_below, number(floor.risk)) for floor in floors]
    floor = first_true(cases, number(0.0))
    return nw.when(unfloored < floor).then(floor).otherwise(unfloored)


def highest_floor(card: Scorecard) -> float:
    """The risk of an account that has an open critical signal, but no health."""
    return max((floor.risk for floor in card.risk.floors), default=DEFAULT_FLOOR)


def _signal_expression(count: Expr, term: SignalTerm) -> Expr:
    """`first` for one, `more` for each further one, `max` at most; 0 where it is not known."""
    several = number(term.first) + (count - 1.0) * term.more
    limited = nw.when(several > term.max).then(number(term.max)).otherwise(several)
    cases = [(count.is_null() | (count <= 0), number(0.0)), (count <= 1, count * term.first)]
    return first_true(cases, limited)


# --- one account's terms, to be shown --------------------------------------------------------------------------


def terms(row: ScoreRow, card: Scorecard) -> dict[str, float]:
    """What each term adds to z for one account with a health: the arithmetic of `exponent` in plain numbers."""
    risk, health = card.risk, row[BEFORE_CAPS]
    before, days = row.get(BEFORE_3M), row.get(RENEWAL)
    return {
        "intercept": risk.intercept,
        "health": (50.0 - health) * risk.slope,
        "trend": 0.0 if before is None else _value_on(risk.trend, health - before),
        "renewal": 0.0 if days is None else _value_on(risk.renewal, days),
        **{name: _signal_term(row.get(name) or 0.0, term) for name, term in risk.signals.items()},
    }


def _value_on(curve: Curve, value: float) -> float:
    """The curve at a value."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if value < x1:
            return y0 if value <= x0 else y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return curve[-1][1]


def _signal_term(count: float, term: SignalTerm) -> float:
    return (
        0.0 if count <= 0 else min(term.max, term.first + term.more * (count - 1)) if count > 1 else count * term.first
    )

"""The few expressions that all the arithmetic is made of, in one form that gives the same bits on every engine.

Terms are added from left to right in the scorecard's order, nothing is divided (an engine may divide by multiplying
with a reciprocal, or not, as the batch has it), and what is not a finite number is null before anything is asked of it.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise

import narwhals.stable.v2 as nw

from accountpulse.scoring.model import Curve

Expr = nw.Expr
Stage = list[Expr]  # columns that are added together, from those that are there already


def number(value: float) -> Expr:
    """A constant."""
    return nw.lit(float(value))


def unknown() -> Expr:
    """A number that is not known."""
    return nw.lit(None, dtype=nw.Float64)


def finite(value: Expr) -> Expr:
    """The value as a float; NaN and infinities are not known."""
    as_float = value.cast(nw.Float64)
    return nw.when(as_float.is_finite()).then(as_float)


def total(terms: Iterable[Expr]) -> Expr:
    """The sum, from left to right, of at least one term."""
    return reduce(lambda left, right: left + right, terms)


def quotient(numerator: Expr, denominator: Expr) -> Expr:
    """One number by another that is above 0; null otherwise.

    One step of correction gives the quotient where it is exact: 49 of 49 is 1, so a value on an edge stays there.
    """
    reciprocal = number(1.0) / nw.when(denominator > 0).then(denominator)
    rough = numerator * reciprocal
    return rough + (numerator - rough * denominator) * reciprocal


def along(value: Expr, curve: Curve) -> Expr:
    """The curve at a value: straight between its points, flat outside, null where the value is."""
    result = nw.when(value <= curve[0][0]).then(curve[0][1])
    for (x0, y0), (x1, y1) in pairwise(curve):
        result = result.when(value < x1).then((value - x0) * ((y1 - y0) / (x1 - x0)) + y0)
    return result.when(value >= curve[-1][0]).then(curve[-1][1])


def first_true(cases: Sequence[tuple[Expr, Expr | float]], otherwise: Expr | None = None) -> Expr:
    """What belongs to the first condition that holds; a number that is not known where none does."""
    if not cases:
        return unknown() if otherwise is None else otherwise
    (condition, value), *rest = cases
    chain = nw.when(condition).then(value)
    for condition, value in rest:
        chain = chain.when(condition).then(value)
    return chain if otherwise is None else chain.otherwise(otherwise)


def all_of(conditions: Sequence[Expr]) -> Expr:
    """True where every one of at least one condition holds; an unknown one does not."""
    return reduce(lambda left, right: left & right, conditions).fill_null(value=False)


def any_of(conditions: Sequence[Expr]) -> Expr:
    """True where one of at least one condition holds; an unknown one does not."""
    return reduce(lambda left, right: left | right, (c.fill_null(value=False) for c in conditions))


def joined(texts: Sequence[tuple[Expr, Expr | str]]) -> Expr:
    """The texts whose condition holds, with `; ` between; null where none does."""
    if not texts:
        return nw.lit(None, dtype=nw.String)
    parts = [nw.when(condition).then(nw.lit(text) if isinstance(text, str) else text) for condition, text in texts]
    text = nw.concat_str(parts, separator="; ", ignore_nulls=True)
    return nw.when(text != "").then(text)

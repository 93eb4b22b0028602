"""Which values a table of metrics is expected to hold: what lies outside is scored as it is, and said.

A lost decimal mark (8740 for 87.40), a sign too many and the serial number of a date look like good health otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

import polars as pl

from accountpulse.core.catalogue import Metric
from accountpulse.core.written_numbers import Places
from accountpulse.scoring.columns import BEFORE_3M, RENEWAL
from accountpulse.scoring.scorecard import Scorecard

_FROM_0_TO_100 = ("percent", "points")
_NEVER_BELOW_0 = ("count", "users", "seconds", "days", "ratio", "per week", "steps")
_COUNTED = ("count", "users", "seconds")  # also of own metrics: a percentage of theirs, such as growth, may be any
_MOST_RENEWAL_DAYS = 7305  # 20 years; the serial number of a day in a spreadsheet is above 40,000
_MOST_SPANS = 5  # how far a company's own figure may lie beside its anchors, in lengths of what they cover


@dataclass(frozen=True)
class Range:
    """From the lowest to the highest value; `fault` says what a value outside is."""

    low: float
    high: float
    fault: str


_COUNT = Range(0, inf, "below 0")
_SHARE = Range(0, 100, "not between 0 and 100")


def expected_ranges(card: Scorecard) -> Mapping[str, Range]:
    """What the columns of numbers hold unless something went wrong; a column without a range may hold anything."""
    return {**_possible_ranges(card), **_likely_ranges(card)}


def _possible_ranges(card: Scorecard) -> dict[str, Range]:
    """What a number of the column's unit can be at all."""
    found = {"seats": _COUNT, BEFORE_3M: _SHARE}
    for metric in card.catalogue.values():
        limits = _possible(metric, is_own=metric.name in card.file.metrics)
        if limits is not None:
            found[metric.name] = limits
    return found


def _possible(metric: Metric, *, is_own: bool) -> Range | None:
    if is_own:
        return _COUNT if metric.unit in _COUNTED else None
    if metric.is_change or metric.name == RENEWAL:  # an overdue renewal has days below 0
        return None
    if metric.unit in _FROM_0_TO_100:
        return _SHARE
    return _COUNT if metric.unit in _NEVER_BELOW_0 else None


def _likely_ranges(card: Scorecard) -> dict[str, Range]:
    """What can be, but is hardly meant. Of own metrics, what lies far from their anchors."""
    far = _MOST_RENEWAL_DAYS
    found = {"arr": _COUNT, RENEWAL: Range(-far, far, "more than 20 years from today, perhaps a date's own number,")}
    for leaf in card.leaves:
        if leaf.name in card.file.metrics and leaf.rule.per is None:
            curves = [leaf.rule.anchors, *(s.anchors[leaf.name] for s in card.file.segments if leaf.name in s.anchors)]
            given = [value for curve in curves for value, _points in curve]
            low, high = min(given), max(given)
            span = _MOST_SPANS * (high - low)
            found[leaf.name] = Range(low - span, high + span, f"far outside its anchors, {low:g} to {high:g},")
    return found


def outside(values: pl.DataFrame, ranges: Mapping[str, Range], places: Places) -> Iterator[str]:
    """A line for each column that has values outside its range, with their places and the first of them."""
    for column in values.columns:
        if column in ranges:
            limits = ranges[column]
            wrong = ((values[column] < limits.low) | (values[column] > limits.high)).fill_null(value=False)
            if wrong.any():
                first = values[column].filter(wrong)[0]
                yield f"{column}: {limits.fault} in {places.named(wrong)} ({first:.15g})"

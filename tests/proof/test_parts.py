"""Each metric alone: how often one is said to point somewhere by chance, and that a reversed one is named."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm

from accountpulse.proof.arr_later import ACCOUNT
from accountpulse.proof.intervals import LEVEL, Interval, beyond_chance, levels_of
from accountpulse.proof.parts import parts_alone
from accountpulse.scoring import scorecard

BOOKS, CUSTOMERS, LEFT = 60, 200, 60
CARD = scorecard.default()
NAMES = [leaf.name for leaf in CARD.leaves]


def book(rng, turned=None):
    """Points of chance alone; of a metric that is `turned`, those who left have more."""
    lost = np.arange(CUSTOMERS) < LEFT
    points = {f"{name}_points": rng.normal(50, 20, CUSTOMERS) for name in NAMES}
    if turned:
        points[f"{turned}_points"] += 20 * lost
    return pl.DataFrame({ACCOUNT: np.arange(CUSTOMERS), "lost": lost, **points})


def test_where_nothing_tells_who_leaves_a_metric_is_rarely_named():
    """At 95 % for each, of so many metrics one is named in most books; that is the control."""
    rng = np.random.default_rng(16)
    books = [parts_alone(book(rng), CARD) for _ in range(BOOKS)]
    named = [any(part.verdict in {"right way", "wrong way"} for part in parts) for parts in books]
    alone = [any(not part.auc.lower <= 0.5 <= part.auc.upper for part in parts) for parts in books]
    assert len(NAMES) >= 20
    assert np.mean(named) < 0.15  # 5 % of books, of 60 fewer than nine in all but one of a thousand times
    assert np.mean(alone) > 0.5


def test_a_metric_that_points_the_wrong_way_is_named_among_many():
    (found,) = [
        part for part in parts_alone(book(np.random.default_rng(1), turned=NAMES[3]), CARD) if part.name == NAMES[3]
    ]
    assert found.verdict == "wrong way"
    assert found.auc.value == pytest.approx(0.24, abs=0.1)  # Φ(−1/√2)


def test_the_interval_that_is_shown_is_at_95_percent_however_many_are_judged():
    rows = book(np.random.default_rng(2))
    whole = {part.name: part for part in parts_alone(rows, CARD)}
    alone = parts_alone(rows.select(ACCOUNT, "lost", f"{NAMES[0]}_points"), CARD)
    assert [part.auc for part in alone] == [whole[NAMES[0]].auc]


def test_one_metric_alone_is_judged_by_the_interval_that_is_shown():
    rng = np.random.default_rng(3)
    for _ in range(BOOKS):
        (part,) = parts_alone(book(rng).select(ACCOUNT, "lost", f"{NAMES[0]}_points"), CARD)
        said = part.verdict == "no evidence"
        assert said == (part.auc.lower <= 0.5 <= part.auc.upper)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_parts_are_named_as_benjamini_and_hochberg_name_them(deviations):
    """By p-values, which the intervals stand for: a part `z` standard errors of 0.01 away from 0.50."""
    intervals = [
        tuple(
            Interval(0.5 + 0.01 * z, *(0.5 + 0.01 * (z + way * norm.isf((1 - level) / 2)) for way in (-1, 1)))
            for level in levels_of(len(deviations))
        )
        for z in deviations
    ]
    adjusted = false_discovery_control(2 * norm.sf(np.abs(deviations)))
    sure = np.abs(adjusted - (1 - LEVEL)) > 1e-9  # on the edge itself rounding decides
    assert (np.array(beyond_chance(intervals)) == (adjusted <= 1 - LEVEL))[sure].all()


def test_a_wrong_way_that_alone_would_not_suffice_is_named_beside_many_right_ones():
    rng = np.random.default_rng(5)
    rows = book(rng)
    lost = rows["lost"].to_numpy()
    right = [pl.col(f"{name}_points") - 25 * pl.lit(pl.Series(lost)) for name in NAMES[5:]]
    weak = pl.Series([*np.linspace(11, 111, LEFT), *np.linspace(0, 100, CUSTOMERS - LEFT)])  # about 2.5 errors off
    verdicts = []
    for others in (rows, rows.with_columns(right)):
        parts = parts_alone(others.with_columns(weak.alias(f"{NAMES[0]}_points")), CARD)
        verdicts += [(part.verdict, part.auc.upper < 0.5) for part in parts if part.name == NAMES[0]]
    assert verdicts == [("no evidence", True), ("wrong way", True)]

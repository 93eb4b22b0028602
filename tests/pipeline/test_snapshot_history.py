"""What lies before a snapshot: which run it is compared with, and what its trend looks back to."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.pipeline.earlier_runs import Basis, score_period, tables_before
from accountpulse.pipeline.snapshot_history import KeptRun, a_week_before, nearest, newest_first
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.state import State

SUNDAY = date(2026, 11, 22)
CARD = """name: small
coverage: {tier_needs_readable: [critical_signals]}
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""


@pytest.fixture
def card() -> Scorecard:
    return load(CARD, "small.yaml")


def month(number: int) -> KeptRun:
    period = Period(2026, number)
    return KeptRun(date.fromordinal(period.shifted(1).first_day.toordinal() - 1), period, None)


def day(number: int, of: int = 11) -> KeptRun:
    at = date(2026, of, number)
    return KeptRun(at, Period(2026, of), at)


@pytest.mark.parametrize(
    ("there", "first"),
    [
        ([month(9), month(10)], month(10)),
        ([month(10), day(1)], day(1)),
        ([day(31, 10), month(10)], day(31, 10)),
        ([day(24, 10), month(10)], day(24, 10)),  # a week before the month's end: the next one is due
        ([day(23, 10), month(10)], month(10)),
        ([day(22), day(15), month(10)], day(22)),
    ],
)
def test_a_month_comes_before_snapshots_that_are_more_than_a_week_older(there: list[KeptRun], first: KeptRun) -> None:
    assert newest_first(there)[0] == first


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([], None),
        ([day(15), day(16), day(21)], day(15)),  # daily ones: that of a week ago, and not yesterday's
        ([day(18), day(12)], day(12)),  # three days off are near
        ([day(11), day(21)], day(21)),  # neither is near: the newest
        ([month(10), day(11)], day(11)),
        ([month(9), month(10)], month(10)),
        ([month(10), day(31, 10)], day(31, 10)),  # of one day the snapshot
        ([day(23), day(22)], None),  # later, and its own day
        ([day(23), month(8)], month(8)),
    ],
)
def test_a_snapshot_is_compared_with_that_of_a_week_before(there: list[KeptRun], found: KeptRun | None) -> None:
    assert next(iter(a_week_before(there, SUNDAY)), None) == found


def test_near_a_week_before_a_snapshot_comes_before_a_month() -> None:
    at = date(2026, 11, 7)
    there = [month(10), day(29, 10)]
    assert a_week_before(there, at) == [day(29, 10), month(10)]
    assert a_week_before([month(10)], at) == [month(10)]


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([day(24, 8), day(20, 8), month(8)], day(24, 8)),
        ([day(14, 8), month(8)], day(14, 8)),  # ten days off, and the month seven: one of its own kind comes first
        ([day(13, 8), month(8)], month(8)),
        ([day(13, 8), month(7)], None),  # 24 August is 24 days after July
        ([], None),
    ],
)
def test_the_nearest_is_a_snapshot_within_ten_days_or_else_a_month(there: list[KeptRun], found: KeptRun | None) -> None:
    assert nearest(there, date(2026, 8, 24)) == found


def metrics(csat: float) -> pl.DataFrame:
    return pl.DataFrame(
        {"account_id": ["A"], "csat_score": [csat], "critical_signals": [0.0], "critical_signals_reason": [None]},
        schema_overrides={"critical_signals_reason": pl.String},
    )


def health_before(state: State, card: Scorecard, snapshot: date | None) -> float | None:
    basis = Basis(Period(2026, 11), card, 90.0, (), signals_waived=False)
    scored = score_period(metrics(80), tables_before(state, snapshot), basis)
    return scored["health_before_caps_3m"][0]  # type: ignore[no-any-return]


def test_the_trend_of_a_snapshot_looks_back_90_days_and_a_months_at_months_alone(
    tmp_path: Path, card: Scorecard
) -> None:
    state = State(tmp_path)
    state.snapshots.save(date(2026, 8, 20), metrics(60), metrics(60))
    assert health_before(state, card, None) is None
    assert health_before(state, card, SUNDAY) == 60.0
    state.history.save(Period(2026, 8), metrics(70), metrics(70))
    assert (health_before(state, card, None), health_before(state, card, SUNDAY)) == (70.0, 60.0)
    state.snapshots.remove(date(2026, 8, 20))
    assert health_before(state, card, SUNDAY) == 70.0
    assert health_before(state, card, date(2026, 10, 1)) is None  # nothing near 3 July


def test_after_an_outage_the_last_tier_is_that_of_the_run_before(tmp_path: Path, card: Scorecard) -> None:
    state = State(tmp_path)
    tiers = pl.DataFrame({"account_id": ["A"], "tier": ["Poor"]})
    basis = Basis(Period(2026, 11), card, 90.0, ("bugs",), signals_waived=False)
    state.history.save(Period(2026, 10), metrics(10), tiers.with_columns(tier=pl.lit("Good")))
    state.snapshots.save(date(2026, 11, 21), metrics(10), tiers)
    held = score_period(metrics(80), tables_before(state, SUNDAY), basis).row(0, named=True)
    assert (held["tier"], held["cap_reason"]) == ("Poor", "source_failed: bugs")

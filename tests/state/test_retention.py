"""Which snapshots are kept."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accountpulse.state.retention import kept

TODAY = date(2026, 11, 23)
DAYS = st.sets(st.integers(0, 400).map(lambda back: TODAY - timedelta(days=back)), max_size=80)


def test_of_a_year_of_days_60_days_and_the_last_of_each_of_26_weeks_stay() -> None:
    stay = kept((TODAY - timedelta(days=back) for back in range(365)), TODAY)
    daily = {TODAY - timedelta(days=back) for back in range(60)}
    assert daily <= stay
    older = sorted(stay - daily)
    assert all(day.isoweekday() == 7 for day in older)
    assert (older[0], older[-1], len(older)) == (date(2026, 5, 31), date(2026, 9, 20), 17)


@given(DAYS)
def test_what_stays_stays_and_nothing_comes_to_it(days: set[date]) -> None:
    stay = kept(days, TODAY)
    assert stay <= days
    assert kept(stay, TODAY) == stay


@given(DAYS.filter(bool))
def test_the_newest_is_always_kept(days: set[date]) -> None:
    assert max(days) in kept(days, TODAY)


@given(DAYS, st.integers(0, 60))
def test_keeping_every_day_comes_to_the_same_as_keeping_now_and_then(days: set[date], later: int) -> None:
    then = TODAY + timedelta(days=later)
    assert kept(kept(days, TODAY), then) == kept(days, then)

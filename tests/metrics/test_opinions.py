"""How a pulse stands as a month ends, counted by hand; and which renewal's forecast is the account's."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import frame
from accountpulse.metrics.opinions import outlooks, pulses_at
from metrics.measuring import OCTOBER, A, B, C, at

ANN, BOB = "005000000000001AAA", "005000000000002AAA"


def stands(given: str | None, *changes: tuple[str, str | None], author: str = ANN, scope: Scope = OCTOBER) -> Any:
    """The state and the day of A's pulse; `changes` of its owner are an instant and the new owner."""
    row = {"account_id": A, "colour": "red", "given_at": given and at(given), "author_id": author}
    owners = frame("owner_changes", [{"account_id": A, "at": at(when), "owner_id": who} for when, who in changes])
    found = pulses_at(frame("pulses", [row]), owners, scope)
    return found.select("pulse_state", "pulse_on").row(0)


# the last day that October measures is the 31st
@pytest.mark.parametrize(
    ("given", "age", "state"),
    [
        ("2026-10-31 23:59", 0, "current"),
        ("2026-08-03 00:00", 89, "current"),
        ("2026-08-02 23:59", 90, "stale"),
        ("2026-07-04 00:00", 119, "stale"),
        ("2026-07-03 23:59", 120, "void"),
        ("2024-07-03 09:00", 850, "void"),
    ],
)
def test_a_pulse_is_stale_at_90_days_and_void_at_120(given: str, age: int, state: str) -> None:
    day = at(given).date()
    assert (date(2026, 10, 31) - day).days == age
    assert stands(given) == (state, day)


def test_days_are_those_of_the_periods_zone() -> None:
    auckland = scope_of(Period(2026, 10, "Pacific/Auckland"), datetime(2026, 11, 23, tzinfo=UTC))
    # 12:30 UTC on 2 August is 3 August there, in winter time (+12)
    assert stands("2026-08-02 12:30", scope=auckland) == ("current", date(2026, 8, 3))
    assert stands("2026-08-02 11:30", scope=auckland) == ("stale", date(2026, 8, 2))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ((("2026-10-10 12:00", BOB),), "restarted"),
        ((("2026-10-04 12:00", BOB),), "current"),  # before the pulse
        ((("2026-10-05 09:00", BOB),), "current"),  # the very instant: Bob's own word
        ((("2026-11-01 00:00", BOB),), "current"),  # after the month
        ((("2026-10-31 23:59", BOB),), "restarted"),
        ((("2026-10-05 18:00", BOB),), "restarted"),  # later on the same day, and it was not Bob who said it
        ((("2026-10-05 18:00", ANN),), "current"),  # who took it over that day had said it
        ((("2026-10-05 18:00", None),), "restarted"),  # nobody knows who that is
        ((("2026-10-06 18:00", ANN),), "restarted"),  # the rule is for the one day alone
        ((("2026-10-05 18:00", ANN), ("2026-10-20 18:00", BOB)), "restarted"),
    ],
)
def test_a_pulse_is_over_where_the_owner_changed_since(changes: Sequence[tuple[str, str]], state: str) -> None:
    assert stands("2026-10-05 09:00", *changes) == (state, date(2026, 10, 5))


def test_void_comes_before_restarted_and_restarted_before_stale() -> None:
    assert stands("2026-06-01 09:00", ("2026-09-01 09:00", BOB))[0] == "void"
    assert stands("2026-07-20 09:00", ("2026-09-01 09:00", BOB))[0] == "restarted"


def test_a_pulse_without_a_date_is_undated_whoever_owns_the_account() -> None:
    assert stands(None, ("2026-09-01 09:00", BOB)) == ("undated", None)


@pytest.mark.parametrize("doubt", ["unclear", "unread"])
def test_of_a_doubtful_pulse_nothing_is_told_but_the_doubt(doubt: str) -> None:
    row = {
        "account_id": A,
        "colour": "red",
        "given_at": at("2026-10-05"),
        "author": "Ann",
        "reason": "x",
        "doubt": doubt,
    }
    found = pulses_at(frame("pulses", [row]), frame("owner_changes"), OCTOBER)
    assert found.rows() == [(A, None, doubt, None, None, None)]


def test_anothers_change_of_owner_is_nothing() -> None:
    rows = [{"account_id": each, "colour": "green", "given_at": at("2026-10-05")} for each in (B, A)]
    owners = frame("owner_changes", [{"account_id": B, "at": at("2026-10-09"), "owner_id": BOB}])
    found = pulses_at(frame("pulses", rows), owners, OCTOBER)
    assert found.select("account_id", "pulse_state").rows() == [(A, "current"), (B, "restarted")]


def outlook(days: float | None, *renewals: tuple[str, int, str | None]) -> str | None:
    """Of an account whose renewal is so many days from 1 November; renewals are a day, a rank and a forecast."""
    measured = pl.DataFrame(
        {"account_id": [A, C], "days_to_renewal": [days, 3.0]}, schema_overrides={"days_to_renewal": pl.Float64}
    )
    rows = [
        {"account_id": A, "due": date.fromisoformat(day), "rank": rank, "forecast": said}
        for day, rank, said in renewals
    ]
    found = outlooks(measured, frame("renewals", rows), OCTOBER)
    assert set(found["account_id"]) <= {A}
    return None if found.is_empty() else str(found["renewal_outlook"][0])


@pytest.mark.parametrize(
    ("days", "renewals", "said"),
    [
        (9.0, [("2026-11-10", 0, "likely"), ("2026-11-20", 0, "unlikely")], "likely"),
        (-5.0, [("2026-10-27", 0, "unlikely")], "unlikely"),
        (9.0, [("2026-11-10", 0, "likely"), ("2026-11-10", 0, "likely")], "likely"),
        (9.0, [("2026-11-10", 0, "likely"), ("2026-11-10", 0, "open")], None),
        (9.0, [("2026-11-10", 0, "likely"), ("2026-11-10", 0, None)], None),
        (9.0, [("2026-11-10", 0, "likely"), ("2026-11-10", 1, "unlikely")], "likely"),  # the first way's
        (9.0, [("2026-11-10", 0, None)], None),
        (None, [("2026-11-10", 0, "likely")], None),
        (9.0, [], None),
    ],
)
def test_the_forecast_is_that_of_the_renewal_that_comes_next(
    days: float | None, renewals: list[tuple[str, int, str | None]], said: str | None
) -> None:
    assert outlook(days, *renewals) == said

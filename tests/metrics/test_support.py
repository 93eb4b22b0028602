from typing import Any

import pytest

from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import Rules
from accountpulse.metrics.support import measure_support
from metrics.measuring import AS_OF, HOUR, START, TICK, A, B, at, measured, of, of_a

IN = at("2026-10-05 12:00")


def conversation(**columns: Any) -> dict[str, Any]:
    return {"conversation_id": "1", "created_at": IN, "customer_involved": True, **columns}


def answers(*rows: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    return of_a(measure_support, {"conversations": rows}, **arguments)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], 0),
        ([conversation()], 1),
        ([conversation(created_at=START), conversation(created_at=START - TICK)], 1),
        ([conversation(created_at=AS_OF - TICK), conversation(created_at=AS_OF)], 1),
        ([conversation(customer_involved=False)], 0),
        ([conversation(customer_involved=None)], 0),
    ],
)
def test_conversations_count_where_created_in_the_window_with_the_customer(rows: list[Any], expected: int) -> None:
    assert answers(*rows)["total_conversations"] == expected


def test_the_window_may_be_the_period() -> None:
    scope = scope_of(Period(2026, 10), at("2026-11-23"), window_days=None)
    rows = [conversation(created_at=at(day)) for day in ("2026-09-30", "2026-10-01", "2026-10-31")]
    assert answers(*rows, scope=scope)["total_conversations"] == 2


@pytest.mark.parametrize(("metric", "sign"), [("p1_p2_pct", "p1_p2"), ("escalation_pct", "escalated")])
@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([True, False, False], pytest.approx(100 / 3, rel=1e-15)),
        ([True] * 49, 100.0),  # exactly: tiers compare unrounded values
        ([False], 0.0),
        ([None, None], "not_configured"),
        ([True, None], 100.0),
        ([], "no_evidence"),
    ],
)
def test_shares_are_of_the_population(metric: str, sign: str, signs: list[bool | None], expected: Any) -> None:
    outside = [conversation(**{sign: True}, created_at=AS_OF), conversation(**{sign: True}, customer_involved=False)]
    assert answers(*(conversation(**{sign: value}) for value in signs), *outside)[metric] == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([1], 3600.0),
        ([1, 2, 9], 7200.0),
        ([1, 2, 4, 9], 10_800.0),  # between 2 and 4 hours
        ([5, None], 18_000.0),
        ([None], "no_evidence"),
        ([], "no_evidence"),
    ],
)
def test_first_response_is_an_exact_median_of_the_answered(hours: list[int | None], expected: Any) -> None:
    rows = [conversation(first_response_ms=None if hour is None else hour * HOUR) for hour in hours]
    assert answers(*rows)["median_first_response_seconds"] == expected


def test_a_median_keeps_half_milliseconds() -> None:
    rows = [conversation(first_response_ms=1000), conversation(first_response_ms=1001)]
    assert answers(*rows)["median_first_response_seconds"] == pytest.approx(1.0005, rel=1e-15)


def test_resolution_is_of_conversations_closed_in_the_window_whenever_they_began() -> None:
    long_ago = at("2025-01-01")
    rows = [
        conversation(created_at=long_ago, last_closed_at=START, resolution_ms=2 * HOUR),
        conversation(created_at=long_ago, last_closed_at=AS_OF - TICK, resolution_ms=4 * HOUR),
        conversation(last_closed_at=AS_OF, resolution_ms=99 * HOUR),
        conversation(last_closed_at=START - TICK, resolution_ms=99 * HOUR),
        conversation(last_closed_at=None, resolution_ms=99 * HOUR),
        conversation(last_closed_at=IN, resolution_ms=99 * HOUR, customer_involved=False),
    ]
    assert answers(*rows)["median_resolution_seconds"] == 3 * 3600
    assert answers(*rows[2:])["median_resolution_seconds"] == "no_evidence"


@pytest.mark.parametrize(
    ("ratings", "share", "mean", "rate"),
    [
        ([5, 4, 3, 1], 50.0, 56.25, 100.0),  # mean 3.25
        ([4, 4, 4], 100.0, 75.0, 100.0),
        ([5, None, None, None], 100.0, 100.0, 25.0),
        ([1], 0.0, 0.0, 100.0),
        ([None], "no_evidence", "no_evidence", 0.0),
        ([0, 6], "no_evidence", "no_evidence", 0.0),  # no such ratings
        ([], "no_evidence", "no_evidence", "no_evidence"),
    ],
)
def test_csat_is_of_the_rated_and_the_rate_of_the_asked(
    ratings: list[int | None], share: Any, mean: Any, rate: Any
) -> None:
    rows = [conversation(rating_asked_at=IN, rating=rating) for rating in ratings]
    assert answers(*rows)["csat_score"] == share
    assert answers(*rows, rules=Rules(csat="mean"))["csat_score"] == mean
    assert answers(*rows)["csat_response_rate"] == rate


def test_ratings_belong_to_the_window_by_when_they_were_asked_for() -> None:
    rows = [
        conversation(created_at=at("2025-01-01"), rating_asked_at=START, rating=5),
        conversation(rating_asked_at=START - TICK, rating=1),
        conversation(rating_asked_at=AS_OF, rating=1),
        conversation(rating_asked_at=None, rating=1),
    ]
    found = answers(*rows)
    assert (found["csat_score"], found["csat_response_rate"]) == (100.0, 100.0)


def test_accounts_do_not_mix() -> None:
    rows = [
        conversation(first_response_ms=HOUR, rating_asked_at=IN, rating=5),
        conversation(account_id=B, first_response_ms=5 * HOUR, rating_asked_at=IN, rating=1),
        conversation(account_id="a stranger's", first_response_ms=9 * HOUR),
    ]
    result = measured(measure_support, {"conversations": rows}, accounts=[{"account_id": B}, {"account_id": A}])
    assert result["account_id"].to_list() == [A, B]
    assert [of(result, account)["median_first_response_seconds"] for account in (A, B)] == [3600, 18_000]
    assert [of(result, account)["csat_score"] for account in (A, B)] == [100, 0]

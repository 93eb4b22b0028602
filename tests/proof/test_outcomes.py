"""What months show of an account, what all origins come to together, and which losses are doubtful."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from accountpulse.core.records import OUTCOMES
from accountpulse.proof.outcomes import of_months, settled, united, with_doubts, without_overtaken


def months(account: str, arr: list[float | None], **more: list[Any]) -> pl.DataFrame:
    """An account's months from January on, each measured two days after its end."""
    as_of = [date(2026, 2 + place, 1) for place in range(len(arr))]
    table = pl.DataFrame(
        {
            "account_id": [account] * len(arr),
            "as_of": as_of,
            "measured_at": [datetime(day.year, day.month, 3, 9, tzinfo=UTC) for day in as_of],
            "reconstructed": [False] * len(arr),
            "arr": arr,
        },
        schema_overrides={
            "as_of": pl.Date,
            "measured_at": pl.Datetime("us", "UTC"),
            "reconstructed": pl.Boolean,
            "arr": pl.Float64,
        },
    )
    return table.with_columns(**{name: pl.Series(values, strict=False) for name, values in more.items()})


def shown(table: pl.DataFrame) -> list[tuple[Any, ...]]:
    """What it comes to: day, kind, ARR lost, known, doubt."""
    found = of_months(table, contraction_pct=10, grace_days=60)
    assert found.schema == pl.Schema(OUTCOMES)
    assert set(found["origin"]) <= {"history"}
    return found.select("happened_on", "kind", "arr_lost", "known_at", "doubt").rows()


def outcome(account: str, day: str, kind: str, origin: str = "contracts", **more: Any) -> dict[str, Any]:
    return {"account_id": account, "happened_on": date.fromisoformat(day), "kind": kind, "origin": origin, **more}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=OUTCOMES)


def test_arr_that_fell_by_more_than_a_tenth_is_a_contraction_and_to_zero_a_loss() -> None:
    assert shown(months("A", [100.0, 90.0, 80.0, 0.0, 0.0])) == [
        (date(2026, 3, 31), "contraction", 10.0, date(2026, 4, 3), None),  # 90 to 80 is 11 %; 100 to 90 was 10 %
        (date(2026, 4, 30), "lost", 80.0, date(2026, 5, 3), None),
    ]


def test_a_month_that_does_not_know_arr_is_passed_over() -> None:
    assert shown(months("A", [100.0, None, 50.0])) == [(date(2026, 3, 31), "contraction", 50.0, date(2026, 4, 3), None)]
    assert shown(months("A", [None, None, 0.0])) == []
    assert shown(months("A", [0.0, 0.0, 5.0, 20.0])) == []


def test_accounts_do_not_mix() -> None:
    assert shown(pl.concat([months("A", [100.0]), months("B", [1.0, 1.0])])) == []


def test_what_a_month_that_was_measured_afterwards_shows_is_doubtful() -> None:
    table = months("A", [100.0, 50.0, 20.0], reconstructed=[True, False, False])
    assert [doubt for *_rest, doubt in shown(table)] == ["one of the two months was measured afterwards", None]


def test_a_renewal_date_that_passed_and_has_a_later_one_in_its_place_is_a_renewal() -> None:
    table = months("A", [1.0] * 4, days_to_renewal=[40.0, 12.0, 349.0, 319.0])  # 13 March 2026, then 2027
    assert shown(table) == [(date(2026, 3, 13), "renewed", None, date(2026, 4, 3), None)]


def test_a_renewal_date_that_moved_before_it_came_is_none() -> None:
    assert shown(months("A", [1.0] * 2, days_to_renewal=[59.0, 61.0])) == []


def test_an_overdue_renewal_counts_once_a_later_date_is_known_and_one_put_off_is_doubtful() -> None:
    table = months("A", [1.0] * 3, days_to_renewal=[10.0, -18.0, 11.0])  # 11 February, then 12 April
    assert shown(table) == [
        (
            date(2026, 2, 11),
            "renewed",
            None,
            date(2026, 4, 3),
            "the next renewal lies only 60 days later: it may have been put off",
        )
    ]


def test_without_months_there_is_nothing() -> None:
    assert shown(months("A", [])) == []


def test_what_a_table_says_of_an_account_is_all_that_counts_of_it() -> None:
    table = frame(outcome("A", "2026-05-31", "renewed", "table"), outcome("B", "2026-05-31", "contraction", "table"))
    systems = frame(
        outcome("A", "2024-02-15", "lost"),
        outcome("B", "2026-02-15", "lost"),  # the table says nothing of its leaving
        outcome("C", "2026-02-15", "lost"),
    )
    own = frame(
        outcome("B", "2026-01-31", "contraction", "history"),
        outcome("C", "2026-04-30", "lost", "history"),  # the loss that the systems date
        outcome("C", "2026-01-31", "contraction", "history"),
    )
    found = united(table, systems, own, 60)
    assert found.select("account_id", "kind", "origin").rows() == [
        ("A", "renewed", "table"),
        ("B", "lost", "contracts"),
        ("B", "contraction", "table"),
        ("C", "contraction", "history"),
        ("C", "lost", "contracts"),
    ]


@pytest.mark.parametrize(
    ("days", "known", "kind", "stays"),
    [
        (60, "2026-07-01", "lost", False),
        (-60, "2026-07-01", "lost", False),
        (61, "2026-07-01", "lost", True),
        (60, "2026-04-20", "lost", True),  # known on the same day: who knows which of them was read last
        (60, None, "lost", True),
        (60, "2026-07-01", "renewed", True),
    ],
)
def test_what_another_origin_has_said_since_counts_alone(
    days: int, known: str | None, kind: str, *, stays: bool
) -> None:
    first = outcome("A", "2026-04-20", "lost", "arr", known_at=date(2026, 4, 20))
    day = (date(2026, 4, 20) + timedelta(days)).isoformat()
    since = outcome("A", day, kind, known_at=None if known is None else date.fromisoformat(known))
    stranger = outcome("B", day, "lost", known_at=date(2027, 1, 1))
    found = without_overtaken(frame(first, since, stranger), 60)
    assert ("arr" in found["origin"].to_list()) is stays
    assert found.filter(origin="contracts").height == 2


def test_a_renewal_entered_twice_is_one_where_the_first_month_after_the_grace_knows_arr() -> None:
    rows = [outcome(account, "2026-02-01", kind) for account in "ABCD" for kind in ("lost", "renewed")]
    rows[5]["doubt"] = "odd"  # C's renewal
    rows[7]["origin"] = "arr"  # D's, by another way
    later = pl.concat(months(account, [5.0] * 5) for account in "ACD")
    found = settled(frame(*rows, outcome("A", "2026-04-05", "lost")), later, 60)
    assert found.select("account_id", "happened_on", "kind", "doubt").rows() == [
        ("A", date(2026, 2, 1), "renewed", "contracts says lost on 2026-02-01 as well"),
        ("B", date(2026, 2, 1), "lost", None),
        ("B", date(2026, 2, 1), "renewed", None),
        ("C", date(2026, 2, 1), "lost", None),
        ("C", date(2026, 2, 1), "renewed", "odd"),
        ("D", date(2026, 2, 1), "lost", None),
        ("D", date(2026, 2, 1), "renewed", None),
        ("A", date(2026, 4, 5), "lost", None),
    ]


@pytest.mark.parametrize(
    ("lost", "paying", "stays"),
    [
        ("2026-01-31", [5.0] * 3, True),  # 1 April is 60 days later, and within the grace
        ("2026-01-31", [5.0] * 4, False),
        ("2026-01-31", [0.0, 0.0, 0.0, 5.0], False),
        ("2026-01-31", [5.0, 5.0, 5.0, 0.0, 5.0], True),  # it had left, and came back
        ("2026-01-31", [None] * 5, True),
        ("2025-12-04", [5.0] * 5, True),  # 61 days before it renewed
        ("2026-04-04", [0.0, 0.0, 0.0, 0.0, 5.0, 5.0], False),  # 60 days after it renewed
    ],
)
def test_a_loss_beside_a_renewal_counts_unless_the_account_goes_on_to_pay(
    lost: str, paying: list[float | None], *, stays: bool
) -> None:
    said = frame(outcome("A", lost, "lost"), outcome("A", "2026-02-03", "renewed"))
    assert ("lost" in settled(said, months("A", paying), 60)["kind"].to_list()) is stays


@pytest.mark.parametrize(("days", "doubtful"), [(-60, True), (60, True), (61, False)])
def test_a_loss_is_doubtful_where_the_account_renewed_at_that_time(days: int, *, doubtful: bool) -> None:
    renewed = (date(2026, 5, 31) + timedelta(days)).isoformat()
    found = with_doubts(
        frame(outcome("A", "2026-05-31", "lost"), outcome("A", renewed, "renewed")), months("B", [1.0]), 60
    )
    assert found.filter(kind="lost")["doubt"].to_list() == [f"renewed on {renewed}" if doubtful else None]
    assert found.filter(kind="renewed")["doubt"].to_list() == [None]


def test_a_loss_is_doubtful_where_a_month_of_the_next_year_still_knows_arr() -> None:
    lost = frame(outcome("A", "2026-02-01", "lost", doubt="odd"), outcome("B", "2026-02-01", "lost"))
    later = pl.concat([months("A", [5.0] * 5), months("B", [5.0, 5.0, 5.0, 0.0])])
    assert with_doubts(lost, later, 60)["doubt"].to_list() == ["odd; still had ARR on 2026-05-01", None]
    long_ago = frame(outcome("A", "2025-01-31", "lost"))  # it has come back since
    assert with_doubts(long_ago, later, 60)["doubt"].to_list() == [None]

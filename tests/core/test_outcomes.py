"""Of several ways to know what became of an account, the first one that says it counts."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from accountpulse.core.outcomes import each_once, first_answers, none
from accountpulse.core.records import OUTCOMES

MAY = date(2026, 5, 1)


def said(origin: str, *rows: tuple[str, int, str], **more: Any) -> pl.DataFrame:
    """Outcomes: account, days after the first of May, kind."""
    named = [
        {"account_id": account, "happened_on": MAY + timedelta(days), "kind": kind, "origin": origin, **more}
        for account, days, kind in rows
    ]
    return pl.DataFrame(named, schema=OUTCOMES)


def kept(*answers: pl.DataFrame) -> list[tuple[str, int, str, str]]:
    found = first_answers(answers, grace_days=60)
    days = (pl.col("happened_on") - MAY).dt.total_days()
    return found.select("account_id", days, "kind", "origin").rows()


@pytest.mark.parametrize(
    ("first", "later", "counts"),
    [
        (("A", 0, "lost"), ("A", 365, "lost"), False),  # one loss, dated by two ways
        (("A", 0, "lost"), ("A", -366, "lost"), True),  # it had come back
        (("A", 0, "lost"), ("B", 0, "lost"), True),
        (("A", 0, "renewed"), ("A", 60, "renewed"), False),
        (("A", 0, "renewed"), ("A", 61, "renewed"), True),
        (("A", 0, "renewed"), ("A", -60, "lost"), False),
        (("A", 0, "lost"), ("A", 61, "renewed"), True),
        (("A", 0, "contraction"), ("A", 0, "lost"), True),  # never one thing
        (("A", 0, "lost"), ("A", 1, "contraction"), True),
        (("A", 0, "contraction"), ("A", 60, "contraction"), False),
    ],
)
def test_a_later_way_counts_where_the_first_speaks_of_another_time(
    first: tuple[str, int, str], later: tuple[str, int, str], *, counts: bool
) -> None:
    wanted = [(*first, "one"), *([(*later, "two")] if counts else [])]
    assert sorted(kept(said("one", first), said("two", later))) == sorted(wanted)


def test_one_way_may_say_several_things_of_an_account() -> None:
    assert kept(said("one", ("A", 0, "lost"), ("A", 10, "lost"), ("A", 20, "renewed"))) == [
        ("A", 0, "lost", "one"),
        ("A", 10, "lost", "one"),
        ("A", 20, "renewed", "one"),
    ]


def test_what_a_later_way_contradicts_is_doubtful_and_what_it_confirms_is_not() -> None:
    first = said("one", ("A", 0, "renewed"), ("B", 0, "renewed"), ("C", 0, "lost"))
    later = said("two", ("A", 30, "lost"), ("A", -9, "lost"), ("B", 5, "renewed"), ("C", 5, "renewed"))
    assert first_answers([first, later], 60)["doubt"].to_list() == [
        "two says lost on 2026-04-22",
        None,
        "two says renewed on 2026-05-06",
    ]


@pytest.mark.parametrize(("days", "counts"), [(-60, False), (60, False), (61, True), (365, True)])
def test_a_loss_that_a_renewal_contradicts_reaches_no_further_than_the_grace(days: int, *, counts: bool) -> None:
    first = said("one", ("A", 0, "lost"), ("A", -60, "renewed"), ("B", 0, "lost"), ("B", -61, "renewed"))
    found = kept(first, said("two", ("A", days, "lost"), ("B", 365, "lost")))
    assert [row for row in found if row[3] == "two"] == ([("A", days, "lost", "two")] if counts else [])


def test_a_loss_that_the_same_later_way_contradicts_reaches_no_further_either() -> None:
    later = said("two", ("A", 3, "renewed"), ("A", 74, "lost"))
    assert kept(said("one", ("A", 0, "lost")), later) == [("A", 0, "lost", "one"), ("A", 74, "lost", "two")]


def test_a_way_that_tells_a_renewal_and_a_later_loss_contradicts_neither() -> None:
    in_turn = said("two", ("A", 0, "renewed"), ("A", 32, "lost"))
    for first in (said("one", ("A", 2, "renewed")), said("one", ("A", 30, "lost"))):
        found = first_answers([first, in_turn], 60)
        assert found["kind"].to_list() == ["renewed", "lost"]
        assert found["doubt"].to_list() == [None, None]


def test_a_loss_said_again_after_a_renewal_and_a_loss_makes_the_renewal_no_less_sure() -> None:
    first = said("one", ("A", 0, "renewed"), ("A", 32, "lost"))
    found = first_answers([first, said("two", ("A", 40, "lost"))], 60)
    assert found.select("kind", "origin", "doubt").rows() == [("renewed", "one", None), ("lost", "one", None)]


def test_a_renewal_and_a_loss_on_its_day_are_not_one_after_the_other() -> None:
    found = first_answers([said("one", ("A", 0, "renewed")), said("two", ("A", 0, "renewed"), ("A", 0, "lost"))], 60)
    assert found.select("kind", "doubt").rows() == [("renewed", "two says lost on 2026-05-01")]


@pytest.mark.parametrize(
    ("lost", "later", "settled"),
    [
        (0, [("A", 0, "renewed")], True),
        (-60, [("A", 60, "renewed")], True),
        (-61, [("A", 0, "renewed")], False),  # another time
        (1, [("A", 0, "renewed")], False),  # it may have left afterwards
        (0, [("A", 61, "renewed")], False),
        (0, [("B", 0, "renewed")], False),
        (0, [("A", 0, "renewed"), ("A", 60, "lost")], False),
        (0, [("A", 0, "renewed"), ("A", 61, "lost")], True),
        (0, [], False),
    ],
)
def test_a_renewal_entered_twice_is_one_where_a_later_way_says_so(
    lost: int, later: list[tuple[str, int, str]], *, settled: bool
) -> None:
    first = said("one", ("A", 0, "renewed"), ("A", lost, "lost"))
    found = first_answers([first, said("two", *later)], 60).filter(origin="one")
    day = MAY + timedelta(lost)
    assert ("lost" in found["kind"].to_list()) is not settled
    assert (f"one says lost on {day} as well" in found["doubt"].to_list()) is settled


def test_a_doubtful_renewal_settles_nothing() -> None:
    first = said("one", ("A", 0, "renewed"), ("A", 0, "lost"))
    found = first_answers([first, said("two", ("A", 0, "renewed"), doubt="odd")], 60)
    assert found["kind"].to_list() == ["lost", "renewed"]


def test_a_doubt_of_its_own_stays() -> None:
    first = said("one", ("A", 0, "lost"), doubt="odd")
    assert first_answers([first, said("two", ("A", 1, "renewed"))], 60)["doubt"].to_list() == ["odd"]


def test_rows_of_one_account_kind_and_day_are_one_and_what_they_lost_adds_up() -> None:
    rows = [
        said("one", ("A", 0, "lost"), arr_lost=5.0, known_at=date(2026, 6, 1), doubt="odd"),
        said("two", ("A", 0, "lost"), arr_lost=7.0, known_at=date(2026, 5, 1)),
        said("one", ("B", 0, "lost"), arr_lost=5.0),
        said("one", ("B", 0, "lost")),
    ]
    found = each_once(pl.concat(rows))
    assert found.select("account_id", "arr_lost", "known_at", "origin", "doubt").rows() == [
        ("A", 12.0, date(2026, 5, 1), "one", "odd"),
        ("B", None, None, "one", None),
    ]


def test_nothing_is_no_outcome() -> None:
    assert first_answers([], 60).equals(none())
    assert first_answers([none(), none()], 60).equals(none())
    assert each_once(none()).schema == pl.Schema(OUTCOMES)

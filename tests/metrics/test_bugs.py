from datetime import timedelta
from typing import Any

import pytest

from accountpulse.metrics.bugs import measure_bugs
from metrics.measuring import AS_OF, START, TICK, A, B, at, measured, of, of_a

IN = at("2026-10-05 12:00")
LATER = at("2026-11-10")  # after as_of
BEFORE = at("2026-05-01")  # before the window


def issue(name: str = "1", **columns: Any) -> dict[str, Any]:
    return {"issue_id": name, "created_at": IN, "done": False, "critical": False, **columns}


def move(when: Any, before: str, after: str, name: str = "1") -> dict[str, Any]:
    return {"issue_id": name, "at": when, "from_done": before == "done", "to_done": after == "done"}


def answers(issues: list[Any], moves: list[Any] | None = None) -> dict[str, Any]:
    return of_a(measure_bugs, {"issues": issues, "issue_moves": moves or []})


def test_an_account_without_bugs_has_none_open_and_no_mean() -> None:
    assert {name: answers([])[name] for name in ("open_bugs", "critical_bugs", "reopened_bugs", "bug_trend")} == {
        "open_bugs": 0,
        "critical_bugs": 0,
        "reopened_bugs": 0,
        "bug_trend": 1,
    }
    assert answers([])["avg_resolution_days"] == "no_evidence"


@pytest.mark.parametrize(
    ("bug", "moves", "is_open"),
    [
        (issue(), [], True),
        (issue(done=True, resolved_at=IN), [], False),
        (issue(created_at=AS_OF - TICK), [], True),
        (issue(created_at=AS_OF), [], False),  # not there yet
        # resolved since: open then
        (issue(done=True, resolved_at=LATER), [move(LATER, "open", "done")], True),
        (issue(done=True, resolved_at=AS_OF), [move(AS_OF, "open", "done")], True),
        (issue(done=True, resolved_at=AS_OF - TICK), [move(AS_OF - TICK, "open", "done")], False),
        # reopened since: done then
        (issue(), [move(LATER, "done", "open")], False),
        (issue(), [move(IN, "open", "done"), move(LATER, "done", "open")], False),
        # reopened since and done again
        (issue(done=True, resolved_at=LATER), [move(AS_OF, "done", "open"), move(LATER, "open", "done")], False),
        # the last move before counts, in whatever order moves come
        (issue(), [move(IN, "done", "open"), move(START, "open", "done")], True),
        (issue(), [move(LATER, "done", "open"), move(AS_OF, "open", "done")], True),
    ],
)
def test_open_is_what_was_open_at_as_of(bug: Any, moves: list[Any], is_open: bool) -> None:  # noqa: FBT001
    assert answers([bug], moves)["open_bugs"] == int(is_open)
    assert answers([bug | {"critical": True}], moves)["critical_bugs"] == int(is_open)
    assert answers([bug], moves)["critical_bugs"] == 0


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([move(IN, "done", "open")], 1),
        ([move(START, "done", "open")], 1),
        ([move(START - TICK, "done", "open")], 0),
        ([move(AS_OF - TICK, "done", "open")], 1),
        ([move(AS_OF, "done", "open")], 0),
        ([move(IN, "open", "open"), move(IN + TICK, "open", "done")], 0),
        ([move(START, "done", "open"), move(IN, "open", "done"), move(IN + TICK, "done", "open")], 1),
        ([move(IN, "done", "open"), move(IN, "done", "open", "2")], 2),
        ([move(IN, "done", "open", "another's")], 0),
    ],
)
def test_reopened_counts_each_bug_once_by_moves_in_the_window(moves: list[Any], expected: int) -> None:
    assert answers([issue("1"), issue("2")], moves)["reopened_bugs"] == expected


@pytest.mark.parametrize(
    ("issues", "moves", "expected"),
    [
        ([issue(created_at=at("2026-10-01"), done=True, resolved_at=at("2026-10-04"))], [], 3.0),
        # 49 bugs of 7 days each: exactly 7
        ([issue(str(n), created_at=START, done=True, resolved_at=at("2026-08-10")) for n in range(49)], [], 7.0),
        # three days and half a day
        (
            [
                issue("1", created_at=at("2026-10-01"), done=True, resolved_at=at("2026-10-04")),
                issue("2", created_at=at("2026-10-01"), done=True, resolved_at=at("2026-10-01 12:00")),
            ],
            [],
            1.75,
        ),
        # the edges of the window
        ([issue(created_at=at("2026-08-01"), done=True, resolved_at=START)], [], 2.0),
        ([issue(created_at=at("2026-08-01"), done=True, resolved_at=START - TICK)], [], "no_evidence"),
        ([issue(created_at=at("2026-10-30"), done=True, resolved_at=AS_OF)], [], "no_evidence"),
        # reopened since: the resolution is the last move into done
        (
            [issue(created_at=at("2026-10-01"))],
            [
                move(at("2026-10-02"), "open", "done"),
                move(at("2026-10-03"), "done", "open"),
                move(at("2026-10-06"), "open", "done"),
                move(LATER, "done", "open"),
            ],
            5.0,
        ),
        # resolved again since
        (
            [issue(created_at=at("2026-10-01"), done=True, resolved_at=LATER)],
            [move(at("2026-10-06"), "open", "done"), move(AS_OF, "done", "open"), move(LATER, "open", "done")],
            5.0,
        ),
        # resolved anew, done both times
        (
            [issue(created_at=at("2026-10-01"), done=True, resolved_at=AS_OF)],
            [move(at("2026-10-06"), "open", "done"), move(AS_OF, "done", "done")],
            5.0,
        ),
        # done without a known time: the move tells
        ([issue(created_at=at("2026-10-01"), done=True)], [move(at("2026-10-03"), "open", "done")], 2.0),
        # from done to done is no resolution
        (
            [issue(created_at=at("2026-10-01"), done=True)],
            [move(at("2026-10-03"), "open", "done"), move(at("2026-10-09"), "done", "done")],
            2.0,
        ),
        # not done then, though once
        ([issue()], [move(IN, "open", "done"), move(IN + TICK, "done", "open")], "no_evidence"),
        # imported with a creation after its resolution
        ([issue(created_at=at("2026-10-09"), done=True, resolved_at=at("2026-10-04"))], [], "no_evidence"),
    ],
)
def test_resolution_is_the_mean_of_those_resolved_in_the_window(
    issues: list[Any], moves: list[Any], expected: Any
) -> None:
    assert answers(issues, moves)["avg_resolution_days"] == expected


def resolved(name: str, created: Any = BEFORE) -> dict[str, Any]:
    return issue(name, created_at=created, done=True, resolved_at=IN)


@pytest.mark.parametrize(
    ("issues", "expected"),
    [
        ([issue("1"), issue("2"), resolved("3"), resolved("4"), resolved("5")], pytest.approx(2 / 3, rel=1e-15)),
        ([issue("1"), resolved("2", created=START)], 2.0),
        ([issue("1"), issue("2"), issue("3")], 3.0),
        ([resolved("1")], 0.0),
        ([issue("1", created_at=BEFORE)], 1.0),  # neither created nor resolved in the window
        ([issue("1", created_at=START - TICK), issue("2", created_at=AS_OF), issue("3", created_at=START)], 1.0),
    ],
)
def test_the_trend_is_created_by_resolved(issues: list[Any], expected: Any) -> None:
    assert answers(issues)["bug_trend"] == expected


def test_the_mean_of_a_thousand_bugs_is_that_of_one() -> None:
    days = [
        {
            "issue_id": str(number),
            "created_at": IN,
            "done": True,
            "resolved_at": IN + timedelta(days=5),
            "critical": False,
        }
        for number in range(1000)
    ]
    assert [answers(days[:count])["avg_resolution_days"] for count in (1, 49, 50, 60, 1000)] == [5.0] * 5


def test_a_bug_of_two_accounts_moves_for_both() -> None:
    rows = {
        "issues": [issue("1"), issue("1", account_id=B), issue("2", account_id=B)],
        "issue_moves": [move(IN, "done", "open")],
    }
    result = measured(measure_bugs, rows, accounts=[{"account_id": A}, {"account_id": B}])
    assert [of(result, account)["reopened_bugs"] for account in (A, B)] == [1, 1]
    assert [of(result, account)["open_bugs"] for account in (A, B)] == [1, 2]


def test_issues_of_two_systems_with_the_same_id_do_not_share_their_moves() -> None:
    """Both have an issue 1 of the same account: one was reopened and is open, the other was done long before."""
    issues = [issue(source="one"), issue(source="other", created_at=BEFORE, done=True, resolved_at=BEFORE)]
    moves = [
        {**move(IN, "open", "done"), "source": "one"},
        {**move(IN + TICK, "done", "open"), "source": "one"},
        {**move(BEFORE, "open", "done"), "source": "other"},
    ]
    found = of_a(measure_bugs, {"issues": issues, "issue_moves": moves})
    assert (found["open_bugs"], found["reopened_bugs"]) == (1, 1)
    exchanged = [{**each, "source": "other" if each["source"] == "one" else "one"} for each in moves]
    found = of_a(measure_bugs, {"issues": issues, "issue_moves": exchanged})
    assert (found["open_bugs"], found["reopened_bugs"]) == (1, 1)
    assert found["avg_resolution_days"] == "no_evidence"

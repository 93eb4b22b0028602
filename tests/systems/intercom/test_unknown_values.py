"""What a conversation doesn't say, or says in a way that nobody knows, is unknown for its accounts alone, and told.

Rules 3 and 10 of the evidence rules; the numbers of the other account never change.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from accountpulse.core.errors import UnexpectedAnswer
from systems.intercom.small_workspace import (
    HOUR,
    IN,
    SUPPORT,
    Json,
    Outcome,
    SmallWorkspace,
    at,
    changed,
    company,
    company_json,
    contact,
    linked,
    people,
    rating,
    tags,
    talk,
)

RATINGS = {"csat_score", "csat_response_rate"}
CREATED = {"total_conversations", "p1_p2_pct", "escalation_pct"}
# account 1 has one conversation that is changed and one that isn't, account 2 has one of everything
QUIET = talk(2, conversation_rating=rating(4))
OTHERS = [
    talk(3, of=2, priority="urgent", conversation_rating=rating(5)),
    talk(4, of=2, tags=tags("Escalated"), conversation_rating=rating(None)),
]
OF_THE_OTHER = {
    "total_conversations": 2.0,
    "p1_p2_pct": 50.0,
    "escalation_pct": 50.0,
    "median_first_response_seconds": 3600.0,
    "median_resolution_seconds": 7200.0,
    "csat_score": 100.0,
    "csat_response_rate": 50.0,
}
OF_BOTH = {  # of account 1 with an unchanged conversation beside QUIET
    **dict.fromkeys(("p1_p2_pct", "escalation_pct"), 0.0),
    "total_conversations": 2.0,
    "median_first_response_seconds": 3600.0,
    "median_resolution_seconds": 7200.0,
    "csat_score": 100.0,
    "csat_response_rate": 100.0,
}


def workspace(*talks: Json, **more: Any) -> SmallWorkspace:
    return SmallWorkspace(
        talks=[*talks, QUIET, *OTHERS],
        contacts=[contact("5e01", 1)],
        companies=[company_json(number) for number in (1, 2, 3)],
        **more,
    )


def read(*talks: Json, mapping: Json | None = None, **more: Any) -> Outcome:
    with workspace(*talks, **more) as running:
        outcome = running.read(mapping)
    assert outcome.all_of(2) == OF_THE_OTHER
    counts = outcome.extract.counts["conversations"]
    assert counts.kept == outcome.extract.spools["conversations"].height
    assert counts.came >= len(talks) + 3
    return outcome


def unclear(outcome: Outcome) -> set[str]:
    return {name for name in SUPPORT if outcome.of(1, name) == "unclear"}


def test_without_anything_strange_all_is_known_and_nothing_is_told() -> None:
    outcome = read(talk(1))
    assert outcome.all_of(1) == OF_BOTH
    assert outcome.all_of(3)["total_conversations"] == 0
    assert outcome.extract.notes == ()


FIRST = 11  # the account of the first case


def read_each(changes: Iterable[Json], mapping: Json | None = None, **more: Any) -> Outcome:
    """Each change on a conversation of an account of its own, which has QUIET's like beside it."""
    talks, found_at, links = [], {}, {2: company(2)}
    for number, each in enumerate(changes, start=FIRST):
        changed_one = talk(10 * number, of=number, conversation_rating=rating(4))
        talks += [changed(changed_one, **each), talk(10 * number + 1, of=number, conversation_rating=rating(4))]
        found_at[str(10 * number)] = IN
        links[number] = company(number)
    workspace = SmallWorkspace([*talks, *OTHERS], companies=[company_json(each) for each in links], **more)
    workspace.found_at = found_at
    with workspace as running:
        outcome = running.read(mapping, links)
    assert outcome.all_of(2) == OF_THE_OTHER
    counts = outcome.extract.counts["conversations"]
    assert counts.kept == outcome.extract.spools["conversations"].height
    assert counts.came == len(talks) + len(OTHERS)
    return outcome


NOT_KNOWN: list[tuple[Json, set[str]]] = [
    ({"priority": "cosmic"}, {"p1_p2_pct"}),
    ({"priority": None}, {"p1_p2_pct"}),
    ({"priority": "not_priority"}, {"p1_p2_pct"}),  # of the versions before 2.16: this one has levels
    ({"tags": None}, {"escalation_pct"}),
    ({"tags": tags(None)}, {"escalation_pct"}),
    ({"linked_objects": None}, {"escalation_pct"}),
    ({"linked_objects__data": None}, {"escalation_pct"}),
    ({"linked_objects": linked(None)}, {"escalation_pct"}),
    ({"linked_objects": linked("Customer", "Something new")}, {"escalation_pct"}),
    ({"state": None}, {"median_resolution_seconds"}),
    ({"state": "hibernating"}, {"median_resolution_seconds"}),
    ({"statistics__last_close_at": None}, {"median_resolution_seconds"}),  # and yet it is closed
    ({"statistics__last_close_at": IN - HOUR}, {"median_resolution_seconds"}),  # before the customer wrote
    ({"statistics__first_admin_reply_at": IN - HOUR}, {"median_first_response_seconds"}),
    ({"statistics__first_admin_reply_at": None}, {"median_first_response_seconds"}),  # and yet it took an hour
    (
        {"statistics__first_contact_reply_at": None},
        {"median_first_response_seconds", "median_resolution_seconds"},
    ),
    ({"statistics": None}, {"median_first_response_seconds", "median_resolution_seconds"}),
    ({"conversation_rating": rating(0)}, RATINGS),
    ({"conversation_rating": rating(6)}, RATINGS),
    ({"conversation_rating": rating(4.5)}, RATINGS),
    ({"conversation_rating": rating("great")}, RATINGS),
    ({"conversation_rating": rating(5, None)}, RATINGS),
    ({"conversation_rating": rating(None, None)}, RATINGS),  # somebody was asked, and nobody knows when
    (
        {
            "source__author__type": "alien",
            "source__delivered_as": "by_pigeon",
            "first_contact_reply": None,
            "statistics": None,
            "state": "open",
        },
        CREATED,
    ),
]


@pytest.fixture(scope="module")
def not_known() -> Outcome:
    return read_each([changes for changes, _ in NOT_KNOWN])


@pytest.mark.parametrize("number", range(FIRST, FIRST + len(NOT_KNOWN)))
def test_what_is_not_known_of_a_conversation_is_unclear_for_its_account_alone(not_known: Outcome, number: int) -> None:
    changes, wanted = NOT_KNOWN[number - FIRST]
    found = not_known.all_of(number)
    assert {name for name, value in found.items() if value == "unclear"} == wanted, changes
    if changes.get("state") != "open":
        known = {name: value for name, value in found.items() if name not in wanted}
        assert known == {name: value for name, value in OF_BOTH.items() if name not in wanted}, changes


def test_what_is_not_known_is_told_with_its_number_and_an_example(not_known: Outcome) -> None:
    for metric, words in (("p1_p2_pct", "signs of P1/P2"), ("csat_score", "a rating that is not 1 to 5")):
        cases = [number for number, (_, wanted) in enumerate(NOT_KNOWN, FIRST) if metric in wanted]
        alone = [number for number in cases if "total_conversations" not in NOT_KNOWN[number - FIRST][1]]
        (note,) = [note for note in not_known.extract.notes if words in note]
        assert note.startswith(f"{len(alone)} conversations have {words}")
        assert f"such as {10 * alone[0]}:" in note


IN_ONE_WAY: list[tuple[Json, Json]] = [
    ({"conversation_rating": rating("5")}, {}),
    ({"conversation_rating": rating(5.0)}, {}),
    ({"conversation_rating": rating("5.0")}, {}),
    ({"conversation_rating": {"rating": None, "created_at": None, "contact": None}}, {}),  # nobody was asked
    ({"conversation_rating": rating(1, teammate={"type": "bot", "id": "1"})}, {}),  # no rating of support
    ({"conversation_rating": rating(None)}, {"csat_response_rate": 50.0}),
    ({"conversation_rating": rating(None, remark="words")}, {"csat_response_rate": 50.0}),
    ({"conversation_rating": rating(2)}, {"csat_score": 50.0}),
    ({"priority": "cosmic", "tags": tags("urgent now")}, {"p1_p2_pct": 50.0}),  # another sign says yes
    ({"tags": tags("urgent now", total_count=9)}, {"p1_p2_pct": 50.0, "escalation_pct": "unclear"}),
    ({"linked_objects": linked(None, "Back-office")}, {"escalation_pct": 50.0}),
    ({"linked_objects": {"data": [{"type": "conversation", "category": None}]}}, {}),
    ({"source__author__type": "alien"}, {}),  # how it came says that a customer began it
    ({"source": None}, {}),  # the customer's words do
    ({"source__author": None, "first_contact_reply": None}, {}),
    ({"state": "snoozed", "statistics__last_close_at": IN + HOUR}, {}),  # reopened: not closed now
    ({"state": None, "statistics__last_close_at": None, "statistics__time_to_last_close": None}, {}),
    ({"created_at": IN * 1000}, {}),  # milliseconds
    ({"created_at": "2026-10-05T12:00:00Z"}, {}),
    ({"created_at": str(IN)}, {}),
    ({"created_at": float(IN)}, {}),
    ({"company__company_id": 17}, {}),
    ({"company__company_id": None}, {}),
    ({"team_assignee_id": 9100.0}, {}),
]


@pytest.fixture(scope="module")
def in_one_way() -> Outcome:
    mapping = {"priority": {"tags": ["urgent now"]}}
    return read_each([changes for changes, _ in IN_ONE_WAY], mapping, tags=["escalated", "urgent now"])


@pytest.mark.parametrize("number", range(FIRST, FIRST + len(IN_ONE_WAY)))
def test_what_can_be_read_in_one_way_is_read_so(in_one_way: Outcome, number: int) -> None:
    changes, wanted = IN_ONE_WAY[number - FIRST]
    assert in_one_way.all_of(number) == {**OF_BOTH, **wanted}, changes


@pytest.mark.parametrize("created", [None, "", at("2031-01-01"), at("2026-08-20")])
def test_a_conversation_without_a_time_of_creation_or_one_that_the_search_excludes_is_left_out_and_told(
    created: Any,
) -> None:
    """The search listed it among those of October 5th."""
    outcome = read(changed(talk(1), created_at=created), found_at={"1": IN})
    assert unclear(outcome) == set(SUPPORT)
    assert outcome.extract.counts["conversations"].left_out == {"without a time of creation": 1}
    assert "1 conversations have no time of creation, or one that the search excludes, such as 1" in outcome.notes


def test_a_time_that_is_none_names_its_field_and_record_and_is_asked_for_once() -> None:
    with workspace(changed(talk(1), statistics__last_close_at="yesterday")) as running:
        running.talks[0]["conversation_rating"] = rating(5)
        with pytest.raises(UnexpectedAnswer, match=r"reading last_close_at of 1 failed \(neither seconds nor ISO\)"):
            running.instead["POST /conversations/search"] = lambda body: body
            running.found_at["1"] = IN
            _only_created(running)
            running.read()


def _only_created(running: SmallWorkspace) -> None:
    """Searches that compare a text with seconds would fail in the stand-in: it lists by time of creation alone."""
    whole = running._holds

    def holds(query: Any, talk: Json) -> bool:
        if query.get("field") in ("statistics.last_close_at", "conversation_rating.requested_at"):
            return False
        return whole(query, talk)

    running._holds = holds  # type: ignore[method-assign]


def test_a_search_that_is_not_understood_is_refused() -> None:
    """Every slice is answered with the same conversations."""
    rows = [talk(number) for number in range(10)]
    page = {"conversations": rows, "total_count": len(rows), "pages": None}
    with workspace() as running:
        running.instead["POST /conversations/search"] = lambda _body: page
        with pytest.raises(UnexpectedAnswer, match="have another time of creation than was asked for"):
            running.read()


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"statistics__time_to_admin_reply": -5}, {"median_first_response_seconds"}),
        ({"statistics__time_to_admin_reply": None}, {"median_first_response_seconds"}),
        ({"statistics__first_admin_reply_at": None}, set()),
        ({"statistics__time_to_last_close": None}, {"median_resolution_seconds"}),
        ({"statistics__time_to_last_close": -5.0}, {"median_resolution_seconds"}),
    ],
)
def test_office_hours_are_unclear_where_intercom_has_none_of_what_happened(changes: Json, wanted: set[str]) -> None:
    outcome = read(talk(1, **changes), mapping={"time_basis": "office_hours"})
    assert unclear(outcome) == wanted


def test_what_is_unclear_outside_of_the_window_costs_nothing() -> None:
    """Created long ago and closed in the window: only its resolution counts."""
    old = talk(1, created=at("2026-03-01"), priority="cosmic", tags=None, statistics__last_close_at=IN)
    outcome = read(old)
    assert unclear(outcome) == set()
    assert outcome.of(1, "total_conversations") == 1
    assert outcome.of(1, "median_resolution_seconds") == (7200 + IN - at("2026-03-01")) / 2


def test_what_is_unclear_of_a_message_of_ours_costs_nothing() -> None:
    """Nobody answered it: it counts for nothing."""
    ours = talk(
        1, priority="cosmic", tags=None, state="open", statistics=None, first_contact_reply=None,
        source={"type": "email", "delivered_as": "admin_initiated", "author": {"type": "admin"}},
    )  # fmt: skip
    outcome = read(ours)
    assert unclear(outcome) == set()
    assert outcome.of(1, "total_conversations") == 1


def test_a_conversation_of_two_accounts_is_unclear_for_both() -> None:
    shared = talk(1, of=None, contacts=people("5e01", "5e02"), priority="cosmic")
    with workspace(shared) as running:
        running.contacts.append(contact("5e02", 3))
        outcome = running.read()
    assert (outcome.of(1, "p1_p2_pct"), outcome.of(3, "p1_p2_pct")) == ("unclear", "unclear")
    assert outcome.all_of(2) == OF_THE_OTHER


PATHS = {
    "priority": ("cosmic", None),
    "state": ("hibernating", None),
    "tags": (None, tags(None), tags(total_count=3)),
    "linked_objects": (None, linked(None), linked(total_count=9), linked(has_more=True)),
    "statistics": (None,),
    "statistics__last_close_at": (None, 5),
    "statistics__first_admin_reply_at": (None, 5),
    "statistics__first_contact_reply_at": (None,),
    "conversation_rating": (rating(9), rating("?"), rating(3, None)),
    "source__author__type": (None, "alien"),
    "created_at": (None,),
    "contacts": (None,),
    "first_contact_reply": (None,),
    "team_assignee_id": (None,),
}


def test_any_single_change_leaves_a_metric_as_it_is_or_makes_it_unknown_and_told() -> None:
    changes = [{path: value} for path, values in PATHS.items() for value in values]
    (before,) = [read_each([{}]).all_of(FIRST)]
    after = read_each(changes)
    for number, change in enumerate(changes, start=FIRST):
        different = {name: value for name, value in after.all_of(number).items() if value != before[name]}
        assert set(different.values()) <= {"unclear"}, change
    assert "stay empty" in after.notes

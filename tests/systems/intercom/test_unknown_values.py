"""What a conversation doesn't say, or says in a way that nobody knows, is unknown for its accounts alone, and told.

Rules 3 and 10 of the evidence rules; the numbers of the other account never change.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
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
    ],
)
def test_what_is_not_known_of_a_conversation_is_unclear_for_its_account_and_told(
    changes: Json, wanted: set[str]
) -> None:
    outcome = read(talk(1, **changes))
    assert unclear(outcome) == wanted
    known = {name: value for name, value in outcome.all_of(1).items() if name not in wanted}
    if "state" not in changes or changes["state"] != "open":
        assert known == {name: value for name, value in OF_BOTH.items() if name not in wanted}
    assert "1 conversations" in outcome.notes
    assert "such as 1:" in outcome.notes
    assert outcome.of(3, "total_conversations") == 0


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
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
    ],
)
def test_what_can_be_read_in_one_way_is_read_so(changes: Json, wanted: Json) -> None:
    mapping = {"priority": {"tags": ["urgent now"]}}
    outcome = read(talk(1, **changes), mapping=mapping, found_at={"1": IN}, tags=["escalated", "urgent now"])
    assert outcome.all_of(1) == {**OF_BOTH, **wanted}


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
    "priority": ("cosmic", None, 5),
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


@given(st.sampled_from([(path, value) for path, values in PATHS.items() for value in values]), st.booleans())
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_single_change_leaves_a_metric_as_it_is_or_makes_it_unknown_and_told(
    change: tuple[str, Any],
    urgent: bool,  # noqa: FBT001
) -> None:
    path, value = change
    was = talk(1, priority="urgent" if urgent else "none", conversation_rating=rating(2))
    with workspace(was) as running:
        before = running.read()
        running.talks[0] = changed(was, **{path: value})
        running.found_at["1"] = IN
        try:
            after = running.read()
        except UnexpectedAnswer as error:
            assert path in str(error)
            return
    assert after.all_of(2) == before.all_of(2)
    for name in SUPPORT:
        if after.of(1, name) != before.of(1, name):
            assert after.of(1, name) == "unclear"
            assert "such as 1:" in after.notes

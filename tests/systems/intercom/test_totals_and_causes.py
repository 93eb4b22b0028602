"""Counts held against rows (rule 8), types of values, and what a refusal of Intercom means."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer
from accountpulse.http.client import Refusal
from accountpulse.systems.intercom import extract, lookup
from accountpulse.systems.intercom.extract import counted
from accountpulse.systems.intercom.refusals import cause
from accountpulse.systems.intercom.wire import Conversation, ConversationPage, Pages
from systems.intercom.small_workspace import (
    Answer,
    Json,
    Outcome,
    SmallWorkspace,
    company_json,
    contact,
    rating,
    refusal,
    tags,
    talk,
)

SEARCH = "POST /conversations/search"


def workspace(**more: Any) -> SmallWorkspace:
    talks = [talk(1, priority="urgent", tags=tags("escalated")), talk(2, of=2), talk(3, of=None)]
    return SmallWorkspace(talks, [contact("5e01", 3)], [company_json(number) for number in (1, 2, 3)], **more)


def where_there_are_rows(change: dict[str, Any]) -> Any:
    """The usual answer with these fields; slices without rows stay as they are."""
    return lambda body: {**body, **change} if body["conversations"] else body


# --- counts


@pytest.mark.parametrize(
    "change",
    [
        {"total_count": 4},
        {"total_count": "4"},
        {"pages": {"type": "pages", "page": 1, "per_page": 150, "total_pages": 2, "next": None}},
        {"pages": {"type": "pages", "page": 1, "total_pages": 7}, "total_count": None},
    ],
)
def test_fewer_conversations_than_are_counted_are_asked_for_again_and_refused(change: Json) -> None:
    with workspace(instead={SEARCH: where_there_are_rows(change)}) as running:
        with pytest.raises(UnexpectedAnswer, match="fewer came than the"):
            running.read()
        assert running.asked.count(SEARCH) <= 2 * 12


@pytest.fixture(scope="module")
def before() -> Outcome:
    with workspace() as running:
        return running.read()


@pytest.mark.parametrize(
    "change",
    [
        {"total_count": 3.0},
        {"total_count": "3"},
        {"total_count": None},
        {"pages": None},
        {"pages": None, "total_count": None},
        {"total_count": 0},  # fewer than came: they came
        {"something": {"new": []}},
    ],
)
def test_counts_that_fit_or_are_not_there_change_nothing(before: Outcome, change: Json) -> None:
    with workspace(instead={SEARCH: where_there_are_rows(change)}) as running:
        after = running.read()
    assert [after.all_of(number) for number in (1, 2, 3)] == [before.all_of(number) for number in (1, 2, 3)]
    assert after.extract.notes == before.extract.notes


def test_a_row_that_is_missing_or_doubled_in_a_page_is_never_a_number() -> None:
    with workspace() as running:
        whole = running.read()
        running.instead = {SEARCH: lambda body: {**body, "conversations": body["conversations"][1:]}}
        with pytest.raises(UnexpectedAnswer, match="twice 1 fewer came than the 3 that were counted"):
            running.read()
        running.instead = {SEARCH: lambda body: {**body, "conversations": body["conversations"] * 2}}
        doubled = running.read()
    assert doubled.all_of(1) == whole.all_of(1)
    assert doubled.extract.counts["conversations"].left_out == {"came more than once": 3}


def test_pages_without_end_are_refused() -> None:
    """Each page has a cursor of its own and the same rows."""
    pages = iter(range(10_000))

    def again(body: Json) -> Json:
        following = {"page": 2, "starting_after": f"c{next(pages)}"}
        return {**body, "pages": {**body["pages"], "next": following}} if body["conversations"] else body

    with workspace(instead={SEARCH: again}) as running:
        outcome = running.read()  # all that was counted has come
        assert outcome.of(1, "total_conversations") == 1
        assert len(running.asked) < 100


@given(st.integers(0, 500), st.integers(1, 60), st.integers(1, 150))
@hypothesis_settings(max_examples=60)
def test_the_pages_never_count_more_than_there_are(rows: int, page: int, asked: int) -> None:
    """A vendor's own arithmetic: as many pages as the rows fill, of a size that it may have cut."""
    size = min(page, asked)
    first = [Conversation(id=str(number)) for number in range(min(size, rows))]
    answer = ConversationPage(first, Pages(per_page=size, total_pages=-(-rows // size)), None)
    found = counted(answer)
    assert found is None or found <= rows
    assert counted(ConversationPage(first, answer.pages, rows)) == rows


# --- types


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("statistics", {"time_to_admin_reply": "soon"}, "statistics.time_to_admin_reply"),
        ("tags", [], "tags"),
        ("state", 5, "state"),
        ("conversation_rating", rating({"stars": 5}), "conversation_rating.rating"),
    ],
)
def test_a_value_of_another_type_names_field_and_record_and_is_asked_for_once(
    field: str, value: Any, path: str
) -> None:
    with workspace() as running:
        running.talks[0][field] = value
        running.found_at["1"] = running.talks[0]["created_at"]
        with pytest.raises(UnexpectedAnswer, match=re.escape(f"$.conversations[0].{path} of 1")) as caught:
            running.read()
    assert "soon" not in str(caught.value)
    assert len(running.asked) == len(set(running.asked)) or running.asked.count(SEARCH) <= 12


# --- what a refusal means


CAUSES = [
    (401, "token_unauthorized", "Check INTERCOM_API_TOKEN, and that INTERCOM_BASE_URL is the host of its region"),
    (401, "unauthorized", "INTERCOM_BASE_URL is the host of its region"),
    (401, "token_not_found", "Check INTERCOM_API_TOKEN"),
    (401, "token_revoked", "Make a new token"),
    (401, "token_expired", "Make a new token"),
    (401, "token_suspended", "has suspended the token"),
    (403, "token_suspended", "has suspended the token"),
    (403, "api_plan_restricted", "plan doesn't include"),
    (402, "api_plan_restricted", "plan doesn't include"),
    (400, "intercom_version_invalid", r"Set INTERCOM_VERSION to one that the workspace has \(2.11 to 2.16\)"),
    (404, "intercom_version_invalid", "Set INTERCOM_VERSION"),
    (403, "forbidden", "the permission to read conversations"),
    (405, "method_not_allowed", "this address doesn't take POST"),  # case 47
    (404, "not_found", "check the base URL"),
    (301, "moved", "check the base URL"),
]


@pytest.mark.parametrize("act", [extract.extract, lookup.probe])
@pytest.mark.parametrize(("status", "code", "words"), CAUSES)
def test_what_must_be_mended_is_said_by_run_and_check(act: Any, status: int, code: str, words: str) -> None:
    with workspace(instead={SEARCH: refusal(status, code)}) as running:
        with pytest.raises(AccessError, match=words) as caught:
            act(running.request())
        assert running.asked.count(SEARCH) <= (1 if act is extract.extract else 12)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("status", "code"), [(400, "parameter_invalid"), (422, "parameter_invalid"), (400, "client_error")]
)
def test_a_query_that_is_not_taken_names_its_field_and_is_no_setting(status: int, code: str) -> None:
    body = {"type": "error.list", "errors": [{"code": code, "message": "secret words", "field": "query.value"}]}
    words = f"HTTP {status}, {code}, field query.value"
    with (
        workspace(instead={SEARCH: Answer(status, body)}) as running,
        pytest.raises(SourceUnavailable, match=words) as caught,
    ):
        running.read()
    assert caught.value.exit_code == 5
    assert "secret words" not in str(caught.value)


def test_a_search_for_contacts_that_is_refused_whatever_is_asked_is_the_sources() -> None:
    """Case 33's kind: one more query, without ids, shows whose fault it is."""
    with workspace(instead={"POST /contacts/search": refusal(400, "parameter_invalid")}) as running:
        running.talks += [
            talk(number, of=None, contacts={"contacts": [{"id": f"5e{number}"}]}) for number in range(9, 99)
        ]
        with pytest.raises(SourceUnavailable):
            running.read()
        assert running.asked.count("POST /contacts/search") == 2


def test_a_page_instead_of_an_answer_leads_to_the_base_url() -> None:
    page = Answer(404, b"<html>no such page</html>", {"Content-Type": "text/html"})
    with workspace(instead={SEARCH: page}) as running, pytest.raises(AccountpulseError, match="base URL"):
        running.read()


@given(st.integers(300, 599), st.binary(max_size=80) | st.just(b'{"errors": []}') | st.just(b'{"errors": [{}]}'))
def test_a_refusal_without_a_code_is_left_to_its_status(status: int, body: bytes) -> None:
    assert cause(Refusal("POST /x", status, {}, body)) is None

"""Whose a conversation is where contacts were merged, lists are cut, objects are gone, ids are spelt otherwise.

Rules 1, 4 and 9 of the evidence rules: nothing is guessed, what can't be known is told, and one object's trouble is
never another account's, nor the month's.
"""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.systems.intercom import lookup
from accountpulse.systems.intercom.settings import comparable_key
from systems.intercom.small_workspace import (
    Answer,
    Json,
    SmallWorkspace,
    changed,
    company,
    company_json,
    contact,
    linked,
    people,
    refusal,
    tags,
    talk,
)

ALL = [company_json(number) for number in (1, 2, 3)]


def totals(workspace: SmallWorkspace, intercom: Json | None = None, **more: object) -> tuple[list[float | str], str]:
    """Each account's number of conversations, and the notes."""
    with workspace as running:
        outcome = running.read(intercom, **more)
    links = more.get("links")
    numbers = sorted(links) if isinstance(links, Mapping) else [1, 2, 3]
    return [outcome.of(number, "total_conversations") for number in numbers], outcome.notes


# --- contacts


@pytest.mark.parametrize(
    ("answer", "others", "counts"),
    [
        (contact("old", 1), [], True),  # archived or quite new: the search doesn't show it
        (contact("new", 1), [], True),  # merged; answered with the one that it became
        (refusal(410, "contact_merged", Link='</contacts/new>; rel="canonical"'), [contact("new", 1)], True),
        (refusal(410, "contact_merged", Link='</contacts/new>; rel="canonical"'), [], False),
        (refusal(404, "not_found"), [], False),
        (refusal(403, "forbidden"), [], False),
        (refusal(400, "parameter_invalid"), [], False),
        (refusal(422, "parameter_invalid"), [], False),
    ],
)
def test_a_contact_that_the_search_does_not_show_is_asked_for_by_itself(
    answer: Json | Answer,
    others: list[Json],
    counts: bool,  # noqa: FBT001
) -> None:
    workspace = SmallWorkspace([talk(1, of=None, contacts=people("old")), talk(2, of=2)], others, ALL)
    workspace.instead = {"GET /contacts/old": answer if isinstance(answer, Answer) else Answer(200, answer)}
    found, notes = totals(workspace)
    assert found == [1.0 if counts else 0.0, 1.0, 0.0]
    assert workspace.asked.count("GET /contacts/old") == 1
    told = "1 conversations have contacts that can't be had, such as 1" in notes
    assert told is not counts
    assert ("1 contacts that a list has named can't be had (deleted, merged or hidden): old" in notes) is not counts


def test_a_conversation_of_a_contact_that_is_gone_counts_for_its_other_contacts() -> None:
    workspace = SmallWorkspace([talk(1, of=None, contacts=people("old", "5e03"))], [contact("5e03", 3)], ALL)
    found, notes = totals(workspace)
    assert found == [0, 0, 1]
    assert "1 conversations have contacts that can't be had, such as 1" in notes


def test_a_search_that_lists_nobody_costs_requests_and_no_conversation() -> None:
    workspace = SmallWorkspace([talk(1, of=None)], [contact("5e01", 1)], ALL)
    workspace.instead = {"POST /contacts/search": lambda body: {**body, "data": []}}
    found, notes = totals(workspace)
    assert found == [1, 0, 0]
    assert "can't be had" not in notes


@pytest.mark.parametrize("shown", [None, people(), people("5e01", "5e02")])
def test_a_conversation_that_names_nobody_is_nobodys_and_told(shown: Json | None) -> None:
    shown = shown and {**shown, "contacts": [{**each, "id": None} for each in shown["contacts"]]}
    workspace = SmallWorkspace([talk(7, of=None, contacts=shown)], [], ALL)
    found, notes = totals(workspace)
    assert found == [0, 0, 0]
    assert "1 conversations name neither a company nor a contact, such as 7" in notes


# --- the companies of a contact


def paged(*companies: Json, total: int | None = None) -> Answer:
    return Answer(200, {"type": "list", "companies": list(companies), "total_count": total, "pages": None})


@pytest.mark.parametrize(
    "refs",
    [
        contact("5e01", 1, total_count=2),
        contact("5e01", 1, has_more=True),
        contact("5e01", 1, data=None),
        contact("5e01", data=[{"id": None}]),
        {"type": "contact", "id": "5e01", "companies": None},
        {"type": "contact", "id": "5e01"},
    ],
)
def test_the_companies_of_a_contact_are_asked_for_where_their_list_is_cut_or_not_shown(refs: Json) -> None:
    workspace = SmallWorkspace([talk(1, of=None)], [refs], ALL)
    workspace.instead = {"GET /contacts/5e01/companies": paged(ALL[0], ALL[1], ALL[1], total=2)}
    assert totals(workspace)[0] == [1, 1, 0]


def test_companies_of_a_contact_that_are_gone_leave_what_the_contact_shows() -> None:
    workspace = SmallWorkspace([talk(1, of=None)], [contact("5e01", 1, total_count=2)], ALL)
    found, notes = totals(workspace)
    assert found == [1, 0, 0]
    assert "1 contacts that a list has named can't be had (deleted, merged or hidden): 5e01" in notes


def test_fewer_companies_of_a_contact_than_are_counted_are_refused_after_the_second_time() -> None:
    workspace = SmallWorkspace([talk(1, of=None)], [contact("5e01", 1, total_count=2)], ALL)
    workspace.instead = {"GET /contacts/5e01/companies": paged(ALL[0], total=2)}
    with workspace, pytest.raises(UnexpectedAnswer, match="twice 1 fewer came than were counted"):
        workspace.read()
    assert workspace.asked.count("GET /contacts/5e01/companies") == 2


# --- lists of a conversation that are cut, and conversations that are gone


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ({"linked_objects": linked("Customer", total_count=2)}, {"linked_objects": linked("Customer", "Tracker")}),
        ({"linked_objects": linked("Customer", has_more=True)}, {"linked_objects": linked("Customer", "Tracker")}),
        ({"tags": tags("billing", total_count=2)}, {"tags": tags("billing", "escalated")}),
        ({"tags": tags("billing", has_more=True)}, {"tags": tags("billing", "escalated")}),
    ],
)
def test_a_list_that_is_cut_is_read_whole(cut: Json, whole: Json) -> None:
    with SmallWorkspace([talk(1, **cut), talk(2)], companies=ALL, whole={"1": talk(1, **whole)}) as running:
        assert running.read().of(1, "escalation_pct") == 50


@pytest.mark.parametrize(
    "answer",
    [refusal(404, "not_found"), refusal(410, "not_found"), refusal(403, "forbidden"), Answer(200, talk(99))],
)
def test_a_conversation_that_is_gone_is_judged_by_what_the_search_said(answer: Answer) -> None:
    """Case 34. What its cut list would have shown is not known: its account's alone, and never the month's."""
    talks = [talk(3, linked_objects=linked("Customer", total_count=6)), talk(4, tags=tags("escalated")), talk(5, of=2)]
    workspace = SmallWorkspace(talks, companies=ALL, instead={"GET /conversations/3": answer})
    with workspace as running:
        outcome = running.read()
    assert (outcome.of(1, "total_conversations"), outcome.of(1, "escalation_pct")) == (2, "unclear")
    assert (outcome.of(1, "p1_p2_pct"), outcome.of(1, "median_first_response_seconds")) == (0, 3600)
    assert (outcome.of(2, "total_conversations"), outcome.of(2, "escalation_pct")) == (1, 0)
    assert (
        "1 conversations have signs of an escalation that aren't known or not shown whole, such as 3" in outcome.notes
    )


def test_a_conversation_that_is_gone_is_known_where_the_search_showed_enough() -> None:
    talks = [talk(3, linked_objects=linked("Tracker", total_count=6)), talk(4, contacts=people("5e01", total_count=3))]
    with SmallWorkspace(talks, companies=ALL) as running:
        outcome = running.read()
    assert outcome.of(1, "escalation_pct") == 50
    assert "1 conversations that a list has named can't be had (deleted, merged or hidden): 3" in outcome.notes


def test_people_that_a_cut_list_hides_are_asked_for() -> None:
    whole = talk(1, of=None, contacts=people("5e01", "5e02"))
    cut = changed(whole, contacts=people("5e01", total_count=2))
    contacts = [contact("5e01", 1), contact("5e02", 2)]
    assert totals(SmallWorkspace([cut], contacts, ALL, whole={"1": whole}))[0] == [1, 1, 0]
    assert totals(SmallWorkspace([cut], contacts, ALL))[0] == [1, 0, 0]


# --- companies


HEX = "5f0a1b2c3d4e5f6071829aBc"


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (HEX.upper(), HEX.lower()),
        (f" {HEX.lower()} ", HEX.lower()),
    ],
)
def test_intercoms_own_ids_are_one_in_any_spelling(link: str, shown: str) -> None:
    theirs = {"type": "company", "id": shown, "company_id": "x"}
    for listed in ([theirs], []):
        workspace = SmallWorkspace([talk(1, company=theirs)], companies=[theirs], listed=listed)
        assert totals(workspace, links={1: link})[0] == [1]
        silent = SmallWorkspace([], companies=[theirs], listed=listed)  # known, and without a conversation
        assert totals(silent, links={1: link})[0] == [0]


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("acme", " acme "),
        (" acme ", "acme"),
        ("4711", 4711),
        ("0014100000Kx1aBAAR", "0014100000Kx1aB"),
        ("0014100000Kx1aB", "0014100000Kx1aBAAR"),
    ],
)
def test_ids_of_the_workspace_are_one_in_any_spelling(link: str, own: str | int) -> None:
    theirs = company_json(1, own)
    workspace = SmallWorkspace([talk(1, company=theirs)], companies=[theirs])
    assert totals(workspace, {"holds": "company_id"}, links={1: link})[0] == [1]
    silent = SmallWorkspace([], companies=[theirs])
    assert totals(silent, {"holds": "company_id"}, links={1: link})[0] == [0]


def test_a_company_with_no_users_is_asked_for_in_both_spellings_of_a_record_id() -> None:
    theirs = company_json(1, "0014100000Kx1aB")
    for link in ("0014100000Kx1aBAAR", "0014100000Kx1aB"):
        workspace = SmallWorkspace([], companies=[theirs], listed=[])
        assert totals(workspace, {"holds": "company_id"}, links={1: link})[0] == [0]


def test_two_companies_with_one_id_in_two_spellings_add_up() -> None:
    one, other = company_json(1, "acme"), company_json(2, " acme")
    workspace = SmallWorkspace([talk(1, company=one), talk(2, company=other)], companies=[one, other])
    assert totals(workspace, {"holds": "company_id"}, links={1: "acme"})[0] == [2]


@pytest.mark.parametrize("number", [150, 260])
def test_every_linked_company_that_no_list_shows_is_asked_for(number: int) -> None:
    """The list leaves out companies without users; so many is no reason to call the others not linked."""
    links = {each: company(each) for each in range(1, number + 1)}
    companies = [company_json(each) for each in links if each != number]
    workspace = SmallWorkspace([talk(1)], companies=companies, listed=[])
    found, _notes = totals(workspace, links=links)
    assert found == [1, *[0] * (number - 2), "not_linked"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(404, "company_not_found"), "not_linked"),
        (refusal(400, "parameter_invalid"), "not_linked"),
        (refusal(403, "forbidden"), "not_visible"),
        (Answer(200, company_json(9)), "not_linked"),  # another company answers
        (Answer(200, {**company_json(1), "company_id": "x-qualification-company"}), "not_linked"),  # a lead's
    ],
)
def test_a_linked_company_that_can_not_be_had_is_that_accounts_trouble(answer: Answer, reason: str) -> None:
    workspace = SmallWorkspace([talk(2, of=2)], companies=ALL, listed=[])
    workspace.instead = {f"GET /companies/{company(1)}": answer}
    found, notes = totals(workspace)
    assert found == [reason, 1, 0]
    assert ("can't be had" in notes) is (reason == "not_visible")
    with workspace as running:
        assert lookup.look_up(running.request()).unknown_keys == {company(1): reason}


def test_who_we_are_is_never_an_objects_trouble() -> None:
    workspace = SmallWorkspace([talk(2, of=2)], companies=ALL, listed=[])
    workspace.instead = {f"GET /companies/{company(1)}": refusal(401, "token_unauthorized")}
    with workspace, pytest.raises(AccessError, match="INTERCOM_API_TOKEN"):
        workspace.read()


def test_a_companys_own_id_that_the_conversation_does_not_show_is_learnt() -> None:
    shown = talk(1, company={"type": "company", "id": company(1)})
    workspace = SmallWorkspace([shown], companies=[company_json(1, "acme")], listed=[])
    assert totals(workspace, {"holds": "company_id"}, links={1: "acme"})[0] == [1]


def test_a_conversation_that_comes_twice_counts_once() -> None:
    """Its time of creation changed while it was read, so that it lay in two slices."""
    first, second = talk(1), talk(1, created=talk(1)["created_at"] - 30 * 86_400)
    with SmallWorkspace([first, second], companies=ALL) as running:
        outcome = running.read()
    assert outcome.of(1, "total_conversations") == "several_rows"
    assert "1 conversations came twice with different facts, such as 1" in outcome.notes
    assert outcome.of(2, "total_conversations") == 0
    assert outcome.extract.counts["conversations"].left_out == {"came more than once": 1}


keys = st.text(st.sampled_from("abcdefABCDEF0123456789 -"), max_size=26)


@given(keys)
@hypothesis_settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_key_in_the_form_that_is_compared_stays_as_it_is(key: str) -> None:
    form = comparable_key(key)
    assert comparable_key(form) == form
    assert comparable_key(f" {key} ") == form

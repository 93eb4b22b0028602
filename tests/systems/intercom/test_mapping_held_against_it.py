"""What the mapping names, held against what the workspace has: attributes with their kinds, tags, teams (rule 2).

`check` says the same as a run.
"""

from collections.abc import Callable
from typing import Any

import pytest

from accountpulse.core.errors import ConfigurationError, UnexpectedAnswer
from accountpulse.systems.intercom import extract, lookup
from systems.intercom.small_workspace import (
    Answer,
    Json,
    SmallWorkspace,
    company,
    company_json,
    contact,
    linked,
    refusal,
    tags,
    talk,
)

RULE = {"priority": {"levels": [], "attribute": {"name": "Severity", "values": ["P1", 2]}}}


def attribute(kind: str, *options: str, name: str = "Severity", **more: Any) -> Json:
    """As the list of conversations' attributes has it, from 2.16 on."""
    shown = {"type": "conversation_attribute", "id": 1, "name": name, "data_type": kind, "archived": False}
    listed = {"options": [{"id": str(each), "label": each, "archived": False} for each in options]}
    return {**shown, **(listed if options else {}), **more}


def workspace(*talks: Json, **more: Any) -> SmallWorkspace:
    talks = talks or (talk(1), talk(2, tags=tags("escalated")))
    companies = [company_json(number) for number in (1, 2, 3)]
    return SmallWorkspace(list(talks), [contact("5e01", 1)], companies, **more)


def refused(running: SmallWorkspace, intercom: Json, act: Callable[..., object]) -> list[str]:
    """The problems that a run, or a check, ends with."""
    with running, pytest.raises(ConfigurationError) as caught:
        act(running.request(intercom))
    assert caught.value.subject == "accountpulse.yaml"
    return caught.value.problems


# --- the attribute of a conversation


@pytest.mark.parametrize("act", [extract.extract, lookup.probe])
@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ([], "Intercom has no conversation attribute 'Severity'; it has none"),
        ([attribute("list", "P1", name="severity ")], "did you mean 'severity '?"),
        ([attribute("list", "P1", name="Seventy")], "did you mean 'Seventy'?"),
        ([attribute("list", "P1", archived=True)], "is archived in Intercom"),
        ([attribute("datetime")], "holds datetime; name one that holds picklist or text"),
        ([attribute("relationship")], "holds relationship; name one that holds"),
        ([attribute("files")], "holds files; name one that holds"),
        ([attribute("list", "Low", "High")], "'P1', '2' can't be chosen in the list 'Severity': it has 'Low', 'High'"),
        ([attribute("string", custom=False)], "is a field of Intercom's own"),
    ],
)
def test_an_attribute_that_is_not_there_or_of_another_kind_is_a_mistake_of_the_mapping(
    act: Callable[..., object], attributes: list[Json], problem: str
) -> None:
    running = workspace(attributes=attributes)
    (text,) = refused(running, RULE, act)
    assert text.startswith("intercom.priority.attribute.name: ")
    assert problem in text
    assert running.asked == ["GET /conversations/attributes"], "nothing else was read"


@pytest.mark.parametrize(
    ("kind", "options", "values", "urgent"),
    [
        ("list", ["P1", "2", "P3"], ["P1", " p1 ", "2", "P3", None], [1, 2, 3]),
        ("string", [], ["p1", 2, "x"], [1, 2]),
        ("integer", [], [2, 2.0, "2", "2.0", 3, 22, 20], [1, 2, 3, 4]),
        ("decimal", [], [2.5, 2.0], [2]),
    ],
)
def test_values_are_one_however_they_are_written(
    kind: str, options: list[str], values: list[Any], urgent: list[int]
) -> None:
    talks = [talk(number, custom_attributes={"Severity": value}) for number, value in enumerate(values, start=1)]
    with workspace(*talks, attributes=[attribute(kind, *options)]) as running:
        found = running.read(RULE).extract
    table = found.spools["conversations"].lazy().filter("p1_p2").collect()
    assert sorted(map(int, table["conversation_id"])) == urgent


def test_true_is_a_value_of_a_yes_or_no() -> None:
    rule = {"priority": {"levels": [], "attribute": {"name": "Severity", "values": [True]}}}
    talks = [talk(number, custom_attributes={"Severity": value}) for number, value in enumerate([True, False])]
    with workspace(*talks, attributes=[attribute("boolean")]) as running:
        assert running.read(rule).of(1, "p1_p2_pct") == 50


@pytest.mark.parametrize("value", [["P1"], {"id": "P1"}])
def test_a_value_that_is_an_object_is_unclear_for_its_account(value: Any) -> None:
    talks = [talk(1, custom_attributes={"Severity": value}), talk(2, of=2), talk(3, of=3, custom_attributes=None)]
    with workspace(*talks, attributes=[attribute("string")]) as running:
        outcome = running.read(RULE)
    assert [outcome.of(number, "p1_p2_pct") for number in (1, 2, 3)] == ["unclear", 0, "unclear"]


def test_some_values_that_can_not_be_chosen_are_told() -> None:
    running = workspace(attributes=[attribute("list", "P1", "P3")])
    with running:
        notes = running.read(RULE).notes
    assert "intercom.priority.attribute.values: '2' can't be chosen in the list 'Severity'" in notes


def test_a_workspace_that_makes_no_links_is_told_once() -> None:
    with workspace() as running:
        notes = running.read({"workspace": "abc12", "holds": "company_id"}).notes
    assert notes.count("intercom.workspace makes no links") == 1


def test_before_2_16_attributes_of_conversations_stand_among_the_others() -> None:
    old = {"type": "data_attribute", "model": "conversation", "name": "Severity", "data_type": "date", "custom": True}
    running = workspace(attributes=[old])
    with running, pytest.raises(ConfigurationError, match="holds date"):
        extract.extract(running.request(RULE, INTERCOM_VERSION="2.15"))
    assert running.asked == ["GET /data_attributes"]


@pytest.mark.parametrize(("value", "known"), [("P1", 50), ("other", "field_missing")])
def test_where_attributes_can_not_be_listed_the_conversations_decide_and_it_is_told(value: str, known: Any) -> None:
    talks = [talk(1, custom_attributes={"Severity": value}), talk(2, tags=tags("escalated"))]
    with workspace(*talks, instead={"GET /conversations/attributes": refusal(403, "forbidden")}) as running:
        outcome = running.read(RULE)
    assert outcome.of(1, "p1_p2_pct") == known
    assert "intercom.priority.attribute.name can't be listed: its kind was not checked" in outcome.notes


# --- the attribute of a company


BY_ATTRIBUTE = {"attribute": "salesforce_id"}


def company_attribute(kind: str = "string", **more: Any) -> Json:
    return {"name": "salesforce_id", "data_type": kind, "custom": True, "archived": False, **more}


@pytest.mark.parametrize(
    ("mapping", "attributes", "problem"),
    [
        (BY_ATTRIBUTE, [company_attribute("date")], "holds date; name one that holds text or count or number"),
        (BY_ATTRIBUTE, [company_attribute("boolean")], "holds boolean"),
        (BY_ATTRIBUTE, [company_attribute("string", options=["a", "b"])], "holds string; name one"),
        (BY_ATTRIBUTE, [company_attribute(archived=True)], "is archived in Intercom"),
        (BY_ATTRIBUTE, [company_attribute(name="salesforce id")], "did you mean 'salesforce id'?"),
        ({"attribute": "company_id"}, [{"name": "company_id", "custom": False}], "write holds: company_id"),
        ({"attribute": "plan"}, [{"name": "plan", "custom": False}], "is a field of Intercom's own"),
    ],
)
def test_the_attribute_that_leads_to_companies_is_a_text_or_a_number(
    mapping: Json, attributes: list[Json], problem: str
) -> None:
    running = workspace(attributes=attributes)
    (text,) = refused(running, mapping, lookup.find)
    assert text.startswith("intercom.attribute: ")
    assert problem in text
    assert running.asked == ["GET /data_attributes"]


def test_companies_are_found_by_a_number_however_it_is_written() -> None:
    values = [42, 42.0, "42", " 42 ", True, ["42"], None, 4.2]
    running = workspace(attributes=[company_attribute("float")])
    running.companies = [
        company_json(number, custom_attributes={"salesforce_id": value}) for number, value in enumerate(values)
    ]
    with running:
        found = lookup.find(running.request(BY_ATTRIBUTE))
    assert found.found_keys == {"42": tuple(company(number) for number in range(4))}
    assert "3 companies hold something in 'salesforce_id' that is no id" in found.notes


def test_fewer_companies_than_are_counted_are_asked_for_twice_and_told() -> None:
    running = workspace(attributes=[company_attribute()])
    running.instead = {"POST /companies/list": lambda body: {**body, "total_count": 5}}
    with running:
        notes = lookup.find(running.request(BY_ATTRIBUTE)).notes
    assert "Intercom counts 5 companies and lists 3, asked twice" in "\n".join(notes)
    assert running.asked.count("POST /companies/list") == 2


# --- tags and teams


def test_the_default_tags_are_not_asked_for_where_there_are_escalations() -> None:
    with workspace() as running:
        running.read()
    assert "GET /tags" not in running.asked


@pytest.mark.parametrize(
    ("talks", "known_tags", "mapping", "pct"),
    [
        ([talk(1)], ["escalated"], {}, 0),
        ([talk(1)], ["billing"], {}, "field_missing"),  # nobody uses the default tag, and no ticket is linked
        ([talk(1)], [], {}, "field_missing"),
        ([talk(1), talk(2, of=2, linked_objects=linked("Tracker"))], [], {}, 0),  # tickets are linked there
        ([talk(1)], ["billing"], {"escalation": {"tags": ["billing"], "linked_tickets": False}}, 0),
        ([talk(1)], ["billing"], {"escalation": {"tags": ["t-billing"]}}, 0),  # by its id
        ([talk(1)], ["Urgent"], {"escalation": {"tags": [" urgent"], "linked_tickets": False}}, 0),
        ([talk(1)], ["other"], {"escalation": {"tags": ["billing"], "linked_tickets": False}}, "field_missing"),
        ([talk(1)], [], {"escalation": {"tags": [], "teams": ["9100"], "linked_tickets": False}}, 0),
        ([talk(1)], [], {"escalation": {"tags": [], "teams": ["17"], "linked_tickets": False}}, "field_missing"),
        ([talk(1)], [], {"escalation": {"tags": [], "teams": [], "linked_tickets": False}}, "not_configured"),
    ],
)
def test_no_escalation_is_a_zero_only_where_something_that_means_one_exists(
    talks: list[Json], known_tags: list[str], mapping: Json, pct: float | str
) -> None:
    teams = [{"type": "team", "id": "9100", "name": "Second line"}]
    with workspace(*talks, tags=known_tags, teams=teams) as running:
        outcome = running.read(mapping)
    assert outcome.of(1, "escalation_pct") == pct
    assert ("no conversation shows an escalation" in outcome.notes) is (pct == "field_missing")
    assert outcome.of(3, "total_conversations") == 0


def test_where_tags_can_not_be_listed_it_is_told_and_linked_tickets_decide() -> None:
    with workspace(talk(1), instead={"GET /tags": refusal(403, "forbidden")}) as running:
        outcome = running.read()
    assert outcome.of(1, "escalation_pct") == 0
    assert "Intercom's tags can't be listed with this token" in outcome.notes


@pytest.mark.parametrize("act", ["run", "check"])
def test_tags_and_teams_that_are_not_there_are_told(act: str) -> None:
    mapping = {
        "priority": {"tags": ["P1", "billing"]},
        "escalation": {"tags": ["second line", "billing"], "teams": ["Second line", "9100"]},
    }
    teams = [{"type": "team", "id": 9100, "name": "Second line"}]
    with workspace(tags=["billing"], teams=teams) as running:
        request = running.request(mapping)
        notes = "\n".join(extract.extract(request).notes if act == "run" else lookup.probe(request).notes)
    assert "intercom.priority.tags: Intercom has no tag 'P1'" in notes
    assert "intercom.escalation.tags: Intercom has no tag 'second line'" in notes
    assert "no team with the id 'Second line' (Second line is 9100)" in notes
    assert running.asked.count("GET /tags") == 1


def test_check_says_that_nobody_uses_the_default_tags() -> None:
    with workspace(tags=["billing"]) as running:
        notes = "\n".join(lookup.probe(running.request()).notes)
    assert "intercom.escalation.tags: Intercom has no tag 'escalated', 'escalation'" in notes


def test_no_conversation_with_a_sign_of_p1_p2_is_told() -> None:
    with workspace(talk(1)) as running:
        outcome = running.read()
    assert outcome.of(1, "p1_p2_pct") == 0
    assert "no conversation is P1/P2 by the mapping" in outcome.notes
    only_tags = {"priority": {"levels": [], "tags": ["P1"]}}
    with workspace(talk(1)) as running:
        assert running.read(only_tags).of(1, "p1_p2_pct") == "field_missing"


def test_a_check_says_what_a_run_would_end_with() -> None:
    """A token that may not search contacts."""
    with workspace(talk(1, of=None), instead={"POST /contacts/search": refusal(403, "forbidden")}) as running:
        told = []
        for act in (lookup.probe, extract.extract):
            with pytest.raises(Exception, match="the permission to read contacts") as caught:
                act(running.request())
            told.append(type(caught.value))
    assert len(set(told)) == 1


def test_answers_are_no_lists_of_everything() -> None:
    """An answer of another kind is refused, and nothing is concluded from it."""
    running = workspace(attributes=[attribute("list", "P1")])
    running.instead = {"GET /conversations/attributes": Answer(200, {"type": "list", "data": [{"id": 1}]})}
    with running, pytest.raises(Exception, match=r"\$\.data\[0\]"):
        extract.extract(running.request(RULE))


# --- more companies than the list shows


def page_of(*numbers: int, scroll: str | None = "walk-1") -> Answer:
    data = [company_json(each, custom_attributes={"salesforce_id": f"sf-{each}"}) for each in numbers]
    return Answer(200, {"type": "list", "data": data, "scroll_param": scroll})


def beyond(*scrolled: Answer) -> SmallWorkspace:
    """A workspace of more companies than its list gives, which shows one of them; `scrolled` are the other way."""
    running = workspace(attributes=[company_attribute()])
    pages = iter(scrolled)
    last = scrolled[-1]
    listed = [company_json(1, custom_attributes={"salesforce_id": "sf-1"})]
    body = {"data": listed, "total_count": 10_200, "pages": {"page": 1, "per_page": 60, "total_pages": 170}}
    running.instead["POST /companies/list"] = Answer(200, body)
    running.instead["GET /companies/scroll"] = lambda _body: next(pages, last)
    return running


def test_more_companies_than_the_list_gives_are_scrolled_through() -> None:
    with beyond(page_of(1, 2), page_of(2, 3), page_of()) as running:
        found = lookup.find(running.request(BY_ATTRIBUTE))
    assert found.found_keys == {f"sf-{number}": (company(number),) for number in (1, 2, 3)}
    assert running.asked.count("POST /companies/list") == 1
    assert not any("ends at" in note for note in found.notes)


@pytest.mark.parametrize("answer", [refusal(400, "scroll_exists"), refusal(404, "not_found")])
def test_where_another_program_scrolls_the_list_is_read_and_its_end_told(answer: Answer) -> None:
    with beyond(answer) as running:
        found = lookup.find(running.request(BY_ATTRIBUTE))
    assert found.found_keys == {"sf-1": (company(1),)}
    assert any(
        "the list of companies ends at 1, and no others could be scrolled through" in note for note in found.notes
    )


def test_a_scroll_that_does_not_end_is_refused() -> None:
    with beyond(page_of(1)) as running:
        with pytest.raises(UnexpectedAnswer, match="the same companies came again"):
            lookup.find(running.request(BY_ATTRIBUTE))
        assert len(running.asked) < 30

"""Intercom: which company is whose, and what is urgent, found in workspaces that do it otherwise."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.systems.discovery import AccountSample, Discovery
from support import NOW, Configure
from systems.discovering import accounts_of, choice, chosen, look

Look = Callable[..., Discovery]


@pytest.fixture
def world() -> World:
    return build(seed=7, accounts=12, until=NOW)


@pytest.fixture
def seen(world: World, configure: Configure) -> Iterator[Look]:
    """What a look at the world as it is now finds."""
    with Sandbox(world) as running:

        def made(accounts: AccountSample | None = None, *faults: Fault, **changes: str) -> Discovery:
            running.faults.extend(faults)
            return look(configure(running, **changes), "intercom", accounts or accounts_of(world))

        yield made


def link(found: Discovery) -> tuple[Any, Any, Any]:
    keys = chosen(found)
    return (
        keys["intercom.account_field"],
        keys.get("intercom.holds", "id"),
        keys.get("intercom.attribute"),
    )


def numbered(world: World) -> AccountSample:
    """Companies that have nothing but a customer number of the CRM's, which that keeps in a field of its own."""
    for number, company in enumerate(world.intercom.companies.values()):
        company.company_id, company.custom_attributes = f"own-{number}", {"kunden_nr": 7000 + number}
    return accounts_of(world, ("Tier__c",), Customer_No__c=[f"{7000 + number}" for number in range(9)])


# --- whose companies they are -------------------------------------------------------------------------------------


def test_a_company_is_linked_by_the_attribute_and_the_field_whose_values_meet(world: World, seen: Look) -> None:
    assert link(seen(numbered(world))) == ("Customer_No__c", "id", "kunden_nr")


def test_record_ids_of_fifteen_and_eighteen_characters_meet(world: World, seen: Look) -> None:
    for company in world.intercom.companies.values():
        company.company_id, company.custom_attributes = company.company_id[:15], {}
    assert link(seen(accounts_of(world, ()))) == ("Id", "company_id", None)


def test_an_attribute_that_companies_share_is_no_link(world: World, seen: Look) -> None:
    for number, company in enumerate(world.intercom.companies.values()):
        company.company_id, company.custom_attributes = f"own-{number}", {"tier": "Gold" if number % 2 else "Silver"}
    found = seen(accounts_of(world, (), Tier__c=["Gold", "Silver"]))
    assert link(found) == ("Id", "id", None)
    assert any("--suggest" in line for line in found.unknown)


def test_ways_that_link_as_many_are_named(seen: Look) -> None:
    found = choice(seen(), "intercom.account_field")
    assert "2 other ways link as many" in found.why
    assert [value for value, _why in found.others] == [
        {"account_field": "Id", "holds": "company_id"},
        {"account_field": "Id", "attribute": "salesforce_account_id"},
    ]


def test_an_attribute_that_is_archived_is_none(world: World, seen: Look) -> None:
    accounts = numbered(world)
    listed = {"data": [{"name": "kunden_nr", "data_type": "string", "custom": True, "archived": True}]}
    fault = Fault("intercom", 200, body=json.dumps(listed).encode(), path_contains="/data_attributes")
    assert link(seen(accounts, fault))[2] is None


def test_where_no_company_can_be_read_the_field_that_is_called_after_intercom_is_taken_untried(seen: Look) -> None:
    found = seen(None, Fault("intercom", 403, body=b"{}", path_contains="/companies/list"))
    assert link(found) == ("Intercom_Company_Id__c", "id", None)
    assert "could not be tried" in choice(found, "intercom.account_field").why
    assert any("Companies can't be seen" in line for line in found.unknown)


def test_companies_of_leads_count_for_nobody(world: World, seen: Look) -> None:
    for company in world.intercom.companies.values():
        company.company_id = f"{company.company_id}-qualification-company"
    found = seen(accounts_of(world))
    assert link(found)[0] == "Id"
    assert found.found[0].startswith("0 of")


def test_websites_that_are_domains_of_accounts_lead_to_suggestions(seen: Look) -> None:
    listed = {"data": [{"id": f"{number:024x}", "website": f"https://www.c{number}.example/"} for number in range(4)]}
    fault = Fault("intercom", 200, body=json.dumps(listed).encode(), path_contains="/companies/list")
    found = seen(AccountSample(domains=frozenset({"c1.example", "c3.example"})), fault)
    assert any(line.startswith("2 companies have the website of an account") for line in found.unknown)


# --- what is urgent, and what is escalated ------------------------------------------------------------------------


def retagged(world: World, names: dict[str, str], *, priority: str | None = None) -> None:
    """Other names for tags; one priority for all, where one is given."""
    for talk in world.intercom.conversations:
        talk.tags = [names.get(name.strip(), name) for name in talk.tags]
        talk.priority = priority or talk.priority


@pytest.mark.parametrize("word", ["dringend", "Sev-1", "prio 1", "urgente", "kritisch", "緊急"])
def test_without_priorities_in_use_the_tags_that_say_urgent_count(word: str, world: World, seen: Look) -> None:
    retagged(world, {"P1": word}, priority="none")
    found = seen()
    assert chosen(found)["intercom.priority.tags"] == [word]
    assert f"'{word}'" in choice(found, "intercom.priority.tags").why


def test_tags_that_say_the_contrary_or_something_else_dont_count(world: World, seen: Look) -> None:
    retagged(world, {"P1": "not urgent", "bug": "high five", "Escalated": "de-escalated"}, priority="none")
    for talk in world.intercom.conversations:
        talk.linked_tickets = []
    found = seen()
    assert "intercom.priority.tags" not in chosen(found)
    assert any(line.startswith("What is urgent") for line in found.unknown)
    assert chosen(found)["intercom.escalation.tags"] == ["escalated", "escalation"]


def test_an_urgency_that_the_workspace_keeps_in_a_list_is_read_by_its_words(world: World, seen: Look) -> None:
    values = ["Kritisch", "Hoch", "Mittel", None]
    for number, talk in enumerate(world.intercom.conversations):
        talk.custom_attributes, talk.priority = {"Dringlichkeit": values[number % 4], "Notiz": "urgent"}, "none"
    world.intercom.attribute_types = {"Dringlichkeit": "list", "Notiz": "string"}
    value = chosen(seen())["intercom.priority.attribute"]
    assert value == {"name": "Dringlichkeit", "values": ["hoch", "kritisch"]}


@pytest.mark.parametrize(("most", "urgent"), [(3, ["1"]), (5, ["1", "2"])])
def test_of_a_scale_of_numbers_the_lowest_are_taken_and_the_doubt_is_said(
    most: int, urgent: list[str], world: World, seen: Look
) -> None:
    for number, talk in enumerate(world.intercom.conversations):
        talk.custom_attributes = {"severity": number % most + 1}
    world.intercom.attribute_types = {"severity": "integer"}
    found = seen()
    assert chosen(found)["intercom.priority.attribute"] == {"name": "severity", "values": urgent}
    assert any("most urgent" in line for line in found.unknown)


def test_a_team_that_takes_escalations_counts_where_nothing_else_says_it(world: World, seen: Look) -> None:
    retagged(world, {"Escalated": "other"})
    for talk in world.intercom.conversations:
        talk.linked_tickets = []
    found = choice(seen(), "intercom.escalation.teams")
    assert found.value == ["9100"]
    assert "'Escalations'" in found.why


def test_before_versions_with_levels_the_mark_as_priority_counts(seen: Look) -> None:
    keys = chosen(seen(None, INTERCOM_VERSION="2.11"))
    assert keys["intercom.priority.flag"] is True
    assert "intercom.priority.levels" not in keys


def test_nothing_of_a_person_or_a_message_is_handed_over(world: World, seen: Look) -> None:
    for talk in world.intercom.conversations:
        talk.custom_attributes = {
            "priority note": "call Ada Lovelace, ada@example.org",
            "urgency": "urgent, as Ada wrote: call her",
        }
    world.intercom.attribute_types = {"priority note": "string", "urgency": "string"}
    assert "Ada" not in repr(seen())

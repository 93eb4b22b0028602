"""Jira: whose bugs are, by whatever a site names its customers; and which issues are bugs, in any language."""

from collections.abc import Callable
from typing import Any

import pytest

from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.crooked_jira import FIELDS, link_by
from accountpulse.sandbox.world.model import World
from accountpulse.systems.discovery import AccountSample, Discovery
from accountpulse.systems.jira.links import quoted
from support import NOW, Configure
from systems.discovering import accounts_of, choice, chosen, look

Look = Callable[..., Discovery]


@pytest.fixture
def world() -> World:
    return build(seed=7, accounts=12, until=NOW)


@pytest.fixture
def crooked() -> World:
    return build(seed=7, accounts=12, until=NOW, kind="crooked")


@pytest.fixture
def seen(configure: Configure) -> Look:
    """What a look at a world as it is now finds."""

    def made(world: World, accounts: AccountSample | None = None, edition: str = "cloud") -> Discovery:
        with Sandbox(world, jira=edition) as running:
            by_bearer = {} if edition == "cloud" else {"JIRA_EMAIL": None}
            return look(configure(running, **by_bearer), "jira", accounts or accounts_of(world))

    return made


def link(found: Discovery) -> tuple[Any, ...]:
    keys = chosen(found)
    return (keys["jira.account_field"], keys["jira.link"], keys.get("jira.field"))


def only(world: World, *carriers: str) -> None:
    """Bugs name their customers by these alone: component, label, or custom fields."""
    for issue in world.jira.issues:
        if "component" not in carriers:
            issue.components = []
        if "label" not in carriers:
            issue.labels = ["customer"]
        issue.fields = {name: value for name, value in issue.fields.items() if name in carriers}
        issue.customers = {name: value for name, value in issue.customers.items() if name in carriers}


# --- whose they are -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["cloud", "datacenter"])
def test_bugs_in_a_project_for_each_customer_are_linked_by_project(edition: str, crooked: World, seen: Look) -> None:
    link_by(crooked.jira, "project")
    only(crooked)
    assert link(seen(crooked, edition=edition)) == ("Jira_Component__c", "project", None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("organization", ("Jira_Component__c", "organization", None)),
        *((kind, ("Jira_Component__c", "field", FIELDS[kind])) for kind in ("text", "document", "option", "multi")),
        ("cascading", ("Jira_Component__c", "field", FIELDS["cascading"])),
    ],
)
def test_bugs_are_linked_by_the_field_that_names_customers(
    kind: str, expected: tuple[Any, ...], crooked: World, seen: Look
) -> None:
    only(crooked, FIELDS[kind])
    assert link(seen(crooked)) == expected


def test_bugs_are_linked_by_labels_that_are_ids_of_accounts(world: World, seen: Look) -> None:
    only(world, "label")
    assert link(seen(world)) == ("Id", "label", None)


def test_of_several_ways_the_one_that_finds_most_accounts_is_taken(world: World, seen: Look) -> None:
    kept = {str(each.jira_component) for each in world.customers[:5]}
    for issue in world.jira.issues:
        issue.components = [name for name in issue.components if name in kept]
        issue.fields = {}
    found = choice(seen(world), "jira.account_field")
    assert found.value == {"account_field": "Id", "link": "label"}
    assert {"account_field": "Jira_Component__c", "link": "component"} in [value for value, _why in found.others]


def test_a_field_of_the_account_that_holds_clauses_is_a_link_by_jql(world: World, seen: Look) -> None:
    clauses = [f"component = {quoted(each.jira_component)}" for each in world.customers if each.jira_component]
    accounts = accounts_of(world, (), Bugs_In_Jira__c=[*clauses, 'component = "a mistake in it'])
    only(world, "component")
    found = seen(world, AccountSample(fields=accounts.fields))
    assert link(found) == ("Bugs_In_Jira__c", "jql", None)


def test_fields_of_people_are_never_tried(crooked: World, seen: Look) -> None:
    only(crooked, FIELDS["user"])
    found = seen(crooked)
    assert link(found)[0] == "Id"
    assert any("--suggest" in line for line in found.unknown)


def test_without_a_bug_the_lists_of_the_site_decide(world: World, seen: Look) -> None:
    world.jira.issues = []
    found = seen(world)
    assert link(found) == ("Jira_Component__c", "component", None)
    assert "0 bugs" in found.found[-1]


def test_a_site_that_shows_no_project_says_so(world: World, seen: Look) -> None:
    world.jira.hidden = list(world.jira.components)
    assert any("no project is visible" in line for line in seen(world).unknown)


def test_components_that_our_user_may_not_list_are_named_with_their_project(world: World, configure: Configure) -> None:
    with Sandbox(world) as running:
        running.faults.append(Fault("jira", 403, body=b"{}", path_contains="/project/CORE/components"))
        found = look(configure(running), "jira", accounts_of(world))
    assert any("1 projects" in line and "CORE" in line for line in found.unknown)
    assert link(found) == ("Jira_Component__c", "component", None)


# --- which are bugs, and which are critical -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Defekt", "Fehler", "Bogue", "Ошибка", "バグ", "Software Defect"])
def test_bugs_are_known_by_what_they_are_called_in_other_languages(name: str, world: World, seen: Look) -> None:
    world.jira.issue_types = [name, *world.jira.issue_types[1:]]
    for issue in world.jira.issues:
        issue.type = name if issue.type == "Bug" else issue.type
    assert chosen(seen(world))["jira.bug_types"] == [name]


def test_a_type_that_nobody_knows_is_taken_only_with_a_question(world: World, seen: Look) -> None:
    world.jira.issue_types = ["Zonk", *world.jira.issue_types[1:]]
    for issue in world.jira.issues:
        issue.type = "Zonk" if issue.type == "Bug" else issue.type
    found = seen(world)
    assert chosen(found)["jira.bug_types"] == ["Zonk"]
    assert any(line.startswith("Which issue types are bugs") for line in found.unknown)


@pytest.mark.parametrize(
    ("names", "critical"),
    [
        (["Blocker", "Critical", "Major", "Minor", "Trivial"], ["Blocker", "Critical"]),
        (["P1", "P2", "P3", "P4", "P5"], ["P1"]),
        (["La plus haute", "Haute", "Moyenne", "Basse", "La plus basse"], ["La plus haute"]),
        (["Höchste", "Hoch", "Mittel", "Niedrig", "Niedrigste"], ["Höchste"]),
    ],
)
def test_critical_are_the_priorities_that_are_called_the_highest(
    names: list[str], critical: list[str], world: World, seen: Look
) -> None:
    renamed = dict(zip(world.jira.priorities, names, strict=True))
    for issue in world.jira.issues:
        issue.priority = renamed.get(str(issue.priority))
    world.jira.priorities = names
    assert chosen(seen(world))["jira.critical_priorities"] == critical


def test_priorities_that_say_nothing_are_taken_from_the_top_with_a_question(world: World, seen: Look) -> None:
    names = ["Red", "Orange", "Yellow", "Green", "Blue"]
    renamed = dict(zip(world.jira.priorities, names, strict=True))
    for issue in world.jira.issues:
        issue.priority = renamed.get(str(issue.priority))
    world.jira.priorities = names
    found = seen(world)
    assert chosen(found)["jira.critical_priorities"] == ["Red"]
    assert any(line.startswith("Which priorities are critical") for line in found.unknown)

"""Whom each system knows: what suggested links are made of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from accountpulse import settings
from accountpulse.core.period import Scope
from accountpulse.core.records import CUSTOMERS
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import FieldDef, World
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS
from accountpulse.systems.extraction import CustomerList
from accountpulse.systems.looker.customers import beside, list_customers
from accountpulse.systems.looker.fields import ExploreField
from support import NOW, request

Row = dict[str, Any]


@pytest.fixture(scope="module")
def known() -> World:
    """A small company whose systems say where their customers are to be found."""
    world = build(seed=7, accounts=25, until=NOW)
    account, contact = world.salesforce.objects["Account"], world.salesforce.objects["Contact"]
    account.fields["Website"] = FieldDef("Website", "url", "Website", 255)
    account.fields["AccountNumber"] = FieldDef("AccountNumber", "string", "Account Number", 40)
    for row in account.rows:
        row |= {"Website": None, "AccountNumber": None}
    first, second = world.customers[0], world.customers[1]
    rows = {row["Id"]: row for row in account.rows}
    rows[first.account_id] |= {"Website": "https://www.obrien.example/", "AccountNumber": "C-1001"}
    person = {**contact.rows[0], "Id": "003Hu0000099999IAI", "AccountId": second.account_id}
    contact.rows.append({**person, "Email": "Somebody@Quoted.example"})
    companies = world.intercom.companies
    companies[str(first.intercom_company)].website = "obrien.example"
    third = companies[str(world.customers[2].intercom_company)]
    third.custom_attributes |= {"customer_no": 4711, "plan": "two words"}
    for contact_id in third.contact_ids:
        world.intercom.contacts[contact_id].mail_domain = "comma.example"
    return world


@pytest.fixture(scope="module")
def reached(known: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Settings]]:
    """Settings that lead to it, with a part of the mapping changed."""
    folder = tmp_path_factory.mktemp("reached")
    with Sandbox(known) as sandbox:

        def made(text: str = "") -> Settings:
            environment = sandbox.environment()
            theirs = Path(environment["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
            config = folder / "accountpulse.yaml"
            config.write_text(f"{theirs}\n{text}\n", encoding="utf-8")
            return settings.load({**environment, "ACCOUNTPULSE_CONFIG": str(config)})

        yield made


def listed(loaded: Settings, name: str, scope: Scope) -> tuple[dict[str, Row], CustomerList]:
    ask = SYSTEMS[name].list_customers
    assert ask is not None
    found = ask(request(loaded, name, scope))
    assert dict(found.rows.schema) == dict(CUSTOMERS)
    return {row["key"]: row for row in found.rows.iter_rows(named=True)}, found


def test_the_crm_tells_websites_identifiers_and_where_contacts_of_the_others_write_from(
    known: World, reached: Callable[..., Settings], scope: Scope
) -> None:
    rows, _found = listed(reached(), "salesforce", scope)
    one, two = known.customers[0], known.customers[1]
    assert set(rows) == {customer.account_id for customer in known.customers}
    assert rows[one.account_id]["name"] == "O'Brien & Sons"
    assert rows[one.account_id]["websites"] == ["https://www.obrien.example/"]
    assert {"C-1001", one.intercom_company, one.jira_component} <= set(rows[one.account_id]["external_keys"])
    assert rows[two.account_id]["mail_domains"] == ["quoted.example", "sandbox.example"]
    assert not any("@" in text for row in rows.values() for text in row["mail_domains"])


def test_intercom_tells_of_each_company_website_addresses_and_identifiers(
    known: World, reached: Callable[..., Settings], scope: Scope
) -> None:
    rows, _found = listed(reached(), "intercom", scope)
    one, three = known.customers[0], known.customers[2]
    with_users = {each.id for each in known.intercom.companies.values() if each.contact_ids}
    assert {str(one.intercom_company), str(three.intercom_company)} <= set(rows) <= with_users
    assert rows[str(one.intercom_company)]["websites"] == ["obrien.example"]
    third = rows[str(three.intercom_company)]
    assert third["mail_domains"] == ["comma.example"]
    assert third["external_keys"] == [three.account_id, three.account_id, "4711"]  # company_id, attributes of one word


def test_a_company_is_listed_by_what_links_hold(known: World, reached: Callable[..., Settings], scope: Scope) -> None:
    rows, _found = listed(reached("intercom: {account_field: Id, holds: company_id}"), "intercom", scope)
    assert known.customers[0].account_id in rows


LINKS = {
    "component": ("jira: {link: component}", "O'Brien & Sons"),
    "project": ("jira: {link: project}", "CORE"),
    "label": ("jira: {link: label}", None),
    "jql": ("jira: {link: jql}", None),
}


@pytest.mark.parametrize("link", LINKS)
def test_jira_lists_what_its_link_may_name(link: str, reached: Callable[..., Settings], scope: Scope) -> None:
    text, wanted = LINKS[link]
    rows, found = listed(reached(text), "jira", scope)
    assert wanted is None or wanted in rows
    assert bool(found.notes) == (link == "jql")


def test_values_of_a_field_are_those_that_bugs_carry(scope: Scope) -> None:
    world = build(seed=7, accounts=25, until=NOW, kind="crooked")
    with Sandbox(world) as sandbox:
        loaded = settings.load(sandbox.environment())
        assert loaded.mapping.block("jira").link in {"field", "organization", "label", "component", "project"}
        rows, _found = listed(loaded, "jira", scope)
    names = {str(customer.jira_component) for customer in world.customers if customer.jira_component}
    assert len(names & set(rows)) > len(names) / 2


def test_looker_lists_the_accounts_of_the_usage_explore(
    known: World, reached: Callable[..., Settings], scope: Scope
) -> None:
    rows, _found = listed(reached(), "looker", scope)
    assert set(rows) <= set(known.looker.usage)
    assert len(rows) > 10
    assert {row["name"] for row in rows.values()} == {None}


def test_looker_without_usage_has_no_list_and_says_so(reached: Callable[..., Settings], scope: Scope) -> None:
    asked = request(reached(), "looker", scope)
    connection = replace(asked.connection, mapping=structs.replace(asked.mapping, usage=None))
    found = list_customers(replace(asked, connection=connection))
    assert found.rows.is_empty()
    assert "looker.usage is not mapped" in found.notes[0]


def test_a_dimension_for_the_name_is_one_of_text_and_best_of_the_accounts_own_view() -> None:
    def field(name: str, kind: str = "string", category: Any = "dimension") -> tuple[str, ExploreField]:
        return name, ExploreField(name, category, kind)

    fields: Mapping[str, ExploreField] = dict(
        [
            field("users.name"),
            field("accounts.name"),
            field("accounts.account_name", "number"),
            field("a.name", "string", "measure"),
        ]
    )
    assert beside(fields, "accounts.id", ("account_name", "name")) == "accounts.name"
    assert beside({}, "accounts.id", ("name",)) is None

"""Intercom's own SDK (python-intercom), as its documentation shows it, reads the workspace from the sandbox."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from intercom import Intercom, MultipleFilterSearchRequest, SingleFilterSearchRequest, StartingAfterPaging
from intercom.conversations import Conversation
from intercom.errors import NotFoundError, UnauthorizedError

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from readers.judging import mistakes_in, needs_files
from support import NOW, Configure, extract

FILE = "intercom-2.16.yaml"


@pytest.fixture(scope="module")
def company() -> World:
    """Smaller than the others': the SDK takes 8 ms to make its object of one conversation."""
    return build(seed=3, accounts=6, until=NOW)


@pytest.fixture
def client(served: Sandbox, company: World) -> Iterator[Intercom]:
    with httpx.Client(trust_env=False, timeout=60) as connection:
        yield Intercom(token=company.intercom.token, base_url=f"{served.url}/intercom", httpx_client=connection)


def searched(client: Intercom, query: Any) -> list[Conversation]:
    """All pages of a search. The SDK's own loop asks for the first page again and again, so each is asked for."""
    found: list[Conversation] = []
    paging = StartingAfterPaging(per_page=50)
    while True:
        page = client.conversations.search(query=query, pagination=paging)
        found += page.items or []
        following = page.response.pages.next if page.response.pages else None
        if following is None:
            return found
        paging = StartingAfterPaging(per_page=50, starting_after=following.starting_after)


def test_who_calls_and_who_works_there(client: Intercom) -> None:
    me = client.admins.identify()
    assert me is not None
    assert [each.id for each in client.admins.list().admins or ()] == [me.id] == ["991"]
    assert client.admins.find(admin_id=991).email == me.email
    (team,) = client.teams.list().teams or ()
    assert client.teams.find(team_id=team.id).name == "Escalations"


def test_a_wrong_token_is_refused(served: Sandbox) -> None:
    with httpx.Client(trust_env=False) as connection:
        stranger = Intercom(token="wrong", base_url=f"{served.url}/intercom", httpx_client=connection)
        with pytest.raises(UnauthorizedError):
            stranger.tags.list()


def test_every_tag_that_conversations_carry_is_listed(client: Intercom, company: World) -> None:
    told = {name for each in company.intercom.conversations for name in each.tags}
    tags = client.tags.list().data or ()
    assert {each.name for each in tags} == told
    assert len({each.id for each in tags}) == len(told)
    assert all(client.tags.find(tag_id=each.id).name == each.name for each in tags)
    assert client.segments.list().segments == []
    listed = client.data_attributes.list(model="company").data or ()
    assert {each.name for each in listed if each.custom} == {"salesforce_account_id"}


def test_every_contact_is_listed_with_its_companies(client: Intercom, company: World) -> None:
    people = company.intercom.contacts
    read = list(client.contacts.list(per_page=20))
    assert [each.id for each in read] == list(people)
    for identifier, person in people.items():
        attached = client.contacts.list_attached_companies(contact_id=identifier)
        assert [each.id for each in attached] == person.company_ids
    one = next(iter(people.values()))
    assert client.contacts.find(contact_id=one.id).external_id == one.external_id
    assert client.contacts.list_attached_tags(contact_id=one.id).data == []
    leads = client.contacts.search(query=SingleFilterSearchRequest(field="role", operator="=", value="lead"))
    assert [each.id for each in leads] == [each.id for each in people.values() if each.role == "lead"]
    with pytest.raises(NotFoundError):
        client.contacts.list_attached_companies(contact_id="nobody")


def test_every_company_is_listed_and_scrolled(client: Intercom, company: World) -> None:
    companies = company.intercom.companies
    listed = list(client.companies.list(per_page=10))
    assert [each.id for each in listed] == [each.id for each in companies.values() if each.contact_ids]
    scrolled = list(client.companies.scroll())
    assert {each.id: (each.company_id, each.name) for each in scrolled} == {
        each.id: (each.company_id, each.name) for each in companies.values()
    }
    one = next(iter(companies.values()))
    assert client.companies.find(company_id=one.id).custom_attributes == one.custom_attributes
    assert client.companies.retrieve(company_id=one.company_id).id == one.id
    people = client.companies.list_attached_contacts(company_id=one.id).data or ()
    assert [each.id for each in people] == one.contact_ids


def test_every_conversation_is_listed_with_its_statistics(client: Intercom, company: World) -> None:
    told = {each.id: each for each in company.intercom.conversations}
    read = {each.id: each for each in client.conversations.list(per_page=150)}
    assert read.keys() == told.keys()
    for identifier, each in read.items():
        source = told[identifier]
        closed = each.statistics.last_close_at if each.statistics else None
        assert (each.state, closed) == (
            source.state, int(source.last_close_at.timestamp()) if source.last_close_at else None
        )  # fmt: skip
        assert sorted(tag.name for tag in each.tags.tags) == sorted(source.tags)
    one = next(each for each in told.values() if len(each.contact_ids) > 5)
    assert len(client.conversations.find(conversation_id=one.id).contacts.contacts) == len(one.contact_ids)


def test_a_search_reads_the_conversations_that_our_extractor_counts(
    client: Intercom, served: Sandbox, configure: Configure, scope: Scope
) -> None:
    loaded = configure(served)
    links = extract(loaded, "salesforce", scope).tables["links"]
    keys = tuple(key for source, key in links.select("source", "key").iter_rows() if source == "intercom")
    ours = extract(loaded, "intercom", scope, keys).spools["conversations"].lazy().collect()
    start, end = (int(moment.timestamp()) for moment in (scope.window.start, scope.window.end))
    bounds = ((">", start - 1), ("<", end))
    query = MultipleFilterSearchRequest(
        operator="AND",
        value=[SingleFilterSearchRequest(field="created_at", operator=sign, value=at) for sign, at in bounds],
    )
    read = {each.id: each for each in searched(client, query) if (each.model_extra or {}).get("ticket") is None}
    created = ours.filter((ours["created_at"] >= scope.window.start) & (ours["created_at"] < scope.window.end))
    mine = dict(created.select("conversation_id", "created_at").iter_rows())
    assert len(mine) > 30
    assert mine.keys() <= read.keys()
    assert {name: int(at.timestamp()) for name, at in mine.items()} == {name: read[name].created_at for name in mine}


@needs_files
def test_what_it_heard_is_what_the_vendors_file_says(client: Intercom, served: Sandbox, company: World) -> None:
    served.recorded = []
    one, person = next(iter(company.intercom.companies)), next(iter(company.intercom.contacts))
    asked = (
        client.admins.identify,
        client.admins.list,
        client.teams.list,
        client.tags.list,
        client.segments.list,
        client.data_attributes.list,
        client.contacts.list,
        client.companies.scroll,
        client.conversations.list,
        lambda: client.contacts.list_attached_companies(contact_id=person),
        lambda: client.companies.list_attached_contacts(company_id=one),
    )
    for ask in asked:
        ask()
    assert len(served.recorded) == len(asked)
    assert mistakes_in(served.recorded, FILE, "/intercom") == []

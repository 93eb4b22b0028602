"""jira (the Python client), as its documentation shows it, signs in to Cloud and to Data Center and reads the site."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jira import JIRA, JIRAError
from jira.resources import Issue

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from readers.jira_world import BUGS, bugs, moves_of, our_bugs, told_moves, visible
from readers.judging import mistakes_in, needs_files
from support import Configure

Sites = Callable[[str], tuple[Sandbox, JIRA]]


@pytest.fixture(params=["cloud", "datacenter"])
def running(request: pytest.FixtureRequest, company: World) -> Iterator[Sandbox]:
    with Sandbox(company, jira=request.param) as made:
        yield made


@pytest.fixture
def client(running: Sandbox, company: World) -> Iterator[JIRA]:
    site = company.jira
    cloud = "JIRA_EMAIL" in running.environment()
    shown: dict[str, Any] = {"basic_auth": (site.email, site.token)} if cloud else {"token_auth": site.token}
    made = JIRA(f"{running.url}/jira", **shown)
    yield made
    made.close()


def test_it_connects_and_knows_the_product(client: JIRA, running: Sandbox) -> None:
    cloud = "JIRA_EMAIL" in running.environment()
    assert client.server_info()["deploymentType"] == ("Cloud" if cloud else "Server")
    assert client._version == ((1001, 0, 0) if cloud else (9, 12, 15))
    assert client.myself()["timeZone"] == "America/Los_Angeles"
    assert client.session().name == running.world.jira.email


def test_data_center_takes_a_name_and_a_password(company: World) -> None:
    with Sandbox(company, jira="datacenter") as running:
        site = company.jira
        made = JIRA(f"{running.url}/jira", basic_auth=(site.email, site.password), validate=True)
        assert len(made.projects()) == 2
        made.close()
        with pytest.raises(JIRAError):
            JIRA(f"{running.url}/jira", basic_auth=(site.email, site.token), validate=True, max_retries=0)


def test_what_the_site_has_is_listed_and_read_one_by_one(client: JIRA, company: World) -> None:
    site = company.jira
    keys = sorted(set(site.components) - set(site.hidden))
    assert [each.key for each in client.projects()] == keys
    for key in keys:
        assert client.project(key).key == key
        components = client.project_components(key)
        assert [each.name for each in components] == site.components[key]
        assert client.component(components[0].id).name == site.components[key][0]
        assert client.project_versions(key) == []
    statuses = client.statuses()
    assert {each.id: (each.name, each.statusCategory.key) for each in statuses} == {
        each.id: (each.name, each.category) for each in site.statuses.values()
    }
    assert client.status(statuses[0].id).name == statuses[0].name
    assert {each.key for each in client.statuscategories()} == {"undefined", "new", "indeterminate", "done"}
    assert [each.name for each in client.priorities()] == site.priorities
    assert [client.priority(each.id).name for each in client.priorities()] == site.priorities
    assert [client.issue_type(each.id).name for each in client.issue_types()] == site.issue_types
    resolutions = {each.resolution for each in visible(site) if each.resolution}
    assert {client.resolution(each.id).name for each in client.resolutions()} == resolutions
    names = {each["name"] for each in client.fields()}
    assert names >= set(site.field_names.values()) | {"Status", "Components"}


def everything(client: JIRA, text: str, **more: Any) -> list[Issue]:
    if client._is_cloud:
        return list(client.enhanced_search_issues(text, maxResults=0, **more))
    return list(client.search_issues(text, maxResults=False, **more))


def test_every_bug_is_found_with_its_fields_and_its_whole_history(client: JIRA, company: World) -> None:
    told = bugs(company.jira)
    found = everything(client, BUGS, expand="changelog")
    assert [each.id for each in found] == [each.id for each in told]
    assert len(told) > 200
    for each, source in zip(found, told, strict=True):
        fields = each.fields
        assert (fields.status.id, fields.priority and fields.priority.name) == (source.status, source.priority)
        assert [component.name for component in fields.components] == source.components
        assert (fields.resolution and fields.resolution.name) == source.resolution
        assert (fields.resolutiondate is None) == (source.resolutiondate is None)
        whole = each.changelog
        if whole.total > len(whole.histories):  # Cloud's search shows the newest 40
            whole = client.issue(each.id, expand="changelog").changelog
        histories = [
            (entry.created, [(item.field, getattr(item, "from"), item.to) for item in entry.items])
            for entry in whole.histories
        ]
        assert moves_of(histories) == told_moves(source)


def test_what_hangs_on_an_issue_is_read(client: JIRA, company: World) -> None:
    one = next(each for each in bugs(company.jira) if each.transitions)
    issue = client.issue(one.key, expand="changelog")
    assert (issue.id, issue.fields.project.key) == (one.id, one.project)
    assert len(issue.changelog.histories) == len(one.transitions)
    assert {each["to"]["id"] for each in client.transitions(issue)} == set(company.jira.statuses) - {one.status}
    assert client.comments(issue) == client.worklogs(issue) == []
    with pytest.raises(JIRAError) as caught:
        client.issue("CORE-999999")
    assert caught.value.status_code == 404


def test_the_bugs_that_our_extractor_reads_are_among_them(
    client: JIRA, running: Sandbox, company: World, configure: Configure, scope: Scope
) -> None:
    ours = our_bugs(running, configure, scope)
    names = {each.jira_component for each in company.customers if each.jira_component}
    found = everything(client, BUGS, fields="components")
    linked = {each.id for each in found if names & {component.name for component in each.fields.components}}
    told = {each.id: each for each in bugs(company.jira)}
    assert len(ours) > 100
    assert ours <= linked
    # what it leaves aside was resolved before the window, or came after it
    aside = [told[each] for each in linked - ours]
    assert all(each.created >= scope.as_of or (each.updated or each.created) < scope.window.start for each in aside)


@needs_files
def test_what_it_heard_is_what_the_vendors_file_says(company: World) -> None:
    with Sandbox(company) as running:
        site = company.jira
        made = JIRA(f"{running.url}/jira", options={"rest_api_version": "3"}, basic_auth=(site.email, site.token))
        running.recorded = []
        key = visible(site)[0].key
        for ask in (
            made.projects,
            made.statuses,
            made.statuscategories,
            made.priorities,
            made.resolutions,
            made.fields,
        ):
            ask()
        made.project("CORE"), made.issue(key, expand="changelog,transitions"), made.transitions(key), made.comments(key)
        made.enhanced_search_issues(BUGS, maxResults=50, expand="changelog")
        heard = [each for each in running.recorded if "/auth/" not in each.path]
        made.close()
    assert len(heard) >= 10
    assert mistakes_in(heard, "jira-cloud-v3-2025-09.json", "/jira") == []

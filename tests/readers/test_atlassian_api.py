"""atlassian-python-api, as its documentation shows it, reads the site on Cloud and on Data Center."""

from collections.abc import Iterator
from typing import Any

import pytest
from atlassian import Jira
from atlassian.jira import JiraCloud

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from readers.jira_world import BUGS, bugs, moves_of, our_bugs, told_moves, visible
from readers.judging import mistakes_in, needs_files
from support import Configure


@pytest.fixture
def cloud(company: World) -> Iterator[Sandbox]:
    with Sandbox(company) as made:
        yield made


@pytest.fixture
def server(company: World) -> Iterator[Sandbox]:
    with Sandbox(company, jira="datacenter") as made:
        yield made


@pytest.fixture
def on_cloud(cloud: Sandbox, company: World) -> Iterator[JiraCloud]:
    with JiraCloud(f"{cloud.url}/jira", username=company.jira.email, password=company.jira.token) as made:
        yield made


@pytest.fixture
def on_server(server: Sandbox, company: World) -> Iterator[Jira]:
    with Jira(f"{server.url}/jira", token=company.jira.token) as made:
        yield made


def test_the_legacy_client_reads_cloud_as_well(cloud: Sandbox, company: World) -> None:
    site = company.jira
    with Jira(f"{cloud.url}/jira", username=site.email, password=site.token, cloud=True) as client:
        assert client.get_server_info()["deploymentType"] == "Cloud"
        assert [each["key"] for each in client.projects()] == sorted(set(site.components) - set(site.hidden))
        found = client.enhanced_jql_get_list_of_tickets(BUGS, fields="status")
        assert [each["id"] for each in found] == [each.id for each in bugs(site)]
        one = next(each for each in bugs(site) if each.transitions)
        assert client.get_issue_status(one.key) == site.statuses[one.status].name
        assert client.get_issue_changelog(one.key)["total"] == len(one.transitions)


def test_what_cloud_has_is_listed(on_cloud: JiraCloud, company: World) -> None:
    site = company.jira
    keys = sorted(set(site.components) - set(site.hidden))
    assert [each["key"] for each in on_cloud.search_projects()["values"]] == keys
    assert [each["key"] for each in on_cloud.get_all_projects()] == keys
    assert on_cloud.get_current_user()["timeZone"] == site.timezone
    assert [each["name"] for each in on_cloud.get_priorities()] == site.priorities
    assert [each["name"] for each in on_cloud.search_priorities()["values"]] == site.priorities
    assert {each["id"] for each in on_cloud.get_statuses()} == set(site.statuses)
    assert len(on_cloud.get_status_categories()) == 4
    assert [each["name"] for each in on_cloud.get_issue_all_types()] == site.issue_types
    resolutions = {each.resolution for each in visible(site) if each.resolution}
    assert {each["name"] for each in on_cloud.get_resolutions()} == resolutions
    for key in keys:
        assert on_cloud.get_project(key)["key"] == key
        assert [each["name"] for each in on_cloud.get_project_components(key)] == site.components[key]
        assert on_cloud.get_project_components_paginated(key)["total"] == len(site.components[key])
    assert {each["id"] for each in on_cloud.get_fields()} >= set(site.field_names)


def test_every_bug_of_cloud_is_found_with_its_history(
    on_cloud: JiraCloud, cloud: Sandbox, company: World, configure: Configure, scope: Scope
) -> None:
    found = on_cloud.enhanced_jql_get_list_of_tickets(BUGS, fields=["status", "components"], expand="changelog")
    told = bugs(company.jira)
    assert [each["id"] for each in found] == [each.id for each in told]
    assert our_bugs(cloud, configure, scope) <= {each["id"] for each in found}
    for each, source in zip(found, told, strict=True):
        assert each["fields"]["status"]["id"] == source.status
        shown = each["changelog"]
        if shown["total"] == len(shown["histories"]):  # the search shows the newest 40
            assert moves_of(read(shown["histories"])) == told_moves(source)
    longest = max(told, key=lambda each: len(each.transitions))
    assert len(longest.transitions) > 40
    assert moves_of(read(on_cloud.get_change_logs(longest.key, max_results=100)["values"])) == told_moves(longest)
    moved = [each for each in told if each.transitions][:5]
    logs = on_cloud.get_bulk_changelogs(data={"issueIdsOrKeys": [each.key for each in moved], "fieldIds": ["status"]})
    read_at_once = {each["issueId"]: moves_of(read(each["changeHistories"])) for each in logs["issueChangeLogs"]}
    assert read_at_once == {each.id: told_moves(each) for each in moved}
    assert all(on_cloud.get_change_logs(each.key)["total"] == len(each.transitions) for each in moved)


def test_every_bug_of_data_center_is_found_with_its_history(
    on_server: Jira, server: Sandbox, company: World, configure: Configure, scope: Scope
) -> None:
    found = on_server.jql_get_list_of_tickets(BUGS, fields=["status", "components"], expand="changelog")
    told = bugs(company.jira)
    assert [each["id"] for each in found] == [each.id for each in told]
    assert our_bugs(server, configure, scope) <= {each["id"] for each in found}
    for each, source in zip(found, told, strict=True):
        assert each["fields"]["status"]["id"] == source.status
        assert moves_of(read(each["changelog"]["histories"])) == told_moves(source)


def test_what_data_center_has_is_listed(on_server: Jira, company: World) -> None:
    site = company.jira
    keys = sorted(set(site.components) - set(site.hidden))
    assert on_server.get_server_info()["deploymentType"] == "Server"
    assert [each["key"] for each in on_server.projects()] == keys
    assert on_server.myself()["name"] == site.email
    assert [each["name"] for each in on_server.get_all_priorities()] == site.priorities
    assert on_server.get_priority_by_id(1)["name"] == site.priorities[0]
    assert {each["id"] for each in on_server.get_all_statuses()} == set(site.statuses)
    for key in keys:
        assert on_server.project(key)["key"] == key
        components = on_server.get_project_components(key)
        assert [each["name"] for each in components] == site.components[key]
        assert on_server.component(components[0]["id"])["project"] == key
    assert {each["id"] for each in on_server.get_all_fields()} >= set(site.field_names)


def read(histories: list[dict[str, Any]]) -> list[tuple[str, list[tuple[str, str | None, str | None]]]]:
    """A history's entries: time, and field, from and to of each item."""
    return [
        (str(each["created"]), [(item["field"], item["from"], item["to"]) for item in each["items"]])
        for each in histories
    ]


@needs_files
def test_what_it_heard_is_what_the_vendors_file_says(on_cloud: JiraCloud, cloud: Sandbox, company: World) -> None:
    cloud.recorded = []
    key = visible(company.jira)[0].key
    lists = (
        on_cloud.get_fields,
        on_cloud.get_priorities,
        on_cloud.search_priorities,
        on_cloud.get_statuses,
        on_cloud.get_status_categories,
        on_cloud.get_issue_all_types,
        on_cloud.get_resolutions,
        on_cloud.search_projects,
        on_cloud.get_all_projects,
        on_cloud.get_all_project_types,
        on_cloud.get_current_user,
        on_cloud.get_server_info,
    )
    single = (on_cloud.get_issue, on_cloud.get_change_logs, on_cloud.get_transitions, on_cloud.get_comments)
    of_project = (on_cloud.get_project, on_cloud.get_project_components, on_cloud.get_project_components_paginated)
    for ask in lists:
        ask()
    for ask in single:
        ask(key)
    for ask in (*of_project, on_cloud.get_all_statuses, on_cloud.get_project_versions):
        ask("CORE")
    assert len(cloud.recorded) == 21
    assert mistakes_in(cloud.recorded, "jira-cloud-v3-2025-09.json", "/jira") == []

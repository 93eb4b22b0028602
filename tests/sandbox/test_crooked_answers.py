"""What the stand-ins answer in a crooked world: as the vendors do, where nobody expects it."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.crooked_jira import DISASTER, FIELDS, HIDDEN, IN_COMPASS
from accountpulse.sandbox.world.model import Conversation, Customer, JiraIssue, World
from support import NOW

CROOKED = build(3, 40, until=NOW, kind="crooked")


class Site:
    """A client of Jira that knows the token."""

    def __init__(self, running: Sandbox, edition: str) -> None:
        site, self.version = running.world.jira, "3" if edition == "cloud" else "2"
        self.search_path = "search/jql" if edition == "cloud" else "search"
        pair = base64.b64encode(f"{site.email}:{site.token}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}" if edition == "cloud" else f"Bearer {site.token}"}
        self.base = f"{running.url}/jira/rest/api/{self.version}"

    def get(self, path: str, **params: str) -> Any:
        return requests.get(f"{self.base}/{path}", params=params, headers=self.headers, timeout=60).json()

    def search(self, jql: str, *fields: str, **more: Any) -> Any:
        body = {"jql": jql, "fields": list(fields) or ["id"], "maxResults": 100, **more}
        return requests.post(f"{self.base}/{self.search_path}", json=body, headers=self.headers, timeout=60).json()

    def keys(self, jql: str) -> set[str]:
        return {issue["key"] for issue in self.search(jql, "status")["issues"]}  # one page: ask for few


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Sandbox(CROOKED, jira=request.param) as running:
        yield Site(running, request.param)


def whose(trouble: str) -> Customer:
    return next(each for each in CROOKED.customers if trouble in each.crooked)


def bug(trouble: str) -> JiraIssue:
    """The youngest bug of the customer that has this trouble."""
    component = whose(f"jira: {trouble}").jira_component
    return [each for each in CROOKED.jira.issues if component in each.components][-1]


def test_the_list_of_fields_says_of_what_kind_each_is(site: Site) -> None:
    schemas = {field["id"]: field.get("schema") for field in site.get("field")}
    kinds = {kind: schemas[field]["type"] for kind, field in FIELDS.items()}
    assert kinds == {
        "organization": "array", "multi": "array", "text": "string", "document": "string", "option": "option",
        "cascading": "option-with-child", "user": "user", "group": "group", "object": "array",
    }  # fmt: skip
    assert schemas[FIELDS["organization"]]["custom"] == "com.atlassian.servicedesk:sd-customer-organizations"


def test_an_issue_names_its_customer_as_each_kind_does(site: Site) -> None:
    issue = bug("two moves in one entry")
    (name,) = issue.components
    shown = site.search(f"key = {issue.key}", *FIELDS.values())["issues"][0]["fields"]
    values = {kind: shown[field] for kind, field in FIELDS.items()}
    assert (values["text"], values["option"]["value"], values["multi"][0]["value"]) == (name, name, name)
    assert values["cascading"]["child"]["value"] == values["organization"][0]["name"] == values["group"]["name"] == name
    assert values["user"]["displayName"] == name
    assert "emailAddress" not in values["user"]
    if site.version == "3":
        texts = [piece["text"] for piece in values["document"]["content"][0]["content"]]
        assert len(texts) == 2
        assert "".join(texts) == name
        assert set(values["object"][0]) == {"workspaceId", "id", "objectId"}
    else:
        assert values["document"] == name
        assert values["object"][0].startswith(name)


def test_components_in_compass_are_listed_where_they_are_asked_for(site: Site) -> None:
    usual, auto = (
        site.get(f"project/{IN_COMPASS}/components"),
        site.get(f"project/{IN_COMPASS}/components", componentSource="auto"),
    )
    assert [each["name"] for each in auto] == [whose("jira: component in Compass").jira_component]
    assert usual == ([] if site.version == "3" else auto)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (f"project = {HIDDEN}", "does not exist for the field 'project'"),
        (f'component = "{whose("jira: project without permission").jira_component}"', "does not exist for the field"),
        (f'component = "{whose("jira: value taken away").jira_component}"', "does not exist for the field"),
        ('cf[10602] = "Nobody"', "does not exist for the field"),
        ('cf[10602] ~ "Nobody"', "The operator '~' is not supported"),
        ('cf[10601] = "Nobody"', "not supported by the 'cf[10601]' field"),
        ('cf[99999] = "Nobody"', "Field 'cf[99999]' does not exist or you do not have permission to view it."),
        ("priority = Highest", "The value 'Highest' does not exist for the field 'priority'"),
        (f"priority = {DISASTER}", "does not exist for the field 'priority'"),
        ("issuetype = Bug", "The value 'Bug' does not exist"),
        ('Organizations = "Nobody"', "Field 'organizations' does not exist"),
        ("priority > Hoch", "The operator '>' is not supported"),
    ],
)
def test_what_the_site_does_not_know_it_refuses(query: str, words: str, site: Site) -> None:
    assert words in site.search(query)["errorMessages"][0]


def test_a_field_that_is_empty_is_in_neither_a_comparison_nor_its_opposite(site: Site) -> None:
    bugs = 'issuetype = Fehler AND updated >= "2026-11-05"'
    empty = site.keys(f"{bugs} AND priority is EMPTY")
    assert empty
    for denied in ("priority != Hoch", "NOT priority = Hoch", "priority not in (Hoch)", "NOT (priority in (Hoch))"):
        assert site.keys(f"{bugs} AND {denied}").isdisjoint(empty)
    assert empty <= site.keys(f"{bugs} AND (priority != Hoch OR priority is EMPTY)")


def test_categories_are_known_by_key_and_by_either_name(site: Site) -> None:
    bugs = 'issuetype = Fehler AND updated >= "2026-11-05" AND statusCategory'
    assert site.keys(f"{bugs} != Done") == site.keys(f"{bugs} != Fertig") == site.keys(f"{bugs} != done") != set()


def test_a_value_that_is_hidden_is_found_and_not_shown(site: Site) -> None:
    issue, field = bug("value not shown"), FIELDS["option"]
    (found,) = site.search(f'cf[10602] = "{issue.components[0]}" AND key = {issue.key}', field, "status")["issues"]
    assert set(found["fields"]) == {"status"}


def test_an_entry_of_a_history_can_hold_two_moves(site: Site) -> None:
    issue = bug("two moves in one entry")
    entries = site.get(f"issue/{issue.key}", expand="changelog")["changelog"]["histories"]
    newest = max(entries, key=lambda entry: entry["created"])
    assert [(item["from"], item["to"]) for item in newest["items"] if item["field"] == "status"] == [
        ("5", "1"),
        ("1", "3"),
    ]
    assert (len(entries), len(issue.transitions)) == (2, 3)
    assert all(("fieldId" in item) is (site.version == "3") for entry in entries for item in entry["items"])


# --- Intercom ----------------------------------------------------------------------------------------------------


class Workspace:
    """A client of Intercom that knows the token."""

    def __init__(self, running: Sandbox) -> None:
        self.base = f"{running.url}/intercom"
        self.token = running.world.intercom.token

    def get(self, path: str, version: str = "2.16", **params: str) -> requests.Response:
        return requests.get(f"{self.base}/{path}", params=params, headers=self._headers(version), timeout=60)

    def search(self, what: str, field: str, operator: str, value: Any) -> Any:
        body = {"query": {"field": field, "operator": operator, "value": value}, "pagination": {"per_page": 150}}
        return requests.post(f"{self.base}/{what}/search", json=body, headers=self._headers("2.16"), timeout=60).json()

    def _headers(self, version: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Intercom-Version": version}


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Sandbox(CROOKED) as running:
        yield Workspace(running)


def talk(trouble: str, world: World = CROOKED) -> Conversation:
    """The conversation that has this trouble."""
    company = whose(f"intercom: {trouble}").intercom_company
    made = [each for each in world.intercom.conversations if int(each.id) > 200_800_000]
    people = world.intercom.contacts
    return next(
        each
        for each in made
        if each.company_id == company or any(company in people[name].company_ids for name in each.contact_ids)
    )


def test_who_was_merged_deleted_or_archived_is_found_by_no_search(workspace: Workspace) -> None:
    contacts = CROOKED.intercom.contacts.values()
    state = {kind: next(each for each in contacts if each.state == kind) for kind in ("merged", "deleted", "archived")}
    assert workspace.search("contacts", "id", "IN", [each.id for each in state.values()])["data"] == []
    merged = workspace.get(f"contacts/{state['merged'].id}")
    assert (merged.status_code, merged.json()["errors"][0]["code"]) == (410, "contact_merged")
    assert merged.headers["Link"] == f'</contacts/{state["merged"].merged_into}>; rel="canonical"'
    assert workspace.get(f"contacts/{state['merged'].id}", "2.15").status_code == 404
    assert workspace.get(f"contacts/{state['deleted'].id}").status_code == 404
    assert workspace.get(f"contacts/{state['archived'].id}").json()["id"] == state["archived"].id


def test_a_conversation_that_is_gone_is_listed_and_cannot_be_read(workspace: Workspace) -> None:
    gone = talk("conversation deleted")
    (listed,) = workspace.search("conversations", "id", "=", gone.id)["conversations"]
    assert len(listed["linked_objects"]["data"]) == 3 < listed["linked_objects"]["total_count"] == 6
    assert workspace.get(f"conversations/{gone.id}").status_code == 404


def test_lists_are_cut_in_search_and_whole_where_a_conversation_is_read(workspace: Workspace) -> None:
    tagged, ticketed = talk("tags cut"), talk("tickets cut, has_more false")
    (listed,) = workspace.search("conversations", "id", "=", tagged.id)["conversations"]
    assert (len(listed["tags"]["tags"]), listed["tags"]["total_count"]) == (5, 7)
    assert len(workspace.get(f"conversations/{tagged.id}").json()["tags"]["tags"]) == 7
    (listed,) = workspace.search("conversations", "id", "=", ticketed.id)["conversations"]
    assert (len(listed["linked_objects"]["data"]), listed["linked_objects"]["has_more"]) == (3, False)
    assert len(workspace.get(f"conversations/{ticketed.id}").json()["linked_objects"]["data"]) == 6


def test_one_walk_is_told_a_wrong_total_until_it_begins_anew(workspace: Workspace) -> None:
    totals = [workspace.search("conversations", "created_at", "<", 2_000_000_000)["total_count"] for _ in range(3)]
    everything = len(CROOKED.intercom.conversations)
    assert totals == [everything + 1, everything, everything]


def test_attributes_of_conversations_have_a_path_of_their_own_since_2_16(workspace: Workspace) -> None:
    (new,) = workspace.get("conversations/attributes").json()["data"]
    (old,) = workspace.get("data_attributes", "2.15", model="conversation").json()["data"]
    assert (new["name"], new["data_type"]) == (old["name"], old["data_type"]) == ("Severity", "integer")
    assert workspace.get("data_attributes", model="conversation").status_code == 422
    assert workspace.get("conversations/attributes", "2.15").status_code == 404

"""The stand-in for Jira keeps the vendor's own rules, and finds by index what a plain look at every issue finds."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.sandbox.jira import jql
from accountpulse.sandbox.jira.index import Index
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import JiraIssue, World
from support import NOW

SMALL = build(seed=11, accounts=20, until=NOW)
ZONE = ZoneInfo(SMALL.jira.timezone)


class Caller:
    """A client that knows the token."""

    def __init__(self, running: Sandbox, world: World) -> None:
        self.base = f"{running.url}/jira/rest/api"
        self.session = requests.Session()
        if "JIRA_EMAIL" in running.environment():
            pair = f"{world.jira.email}:{world.jira.token}".encode()
            self.session.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        else:
            self.session.headers["Authorization"] = f"Bearer {world.jira.token}"

    def get(self, path: str, **params: Any) -> tuple[int, Any]:
        answer = self.session.get(f"{self.base}/{path}", params=params, timeout=60)
        return answer.status_code, answer.json()

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        answer = self.session.post(f"{self.base}/{path}", json=body, timeout=60)
        return answer.status_code, answer.json()


@pytest.fixture
def cloud() -> Iterator[Caller]:
    with Sandbox(SMALL) as running:
        yield Caller(running, SMALL)


@pytest.fixture
def server() -> Iterator[Caller]:
    with Sandbox(SMALL, jira="datacenter") as running:
        yield Caller(running, SMALL)


# --- Cloud -------------------------------------------------------------------------------------------------------


def test_the_old_search_is_gone_from_cloud(cloud: Caller) -> None:
    status, answer = cloud.post("3/search", jql="project = CORE")
    assert status == 410
    assert "search/jql" in answer["errorMessages"][0]


def test_cloud_gives_ids_alone_unless_fields_are_named(cloud: Caller) -> None:
    _, answer = cloud.post("3/search/jql", jql="project = CORE")
    assert len(answer["issues"]) == 50
    assert all(set(issue) == {"id", "key"} for issue in answer["issues"])


def test_cloud_gives_more_of_a_page_where_ids_alone_are_asked_for(cloud: Caller) -> None:
    everything = sum(issue.project == "CORE" for issue in SMALL.jira.issues)
    _, ids = cloud.post("3/search/jql", jql="project = CORE", fields=["id"], maxResults=5000)
    _, fields = cloud.post("3/search/jql", jql="project = CORE", fields=["created"], maxResults=5000)
    assert len(ids["issues"]) == everything > len(fields["issues"]) == 100
    assert ids["isLast"] is True
    assert "nextPageToken" not in ids


def test_tokens_lead_through_every_issue_once(cloud: Caller) -> None:
    body: dict[str, Any] = {
        "jql": "project in (CORE, WEB) ORDER BY created ASC",
        "fields": ["created"],
        "maxResults": 30,
    }
    seen: list[str] = []
    while True:
        _, answer = cloud.post("3/search/jql", **body)
        assert "total" not in answer
        seen += [issue["id"] for issue in answer["issues"]]
        if "nextPageToken" not in answer:
            break
        body["nextPageToken"] = answer["nextPageToken"]
    assert seen == [issue.id for issue in sorted(SMALL.jira.issues, key=lambda issue: (issue.created, int(issue.id)))]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ORDER BY created", "Unbounded"),
        ("component = Nowhere", "does not exist for the field"),
        ("nofield = 1", "Field 'nofield' does not exist"),
        ("component = ", "Expecting more"),
        ("labels = order", "reserved"),
        ('created > "2026-13-01"', "invalid"),
        ("cf[10500] = text", "not supported"),
        ('cf[10002] in ("No such organisation")', "does not exist"),
    ],
)
def test_a_query_that_jira_would_refuse_is_refused(query: str, words: str, cloud: Caller) -> None:
    for path in ("3/search/jql", "3/search/approximate-count"):
        status, answer = cloud.post(path, jql=query)
        assert status == 400
        assert words in answer["errorMessages"][0]


def test_the_count_is_that_of_the_issues(cloud: Caller) -> None:
    bugs = sum(issue.type == "Bug" for issue in SMALL.jira.issues)
    assert cloud.post("3/search/approximate-count", jql="issuetype = Bug") == (200, {"count": bugs})


def longest() -> JiraIssue:
    return max(SMALL.jira.issues, key=lambda issue: len(issue.transitions))


def test_clouds_search_shows_forty_changes_and_bulk_fetch_all(cloud: Caller) -> None:
    issue = longest()
    _, found = cloud.post("3/search/jql", jql=f"id = {issue.id}", fields=["status"], expand="changelog")
    changelog = found["issues"][0]["changelog"]
    assert len(changelog["histories"]) == 40 < changelog["total"] == len(issue.transitions)
    _, bulk = cloud.post("3/changelog/bulkfetch", issueIdsOrKeys=[issue.key], fieldIds=["status"])
    times = [history["created"] for history in bulk["issueChangeLogs"][0]["changeHistories"]]
    assert times == [round(move.at.timestamp() * 1000) for move in issue.transitions]


def test_bulk_fetch_gives_the_named_fields_in_pages_oldest_first(cloud: Caller) -> None:
    ids = [issue.id for issue in SMALL.jira.issues][:200]
    moves = [move for issue in SMALL.jira.issues[:200] for move in issue.transitions]
    expected = sum(move.resolution is not None for move in moves)
    body: dict[str, Any] = {"issueIdsOrKeys": ids, "fieldIds": ["resolution"], "maxResults": 50}
    came, last = 0, 0
    while True:
        _, answer = cloud.post("3/changelog/bulkfetch", **body)
        page = [history for log in answer["issueChangeLogs"] for history in log["changeHistories"]]
        assert [[item["field"] for item in history["items"]] for history in page] == [["resolution"]] * len(page)
        assert min(history["created"] for history in page) >= last
        came, last = came + len(page), max(history["created"] for history in page)
        if "nextPageToken" not in answer:
            break
        body["nextPageToken"] = answer["nextPageToken"]
    assert came == expected
    assert cloud.post("3/changelog/bulkfetch", issueIdsOrKeys=[str(n) for n in range(1001)])[0] == 400


def test_strangers_find_nothing_and_are_not_told_so(cloud: Caller) -> None:
    cloud.session.headers["Authorization"] = "Basic " + base64.b64encode(b"a@b.example:wrong").decode()
    assert cloud.post("3/search/jql", jql="project = CORE") == (200, {"issues": [], "isLast": True})
    assert cloud.get("3/project/search")[1]["values"] == []
    assert cloud.get("3/myself")[0] == 401


# --- Data Center -------------------------------------------------------------------------------------------------


def test_data_center_has_offsets_a_total_and_what_it_made_of_the_page(server: Caller) -> None:
    _, answer = server.post("2/search", jql="project = CORE ORDER BY key", startAt=30, maxResults=1000)
    assert (answer["startAt"], answer["maxResults"]) == (30, 100)
    assert answer["total"] == sum(issue.project == "CORE" for issue in SMALL.jira.issues)
    assert [issue["key"] for issue in answer["issues"]][:2] == ["CORE-31", "CORE-32"]
    assert server.post("2/search", jql="", maxResults=0)[1]["issues"] == []


def test_data_center_counts_to_ten_thousand(server: Caller) -> None:
    assert server.post("2/search", jql="", startAt=9900, maxResults=100)[0] == 200
    assert server.post("2/search", jql="", startAt=9901, maxResults=100)[0] == 500


def test_data_center_has_no_version_three_and_no_bulk_fetch(server: Caller) -> None:
    for path in ("3/search/jql", "2/search/jql", "2/changelog/bulkfetch", "2/search/approximate-count"):
        assert server.post(path, jql="project = CORE")[0] == 404


def test_one_issue_shows_its_whole_history(server: Caller) -> None:
    issue = longest()
    _, found = server.get(f"2/issue/{issue.key}", expand="changelog", fields="status")
    assert found["changelog"]["total"] == len(found["changelog"]["histories"]) == len(issue.transitions)


# --- what queries find -------------------------------------------------------------------------------------------

# None: the field is empty, and neither a comparison nor its opposite finds the issue
Case = tuple[str, Callable[[JiraIssue], bool | None]]
DONE = {key for key, status in SMALL.jira.statuses.items() if status.category == "done"}


def local(moment: datetime) -> str:
    return f'"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}"'


def dated(name: str, days: int, operator: str) -> Case:
    bound = (NOW - timedelta(days=days)).replace(second=0, microsecond=0)
    compare: dict[str, Callable[[datetime], bool]] = {
        "<": lambda moment: moment < bound,
        ">=": lambda moment: moment >= bound,
        "<=": lambda moment: moment <= bound,
        ">": lambda moment: moment > bound,
    }
    attribute = {"resolved": "resolutiondate"}.get(name, name)

    def matches(issue: JiraIssue) -> bool | None:
        moment = getattr(issue, attribute)
        return None if moment is None else compare[operator](moment)

    return f"{name} {operator} {local(bound)}", matches


names = st.sampled_from(SMALL.jira.components["CORE"])
simple: st.SearchStrategy[Case] = st.one_of(
    names.map(
        lambda n: (
            'component = "' + n.replace("\\", "\\\\").replace('"', '\\"') + '"',
            lambda i: n in i.components if i.components else None,
        )
    ),
    st.sampled_from(["Bug", "Story"]).map(lambda kind: (f"issuetype in ({kind})", lambda issue: issue.type == kind)),
    st.just(("statusCategory != Done", lambda issue: issue.status not in DONE)),
    st.just(("priority is EMPTY", lambda issue: issue.priority is None)),
    st.just(("priority != Highest", lambda issue: issue.priority and issue.priority != "Highest")),
    st.just(("resolution not in (Done)", lambda issue: issue.resolution and issue.resolution != "Done")),
    st.just(("project = web", lambda issue: issue.project == "WEB")),
    st.builds(
        dated,
        st.sampled_from(["created", "updated", "resolved"]),
        st.integers(0, 400),
        st.sampled_from(["<", ">=", "<=", ">"]),
    ),
)


def joined(word: str, parts: list[Case]) -> Case:
    def matches(issue: JiraIssue) -> bool | None:
        found = [test(issue) for _, test in parts]
        decisive = word == "OR"
        if any(each is not None and bool(each) is decisive for each in found):
            return decisive
        return None if any(each is None for each in found) else not decisive

    return f" {word} ".join(f"({text})" for text, _ in parts), matches


def denied(case: Case) -> Case:
    """NOT turns each clause into its opposite."""
    text, test = case
    return f"NOT ({text})", lambda issue: None if (found := test(issue)) is None else not found


cases = st.recursive(
    simple,
    lambda inner: st.one_of(
        inner.map(denied),
        st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
INDEX = Index(SMALL.jira)


@given(cases)
def test_a_query_finds_what_a_look_at_every_issue_finds(case: Case) -> None:
    text, matches = case
    found = jql.run(jql.parse(f"{text} ORDER BY created ASC", INDEX, NOW), INDEX)
    assert [INDEX.issues[place].id for place in found] == [issue.id for issue in INDEX.issues if matches(issue)]

"""What a look at each system proposes, held against the mapping that was written by hand for the same world."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from accountpulse.core.errors import AccessError, SourceUnavailable
from accountpulse.core.period import Scope
from accountpulse.core.records import SourceName
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.systems.discovery import AccountSample
from mutations.mutations import MUTATIONS, Chance
from mutations.proxy import Change, Proxy
from support import NOW, Configure, extract
from systems.discovering import accounts_of, chosen, loaded_with, look, texts
from systems.test_contract import WRONG, every_table, keys_of

OTHERS: tuple[SourceName, ...] = ("intercom", "jira", "looker")
SIGN_IN = {  # answers by which a system is there, or isn't: these may end a look
    "GET /intercom/me",
    "GET /jira/rest/api/*/serverInfo",
    "GET /jira/rest/api/*/myself",
    "POST /api/4.0/login",
    "GET /api/4.0/lookml_models",
}
LEADS = "-qualification-company"
CHANGES = 7  # of one answer, for each system


@pytest.fixture(scope="module")
def plain(world: World) -> Iterator[Sandbox]:
    """One server for all that only look at the whole company."""
    with Sandbox(world) as running:
        yield running


@pytest.fixture(scope="module")
def little() -> World:
    return build(seed=7, accounts=10, until=NOW)


@pytest.fixture(scope="module")
def server(little: World) -> Iterator[Sandbox]:
    with Sandbox(little) as running:
        yield running


@pytest.fixture
def cloud(server: Sandbox) -> Sandbox:
    server.faults.clear()
    return server


def same_in_effect(world: World, source: SourceName, block: dict[str, Any]) -> dict[str, Any]:
    """The block as it counts in this world: names that nothing there has change nothing, nor does an order."""
    if source == "intercom":
        used = {tag.strip().casefold() for talk in world.intercom.conversations for tag in talk.tags}
        block["escalation"]["tags"] = sorted(used & {tag.casefold() for tag in block["escalation"]["tags"]})
    elif source == "jira":
        block["critical_priorities"] = [each for each in block["critical_priorities"] if each in world.jira.priorities]
    else:
        block["features"]["catalogue"] = sorted(block["features"]["catalogue"])
    return block


@pytest.mark.parametrize("source", OTHERS)
def test_the_plain_world_is_mapped_as_by_hand_key_by_key(
    source: SourceName, plain: Sandbox, world: World, configure: Configure, tmp_path: Path
) -> None:
    by_hand = configure(plain)
    found = look(by_hand, source, accounts_of(world))
    ours = loaded_with(plain, configure, tmp_path, found.choices)
    mapped = [msgspec.to_builtins(each.connection(source).mapping) for each in (ours, by_hand)]
    assert same_in_effect(world, source, mapped[0]) == same_in_effect(world, source, mapped[1])
    assert not found.unknown


@pytest.mark.parametrize("source", OTHERS)
def test_a_run_reads_the_same_by_the_proposed_mapping_as_by_hand(  # noqa: PLR0917
    source: SourceName, served: Sandbox, company: World, configure: Configure, tmp_path: Path, scope: Scope
) -> None:
    by_hand = configure(served)
    ours = loaded_with(served, configure, tmp_path, look(by_hand, source, accounts_of(company)).choices)
    keys = keys_of(company, source)
    expected, found = (extract(each, source, scope, keys) for each in (by_hand, ours))
    assert found.gaps == expected.gaps
    for name, table in every_table(expected).items():
        ordered = [
            each.sort(column for column in table.columns if column != "keys")
            for each in (table, every_table(found)[name])
        ]
        assert ordered[0].equals(ordered[1]), name


@pytest.mark.parametrize("source", OTHERS)
def test_a_look_reads_alone_and_counts_each_of_its_few_requests(
    source: SourceName, plain: Sandbox, world: World, configure: Configure
) -> None:
    plain.log.clear()
    budget = RequestBudget()
    look(configure(plain), source, accounts_of(world), budget)
    calls = [call for call in plain.log if call.system == source]
    assert budget.calls == len(calls) <= 30
    reading = ("/search", "/search/jql", "/approximate-count", "/companies/list", "/login", "/queries")
    assert all(call.method == "GET" or call.path.endswith(reading) for call in calls)


@pytest.mark.parametrize("source", OTHERS)
def test_without_an_account_that_is_known_nothing_is_linked_and_that_is_said(
    source: SourceName, cloud: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    found = look(configure(cloud), source, AccountSample())
    assert chosen(found)[f"{source}.account_field"] == "Id"
    assert any(line.startswith(("Which company", "Whose")) for line in found.unknown)
    loaded_with(cloud, configure, tmp_path, found.choices)  # the file is a good one all the same


def moved(world: World) -> dict[str, str]:
    """A workspace that was moved: its companies have new ids, of which the CRM knows nothing, and name accounts by 15
    characters. Old id → account."""
    news = {old: f"ab{number:022x}" for number, old in enumerate(world.intercom.companies)}
    accounts = {str(each.intercom_company): each.account_id for each in world.customers if each.intercom_company}
    for old, company in world.intercom.companies.items():
        own = accounts.get(old)
        company.id = news[old]
        if not company.company_id.endswith(LEADS):
            company.company_id = f"tenant-{news[old][-4:]}"
        company.custom_attributes = {"crm_ref": own[:15] if own else None, "plan": "Gold"}
    world.intercom.companies = {each.id: each for each in world.intercom.companies.values()}
    for person in world.intercom.contacts.values():
        person.company_ids = [news[old] for old in person.company_ids]
    for talk in world.intercom.conversations:
        talk.company_id = None if talk.company_id is None else news[talk.company_id]
    return {news[old]: account for old, account in accounts.items() if old in news}


def test_a_workspace_that_was_moved_is_read_as_it_was_before(
    configure: Configure, tmp_path: Path, scope: Scope, cloud: Sandbox, little: World
) -> None:
    before = every_table(extract(configure(cloud), "intercom", scope, keys_of(little, "intercom")))["conversations"]
    companies = {str(each.intercom_company): each.account_id for each in little.customers}
    world = build(seed=7, accounts=10, until=NOW)
    owners = moved(world)
    with Sandbox(world) as running:
        found = look(configure(running), "intercom", accounts_of(world))
        ours = loaded_with(running, configure, tmp_path, found.choices)
        after = every_table(extract(ours, "intercom", scope, sorted(owners)))["conversations"]
    assert chosen(found)["intercom.attribute"] == "crm_ref"
    assert before.drop("keys").equals(after.drop("keys"))
    whose = [[owners.get(key) for key in keys] for keys in after["keys"]]
    assert whose == [[companies.get(key) for key in keys] for keys in before["keys"]]


def test_a_site_that_names_customers_and_bugs_otherwise_is_read_as_the_plain_one(
    configure: Configure, tmp_path: Path, scope: Scope, cloud: Sandbox, little: World
) -> None:
    before = every_table(extract(configure(cloud), "jira", scope, keys_of(little, "jira")))["issues"]
    accounts = {str(each.jira_component): each.account_id for each in little.customers if each.jira_component}
    world = build(seed=7, accounts=10, until=NOW)
    called = dict(zip(world.jira.priorities, ("P1", "P2", "P3", "P4", "P5"), strict=True))
    for issue in world.jira.issues:
        issue.components, issue.fields = ["Backend"], {}
        issue.type, issue.priority = issue.type.replace("Bug", "Defect"), called.get(str(issue.priority))
    world.jira.components = {project: ["Backend"] for project in world.jira.components}
    world.jira.priorities, world.jira.issue_types = [*called.values()], ["Defect", *world.jira.issue_types[1:]]
    with Sandbox(world) as running:
        found = look(configure(running), "jira", accounts_of(world))
        ours = loaded_with(running, configure, tmp_path, found.choices)
        after = every_table(extract(ours, "jira", scope, sorted(accounts.values())))["issues"]
    assert (chosen(found)["jira.link"], chosen(found)["jira.account_field"]) == ("label", "Id")
    assert before.drop("keys").equals(after.drop("keys"))
    assert [sorted(accounts[key] for key in keys) for keys in before["keys"]] == list(map(sorted, after["keys"]))


# --- what is refused, and what comes otherwise than it should -----------------------------------------------------


@pytest.mark.parametrize("source", OTHERS)
def test_a_credential_that_is_refused_ends_a_look_with_the_name_to_mend(
    source: SourceName, cloud: Sandbox, configure: Configure
) -> None:
    with pytest.raises(AccessError, match=next(iter(WRONG[source]))):
        look(configure(cloud, **WRONG[source]), source, AccountSample())


@pytest.mark.parametrize("source", OTHERS)
def test_a_system_that_nobody_answers_for_ends_a_look_as_unavailable(
    source: SourceName, little: World, configure: Configure
) -> None:
    with Sandbox(little) as running:
        loaded = configure(running, ACCOUNTPULSE_CA_BUNDLE=None)
    with pytest.raises(SourceUnavailable):
        look(loaded, source, AccountSample(), RequestBudget(patience=0.0))


@pytest.mark.parametrize(
    ("source", "path", "status"),
    [
        ("intercom", "/companies/list", 403),
        ("intercom", "/data_attributes", 404),
        ("intercom", "/conversations/attributes", 404),
        ("intercom", "/conversations/search", 401),
        ("intercom", "/tags", 403),
        ("intercom", "/teams", 401),
        ("jira", "/api/2/status", 403),
        ("jira", "/api/2/priority", 404),
        ("jira", "/api/2/issuetype", 401),
        ("jira", "/api/2/field", 403),
        ("jira", "/project", 401),
        ("jira", "/search/jql", 404),
        ("looker", "/explores/user_sessions", 404),
        ("looker", "/explores/", 403),
        ("looker", "/queries", 403),
        ("looker", "/looks", 401),
    ],
)
def test_what_is_refused_is_named_and_the_rest_goes_on(  # noqa: PLR0917
    source: SourceName, path: str, status: int, cloud: Sandbox, little: World, configure: Configure, tmp_path: Path
) -> None:
    cloud.faults.append(Fault(source, status, body=b"{}", times=50, path_contains=path))
    found = look(configure(cloud), source, accounts_of(little))
    assert any(f"HTTP {status}" in line for line in found.unknown)
    assert chosen(found)[f"{source}.account_field"]
    cloud.faults.clear()
    loaded_with(cloud, configure, tmp_path, found.choices)


@pytest.mark.parametrize(("source", "edition"), [*((name, "cloud") for name in OTHERS), ("jira", "datacenter")])
def test_no_change_of_one_answer_ends_a_look_but_one_of_the_sign_in(
    source: SourceName, edition: str, little: World, configure: Configure, tmp_path: Path
) -> None:
    rng = random.Random(f"look at {source}, {edition}")  # noqa: S311
    with Sandbox(little, jira=edition) as running, Proxy(running.url, running.https_url, tmp_path) as proxy:
        by_bearer = {} if edition == "cloud" else {"JIRA_EMAIL": None}
        loaded = configure(running, **proxy.environment(running.environment()), **by_bearer)
        look(loaded, source, accounts_of(little))
        endpoints = sorted({each.endpoint for each in proxy.log} - SIGN_IN)
        for turn in range(CHANGES):
            endpoint, mutation = rng.choice(endpoints), rng.choice(MUTATIONS)
            proxy.begin(Change(endpoint, None, lambda answer, m=mutation, t=turn: m.by(answer, Chance(m.name, t))))
            found = look(loaded, source, accounts_of(little))
            loaded_with(running, configure, tmp_path, found.choices)


def test_names_that_steer_a_terminal_or_never_end_leave_every_text_on_a_short_line(
    configure: Configure, tmp_path: Path
) -> None:
    world = build(seed=7, accounts=10, until=NOW)
    strange = ("P1\x1b[31m\n# key: value", "urgent " * 3000, "dringend\u202e", "\ud83d\ude00 kritisch: {a: [")
    for talk, name in zip(world.intercom.conversations[-400:], strange * 100, strict=False):
        talk.priority, talk.tags = "none", [name.encode("utf-16", "surrogatepass").decode("utf-16")]
    for company in world.intercom.companies.values():
        company.custom_attributes = {"a\nb": company.company_id, "x" * 5000: company.company_id}
    for issue in world.jira.issues:
        issue.priority = "Höchste\n- x" if issue.priority == "Highest" else issue.priority
    world.jira.priorities = ["Höchste\n- x", "Kritisch", *world.jira.priorities[1:]]
    for usage in world.looker.usage.values():
        usage.features |= {"a\x07b": 1 << 400 | 1 << 530, "y" * 4000: 1 << 530}
    with Sandbox(world) as running:
        for source in OTHERS:
            found = look(configure(running), source, accounts_of(world))
            for text in texts(found):
                assert "\n" not in text and "\x1b" not in text and "\u202e" not in text
                assert len(text) < 2000
            loaded_with(running, configure, tmp_path, found.choices)

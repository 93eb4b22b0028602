"""Jira's extractor over real sockets, on both products: links, refusals, what can't be seen, and how sites behave."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest

from accountpulse.core.errors import AccessError, ConfigurationError, UnexpectedAnswer
from accountpulse.core.period import Scope
from accountpulse.core.records import Extract
from accountpulse.core.spooled import NoPartStore
from accountpulse.sandbox.limits import Limit
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.jira import ACCOUNT_IDS, ACCOUNT_TEXT, ORGANIZATIONS
from accountpulse.sandbox.world.model import JiraIssue, World
from accountpulse.systems.jira import extract
from accountpulse.systems.jira.extract import BUGS
from accountpulse.systems.jira.links import quoted
from support import NOW, Configure
from systems.jira.asking import Asking, components, expected, owners, searches
from systems.shelf import Killed, Shelf

Kind = Literal["cloud", "datacenter"]
KINDS: tuple[Kind, ...] = ("cloud", "datacenter")


@pytest.fixture(scope="module")
def small() -> World:
    """A company of 30; tests that change it build their own."""
    return build(seed=3, accounts=30, until=NOW)


@pytest.fixture(params=KINDS)
def running(request: pytest.FixtureRequest, small: World) -> Iterator[Sandbox]:
    with Sandbox(small, jira=request.param) as sandbox:
        yield sandbox


@pytest.fixture
def ask(configure: Configure, tmp_path: Path, scope: Scope) -> Asking:
    return Asking(configure, tmp_path, scope)


def same(one: Extract, other: Extract) -> None:
    assert one.gaps == other.gaps
    for name, spool in one.spools.items():
        assert spool.height > 0
        assert spool.lazy().collect().equals(other.spools[name].lazy().collect()), name


# --- whose bug it is ---------------------------------------------------------------------------------------------


def values(name: str) -> Any:
    def of(issue: JiraIssue) -> list[str]:
        found = issue.fields.get(name) or []
        return [found] if isinstance(found, str) else [str(each.get("value", each.get("name"))) for each in found]

    return of


@pytest.mark.parametrize(
    ("block", "carried"),
    [
        ({"link": "component"}, lambda issue: issue.components),
        ({"link": "label"}, lambda issue: issue.labels),
        ({"link": "field", "field": ACCOUNT_IDS}, values(ACCOUNT_IDS)),
        ({"link": "field", "field": ACCOUNT_TEXT}, values(ACCOUNT_TEXT)),
        ({"link": "organization"}, values(ORGANIZATIONS)),
    ],
)
def test_a_bug_belongs_to_whom_its_link_names(
    block: dict[str, str], carried: Any, running: Sandbox, small: World, ask: Asking
) -> None:
    by_name = block["link"] in ("component", "organization")
    keys = components(small) if by_name else [each.account_id for each in small.customers if each.jira_component]
    extract = ask(running, keys, **block)
    assert extract.unknown_keys == {}
    assert owners(extract) == expected(small, ask.scope, carried, keys)


def test_a_bug_belongs_to_the_account_of_its_project(running: Sandbox, small: World, ask: Asking) -> None:
    extract = ask(running, ["CORE", "web"], link="project")
    found = expected(
        small, ask.scope, lambda issue: [{"WEB": "web"}.get(issue.project, issue.project)], ["CORE", "web"]
    )
    assert owners(extract) == found


def test_a_component_may_be_named_by_its_id(running: Sandbox, small: World, ask: Asking) -> None:
    extract = ask(running, ["20000"], link="component")  # the first one of the first project
    name = small.jira.components["CORE"][0]
    found = expected(
        small, ask.scope, lambda i: ["20000"] if name in i.components and i.project == "CORE" else [], ["20000"]
    )
    assert owners(extract) == found


def test_labels_that_differ_in_case_are_two_accounts(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW)
    bugs = [issue for issue in world.jira.issues if issue.type == "Bug"][:3]
    for issue, labels in zip(bugs, (["acme"], ["ACME"], ["acme", "ACME"]), strict=True):
        issue.labels, issue.updated = labels, ask.scope.window.start
    with Sandbox(world) as running:
        found = owners(ask(running, ["ACME", "acme"], link="label"))
    assert [found[issue.id] for issue in bugs] == [["acme"], ["ACME"], ["ACME", "acme"]]


def clauses(names: Iterable[str]) -> dict[str, str]:
    """A clause for each component, in several ways to write it."""
    shapes = ("component = {}", "component in ({})", "issuetype = Bug AND (component = {})")
    return {shapes[place % 3].format(quoted(name)): name for place, name in enumerate(sorted(names))}


def test_many_clauses_are_asked_for_at_once_and_told_apart(running: Sandbox, small: World, ask: Asking) -> None:
    named = clauses(components(small))
    extract = ask(running, named, link="jql")
    by_name = {name: clause for clause, name in named.items()}
    wanted = expected(small, ask.scope, lambda issue: [by_name[n] for n in issue.components if n in by_name], named)
    assert owners(extract) == wanted
    assert any(len(keys) > 1 for keys in wanted.values()), "the world has bugs of two customers"


def test_clauses_that_hold_one_another_each_have_their_bugs(running: Sandbox, small: World, ask: Asking) -> None:
    first, second = components(small)[:2]
    both = f"component in ({quoted(first)}, {quoted(second)})"
    every = "project in (CORE, WEB)"
    keys = [f"component = {quoted(first)}", f"component = {quoted(second)}", both, every]

    def carried(issue: JiraIssue) -> list[str]:
        one, other = first in issue.components, second in issue.components
        return [key for key, has in zip(keys, (one, other, one or other, True), strict=True) if has]

    assert owners(ask(running, keys, link="jql")) == expected(small, ask.scope, carried, keys)


def test_queries_are_few_whatever_the_number_of_accounts(ask: Asking) -> None:
    """Twice the accounts at equal rows: the same queries, as long as they fit into one chunk."""
    asked = {}
    for accounts in (60, 120):
        world = build(seed=3, accounts=accounts, until=NOW)
        keep = components(world)[:20]
        world.jira.issues = [issue for issue in world.jira.issues if set(issue.components) <= set(keep)][:250]
        with Sandbox(world) as running:
            ask(running, components(world), link="component")
            asked[accounts] = searches(running)
    assert asked[60] == asked[120] <= 5


# --- what Jira refuses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "bad"),
    [
        ({"link": "component"}, ["No such component", "Another, of old"]),
        ({"link": "organization"}, ["No such organisation", 'a "quoted" one']),
        ({"link": "project"}, ["GONE"]),
        ({"link": "jql"}, ["component = Nowhere", "nofield = 1", "project = CORE ORDER BY created", "component ="]),
        ({"link": "jql"}, ["(project = CORE", 'labels = "open', "project = CORE) OR (project = WEB", "  "]),
    ],
)
def test_a_value_that_jira_refuses_costs_its_own_account_alone(
    block: dict[str, str], bad: list[str], running: Sandbox, small: World, ask: Asking
) -> None:
    good = {
        "project": ["CORE", "WEB"],
        "jql": [f"component = {quoted(name)}" for name in components(small)],
    }.get(block["link"], components(small))
    clean, mixed = ask(running, good, **block), ask(running, [*good, *bad], **block)
    why = "not_visible" if block["link"] == "project" else "not_linked"
    assert mixed.unknown_keys == dict.fromkeys(bad, why)
    same(clean, mixed)
    assert any(bad[0][:20] in note for note in mixed.notes), "the reader learns which"


def test_quotes_in_a_value_stay_a_value(running: Sandbox, ask: Asking) -> None:
    extract = ask(running, ['x") OR project in ("CORE', "a\\", '"'], link="label")
    assert owners(extract) == {}
    assert extract.unknown_keys == {}


def test_a_bug_type_that_the_site_lacks_is_a_mistake_in_the_file(running: Sandbox, small: World, ask: Asking) -> None:
    with pytest.raises(ConfigurationError, match=r"jira\.bug_types: Defect"):
        ask(running, components(small), bug_types=["Bug", "Defect"])


def test_a_link_field_that_the_site_lacks_is_a_mistake_in_the_file(running: Sandbox, ask: Asking) -> None:
    with pytest.raises(ConfigurationError, match="customfield_99999"):
        ask(running, ["1"], link="field", field="customfield_99999")


# --- what can't be seen is not zero ------------------------------------------------------------------------------


def test_a_configured_project_that_is_not_visible_leaves_all_bugs_unknown(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW)
    world.jira.hidden = ["WEB"]
    with Sandbox(world) as running:
        extract = ask(running, components(world), projects=["CORE", "WEB"])
        assert extract.gaps == dict.fromkeys(BUGS, "not_visible")
        assert any("WEB" in note for note in extract.notes)
        assert ask(running, components(world), projects=["CORE"]).gaps == {}


def test_accounts_of_projects_that_are_not_visible_are_unknown_and_the_others_not(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW)
    world.jira.hidden = ["WEB"]
    with Sandbox(world) as running:
        for configured in ([], ["CORE", "WEB"]):
            extract = ask(running, ["CORE", "WEB"], link="project", projects=configured)
            assert extract.unknown_keys == {"WEB": "not_visible"}
            assert set(map(tuple, owners(extract).values())) == {("CORE",)}


def test_a_project_outside_the_configured_ones_is_unknown_not_empty(running: Sandbox, ask: Asking) -> None:
    assert ask(running, ["CORE", "WEB"], link="project", projects=["CORE"]).unknown_keys == {"WEB": "not_linked"}


def test_a_site_without_a_visible_project_leaves_all_bugs_unknown(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW)
    world.jira.hidden = ["CORE", "WEB"]
    with Sandbox(world) as running:
        assert ask(running, components(world)).gaps == dict.fromkeys(BUGS, "not_visible")


def test_priorities_that_the_site_lacks_leave_critical_bugs_unknown(
    running: Sandbox, small: World, ask: Asking
) -> None:
    extract = ask(running, components(small), critical_priorities=["Blocker", "Sev 1"])
    assert extract.gaps == {"critical_bugs": "field_missing"}
    assert extract.spools["issues"].lazy().collect()["critical"].null_count() == extract.spools["issues"].height


def test_a_priority_may_be_named_by_its_id_and_none_is_not_critical(
    running: Sandbox, small: World, ask: Asking
) -> None:
    critical = ask(running, components(small), critical_priorities=["1"]).spools["issues"].lazy().collect()
    priorities = {issue.id: issue.priority for issue in small.jira.issues}
    assert dict(critical.select("issue_id", "critical").iter_rows()) == {
        issue: priorities[issue] == "Highest" for issue in critical["issue_id"]
    }


def test_histories_that_are_refused_leave_reopened_bugs_unknown(running: Sandbox, small: World, ask: Asking) -> None:
    running.jira_oddities.refuses_histories = True
    extract = ask(running, components(small))
    assert extract.gaps == {"reopened_bugs": "field_missing"}
    assert extract.spools["issues"].height > 0


# --- how sites behave --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        {"cloud_page": 7, "server_page": 7},
        {"shuffled": True},
        {"shuffled": True, "cloud_page": 13, "server_page": 13},
        {"last_disagrees": True},
        {"histories": 1},
        {"histories": 40},
        {"reported_zone": ""},
        {"reported_zone": "Pacific/Kiritimati"},
        {"reported_zone": "No/Such"},
        {"reported_zone": "UTC", "cloud_page": 11, "server_page": 11},
    ],
)
def test_the_records_are_the_same_however_the_site_pages_and_orders(
    odd: dict[str, Any], running: Sandbox, small: World, ask: Asking
) -> None:
    usual = ask(running, components(small))
    for name, value in odd.items():
        setattr(running.jira_oddities, name, value)
    found = ask(running, components(small))
    same(usual, found)
    hidden = odd.get("reported_zone") in ("", "No/Such")
    assert any("names no time zone" in note for note in found.notes) is hidden


def test_cloud_and_data_center_tell_the_same(small: World, ask: Asking) -> None:
    found = []
    for kind in KINDS:
        with Sandbox(small, jira=kind) as running:
            found.append(ask(running, components(small)))
    same(*found)


def test_the_zone_of_our_user_changes_nothing(ask: Asking) -> None:
    found = []
    world = build(seed=3, accounts=30, until=NOW, issues=900)
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Midway", "Europe/Berlin", "Asia/Kolkata"):
        world.jira.timezone = zone
        with Sandbox(world) as running:
            found.append(ask(running, components(world)))
    for other in found[1:]:
        same(found[0], other)


def test_dates_in_another_zone_than_the_profile_s_cost_no_bug_and_are_told(ask: Asking) -> None:
    world = build(seed=5, accounts=12, until=NOW, issues=900, issue_days=6)
    with Sandbox(world) as running:
        usual = ask(running, components(world))
        running.jira_oddities.reported_zone = "Pacific/Kiritimati"
        found = ask(running, components(world))
    same(usual, found)
    assert not any("zone" in note for note in usual.notes)
    assert any("another time zone than Pacific/Kiritimati" in note for note in found.notes)


def test_pages_that_lead_in_a_circle_are_no_data(small: World, ask: Asking) -> None:
    with Sandbox(small) as running:
        running.jira_oddities.repeated_token = True
        running.jira_oddities.cloud_page = 20
        with pytest.raises(UnexpectedAnswer, match="circle"):
            ask(running, components(small))


def test_pages_that_end_before_the_end_are_no_data(small: World, ask: Asking) -> None:
    with Sandbox(small) as running:
        running.jira_oddities.lost_token = True
        running.jira_oddities.cloud_page = 20
        with pytest.raises(UnexpectedAnswer, match="no way to the others"):
            ask(running, components(small))


def test_an_estimate_that_is_far_off_is_told_and_changes_nothing(small: World, ask: Asking) -> None:
    with Sandbox(small) as running:
        usual = ask(running, components(small))
        running.jira_oddities.count_error = 3.0
        off = ask(running, components(small))
    same(usual, off)
    assert not any("index" in note for note in usual.notes)
    assert any("index" in note for note in off.notes)


def test_more_bugs_than_data_center_counts_to_are_all_read(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW, issues=12_000)
    with Sandbox(world, jira="datacenter") as running:
        running.jira_oddities.server_page = 1000
        extract = ask(running, components(world))
        assert all(call.status == 200 for call in running.log)
    assert owners(extract) == expected(world, ask.scope, lambda issue: issue.components, components(world))


def test_more_bugs_in_one_minute_than_can_be_counted_are_an_error(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW, issues=9000)
    for issue in world.jira.issues:
        issue.created = ask.scope.window.start
    with Sandbox(world, jira="datacenter") as running, pytest.raises(UnexpectedAnswer, match="within one minute"):
        ask(running, components(world))


def test_a_limit_that_is_told_is_met_and_not_run_into(running: Sandbox, small: World, ask: Asking) -> None:
    running.jira_oddities.cloud_page = running.jira_oddities.server_page = 2
    usual = ask(running, components(small))
    running.limits = {"jira": Limit(40, 1)}
    running.log.clear()
    same(usual, ask(running, components(small)))
    assert len(running.log) > 40
    assert sum(call.status == 429 for call in running.log) <= len(running.log) / 100


def test_a_limit_that_is_never_told_costs_refusals_and_no_bug(running: Sandbox, small: World, ask: Asking) -> None:
    running.jira_oddities.cloud_page = running.jira_oddities.server_page = 2
    usual = ask(running, components(small))
    running.limits = {"jira": Limit(40, 1, announced=False)}
    same(usual, ask(running, components(small)))


def test_refusals_are_waited_for_and_nothing_is_lost(running: Sandbox, small: World, ask: Asking) -> None:
    usual = ask(running, components(small))
    running.faults.append(Fault("jira", 429, {"Retry-After": "0"}, times=3, path_contains="search"))
    same(usual, ask(running, components(small)))


def test_a_scoped_token_works_below_its_path_only(small: World, ask: Asking) -> None:
    with Sandbox(small) as running:
        below = f"{running.url}/jira/ex/jira/{small.jira.cloud_id}"
        for email in (small.jira.email, None):
            changes = {"JIRA_API_TOKEN": small.jira.scoped_token, "JIRA_EMAIL": email}
            request = ask.request(running, components(small), JIRA_BASE_URL=below, **changes)
            assert extract.extract(request).spools["issues"].height > 0
        with pytest.raises(AccessError, match="JIRA_API_TOKEN"):
            extract.extract(ask.request(running, components(small), JIRA_API_TOKEN=small.jira.scoped_token))


def test_issues_before_and_after_the_instants_of_the_run(ask: Asking) -> None:
    world = build(seed=3, accounts=30, until=NOW)
    name, tick = components(world)[0], timedelta(milliseconds=1)
    mine = [issue for issue in world.jira.issues if issue.type == "Bug" and issue.components == [name]][:2]
    for issue, created in zip(mine, (ask.scope.as_of - tick, ask.scope.as_of), strict=True):
        issue.created, issue.updated = created, max(issue.updated, created)
    with Sandbox(world) as running:
        found = ask(running, [name]).spools["issues"].lazy().collect()
    assert mine[0].id in found["issue_id"]
    assert mine[1].id not in found["issue_id"]
    assert found.filter(pl.col("issue_id") == mine[0].id)["created_at"].item() == ask.scope.as_of - tick


# --- a walk that is killed


@pytest.fixture(scope="module")
def large() -> World:
    """One whose bugs are walked in several slices."""
    return build(seed=3, accounts=30, until=NOW, issues=2500)


@pytest.mark.parametrize("lives", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_that_is_killed_is_gone_on_with_and_ends_as_if_nothing_had_been(
    large: World, ask: Asking, kind: Kind, lives: int
) -> None:
    with Sandbox(large, jira=kind) as running:
        killed_and_gone_on_with(running, ask, lives)


def killed_and_gone_on_with(running: Sandbox, ask: Asking, lives: int) -> None:
    shelf = Shelf(lives, size=200)
    request = replace(ask.request(running, components(running.world)), parts=shelf)

    def asked() -> int:
        return sum(call.system == "jira" for call in running.log)

    whole = extract.extract(replace(request, parts=NoPartStore()))
    needed = asked()
    running.log.clear()
    with pytest.raises(Killed):
        extract.extract(request)
    assert len(shelf.parts) == lives
    before = list(shelf.parts)
    running.log.clear()
    shelf.lives = 1_000
    ended = extract.extract(request)
    same(whole, ended)
    assert ended.notes == whole.notes
    pages_kept = sum(part.spools["issues"].height for part in before if "issues" in part.spools) // 100
    assert asked() <= needed - pages_kept * 3 // 4 + 10
    covered = sorted(stretch for part in shelf.parts for stretch in part.stretches)
    assert all(one[2] <= other[1] for one, other in pairwise(covered) if one[0] == other[0])
    seen = [set(part.spools["issues"].lazy().collect()["issue_id"]) for part in shelf.parts if "issues" in part.spools]
    assert sum(map(len, seen)) == len(set().union(*seen)), "nothing that was kept came again"
    running.log.clear()
    assert shelf.parts[:lives] == before
    same(whole, extract.extract(request))  # now all is kept: neither a page nor a history is asked for
    assert not any("changelog" in call.path or "/issue/" in call.path for call in running.log)
    assert asked() < needed // 2

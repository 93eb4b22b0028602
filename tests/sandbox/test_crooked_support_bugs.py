"""The crooked workspace and site, as the program reads them over the wire: all accounts, all metrics, unknown included.

The truth is the world's own (docs/sandbox-worlds.md); the program shares no code with it.
"""

from typing import Any

import pytest

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.bugs import BUGS
from accountpulse.sandbox.truth.support import METRICS as SUPPORT
from accountpulse.sandbox.world import build, crooked_intercom, crooked_jira
from accountpulse.sandbox.world.crooked_jira import link_by
from accountpulse.sandbox.world.model import World
from sandbox.crooked import agrees, disagreements, found, truth
from support import NOW, Configure

ACCOUNTS = 40
EDITIONS = ("cloud", "datacenter")


def crooked(seed: int) -> World:
    return build(seed, ACCOUNTS, until=NOW, kind="crooked")


def settings_for(running: Sandbox, configure: Configure, edition: str) -> Any:
    return configure(running, **({} if edition == "cloud" else {"JIRA_EMAIL": None}))


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_metric_is_what_the_site_and_the_workspace_allow_to_say(
    seed: int, edition: str, configure: Configure, scope: Scope
) -> None:
    world = crooked(seed)
    with Sandbox(world, jira=edition) as running:
        got = found(settings_for(running, configure, edition), scope, "intercom", "jira")
    assert disagreements(got, world, {*SUPPORT, *BUGS}) == []


@pytest.mark.parametrize("version", ["2.14", "2.15"])
def test_an_older_version_shows_less_and_what_it_shows_is_read_as_well(
    version: str, configure: Configure, scope: Scope
) -> None:
    world = crooked(4)
    world.intercom.version = version
    with Sandbox(world) as running:
        got = found(configure(running), scope, "intercom")
    without_levels = [name for name in SUPPORT if name != "p1_p2_pct"]  # levels are of 2.16
    assert disagreements(got, world, without_levels) == []


@pytest.mark.parametrize(
    ("kind", "edition"),
    [
        ("text", "cloud"),
        ("document", "datacenter"),
        ("option", "cloud"),
        ("multi", "datacenter"),
        ("cascading", "cloud"),
        ("label", "datacenter"),
        ("project", "cloud"),
        ("project", "datacenter"),
    ],
)
def test_a_customer_is_found_by_each_kind_of_field(kind: str, edition: str, configure: Configure, scope: Scope) -> None:
    world = crooked(4)
    link_by(world.jira, kind)
    with Sandbox(world, jira=edition) as running:
        got = found(settings_for(running, configure, edition), scope, "jira")
    assert disagreements(got, world, BUGS) == []


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_site_without_histories_is_told_by_dates_or_not_at_all(
    edition: str, configure: Configure, scope: Scope
) -> None:
    world = crooked(2)
    whole = {(row.account_id, row.metric): row for row in truth(world, BUGS)}
    world.jira.keeps_histories = False
    with Sandbox(world, jira=edition) as running:
        got = found(settings_for(running, configure, edition), scope, "jira")
    rows = {row["account_id"]: row for row in got.iter_rows(named=True)}
    wrong = []
    for expected in truth(world, BUGS):
        value, why = (rows[expected.account_id][name] for name in (expected.metric, f"{expected.metric}_reason"))
        if expected.reason == "unclear":  # by these dates; Cloud has one more, which may tell what histories would
            known = whole[expected.account_id, expected.metric]
            right = value is None or known.reason == "unclear" or agrees(value, why, known)
        else:
            right = agrees(value, why, expected)
        wrong += [] if right else [(expected, value, why)]
    assert wrong == []


@pytest.mark.parametrize(
    ("kind", "edition"), [("user", "cloud"), ("group", "datacenter"), ("object", "cloud"), ("object", "datacenter")]
)
def test_a_kind_of_field_that_may_name_nobody_is_a_mistake_or_unknown_or_right(
    kind: str, edition: str, configure: Configure, scope: Scope
) -> None:
    world = crooked(5)
    link_by(world.jira, kind)
    with Sandbox(world, jira=edition) as running:
        try:
            got = found(settings_for(running, configure, edition), scope, "jira")
        except AccountpulseError as refused:
            assert refused.exit_code == 3
            assert "jira" in str(refused).lower()
            return
    rows = {row["account_id"]: row for row in got.iter_rows(named=True)}
    numbers = [row for row in truth(world, BUGS) if rows[row.account_id][row.metric] is not None]
    assert [row for row in numbers if rows[row.account_id][row.metric] != pytest.approx(row.value)] == []


def test_each_trouble_is_some_account_s() -> None:
    named = {each for customer in crooked(1).customers for each in customer.crooked}
    expected = {f"jira: {name}" for name in crooked_jira.TROUBLES}
    expected |= {f"intercom: {name}" for name in crooked_intercom.TROUBLES}
    assert expected <= named


def test_a_crooked_world_leaves_the_plain_one_as_it_was() -> None:
    before = build(6, ACCOUNTS, until=NOW)
    crooked(6)
    assert build(6, ACCOUNTS, until=NOW).parts == before.parts

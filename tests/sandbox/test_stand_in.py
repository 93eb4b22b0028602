"""A system of the sandbox is one folder and one line: a made-up helpdesk is added to the four."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from accountpulse import sandbox as package
from accountpulse.sandbox.jira import STAND_IN as JIRA
from accountpulse.sandbox.limits import Limit
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.stand_in import Crooked
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import Customer, World
from accountpulse.sandbox.world.plans import Blueprint
from demonstration.sandbox.helpdesk import STAND_IN as HELPDESK
from support import NOW

PERIOD = "2026-10"


@pytest.fixture
def larger(monkeypatch: pytest.MonkeyPatch) -> World:
    """A small company that has a helpdesk as well."""
    monkeypatch.setattr(package, "STAND_INS", (*package.STAND_INS, HELPDESK))
    return build(seed=3, accounts=24, until=NOW)


@pytest.fixture
def running(larger: World) -> Iterator[Sandbox]:
    with Sandbox(larger) as served:
        yield served


def get(running: Sandbox, path: str) -> requests.Response:
    names = running.environment()
    headers = {"Authorization": f"Bearer {names['HELPDESK_TOKEN']}"}
    return requests.get(f"{names['HELPDESK_URL']}{path}", headers=headers, timeout=60)


def support(world: World) -> dict[str, dict[str, float | str | None]]:
    """The truth about support by account."""
    found: dict[str, dict[str, float | str | None]] = {}
    for row in truth_table(world, PERIOD, NOW):
        found.setdefault(row.account_id, {})[row.metric] = row.reason if row.value is None else row.value
    return found


def test_the_other_systems_are_what_they_were(larger: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "STAND_INS", package.STAND_INS[:-1])
    plain = build(seed=3, accounts=24, until=NOW)
    assert set(larger.parts) - set(plain.parts) == {"helpdesk"}
    assert all(larger.parts[name] == part for name, part in plain.parts.items())
    assert larger.customers == plain.customers


def test_its_three_calls_are_served_and_logged_under_its_name(running: Sandbox) -> None:
    assert get(running, "/me").status_code == 200
    assert len(get(running, "/tickets").json()) == 36
    shown = get(running, "/tickets/1").json()
    assert (shown["id"], shown["account"]) == (1, running.world.customers[0].account_id)
    assert get(running, "/nothing").status_code == 404
    assert {call.system for call in running.log} == {"helpdesk"}


def test_it_can_be_down_be_limited_and_behave_badly(running: Sandbox) -> None:
    running.behaviours["helpdesk"].closed_for_lunch = True
    assert get(running, "/tickets").status_code == 503
    running.limits = {"helpdesk": Limit(1, 10_000)}
    first, second = get(running, "/me"), get(running, "/me")
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["Retry-After"]) > 0
    running.limits.clear()
    running.down.add("helpdesk")
    assert get(running, "/me").status_code == 503


def test_its_conversations_join_those_of_the_other_support_system(larger: World) -> None:
    name, united = "total_conversations", support(larger)
    del larger.parts["helpdesk"]
    alone = support(larger)
    helped = {customer.account_id for customer in larger.customers[::2]}
    for account, row in alone.items():
        before = 0 if row[name] == "not_linked" else row[name]
        assert united[account][name] == (before + 3 if account in helped else row[name])


def test_a_customer_of_the_helpdesk_alone_is_linked(larger: World) -> None:
    customer = larger.customers[0]
    customer.intercom_company = None
    measured = support(larger)[customer.account_id]
    assert measured["total_conversations"] == 3
    assert measured["median_first_response_seconds"] == 3600
    assert measured["median_resolution_seconds"] == 8 * 3600
    assert measured["p1_p2_pct"] == pytest.approx(100 / 3)
    assert (measured["escalation_pct"], measured["csat_score"]) == ("not_configured", "no_evidence")


def test_a_crooked_part_is_bent_and_has_a_mapping_and_a_truth_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def bend(desk: Any, _blueprint: Blueprint) -> None:
        del desk.tickets[0]

    def nobodys(_desk: Any) -> Callable[[Customer], None]:
        return lambda _customer: None

    crooked = Crooked(bend=bend, mapping=lambda desk, edition: {edition: len(desk.tickets)}, conversations=nobodys)
    monkeypatch.setattr(package, "STAND_INS", (package.STAND_INS[-1], replace(HELPDESK, crooked=crooked)))
    plain, bent = (build(seed=3, accounts=24, until=NOW, kind=kind) for kind in ("plain", "crooked"))
    assert (len(plain.parts["helpdesk"].tickets), len(bent.parts["helpdesk"].tickets)) == (36, 35)
    assert {row["total_conversations"] for row in support(plain).values()} == {3, "not_linked"}
    assert {row["total_conversations"] for row in support(bent).values()} == {"not_linked"}
    with Sandbox(bent) as running:
        mapping = yaml.safe_load(Path(running.environment()["ACCOUNTPULSE_CONFIG"]).read_text("utf-8"))
    assert mapping["helpdesk"] == {"standard": 35}


def test_a_world_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no world 'flat'; there are plain, crooked"):
        build(until=NOW, kind="flat")


def test_every_stand_in_has_a_name_and_a_prefix_of_its_own() -> None:
    assert len({each.name for each in package.STAND_INS}) == len(package.STAND_INS)
    prefixes = [each.prefix for each in package.STAND_INS]
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]


def test_an_edition_that_a_product_has_not_and_a_system_that_is_not_there_are_refused(world: World) -> None:
    assert JIRA.edition(None) == "cloud"
    with pytest.raises(ValueError, match=r"Jira has no edition 'server'; it has cloud, datacenter"):
        Sandbox(world, jira="server")
    with pytest.raises(ValueError, match="the sandbox has no system helpdesk"):
        Sandbox(world, helpdesk="standard")

"""Looker: which explore holds what, on instances that call everything otherwise or show less."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import UsageOf, World
from accountpulse.systems.discovery import AccountSample, Discovery
from accountpulse.systems.looker.api import Explore
from accountpulse.systems.looker.fields import ExploreField
from accountpulse.systems.looker.roles import SeenExplore, account_dimensions
from support import NOW, Configure, extract
from systems.discovering import accounts_of, choice, chosen, loaded_with, look
from systems.looker.asking import described
from systems.test_contract import every_table, keys_of

Look = Callable[..., Discovery]
CALLED = {
    "user_sessions": "ereignisse",
    "user_sessions.account_id": "ereignisse.crm_schluessel",
    "user_sessions.session_date": "ereignisse.tag_date",
    "user_sessions.session_month": "ereignisse.tag_month",
    "user_sessions.distinct_users": "ereignisse.aktive_nutzer",
    "user_sessions.session_count": "ereignisse.besuche",
    "feature_usage": "module_log",
    "feature_usage.account_id": "module_log.company_ref",
    "feature_usage.used_date": "module_log.at_date",
    "feature_usage.feature_name": "module_log.module",
    "platform_metrics": "kpis",
    "platform_metrics.account_id": "kpis.tenant",
    "platform_metrics.metric_date": "kpis.measured_date",
    "platform_metrics.metric_month": "kpis.measured_month",
    "platform_metrics.operations_index": "kpis.operations_score",
    "platform_metrics.automation_index": "kpis.avg_automation_kpi",
    "platform_metrics.insights_index": "kpis.insights_maturity",
    "platform_metrics.engagement_index": "kpis.engagement_score",
}


@pytest.fixture
def world() -> World:
    return build(seed=7, accounts=12, until=NOW)


@pytest.fixture
def seen(world: World, configure: Configure) -> Look:
    """What a look at the world as it is now finds; `closed` explores, and answers that are sent instead."""

    def made(*faults: Fault, accounts: AccountSample | None = None, closed: frozenset[str] = frozenset()) -> Discovery:
        with Sandbox(world) as running:
            running.behaviours["looker"].closed = closed
            running.faults.extend(faults)
            return look(configure(running), "looker", accounts or accounts_of(world))

    return made


def explore(view: str, changes: dict[str, Any], **more: Any) -> Fault:
    """An explore that is described so."""
    body = json.dumps(described(view, changes, **more)).encode()
    return Fault("looker", 200, body=body, path_contains=f"/explores/{view}")


# --- whatever things are called -----------------------------------------------------------------------------------


def test_an_instance_that_calls_everything_otherwise_is_read_as_the_plain_one(
    world: World, configure: Configure, tmp_path: Path, scope: Scope
) -> None:
    keys = keys_of(world, "looker")
    with Sandbox(world) as running:
        expected = extract(configure(running), "looker", scope, keys)
    world.looker.called, world.looker.model = CALLED, "warehouse"
    with Sandbox(world) as running:
        found = look(configure(running), "looker", accounts_of(world))
        again = extract(loaded_with(running, configure, tmp_path, found.choices), "looker", scope, keys)
    assert chosen(found)["looker.model"] == "warehouse"
    assert again.gaps == expected.gaps
    for name, table in every_table(expected).items():
        assert table.sort(table.columns).equals(every_table(again)[name].sort(table.columns)), name


def test_rows_that_name_customers_by_another_field_of_the_account_are_matched_with_it(world: World, seen: Look) -> None:
    numbers = {account: f"K-{number}" for number, account in enumerate(world.looker.usage)}
    world.looker.usage = {numbers[account]: usage for account, usage in world.looker.usage.items()}
    found = seen(accounts=accounts_of(world, ("Tier__c",), Customer_No__c=list(numbers.values())))
    assert chosen(found)["looker.account_field"] == "Customer_No__c"
    assert chosen(found)["looker.usage.account"] == "user_sessions.account_id"


def test_where_no_field_matches_the_explores_are_proposed_all_the_same(world: World, seen: Look) -> None:
    """Suggested links need to know where the customers' rows are."""
    world.looker.called = CALLED
    world.looker.usage = {f"tenant {number}": usage for number, usage in enumerate(world.looker.usage.values())}
    found = seen()
    assert chosen(found)["looker.account_field"] == "Id"
    assert chosen(found)["looker.usage.account"] == "ereignisse.crm_schluessel"
    assert choice(found, "looker.usage.account").why.startswith("The likeliest by its name")
    assert chosen(found)["looker.features.feature"] == "module_log.module"
    assert "operations" in chosen(found)["looker.platform.pillars"]
    assert any(line.startswith("Whose usage it is") for line in found.unknown)


def test_users_may_be_the_count_of_a_joined_view(seen: Look) -> None:
    joined = {"distinct_users": {"name": "users.count", "type": "count", "view": "users"}}
    assert chosen(seen(explore("user_sessions", joined)))["looker.usage.users"] == "users.count"


def test_sessions_may_be_the_count_of_a_view_that_is_called_so(seen: Look) -> None:
    found = seen(explore("user_sessions", {"session_count": {"name": "sessions.count", "type": "count"}}))
    assert chosen(found)["looker.usage.sessions"] == "sessions.count"
    assert not found.unknown


def test_the_id_of_a_joined_account_is_tried_before_other_texts() -> None:
    names = (
        "events.region",
        "events.kind",
        "accounts.id",
        "accounts.owner_email",
        "events.user_id",
        "events.company_code",
    )
    fields = {name: ExploreField(name, "dimension", "string", name.partition(".")[0]) for name in names}
    one = SeenExplore("m", "events", Explore(fields, frozenset({"events"}), {}, {}, has_zones=True))
    assert account_dimensions(one) == ["events.company_code", "accounts.id", "events.kind", "events.region"]


def test_addresses_of_people_are_no_features(world: World, seen: Look) -> None:
    for usage in world.looker.usage.values():
        usage.features = {"ada@example.org": (1 << world.looker.days) - 1, "reports": (1 << world.looker.days) - 1}
    found = seen()
    assert chosen(found)["looker.features"] == "none"
    assert "ada@" not in repr(found)


def test_a_measure_of_the_right_kind_whose_name_says_nothing_is_taken_with_a_question(seen: Look) -> None:
    found = seen(explore("user_sessions", {"distinct_users": {"name": "user_sessions.d1"}}))
    assert chosen(found)["looker.usage.users"] == "user_sessions.d1"
    assert any("What user_sessions.d1 counts" in line for line in found.unknown)


def test_counts_of_accounts_or_of_new_users_are_no_users(seen: Look) -> None:
    more = {
        "distinct_accounts": {"group": "measures", "type": "count_distinct"},
        "new_users": {"group": "measures", "type": "count_distinct"},
    }
    assert chosen(seen(explore("user_sessions", more)))["looker.usage.users"] == "user_sessions.distinct_users"


def test_the_day_of_something_else_than_use_is_not_taken(seen: Look) -> None:
    more = {
        name: {"type": f"date_{name.rpartition('_')[2]}"} for name in ("account_signup_date", "account_signup_month")
    }
    keys = chosen(seen(explore("user_sessions", more)))
    assert keys["looker.usage.date"] == "user_sessions.session_date"
    assert keys["looker.usage.month"] == "user_sessions.session_month"


# --- what an explore filters by itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "own", "taken"),
    [
        ("device", "string", "web", ""),
        ("is_internal", "yesno", "No", "No"),
        ("session_date", "date_date", "7 days", None),
    ],
)
def test_a_filter_of_the_explores_own_is_set_aside_unless_it_keeps_out_what_is_no_use(  # noqa: PLR0917
    name: str, kind: str, own: str, taken: str | None, world: World, seen: Look
) -> None:
    if taken is not None:
        world.looker.always = {"user_sessions": (f"user_sessions.{name}", own)}
    filters = [{"name": f"user_sessions.{name}", "value": own}]
    found = seen(explore("user_sessions", {name: {"type": kind}}, always_filter=filters))
    expected = None if taken is None else {f"user_sessions.{name}": taken}
    assert chosen(found).get("looker.usage.filters") == expected
    assert any(name in line for line in found.unknown) == (taken is not None)


# --- what is not there --------------------------------------------------------------------------------------------


def test_without_an_explore_of_sessions_usage_is_none_and_says_what_lacks(seen: Look) -> None:
    found = seen(closed=frozenset({"user_sessions"}))
    assert chosen(found)["looker.usage"] == "none"
    assert any("count_distinct" in line for line in found.unknown)
    assert chosen(found)["looker.features.catalogue"]


def test_without_an_explore_of_features_they_are_none(seen: Look) -> None:
    assert chosen(seen(closed=frozenset({"feature_usage"})))["looker.features"] == "none"


def test_shares_of_one_and_counts_are_no_pillars(world: World, seen: Look) -> None:
    def scaled(usage: UsageOf, pillar: str, by: float) -> UsageOf:
        months = {month: value * by for month, value in usage.pillars.get(pillar, {}).items()}
        return replace(usage, pillars={**usage.pillars, pillar: months})

    usage = {key: scaled(each, "operations", 0.01) for key, each in world.looker.usage.items()}
    world.looker.usage = {key: scaled(each, "automation", 40) for key, each in usage.items()}
    assert set(chosen(seen())["looker.platform.pillars"]) == {"insights", "engagement"}


def test_a_pivoted_look_is_no_pillar_and_is_named(world: World, seen: Look) -> None:
    world.looker.pivoted = True
    found = seen()
    assert "engagement" not in chosen(found)["looker.platform.pillars"]
    assert any("Look 42" in line and "pivot" in line for line in found.unknown)


def test_a_dimension_with_very_many_values_is_no_catalogue(world: World, seen: Look) -> None:
    for number, usage in enumerate(world.looker.usage.values()):
        usage.features = {f"page {number}-{place}": (1 << world.looker.days) - 1 for place in range(9)}
    found = seen()
    assert chosen(found)["looker.features"] == "none"
    assert any("no catalogue" in line for line in found.unknown)


def test_what_looks_like_nps_or_seats_is_offered_and_not_taken(seen: Look) -> None:
    found = seen()
    assert chosen(found)["looker.metrics"] is None
    ((nps, _why),) = choice(found, "looker.metrics").others
    assert nps == {
        "nps": {
            "explore": "surveys",
            "account": "surveys.account_id",
            "date": "surveys.answered_date",
            "measure": "surveys.net_promoter_score",
            "days": 90,
        }
    }
    ((seats, _words),) = choice(found, "looker.seats").others
    assert seats == {
        "explore": "platform_metrics",
        "account": "platform_metrics.account_id",
        "date": "platform_metrics.metric_date",
        "measure": "platform_metrics.licensed_seats",
    }


def test_an_explore_without_time_zones_asks_whose_days_they_are(world: World, seen: Look) -> None:
    world.looker.zoneless = {"user_sessions"}
    assert any("In which zone" in line and "user_sessions" in line for line in seen().unknown)


def test_an_explore_that_shows_each_user_its_own_rows_is_named(seen: Look) -> None:
    closed = [{"field": "user_sessions.account_id", "user_attribute": "region"}]
    found = seen(explore("user_sessions", {}, access_filters=closed))
    assert any("access filters" in line for line in found.unknown)

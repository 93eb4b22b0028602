"""The judge of the whole: every metric of every account, as the pipeline measures it over the wire, against what the
world itself knows. The two share no code."""

import math
from datetime import datetime
from typing import Literal

import polars as pl
import pytest

from accountpulse.core.catalogue import catalogue
from accountpulse.core.period import Scope, parse_period, scope_of
from accountpulse.core.records import Extract, SourceName
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from own_metrics import OWN, with_own
from support import NOW, Configure, extract, measured


def measure(loaded: Settings, scope: Scope) -> pl.DataFrame:
    """Extract all four and measure, as the pipeline does, with own metrics and seats from Looker as well."""
    loaded = with_own(loaded)
    extracts: dict[SourceName, Extract] = {"salesforce": extract(loaded, "salesforce", scope)}
    links = extracts["salesforce"].tables["links"]
    for source in loaded.configured[1:]:
        keys = tuple(links.filter(pl.col("source") == source)["key"].unique().sort())
        extracts[source] = extract(loaded, source, scope, keys)
    return measured(loaded, extracts, scope, OWN)


def disagreements(measured: pl.DataFrame, world: World, period: str, now: datetime) -> list[str]:
    rows = {row["account_id"]: row for row in measured.iter_rows(named=True)}
    wrong = []
    for expected in truth_table(world, period, now):
        got = rows[expected.account_id][expected.metric]
        why = rows[expected.account_id][f"{expected.metric}_reason"]
        same = (
            got is None and why == expected.reason
            if expected.value is None
            else got is not None and why is None and math.isclose(got, expected.value, rel_tol=1e-9, abs_tol=1e-12)
        )
        if not same:
            name = f"{expected.account_id} {expected.metric}"
            wrong.append(f"{name}: {got} ({why}), true is {expected.value} ({expected.reason})")
    return wrong


@pytest.mark.parametrize("jira", ["cloud", "datacenter"])
@pytest.mark.parametrize("period", ["2026-10", "2026-08", "2026-11"])
def test_every_metric_of_every_account_agrees_with_the_world(
    world: World, configure: Configure, period: str, jira: Literal["cloud", "datacenter"]
) -> None:
    with Sandbox(world, jira=jira) as running:
        changes = {"JIRA_EMAIL": None} if jira == "datacenter" else {}
        loaded = configure(running, **changes)
        found = measure(loaded, scope_of(parse_period(period), NOW))
    assert found.height == len(world.customers) == 120
    expected = truth_table(world, period, NOW)
    assert len(expected) == 120 * len(catalogue(loaded.rules.pillars, OWN))
    assert disagreements(found, world, period, NOW) == []


@pytest.mark.parametrize(("seed", "issues"), [(1, 0), (2, 1500)])
def test_another_company_agrees_as_well(configure: Configure, seed: int, issues: int) -> None:
    world = build(seed=seed, accounts=60, until=NOW, issues=issues)
    with Sandbox(world) as running:
        found = measure(configure(running), scope_of(parse_period("2026-10"), NOW))
    assert disagreements(found, world, "2026-10", NOW) == []


def test_the_judge_sees_a_wrong_value(world: World, configure: Configure, scope: Scope) -> None:
    """The comparison itself can fail: one conversation more on one account is noticed, and nothing else."""
    with Sandbox(world) as running:
        found = measure(configure(running), scope)
    first = found["account_id"][0]
    off = pl.when(pl.col("account_id") == first).then(pl.col("open_bugs").fill_null(0) + 1).otherwise("open_bugs")
    found = disagreements(found.with_columns(open_bugs=off), world, "2026-10", NOW)
    assert len(found) == 1
    assert found[0].startswith(f"{first} open_bugs")

"""What the program finds in a crooked world, held against what is true of it."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

import polars as pl

from accountpulse import accounts
from accountpulse.core.period import Scope
from accountpulse.core.records import Extract, LinkFile, SourceName
from accountpulse.sandbox.truth.bugs import BUGS
from accountpulse.sandbox.truth.support import METRICS as SUPPORT
from accountpulse.sandbox.truth.table import TruthRow, truth_table
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS
from support import NOW, extract, measured, request

PERIOD = "2026-10"
METRICS: Mapping[SourceName, tuple[str, ...]] = {"intercom": SUPPORT, "jira": BUGS}


def found(loaded: Settings, scope: Scope, *sources: SourceName) -> pl.DataFrame:
    """Every metric of every account, where only the CRM and these systems are asked."""
    extracts: dict[SourceName, Extract] = {"salesforce": extract(loaded, "salesforce", scope)}
    links = extracts["salesforce"].tables["links"]
    for name in sources:
        system = SYSTEMS[name]
        by_attribute = None if system.find is None else system.find(request(loaded, name, scope)).found_keys
        keys = accounts.asked_keys(links, system.source, by_attribute, LinkFile())
        extracts[name] = replace(extract(loaded, name, scope, keys), found_keys=by_attribute, asked=keys)
    return measured(loaded, extracts, scope)


def truth(world: World, metrics: Collection[str]) -> list[TruthRow]:
    """What is true of these metrics, account by account."""
    return [row for row in truth_table(world, PERIOD, NOW) if row.metric in metrics]


def disagreements(got: pl.DataFrame, world: World, metrics: Collection[str]) -> list[str]:
    """A line for each value or reason that isn't what is true, with what is crooked about the account."""
    rows = {row["account_id"]: row for row in got.iter_rows(named=True)}
    crooked = {each.account_id: ", ".join(each.crooked) or each.scenario for each in world.customers}
    wrong = []
    for expected in truth(world, metrics):
        row = rows.get(expected.account_id, {})
        value, why = row.get(expected.metric), row.get(f"{expected.metric}_reason")
        if not agrees(value, why, expected):
            said, right = (why if value is None else value), (expected.reason or expected.value)
            wrong.append(
                f"{expected.account_id} ({crooked[expected.account_id]}) {expected.metric}: {said}, not {right}"
            )
    return wrong


def agrees(value: float | None, why: str | None, expected: TruthRow) -> bool:
    """Whether a value, or the reason why there is none, is the true one."""
    if value is None or expected.value is None:
        return value is None and expected.value is None and why == expected.reason
    return why is None and math.isclose(value, expected.value, rel_tol=1e-9, abs_tol=1e-12)

"""The crooked world's CRM and usage: what is true of it, by hand; and every metric of every account, extracted over the
wire and measured, against that truth.

Seeds 3, 4 and 5 see every way in which the org keeps its things (`WAYS` of world/crooked_org.py).
"""

import math
from collections.abc import Iterator

import polars as pl
import pytest

from accountpulse.core.period import Scope, parse_period, scope_of
from accountpulse.core.records import Extract, SourceName
from accountpulse.pipeline.conservation import rows_of
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth import bugs, support
from accountpulse.sandbox.truth.table import TruthRow, truth_table
from accountpulse.sandbox.truth.usage import PILLARS
from accountpulse.sandbox.world import build, crooked_org, crooked_warehouse
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from own_metrics import OWN, with_own
from support import NOW, Configure, extract, measured

SEEDS = (3, 4, 5)
PERIOD = "2026-10"
PERIODS = (PERIOD, "2025-12", "2026-11")  # the last one; one that is asked for late; the one that is still open
ELSEWHERE = {*support.METRICS, *bugs.BUGS}
OTHER_SYSTEMS = ("INTERCOM_API_TOKEN", "INTERCOM_BASE_URL", "JIRA_BASE_URL", "JIRA_EMAIL", "JIRA_API_TOKEN")
# where the rules allow a number and a reason alike: what stands for it in the cases that they were written with
EITHER = {
    ("currency changed", "arr_trajectory_pct"): "unclear",
    ("snapshot in another currency", "arr_trajectory_pct"): "unclear",
    **{("account spelled twice", f"pillar_{name}"): "several_rows" for name in PILLARS},  # two rows that are both null
}
SIGNALS = "critical_signals", "moderate_signals", "watch_signals", "critical_confirmed_signals", "monitoring_reduction"


@pytest.fixture(scope="module")
def worlds() -> dict[int, World]:
    return {seed: build(seed, 40, until=NOW, kind="crooked") for seed in SEEDS}


@pytest.fixture(params=SEEDS)
def crooked(request: pytest.FixtureRequest, worlds: dict[int, World]) -> World:
    return worlds[request.param]


@pytest.fixture(scope="module")
def truths(worlds: dict[int, World]) -> dict[int, list[TruthRow]]:
    return {seed: truth(world) for seed, world in worlds.items()}


def truth(world: World, period: str = PERIOD) -> list[TruthRow]:
    return [row for row in truth_table(world, period, NOW) if row.metric not in ELSEWHERE]


# --- the truth, by hand ----------------------------------------------------------------------------------------

BY_HAND = [
    ("contract without end", {"days_to_renewal": "no_evidence"}),
    ("contract without end, and a date on the account", {"days_to_renewal": 241}),
    ("renewal given up long ago, and a contract", {"days_to_renewal": 65}),
    ("renewal 180 days overdue", {"days_to_renewal": -180}),
    ("renewal 181 days overdue", {"days_to_renewal": "no_evidence"}),
    ("renewed before", {"days_to_renewal": 65}),
    ("renewed since", {"days_to_renewal": "unclear"}),
    ("expansion lost before", {"expansion_signals": 0}),
    ("expansion lost since", {"expansion_signals": "unclear"}),
    ("two changes in one second", {"arr_trajectory_pct": 20}),
    ("two changes in one second that fork", {"arr_trajectory_pct": "unclear", "tier_alignment": "unclear"}),
    ("history against the present", {"arr_trajectory_pct": "unclear", "tier_alignment": "unclear"}),
    ("currency changed", {"arr_trajectory_pct": 0}),
    ("currency changed since", {"arr_trajectory_pct": 25}),
    ("ARR changed twenty months ago", {"arr_trajectory_pct": 0}),
    ("ARR from nothing", {"arr_trajectory_pct": "no_evidence"}),
    ("tier sold no more", {"tier_alignment": "unclear", "qbr_attendance": "not_configured"}),
    ("two snapshots on a day", {"arr_trajectory_pct": "several_rows"}),
    ("no snapshot of a year ago", {"arr_trajectory_pct": "no_evidence"}),
    ("finished review task without a day", {"qbr_attendance": "unclear"}),
    ("open review task without a day", {"qbr_attendance": 0}),
    ("deleted review", {"qbr_attendance": 0}),
    ("champion without sharing", {"champion_stability": "not_visible"}),
    ("champion whose contact names no account", {"champion_stability": "unclear"}),
    ("said in words that all are there", {"champion_stability": 100}),
    ("signal without a date", dict(zip(SIGNALS, (1, 0, 0, 1, 0), strict=True))),
    ("signal without a severity", dict.fromkeys(SIGNALS, "unclear")),
    ("severity that is used no more", dict.fromkeys(SIGNALS, "unclear")),
    ("severity that is used no more, of a signal closed before", dict.fromkeys(SIGNALS, 0)),
    ("signal without a severity, of after as_of", dict.fromkeys(SIGNALS, 0)),
    ("resolved without a date", dict.fromkeys(SIGNALS, 0)),
    ("monitored without a date", dict(zip(SIGNALS, (0, 1, 0, 0, 1), strict=True))),
    ("invoice overdue", {"payment_health": 1}),
    ("invoice without a due date", {"payment_health": "unclear"}),
    ("invoice paid late", {"payment_health": 1}),
    ("invoice paid on the day", {"payment_health": 0}),
    ("invoice paid since", {"payment_health": 1}),
    ("invoice paid late, long ago", {"payment_health": 0}),
    ("expansion without a probability", {"expansion_signals": 0}),
    ("expansion made since", {"expansion_signals": 0}),
    ("two problems", {"payment_health": 2}),
    ("no number", {"payment_health": "no_evidence"}),
    ("seats fell twice on a day", {"contract_changes": 1}),
    ("seats from nothing", {"contract_changes": 0}),
    ("pillar null", {"pillar_operations": "no_evidence"}),
]


@pytest.mark.parametrize(("what", "expected"), BY_HAND, ids=[what for what, _expected in BY_HAND])
def test_what_is_crooked_is_true_as_the_rules_say(
    worlds: dict[int, World], truths: dict[int, list[TruthRow]], what: str, expected: dict[str, float | str]
) -> None:
    seen = set()
    for seed, world in worlds.items():
        if overruled(world, what):
            continue
        those = {customer.account_id for customer in world.customers if what in customer.crooked}
        for row in truths[seed]:
            if row.account_id in those and row.metric in expected:
                seen.add(row.metric)
                found = row.reason if row.value is None else row.value
                assert (found, row.account_id) == (expected[row.metric], row.account_id)
    assert seen == set(expected)


def overruled(world: World, what: str) -> bool:
    """Whether the way in which this org keeps its things decides for all of its accounts, or doesn't look there."""
    keeps = world.salesforce.keeps
    late = what.startswith("seats") and keeps["downgrades"] == "late history"
    by_role = what in {"champion without sharing", "champion whose contact names no account"}
    return late or (by_role and keeps["champions"] == "contact")


def test_every_entry_of_the_lists_happens_to_somebody(worlds: dict[int, World]) -> None:
    lists = [value for value in (*vars(crooked_org).values(), crooked_warehouse.USAGE) if is_list_of_kinds(value)]
    named = {name for kinds in lists for name, _bend in kinds if name}
    seen = {name for world in worlds.values() for customer in world.customers for name in customer.crooked}
    assert named == {name for name in seen if not name.startswith(("intercom: ", "jira: "))}


def is_list_of_kinds(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], tuple)


def test_what_was_asked_later_than_history_is_kept_is_too_new(worlds: dict[int, World]) -> None:
    """24 months before November 2026 lie after the beginning of the year that ends with October 2025."""
    rows = [row for row in truth(worlds[3], "2025-10") if row.metric == "arr_trajectory_pct"]
    assert {row.reason for row in rows} <= {"too_new", "unclear"}
    assert {row.reason for row in rows} >= {"too_new"}


# --- extraction against the truth ------------------------------------------------------------------------------


@pytest.fixture
def served(crooked: World) -> Iterator[Sandbox]:
    with Sandbox(crooked) as running:
        yield running


def extracts_of(loaded: Settings, scope: Scope) -> dict[SourceName, Extract]:
    """What both systems answer."""
    found: dict[SourceName, Extract] = {"salesforce": extract(loaded, "salesforce", scope)}
    links = found["salesforce"].tables["links"]
    keys = tuple(links.filter(pl.col("source") == "looker")["key"].unique().sort())
    return {**found, "looker": extract(loaded, "looker", scope, keys)}


def disagreements(found: pl.DataFrame, world: World, period: str) -> list[str]:
    """A line for each metric of an account that isn't what is true; it names what is crooked about the account."""
    rows = {row["account_id"]: row for row in found.iter_rows(named=True)}
    crooked = {customer.account_id: customer.crooked for customer in world.customers}
    wrong = []
    for true in truth(world, period):
        got, why = rows[true.account_id][true.metric], rows[true.account_id][f"{true.metric}_reason"]
        expected = {true.reason} | {EITHER.get((what, true.metric)) for what in crooked[true.account_id]} - {None}
        agrees = (
            why is not None and why in expected
            if got is None
            else true.value is not None and math.isclose(got, true.value, rel_tol=1e-9, abs_tol=1e-9)
        )
        if not agrees:
            kind = ", ".join(crooked[true.account_id])
            wrong.append(
                f"{true.metric}: {got} ({why}), true is {true.value} ({true.reason}); {true.account_id}: {kind}"
            )
    return wrong


@pytest.mark.parametrize("period", PERIODS)
def test_every_metric_of_every_account_agrees_with_the_crooked_world(
    served: Sandbox, configure: Configure, period: str
) -> None:
    loaded = with_own(configure(served, **dict.fromkeys(OTHER_SYSTEMS)))
    scope = scope_of(parse_period(period), NOW)
    extracts = extracts_of(loaded, scope)
    found = measured(loaded, extracts, scope, OWN)
    assert found.height == len(served.world.customers) == 40
    assert disagreements(found, served.world, period) == []
    for each in extracts.values():  # rule 1: RowsLost where a row that came went nowhere
        assert [row.table for row in rows_of(each, {})]


def test_the_judge_sees_a_wrong_number_and_a_wrong_reason(worlds: dict[int, World]) -> None:
    world = worlds[3]
    account = world.customers[0].account_id
    columns: dict[str, dict[str, float | str | None]] = {}
    for row in truth(world):
        columns.setdefault(row.account_id, {"account_id": row.account_id})
        columns[row.account_id] |= {row.metric: row.value, f"{row.metric}_reason": row.reason}
    assert disagreements(pl.DataFrame(list(columns.values()), infer_schema_length=None), world, PERIOD) == []
    columns[account]["payment_health"] = 17.0
    columns[account] |= {"dau": None, "dau_reason": None}
    found = disagreements(pl.DataFrame(list(columns.values()), infer_schema_length=None), world, PERIOD)
    assert sorted(line.partition(":")[0] for line in found) == ["dau", "payment_health"]

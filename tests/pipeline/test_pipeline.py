"""The whole job over real sockets: what it writes, what it refuses, and how it ends."""

import copy
import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.errors import AccessError, ConfigurationError, SourceUnavailable, UsageError
from accountpulse.core.period import Period
from accountpulse.core.records import SourceName
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest, started
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.scoring.scorecard import default_text
from accountpulse.settings import Settings
from accountpulse.settings.environment import SECRET_NAMES
from accountpulse.state import State
from support import NOW, Configure, Silent, meant

OCTOBER = RunRequest(period=Period(2026, 10))


@pytest.fixture
def world(company: World) -> World:
    """Here the small company: what a run does with 25 accounts it does with 120."""
    return company


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """Its server."""
    return served


def run(loaded: Settings, options: RunRequest = OCTOBER) -> RunResult:
    return pipeline.execute(loaded, options, NOW, Silent())


def counts(result: RunResult, *names: str) -> tuple[int, ...]:
    return tuple(result.count(name) for name in names)


@dataclass(frozen=True)
class Ran:
    """A run of October that ended well: its settings, its result, and what the org holds since."""

    sandbox: Sandbox
    loaded: Settings
    result: RunResult
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def october(company: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """One for all tests that begin after it."""
    stored = company.salesforce.objects["Health_Score__c"].rows
    with Sandbox(company) as running:
        state = str(tmp_path_factory.mktemp("october") / "state")
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": state})
        result = run(loaded)
        rows = copy.deepcopy(stored)
        stored.clear()
        yield Ran(running, loaded, result, rows)


@pytest.fixture
def ran(october: Ran, tmp_path: Path) -> Iterator[Ran]:
    """It, with a state of one's own, and the org as it left it; taken away afterwards."""
    stored = october.sandbox.world.salesforce.objects["Health_Score__c"].rows
    stored[:] = copy.deepcopy(october.rows)
    october.sandbox.log.clear()
    state = shutil.copytree(october.loaded.state, tmp_path / "ran")
    yield replace(october, loaded=replace(october.loaded, state=str(state)))
    october.sandbox.down.clear()
    stored.clear()


def records(sandbox: Sandbox) -> dict[str, dict[str, object]]:
    rows = sandbox.world.salesforce.objects["Health_Score__c"].rows
    return {str(row["External_Key__c"]): row for row in rows}


def writes(sandbox: Sandbox) -> int:
    return sum(call.method in {"PATCH", "PUT", "DELETE"} for call in sandbox.log)


def test_every_customer_is_scored_and_written_once(ran: Ran, world: World) -> None:
    result = ran.result
    assert result.exit_code == 0
    assert result.problems == ()
    stored = records(ran.sandbox)
    assert set(stored) == {f"{customer.account_id}-2026-10" for customer in world.customers}
    assert result.count("written") == len(stored) == 25
    assert {row["Run_Id__c"] for row in stored.values()} == {result.run_id}
    assert {row["Tier__c"] for row in stored.values()} >= {"Healthy", "At Risk", "Critical", "Not Rated"}


def test_a_second_run_creates_nothing_and_leaves_equal_records(ran: Ran) -> None:
    first, sandbox = ran.result, ran.sandbox
    before = {key: (row["Health_Score__c"], row["Tier__c"], row["Drivers__c"]) for key, row in records(sandbox).items()}
    second = run(ran.loaded)
    after = {key: (row["Health_Score__c"], row["Tier__c"], row["Drivers__c"]) for key, row in records(sandbox).items()}
    assert after == before
    assert counts(first, "created", "unchanged", "written") == (25, 0, 25)
    assert counts(second, "created", "updated", "unchanged", "written") == (
        0,
        0,
        25,
        0,
    )
    assert writes(sandbox) == 0
    assert {row["Run_Id__c"] for row in records(sandbox).values()} == {first.run_id}
    assert second.exit_code == 0


def test_a_month_that_is_not_over_is_said_to_be_so(sandbox: Sandbox, configure: Configure) -> None:
    loaded = configure(sandbox)
    card = pipeline.read_scorecard(loaded, None)
    said = {}
    for month in (10, 11):
        asked = RunRequest(period=Period(2026, month), dry_run=True)
        with started(loaded, asked, card, NOW, Silent()) as running:
            said[month] = running.notes
    assert said[10] == ()
    text = "2026-11 is not over: its scores will change. Its users are those of its days so far, and mau_trend_pct "
    assert said[11] == (text + "compares them with whole months",)


def test_more_records_than_bulk_above_are_one_bulk_job(sandbox: Sandbox, configure: Configure, tmp_path: Path) -> None:
    config = tmp_path / "accountpulse.yaml"
    usual = Path(sandbox.environment()["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
    config.write_text(f"{usual}salesforce: {{target: {{bulk_above: 24}}}}\n", encoding="utf-8")
    result = run(configure(sandbox, ACCOUNTPULSE_CONFIG=str(config)))
    assert (result.count("created"), result.exit_code, result.imbalance) == (25, 0, None)
    assert len(records(sandbox)) == 25
    jobs = [call for call in sandbox.log if call.path.endswith("/jobs/ingest")]
    # first whether a run before has left a job behind
    assert [(call.method, call.status) for call in jobs] == [("GET", 200), ("POST", 200)]
    assert not [call for call in sandbox.log if "/composite/" in call.path]
    assert result.count("calls") <= 14


def test_a_dry_run_says_what_a_load_would_do(ran: Ran, tmp_path: Path) -> None:
    changed, dry = records(ran.sandbox), replace(OCTOBER, dry_run=True, out=tmp_path / "out")
    for key in sorted(changed)[:3]:
        changed[key]["Health_Score__c"] = 1.0
    after = run(ran.loaded, dry)
    assert counts(after, "created", "updated", "unchanged", "refused") == (0, 3, 22, 0)
    ran.sandbox.world.salesforce.objects["Health_Score__c"].rows.clear()
    before = run(ran.loaded, dry)
    assert counts(before, "created", "updated", "unchanged", "written") == (25, 0, 0, 0)
    assert writes(ran.sandbox) == 0


def test_a_dry_run_against_an_org_that_is_not_ready_scores_and_ends_with_3(
    configure: Configure, tmp_path: Path
) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    del world.salesforce.objects["Health_Score__c"]
    with Sandbox(world) as running:
        loaded = configure(running)
        result = run(loaded, replace(OCTOBER, dry_run=True, out=tmp_path / "out"))
        with pytest.raises(ConfigurationError, match="Health_Score__c"):
            run(loaded)
    assert result.exit_code == 3
    assert "Health_Score__c is absent" in str(result.unready)
    assert result.scores is not None
    assert result.csv is not None
    assert Path(result.csv).exists()


def test_an_org_that_counts_other_records_than_were_written_ends_with_4(sandbox: Sandbox, configure: Configure) -> None:
    body = json.dumps({"totalSize": 24, "done": True, "records": []}).encode()
    headers = {"Content-Type": "application/json"}
    sandbox.faults.append(Fault("salesforce", 200, headers, body, times=2, path_contains="SELECT+COUNT"))
    result = run(configure(sandbox))
    assert result.problems == ()
    assert result.exit_code == 4
    assert result.imbalance == "Salesforce holds 24 records of this run, but 25 were written."


def test_a_lock_and_a_validation_rule_cost_only_their_own_record(
    sandbox: Sandbox, world: World, configure: Configure
) -> None:
    """Record 7 is locked once and written all the same; record 8 is refused by the org's rule, listed and costs 4."""
    ids = sorted(customer.account_id for customer in world.customers)
    sandbox.behaviour.locked[ids[6]] = 1
    sandbox.behaviour.refused.add(ids[7])
    result = run(configure(sandbox))
    assert {problem.account_id for problem in result.problems} == {ids[7]}
    assert "This account is closed for scores" in result.problems[0].text
    assert result.exit_code == 4
    assert set(records(sandbox)) == {f"{account}-2026-10" for account in ids if account != ids[7]}
    assert (result.count("created"), result.count("refused"), result.imbalance) == (24, 1, None)


def test_a_dry_run_sends_no_writing_request_and_leaves_the_csv(
    sandbox: Sandbox, world: World, configure: Configure, tmp_path: Path
) -> None:
    result = run(configure(sandbox), replace(OCTOBER, dry_run=True, out=tmp_path / "out"))
    assert writes(sandbox) == 0
    assert records(sandbox) == {}
    assert result.csv is not None
    with Path(result.csv).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["Account__c"]: meant(row["account_name"]) for row in rows} == {
        customer.account_id: customer.name for customer in world.customers
    }


def test_a_dry_run_writes_the_values_that_a_load_would_send(
    sandbox: Sandbox, configure: Configure, tmp_path: Path, ran: Ran
) -> None:
    stored = records(ran.sandbox)
    ran.sandbox.world.salesforce.objects["Health_Score__c"].rows.clear()
    dry = run(configure(sandbox), replace(OCTOBER, dry_run=True, out=tmp_path / "out" / "october.xlsx"))
    assert dry.csv == str(tmp_path / "out" / "october.xlsx")
    for row in pl.read_excel(dry.csv).iter_rows(named=True):
        record = stored[row["External_Key__c"]]
        for name in ("Health_Score__c", "Churn_Risk_Score__c", "Coverage__c", "Support_Score__c"):
            assert (None if row[name] is None else float(row[name])) == record[name], (row["External_Key__c"], name)
        assert row["Tier__c"] == record["Tier__c"]


@pytest.mark.parametrize("source", ["intercom", "jira", "looker", "salesforce"])
def test_a_system_that_is_down_stops_the_load_and_is_named(
    sandbox: Sandbox, configure: Configure, source: SourceName
) -> None:
    sandbox.down.add(source)
    loaded = configure(sandbox)
    if source == "salesforce":
        with pytest.raises(SourceUnavailable) as caught:
            run(loaded)
        assert caught.value.exit_code == 5
        assert "salesforce" in str(caught.value).lower()
    else:
        result = run(loaded)
        assert result.exit_code == 5
        assert result.failed == (source,)
        assert source in str(result.stopped)
        assert "--allow-partial" in str(result.stopped)
    assert records(sandbox) == {}
    assert writes(sandbox) == 0


def test_partial_loading_writes_the_rest_and_still_ends_with_5(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.down.add("jira")
    result = run(configure(sandbox), replace(OCTOBER, allow_partial=True))
    assert result.exit_code == 5
    assert result.count("written") == len(records(sandbox)) == 25
    assert all(row["Bugs_Score__c"] is None for row in records(sandbox).values())


def test_an_outage_promotes_nobody(ran: Ran) -> None:
    """Without Jira no bug pulls anybody down; the tier of the last run stays the best that is asserted."""
    order = ["Not Rated", "Critical", "At Risk", "Healthy", "Champion"]
    sandbox = ran.sandbox
    before = {key: str(row["Tier__c"]) for key, row in records(sandbox).items()}
    sandbox.down.add("jira")
    run(ran.loaded, replace(OCTOBER, allow_partial=True))
    after = {key: str(row["Tier__c"]) for key, row in records(sandbox).items()}
    assert set(after) == set(before)
    assert all(order.index(after[key]) <= order.index(before[key]) for key in before)


def test_an_outage_without_a_history_rates_nobody(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.down.add("intercom")
    result = run(configure(sandbox), replace(OCTOBER, allow_partial=True))
    assert result.scores is not None
    assert set(result.scores["tier"]) <= {"Not Rated", "Critical"}  # Critical: a known critical signal


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("intercom", {"INTERCOM_API_TOKEN": "wrong-token-1"}),
        ("jira", {"JIRA_API_TOKEN": "wrong-token-1"}),
        ("looker", {"LOOKER_CLIENT_SECRET": "wrong-token-1"}),
        ("salesforce", {"SALESFORCE_CLIENT_SECRET": "wrong-token-1"}),
    ],
)
def test_a_wrong_token_ends_with_3_after_one_try(
    sandbox: Sandbox, configure: Configure, source: SourceName, changes: dict[str, str]
) -> None:
    loaded = configure(sandbox, **changes)
    with pytest.raises(AccessError) as caught:
        run(loaded)
    assert caught.value.exit_code == 3
    [document] = State(loaded.state).runs.all()
    assert (document["status"], document["failed"]) == ("stopped", [source])
    assert next(iter(changes)) in str(caught.value)
    assert len([call for call in sandbox.log if call.system == source and call.status >= 400]) == 1
    assert writes(sandbox) == 0


def test_the_number_of_requests_grows_by_pages_and_not_by_accounts(configure: Configure) -> None:
    calls: dict[int, dict[str, int]] = {}
    for size in (30, 300):
        with Sandbox(build(seed=7, accounts=size, until=NOW)) as running:
            result = run(configure(running))
        assert result.exit_code == 0
        calls[size] = {source: standing.budget.calls for source, standing in result.statuses.items()}
    # ten times the accounts: a few pages and chunks more, far from 270 calls more
    for source, few in calls[30].items():
        assert calls[300][source] - few < 30, (source, calls)


def test_one_account_can_be_scored_alone_and_leaves_the_period_alone(
    sandbox: Sandbox, world: World, configure: Configure
) -> None:
    loaded = configure(sandbox)
    one = world.customers[3].account_id
    result = run(loaded, replace(OCTOBER, accounts=(one[:15],)))
    assert set(records(sandbox)) == {f"{one}-2026-10"}
    assert result.count("written") == 1
    assert State(loaded.state).history.load(Period(2026, 10), "scores") is None


def test_an_account_that_nobody_knows_is_a_usage_error(sandbox: Sandbox, configure: Configure) -> None:
    with pytest.raises(UsageError, match="001000000000000AAA"):
        run(configure(sandbox), replace(OCTOBER, accounts=("001000000000000AAA",)))


def test_only_one_source_is_read_afresh(ran: Ran) -> None:
    loaded = ran.loaded
    result = run(loaded, replace(OCTOBER, only=("jira",), dry_run=True, out=Path(loaded.state) / "out"))
    assert {call.system for call in ran.sandbox.log} == {"jira", "salesforce"}  # the org is asked what a load would do
    assert result.statuses["salesforce"].from_checkpoint
    assert result.statuses["salesforce"].budget.calls == 0
    assert result.scores is not None
    assert result.scores.height == 25


def test_only_one_source_without_checkpoints_of_the_others_scores_nothing(
    sandbox: Sandbox, configure: Configure
) -> None:
    result = run(configure(sandbox), replace(OCTOBER, only=("salesforce",)))
    assert result.scores is None
    assert result.exit_code == 0
    assert "intercom, jira, looker" in str(result.stopped)
    assert writes(sandbox) == 0


def test_a_checkpoint_whose_source_was_not_asked_for_todays_links_does_not_count(configure: Configure) -> None:
    """No bugs of a component that nobody asked for are not zero bugs."""
    world = build(seed=7, accounts=12, until=NOW)
    with Sandbox(world) as running:
        loaded = configure(running)
        assert run(loaded).exit_code == 0
        row = next(row for row in world.salesforce.objects["Account"].rows if row["Jira_Component__c"])
        row["Jira_Component__c"] = "Platform"
        stopped = run(loaded, replace(OCTOBER, only=("salesforce",)))
        assert stopped.scores is None
        assert "jira" in str(stopped.stopped)
        assert "intercom" not in str(stopped.stopped)
        whole = run(loaded, replace(OCTOBER, only=("salesforce", "jira")))
        assert whole.scores is not None


def test_two_accounts_with_one_company_are_both_listed_and_the_others_written(configure: Configure) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    first, second = [c for c in world.customers if c.intercom_company][:2]
    for row in world.salesforce.objects["Account"].rows:
        if row["Id"] == second.account_id:
            row["Intercom_Company_Id__c"] = first.intercom_company
    with Sandbox(world) as running:
        result = run(configure(running))
        stored = records(running)
    assert result.exit_code == 4
    assert {problem.account_id for problem in result.problems} == {first.account_id, second.account_id}
    assert len(stored) == 10


def test_an_account_without_any_id_elsewhere_is_counted_and_not_rated(configure: Configure) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    lonely = next(c for c in world.customers if c.scenario == "ordinary")
    for row in world.salesforce.objects["Account"].rows:
        if row["Id"] == lonely.account_id:
            row["Intercom_Company_Id__c"] = row["Jira_Component__c"] = None
    world.looker.usage = {key: use for key, use in world.looker.usage.items() if key[:15] != lonely.account_id[:15]}
    with Sandbox(world) as running:
        result = run(configure(running))
        stored = records(running)
    assert result.exit_code == 0
    record = stored[f"{lonely.account_id}-2026-10"]
    assert record["Tier__c"] in {"Not Rated", "Critical"}
    assert record["Health_Score__c"] is None
    assert record["Support_Score__c"] is None


def test_records_that_the_org_refuses_are_listed_and_the_others_written(sandbox: Sandbox, configure: Configure) -> None:
    """The org's own rule: a tier outside its picklist. The account is named with the field and the org's words."""
    field = sandbox.world.salesforce.objects["Health_Score__c"].fields["Tier__c"]
    field.values.remove("Critical")
    try:
        result = run(configure(sandbox))
    finally:
        field.values.append("Critical")
    assert result.exit_code == 4
    assert result.scores is not None
    critical = result.scores.filter(pl.col("tier") == "Critical").height
    assert critical > 0
    assert len(result.problems) == critical
    assert result.count("written") == 25 - critical
    assert all("Tier__c" in problem.text for problem in result.problems)


def test_a_field_that_the_org_lacks_gives_a_gap_and_not_a_zero(configure: Configure) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    del world.salesforce.objects["Churn_Signal__c"]
    with Sandbox(world) as running:
        result = run(configure(running))
    assert result.scores is not None
    assert set(result.scores["tier"]) == {"Not Rated"}
    assert any("Churn_Signal__c" in note for note in result.notes)
    assert result.exit_code == 4  # none could be rated


def test_a_source_that_is_not_configured_is_no_failure(sandbox: Sandbox, configure: Configure) -> None:
    result = run(configure(sandbox, JIRA_BASE_URL=None, JIRA_EMAIL=None, JIRA_API_TOKEN=None))
    assert result.exit_code == 0
    assert "jira" not in {call.system for call in sandbox.log}
    assert result.scores is not None
    assert result.scores["coverage"].max() <= 90.0 + 1e-9


def test_a_waiver_and_a_metric_that_nothing_measures_are_told(
    sandbox: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    loaded = configure(sandbox)
    card = tmp_path / "card.yaml"
    own = "metrics: {nps: {label: NPS, unit: points}}\ncaps: [{when: {nps: {lt: 0}}, cap: 60, reason: bad NPS}]\n"
    text = default_text()
    card.write_text(own + text[: text.index("caps:")] + text[text.index("tiers:") :], encoding="utf-8")
    mapping = msgspec.structs.replace(loaded.mapping, signals=None)
    result = run(replace(loaded, mapping=mapping), replace(OCTOBER, scorecard=card, dry_run=True, out=tmp_path))
    assert any(note.startswith("scorecard: nothing in a run measures nps") for note in result.notes)
    assert any(note.startswith("signals: none in accountpulse.yaml") for note in result.notes)
    assert result.rated_count > 20  # though no signal was read


def test_a_future_month_is_refused_before_any_request(sandbox: Sandbox, configure: Configure) -> None:
    with pytest.raises(UsageError, match="2027-01"):
        run(configure(sandbox), RunRequest(period=Period(2027, 1)))
    assert sandbox.log == []


def test_a_broken_scorecard_is_refused_before_any_request(
    sandbox: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(
        "name: x\nversion: 1\ngroups: {support: {weight: 1, metrics: {csat: {weight: 1, anchors: [[0, 0]]}}}}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        run(configure(sandbox), replace(OCTOBER, scorecard=card))
    assert len(caught.value.problems) >= 2
    assert sandbox.log == []


def test_no_secret_is_in_anything_that_a_run_leaves(ran: Ran) -> None:
    loaded = ran.loaded
    secrets = [value for name, value in ran.sandbox.environment().items() if name in SECRET_NAMES]
    assert len(secrets) >= 5
    for path in Path(loaded.state).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [s for s in secrets if s.encode() in content], path
    (facts,) = State(loaded.state).runs.all()
    assert facts["written"] == 25

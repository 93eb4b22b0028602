"""What a load writes beside the scores, against the org's own rows, the sandbox's truth and the month before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.pipeline import report_document
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world.model import World
from accountpulse.scoring.scorecard import default_text
from accountpulse.settings import Settings
from accountpulse.state import State
from support import NOW, Silent

SEPTEMBER, OCTOBER = (RunRequest(period=Period(2026, month)) for month in (9, 10))
Rows = dict[str, dict[str, Any]]  # the org's records by account


def run(loaded: Settings, request: RunRequest) -> RunResult:
    return pipeline.execute(loaded, request, NOW, Silent())


@dataclass(frozen=True)
class TwoMonths:
    """The org's records of September and of October, and the settings that their runs had."""

    sandbox: Sandbox
    loaded: Settings
    september: Rows
    october: Rows


def held(world: World, period: str) -> Rows:
    rows = world.salesforce.objects["Health_Score__c"].rows
    return {row["Account__c"]: dict(row) for row in rows if row["Period__c"] == period}


@pytest.fixture(scope="module")
def months(company: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoMonths]:
    with Sandbox(company) as running:
        state = str(tmp_path_factory.mktemp("months") / "state")
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": state})
        run(loaded, SEPTEMBER)
        run(loaded, OCTOBER)
        yield TwoMonths(running, loaded, held(company, "2026-09"), held(company, "2026-10"))
        company.salesforce.objects["Health_Score__c"].rows.clear()


def test_the_owner_is_the_accounts_own(months: TwoMonths, company: World) -> None:
    owners = {row["Id"]: row["OwnerId"] for row in company.salesforce.objects["Account"].rows}
    assert len({row["Account_Owner__c"] for row in months.october.values()}) > 1
    assert all(row["Account_Owner__c"] == owners[account] for account, row in months.october.items())


def test_arr_is_what_the_score_was_made_with_and_the_renewal_the_day_that_it_counts_to(
    months: TwoMonths, company: World
) -> None:
    kept = pl.read_parquet(f"{months.loaded.state}/history/metrics/period=2026-10/metrics.parquet")
    arr = dict(kept.select("account_id", "arr").iter_rows())
    truth = {
        row.account_id: row.value
        for row in truth_table(company, "2026-10", NOW)
        if row.metric == "days_to_renewal" and row.value is not None
    }
    assert len(truth) > 10
    for account, row in months.october.items():
        assert row["ARR__c"] == (None if arr[account] is None else pytest.approx(arr[account], abs=0.005))
        due = None if account not in truth else date(2026, 11, 1) + timedelta(days=truth[account])
        assert row["Renewal_Date__c"] == due


def test_the_change_and_the_tier_before_are_those_of_the_month_before(months: TwoMonths) -> None:
    both = 0
    for account, row in months.october.items():
        before = months.september.get(account)
        assert row["Tier_Before__c"] == (None if before is None else before["Tier__c"])
        scored = before is not None and before["Health_Score__c"] is not None and row["Health_Score__c"] is not None
        if not scored or before is None:
            assert row["Health_Change__c"] is None
            continue
        both += 1
        by_hand = row["Health_Score__c"] - before["Health_Score__c"]
        assert row["Health_Change__c"] == pytest.approx(by_hand, abs=0.0101)
    assert both > 10
    assert {row["Health_Change__c"] for row in months.september.values()} == {None}


def test_one_signal_would_make_everybody_critical_by_the_packaged_scorecard(months: TwoMonths) -> None:
    found = {(row["Signal_Cap__c"], row["Signal_Tier__c"]) for row in months.october.values()}
    assert found == {(49.0, "Critical")}


def test_the_driver_is_the_first_of_the_drivers_and_the_step_is_that_of_the_report(months: TwoMonths) -> None:

    document = report_document.document(State(months.loaded.state), Period(2026, 10))
    steps = dict(zip(document["accounts"]["id"], document["accounts"]["step"], strict=True))
    assert len(set(steps.values())) > 3
    for account, row in months.october.items():
        assert row["Next_Step__c"] == steps[account]
        if row["Main_Driver__c"] is not None:
            assert row["Main_Driver__c"] in row["Drivers__c"]


def test_a_second_run_of_the_month_changes_no_record(months: TwoMonths) -> None:
    again = run(months.loaded, OCTOBER)
    assert (again.count("created"), again.count("updated"), again.count("unchanged")) == (0, 0, len(months.october))


def test_under_another_scorecard_both_months_are_scored_by_it(months: TwoMonths, tmp_path: Any) -> None:
    """Nothing but health is at stake: no cap, so that each account's own September would be another."""
    harder = tmp_path / "harder.yaml"
    harder.write_text(default_text().replace("cap: 74,", "cap: 20,"), encoding="utf-8")
    result = run(months.loaded, RunRequest(period=Period(2026, 10), scorecard=harder, dry_run=True, out=tmp_path))
    assert result.exit_code == 0
    sent = pl.read_csv(next(tmp_path.glob("*.csv")))
    changed = sent.filter(pl.col("Health_Score__c") < 21)
    assert changed.height > 0
    of_both = changed.filter(pl.col("Tier_Before__c") == pl.col("Tier__c"))
    assert of_both["Health_Change__c"].abs().max() < 30  # and not the fall from what the other card had said


def test_where_a_source_could_not_be_read_nothing_is_said_of_a_change(months: TwoMonths, tmp_path: Any) -> None:
    months.sandbox.down.add("jira")
    try:
        request = RunRequest(period=Period(2026, 10), allow_partial=True, dry_run=True, out=tmp_path)
        run(months.loaded, request)
    finally:
        months.sandbox.down.clear()
    sent = pl.read_csv(next(tmp_path.glob("*.csv")))
    assert sent["Health_Change__c"].null_count() == sent["Tier_Before__c"].null_count() == sent.height > 0
    assert sent["Next_Step__c"].null_count() < sent.height


def test_a_parent_has_its_group_and_nobody_else_has(months: TwoMonths, company: World) -> None:
    """By hand, from the org's own accounts and the records that it got."""
    above = {row["Id"]: row["ParentId"] for row in company.salesforce.objects["Account"].rows}
    scored = months.october
    parents = {parent for account, parent in above.items() if parent in scored and account in scored}
    assert len(parents) >= 3
    for account, row in scored.items():
        if account not in parents:
            assert {row[f"Group_{name}__c"] for name in ("Health", "Lowest", "ARR", "ARR_Rated")} == {None}
            continue
        inside = [each for each in scored if account in _line(each, above)]
        known = [(scored[each]["ARR__c"], scored[each]["Health_Score__c"]) for each in inside]
        arr = sum(each for each, _ in known if each is not None)
        rated = [(each, health) for each, health in known if each is not None and health is not None]
        assert row["Group_ARR__c"] == pytest.approx(arr, abs=0.05)
        weight = sum(each for each, _ in rated)
        assert row["Group_Health__c"] == pytest.approx(sum(a * h for a, h in rated) / weight, abs=0.02)
        assert row["Group_ARR_Rated__c"] == pytest.approx(100 * weight / arr, abs=0.02)
        assert row["Group_Lowest__c"]


def _line(account: str, above: dict[str, Any]) -> list[str]:
    """An account and everybody above it."""
    found = [account]
    while above.get(found[-1]) is not None:
        found.append(above[found[-1]])
    return found


def test_a_run_of_some_accounts_leaves_groups_as_they_are(months: TwoMonths, company: World) -> None:
    parent = next(account for account, row in months.october.items() if row["Group_ARR__c"] is not None)
    result = run(months.loaded, RunRequest(period=Period(2026, 10), accounts=(parent,)))
    assert (result.count("unchanged"), result.count("updated")) == (1, 0)
    assert held(company, "2026-10")[parent]["Group_ARR__c"] == months.october[parent]["Group_ARR__c"]


def test_who_is_no_customer_any_more_has_no_current_record(months: TwoMonths, company: World) -> None:
    marked = {row["Account__c"] for row in company.salesforce.objects["Health_Score__c"].rows if row["Is_Current__c"]}
    assert marked == set(months.october)
    left = next(row for row in company.salesforce.objects["Account"].rows if row["Id"] in months.october)
    kind, left["Type"] = left["Type"], "Prospect"
    try:
        result = run(months.loaded, OCTOBER)
    finally:
        left["Type"] = kind
    rows = company.salesforce.objects["Health_Score__c"].rows
    assert {row["Account__c"] for row in rows if row["Is_Current__c"]} == marked - {left["Id"]}
    assert "1 record is no longer marked as current" in "\n".join(result.notes)

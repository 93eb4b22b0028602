"""Whole runs on orgs that are not like the sandbox's own: right nulls with reasons, and no crash."""

from pathlib import Path

import polars as pl
import pytest

from accountpulse import pipeline
from accountpulse.core.catalogue import METRICS
from accountpulse.core.errors import SourceUnavailable
from accountpulse.core.period import Period
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from support import NOW, Configure, Silent

RELATIONSHIP = ("qbr_attendance", "champion_stability", "expansion_signals")


def run(running: Sandbox, configure: Configure, out: Path, **changes: str | None) -> RunResult:
    options = RunRequest(period=Period(2026, 10), dry_run=True, out=out)
    return pipeline.execute(configure(running, **changes), options, NOW, Silent())


def reasons(result: RunResult, metric: str) -> set[str | None]:
    assert result.metrics is not None
    assert result.metrics[metric].null_count() == result.metrics.height, metric
    return set(result.metrics[f"{metric}_reason"])


@pytest.fixture
def own_world() -> World:
    """A company that a test may change."""
    return build(seed=7, accounts=40, until=NOW)


def test_an_org_without_signals_rates_nobody_and_says_why(
    own_world: World, configure: Configure, tmp_path: Path
) -> None:
    del own_world.salesforce.objects["Churn_Signal__c"]
    with Sandbox(own_world) as running:
        result = run(running, configure, tmp_path)
    for name, metric in METRICS.items():
        if metric.domain == "signals":
            assert reasons(result, name) == {"field_missing"}
    assert result.scores is not None
    assert set(result.scores["tier"]) == {"Not Rated"}
    assert any("object Churn_Signal__c is absent, or our user may not read it" in note for note in result.notes)


def test_an_org_that_says_it_has_no_signals_is_rated_without_them(
    own_world: World, configure: Configure, tmp_path: Path
) -> None:
    del own_world.salesforce.objects["Churn_Signal__c"]
    config = tmp_path / "accountpulse.yaml"
    config.write_text("signals: none", encoding="utf-8")
    with Sandbox(own_world) as running:
        result = run(running, configure, tmp_path, ACCOUNTPULSE_CONFIG=str(config))
    assert reasons(result, "critical_signals") == {"not_configured"}
    assert result.rated_count > 20


def test_an_org_without_relationship_fields_is_rated_on_the_rest(
    own_world: World, configure: Configure, tmp_path: Path
) -> None:
    objects = own_world.salesforce.objects
    for name in ("Event", "Task", "OpportunityContactRole"):
        del objects[name]
    del objects["Opportunity"].fields["Probability"]
    with Sandbox(own_world) as running:
        result = run(running, configure, tmp_path)
    for metric in RELATIONSHIP:
        assert reasons(result, metric) == {"field_missing"}
    assert result.scores is not None
    assert result.scores["relationship_score"].null_count() == result.scores.height
    assert result.rated_count > 20


def test_an_org_where_every_field_of_its_own_is_renamed_is_read_as_far_as_it_goes(
    own_world: World, configure: Configure, tmp_path: Path
) -> None:
    """Whatever ends in __c bears another name; the standard fields still carry renewals, cases and opportunities."""
    for name, kind in own_world.salesforce.objects.items():
        if name == "Health_Score__c":
            continue
        for old in [each for each in kind.fields if each.endswith("__c")]:
            new = f"X_{old}"
            kind.fields[new] = kind.fields.pop(old)
            kind.fields[new].name = new
            for row in kind.rows:
                row[new] = row.pop(old)
    with Sandbox(own_world) as running:
        result = run(running, configure, tmp_path)
    assert result.metrics is not None
    for metric in ("arr_trajectory_pct", "tier_alignment", "qbr_attendance", "critical_signals"):
        assert reasons(result, metric) == {"field_missing"}
    assert result.metrics["days_to_renewal"].count() > 20
    for old in ("Account.ARR__c", "Account.Tier__c", "Churn_Signal__c.Severity__c", "Contact.No_Longer_At_Company__c"):
        nearest = old.replace(".", ".X_").split(".")[1]
        assert any(f"field {old} is absent" in note and f"nearest name is {nearest}" in note for note in result.notes)


def test_our_own_history_tells_arr_a_year_ago(own_world: World, configure: Configure, tmp_path: Path) -> None:
    own_world.salesforce.objects["AccountHistory"].rows.clear()
    first, second, *_ = (row for row in own_world.salesforce.objects["Account"].rows if row["ARR__c"])
    then = pl.DataFrame({"account_id": [first["Id"], second["Id"]], "arr": [first["ARR__c"] / 2, None]})
    for row in (first, second):
        row["Customer_Since__c"] = None
    with Sandbox(own_world) as running:
        assert reasons(run(running, configure, tmp_path), "arr_trajectory_pct") == {"too_new"}
        State(configure(running).state).history.save(Period(2025, 10), then, pl.DataFrame({"account_id": []}))
        result = run(running, configure, tmp_path)
    assert result.metrics is not None
    rows = {row["account_id"]: row for row in result.metrics.iter_rows(named=True)}
    assert rows[first["Id"]]["arr_trajectory_pct"] == pytest.approx(100)
    assert rows[second["Id"]]["arr_trajectory_pct_reason"] == "no_evidence"
    assert result.metrics["arr_trajectory_pct"].count() == 1  # nobody else was there then


def test_a_run_below_the_reserve_ends_with_5_and_reads_nobody(
    own_world: World, configure: Configure, tmp_path: Path
) -> None:
    with Sandbox(own_world) as running:
        running.behaviour.calls_before = 95_000
        with pytest.raises(SourceUnavailable, match="kept in reserve") as caught:
            run(running, configure, tmp_path)
        assert {call.system for call in running.log} == {"salesforce"}
    assert caught.value.exit_code == 5


def test_how_it_signs_in_is_said_when_the_run_starts(own_world: World, configure: Configure, tmp_path: Path) -> None:
    watch = Silent()
    with Sandbox(own_world) as running:
        pipeline.execute(
            configure(running), RunRequest(period=Period(2026, 10), dry_run=True, out=tmp_path), NOW, watch
        )
    assert watch.said[0] == "signing in to Salesforce by client credentials (SALESFORCE_CLIENT_ID)"

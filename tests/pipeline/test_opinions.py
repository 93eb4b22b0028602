"""Pulses and forecasts through a whole run: against the sandbox's truth, and of no weight in any score."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.core.records import OPINIONS
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.instants import instants_of
from accountpulse.sandbox.truth.opinions import OpinionTruth, opinions_truth
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.state import State
from support import Silent

SOON = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)  # two days after October
LATE = datetime(2026, 11, 11, 0, 1, tzinfo=UTC)  # a minute more than ten days
WITHOUT = {"salesforce": {"pulse": "none", "renewal": {"forecast": "none"}}}


@dataclass(frozen=True)
class Ran:
    """A world whose October was run with and without what people say."""

    world: World
    loaded: Settings
    said: RunResult
    silent: RunResult


def run(loaded: Settings, month: int, now: datetime = SOON, **asked: bool) -> RunResult:
    return pipeline.execute(loaded, RunRequest(period=Period(2026, month), **asked), now, Silent())


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("opinions")
    world = build(seed=7, accounts=72, until=SOON)
    with Sandbox(world) as running:
        found = {**running.environment(), "ACCOUNTPULSE_STATE": str(folder / "state")}
        mapping = yaml.safe_load(Path(found["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")) | WITHOUT
        (folder / "without.yaml").write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
        loaded = settings.load(found)
        said = run(loaded, 10)
        other = {"ACCOUNTPULSE_STATE": str(folder / "other"), "ACCOUNTPULSE_CONFIG": str(folder / "without.yaml")}
        silent = run(settings.load({**found, **other}), 10, dry_run=True)
        yield Ran(world, loaded, said, silent)


def opinions(result: RunResult) -> dict[str, OpinionTruth]:
    assert result.scores is not None
    return {account: OpinionTruth(*row) for account, *row in result.scores.select("account_id", *OPINIONS).rows()}


def bare(table: pl.DataFrame) -> pl.DataFrame:
    """Without what people say."""
    return table.drop(list(OPINIONS))


def test_pulses_and_forecasts_are_what_the_world_knows(ran: Ran) -> None:
    expected = opinions_truth(ran.world, instants_of("2026-10", SOON))
    found = opinions(ran.said)
    assert len(found) == 72
    assert found == {account: expected[account] for account in found}
    states = {each.state for each in found.values()}
    assert states == {"current", "stale", "void", "restarted", "undated", "unclear", None}
    assert {each.outlook for each in found.values()} == {"likely", "open", "unlikely", None}


def test_every_score_is_the_same_to_the_bit_with_and_without_them(ran: Ran) -> None:
    assert ran.said.scores is not None
    assert ran.silent.scores is not None
    assert ran.silent.scores.select(list(OPINIONS)).null_count().row(0) == (72,) * 4
    assert bare(ran.said.scores).equals(bare(ran.silent.scores), null_equal=True)
    assert ran.said.rated is not None
    assert ran.silent.rated is not None
    assert ran.said.rated.table.drop(list(OPINIONS)).equals(
        ran.silent.rated.table.drop(list(OPINIONS)), null_equal=True
    )


def test_who_gave_a_pulse_and_why_is_kept_for_the_page_and_goes_into_no_log(ran: Ran) -> None:
    state = State(ran.loaded.state)
    kept = state.history.load(Period(2026, 10), "pulses")
    assert kept is not None
    reasons = {row["Pulse_Reason__c"] for row in ran.world.salesforce.objects["Account"].rows} - {None}
    assert set(kept["reason"].drop_nulls()) <= reasons
    assert kept["author"].str.starts_with("CSM ").sum() > 40
    unclear = kept.filter(pl.col("pulse_state") == "unclear")
    assert unclear.select("pulse_colour", "author", "reason").null_count().row(0) == (unclear.height,) * 3
    summary = json.dumps(ran.said.summary())
    assert not any(reason in summary for reason in reasons)
    assert "CSM " not in "\n".join(ran.said.notes)
    account = kept["account_id"][0]
    assert state.history.forget(account) > 0
    after = state.history.load(Period(2026, 10), "pulses")
    assert after is not None
    assert after["account_id"].to_list() == kept["account_id"].to_list()[1:]


def test_ten_days_after_the_month_nobody_knows_what_sales_expected(ran: Ran) -> None:
    in_time = run(ran.loaded, 10, datetime(2026, 11, 11, tzinfo=UTC), dry_run=True)
    late = run(ran.loaded, 10, LATE, dry_run=True)
    assert {each.outlook for each in opinions(in_time).values()} == {"likely", "open", "unlikely", None}
    assert {each.outlook for each in opinions(late).values()} == {None}
    assert {each.state for each in opinions(late).values()} == {each.state for each in opinions(in_time).values()}


def test_an_org_without_a_history_of_owners_is_helped_by_our_own_months(tmp_path: Path) -> None:
    """Of two accounts with a new owner one has a pulse of before September ended, the other one of since then."""
    world = build(seed=3, accounts=12, until=SOON)
    del world.salesforce.objects["AccountHistory"]
    accounts = [row for row in world.salesforce.objects["Account"].rows if row["Type"].startswith("Customer")]
    first, second, third = accounts[:3]
    for row, given in zip((first, second, third), ((2026, 9, 30, 23), (2026, 10, 1, 1), (2026, 9, 10, 9)), strict=True):
        row |= {"Pulse__c": "Red", "Pulse_Date__c": datetime(*given, tzinfo=UTC), "Pulse_Author__c": None}
    other = {row["OwnerId"] for row in accounts}
    with Sandbox(world) as running:
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": str(tmp_path)})
        run(loaded, 9)
        for row in (first, second):
            row["OwnerId"] = min(other - {row["OwnerId"]})
        found = opinions(run(loaded, 10))
    states = [found[row["Id"]].state for row in (first, second, third)]
    assert states == ["restarted", "current", "current"]

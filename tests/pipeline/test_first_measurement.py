"""What was known of a month when it was first measured stays, whatever later runs of that month see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.errors import SourceUnavailable
from accountpulse.core.period import Period, scope_of
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.deliver import Delivery, Load
from accountpulse.pipeline.first_measurement import keep_first
from accountpulse.pipeline.proof_input import months_of
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import Run, RunRequest
from accountpulse.pipeline.watch import SourceStatus
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring import scorecard
from accountpulse.state import State
from support import NOW, Silent

OCTOBER = Period(2026, 10)
TIMELY = datetime(2026, 11, 11, tzinfo=UTC)  # ten days after the month, and not more


@dataclass
class Ran:
    """A run of October on the tenth day, and another, weeks later, after the customers' seats had changed."""

    first: RunResult
    files: dict[str, bytes]  # of history/first/, after the first run
    later: RunResult
    state: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    world, folder = build(seed=7, accounts=10, until=NOW), tmp_path_factory.mktemp("ran")
    with Sandbox(world) as sandbox:
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        request = RunRequest(period=OCTOBER)
        first = pipeline.execute(loaded, request, TIMELY, Silent())
        files = {str(path): path.read_bytes() for path in (folder / "history" / "first").rglob("*.parquet")}
        for account in world.salesforce.objects["Account"].rows:
            account["Seats__c"] = 4711.0
        later = pipeline.execute(loaded, request, NOW, Silent())
        yield Ran(first, files, later, folder)


def test_a_later_run_of_the_month_leaves_what_was_known_first_as_it_was(ran: Ran) -> None:
    assert (ran.first.exit_code, ran.later.exit_code) == (0, 0)
    assert len(ran.files) == 2
    assert {name: Path(name).read_bytes() for name in ran.files} == ran.files
    history = State(ran.state).history
    first, today = history.first(OCTOBER), history.load(OCTOBER, "metrics")
    assert first is not None
    assert today is not None
    assert set(today["seats"]) == {4711.0}
    assert 4711.0 not in set(first.metrics["seats"])


def test_its_rows_say_when_they_were_measured(ran: Ran) -> None:
    first = State(ran.state).history.first(OCTOBER)
    assert first is not None
    for table in (first.metrics, first.scores):
        assert table.select("measured_at", "reconstructed").unique().rows() == [(TIMELY, False)]
    assert first.metrics.height == ran.first.metrics.height  # type: ignore[union-attr]


def test_the_proof_reads_the_first_and_scores_it_anew_to_the_same_bits(ran: Ran) -> None:
    state = State(ran.state)
    months = months_of(state)
    assert ran.first.scores is not None
    before = ran.first.scores.sort("account_id")
    for name in ("account_id", "health_score", "churn_risk_score", "risk_z", "tier", "seats", "arr", "mau_points"):
        assert months[name].equals(before[name].cast(months.schema[name])), name
    assert set(months["as_of"]) == {OCTOBER.shifted(1).first_day}
    kept = state.history.load_scorecard(ran.first.run.card.hash)
    assert kept is not None
    again = months_of(state, scorecard.restored(kept))
    assert again.drop("drivers_text", strict=False).equals(months.drop("drivers_text").select(again.columns))


def test_another_card_scores_the_months_as_they_were_then(ran: Ran) -> None:
    text = scorecard.default_text().replace("weight: 0.30", "weight: 0.25", 1)
    card = scorecard.load(text, "mine.yaml", ran.first.run.card.pillars)
    again = months_of(State(ran.state), card)
    assert set(again["scorecard"]) == {f"{card.name} {card.hash}"}
    assert not again["health_score"].equals(months_of(State(ran.state))["health_score"])
    assert 4711.0 not in set(again["seats"])


# --- which runs count ------------------------------------------------------------------------------------------


def failed(reading: Reading) -> Reading:
    error = SourceUnavailable("jira", "reading", "HTTP 503")
    return replace(
        reading, statuses={**reading.statuses, "jira": SourceStatus("jira", RequestBudget(), 0.0, error=error)}
    )


def broken(delivery: Delivery) -> Delivery:
    load = Load("Salesforce", done=True, error=SourceUnavailable("salesforce", "writing", "HTTP 503"))
    return replace(delivery, loads=(load,))


RUNS: dict[str, Callable[[Run], Run]] = {
    "dry": lambda run: replace(run, lock=None),
    "only": lambda run: replace(run, request=replace(run.request, only=("jira",))),
    "account": lambda run: replace(run, request=replace(run.request, accounts=("001",))),
    "open month": lambda run: replace(run, scope=scope_of(Period(2026, 11), NOW)),
}


def kept(ran: Ran, folder: Path, change: Callable[[Run], Run] = lambda run: run) -> pl.DataFrame:
    """The first months of a new state, after a run that differs in one thing."""
    result = ran.first
    run = change(replace(result.run, state=State(folder)))
    assert result.rated is not None
    assert result.delivery is not None
    keep_first(run, result.reading, result.rated, result.delivery)
    return months_of(run.state)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_is_not_of_a_whole_month_that_is_over_is_not_the_first(name: str, ran: Ran, tmp_path: Path) -> None:
    assert kept(ran, tmp_path, RUNS[name]).is_empty()


def test_nor_is_one_that_could_not_read_a_source_or_whose_load_broke_off(ran: Ran, tmp_path: Path) -> None:
    run, rated, delivery = replace(ran.first.run, state=State(tmp_path)), ran.first.rated, ran.first.delivery
    assert rated is not None
    assert delivery is not None
    keep_first(run, failed(ran.first.reading), rated, delivery)
    keep_first(run, ran.first.reading, rated, broken(delivery))
    assert run.state.history.first_periods() == []


@pytest.mark.parametrize(("late", "reconstructed"), [(timedelta(), False), (timedelta(microseconds=1), True)])
def test_what_is_measured_more_than_ten_days_after_the_month_is_reconstructed(
    ran: Ran, tmp_path: Path, late: timedelta, *, reconstructed: bool
) -> None:
    months = kept(ran, tmp_path, lambda run: replace(run, now=TIMELY + late))
    assert set(months["reconstructed"]) == {reconstructed}


def test_a_run_keeps_what_the_org_says_of_who_left(ran: Ran) -> None:
    said = State(ran.state).outcomes.said()
    assert set(said["kind"]) <= {"lost", "renewed"}
    assert said.height > 0

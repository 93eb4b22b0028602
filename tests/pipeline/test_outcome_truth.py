"""Who left and who renewed, read from the churn world's org over the socket, against that world's truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from accountpulse import settings
from accountpulse.pipeline import outcome_reading
from accountpulse.pipeline.proof_input import outcomes_of
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.outcomes import OutcomeTruth, outcomes_truth
from accountpulse.sandbox.world import world_at
from accountpulse.sandbox.world.churn import churn_history
from accountpulse.state import State
from support import NOW

GRACE = timedelta(days=60)
TODAY = NOW.date()


@dataclass(frozen=True)
class Company:
    """What is true of a churn world, contractions aside, and what was read of it."""

    truth: tuple[OutcomeTruth, ...]
    found: pl.DataFrame

    def days(self, account: str, kind: str) -> set[date]:
        """On which an outcome was found."""
        return set(self.found.filter(account_id=account, kind=kind)["happened_on"])

    def of(self, kind: str) -> list[OutcomeTruth]:
        """The truths of one kind."""
        return [each for each in self.truth if each.kind == kind]


@pytest.fixture(scope="module", params=[1, 2, 3, 7])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    history = churn_history(seed=request.param, accounts=150, until=NOW)
    folder = tmp_path_factory.mktemp("outcomes")
    with Sandbox(world_at(history, NOW)) as running:
        running.ahead = NOW - datetime.now(UTC)
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        outcome_reading.refresh(loaded, State(folder), NOW)
    truth = tuple(each for each in outcomes_truth(history) if each.kind in {"lost", "renewed"})
    yield Company(truth, outcomes_of(State(folder)))


def is_told(truth: OutcomeTruth) -> bool:
    """Whether the org says it by now: the end of a contract says nothing before the grace is over."""
    recorded = truth.recorded_on
    by_contract = truth.shown_by.startswith("contract ") and truth.kind == "lost"
    return recorded is not None and (not by_contract or recorded + GRACE < TODAY)


def test_every_loss_and_renewal_that_is_on_record_is_found_on_its_day(company: Company) -> None:
    missed = [
        each
        for each in company.truth
        if is_told(each) and each.recorded_on not in company.days(each.found_under, each.kind)
    ]
    assert missed == []
    assert min(len(company.of("lost")), len(company.of("renewed"))) > 50


def test_nobody_who_stayed_is_lost(company: Company) -> None:
    true = pl.DataFrame(
        [(each.found_under, each.recorded_on or each.happened_on) for each in company.of("lost")],
        schema={"account_id": pl.String, "on": pl.Date},
        orient="row",
    )
    lost = company.found.filter(kind="lost")
    near = lost.join(true, on="account_id").filter((pl.col("happened_on") - pl.col("on")).abs() <= GRACE)
    assert lost.join(near, on=["account_id", "happened_on"], how="anti").is_empty()
    assert lost.height <= len(company.of("lost"))  # each once


def test_a_renewal_that_was_entered_a_second_time_as_lost_is_one_with_a_doubt_that_says_so(company: Company) -> None:
    twice = [each for each in company.of("renewed") if "entered a second time as lost" in each.shown_by]
    assert twice
    for each in twice:
        rows = company.found.filter(account_id=each.found_under, happened_on=each.happened_on)
        assert rows.select("kind", "doubt").rows() == [
            ("renewed", f"renewal_opportunities says lost on {each.happened_on} as well")
        ]


def test_doubts_name_only_what_is_odd(company: Company) -> None:
    """Renewals entered twice, and losses so soon after a renewal that they might be the same."""
    twice = {(each.found_under, each.happened_on) for each in company.truth if "second time" in each.shown_by}
    doubtful = company.found.filter(pl.col("doubt").is_not_null())
    others = [row for row in doubtful.iter_rows(named=True) if (row["account_id"], row["happened_on"]) not in twice]
    for row in others:
        assert row["kind"] == "lost"
        renewed = company.days(row["account_id"], "renewed")
        assert any(day < row["happened_on"] <= day + GRACE for day in renewed)

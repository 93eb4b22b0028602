"""Faults of whole runs: what passes changes nothing, what stays is named, and nothing is taken for good health.

The numbers are those of docs/reliability.md.
"""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import trustme

from accountpulse import pipeline
from accountpulse.errors import AccessError
from accountpulse.period import Period
from accountpulse.pipeline.outcome import Options, Outcome
from accountpulse.records import Source
from accountpulse.sandbox.model import World
from accountpulse.sandbox.server import Fault, Sandbox
from support import NOW, Configure, Silent

OCTOBER = Options(period=Period(2026, 10))
SOURCES: tuple[Source, ...] = ("intercom", "jira", "looker", "salesforce")


@pytest.fixture(scope="session")
def calm(company: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, int]:
    """The scores of a run without a fault, and its requests."""
    from accountpulse import settings

    state = str(tmp_path_factory.mktemp("calm"))
    with Sandbox(company) as running:
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": state})
        scores = scores_of(pipeline.run(loaded, OCTOBER, NOW, Silent()))
        requests = len(running.log)
    company.salesforce.objects["Health_Score__c"].rows.clear()
    return scores, requests


def scores_of(outcome: Outcome) -> pl.DataFrame:
    assert outcome.scores is not None
    return outcome.scores


def run(sandbox: Sandbox, configure: Configure, options: Options = OCTOBER, **changes: str | None) -> Outcome:
    return pipeline.run(configure(sandbox, **changes), options, NOW, Silent())


@pytest.mark.parametrize("source", SOURCES)
def test_01_a_429_is_waited_for_counted_and_changes_nothing(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int], source: Source
) -> None:
    served.faults.append(Fault(source, 429, {"Retry-After": "0.2"}))
    outcome = run(served, configure)
    assert outcome.exit_code == 0
    meter = outcome.standings[source].meter
    assert meter.retries >= 1
    assert meter.waited >= 0.2
    assert scores_of(outcome).equals(calm[0])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_08_a_burst_of_server_errors_passes(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int], status: int
) -> None:
    served.faults += [
        Fault(source, status, {"Retry-After": "0"}, times=2, path_contains=path)
        for source, path in (
            ("intercom", "/search"),
            ("jira", "/search"),
            ("looker", "/run/"),
            ("salesforce", "/query"),
        )
    ]
    outcome = run(served, configure)
    assert outcome.exit_code == 0
    assert scores_of(outcome).equals(calm[0])


def test_04_a_storm_is_survived_with_few_requests_more(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    served.storm = True
    outcome = run(served, configure)
    assert outcome.exit_code == 0
    assert scores_of(outcome).equals(calm[0])
    assert len(served.log) <= 3 * calm[1]


def test_05_sessions_and_tokens_that_end_in_the_middle_are_renewed(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    served.behaviour.calls_per_session = 10
    served.looker.calls_per_token = 5
    outcome = run(served, configure)
    assert outcome.exit_code == 0
    assert scores_of(outcome).equals(calm[0])
    renewed = [call for call in served.log if call.status == 401]
    assert {call.system for call in renewed} == {"looker", "salesforce"}


def test_14_an_unknown_certificate_is_refused_once_and_nothing_is_sent_unverified(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with pytest.raises(AccessError, match="certificate"):
        run(served, configure, ACCOUNTPULSE_CA_BUNDLE=str(stranger))
    assert served.log == []


@pytest.mark.parametrize("source", SOURCES[:3])
def test_09_a_system_that_stays_down_costs_a_bounded_number_of_requests(
    served: Sandbox, configure: Configure, source: Source
) -> None:
    served.down.add(source)
    outcome = run(served, configure)
    assert outcome.exit_code == 5
    assert outcome.scores is None
    assert sum(call.system == source for call in served.log) <= 8 * 5
    assert not [call for call in served.log if call.method in ("PATCH", "PUT")]


def test_11_a_page_for_people_and_an_empty_answer_are_never_no_data(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    page = {"Content-Type": "text/html"}
    served.faults += [
        Fault("intercom", 200, page, b"<html>maintenance</html>", path_contains="/conversations/search"),
        Fault("jira", 200, {"Content-Type": "application/json"}, b"", path_contains="/search"),
        Fault("salesforce", 200, page, b"<html>maintenance</html>", path_contains="/query"),
    ]
    outcome = run(served, configure)
    assert outcome.exit_code == 0
    assert scores_of(outcome).equals(calm[0])


def test_35_a_dry_run_holds_no_lock_and_leaves_no_trace_in_the_state(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    outcome = run(served, configure, replace(OCTOBER, dry_run=True, out=tmp_path / "out"))
    assert outcome.exit_code == 0
    assert not (tmp_path / "state").exists()
    assert not [call for call in served.log if call.method in ("PATCH", "PUT", "DELETE")]

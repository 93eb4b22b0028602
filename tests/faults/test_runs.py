"""Faults of whole runs: what passes changes nothing, what stays is named, and nothing is taken for good health.

The numbers are those of docs/reliability.md.
"""

import os
import ssl
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import trustme

from accountpulse import pipeline
from accountpulse.check import check
from accountpulse.cli.summary import closing
from accountpulse.core.errors import AccessError
from accountpulse.core.period import Period
from accountpulse.core.records import SourceName
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.main import Event, summarise
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Call, Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from faults.wire import Wire
from support import NOW, Configure, Silent

OCTOBER = RunRequest(period=Period(2026, 10))
SOURCES: tuple[SourceName, ...] = ("intercom", "jira", "looker", "salesforce")


@pytest.fixture(scope="session")
def calm(company: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, int]:
    """The scores of a run without a fault, and its requests."""
    from accountpulse import settings

    state = str(tmp_path_factory.mktemp("calm"))
    with Sandbox(company) as running:
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": state})
        scores = scores_of(pipeline.execute(loaded, OCTOBER, NOW, Silent()))
        requests = len(running.log)
    company.salesforce.objects["Health_Score__c"].rows.clear()
    return scores, requests


def scores_of(result: RunResult) -> pl.DataFrame:
    assert result.scores is not None
    return result.scores


def run(sandbox: Sandbox, configure: Configure, options: RunRequest = OCTOBER, **changes: str | None) -> RunResult:
    return pipeline.execute(configure(sandbox, **changes), options, NOW, Silent())


@pytest.mark.parametrize("source", SOURCES)
def test_01_a_429_is_waited_for_counted_and_changes_nothing(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int], source: SourceName
) -> None:
    served.faults.append(Fault(source, 429, {"Retry-After": "0.2"}))
    result = run(served, configure)
    assert result.exit_code == 0
    others = {name: standing.budget.retries for name, standing in result.statuses.items() if name != source}
    assert result.statuses[source].budget.retries == 1
    assert set(others.values()) == {0}
    assert summarise(result, Event())["sources"][source]["waited_seconds"] >= 0.2
    assert scores_of(result).equals(calm[0])


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
    result = run(served, configure)
    assert result.exit_code == 0
    assert scores_of(result).equals(calm[0])


def test_04_a_storm_is_survived_with_few_requests_more(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    served.storm = True
    result = run(served, configure)
    assert result.exit_code == 0
    assert scores_of(result).equals(calm[0])
    assert len(served.log) <= 3 * calm[1]


@pytest.mark.parametrize("source", SOURCES[:3])
def test_03_a_source_that_asks_for_an_hour_is_unavailable_and_the_others_are_read(
    served: Sandbox, configure: Configure, source: SourceName
) -> None:
    served.faults.append(Fault(source, 429, {"Retry-After": "3600"}, times=10**6))
    loaded = configure(served)
    result = pipeline.execute(loaded, OCTOBER, NOW, Silent())
    assert (result.exit_code, result.failed) == (5, (source,))
    assert "HTTP 429" in str(result.statuses[source].error)
    assert result.statuses[source].budget.waited == 0
    state = State(loaded.state).checkpoints
    for other in set(SOURCES) - {source}:
        assert state.load(result.scope, other) is not None  # whole, for the next run to go on from
    assert not [call for call in served.log if call.method in ("PATCH", "PUT")]


def test_05_sessions_and_tokens_that_end_in_the_middle_are_renewed(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    served.behaviour.calls_per_session = 10
    served.looker.calls_per_token = 5
    result = run(served, configure)
    assert result.exit_code == 0
    assert scores_of(result).equals(calm[0])
    ended = Counter(call.system for call in served.log if call.status == 401)
    assert set(ended) == {"looker", "salesforce"}
    renewals = Counter(call.system for call in served.log if call.path.endswith(("/oauth2/token", "/login")))
    # the first sign-in, and exactly one for each end
    assert renewals == {system: 1 + count for system, count in ended.items()}


def test_14_an_unknown_certificate_is_refused_once_and_nothing_is_sent_unverified(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with pytest.raises(AccessError, match=r"certificate of 127\.0\.0\.1 is not trusted") as caught:
        run(served, configure, ACCOUNTPULSE_CA_BUNDLE=str(stranger))
    assert caught.value.exit_code == 3
    assert served.log == []


def test_14_an_expired_certificate_is_refused_too(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=yesterday).configure_cert(context)
    budget = RequestBudget()
    with Wire(context=context) as server:
        with pytest.raises(AccessError, match=r"certificate of 127\.0\.0\.1"):
            requests_adapter.session("looker", budget, tmp_path / "ca.pem").get(f"{server.url}/thing")
        assert server.asked == []
    assert budget.calls == 1


@pytest.mark.parametrize("source", SOURCES[:3])
def test_09_a_system_that_stays_down_costs_a_bounded_number_of_requests(
    served: Sandbox, configure: Configure, source: SourceName
) -> None:
    served.down.add(source)
    result = run(served, configure)
    assert result.exit_code == 5
    assert result.scores is None
    assert sum(call.system == source for call in served.log) <= 8 * 5
    assert not [call for call in served.log if call.method in ("PATCH", "PUT")]
    partial = run(served, configure, replace(OCTOBER, allow_partial=True))
    assert partial.exit_code == 5
    metric = {"intercom": "csat_score", "jira": "open_bugs", "looker": "dau"}[source]
    assert set(scores_of(partial)[f"{metric}_reason"]) == {"source_failed"}
    assert "the source could not be read in this run" in scores_of(partial)["drivers_text"][0]


def test_11_a_page_for_people_and_an_empty_answer_are_never_no_data(
    served: Sandbox, configure: Configure, calm: tuple[pl.DataFrame, int]
) -> None:
    page = {"Content-Type": "text/html"}
    served.faults += [
        Fault("intercom", 200, page, b"<html>maintenance</html>", path_contains="/conversations/search"),
        Fault("jira", 200, {"Content-Type": "application/json"}, b"", path_contains="/search"),
        Fault("salesforce", 200, page, b"<html>maintenance</html>", path_contains="/query"),
    ]
    result = run(served, configure)
    assert result.exit_code == 0
    assert scores_of(result).equals(calm[0])


def test_35_a_dry_run_holds_no_lock_and_leaves_nothing_but_what_report_shows(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    result = run(served, configure, replace(OCTOBER, dry_run=True, out=tmp_path / "out"))
    assert result.exit_code == 0
    left = {name.rsplit("/", 1)[0] for name in State(tmp_path / "state").files.names("")}
    assert left == {f"dry-runs/{result.run_id}"}
    assert not [call for call in served.log if call.method in ("PATCH", "PUT", "DELETE")]


def test_39_calls_that_run_out_in_the_middle_of_the_load_stop_it_and_the_next_run_finishes(
    configure: Configure,
) -> None:
    """More accounts than one call writes: the first 200 are in, then the day's allowance is used up by others."""
    world = build(seed=7, accounts=250, until=NOW)
    stored = world.salesforce.objects["Health_Score__c"].rows
    with Sandbox(world) as running:
        loaded = configure(running)

        class Log(list[Call]):
            def append(self, call: Call) -> None:
                super().append(call)
                if call.method == "PATCH":
                    running.behaviour.calls_before = 10**6

        running.log = Log()
        broken = pipeline.execute(loaded, OCTOBER, NOW, Silent())
        assert broken.exit_code == 5
        assert len(stored) == 200
        text = "200 of 250 records were written before that. Run the same command again: it goes on from there."
        (facts,) = State(loaded.state).runs.all()
        assert (facts["status"], facts["exit_code"], facts["written"]) == ("stopped", 5, 200)
        assert "API calls of the day are used up" in facts["stopped"]
        assert facts["stopped"].endswith(text)
        assert (facts["destinations"][0]["written"], facts["destinations"][0]["planned"]) == (200, 250)
        assert any(line.endswith(text) for line in closing(broken))
        assert State(loaded.state).history.periods() == []  # a month that isn't in the org isn't kept as told
        running.behaviour.calls_before = 0
        running.log = []
        result = pipeline.execute(loaded, OCTOBER, NOW, Silent())
        assert {call.system for call in running.log} == {"salesforce"}
    assert result.exit_code == 0
    assert f"goes on with run {result.run_id}, which did not finish" in result.notes
    assert any(note.startswith("200 records of this run are in the org already") for note in result.notes)
    assert result.count("written") == 50
    assert len(stored) == len({row["External_Key__c"] for row in stored}) == 250


def test_40_a_state_that_cannot_be_written_stops_the_run_before_anything_is_sent_to_the_org(
    served: Sandbox, tmp_path: Path
) -> None:
    """As with a full disk: no file may become longer than the run's first document."""
    state = tmp_path / "full"
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048));"
        "sys.argv = ['accountpulse', 'run', '--period', '2026-10'];"
        "runpy.run_module('accountpulse', run_name='__main__')"
    )
    given = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
        **served.environment(),
        "ACCOUNTPULSE_STATE": str(state),
    }
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=given)
    assert done.returncode == 3
    assert "can't be written (File too large)" in done.stderr
    assert "ACCOUNTPULSE_STATE" in done.stderr
    assert not [call for call in served.log if call.method in ("PATCH", "PUT")]
    assert not [path for path in state.rglob(".*") if path.is_file()]  # nothing half written stays


def test_40_a_clock_that_is_minutes_off_is_named_by_check(served: Sandbox, tmp_path: Path) -> None:
    environment = {**served.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    for minutes, mark, words in ((-10, "bad", "ahead of Salesforce's"), (2, "warning", "behind Salesforce's")):
        served.ahead = timedelta(minutes=minutes)
        found = check(environment, None, NOW, lambda _line: None)
        (line,) = [line for line in found.lines if line.area == "clock"]
        assert line.mark == mark
        assert words in line.text
        assert found.exit_code == (3 if mark == "bad" else 0)

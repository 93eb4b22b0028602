"""The handler as Lambda runs it: in a process of its own, through the real runtime client."""

import csv
import http.server
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import boto3
import polars as pl
import pytest

from accountpulse import settings
from accountpulse.core.errors import AlreadyRunning, UsageError
from accountpulse.core.period import Period, scope_of, snapshot_of
from accountpulse.core.records import Problem
from accountpulse.main import RESERVE, Event, ReportPage, next_event, read_event, summarise
from accountpulse.pipeline.rate import Rated
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import looking
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.scoring import scorecard
from accountpulse.state import State
from aws.rig import ARN, LARGEST, Rig
from support import NOW

OCTOBER = {"period": "2026-10"}


class Invocations:
    """What the function asks Lambda's own API for."""

    def __init__(self) -> None:
        self.asked: tuple[str, Any] = ("", None)
        catcher = self

        class Api(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                catcher.asked = (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def environment(served: Sandbox, tmp_path: Path) -> dict[str, str]:
    return {**served.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}


def test_a_good_run_answers_with_a_small_summary(tmp_path: Path, environment: dict[str, str]) -> None:
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
        again = rig.invoke(OCTOBER)
        there = rig.invoke({**OCTOBER, "verify": True})
    assert result.kind == "response", result.body
    assert (result.body["status"], result.body["scored"], result.body["created"]) == ("good", 25, 25)
    assert sum(result.body["tiers"].values()) == 25
    assert set(result.body["sources"]) == {"salesforce", "intercom", "jira", "looker"}
    assert len(json.dumps(result.body)) < 6000
    assert (again.body["created"], again.body["unchanged"]) == (0, 25)
    assert there.body["status"] == "there"
    events = [line["event"] for line in rig.lines() if "event" in line]
    assert events.count("summary") == 2
    assert events.count("metrics") == 2


def test_a_dry_run_leaves_its_csv_in_the_state_and_what_report_shows(
    tmp_path: Path, environment: dict[str, str], served: Sandbox
) -> None:
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke({**OCTOBER, "dry_run": True})
    assert result.kind == "response", result.body
    state = State(tmp_path / "state")
    names = list(state.files.names(""))
    name = f"dry-runs/{result.body['run_id']}.csv"
    assert name in names
    assert all(each.startswith(f"dry-runs/{result.body['run_id']}") for each in names)
    assert str(result.body["csv"]).endswith(name)
    with (tmp_path / "state" / name).open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 25
    assert not [call for call in served.log if call.method in ("PATCH", "PUT", "DELETE")]


def test_a_source_that_is_down_is_raised_after_the_summary(
    tmp_path: Path, environment: dict[str, str], served: Sandbox
) -> None:
    served.down.add("jira")
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
        missing = rig.invoke({**OCTOBER, "verify": True})
    assert (result.kind, result.body["errorType"]) == ("error", "RunFailed")
    assert '"exit_code": 5' in result.body["errorMessage"]
    assert "jira" in result.body["errorMessage"]
    assert "has no finished run" in missing.body["errorMessage"]
    assert [line for line in rig.lines() if line.get("event") == "summary"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ([], "an object"),
        ({"period": "2026-13"}, "2026-13"),
        ({"period": "2026-1"}, "2026-1"),
        ({"period": "last"}, "last"),
        ({"period": None}, "period must be str"),
        ({"period": 202610}, "period must be str"),
        ({"dry_run": "false"}, "dry_run must be bool"),
        ({"dry_run": "0"}, "dry_run must be bool"),
        ({"dry_run": "yes"}, "dry_run must be bool"),
        ({"dry_run": 0}, "dry_run must be bool"),
        ({"dry_run": None}, "dry_run must be bool"),
        ("2026-10", "an object"),
        ({"link": -3}, "from 1 to 12"),
        ({"dryrun": True}, "dryrun"),
        ({"scheduled_time": "soon"}, "soon"),
        ({"as_of": "2026-11-31"}, "as_of '2026-11-31' is not a day"),
        ({"as_of": "2026-11-22", "period": "2026-11"}, "both period and as_of"),
        ({"current": True}, "current goes with as_of"),
    ],
)
def test_an_unclear_event_is_refused_before_any_request(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, event: Any, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        read_event(event)
    if words == "2026-13":  # once through the real client is enough
        with Rig(tmp_path, environment) as rig:
            result = rig.invoke(event)
        assert result.kind == "error"
        assert words in result.body["errorMessage"]
        assert served.log == []


def test_the_scheduled_time_decides_the_month_also_days_later() -> None:
    from accountpulse.main import _named

    asked = read_event({"scheduled_time": "2027-01-02T06:00:00Z"})
    assert _named(asked, "UTC", NOW).month == Period(2026, 12)
    edge = read_event({"scheduled_time": "2027-01-01T00:30:00Z"})
    assert _named(edge, "America/Los_Angeles", NOW).month == Period(2026, 11, "America/Los_Angeles")
    assert _named(edge, "Pacific/Kiritimati", NOW).month == Period(2026, 12, "Pacific/Kiritimati")
    assert _named(Event(), "UTC", NOW).month == Period(2026, 10)


def test_today_is_the_day_of_the_scheduled_time_in_the_companys_zone_also_when_it_starts_late() -> None:
    from accountpulse.main import MonthOrDay, _named

    late = read_event({"as_of": "today", "scheduled_time": "2026-11-22T23:30:00Z"})
    assert _named(late, "UTC", NOW) == MonthOrDay(Period(2026, 11), date(2026, 11, 22))
    assert _named(late, "Europe/Berlin", NOW).name == "2026-11-23"
    assert _named(read_event({"as_of": "today"}), "UTC", NOW).name == "2026-11-23"
    with pytest.raises(UsageError, match="as_of 2026-11-24 has not begun yet"):
        _named(read_event({"as_of": "2026-11-24"}), "UTC", NOW)


def test_a_snapshot_that_does_not_fit_goes_on_under_its_day_and_not_as_today() -> None:
    asked = read_event({"as_of": "today", "current": True})
    event = next_event(snapshot_of(date(2026, 11, 22), NOW), asked)
    assert event == {"as_of": "2026-11-22", "current": True, "link": 2}
    assert read_event(event) == Event(as_of="2026-11-22", current=True, link=2)
    assert next_event(scope_of(Period(2026, 10), NOW), Event()) == {"period": "2026-10", "link": 2}


def test_a_snapshot_is_made_and_looked_for_by_its_day(tmp_path: Path, environment: dict[str, str]) -> None:
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke({"as_of": "2026-11-22"})
        there = rig.invoke({"as_of": "2026-11-22", "verify": True})
        other = rig.invoke({"as_of": "2026-11-21", "verify": True})
    assert result.kind == "response", result.body
    assert (result.body["status"], result.body["period"], result.body["snapshot"]) == ("good", "2026-11", "2026-11-22")
    assert (result.body["scored"], result.body["created"]) == (25, 0)
    assert str(result.body["report"]).endswith("reports/2026-11-22.html")
    assert there.body == {"status": "there", "period": "2026-11-22", "runs": [result.body["run_id"]]}
    assert "2026-11-21 has no finished run" in other.body["errorMessage"]
    assert State(tmp_path / "state").history.periods() == []


def test_killed_at_the_limit_the_next_invocation_finishes_the_run(
    tmp_path: Path, environment: dict[str, str], company: World
) -> None:
    with Rig(tmp_path, environment) as rig:
        assert rig.invoke(OCTOBER, limit=0.3).kind == "killed"
        result = rig.invoke(OCTOBER)
    assert result.kind == "response", result.body
    assert len(company.salesforce.objects["Health_Score__c"].rows) == 25


def test_of_one_event_delivered_twice_at_once_one_runs_and_nothing_is_written_twice(
    tmp_path: Path, company: World
) -> None:
    with Sandbox(company, latency_ms=30) as slow, ExitStack() as rigs:
        environment = {**slow.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        twins = [rigs.enter_context(Rig(folder, environment)) for folder in folders]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda rig: rig.invoke(OCTOBER), twins))
        keys = [row["External_Key__c"] for row in company.salesforce.objects["Health_Score__c"].rows]
    assert {result.kind for result in results} == {"response"}
    assert sorted(result.body["status"] for result in results) == ["already running", "good"]
    assert len(keys) == len(set(keys)) == 25
    company.salesforce.objects["Health_Score__c"].rows.clear()


def test_a_lock_that_nobody_gave_back_is_taken_over_and_reported(
    tmp_path: Path, environment: dict[str, str], served: Sandbox
) -> None:
    """The environment was reclaimed on another machine; its lock's time is over."""
    stale = {"version": 1, "run_id": "r-before", "token": "t", "host": "elsewhere", "process": 1}
    stale |= {"taken_at": "2026-11-01T06:00:00+00:00", "until": "2026-11-01T06:16:00+00:00"}
    State(tmp_path / "state").files.store.write("locks/2026-10.json", json.dumps(stale, indent=1).encode())
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
    assert result.kind == "response", result.body
    told = "took over the period from run r-before on elsewhere"
    assert told in " ".join(result.body["notes"])
    (begun,) = [line for line in rig.lines() if line.get("event") == "run"]
    assert told in " ".join(begun["notes"])
    assert served.log


def test_a_wrong_token_is_raised_at_once_and_no_secret_leaves(tmp_path: Path, environment: dict[str, str]) -> None:
    secret = "wr0ng-t0ken-in-the-air"
    with Rig(tmp_path, {**environment, "INTERCOM_API_TOKEN": secret}) as rig:
        result = rig.invoke(OCTOBER)
    assert "INTERCOM_API_TOKEN" in result.body["errorMessage"]
    (summary,) = [line for line in rig.lines() if line.get("event") == "summary"]
    assert (summary["status"], summary["exit_code"], summary["period"]) == ("failed", 3, "2026-10")
    (figures,) = [line for line in rig.lines() if line.get("event") == "metrics"]
    assert figures["RunsFinished"] == 0
    assert secret not in json.dumps(result.body)
    assert secret not in rig.log.read_text(encoding="utf-8")


def test_a_run_that_does_not_fit_starts_its_function_again_and_ends_well(tmp_path: Path, company: World) -> None:
    with Sandbox(company, latency_ms=300) as slow, Invocations() as started:
        environment = {
            **slow.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            "AWS_ENDPOINT_URL_LAMBDA": started.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        with Rig(tmp_path, environment) as rig:
            first = rig.invoke(OCTOBER, limit=RESERVE + 3)
            assert first.kind == "response", first.body
            assert first.body["status"] == "goes on in a new invocation"
            assert company.salesforce.objects["Health_Score__c"].rows == []
            (path, event) = started.asked
            assert path.endswith(f"/functions/{quote(ARN, safe='')}/invocations")
            stranger = State(tmp_path / "state").locks
            with pytest.raises(AlreadyRunning), stranger.hold("2026-10", "another", datetime.now(UTC)):
                pass
            second = rig.invoke(event)
    rows = company.salesforce.objects["Health_Score__c"].rows
    assert (second.kind, second.body["status"], len(rows)) == ("response", "good", 25), second.body
    assert second.body["run_id"] == first.body["run_id"]
    assert second.body["invocation"] == 2
    rows.clear()


def test_a_function_that_may_not_start_itself_says_what_to_do_and_the_chain_has_an_end(
    tmp_path: Path, company: World
) -> None:
    with Sandbox(company, latency_ms=300) as slow:
        environment = {
            **slow.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        with Rig(tmp_path, environment) as rig:
            alone = rig.invoke({**OCTOBER, "link": 11}, limit=RESERVE + 2)
            last = rig.invoke({**OCTOBER, "link": 12}, limit=RESERVE + 1)
    assert (alone.kind, last.kind) == ("error", "error")
    assert "lambda:InvokeFunction on itself" in alone.body["errorMessage"]
    assert '{"period": "2026-10", "link": 12}' in alone.body["errorMessage"]
    assert '"exit_code": 5' in last.body["errorMessage"]
    said = " | ".join(str(line["text"]) for line in rig.lines() if line.get("event") == "note")
    assert "goes on in invocation 12 of at most 12" in said
    assert "12 invocations in a row were not enough" in said
    assert company.salesforce.objects["Health_Score__c"].rows == []


def test_the_handler_needs_nothing_that_its_package_leaves_out() -> None:
    tool = (Path(__file__).parents[2] / "deploy" / "aws" / "package.py").read_text(encoding="utf-8")
    left_out = {"typer", "rich", "pygments", "markdown_it", "starlette", "uvicorn", "trustme"}
    assert all(f'"{name.replace("_", "-")}' in tool for name in left_out)
    code = (
        # only the tests' readers need httpx; where it is there, another library takes it, and rich with it
        "import sys; sys.modules['httpx'] = None;"
        "import accountpulse.main, accountpulse.pipeline, accountpulse.observe.rollbar;"
        "import accountpulse.observe.logs;"
        "import accountpulse.systems.intercom.extract, accountpulse.systems.jira.extract;"
        "import accountpulse.systems.looker.extract;"
        "import accountpulse.systems.salesforce.extract, accountpulse.state.bucket;"
        f"sys.exit(', '.join(({left_out!r} | {{'accountpulse.cli', 'accountpulse.sandbox'}}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_handler_loads_no_heavy_library() -> None:
    """What is imported before the event is there counts for every cold start."""
    heavy = "{'polars', 'boto3', 'pydantic', 'rollbar'}"
    code = f"import sys; import accountpulse.main; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_secrets_state_and_lock_come_from_aws(
    tmp_path: Path, served: Sandbox, bucket: str, aws: dict[str, str], company: World
) -> None:
    """The whole configuration in one secret, the state in a bucket: killed at the limit, finished by the next one."""
    made = boto3.client("secretsmanager")
    made.create_secret(Name="accountpulse/all", SecretString=json.dumps(served.environment()))
    made.close()
    place = f"s3://{bucket}/state"
    given = {**aws, "ACCOUNTPULSE_SECRET_ID": "accountpulse/all", "ACCOUNTPULSE_STATE": place}
    with Rig(tmp_path, given) as rig:
        assert rig.invoke(OCTOBER, kill_after=1.5).kind == "killed"
        result = rig.invoke(OCTOBER)
    assert result.kind == "response", result.body
    assert result.body["created"] + result.body["unchanged"] == 25
    assert len(company.salesforce.objects["Health_Score__c"].rows) == 25
    state = State(place)
    assert [facts["status"] for facts in state.runs.all()][-1] == "finished"
    assert list(state.files.names("locks/")) == []
    assert state.history.load(Period(2026, 10), "scores") is not None


def test_the_answer_is_small_for_100000_accounts(environment: dict[str, str]) -> None:
    scores = pl.DataFrame({"account_id": [f"{number:018}" for number in range(100_000)], "tier": ["Healthy"] * 100_000})
    problems = tuple(Problem(f"{number:018}", "load", "x" * 500) for number in range(100_000))
    scope = scope_of(Period(2026, 10), NOW)
    run = looking(settings.load(environment), scorecard.default(()), scope, NOW)
    result = RunResult(run, Reading({}), rated=Rated(scores, scores, scores, problems))
    answer = json.dumps(summarise(result, Event(), ReportPage()), allow_nan=False)
    assert len(answer) < LARGEST // 100
    assert json.loads(answer)["left_out"] == 100_000


def test_a_cold_start_is_measured(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """How long import and settings take; the figure is printed, and judged by who reads it."""
    code = (
        "import time; begun = time.perf_counter(); import os; from accountpulse import main, settings;"
        "settings.load(os.environ); print(time.perf_counter() - begun)"
    )
    given = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=given)
    seconds = float(done.stdout)
    with capsys.disabled():
        sys.stdout.write(f"\ncold start of the handler, import and settings: {seconds:.2f} s\n")
    assert seconds > 0

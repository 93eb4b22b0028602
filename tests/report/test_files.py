"""Who writes a report: the command, the demo, the handler on Lambda; and what they say where it can't be written."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from accountpulse.core.period import Period
from accountpulse.pipeline import report_document
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from aws.rig import Rig
from program import call, start
from report.kept import runs
from support import NOW

OCTOBER = {"period": "2026-10"}
PAGE = "accountpulse.report.page"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs(tmp_path_factory.mktemp("kept"), accounts=10)


@pytest.fixture(scope="module")
def company() -> World:
    return build(seed=7, accounts=10, until=NOW)


@pytest.fixture
def environment(company: World, tmp_path: Path) -> Iterator[dict[str, str]]:
    with Sandbox(company) as running:
        yield {**running.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    company.salesforce.objects["Health_Score__c"].rows.clear()


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which what writes the page is not installed."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "jinja2.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def test_the_command_writes_the_page_and_the_csv_of_the_latest_month(tmp_path: Path, kept: Path) -> None:
    pytest.importorskip(PAGE)
    done = start(tmp_path, "report", ACCOUNTPULSE_STATE=str(kept))
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "October 2026: 10 accounts, 0 Not Rated\nPage: out/report-2026-10.html\nCSV:  out/report-2026-10.csv\n"
    )
    page = (tmp_path / "out" / "report-2026-10.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    with (tmp_path / "out" / "report-2026-10.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 10
    earlier = call(tmp_path, "report", "--period", "2026-09", "--out", "more", ACCOUNTPULSE_STATE=str(kept))
    assert earlier.exit_code == 0, earlier.stderr
    assert sorted(path.name for path in (tmp_path / "more").iterdir()) == ["report-2026-09.csv", "report-2026-09.html"]


def rounded(document: str) -> Any:
    """A document without the last digits, which depend on the order in which two processes have added."""
    return json.loads(document, parse_float=lambda number: round(float(number), 9))


def test_as_json_the_document_needs_no_extra(tmp_path: Path, kept: Path, bare: dict[str, str]) -> None:
    done = start(tmp_path, "report", "--json", ACCOUNTPULSE_STATE=str(kept), **bare)
    assert done.returncode == 0, done.stderr
    made = json.dumps(report_document.document(State(kept), None))
    assert rounded(done.stdout) == rounded(made)
    assert not (tmp_path / "out").exists()


def test_without_jinja_one_line_says_what_to_install(tmp_path: Path, kept: Path, bare: dict[str, str]) -> None:
    done = start(tmp_path, "report", ACCOUNTPULSE_STATE=str(kept), **bare)
    assert done.returncode == 3
    assert done.stderr.count("pip install Jinja2") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_demo_without_jinja_of_one_customer_says_so_and_one_and_keeps_to_a_narrow_terminal(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    done = start(tmp_path, "demo", "--accounts", "1", COLUMNS="60", **bare)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.partition("Next\n")[0].splitlines())) <= 60  # commands to copy are never broken
    assert "1 invented customer," in done.stdout
    assert "Scored 1 account," in done.stdout
    assert "1 account, 0 signals" in done.stdout
    assert "pip install Jinja2" in " ".join(done.stdout.split())


def test_what_the_state_does_not_hold_is_said_with_what_it_does(tmp_path: Path, kept: Path) -> None:
    empty = start(tmp_path, "report")
    assert (empty.returncode, "run `accountpulse run` first" in empty.stderr) == (3, True)
    august = start(tmp_path, "report", "--period", "2026-08", ACCOUNTPULSE_STATE=str(kept))
    assert august.returncode == 3
    assert "there are runs of 2026-07, 2026-09, 2026-10" in august.stderr
    month = start(tmp_path, "report", "--period", "August", ACCOUNTPULSE_STATE=str(kept))
    assert month.returncode == 2


def test_a_folder_that_can_not_be_written_to_is_named(tmp_path: Path, kept: Path) -> None:
    pytest.importorskip(PAGE)
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = call(tmp_path, "report", "--out", "taken", ACCOUNTPULSE_STATE=str(kept))
    assert done.exit_code == 2
    assert "taken/report-2026-10.html can't be written" in done.stderr


def test_on_lambda_a_run_keeps_its_report_in_the_state_and_names_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    pytest.importorskip(PAGE)
    with Rig(tmp_path, environment) as rig:
        rehearsed = rig.invoke({**OCTOBER, "dry_run": True})
        result = rig.invoke(OCTOBER)
    assert rehearsed.body["report"] is None
    assert result.kind == "response", result.body
    place = tmp_path / "state" / "reports"
    assert result.body["report"] == str(place / "2026-10.html")
    assert sorted(path.name for path in place.iterdir()) == ["2026-10.csv", "2026-10.html"]
    assert len((place / "2026-10.csv").read_text(encoding="utf-8").splitlines()) == 11


def test_on_lambda_a_report_that_fails_fails_no_run(tmp_path: Path, environment: dict[str, str]) -> None:
    pytest.importorskip(PAGE)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "reports").write_text("in the way", encoding="utf-8")
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
    assert (result.kind, result.body["status"], result.body["created"]) == ("response", "good", 10)
    assert result.body["report"] is None
    note = result.body["notes"][0]
    assert note.startswith("report: not written (")
    assert note.endswith("`accountpulse report` makes it from the same state")
    assert [line for line in rig.lines() if "the report could not be made" in json.dumps(line)]


def test_on_lambda_without_the_extra_there_is_no_report_and_no_warning(
    tmp_path: Path, environment: dict[str, str], bare: dict[str, str]
) -> None:
    with Rig(tmp_path, {**environment, **bare}) as rig:
        result = rig.invoke(OCTOBER)
    assert (result.kind, result.body["report"]) == ("response", None)
    assert not [note for note in result.body["notes"] if "report" in note]
    assert not (tmp_path / "state" / "reports").exists()


def test_a_page_in_a_bucket_opens_in_a_browser_instead_of_being_saved(kept: Path, bucket: str) -> None:
    pytest.importorskip(PAGE)
    there = State(f"s3://{bucket}/pulse")
    for name in State(kept).files.names(""):
        found = State(kept).files.store.read(name)
        assert found is not None
        there.files.store.write(name, found.content)
    place = report_document.keep(there, Period(2026, 10))
    assert place == f"s3://{bucket}/pulse/reports/2026-10.html"
    s3 = boto3.client("s3")
    assert s3.head_object(Bucket=bucket, Key="pulse/reports/2026-10.html")["ContentType"].startswith("text/html")
    s3.close()

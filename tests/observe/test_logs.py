"""What the function logs: every line one JSON object that says which run, which month and which source it is about."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from accountpulse.core.records import SourceName
from accountpulse.core.redact import REDACT
from accountpulse.observe.logs import Lines, Quiet, take_over
from accountpulse.sandbox.server import Fault, Sandbox
from aws.rig import Rig


@pytest.fixture
def lines() -> Lines:
    """Also what libraries write; the handlers of the tests are put back afterwards by pytest's own fixtures."""
    REDACT.learn(["s3cret-value"])
    return Lines()


def test_every_line_says_run_month_and_source_as_soon_as_they_are_known(tmp_path: Path, served: Sandbox) -> None:
    served.faults.append(Fault("jira", 429, {"Retry-After": "0"}))
    environment = {**served.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    with Rig(tmp_path, environment) as rig:
        first, second = (rig.invoke({"scheduled_time": "2026-11-02T06:00:00Z"}).body for _ in range(2))
    lines = rig.lines()
    assert all({"at", "event"} <= set(line) for line in lines)
    months = [place for place, line in enumerate(lines) if line["event"] == "month"]
    assert len(months) == 2
    assert "scheduled time, 2026-11-02T06:00:00" in lines[months[0]]["because"]
    for begin, end, answer in ((months[0], months[1] - 1, first), (months[1], len(lines), second)):
        assert {line["period"] for line in lines[begin:end]} == {"2026-10"}
        run = next(place for place in range(begin, end) if lines[place]["event"] == "run")
        assert {line["run_id"] for line in lines[run:end]} == {answer["run_id"]}
    assert "run_id" not in lines[months[1] - 1]  # nothing of the first run stays in the warm process
    sources = [(line["event"], line["source"]) for line in lines[: months[1]] if "source" in line]
    for source in ("salesforce", "intercom", "jira", "looker"):
        assert {("begin", source), ("end", source)} <= set(sources)
    (end,) = [line for line in lines[: months[1]] if line["event"] == "end" and line["source"] == "jira"]
    assert (end["requests"], end["retries"]) == (first["sources"]["jira"]["requests"], 1)
    assert end["rows"]["issues"] > 0


def test_a_librarys_warning_in_a_sources_thread_names_run_and_source(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    together = Barrier(2, timeout=60)

    def read(source: SourceName) -> None:
        lines.begin(source)
        together.wait()
        logging.getLogger("a.library").warning("slow answer to %s", "Bearer abcdefghijkl1 s3cret-value")

    take_over(Quiet(lines))
    try:
        lines.enter("r1", "2026-10", [])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(read, ("jira", "looker")))
        logging.getLogger("a.library").warning("afterwards")
    finally:
        root.handlers[:], root.level = before
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    warned = [line for line in said if line["event"] == "log"]
    assert [line.get("source") for line in warned[:2]] in (["jira", "looker"], ["looker", "jira"])
    assert "source" not in warned[2]
    assert {(line["run_id"], line["period"]) for line in warned} == {("r1", "2026-10")}
    assert not [text for text in ("s3cret-value", "abcdefghijkl") if text in str(said)]

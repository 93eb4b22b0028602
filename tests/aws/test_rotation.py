"""A secret that is rotated: read once a cold start, and once more where a system refuses what it held."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from accountpulse import pipeline
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Call, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from aws.rig import Rig
from support import NOW, Configure, Silent

OCTOBER = {"period": "2026-10"}
NAME = "accountpulse/rotated"
NEW = "the-new-intercom-token"


class Reads:
    """How often the secret was asked for, as moto's own recorder has it."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/moto-api/recorder"
        for what in ("reset-recording", "start-recording"):
            requests.post(f"{self._url}/{what}", timeout=60).raise_for_status()

    def count(self) -> int:
        recorded = requests.get(f"{self._url}/download-recording", timeout=60)
        recorded.raise_for_status()
        lines = [json.loads(line) for line in recorded.text.splitlines() if line]
        return sum("GetSecretValue" in json.dumps(line["headers"]) for line in lines)

    def stop(self) -> None:
        requests.post(f"{self._url}/stop-recording", timeout=60).raise_for_status()


@pytest.fixture
def reads(aws_server: str, aws: dict[str, str]) -> Iterator[Reads]:
    assert aws
    recorder = Reads(aws_server)
    yield recorder
    recorder.stop()


@pytest.fixture
def company() -> World:
    return build(seed=7, accounts=12, until=NOW)


def put(values: dict[str, str]) -> None:
    client: Any = boto3.client("secretsmanager")
    try:
        client.create_secret(Name=NAME, SecretString=json.dumps(values))
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=NAME, SecretString=json.dumps(values))
    finally:
        client.close()


def rotate(sandbox: Sandbox) -> None:
    """In the vendor's settings and in the secret."""
    sandbox.world.intercom.token = NEW
    put(sandbox.environment())


@pytest.fixture
def environment(aws: dict[str, str], served: Sandbox, tmp_path: Path) -> dict[str, str]:
    """All settings in the secret."""
    put(served.environment())
    return {**aws, "ACCOUNTPULSE_SECRET_ID": NAME, "ACCOUNTPULSE_STATE": str(tmp_path / "state")}


class Log(list[Call]):
    """The sandbox's log; calls `then` once, with the first answer that `when` is true of."""

    def __init__(self, when: Callable[[Call], bool], then: Callable[[], None]) -> None:
        super().__init__()
        self._when = when
        self._then = then
        self._due = True

    def append(self, call: Call) -> None:
        super().append(call)
        if self._due and self._when(call):
            self._due = False
            self._then()


def said(rig: Rig) -> str:
    return " | ".join(str(line["text"]) for line in rig.lines() if line.get("event") == "note")


def no_token_leaked(rig: Rig, old: str) -> None:
    text = rig.log.read_text(encoding="utf-8")
    assert old not in text
    assert NEW not in text


def test_a_warm_process_reads_the_secret_once(tmp_path: Path, environment: dict[str, str], reads: Reads) -> None:
    with Rig(tmp_path, environment) as rig:
        assert [rig.invoke(OCTOBER).kind for _ in range(2)] == ["response"] * 2
    assert reads.count() == 1


def test_a_token_rotated_between_two_invocations_is_found_by_the_second(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, reads: Reads
) -> None:
    old = served.world.intercom.token
    with Rig(tmp_path, environment) as rig:
        assert rig.invoke(OCTOBER).kind == "response"
        rotate(served)
        served.log.clear()
        second = rig.invoke(OCTOBER)
        assert (second.kind, second.body["exit_code"]) == ("response", 0), second.body
        assert reads.count() == 2
        assert rig.invoke(OCTOBER).kind == "response"  # with the new one at once
        assert reads.count() == 2
    assert len([call for call in served.log if call.status == 401]) == 1
    assert "intercom refused us" in said(rig)
    assert "has changed: going on with what it holds now" in said(rig)
    no_token_leaked(rig, old)


def test_a_token_rotated_in_the_middle_of_a_run_costs_nothing_that_was_read(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, reads: Reads, configure: Configure
) -> None:
    pipeline.execute(configure(served), RunRequest(period=Period(2026, 10), dry_run=True, out=tmp_path), NOW, Silent())
    calm = Counter(call.system for call in served.log)
    old = served.world.intercom.token
    served.log = Log(lambda call: call.path.endswith("/conversations/search"), lambda: rotate(served))
    with Rig(tmp_path, {**environment, "ACCOUNTPULSE_STATE": str(tmp_path / "another")}) as rig:
        result = rig.invoke(OCTOBER)
    assert (result.kind, result.body["exit_code"], result.body["created"]) == ("response", 0, 12), result.body
    assert reads.count() == 2
    assert "goes on with run" in " ".join(result.body["notes"])
    asked = Counter(call.system for call in served.log)
    assert [call.system for call in served.log if call.status == 401].count("intercom") >= 1
    assert (asked["jira"], asked["looker"]) == (calm["jira"], calm["looker"])
    assert result.body["sources"]["salesforce"]["requests"] == 0  # from what the first try had read
    no_token_leaked(rig, old)


def test_a_refusal_under_an_unchanged_secret_ends_at_once(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, reads: Reads
) -> None:
    served.world.intercom.token = NEW  # and nobody told the secret
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
    assert result.kind == "error"
    assert "INTERCOM_API_TOKEN" in result.body["errorMessage"]
    assert reads.count() == 2
    assert len([call for call in served.log if call.status == 401]) == 1
    assert "is the same as before" in said(rig)


def test_a_secret_rotated_to_something_else_that_is_wrong_is_tried_once(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, reads: Reads
) -> None:
    served.world.intercom.token = NEW
    served.log = Log(
        lambda call: call.status == 401, lambda: put({**served.environment(), "INTERCOM_API_TOKEN": "wrong-again"})
    )
    with Rig(tmp_path, environment) as rig:
        result = rig.invoke(OCTOBER)
    assert result.kind == "error"
    assert reads.count() == 2
    assert len([call for call in served.log if call.status == 401]) == 2
    assert "wrong-again" not in rig.log.read_text(encoding="utf-8")


def test_the_command_line_reads_a_rotated_secret_again_too(
    tmp_path: Path, environment: dict[str, str], served: Sandbox, reads: Reads
) -> None:
    served.log = Log(lambda call: call.path.endswith("/conversations/search"), lambda: rotate(served))
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment}
    command = [sys.executable, "-m", "accountpulse", "run", "--period", "2026-10"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "has changed: going on" in done.stderr
    assert reads.count() == 2
    assert NEW not in done.stdout + done.stderr

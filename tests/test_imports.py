"""What a process loads: an extraction the client of its own system, and a run those of the configured systems."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build

# what takes long to load, or that only some processes need
HEAVY = (
    "aiohttp", "boto3", "duckdb", "jinja2", "jwt", "looker_sdk", "msgspec", "narwhals", "polars", "pyarrow",
    "pydantic", "requests", "simple_salesforce", "sklearn", "starlette", "typer", "vl_convert", "yaml", "zeep",
)  # fmt: skip
JIRA = {"JIRA_BASE_URL": "http://127.0.0.1:9", "JIRA_API_TOKEN": "token-of-nobody"}
ENVIRONMENTS = {
    "intercom": {"INTERCOM_API_TOKEN": "token-of-nobody", "INTERCOM_BASE_URL": "http://127.0.0.1:9"},
    "jira": JIRA,
    "looker": {
        "LOOKER_BASE_URL": "http://127.0.0.1:9",
        "LOOKER_CLIENT_ID": "id-of-nobody",
        "LOOKER_CLIENT_SECRET": "secret-of-nobody",
    },
}
SALESFORCE = {
    "SALESFORCE_LOGIN_URL": "http://127.0.0.1:9",
    "SALESFORCE_CLIENT_ID": "id-of-nobody",
    "SALESFORCE_CLIENT_SECRET": "secret-of-nobody",
}
EXTRACTION = """
from datetime import UTC, datetime
from accountpulse import settings
from accountpulse.core.errors import SourceUnavailable
from accountpulse.core.period import Period, scope_of
from accountpulse.http.budget import RequestBudget
from accountpulse.systems import SYSTEMS
from accountpulse.systems.extraction import ExtractRequest
connection = settings.load({environment!r}).connection({source!r})
scope = scope_of(Period(2026, 10), datetime(2026, 11, 23, tzinfo=UTC))
try:
    SYSTEMS[{source!r}].extract(ExtractRequest(connection, scope, ("1",), budget=RequestBudget(patience=0.0)))
except SourceUnavailable:
    pass  # nobody is there: everything that speaks is loaded by then
"""


RUN = """
import os, sys
from accountpulse.cli import app
try:
    app(["run", "--period", "2026-10", "--dry-run"])
except SystemExit as ended:
    assert not ended.code, ended.code
"""


def loaded_by(code: str, **environment: str) -> set[str]:
    """The heavy packages that a process has loaded at the end of this code."""
    code += f"\nimport sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    told = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=told)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("source", "clients"),
    [
        ("intercom", {"aiohttp"}),
        ("jira", {"aiohttp"}),
        ("looker", {"requests"}),
        ("salesforce", {"requests", "simple_salesforce", "zeep", "jwt"}),
    ],
)
def test_an_extraction_loads_the_client_of_its_own_system_and_no_other(source: str, clients: set[str]) -> None:
    environment = SALESFORCE | ENVIRONMENTS.get(source, {})
    found = loaded_by(EXTRACTION.format(environment=environment, source=source))
    assert found == {"msgspec", "polars"} | clients


def test_a_run_loads_the_clients_of_the_configured_systems_alone(tmp_path: Path) -> None:
    with Sandbox(build(accounts=3, until=datetime(2026, 11, 23, 8, tzinfo=UTC))) as sandbox:
        absent = ("JIRA_", "INTERCOM_")
        told = {name: value for name, value in sandbox.environment().items() if not name.startswith(absent)}
        found = loaded_by(RUN, **told, ACCOUNTPULSE_STATE=str(tmp_path), PYTHONPATH="")
    assert not found & {"aiohttp", "looker_sdk", "boto3", "duckdb", "jinja2", "sklearn", "vl_convert", "starlette"}
    assert {"requests", "simple_salesforce", "polars"} <= found

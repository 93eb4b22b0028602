"""Starting the program as people do, and calling a command without a process of its own."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from accountpulse.cli import app
from accountpulse.core.errors import AccountpulseError

OURS = ("ACCOUNTPULSE_", "INTERCOM_", "JIRA_", "LOOKER_", "SALESFORCE_")

PASSED = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # the last two: see tests/conftest.py
CLEAN = {name: os.environ[name] for name in PASSED if name in os.environ}


def start(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `accountpulse` in an empty folder and an empty home, with nothing set but what the test says."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    given = {**CLEAN, "HOME": str(home), "ACCOUNTPULSE_STATE": str(folder / "state"), "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "accountpulse", *words]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=600)


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def call(folder: Path, *words: str, **environment: str) -> Said:
    """The command in this process, which has loaded everything: where it counts what it says, not how it is started."""
    given: dict[str, str | None] = {name: None for name in os.environ if name.startswith(OURS)}
    given |= {"ACCOUNTPULSE_STATE": str(folder / "state"), "COLUMNS": "100", **environment}
    with contextlib.chdir(folder):
        try:
            done = CliRunner().invoke(app, list(words), env=given, catch_exceptions=False)
        except AccountpulseError as error:
            return Said(error.exit_code, "", f"{error}\n")
    return Said(done.exit_code, done.stdout, done.stderr)

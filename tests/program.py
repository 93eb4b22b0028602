"""Starting the program as people do, and calling a command without a process of its own."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from accountpulse.cli import app

PASSED = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # the last two: see tests/conftest.py
CLEAN = {name: os.environ[name] for name in PASSED if name in os.environ}


def start(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `accountpulse` in an empty folder and an empty home, with nothing set but what the test says."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    given = {**CLEAN, "HOME": str(home), "ACCOUNTPULSE_STATE": str(folder / "state"), "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "accountpulse", *words]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120)


def call(folder: Path, *words: str, **environment: str) -> Result:
    """The command in this process, which has loaded everything: where it counts what a command says, and not how the
    program begins and ends. An error of ours is raised."""
    given = {name: None for name in os.environ if name.startswith(("ACCOUNTPULSE_", "SALESFORCE_", "JIRA_"))}
    given |= {"ACCOUNTPULSE_STATE": str(folder / "state"), "COLUMNS": "100", **environment}
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, list(words), env=given, catch_exceptions=False)

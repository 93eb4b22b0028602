"""The built package holds what the program needs besides code."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_wheel_carries_its_data_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".py", ".yaml", ".html", ".css", ".js", ".txt"}
    sources = {str(p.relative_to(ROOT / "src")) for p in (ROOT / "src").rglob("*") if p.suffix in kinds}
    assert {"accountpulse/scoring/default.yaml", "accountpulse/sandbox/accountpulse.yaml"} <= sources
    assert {f"accountpulse/report/page/{name}" for name in ("template.html", "page.css", "start.js")} <= sources
    assert {f"accountpulse/report/charts/{name}" for name in ("vega.js", "LICENSES.txt")} <= sources
    assert sources <= names
    assert {f"accountpulse/docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= names


@pytest.mark.parametrize("command", [[], ["run"], ["score"], ["scorecard", "check"]])
def test_asking_for_help_imports_nothing_heavy(command: list[str]) -> None:
    heavy = "polars narwhals duckdb pyspark pyarrow pandas aiohttp looker_sdk simple_salesforce boto3 botocore "
    heavy += "requests starlette uvicorn rich yaml msgspec"
    if not command:
        heavy += " pydantic"  # Typer itself uses it to read a command's own options
    code = f"""
import sys
from accountpulse.cli import app
try:
    app([*{command!r}, "--help"])
except SystemExit:
    pass
print([name for name in {heavy.split()!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout

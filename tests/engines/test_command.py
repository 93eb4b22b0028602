"""`accountpulse score --engine …`, as people start it."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest


def start(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    extra = {} if path is None else {"PYTHONPATH": str(path)}
    return subprocess.run(
        [sys.executable, "-m", "accountpulse", "score", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100", **extra},
    )


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    """Two accounts; the second has a critical signal, and nothing else is known of either."""
    frame = pl.DataFrame({"account_id": ["A", "B"], "critical_signals": [0, 1], "mau_typo": [1, 2], "arr": [5e6, 2e3]})
    frame.write_parquet(tmp_path / "metrics.parquet")
    return tmp_path


@pytest.mark.parametrize("engine", [[], ["--engine", "duckdb"]])
def test_parquet_is_scored_and_what_is_not_read_is_told(engine: list[str], metrics: Path) -> None:
    done = start(metrics, "--metrics", "metrics.parquet", "--out", "new/scores.parquet", *engine)
    assert done.returncode == 4, done.stderr  # none could be rated
    assert "column 'mau_typo' is no metric" in done.stderr
    assert [line.split()[:3] for line in done.stdout.splitlines() if line.startswith(("Critical", "Not"))] == [
        ["Critical", "1", "2k"],
        ["Not", "Rated", "1"],
    ]
    assert "Scored 2 accounts with default" in done.stdout
    assert pl.read_parquet(metrics / "new" / "scores.parquet")["tier"].to_list() == ["Not Rated", "Critical"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--metrics", "metrics.csv", "--engine", "duckdb"], "metrics.csv: the engine duckdb reads and writes Parquet"),
        (["--metrics", "metrics.parquet", "--master", "local[2]"], "--master is Spark's address"),
        (["--metrics", "absent.parquet"], "absent.parquet can't be read"),
    ],
)
def test_what_does_not_fit_together_is_said_before_anything_is_done(
    arguments: list[str], told: str, metrics: Path
) -> None:
    done = start(metrics, *arguments, "--out", "scores.parquet")
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (metrics / "scores.parquet").exists()


@pytest.mark.parametrize(("engine", "module"), [("duckdb", "duckdb"), ("spark", "pyspark")])
def test_a_missing_library_is_named_with_the_way_out(engine: str, module: str, metrics: Path) -> None:
    # an installation without the extra: a module of that name which can't be imported comes first on the path
    (metrics / "without").mkdir()
    (metrics / "without" / f"{module}.py").write_text(f"raise ImportError('No module named {module}')\n")
    done = start(metrics, "--metrics", "metrics.parquet", "--out", "s", "--engine", engine, path=metrics / "without")
    assert done.returncode == 2
    assert f"needs {module}" in done.stderr
    assert f"pip install 'accountpulse[{engine}]'" in done.stderr

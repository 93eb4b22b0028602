"""Engines to test with. Spark is started once, where there is a Java; else its tests say why they are skipped."""

import importlib.util
import shutil
from pathlib import Path

import polars as pl
import pytest

from accountpulse.engines import Engine, start

NO_SPARK = (
    "PySpark is not installed: pip install 'accountpulse[spark]'"
    if importlib.util.find_spec("pyspark") is None
    else "there is no java on the PATH: install a Java runtime, 17 or newer"
    if shutil.which("java") is None
    else ""
)
needs_spark = pytest.mark.skipif(bool(NO_SPARK), reason=NO_SPARK)
ALL = ["polars", "duckdb", pytest.param("spark", marks=needs_spark)]
OTHERS = ALL[1:]


def engine(name: str) -> Engine:
    return start(name, "local[2]" if name == "spark" else None)


def written(path: Path) -> pl.DataFrame:
    """What an engine wrote, a file or a folder of files, in the order of accounts."""
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files]).sort("account_id")

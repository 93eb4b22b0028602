"""Where scoring runs: Parquet in, Parquet out, on Polars, DuckDB or Spark; the scores are the same on each.

An engine reads, writes and runs; the arithmetic is that of scoring/ and metrics/, and none of it is written twice.
"""

import importlib
from typing import Any, Literal, Protocol

import narwhals.stable.v2 as nw

from accountpulse.core.errors import UsageError
from accountpulse.scoring.calibration import Calibration
from accountpulse.scoring.scorecard import Scorecard

EngineKind = Literal["polars", "duckdb", "spark"]


class Engine(Protocol):
    """What an engine can do. Its tables are its own kind of lazy frame, seen through narwhals."""

    def read(self, path: str) -> nw.LazyFrame[Any]:
        """The Parquet file, or folder of files, at `path`; a UsageError where there is none."""

    def score(
        self, metrics: nw.LazyFrame[Any], card: Scorecard, calibration: Calibration | None = None
    ) -> nw.LazyFrame[Any]:
        """The columns of scoring's `score`, one row for each row of metrics; with a calibration its columns too."""

    def write(self, scores: nw.LazyFrame[Any], path: str) -> None:
        """The rows as Parquet at `path`; a UsageError where that is not possible. Never half a file."""


def start(kind: EngineKind, master: str | None = None) -> Engine:
    """The engine; `master` is Spark's address, and a mistake for the others.

    A library that is missing is a UsageError that says what to install.
    """
    if master is not None and kind != "spark":
        raise UsageError(f"--master is Spark's address; the engine is {kind}: add --engine spark")
    if kind == "polars":
        from accountpulse.engines.polars import Polars

        return Polars()
    if kind == "duckdb":
        need("duckdb", "duckdb", "pyarrow")
        from accountpulse.engines.duckdb import DuckDB

        return DuckDB()
    need("spark", "pyspark", "pyarrow", "pandas")
    from accountpulse.engines.spark import Spark, session

    return Spark(session(master))


def need(extra: str, *modules: str) -> None:
    """A UsageError where one of the modules of an extra can't be imported."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UsageError(
                f"--engine {extra} needs {module}, which can't be imported ({error}): "
                f"pip install 'accountpulse[{extra}]', or leave --engine out to score with Polars"
            ) from None

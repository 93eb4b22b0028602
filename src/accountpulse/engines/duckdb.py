"""DuckDB: the second opinion, and records that lie in its tables."""

from typing import Any

import duckdb
import narwhals.stable.v2 as nw

from accountpulse.core.errors import UsageError
from accountpulse.engines.polars import atomic_file
from accountpulse.metrics.shared import MetricFrame
from accountpulse.scoring.calibration import Calibration, calibrated
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score


class DuckDB:
    """One database in memory, on all cores."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def read(self, path: str) -> nw.LazyFrame[Any]:
        """As Engine.read."""
        try:
            return nw.from_native(self.connection.read_parquet(path))
        except duckdb.Error as error:
            raise UsageError(f"{path} can't be read as Parquet ({str(error).splitlines()[0]})") from None

    def score(
        self, metrics: nw.LazyFrame[Any], card: Scorecard, calibration: Calibration | None = None
    ) -> nw.LazyFrame[Any]:
        """As Engine.score."""
        scores: nw.LazyFrame[Any] = nw.from_native(calibrated(score(metrics.to_native(), card), calibration))
        return scores

    def write(self, scores: nw.LazyFrame[Any], path: str) -> None:
        """As Engine.write."""
        with atomic_file(path, duckdb.IOException) as part:
            scores.to_native().to_parquet(str(part))


def numbered(table: duckdb.DuckDBPyRelation) -> MetricFrame:
    """As metrics' `numbered`, for records in DuckDB: milliseconds and days since 1970 as integers, NaN null."""
    columns = (_number(name, str(kind)) for name, kind in zip(table.columns, table.types, strict=True))
    return nw.from_native(table.project(", ".join(columns)))


def _number(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP"):
        return f"epoch_ms({column}) AS {column}"
    if kind == "DATE":
        return f"({column} - DATE '1970-01-01')::BIGINT AS {column}"
    if kind in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END AS {column}"
    return column

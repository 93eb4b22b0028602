"""Spark: the same Polars code, run on each of its partitions.

Scores are made row by row, so any part of a table will do (`mapInArrow`). Metrics need all records of an account
together, so accounts are hashed into buckets, and each bucket is measured whole (`cogroup`, `applyInArrow`).
Polars, PyArrow, pandas and this package must be installed where the executors run.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException, PySparkRuntimeError, PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from accountpulse import metrics
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Scope
from accountpulse.core.records import TABLES, Rules, Source
from accountpulse.metrics import Gaps
from accountpulse.scoring.calibration import Calibration, calibrated
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score

ROWS = 100_000  # scored at a time: making the expressions takes as long as scoring some ten thousand accounts
BUCKETS = 200
BUCKET = "accountpulse bucket"
TABLE = "accountpulse table"


def session(master: str | None = None) -> SparkSession:
    """The running session, or a new one on `master`; without it on what Spark's own configuration says."""
    if (master or "local").startswith("local") and "PYSPARK_GATEWAY_PORT" not in os.environ:  # nor under spark-submit
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder
    builder = builder.appName("accountpulse")
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.executorEnv.POLARS_MAX_THREADS", "1")  # Spark gives each core a task of its own
    if master is not None:
        builder = builder.master(master)
    try:
        running: SparkSession = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise UsageError(
            f"Spark did not start ({error.getCondition()}): it needs Java 17 or newer; put java on the PATH, or its "
            "folder into JAVA_HOME"
        ) from None
    return running


class Spark:
    """A session; paths are whatever it can read: folders, s3a://, abfss://, hdfs://."""

    def __init__(self, running: SparkSession) -> None:
        self.session = running

    def read(self, path: str) -> nw.LazyFrame[Any]:
        """As Engine.read."""
        try:
            return nw.from_native(self.session.read.parquet(path))
        except (PySparkException, Py4JJavaError) as error:
            raise UsageError(f"{path} can't be read as Parquet ({_first_line(error)})") from None

    def score(
        self, metrics: nw.LazyFrame[Any], card: Scorecard, calibration: Calibration | None = None
    ) -> nw.LazyFrame[Any]:
        """As Engine.score."""
        return nw.from_native(scores(metrics.to_native(), card, calibration))

    def write(self, scores: nw.LazyFrame[Any], path: str) -> None:
        """As Engine.write; `path` is a folder, and one that is there already is never replaced."""
        try:
            scores.to_native().write.parquet(path)
        except PythonException:  # our own code, on an executor
            raise
        except (PySparkException, Py4JJavaError) as error:
            raise UsageError(f"{path} can't be written ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


# --- scores ------------------------------------------------------------------------------------------------------


def scores(frame: DataFrame, card: Scorecard, calibration: Calibration | None = None, **options: Any) -> DataFrame:
    """As scoring's `score` and `calibrated`, for a Spark table of metrics; takes the options of `score`."""
    empty = _from_arrow(to_arrow_schema(frame.schema).empty_table())
    schema = _schema_of(calibrated(score(empty, card, **options), calibration))

    def kernel(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in _joined(batches):
            made = calibrated(score(_from_arrow(table), card, **options), calibration)
            yield from _to_arrow(made, schema)

    return frame.mapInArrow(kernel, schema)


def _joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches, as many together as make ROWS."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


# --- metrics -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeasureOptions:
    """What is the same for every bucket of accounts."""

    gaps: Gaps
    sources: Sequence[Source]
    scope: Scope
    rules: Rules


def measure(
    accounts: DataFrame,
    tables: Mapping[str, DataFrame],
    reasons: DataFrame,
    gaps: Gaps,
    *,
    sources: Sequence[Source],
    scope: Scope,
    rules: Rules,
    buckets: int = BUCKETS,
) -> DataFrame:
    """As metrics' `measure`, for Spark tables; unsorted.

    Accounts are hashed into `buckets`, and all records of a bucket must fit into a worker's memory. Moves of issues
    name no account; they go wherever their issue goes.
    """
    options = MeasureOptions(gaps, sources, scope, rules)
    no_accounts, no_reasons = (to_arrow_schema(table.schema).empty_table() for table in (accounts, reasons))
    schema = _schema_of(_measured(no_accounts, {}, no_reasons, options))
    inputs = {**tables, "accounts": accounts, "reasons": reasons}
    bucket = f.pmod(f.hash("account_id"), f.lit(buckets)).alias(BUCKET)
    bucketed = {name: table.select(bucket, "*") for name, table in inputs.items() if "account_id" in table.columns}
    if "issue_moves" in tables:
        issue: list[str] = [name for name in ("source", "issue_id") if name in tables["issue_moves"].columns]
        bucket_of = bucketed["issues"].select(BUCKET, *issue).distinct()
        bucketed["issue_moves"] = bucket_of.join(tables["issue_moves"], issue)
    customers = bucketed.pop("accounts")
    columns = {name: [c for c in table.columns if c != BUCKET] for name, table in bucketed.items()}
    records = reduce(
        lambda left, right: left.unionByName(right, allowMissingColumns=True),
        (table.withColumn(TABLE, f.lit(name)) for name, table in bucketed.items()),
    )

    def kernel(left: pa.Table, right: pa.Table) -> pa.Table:
        parts = {name: right.filter(pc.equal(right[TABLE], name)).select(columns[name]) for name in columns}
        their_reasons = parts.pop("reasons")
        return pa.Table.from_batches(_to_arrow(_measured(left, parts, their_reasons, options), schema))

    grouped = customers.groupBy(BUCKET).cogroup(records.groupBy(BUCKET))
    return grouped.applyInArrow(kernel, schema)


def _measured(
    accounts: pa.Table, tables: Mapping[str, pa.Table], reasons: pa.Table, options: MeasureOptions
) -> pl.LazyFrame:
    measured = metrics.measure(
        _declared(accounts, "accounts"),
        {name: _declared(table, name) for name, table in tables.items()},
        _from_arrow(reasons).collect(),
        options.gaps,
        sources=options.sources,
        scope=options.scope,
        rules=options.rules,
    )
    return measured.lazy()


def _declared(table: pa.Table, name: str) -> pl.DataFrame:
    """The rows in the types of records; Spark's times are microseconds in the session's zone."""
    frame = _from_arrow(table)
    kinds = {"account_id": pl.String(), **TABLES[name], "source": pl.String()}
    return frame.select(_cast(column, kinds[column]) for column in table.column_names if column in kinds).collect()


def _cast(name: str, kind: Any) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return pl.col(name).dt.convert_time_zone("UTC").dt.cast_time_unit(kind.time_unit)
    return pl.col(name).cast(kind)


# --- between Spark's Arrow and Polars ------------------------------------------------------------------------------


def _from_arrow(table: pa.Table) -> pl.LazyFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101
    return frame.lazy()


def _schema_of(frame: pl.LazyFrame) -> StructType:
    kinds = [(name, _kind(kind)) for name, kind in frame.collect_schema().items()]
    return from_arrow_schema(pa.schema(kinds))


def _kind(kind: pl.DataType) -> pa.DataType:
    if isinstance(kind, pl.List):
        return pa.list_(pa.string())
    return {pl.String(): pa.string(), pl.Float64(): pa.float64(), pl.Date(): pa.date32()}[kind]


def _to_arrow(frame: pl.LazyFrame, schema: StructType) -> Sequence[pa.RecordBatch]:
    table = frame.collect().to_arrow(compat_level=pl.CompatLevel.oldest())
    batches: list[pa.RecordBatch] = table.cast(to_arrow_schema(schema)).to_batches()
    return batches

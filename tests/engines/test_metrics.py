"""Support and bugs are measured alike from the same records on every engine: medians exactly, the rest to 1e-9."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from accountpulse import metrics
from accountpulse.core.records import TABLES, Rules, frame
from accountpulse.metrics.bugs import measure_bugs
from accountpulse.metrics.shared import numbered
from accountpulse.metrics.support import measure_support
from accountpulse.systems import SOURCES
from engines.running import engine, needs_spark
from metrics.measuring import HOUR, OCTOBER, START, at, table
from support import NAMES

MEDIANS = ("median_first_response_seconds", "median_resolution_seconds")
ACCOUNTS = [f"{number:018d}" for number in range(40)]
DAYS = 100  # records begin somewhat before the window and go on after it


def records() -> dict[str, pl.DataFrame]:
    """Conversations, issues and their moves of forty accounts; some have none, some values are missing, some absurd."""
    chance = random.Random(11)  # noqa: S311

    def moment(missing: float = 0.0) -> datetime | None:
        seconds = chance.randrange(DAYS * 86_400)
        return None if chance.random() < missing else START - timedelta(days=5) + timedelta(seconds=seconds)

    def maybe(value: Any) -> Any:
        return None if chance.random() < 0.2 else value

    conversations = [
        {
            "account_id": chance.choice(ACCOUNTS[5:]),
            "conversation_id": str(number),
            "created_at": moment(),
            "customer_involved": maybe(chance.random() < 0.9),
            "p1_p2": maybe(chance.random() < 0.2),
            "escalated": maybe(chance.random() < 0.1),
            "first_response_ms": maybe(chance.randrange(1, 90 * HOUR)),
            "last_closed_at": moment(0.3),
            "resolution_ms": maybe(chance.randrange(1, 900 * HOUR)),
            "rating_asked_at": moment(0.5),
            "rating": maybe(chance.randrange(0, 7)),
        }
        for number in range(900)
    ]
    issues = [
        {
            "account_id": chance.choice(ACCOUNTS[:30]),
            "issue_id": str(number % 250),  # one issue may belong to two accounts
            "created_at": at("2026-08-20") + timedelta(hours=number % 250),
            "done": number % 3 == 0,
            "resolved_at": at("2026-10-01") + timedelta(minutes=number % 250) if number % 3 == 0 else None,
            "critical": number % 7 == 0,
        }
        for number in range(300)
    ]
    moves = [
        {"issue_id": str(chance.randrange(250)), "at": moment(), "from_done": bool(n % 2), "to_done": not n % 2}
        for n in range(500)
    ]
    made = {"conversations": table("conversations", conversations), "issues": table("issues", issues)}
    return made | {"issue_moves": table("issue_moves", moves).unique(["issue_id", "at"], maintain_order=True)}


def accounts() -> pl.DataFrame:
    return frame("accounts", [{"account_id": account, "seats": 10.0} for account in ACCOUNTS])


def no_reasons() -> pl.DataFrame:
    return pl.DataFrame({"account_id": ACCOUNTS}).with_columns(pl.lit(None, pl.String).alias(s) for s in NAMES)


def assert_same(got: pl.DataFrame, wanted: pl.DataFrame) -> None:
    got, wanted = got.sort("account_id"), wanted.sort("account_id")
    exact = [name for name in wanted.columns if name in ("account_id", *MEDIANS)]
    assert got.select(exact).equals(wanted.select(exact))
    assert_frame_equal(got, wanted, rel_tol=1e-9, abs_tol=0, check_column_order=False)


def test_the_records_of_these_tests_measure_something() -> None:
    wanted = metrics.measure(accounts(), records(), no_reasons(), {}, sources=SOURCES, scope=OCTOBER, rules=Rules())
    for name in (*MEDIANS, "csat_score", "p1_p2_pct", "avg_resolution_days", "reopened_bugs"):
        assert wanted[name].n_unique() > 5, name


def test_duckdb_measures_as_polars_does() -> None:
    duckdb = pytest.importorskip("duckdb")
    from accountpulse.engines.duckdb import numbered as numbered_there

    connection = duckdb.connect()
    held = {name: table(name, []) for name in TABLES} | records() | {"accounts": accounts()}
    there = {}
    for name, rows in held.items():
        connection.register(f"{name}_", rows.to_arrow())
        there[name] = numbered_there(connection.table(f"{name}_"))
    here = {name: numbered(rows) for name, rows in held.items()}
    for domain in (measure_support, measure_bugs):
        got = domain(there["accounts"], there, OCTOBER, Rules()).collect("polars").to_native()
        wanted = domain(here["accounts"], here, OCTOBER, Rules()).collect().to_native()
        assert_same(got, wanted)


@needs_spark
def test_spark_measures_every_metric_as_polars_does() -> None:
    from accountpulse.engines import spark

    running = engine("spark").session  # type: ignore[attr-defined]
    held, gaps = records(), {"intercom": {"csat_score": "field_missing"}}
    why = no_reasons().with_columns(jira=pl.when(pl.col("account_id") == ACCOUNTS[3]).then(pl.lit("not_linked")))
    wanted = metrics.measure(accounts(), held, why, gaps, sources=SOURCES, scope=OCTOBER, rules=Rules())
    there = {name: running.createDataFrame(rows.to_arrow()) for name, rows in held.items()}
    got = spark.measure(
        running.createDataFrame(accounts().to_arrow()),
        there,
        running.createDataFrame(why.to_arrow()),
        gaps,
        sources=SOURCES,
        scope=OCTOBER,
        rules=Rules(),
        buckets=7,
    )
    assert_same(pl.from_arrow(got.toArrow()).select(wanted.columns), wanted)


def test_instants_and_days_are_the_same_numbers_in_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    from accountpulse.engines.duckdb import numbered as numbered_there

    rows = pl.DataFrame(
        {"at": [datetime(1970, 1, 1, 0, 0, 1, 5000, tzinfo=UTC), None], "day": [datetime(1971, 1, 1).date(), None]},  # noqa: DTZ001
        schema={"at": pl.Datetime("ms", "UTC"), "day": pl.Date},
    )
    connection = duckdb.connect()
    connection.register("rows_", rows.to_arrow())
    got = numbered_there(connection.table("rows_")).collect("polars").to_native()
    assert got.rows() == [(1005, 365), (None, None)]

"""Short ways to write records and read what they measure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import TABLES, Rules, frame
from accountpulse.metrics.shared import Frames, MetricFrame, numbered

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"
OCTOBER = scope_of(Period(2026, 10), datetime(2026, 11, 23, tzinfo=UTC))  # as of 1 November, window from 3 August
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
START = datetime(2026, 8, 3, tzinfo=UTC)
TODAY = date(2026, 11, 1)
TICK = timedelta(milliseconds=1)
HOUR = 3_600_000

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
Domain = Callable[[MetricFrame, Frames, Scope, Rules], MetricFrame]


def at(text: str) -> datetime:
    """An instant in UTC from `2026-10-05` or `2026-10-05 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def table(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    """A table as attribution leaves it; a row without an account belongs to A, one without a source came from `one`."""
    schema = {column: kind for column, kind in TABLES[name].items() if column not in {"keys", "key"}}
    if name != "issue_moves":
        schema = {"account_id": pl.String, **schema}
        rows = [{"account_id": A, **row} for row in rows]
    rows = [{"source": "one", **row} for row in rows]
    return pl.DataFrame(rows, schema={**schema, "source": pl.String}, orient="row")


def measured(
    domain: Domain,
    rows: Rows,
    *,
    accounts: Sequence[Row] = ({"account_id": A},),
    scope: Scope = OCTOBER,
    rules: Rules | None = None,
) -> pl.DataFrame:
    """What one domain measures; tables that are not given are empty."""
    tables = {name: numbered(table(name, rows.get(name, ()))) for name in TABLES}
    result = domain(numbered(frame("accounts", accounts)), tables, scope, rules or Rules())
    return result.collect().to_native().sort("account_id")


def of(result: pl.DataFrame, account_id: str = A) -> dict[str, Any]:
    """An account's metrics: the value, or the reason where it has none. A value with a reason is a fault."""
    row = result.row(by_predicate=pl.col("account_id") == account_id, named=True)
    answers = {}
    for name in (column.removesuffix("_reason") for column in row if column.endswith("_reason")):
        value, reason = row[name], row[f"{name}_reason"]
        assert (value is None) != (reason is None), name
        answers[name] = reason if value is None else value
    return answers


def of_a(domain: Domain, rows: Rows, **arguments: Any) -> dict[str, Any]:
    return of(measured(domain, rows, **arguments))

"""What a table of metrics must be before it is scored, asked in one pass and without holding it in memory."""

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw

from accountpulse.errors import UsageError
from accountpulse.scoring import table
from accountpulse.scoring.scorecard import Scorecard

SHOWN = 5


def refuse(metrics: nw.LazyFrame[Any], name: str, card: Scorecard) -> None:
    """One UsageError with all that is wrong: columns, types, NaN and infinities, accounts without an id or twice."""
    schema = metrics.collect_schema()
    table.check_header(list(schema), name, card)
    numeric = [c for c in schema if c not in table.TEXTS and not c.endswith("_reason")]
    problems = [f"{c}: {schema[c]} is no kind of number" for c in numeric if not schema[c].is_numeric()]
    problems += _wrong_values(metrics, [c for c in numeric if schema[c].is_numeric()])
    problems += _accounts_twice(metrics)
    if problems:
        raise UsageError("\n".join([f"{name}:", *(f"  - {problem}" for problem in problems)]))


def _wrong_values(metrics: nw.LazyFrame[Any], numeric: list[str]) -> Iterator[str]:
    nameless = nw.col("account_id").is_null() | (nw.col("account_id") == "")
    infinite = [~nw.col(c).cast(nw.Float64).is_finite() for c in numeric]
    counts = metrics.select(
        *(
            wrong.fill_null(value=False).cast(nw.Int64).sum().alias(c)
            for c, wrong in zip(numeric, infinite, strict=True)
        ),
        nameless.fill_null(value=True).cast(nw.Int64).sum().alias("account_id"),
    ).collect("polars")
    for column, count in counts.rows(named=True)[0].items():
        if count:
            fault = "empty" if column == "account_id" else "not a plain number such as 1234.5"
            yield f"{column}: {fault} in {count:,} {'row' if count == 1 else 'rows'}"


def _accounts_twice(metrics: nw.LazyFrame[Any]) -> Iterator[str]:
    counted = metrics.select("account_id").filter(~nw.col("account_id").is_null()).group_by("account_id")
    twice = counted.agg(rows=nw.len()).filter(nw.col("rows") > 1)
    for account, rows in twice.head(SHOWN).collect("polars").sort("account_id").rows():
        yield f"account {account} stands in {rows:,} rows"

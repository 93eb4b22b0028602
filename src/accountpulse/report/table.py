"""The report as a table: one row an account in the order of the worklist, with the numbers of the page."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from accountpulse.scoring.columns import score_of
from accountpulse.scoring.table import write_table

# column of the file → column of the document's accounts; numbers unrounded, as in the document
COLUMNS: Mapping[str, str] = {
    "account_id": "id",
    "account_name": "name",
    "segment": "segment",
    "owner": "owner",
    "arr": "arr",
    "seats": "seats",
    "tier": "tier",
    "tier_before": "tier_before",
    "health_score": "health",
    "health_score_before": "health_before",
    "health_before_caps": "before_caps",
    "lower_bound": "lower",
    "upper_bound": "upper",
    "coverage": "coverage",
    "churn_risk_score": "risk",
    "churn_risk_band": "band",
    "arr_at_risk": "value_at_risk",
    "renewal_date": "renewal",
    "days_to_renewal": "days",
    "cap_reason": "cap",
    "drivers": "drivers",
    "not_rated_reason": "not_rated",
    "next_step": "step",
}


def csv(document: Mapping[str, Any]) -> bytes:
    """The CSV file of a document, UTF-8; null is an empty cell, and no cell is one that a spreadsheet would run."""
    accounts = document["accounts"]
    chosen = {**COLUMNS, **{score_of(each["name"]): f"dimension:{each['name']}" for each in document["dimensions"]}}
    columns = {name: pl.Series(accounts[column], strict=False) for name, column in chosen.items()}
    texts = [name for name, column in columns.items() if column.dtype == pl.Null]
    frame = pl.DataFrame(columns).with_columns(pl.col(texts).cast(pl.String))
    return write_table(frame[document["worklist"]], "report.csv")

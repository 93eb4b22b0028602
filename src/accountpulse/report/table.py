"""The report as a table: one row an account in the order of the worklist, with the numbers of the page."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from accountpulse.core import tables
from accountpulse.report.columns import COLUMNS
from accountpulse.scoring.columns import score_of


def csv(document: Mapping[str, Any]) -> bytes:
    """The CSV file of a document, UTF-8; null is an empty cell, and no cell is one that a spreadsheet would run.

    Numbers are unrounded, as in the document.
    """
    accounts = document["accounts"]
    held = {name: any(value is not None for value in accounts[name]) for name in {c.only_with for c in COLUMNS} - {""}}
    chosen = {column.name: column.key for column in COLUMNS if held.get(column.only_with, True)}
    chosen |= {score_of(each["name"]): f"dimension:{each['name']}" for each in document["dimensions"]}
    columns = {name: pl.Series(accounts[key], strict=False) for name, key in chosen.items()}
    texts = [name for name, column in columns.items() if column.dtype == pl.Null]
    frame = pl.DataFrame(columns).with_columns(pl.col(texts).cast(pl.String))
    return tables.write(frame[document["worklist"]], "report.csv")

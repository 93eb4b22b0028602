"""What a backtest leaves: its files in a folder, and of the state's own months what the report shows."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from accountpulse.cli.files import write
from accountpulse.core import tables
from accountpulse.core.outgoing import outgoing_data, outgoing_table
from accountpulse.core.redact import REDACT
from accountpulse.report.files import EXTRA, backtest_page
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.backtest import Backtest
    from accountpulse.proof.document import BacktestDocument

NAMES = {"Page": "backtest.html", "JSON": "backtest.json", "Rows": "rows.parquet", "Said": "words.parquet"}


def paths_in(out: Path) -> Iterator[Path]:
    """The files that are written into a folder."""
    yield from (out / name for name in NAMES.values())


def write_files(result: "Backtest", out: Path) -> Iterator[str]:
    """Write the page, the document and its rows into a folder; a line that says where, for each."""
    import msgspec

    document = plain(result.document)
    contents = {
        "Page": backtest_page(document),
        "JSON": msgspec.json.format(msgspec.json.encode(document)) + b"\n",
        "Rows": tables.write(_outgoing(result.rows), NAMES["Rows"]),
        "Said": tables.write(_outgoing(result.words), NAMES["Said"]),
    }
    for what, content in contents.items():
        if content is None:
            yield f"{what + ':':<6}not written: {EXTRA}"
            continue
        path = out / NAMES[what]
        write(path, content)
        yield f"{what + ':':<6}{path}"


def keep(document: "BacktestDocument", state: State, now: datetime) -> None:
    """Keep it for the report. It names no account, so that `forget` has nothing to look for in it."""
    findings = tuple(replace(finding, accounts=()) for finding in document.labels.findings)
    labels = replace(document.labels, findings=findings)
    nameless = replace(document, labels=labels, false_greens=(), false_reds=(), notes=())
    state.backtests.keep(now.isoformat(timespec="seconds"), plain(nameless))


def plain(document: "BacktestDocument") -> Mapping[str, Any]:
    """The document as data: days are ISO texts, a number that is none is null; nothing secret."""
    import msgspec

    encoded = msgspec.json.encode(document, order="deterministic")
    return dict(outgoing_data(msgspec.json.decode(encoded)))


def _outgoing(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as they may leave; ids stay exactly as they are."""
    ids = REDACT.table(rows.select("account_id"))
    return outgoing_table(rows.drop("account_id")).hstack(ids).select(rows.columns)

"""What tests of several parts share."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse import accounts, metrics
from accountpulse.core.catalogue import Metric
from accountpulse.core.period import Scope
from accountpulse.core.records import Extract, SourceName
from accountpulse.core.spreadsheet import meant_texts
from accountpulse.settings import Settings
from accountpulse.systems import SOURCES, SYSTEMS
from accountpulse.systems.extraction import ExtractRequest

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Configure = Callable[..., Settings]
NAMES = tuple(source.name for source in SOURCES)
TABLES_OF = {name: SYSTEMS[name].tables for name in NAMES}
DOMAINS_OF = {name: SYSTEMS[name].domains for name in NAMES}


def meant(cell: str) -> str:
    """The text of a cell that was made harmless for a spreadsheet, as a table is read."""
    return str(meant_texts(pl.DataFrame({"cell": [cell]})).item())


def request(
    loaded: Settings, name: SourceName, scope: Scope, keys: Sequence[str] = (), **more: Any
) -> ExtractRequest[Any, Any]:
    """What a run asks of one system."""
    return ExtractRequest(loaded.connection(name), scope, tuple(keys), **more)


def extract(loaded: Settings, name: SourceName, scope: Scope, keys: Sequence[str] = (), **more: Any) -> Extract:
    """What one system answers."""
    reader = SYSTEMS[name].extract
    assert reader is not None
    return reader(request(loaded, name, scope, keys, **more))


def measured(
    loaded: Settings, extracts: Mapping[SourceName, Extract], scope: Scope, own: tuple[Metric, ...] = ()
) -> pl.DataFrame:
    """Every metric of every account that the extracts come to."""
    linked = accounts.link(extracts["salesforce"].tables["accounts"], extracts, SOURCES, loaded.configured, ())
    assert not linked.problems
    tables: dict[str, Any] = {}
    for name, each in extracts.items():
        for table, rows in accounts.attribute_all(each, linked, SYSTEMS[name].source).tables.items():
            tables[table] = accounts.united(tables.get(table), rows)
    gaps = {name: each.gaps for name, each in extracts.items()}
    unknowns = pl.concat(
        accounts.attribute(each.unknowns, linked, SYSTEMS[name].source).rows for name, each in extracts.items()
    )
    rules = replace(loaded.rules, own=own)
    return metrics.measure(
        linked.accounts, tables, linked.reasons, gaps, unknowns=unknowns, sources=SOURCES, scope=scope, rules=rules
    )


class Silent:
    """A watch that shows nothing and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        pass

    def begin(self, source: SourceName) -> None:
        pass

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        pass

    def end(self, source: SourceName, standing: object) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)


def promises() -> dict[int, set[tuple[str, str]]]:
    """The tests that docs/reliability.md names for each fault, as file below tests/ and name."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", text, re.MULTILINE)
    return {int(number): set(re.findall(r"(\S+\.py) `(\w+)`", named)) for number, named in rows}

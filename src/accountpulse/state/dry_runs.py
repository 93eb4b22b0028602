"""The last dry runs, for people to look at: no month of the history, and no run that anything is compared with.

```
dry-runs/<run id>/run.json        what the run said, and its scorecard; comes last, and makes the others count
dry-runs/<run id>/<kind>.parquet  metrics, scores, evidence and signals, as the history has them of a real run
```
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from accountpulse.state.files import Files
from accountpulse.state.history import NEEDS, DetailKind, HistoryKind

FOLDER = "dry-runs/"
KEPT = 3  # the last ones
_RUN = "run.json"


class _DryRunDocument(msgspec.Struct):
    """What a dry run's document has to hold."""

    facts: dict[str, Any]
    scorecard: dict[str, Any]


@dataclass(frozen=True)
class KeptDryRun:
    """A dry run as it ended: its summary, and its two tables."""

    facts: Mapping[str, Any]
    scorecard: Mapping[str, Any]
    metrics: pl.DataFrame
    scores: pl.DataFrame


class DryRuns:
    """The dry runs that are kept; each has its own folder, so that two at a time don't meet."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def save(
        self,
        run_id: str,
        facts: Mapping[str, Any],
        scorecard: Mapping[str, Any],
        tables: Mapping[HistoryKind, pl.DataFrame],
    ) -> None:
        """Keep a dry run, and of the earlier ones the last few."""
        for kind, table in tables.items():
            self._files.write_table(_name(run_id, kind), table)
        self._files.write_json(f"{FOLDER}{run_id}/{_RUN}", {"facts": dict(facts), "scorecard": dict(scorecard)})
        for old in self.ids()[:-KEPT]:
            self._files.store.remove(f"{FOLDER}{old}/{_RUN}")  # first: what is half gone doesn't count
            self._files.remove_all(f"{FOLDER}{old}/")

    def ids(self) -> list[str]:
        """The dry runs that are kept, the earliest first: their ids begin with their time."""
        return [name.split("/")[1] for name in self._files.names(FOLDER) if name.endswith(f"/{_RUN}")]

    def all(self) -> Iterator[dict[str, Any]]:
        """What each dry run that is kept said of itself, the earliest first."""
        documents = (self._document(run_id) for run_id in self.ids())
        return (document["facts"] for document in documents if document is not None)

    def load(self, run_id: str) -> KeptDryRun | None:
        """A dry run; None where it isn't kept (any more)."""
        document = self._document(run_id)
        if document is None:
            return None
        metrics, scores = self._table(run_id, "metrics"), self._table(run_id, "scores")
        if metrics is None or scores is None:
            return None
        return KeptDryRun(document["facts"], document["scorecard"], metrics, scores)

    def detail(self, run_id: str, kind: DetailKind) -> pl.DataFrame | None:
        """What a dry run kept beside its numbers."""
        return self._table(run_id, kind)

    def _document(self, run_id: str) -> dict[str, Any] | None:
        return self._files.read_json(f"{FOLDER}{run_id}/{_RUN}", _DryRunDocument, sealed=True)

    def _table(self, run_id: str, kind: HistoryKind) -> pl.DataFrame | None:
        return self._files.read_table(_name(run_id, kind), needs=NEEDS[kind])


def _name(run_id: str, kind: HistoryKind) -> str:
    return f"{FOLDER}{run_id}/{kind}.parquet"

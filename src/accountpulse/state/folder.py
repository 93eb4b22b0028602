"""State in a folder: Parquet tables and JSON manifests, each written whole and then named.

```
<root>/2026-10/extract/<source>/<table>.parquet, manifest.json   what a source said: the checkpoint
<root>/2026-10/metrics.parquet, scores.parquet                   what was measured and scored
<root>/2026-10/run.json                                          the last run of the period
```
A manifest is written last: without it, what lies beside it does not count.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse.errors import ConfigurationError
from accountpulse.period import Period, Scope
from accountpulse.records import TABLES, TABLES_OF, Extract, Source

VERSION = 1


class State:
    """Reads and writes one state folder; the folder is made when something is first written."""

    def __init__(self, root: Path) -> None:
        """Nothing is opened or made here."""
        self._root = root

    def folder(self, period: Period) -> Path:
        """Where the period's files lie."""
        return self._root / period.name

    def save_extract(self, scope: Scope, extract: Extract) -> None:
        """Keep everything a source said, so that a later run can go on from it."""
        folder = self.folder(scope.period) / "extract" / extract.source
        manifest = folder / "manifest.json"
        self._write(manifest.unlink, manifest, missing_ok=True)
        for name in TABLES_OF[extract.source]:
            self._whole(folder / f"{name}.parquet", extract.tables[name].write_parquet)
        facts = {
            "version": VERSION,
            "as_of": scope.as_of.isoformat(),
            "window_start": scope.window.start.isoformat(),
            "gaps": dict(extract.gaps),
            "unknown_keys": dict(extract.unknown_keys),
            "notes": list(extract.notes),
            "rows": {name: extract.tables[name].height for name in TABLES_OF[extract.source]},
        }
        self._json(manifest, facts)

    def load_extract(self, scope: Scope, source: Source) -> Extract | None:
        """What a source said in an earlier run for the same instants; None where there is no such checkpoint."""
        folder = self.folder(scope.period) / "extract" / source
        facts = self._read_json(folder / "manifest.json")
        if facts is None or facts.get("version") != VERSION:
            return None
        if (facts["as_of"], facts["window_start"]) != (scope.as_of.isoformat(), scope.window.start.isoformat()):
            return None
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES_OF[source]}
        if any(dict(tables[name].schema) != dict(TABLES[name]) for name in tables):
            return None
        return Extract(source, tables, facts["gaps"], facts["unknown_keys"], tuple(facts["notes"]))

    def save_table(self, period: Period, name: str, frame: pl.DataFrame) -> None:
        """Keep a table of the period: `metrics` or `scores`."""
        self._whole(self.folder(period) / f"{name}.parquet", frame.write_parquet)

    def load_table(self, period: Period, name: str) -> pl.DataFrame | None:
        """A table of the period as it was last kept, or None."""
        path = self.folder(period) / f"{name}.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    def save_run(self, period: Period, facts: Mapping[str, Any]) -> None:
        """Keep the summary of the period's last run."""
        self._json(self.folder(period) / "run.json", {"version": VERSION, **facts})

    def load_run(self, period: Period) -> dict[str, Any] | None:
        """The summary of the period's last run, or None."""
        return self._read_json(self.folder(period) / "run.json")

    def _json(self, path: Path, facts: Mapping[str, Any]) -> None:
        text = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
        self._whole(path, lambda target: target.write_text(text, encoding="utf-8"))

    def _read_json(self, path: Path) -> dict[str, Any] | None:
        if not path.is_file():
            return None
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            remedy = "Move it away and run again; it was not changed."
            raise ConfigurationError("state", [f"{path} can't be read ({type(error).__name__}). {remedy}"]) from None
        return facts

    def _whole(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write beside the path, then rename: a reader sees the old file or the new one, never half of it."""
        self._write(path.parent.mkdir, path, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            part = Path(folder) / path.name
            self._write(write, path, part)
            self._write(part.replace, path, path)

    def _write(self, action: Callable[..., object], path: Path, *args: object, **options: object) -> None:
        try:
            action(*args, **options)
        except OSError as error:
            remedy = "Set ACCOUNTPULSE_STATE to a folder that this user can write to."
            raise ConfigurationError("state", [f"{path} can't be written ({error.strerror}). {remedy}"]) from None

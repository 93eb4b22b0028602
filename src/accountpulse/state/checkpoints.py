"""What a source said, kept so that a killed run goes on where it stopped and `--only` finds the others.

```
extract/<period>/<source>/<table>.parquet, manifest.json    a whole source; the manifest comes last and makes it count
extract/<period>/<source>/parts/<part>.parquet, .json       a part of a source that is still being read
```
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from accountpulse.period import Scope
from accountpulse.records import TABLES, TABLES_OF, Extract, Source
from accountpulse.state.files import Files


class Checkpoints:
    """Extracts of a period, by source."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def save(self, scope: Scope, extract: Extract, run_id: str) -> None:
        """Keep everything a source said; its parts are no longer needed."""
        folder = _folder(scope, extract.source)
        facts = {
            "gaps": dict(extract.gaps),
            "unknown_keys": dict(extract.unknown_keys),
            "notes": list(extract.notes),
            "found_keys": extract.found_keys,
            "asked": extract.asked,
            "malformed": dict(extract.malformed),
        }
        self._save(folder, scope, run_id, {name: extract.tables[name] for name in TABLES_OF[extract.source]}, facts)
        self._files.remove_all(f"{folder}/parts/")

    def load(self, scope: Scope, source: Source, run_id: str | None = None) -> Extract | None:
        """What a source said for the same instants, in the named run if one is named; None: no such checkpoint."""
        found = self._load(_folder(scope, source), scope, run_id)
        if found is None or set(found[0]) != set(TABLES_OF[source]):
            return None
        tables, facts = found
        found_keys, asked = facts.get("found_keys"), tuple(facts.get("asked", ()))
        notes = tuple(facts["notes"])
        malformed = facts.get("malformed", {})
        return Extract(source, tables, facts["gaps"], facts["unknown_keys"], notes, found_keys, asked, malformed)

    def run_of(self, scope: Scope, source: Source) -> str | None:
        """The run that read a source's checkpoint."""
        facts = self._files.read_json(f"{_folder(scope, source)}/manifest.json") or {}
        return facts.get("run_id")

    def save_part(  # noqa: PLR0917
        self, scope: Scope, source: Source, run_id: str, name: str, table: pl.DataFrame, facts: Mapping[str, Any]
    ) -> None:
        """Keep a part of a source that is still being read, with what the reader needs to go on after it."""
        folder = f"{_folder(scope, source)}/parts/{name}"
        self._files.write_table(f"{folder}.parquet", table)
        self._files.write_json(f"{folder}.json", {"run_id": run_id, **_instants(scope), "facts": dict(facts)})

    def parts(self, scope: Scope, source: Source, run_id: str) -> Iterator[tuple[pl.DataFrame, dict[str, Any]]]:
        """The parts that this run has kept, in the order of their names."""
        for name in list(self._files.names(f"{_folder(scope, source)}/parts/")):
            if name.endswith(".json"):
                found = self._files.read_json(name) or {}
                ours = {"run_id": run_id, **_instants(scope)}
                table = self._files.read_table(name.replace(".json", ".parquet"))
                if table is not None and {key: found.get(key) for key in ours} == ours:
                    yield table, found["facts"]

    def forget(self) -> None:
        """Take away all extracts of all periods; they can be read again."""
        self._files.remove_all("extract/")

    def _save(
        self, folder: str, scope: Scope, run_id: str, tables: Mapping[str, pl.DataFrame], facts: Mapping[str, Any]
    ) -> None:
        manifest = f"{folder}/manifest.json"
        self._files.store.remove(manifest)
        for name, table in tables.items():
            self._files.write_table(f"{folder}/{name}.parquet", table)
        rows = {name: table.height for name, table in tables.items()}
        self._files.write_json(manifest, {"run_id": run_id, **_instants(scope), "rows": rows, **facts})

    def _load(
        self, folder: str, scope: Scope, run_id: str | None
    ) -> tuple[dict[str, pl.DataFrame], dict[str, Any]] | None:
        facts = self._files.read_json(f"{folder}/manifest.json")
        if facts is None or {name: facts.get(name) for name in _instants(scope)} != _instants(scope):
            return None
        if run_id is not None and facts.get("run_id") != run_id:
            return None
        tables = {}
        for name, rows in facts["rows"].items():
            table = self._files.read_table(f"{folder}/{name}.parquet")
            if table is None or table.height != rows or dict(table.schema) != dict(TABLES.get(name, {})):
                return None
            tables[name] = table
        return tables, facts


def _folder(scope: Scope, source: Source) -> str:
    return f"extract/{scope.period.name}/{source}"


def _instants(scope: Scope) -> dict[str, str]:
    return {"as_of": scope.as_of.isoformat(), "window_start": scope.window.start.isoformat()}

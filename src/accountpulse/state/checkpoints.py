"""What a source said, kept so that a killed run goes on where it stopped and `--only` finds the others.

```
extract/<period>/<source>/manifest.json             a whole source; the manifest comes last and makes it count
extract/<period>/<source>/<table>.parquet           a small table of it
extract/<period>/<source>/<table>/<number>.parquet  a large one, in pieces
extract/<period>/<source>/parts/<part>/part.json    a part of a source that is still being read; comes last, too
extract/<period>/<source>/parts/<part>/<table>/<number>.parquet
```
`<period>` is a month, or the day of a snapshot.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec
import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import ON_DISK, TABLES, UNKNOWNS, Extract, RowCounts, SourceName
from accountpulse.core.spooled import SpooledTable
from accountpulse.state.files import Files

_MANIFEST = "manifest.json"
_PART = "part.json"
_UNKNOWNS = "unknowns"  # beside the tables


class _ExtractDocument(msgspec.Struct):
    """What the document of anything that was extracted has to hold."""

    run_id: str
    as_of: str
    window_start: str


class _PartDocument(_ExtractDocument):
    """What a part's document has to hold."""

    pieces: dict[str, int]
    facts: dict[str, Any]


class _ManifestDocument(_ExtractDocument):
    """What a source's document has to hold."""

    rows: dict[str, int]
    pieces: dict[str, int]
    gaps: dict[str, str]
    unknown_keys: dict[str, str]
    notes: list[str]
    counts: dict[str, tuple[int, int, dict[str, int]]]


class Checkpoints:
    """Extracts of a period, by source."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def save(self, scope: Scope, extract: Extract, run_id: str) -> None:
        """Keep everything a source said; its parts are no longer needed."""
        folder = _folder(scope, extract.source)
        self._files.store.remove(f"{folder}/{_MANIFEST}")
        for name, table in extract.tables.items():
            self._files.write_table(f"{folder}/{name}.parquet", table)
        self._files.write_table(f"{folder}/{_UNKNOWNS}.parquet", extract.unknowns)
        facts = {
            "run_id": run_id,
            **_instants(scope),
            "rows": extract.rows,
            "pieces": {name: self._save_spool(f"{folder}/{name}", spool) for name, spool in extract.spools.items()},
            "gaps": dict(extract.gaps),
            "unknown_keys": dict(extract.unknown_keys),
            "notes": list(extract.notes),
            "found_keys": extract.found_keys,
            "asked": extract.asked,
            "malformed": dict(extract.malformed),
            "counts": {name: [each.came, each.outside, dict(each.left_out)] for name, each in extract.counts.items()},
        }
        self._files.write_json(f"{folder}/{_MANIFEST}", facts)
        self._files.remove_all(f"{folder}/parts/")

    def load(self, scope: Scope, source: SourceName, run_id: str | None = None) -> Extract | None:
        """What a source said for the same instants, in the named run if one is named; None: no such checkpoint."""
        folder = _folder(scope, source)
        facts = self._manifest(folder)
        if facts is None or {name: facts.get(name) for name in _instants(scope)} != _instants(scope):
            return None
        if run_id is not None and facts.get("run_id") != run_id:
            return None
        unknowns = self._files.read_table(f"{folder}/{_UNKNOWNS}.parquet")
        if unknowns is None or dict(unknowns.schema) != dict(UNKNOWNS):
            return None
        tables, spools = self._load_tables(folder, facts)
        extract = Extract(
            source,
            tables,
            facts["gaps"],
            facts["unknown_keys"],
            tuple(facts["notes"]),
            facts.get("found_keys"),
            tuple(facts.get("asked", ())),
            facts.get("malformed", {}),
            spools,
            unknowns,
            {name: RowCounts(*counted) for name, counted in facts["counts"].items()},
        )
        return extract if extract.rows == facts["rows"] else None

    def run_of(self, scope: Scope, source: SourceName) -> str | None:
        """The run that read a source's checkpoint."""
        return (self._manifest(_folder(scope, source)) or {}).get("run_id")

    def save_part(
        self,
        scope: Scope,
        source: SourceName,
        run_id: str,
        name: str,
        *,
        spools: Mapping[str, SpooledTable],
        facts: Mapping[str, Any],
    ) -> None:
        """Keep a part of a source that is still being read, with what the reader needs to go on after it."""
        folder = f"{_folder(scope, source)}/parts/{name}"
        pieces = {table: self._save_spool(f"{folder}/{table}", spool) for table, spool in spools.items()}
        document = {"run_id": run_id, **_instants(scope), "pieces": pieces, "facts": dict(facts)}
        self._files.write_json(f"{folder}/{_PART}", document)

    def parts(
        self, scope: Scope, source: SourceName, run_id: str
    ) -> Iterator[tuple[dict[str, SpooledTable], dict[str, Any]]]:
        """The parts that this run has kept, in the order of their names."""
        ours = {"run_id": run_id, **_instants(scope)}
        for name in list(self._files.names(f"{_folder(scope, source)}/parts/")):
            if name.endswith(f"/{_PART}"):
                found = self._part(name) or {}
                if {key: found.get(key) for key in ours} != ours:
                    continue
                folder = name.removesuffix(f"/{_PART}")
                spools = {table: self._spool(f"{folder}/{table}", count) for table, count in found["pieces"].items()}
                whole = {table: spool for table, spool in spools.items() if spool is not None}
                if len(whole) == len(spools):
                    yield whole, found["facts"]

    def sweep(self, scope: Scope, run_id: str) -> None:
        """Take away what no document of a period makes count: tables of a write that was cut off, parts of other runs.

        To be called by the run that holds the period, before it reads.
        """
        for source, names in groupby(list(self._files.names(f"extract/{scope.name}/")), _source):
            folder, left = f"extract/{scope.name}/{source}", set(names)
            manifest = self._manifest(folder)
            left -= {name for name in left if manifest is not None and not name.startswith(f"{folder}/parts/")}
            if (manifest or {}).get("run_id") != run_id:
                parts = [name for name in left if name.endswith(f"/{_PART}")]
                kept = [name for name in parts if (self._part(name) or {}).get("run_id") == run_id]
                ours = tuple(name.removesuffix(_PART) for name in kept)
                left -= {name for name in left if name.startswith(ours)}
            for name in left:
                if name.endswith((".parquet", f"/{_PART}")):
                    self._files.store.remove(name)

    def names(self) -> list[str]:
        """The months and days that have any, as `YYYY-MM` and `YYYY-MM-DD`."""
        return sorted({name.split("/")[1] for name in self._files.names("extract/")})

    def remove(self, name: str) -> None:
        """Take away all extracts of a month or day."""
        self._files.remove_all(f"extract/{name}/")

    def forget(self) -> None:
        """Take away all extracts of all periods; they can be read again."""
        self._files.remove_all("extract/")

    def _manifest(self, folder: str) -> dict[str, Any] | None:
        return self._files.read_json(f"{folder}/{_MANIFEST}", _ManifestDocument, sealed=True)

    def _part(self, name: str) -> dict[str, Any] | None:
        return self._files.read_json(name, _PartDocument, sealed=True)

    def _save_spool(self, folder: str, spool: SpooledTable) -> int:
        """A spool's pieces; how many they are."""
        self._files.remove_all(f"{folder}/")
        count = 0
        for count, piece in enumerate(spool.pieces(), start=1):
            self._files.write_table(f"{folder}/{count}.parquet", piece)
        return count

    def _spool(self, folder: str, count: int) -> SpooledTable | None:
        """What `_save_spool` saved; None where a piece is missing."""
        spool: SpooledTable | None = None
        for number in range(1, count + 1):
            piece = self._files.read_table(f"{folder}/{number}.parquet")
            if piece is None:
                return None
            spool = spool or SpooledTable(piece.schema)
            spool.add(piece)
        return spool

    def _load_tables(
        self, folder: str, facts: Mapping[str, Any]
    ) -> tuple[dict[str, pl.DataFrame], dict[str, SpooledTable]]:
        """What can be read of a whole source, as its tables are declared now."""
        tables, spools = {}, {}
        for name in facts["rows"]:
            if name not in TABLES:
                continue
            if name in ON_DISK:
                spool = self._spool(f"{folder}/{name}", facts.get("pieces", {}).get(name, 0))
                if spool is not None and spool.columns == dict(TABLES[name]):
                    spools[name] = spool
            else:
                table = self._files.read_table(f"{folder}/{name}.parquet")
                if table is not None and dict(table.schema) == dict(TABLES[name]):
                    tables[name] = table
        return tables, spools


def _source(name: str) -> str:
    return name.split("/")[2]


def _folder(scope: Scope, source: SourceName) -> str:
    return f"extract/{scope.name}/{source}"


def _instants(scope: Scope) -> dict[str, str]:
    return {"as_of": scope.as_of.isoformat(), "window_start": scope.window.start.isoformat()}

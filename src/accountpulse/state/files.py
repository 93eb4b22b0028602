"""Tables and JSON documents in a store: versioned, written whole, and set aside when they can't be read."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.redact import REDACT
from accountpulse.state.store import Blob, Store

VERSION = 1  # of every JSON document; a change of layout raises it
ASIDE = "aside/"
ROW_GROUP = 100_000  # rows that are encoded at once: what is written stands in memory beside the table


class Files:
    """What the other parts of the state read and write through.

    An object that can't be read, or isn't ours, is moved below `aside/` and named in `notes`; nothing is overwritten
    or lost. One that a newer accountpulse wrote is a ConfigurationError. No secret is in anything that is written.
    """

    def __init__(self, store: Store) -> None:
        """Nothing is opened here."""
        self.store = store
        self.notes: list[str] = []

    def read_json(self, name: str) -> dict[str, Any] | None:
        """The document, or None where there is none that can be used."""
        found = self.store.read(name)
        return None if found is None else self.document(name, found)

    def document(self, name: str, blob: Blob) -> dict[str, Any] | None:
        """The document that the bytes hold; None, and set aside, where they hold none of ours."""
        try:
            facts = json.loads(blob.content)
        except ValueError as error:
            self._set_aside(name, blob, type(error).__name__)
            return None
        version = facts.get("version") if isinstance(facts, dict) else None
        if not isinstance(version, int):
            self._set_aside(name, blob, "not a document of ours")
            return None
        if version > VERSION:
            remedy = "It was written by a newer accountpulse: use that one, or another ACCOUNTPULSE_STATE."
            raise ConfigurationError("state", [f"{self.store.place}/{name} has version {version}. {remedy}"])
        return dict(facts)

    def write_json(self, name: str, facts: Mapping[str, Any]) -> None:
        """Put a document."""
        self.store.write(name, encode(REDACT.data(facts)))

    def read_table(self, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """The table, or these of its columns; None where there is none that can be used."""
        found = self.store.read(name)
        if found is None:
            return None
        try:
            chosen = None if columns is None else list(columns)
            return pl.read_parquet(io.BytesIO(found.content), columns=chosen, hive_partitioning=False)
        except pl.exceptions.PolarsError as error:
            self._set_aside(name, found, type(error).__name__)
            return None

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Put a table, as Parquet."""
        buffer = io.BytesIO()
        REDACT.table(table).write_parquet(buffer, row_group_size=ROW_GROUP)
        self.store.write(name, buffer.getvalue())

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with `prefix`, sorted."""
        return self.store.names(prefix)

    def remove_all(self, prefix: str) -> None:
        """Take away every object below `prefix`."""
        for name in list(self.names(prefix)):
            self.store.remove(name)

    def _set_aside(self, name: str, blob: Blob, why: str) -> None:
        kept = f"{ASIDE}{name}.{blob.tag.strip(chr(34))[:8]}"
        self.store.write(kept, blob.content)
        self.store.remove(name)
        self.notes.append(f"state: {name} could not be read ({why}); it was set aside as {kept}")


def encode(facts: Mapping[str, Any]) -> bytes:
    """A document's bytes, with the version."""
    return json.dumps({"version": VERSION, **facts}, indent=1, allow_nan=False, ensure_ascii=False).encode()

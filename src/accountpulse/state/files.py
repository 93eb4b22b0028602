"""Tables and JSON documents in a store: versioned, sealed, written whole, and set aside when they can't be used."""

import io
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from accountpulse.core.errors import AccountpulseError, ConfigurationError
from accountpulse.core.records import Columns
from accountpulse.core.redact import REDACT
from accountpulse.state import seals
from accountpulse.state.seals import Damaged
from accountpulse.state.store import Blob, Obstacle, Store

VERSION = 1  # of every JSON document; a change of layout raises it
ASIDE = "aside/"
ROW_GROUP = 100_000  # rows that are encoded at once: what is written stands in memory beside the table
FOLLOWS = {  # what is set aside of which folder, and what that means for the reader
    "runs": "that run is not known any more and is not gone on with",
    "extract": "what it held is read from its source again",
    "history": "that month is taken for one that was never measured",
    "outcomes": "the next run reads it again as far as the systems still have it; a table has to be imported again",
    "dry-runs": "that dry run can't be shown",
    "scorecards": "the months that were scored with it can't be explained",
    "proof": "the report says nothing of who left until `accountpulse backtest` is run again",
    "digests": "that channel begins anew with a first digest",
    "locks": "its month counts as free",
    "calibration.yaml": "scores have no probability",
}


def _lines(facts: Mapping[str, Any]) -> str:
    """A JSON object, a line for each of its facts: indented all through, tens of thousands of keys take much longer."""
    dumped = (f" {_dumped(name)}: {_dumped(value)}" for name, value in facts.items())
    return "{\n" + ",\n".join(dumped) + "\n}"


def _dumped(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


class Files:
    """What the other parts of the state read and write through.

    An object that isn't whole, or isn't ours, is moved below `aside/` and named in `notes`, and the work goes on as if
    it had not been there; nothing is overwritten or lost. A whole document of ours that a newer accountpulse wrote is a
    ConfigurationError. No secret is in anything that is written.
    """

    def __init__(self, store: Store) -> None:
        """Nothing is opened here."""
        self.store = store
        self.notes: list[str] = []

    def read_json(
        self, name: str, shape: type[msgspec.Struct] | None = None, *, sealed: bool = False
    ) -> dict[str, Any] | None:
        """The document, or None where there is none that can be used.

        `shape`: what it has to hold, at least. `sealed`: one without a checksum, of an earlier version, is none.
        """
        found = self.read(name)
        return None if found is None else self.document(name, found, shape, sealed=sealed)

    def read(self, name: str) -> Blob | None:
        """The object's bytes, whatever they are; None where there is none."""
        try:
            return self.store.read(name)
        except Obstacle as obstacle:
            self.set_aside(obstacle.name, obstacle.why)
            return None

    def document(
        self, name: str, blob: Blob, shape: type[msgspec.Struct] | None = None, *, sealed: bool = False
    ) -> dict[str, Any] | None:
        """As `read_json`, of bytes that were read already."""
        try:
            return self._document(name, blob.content, shape, sealed=sealed)
        except Damaged as damage:
            self.set_aside(name, str(damage), blob.tag)
            return None

    def write_json(self, name: str, facts: Mapping[str, Any]) -> None:
        """Put a document."""
        self._put(name, self.encoded(name, facts))

    def create_json(self, name: str, facts: Mapping[str, Any]) -> bool:
        """Put a document where there is none; False: there is one, and it stays."""
        content = self.encoded(name, facts)
        try:
            return self.store.create(name, content)
        except Obstacle as obstacle:
            self.set_aside(obstacle.name, "is in the way")
            return self.store.create(name, content)

    def encoded(self, name: str, facts: Mapping[str, Any]) -> bytes:
        """A document's bytes, with the version and its seal."""
        clean = {"version": VERSION, **REDACT.data(facts)}
        return seals.seal_document(name, _lines(clean))

    def read_text(self, name: str) -> str | None:
        """A document that people may read and change, so that it has no seal; None where there is none."""
        found = self.read(name)
        return None if found is None else found.content.decode("utf-8-sig", "replace")

    def write_text(self, name: str, text: str) -> None:
        """Put such a document."""
        self._put(name, REDACT(text).encode())

    def read_table(
        self, name: str, columns: Sequence[str] | None = None, *, needs: Columns | None = None
    ) -> pl.DataFrame | None:
        """The table, or these of its columns; None where there is none that can be used.

        `needs`: what a table without a checksum, of an earlier version, has to hold; None: it is none.
        """
        found = self.read(name)
        if found is None:
            return None
        try:
            return _table(name, found.content, columns, needs)
        except Damaged as damage:
            self.set_aside(name, str(damage), found.tag)
            return None

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Put a table, as Parquet."""
        buffer = io.BytesIO()
        REDACT.table(table).write_parquet(buffer, row_group_size=ROW_GROUP, metadata=seals.METADATA)
        self._put(name, seals.seal_table(name, buffer))

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with `prefix`, sorted."""
        return self.store.names(prefix)

    def remove_all(self, prefix: str) -> None:
        """Take away every object below `prefix`."""
        for name in list(self.names(prefix)):
            self.store.remove(name)

    def set_aside(self, name: str, why: str, tag: str = "") -> None:
        """Move what can't be used below `aside/`, and note it; where it can't be moved, it stays and is passed over."""
        kept = f"{ASIDE}{name}.{tag.strip(chr(34))[:8] or secrets.token_hex(4)}"
        try:
            self.store.move(name, kept)
            became = f"was set aside as {kept}"
        except AccountpulseError:
            became = "is passed over where it lies, since the state can't be written"
        follows = FOLLOWS.get(name.partition("/")[0], "the run goes on without it")
        note = f"state: {name} {why}; it {became}: {follows}".encode("utf-8", "backslashreplace").decode()
        if note not in self.notes:
            self.notes.append(note)

    def _put(self, name: str, content: bytes) -> None:
        try:
            self.store.write(name, content)
        except Obstacle as obstacle:
            self.set_aside(obstacle.name, "is in the way")
            self.store.write(name, content)

    def _document(
        self, name: str, content: bytes, shape: type[msgspec.Struct] | None, *, sealed: bool
    ) -> dict[str, Any]:
        is_sealed = seals.is_sealed_document(name, content)
        if sealed and not is_sealed:
            raise Damaged("has no checksum")
        try:
            facts = json.loads(content)
            version = facts.get("version")
            if is_sealed and isinstance(version, int) and version > VERSION:
                remedy = "It was written by a newer accountpulse: use that one, or another ACCOUNTPULSE_STATE."
                raise ConfigurationError("state", [f"{self.store.place}/{name} has version {version}. {remedy}"])
            if shape is not None:
                msgspec.convert(facts, shape)
        except (ValueError, AttributeError, RecursionError, msgspec.ValidationError) as error:
            raise Damaged(f"is not a document of ours ({type(error).__name__})") from None
        return {key: value for key, value in facts.items() if key != "sha256"}


def _table(name: str, content: bytes, columns: Sequence[str] | None, needs: Columns | None) -> pl.DataFrame:
    """The table that the bytes hold; Damaged where they hold none of ours."""
    sealed = seals.is_sealed_table(name, content)
    if not sealed and needs is None:
        raise Damaged("has no checksum")
    try:
        schema = {} if sealed else pl.read_parquet_schema(io.BytesIO(content))
        chosen = None if columns is None else list(columns)
        table = pl.read_parquet(io.BytesIO(content), columns=chosen, hive_partitioning=False)
    except MemoryError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - whatever a reader of nonsense raises
        raise Damaged(f"can't be read ({type(error).__name__})") from None
    if needs is not None and not sealed and {column: schema.get(column) for column in needs} != dict(needs):
        raise Damaged("is not a table of ours")
    return table

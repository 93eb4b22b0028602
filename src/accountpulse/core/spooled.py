"""Tables that grow with the traffic and not with the accounts: on disk while a run needs them, and kept in parts."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import polars as pl

from accountpulse.core import file_locks
from accountpulse.core.errors import ConfigurationError

PIECE = 20_000  # rows that are in memory at once, about
PREFIX = "accountpulse-spool-"  # of the temporary folders
_FOLDERS: set[Path] = set()  # of this process


class SpooledTable:
    """Rows of one table; in a temporary folder when they are many, which goes with the spool. `height` counts them."""

    def __init__(self, columns: Mapping[str, pl.DataType | type[pl.DataType]], piece: int = PIECE) -> None:
        """Empty; the folder is made when there is something to put down."""
        self.columns = dict(columns)
        self.height = 0
        self._piece = piece
        self._pending: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._folder: Path | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; the order of all that was added stays."""
        if rows.height:
            self.height += rows.height
            self._pending.append(rows.select(*self.columns))
            if sum(each.height for each in self._pending) >= self._piece:
                self._put_down()

    def pieces(self, *columns: str) -> Iterator[pl.DataFrame]:
        """Everything, or these columns, one piece after the other; at least one, so that columns stay known."""
        wanted = columns or tuple(self.columns)
        for file in self._files:
            yield pl.read_ipc(file, columns=list(wanted))
        if self._pending or not self._files:
            yield self._rest().select(wanted)

    def lazy(self) -> pl.LazyFrame:
        """Everything, read when it is collected; the spool has to stand until then."""
        on_disk = [pl.scan_ipc(self._files)] if self._files else []
        return pl.concat([*on_disk, self._rest().lazy()])

    def _rest(self) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(schema=self.columns), *self._pending])

    def _put_down(self) -> None:
        rows, self._pending = pl.concat(self._pending), []
        try:
            if self._folder is None:
                self._folder = _temporary_folder(self)
            # as it lies in memory: it is read a few times within minutes, and to pack it costs more than the disk
            file = self._folder / f"{len(self._files):06}.arrow"
            rows.write_ipc(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            remedy = "Set TMPDIR to a folder with room that this user can write."
            where = self._folder or tempfile.gettempdir()
            raise ConfigurationError("temporary files", [f"{where} can't be written ({error}). {remedy}"]) from None
        self._files.append(file)


def _temporary_folder(spool: SpooledTable) -> Path:
    """A folder that goes with the spool; it is locked, so that no other process takes it for abandoned."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        descriptor = os.open(folder, os.O_RDONLY)
        file_locks.hold(descriptor)
        if folder.exists():
            _FOLDERS.add(folder)
            weakref.finalize(spool, _remove, folder, descriptor)
            return folder
        os.close(descriptor)  # swept before it was locked


def _remove(folder: Path, descriptor: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(descriptor)
    _FOLDERS.discard(folder)


def remove_all() -> None:
    """Take away every temporary folder of this process, which is about to end."""
    for folder in list(_FOLDERS):
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Take away the temporary folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                if file_locks.is_abandoned(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def spooled(table: pl.DataFrame) -> SpooledTable:
    """A spool of a table."""
    spool = SpooledTable(table.schema)
    spool.add(table)
    return spool


# --- parts that are kept ---------------------------------------------------------------------------------------

PART = 8_000  # rows: until then they are Python's, which take ten times as much as a table of them
Stretch = tuple[str, int, int]  # which question, and from where to where it is answered


class StretchRows(Protocol):
    """The rows of one stretch, in the form that the extractor gathers them in."""

    @property
    def rows(self) -> int:
        """How many rows, about."""


T = TypeVar("T", bound=StretchRows)


@dataclass(frozen=True)
class CheckpointPart:
    """Rows of finished stretches of a walk, and what else it had learned by then: enough to go on without them."""

    stretches: tuple[Stretch, ...]
    spools: Mapping[str, SpooledTable]
    facts: Mapping[str, Any] = field(default_factory=dict)


class PartStore(Protocol):
    """Where parts of a source are kept, so that a run that is killed goes on after them."""

    @property
    def size(self) -> int:
        """How many rows make a part, about."""

    def kept(self) -> Iterable[CheckpointPart]:
        """What an earlier process of this run has kept."""

    def keep(self, part: CheckpointPart) -> None:
        """Keep a part."""


class NoPartStore:
    """Nothing is kept."""

    size = PART

    def kept(self) -> Iterable[CheckpointPart]:
        """Nothing."""
        return ()

    def keep(self, part: CheckpointPart) -> None:
        """Nothing."""


class PartCollector(Generic[T]):
    """Gathers the rows of finished stretches: each portion of them goes to `spools` and is kept as a checkpoint part.

    `read` makes a part's tables and facts of the batches of a portion. `facts` are those of all parts.
    """

    def __init__(
        self,
        parts: PartStore,
        spools: Mapping[str, SpooledTable],
        read: Callable[[Sequence[T]], tuple[Mapping[str, pl.DataFrame], Mapping[str, Any]]],
    ) -> None:
        """Begin with what an earlier process of this run has kept."""
        self.spools = spools
        self.facts: list[Mapping[str, Any]] = []
        self._parts = parts
        self._read = read
        self._done: list[Stretch] = []
        self._batches: list[T] = []
        self._finished: list[Stretch] = []
        self._rows = 0
        for part in parts.kept():
            self._append(part)

    def done(self, question: str) -> list[tuple[int, int]]:
        """The stretches of a question that needn't be walked."""
        return [(start, end) for name, start, end in self._done if name == question]

    def take(self, stretch: Stretch, batch: T) -> None:
        """Take the rows of a finished stretch."""
        self._finished.append(stretch)
        self._batches.append(batch)
        self._rows += batch.rows
        if self._rows >= self._parts.size:
            self.close()

    def close(self) -> None:
        """Write what has been taken; at the end, so that nothing is left."""
        if not self._finished:
            return
        tables, facts = self._read(self._batches)
        part = CheckpointPart(tuple(self._finished), {name: spooled(table) for name, table in tables.items()}, facts)
        self._finished, self._batches, self._rows = [], [], 0
        self._parts.keep(part)
        self._append(part)

    def _append(self, part: CheckpointPart) -> None:
        for name, spool in part.spools.items():
            for piece in spool.pieces():
                self.spools[name].add(piece)
        self.facts.append(part.facts)
        self._done += part.stretches

"""What every extractor is given and gives back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import Reason
from accountpulse.core.spooled import SpooledTable, spooled
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection

Progress = Callable[[int, int | None], None]  # rows so far, rows expected where the system says so


PART = 20_000  # rows
Stretch = tuple[str, int, int]  # which question, and from where to where it is answered


class StretchRows(Protocol):
    """What one stretch brought, as the extractor holds it."""

    @property
    def rows(self) -> int:
        """How many rows, about."""


T = TypeVar("T", bound=StretchRows)


def no_progress(_done: int, _total: int | None) -> None:
    """For callers that show none."""


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
    """What finished stretches of a source's walks brought: each portion of them goes to `spools` and is kept as a part.

    `read` makes a part's tables and facts of what the stretches of a portion brought. `facts` are those of all parts.
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
        self._brought: list[T] = []
        self._finished: list[Stretch] = []
        self._rows = 0
        for part in parts.kept():
            self._lay(part)

    def done(self, question: str) -> list[tuple[int, int]]:
        """The stretches of a question that needn't be walked."""
        return [(start, end) for name, start, end in self._done if name == question]

    def take(self, stretch: Stretch, brought: T) -> None:
        """Take what a finished stretch brought."""
        self._finished.append(stretch)
        self._brought.append(brought)
        self._rows += brought.rows
        if self._rows >= self._parts.size:
            self.close()

    def close(self) -> None:
        """Lay down what has been taken; at the end, so that nothing is left."""
        if not self._finished:
            return
        tables, facts = self._read(self._brought)
        part = CheckpointPart(tuple(self._finished), {name: spooled(table) for name, table in tables.items()}, facts)
        self._finished, self._brought, self._rows = [], [], 0
        self._parts.keep(part)
        self._lay(part)

    def _lay(self, part: CheckpointPart) -> None:
        for name, spool in part.spools.items():
            for piece in spool.pieces():
                self.spools[name].add(piece)
        self.facts.append(part.facts)
        self._done += part.stretches


A = TypeVar("A")
M = TypeVar("M")


@dataclass(frozen=True)
class ExtractRequest(Generic[A, M]):
    """One system's work in one run.

    `keys` are what the accounts' links hold for this system, each once, sorted (none where the accounts are).
    """

    connection: Connection[A, M]
    scope: Scope
    keys: tuple[str, ...] = ()
    progress: Progress = no_progress
    budget: RequestBudget = field(default_factory=RequestBudget)
    parts: PartStore = field(default_factory=NoPartStore)

    @property
    def access(self) -> A:
        """How to reach the system."""
        return self.connection.access

    @property
    def mapping(self) -> M:
        """What the company maps there."""
        return self.connection.mapping


@dataclass(frozen=True)
class Probe:
    """What a look at a system tells before a run.

    `rows` of `what` a run would read, in about `calls` requests; `notes` say what would be missing, and `gaps` which
    metrics would stay null for every account.
    """

    rows: int
    what: str
    calls: int
    notes: tuple[str, ...] = ()
    gaps: Mapping[str, Reason] = field(default_factory=dict)

"""What every extractor is given and gives back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.plain_text import plain_table
from accountpulse.core.records import CUSTOMERS, Reason
from accountpulse.core.spooled import NoPartStore, PartStore
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection

Progress = Callable[[int, int | None], None]  # rows so far, rows expected where the system says so


def no_progress(_done: int, _total: int | None) -> None:
    """For callers that show none."""


A = TypeVar("A")
M = TypeVar("M")


@dataclass(frozen=True)
class ExtractRequest(Generic[A, M]):
    """One system's work in one run.

    `keys` are what the accounts' links hold for this system, each once, sorted (none where the accounts are).
    `read_at`: when it is read, for what happened after as_of as well; None: nothing of that is asked for.
    """

    connection: Connection[A, M]
    scope: Scope
    keys: tuple[str, ...] = ()
    progress: Progress = no_progress
    budget: RequestBudget = field(default_factory=RequestBudget)
    parts: PartStore = field(default_factory=NoPartStore)
    read_at: datetime | None = None

    @property
    def access(self) -> A:
        """How to reach the system."""
        return self.connection.access

    @property
    def mapping(self) -> M:
        """What the company maps there."""
        return self.connection.mapping


@dataclass(frozen=True)
class CustomerList:
    """Whom a system knows as a customer, for suggested links: CUSTOMERS, and `notes` on what the list doesn't show."""

    rows: pl.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]], notes: Iterable[str] = ()) -> "CustomerList":
        """Rows in the order of CUSTOMERS; names lose what steers a terminal, keys stay exactly as they are."""
        table = pl.DataFrame(list(rows), schema=dict(CUSTOMERS), orient="row")
        return cls(table.with_columns(plain_table(table.select("name"))), tuple(notes))


@dataclass(frozen=True)
class Probe:
    """What a look at a system tells before a run.

    `rows` of `what` a run would read, in about `calls` requests; `notes` say what would be missing, and `gaps` which
    metrics would stay null for every account. `unknown_keys` are those that a run would not find, as an Extract's.
    """

    rows: int
    what: str
    calls: int
    notes: tuple[str, ...] = ()
    gaps: Mapping[str, Reason] = field(default_factory=dict)
    unknown_keys: Mapping[str, Reason] = field(default_factory=dict)

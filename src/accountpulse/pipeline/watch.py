"""What a run says while it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.records import SourceName
from accountpulse.http.budget import RequestBudget


@dataclass(frozen=True)
class SourceStatus:
    """What came of reading one source. `read_at`: when the run that read it began to; null: not known, or not read."""

    source: SourceName
    budget: RequestBudget
    seconds: float
    rows: Mapping[str, int] = field(default_factory=dict)  # of each table
    from_checkpoint: bool = False
    error: AccountpulseError | None = None
    read_at: datetime | None = None


class Watch(Protocol):
    """Sees a run go on; the command line draws it."""

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        """The run has its id and its month; `notes` say what it goes on with or took over."""

    def begin(self, source: SourceName) -> None:
        """The source is being read."""

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        """So many rows have come, of so many where the system says so."""

    def end(self, source: SourceName, status: SourceStatus) -> None:
        """The source is read, or has failed."""

    def say(self, text: str) -> None:
        """A line for the reader: what happens next."""


class NoWatch:
    """Nobody looks."""

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        """Nothing."""

    def begin(self, source: SourceName) -> None:
        """Nothing."""

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        """Nothing."""

    def end(self, source: SourceName, status: SourceStatus) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

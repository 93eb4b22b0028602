"""What a run is asked, what it says while it goes on, and what it says in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from accountpulse.errors import AccountpulseError, SourceUnavailable
from accountpulse.period import Period, Scope
from accountpulse.records import Problem, Source
from accountpulse.rest.meter import Meter


class Watch(Protocol):
    """Sees a run go on; the command line draws it."""

    def begin(self, source: Source) -> None:
        """The source is being read."""

    def rows(self, source: Source, done: int, total: int | None) -> None:
        """So many rows have come, of so many where the system says so."""

    def end(self, source: Source, standing: "Standing") -> None:
        """The source is read, or has failed."""

    def say(self, text: str) -> None:
        """A line for the reader: what happens next."""


@dataclass(frozen=True)
class Options:
    """What one run was asked to do; the names are those of the command line."""

    period: Period | None = None
    dry_run: bool = False
    allow_partial: bool = False
    only: tuple[Source, ...] = ()
    accounts: tuple[str, ...] = ()
    scorecard: Path | None = None
    out: Path | None = None  # folder of the CSV; a dry run has one anyway
    ends: float | None = None  # on the monotonic clock: where the run has to have stopped; None: no deadline


@dataclass(frozen=True)
class Standing:
    """How one source stands after extraction."""

    source: Source
    meter: Meter
    seconds: float
    rows: Mapping[str, int] = field(default_factory=dict)  # of each table
    from_checkpoint: bool = False
    error: AccountpulseError | None = None


@dataclass(frozen=True)
class Outcome:
    """Everything a run has to say; `scores` is None where it stopped before scoring."""

    run_id: str
    scope: Scope
    scorecard: str  # name and hash
    dimensions: tuple[str, ...]
    standings: Mapping[Source, Standing]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    unlinked: Mapping[Source, int] = field(default_factory=dict)
    metrics: pl.DataFrame | None = None
    scores: pl.DataFrame | None = None  # the metrics and the account's attributes beside them
    loaded: bool = False  # false: a dry run
    written: int = 0
    created: int = 0
    csv: Path | None = None
    stopped: str | None = None

    @property
    def failed(self) -> tuple[Source, ...]:
        """The configured sources that could not be read."""
        return tuple(source for source, standing in self.standings.items() if standing.error is not None)

    @property
    def rated(self) -> int:
        """Accounts with a tier."""
        return 0 if self.scores is None else self.scores.filter(pl.col("tier") != "Not Rated").height

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        if self.failed:
            return SourceUnavailable.exit_code
        if self.problems or (self.scores is not None and not self.rated):
            return 4
        return 0

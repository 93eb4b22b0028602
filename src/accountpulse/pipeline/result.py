"""What a run is asked, what it says while it goes on, and what it says in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from accountpulse.core.errors import AccountpulseError, ConfigurationError, SourceUnavailable
from accountpulse.core.period import Period, Scope
from accountpulse.core.records import Problem, Source
from accountpulse.http.budget import RequestBudget
from accountpulse.scoring.model import NOT_RATED
from accountpulse.state.history import Held


class Watch(Protocol):
    """Sees a run go on; the command line draws it."""

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        """The run has its id and its month; `notes` say what it goes on with or took over."""

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
    keep_csv: bool = False  # a dry run's CSV goes to the state, not to a folder: where the disk doesn't stay
    hand_over: bool = False  # a run that stops at its end keeps the period for its next process
    ends: float | None = None  # on the monotonic clock: where the run has to have stopped; None: no deadline


@dataclass(frozen=True)
class Standing:
    """How one source stands after extraction."""

    source: Source
    budget: RequestBudget
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
    held: Mapping[Held, pl.DataFrame] = field(default_factory=dict)  # what is kept beside them, for the report
    loaded: bool = False  # false: a dry run, and the next four say what a load would have done
    created: int = 0
    updated: int = 0
    unchanged: int = 0  # equal in the org already, and not sent
    refused: int = 0
    load_calls: int = 0  # requests to the org for the load, reading it before and counting it after included
    imbalance: str | None = None  # the org's own count, or the sum of all records, says something else
    unready: ConfigurationError | None = None  # a dry run's: why a load would have been refused as a whole
    csv: str | None = None  # where it lies
    page: str | None = None  # where the report lies, if the caller has kept one
    out_of_time: bool = False  # stopped at its end; the next process goes on
    stopped: str | None = None

    @property
    def failed(self) -> tuple[Source, ...]:
        """The configured sources that could not be read."""
        return tuple(source for source, standing in self.standings.items() if standing.error is not None)

    @property
    def written(self) -> int:
        """Records that the org took in this run."""
        return self.created + self.updated if self.loaded else 0

    @property
    def rated(self) -> int:
        """Accounts with a tier."""
        return 0 if self.scores is None else self.scores.filter(pl.col("tier") != NOT_RATED).height

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        if self.unready is not None:
            return self.unready.exit_code
        if self.failed or self.out_of_time:
            return SourceUnavailable.exit_code
        if self.problems or self.imbalance or (self.scores is not None and not self.rated):
            return 4
        return 0

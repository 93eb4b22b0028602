"""What every extractor is given and gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from accountpulse.period import Scope
from accountpulse.records import Extract, Reason
from accountpulse.rest.meter import Meter
from accountpulse.settings import Settings

Progress = Callable[[int, int | None], None]  # rows so far, rows expected where the system says so


PART = 20_000  # rows


def no_progress(_done: int, _total: int | None) -> None:
    """For callers that show none."""


@dataclass(frozen=True)
class Part:
    """Rows of finished stretches of a walk, and what else it had learned by then: enough to go on without them."""

    stretches: tuple[tuple[int, int], ...]
    table: pl.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)


class Parts(Protocol):
    """Where parts of a source are kept, so that a run that is killed goes on after them."""

    @property
    def size(self) -> int:
        """How many rows make a part, about."""

    def kept(self) -> Sequence[Part]:
        """What an earlier process of this run has kept."""

    def keep(self, part: Part) -> None:
        """Keep a part."""


class NoParts:
    """Nothing is kept."""

    size = PART

    def kept(self) -> Sequence[Part]:
        """Nothing."""
        return ()

    def keep(self, part: Part) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Request:
    """One source's work in one run.

    `keys` are what the accounts' links hold for this source, each once, sorted (none for the CRM itself).
    """

    settings: Settings
    scope: Scope
    keys: tuple[str, ...] = ()
    progress: Progress = no_progress
    meter: Meter = field(default_factory=Meter)
    parts: Parts = field(default_factory=NoParts)


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


Prober = Callable[[Request], Probe]
Extractor = Callable[[Request], Extract]

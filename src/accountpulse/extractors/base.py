"""What every extractor is given and gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from accountpulse.period import Scope
from accountpulse.records import Extract, Reason
from accountpulse.rest.meter import Meter
from accountpulse.settings import Settings

Progress = Callable[[int, int | None], None]  # rows so far, rows expected where the system says so


def no_progress(_done: int, _total: int | None) -> None:
    """For callers that show none."""


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

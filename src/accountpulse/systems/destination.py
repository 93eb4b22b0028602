"""Where scores go: what every destination does with records, in neutral columns."""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import polars as pl

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.records import Problem, ScoreRecords
from accountpulse.http.budget import RequestBudget


@dataclass(frozen=True)
class Requirement:
    """One thing that a load needs, as it is now: `bad` would end it (`code`: with what), `warning` costs something."""

    mark: Literal["good", "warning", "bad"]
    area: str
    text: str
    code: int = 0


class LoadPlan(Protocol):
    """What a load would do: create + update + unchanged + refused = all records."""

    @property
    def create(self) -> Sized:
        """Records that the destination doesn't have."""

    @property
    def update(self) -> Sized:
        """Records that it has, with other values."""

    @property
    def unchanged(self) -> Sized:
        """Records that it has as they are: they are not sent."""

    @property
    def refused(self) -> Sequence[Problem]:
        """Records that it can't hold, and why."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the reader."""


@dataclass
class LoadResult:
    """What became of the records: created + updated + unchanged + refused = all of them.

    `stuck` are accounts whose older record could not be told that it is no longer the current one. The destination
    holds `found` records of this run, and should hold `expected`.

    `broken`: why the load ended before its end; the records that it didn't reach are in none of the numbers. `unseen`
    were written all the same, though their answer was lost; None: nobody could count them.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Problem] = field(default_factory=list)
    stuck: list[Problem] = field(default_factory=list)
    expected: int = 0
    found: int = 0
    unseen: int | None = 0
    broken: AccountpulseError | None = None
    notes: tuple[str, ...] = ()  # lines for the reader

    @property
    def written(self) -> int:
        """Records that the destination took; where `unseen` is None, at least these."""
        return self.created + self.updated + (self.unseen or 0)


P = TypeVar("P", bound=LoadPlan)


class Destination(Protocol[P]):
    """One place that takes scores. `title` names it for people; `budget` counts its requests.

    A ConfigurationError of `plan` says that it isn't ready as a whole; SourceUnavailable and AccessError as anywhere.
    """

    title: str
    budget: RequestBudget

    def sent(self, records: ScoreRecords) -> pl.DataFrame:
        """The records in its own columns, as a load sends them."""

    def requirements(self, dimensions: tuple[str, ...], tiers: tuple[str, ...] = ()) -> Iterator[Requirement]:
        """Whether it would take the scores of these dimensions and tiers, and what else `check` should say of it."""

    def plan(self, records: ScoreRecords) -> P:
        """Compare the records with what it holds; nothing is written."""

    def load(self, plan: P) -> LoadResult:
        """Carry the plan out; what ends it raises where nothing was written, else it is the result's `broken`."""

    def verify(self, result: LoadResult) -> str | None:
        """What is wrong where it holds other records than were written; None: nothing."""


AnyDestination = Destination[Any]

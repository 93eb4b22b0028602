"""What a stand-in is. Each system's folder declares one as a single value; sandbox/__init__.py lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from starlette.routing import Route

from accountpulse.sandbox.limits import RateLimitStyle, plain_style
from accountpulse.sandbox.truth.instants import Instants, Truth
from accountpulse.sandbox.truth.support import ConversationsOf
from accountpulse.sandbox.world.churn import History
from accountpulse.sandbox.world.model import CROOKED, RENAMED, World
from accountpulse.sandbox.world.plans import Blueprint

Part = TypeVar("Part")
Behaviour = TypeVar("Behaviour")
STANDARD = "standard"  # the edition of a product that has no other


@dataclass(frozen=True)
class Surroundings:
    """What a service learns of the sandbox that it runs in."""

    edition: str
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Address:
    """Where a running sandbox listens, with and without TLS, and the edition that it serves there."""

    url: str
    https_url: str
    edition: str


@dataclass(frozen=True, kw_only=True)
class Crooked(Generic[Part]):
    """What the crooked world, or the renamed one, has of a system, beside the plain one.

    `bend` changes the plain part; it may draw from numbers of its own alone. `mapping`: what the system's block of
    accountpulse.yaml must say instead, so that this part, served in an edition, is read rightly. `conversations` and
    `metrics` are the truth about it; those of the stand-in hold where there are none. `beside`: further blocks of
    accountpulse.yaml.
    """

    bend: Callable[[Part, Blueprint], None]
    mapping: Callable[[Part, str], dict[str, Any]]
    conversations: Callable[[Part], ConversationsOf] | None = None
    metrics: Callable[[Part, Instants], Truth] | None = None
    beside: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def unbent(_part: Any, _blueprint: Blueprint) -> None:
    """For a part that stays as it is, and only is mapped otherwise."""


class Service(Protocol):
    """A stand-in at work on one world."""

    def routes(self) -> list[Route]:
        """Everything under the stand-in's prefix; an unknown path is an error."""


@dataclass(frozen=True, kw_only=True)
class StandIn(Generic[Part, Behaviour]):
    """One system of the sandbox: its part of the world, its service, and the truth about its data.

    `name` is that of its part of the world, and what limits, faults, `down` and the log call it. Every path of it
    begins with `prefix`. `behaviour` makes the object by which a test changes how the service behaves.
    """

    name: str
    title: str
    prefix: str
    build: Callable[[Blueprint], Part]
    behaviour: Callable[[], Behaviour]
    serve: Callable[[Part, Behaviour, Surroundings], Service]
    environment: Callable[[Part, Address], dict[str, str]]  # the settings that lead to it, by their names
    editions: tuple[str, ...] = (STANDARD,)  # of the product; the first one unless another is asked for
    rate_limits: Mapping[str, RateLimitStyle] = field(default_factory=dict)  # by edition; a plain 429 where none is
    conversations: Callable[[Part], ConversationsOf] | None = None  # that count as support
    metrics: Callable[[Part, Instants], Truth] | None = None  # that it alone decides
    crooked: Crooked[Part] | None = None  # None: the crooked world has the plain one's part
    renamed: Crooked[Part] | None = None  # None: the renamed world has the plain one's part
    churn: Callable[[History, datetime], Part] | None = None  # as it stood at a moment; None: that world is without it

    def conversations_of(self, world: World) -> ConversationsOf | None:
        """The truth about its conversations in this world; None where it has none."""
        bent = self.bent(world.kind)
        tell = (bent and bent.conversations) or self.conversations
        return tell and tell(world.parts[self.name])

    def metrics_of(self, world: World, at: Instants) -> Truth | None:
        """The truth about its own metrics in this world; None where it has none."""
        bent = self.bent(world.kind)
        tell = (bent and bent.metrics) or self.metrics
        return tell and tell(world.parts[self.name], at)

    def mapping_of(self, world: World, edition: str) -> dict[str, Any]:
        """Its block of accountpulse.yaml in this world; empty where the plain one's does."""
        bent = self.bent(world.kind)
        return {} if bent is None else bent.mapping(world.parts[self.name], edition)

    def blocks_of(self, world: World) -> Mapping[str, dict[str, Any]]:
        """Further blocks of accountpulse.yaml in this world."""
        bent = self.bent(world.kind)
        return {} if bent is None else bent.beside

    def bent(self, kind: str) -> Crooked[Part] | None:
        """What this kind of world has of it, beside the plain one."""
        return {CROOKED: self.crooked, RENAMED: self.renamed}.get(kind)

    def edition(self, asked: str | None) -> str:
        """The edition to serve; ValueError where the product doesn't have the one that was asked for."""
        if asked is None:
            return self.editions[0]
        if asked not in self.editions:
            raise ValueError(f"{self.title} has no edition {asked!r}; it has {', '.join(self.editions)}")
        return asked

    def rate_limit_style(self, edition: str) -> RateLimitStyle:
        """How this edition announces its rate limit and refuses a request."""
        return self.rate_limits.get(edition, plain_style)

"""What a system declares of itself. Everything that is a list of systems anywhere else is derived from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from accountpulse.core.catalogue import Domain
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import Extract, Source
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection
from accountpulse.systems.discovery import DiscoverRequest, Discovery
from accountpulse.systems.environment import EnvironmentReader, Variable
from accountpulse.systems.extraction import CustomerList, ExtractRequest, Probe
from accountpulse.systems.mapping_parts import MappingBlock

if TYPE_CHECKING:  # loading it costs every command some milliseconds
    from accountpulse.systems.account_tasks import AccountTasks
    from accountpulse.systems.destination import AnyDestination

A = TypeVar("A")
M = TypeVar("M", bound=MappingBlock)


@dataclass(frozen=True)
class Feed:
    """A table that a system fills, with the noun for its rows in a run's summary; None: they aren't counted there."""

    table: str
    rows: str | None = None


def by_key(keys: Sequence[str]) -> Sequence[Mapping[str, str]]:
    """An address for each key, whose placeholder is `key`."""
    return [{"key": key} for key in keys]


@dataclass(frozen=True)
class AccountAddress:
    """Where people see an account in a system: a template, and what fills it beside the account's `id`.

    `values` gives, for an account's keys there, the placeholders of each address.
    """

    template: str
    values: Callable[[Sequence[str]], Sequence[Mapping[str, str]]] = by_key


@dataclass(frozen=True)
class OwnMetricForm(Generic[M]):
    """How a system is asked for a company's own metric, under `metrics:` at the top of accountpulse.yaml.

    `form` is the type of what stands there; `keys` are those that tell it from other systems' forms. `in_block` gives
    those that stand in the system's own block.
    """

    form: Any
    keys: tuple[str, ...]
    in_block: Callable[[M], Mapping[str, Any]] = lambda _mapping: {}


@dataclass(frozen=True)
class System(Generic[A, M]):
    """One system: a folder of systems/ holds one of these, named SYSTEM.

    `name` is its block in accountpulse.yaml, its column in the mapping file and its word on the command line.
    `access` reads how to reach it; None: it is not configured. `blocks` are further blocks of accountpulse.yaml that
    are its own, each with its type and default. `link_field` is the account's field that holds its keys. `fingerprint`
    is what an extraction depends on beside the mapping: with another one, what was read before isn't used.
    `rules` are the company's decisions for the middle (fields of `records.Rules`). `own_metric`: it can be asked for a
    company's own metrics. `mapped_by` names the key of accountpulse.yaml that each metric (or PILLAR) rests on.

    `extract` reads everything. `find` looks for an account's records by an attribute, before their keys are known;
    `look_up` tells which keys the system knows, without the extraction; both give an Extract without tables.
    `list_customers` gives whom it knows, with names, domains and identifiers, for suggested links.
    `link_to` gives the address of an account's page, as far as access and mapping say it; None: there is no link.
    `discover` looks at what there is, for a starter accountpulse.yaml.
    `outcomes` reads who the customers are and what became of them, and nothing else. `probe` looks at the system as
    `check` does. `announce` says how a run signs in. A system without `extract` is read by nobody: it is a destination
    alone. `tasks` keeps to-dos for the owners of accounts; the last argument is who gets those without one.
    """

    name: str
    title: str
    variables: tuple[Variable, ...]
    access: Callable[[EnvironmentReader], A | None]
    mapping: type[M]
    domains: tuple[Domain, ...] = ()
    feeds: tuple[Feed, ...] = ()
    key_noun: str = "key"
    comparable: Callable[[str], str] = comparable_id
    blocks: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    link_field: Callable[[M], str] | None = None
    fingerprint: Callable[[A], object] = lambda _access: None
    rules: Callable[[M, Mapping[str, Any]], Mapping[str, Any]] = lambda _mapping, _blocks: {}
    own_metric: OwnMetricForm[M] | None = None
    mapped_by: Mapping[str, str] = field(default_factory=dict)
    extract: Callable[[ExtractRequest[A, M]], Extract] | None = None
    find: Callable[[ExtractRequest[A, M]], Extract] | None = None
    look_up: Callable[[ExtractRequest[A, M]], Extract] | None = None
    list_customers: Callable[[ExtractRequest[A, M]], CustomerList] | None = None
    outcomes: Callable[[ExtractRequest[A, M]], Extract] | None = None
    probe: Callable[[ExtractRequest[A, M]], Probe] | None = None
    discover: Callable[[DiscoverRequest[A, M]], Discovery] | None = None
    announce: Callable[[A], str] | None = None
    link_to: Callable[[A, M], AccountAddress | None] | None = None
    destination: "Callable[[Connection[A, M], RequestBudget], AnyDestination] | None" = None
    tasks: "Callable[[Connection[A, M], RequestBudget, str | None], AccountTasks] | None" = None

    @property
    def has_accounts(self) -> bool:
        """Whether it knows who the customers are."""
        return any(feed.table == "accounts" for feed in self.feeds)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it fills."""
        return tuple(feed.table for feed in self.feeds)

    @property
    def source(self) -> Source:
        """What the middle knows of it."""
        return Source(self.name, self.title, self.key_noun, self.comparable, self.has_accounts, self.tables)


AnySystem = System[Any, Any]


def later(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded, with the vendor's client in it, at the first call."""

    def call(*given: Any) -> Any:
        return getattr(import_module(module), name)(*given)

    return call

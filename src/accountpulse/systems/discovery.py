"""What a system has, looked at before anything is mapped: the material of a starter accountpulse.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

from accountpulse.http.budget import RequestBudget
from accountpulse.systems.connection import Connection

A = TypeVar("A")
M = TypeVar("M")


@dataclass(frozen=True)
class AccountSample:
    """What names the customers in other systems: ids (18 characters), names, website domains, other fields' values.

    `fields` holds the values of each text field of the account that might be a key elsewhere, by the field's name.
    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DiscoverRequest(Generic[A, M]):
    """A look at one system. `connection.mapping` has the defaults; `accounts` is empty where the accounts are.

    `now`: the time of the look, from which "recent" is counted.
    """

    connection: Connection[A, M]
    now: datetime
    accounts: AccountSample = AccountSample()
    budget: RequestBudget = field(default_factory=RequestBudget)

    @property
    def access(self) -> A:
        """How to reach the system."""
        return self.connection.access


class Null(Enum):
    """The value null of a key, where leaving the key out would mean its default."""

    NULL = "null"


NULL = Null.NULL


class Keys(dict[str, object]):
    """Several keys of one block that only mean something together, with their values; the first is that of the path."""


@dataclass(frozen=True)
class NumbersToSay:
    """Numbers that no system tells: a key of a choice's value that has one for each name.

    `what` says what they are. `unknown` stands in `Discovery.unknown` until somebody was asked for them.
    """

    key: str
    what: str

    @property
    def unknown(self) -> str:
        """What is not known, for whoever reads the file."""
        return f"{self.what}: check the numbers"


@dataclass(frozen=True)
class MappingChoice:
    """One key of accountpulse.yaml: what was chosen, and why; what else it might be.

    `path` leads to the key from the file's top: ("salesforce", "renewal", "field"). `value` is written as YAML; None:
    the key is left out, and stands there as a comment; NULL: it is written as null; Keys: it and its neighbours. `why`
    is a sentence with what was counted. `others` are values that would do as well, best first, each with its sentence:
    they are written as comments. `asked`: one of the few keys that people are asked about where there are others.
    `to_say`: numbers within the value that people are asked for. `counted_on`: what was counted for other keys was
    counted among the accounts that `value` keeps.
    """

    path: tuple[str, ...]
    value: object | None
    why: str
    others: tuple[tuple[object, str], ...] = ()
    asked: bool = False
    to_say: NumbersToSay | None = None
    counted_on: bool = False

    @property
    def keys(self) -> dict[tuple[str, ...], object]:
        """Each key that is written, by its path, with its value."""
        if isinstance(self.value, Keys):
            return {(*self.path[:-1], name): value for name, value in self.value.items()}
        return {} if self.value is None else {self.path: self.value}


@dataclass(frozen=True)
class Discovery:
    """What was found in one system.

    `found`: lines about what was looked at ("312 accounts, 41 fields of your own"). `unknown`: what no answer tells,
    and who would know. `accounts` is filled by the system that knows the customers. Personal data and the content of
    messages are no part of it: samples of values are those of picklists, tags, statuses and keys.
    """

    found: tuple[str, ...]
    choices: tuple[MappingChoice, ...]
    unknown: tuple[str, ...] = ()
    accounts: AccountSample = AccountSample()

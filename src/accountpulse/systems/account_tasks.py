"""To-dos for the owners of accounts: what a system does that can keep them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from accountpulse.core.records import Problem


class WantedTask(NamedTuple):
    """One to-do about an account. `key` names it: put a second time, it is the same one."""

    account_id: str
    key: str
    subject: str
    description: str
    due: date
    owner_id: str | None = None  # where the system knows no owner of the account


class TaskResult(NamedTuple):
    """The open to-do of each account by its id, how many were closed, and the accounts that the system refused."""

    task_ids: Mapping[str, str]
    closed: int
    problems: tuple[Problem, ...]


class AccountTasks(Protocol):
    """Keeps to-dos."""

    def put(self, wanted: Sequence[WantedTask], over: Sequence[str], known: Mapping[str, str]) -> TaskResult:
        """Make or change one for each account of `wanted`, and close those of the accounts in `over`.

        `known`: the ids of earlier ones by account. What a person closed or deleted stays so.
        """

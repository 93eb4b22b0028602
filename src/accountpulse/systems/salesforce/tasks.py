"""Tasks of Salesforce about accounts that crossed a line: found by a key, made or changed, closed when it is over.

Custom fields of activities can't be external ids, so that there is no upsert: Tasks are looked for first.
Object Reference, "Task" and "TaskStatus"; REST API Developer Guide, "sObject Collections".
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import msgspec
import requests
from simple_salesforce.util import call_salesforce

from accountpulse.core.errors import AccessError, OutOfTime, SourceUnavailable, UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id, to_18
from accountpulse.core.records import Problem
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.http.retry import backoff
from accountpulse.http.shape import MISSHAPEN, WrongShape, converted
from accountpulse.systems.account_tasks import TaskResult, WantedTask
from accountpulse.systems.connection import Connection
from accountpulse.systems.salesforce.client import ELSEWHERE, Org, format_soql
from accountpulse.systems.salesforce.record import TASK_KEY
from accountpulse.systems.salesforce.settings import SalesforceAccess, SalesforceMapping
from accountpulse.systems.salesforce.writes import COLLECTION, Answer, answers

WRITTEN = ("WhatId", "OwnerId", "Subject", "Description", "ActivityDate", TASK_KEY)
INSERT_TRIES = 3
FIRST_WAIT = 2.0  # seconds before the org is asked whether Tasks came whose answer was lost
_DEPLOY = (
    "Deploy the folder `tasks` and give the integration user Accountpulse_Integration_Tasks: "
    "`accountpulse docs digest-channels`."
)

T = TypeVar("T")
TaskFields = dict[str, Any]


class _Task(msgspec.Struct, frozen=True):
    """A Task of ours as the org has it."""

    Id: str
    IsClosed: bool
    IsDeleted: bool
    CreatedDate: str
    WhatId: str | None
    Subject: str | None
    Description: str | None
    Accountpulse_Key__c: str | None

    @property
    def key(self) -> str | None:
        return self.Accountpulse_Key__c

    @property
    def is_open(self) -> bool:
        return not (self.IsClosed or self.IsDeleted)


class _TaskStatus(msgspec.Struct, frozen=True):
    ApiName: str
    SortOrder: int


@dataclass
class SalesforceTasks:
    """As AccountTasks says. `fallback_owner` gets those of accounts without an active owner; None: our own user."""

    connection: Connection[SalesforceAccess, SalesforceMapping]
    budget: RequestBudget
    fallback_owner: str | None = None
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def _org(self) -> Org:
        return Org.connect(self.connection.access, self.budget, self.connection.ca_bundle)

    def put(self, wanted: Sequence[WantedTask], over: Sequence[str], known: Mapping[str, str]) -> TaskResult:
        """As AccountTasks says."""
        if not wanted and not over:
            return TaskResult({}, 0, ())
        self._refuse_without_key()
        accounts = [*(each.account_id for each in wanted), *over]
        there = self._there(accounts, {account: known[account] for account in accounts if account in known})
        met = {each.account_id: _same(there.get(each.account_id, ()), each.key) for each in wanted}
        found = {account: task for account, task in met.items() if task is not None}
        changes = [
            (each.account_id, change)
            for each in wanted
            if (task := found.get(each.account_id)) is not None and (change := self._difference(task, each))
        ]
        ended = [(account, self._ended(task)) for account in over for task in there.get(account, ()) if task.is_open]
        made = self._insert([each for each in wanted if each.account_id not in found])
        written = [*made, *self._update(changes)]
        closed = self._update(ended)
        task_ids = {account: task.Id for account, task in found.items()}
        task_ids |= {account: answer.record_id for account, answer in made if answer.record_id}
        problems = (Problem(account, "load", answer.text) for account, answer in (*written, *closed) if answer.text)
        return TaskResult(task_ids, sum(not answer.text for _, answer in closed), tuple(problems))

    # --- what there is

    def _refuse_without_key(self) -> None:
        """An AccessError where our user may not write every field of a Task that is written."""
        found = self._org.object("Task")
        fields = {} if found is None else found.fields
        missing = [name for name in WRITTEN if name not in fields or not fields[name].createable]
        if found is None or missing or not (found.createable and found.updateable):
            what = ", ".join(f"Task.{name}" for name in missing) or "Task"
            raise AccessError("salesforce", "writing Tasks", f"our user may not write {what}", _DEPLOY)

    def _there(self, accounts: Sequence[str], known: Mapping[str, str]) -> dict[str, list[_Task]]:
        """Our Tasks of these accounts, oldest first, also closed, deleted and archived ones.

        A copy that a person made of one has its key, too: it is theirs.
        """
        about = {task_id: account for account, task_id in known.items()}
        found: dict[str, _Task] = {}
        for part in _parts(accounts):
            chosen = format_soql(f"(WhatId IN {{}} AND {TASK_KEY} != null)", part)
            if ids := [known[each] for each in part if each in known]:
                chosen += format_soql(" OR Id IN {}", ids)
            query = f"SELECT {', '.join(_Task.__struct_fields__)} FROM Task WHERE {chosen}"  # noqa: S608
            found |= {each.Id: each for each in self._rows(_Task, query, "Task", archived=True)}
        ours: dict[str, dict[str, _Task]] = {}
        for each in sorted(found.values(), key=lambda task: (task.CreatedDate, task.Id)):
            account = about.get(each.Id) or to_18(each.WhatId or "")
            ours.setdefault(account, {}).setdefault(each.key or each.Id, each)
        return {account: list(tasks.values()) for account, tasks in ours.items()}

    def _rows(self, kind: type[T], query: str, name: str, *, archived: bool = False) -> list[T]:
        try:
            return [converted(kind, each) for each in self._org.query(query, name, archived=archived)]
        except WrongShape as wrong:
            tried = f"querying {name}"
            raise UnexpectedAnswer("salesforce", tried, f"a field of another type, {wrong}", MISSHAPEN) from None

    @cached_property
    def _closing(self) -> str:
        """The status that closes a Task: the org's first one that does."""
        query = "SELECT ApiName, SortOrder FROM TaskStatus WHERE IsClosed = true"
        found = sorted(self._rows(_TaskStatus, query, "TaskStatus"), key=lambda status: status.SortOrder)
        if not found:
            raise UnexpectedAnswer("salesforce", "closing Tasks", "no status of Task closes one")
        return found[0].ApiName

    def _owners(self, wanted: Sequence[WantedTask]) -> dict[str, str]:
        """The active user to whom each account belongs, by the field that accountpulse.yaml names."""
        owners = {each.account_id: each.owner_id for each in wanted if each.owner_id}
        field = self.connection.mapping.accounts.owner
        if field is not None:
            for part in _parts([each.account_id for each in wanted]):
                query = format_soql(f"SELECT Id, {field} FROM Account WHERE Id IN {{}}", part)  # noqa: S608
                rows = self._org.query(query, "Account")
                owners |= {to_18(str(row["Id"])): to_18(row[field]) for row in rows if _is_id(row[field])}
        active: set[str] = set()
        for part in _parts(sorted(set(owners.values()))):
            query = format_soql("SELECT Id FROM User WHERE IsActive = true AND Id IN {}", part)
            active |= {to_18(str(row["Id"])) for row in self._org.query(query, "User")}
        return {account: owner for account, owner in owners.items() if owner in active}

    # --- what is written

    def _difference(self, task: _Task, wanted: WantedTask) -> TaskFields:
        """What has to change of a Task; nothing where a person closed or deleted it. Who has it, stays as it is."""
        if not task.is_open:
            return {}
        texts = self._texts(wanted)
        changed = {name: value for name, value in texts.items() if _plain(getattr(task, name)) != _plain(value)}
        return {"id": task.Id, **changed} if changed else {}

    def _texts(self, wanted: WantedTask) -> TaskFields:
        fields = self._org.describe("Task") or {}
        texts = {"Subject": wanted.subject, "Description": wanted.description, TASK_KEY: wanted.key}
        return {name: _fitting(text, fields[name].length) for name, text in texts.items()}

    def _ended(self, task: _Task) -> TaskFields:
        return {"id": task.Id, "Status": self._closing}

    def _update(self, changes: Sequence[tuple[str, TaskFields]]) -> list[tuple[str, Answer]]:
        """Changes of Tasks, each with its account; a repeated call changes nothing."""
        done: list[tuple[str, Answer]] = []
        for part in _parts(changes):
            body = {"allOrNone": False, "records": [_typed(change) for _account, change in part]}
            results = self._org.call(
                "changing Tasks",
                lambda: self._org.client.restful("composite/sobjects", method="PATCH", json=body),  # noqa: B023
            )
            done += zip((account for account, _ in part), answers("changing Tasks", results, len(part)), strict=True)
        return done

    def _insert(self, wanted: Sequence[WantedTask]) -> list[tuple[str, Answer]]:
        """New Tasks, each with its account."""
        owners = self._owners(wanted)
        return [each for part in _parts(wanted) for each in self._insert_part(part, owners)]

    def _insert_part(self, wanted: Sequence[WantedTask], owners: Mapping[str, str]) -> Iterator[tuple[str, Answer]]:
        """Where an answer is lost, the Tasks that came all the same are looked for before any is sent again."""
        left = list(wanted)
        for attempt in range(1, INSERT_TRIES + 1):
            try:
                yield from self._inserted(left, owners)
            except (OutOfTime, UnexpectedAnswer):
                raise
            except SourceUnavailable:
                self.sleep(backoff(FIRST_WAIT, attempt, random.random()))  # noqa: S311
                there = self._there([each.account_id for each in left], {})
                came = {task.key: task.Id for tasks in there.values() for task in tasks}
                yield from ((each.account_id, Answer(record_id=came[each.key])) for each in left if each.key in came)
                left = [each for each in left if each.key not in came]
                if left and attempt == INSERT_TRIES:
                    raise
            else:
                left = []
            if not left:
                return

    def _inserted(self, wanted: Sequence[WantedTask], owners: Mapping[str, str]) -> list[tuple[str, Answer]]:
        """One call, which is sent once."""
        records = [self._record(each, owners.get(each.account_id) or self.fallback_owner) for each in wanted]
        body = {"allOrNone": False, "records": records}

        def send() -> Any:
            client = self._org.client
            path = f"{client.base_url}composite/sobjects"
            return call_salesforce(path, "POST", self._once, dict(client.headers), json=body).json()

        results = answers("making Tasks", self._org.call("making Tasks", send), len(wanted))
        return list(zip((each.account_id for each in wanted), results, strict=True))

    @cached_property
    def _once(self) -> requests.Session:
        """A session that repeats no POST: it would make a Task twice."""
        return requests_adapter.session(
            "salesforce", self.budget, self.connection.ca_bundle, remedies=ELSEWHERE, once=frozenset({"POST"})
        )

    def _record(self, wanted: WantedTask, owner: str | None) -> TaskFields:
        record = {"WhatId": wanted.account_id, **self._texts(wanted), "ActivityDate": wanted.due.isoformat()}
        return _typed(record if owner is None else {**record, "OwnerId": owner})


def _same(tasks: Sequence[_Task], key: str) -> _Task | None:
    """The Task of this key, whatever became of it; else the newest one that is open."""
    exact = [each for each in tasks if each.key == key]
    still_open = [each for each in tasks if each.is_open]
    return exact[0] if exact else still_open[-1] if still_open else None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and looks_like_an_id(value)


def _typed(record: TaskFields) -> TaskFields:
    return {"attributes": {"type": "Task"}, **record}


def _plain(text: str | None) -> str:
    """As an org keeps a text: line ends of its own, nothing at the end."""
    return (text or "").replace("\r\n", "\n").strip()


def _fitting(text: str, most: int) -> str:
    return text if not most or len(text) <= most else f"{text[: most - 1]}…"


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as one call takes."""
    for start in range(0, len(rows), COLLECTION):
        yield rows[start : start + COLLECTION]

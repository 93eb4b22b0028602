"""Tasks as an org keeps them: made and changed by collections calls, with what Salesforce itself fills in.

REST API Developer Guide, "Create Multiple Records with Fewer Round-Trips" and "Update Multiple Records…"; Object
Reference, "Task" and "TaskStatus". Other objects aren't made or changed this way here.
"""

from typing import Any

from accountpulse.sandbox.salesforce.data import ApiError
from accountpulse.sandbox.salesforce.soql.schema import Parents, Row, Schema
from accountpulse.sandbox.salesforce.upsert import Prepared, Upserter, envelope
from accountpulse.sandbox.world.model import SObject
from accountpulse.sandbox.world.org import long_id, record_id

USER = record_id("005", 1)  # the integration user, as OpenID Connect tells of it
TASK = "Task"
_ACCOUNT = "001"  # the ids of accounts begin with it


class TaskWriter:
    """Inserts and updates, each record with its own result."""

    def __init__(self, schema: Schema, upserter: Upserter) -> None:
        """`upserter` checks and stores."""
        self._schema = schema
        self._upserter = upserter

    def insert(self, body: bytes) -> list[dict[str, Any]]:
        """POST composite/sobjects: new records, in their order."""
        records, _all_or_none = envelope(body)
        sobject = self._task(records)
        prepared = [Prepared(None, self._upserter.typed_record(sobject, each)) for each in records]
        return self._written(sobject, prepared)

    def update(self, body: bytes) -> list[dict[str, Any]]:
        """PATCH composite/sobjects: records by their `id`."""
        records, _all_or_none = envelope(body)
        sobject = self._task(records)
        return self._written(sobject, [self._found(sobject, dict(each)) for each in records])

    def _task(self, records: list[Any]) -> SObject:
        for each in records:
            if not isinstance(each, dict) or each.get("attributes", {}).get("type") != TASK:
                raise ApiError(400, "INVALID_TYPE", "the sandbox makes and changes Tasks alone")
        return self._schema.sobject(TASK)

    def _found(self, sobject: SObject, record: dict[str, Any]) -> Prepared:
        identifier = str(record.pop("id", record.pop("Id", "")))
        rows = (row for row in sobject.rows if row["Id"][:15] == identifier[:15])
        one = Prepared(next(rows, None), self._upserter.typed_record(sobject, record))
        if one.row is None:
            one.refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        elif one.row.get("IsDeleted"):
            one.refuse("ENTITY_IS_DELETED", "entity is deleted")
        return one

    def _written(self, sobject: SObject, prepared: list[Prepared]) -> list[dict[str, Any]]:
        parents = Parents()
        results = []
        for one in prepared:
            if not one.errors:
                self._upserter.examine(sobject, one, parents)
                self._check_owner(one)
            if one.row is None:
                one.changes = {"OwnerId": USER, "Priority": "Normal", **self._status(one.changes), **one.changes}
            result = self._upserter.apply(sobject, one)
            if one.row is not None and not one.errors:
                self._complete(one.row)
            results.append({name: value for name, value in result.items() if name != "created"})
        return results

    def _status(self, changes: Row) -> Row:
        default = next((row for row in self._statuses() if row["IsDefault"]), None)
        return {} if "Status" in changes or default is None else {"Status": default["ApiName"]}

    def _statuses(self) -> list[Row]:
        return self._schema.sobject("TaskStatus").rows

    def _check_owner(self, one: Prepared) -> None:
        owner = one.changes.get("OwnerId")
        before = (one.row or {}).get("OwnerId")
        user = next((row for row in self._schema.sobject("User").rows if row["Id"] == owner), None)
        if owner != before and user is not None and not user["IsActive"]:
            text = f"operation performed with inactive user [{owner}] as owner of task"
            one.refuse("INACTIVE_OWNER_OR_USER", text)

    def _complete(self, row: Row) -> None:
        """What Salesforce derives: whether it is closed, and the account that it is about."""
        row["IsClosed"] = any(each["ApiName"] == row["Status"] and each["IsClosed"] for each in self._statuses())
        about = row["WhatId"]
        row["AccountId"] = long_id(about) if about and about.startswith(_ACCOUNT) else None

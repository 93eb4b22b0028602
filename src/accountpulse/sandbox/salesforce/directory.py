"""What an org says of itself and of single objects beside queries: the user, the resources, what came and went."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from accountpulse.sandbox.salesforce.data import ApiError, Reader, head, not_found
from accountpulse.sandbox.salesforce.soql.evaluator import attributes
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.salesforce.soql.values import as_json
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.org import record_id

RESOURCES = ("sobjects", "query", "queryAll", "limits", "jobs", "composite")


class Directory:
    """The org's answers about itself."""

    def __init__(self, org: Salesforce, schema: Schema, reader: Reader, now: Callable[[], datetime]) -> None:
        """`now` ends the time that changes are known of."""
        self._org = org
        self._schema = schema
        self._reader = reader
        self._now = now

    def user(self, base: str) -> dict[str, Any]:
        """Whom the session belongs to, as OpenID Connect words it."""
        rows = self._org.objects["Organization"].rows
        organization, user = rows[0]["Id"] if rows else record_id("00D", 1), record_id("005", 1)
        return {
            "sub": f"{base}/id/{organization}/{user}",
            "user_id": user,
            "organization_id": organization,
            "preferred_username": self._org.username,
            "nickname": "sandbox",
            "name": "Sandbox",
            "email": self._org.username,
            "email_verified": True,
            "zoneinfo": "GMT",
            "locale": "en_US",
            "language": "en_US",
            "utcOffset": 0,
            "active": True,
            "user_type": "STANDARD",
            "urls": {
                "rest": f"{base}/services/data/v{{version}}/",
                "query": f"{base}/services/data/v{{version}}/query/",
            },
        }

    @staticmethod
    def resources(root: str) -> dict[str, str]:
        """Where a version's parts are."""
        return {name: f"{root}/{name}" for name in RESOURCES}

    def about(self, root: str, name: str) -> dict[str, Any]:
        """An object without its fields, with what the user looked at last: nothing."""
        return {"objectDescribe": head(self._reader.sobject(name), root), "recentItems": []}

    def by_key(self, root: str, name: str, key: str, value: str) -> dict[str, Any]:
        """One record by an external id; 404 for an unknown one or a field that is none."""
        sobject = self._reader.sobject(name)
        field = next((each for each in self._schema.fields(sobject) if each.name.lower() == key.lower()), None)
        if field is None or not field.external_id:
            raise ApiError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {key}")
        for row in sobject.rows:
            if not row.get("IsDeleted") and str(row.get(field.name)) == value:
                shown = {each.name: as_json(each, row.get(each.name)) for each in self._schema.fields(sobject)}
                return {"attributes": attributes(sobject, row, root), **shown}
        raise not_found()

    def changed(self, name: str, start: str, end: str, *, deleted: bool) -> dict[str, Any]:
        """The ids of the records that were changed, or deleted, between two times of the last thirty days."""
        first, last = _moment(start), _moment(end)
        rows = [
            row
            for row in self._reader.sobject(name).rows
            if bool(row.get("IsDeleted")) == deleted and first <= (row.get("SystemModstamp") or first) < last
        ]
        covered = {"latestDateCovered": _text(min(last, self._now()))}
        if not deleted:
            return {"ids": [row["Id"] for row in rows], **covered}
        gone = [{"id": row["Id"], "deletedDate": _text(row.get("SystemModstamp") or first)} for row in rows]
        return {"deletedRecords": gone, "earliestDateAvailable": _text(first), **covered}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"no date and time with an offset: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"

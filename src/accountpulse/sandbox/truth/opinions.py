"""What people truly say of every customer at the end of a month: pulse and forecast, from the org's own rows."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from accountpulse.sandbox.truth.instants import Instants
from accountpulse.sandbox.world.model import World

OUTLOOKS = {"Forecast": "likely", "Closed": "likely", "Omitted": "unlikely"}


@dataclass(frozen=True)
class OpinionTruth:
    """An account's pulse, how it stands and its day; and what sales expect of its renewal. None: nothing is said."""

    pulse: str | None
    state: str | None
    on: date | None
    outlook: str | None


def opinions_truth(world: World, at: Instants) -> dict[str, OpinionTruth]:
    """By account: every customer of the plain world."""
    objects = world.salesforce.objects
    accounts = {row["Id"]: row for row in objects["Account"].rows}
    changes = [row for row in objects["AccountHistory"].rows if row["Field"] == "Owner"]
    deals = objects["Opportunity"].rows
    found = {}
    for customer in world.customers:
        account = accounts[customer.account_id]
        mine = [row for row in changes if row["AccountId"] == account["Id"] and row["CreatedDate"] < at.as_of]
        outlook = _outlook([row for row in deals if row["AccountId"] == account["Id"]], at)
        found[customer.account_id] = OpinionTruth(*_pulse(account, mine, at), outlook)
    return found


def _pulse(
    account: dict[str, Any], changes: list[dict[str, Any]], at: Instants
) -> tuple[str | None, str | None, date | None]:
    value, given = account["Pulse__c"], account["Pulse_Date__c"]
    if value is None:
        return None, None, None
    if given is None:
        return value.lower(), "undated", None
    if given >= at.as_of:
        return None, "unclear", None
    last = (at.as_of - timedelta(microseconds=1)).date()
    age = (last - given.date()).days
    if age >= 120:
        return value.lower(), "void", given.date()
    for change in changes:
        own = change["CreatedDate"].date() == given.date() and account["Pulse_Author__c"] == account["OwnerId"]
        if change["CreatedDate"] > given and not own:
            return value.lower(), "restarted", given.date()
    return value.lower(), "stale" if age >= 90 else "current", given.date()


def _outlook(deals: list[dict[str, Any]], at: Instants) -> str | None:
    """Of the open renewal that comes next, else of the one that is overdue for less than half a year."""
    open_ones = [
        row for row in deals if row["Type"] == "Renewal" and not row["IsClosed"] and row["CreatedDate"] < at.as_of
    ]
    ahead = [row["CloseDate"] for row in open_ones if row["CloseDate"] >= at.day]
    behind = [row["CloseDate"] for row in open_ones if at.day - timedelta(days=180) <= row["CloseDate"] < at.day]
    due = min(ahead) if ahead else max(behind, default=None)
    said = {row["ForecastCategory"] for row in open_ones if row["CloseDate"] == due}
    return OUTLOOKS.get(said.pop(), "open") if len(said) == 1 else None

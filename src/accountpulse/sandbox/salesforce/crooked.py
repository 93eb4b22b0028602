"""How the crooked world's org is mapped: what a careful administrator of it would write into accountpulse.yaml."""

from typing import Any

from accountpulse.sandbox.world.model import Salesforce

Block = dict[str, Any]


def mapping_of_org(org: Salesforce, _edition: str) -> Block:
    """The block `salesforce:`, by what the org keeps and how."""
    return {
        "renewal": {"overdue_days": 180, "strategies": _renewals()},
        "payment": _PAYMENT[org.keeps["payment"]],
        "downgrades": _downgrades(org),
        "arr_history": _arr_history(org),
        "champions": _champions(org),
    }


def _renewals() -> list[Block]:
    return [
        {"from": "opportunity", "date": "CloseDate", "only": {"field": "Type", "values": ["Renewal"]}},
        {"from": "contract", "date": "EndDate", "only": {"field": "Status", "values": ["Activated"]}},
        {"from": "account", "date": "Renewal_Date__c"},
    ]


_PAYMENT: dict[str, Block] = {
    "case": {"from": "case"},
    "invoice": {"from": "invoice"},
    "account": {"from": "account", "field": "Open_Problems__c"},
}


def _downgrades(org: Salesforce) -> Block:
    if org.keeps["downgrades"] == "records":
        return {"from": "records"}
    return {"from": "history", "field": "Seats__c", "tracked_since": org.tracked_since["Seats__c"]}


def _arr_history(org: Salesforce) -> list[Block]:
    """A history that began late is mapped without its day: the field's earliest row in the whole org says it."""
    tracked = {"tracked_since": org.tracked_since["ARR__c"]}
    ways: dict[str, Block] = {
        "history": {"from": "history"} | tracked,
        "late history": {"from": "history"},
        "snapshots": {"from": "snapshots"},
    }
    return [ways[org.keeps["arr"]]]


def _champions(org: Salesforce) -> Block:
    left: dict[str, Block] = {
        "checkbox": {"contact_left": "No_Longer_At_Company__c"},
        "picklist": {"contact_left": "Left__c", "left_values": ["Yes", "Retired"]},
        "text": {"contact_left": "Situation__c", "left_values": ["left", "has retired"]},
    }
    chosen = {"where": "Champion__c = true"} if org.keeps["champions"] == "contact" else {}
    return {"from": org.keeps["champions"]} | chosen | left[org.keeps["left"]]

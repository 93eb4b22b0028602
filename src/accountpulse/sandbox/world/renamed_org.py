"""The renamed world's org: the plain one under other names, with a list of customers, tiers and signals of its own.

What is true of its customers is what is true of the plain world's, so a mapping that reads it rightly finds the same.
"""

from dataclasses import replace
from typing import Any

from accountpulse.sandbox.world.model import FieldDef, Salesforce, SObject
from accountpulse.sandbox.world.org_builder import Row
from accountpulse.sandbox.world.plans import Blueprint

# object → its fields' other names
FIELDS: dict[str, dict[str, str]] = {
    "Account": {
        "Type": "Lifecycle_Stage__c",
        "ARR__c": "Annual_Contract_Value__c",
        "Tier__c": "Service_Plan__c",
        "Segment__c": "Market_Segment__c",
        "Seats__c": "Licensed_Users__c",
        "OwnerId": "Success_Manager__c",
        "Customer_Since__c": "Client_Since__c",
        "Renewal_Date__c": "Next_Renewal__c",
        "Intercom_Company_Id__c": "Support_Id__c",
        "Jira_Component__c": "Tracker_Name__c",
    },
    "Contact": {"No_Longer_At_Company__c": "Employment_Status__c"},
    "Event": {"No_Show__c": "Did_Not_Attend__c"},
    "Task": {"No_Show__c": "Did_Not_Attend__c"},
    "Churn_Signal__c": {
        "Account__c": "Client__c",
        "Severity__c": "Risk_Level__c",
        "Status__c": "Alert_Status__c",
        "Confidence__c": "Certainty__c",
        "Signal_Date__c": "Raised_On__c",
        "Closed_Date__c": "Resolved_On__c",
    },
}
SIGNALS = "Risk_Alert__c"
TIERS = {"Bronze": "Basic", "Silver": "Team", "Gold": "Growth", "Platinum": "Enterprise"}
# object and field (its first name) → its values' other names
VALUES: dict[tuple[str, str], dict[Any, Any]] = {
    ("Account", "Type"): {
        "Customer - Direct": "Live client",
        "Customer - Channel": "Client in rollout",
        "Prospect": "Lead",
    },
    ("Account", "Tier__c"): TIERS,
    ("Contact", "No_Longer_At_Company__c"): {False: "Employed", True: "Left the company"},
    ("Opportunity", "Type"): {
        "Renewal": "Contract renewal",
        "Expansion": "Upsell",
        "Existing Customer - Upgrade": "Cross-sell",
        "Existing Customer - Downgrade": "Downsell",
    },
    ("OpportunityContactRole", "Role"): {
        "Executive Sponsor": "Project sponsor",
        "Economic Buyer": "Economic decision maker",
    },
    ("Case", "Type"): {"Billing": "Invoice or payment"},
    ("AccountHistory", "Field"): FIELDS["Account"],
    ("AccountHistory", "OldValue"): TIERS,
    ("AccountHistory", "NewValue"): TIERS,
    ("Churn_Signal__c", "Severity__c"): {"Critical": "Red", "Moderate": "Amber", "Watch": "Yellow"},
    ("Churn_Signal__c", "Status__c"): {"Active": "Open", "Monitoring": "Watching", "Resolved": "Closed"},
    ("Churn_Signal__c", "Confidence__c"): {"Confirmed": "Verified"},
}
WORDS = (("Quarterly Business Review", "Executive Review"), ("business review", "executive review"), ("QBR", "EBR"))


def rename_org(org: Salesforce, _blueprint: Blueprint) -> None:
    """Give the plain org's objects, fields and values their other names; `first_names` keeps the plain one."""
    org.first_names = org.objects
    org.objects = {}
    for kind in org.first_names.values():
        other = _renamed(kind)
        org.objects[other.name] = other


def _renamed(kind: SObject) -> SObject:
    names = FIELDS.get(kind.name, {})
    fields = {names.get(name, name): _field(kind.name, each, names) for name, each in kind.fields.items()}
    if not names and not any(owner == kind.name for owner, _ in VALUES):
        return kind  # scores are loaded into it
    rows = [_row(kind.name, row, names) for row in kind.rows]
    if kind.name == "Account":  # these stand in every org, whatever it uses them for
        for name in ("Type", "OwnerId"):
            fields[name] = kind.fields[name]
            rows = [
                {**row, name: old[name] if name == "OwnerId" else None}
                for row, old in zip(rows, kind.rows, strict=True)
            ]
    name = SIGNALS if kind.name == "Churn_Signal__c" else kind.name
    return replace(kind, name=name, label=name.removesuffix("__c").replace("_", " "), fields=fields, rows=rows)


def _field(owner: str, each: FieldDef, names: dict[str, str]) -> FieldDef:
    name, values = names.get(each.name, each.name), VALUES.get((owner, each.name), {})
    label = name.removesuffix("__c").replace("_", " ") if name != each.name else each.label
    relationship = name.replace("__c", "__r") if each.relationship and name != each.name else each.relationship
    listed = [values.get(value, value) for value in each.values]
    other = replace(each, name=name, label=label, relationship=relationship, values=listed)
    if values and each.type == "boolean":
        other.type, other.values = "picklist", list(values.values())
    return other


def _row(owner: str, row: Row, names: dict[str, str]) -> Row:
    found = {}
    for name, value in row.items():
        values = VALUES.get((owner, name), {})
        found[names.get(name, name)] = values.get(value, value) if values else value
    if isinstance(subject := row.get("Subject"), str):
        for word, other in WORDS:
            subject = subject.replace(word, other)
        found["Subject"] = subject
    return found

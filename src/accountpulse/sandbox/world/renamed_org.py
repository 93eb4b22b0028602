"""The renamed world's org: the plain one under other names, with a list of customers, tiers and signals of its own.

What is true of its customers is what is true of the plain world's, so a mapping that reads it rightly finds the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    ("Churn_Signal__c", "Severity__c"): {"Critical": "Red", "Moderate": "Amber", "Watch": "Yellow"},
    ("Churn_Signal__c", "Status__c"): {"Active": "Open", "Monitoring": "Watching", "Resolved": "Closed"},
    ("Churn_Signal__c", "Confidence__c"): {"Confirmed": "Verified"},
}
WORDS = (("Quarterly Business Review", "Executive Review"), ("business review", "executive review"), ("QBR", "EBR"))


@dataclass(frozen=True)
class Naming:
    """What an org calls otherwise than the plain one.

    `fields`: by object, each field's other name. `values`: by object and field (its first name), each value's other
    name. `words`: what stands in subjects, and what stands there instead. `labels`: by a field's or object's other
    name, where it isn't that name with blanks. A checkbox with other values becomes a picklist.
    """

    fields: Mapping[str, Mapping[str, str]]
    values: Mapping[tuple[str, str], Mapping[Any, Any]]
    words: tuple[tuple[str, str], ...] = ()
    objects: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, owner: str, name: str) -> str:
        """What a field is called."""
        return self.fields.get(owner, {}).get(name, name)

    def values_of(self, owner: str, name: str) -> Mapping[Any, Any]:
        """The other names of a field's values; a field history has those of the fields that it tells of."""
        if owner == "AccountHistory":
            told = {"Field": self.fields.get("Account", {}), "OldValue": self._tiers, "NewValue": self._tiers}
            return told.get(name, {})
        return self.values.get((owner, name), {})

    @property
    def _tiers(self) -> Mapping[Any, Any]:
        return self.values.get(("Account", "Tier__c"), {})


RENAMED = Naming(FIELDS, VALUES, WORDS, {"Churn_Signal__c": SIGNALS})


def rename_org(org: Salesforce, _blueprint: Blueprint) -> None:
    """Give the plain org's objects, fields and values the renamed world's names."""
    rename(org, RENAMED)


def rename(org: Salesforce, naming: Naming) -> None:
    """Give the plain org's objects, fields and values their other names; `first_names` keeps the plain one."""
    org.first_names = org.objects
    org.objects = {}
    for kind in org.first_names.values():
        other = _renamed(kind, naming)
        org.objects[other.name] = other


def _renamed(kind: SObject, naming: Naming) -> SObject:
    names = naming.fields.get(kind.name, {})
    if not names and kind.name != "AccountHistory" and not any(owner == kind.name for owner, _ in naming.values):
        return kind  # scores are loaded into it
    fields = {names.get(name, name): _field(kind.name, each, naming) for name, each in kind.fields.items()}
    rows = [_row(kind.name, row, naming) for row in kind.rows]
    standard = [name for name in ("Type", "OwnerId") if kind.name == "Account" and name in names]
    for name in standard:
        # these stand in every org, whatever it uses them for
        fields[name] = kind.fields[name]
        rows = [
            {**row, name: old[name] if name == "OwnerId" else None} for row, old in zip(rows, kind.rows, strict=True)
        ]
    name = naming.objects.get(kind.name, kind.name)
    return replace(kind, name=name, label=_label(name, naming), fields=fields, rows=rows)


def _label(name: str, naming: Naming) -> str:
    return naming.labels.get(name, name.removesuffix("__c").replace("_", " "))


def _field(owner: str, each: FieldDef, naming: Naming) -> FieldDef:
    name, values = naming.field_of(owner, each.name), naming.values_of(owner, each.name)
    label = _label(name, naming) if name != each.name else each.label
    relationship = name.replace("__c", "__r") if each.relationship and name != each.name else each.relationship
    listed = [values.get(value, value) for value in each.values]
    other = replace(each, name=name, label=label, relationship=relationship, values=listed)
    if values and each.type == "boolean":
        other.type, other.values = "picklist", list(values.values())
    return other


def _row(owner: str, row: Row, naming: Naming) -> Row:
    found = {}
    for name, value in row.items():
        values = naming.values_of(owner, name)
        found[naming.field_of(owner, name)] = values.get(value, value) if values else value
    if isinstance(subject := row.get("Subject"), str):
        for word, other in naming.words:
            subject = subject.replace(word, other)
        found["Subject"] = subject
    return found

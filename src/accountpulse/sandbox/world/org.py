"""The schema of the invented Salesforce org, without rows, and how record ids are made.

Object and field names of standard objects are Salesforce's; names that end in `__c` are this org's own.
"""

from datetime import UTC, datetime
from typing import Any

from accountpulse.sandbox.world.model import FieldDef, SObject

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

# an org's values of Task.Status: the name, whether it closes a Task, whether a new Task has it
TASK_STATUSES = (("Not Started", False, True), ("In Progress", False, False), ("Completed", True, False))
CATEGORIES = ("Competitor", "Budget", "Change of Champion", "Product Gap", "Service", "Low Usage")  # of churn signals
FORECASTS = ("Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed")  # categories, by their API names
ORG_BEGAN = datetime(2015, 1, 1, tzinfo=UTC)
TIERS = ["Bronze", "Silver", "Gold", "Platinum"]
SCORE_FIELDS = [
    "Health_Score__c",
    "Churn_Risk_Score__c",
    "Churn_Probability__c",
    "Churn_Probability_Lower__c",
    "Churn_Probability_Upper__c",
    "Coverage__c",
    "Lower_Bound__c",
    "Upper_Bound__c",
    "Support_Score__c",
    "Bugs_Score__c",
    "Adoption_Score__c",
    "Platform_Value_Score__c",
    "Financial_Score__c",
    "Relationship_Score__c",
    "Health_Change__c",
    "Signal_Cap__c",
    "Group_Health__c",
    "Group_ARR_Rated__c",
]


def long_id(identifier: str) -> str:
    """The 18-character form of a 15-character record id; an 18-character one is returned with right checks.

    Each check character stands for five characters: bit n is set where character n is a capital letter.
    """
    core = identifier[:15]
    checks = (sum(1 << n for n, c in enumerate(core[i : i + 5]) if "A" <= c <= "Z") for i in (0, 5, 10))
    return core + "".join(_CHECKS[bits] for bits in checks)


def record_id(key_prefix: str, number: int) -> str:
    """The 18-character id of record `number` of the object type with this three-character prefix."""
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return long_id(f"{key_prefix}Hu{text:0>10}")


def empty_objects() -> dict[str, SObject]:
    """Every object type of the org by name, with its described fields; rows are the statuses of Tasks alone."""
    kinds = [
        _account(),
        _user(),
        _contact(),
        _opportunity(),
        _contact_role(),
        _contract(),
        _case(),
        _event(),
        _task(),
        _task_status(),
        _account_history(),
        _churn_signal(),
        _health_score(),
        _organization(),
    ]
    return {kind.name: kind for kind in kinds}


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _field(name: str, kind: str, length: int = 0) -> FieldDef:
    return FieldDef(name, kind, _label(name), length)


def _text(name: str, length: int = 255) -> FieldDef:
    return _field(name, "string", length)


def _long_text(name: str, length: int) -> FieldDef:
    return FieldDef(name, "textarea", _label(name), length, filterable=False)


def _number(name: str) -> FieldDef:
    return _field(name, "double")


def _flag(name: str) -> FieldDef:
    return _field(name, "boolean")


def _date(name: str) -> FieldDef:
    return _field(name, "date")


def _instant(name: str) -> FieldDef:
    return _field(name, "datetime")


def _picklist(name: str, *values: str, restricted: bool = False) -> FieldDef:
    return FieldDef(name, "picklist", _label(name), 255, values=list(values), restricted=restricted)


def _reference(name: str, to: str, relationship: str | None) -> FieldDef:
    return FieldDef(name, "reference", _label(name), 18, reference_to=to, relationship=relationship)


def _set_by_salesforce(field: FieldDef) -> FieldDef:
    field.writable = False
    return field


def _object(name: str, key_prefix: str, *fields: FieldDef) -> SObject:
    system = [
        FieldDef("Id", "id", "Record ID", 18, writable=False, required=True),
        FieldDef("IsDeleted", "boolean", "Deleted", writable=False),
        *(_set_by_salesforce(_instant(n)) for n in ("CreatedDate", "LastModifiedDate", "SystemModstamp")),
    ]
    return SObject(name, _label(name), key_prefix, {field.name: field for field in (*system, *fields)}, [])


def _account() -> SObject:
    return _object(
        "Account",
        "001",
        _text("Name"),
        _picklist("Type", "Customer - Direct", "Customer - Channel", "Prospect"),
        _field("ARR__c", "currency"),
        _picklist("Tier__c", *TIERS),
        _picklist("Segment__c", "Enterprise", "Mid-Market", "SMB"),
        _number("Seats__c"),
        _reference("OwnerId", "User", "Owner"),
        _date("Customer_Since__c"),
        _date("Renewal_Date__c"),
        _text("Intercom_Company_Id__c"),
        _text("Jira_Component__c"),
        _reference("ParentId", "Account", "Parent"),
        _set_by_salesforce(_reference("MasterRecordId", "Account", "MasterRecord")),
        _picklist("Pulse__c", "Green", "Yellow", "Red"),
        _instant("Pulse_Date__c"),
        _reference("Pulse_Author__c", "User", "Pulse_Author__r"),
        _text("Pulse_Reason__c"),
    )


def _user() -> SObject:
    email = _field("Email", "email", 128)
    return _object("User", "005", _text("Name", 121), _text("Username", 80), email, _flag("IsActive"))


def _contact() -> SObject:
    return _object(
        "Contact",
        "003",
        _reference("AccountId", "Account", "Account"),
        _text("Name", 121),
        _field("Email", "email", 80),
        _flag("No_Longer_At_Company__c"),
        _instant("EmailBouncedDate"),
    )


def _opportunity() -> SObject:
    types = (
        "New Customer",
        "Existing Customer - Upgrade",
        "Existing Customer - Downgrade",
        "Renewal",
        "Expansion",
    )
    return _object(
        "Opportunity",
        "006",
        _reference("AccountId", "Account", "Account"),
        _text("Name", 120),
        _picklist("Type", *types),
        _picklist("StageName", "Prospecting", "Proposal", "Negotiation", "Closed Won", "Closed Lost"),
        _set_by_salesforce(_flag("IsClosed")),
        _set_by_salesforce(_flag("IsWon")),
        _date("CloseDate"),
        _field("Amount", "currency"),
        _field("Probability", "percent"),
        _set_by_salesforce(_instant("LastStageChangeDate")),
        _picklist("ForecastCategory", *FORECASTS, restricted=True),
    )


def _contact_role() -> SObject:
    return _object(
        "OpportunityContactRole",
        "00K",
        _reference("OpportunityId", "Opportunity", "Opportunity"),
        _reference("ContactId", "Contact", "Contact"),
        _picklist("Role", "Executive Sponsor", "Decision Maker", "Economic Buyer", "Business User", "Influencer"),
        _flag("IsPrimary"),
    )


def _contract() -> SObject:
    return _object(
        "Contract",
        "800",
        _reference("AccountId", "Account", "Account"),
        _picklist("Status", "Draft", "Activated", "Expired"),
        _date("StartDate"),
        _date("EndDate"),
    )


def _case() -> SObject:
    return _object(
        "Case",
        "500",
        _reference("AccountId", "Account", "Account"),
        _picklist("Type", "Billing", "Question", "Problem"),
        _text("Subject"),
        _picklist("Status", "New", "Working", "Closed"),
        _set_by_salesforce(_instant("ClosedDate")),
        _set_by_salesforce(_flag("IsClosed")),
    )


def _event() -> SObject:
    # WhatId is polymorphic in Salesforce: no path leads through it here
    return _object(
        "Event",
        "00U",
        _set_by_salesforce(_reference("AccountId", "Account", "Account")),
        _reference("WhatId", "Account", None),
        _text("Subject"),
        _date("ActivityDate"),
        _set_by_salesforce(_flag("IsChild")),
        _flag("No_Show__c"),
    )


def _task() -> SObject:
    return _object(
        "Task",
        "00T",
        _set_by_salesforce(_reference("AccountId", "Account", "Account")),
        _reference("WhatId", "Account", None),
        _reference("OwnerId", "User", "Owner"),
        _text("Subject"),
        _long_text("Description", 32_000),
        _date("ActivityDate"),
        _picklist("Status", *(name for name, *_ in TASK_STATUSES)),
        _picklist("Priority", "High", "Normal", "Low"),
        _set_by_salesforce(_flag("IsClosed")),
        _flag("No_Show__c"),
        _text("Accountpulse_Key__c", 80),
    )


def _task_status() -> SObject:
    kind = _object(
        "TaskStatus",
        "01T",
        _set_by_salesforce(_text("ApiName")),
        _set_by_salesforce(_text("MasterLabel")),
        _set_by_salesforce(_flag("IsClosed")),
        _set_by_salesforce(_flag("IsDefault")),
        _set_by_salesforce(_field("SortOrder", "int")),
    )
    for number, (name, closed, default) in enumerate(TASK_STATUSES, 1):
        row: dict[str, Any] = dict.fromkeys(kind.fields)
        row |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), ORG_BEGAN)
        row |= {"Id": record_id("01T", number), "IsDeleted": False, "ApiName": name, "MasterLabel": name}
        kind.rows.append(row | {"IsClosed": closed, "IsDefault": default, "SortOrder": number})
    return kind


def _account_history() -> SObject:
    old, new = (FieldDef(name, "anyType", name, writable=False, filterable=False) for name in ("OldValue", "NewValue"))
    parent = _set_by_salesforce(_reference("AccountId", "Account", "Account"))
    return _object("AccountHistory", "017", parent, _set_by_salesforce(_picklist("Field")), old, new)


def _churn_signal() -> SObject:
    return _object(
        "Churn_Signal__c",
        "a00",
        _reference("Account__c", "Account", "Account__r"),
        _picklist("Severity__c", "Critical", "Moderate", "Watch"),
        _picklist("Status__c", "Active", "Monitoring", "Resolved"),
        _picklist("Confidence__c", "Suspected", "Likely", "Confirmed"),
        _instant("Signal_Date__c"),
        _instant("Closed_Date__c"),
        _picklist("Category__c", *CATEGORIES),
        _set_by_salesforce(_reference("CreatedById", "User", "CreatedBy")),
        _long_text("Description__c", 32768),
    )


def _health_score() -> SObject:
    key = _text("External_Key__c", 64)
    key.external_id = key.unique = key.required = True
    return _object(
        "Health_Score__c",
        "a01",
        _reference("Account__c", "Account", "Account__r"),
        _text("Period__c", 7),
        key,
        *(FieldDef(name, "double", _label(name), precision=5, scale=2) for name in SCORE_FIELDS),
        _reference("Account_Owner__c", "User", "Account_Owner__r"),
        *(FieldDef(name, "double", _label(name), precision=16, scale=2) for name in ("ARR__c", "Group_ARR__c")),
        _date("Renewal_Date__c"),
        _text("Main_Driver__c", 255),
        _text("Next_Step__c", 255),
        _text("Tier_Before__c", 80),
        _text("Signal_Tier__c", 80),
        _text("Green_Tiers__c", 255),
        _text("Group_Lowest__c", 255),
        _text("Disagreement__c", 255),
        _picklist("Tier__c", "Champion", "Healthy", "At Risk", "Critical", "Not Rated", restricted=True),
        _text("Cap_Reason__c", 255),
        _long_text("Drivers__c", 4096),
        _instant("Scored_At__c"),
        _text("Scorecard__c", 80),
        _text("Run_Id__c", 64),
        _flag("Is_Current__c"),
    )


def _organization() -> SObject:
    return _object("Organization", "00D", _text("Name", 80), _flag("IsSandbox"))

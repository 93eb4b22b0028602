"""Churn signals: the `signals:` block of accountpulse.yaml."""

from typing import Annotated

from accountpulse.systems.mapping_parts import (
    AccountName,
    ApiName,
    DateName,
    FieldKinds,
    MappingBlock,
    PicklistName,
    ReferenceName,
    Unless,
)

TitleName = Annotated[ApiName, FieldKinds(("text", "picklist"))]  # a few words


class Levels(MappingBlock, frozen=True):
    """The picklist values of each severity; any other value, or none, makes the account's signals unknown."""

    critical: tuple[str, ...] = ("Critical",)
    moderate: tuple[str, ...] = ("Moderate",)
    watch: tuple[str, ...] = ("Watch",)


class Signals(MappingBlock, frozen=True):
    """Churn signals that CSMs log. `closed` may be null where the status alone says what is open.

    `title` says in few words what a signal is about; `owner` is a lookup of a user whose it is: the record's owner, or,
    where the object belongs to the account as ours does, who made it. Both are only shown; null: they aren't read.
    """

    object: ApiName = "Churn_Signal__c"
    account: AccountName = "Account__c"
    severity: PicklistName = "Severity__c"
    status: PicklistName = "Status__c"
    confidence: PicklistName | None = "Confidence__c"
    opened: DateName = "Signal_Date__c"
    closed: DateName | None = "Closed_Date__c"
    title: TitleName | None = "Category__c"
    owner: ReferenceName | None = "CreatedById"
    monitoring: tuple[str, ...] = ("Monitoring",)
    resolved: tuple[str, ...] = ("Resolved",)  # closed, also where the date was left empty
    confirmed: tuple[str, ...] = ("Confirmed",)
    levels: Levels = Levels()


UnlessSignals = Unless[Signals]

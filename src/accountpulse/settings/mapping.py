"""What a company maps and means: the models of accountpulse.yaml, with their defaults.

Every object, field, tag and value of a vendor is named here and nowhere else in the code.
"""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from accountpulse.systems.looker.mapping import LookerMapping
from accountpulse.systems.mapping_parts import ApiName, MappingBlock, Unless
from accountpulse.systems.salesforce.mapping import (
    AccountFields,
    ArrFieldHistory,
    ArrHistory,
    ArrOwn,
    ChampionRoles,
    Champions,
    DowngradeRecords,
    Downgrades,
    Expansion,
    Payment,
    PaymentCases,
    Renewal,
    Reviews,
    Signals,
    Tiers,
    default_renewals,
)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone, such as UTC or Europe/Berlin") from None
    return name


Days = Annotated[int, Field(ge=1, le=730)]


# --- who is who ------------------------------------------------------------------------------------------------


class Links(MappingBlock):
    """A mapping file for what no rule knows, and whether it or the rules come first: see [linking.md](linking.md)."""

    file: str | None = None  # a CSV beside this file, in the format of `accountpulse accounts --out`
    first: Literal["file", "rules"] = "file"


# --- Intercom --------------------------------------------------------------------------------------------------


class Attribute(MappingBlock):
    """A conversation custom attribute and the values of it that count."""

    name: str
    values: tuple[str, ...] = Field(min_length=1)


class Priority(MappingBlock):
    """What P1/P2 means: any of these makes a conversation one. `levels` exist from API version 2.16 on.

    `flag`: before 2.16, the mark as priority means P1/P2.
    """

    levels: tuple[Literal["low", "medium", "high", "urgent"], ...] = ("urgent", "high")
    flag: bool = False
    tags: tuple[str, ...] = ()
    attribute: Attribute | None = None


class Escalation(MappingBlock):
    """What an escalation looks like: any of these. A bot's hand-over to a person is none."""

    tags: tuple[str, ...] = ("escalated", "escalation")
    teams: tuple[str, ...] = ()  # ids of the teams that take escalations
    linked_tickets: bool = True  # a back-office or tracker ticket is linked


class IntercomMapping(MappingBlock):
    """How support conversations belong to accounts, and what they mean."""

    account_field: ApiName = "Intercom_Company_Id__c"  # on the CRM's account
    holds: Literal["id", "company_id"] = "id"  # Intercom's own id of the company, or yours
    attribute: str | None = None  # the field's value stands in this custom attribute of the company instead
    priority: Priority = Priority()
    escalation: Escalation = Escalation()
    time_basis: Literal["calendar", "office_hours"] = "calendar"
    csat: Literal["share", "mean"] = "share"

    @model_validator(mode="after")
    def _attribute_leads_to_ids(self) -> Self:
        if self.attribute is not None and self.holds != "id":
            raise ValueError("attribute leads to Intercom's own ids: leave holds out, or make it id")
        return self


# --- Jira ------------------------------------------------------------------------------------------------------


class JiraMapping(MappingBlock):
    """How bugs belong to accounts (`link` says what `account_field` holds), and which issues are bugs; see jira.md."""

    account_field: ApiName = "Jira_Component__c"  # on the CRM's account
    link: Literal["project", "component", "label", "field", "organization", "jql"] = "component"
    # for link: field, the custom field's id
    field: Annotated[str, Field(pattern=r"^customfield_[0-9]+$")] | None = None
    projects: tuple[str, ...] = ()  # narrow every search to these project keys; empty: all that are visible
    bug_types: tuple[str, ...] = Field(default=("Bug",), min_length=1)
    critical_priorities: tuple[str, ...] = Field(default=("Highest", "Blocker", "Critical"), min_length=1)  # or ids

    @model_validator(mode="after")
    def _field_goes_with_link(self) -> Self:
        if (self.link == "field") != (self.field is not None):
            raise ValueError("link: field and field: customfield_… go together")
        return self


# --- Salesforce ------------------------------------------------------------------------------------------------


class Target(MappingBlock):
    """The object that scores are written to, its unique external id, and how many records go by Bulk API 2.0.

    Its other fields have fixed names. Up to `bulk_above` records go in calls of 200, more go as one bulk job.
    """

    object: ApiName = "Health_Score__c"
    external_id: ApiName = "External_Key__c"
    bulk_above: int = Field(default=5_000, ge=0)


class SalesforceMapping(MappingBlock):
    """Everything an org models in its own way. A part that is `none` is not used, and its metrics stay null."""

    accounts: AccountFields = AccountFields()
    renewal: tuple[Renewal, ...] = default_renewals()
    payment: Unless[Payment] = PaymentCases()
    downgrades: Unless[Downgrades] = DowngradeRecords()
    arr_history: Unless[tuple[ArrHistory, ...]] = (ArrFieldHistory(), ArrOwn())
    tiers: Tiers = Tiers()
    reviews: Unless[Reviews] = Reviews()
    champions: Unless[Champions] = ChampionRoles()
    expansion: Unless[Expansion] = Expansion()
    daily_calls_reserve: float = Field(default=10, ge=0, le=100)  # % of the org's API calls that are left to others
    target: Target = Target()


class Mapping(MappingBlock):
    """The whole of accountpulse.yaml."""

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    window: Days | Literal["period"] = 90
    scorecard: str | None = None  # a file beside this one; null: the packaged scorecard
    signals: Unless[Signals] = Signals()
    links: Links = Links()
    intercom: IntercomMapping = IntercomMapping()
    jira: JiraMapping = JiraMapping()
    looker: LookerMapping = LookerMapping()
    salesforce: SalesforceMapping = SalesforceMapping()

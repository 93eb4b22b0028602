"""What a company maps and means: the models of accountpulse.yaml, with their defaults.

Every object, field, tag and value of a vendor is named here and nowhere else in the code.
"""

import re
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


def _api_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name that the system could have (letters, digits, _ and dots)")
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone, such as UTC or Europe/Berlin") from None
    return name


def _or_none(value: object) -> object:
    return None if value == "none" else value


T = TypeVar("T")
Unless = Annotated[T | None, BeforeValidator(_or_none)]  # the word `none`: this part is not used
ApiName = Annotated[str, AfterValidator(_api_name)]
Days = Annotated[int, Field(ge=1, le=730)]


class Part(BaseModel):
    """Base of all parts: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


# --- Intercom --------------------------------------------------------------------------------------------------


class Attribute(Part):
    """A conversation custom attribute and the values of it that count."""

    name: str
    values: tuple[str, ...] = Field(min_length=1)


class Priority(Part):
    """What P1/P2 means: any of these makes a conversation one. `levels` exist from API version 2.16 on.

    `flag`: before 2.16, the mark as priority means P1/P2.
    """

    levels: tuple[Literal["low", "medium", "high", "urgent"], ...] = ("urgent", "high")
    flag: bool = False
    tags: tuple[str, ...] = ()
    attribute: Attribute | None = None


class Escalation(Part):
    """What an escalation looks like: any of these. A bot's hand-over to a person is none."""

    tags: tuple[str, ...] = ("escalated", "escalation")
    teams: tuple[str, ...] = ()  # ids of the teams that take escalations
    linked_tickets: bool = True  # a back-office or tracker ticket is linked


class IntercomMapping(Part):
    """How support conversations belong to accounts, and what they mean."""

    account_field: ApiName = "Intercom_Company_Id__c"  # on the CRM's account
    holds: Literal["id", "company_id"] = "id"  # Intercom's own id of the company, or yours
    priority: Priority = Priority()
    escalation: Escalation = Escalation()
    time_basis: Literal["calendar", "office_hours"] = "calendar"
    csat: Literal["share", "mean"] = "share"


# --- Jira ------------------------------------------------------------------------------------------------------


class JiraMapping(Part):
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


# --- Looker ----------------------------------------------------------------------------------------------------


class UsageExplore(Part):
    """Sessions: the explore and its fields. `users` is a measure that counts distinct users."""

    explore: ApiName = "user_sessions"
    account: ApiName = "user_sessions.account_id"
    date: ApiName = "user_sessions.session_date"
    month: ApiName = "user_sessions.session_month"
    users: ApiName = "user_sessions.distinct_users"
    sessions: ApiName = "user_sessions.session_count"


class FeatureExplore(Part):
    """Features in use: the explore and its fields. `catalogue` names the features that count."""

    explore: ApiName = "feature_usage"
    account: ApiName = "feature_usage.account_id"
    date: ApiName = "feature_usage.used_date"
    feature: ApiName = "feature_usage.feature_name"
    catalogue: tuple[str, ...] = ()


class SavedLook(Part):
    """A pillar from a saved Look: its id and columns. With `month` (`YYYY-MM`) only the period's rows are taken."""

    look: str
    account: ApiName
    value: ApiName
    month: ApiName | None = None


class PillarExplore(Part):
    """Platform value: a 0–100 measure for each pillar, averaged over the period, or a saved Look's column."""

    explore: ApiName = "platform_metrics"
    account: ApiName = "platform_metrics.account_id"
    date: ApiName = "platform_metrics.metric_date"
    pillars: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ApiName | SavedLook] = Field(
        default_factory=dict
    )


class LookerMapping(Part):
    """Which model, explores and fields hold usage. The account fields hold what `account_field` holds."""

    account_field: ApiName = "Id"  # on the CRM's account; ids of 15 and 18 characters are the same
    model: str = "alliants"
    usage: UsageExplore = UsageExplore()
    features: FeatureExplore = FeatureExplore()
    platform: PillarExplore = PillarExplore()


# --- Salesforce ------------------------------------------------------------------------------------------------


class AccountFields(Part):
    """Which accounts are customers, and the fields that describe them; null: the org has no such field."""

    where: str = "Type LIKE 'Customer%'"  # SOQL, as the org's administrator would write it
    arr: ApiName | None = "ARR__c"
    tier: ApiName | None = "Tier__c"
    segment: ApiName | None = "Segment__c"
    seats: ApiName | None = "Seats__c"
    owner: ApiName | None = "OwnerId"
    customer_since: ApiName | None = "Customer_Since__c"


class Renewal(Part):
    """One way to find a renewal date; the first that yields one for an account wins."""

    source: Literal["opportunity", "contract", "account"] = Field(alias="from")
    date: ApiName
    where: str | None = None


class Payment(Part):
    """Records that are payment problems: cases, or a custom object such as an invoice."""

    object: ApiName = "Case"
    account: ApiName = "AccountId"
    where: str | None = "Type = 'Billing'"
    opened: ApiName = "CreatedDate"
    closed: ApiName = "ClosedDate"


class Downgrade(Part):
    """Won amendments that lower ARR, seats or products."""

    object: ApiName = "Opportunity"
    account: ApiName = "AccountId"
    where: str | None = "Type = 'Existing Customer - Downgrade' AND IsWon = true"
    date: ApiName = "CloseDate"


class ArrHistory(Part):
    """The field history of ARR on the account."""

    object: ApiName = "AccountHistory"
    parent: ApiName = "AccountId"


class Tiers(Part):
    """The tiers that are sold, lowest first, and the ARR from which each is implied (the lowest from 0)."""

    order: tuple[str, ...] = ("Bronze", "Silver", "Gold", "Platinum")
    arr_floor: dict[str, float] = Field(default_factory=lambda: {"Silver": 25e3, "Gold": 100e3, "Platinum": 250e3})

    @model_validator(mode="after")
    def _floors_rise(self) -> Self:
        for name in self.arr_floor:
            if name not in self.order:
                raise ValueError(f"arr_floor names {name!r}, which is not in order")
        floors = [self.arr_floor.get(name, 0.0) for name in self.order]
        if any(low >= high for low, high in pairwise(floors)):
            raise ValueError("arr_floor must rise from each tier to the next")
        return self


class Reviews(Part):
    """Business reviews: events and closed tasks by subject, and how many a year each tier is owed."""

    objects: tuple[Literal["Event", "Task"], ...] = ("Event", "Task")
    subject_like: tuple[str, ...] = Field(default=("%QBR%", "%Business Review%"), min_length=1)
    not_subject_like: tuple[str, ...] = ("Cancel%",)
    no_show: ApiName | None = "No_Show__c"
    expected_per_year: dict[str, float] = Field(
        default_factory=lambda: {"Bronze": 0.0, "Silver": 1.0, "Gold": 2.0, "Platinum": 4.0}
    )


class Champions(Part):
    """Contacts in a champion's role on won opportunities, and what says that one has left."""

    roles: tuple[str, ...] = Field(default=("Executive Sponsor", "Decision Maker", "Economic Buyer"), min_length=1)
    contact_left: ApiName | None = "No_Longer_At_Company__c"


class Expansion(Part):
    """Open opportunities that would grow the account."""

    where: str = "Type IN ('Expansion', 'Existing Customer - Upgrade')"
    min_probability: float = Field(default=20, ge=0, le=100)


class Levels(Part):
    """The picklist values of each severity; any other value counts as watch, with a note."""

    critical: tuple[str, ...] = ("Critical",)
    moderate: tuple[str, ...] = ("Moderate",)
    watch: tuple[str, ...] = ("Watch",)


class Signals(Part):
    """Churn signals that CSMs log."""

    object: ApiName = "Churn_Signal__c"
    account: ApiName = "Account__c"
    severity: ApiName = "Severity__c"
    status: ApiName = "Status__c"
    confidence: ApiName = "Confidence__c"
    opened: ApiName = "Signal_Date__c"
    closed: ApiName = "Closed_Date__c"
    monitoring: tuple[str, ...] = ("Monitoring",)
    resolved: tuple[str, ...] = ("Resolved", "Closed")  # closed, also where the date was left empty
    confirmed: tuple[str, ...] = ("Confirmed",)
    levels: Levels = Levels()


class Target(Part):
    """The object that scores are written to, and its unique external id; its other fields have fixed names."""

    object: ApiName = "Health_Score__c"
    external_id: ApiName = "External_Key__c"


class SalesforceMapping(Part):
    """Everything an org models in its own way. A part that is `none` is not used, and its metrics stay null."""

    accounts: AccountFields = AccountFields()
    renewal: tuple[Renewal, ...] = (
        Renewal(**{"from": "opportunity", "date": "CloseDate", "where": "Type = 'Renewal'"}),
        Renewal(**{"from": "contract", "date": "EndDate", "where": "Status = 'Activated'"}),
        Renewal(**{"from": "account", "date": "Renewal_Date__c"}),
    )
    payment: Unless[Payment] = Payment()
    downgrades: Unless[Downgrade] = Downgrade()
    arr_history: Unless[ArrHistory] = ArrHistory()
    tiers: Tiers = Tiers()
    reviews: Unless[Reviews] = Reviews()
    champions: Unless[Champions] = Champions()
    expansion: Unless[Expansion] = Expansion()
    target: Target = Target()


class Mapping(Part):
    """The whole of accountpulse.yaml."""

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    window: Days | Literal["period"] = 90
    scorecard: str | None = None  # a file beside this one; null: the packaged scorecard
    signals: Unless[Signals] = Signals()
    intercom: IntercomMapping = IntercomMapping()
    jira: JiraMapping = JiraMapping()
    looker: LookerMapping = LookerMapping()
    salesforce: SalesforceMapping = SalesforceMapping()

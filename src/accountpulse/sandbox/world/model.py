"""What the systems hold: plain data, filled by the world, answered by the services, measured by the truth.

All instants are aware datetimes in UTC. Nothing here knows a metric.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, cast

# worlds; docs/sandbox-worlds.md says what each has
PLAIN, CROOKED, RENAMED, CHURN = KINDS = ("plain", "crooked", "renamed", "churn")


@dataclass(slots=True)
class Customer:
    """One customer; each system has its own idea of it."""

    account_id: str  # Salesforce, 18 characters
    name: str
    scenario: str  # why this one is interesting; "ordinary" for most
    since: date
    intercom_company: str | None  # Intercom's id, 24 hex digits
    jira_component: str | None
    in_looker: bool
    crooked: list[str] = field(default_factory=list)  # what the crooked world did to it, by the systems' names for it


# --- Intercom --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Company:
    """An Intercom company. `company_id` is the id that the workspace's own system gave it."""

    id: str
    company_id: str
    name: str
    created_at: datetime
    contact_ids: list[str] = field(default_factory=list)
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    website: str | None = None


@dataclass(slots=True)
class SupportContact:
    """A person who writes to support: ids only."""

    id: str
    external_id: str
    role: str  # user or lead
    created_at: datetime
    company_ids: list[str] = field(default_factory=list)
    state: str = "active"  # else archived (no search finds it), merged or deleted (reading it is an error)
    merged_into: str | None = None  # whom it has become
    cut_unsaid: bool = False  # its list of companies is cut, and only the count of them says so
    mail_domain: str = "sandbox.example"  # of its address


@dataclass(slots=True)
class Rating:
    """A CSAT request. `score` None: asked, not answered."""

    requested_at: datetime
    score: int | None = None
    replied_at: datetime | None = None
    by_bot: bool = False  # a rating of the AI agent: no CSAT
    written: Any = None  # how its score is written where not as a whole number
    undated: bool = False  # when it was asked for isn't told


@dataclass(slots=True)
class Conversation:
    """One conversation, with the statistics that Intercom keeps on it. Durations are seconds."""

    id: str
    created_at: datetime
    updated_at: datetime
    source_type: str  # conversation, email, push…
    author_type: str  # user, lead, admin, bot: who began it
    contact_ids: list[str]
    company_id: str | None  # Intercom's id of the company, where Intercom knows one
    state: str  # open, closed, snoozed
    priority: str = "none"  # none, low, medium, high, urgent
    tags: list[str] = field(default_factory=list)
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    admin_id: int = 0  # 0: unassigned
    team_id: int = 0
    linked_tickets: list[str] = field(default_factory=list)  # categories: Customer, Back-office, Tracker
    is_ticket: bool = False
    first_contact_reply_at: datetime | None = None
    first_admin_reply_at: datetime | None = None
    office_seconds_to_reply: int | None = None  # time_to_admin_reply
    first_close_at: datetime | None = None
    last_close_at: datetime | None = None
    office_seconds_to_last_close: int | None = None  # time_to_last_close
    reopens: int = 0
    rating: Rating | None = None
    gone: bool = False  # merged or deleted since: search still lists it, reading it is an error
    iso_times: bool = False  # its statistics have ISO times
    untimed: bool = False  # its statistics are null
    cut_unsaid: bool = False  # its list of tickets is cut, and only the count of them says so


@dataclass(slots=True)
class Intercom:
    """The workspace.

    `link` says how the company finds its customers: by Intercom's `id`, by its own `company_id`, or by an `attribute`
    of the company. `urgent_when` names an attribute of conversations, and its values that mean P1 or P2.
    """

    token: str
    companies: dict[str, Company]
    contacts: dict[str, SupportContact]
    conversations: list[Conversation]
    link: str = "id"
    version: str = "2.16"  # of the API that the company reads it with
    attribute_types: dict[str, str] = field(default_factory=dict)  # of conversations: string, integer, list and so on
    urgent_when: tuple[str, tuple[str, ...]] | None = None
    wrong_totals: int = 0  # so many walks are told of one row more than there is


# --- Jira ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Transition:
    """A change of status. `resolution`: the resolution set at the same time; "" clears it, None leaves it."""

    at: datetime
    from_status: str  # ids
    to_status: str
    resolution: str | None = None
    joined: bool = False  # it stands in one entry of the history with the one before it
    beside: tuple[dict[str, Any], ...] = ()  # changes of other fields at the same time, as a history writes them


@dataclass(slots=True)
class Status:
    """A workflow status; `category` is the stable key new, indeterminate or done."""

    id: str
    name: str
    category: str


@dataclass(slots=True)
class JiraIssue:
    """One issue as it is now, with its whole history of statuses."""

    id: str
    key: str
    project: str
    type: str
    created: datetime
    updated: datetime
    status: str  # id
    priority: str | None
    components: list[str]
    labels: list[str]
    transitions: list[Transition] = field(default_factory=list)
    resolution: str | None = None
    resolutiondate: datetime | None = None
    statuscategorychangedate: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)  # custom fields, as they are written
    customers: dict[str, list[str]] = field(default_factory=dict)  # custom fields by whom they name; see field_kinds
    unshown: tuple[str, ...] = ()  # fields that its project's configuration hides: searched, but never shown
    type_id: str | None = None  # where several types have its type's name: which of them


@dataclass(slots=True)
class Jira:
    """The site. `components` are by project key; `former` statuses were deleted and live on in histories alone.

    `link` says how the company knows whose a bug is: by component, project, organization or field, and by which field.
    """

    email: str
    token: str
    timezone: str  # of the calling user's profile: what a date in JQL means
    statuses: dict[str, Status]
    priorities: list[str]
    issue_types: list[str]
    components: dict[str, list[str]]
    issues: list[JiraIssue]
    former: dict[str, Status] = field(default_factory=dict)
    field_names: dict[str, str] = field(default_factory=dict)  # custom field (customfield_10234) → what people call it
    strict_fields: dict[str, list[str]] = field(default_factory=dict)  # those that know all their values
    text_fields: list[str] = field(default_factory=list)  # those of free text, which only ~ searches
    hidden: list[str] = field(default_factory=list)  # projects that the caller may not browse
    hidden_fields: list[str] = field(default_factory=list)  # custom fields that the configuration hides everywhere
    link: tuple[str, str | None] = ("component", None)
    bug_types: list[str] = field(default_factory=lambda: ["Bug"])  # what the company calls a bug
    critical: list[str] = field(default_factory=lambda: ["Highest", "Blocker", "Critical"])  # and a critical priority
    field_kinds: dict[str, str] = field(default_factory=dict)  # text, document, option, multi and so on: jira/fields.py
    category_names: dict[str, str] = field(default_factory=dict)  # of status categories, in the caller's language
    compass: dict[str, list[str]] = field(default_factory=dict)  # components that are kept in Compass, by project
    project_names: dict[str, str] = field(default_factory=dict)  # "CORE project" where there is none
    former_priorities: dict[str, str] = field(default_factory=dict)  # deleted, still on issues: name → id
    keeps_histories: bool = True  # false: no answer brings any
    cloud_id: str = "11223344-a1b2-3b33-c444-def123456789"
    scoped_token: str = "scoped-token-of-the-sandbox"  # works below /ex/jira/<cloud_id> and nowhere else
    password: str = "password-of-the-sandbox"  # of the same user on Data Center, where a name and a password sign in


# --- Looker ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class UsageOf:
    """One customer's product usage. Bit d of a mask is day `Looker.first_day + d`.

    `users` has one mask a user: the days that user was active; `sessions_twice` marks, for the same user, the
    active days with two sessions instead of one. `features` has the days that each feature was used.
    """

    users: list[int]
    sessions_twice: list[int]
    features: dict[str, int]
    pillars: dict[str, dict[str, float]]  # pillar → month YYYY-MM → figure, 0 to 100
    answers: list[tuple[int, str, int]]  # to surveys: day, channel, 0 to 10
    licences: int | None  # seats as the product counts them, trial seats too; None: it doesn't


@dataclass(slots=True)
class Looker:
    """The instance, with its one model. `usage` is by the account id as the warehouse spells it."""

    client_id: str
    client_secret: str
    model: str
    first_day: date
    days: int
    features: list[str]
    pillars: list[str]  # measures of the explore
    look_pillars: list[str]  # columns of the saved Look
    look_id: str
    usage: dict[str, UsageOf]
    # of a crooked instance: by explore, a field that it filters by unless a query says otherwise, with the value;
    # explores that can't convert time zones; the day since which no sessions came
    always: dict[str, tuple[str, str]] = field(default_factory=dict)
    zoneless: set[str] = field(default_factory=set)
    stopped: date | None = None
    pivoted: bool = False  # the saved Look: its months are columns
    # explores, and fields with their explore's name, that are called otherwise than in the sandbox
    called: dict[str, str] = field(default_factory=dict)
    # by account and measure, how the number is shown: "null", or "words" as where formatting is on
    shown: dict[str, dict[str, str]] = field(default_factory=dict)


# --- Salesforce ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class FieldDef:
    """A field as describe shows it. `type` is Salesforce's word: id, string, picklist, boolean, double and so on."""

    name: str
    type: str
    label: str
    length: int = 0
    reference_to: str | None = None
    relationship: str | None = None
    values: list[str] = field(default_factory=list)  # picklist
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    required: bool = False
    writable: bool = True
    filterable: bool = True
    precision: int = 18  # digits of a number, in all
    scale: int = 2  # digits behind its point


@dataclass(slots=True)
class SObject:
    """An object type and its rows. A row has a value for every field; absent is None."""

    name: str
    label: str
    key_prefix: str
    fields: dict[str, FieldDef]
    rows: list[dict[str, Any]]  # str, bool, int, float, date, datetime or None
    archived: set[str] = field(default_factory=set)  # ids of rows that queryAll alone shows
    unshared: set[str] = field(default_factory=set)  # ids of rows that no sharing rule lets our user see


@dataclass(slots=True)
class Salesforce:
    """The org."""

    username: str
    password: str
    security_token: str
    client_id: str
    client_secret: str
    objects: dict[str, SObject]
    certificate: str | None = None  # the app's public key, PEM: JWT bearer is on where there is one
    keeps: dict[str, str] = field(default_factory=dict)  # crooked: what is kept, and how; a word of crooked_org.py
    tracked_since: dict[str, date] = field(default_factory=dict)  # crooked: a field's history, from this day on
    history_from: date = date.min  # crooked: field history isn't kept from before
    first_names: dict[str, SObject] | None = None  # renamed: the objects as they were, by which the truth is told
    nulls_compare: bool = True  # false: a null is neither equal nor unequal to a value, and NOT can't turn it

    @property
    def as_first_named(self) -> dict[str, SObject]:
        """The objects under the names that the truth knows."""
        return self.objects if self.first_names is None else self.first_names


# --- all of it -------------------------------------------------------------------------------------------------


@dataclass(slots=True, repr=False)
class World:
    """One company's systems, over `[start, until)`; later rows lie past the last complete month."""

    seed: int
    start: datetime
    until: datetime
    customers: list[Customer]
    parts: dict[str, Any]  # by the system's name
    kind: str = PLAIN

    @property
    def intercom(self) -> Intercom:
        """The support workspace."""
        return cast("Intercom", self.parts["intercom"])

    @property
    def jira(self) -> Jira:
        """The issue tracker."""
        return cast("Jira", self.parts["jira"])

    @property
    def looker(self) -> Looker:
        """The instance."""
        return cast("Looker", self.parts["looker"])

    @property
    def salesforce(self) -> Salesforce:
        """The org."""
        return cast("Salesforce", self.parts["salesforce"])

    def with_part(self, name: str, part: Any) -> "World":
        """The same world with another part; the rest is shared, not copied."""
        return replace(self, parts={**self.parts, name: part})

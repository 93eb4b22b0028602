"""How to reach Salesforce, and how an org models its customers: what is read, by which strategy, with the defaults.

Names and picklist values are checked against describe when a run starts. A `where` text is the administrator's own.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from accountpulse.core.secret import Secret
from accountpulse.core.yaml_structs import After, Before
from accountpulse.systems.environment import BASIC, TEXT, XML, EnvironmentReader, Variable
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.mapping_parts import (
    AccountName,
    AccountUrl,
    ApiName,
    DateName,
    FieldKinds,
    MappingBlock,
    MoneyName,
    Names,
    NumberName,
    ReferenceName,
    TextName,
    Unless,
    YesNoName,
)
from accountpulse.systems.salesforce.choices import Only, chosen
from accountpulse.systems.salesforce.outcome_settings import OutcomeMapping, as_outcomes
from accountpulse.systems.salesforce.pulse_settings import Forecast, Pulse, PulseField
from accountpulse.systems.salesforce.record import KEY, is_written

OURS = (".salesforce.com", ".force.com", ".salesforce-setup.com")
_MY_DOMAIN = r"[a-z0-9-]+(\.(sandbox|develop|scratch|demo|patch|trailblaze|free|pc-rnd|stage|wave))?\.my"
_INSTANCE = r"[a-z]{2,4}\d+[a-z]?"  # such as na123 or cs4: still an address, where an org has no My Domain of its own
API_VERSION = "66.0"  # of REST, where none is set: Spring '26
SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")
VARIABLES = (
    Variable("SALESFORCE_USERNAME", "Salesforce user"),
    Variable("SALESFORCE_PASSWORD", "Salesforce password", secret=True),
    Variable(
        "SALESFORCE_SECURITY_TOKEN",
        "Salesforce security token of that user; leave unset from a trusted network",
        secret=True,
    ),
    Variable("SALESFORCE_DOMAIN", "Salesforce domain: login (default), test, or your My Domain such as acme.my"),
    Variable("SALESFORCE_CLIENT_ID", "Salesforce external client app: consumer key", secret=True),
    Variable(
        "SALESFORCE_CLIENT_SECRET",
        "Salesforce external client app: consumer secret (client credentials)",
        secret=True,
    ),
    Variable(
        "SALESFORCE_PRIVATE_KEY",
        "Salesforce JWT bearer: RSA key of the app's certificate as PEM text (also with \\n)",
        secret=True,
    ),
    Variable("SALESFORCE_LOGIN_URL", "Salesforce sign-in address, in place of the one that the domain makes"),
    Variable("SALESFORCE_API_VERSION", "Salesforce REST version; default 66.0"),
)


@dataclass(frozen=True)
class SalesforceAccess:
    """How to reach Salesforce; what is set decides the way to sign in.

    `sessions` holds the last session id and its address, once there is one: a run signs in once.
    """

    login_url: str
    api_version: str
    username: str | None = None
    password: Secret | None = None
    security_token: Secret | None = None
    client_id: Secret | None = None
    client_secret: Secret | None = None
    private_key: Secret | None = None
    sessions: list[tuple[str, str]] = field(init=False, default_factory=list, repr=False, compare=False)

    @property
    def way(self) -> Literal["jwt", "client credentials", "soap"]:
        """How to sign in: with the private key where there is one, else with the app's secret, else by SOAP."""
        if self.private_key:
            return "jwt"
        return "client credentials" if self.client_secret else "soap"


def access(environment: EnvironmentReader) -> SalesforceAccess | None:
    """Read it; None where nothing to sign in with is set, or some of it is missing (a problem)."""
    found = SalesforceAccess(
        _login_url(environment),
        environment.get("SALESFORCE_API_VERSION") or API_VERSION,
        environment.get("SALESFORCE_USERNAME"),
        environment.secret("SALESFORCE_PASSWORD"),
        environment.secret("SALESFORCE_SECURITY_TOKEN"),
        environment.secret("SALESFORCE_CLIENT_ID"),
        environment.secret("SALESFORCE_CLIENT_SECRET"),
        environment.private_key("SALESFORCE_PRIVATE_KEY"),
    )
    if not re.fullmatch(r"\d{2,3}\.0", found.api_version, re.ASCII):
        environment.problems.append("SALESFORCE_API_VERSION is not a version such as 66.0")
    if not (found.username or found.password or found.client_id or found.client_secret or found.private_key):
        environment.problems.append(
            "SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET (client credentials) or with "
            "SALESFORCE_PRIVATE_KEY and SALESFORCE_USERNAME (JWT bearer), or SALESFORCE_USERNAME and "
            "SALESFORCE_PASSWORD (SOAP), must be set: accounts are read from Salesforce and scores written to it"
        )
        return None
    for name in ("SALESFORCE_USERNAME", "SALESFORCE_PASSWORD", "SALESFORCE_SECURITY_TOKEN"):
        environment.refuse_unsendable(name, XML if found.way == "soap" else TEXT)
    if found.way == "client credentials":
        environment.refuse_unsendable("SALESFORCE_CLIENT_ID", BASIC)
        environment.refuse_unsendable("SALESFORCE_CLIENT_SECRET", BASIC)
    complete = environment.together("Salesforce", _needed(found))
    if found.way == "client credentials" and urlsplit(found.login_url).hostname in SHARED_HOSTS:
        environment.problems.append(
            "SALESFORCE_DOMAIN or SALESFORCE_LOGIN_URL must be the org's My Domain: client credentials are not "
            "taken at login or test"
        )
    return found if complete else None


def _login_url(environment: EnvironmentReader) -> str:
    """Where to sign in: the address that is set, else what the domain makes; without paths that only browsers use."""
    host = my_domain(environment.get("SALESFORCE_DOMAIN") or "login")
    if host is None and environment.get("SALESFORCE_LOGIN_URL") is None:
        environment.problems.append(
            "SALESFORCE_DOMAIN is no Salesforce domain: write login, test, or your My Domain without .salesforce.com, "
            "such as acme.my (Setup → My Domain shows it)"
        )
    url = environment.url("SALESFORCE_LOGIN_URL", f"https://{host or 'login.salesforce.com'}")
    if not _host(url).endswith(OURS):
        return url  # a stand-in, or a host of a cloud of its own
    host = my_domain(url)
    if host is None:
        environment.problems.append(
            "SALESFORCE_LOGIN_URL is no address to sign in at: write https:// and your My Domain, such as "
            "https://acme.my.salesforce.com (Setup → My Domain shows it)"
        )
    return url if host is None else f"https://{host}"


def my_domain(text: str) -> str | None:
    """The host to sign in at, from a domain as people copy it; None: it is none of Salesforce's.

    Short (`acme.my`, `test`) or whole, with https:// or a path, of the Lightning pages or of Setup. Salesforce help,
    "My Domain URL Formats".
    """
    host = _host(text if "//" in text else f"//{text}").rstrip(".")
    for ending in (".lightning.force.com", ".my.salesforce-setup.com", ".my.salesforce.com"):
        if host.endswith(ending):
            host = f"{host.removesuffix(ending)}.my"
    host = host.removesuffix(".salesforce.com")
    known = host in ("login", "test") or re.fullmatch(_INSTANCE, host, re.ASCII)
    return f"{host}.salesforce.com" if known or re.fullmatch(_MY_DOMAIN, host, re.ASCII) else None


def _host(url: str) -> str:
    """In small letters; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _needed(found: SalesforceAccess) -> list[str]:
    """The names that the way to sign in needs."""
    if found.client_id and found.way == "soap":
        return ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"]
    return {
        "jwt": ["SALESFORCE_CLIENT_ID", "SALESFORCE_USERNAME", "SALESFORCE_PRIVATE_KEY"],
        "client credentials": ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"],
        "soap": ["SALESFORCE_USERNAME", "SALESFORCE_PASSWORD"],
    }[found.way]


# a sign that holds or doesn't: a checkbox, a day from which on it holds, or values that the mapping names
SignName = Annotated[ApiName, FieldKinds(("yes/no", "date", "picklist", "text"))]
# how many there are: a whole number, a checkbox (one), or values that mean one
# what falls: a number, or an amount
FallingName = Annotated[ApiName, FieldKinds(("count", "number", "money"))]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
ProblemName = Annotated[ApiName, FieldKinds(("count", "yes/no", "picklist", "text"))]


class AccountFields(MappingBlock, frozen=True):
    """Which accounts are customers, and the fields that describe them; null: the org has no such field.

    `owner` is a lookup of users or queues, whose names are shown, or a text of your own. `owner_as: id` keeps the ids
    and reads no names, neither here nor of signals. `parent` is a lookup of the account above, for groups.
    """

    where: str = "Type LIKE 'Customer%'"  # SOQL, as the org's administrator would write it
    arr: MoneyName | None = "ARR__c"
    tier: TextName | None = "Tier__c"
    segment: TextName | None = "Segment__c"
    seats: NumberName | None = "Seats__c"
    owner: ReferenceName | None = "OwnerId"
    owner_as: Literal["name", "id"] = "name"
    customer_since: DateName | None = "Customer_Since__c"
    parent: AccountName | None = "ParentId"

    def __post_init__(self) -> None:
        if self.parent is not None and "." in self.parent:
            raise ValueError(f"parent: {self.parent} is a field of another record; name a lookup of the account itself")


class Renewal(MappingBlock, frozen=True):
    """One way to find a renewal date; the first that yields one for an account wins.

    `records` are those of an object of the org's own, such as subscriptions: `object` names it, `account` its lookup.
    """

    source: Literal["opportunity", "contract", "account", "records"]
    date: DateName
    only: Only | None = None
    where: str | None = None
    object: ApiName | None = None
    account: AccountName | None = None

    def __post_init__(self) -> None:
        if self.source == "account" and (self.only or self.where):
            raise ValueError("from: account takes a date only; which accounts count is salesforce.accounts.where")
        if self.source == "records" and not (self.object and self.account):
            raise ValueError("from: records needs object: and account:, its lookup of the account")
        if self.source != "records" and (self.object or self.account):
            raise ValueError("object: and account: go with from: records")

    @property
    def place(self) -> tuple[str, str]:
        """The object that has the date, and its field that leads to the account."""
        usual = {"opportunity": "Opportunity", "contract": "Contract", "account": "Account"}
        return self.object or usual[self.source], self.account or ("Id" if self.source == "account" else "AccountId")


def default_renewals() -> tuple[Renewal, ...]:
    """By opportunity, else by contract, else by a date on the account."""
    by_type = Only(field="Type", values=("Renewal",))
    in_force = Only(field="Status", values=("Activated",))
    return (
        Renewal("opportunity", "CloseDate", by_type),
        Renewal("contract", "EndDate", in_force),
        Renewal("account", "Renewal_Date__c"),
    )


class Renewals(MappingBlock, frozen=True):
    """Where the next renewal is found, for each account by the first of `strategies` that has one.

    `overdue_days`: how long ago it may have been due; an older date is none, and the next way is asked. A list in place
    of this part stands for its `strategies`.
    """

    overdue_days: Annotated[int, msgspec.Meta(ge=0)] = 180
    strategies: tuple[Renewal, ...] = default_renewals()
    forecast: Unless[Forecast] = Forecast()


def _as_renewals(value: object) -> object:
    return {"strategies": value} if isinstance(value, list | tuple) else value


class PaymentCases(MappingBlock, frozen=True):
    """Payment problems as records that are opened and closed, such as billing cases."""

    source: Literal["case"] = "case"
    object: ApiName = "Case"
    account: AccountName = "AccountId"
    only: Only | None = Only(field="Type", values=("Billing",))
    where: str | None = None
    opened: DateName = "CreatedDate"
    closed: DateName = "ClosedDate"


class PaymentInvoices(MappingBlock, frozen=True):
    """Invoices: one that was not paid by its due date is a problem from that day until it is paid.

    One that is unpaid and has no due date makes the account's number unknown: leave drafts out by `only` or `where`.
    """

    source: Literal["invoice"] = "invoice"
    object: ApiName = "Invoice__c"
    account: AccountName = "Account__c"
    only: Only | None = None
    where: str | None = None
    due: DateName = "Due_Date__c"
    paid: DateName = "Paid_Date__c"


class PaymentField(MappingBlock, frozen=True, kw_only=True):
    """A field of the account, as it is now: a number of problems, a checkbox, or a picklist's values that mean one."""

    source: Literal["account"] = "account"
    field: ProblemName
    values: tuple[str, ...] = ()


Payment = Annotated[
    PaymentCases | PaymentInvoices | PaymentField,
    chosen(case=PaymentCases, invoice=PaymentInvoices, account=PaymentField),
]


class DowngradeRecords(MappingBlock, frozen=True):
    """Won amendments that lower ARR, seats or products."""

    source: Literal["records"] = "records"
    object: ApiName = "Opportunity"
    account: AccountName = "AccountId"
    only: Only | None = Only(field="Type", values=("Existing Customer - Downgrade",))
    where: str | None = "IsWon = true"
    date: DateName = "CloseDate"


class DowngradeHistory(MappingBlock, frozen=True):
    """Falls of a number in a field history, such as seats; several on one day are one downgrade.

    `tracked_since`: the day from which on the field is tracked; without it, the day of its first row in the whole org.
    """

    source: Literal["history"] = "history"
    object: ApiName = "AccountHistory"
    parent: AccountName = "AccountId"
    field: FallingName = "Seats__c"
    tracked_since: date | None = None


Downgrades = Annotated[DowngradeRecords | DowngradeHistory, chosen(records=DowngradeRecords, history=DowngradeHistory)]


class ArrFieldHistory(MappingBlock, frozen=True):
    """The field history of ARR on the account; the field must be tracked there.

    `tracked_since`: the day from which on it is; without it, the day of its first row in the whole org.
    """

    source: Literal["history"] = "history"
    object: ApiName = "AccountHistory"
    parent: AccountName = "AccountId"
    tracked_since: date | None = None


class ArrSnapshots(MappingBlock, frozen=True):
    """An object that keeps ARR by date; the record nearest to a year ago counts, within 15 days."""

    source: Literal["snapshots"] = "snapshots"
    object: ApiName = "ARR_Snapshot__c"
    account: AccountName = "Account__c"
    date: DateName = "Snapshot_Date__c"
    amount: MoneyName = "ARR__c"


class ArrOwn(MappingBlock, frozen=True):
    """What this program measured twelve months before; asked last, since it needs the others' answer first."""

    source: Literal["own"] = "own"


ArrHistory = Annotated[
    ArrFieldHistory | ArrSnapshots | ArrOwn, chosen(history=ArrFieldHistory, snapshots=ArrSnapshots, own=ArrOwn)
]


def _own_is_last(ways: tuple[ArrHistory, ...]) -> tuple[ArrHistory, ...]:
    if any(isinstance(way, ArrOwn) for way in ways[:-1]):
        raise ValueError("from: own must be the last of arr_history: what stands behind it would never be asked")
    return ways


ArrHistories = Annotated[tuple[ArrHistory, ...], After(_own_is_last)]


class Tiers(MappingBlock, frozen=True):
    """The tiers that are sold, lowest first, and the ARR from which each is implied (the lowest from 0)."""

    order: tuple[str, ...] = ("Bronze", "Silver", "Gold", "Platinum")
    arr_floor: dict[str, float] = msgspec.field(
        default_factory=lambda: {"Silver": 25e3, "Gold": 100e3, "Platinum": 250e3}
    )

    def __post_init__(self) -> None:
        for name in self.arr_floor:
            if name not in self.order:
                raise ValueError(f"arr_floor names {name!r}, which is not in order")
        floors = [self.arr_floor.get(name, 0.0) for name in self.order]
        if any(low >= high for low, high in pairwise(floors)):
            raise ValueError("arr_floor must rise from each tier to the next")


class Reviews(MappingBlock, frozen=True):
    """Business reviews: events and closed tasks by subject, and how many a year each tier is owed."""

    objects: Annotated[tuple[Literal["Event", "Task"], ...], msgspec.Meta(min_length=1)] = ("Event", "Task")
    subject_like: Names = ("%QBR%", "%Business Review%")
    not_subject_like: tuple[str, ...] = ("Cancel%",)
    no_show: YesNoName | None = "No_Show__c"
    expected_per_year: dict[str, float] = msgspec.field(
        default_factory=lambda: {"Bronze": 0.0, "Silver": 1.0, "Gold": 2.0, "Platinum": 4.0}
    )


class ChampionRoles(MappingBlock, frozen=True):
    """Contacts in a champion's role on won opportunities, and what says that one has left.

    `contact_left` names a checkbox, a date of leaving, or, with `left_values`, a picklist or text and its values that
    mean "left".
    """

    source: Literal["role"] = "role"
    roles: Names = (
        "Executive Sponsor",
        "Decision Maker",
        "Economic Buyer",
    )
    contact_left: SignName | None = "No_Longer_At_Company__c"
    left_values: tuple[str, ...] = ()


class ChampionContacts(MappingBlock, frozen=True):
    """Contacts of the account that a field marks as champions, and what says that one has left (as with `role`)."""

    source: Literal["contact"] = "contact"
    only: Only | None = None
    where: str | None = None
    contact_left: SignName | None = "No_Longer_At_Company__c"
    left_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.only or self.where):
            raise ValueError("from: contact needs only: or where:, since not every contact is a champion")


Champions = Annotated[ChampionRoles | ChampionContacts, chosen(role=ChampionRoles, contact=ChampionContacts)]


class Expansion(MappingBlock, frozen=True):
    """Open opportunities that would grow the account."""

    only: Only | None = Only(field="Type", values=("Expansion", "Existing Customer - Upgrade"))
    where: str | None = None
    min_probability: Percent = 20.0


class Target(MappingBlock, frozen=True):
    """The object that scores are written to, its unique external id, and how many records go by Bulk API 2.0.

    Its other fields have fixed names, and none of them can be the external id. Up to `bulk_above` records go in calls
    of 200, more go as one bulk job.
    """

    object: ApiName = "Health_Score__c"
    external_id: ApiName = KEY
    bulk_above: Annotated[int, msgspec.Meta(ge=0)] = 5_000

    def __post_init__(self) -> None:
        if is_written(self.external_id):
            raise ValueError(
                f"external_id: {self.external_id} is a field that a part of the score is written to; "
                "name one that holds nothing but the key"
            )


class SalesforceMapping(MappingBlock, frozen=True):
    """Everything an org models in its own way. A part that is `none` is not used, and its metrics stay null."""

    accounts: AccountFields = AccountFields()
    renewal: Annotated[Renewals, Before(_as_renewals)] = Renewals()
    payment: Unless[Payment] = PaymentCases()
    downgrades: Unless[Downgrades] = DowngradeRecords()
    arr_history: Unless[ArrHistories] = (ArrFieldHistory(), ArrOwn())
    tiers: Tiers = Tiers()
    reviews: Unless[Reviews] = Reviews()
    champions: Unless[Champions] = ChampionRoles()
    expansion: Unless[Expansion] = Expansion()
    pulse: Unless[Pulse] = PulseField()
    outcomes: Annotated[Unless[OutcomeMapping], Before(as_outcomes)] = OutcomeMapping()
    daily_calls_reserve: Percent = 10.0  # of the org's API calls: what is left to others
    target: Target = Target()
    account_url: AccountUrl = None  # null: the account's page in Lightning


SalesforceRequest = ExtractRequest[SalesforceAccess, SalesforceMapping]

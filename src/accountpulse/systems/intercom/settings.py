"""How to reach Intercom, and the `intercom:` block of accountpulse.yaml."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from accountpulse.core.ids import comparable_id
from accountpulse.core.secret import Secret
from accountpulse.core.yaml_structs import Before
from accountpulse.systems.discovery import DiscoverRequest
from accountpulse.systems.environment import HEADER, EnvironmentReader, Variable
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.mapping_parts import AccountUrl, ApiName, FieldKinds, MappingBlock

_HEX = re.compile(r"[0-9a-fA-F]{24}")
VERSIONS = ("2.11", "2.12", "2.13", "2.14", "2.15", "2.16")
VARIABLES = (
    Variable("INTERCOM_API_TOKEN", "Intercom access token", secret=True, required=True),
    Variable("INTERCOM_BASE_URL", "Intercom host of your region; default https://api.intercom.io"),
    Variable("INTERCOM_VERSION", "Intercom API version, 2.11 to 2.16; default 2.16"),
)


@dataclass(frozen=True)
class IntercomAccess:
    """How to reach Intercom."""

    token: Secret
    base_url: str
    version: str


def access(environment: EnvironmentReader) -> IntercomAccess | None:
    """Read it; None without a token."""
    token = environment.secret("INTERCOM_API_TOKEN")
    environment.refuse_unsendable("INTERCOM_API_TOKEN", HEADER)
    base_url = environment.url("INTERCOM_BASE_URL", "https://api.intercom.io")
    version = environment.get("INTERCOM_VERSION") or "2.16"
    if version not in VERSIONS:
        environment.problems.append(f"INTERCOM_VERSION is not one of {', '.join(VERSIONS)}")
    return IntercomAccess(token, base_url, version) if token else None


def comparable_key(key: str) -> str:
    """What is equal for two ways to write one id of a company: Intercom's own are hexadecimal, in any case."""
    form = comparable_id(key)
    return form.lower() if _HEX.fullmatch(form) else form


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, bool | int | float) else value


AttributeValue = Annotated[str, Before(_as_text)]


class Attribute(MappingBlock, frozen=True):
    """A conversation custom attribute and the values of it that count: texts, whole numbers, true or false."""

    name: Annotated[str, FieldKinds(("picklist", "text", "count", "number", "yes/no"))]
    values: Annotated[tuple[AttributeValue, ...], msgspec.Meta(min_length=1)]


class Priority(MappingBlock, frozen=True):
    """What P1/P2 means: any of these makes a conversation one. `levels` exist from API version 2.16 on.

    `flag`: before 2.16, the mark as priority means P1/P2.
    """

    levels: tuple[Literal["low", "medium", "high", "urgent"], ...] = ("urgent", "high")
    flag: bool = False
    tags: tuple[str, ...] = ()
    attribute: Attribute | None = None


class Escalation(MappingBlock, frozen=True):
    """What an escalation looks like: any of these. A bot's hand-over to a person is none."""

    tags: tuple[str, ...] = ("escalated", "escalation")
    teams: tuple[str, ...] = ()  # ids of the teams that take escalations
    linked_tickets: bool = True  # a back-office or tracker ticket is linked


class IntercomMapping(MappingBlock, frozen=True):
    """How support conversations belong to accounts, and what they mean.

    `workspace` is the id in the addresses of Intercom's own pages (`…/a/apps/<id>/…`), for links to companies.
    """

    account_field: ApiName = "Intercom_Company_Id__c"  # on the CRM's account
    holds: Literal["id", "company_id"] = "id"  # Intercom's own id of the company, or yours
    # the field's value stands in this custom attribute of the company instead
    attribute: Annotated[str, FieldKinds(("text", "count", "number"))] | None = None
    priority: Priority = Priority()
    escalation: Escalation = Escalation()
    time_basis: Literal["calendar", "office_hours"] = "calendar"
    csat: Literal["share", "mean"] = "share"
    workspace: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    account_url: AccountUrl = None

    def __post_init__(self) -> None:
        if self.attribute is not None and self.holds != "id":
            raise ValueError("attribute leads to Intercom's own ids: leave holds out, or make it id")


IntercomRequest = ExtractRequest[IntercomAccess, IntercomMapping]
IntercomLook = DiscoverRequest[IntercomAccess, IntercomMapping]

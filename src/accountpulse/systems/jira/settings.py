"""How to reach Jira, and the `jira:` block of accountpulse.yaml."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from accountpulse.core.secret import Secret
from accountpulse.systems.discovery import DiscoverRequest
from accountpulse.systems.environment import HEADER, TEXT, EnvironmentReader, Variable
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.mapping_parts import ApiName, MappingBlock, Names, SearchUrl

VARIABLES = (
    Variable(
        "JIRA_BASE_URL", "Jira address; may have a path (https://api.atlassian.com/ex/jira/<cloud id>)", required=True
    ),
    Variable("JIRA_EMAIL", "Jira Cloud: the account the token belongs to; leave unset for Data Center"),
    Variable(
        "JIRA_API_TOKEN", "Jira Cloud API token, or Data Center personal access token", secret=True, required=True
    ),
)


@dataclass(frozen=True)
class JiraAccess:
    """How to reach Jira: Basic with an e-mail (Cloud), Bearer without (Data Center)."""

    base_url: str
    email: str | None
    token: Secret


def access(environment: EnvironmentReader) -> JiraAccess | None:
    """Read it; None without an address and a token."""
    token = environment.secret("JIRA_API_TOKEN")
    base_url, email = environment.url("JIRA_BASE_URL"), environment.get("JIRA_EMAIL")
    if not environment.together("Jira", ["JIRA_BASE_URL", "JIRA_API_TOKEN"]) or token is None:
        return None
    environment.refuse_unsendable("JIRA_EMAIL", TEXT)
    if email is None:  # else it is packed
        environment.refuse_unsendable("JIRA_API_TOKEN", HEADER)
    return JiraAccess(base_url, email, token)


class JiraMapping(MappingBlock, frozen=True):
    """How bugs belong to accounts (`link` says what `account_field` holds), and which issues are bugs; see jira.md."""

    account_field: ApiName = "Jira_Component__c"  # on the CRM's account
    link: Literal["project", "component", "label", "field", "organization", "jql"] = "component"
    # for link: field, the custom field's id
    field: Annotated[str, msgspec.Meta(pattern=r"^customfield_[0-9]+$")] | None = None
    projects: tuple[str, ...] = ()  # narrow every search to these project keys; empty: all that are visible
    bug_types: Names = ("Bug",)
    critical_priorities: Names = (
        "Highest",
        "Blocker",
        "Critical",
    )  # or ids
    account_url: SearchUrl = None  # null: a search for the account's bugs; with link: field there is none

    def __post_init__(self) -> None:
        if (self.link == "field") != (self.field is not None):
            raise ValueError("link: field and field: customfield_… go together")


JiraRequest = ExtractRequest[JiraAccess, JiraMapping]
JiraLook = DiscoverRequest[JiraAccess, JiraMapping]

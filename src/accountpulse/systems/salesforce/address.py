"""Where people see an account in Salesforce."""

from urllib.parse import urlsplit

from accountpulse.systems.mapping_parts import OFF
from accountpulse.systems.salesforce.settings import SHARED_HOSTS, SalesforceAccess, SalesforceMapping
from accountpulse.systems.system import AccountAddress

PAGE = "/lightning/r/Account/{id}/view"


def link_to(access: SalesforceAccess, mapping: SalesforceMapping) -> AccountAddress | None:
    """The account's page in the org, whose own address signing in tells.

    A run that goes on with what an earlier process has read hasn't signed in: then it is the address of signing in,
    and none where that is shared by all orgs.
    """
    if mapping.account_url is not None:
        return None if mapping.account_url == OFF else AccountAddress(mapping.account_url)
    parts = urlsplit(access.sessions[-1][1] if access.sessions else access.login_url)
    if not parts.netloc or parts.hostname in SHARED_HOSTS:
        return None
    return AccountAddress(f"{parts.scheme}://{parts.netloc}{PAGE}")

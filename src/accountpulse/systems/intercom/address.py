"""Where people see a company in Intercom."""

from collections.abc import Iterator

from accountpulse.systems.intercom.settings import IntercomAccess, IntercomMapping
from accountpulse.systems.mapping_parts import OFF
from accountpulse.systems.system import AccountAddress

# by region: https://www.intercom.com/help/en/articles/5872384-intercom-regional-data-hosting
PAGES = {
    "https://api.intercom.io": "https://app.intercom.com",
    "https://api.eu.intercom.io": "https://app.eu.intercom.com",
    "https://api.au.intercom.io": "https://app.au.intercom.com",
}


# for the reader of a run
NO_LINKS = (
    "intercom.workspace makes no links: the accounts' key is not Intercom's own id. Write account_url under intercom."
)


def link_notes(mapping: IntercomMapping) -> Iterator[str]:
    """What is to be said of a mapping that asks for links and gets none."""
    if mapping.workspace is not None and mapping.holds != "id" and mapping.account_url is None:
        yield NO_LINKS


def link_to(access: IntercomAccess, mapping: IntercomMapping) -> AccountAddress | None:
    """The company's page; none where a part of its address isn't known."""
    if mapping.account_url is not None:
        return None if mapping.account_url == OFF else AccountAddress(mapping.account_url)
    pages = PAGES.get(access.base_url)
    if pages is None or mapping.workspace is None or mapping.holds != "id":
        return None
    return AccountAddress(f"{pages}/a/apps/{mapping.workspace}/companies/{{key}}")

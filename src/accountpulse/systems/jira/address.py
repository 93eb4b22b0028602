"""Where people see an account's bugs in Jira: a search."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from accountpulse.systems.jira.links import Links, listed, quoted
from accountpulse.systems.jira.settings import JiraAccess, JiraMapping
from accountpulse.systems.mapping_parts import OFF
from accountpulse.systems.system import AccountAddress

GATEWAY = "api.atlassian.com"  # of the API alone: it shows people nothing


def link_to(access: JiraAccess, mapping: JiraMapping) -> AccountAddress | None:
    """The search; none where Jira's own address isn't known, or a field's kind decides how it is searched."""

    def values(keys: Sequence[str]) -> Sequence[Mapping[str, str]]:
        """One address for all keys where the template has room for them, else one for each."""
        jql = search(mapping, keys)
        each = [{"key": key, "quoted": quoted(key), "jql": jql} for key in keys]
        return each[:1] if "{jql}" in template else each

    template = mapping.account_url or f"{access.base_url}/issues/?jql={{jql}}"
    if mapping.account_url == OFF:
        return None
    if mapping.account_url is None and (mapping.link == "field" or urlsplit(access.base_url).hostname == GATEWAY):
        return None
    return AccountAddress(template, values)


def search(mapping: JiraMapping, keys: Sequence[str]) -> str:
    """Bugs of these keys, of any time, as JQL."""
    if mapping.link in ("field", "organization"):
        name = "organizations" if mapping.field is None else f"cf[{mapping.field.removeprefix('customfield_')}]"
        clause = f"{name} in {listed(keys)}"
    else:
        clause = Links(mapping, keys, None).clause(keys)
    narrowed = mapping.projects and mapping.link != "project"
    parts = [f"project in {listed(mapping.projects)}"] if narrowed else []
    return " AND ".join([*parts, clause, f"issuetype in {listed(mapping.bug_types)}"])

"""Whom Jira knows: what links may name there (`jira.link`), for suggested links."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from accountpulse.http import client
from accountpulse.http.client import Client
from accountpulse.systems.extraction import CustomerList
from accountpulse.systems.jira.extract import CARRIERS, connect
from accountpulse.systems.jira.fields import BY_FIELD, link_field
from accountpulse.systems.jira.links import Links, listed
from accountpulse.systems.jira.settings import JiraMapping, JiraRequest
from accountpulse.systems.jira.site import LISTED_PROJECTS, Site, bug_types, components_of, look_at, searched
from accountpulse.systems.jira.wire import page_decoder

PAGE = 100  # bugs in one answer
PAGES = 50  # 5,000 bugs, the newest: whoever none of them names has no bug that counts


def list_customers(request: JiraRequest) -> CustomerList:
    """Components, projects, or the labels, organisations or values of the field that bugs carry, as CUSTOMERS.

    Jira has no list of labels, organisations and values that every user may read: those of the newest 5,000 bugs are
    taken. Clauses of JQL can't be listed; a note says so.
    """
    return client.run(_list(request))


async def _list(request: JiraRequest) -> CustomerList:
    mapping = request.mapping
    if mapping.link == "jql":
        return _as_list({}, ["clauses of JQL can't be suggested: nobody but you knows them"])
    async with connect(request) as web:
        site = await look_at(web, fields=mapping.link in BY_FIELD)
        if mapping.link == "project":
            return _as_list({str(each.key): each.name for each in searched(site, mapping) if each.key}, [])
        if mapping.link == "component":
            components, is_whole = await components_of(web, site, mapping)
            many = f"components are listed for up to {LISTED_PROJECTS} projects: name those that count in jira.projects"
            return _as_list({each.name: each.name for each in components if each.name}, [] if is_whole else [many])
        values, is_whole = await _carried(web, site, mapping)
    note = f"only what the newest {PAGE * PAGES:,} bugs name is suggested"
    return _as_list(dict.fromkeys(values), [] if is_whole else [note])


def _as_list(names: Mapping[str, str | None], notes: Iterable[str]) -> CustomerList:
    return CustomerList.of(((key, name or key, [], [], []) for key, name in names.items()), notes)


async def _carried(web: Client, site: Site, mapping: JiraMapping) -> tuple[dict[str, str], bool]:
    """The names that bugs carry in the link's field; and whether all bugs were looked at."""
    field = link_field(site.fields, mapping)
    links = Links(structs.replace(mapping, bug_types=bug_types(site, mapping.bug_types)), (), field)
    carrier = field.id if field is not None else CARRIERS[mapping.link]
    decoder = page_decoder(field.id if field is not None else None)
    parts = [f"issuetype in {listed(bug_types(site, mapping.bug_types))}", str(links.any_value)]
    parts += [f"project in {listed(mapping.projects)}"] if mapping.projects else []
    body: dict[str, Any] = {
        "jql": " AND ".join(parts) + " ORDER BY created DESC",
        "fields": [carrier],
        "maxResults": PAGE,
    }
    found: dict[str, str] = {}
    came = 0
    for _ in range(PAGES):
        page = await web.post(f"{site.api}/search{'/jql' if site.cloud else ''}", decoder, body)
        came += len(page.issues)
        for issue in page.issues:
            if issue.fields is not None:
                found |= {name: name for name in links.named(issue.fields)}
        if site.cloud and page.next_page_token is not None:
            body["nextPageToken"] = page.next_page_token
        elif not site.cloud and page.issues and came < (page.total or 0):
            body["startAt"] = came
        else:
            return found, True
    return found, False

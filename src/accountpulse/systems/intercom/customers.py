"""Whom Intercom knows: its companies, for suggested links."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from accountpulse.http import client
from accountpulse.http.client import Client
from accountpulse.http.paging import Cursors
from accountpulse.systems.extraction import CustomerList
from accountpulse.systems.intercom.extract import connect
from accountpulse.systems.intercom.lookup import Described, ListedCompanies, attribute_text
from accountpulse.systems.intercom.rows import is_leads
from accountpulse.systems.intercom.settings import IntercomMapping, IntercomRequest
from accountpulse.systems.intercom.wire import CompanyRefs, IntercomStruct, Pages, cursor_of

CONTACT_PAGE = 150  # the most that a search gives
CONTACT_PAGES = 400  # 60,000 contacts: enough to know where a company's people write from
LONGEST_KEY = 64  # characters of an attribute that may be an identifier


class MailDomain(str):
    """What stands behind the @ of an address; the address itself is let go of while it is decoded."""

    __slots__ = ()


class ContactAddress(IntercomStruct):
    """Where a contact belongs, and where it writes from."""

    companies: CompanyRefs | None = None
    email: MailDomain | None = None


class ContactAddressPage(IntercomStruct):
    """One page of contacts."""

    data: list[ContactAddress]
    pages: Pages | None = None


def _domain(kind: type, written: Any) -> Any:
    return kind(str(written).rpartition("@")[2].lower())


_PAGE = msgspec.json.Decoder(ContactAddressPage, dec_hook=_domain)


def list_customers(request: IntercomRequest) -> CustomerList:
    """Every company of the list, with website, the domains of its people's addresses, and its identifiers.

    `key` is what a link holds: Intercom's id, or the workspace's own where `intercom.holds` says so. Companies without
    users aren't listed, nor those beyond 10,000 where they can't be scrolled through; a note says so. Contacts are
    asked for only where a company has no website, up to 60,000. Companies of leads are nobody's.
    """
    return client.run(_list(request))


async def _list(request: IntercomRequest) -> CustomerList:
    async with connect(request) as web:
        listed = ListedCompanies(web)
        await listed.read()
        companies = [each for each in listed.companies.values() if not is_leads(each.own)]
        domains: dict[str, set[str]] = {}
        note = None
        if any(not each.website for each in companies):
            domains, note = await _domains(web)
    rows = [row for each in companies if (row := _row(each, request.mapping, domains.get(each.id, ()))) is not None]
    notes = [*listed.notes("be suggested"), *([note] if note else [])]
    return CustomerList.of(rows, notes)


def _row(company: Described, mapping: IntercomMapping, domains: Any) -> tuple[Any, ...] | None:
    """One of CUSTOMERS; None: the company has no id of the kind that links hold."""
    key = company.id if mapping.holds == "id" or mapping.attribute is not None else company.own
    if key is None:
        return None
    return key, company.name, [company.website] if company.website else [], sorted(domains), list(_keys(company))


def _keys(company: Described) -> Iterator[str]:
    """What else it is called: the workspace's own id, and attributes that hold one word or number."""
    if company.own:
        yield company.own
    for raw in (company.custom_attributes or {}).values():
        text = attribute_text(raw)
        if text and len(text) <= LONGEST_KEY and " " not in text:
            yield text


async def _domains(web: Client) -> tuple[dict[str, set[str]], str | None]:
    """By company, where its people write from; and a note where not all contacts were read."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    query = {"field": "role", "operator": "=", "value": "user"}
    body: dict[str, Any] = {"query": query, "pagination": {"per_page": CONTACT_PAGE}}
    cursors = Cursors()
    for _ in range(CONTACT_PAGES):
        page = await web.post("/contacts/search", _PAGE, body)
        for contact in page.data:
            for company in (contact.companies and contact.companies.data) or ():
                if contact.email and company.id is not None:
                    found[str(company.id)].add(str(contact.email))
        cursor = cursor_of(page.pages)
        if cursor is None or not cursors.lead_on(cursor, len(page.data)):
            return found, None
        body["pagination"] = {"per_page": CONTACT_PAGE, "starting_after": cursor}
    most = CONTACT_PAGES * CONTACT_PAGE
    return found, f"the addresses of {most:,} contacts were looked at; companies of the others go by name and website"

"""What Intercom knows of the accounts' companies, without reading a single conversation."""

from collections.abc import AsyncIterator

import msgspec
from msgspec import Raw

from accountpulse.core.records import Extract
from accountpulse.http import client
from accountpulse.http.client import Client, RequestRefused
from accountpulse.systems.extraction import Probe
from accountpulse.systems.intercom.companies import COMPANY_PAGE, LIST_PAGES, Companies
from accountpulse.systems.intercom.extract import PAGE, body, connect, slices
from accountpulse.systems.intercom.rows import ConversationReader
from accountpulse.systems.intercom.settings import IntercomRequest
from accountpulse.systems.intercom.wire import IntercomStruct, Pages


class Described(IntercomStruct):
    """A company: its id and what the workspace noted about it; one attribute of it is decoded."""

    id: str
    custom_attributes: dict[str, Raw] | None = None


class DescribedPage(IntercomStruct):
    """One page of the list of companies."""

    data: list[Described]
    pages: Pages | None = None


_PAGE = msgspec.json.Decoder(DescribedPage)


def find(request: IntercomRequest) -> Extract:
    """For each value of the configured attribute the ids of the companies that carry it, as `found_keys`.

    The list leaves out companies without users, and ends at 10,000 companies; a note says so where it did.
    https://developers.intercom.com/docs/references/rest-api/api.intercom.io/companies/listallcompanies
    """
    name = request.mapping.attribute
    return Extract("intercom", {}) if name is None else client.run(_find(request, name))


def look_up(request: IntercomRequest) -> Extract:
    """Which of the keys belong to no company, as `unknown_keys`."""
    return client.run(_look_up(request))


async def _find(request: IntercomRequest, name: str) -> Extract:
    found: dict[str, set[str]] = {}
    companies = 0
    async with connect(request) as web:
        async for company in _listed(web):
            companies += 1
            if value := _value((company.custom_attributes or {}).get(name)):
                found.setdefault(value, set()).add(company.id)
    notes = []
    if companies >= COMPANY_PAGE * LIST_PAGES - COMPANY_PAGE:
        notes.append(f"the list of companies ends at {companies:,}; companies beyond can't be found by {name!r}")
    if not found:
        notes.append(f"no company carries the attribute {name!r} of intercom.attribute")
    keys = {value: tuple(sorted(ids)) for value, ids in sorted(found.items())}
    return Extract("intercom", {}, notes=tuple(notes), found_keys=keys)


async def _look_up(request: IntercomRequest) -> Extract:
    holds = request.mapping.holds
    async with connect(request) as web:
        companies = Companies(web, holds, {})
        unknown = await companies.unknown(request.keys)
    return Extract("intercom", {}, unknown_keys=unknown, notes=tuple(companies.notes))


async def _listed(web: Client) -> AsyncIterator[Described]:
    """Every company of the list, page by page."""
    number, total = 1, 1
    while number <= min(total, LIST_PAGES):
        try:
            page = await web.post(f"/companies/list?page={number}&per_page={COMPANY_PAGE}", _PAGE, None)
        except RequestRefused as refused:
            if refused.status == 400 and number > 1:  # the list's own limit
                return
            raise
        for company in page.data:
            yield company
        total = (page.pages.total_pages or 1) if page.pages is not None else 1
        number += 1


def _value(raw: Raw | None) -> str:
    """An attribute as text: ids may be kept as whole numbers; anything else names nobody."""
    value = None if raw is None else msgspec.json.decode(raw)
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


# --- before a run ------------------------------------------------------------------------------------------------


def probe(request: IntercomRequest) -> Probe:
    """How many conversations the window holds, asked slice by slice with one conversation each."""
    return client.run(_probe(request))


async def _probe(request: IntercomRequest) -> Probe:
    window = request.scope.window
    reader = ConversationReader(request.mapping, request.access.version, window)
    async with connect(request) as web:
        asked = [{**body(part, window, None), "pagination": {"per_page": 1}} for part in slices(window)]
        pages = await client.together(web.post("/conversations/search", reader.pages, each) for each in asked)
    found = sum(page.total_count or 0 for page in pages)
    return Probe(found, "conversations", len(asked) + -(-found // PAGE), gaps=reader.gaps)

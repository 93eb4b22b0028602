"""What Intercom knows of the accounts' companies, without reading a single conversation."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.records import Extract
from accountpulse.http import client
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.http.paging import Cursors
from accountpulse.systems.extraction import Probe
from accountpulse.systems.intercom.companies import COMPANY_PAGE, LIST_PAGES, Companies, any_contact
from accountpulse.systems.intercom.extract import PAGE, body, connect, slices
from accountpulse.systems.intercom.rows import ConversationReader
from accountpulse.systems.intercom.settings import IntercomRequest
from accountpulse.systems.intercom.wire import Company, IntercomStruct, Pages
from accountpulse.systems.intercom.workspace import Workspace


class Described(Company):
    """A company and what the workspace noted about it; of its attributes those that are asked for are decoded."""

    name: str | None = None
    website: str | None = None
    custom_attributes: dict[str, Raw] | None = None


class DescribedPage(IntercomStruct):
    """One page of the list of companies."""

    data: list[Described]
    pages: Pages | None = None
    total_count: int | None = None
    scroll_param: str | None = None


_PAGE = msgspec.json.Decoder(DescribedPage)
UNREADABLE = ""  # an attribute that holds nothing that could be an id


def find(request: IntercomRequest) -> Extract:
    """For each value of the configured attribute the ids of the companies that carry it, as `found_keys`.

    The list leaves out companies without users, and ends at 10,000 companies; more are scrolled through.
    https://developers.intercom.com/docs/references/rest-api/api.intercom.io/companies/listallcompanies
    ConfigurationError where the workspace has no such attribute of its companies, or it holds no ids.
    """
    name = request.mapping.attribute
    return Extract("intercom", {}) if name is None else client.run(_find(request, name))


def look_up(request: IntercomRequest) -> Extract:
    """Which of the keys belong to no company, as `unknown_keys`."""
    return client.run(_look_up(request))


async def _find(request: IntercomRequest, name: str) -> Extract:
    found: dict[str, set[str]] = {}
    async with connect(request) as web:
        workspace = Workspace(web, request.mapping, request.access.version)
        await workspace.check_attributes("company")
        listed = ListedCompanies(web)
        await listed.read()
    unreadable = 0
    for company in listed.companies.values():
        value = attribute_text((company.custom_attributes or {}).get(name))
        unreadable += value == UNREADABLE
        if value:
            found.setdefault(value, set()).add(company.id)
    notes = [*workspace.notes, *listed.notes(f"be found by {name!r}")]
    if unreadable:
        notes.append(f"{unreadable:,} companies hold something in {name!r} that is no id")
    if not found:
        notes.append(f"no company carries the attribute {name!r} of intercom.attribute")
    keys = {value: tuple(sorted(ids)) for value, ids in sorted(found.items())}
    return Extract("intercom", {}, notes=tuple(notes), found_keys=keys)


async def _look_up(request: IntercomRequest) -> Extract:
    holds = request.mapping.holds
    async with connect(request) as web:
        companies = Companies(web, holds, {})
        unknown = await companies.unknown(request.keys)
        gone = tuple(web.gone_notes())
    return Extract("intercom", {}, unknown_keys=unknown, notes=(*companies.notes, *gone))


class ListedCompanies:
    """The list of companies, read whole; once more where fewer came than were counted.

    One that goes beyond the list's own limit is scrolled through: a workspace lets one program at a time do so.
    https://developers.intercom.com/docs/references/rest-api/api.intercom.io/companies/scrolloverallcompanies
    """

    def __init__(self, web: Client) -> None:
        """Nothing is asked yet."""
        self.companies: dict[str, Described] = {}
        self._web = web
        self._counted = 0
        self._is_cut = False  # by the list's own limit

    async def read(self) -> None:
        """All pages."""
        for _ in range(2):
            pages = await self._page(1)
            if pages > LIST_PAGES and await self._scroll():
                return
            await together(self._page(number) for number in range(2, min(pages, LIST_PAGES) + 1))
            if self._is_cut or len(self.companies) >= self._counted:
                return

    async def _scroll(self) -> bool:
        """Read all companies; whether that was possible."""
        cursors, params = Cursors(), None
        while True:
            try:
                page = await self._web.get("/companies/scroll", _PAGE, params)
            except RequestRefused:  # another program scrolls, or ours was cut off
                return False
            earlier = len(self.companies)
            self.companies.update((company.id, company) for company in page.data)
            if not page.data or page.scroll_param is None:
                self._is_cut = False
                return True
            # the cursor stays the same from page to page: what is new tells whether it leads on
            if not cursors.lead_on(f"{page.scroll_param} {earlier}", len(self.companies) - earlier):
                raise UnexpectedAnswer("intercom", "scrolling through companies", "the same companies came again")
            params = {"scroll_param": page.scroll_param}

    async def _page(self, number: int) -> int:
        """Read one page; how many there are."""
        try:
            page = await self._web.post(f"/companies/list?page={number}&per_page={COMPANY_PAGE}", _PAGE, None)
        except RequestRefused as refused:
            if refused.status != 400 or number == 1:
                raise
            self._is_cut = True
            return number
        self.companies.update((company.id, company) for company in page.data)
        self._counted = max(self._counted, page.total_count or 0)
        pages = (page.pages.total_pages or 1) if page.pages is not None else 1
        self._is_cut |= pages > LIST_PAGES
        return pages

    def notes(self, done: str) -> Iterator[str]:
        """What the list doesn't show, and what can't be done because of it, such as `be found by …`.

        Its count may hold companies without users, so that it can't be refused.
        """
        came = len(self.companies)
        if self._is_cut:
            what = f"the list of companies ends at {came:,}, and no others could be scrolled through"
            yield f"{what}: companies beyond can't {done}. Run again when no other program reads them"
        elif came < self._counted:
            what = f"Intercom counts {self._counted:,} companies and lists {came:,}, asked twice"
            yield f"{what}: those without users aren't listed, and can't {done}"


def attribute_text(raw: Raw | None) -> str | None:
    """An attribute as text, blanks around it taken away: ids may be kept as whole numbers.

    None: it is empty. Anything else is no id (UNREADABLE).
    """
    value = None if raw is None else msgspec.json.decode(raw)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value.strip() or None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(int(value)) if is_number and float(value).is_integer() else UNREADABLE


# --- before a run ------------------------------------------------------------------------------------------------


def probe(request: IntercomRequest) -> Probe:
    """How many conversations the window holds, asked slice by slice with one conversation each.

    What the mapping names is held against the workspace, as a run does it; contacts are asked for as well, since a run
    reads them.
    """
    return client.run(_probe(request))


async def _probe(request: IntercomRequest) -> Probe:
    mapping, version, window = request.mapping, request.access.version, request.scope.window
    reader = ConversationReader(mapping, version, window)
    async with connect(request) as web:
        workspace = Workspace(web, mapping, version)
        await workspace.check_attributes("conversation")
        await workspace.check_signs(defaults=True)
        asked = [{**body(part, window, None), "pagination": {"per_page": 1}} for part in slices(window)]
        pages = await together(web.post("/conversations/search", reader.pages, each) for each in asked)
        await any_contact(web)
        gaps = await workspace.foreseen(reader)
    found = sum(page.total_count or 0 for page in pages)
    return Probe(found, "conversations", len(asked) + -(-found // PAGE), tuple(workspace.notes), gaps)

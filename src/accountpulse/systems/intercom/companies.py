"""Which companies a conversation belongs to, and which linked companies Intercom knows at all."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.records import CONVERSATIONS, Reason
from accountpulse.core.spooled import SpooledTable
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.http.paging import Cursors
from accountpulse.systems.intercom.rows import LEADS
from accountpulse.systems.intercom.wire import AttachedPage, Company, CompanyPage, Contact, ContactPage, cursor_of

ARRAY = 150  # ids in one search; the largest array is not documented, so a refused one is halved
COMPANY_PAGE = 60  # the most that the list of companies gives
LIST_PAGES = 167  # the list itself ends at 10,000 companies
LOOKUPS = 100  # companies asked for one by one, at most: those that no walk has shown

_ID = re.compile(r"[\w-]+", re.ASCII)
_CONTACTS = msgspec.json.Decoder(ContactPage)
_COMPANIES = msgspec.json.Decoder(CompanyPage)
_COMPANY = msgspec.json.Decoder(Company)
_ATTACHED = msgspec.json.Decoder(AttachedPage)
_PAIRS = {"person": pl.String, "key": pl.String}


class Companies:
    """Gathers what a walk shows of companies, and asks for what it doesn't. `notes` are for the reader."""

    def __init__(self, web: Client, holds: Literal["id", "company_id"], seen: Mapping[str, str | None]) -> None:
        """`holds` says which id the accounts' links hold; `seen` are companies that the walk has shown."""
        self._web = web
        self._holds = holds
        self._known = dict(seen)  # Intercom's id → the workspace's own
        self._listed = False
        self.notes: list[str] = []

    async def attribute(self, waiting: SpooledTable, known: SpooledTable, linked: Collection[str]) -> None:
        """Add those that wait to those that are known (CONVERSATIONS), with the keys of their people's companies.

        All companies of its contacts count for a conversation without one of its own. Those of leads are nobody's.
        """
        everyone = waiting.lazy().select(pl.col("people").str.split(",").explode().unique())
        keys_of = await self._keys_of(everyone.collect().to_series())
        shared = 0
        for rows in waiting.pieces():
            table = _with_keys(rows, keys_of)
            shared += table.filter(pl.col("keys").list.set_intersection(sorted(linked)).list.len() > 1).height
            known.add(table)
        if shared:
            self.notes.append(f"{shared:,} conversations belong to several companies and count for each of them")

    async def _keys_of(self, people: pl.Series) -> pl.DataFrame:
        """`person` and `key`: what links to the companies of these contacts would hold."""
        pairs = await self._companies_of(people.filter(people != "").sort().to_list())
        companies = sorted({company for _, company in pairs})
        if self._holds == "company_id":
            await self._learn(companies)
        keys = {company: self._key(company) for company in companies}
        return pl.DataFrame([(person, keys[company]) for person, company in pairs], _PAIRS, orient="row").drop_nulls()

    async def unknown(self, keys: Iterable[str]) -> dict[str, Reason]:
        """The linked keys that no company has: neither the walks nor asking for them has shown one."""
        missing = sorted(set(keys) - self._keys())
        if missing:
            await self._list()
            missing = sorted(set(missing) - self._keys())
        if len(missing) > LOOKUPS:
            more = f"{len(missing) - LOOKUPS:,} linked companies are in no list of Intercom"
            self.notes.append(f"{more} and were not asked for one by one; they count as not linked")
        exist = await together(map(self._exists, missing[:LOOKUPS]))
        found = {key for key, exists in zip(missing, exist, strict=False) if exists}
        return dict.fromkeys((key for key in missing if key not in found), "not_linked")

    def _keys(self) -> set[str]:
        return {key for company in self._known if (key := self._key(company)) is not None}

    def _key(self, company: str) -> str | None:
        """What a link to this company would hold; None: nothing, since it isn't known, or is a lead's."""
        own = self._known.get(company)
        if own is not None and own.endswith(LEADS):
            return None
        return company if self._holds == "id" else own

    async def _companies_of(self, people: Sequence[str]) -> list[tuple[str, str]]:
        """Each contact with Intercom's id of each of its companies."""
        chunks = [people[start : start + ARRAY] for start in range(0, len(people), ARRAY)]
        found = await together(map(self._companies_of_few, chunks))
        if lost := len(people) - sum(contacts for contacts, _ in found):  # merged or deleted since
            self.notes.append(f"{lost:,} contacts of conversations without a company are not to be found in Intercom")
        pairs = [pair for _, few in found for pair in few]
        for _, company in pairs:
            self._known.setdefault(company, None)
        return pairs

    async def _companies_of_few(self, people: Sequence[str]) -> tuple[int, list[tuple[str, str]]]:
        """How many of up to ARRAY contacts are there, and the companies of each."""
        contacts = await self._search(people)
        companies = await together(map(self._all_of, contacts))
        pairs = [(who.id, company) for who, found in zip(contacts, companies, strict=True) for company in found]
        return len({contact.id for contact in contacts}), pairs

    async def _search(self, people: Sequence[str]) -> list[Contact]:
        query = {"field": "id", "operator": "IN", "value": list(people)}
        body: dict[str, Any] = {"query": query, "pagination": {"per_page": ARRAY}}
        found, cursors = [], Cursors()
        try:
            while True:
                page = await self._web.post("/contacts/search", _CONTACTS, body)
                found += page.data
                cursor = cursor_of(page.pages)
                if cursor is None or len(found) >= len(people):
                    return found
                if not cursors.lead_on(cursor, len(page.data)):
                    raise UnexpectedAnswer("intercom", "paging through contacts", "the same cursor came twice")
                body["pagination"] = {"per_page": ARRAY, "starting_after": cursor}
        except RequestRefused as refused:
            if refused.status != 400 or len(people) == 1:
                raise
        half = len(people) // 2
        halves = await together(map(self._search, (people[:half], people[half:])))
        return [contact for part in halves for contact in part]

    async def _all_of(self, contact: Contact) -> list[str]:
        """Intercom's ids of a contact's companies, also where its list is cut."""
        refs = contact.companies
        if refs is None:
            return []
        listed = [str(ref.id) for ref in (refs.data or ()) if ref.id is not None]
        if not refs.has_more and (refs.total_count or 0) <= len(listed):
            return listed
        number, total, found = 1, 1, []
        while number <= total:
            page = await self._web.get(f"/contacts/{contact.id}/companies", _ATTACHED, {"page": str(number)})
            found += page.companies or page.data or []
            total = (page.pages.total_pages or 1) if page.pages is not None else 1
            number += 1
        self._known.update((company.id, company.company_id) for company in found)
        return [company.id for company in found]

    async def _learn(self, companies: Sequence[str]) -> None:
        """The workspace's own ids of these companies, as far as they can be had."""
        if all(self._known.get(company) is not None for company in companies):
            return
        await self._list()
        rest = [company for company in companies if self._known.get(company) is None]
        for found in await together(self._one(f"/companies/{company}") for company in rest[:LOOKUPS]):
            if found is not None:
                self._known[found.id] = found.company_id

    async def _list(self) -> None:
        """Read the list of companies, once. It leaves out companies without users, and ends at 10,000."""
        if self._listed:
            return
        self._listed = True
        total = await self._page(1)
        await together(self._page(number) for number in range(2, min(total, LIST_PAGES) + 1))

    async def _page(self, number: int) -> int:
        """Read one page of the list; how many it says there are."""
        path = f"/companies/list?page={number}&per_page={COMPANY_PAGE}"
        try:
            page = await self._web.post(path, _COMPANIES, None)
        except RequestRefused as refused:
            if refused.status == 400 and number > 1:  # the list's own limit
                return number
            raise
        self._known.update((company.id, company.company_id) for company in page.data)
        return (page.pages.total_pages or 1) if page.pages is not None else 1

    async def _exists(self, key: str) -> bool:
        if self._holds == "id":  # an id that could not be Intercom's must not become part of an address
            return bool(_ID.fullmatch(key)) and await self._one(f"/companies/{key}") is not None
        return await self._one("/companies", {"company_id": key}) is not None

    async def _one(self, path: str, params: dict[str, str] | None = None) -> Company | None:
        try:
            return await self._web.get(path, _COMPANY, params)
        except RequestRefused as refused:
            if refused.status == 404:
                return None
            raise


def _with_keys(waiting: pl.DataFrame, keys_of: pl.DataFrame) -> pl.DataFrame:
    """Conversations with the keys of their people, sorted; `keys_of` has a row for each person and key."""
    people = waiting.select("conversation_id", person=pl.col("people").str.split(",")).explode("person")
    found = people.join(keys_of, on="person").group_by("conversation_id").agg(keys=pl.col("key").unique().sort())
    whole = waiting.drop("keys").join(found, on="conversation_id", how="left", maintain_order="left")
    return whole.with_columns(pl.col("keys").fill_null([])).select(*CONVERSATIONS)

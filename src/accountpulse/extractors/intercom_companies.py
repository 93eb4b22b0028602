"""Which companies a conversation belongs to, and which linked companies Intercom knows at all."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Literal

import msgspec

from accountpulse.extractors.intercom_shapes import (
    AttachedPage,
    Company,
    CompanyPage,
    Contact,
    ContactPage,
    Conversation,
)
from accountpulse.records import Reason
from accountpulse.rest.client import Client, Refused

ARRAY = 150  # ids in one search; the largest array is not documented, so a refused one is halved
COMPANY_PAGE = 60  # the most that the list of companies gives
LIST_PAGES = 200  # the list itself ends at 10,000 companies
LOOKUPS = 100  # companies asked for one by one, at most: those that no walk has shown

_ID = re.compile(r"[\w-]+", re.ASCII)
_CONTACTS = msgspec.json.Decoder(ContactPage)
_COMPANIES = msgspec.json.Decoder(CompanyPage)
_COMPANY = msgspec.json.Decoder(Company)
_ATTACHED = msgspec.json.Decoder(AttachedPage)


class Companies:
    """Gathers what a walk shows of companies, and asks for what it doesn't."""

    def __init__(self, web: Client, holds: Literal["id", "company_id"]) -> None:
        """`holds` says which id the accounts' links hold."""
        self._web = web
        self._holds = holds
        self._known: dict[str, str | None] = {}  # Intercom's id → the workspace's own
        self._owners: dict[str, list[str]] = {}  # conversation → Intercom's ids of companies
        self._contacts: dict[str, list[str]] = {}  # conversation without a company → its contacts
        self._listed = False
        self.notes: list[str] = []

    def note(self, conversation: Conversation) -> None:
        """Remember whose conversation this is, or whom to ask."""
        if conversation.company is not None:
            self._known[conversation.company.id] = conversation.company.company_id
            self._owners[conversation.id] = [conversation.company.id]
        elif conversation.contacts is not None:
            people = [str(person.id) for person in conversation.contacts.contacts or () if person.id is not None]
            self._contacts[conversation.id] = people

    async def owners(self) -> dict[str, list[str]]:
        """For each conversation the keys of its companies, sorted; those without any are absent."""
        wanted = sorted({person for people in self._contacts.values() for person in people})
        companies = {person: found async for person, found in self._companies_of(wanted)}
        for conversation, people in self._contacts.items():
            belongs = {company for person in people for company in companies.get(person, ())}
            if belongs:
                self._owners[conversation] = sorted(belongs)
        if self._holds == "company_id":
            await self._learn({company for found in self._owners.values() for company in found})
        return {
            conversation: sorted({key for company in found if (key := self._key(company)) is not None})
            for conversation, found in self._owners.items()
        }

    async def unknown(self, keys: Iterable[str]) -> dict[str, Reason]:
        """The linked keys that no company has: neither the walks nor asking for them has shown one."""
        shown = {key for company in self._shown() if (key := self._key(company)) is not None}
        missing = sorted(set(keys) - shown)
        if missing:
            await self._list()
            missing = sorted(set(missing) - {key for company in self._known if (key := self._key(company)) is not None})
        if len(missing) > LOOKUPS:
            more = f"{len(missing) - LOOKUPS:,} linked companies are in no list of Intercom"
            self.notes.append(f"{more} and were not asked for one by one; they count as not linked")
        found = [key for key in missing[:LOOKUPS] if await self._exists(key)]
        return dict.fromkeys((key for key in missing if key not in found), "not_linked")

    def _shown(self) -> set[str]:
        return set(self._known) | {company for found in self._owners.values() for company in found}

    def _key(self, company: str) -> str | None:
        return company if self._holds == "id" else self._known.get(company)

    async def _companies_of(self, people: Sequence[str]) -> AsyncIterator[tuple[str, list[str]]]:
        """Each contact with Intercom's ids of its companies. Merged or deleted contacts are not shown."""
        for start in range(0, len(people), ARRAY):
            for contact in await self._search(people[start : start + ARRAY]):
                refs = contact.companies
                listed = [str(ref.id) for ref in (refs.data or ()) if ref.id is not None] if refs is not None else []
                if refs is not None and (refs.has_more or (refs.total_count or 0) > len(listed)):
                    listed = [company.id async for company in self._attached(contact.id)]
                yield contact.id, listed

    async def _search(self, people: Sequence[str]) -> list[Contact]:
        query = {"field": "id", "operator": "IN", "value": list(people)}
        body: dict[str, Any] = {"query": query, "pagination": {"per_page": ARRAY}}
        try:
            return (await self._web.post("/contacts/search", _CONTACTS, body)).data
        except Refused as refused:
            if refused.status != 400 or len(people) == 1:
                raise
        half = len(people) // 2
        return [*await self._search(people[:half]), *await self._search(people[half:])]

    async def _attached(self, contact: str) -> AsyncIterator[Company]:
        """All companies of one contact, page by page."""
        page_number, total = 1, 1
        while page_number <= total:
            page = await self._web.get(f"/contacts/{contact}/companies", _ATTACHED, {"page": str(page_number)})
            for company in page.companies or page.data or ():
                self._known[company.id] = company.company_id
                yield company
            total = (page.pages.total_pages or 1) if page.pages is not None else 1
            page_number += 1

    async def _learn(self, companies: set[str]) -> None:
        """The workspace's own ids of these companies, as far as they can be had."""
        if companies <= self._known.keys():
            return
        await self._list()
        for company in sorted(companies - self._known.keys())[:LOOKUPS]:
            if (found := await self._one(f"/companies/{company}")) is not None:
                self._known[found.id] = found.company_id

    async def _list(self) -> None:
        """Walk the list of companies, once. It leaves out companies without users, and ends at 10,000."""
        if self._listed:
            return
        self._listed = True
        number, total = 1, 1
        while number <= min(total, LIST_PAGES):
            path = f"/companies/list?page={number}&per_page={COMPANY_PAGE}"
            try:
                page = await self._web.post(path, _COMPANIES, None)
            except Refused as refused:
                if refused.status == 400 and number > 1:  # the list's own limit
                    return
                raise
            self._known.update((company.id, company.company_id) for company in page.data)
            total = (page.pages.total_pages or 1) if page.pages is not None else 1
            number += 1

    async def _exists(self, key: str) -> bool:
        if self._holds == "id":  # an id that could not be Intercom's must not become part of an address
            return bool(_ID.fullmatch(key)) and await self._one(f"/companies/{key}") is not None
        return await self._one("/companies", {"company_id": key}) is not None

    async def _one(self, path: str, params: dict[str, str] | None = None) -> Company | None:
        try:
            return await self._web.get(path, _COMPANY, params)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

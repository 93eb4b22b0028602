"""Which companies a conversation belongs to, and which linked companies Intercom knows at all."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.ids import to_18
from accountpulse.core.records import CONVERSATIONS, Reason
from accountpulse.core.spooled import SpooledTable
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.http.paging import Cursors
from accountpulse.http.refused_values import ValueQueries
from accountpulse.systems.intercom.rows import OWNERS, is_leads
from accountpulse.systems.intercom.settings import comparable_key
from accountpulse.systems.intercom.wire import (
    AttachedPage,
    Company,
    CompanyPage,
    CompanyRefs,
    Contact,
    ContactPage,
    cursor_of,
    is_cut,
)

ARRAY = 150  # ids in one search; the largest array is not documented, so a refused one is halved
AT_ONCE = 5_000  # conversations whose companies are looked at together
COMPANY_PAGE = 60  # the most that the list of companies gives
HEX = 24  # digits of Intercom's own ids
LIST_PAGES = 167  # the list itself ends at 10,000 companies
UNKNOWN_THERE = frozenset({400, 404, 410, 422})  # refusals of an id by which Intercom says that it has no such company

_ID = re.compile(r"[\w-]+", re.ASCII)
_CANONICAL = re.compile(r"</contacts/([\w-]+)>;\s*rel=\"?canonical", re.ASCII)
_CONTACTS = msgspec.json.Decoder(ContactPage)
_CONTACT = msgspec.json.Decoder(Contact)
_COMPANIES = msgspec.json.Decoder(CompanyPage)
_COMPANY = msgspec.json.Decoder(Company)
_ATTACHED = msgspec.json.Decoder(AttachedPage)
_PAIRS = {"whose": pl.String, "key": pl.String}


class Companies:
    """Gathers what a walk shows of companies, and asks for what it doesn't. `notes` are for the reader."""

    def __init__(self, web: Client, holds: Literal["id", "company_id"], seen: Mapping[str, str | None]) -> None:
        """`holds` says which id the accounts' links hold; `seen` are companies that the walk has shown."""
        self._web = web
        self._holds = holds
        self._known = dict(seen)  # Intercom's id → the workspace's own
        self._listed = False
        self._found: set[str] = set()  # contacts that can be had
        self.notes: list[str] = []

    # --- whose a conversation is

    async def attribute(
        self, waiting: SpooledTable, unclear: pl.DataFrame, known: SpooledTable, linked: Collection[str]
    ) -> pl.DataFrame:
        """Add those that wait to those that are known (CONVERSATIONS), with their keys; `unclear` with its keys.

        All companies of its contacts count for a conversation without one of its own. Those of leads are nobody's.
        """
        people, companies = _owners(chain(_few_at_once(waiting, *OWNERS), [unclear]))
        keys_of = await self._keys_of(people, companies)
        shared, ours = 0, set(map(comparable_key, linked))
        theirs = [key for key in keys_of["key"].unique() if comparable_key(key) in ours]
        for rows in _few_at_once(waiting):
            table = with_keys(rows, keys_of)
            shared += table.filter(pl.col("keys").list.set_intersection(theirs).list.len() > 1).height
            known.add(table.select(*CONVERSATIONS))
        if shared:
            self.notes.append(f"{shared:,} conversations belong to several companies and count for each of them")
        self._tell_lost(waiting, set(people) - {"", None} - self._found)
        return with_keys(unclear, keys_of)

    def _tell_lost(self, waiting: SpooledTable, lost: Collection[str]) -> None:
        """Conversations of contacts that can't be had: merged or deleted since."""
        if not lost:
            return
        rows = waiting.lazy().filter(pl.col("people").str.split(",").list.set_intersection(sorted(lost)).list.len() > 0)
        found = rows.select(pl.col("conversation_id").sort()).collect().to_series()
        if found.len():
            what = f"{found.len():,} conversations have contacts that can't be had, such as {found[0]}"
            self.notes.append(f"{what}: they count only for the companies of their other contacts, if any")

    async def _keys_of(self, people: pl.Series, companies: pl.Series) -> pl.DataFrame:
        """`whose` (a contact, or a company itself) and `key`: what links to these companies would hold."""
        pairs = await self._companies_of(people.drop_nulls().filter(people.drop_nulls() != "").sort().to_list())
        pairs += [(company, company) for company in companies.drop_nulls()]
        named = sorted({company for _, company in pairs})
        if self._holds == "company_id":
            await self._learn(named)
        keys = {company: self._key(company) for company in named}
        return pl.DataFrame([(whose, keys[company]) for whose, company in pairs], _PAIRS, orient="row").drop_nulls()

    async def unknown(self, keys: Iterable[str]) -> dict[str, Reason]:
        """Why linked keys lead to no company, for those that don't: no walk, list or question has shown one."""
        missing = self._missing(sorted(set(keys)))
        if missing:
            await self._list()
            missing = self._missing(missing)
        answers = await together(map(self._why_unknown, missing))
        return {key: why for key, why in zip(missing, answers, strict=True) if why is not None}

    def _missing(self, keys: Sequence[str]) -> list[str]:
        known = {comparable_key(key) for company in self._known if (key := self._key(company)) is not None}
        return [key for key in keys if comparable_key(key) not in known]

    def _key(self, company: str) -> str | None:
        """What a link to this company would hold; None: nothing, since it isn't known, or is a lead's."""
        own = self._known.get(company)
        if is_leads(own):
            return None
        return company if self._holds == "id" else own

    # --- contacts

    async def _companies_of(self, people: Sequence[str]) -> list[tuple[str, str]]:
        """Each contact with Intercom's id of each of its companies."""
        there = await self._contacts(people)
        companies = await together(map(self._all_of, there.values()))
        self._found |= there.keys()
        pairs = [(person, each) for person, ids in zip(there, companies, strict=True) for each in ids]
        for _, company in pairs:
            self._known.setdefault(company, None)
        return pairs

    async def _contacts(self, people: Sequence[str]) -> dict[str, Contact]:
        """The contacts that can be had, by the id that was asked for: one that was merged answers with another."""
        queries = ValueQueries(self._search, self._any_contact, frozenset({400, 422}))
        chunks = [people[start : start + ARRAY] for start in range(0, len(people), ARRAY)]
        found = await together(map(queries.answers, chunks))
        contacts = {contact.id: contact for chunk in found for part in chunk for contact in part}
        missing = [person for person in people if person not in contacts]
        alone = dict(zip(missing, await together(map(self._contact, missing)), strict=True))
        wanted = {person: contacts.get(person) or alone.get(person) for person in people}
        return {person: contact for person, contact in wanted.items() if contact is not None}

    async def _search(self, people: Sequence[str]) -> list[Contact]:
        """Those of up to ARRAY contacts that a search shows: merged, archived and quite new ones it doesn't."""
        query = {"field": "id", "operator": "IN", "value": list(people)}
        body: dict[str, Any] = {"query": query, "pagination": {"per_page": ARRAY}}
        found, cursors = [], Cursors()
        while True:
            page = await self._web.post("/contacts/search", _CONTACTS, body)
            found += page.data
            cursor = cursor_of(page.pages)
            if cursor is None or len({contact.id for contact in found}) >= len(people):
                return found
            if not cursors.lead_on(cursor, len(page.data)):
                raise UnexpectedAnswer("intercom", "paging through contacts", "the same cursor came twice")
            body["pagination"] = {"per_page": ARRAY, "starting_after": cursor}

    async def _any_contact(self) -> object:
        """The same search without ids: what refuses it refuses us."""
        return await any_contact(self._web)

    async def _contact(self, person: str) -> Contact | None:
        """A contact that the search didn't show, asked for by itself; one that was merged is the one that it became."""
        if not _ID.fullmatch(person):
            return None
        try:
            return await self._web.get(f"/contacts/{person}", _CONTACT)
        except RequestRefused as refused:
            became = _CANONICAL.search(refused.headers.get("Link", ""))
        if became is None:
            self._web.lost("contacts", person)
            return None
        return await self._web.object("contacts", person, f"/contacts/{became[1]}", _CONTACT)

    async def _all_of(self, contact: Contact) -> list[str]:
        """Intercom's ids of a contact's companies, also where its list is cut."""
        refs = contact.companies or CompanyRefs(has_more=True)
        listed = [str(ref.id) for ref in (refs.data or ()) if ref.id is not None]
        if refs.data is not None and len(listed) == len(refs.data) and not is_cut(listed, refs):
            return listed
        found = await self._attached(contact.id, refs.total_count or 0)
        if found is None:
            return listed
        self._known.update((company.id, company.own) for company in found)
        return list(dict.fromkeys([*listed, *(company.id for company in found)]))

    async def _attached(self, contact: str, counted: int) -> list[Company] | None:
        """All companies of a contact, which itself has counted so many; None: they can't be had.

        Fewer than were counted, twice, are refused.
        """
        lacking = 0
        for _ in range(2):
            found, total = await self._attached_pages(contact)
            lacking = max(counted, total) - len(found or ())
            if found is None or lacking <= 0:
                return found
        answer = f"twice {lacking:,} fewer came than were counted"
        raise UnexpectedAnswer("intercom", "paging through a contact's companies", answer)

    async def _attached_pages(self, contact: str) -> tuple[list[Company] | None, int]:
        """What the pages show, and how many the answers count."""
        number, pages, counted = 1, 1, 0
        found: dict[str, Company] = {}
        while number <= min(pages, LIST_PAGES):
            path, params = f"/contacts/{contact}/companies", {"page": str(number)}
            page = await self._web.object("contacts", contact, path, _ATTACHED, params)
            if page is None:
                return None, 0
            companies = page.data if page.companies is None else page.companies
            if companies is None:
                raise UnexpectedAnswer("intercom", "paging through a contact's companies", "no list of companies")
            found.update((company.id, company) for company in companies)
            pages = (page.pages.total_pages or 1) if page.pages is not None else 1
            counted = max(counted, page.total_count or 0)
            number += 1
        return list(found.values()), counted

    # --- companies

    async def _learn(self, companies: Sequence[str]) -> None:
        """The workspace's own ids of these companies, as far as they can be had."""
        if all(self._known.get(company) is not None for company in companies):
            return
        await self._list()
        rest = [company for company in companies if self._known.get(company) is None and _ID.fullmatch(company)]
        for found in await together(map(self._company, rest)):
            if found is not None:
                self._known[found.id] = found.own

    async def _company(self, company: str) -> Company | None:
        return await self._web.object("companies", company, f"/companies/{company}", _COMPANY)

    async def _list(self) -> None:
        """Read the list of companies, once. It leaves out companies without users, and ends at 10,000.

        What it doesn't show is asked for one by one, so that a short list costs requests and no account.
        """
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
        self._known.update((company.id, company.own) for company in page.data)
        return (page.pages.total_pages or 1) if page.pages is not None else 1

    async def _why_unknown(self, key: str) -> Reason | None:
        """Why a key leads to no company, asked for by itself; None: it leads to one.

        An answer that is another company (merged, or a lead's) is none: conversations would never name this key.
        """
        why: Reason = "not_linked"
        for path, params in self._ways(key):
            try:
                company = await self._web.get(path, _COMPANY, params)
            except RequestRefused as refused:
                why = "not_linked" if refused.status in UNKNOWN_THERE else "not_visible"
                continue
            self._known[company.id] = company.own
            found = self._key(company.id)
            if found is not None and comparable_key(found) == comparable_key(key):
                return None
        if why == "not_visible":
            self._web.lost("companies", key.strip())
        return why

    def _ways(self, key: str) -> Iterator[tuple[str, dict[str, str] | None]]:
        """How to ask for the company of a key; a record id has two spellings."""
        own = key.strip()
        if self._holds == "id":
            if _ID.fullmatch(own):  # an id that could not be Intercom's must not become part of an address
                yield f"/companies/{comparable_key(own) if len(own) == HEX else own}", None
            return
        for spelling in dict.fromkeys((own, to_18(own), own[:15] if to_18(own[:15]) == own else own)):
            yield "/companies", {"company_id": spelling}


async def any_contact(web: Client) -> object:
    """One contact, whoever it is: whether our token may search contacts."""
    query = {"field": "created_at", "operator": ">", "value": 0}
    return await web.post("/contacts/search", _CONTACTS, {"query": query, "pagination": {"per_page": 1}})


def _few_at_once(waiting: SpooledTable, *columns: str) -> Iterator[pl.DataFrame]:
    """Its rows, so few at once that what is made of them takes little memory."""
    return chain.from_iterable(piece.iter_slices(AT_ONCE) for piece in waiting.pieces(*columns))


def _owners(tables: Iterable[pl.DataFrame]) -> tuple[pl.Series, pl.Series]:
    """The contacts of conversations, and the companies of those without keys: each once, in no order, also null."""
    people, companies = pl.Series(dtype=pl.String), pl.Series(dtype=pl.String)
    for table in tables:
        people = pl.concat([people, table["people"].str.split(",").explode().unique()]).unique()
        companies = pl.concat([companies, table.filter(pl.col("keys").is_null())["company"].unique()]).unique()
    return people, companies


def with_keys(waiting: pl.DataFrame, keys_of: pl.DataFrame) -> pl.DataFrame:
    """Rows with the keys of their own company, else of their people, sorted; `keys_of` has `whose` and `key`."""
    own = pl.col("company").is_not_null()
    whose = pl.when(own).then(pl.concat_list("company")).otherwise(pl.col("people").str.split(","))
    asked = waiting.filter(pl.col("keys").is_null()).select("conversation_id", whose=whose).explode("whose")
    found = asked.join(keys_of, on="whose").group_by("conversation_id").agg(found=pl.col("key").unique().sort())
    whole = waiting.join(found, on="conversation_id", how="left", maintain_order="left")
    keys = pl.coalesce("keys", "found").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    return whole.with_columns(keys=keys).drop("found")

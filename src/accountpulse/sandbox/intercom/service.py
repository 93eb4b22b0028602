"""Intercom's REST API, 2.11 to 2.16, for reading conversations, contacts and companies.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io
"""

import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox.intercom import shapes
from accountpulse.sandbox.intercom.errors import BadRequest, error
from accountpulse.sandbox.intercom.index import EncodedConversations, Index, Positions
from accountpulse.sandbox.intercom.lists import Lists, by_cursor
from accountpulse.sandbox.intercom.oddities import IntercomOddities
from accountpulse.sandbox.intercom.search import CONTACT_FIELDS, Matcher, SearchError
from accountpulse.sandbox.world.model import Conversation, Intercom, SupportContact

VERSIONS = ("2.11", "2.12", "2.13", "2.14", "2.15", "2.16")
OWN_VERSION = VERSIONS[-1]  # set in the app's package
WALKS = 200  # searches whose pages are still there
MOST = 150  # of a search page
MOST_COMPANIES = 60  # of a page of the list
CONTACT_COMPANIES = 20  # of a page of one contact's companies
LIST_ENDS = 10_000
T = TypeVar("T")
Endpoint = Callable[[Request, str], Awaitable[Response]]


@dataclass
class IntercomService:
    """The workspace behind its routes. A walk keeps what it found, so that a page is a slice."""

    workspace: Intercom
    oddities: IntercomOddities
    walks: dict[str, Positions] = field(default_factory=dict)
    encoded: dict[str, EncodedConversations] = field(default_factory=dict)
    moved: list[int] = field(default_factory=list)
    by_id: dict[str, Conversation] = field(init=False)

    def __post_init__(self) -> None:
        """Index the conversations."""
        self.by_id = {conversation.id: conversation for conversation in self.workspace.conversations}

    @cached_property
    def index(self) -> Index:
        """Made at the first search: what changes in the world after it is not found."""
        return Index(self.workspace.conversations, inclusive=self.oddities.inclusive)

    def prepare(self, version: str) -> None:
        """Write every conversation now, so that the first walk is as quick as the next."""
        self._encoded_for(version).joined(range(len(self.index.conversations)))

    # --- paths

    def routes(self) -> list[Route]:
        """Everything under /intercom; each call needs the token, and an unknown path is an error.

        A call that names no version is answered in the app's own.
        """
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/conversations", self.conversations),
            *Lists(self.workspace).paths(),
            ("POST", "/conversations/search", self.search_conversations),
            ("GET", "/conversations/{id}", self.conversation),
            ("POST", "/contacts/search", self.search_contacts),
            ("GET", "/contacts/{id}", self.contact),
            ("GET", "/contacts/{id}/companies", self.contact_companies),
            ("POST", "/companies/list", self.companies),
            ("GET", "/companies/{id}", self.company),
            ("GET", "/companies", self.company_by_own_id),
        ]
        found = [
            Route(f"/intercom{path}", self._guarded(endpoint), methods=[method]) for method, path, endpoint in table
        ]
        rest = Route(
            "/intercom/{path:path}", self._guarded(_unknown), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]
        )
        return [*found, rest]

    def _guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.workspace.token}":
                return error(401, "token_unauthorized", "Access Token Invalid")
            version = request.headers.get("intercom-version", OWN_VERSION)
            if version not in VERSIONS:
                return error(400, "intercom_version_invalid", "The requested version is not supported")
            try:
                return await endpoint(request, version)
            except (SearchError, BadRequest) as refused:
                return error(400, "parameter_invalid", str(refused))

        return checked

    # --- conversations

    async def search_conversations(self, request: Request, version: str) -> Response:
        """One page of a search for conversations."""
        body = json.loads(await request.body())
        paging = body.get("pagination") or {}
        found = self._found(body.get("query"), body.get("sort"), begins=paging.get("starting_after") is None)
        total, pages, page = _page(found, paging, self.oddities)
        head = f'{{"type":"conversation.list","pages":{json.dumps(pages)},"total_count":{total},"conversations":['
        text = head.encode() + self._encoded_for(version).joined(page) + b"]}"
        return Response(text, media_type="application/json")

    def _found(self, query: Any, sort: dict[str, Any] | None, *, begins: bool) -> Positions:
        """What a walk goes through: as it was found when the walk began, but for what has moved since."""
        key = json.dumps([query, sort])
        if not begins and key not in self.walks and self.oddities.forgetful:
            raise BadRequest("the cursor is invalid or has expired")
        if begins or key not in self.walks:
            found = self._moved_last(self.index.sorted(self.index.find(query), sort))
            if self.oddities.order == "none":
                found = Random(key).sample(found, len(found))
            self.walks.pop(key, None)
            self.walks[key] = found
            if len(self.walks) > WALKS:
                del self.walks[next(iter(self.walks))]
        elif self.oddities.moves > 0:
            self.oddities.moves -= 1
            self.moved.append(self.walks[key][0])
            self.walks[key] = self._moved_last(self.walks[key])
        return self.walks[key]

    def _moved_last(self, found: Positions) -> Positions:
        """What has jumped to the end of the list stays there."""
        if not self.moved:
            return found
        moved = [place for place in self.moved if place in found]
        return [place for place in found if place not in moved] + moved

    def _encoded_for(self, version: str) -> EncodedConversations:
        if version not in self.encoded:
            self.encoded[version] = EncodedConversations(
                self.workspace, self.index.conversations, version, iso=self.oddities.iso_times
            )
        return self.encoded[version]

    async def conversations(self, request: Request, version: str) -> Response:
        """One page of all conversations, newest first."""
        newest = range(len(self.index.conversations))[::-1]
        total, pages, page = by_cursor(newest, request, usual=20)
        head = f'{{"type":"conversation.list","pages":{json.dumps(pages)},"total_count":{total},"conversations":['
        return Response(head.encode() + self._encoded_for(version).joined(page) + b"]}", media_type="application/json")

    async def conversation(self, request: Request, version: str) -> Response:
        """One conversation, with whole lists."""
        conversation = self.by_id.get(request.path_params["id"])
        if conversation is None:
            return error(404, "not_found", "Resource Not Found")
        return JSONResponse(shapes.conversation_json(self.workspace, conversation, version, whole=True))

    async def search_contacts(self, request: Request, _version: str) -> Response:
        """One page of a search for contacts."""
        body = json.loads(await request.body())
        matcher = Matcher(body.get("query"), CONTACT_FIELDS, longest_array=self.oddities.longest_array)
        people = _sorted([person for person in self._candidates(body["query"]) if matcher.test(person)], body)
        found, pages, page = _page(people, body.get("pagination") or {}, IntercomOddities())
        data = [shapes.contact_json(person) for person in page]
        return JSONResponse({"type": "list", "data": data, "total_count": found, "pages": pages})

    def _candidates(self, query: dict[str, Any]) -> Iterable[SupportContact]:
        """Whom a query can mean: the named ones, where it names ids."""
        if query.get("field") == "id" and query.get("operator") == "IN":
            contacts = self.workspace.contacts
            return [contacts[name] for name in dict.fromkeys(map(str, query["value"])) if name in contacts]
        return self.workspace.contacts.values()

    async def contact(self, request: Request, _version: str) -> Response:
        """One contact."""
        person = self.workspace.contacts.get(request.path_params["id"])
        return (
            error(404, "not_found", "User Not Found") if person is None else JSONResponse(shapes.contact_json(person))
        )

    async def contact_companies(self, request: Request, _version: str) -> Response:
        """One page of a contact's companies."""
        person = self.workspace.contacts.get(request.path_params["id"])
        if person is None:
            return error(404, "not_found", "User Not Found")
        number, total, chosen = _numbered(request, person.company_ids, CONTACT_COMPANIES)
        data = [shapes.company_json(self.workspace.companies[each]) for each in chosen]
        pages = _links(request, number, CONTACT_COMPANIES, total)
        shown = {"type": "list", "total_count": len(person.company_ids), "pages": pages}
        return JSONResponse({**shown, "companies": data, "data": data})  # its schema says one, its example the other

    async def companies(self, request: Request, _version: str) -> Response:
        """One page of the list of companies; those without users are left out."""
        listed = [company for company in self.workspace.companies.values() if company.contact_ids]
        size = min(int(request.query_params.get("per_page", 15)), MOST_COMPANIES)
        number, total, chosen = _numbered(request, listed, size)
        if number * size > LIST_ENDS:
            raise BadRequest("page limit reached, please use scroll API")
        data = [shapes.company_json(company) for company in chosen]
        pages = {"type": "pages", "page": number, "per_page": size, "total_pages": total, "next": None}
        return JSONResponse({"type": "list", "data": data, "total_count": len(listed), "pages": pages})

    async def company(self, request: Request, _version: str) -> Response:
        """One company, by Intercom's id."""
        found = self.workspace.companies.get(request.path_params["id"])
        return _unknown_company() if found is None else JSONResponse(shapes.company_json(found))

    async def company_by_own_id(self, request: Request, version: str) -> Response:
        """One company, by the id that the workspace's own system gave it, or by its name; without either: the list."""
        own, name = (request.query_params.get(each) for each in ("company_id", "name"))
        if own is None and name is None:
            return await self.companies(request, version)
        for company in self.workspace.companies.values():
            if company.company_id == own or (own is None and company.name == name):
                return JSONResponse(shapes.company_json(company))
        return _unknown_company()


async def _unknown(_request: Request, _version: str) -> Response:
    return error(404, "not_found", "The requested resource does not exist")


def _page(
    found: Sequence[T], paging: dict[str, Any], oddities: IntercomOddities
) -> tuple[int, dict[str, Any], Sequence[T]]:
    """How many there are, the paging part, and the slice that a cursor asks for."""
    size = int(paging.get("per_page") or 20)
    if not 1 <= size <= MOST:
        raise BadRequest(f"per_page must be between 1 and {MOST}")
    size = min(size, oddities.page_cap)
    start = _start(paging.get("starting_after"))
    total = max(1, -(-len(found) // size))
    pages: dict[str, Any] = {"type": "pages", "page": start // size + 1, "per_page": size, "total_pages": total}
    if start + size < len(found) or (oddities.next_after_last and start < len(found)):
        following = start + size
        if oddities.repeats > 0 and start > 0:
            oddities.repeats -= 1
            following = start
        cursor = base64.b64encode(f"from:{following}".encode()).decode()
        pages["next"] = {"page": following // size + 1, "starting_after": cursor}
    return len(found), pages, found[start : start + size]


def _sorted(people: list[SupportContact], body: dict[str, Any]) -> list[SupportContact]:
    """In the order that a search asks for; as they came where it asks for none."""
    sort = body.get("sort") or {}
    read = CONTACT_FIELDS.get(str(sort.get("field")))
    return people if read is None else sorted(people, key=read, reverse=sort.get("order") == "descending")


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        mark, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if mark == "from":
            return int(number)
    except ValueError:
        pass
    raise BadRequest("Invalid starting_after param")


def _numbered(request: Request, found: Sequence[Any], size: int) -> tuple[int, int, Sequence[Any]]:
    number = int(request.query_params.get("page", 1))
    return number, max(1, -(-len(found) // size)), found[(number - 1) * size : number * size]


def _links(request: Request, number: int, size: int, total: int) -> dict[str, Any]:
    """The paging part of a list whose pages have numbers; `next` is an address."""
    following = str(request.url.include_query_params(page=number + 1)) if number < total else None
    return {"type": "pages", "page": number, "per_page": size, "total_pages": total, "next": following}


def _unknown_company() -> Response:
    return error(404, "company_not_found", "Company Not Found")

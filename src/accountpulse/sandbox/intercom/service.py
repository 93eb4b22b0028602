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
from accountpulse.sandbox.intercom.index import EncodedConversations, Index, Positions
from accountpulse.sandbox.intercom.oddities import IntercomOddities
from accountpulse.sandbox.intercom.search import CONTACT_FIELDS, Matcher, SearchError
from accountpulse.sandbox.world.model import Conversation, Intercom, SupportContact

VERSIONS = ("2.11", "2.12", "2.13", "2.14", "2.15", "2.16")
WALKS = 200  # searches whose pages are still there
MOST = 150  # of a search page
MOST_COMPANIES = 60  # of a page of the list
CONTACT_COMPANIES = 20  # of a page of one contact's companies
LIST_ENDS = 10_000
T = TypeVar("T")
Endpoint = Callable[[Request, str], Awaitable[Response]]


class BadRequest(Exception):
    """Something to answer with 400."""


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
        """Everything under /intercom; each call needs the token and a version, and an unknown path is an error."""
        table: list[tuple[str, str, Endpoint]] = [
            ("POST", "/conversations/search", self.search_conversations),
            ("GET", "/conversations/{id}", self.conversation),
            ("POST", "/contacts/search", self.search_contacts),
            ("GET", "/contacts/{id}", self.contact),
            ("GET", "/contacts/{id}/companies", self.contact_companies),
            ("POST", "/companies/list", self.companies),
            ("GET", "/companies/{id}", self.company),
            ("GET", "/companies", self.company_by_own_id),
            ("GET", "/me", self.me),
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
                return _error(401, "token_unauthorized", "Access Token Invalid")
            version = request.headers.get("intercom-version", "")
            if version not in VERSIONS:
                return _error(400, "intercom_version_invalid", "The requested version is not supported")
            try:
                return await endpoint(request, version)
            except (SearchError, BadRequest) as error:
                return _error(400, "parameter_invalid", str(error))

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

    async def conversation(self, request: Request, version: str) -> Response:
        """One conversation, with whole lists."""
        conversation = self.by_id.get(request.path_params["id"])
        if conversation is None:
            return _error(404, "not_found", "Resource Not Found")
        return JSONResponse(shapes.conversation_json(self.workspace, conversation, version, whole=True))

    async def search_contacts(self, request: Request, _version: str) -> Response:
        """One page of a search for contacts."""
        body = json.loads(await request.body())
        matcher = Matcher(body.get("query"), CONTACT_FIELDS, longest_array=self.oddities.longest_array)
        people = [person for person in self._candidates(body["query"]) if matcher.test(person)]
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
            _error(404, "not_found", "User Not Found") if person is None else JSONResponse(shapes.contact_json(person))
        )

    async def contact_companies(self, request: Request, _version: str) -> Response:
        """One page of a contact's companies."""
        person = self.workspace.contacts.get(request.path_params["id"])
        if person is None:
            return _error(404, "not_found", "User Not Found")
        number, total, chosen = _numbered(request, person.company_ids, CONTACT_COMPANIES)
        data = [shapes.company_json(self.workspace.companies[each]) for each in chosen]
        pages = {"type": "pages", "page": number, "per_page": CONTACT_COMPANIES, "total_pages": total, "next": None}
        return JSONResponse({"type": "list", "companies": data, "total_count": len(person.company_ids), "pages": pages})

    async def companies(self, request: Request, _version: str) -> Response:
        """One page of the list of companies; those without users are left out."""
        listed = [company for company in self.workspace.companies.values() if company.contact_ids]
        size = min(int(request.query_params.get("per_page", 15)), MOST_COMPANIES)
        number, total, chosen = _numbered(request, listed, size)
        if number * size > LIST_ENDS:
            raise BadRequest("page limit reached, please use scroll API")
        pages = {"type": "pages", "page": number, "per_page": size, "total_pages": total, "next": None}
        data = [shapes.company_json(company) for company in chosen]
        return JSONResponse({"type": "list", "data": data, "total_count": len(listed), "pages": pages})

    async def company(self, request: Request, _version: str) -> Response:
        """One company, by Intercom's id."""
        found = self.workspace.companies.get(request.path_params["id"])
        return _unknown_company() if found is None else JSONResponse(shapes.company_json(found))

    async def company_by_own_id(self, request: Request, _version: str) -> Response:
        """One company, by the id that the workspace's own system gave it."""
        own = request.query_params.get("company_id")
        for company in self.workspace.companies.values():
            if company.company_id == own:
                return JSONResponse(shapes.company_json(company))
        return _unknown_company()

    async def me(self, _request: Request, _version: str) -> Response:
        """Who the token belongs to."""
        return JSONResponse({"type": "admin", "id": "991", "app": {"type": "app", "id_code": shapes.APP}})


async def _unknown(_request: Request, _version: str) -> Response:
    return _error(404, "not_found", "The requested resource does not exist")


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


def _error(status: int, code: str, message: str) -> Response:
    body = {"type": "error.list", "request_id": "sandbox", "errors": [{"code": code, "message": message}]}
    return JSONResponse(body, status)


def _unknown_company() -> Response:
    return _error(404, "company_not_found", "Company Not Found")

"""What a workspace has besides its conversations' search: plain lists of its objects, and its people and marks.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io
"""

import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accountpulse.sandbox.intercom import shapes
from accountpulse.sandbox.intercom.errors import BadRequest, error
from accountpulse.sandbox.world.intercom import ESCALATIONS_TEAM
from accountpulse.sandbox.world.model import Intercom, SupportContact

ADMIN = "991"  # the one teammate: whose token it is, and who closes
SCROLL_PAGE = 100  # companies
SCROLL_LIVES = 60  # seconds without a request
MOST = 150  # of a page by cursor
USUAL = 50  # of a page of contacts
T = TypeVar("T")
Endpoint = Callable[[Request, str], Awaitable[Response]]


@dataclass
class Scroll:
    """The one walk through all companies that a workspace may have open."""

    token: str
    place: int
    used: float


@dataclass
class Lists:
    """The lists of one workspace behind their paths."""

    workspace: Intercom
    scrolls: int = 0
    open: Scroll | None = field(default=None)

    def paths(self) -> list[tuple[str, str, Endpoint]]:
        """Method, path and handler of each list."""
        return [
            ("GET", "/me", self.me),
            ("GET", "/admins", self.admins),
            ("GET", "/admins/{id}", self.admin),
            ("GET", "/teams", self.teams),
            ("GET", "/teams/{id}", self.team),
            ("GET", "/tags", self.tags),
            ("GET", "/tags/{id}", self.tag),
            ("GET", "/segments", self.segments),
            ("GET", "/data_attributes", self.attributes),
            ("GET", "/contacts", self.contacts),
            ("GET", "/contacts/find_by_external_id/{id}", self.contact_by_own_id),
            ("GET", "/contacts/{id}/tags", self.contact_tags),
            ("GET", "/companies/scroll", self.scroll),
            ("GET", "/companies/{id}/contacts", self.company_contacts),
        ]

    # --- people

    async def me(self, _request: Request, _version: str) -> Response:
        """Who the token belongs to, and to which workspace."""
        app = {"type": "app", "id_code": shapes.APP, "name": "Sandbox", "created_at": 1_600_000_000, "secure": False}
        app |= {"identity_verification": False, "timezone": "UTC", "region": "US"}
        avatar = {"type": "avatar", "image_url": "https://sandbox.example/991.png"}
        return JSONResponse({**_admin(), "email_verified": True, "app": app, "avatar": avatar})

    async def admins(self, _request: Request, _version: str) -> Response:
        """All teammates."""
        return JSONResponse({"type": "admin.list", "admins": [_admin()]})

    async def admin(self, request: Request, _version: str) -> Response:
        """One teammate."""
        known = request.path_params["id"] == ADMIN
        return JSONResponse(_admin()) if known else error(404, "admin_not_found", "Admin for admin_id not found")

    async def teams(self, _request: Request, _version: str) -> Response:
        """All teams."""
        return JSONResponse({"type": "team.list", "teams": [_team()]})

    async def team(self, request: Request, _version: str) -> Response:
        """One team."""
        known = request.path_params["id"] == str(ESCALATIONS_TEAM)
        return JSONResponse(_team()) if known else error(404, "team_not_found", "Team for team_id not found")

    # --- marks

    async def tags(self, _request: Request, _version: str) -> Response:
        """All tags that something carries."""
        return JSONResponse({"type": "list", "data": list(self._tags().values())})

    async def tag(self, request: Request, _version: str) -> Response:
        """One tag."""
        found = self._tags().get(request.path_params["id"])
        return error(404, "tag_not_found", "Resource Not Found") if found is None else JSONResponse(found)

    def _tags(self) -> dict[str, dict[str, Any]]:
        names = sorted({name for each in self.workspace.conversations for name in each.tags})
        return {shown["id"]: shown for shown in map(shapes.tag, names)}

    async def contact_tags(self, request: Request, _version: str) -> Response:
        """The tags of one contact: the sandbox tags conversations alone."""
        known = request.path_params["id"] in self.workspace.contacts
        shown = {"type": "list", "data": []}
        return JSONResponse(shown) if known else error(404, "not_found", "User Not Found")

    async def segments(self, _request: Request, _version: str) -> Response:
        """All segments: there are none."""
        return JSONResponse({"type": "segment.list", "segments": []})

    async def attributes(self, request: Request, _version: str) -> Response:
        """The attributes of companies or contacts (`model`), custom ones with an id."""
        asked = request.query_params.get("model")
        models = {"company": self.workspace.companies.values(), "contact": ()}
        if asked is not None and asked not in (*models, "conversation"):
            raise BadRequest("model must be one of company, contact, conversation")
        names = {
            (model, name)
            for model, objects in models.items()
            for each in objects
            for name in each.custom_attributes
            if asked in (None, model)
        }
        own = [_attribute(model, "name", None) for model in models if asked in (None, model)]
        listed = own + [_attribute(model, name, number) for number, (model, name) in enumerate(sorted(names), 1)]
        return JSONResponse({"type": "list", "data": listed})

    # --- contacts

    async def contacts(self, request: Request, _version: str) -> Response:
        """One page of all contacts."""
        people = list(self.workspace.contacts.values())
        return JSONResponse(_listed(people, request, shapes.contact_json))

    async def contact_by_own_id(self, request: Request, _version: str) -> Response:
        """One contact, by the id that the workspace's own system gave it."""
        own = request.path_params["id"]
        found = next((each for each in self.workspace.contacts.values() if each.external_id == own), None)
        return error(404, "not_found", "User Not Found") if found is None else JSONResponse(shapes.contact_json(found))

    async def company_contacts(self, request: Request, _version: str) -> Response:
        """The contacts of one company."""
        company = self.workspace.companies.get(request.path_params["id"])
        if company is None:
            return error(404, "company_not_found", "Company Not Found")
        people: list[SupportContact] = [self.workspace.contacts[each] for each in company.contact_ids]
        return JSONResponse(_listed(people, request, shapes.contact_json))

    # --- companies

    async def scroll(self, request: Request, _version: str) -> Response:
        """The next companies of a scroll; after its end comes one empty page, and then it isn't found any more."""
        given, now = request.query_params.get("scroll_param"), time.monotonic()
        if self.open is not None and now - self.open.used > SCROLL_LIVES:
            self.open = None
        if given is None:
            if self.open is not None:
                return error(400, "scroll_exists", "scroll already exists for this workspace")
            self.scrolls += 1
            self.open = Scroll(f"scroll-{self.scrolls}", 0, now)
        elif self.open is None or self.open.token != given:
            return error(404, "not_found", "scroll parameter not found")
        begin, token = self.open.place, self.open.token
        shown = [shapes.company_json(each) for each in self.workspace.companies.values()][begin : begin + SCROLL_PAGE]
        self.open = Scroll(token, begin + SCROLL_PAGE, now) if shown else None
        return JSONResponse({"type": "list", "data": shown, "pages": None, "total_count": None, "scroll_param": token})


def _listed(found: Sequence[T], request: Request, shown: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    total, pages, page = by_cursor(found, request)
    return {"type": "list", "data": [shown(each) for each in page], "total_count": total, "pages": pages}


def by_cursor(found: Sequence[T], request: Request, usual: int = USUAL) -> tuple[int, dict[str, Any], Sequence[T]]:
    """How many there are, the paging part, and the page that `per_page` and `starting_after` ask for."""
    try:
        size = int(request.query_params.get("per_page") or usual)
        cursor = request.query_params.get("starting_after")
        start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("after:")) if cursor else 0
    except ValueError:
        raise BadRequest("per_page or starting_after is not valid") from None
    if not 1 <= size <= MOST:
        raise BadRequest(f"per_page must be between 1 and {MOST}")
    end = start + size
    pages: dict[str, Any] = {"type": "pages", "page": start // size + 1, "per_page": size}
    pages["total_pages"] = -(-len(found) // size)
    if end < len(found):
        pages["next"] = {"per_page": size, "starting_after": base64.b64encode(f"after:{end}".encode()).decode()}
    return len(found), pages, found[start:end]


def _admin() -> dict[str, Any]:
    shown = {"type": "admin", "id": ADMIN, "name": "Somebody", "email": "somebody@sandbox.example", "job_title": "Help"}
    away = {"away_mode_enabled": False, "away_mode_reassign": False}
    return {**shown, **away, "has_inbox_seat": True, "team_ids": [ESCALATIONS_TEAM]}


def _team() -> dict[str, Any]:
    return {"type": "team", "id": str(ESCALATIONS_TEAM), "name": "Escalations", "admin_ids": [int(ADMIN)]}


def _attribute(model: str, name: str, number: int | None) -> dict[str, Any]:
    """An attribute: a custom one where it has a number."""
    custom = number is not None
    shown: dict[str, Any] = {"type": "data_attribute", "model": model, "name": name, "label": name}
    shown |= {"full_name": f"custom_attributes.{name}" if custom else name, "description": "", "data_type": "string"}
    shown |= {"api_writable": True, "messenger_writable": False, "ui_writable": True, "archived": False}
    shown["custom"] = custom
    return {**shown, "id": number, "admin_id": ADMIN} if custom else shown

"""Looker's API 4.0: signing in, models and explores, queries and one saved Look, over the world's usage.

https://cloud.google.com/looker/docs/reference/looker-api/latest
"""

import itertools
import json
import re
import zoneinfo
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from accountpulse.sandbox.looker import catalogue
from accountpulse.sandbox.looker.behaviour import LookerBehaviour
from accountpulse.sandbox.looker.data import BadFilter, explores, look_rows, select
from accountpulse.sandbox.looker.formats import FORMATS
from accountpulse.sandbox.looker.metadata import described
from accountpulse.sandbox.looker.names import Names
from accountpulse.sandbox.world.model import Looker

ROOT = "/api/4.0"
DEFAULT_LIMIT = 500  # what an answer is cut at, without a word, where the query names none
LOOK_LIMIT = 500  # the saved Look's own
HOUR = 3600
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class LookerService:
    """The instance behind its routes: tokens with the calls that each had, and saved queries."""

    instance: Looker
    behaviour: LookerBehaviour
    tokens: dict[str, int] = field(default_factory=dict)
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    signed_in: int = 0

    @cached_property
    def names(self) -> Names:
        """What its explores and fields are called."""
        return Names(self.instance)

    # --- paths

    def routes(self) -> list[Route]:
        """Everything under /api/4.0; each call but signing in needs a token, and an unknown path is an error."""
        model = f"{ROOT}/lookml_models/{{model}}"
        guarded = self._guarded
        return [
            Route(f"{ROOT}/login", self.login, methods=["POST"]),
            Route("/api/logout", guarded(self.logout), methods=["DELETE"]),
            Route(f"{ROOT}/logout", guarded(self.logout), methods=["DELETE"]),
            Route(model, guarded(self.model), methods=["GET"]),
            Route(f"{model}/explores/{{explore}}", guarded(self.explore), methods=["GET"]),
            Route(f"{ROOT}/user", guarded(self.user), methods=["GET"]),
            Route(f"{ROOT}/versions", self.versions, methods=["GET"]),
            Route(f"{ROOT}/lookml_models", guarded(self.models), methods=["GET"]),
            Route(f"{ROOT}/queries", guarded(self.create), methods=["POST"]),
            Route(f"{ROOT}/queries/run/{{format}}", guarded(self.run_inline), methods=["POST"]),
            Route(f"{ROOT}/queries/slug/{{slug}}", guarded(self.query_by_slug), methods=["GET"]),
            Route(f"{ROOT}/queries/{{query}}", guarded(self.query), methods=["GET"]),
            Route(f"{ROOT}/queries/{{query}}/run/{{format}}", guarded(self.run), methods=["GET"]),
            Route(f"{ROOT}/looks", guarded(self.looks), methods=["GET"]),
            Route(f"{ROOT}/looks/search", guarded(self.search_looks), methods=["GET"]),
            Route(f"{ROOT}/looks/{{look}}", guarded(self.look), methods=["GET"]),
            Route(f"{ROOT}/looks/{{look}}/run/{{format}}", guarded(self.run_look), methods=["GET"]),
            Route("/api/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            if not self.admits(request):
                return refused(request, 401, "Requires authentication.")
            return await endpoint(request)

        return checked

    # --- signing in

    async def login(self, request: Request) -> Response:
        """Form with client id and secret → a token for an hour."""
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != (self.instance.client_id, self.instance.client_secret):
            return refused(request, 404, "Not found")
        self.signed_in += 1
        token = f"looker-token-{self.signed_in}"
        self.tokens[token] = 0
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": HOUR})

    async def logout(self, request: Request) -> Response:
        """Forget the token."""
        self.tokens.pop(_token(request), None)
        return Response(status_code=204)

    def admits(self, request: Request) -> bool:
        """Whether the request has a token that is still good."""
        token = _token(request)
        if token not in self.tokens:
            return False
        self.tokens[token] += 1
        most = self.behaviour.calls_per_token
        if most is not None and self.tokens[token] > most:
            del self.tokens[token]
            return False
        return True

    # --- the instance itself

    async def user(self, _request: Request) -> Response:
        """Whose key it is."""
        return JSONResponse(catalogue.user())

    async def versions(self, request: Request) -> Response:
        """The release and its API; strangers may ask."""
        return JSONResponse(catalogue.versions(_base(request)))

    # --- models and explores

    async def models(self, _request: Request) -> Response:
        """Every model: there is one."""
        return JSONResponse(self.names.outward([catalogue.model(self.instance, self._open())]))

    async def model(self, request: Request) -> Response:
        """Name the explores of the model."""
        if request.path_params["model"] != self.instance.model:
            return refused(request, 404, "Not found")
        return JSONResponse(self.names.outward(catalogue.model(self.instance, self._open())))

    async def explore(self, request: Request) -> Response:
        """Name the fields of an explore."""
        name = self.names.inward(request.path_params["explore"])
        if name not in self._open() or request.path_params["model"] != self.instance.model:
            return refused(request, 404, "Not found")
        about = catalogue.about_explore(self.instance, name)
        return JSONResponse(self.names.outward({**about, **described(self.instance, name)}))

    def _open(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        return {name: each for name, each in explores(self.instance).items() if name not in self.behaviour.closed}

    # --- queries

    async def create(self, request: Request) -> Response:
        """Save a query, or find the equal one. Its model and explore are looked at; its fields only when it runs."""
        body = json.loads(await request.body())
        if body.get("model") != self.instance.model or self.names.inward(body.get("view")) not in self._open():
            return refused(request, 404, "Not found")
        equal = next((number for number, query in self.queries.items() if query == body), None)
        number = equal or str(len(self.queries) + 1)
        self.queries[number] = body
        return JSONResponse(catalogue.query(number, body, _base(request)))

    async def query(self, request: Request) -> Response:
        """A saved query as it was asked."""
        number = request.path_params["query"]
        if number not in self.queries:
            return refused(request, 404, "Not found")
        return JSONResponse(catalogue.query(number, self.queries[number], _base(request)))

    async def query_by_slug(self, request: Request) -> Response:
        """The same by its short name."""
        for number, asked in self.queries.items():
            if catalogue.slug_of(asked) == request.path_params["slug"]:
                return JSONResponse(catalogue.query(number, asked, _base(request)))
        return refused(request, 404, "Not found")

    async def run(self, request: Request) -> Response:
        """Run a saved query."""
        query = self.queries.get(request.path_params["query"])
        if query is None or request.path_params["format"] not in FORMATS:
            return refused(request, 404, "Not found")
        return self._answer(request, query)

    async def run_inline(self, request: Request) -> Response:
        """Run a query that isn't saved."""
        body = json.loads(await request.body())
        if body.get("model") != self.instance.model or self.names.inward(body.get("view")) not in self._open():
            return refused(request, 404, "Not found")
        if request.path_params["format"] not in FORMATS:
            return refused(request, 404, "Not found")
        return self._answer(request, body)

    async def run_look(self, request: Request) -> Response:
        """Run the saved Look, cut at its own limit unless another one is given."""
        look = request.path_params["look"]
        if not self._shown(look) or request.path_params["format"] not in FORMATS:
            return refused(request, 404, "Not found")
        asked = self.names.outward(catalogue.look_query(self.instance, LOOK_LIMIT))
        return self._sent(request, look_rows(self.instance), asked)

    def _shown(self, look: str) -> bool:
        return look == self.instance.look_id and look not in self.behaviour.closed

    async def looks(self, _request: Request) -> Response:
        """Every Look that the caller may see: one, or none."""
        return JSONResponse([catalogue.look(self.instance)] if self._shown(self.instance.look_id) else [])

    async def search_looks(self, request: Request) -> Response:
        """The Looks with this id and title; what a title has in place of a word is `%`."""
        shown = [catalogue.look(self.instance)] if self._shown(self.instance.look_id) else []
        for name in ("id", "title"):
            if (wanted := request.query_params.get(name)) is not None:
                pattern = re.escape(wanted).replace("%", ".*")
                shown = [each for each in shown if re.fullmatch(pattern, each[name], re.IGNORECASE)]
        return JSONResponse(shown)

    async def look(self, request: Request) -> Response:
        """The saved Look itself, with its query."""
        look = request.path_params["look"]
        if not self._shown(look):
            return refused(request, 404, "Not found")
        asked = self.names.outward(catalogue.look_query(self.instance, LOOK_LIMIT))
        query = catalogue.query("look", asked, _base(request))
        return JSONResponse({**catalogue.look(self.instance), "query": query})

    def _answer(self, request: Request, asked: Mapping[str, Any]) -> Response:
        query = self.names.inward(asked)
        view, fields, filters = str(query["view"]), query.get("fields") or [], query.get("filters") or {}
        names = {name for group in explores(self.instance)[view] for name in group}
        if view in self.behaviour.forbidden:
            return refused(request, 403, "Forbidden")
        if not names & set(fields):
            return refused(request, 400, "Must query at least one dimension or measure")
        if unknown := [name for name in filters if name not in names]:
            return refused(request, 400, f"Invalid filter: {unknown[0]}")
        if (query.get("query_timezone") or "UTC") not in zoneinfo.available_timezones():
            return refused(request, 400, "Invalid query timezone")
        try:
            rows = select(self.instance, view, fields, filters, query.get("sorts") or [])
        except BadFilter as error:
            rows = [{"looker_error": f"SQL error: {error}"}]
        if view in self.behaviour.broken:
            rows = _breaking(rows, self.behaviour.broken[view])
        return self._sent(request, rows, asked)

    def _sent(self, request: Request, rows: Iterable[dict[str, Any]], query: Mapping[str, Any]) -> Response:
        """The rows up to the limit: the request's, else the query's, else the default. -1 is none."""
        text = request.query_params.get("limit") or query.get("limit") or DEFAULT_LIMIT
        try:
            limit = int(text)
        except ValueError:
            return refused(request, 422, "Validation Failed", field="limit")
        most = self.behaviour.most_rows
        most = most if limit < 0 else limit if most is None else min(limit, most)
        kind, write = FORMATS[request.path_params["format"]]
        groups = explores(self.instance)[self.names.inward(str(query["view"]))]
        dimensions, measures = self.names.outward(groups)
        names = [
            name
            for name in query.get("fields") or ()
            if name in {*dimensions, *measures} or "look" in request.path_params
        ]
        asked = {**query, "dimensions": dimensions, "id": request.path_params.get("query")}
        return StreamingResponse(write(itertools.islice(self.names.rows(rows), most), names, asked), media_type=kind)


async def _unknown(request: Request) -> Response:
    return refused(request, 404, "Not found")


def _breaking(rows: Iterable[dict[str, Any]], after: int) -> Iterator[dict[str, Any]]:
    """A database that fails in the middle of an answer: what was sent is followed by the error, as one more row."""
    yield from itertools.islice(rows, after)
    yield {"looker_error": "SQL error: the database went away"}


def _base(request: Request) -> str:
    """Scheme, host and port under which the caller reached us."""
    return str(request.base_url).rstrip("/")


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")


def refused(request: Request, status: int, message: str, field: str | None = None) -> Response:
    """An error as Looker words it, with its link to a page about it."""
    path = request.url.path.removeprefix(ROOT)
    link = f"https://cloud.google.com/looker/docs/r/err/4.0/{status}/{request.method.lower()}{path}"
    body: dict[str, Any] = {"message": message, "documentation_url": link}
    if field is not None:
        body["errors"] = [{"field": field, "code": "invalid", "message": message, "documentation_url": link}]
    return JSONResponse(body, status)

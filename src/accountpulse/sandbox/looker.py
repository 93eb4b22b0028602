"""Looker's API 4.0: signing in, explores, queries and one saved Look, over the world's usage.

https://cloud.google.com/looker/docs/reference/looker-api/latest
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox.model import Looker, UsageOf

DEFAULT_LIMIT = 500  # what an answer is cut at, without a word, where the query names none
SAVED_LIMIT = 500  # the saved Look's own
RANGE = re.compile(r"(\d{4}-\d{2}-\d{2}) to (\d{4}-\d{2}-\d{2})")
Rows = list[dict[str, Any]]


def dimensions(instance: Looker) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each explore's dimensions and measures."""
    pillars = tuple(f"platform_metrics.{name}_index" for name in instance.pillars)
    return {
        "user_sessions": (
            ("user_sessions.account_id", "user_sessions.session_date", "user_sessions.session_month"),
            ("user_sessions.distinct_users", "user_sessions.session_count"),
        ),
        "feature_usage": (
            ("feature_usage.account_id", "feature_usage.used_date", "feature_usage.feature_name"),
            ("feature_usage.usage_count",),
        ),
        "platform_metrics": (
            ("platform_metrics.account_id", "platform_metrics.metric_date", "platform_metrics.metric_month"),
            pillars,
        ),
    }


class BadFilter(Exception):
    """A filter that the database would choke on."""


@dataclass
class Desk:
    """The instance behind its routes: tokens and saved queries."""

    instance: Looker
    tokens: set[str] = field(default_factory=set)
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)

    # --- signing in

    async def login(self, request: Request) -> Response:
        """Form with client id and secret → a token for an hour."""
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != (self.instance.client_id, self.instance.client_secret):
            return JSONResponse({"message": "Not found"}, 404)
        token = f"looker-token-{len(self.tokens) + 1}"
        self.tokens.add(token)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    async def logout(self, request: Request) -> Response:
        """Forget the token."""
        self.tokens.discard(_token(request))
        return Response(status_code=204)

    # --- explores and queries

    async def explore(self, request: Request) -> Response:
        """Name the fields of an explore."""
        known = dimensions(self.instance).get(request.path_params["explore"])
        if known is None or request.path_params["model"] != self.instance.model:
            return _not_found()
        groups = {"dimensions": known[0], "measures": known[1]}
        fields = {group: [{"name": name, "type": "string"} for name in names] for group, names in groups.items()}
        return JSONResponse({"fields": fields})

    async def create(self, request: Request) -> Response:
        """Keep a query, once its names are checked."""
        body = json.loads(await request.body())
        if (problem := self._problem(body)) is not None:
            return problem
        number = str(len(self.queries) + 1)
        self.queries[number] = body
        return JSONResponse({"id": number, "model": body["model"], "view": body["view"], "fields": body["fields"]})

    async def run(self, request: Request) -> Response:
        """Run a kept query."""
        query = self.queries.get(request.path_params["query"])
        if query is None or request.path_params["format"] != "json":
            return _not_found()
        return self._answer(query)

    async def run_inline(self, request: Request) -> Response:
        """Run a query that isn't kept."""
        body = json.loads(await request.body())
        return self._problem(body) or self._answer(body)

    async def run_look(self, request: Request) -> Response:
        """Run the saved Look: its figures of every month, cut at its own limit unless another one is given."""
        if request.path_params["look"] != self.instance.look_id or request.path_params["format"] != "json":
            return _not_found()
        rows = list(self._look_rows())
        limit = int(request.query_params.get("limit", SAVED_LIMIT))
        return JSONResponse(rows if limit < 0 else rows[:limit])

    def _look_rows(self) -> Iterator[dict[str, Any]]:
        for account, usage in sorted(self.instance.usage.items()):
            months = sorted({month for name in self.instance.look_pillars for month in usage.pillars.get(name, {})})
            for month in months:
                figures = {
                    f"platform_metrics.{name}_index": usage.pillars.get(name, {}).get(month)
                    for name in self.instance.look_pillars
                }
                yield {"platform_metrics.account_id": account, "platform_metrics.metric_month": month, **figures}

    def _problem(self, body: Mapping[str, Any]) -> Response | None:
        known = dimensions(self.instance).get(str(body.get("view")))
        if body.get("model") != self.instance.model or known is None:
            return _not_found()
        names = {*known[0], *known[1]}
        unknown = [name for name in [*body.get("fields", []), *(body.get("filters") or {})] if name not in names]
        if not body.get("fields") or unknown:
            errors = [{"field": name, "code": "invalid", "message": "unknown field"} for name in unknown]
            errors = [{**each, "documentation_url": ""} for each in errors]
            return JSONResponse({"message": "Validation Failed", "errors": errors, "documentation_url": ""}, 422)
        return None

    def _answer(self, query: Mapping[str, Any]) -> Response:
        try:
            rows = select(self.instance, str(query["view"]), query["fields"], query.get("filters") or {})
        except BadFilter as error:
            return JSONResponse([{"looker_error": f"SQL error: {error}"}])
        limit = int(query["limit"]) if query.get("limit") is not None else DEFAULT_LIMIT
        return JSONResponse(rows if limit < 0 else rows[:limit])


# --- the data ------------------------------------------------------------------------------------------------------


def select(instance: Looker, view: str, fields: list[str], filters: Mapping[str, str]) -> Rows:
    """The rows of a query: grouped by its dimensions, sorted by them."""
    known, _measures = dimensions(instance)[view]
    wanted = [name for name in fields if name in known]
    first, end = _range(instance, view, filters)
    accounts = filters.get(f"{view}.account_id")
    only = None if accounts is None else {text.strip() for text in accounts.split(",")}
    rows: Rows = []
    for account, usage in sorted(instance.usage.items()):
        if only is None or account in only:
            for place, measured in _READERS[view](instance, usage, wanted, first, end):
                row = {f"{view}.account_id": account, **place, **measured}
                rows.append({name: row[name] for name in fields})
    return rows


def _range(instance: Looker, view: str, filters: Mapping[str, str]) -> tuple[int, int]:
    """The days of the date filter as numbers from the instance's first day; the end is left out."""
    date_field = next(name for name in dimensions(instance)[view][0] if name.endswith("_date"))
    text = filters.get(date_field)
    if text is None:
        return 0, instance.days
    match = RANGE.fullmatch(text)
    if match is None:
        raise BadFilter(f"cannot read the filter on {date_field}")
    first, end = ((date.fromisoformat(part) - instance.first_day).days for part in match.groups())
    return max(0, first), min(instance.days, end)


Reader = Callable[[Looker, UsageOf, list[str], int, int], Iterator[tuple[dict[str, Any], dict[str, Any]]]]


def _sessions(
    instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for place, mask in _spans(instance, "user_sessions.session", wanted, first, end):
        active = [days & mask for days in usage.users]
        users = sum(1 for days in active if days)
        if users:
            twice = sum((days & again).bit_count() for days, again in zip(active, usage.sessions_twice, strict=True))
            sessions = sum(days.bit_count() for days in active) + twice
            yield place, {"user_sessions.distinct_users": users, "user_sessions.session_count": sessions}


def _features(
    instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    by_feature = "feature_usage.feature_name" in wanted
    for place, mask in _spans(instance, "feature_usage.used", wanted, first, end):
        counts = {name: (days & mask).bit_count() for name, days in sorted(usage.features.items())}
        if not by_feature:
            counts = {"": sum(counts.values())}
        for name, count in counts.items():
            if count:
                feature = {"feature_usage.feature_name": name} if by_feature else {}
                yield {**place, **feature}, {"feature_usage.usage_count": count}


def _platform(
    instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for place, mask in _spans(instance, "platform_metrics.metric", wanted, first, end):
        months = _days_by_month(instance, mask)
        figures = {f"platform_metrics.{name}_index": _average(usage, name, months) for name in instance.pillars}
        if any(value is not None for value in figures.values()):
            yield place, figures


def _average(usage: UsageOf, pillar: str, months: Mapping[str, int]) -> float | None:
    """The mean over the days that have a figure; each day has its month's."""
    known = [(usage.pillars.get(pillar, {}).get(month), days) for month, days in months.items()]
    present = [(value, days) for value, days in known if value is not None]
    if len(present) == 1:
        return present[0][0]
    total = sum(days for _value, days in present)
    return sum(value * days for value, days in present) / total if total else None


def _days_by_month(instance: Looker, mask: int) -> dict[str, int]:
    days: dict[str, int] = {}
    for number in range(mask.bit_length()):
        if mask >> number & 1:
            month = f"{instance.first_day + timedelta(days=number):%Y-%m}"
            days[month] = days.get(month, 0) + 1
    return days


def _spans(
    instance: Looker, prefix: str, wanted: list[str], first: int, end: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """The stretches that a query groups by: each day, each month, or all of it, as masks of days."""
    if f"{prefix}_date" in wanted:
        for number in range(first, end):
            yield {f"{prefix}_date": f"{instance.first_day + timedelta(days=number):%Y-%m-%d}"}, 1 << number
        return
    if f"{prefix}_month" not in wanted:
        yield {}, _mask(first, end)
        return
    start = first
    while start < end:
        day = instance.first_day + timedelta(days=start)
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        stop = min(end, (following - instance.first_day).days)
        yield {f"{prefix}_month": f"{day:%Y-%m}"}, _mask(start, stop)
        start = stop


def _mask(first: int, end: int) -> int:
    return ((1 << max(0, end - first)) - 1) << first


_READERS: Mapping[str, Reader] = {"user_sessions": _sessions, "feature_usage": _features, "platform_metrics": _platform}


# --- routes --------------------------------------------------------------------------------------------------------


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")


def _not_found() -> Response:
    return JSONResponse({"message": "Not found", "documentation_url": ""}, 404)


def routes(instance: Looker) -> list[Route]:
    """Everything under /api/4.0; each call but signing in needs a token, and an unknown path is an error."""
    desk = Desk(instance)

    def guarded(endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def checked(request: Request) -> Response:
            if _token(request) not in desk.tokens:
                return JSONResponse({"message": "Requires authentication.", "documentation_url": ""}, 401)
            answer: Response = await endpoint(request)
            return answer

        return checked

    async def unknown(_request: Request) -> Response:
        return _not_found()

    root = "/api/4.0"
    return [
        Route(f"{root}/login", desk.login, methods=["POST"]),
        Route("/api/logout", guarded(desk.logout), methods=["DELETE"]),
        Route(f"{root}/logout", guarded(desk.logout), methods=["DELETE"]),
        Route(f"{root}/lookml_models/{{model}}/explores/{{explore}}", guarded(desk.explore), methods=["GET"]),
        Route(f"{root}/queries", guarded(desk.create), methods=["POST"]),
        Route(f"{root}/queries/run/json", guarded(desk.run_inline), methods=["POST"]),
        Route(f"{root}/queries/{{query}}/run/{{format}}", guarded(desk.run), methods=["GET"]),
        Route(f"{root}/looks/{{look}}/run/{{format}}", guarded(desk.run_look), methods=["GET"]),
        Route("/api/{path:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]

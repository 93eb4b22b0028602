"""The few questions that Looker is asked, and what its answers mean.

https://cloud.google.com/looker/docs/reference/looker-api/latest
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from accountpulse.core.errors import AccessError, AccountpulseError, UnexpectedAnswer
from accountpulse.http.bodies import UnfitBody
from accountpulse.http.budget import RequestBudget
from accountpulse.http.shape import MISSHAPEN, WrongShape, decode
from accountpulse.systems.looker import wire
from accountpulse.systems.looker.fields import DEFINITIONS, ExploreField, unit_of
from accountpulse.systems.looker.rows import CutRows, Kind, NotRows, ResultRows
from accountpulse.systems.looker.session import LookerSession, NotOk
from accountpulse.systems.looker.settings import LookerAccess

REMEDY = "Check LOOKER_CLIENT_ID and LOOKER_CLIENT_SECRET, and that the user may use the model."
HOST = (
    "No Looker API answers there: check LOOKER_BASE_URL. Looker shows the address as API Host URL in Admin, API; "
    "older instances have it at port 19999."
)
CLOSED = "Check that LOOKER_BASE_URL's instance lets our user and this machine's address use the API (Admin, API)."
UNLIMITED = -1  # left out, Looker cuts the answer at a default without saying so
STEP = 500  # Looker's default limit; its others (5,000, 50,000, 100,000) are multiples of it
FAILURES = (NotOk, OSError, ValueError)  # also what `requests` has against an address
REFUSALS = (400, 403, 404, 409, 410, 422)  # those of Looker's own; any other comes from what stands before it
_EXPLORE = msgspec.json.Decoder(wire.ExploreAnswer)
_MODEL = msgspec.json.Decoder(wire.ModelAnswer)
_LOOK = msgspec.json.Decoder(wire.LookAnswer)
_ID = msgspec.json.Decoder(wire.IdAnswer)
_ANY = msgspec.json.Decoder()
_ATTRIBUTES = msgspec.json.Decoder(list[wire.AttributeAnswer])
T = TypeVar("T")


class Refused(Exception):
    """Looker said no: the thing is absent, our user may not see or run it, or the query is none for it."""

    def __init__(self, status: int) -> None:
        """`status` is Looker's."""
        self.status = status
        super().__init__(status)


@dataclass(frozen=True)
class Explore:
    """What our user can see of an explore.

    `own_views`: the names of its own view; others are joined. `default_filters`: what it filters on where a query
    says nothing of the field, by field. `access_filters`: the user attribute that decides what a user sees, by field.
    """

    fields: Mapping[str, ExploreField]
    own_views: frozenset[str]
    default_filters: Mapping[str, str]
    access_filters: Mapping[str, str]
    has_zones: bool


@dataclass(frozen=True)
class Query:
    """One question for all accounts at once; `dimensions` come first, sorted by."""

    model: str
    explore: str
    dimensions: Mapping[str, Kind]
    measures: Mapping[str, Kind]
    filters: Mapping[str, str]
    zone: str


class Api:
    """The few calls that we need; every failure is one of our errors, or Refused."""

    def __init__(
        self,
        access: LookerAccess,
        budget: RequestBudget,
        ca_bundle: Path | None,
        seconds: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent before the first call. `seconds`: how long an answer may stay away."""
        self.answered: set[str] = set()  # "query", "Look": whether any of them was
        self._session = LookerSession(access, budget, ca_bundle, seconds, sleep)
        self._adapter = self._session.adapter

    def explore(self, model: str, explore: str) -> Explore:
        """What an explore offers."""
        path = f"/lookml_models/{_part(model)}/explores/{_part(explore)}"
        found = self._get(f"looking at explore {explore}", path, _EXPLORE, {"fields": wire.EXPLORE})
        defaults = (*(found.always_filter or ()), *(found.conditionally_filter or ()))
        return Explore(
            _fields(found.fields),
            frozenset({explore, found.view_name or explore}),
            {each.name: each.value or "" for each in defaults if each.name},
            {each.field: each.user_attribute or "" for each in found.access_filters or () if each.field},
            found.has_timezone_support is not False,
        )

    def explores(self, model: str) -> frozenset[str]:
        """The names of a model's explores."""
        path = f"/lookml_models/{_part(model)}"
        found = self._get(f"looking at model {model}", path, _MODEL, {"fields": "explores(name)"})
        return frozenset(explore.name for explore in found.explores if explore.name)

    def models(self) -> object:
        """Every model that our user may see, with the names of its explores, as Looker writes them."""
        params = {"fields": "name,explores(name,hidden)"}
        return self._get("looking at the models", "/lookml_models", _ANY, params)

    def looks(self) -> object:
        """Every saved Look that our user may see: id, title and model, as Looker writes them."""
        return self._get("looking at the saved Looks", "/looks", _ANY, {"fields": "id,title,deleted,model(id)"})

    def user_attributes(self) -> Mapping[str, str]:
        """The values that decide what our user may see, by attribute; without those that it may not look at."""
        tried = "looking at the attributes of our user"
        me = self._get(tried, "/user", _ID, {"fields": "id"}).id
        path = f"/users/{_part(str(me))}/attribute_values"
        found = self._get(tried, path, _ATTRIBUTES, {"fields": "name,value"})
        return {each.name: str(each.value) for each in found if each.name and each.value is not None}

    def query(self, query: Query) -> ResultRows:
        """All rows of one query, sorted by its dimensions."""
        return self._answered(query, self._whole)

    def first_row(self, query: Query) -> ResultRows:
        """One row of its dimensions, without the measures that cost the database its time."""
        return self._answered(replace(query, measures={}), lambda tried, one: self._run(tried, one, 1, ""))

    def sample(self, query: Query, limit: int) -> ResultRows:
        """The first rows of a query, at most so many."""
        return self._answered(query, lambda tried, one: self._run(tried, one, limit, ""))

    def _answered(self, query: Query, ask: Callable[[str, Query], ResultRows]) -> ResultRows:
        tried = f"querying explore {query.explore}"
        try:
            return ask(tried, query)
        except NotRows as wrong:
            remedy = wrong.remedy or "Run it in Looker to see what the database says."
            raise UnexpectedAnswer("looker", tried, str(wrong), remedy) from None

    def _whole(self, tried: str, query: Query) -> ResultRows:
        rows = self._run(tried, query, UNLIMITED, "")
        if rows.count and rows.count % STEP == 0:  # may be an end, may be a limit: the first from behind tells
            behind, length = self._run(tried, query, 1, " desc"), len(query.dimensions)
            if behind.count != 1 or behind.last[:length] != rows.last[:length]:
                raise CutRows(rows.count)
        return rows

    def look(self, look: str, columns: Mapping[str, Kind]) -> ResultRows:
        """All rows of a saved Look, whose own limit is set aside; columns that it doesn't have are `lacking`.

        NotRows where it gives none that can be read: that is the Look's trouble, and not the instance's.
        """
        path = f"/looks/{_part(look)}/run/json"
        rows = self._rows(f"running Look {look}", columns, lambda: self._session.get(path, {"limit": UNLIMITED}))
        if rows.count in {STEP, 10 * STEP, 100 * STEP, 200 * STEP}:
            raise CutRows(rows.count)
        return rows

    def look_sample(self, look: str, columns: Mapping[str, Kind], limit: int) -> ResultRows:
        """The first rows of a saved Look, at most so many; NotRows where it gives none that can be read."""
        path = f"/looks/{_part(look)}/run/json"
        return self._rows(f"running Look {look}", columns, lambda: self._session.get(path, {"limit": limit}))

    def look_query(self, look: str) -> wire.LookAnswer:
        """What a saved Look asks."""
        return self._get(f"looking at Look {look}", f"/looks/{_part(look)}", _LOOK, {"fields": wire.LOOK})

    def _run(self, tried: str, query: Query, limit: int, order: str) -> ResultRows:
        columns = {**query.dimensions, **query.measures}
        wanted = {
            "model": query.model,
            "view": query.explore,  # what Looker calls a view here is the explore's name
            "fields": list(columns),
            "filters": dict(query.filters),
            "sorts": [name + order for name in query.dimensions],
            "limit": str(limit),
            "query_timezone": query.zone,
        }
        text = self._call(tried, lambda: self._session.post("/queries", {"fields": "id"}, wanted))
        made = self._decoded(tried, text, _ID).id
        rows = self._rows(tried, columns, lambda: self._session.get(f"/queries/{_part(str(made))}/run/json"))
        if rows.lacking:
            raise UnexpectedAnswer("looker", tried, f"rows without {', '.join(sorted(rows.lacking))}")
        return rows

    def _rows(self, tried: str, columns: Mapping[str, Kind], run: Callable[[], object]) -> ResultRows:
        self._adapter.rows, self._adapter.begin = None, lambda: ResultRows(columns)
        try:
            self._call(tried, run)
        finally:
            self._adapter.begin = None
        if self._adapter.rows is None:
            raise UnexpectedAnswer("looker", tried, f"HTTP {self._adapter.status} without rows")
        self.answered.add("Look" if "/looks/" in self._adapter.path else "query")
        return self._adapter.rows

    def _get(self, tried: str, path: str, decoder: "msgspec.json.Decoder[T]", params: dict[str, Any]) -> T:
        return self._decoded(tried, self._call(tried, lambda: self._session.get(path, params)), decoder)

    def _decoded(self, tried: str, text: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
        try:
            return decode(decoder, text)
        except WrongShape as wrong:
            raise UnexpectedAnswer("looker", tried, f"a field of another type, {wrong}", MISSHAPEN) from None
        except (msgspec.DecodeError, UnfitBody):
            raise UnexpectedAnswer("looker", tried, "an answer that is not JSON", HOST) from None

    def _call(self, tried: str, work: Callable[[], T]) -> T:
        """Do it; where the token is no longer taken, sign in anew and do it once more."""
        for is_last in (False, True):
            self._adapter.status, self._adapter.path = 0, ""
            try:
                return work()
            except FAILURES:
                if is_last or self._adapter.status != 401 or self._signing_in:
                    break
            self._session.forget_token()
        raise self._failure(tried) from None

    @property
    def _signing_in(self) -> bool:
        return self._adapter.path.endswith("/login")

    def _failure(self, tried: str) -> AccountpulseError | Refused:
        status = self._adapter.status
        answer = f"HTTP {status}" if status else "no answer"
        if self._signing_in:
            return self._not_signed_in(status, answer)
        if status == 401:
            return AccessError("looker", tried, answer, REMEDY)
        return Refused(status) if status in REFUSALS else UnexpectedAnswer("looker", tried, answer)

    def _not_signed_in(self, status: int, answer: str) -> AccountpulseError:
        """Looker answers 404 to a client id or secret that it doesn't know; a page of somebody else is another host."""
        if 400 <= status < 500:
            remedy = HOST if not self._adapter.is_lookers or status == 405 else CLOSED if status == 403 else REMEDY
            return AccessError("looker", "signing in", answer, remedy)
        if status == 200:
            return UnexpectedAnswer("looker", "signing in", "an answer without a token that can be used", HOST)
        return UnexpectedAnswer("looker", "signing in", answer, "Try again later.")


def _fields(found: wire.FieldsAnswer) -> Mapping[str, ExploreField]:
    return {
        each.name: ExploreField(
            each.name,
            category,
            each.type,
            each.view,
            each.dimension_group,
            filterable=each.can_filter is not False,
            in_zone=each.convert_tz is not False,
            unit=unit_of((each.value_format_name, each.value_format)),
            broken=bool(each.error),
        )
        for group, category in DEFINITIONS.items()
        for each in getattr(found, group) or ()
        if each.name
    }


def _part(text: str) -> str:
    """One part of a path."""
    return quote(text, safe="")

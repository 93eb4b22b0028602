"""Looker's own client, set up from our settings and with its traps closed.

https://cloud.google.com/looker/docs/reference/looker-api/latest
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import looker_sdk
import requests
from cattrs.errors import BaseValidationError
from looker_sdk import error, models40
from looker_sdk.rtl import auth_token
from looker_sdk.rtl.api_settings import ApiSettings, SettingsConfig
from looker_sdk.rtl.serialize import DeserializeError

from accountpulse.core.errors import AccessError, AccountpulseError, UnexpectedAnswer
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.looker.rows import BrokenText, Kind, NotRows, ResultRows
from accountpulse.systems.looker.settings import LookerAccess

REMEDY = "Check LOOKER_CLIENT_ID and LOOKER_CLIENT_SECRET, and that the user may use the model."
UNLIMITED = -1  # left out, Looker cuts the answer at a default without saying so
STEP = 500  # Looker's default limit; its others (5,000, 50,000, 100,000) are multiples of it
EXPLORE = "fields(dimensions(name),measures(name)),always_filter,has_timezone_support"
# the client's own, and what it lets through where a body, also that of an error, is not what it should be
FAILURES = (error.SDKError, DeserializeError, BaseValidationError, ValueError, AttributeError, TypeError)
T = TypeVar("T")


class Refused(Exception):
    """Looker said no: the thing is absent, our user may not see or run it, or the query is none for it."""

    def __init__(self, status: int) -> None:
        """`status` is Looker's."""
        self.status = status
        super().__init__(status)


@dataclass(frozen=True)
class Explore:
    """What our user can see of an explore: its dimensions and measures, what it always filters on."""

    fields: frozenset[str]
    always_filters: tuple[str, ...]
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


class _ClientSettings(ApiSettings):
    """Our access, in place of looker.ini and LOOKERSDK_ variables."""

    def __init__(self, access: LookerAccess, seconds: int) -> None:
        self._access = access
        self._seconds = seconds
        super().__init__(env_prefix=None)

    def read_config(self) -> SettingsConfig:
        """What the client asks for, at start and at each sign-in."""
        return {
            "client_id": self._access.client_id.reveal(),
            "client_secret": self._access.client_secret.reveal(),
            "base_url": self._access.base_url,
            "verify_ssl": "true",
            "timeout": str(self._seconds),
        }


class _Adapter(requests_adapter.RetryingAdapter):
    """Our adapter, which also takes rows apart while they arrive, and remembers what was answered."""

    begin: Callable[[], ResultRows] | None = None  # what takes the rows of the next answer
    rows: ResultRows | None = None
    seconds = requests_adapter.TOTAL  # that rows may take in all
    status = 0
    path = ""

    def read(self, answer: requests.Response) -> None:
        """The body; that of rows goes to `rows` and leaves none. A repeated request starts anew."""
        self.status, self.path = answer.status_code, answer.request.path_url
        if self.begin is None or answer.status_code != 200 or "/run/" not in self.path:
            super().read(answer)
            return
        self.rows = self.begin()
        try:
            for piece in self.pieces(answer, self.seconds):
                self.rows.feed(piece)
            self.rows.close()
        except BrokenText:  # may pass: to be asked for again
            raise requests.exceptions.InvalidJSONError from None
        requests_adapter.keep(answer, b"")


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
        # on an error with a documentation link the client would ask a third host for a text, without a time limit
        setattr(error.ErrorDocHelper, "parse_and_lookup", _no_lookup)  # noqa: B010
        self._adapter = _Adapter("looker", budget, ca_bundle, sleep)
        self._adapter.seconds = max(requests_adapter.TOTAL, seconds)
        self._sdk = looker_sdk.init40(config_settings=_ClientSettings(access, seconds))
        session: requests.Session = vars(self._sdk.transport)["session"]
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)

    def explore(self, model: str, explore: str) -> Explore:
        """What an explore offers."""

        def look() -> Explore:
            found = self._sdk.lookml_model_explore(model, explore, fields=EXPLORE)
            fields = _present(found.fields)
            groups = ((fields.dimensions or ()), (fields.measures or ()))
            return Explore(
                frozenset(field.name for group in groups for field in group if field.name),
                tuple(each.name for each in found.always_filter or () if each.name),
                found.has_timezone_support is not False,
            )

        return self._call(f"looking at explore {explore}", look)

    def explores(self, model: str) -> frozenset[str]:
        """The names of a model's explores."""

        def look() -> frozenset[str]:
            found = _present(self._sdk.lookml_model(model, fields="explores(name)").explores)
            return frozenset(explore.name for explore in found if explore.name)

        return self._call(f"looking at model {model}", look)

    def query(self, query: Query) -> ResultRows:
        """All rows of one query, sorted by its dimensions."""
        tried = f"querying explore {query.explore}"
        rows = self._run(tried, query, UNLIMITED, "")
        if rows.count and rows.count % STEP == 0:  # may be an end, may be a limit: the first from behind tells
            behind, length = self._run(tried, query, 1, " desc"), len(query.dimensions)
            if behind.count != 1 or behind.last[:length] != rows.last[:length]:
                raise _cut(tried, rows.count)
        return rows

    def look(self, look: str, columns: Mapping[str, Kind]) -> ResultRows:
        """All rows of a saved Look, whose own limit is set aside; columns that it doesn't have are `lacking`."""
        tried = f"running Look {look}"
        rows = self._rows(tried, columns, lambda: self._sdk.run_look(look, "json", limit=UNLIMITED))
        if rows.count in {STEP, 10 * STEP, 100 * STEP, 200 * STEP}:
            raise _cut(tried, rows.count)
        return rows

    def look_columns(self, look: str) -> frozenset[str]:
        """The columns of a saved Look by its query; none where it may have others, as table calculations are."""

        def ask() -> frozenset[str]:
            query = _present(self._sdk.look(look, fields="query(fields,dynamic_fields)").query)
            return frozenset(() if query.dynamic_fields else query.fields or ())

        return self._call(f"looking at Look {look}", ask)

    def _run(self, tried: str, query: Query, limit: int, order: str) -> ResultRows:
        columns = {**query.dimensions, **query.measures}
        wanted = models40.WriteQuery(
            model=query.model,
            view=query.explore,  # what Looker calls a view here is the explore's name
            fields=list(columns),
            filters=dict(query.filters),
            sorts=[name + order for name in query.dimensions],
            limit=str(limit),
            query_timezone=query.zone,
        )
        made = self._call(tried, lambda: _present(self._sdk.create_query(wanted, fields="id").id))
        rows = self._rows(tried, columns, lambda: self._sdk.run_query(made, "json"))
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
        return self._adapter.rows

    def _call(self, tried: str, work: Callable[[], T]) -> T:
        """Do it; where the token is no longer taken, sign in anew and do it once more."""
        for is_last in (False, True):
            self._adapter.status, self._adapter.path = 0, ""
            try:
                return work()
            except NotRows as wrong:
                remedy = "Run it in Looker to see what the database says."
                raise UnexpectedAnswer("looker", tried, str(wrong), remedy) from None
            except FAILURES:  # their texts may hold a body: only the status is taken
                if is_last or self._adapter.status != 401 or self._signing_in:
                    break
            self._sdk.auth.token = auth_token.AuthToken()
        raise self._failure(tried) from None

    @property
    def _signing_in(self) -> bool:
        return self._adapter.path.endswith("/login")

    def _failure(self, tried: str) -> AccountpulseError | Refused:
        status = self._adapter.status
        answer = f"HTTP {status}" if status else "no answer"
        if self._signing_in and 400 <= status < 500:
            return AccessError("looker", "signing in", answer, REMEDY)
        if status == 401:
            return AccessError("looker", tried, answer, REMEDY)
        if 400 <= status < 500:
            return Refused(status)
        return UnexpectedAnswer("looker", "signing in" if self._signing_in else tried, answer)


def _present(part: T | None) -> T:
    """A part that every such answer has; without it, it is another answer."""
    if part is None:
        raise ValueError
    return part


def _no_lookup(_helper: error.ErrorDocHelper, _url: str) -> tuple[str, str]:
    return "", ""


def _cut(tried: str, count: int) -> UnexpectedAnswer:
    remedy = "Give our user download_without_limit, and take totals and table calculations out of a Look."
    return UnexpectedAnswer("looker", tried, f"{count:,} rows came, where a limit of Looker's cut them", remedy)

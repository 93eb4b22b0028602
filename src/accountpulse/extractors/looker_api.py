"""Looker's own client, set up from our settings and with its traps closed."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import looker_sdk
import requests
from looker_sdk import error, models40
from looker_sdk.rtl.api_settings import ApiSettings, SettingsConfig

from accountpulse.errors import AccessError, UnexpectedAnswer
from accountpulse.rest import sync
from accountpulse.rest.meter import Meter
from accountpulse.settings.access import LookerAccess

REMEDY = "Check LOOKER_CLIENT_ID and LOOKER_CLIENT_SECRET, and that the user may use the model."
UNLIMITED = "-1"  # left out, Looker cuts the answer at a default without saying so
T = TypeVar("T")


class Absent(Exception):
    """A model, explore, field or Look is absent, or our user may not see it."""


class _Settings(ApiSettings):
    """Our access, in place of looker.ini and LOOKERSDK_ variables."""

    def __init__(self, access: LookerAccess) -> None:
        self._access = access
        super().__init__(env_prefix=None)

    def read_config(self) -> SettingsConfig:
        """What the client asks for, at start and at each sign-in."""
        return {
            "client_id": self._access.client_id.reveal(),
            "client_secret": self._access.client_secret.reveal(),
            "base_url": self._access.base_url,
            "verify_ssl": "true",
            "timeout": str(round(sync.TIMEOUT[1])),
        }


class Api:
    """The few calls that we need; every failure is one of our errors, or Absent."""

    def __init__(self, access: LookerAccess, meter: Meter, adapter: sync.Adapter) -> None:
        """Nothing is sent before the first call."""
        # on an error with a documentation link the client would ask a third host for a text, without a time limit
        setattr(error.ErrorDocHelper, "parse_and_lookup", _no_lookup)  # noqa: B010
        self._meter = meter
        self._status = 0
        self._sdk = looker_sdk.init40(config_settings=_Settings(access))
        session: requests.Session = vars(self._sdk.transport)["session"]
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.hooks["response"].append(self._remember)

    def _remember(self, response: requests.Response, *_args: Any, **_options: Any) -> None:
        self._status = response.status_code

    def fields(self, model: str, explore: str) -> set[str]:
        """The names of an explore's dimensions and measures that our user can see."""
        tried = f"looking at explore {explore}"
        found = self._call(tried, lambda: self._sdk.lookml_model_explore(model, explore, fields="fields"))
        fields = found.fields
        groups = ((fields.dimensions or ()), (fields.measures or ())) if fields else ()
        return {field.name for group in groups for field in group if field.name}

    def query(
        self, model: str, explore: str, fields: Sequence[str], filters: Mapping[str, str], zone: str
    ) -> list[dict[str, Any]]:
        """All rows of one query."""
        wanted = models40.WriteQuery(
            model=model,
            view=explore,  # what Looker calls a view here is the explore's name
            fields=list(fields),
            filters=dict(filters),
            limit=UNLIMITED,
            query_timezone=zone,
        )
        tried = f"querying explore {explore}"
        made = self._call(tried, lambda: self._sdk.create_query(wanted, fields="id"))
        return _rows(self._call(tried, lambda: self._sdk.run_query(str(made.id), "json")), tried, fields)

    def look(self, look: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """All rows of a saved Look, whose own limit is set aside."""
        tried = f"running Look {look}"
        return _rows(self._call(tried, lambda: self._sdk.run_look(look, "json", limit=int(UNLIMITED))), tried, fields)

    def _call(self, tried: str, work: Callable[[], T]) -> T:
        self._status = 0
        try:
            return work()
        except error.SDKError:  # its text may hold a body, so only the status is taken
            signed_in = self._sdk.auth.is_authenticated
        if self._status in (401, 403) or not signed_in:
            raise AccessError("looker", tried if signed_in else "signing in", f"HTTP {self._status}", REMEDY)
        if self._status in (400, 404, 422):
            raise Absent
        raise UnexpectedAnswer("looker", tried, f"HTTP {self._status}")


def _no_lookup(_helper: error.ErrorDocHelper, _url: str) -> tuple[str, str]:
    return "", ""


def _rows(answer: str | bytes, tried: str, fields: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of an answer; an error under a good status, or rows without our columns, are no data."""
    try:
        rows = json.loads(answer, parse_constant=_refuse)
    except ValueError:
        raise UnexpectedAnswer("looker", tried, "it is not JSON") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedAnswer("looker", tried, "it is not a list of rows")
    if rows and "looker_error" in rows[0]:
        remedy = "Run the query in Looker to see what the database says."
        raise UnexpectedAnswer("looker", tried, "the database refused the query", remedy)
    if rows and (lacking := [name for name in fields if name not in rows[0]]):
        raise UnexpectedAnswer("looker", tried, f"rows without {', '.join(lacking)}")
    return rows


def _refuse(constant: str) -> float:
    raise ValueError(constant)

"""The one wrapper of simple_salesforce, for the extractor and the loader.

Signing in is ours, since the client's own sign-in has no time limit and can repeat without end; queries, paging
and the quoting of values are the client's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
)
from simple_salesforce.format import format_soql
from simple_salesforce.login import SalesforceLogin

from accountpulse.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer
from accountpulse.rest import sync
from accountpulse.rest.meter import Meter
from accountpulse.settings.environment import SalesforceAccess

SOAP_VERSION = "64.0"  # the last version that has login(); the REST version is a setting of its own
SOAP_ENDS = (
    "signed in with username and password by SOAP login(), which Salesforce ends with Summer '27; "
    "use SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET of an external client app"
)
USER_REMEDY = "Check SALESFORCE_USERNAME, SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN; it was tried once."
APP_REMEDY = (
    "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, and that SALESFORCE_LOGIN_URL is the org's My Domain."
)
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
T = TypeVar("T")

__all__ = ["SOAP_ENDS", "Field", "NotThere", "Org", "UnknownName", "format_soql"]


class NotThere(AccessError):
    """The object, record or address doesn't exist, or our user may not see it."""


class UnknownName(AccessError):
    """A query names an object or field that is absent, or that our user may not see."""


@dataclass(frozen=True)
class Field:
    """What describe says of a field that our user can see."""

    name: str
    type: str = "string"
    updateable: bool = False
    createable: bool = False
    unique: bool = False
    external_id: bool = False
    length: int = 0  # characters of a text
    precision: int = 0  # digits of a number, in all
    scale: int = 0  # digits behind its point
    values: frozenset[str] | None = None  # of a restricted picklist


@dataclass
class Org:
    """A signed-in org. Describes are asked for once an object."""

    access: SalesforceAccess
    session: requests.Session
    client: Salesforce = field(init=False)
    notices: tuple[str, ...] = ()
    _described: dict[str, dict[str, Field] | None] = field(default_factory=dict)

    @classmethod
    def connect(cls, access: SalesforceAccess, meter: Meter, ca_bundle: Path | None) -> Self:
        """Sign in, once; wrong credentials are an AccessError that names their settings."""
        org = cls(access, sync.session("salesforce", meter, ca_bundle))
        org.sign_in()
        return org

    def sign_in(self) -> None:
        """Get a new session id, by client credentials where they are set, else by SOAP."""
        if self.access.client_id is not None:
            session_id, instance = self._client_credentials()
        else:
            session_id, instance = self._soap()
            self.notices = (SOAP_ENDS,)
        self.client = Salesforce(
            session_id=session_id, instance_url=instance, version=self.access.api_version, session=self.session
        )

    def _soap(self) -> tuple[str, str]:
        access = self.access
        try:
            session_id, instance = SalesforceLogin(
                username=access.username,
                password=access.password.reveal() if access.password else "",
                security_token=access.security_token.reveal() if access.security_token else "",
                sf_version=SOAP_VERSION,
                session=self.session,
                scratch_url=access.login_url,
            )
        except SalesforceAuthenticationFailed as error:
            code = str(getattr(error, "code", "")) or "refused"
            raise AccessError("salesforce", "signing in", _safe(code), USER_REMEDY) from None
        return session_id, f"https://{instance}"

    def _client_credentials(self) -> tuple[str, str]:
        access = self.access
        secret = (
            access.client_id.reveal() if access.client_id else "",
            access.client_secret.reveal() if access.client_secret else "",
        )
        url = f"{access.login_url}/services/oauth2/token"
        answer = self.session.post(url, data={"grant_type": "client_credentials"}, auth=secret)
        try:
            body = answer.json()
            if answer.status_code == 200:
                return str(body["access_token"]), str(body["instance_url"])
            code = _safe(str(body.get("error", answer.status_code)))
        except (ValueError, KeyError, AttributeError):
            raise UnexpectedAnswer("salesforce", "signing in", f"HTTP {answer.status_code} without a token") from None
        raise AccessError("salesforce", "signing in", code, APP_REMEDY)

    def describe(self, name: str) -> dict[str, Field] | None:
        """The fields of an object that our user can see, by name; None where the object is absent or not readable."""
        if name not in self._described:
            self._described[name] = self._describe(name)
        return self._described[name]

    def _describe(self, name: str) -> dict[str, Field] | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            found = self.call(f"describing {name}", lambda: self.client.restful(f"sobjects/{name}/describe"))
        except NotThere:
            return None
        return {item["name"]: _field(item) for item in found["fields"]}

    def query(self, soql: str, what: str) -> Iterator[Mapping[str, Any]]:
        """Every record of a query, over all pages; `what` names it in messages, since the query itself may not."""
        page = self.call(f"querying {what}", lambda: self.client.query(soql))
        seen: set[str] = set()
        while True:
            yield from page["records"]
            following = page.get("nextRecordsUrl")
            if page.get("done", True) or not following:
                return
            if following in seen:
                raise UnexpectedAnswer("salesforce", f"querying {what}", "the same page was named twice")
            seen.add(following)
            page = self.call(f"querying {what}", partial(self.client.query_more, following, True))

    def count(self, soql: str, what: str) -> int:
        """How many records a `SELECT COUNT()` finds."""
        return int(self.call(f"counting {what}", lambda: self.client.query(soql))["totalSize"])

    def call(self, tried: str, work: Callable[[], T]) -> Any:
        """Do it; where the session has ended, sign in once more and do it again."""
        try:
            try:
                return work()
            except SalesforceExpiredSession:
                self.sign_in()
                return work()
        except SalesforceError as error:
            _raise(tried, error)


def _field(item: Mapping[str, Any]) -> Field:
    values = [value["value"] for value in item.get("picklistValues") or () if value.get("active", True)]
    return Field(
        name=item["name"],
        type=str(item.get("type", "string")),
        updateable=bool(item.get("updateable")),
        createable=bool(item.get("createable")),
        unique=bool(item.get("unique")),
        external_id=bool(item.get("externalId")),
        length=int(item.get("length") or 0),
        precision=int(item.get("precision") or 0),
        scale=int(item.get("scale") or 0),
        values=frozenset(values) if item.get("restrictedPicklist") else None,
    )


def _raise(tried: str, error: SalesforceError) -> NoReturn:
    raise _translated(tried, error) from None


def _translated(tried: str, error: SalesforceError) -> AccountpulseError:
    """Our error for the client's; its own text holds the query, so only the org's code and field are taken."""
    content: Any = error.content[0] if isinstance(error.content, list) and error.content else {}
    code = str(content.get("errorCode", "")) if isinstance(content, dict) else ""
    answer = _safe(code) or f"HTTP {error.status}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        return SourceUnavailable("salesforce", tried, answer, "The org's daily or concurrent API limit is used up.")
    remedy = "Check the names and `where` texts under salesforce: in accountpulse.yaml."
    if code in ("INVALID_FIELD", "INVALID_TYPE"):
        return UnknownName("salesforce", tried, answer, remedy)
    if code in ("MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR"):
        return AccessError("salesforce", tried, answer, remedy)
    if error.status in (401, 403):
        return AccessError(
            "salesforce", tried, answer, "Check the user's permissions, and that its session may use the API."
        )
    if error.status == 404:
        return NotThere("salesforce", tried, answer, "It doesn't exist, or our user may not see it.")
    return UnexpectedAnswer("salesforce", tried, answer)


def _safe(code: str) -> str:
    """An error code is letters and underscores; anything else might be text of somebody's."""
    return code if re.fullmatch(r"[\w.: -]{1,60}", code, re.ASCII) else ""

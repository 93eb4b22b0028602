"""The one wrapper of simple_salesforce, for the extractor and the loader.

Signing in, time limits, repeats and the decoding of pages are ours (sign_in.py, requests_adapter.py); addresses, the
quoting of values and the kinds of errors are the client's.
"""

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceRefusedRequest,
)
from simple_salesforce.format import format_soql
from simple_salesforce.util import call_salesforce

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.http.retry import backoff, http_date
from accountpulse.http.shape import MISSHAPEN, WrongShape
from accountpulse.systems.salesforce.errors import (
    NO_ROUTE,
    LostPlace,
    NotThere,
    RefusedQuery,
    UnknownName,
    code_of,
    is_busy,
    translated,
)
from accountpulse.systems.salesforce.limits import DailyAllowance
from accountpulse.systems.salesforce.schema import Field, ObjectDescription, described
from accountpulse.systems.salesforce.settings import API_VERSION, SalesforceAccess
from accountpulse.systems.salesforce.sign_in import SOAP_ENDS, SignedIn, sign_in

ELSEWHERE = dict.fromkeys((301, 302, 303, 307, 308), NO_ROUTE)
BUSY_TRIES = 4  # of a call that meets too many others, the first one included
BUSY_WAIT = 5.0  # seconds, doubled each time
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
UNCOUNTED = "Try again later; if it stays so, Salesforce's support wants to know of this query's counts."
NO_JSON = "an answer that is no JSON object"
NO_RECORDS = "records is no list of records"
T = TypeVar("T")

__all__ = ["Field", "NotThere", "Org", "RefusedQuery", "UnknownName", "format_soql"]


@dataclass
class Org:
    """A signed-in org. Describes are asked for once an object; `allowance` is what the last answer said of the day.

    `ahead`: seconds that this machine's clock is before theirs, by their last answer; None: it did not say.
    """

    access: SalesforceAccess
    session: requests.Session
    budget: RequestBudget = field(default_factory=RequestBudget)
    sleep: Callable[[float], None] = time.sleep
    client: Salesforce = field(init=False)
    notices: tuple[str, ...] = ()
    allowance: DailyAllowance | None = None
    ahead: float | None = None
    _described: dict[str, ObjectDescription | None] = field(default_factory=dict)

    @classmethod
    def connect(cls, access: SalesforceAccess, budget: RequestBudget, ca_bundle: Path | None) -> Self:
        """Sign in, once a run; wrong credentials are an AccessError that names their settings."""
        # the data of a bulk job is put there once: writes.py looks at the job before it does so again
        once = frozenset({"PUT"})
        session = requests_adapter.session("salesforce", budget, ca_bundle, remedies=ELSEWHERE, once=once)
        org = cls(access, session, budget)
        org.session.hooks["response"].append(org._note)
        org.notices = (SOAP_ENDS,) if access.way == "soap" else ()
        if access.sessions:
            org._use(SignedIn(*access.sessions[-1]))
        else:
            org.sign_in()
        return org

    def sign_in(self) -> None:
        """Get a new session id, by the way that the settings choose."""
        signed = sign_in(self.access, self.session)
        self.access.sessions[:] = [signed]
        self._use(signed)

    def _use(self, signed: SignedIn) -> None:
        self.client = Salesforce(
            session_id=signed.session_id,
            instance_url=signed.instance,
            version=self.access.api_version,
            session=self.session,
        )

    def _note(self, answer: requests.Response, **_options: Any) -> None:
        self.allowance = DailyAllowance.read(answer.headers.get("Sforce-Limit-Info", "")) or self.allowance
        theirs = http_date(answer.headers.get("Date", ""))
        self.ahead = self.ahead if theirs is None else (datetime.now(UTC) - theirs).total_seconds()

    def describe(self, name: str) -> Mapping[str, Field] | None:
        """The fields of an object that our user can see, by name; None where the object is absent or not readable."""
        found = self.object(name)
        return None if found is None else found.fields

    def object(self, name: str) -> ObjectDescription | None:
        """What describe says of an object, asked for once; None where it is absent or not readable."""
        if name not in self._described:
            self._described[name] = self._describe(name)
        return self._described[name]

    def _describe(self, name: str) -> ObjectDescription | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            address = f"{self.client.base_url}sobjects/{name}/describe"
            found = self.call(f"describing {name}", lambda: self._get(address))
        except NotThere:
            if not any(self._described.values()):
                self._refuse_absent_version()
            return None
        try:
            return described(found)
        except WrongShape as wrong:
            raise UnexpectedAnswer(
                "salesforce", f"describing {name}", f"a field of another type, {wrong}", MISSHAPEN
            ) from None

    def _refuse_absent_version(self) -> None:
        """Say it where the org lacks the API version that is set, since then every address of it is 404.

        An org that doesn't list its versions, or not in a way that we know, is not refused.
        """
        answer = self.session.get(f"https://{self.client.sf_instance}/services/data/", headers=self.client.headers)
        try:
            versions = [float(each["version"]) for each in answer.json()]
        except (ValueError, KeyError, TypeError):
            return
        if versions and float(self.access.api_version) not in versions:
            said = f"HTTP 404, and the org's versions go from {min(versions)} to {max(versions)}"
            remedy = f"Set SALESFORCE_API_VERSION to {max(versions)} or older, or leave it out for {API_VERSION}."
            raise AccessError("salesforce", "using the API version that is set", said, remedy)

    # --- queries ---

    def query(self, soql: str, what: str, *, archived: bool = False) -> Iterator[dict[str, Any]]:
        """Every record of a query, over all pages; `what` names it in messages, since the query itself may not.

        `archived` asks for archived and deleted records, too (`queryAll`). The records are held against `totalSize`:
        an answer with fewer or more, with one twice, or whose place in the org was lost, is asked for once more from
        the start, then refused as UnexpectedAnswer. So nothing is given before all of it came; until then it stays as
        it came, which is a third of what it takes as Python's objects.
        """
        tried = f"querying {what}"
        try:
            records = self._records(soql, tried, archived=archived)
        except (_Uncounted, LostPlace):
            try:
                records = self._records(soql, tried, archived=archived)
            except _Uncounted as again:
                raise UnexpectedAnswer("salesforce", tried, f"{again}, twice", UNCOUNTED) from None
        records.reverse()
        while records:
            yield _record(tried, records.pop())

    def _records(self, soql: str, tried: str, *, archived: bool) -> list[msgspec.Raw]:
        """All records, as many as the first page counts; else _Uncounted."""
        path = "queryAll/" if archived else "query/"
        page = _page(tried, self.call(tried, lambda: self._get_parts(self.client.base_url + path, q=soql)))
        total, found = page.total, page.records
        while not page.done:
            if not page.records or len(found) >= total:
                raise _Uncounted(f"{total:,} records counted, and pages without an end")
            # self.client is looked up at each try, since a new session brings a new one
            following = partial(
                lambda rest: self._get_parts(f"https://{self.client.sf_instance}{rest}"), page.following
            )
            page = _page(tried, self.call(tried, following))
            if page.total != total:
                raise _Uncounted(f"{total:,} records counted on one page, and {page.total:,} on another")
            found += page.records
        if len(found) != total:
            raise _Uncounted(f"{total:,} records counted, and {len(found):,} came")
        if again := _repeated(found):
            raise _Uncounted(f"{total:,} records counted, and {again:,} of them came again in place of others")
        return found

    def count(self, soql: str, what: str) -> int:
        """How many records a `SELECT COUNT()` finds."""
        tried = f"counting {what}"
        found = self.call(tried, lambda: self._get(self.client.base_url + "query/", q=soql))
        total = whole(found.get("totalSize")) if isinstance(found, dict) else None
        if total is None:
            raise UnexpectedAnswer("salesforce", tried, "totalSize is no whole number")
        return total

    def _get(self, url: str, **params: str) -> Any:
        """The decoded answer of an address. The client's own decoder takes several times as long."""
        return msgspec.json.decode(self._content(url, **params))

    def _get_parts(self, url: str, **params: str) -> dict[str, msgspec.Raw]:
        """The answer of an address, each of its values as it came."""
        return _PARTS.decode(self._content(url, **params))

    def _content(self, url: str, **params: str) -> bytes:
        client = self.client
        content: bytes = call_salesforce(url, "GET", client.session, dict(client.headers), params=params).content
        return content

    def call(self, tried: str, work: Callable[[], T]) -> Any:
        """Do it; where the session has ended, sign in once more and do it again."""
        try:
            try:
                return self._patiently(work)
            except SalesforceExpiredSession as error:
                if code_of(error) != "INVALID_SESSION_ID":
                    raise
                self.sign_in()
                return self._patiently(work)
        except SalesforceError as error:
            raise translated(tried, error) from None
        except (
            ValueError,
            TypeError,
            RecursionError,
            msgspec.DecodeError,
        ):  # the client takes any success for a JSON object or list
            raise UnexpectedAnswer("salesforce", tried, NO_JSON) from None

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it, and again after a wait where too many long calls run in the org."""
        for attempt in range(1, BUSY_TRIES):
            try:
                return work()
            except SalesforceRefusedRequest as error:
                if not is_busy(error):
                    raise
            self.sleep(backoff(BUSY_WAIT, attempt, random.random(), spread=1.0))  # noqa: S311
        return work()


class _Uncounted(Exception):
    """The records that came aren't those that were counted."""


class _Identified(msgspec.Struct):
    Id: str = ""


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_IDENTIFIED = msgspec.json.Decoder(_Identified)
_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class _Page:
    total: int
    done: bool
    following: str
    records: list[msgspec.Raw]


def _page(tried: str, parts: Mapping[str, msgspec.Raw]) -> _Page:
    """A page of a query, in the shape that it must have."""
    try:
        total, done, following = (
            msgspec.json.decode(parts.get(name, b"null")) for name in ("totalSize", "done", "nextRecordsUrl")
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnexpectedAnswer("salesforce", tried, NO_JSON) from None
    count = whole(total)
    if count is None:
        raise UnexpectedAnswer("salesforce", tried, "totalSize is no whole number")
    if not isinstance(done, bool):
        raise UnexpectedAnswer("salesforce", tried, "done is neither true nor false")
    try:
        records = _RECORDS.decode(parts.get("records", b"null"))
    except (msgspec.DecodeError, RecursionError):
        raise UnexpectedAnswer("salesforce", tried, NO_RECORDS) from None
    if not done and not (isinstance(following, str) and following.startswith("/")):
        raise UnexpectedAnswer("salesforce", tried, "a page that doesn't lead to the next one")
    return _Page(count, done, str(following), records)


def _repeated(records: Iterable[msgspec.Raw]) -> int:
    """How many records came before already; a sum or a record whose id is none is not told apart here."""
    seen: set[str] = set()
    again = 0
    for each in records:
        try:
            identifier = _IDENTIFIED.decode(each).Id[:15]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # who reads the record says so
        again += bool(identifier) and identifier in seen
        seen.add(identifier)
    return again


def _record(tried: str, came: msgspec.Raw) -> dict[str, Any]:
    """A record of a page without what it and its parents say of their own addresses, which would be most of it."""
    try:
        record = msgspec.json.decode(came)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnexpectedAnswer("salesforce", tried, NO_JSON) from None
    if not isinstance(record, dict):
        raise UnexpectedAnswer("salesforce", tried, NO_RECORDS)
    record.pop("attributes", None)
    for value in record.values():
        if isinstance(value, dict):
            value.pop("attributes", None)
    return record


def whole(value: Any) -> int | None:
    """A count: a whole number that isn't negative, also written 5.0 or "5"; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = re.fullmatch(r"(\d{1,18})(\.0+)?", str(value), re.ASCII)
    return int(match[1]) if match else None

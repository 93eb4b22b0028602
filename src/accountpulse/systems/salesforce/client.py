"""The one wrapper of simple_salesforce, for the extractor and the loader.

Signing in, time limits and repeats are ours (sign_in.py, requests_adapter.py); queries, paging and the quoting of
values are the client's.
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceRefusedRequest,
)
from simple_salesforce.format import format_soql

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.http.retry import backoff, http_date
from accountpulse.systems.salesforce.errors import NotThere, UnknownName, code_of, is_busy, translated
from accountpulse.systems.salesforce.limits import DailyAllowance
from accountpulse.systems.salesforce.schema import Field, fields_of
from accountpulse.systems.salesforce.settings import SalesforceAccess
from accountpulse.systems.salesforce.sign_in import SOAP_ENDS, SignedIn, sign_in

BUSY_TRIES = 4  # of a call that meets too many others, the first one included
BUSY_WAIT = 5.0  # seconds, doubled each time
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
T = TypeVar("T")

__all__ = ["Field", "NotThere", "Org", "UnknownName", "format_soql"]


@dataclass
class Org:
    """A signed-in org. Describes are asked for once an object; `allowance` is what the last answer said of the day.

    `ahead`: seconds that this machine's clock is before theirs, by their last answer; None: it did not say.
    """

    access: SalesforceAccess
    session: requests.Session
    sleep: Callable[[float], None] = time.sleep
    client: Salesforce = field(init=False)
    notices: tuple[str, ...] = ()
    allowance: DailyAllowance | None = None
    ahead: float | None = None
    _described: dict[str, dict[str, Field] | None] = field(default_factory=dict)

    @classmethod
    def connect(cls, access: SalesforceAccess, budget: RequestBudget, ca_bundle: Path | None) -> Self:
        """Sign in, once a run; wrong credentials are an AccessError that names their settings."""
        org = cls(access, requests_adapter.session("salesforce", budget, ca_bundle))
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
        try:
            return fields_of(found)
        except (KeyError, TypeError, AttributeError):
            raise UnexpectedAnswer("salesforce", f"describing {name}", "no list of fields") from None

    def query(self, soql: str, what: str) -> Iterator[Mapping[str, Any]]:
        """Every record of a query, over all pages; `what` names it in messages, since the query itself may not."""
        tried = f"querying {what}"
        page = _page(tried, self.call(tried, lambda: self.client.query(soql)))
        seen: set[str] = set()
        while True:
            yield from page["records"]
            if page["done"]:
                return
            following = page.get("nextRecordsUrl")
            if not following or following in seen:
                raise UnexpectedAnswer("salesforce", tried, "a page that doesn't lead to the next one")
            seen.add(following)
            # self.client is looked up at each try, since a new session brings a new one
            page = _page(tried, self.call(tried, partial(lambda url: self.client.query_more(url, True), following)))

    def count(self, soql: str, what: str) -> int:
        """How many records a `SELECT COUNT()` finds."""
        return int(self.call(f"counting {what}", lambda: self.client.query(soql))["totalSize"])

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
        except ValueError:  # the client takes the body of any success for JSON
            raise UnexpectedAnswer("salesforce", tried, "an answer that is no JSON") from None

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


def _page(tried: str, page: Any) -> dict[str, Any]:
    """A page of a query, in the shape that it must have."""
    shaped = isinstance(page, dict) and isinstance(page.get("records"), list) and isinstance(page.get("done"), bool)
    if not shaped:
        raise UnexpectedAnswer("salesforce", tried, "no page of records")
    return dict(page)

"""Our errors for what the org and its client say. The client's own texts hold the query, so only codes are taken."""

import re
from typing import Any

from simple_salesforce.exceptions import SalesforceError

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer

MAPPING = "Check the names and `where` texts under salesforce: in accountpulse.yaml."
ALLOWANCE = "The org's API calls of the day are used up; they come back over 24 hours."
BUSY = "Too many long calls run in the org at once. Try again later."
WIDE = (
    "The query took the org too long. Narrow the `where` text of this object in accountpulse.yaml, or index its fields."
)
LONG = "The query is longer than an address may be (16,384 bytes). Shorten the `where` text in accountpulse.yaml."
PERMISSIONS = "Check the user's permissions, and that its session may use the API."
GONE = "It doesn't exist, or our user may not see it."
DELETED = "The record was deleted while it was being read. Run again."
LOST = "The org lost the place in the list. Run again."
LOCKED_ROW = "Somebody else is writing to the same records. Run again."
NO_API = (
    "The org's edition has no API: it takes Enterprise, Unlimited, Performance or Developer Edition, or Professional "
    "with API access."
)
PAUSED = "Salesforce has switched the org's API off for now. See its status page, and run again later."
EXPIRED = "The user's password has expired: set a new one, and SALESFORCE_PASSWORD to it."
ORG_CLOSED = "The org is locked, suspended or its trial is over: ask Salesforce."
VERSION = "The org has no such API version: set SALESFORCE_API_VERSION to one that it has, or leave it out."
NO_ROUTE = "Salesforce knows no org at this address: check SALESFORCE_DOMAIN and SALESFORCE_LOGIN_URL."

BY_STATUS = {401: PERMISSIONS, 403: PERMISSIONS, 410: VERSION, 414: LONG, 420: NO_ROUTE, 431: LONG}
# what only an administrator can mend, by the org's own code: REST API Developer Guide, "Status Codes and Error
# Responses"; SOAP API Developer Guide, "ExceptionCode"
REFUSALS = {
    "API_DISABLED_FOR_ORG": NO_API,
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": EXPIRED,
    "INVALID_QUERY_FILTER_OPERATOR": MAPPING,
    "INVALID_QUERY_SCOPE": MAPPING,
    "MALFORMED_ID": MAPPING,
    "MALFORMED_QUERY": MAPPING,
    "ORG_LOCKED": ORG_CLOSED,
    "PASSWORD_EXPIRED": EXPIRED,
    "TRIAL_EXPIRED": ORG_CLOSED,
    "UNSUPPORTED_API_VERSION": VERSION,
}
# what passes
TROUBLES = {
    "API_CURRENTLY_DISABLED": PAUSED,
    "ENTITY_IS_DELETED": DELETED,
    "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE": PAUSED,
    "QUERY_TIMEOUT": WIDE,
    "QUERY_TOO_COMPLICATED": WIDE,
    "OPERATION_TOO_LARGE": WIDE,
    "REQUEST_RUNNING_TOO_LONG": WIDE,
    "SERVER_UNAVAILABLE": PAUSED,
    "UNABLE_TO_LOCK_ROW": LOCKED_ROW,
}
PLACE = ("INVALID_QUERY_LOCATOR", "QUERY_CURSOR_EXPIRED")
NAMES = ("INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE")


class NotThere(AccessError):
    """The object, record or address doesn't exist, or our user may not see it."""


class UnknownName(AccessError):
    """A query names an object or field that is absent, or that our user may not see."""


class RefusedQuery(AccessError):
    """The org doesn't take a query's text: its `where`, or a value in it."""


class TookTooLong(SourceUnavailable):
    """The org gave up on a query, since it was too long or looked at too much."""


class LostPlace(SourceUnavailable):
    """The org doesn't know any more where the pages of a query go on."""


def code_of(error: SalesforceError) -> str:
    """The org's error code, empty where there is none."""
    return safe(str(_first(error).get("errorCode", "")))


def is_busy(error: SalesforceError) -> bool:
    """Too many long calls at once: it passes, unlike the day's limit, which has the same code."""
    return code_of(error) == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" in str(_first(error).get("message", ""))


def translated(tried: str, error: SalesforceError) -> AccountpulseError:
    """The error of ours that says what the reader can do; `tried` is what was asked for.

    The org's own code decides; the status does where there is none, or none that we know.
    """
    code, status = code_of(error), error.status
    kind, remedy = _by_code(code, error) or _by_status(code, status)
    return kind("salesforce", tried, code or f"HTTP {status}", remedy)


Judged = tuple[type[AccessError] | type[SourceUnavailable], str]


def _by_code(code: str, error: SalesforceError) -> Judged | None:
    if code == "REQUEST_LIMIT_EXCEEDED":
        return SourceUnavailable, BUSY if is_busy(error) else ALLOWANCE
    if code in PLACE:
        return LostPlace, LOST
    if code in TROUBLES:
        return (TookTooLong if TROUBLES[code] is WIDE else SourceUnavailable), TROUBLES[code]
    if code in NAMES:
        return UnknownName, MAPPING
    if code in REFUSALS:
        return (RefusedQuery if REFUSALS[code] is MAPPING else AccessError), REFUSALS[code]
    return None


def _by_status(code: str, status: int) -> Judged:
    if code.startswith("INSUFFICIENT_ACCESS"):
        return AccessError, PERMISSIONS
    if status == 404:
        return NotThere, GONE
    return (AccessError, BY_STATUS[status]) if status in BY_STATUS else (UnexpectedAnswer, "Try again later.")


def safe(code: str) -> str:
    """An error code is letters and underscores; anything else might be text of somebody's."""
    return code if re.fullmatch(r"[\w.: -]{1,60}", code, re.ASCII) else ""


def _first(error: SalesforceError) -> dict[str, Any]:
    content: Any = error.content[0] if isinstance(error.content, list) and error.content else {}
    return content if isinstance(content, dict) else {}

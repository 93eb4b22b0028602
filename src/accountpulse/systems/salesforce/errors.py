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

BY_STATUS = {401: PERMISSIONS, 403: PERMISSIONS, 414: LONG, 431: LONG}


class NotThere(AccessError):
    """The object, record or address doesn't exist, or our user may not see it."""


class UnknownName(AccessError):
    """A query names an object or field that is absent, or that our user may not see."""


def code_of(error: SalesforceError) -> str:
    """The org's error code, empty where there is none."""
    return safe(str(_first(error).get("errorCode", "")))


def is_busy(error: SalesforceError) -> bool:
    """Too many long calls at once: it passes, unlike the day's limit, which has the same code."""
    return code_of(error) == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" in str(_first(error).get("message", ""))


def translated(tried: str, error: SalesforceError) -> AccountpulseError:
    """The error of ours that says what the reader can do; `tried` is what was asked for."""
    code, status = code_of(error), error.status
    answer = code or f"HTTP {status}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        return SourceUnavailable("salesforce", tried, answer, BUSY if is_busy(error) else ALLOWANCE)
    if code in ("QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED"):
        return SourceUnavailable("salesforce", tried, answer, WIDE)
    if code in ("INVALID_FIELD", "INVALID_TYPE"):
        return UnknownName("salesforce", tried, answer, MAPPING)
    if status == 404:
        return NotThere("salesforce", tried, answer, GONE)
    remedy = MAPPING if code in ("MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR") else BY_STATUS.get(status)
    if remedy is not None:
        return AccessError("salesforce", tried, answer, remedy)
    return UnexpectedAnswer("salesforce", tried, answer)


def safe(code: str) -> str:
    """An error code is letters and underscores; anything else might be text of somebody's."""
    return code if re.fullmatch(r"[\w.: -]{1,60}", code, re.ASCII) else ""


def _first(error: SalesforceError) -> dict[str, Any]:
    content: Any = error.content[0] if isinstance(error.content, list) and error.content else {}
    return content if isinstance(content, dict) else {}

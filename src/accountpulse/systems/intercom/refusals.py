"""What a refusal of Intercom means: its own code decides before the status does.

https://developers.intercom.com/docs/references/rest-api/errors/error-codes
"""

from collections.abc import Mapping

import msgspec

from accountpulse.core.errors import AccessError, AccountpulseError, UnexpectedAnswer
from accountpulse.http.client import Refusal
from accountpulse.systems.intercom.settings import VERSIONS
from accountpulse.systems.intercom.wire import IntercomStruct

_CREDENTIALS = "Check INTERCOM_API_TOKEN, and that INTERCOM_BASE_URL is the host of its region."
_REPLACE = "Make a new token in Intercom's Developer Hub and set INTERCOM_API_TOKEN."
_PERMISSION = "Give the app of INTERCOM_API_TOKEN the permission to read {noun}."
_PLAN = "The workspace's plan doesn't include this part of the API: ask Intercom, or take INTERCOM_API_TOKEN away."
_VERSION = f"Set INTERCOM_VERSION to one that the workspace has ({VERSIONS[0]} to {VERSIONS[-1]})."
_REPORT = "Please report it: this version asks for something that Intercom doesn't take."

REMEDIES: Mapping[int, str] = {
    401: _CREDENTIALS,
    402: _PLAN,
    403: _PERMISSION.format(noun="conversations, contacts and companies"),
}
_BY_CODE: Mapping[str, str] = {
    "unauthorized": _CREDENTIALS,
    "token_unauthorized": _CREDENTIALS,
    "token_not_found": _CREDENTIALS,
    "token_blocked": _REPLACE,
    "token_expired": _REPLACE,
    "token_revoked": _REPLACE,
    "token_suspended": "Intercom has suspended the token or its app: ask the workspace's admin, or Intercom.",
    "app_suspended": "Intercom has suspended the workspace or the app: ask the workspace's admin, or Intercom.",
    "forbidden": _PERMISSION,
    "action_forbidden": _PERMISSION,
    "insufficient_scope": _PERMISSION,
    "scope_missing": _PERMISSION,
    "api_plan_restricted": _PLAN,
    "intercom_version_invalid": _VERSION,
}
_OUR_QUERY = frozenset(
    {"parameter_invalid", "parameter_not_found", "client_error", "invalid_field", "field_not_found", "bad_request"}
)
_NOUNS: Mapping[str, str] = {  # what a permission is asked for, by the first part of the path
    "conversations": "conversations",
    "contacts": "contacts",
    "companies": "companies",
    "data_attributes": "attributes",
    "tags": "tags",
    "teams": "teams",
}


class _Error(IntercomStruct):
    code: str | None = None
    field: str | None = None


class _ErrorList(IntercomStruct):
    errors: list[_Error]


_ERRORS = msgspec.json.Decoder(_ErrorList)


def cause(refusal: Refusal) -> AccountpulseError | None:
    """The error that Intercom's own code names; None: it names none, or one that the status says as well."""
    error = _first(refusal.body)
    if error is None or error.code is None:
        return None
    answer = f"HTTP {refusal.status}, {error.code}"
    if error.code in _BY_CODE:
        remedy = _BY_CODE[error.code].format(noun=_noun(refusal.tried))
        return AccessError("intercom", refusal.tried, answer, remedy)
    if error.code in _OUR_QUERY:
        field = f", field {error.field}" if error.field else ""
        return UnexpectedAnswer("intercom", refusal.tried, answer + field, _REPORT)
    return None


def _first(body: bytes) -> _Error | None:
    try:
        return next(iter(_ERRORS.decode(body).errors), None)
    except (msgspec.DecodeError, RecursionError):  # a proxy's page, or nothing
        return None


def _noun(tried: str) -> str:
    """What was asked for, from `POST /contacts/search`."""
    part = tried.partition("/")[2].partition("/")[0].partition("?")[0]
    return _NOUNS.get(part, "conversations, contacts and companies")

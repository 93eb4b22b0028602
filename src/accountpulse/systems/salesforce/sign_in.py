"""Signing in to Salesforce: ours, since its client's own sign-in has no time limit and can repeat without end.

Each way asks once: a wrong credential that is tried again can lock the user out.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import requests

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer
from accountpulse.core.secret import Secret, learn_tokens
from accountpulse.systems.salesforce.errors import safe
from accountpulse.systems.salesforce.settings import SalesforceAccess

SOAP_VERSION = "64.0"  # the last version that has login(); the REST version is a setting of its own
SOAP_ENDS = (
    "signed in with username and password by SOAP login(), which Salesforce ends with Summer '27; "
    "use SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET of an external client app"
)
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFE = timedelta(minutes=3)  # Salesforce refuses more than five
PRODUCTION, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
TRIED = "signing in"
NO_FAULT = ("", "None", "UNKNOWN_EXCEPTION_CODE")  # what the client has for a code where the answer has none
NOWHERE = (404, 405, 410, 420)  # no org answers there: REST API Developer Guide, "Status Codes and Error Responses"
ONCE = "It was tried once."
USER_REMEDY = f"Check SALESFORCE_USERNAME, SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN. {ONCE}"
APP_REMEDY = (
    "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, and that SALESFORCE_LOGIN_URL is the org's My Domain."
)
KEY_REMEDY = (
    "Check SALESFORCE_CLIENT_ID and SALESFORCE_USERNAME, that SALESFORCE_PRIVATE_KEY belongs to the app's certificate, "
    "and this machine's clock."
)
PERMITTED = "Ask the org's administrator to let the user of SALESFORCE_USERNAME in from this address and at this hour."
EXPIRED = "The password has expired: set a new one in the org, and SALESFORCE_PASSWORD to it."
UNLOCK = "The user is locked out: wait, or ask the org's administrator to unlock it."
CLOSED = "The org is locked, suspended or its trial is over: ask Salesforce."
NO_API = "The org's edition has no API: it takes Enterprise, Unlimited, Performance or Developer Edition."
NO_SOAP = (
    "The org has switched SOAP login() off. Have its administrator enable it, or use an external client app: "
    "SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET or SALESFORCE_PRIVATE_KEY."
)
ANY_AUTH = (
    'The user may not sign in by SOAP login(): give it the permission "Use Any API Auth", or use an external client '
    "app: SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET or SALESFORCE_PRIVATE_KEY."
)
NO_ORG = (
    "There is no org to sign in to at this address: check SALESFORCE_DOMAIN and SALESFORCE_LOGIN_URL "
    "(Setup → My Domain shows the right one)."
)
# what a SOAP fault means; SOAP API Developer Guide, "ExceptionCode"
FAULTS = {
    "API_DISABLED_FOR_ORG": NO_API,
    "CLIENT_NOT_ACCESSIBLE_FOR_USER": ANY_AUTH,
    "FUNCTIONALITY_NOT_ENABLED": NO_SOAP,
    "INSUFFICIENT_ACCESS": ANY_AUTH,
    "INVALID_OPERATION": NO_SOAP,
    "LOGIN_CHALLENGE_ISSUED": PERMITTED,
    "LOGIN_CHALLENGE_PENDING": PERMITTED,
    "LOGIN_DURING_RESTRICTED_DOMAIN": PERMITTED,
    "LOGIN_DURING_RESTRICTED_TIME": PERMITTED,
    "LOGIN_MUST_USE_SECURITY_TOKEN": (
        "Set SALESFORCE_SECURITY_TOKEN: from this address Salesforce wants it after the password. A new password makes "
        "a new token, which is mailed to the user."
    ),
    "ORG_LOCKED": CLOSED,
    "PASSWORD_EXPIRED": EXPIRED,
    "PASSWORD_LOCKOUT": UNLOCK,
    "TRIAL_EXPIRED": CLOSED,
    "UNSUPPORTED_API_VERSION": NO_SOAP,
    "UNSUPPORTED_CLIENT": NO_SOAP,
    "USER_LOCKED": UNLOCK,
}
# what passes, of both ways
PASSING = {
    "API_CURRENTLY_DISABLED": "Salesforce has switched the org's API off for now. Try again later.",
    "LOGIN_RATE_EXCEEDED": "The user has signed in too often (3,600 times an hour). Try again in an hour.",
    "SERVER_UNAVAILABLE": "Try again later.",
    "rate_limit_exceeded": "The user has signed in too often. Try again in an hour.",
    "server_error": "Try again later.",
    "temporarily_unavailable": "Try again later.",
}
# what the token endpoint says by code where its words say no more; Salesforce help, "OAuth 2.0 Error Codes"
CODES = {
    "inactive_org": CLOSED,
    "inactive_user": "The app's user is not active: ask the org's administrator.",
    "invalid_app_access": "Allow the app to the user by a permission set.",
    "unsupported_grant_type": "Enable this flow in the external client app, or use another way to sign in.",
}
# what the token endpoint says in words, and what to do about it; other words are not repeated
SPOKEN = {
    "user hasn't approved this consumer": "Allow the app to the user of SALESFORCE_USERNAME by a permission set.",
    "audience is invalid": "For a sandbox set SALESFORCE_DOMAIN to test, or to the sandbox's My Domain.",
    "request not supported on this domain": "Set SALESFORCE_DOMAIN or SALESFORCE_LOGIN_URL to the org's My Domain.",
    "user is not admin approved to access this app": "Allow the app to the user by a permission set.",
    "ip restricted": "The org lets the app's user in from other addresses only: relax the app's IP restrictions.",
    "inactive user": "The app's user is not active: ask the org's administrator.",
    "inactive organization": CLOSED,
    "login rate exceeded": "The user has signed in too often. Try again in an hour.",
    "expired authorization code": "Set this machine's clock (NTP): the claim that it signed was not valid any more.",
    "no client credentials user enabled": "Name a run-as user in the app's client credentials policy.",
}


class SignedIn(NamedTuple):
    """A session, and the address that it is good for."""

    session_id: str
    instance: str


def sign_in(access: SalesforceAccess, session: requests.Session) -> SignedIn:
    """A new session by the way that the settings choose; wrong credentials are an AccessError that names them."""
    ways = {"jwt": _jwt, "client credentials": _client_credentials, "soap": _soap}
    signed = ways[access.way](access, session)
    Secret(signed.session_id)  # whoever repeats it, it stays inside
    return signed


def announcement(access: SalesforceAccess) -> str:
    """For the start of a run: which way was chosen."""
    return {
        "jwt": "signing in to Salesforce by JWT bearer (SALESFORCE_PRIVATE_KEY)",
        "client credentials": "signing in to Salesforce by client credentials (SALESFORCE_CLIENT_ID)",
        "soap": "signing in to Salesforce by SOAP login() (SALESFORCE_USERNAME), which ends with Summer '27",
    }[access.way]


def _soap(access: SalesforceAccess, session: requests.Session) -> SignedIn:
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    from simple_salesforce.login import SalesforceLogin

    statuses: list[int] = []

    def note(answer: requests.Response, **_options: Any) -> None:
        statuses.append(answer.status_code)
        learn_tokens(answer.text)

    Secret(f"{_text(access.password)}{_text(access.security_token)}")  # as SOAP sends them
    session.hooks["response"].append(note)  # the client doesn't tell it
    try:
        session_id, instance = SalesforceLogin(
            username=access.username,
            password=_text(access.password),
            security_token=_text(access.security_token),
            sf_version=SOAP_VERSION,
            session=session,
            scratch_url=access.login_url,
        )
    except SalesforceAuthenticationFailed as error:
        raise _fault(error, statuses[-1]) from None
    except (
        ExpatError,
        AttributeError,
        TypeError,
        ValueError,
        RecursionError,
    ):  # the client reads the answer without a check of its own
        raise UnexpectedAnswer("salesforce", TRIED, "an answer that is no SOAP message") from None
    finally:
        session.hooks["response"].remove(note)
    return SignedIn(session_id, f"https://{instance}")


def _fault(error: Exception, status: int) -> AccountpulseError:
    """What a SOAP fault means, and what to do. Its code stands in its detail, else in its words."""
    if status in NOWHERE:
        return _not_there(status)
    code = safe(str(getattr(error, "code", ""))).rpartition(":")[2]
    words = set(re.findall(r"[A-Z_]{6,}", str(getattr(error, "auth_message", ""))))
    if code not in FAULTS | PASSING:
        code = next((each for each in (*FAULTS, *PASSING) if each in words), code)
    if code in PASSING:
        return SourceUnavailable("salesforce", TRIED, code, PASSING[code])
    if code in NO_FAULT or code == str(status):
        return UnexpectedAnswer("salesforce", TRIED, f"HTTP {status} without a SOAP fault")
    remedy = f"{FAULTS[code]} {ONCE}" if code in FAULTS else USER_REMEDY
    return AccessError("salesforce", TRIED, code if code not in ("", "None") else "refused", remedy)


def _not_there(status: int) -> AccessError:
    return AccessError("salesforce", TRIED, f"HTTP {status}", NO_ORG)


def _client_credentials(access: SalesforceAccess, session: requests.Session) -> SignedIn:
    secret = (_text(access.client_id), _text(access.client_secret))
    return _token(access, session, APP_REMEDY, {"grant_type": "client_credentials"}, secret)


def _jwt(access: SalesforceAccess, session: requests.Session) -> SignedIn:
    form = {"grant_type": JWT_GRANT, "assertion": _assertion(access, datetime.now(UTC))}
    return _token(access, session, KEY_REMEDY, form, None)


def _assertion(access: SalesforceAccess, now: datetime) -> str:
    """The signed claim to be the user. RFC 7523; Salesforce help, "OAuth 2.0 JWT Bearer Flow"."""
    import jwt

    claims = {
        "iss": _text(access.client_id),
        "sub": access.username,
        "aud": audience(access.login_url),
        "exp": now + JWT_LIFE,
    }
    try:
        return Secret(jwt.encode(claims, _text(access.private_key), algorithm="RS256")).reveal()
    except (jwt.PyJWTError, ValueError, TypeError):
        remedy = "SALESFORCE_PRIVATE_KEY is not an RSA key in PEM form without a passphrase."
        raise AccessError("salesforce", TRIED, "the key can't be read", remedy) from None


def audience(login_url: str) -> str:
    """Whom the claim is for: Salesforce's production or its sandboxes, whatever host answers for them."""
    host = urlsplit(login_url).hostname or ""
    return SANDBOX if host == "test.salesforce.com" or ".sandbox." in host else PRODUCTION


def _token(
    access: SalesforceAccess,
    session: requests.Session,
    remedy: str,
    form: Mapping[str, str],
    auth: tuple[str, str] | None,
) -> SignedIn:
    """Ask the token endpoint. Errors are an object `{error, error_description}`, whose description may be missing."""
    answer = session.post(f"{access.login_url}/services/oauth2/token", data=form, auth=auth)
    learn_tokens(answer.text)
    if answer.status_code in NOWHERE:
        raise _not_there(answer.status_code)
    try:
        body: Any = answer.json()
        if answer.status_code == 200:
            return SignedIn(_word(body, "access_token"), _address(_word(body, "instance_url")))
        code, words = _word(body, "error"), str(body.get("error_description", "")).lower()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnexpectedAnswer("salesforce", TRIED, f"HTTP {answer.status_code} without a token") from None
    spoken = next((text for text in SPOKEN if re.search(rf"\b{re.escape(text)}", words)), None)
    said = f"{safe(code) or answer.status_code}{f': {spoken}' if spoken else ''}"
    if code in PASSING:
        raise SourceUnavailable("salesforce", TRIED, said, PASSING[code])
    raise AccessError("salesforce", TRIED, said, f"{SPOKEN.get(spoken or '') or CODES.get(code, remedy)} {ONCE}")


def _word(body: Mapping[str, Any], name: str) -> str:
    """A text of the answer; TypeError where it is none."""
    value = body[name]
    if not (isinstance(value, str) and value):
        raise TypeError(name)
    return value


def _address(text: str) -> str:
    """The address of an org: blanks around it don't matter. ValueError where it is none."""
    found = urlsplit(text.strip())
    if found.scheme.lower() not in ("http", "https") or not found.hostname or (found.port or 443) < 1:
        raise ValueError
    return found.geturl()


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""

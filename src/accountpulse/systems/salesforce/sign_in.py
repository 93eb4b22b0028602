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

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.core.secret import Secret
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
ONCE = "It was tried once."
USER_REMEDY = f"Check SALESFORCE_USERNAME, SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN. {ONCE}"
APP_REMEDY = (
    "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, and that SALESFORCE_LOGIN_URL is the org's My Domain."
)
KEY_REMEDY = (
    "Check SALESFORCE_CLIENT_ID and SALESFORCE_USERNAME, that SALESFORCE_PRIVATE_KEY belongs to the app's certificate, "
    "and this machine's clock."
)
# what the token endpoint says in words, and what to do about it; other words are not repeated
SPOKEN = {
    "user hasn't approved this consumer": "Allow the app to the user of SALESFORCE_USERNAME by a permission set.",
    "audience is invalid": "For a sandbox set SALESFORCE_DOMAIN to test, or to the sandbox's My Domain.",
    "request not supported on this domain": "Set SALESFORCE_DOMAIN or SALESFORCE_LOGIN_URL to the org's My Domain.",
    "no client credentials user enabled": "Name a run-as user in the app's client credentials policy.",
}


class SignedIn(NamedTuple):
    """A session, and the address that it is good for."""

    session_id: str
    instance: str


def sign_in(access: SalesforceAccess, session: requests.Session) -> SignedIn:
    """A new session by the way that the settings choose; wrong credentials are an AccessError that names them."""
    ways = {"jwt": _jwt, "client credentials": _client_credentials, "soap": _soap}
    return ways[access.way](access, session)


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
        code = safe(str(getattr(error, "code", ""))) or "refused"
        raise AccessError("salesforce", TRIED, code, USER_REMEDY) from None
    except (ExpatError, AttributeError, TypeError):  # the client reads the answer without a check of its own
        raise UnexpectedAnswer("salesforce", TRIED, "an answer that is no SOAP message") from None
    return SignedIn(session_id, f"https://{instance}")


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
        return jwt.encode(claims, _text(access.private_key), algorithm="RS256")
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
    try:
        body: Any = answer.json()
        if answer.status_code == 200:
            return SignedIn(str(body["access_token"]), str(body["instance_url"]))
        code, words = str(body["error"]), str(body.get("error_description", "")).lower()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnexpectedAnswer("salesforce", TRIED, f"HTTP {answer.status_code} without a token") from None
    spoken = next((text for text in SPOKEN if re.search(rf"\b{re.escape(text)}", words)), None)
    said = f"{safe(code) or answer.status_code}{f': {spoken}' if spoken else ''}"
    raise AccessError("salesforce", TRIED, said, f"{SPOKEN.get(spoken or '', remedy)} {ONCE}")


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""

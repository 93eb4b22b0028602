"""What Jira's own words and headers say of a refusal, before its status does."""

import json
import re
from urllib.parse import urlsplit

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable
from accountpulse.http.client import Refusal

REMEDIES = {
    401: "Check JIRA_API_TOKEN (Cloud tokens end after at most a year) and, for Cloud, JIRA_EMAIL; scoped tokens work "
    "only with a JIRA_BASE_URL at api.atlassian.com/ex/jira/<cloud id>.",
    403: "Let the user of JIRA_API_TOKEN browse the projects, or unlock it by signing in once.",
}
_UNLOCK = "Sign in once in a browser as the user of JIRA_API_TOKEN and solve the CAPTCHA."
_SCOPES = "Make JIRA_API_TOKEN with the scopes read:jira-work and read:jira-user."
_NO_FIELD = re.compile(
    r"[Ff]ield '?([^']*?)'? (?:does not exist|cannot be viewed|could not be found)|not have permission to view"
)
_SHOWN_FIELDS = re.compile(r"[A-Za-z]{2,30}|cf\[\d+\]")  # names of fields as queries have them; never a value


def cause(refusal: Refusal) -> AccountpulseError | None:
    """The error that a refusal's own words mean; None: its status says all."""
    headers = {name.lower(): value for name, value in refusal.headers.items()}
    words = _words(refusal.body)
    if 300 <= refusal.status < 400:
        return _redirected(refusal, headers.get("location", ""))
    if "site temporarily unavailable" in words.casefold():
        remedy = "The site is suspended or was taken away: look at its subscription at admin.atlassian.com."
        return SourceUnavailable("jira", refusal.tried, f"HTTP {refusal.status}: site unavailable", remedy)
    if refusal.status in (401, 403):
        return _not_let_in(refusal, headers, words)
    return _of_address(refusal, headers, words)


def _of_address(refusal: Refusal, headers: dict[str, str], words: str) -> AccountpulseError | None:
    """What a refusal says of the address, or of the fields that a query names."""
    if refusal.status == 404 and _is_page(headers, refusal.body):
        remedy = "Check JIRA_BASE_URL: it may lack Jira's own path (https://host/jira), or name another product."
        return AccessError("jira", refusal.tried, "HTTP 404: a web page instead of JSON", remedy)
    if refusal.status == 410:
        remedy = "Atlassian has taken this address away (CHANGE-2046): look for a newer release of accountpulse."
        return AccessError("jira", refusal.tried, "HTTP 410: removed", remedy)
    if refusal.status == 400 and (match := _NO_FIELD.search(words)) is not None:
        name = match[1] if match[1] and _SHOWN_FIELDS.fullmatch(match[1]) else "a field of the query"
        remedy = "Let the user of JIRA_API_TOKEN see it (field configuration, permissions), or change `jira:`."
        return AccessError("jira", refusal.tried, f"HTTP 400: {name} does not exist or may not be seen", remedy)
    return None


def _not_let_in(refusal: Refusal, headers: dict[str, str], words: str) -> AccountpulseError | None:
    reason = headers.get("x-seraph-loginreason", "").upper()
    denied = headers.get("x-authentication-denied-reason", "").upper()
    answer = f"HTTP {refusal.status}"
    if "CAPTCHA" in reason + denied or "AUTHENTICATION_DENIED" in reason or "captcha" in words.casefold():
        return AccessError("jira", refusal.tried, f"{answer}: locked after failed sign-ins", _UNLOCK)
    if "scope does not match" in words.casefold():
        return AccessError("jira", refusal.tried, f"{answer}: the token's scopes don't cover this", _SCOPES)
    if "AUTHENTICATED_FAILED" in reason:
        return AccessError("jira", refusal.tried, f"{answer}: the credentials are wrong or have ended", REMEDIES[401])
    return None


def _redirected(refusal: Refusal, location: str) -> AccountpulseError:
    parts = urlsplit(location)
    signs_in = "login" in parts.path.casefold() or (parts.hostname or "").startswith(("id.", "login.", "sso."))
    where = "a sign-in page" if signs_in else "another address"
    remedy = "Check JIRA_BASE_URL: the site has another address, or a sign-in page stands before its REST interface."
    return AccessError("jira", refusal.tried, f"HTTP {refusal.status}: sent to {where}", remedy)


def _is_page(headers: dict[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "").casefold() or body.lstrip()[:1] == b"<"


def _words(body: bytes) -> str:
    """The messages of a refusal; of a page that is none of Jira's JSON, its beginning."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return body[:2000].decode("utf-8", "replace")
    if not isinstance(content, dict):
        return ""
    listed, errors = content.get("errorMessages"), content.get("errors")
    texts = [*(listed if isinstance(listed, list) else ()), *(errors.values() if isinstance(errors, dict) else ())]
    said = [*texts, content.get("message"), content.get("errorMessage")]
    return " ".join(text for text in said if isinstance(text, str))

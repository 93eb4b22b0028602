"""When to try again, how long to wait before, and what a refusal means. No I/O: the clock and chance are arguments."""

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable

TRIES = 5  # of one request, the first one included
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
FIRST_BACKOFF = 0.5  # seconds; doubles with each try
LONGEST_BACKOFF = 30.0
CLOCKS_DIFFER = 3.0  # seconds; a Date header is up to a second old, or two
LONGEST_WAIT = 120.0  # seconds; a system that asks for more is unavailable for this run


def wait_before_retry(
    status: int | None, headers: Mapping[str, str], attempt: int, now: datetime, jitter: float
) -> float | None:
    """Seconds to wait before trying again, or None: don't.

    `status` None means that no answer came. `attempt` counts from 1. `jitter` in [0, 1) spreads those who wait for the
    same moment. A wait that the system demands is never shortened: where it is too long, the answer is None.
    """
    if attempt >= TRIES or (status is not None and status not in TRANSIENT):
        return None
    demanded = asked_wait(headers, now) if status in (429, 503) else None
    if demanded is None:
        return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** (attempt - 1)) * (0.5 + jitter / 2)
    return demanded + jitter if demanded <= LONGEST_WAIT else None


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """The wait that a refusal asks for, in seconds; None where it asks for none that can be read.

    `Retry-After`: seconds (also decimals) or an HTTP date; else what `reset_wait` reads.
    """
    text = _header(headers, "retry-after")
    if text is None:
        return reset_wait(headers, now)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    return _until(http_date(text), now)


def reset_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the allowance is renewed; None where `X-RateLimit-Reset` is absent or can't be read.

    Intercom sends a UNIX second, Jira an ISO time with minutes. Where their clock and ours disagree by more than
    `CLOCKS_DIFFER`, theirs counts.
    """
    text = _header(headers, "x-ratelimit-reset") or ""
    theirs = http_date(_header(headers, "date") or "")
    if theirs is not None and abs((theirs - now).total_seconds()) > CLOCKS_DIFFER:
        now = theirs
    if re.fullmatch(r"\d{9,11}", text, re.ASCII):
        return _until(datetime.fromtimestamp(int(text), UTC), now)
    return _until(_iso(text), now)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value.strip() for key, value in headers.items() if key.lower() == name), None)


def _until(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """The instant of a `Date` header; None where it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def refusal(source: str, tried: str, status: int, remedies: Mapping[int, str]) -> AccountpulseError:
    """The error for an answer that is no success and won't become one by trying again.

    `remedies` says, by status, what the reader can do at this system: 401 and 403 name the settings to mend.
    """
    answer = f"HTTP {status}"
    if status in remedies:
        return AccessError(source, tried, answer, remedies[status])
    if status in (401, 403):
        return AccessError(source, tried, answer, "Check the credentials and what they may read.")
    if 300 <= status < 400:
        remedy = "A redirect to another address was not followed; check the base URL."
        return AccessError(source, tried, answer, remedy)
    if status in (404, 410):
        remedy = "The address is gone or wrong: check the base URL, or look for a newer release."
        return AccessError(source, tried, answer, remedy)
    return SourceUnavailable(source, tried, answer)

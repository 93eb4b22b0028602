"""How many requests are still allowed, by the headers of an answer. No I/O.

Three ways to say it: Intercom's windows, the bucket of Jira Data Center and that of Jira Cloud.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accountpulse.http.retry import LONGEST_WAIT, reset_wait

_POLICY = re.compile(r'"([^"]*)"((?:\s*;\s*\w+=\d{1,18})*)')
_PART = re.compile(r"(\w+)=(\d{1,18})")


@dataclass(frozen=True)
class RateAllowance:
    """`left` requests are allowed now; then `fill` more, so that there are never more than `most`.

    More come in `wait` seconds where that is `exact` (Intercom says when a window ends), else every `wait` seconds (a
    bucket: when it was filled last isn't said). `vague`: by so many seconds an exact wait may be too long.
    """

    left: int
    fill: int
    most: int
    wait: float
    exact: bool
    vague: float = 0.0


def read_allowance(headers: Mapping[str, str], now: datetime) -> RateAllowance | None:
    """What an answer says; None where it says nothing, or names an allowance renewed too late to wait for."""
    remaining = _count(headers.get("X-RateLimit-Remaining"))
    limit = _count(headers.get("X-RateLimit-Limit"))
    found = None if remaining is None else _window(headers, remaining, limit or 1, now)
    found = found or _bucket(headers, remaining, limit) or _policy(headers, limit)
    return found if found is not None and found.wait <= LONGEST_WAIT else None


def _window(headers: Mapping[str, str], remaining: int, limit: int, now: datetime) -> RateAllowance | None:
    """developers.intercom.com/docs/references/rest-api/errors/rate-limiting."""
    wait = reset_wait(headers, now)
    return None if wait is None else RateAllowance(remaining, limit, limit, wait, exact=True)


def _bucket(headers: Mapping[str, str], remaining: int | None, limit: int | None) -> RateAllowance | None:
    """confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html."""
    fill = _count(headers.get("X-RateLimit-FillRate"))
    seconds = _count(headers.get("X-RateLimit-Interval-Seconds"))
    if remaining is None or not fill or not seconds:
        return None
    return RateAllowance(remaining, fill, limit or fill, seconds, exact=False)


def _policy(headers: Mapping[str, str], limit: int | None) -> RateAllowance | None:
    """developer.atlassian.com/cloud/jira/platform/rate-limiting: `"jira-burst-based";q=100;w=1` and `…;r=348;t=1`.

    Of several policies, the scarcest whose window can be waited for; the hourly quotas of apps can't. What is
    announced with `Beta-` before its name isn't enforced.
    """
    policies, states = _parts(headers.get("RateLimit-Policy")), _parts(headers.get("RateLimit"))
    found = [
        _of_policy(policy, states[name], max(limit or 0, policy["q"]))
        for name, policy in policies.items()
        if policy.get("q") and 0 < policy.get("w", 0) <= LONGEST_WAIT and "r" in states.get(name, {})
    ]
    return min(found, key=lambda each: each.left, default=None)


def _of_policy(policy: Mapping[str, int], state: Mapping[str, int], most: int) -> RateAllowance:
    """`t` is how long until more come, in seconds rounded up; where it is all of the window, it may say nothing."""
    wait, window = state.get("t", 0), policy["w"]
    if 0 < wait < window:
        return RateAllowance(state["r"], policy["q"], most, wait, exact=True, vague=1.0)
    return RateAllowance(state["r"], policy["q"], most, window, exact=False)


def _parts(text: str | None) -> dict[str, dict[str, int]]:
    return {
        name: {key: int(value) for key, value in _PART.findall(parts)} for name, parts in _POLICY.findall(text or "")
    }


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,18}", text, re.ASCII) else None

"""Rate limits, told and refused as each system does it.

https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting
https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
https://confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html

Jira's are buckets, filled every so many seconds; here a bucket holds what one filling brings. Cloud has one for each
endpoint and method, Data Center one for each user: here one counts for all, which is stricter.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

Headers = dict[str, str]


@dataclass
class Limit:
    """So many requests in each window of `seconds`; windows begin at multiples of it. `refused` counts the 429s.

    `told` False: only a refusal says anything, as where something before the system refuses.
    """

    requests: int
    seconds: int = 10
    refused: int = 0
    told: bool = True
    _window: int = -1
    _count: int = field(default=0, repr=False)

    def count(self, now: datetime) -> bool:
        """Count a request that comes now; whether it is allowed."""
        window = int(now.timestamp()) // self.seconds
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        self.refused += self._count > self.requests
        return self._count <= self.requests

    @property
    def left(self) -> int:
        """Requests that this window still allows."""
        return max(0, self.requests - self._count)

    @property
    def resets(self) -> int:
        """The UNIX second in which the next window begins."""
        return (self._window + 1) * self.seconds


def _intercom(limit: Limit, _now: datetime) -> tuple[Headers, Response]:
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(limit.left),
        "X-RateLimit-Reset": str(limit.resets),
    }
    message = f"Exceeded rate limit of {limit.requests} in {limit.seconds}_seconds"
    errors = [{"code": "rate_limit_exceeded", "message": message}]
    return headers, JSONResponse({"type": "error.list", "request_id": "sandbox", "errors": errors}, 429)


def _jira_cloud(limit: Limit, now: datetime) -> tuple[Headers, Response]:
    wait = max(1, math.ceil(limit.resets - now.timestamp()))
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(limit.left),
        "RateLimit-Policy": f'"jira-burst-based";q={limit.requests};w={limit.seconds}',
        "RateLimit": f'"jira-burst-based";r={limit.left};t={wait}',
    }
    reset = datetime.fromtimestamp(limit.resets, UTC)
    refused = {
        "Retry-After": str(wait),
        "X-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%M:%SZ}",
        "RateLimit-Reason": "jira-burst-based",
    }
    return headers, JSONResponse({"errorMessages": ["Rate limit exceeded."], "errors": {}}, 429, refused)


def _jira_server(limit: Limit, now: datetime) -> tuple[Headers, Response]:
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(limit.left),
        "X-RateLimit-FillRate": str(limit.requests),
        "X-RateLimit-Interval-Seconds": str(limit.seconds),
    }
    refused = {"Retry-After": str(max(1, math.ceil(limit.resets - now.timestamp())))}
    return headers, JSONResponse({"message": "Rate limit exceeded."}, 429, refused)


STYLES: Mapping[str, Callable[[Limit, datetime], tuple[Headers, Response]]] = {
    "intercom": _intercom,
    "jira cloud": _jira_cloud,
    "jira datacenter": _jira_server,
}


def limited(limit: Limit, style: str, now: datetime) -> tuple[Headers, Response | None]:
    """Count a request: the headers that every answer has, and the refusal where it is one too many."""
    allowed = limit.count(now)
    headers, refusal = STYLES[style](limit, now)
    return headers if limit.told else {}, None if allowed else refusal

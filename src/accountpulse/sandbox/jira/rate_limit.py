"""How Jira's two products announce their rate limits.

https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
https://confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html

Both are buckets, filled every so many seconds; here a bucket holds what one filling brings. Cloud has one for each
endpoint and method, Data Center one for each user: here one counts for all, which is stricter.
"""

from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from accountpulse.sandbox.limits import Headers, Limit


def cloud_style(limit: Limit, now: datetime) -> tuple[Headers, Response]:
    """Cloud: both generations of headers, and the reason of a refusal."""
    wait = limit.wait(now)
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


def data_center_style(limit: Limit, now: datetime) -> tuple[Headers, Response]:
    """Data Center: the bucket with its filling."""
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(limit.left),
        "X-RateLimit-FillRate": str(limit.requests),
        "X-RateLimit-Interval-Seconds": str(limit.seconds),
    }
    refused = {"Retry-After": str(limit.wait(now))}
    return headers, JSONResponse({"message": "Rate limit exceeded."}, 429, refused)

"""How Intercom announces its rate limit.

https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting
"""

from datetime import datetime

from starlette.responses import JSONResponse, Response

from accountpulse.sandbox.limits import Headers, Limit


def intercom_style(limit: Limit, _now: datetime) -> tuple[Headers, Response]:
    """Limit, remaining requests and the UNIX second of the reset."""
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(limit.left),
        "X-RateLimit-Reset": str(limit.resets),
    }
    message = f"Exceeded rate limit of {limit.requests} in {limit.seconds}_seconds"
    errors = [{"code": "rate_limit_exceeded", "message": message}]
    return headers, JSONResponse({"type": "error.list", "request_id": "sandbox", "errors": errors}, 429)

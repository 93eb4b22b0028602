"""Rate limits: how requests are counted. How a system announces its own is in the system's folder."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from starlette.responses import JSONResponse, Response

Headers: TypeAlias = dict[str, str]


@dataclass
class Limit:
    """So many requests in each window of `seconds`; windows begin at multiples of it. `refused` counts the 429s.

    `announced` False: only a refusal says anything, as where something before the system refuses.
    """

    requests: int
    seconds: int = 10
    refused: int = 0
    announced: bool = True
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

    def wait(self, now: datetime) -> int:
        """Whole seconds until the next window, at least one."""
        return max(1, math.ceil(self.resets - now.timestamp()))


# the headers that every answer has, and what a request too many is answered
RateLimitStyle: TypeAlias = Callable[[Limit, datetime], tuple[Headers, Response]]


def plain_style(limit: Limit, now: datetime) -> tuple[Headers, Response]:
    """No header announces anything; a refusal says how long to wait."""
    return {}, JSONResponse({"error": "too many requests"}, 429, {"Retry-After": str(limit.wait(now))})


def limited(limit: Limit, style: RateLimitStyle, now: datetime) -> tuple[Headers, Response | None]:
    """Count a request: the headers that every answer has, and the refusal where it is one too many."""
    allowed = limit.count(now)
    headers, refusal = style(limit, now)
    return headers if limit.announced else {}, None if allowed else refusal

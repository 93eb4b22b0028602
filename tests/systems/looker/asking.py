"""What the tests of Looker share."""

import json
from collections.abc import Callable
from typing import Any

from accountpulse.core.records import Extract
from accountpulse.sandbox.server import Fault, Sandbox

A, B = "001Hu00000AbCdEIAV", "001Hu00000AbCdFIAV"
DAYS, MONTHS, FEATURES, PILLARS = (f"/queries/{number}/run/json" for number in (1, 2, 3, 4))
USAGE = ("dau", "dau_trend_pct", "mau", "mau_trend_pct", "login_frequency")
Change = dict[str, Any]
Read = Callable[..., Extract]


def merged(base: Change, change: Change) -> Change:
    """The one block with the other laid over it."""
    return {
        **base,
        **{
            key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
            for key, value in change.items()
        },
    }


def calls(sandbox: Sandbox, path: str = "", status: int | None = None) -> int:
    """How often Looker was asked for such a path, and answered like this."""
    return sum(call.system == "looker" and path in call.path and status in {None, call.status} for call in sandbox.log)


def sends(sandbox: Sandbox, path: str, answer: object, **headers: str) -> None:
    """The next request of this path is answered with these rows, or this text."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    sandbox.faults.append(Fault("looker", 200, headers, body, path_contains=path))

"""What the tests of Looker share."""

import json
from collections.abc import Callable, Mapping
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


FieldChange = dict[str, Any]
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "user_sessions": {
        "account_id": ("dimensions", "string"),
        "session_date": ("dimensions", "date_date"),
        "session_month": ("dimensions", "date_month"),
        "distinct_users": ("measures", "count_distinct"),
        "session_count": ("measures", "count"),
    },
    "feature_usage": {
        "account_id": ("dimensions", "string"),
        "used_date": ("dimensions", "date_date"),
        "feature_name": ("dimensions", "string"),
        "usage_count": ("measures", "count"),
    },
    "platform_metrics": {
        "account_id": ("dimensions", "string"),
        "metric_date": ("dimensions", "date_date"),
        "metric_month": ("dimensions", "date_month"),
        "operations_index": ("measures", "average"),
        "automation_index": ("measures", "average"),
        "insights_index": ("measures", "average"),
        "engagement_index": ("measures", "average"),
    },
}


def described(view: str, changes: Mapping[str, FieldChange] | None = None, **more: Any) -> dict[str, Any]:
    """An explore as the vendor describes it, some of its fields changed or added; `more`: beside the fields.

    A change may name the field's `group`: dimensions, measures, filters or parameters.
    """
    groups: dict[str, list[dict[str, Any]]] = {
        group: [] for group in ("dimensions", "measures", "filters", "parameters")
    }
    changes = changes or {}
    for name in dict.fromkeys([*FIELDS[view], *changes]):
        group, kind = FIELDS[view].get(name, ("dimensions", "string"))
        field = {"name": f"{view}.{name}", "type": kind, "view": view, "can_filter": True, **changes.get(name, {})}
        groups[field.pop("group", group)].append(field)
    return {"name": view, "view_name": view, "fields": groups, "has_timezone_support": True, **more}


def describes(sandbox: Sandbox, view: str, changes: Mapping[str, FieldChange] | None = None, **more: Any) -> None:
    """The next look at this explore is answered with `described`."""
    sends(sandbox, f"/explores/{view}", described(view, changes, **more))

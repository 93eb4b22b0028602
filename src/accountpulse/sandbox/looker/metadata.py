"""What an explore says of itself and its fields: LookmlModelExplore and LookmlModelExploreField of the API 4.0."""

from typing import Any

from accountpulse.sandbox.looker.data import explores
from accountpulse.sandbox.world.model import Looker

AVERAGE = "average"  # every pillar's type
_TYPES = {
    "date": "date_date", "month": "date_month",
    "distinct_users": "count_distinct", "session_count": "count", "usage_count": "count", "answer_count": "count",
    "net_promoter_score": "number", "licensed_seats": "max",
}  # fmt: skip
_INTERVALS = {"date_date": {"name": "day", "count": 1}, "date_month": {"name": "month", "count": 1}}


def described(instance: Looker, view: str) -> dict[str, Any]:
    """An explore's fields, the filters that it has of its own, and whether it converts time zones."""
    dimensions, measures = explores(instance)[view]
    own = instance.always.get(view)
    only_filters = [f"{view}.seen_within"] if own else []
    return {
        "fields": {
            "dimensions": [_field(name, "dimension") for name in dimensions],
            "measures": [_field(name, "measure") for name in measures],
            "filters": [_field(name, "filter") for name in only_filters],
            "parameters": [],
        },
        "always_filter": [{"name": own[0], "value": own[1]}] if own else [],
        "conditionally_filter": [],
        "access_filters": [],
        "has_timezone_support": view not in instance.zoneless,
    }


def _field(name: str, category: str) -> dict[str, Any]:
    last = name.rpartition(".")[2]
    kind = _TYPES.get(last) or _TYPES.get(last.rpartition("_")[2]) or ("string" if category != "measure" else AVERAGE)
    return {
        "name": name,
        "label": last.replace("_", " ").capitalize(),
        "category": category,
        "type": kind,
        "measure": category == "measure",
        "is_filter": category == "filter",
        "parameter": False,
        "is_numeric": category == "measure",
        "is_timeframe": kind in _INTERVALS,
        "time_interval": _INTERVALS.get(kind),
        "can_filter": True,
        "hidden": False,
    }

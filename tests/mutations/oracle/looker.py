"""Usage metrics and pillars out of Looker's raw answers, with the sandbox's mapping."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Any

from mutations.proxy import Exchanged

CATALOGUE = (
    "dashboards", "alerts", "exports", "api", "automations", "integrations",
    "reports", "mobile", "sharing", "forecasts", "audit_log", "sso",
)  # fmt: skip
PILLARS = ("operations", "automation", "insights")
MONTHS = {"2026-07": 31, "2026-08": 31, "2026-09": 30, "2026-10": 31}  # days: the period is the last
PERIOD = "2026-10"
TRENDS_NEED = 2  # earlier months that are known
Measures = dict[str, float | None]
Row = dict[str, Any]


def measured(
    answers: Sequence[Exchanged], keys: Mapping[str, Sequence[str]], _start: datetime, _end: datetime
) -> dict[str, Measures]:
    """Account → the usage metrics and pillars of October 2026."""
    return {account: _metrics(answers, its) for account, its in keys.items()}


def _metrics(answers: Sequence[Exchanged], keys: Sequence[str]) -> Measures:
    accounts = {key[:15] for key in keys}

    def mine(end: str) -> list[Row]:
        rows = [{name.partition(".")[2]: value for name, value in row.items()} for row in _rows(answers, end)]
        return [row for row in rows if str(row["account_id"])[:15] in accounts]

    days, months = mine("session_date,distinct_users"), mine("session_count")
    by_month = {name: [row for row in days if row["session_date"][:7] == name] for name in MONTHS}
    known = [name for name, rows in by_month.items() if rows or any(row["session_month"] == name for row in months)]
    daily = {name: sum(row["distinct_users"] for row in by_month[name]) / MONTHS[name] for name in known}
    users = {row["session_month"]: row["distinct_users"] for row in months}
    sessions = {row["session_month"]: row["session_count"] for row in months}
    mau = users.get(PERIOD, 0 if months or days else None)
    used = {row["feature_name"] for row in mine("feature_name")} & set(CATALOGUE)
    found: Measures = {
        "dau": daily.get(PERIOD, 0 if months or days else None),
        "mau": mau,
        "dau_trend_pct": _trend(daily),
        "mau_trend_pct": _trend({name: float(count) for name, count in users.items()}),
        "feature_breadth": 100 * len(used) / len(CATALOGUE) if mine("feature_name") else None,
        "login_frequency": sessions[PERIOD] / mau / (MONTHS[PERIOD] / 7) if mau else None,
        "pillar_engagement": _only(
            mine("/looks/*/run/json"), "engagement_index", lambda row: row["metric_month"] == PERIOD
        ),
    }
    figures = mine("insights_index")
    return found | {f"pillar_{name}": _only(figures, f"{name}_index", lambda _row: True) for name in PILLARS}


def _trend(months: Mapping[str, float]) -> float | None:
    earlier = [value for name, value in months.items() if name != PERIOD]
    if len(earlier) < TRENDS_NEED or not fmean(earlier):
        return None
    return 100 * (months.get(PERIOD, 0) - fmean(earlier)) / fmean(earlier)


def _only(rows: Sequence[Row], name: str, of: Callable[[Row], bool]) -> float | None:
    """The one figure, between 0 and 100."""
    values = [row[name] for row in rows if of(row)]
    return None if len(values) != 1 or values[0] is None else min(100.0, max(0.0, float(values[0])))


def _rows(answers: Sequence[Exchanged], end: str) -> list[Row]:
    for each in answers:
        if each.endpoint.startswith("GET") and each.endpoint.endswith(end) and each.answer.status == 200:
            found = json.loads(each.answer.body)
            return found if isinstance(found, list) else []
    return []

"""The metrics: everything that is known of each beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Domain = Literal["support", "bugs", "usage", "contract", "signals"]
Unit = Literal["count", "percent", "points", "seconds", "days", "ratio", "per week", "steps", "users"]


@dataclass(frozen=True)
class Metric:
    """A number about an account: its name is the contract (files, scorecard, Salesforce)."""

    name: str
    domain: Domain
    label: str
    unit: Unit


_METRICS: tuple[tuple[str, Domain, str, Unit], ...] = (
    ("total_conversations", "support", "conversations", "count"),
    ("p1_p2_pct", "support", "P1/P2 conversations", "percent"),
    ("escalation_pct", "support", "escalated conversations", "percent"),
    ("median_first_response_seconds", "support", "median first response", "seconds"),
    ("median_resolution_seconds", "support", "median resolution", "seconds"),
    ("csat_score", "support", "CSAT", "percent"),
    ("csat_response_rate", "support", "CSAT response rate", "percent"),
    ("open_bugs", "bugs", "open bugs", "count"),
    ("critical_bugs", "bugs", "open critical bugs", "count"),
    ("reopened_bugs", "bugs", "reopened bugs", "count"),
    ("avg_resolution_days", "bugs", "mean bug resolution", "days"),
    ("bug_trend", "bugs", "bugs created / resolved", "ratio"),
    ("dau", "usage", "daily active users", "users"),
    ("mau", "usage", "monthly active users", "users"),
    ("mau_trend_pct", "usage", "change of monthly active users", "percent"),
    ("dau_trend_pct", "usage", "change of daily active users", "percent"),
    ("feature_breadth", "usage", "features in use", "percent"),
    ("login_frequency", "usage", "sessions per active user", "per week"),
    ("days_to_renewal", "contract", "days to renewal", "days"),
    ("payment_health", "contract", "payment problems", "count"),
    ("contract_changes", "contract", "contract downgrades", "count"),
    ("arr_trajectory_pct", "contract", "ARR change over a year", "percent"),
    ("tier_alignment", "contract", "tier off by", "steps"),
    ("qbr_attendance", "contract", "business reviews held", "percent"),
    ("champion_stability", "contract", "champions still there", "percent"),
    ("expansion_signals", "contract", "open expansion opportunities", "count"),
    ("critical_signals", "signals", "critical signals", "count"),
    ("moderate_signals", "signals", "moderate signals", "count"),
    ("watch_signals", "signals", "watch signals", "count"),
    ("critical_confirmed_signals", "signals", "confirmed critical signals", "count"),
    ("monitoring_reduction", "signals", "signals lowered by monitoring", "count"),
)
METRICS: Mapping[str, Metric] = {row[0]: Metric(*row) for row in _METRICS}


PILLAR = "pillar_"  # how the metrics of pillars begin


def pillar_metric(pillar: str) -> Metric:
    """The metric of a configured pillar of platform value, `pillar_<name>`."""
    return Metric(f"{PILLAR}{pillar}", "usage", f"{pillar.replace('_', ' ')} pillar", "points")


def own_metric(name: str, label: str, unit: Unit) -> Metric:
    """A metric that a scorecard declares: a company's own column, which only its usage system can feed."""
    return Metric(name, "usage", label, unit)


def catalogue(pillars: Iterable[str] = (), own: Iterable[Metric] = ()) -> dict[str, Metric]:
    """All metrics by name: the built-in ones, one for each pillar, and the company's own."""
    return {**METRICS, **{metric.name: metric for metric in (*map(pillar_metric, pillars), *own)}}

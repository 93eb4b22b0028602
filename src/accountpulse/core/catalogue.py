"""The metrics: everything that is known of each before anything is measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from accountpulse.core.period import STRETCH

Domain = Literal["support", "bugs", "usage", "contract", "signals"]
# units that values are written in a way of their own with; an own metric may have any other text, such as GB
KNOWN_UNITS = ("count", "percent", "points", "seconds", "days", "ratio", "per week", "steps", "users")
Better = Literal["higher", "lower", "neither"]

# the stretches of time that metrics are measured over, as people read them
WINDOW = "the {days:.0f} days up to {last_day}"  # of support and bugs: a setting
MONTH = "the month"
TREND = "the month against the mean of the three before"
QUARTER = "the last 90 days, and whatever is still open"
YEAR = "the last 365 days"
AT_END = "as it stood on the last day"
AS_GIVEN = "as it was given"
# the same of a snapshot, which is no month
_OF_SNAPSHOT = {
    MONTH: f"the {STRETCH} days up to {{last_day}}",
    TREND: f"the {STRETCH} days up to {{last_day}} against the mean of the three times {STRETCH} days before",
}

_VOLUME = ("total_conversations",)


@dataclass(frozen=True)
class Metric:
    """A number about an account: its name is the contract (files, scorecard, Salesforce)."""

    name: str
    domain: Domain
    label: str
    unit: str  # one of KNOWN_UNITS, or a text that stands behind the number
    window: str = AS_GIVEN
    better: Better = "neither"  # a scorecard's anchors may say otherwise
    needs: tuple[str, ...] = ()  # the totals that tell whether there is enough to judge it by: a scorecard's `enough`
    is_change: bool = False  # shown with its sign
    grows: bool = False  # with the length of the window
    tables: tuple[str, ...] = ()  # the records that it is measured from: whoever fills one of them feeds it

    def window_text(self, days: float, last_day: object, *, snapshot: bool = False) -> str:
        """The stretch of time in words; `days` is the window of support and bugs. `snapshot`: not of a month."""
        window = _OF_SNAPSHOT.get(self.window, self.window) if snapshot else self.window
        return window.format(days=days, last_day=last_day)


_METRICS = (
    # support
    Metric("total_conversations", "support", "conversations", "count", WINDOW, "lower", grows=True),
    Metric("p1_p2_pct", "support", "P1/P2 conversations", "percent", WINDOW, "lower", _VOLUME),
    Metric("escalation_pct", "support", "escalated conversations", "percent", WINDOW, "lower", _VOLUME),
    Metric("median_first_response_seconds", "support", "median first response", "seconds", WINDOW, "lower", _VOLUME),
    Metric("median_resolution_seconds", "support", "median resolution", "seconds", WINDOW, "lower", _VOLUME),
    Metric("csat_score", "support", "CSAT", "percent", WINDOW, "higher"),
    Metric("csat_response_rate", "support", "CSAT response rate", "percent", WINDOW, "higher", _VOLUME),
    # bugs
    Metric("open_bugs", "bugs", "open bugs", "count", AT_END, "lower"),
    Metric("critical_bugs", "bugs", "open critical bugs", "count", AT_END, "lower"),
    Metric("reopened_bugs", "bugs", "reopened bugs", "count", WINDOW, "lower", grows=True),
    Metric("avg_resolution_days", "bugs", "mean bug resolution", "days", WINDOW, "lower"),
    Metric("bug_trend", "bugs", "bugs created / resolved", "ratio", WINDOW, "lower"),
    # usage
    Metric("dau", "usage", "daily active users", "users", MONTH, "higher"),
    Metric("mau", "usage", "monthly active users", "users", MONTH, "higher"),
    Metric("mau_trend_pct", "usage", "change of monthly active users", "percent", TREND, "higher",
           is_change=True),
    Metric("dau_trend_pct", "usage", "change of daily active users", "percent", TREND, "higher",
           is_change=True),
    Metric("feature_breadth", "usage", "features in use", "percent", MONTH, "higher"),
    Metric("login_frequency", "usage", "sessions per active user", "per week", MONTH, "higher"),
    # contract and relationship
    Metric("days_to_renewal", "contract", "days to renewal", "days", AT_END, "higher"),
    Metric("payment_health", "contract", "payment problems", "count", QUARTER, "lower"),
    Metric("contract_changes", "contract", "contract downgrades", "count", YEAR, "lower"),
    Metric("arr_trajectory_pct", "contract", "ARR change over a year", "percent", YEAR, "higher",
           is_change=True),
    Metric("tier_alignment", "contract", "tier off by", "steps", AT_END, "lower"),
    Metric("qbr_attendance", "contract", "business reviews held", "percent", YEAR, "higher"),
    Metric("champion_stability", "contract", "champions still there", "percent", AT_END, "higher"),
    Metric("expansion_signals", "contract", "open expansion opportunities", "count", AT_END, "higher"),
    # signals
    Metric("critical_signals", "signals", "critical signals", "count", AT_END, "lower"),
    Metric("moderate_signals", "signals", "moderate signals", "count", AT_END, "lower"),
    Metric("watch_signals", "signals", "watch signals", "count", AT_END, "lower"),
    Metric("critical_confirmed_signals", "signals", "confirmed critical signals", "count", AT_END, "lower"),
    Metric("monitoring_reduction", "signals", "signals lowered by monitoring", "count", AT_END),
)  # fmt: skip
# the tables of each domain's metrics; those of metrics that are measured from fewer stand below
_TABLES_OF_DOMAIN: Mapping[Domain, tuple[str, ...]] = {
    "support": ("conversations",),
    "bugs": ("issues", "issue_moves"),
    "usage": ("usage_days", "usage_months", "features"),
    "contract": (),
    "signals": ("signals",),
}
_TABLES_OF: Mapping[str, tuple[str, ...]] = {
    "days_to_renewal": ("renewals",),
    "payment_health": ("payment_problems",),
    "contract_changes": ("downgrades",),
    "arr_trajectory_pct": ("accounts", "arr_changes"),
    "tier_alignment": ("accounts",),
    "qbr_attendance": ("accounts", "reviews"),
    "champion_stability": ("champions",),
    "expansion_signals": ("expansions",),
}
METRICS: Mapping[str, Metric] = {
    metric.name: replace(metric, tables=_TABLES_OF.get(metric.name, _TABLES_OF_DOMAIN[metric.domain]))
    for metric in _METRICS
}


_FIGURES = ("figures",)
PILLAR = "pillar_"  # how the metrics of pillars begin


def pillar_metric(pillar: str) -> Metric:
    """The metric of a configured pillar of platform value, `pillar_<name>`."""
    label = f"{pillar.replace('_', ' ')} pillar"
    return Metric(f"{PILLAR}{pillar}", "usage", label, "points", MONTH, "higher", tables=_FIGURES)


def own_metric(name: str, label: str, unit: str) -> Metric:
    """A metric that a scorecard declares: a company's own column, which only its usage system can feed."""
    return Metric(name, "usage", label, unit, tables=_FIGURES)


def catalogue(pillars: Iterable[str] = (), own: Iterable[Metric] = ()) -> dict[str, Metric]:
    """All metrics by name: the built-in ones, one for each pillar, and the company's own."""
    return {**METRICS, **{metric.name: metric for metric in (*map(pillar_metric, pillars), *own)}}

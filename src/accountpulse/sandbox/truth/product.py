"""The truth about bugs and usage."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol

from accountpulse.sandbox.world.model import Customer, Jira, JiraIssue, UsageOf, World

BUGS = ("open_bugs", "critical_bugs", "reopened_bugs", "avg_resolution_days", "bug_trend")
USAGE = ("dau", "mau", "mau_trend_pct", "dau_trend_pct", "feature_breadth", "login_frequency")
CATALOGUE = {
    "dashboards", "alerts", "exports", "api", "automations", "integrations",
    "reports", "mobile", "sharing", "forecasts", "audit_log", "sso",
}  # fmt: skip
PILLARS = ("operations", "automation", "insights", "engagement")
OWN = ("nps", "engagement")  # own metrics, as the example in docs/looker.md maps them
SURVEY_DAYS = 90
Told = dict[str, float | str]


class Instants(Protocol):
    """What bugs and usage need to know of the period."""

    @property
    def first(self) -> date:
        """The first day of the month."""

    @property
    def as_of(self) -> datetime:
        """The end of everything."""

    @property
    def days(self) -> int:
        """Days of the month that have begun."""

    def in_window(self, moment: datetime | None) -> bool:
        """Whether a moment counts."""


# --- bugs ------------------------------------------------------------------------------------------------------


def bugs(world: World, at: Instants) -> Callable[[Customer], Told]:
    """A teller of one customer's bug metrics."""
    carried: dict[str, list[JiraIssue]] = {}
    for issue in world.jira.issues:
        if issue.type == "Bug" and issue.created < at.as_of:
            for component in set(issue.components):
                carried.setdefault(component, []).append(issue)
    known = {name for names in world.jira.components.values() for name in names}

    def tell(customer: Customer) -> Told:
        if customer.jira_component is None or customer.jira_component not in known:
            return dict.fromkeys(BUGS, "not_linked")
        return _bugs(world.jira, carried.get(customer.jira_component, []), at)

    return tell


def _bugs(site: Jira, issues: list[JiraIssue], at: Instants) -> Told:
    resolved = [(issue, moment) for issue in issues if (moment := _resolved(site, issue, at.as_of)) is not None]
    lately = [(issue, moment) for issue, moment in resolved if at.in_window(moment)]
    created = sum(at.in_window(issue.created) for issue in issues)
    still_open = [issue for issue in issues if not _done(site, issue, at.as_of)]
    days = [(moment - issue.created) / timedelta(days=1) for issue, moment in lately]
    return {
        "open_bugs": len(still_open),
        "critical_bugs": sum(issue.priority in ("Highest", "Blocker", "Critical") for issue in still_open),
        "reopened_bugs": sum(_reopened(site, issue, at) for issue in issues),
        "avg_resolution_days": sum(days) / len(days) if days else "no_evidence",
        "bug_trend": created / len(lately) if lately else float(created) if created else 1.0,
    }


def _is_done(site: Jira, status: str) -> bool:
    return (site.statuses.get(status) or site.former[status]).category == "done"


def _done(site: Jira, issue: JiraIssue, as_of: datetime) -> bool:
    """Whether it was done at as_of: follow its history from the beginning."""
    status = issue.transitions[0].from_status if issue.transitions else issue.status
    for move in issue.transitions:
        if move.at < as_of:
            status = move.to_status
    return _is_done(site, status)


def _resolved(site: Jira, issue: JiraIssue, as_of: datetime) -> datetime | None:
    """When the resolution that stood at as_of was reached; None where it was not done then.

    Its resolution date where the workflow sets one, and it is still that one; else its way into done.
    """
    if not _done(site, issue, as_of):
        return None
    if _is_done(site, issue.status):
        now = issue.resolutiondate or issue.statuscategorychangedate
        if now is not None and now < as_of:
            return now
    into = [m.at for m in issue.transitions if m.at < as_of and _enters(site, m.from_status, m.to_status)]
    return max(into, default=None)


def _enters(site: Jira, before: str, after: str) -> bool:
    return _is_done(site, after) and not _is_done(site, before)


def _reopened(site: Jira, issue: JiraIssue, at: Instants) -> bool:
    return any(at.in_window(m.at) and _enters(site, m.to_status, m.from_status) for m in issue.transitions)


# --- usage -----------------------------------------------------------------------------------------------------


def usage(world: World, at: Instants) -> Callable[[Customer], Told]:
    """A teller of one customer's usage metrics, pillars and own metrics."""
    by_core = {key[:15]: used for key, used in world.looker.usage.items()}

    def tell(customer: Customer) -> Told:
        used = by_core.get(customer.account_id[:15])
        if used is None:
            figures = (*(f"pillar_{name}" for name in PILLARS), *OWN)
            return {**dict.fromkeys(USAGE, "not_linked"), **dict.fromkeys(figures, "no_evidence")}
        return {**_usage(world, used, at), **_pillars(used, f"{at.first:%Y-%m}"), **_own(world, used, at)}

    return tell


def _month(world: World, first: date, days: int) -> list[int]:
    """The bits of a month's days, as far as the world reaches."""
    begin = (first - world.looker.first_day).days
    return [bit for bit in range(begin, begin + days) if 0 <= bit < world.looker.days]


def _usage(world: World, used: UsageOf, at: Instants) -> Told:
    months = [at.first]
    for _ in range(3):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    figures = []  # of the month itself and the three before: monthly users, daily mean, sessions
    for number, first in enumerate(months):
        length = at.days if number == 0 else (months[number - 1] - first).days
        figures.append(_activity(world, used, first, length))
    features = [
        name for name, mask in used.features.items() if any(mask >> bit & 1 for bit in _month(world, at.first, at.days))
    ]
    if not any(monthly for monthly, _daily, _sessions in figures) and not features:
        return dict.fromkeys(USAGE, "not_linked")
    monthly, daily, sessions = figures[0]
    return {
        "dau": daily,
        "mau": monthly,
        "mau_trend_pct": _trend(monthly, [figure[0] for figure in figures[1:]], figures),
        "dau_trend_pct": _trend(daily, [figure[1] for figure in figures[1:]], figures),
        "feature_breadth": 100 * len(CATALOGUE & set(features)) / len(CATALOGUE),
        "login_frequency": sessions / monthly / (at.days / 7) if monthly else "no_evidence",
    }


def _activity(world: World, used: UsageOf, first: date, length: int) -> tuple[int, float, int]:
    days = _month(world, first, length)
    monthly = sum(any(mask >> bit & 1 for bit in days) for mask in used.users)
    active = sum(mask >> bit & 1 for mask in used.users for bit in days)
    again = sum(
        mask >> bit & twice >> bit & 1
        for mask, twice in zip(used.users, used.sessions_twice, strict=True)
        for bit in days
    )
    return monthly, active / length, active + again


def _trend(now: float, before: list[float], figures: list[tuple[int, float, int]]) -> float | str:
    """Against the mean of the earlier months that are known: those since the first one with any use."""
    oldest = max((number for number, figure in enumerate(figures) if figure[0]), default=0)
    known = before[:oldest]
    if len(known) < 2:
        return "too_new"
    mean = sum(known) / len(known)
    return 100 * (now - mean) / mean if mean else "no_evidence"


def _pillars(used: UsageOf, month: str) -> Told:
    told: Told = {}
    for name in PILLARS:
        figure = used.pillars.get(name, {}).get(month)
        told[f"pillar_{name}"] = "no_evidence" if figure is None else min(100.0, max(0.0, figure))
    return told


def _own(world: World, used: UsageOf, at: Instants) -> Told:
    """Net promoters by e-mail over the days that end with the month; engagement of the month as it stands."""
    end = (at.first - world.looker.first_day).days + at.days
    lately = [score for day, channel, score in used.answers if channel == "email" and end - SURVEY_DAYS <= day < end]
    promoters, detractors = sum(score >= 9 for score in lately), sum(score <= 6 for score in lately)
    engagement = used.pillars["engagement"].get(f"{at.first:%Y-%m}")
    return {
        "nps": 100 * (promoters - detractors) / len(lately) if lately else "no_evidence",
        "engagement": "no_evidence" if engagement is None else engagement,
    }

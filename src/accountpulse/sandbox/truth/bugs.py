"""The truth about bugs."""

from datetime import datetime, timedelta

from accountpulse.sandbox.truth.instants import Instants, Truth, Values
from accountpulse.sandbox.world.model import Customer, Jira, JiraIssue

BUGS = ("open_bugs", "critical_bugs", "reopened_bugs", "avg_resolution_days", "bug_trend")


def bugs_truth(site: Jira, at: Instants) -> Truth:
    """Bug metrics of a customer, over the issues of its component."""
    by_component: dict[str, list[JiraIssue]] = {}
    for issue in site.issues:
        if issue.type == "Bug" and issue.created < at.as_of:
            for component in set(issue.components):
                by_component.setdefault(component, []).append(issue)
    components = {name for names in site.components.values() for name in names}

    def measure(customer: Customer) -> Values:
        if customer.jira_component is None or customer.jira_component not in components:
            return dict.fromkeys(BUGS, "not_linked")
        return _bugs(site, by_component.get(customer.jira_component, []), at)

    return measure


def _bugs(site: Jira, issues: list[JiraIssue], at: Instants) -> Values:
    resolved = [(issue, moment) for issue in issues if (moment := _resolved(site, issue, at.as_of)) is not None]
    recent = [(issue, moment) for issue, moment in resolved if at.in_window(moment)]
    created = sum(at.in_window(issue.created) for issue in issues)
    still_open = [issue for issue in issues if not _done(site, issue, at.as_of)]
    days = [(moment - issue.created) / timedelta(days=1) for issue, moment in recent]
    return {
        "open_bugs": len(still_open),
        "critical_bugs": sum(issue.priority in ("Highest", "Blocker", "Critical") for issue in still_open),
        "reopened_bugs": sum(_reopened(site, issue, at) for issue in issues),
        "avg_resolution_days": sum(days) / len(days) if days else "no_evidence",
        "bug_trend": created / len(recent) if recent else float(created) if created else 1.0,
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

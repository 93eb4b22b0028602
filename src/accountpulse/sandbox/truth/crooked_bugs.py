"""The truth about bugs on a crooked site: a number where what the site tells allows one alone, else why there is none.

Every issue has the lives that its history allows: one, where each status that it stood in means something; more, where
a status was deleted since. A metric is known where all lives of all issues of an account come to the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product

from accountpulse.sandbox.truth.bugs import BUGS
from accountpulse.sandbox.truth.instants import Instants, Truth, Value, Values
from accountpulse.sandbox.world.model import Customer, Jira, JiraIssue, Transition

Meanings = Mapping[str, bool]  # whether a status means done, by its id
UNCLEAR, UNREAD = "unclear", "field_missing"
FOREVER = datetime.max.replace(tzinfo=UTC)
WORSE = ("not_visible", "not_attributable")  # reasons that are given before that histories can't be read


@dataclass(frozen=True)
class Life:
    """What an issue comes to at as_of, if it lived so."""

    is_open: bool
    critical: bool
    reopened: bool
    resolved_days: float | None  # how long it took, where it was resolved in the window


def crooked_bugs_truth(site: Jira, at: Instants) -> Truth:
    """Bug metrics of a customer, as they can be known of this site."""
    visible = [issue for issue in site.issues if issue.project not in site.hidden]
    bugs = [issue for issue in visible if issue.type in site.bug_types and issue.created < at.as_of]

    def measure(customer: Customer) -> Values:
        values = known(customer)
        unread = not site.keeps_histories and values["reopened_bugs"] not in WORSE
        return {**values, "reopened_bugs": UNREAD} if unread else values

    def known(customer: Customer) -> Values:
        if customer.jira_component is None and site.link[0] != "label":
            return dict.fromkeys(BUGS, "not_linked")
        by_label = site.link[0] == "label"
        name = _comparable(customer.account_id if by_label else str(customer.jira_component))
        if (reason := _unlinked(site, name)) is not None:
            return dict.fromkeys(BUGS, reason)
        own = [issue for issue in bugs if name in map(_comparable, _named(site, issue))]
        if any(site.link[1] in issue.unshown for issue in own) or _organizations_unshown(site, own):
            return dict.fromkeys(BUGS, "not_attributable")
        return _measured([(issue, _lives(site, issue, at)) for issue in own], at)

    return measure


def _comparable(name: str) -> str:
    return name.strip().casefold()


# --- whose they are ------------------------------------------------------------------------------------------------


def _organizations(site: Jira) -> str:
    return next(field for field, kind in site.field_kinds.items() if kind == "organization")


def _named(site: Jira, issue: JiraIssue) -> Sequence[str]:
    """The customers that an issue names, in the way that the company looks at."""
    kind, field = site.link
    if kind in ("component", "label"):
        return issue.components if kind == "component" else issue.labels
    if kind == "project":
        return [site.project_names.get(issue.project, "")]
    return issue.customers.get(field or _organizations(site), ())


def _organizations_unshown(site: Jira, own: Iterable[JiraIssue]) -> bool:
    return site.link[0] == "organization" and any(_organizations(site) in issue.unshown for issue in own)


def _unlinked(site: Jira, name: str) -> str | None:
    """Why a name leads nowhere; None where it leads somewhere. Text fields know nothing of their values."""
    kind, field = site.link
    if kind == "project":
        visible = [called for key, called in site.project_names.items() if key not in site.hidden]
        return None if name in map(_comparable, visible) else "not_visible"
    if kind == "component":
        lists = [*site.components.items(), *site.compass.items()]
        known = [each for key, names in lists if key not in site.hidden for each in names]
    elif kind == "label":
        known = [name]  # like text
    else:
        known = site.strict_fields.get(field or _organizations(site), [name])
    return None if name in map(_comparable, known) else "not_linked"


# --- what they come to -----------------------------------------------------------------------------------------------


def _measured(bugs: list[tuple[JiraIssue, list[Life]]], at: Instants) -> Values:
    lives_of = [lives for _, lives in bugs]
    created = sum(at.in_window(issue.created) for issue, _ in bugs)
    days = _same([[each.resolved_days for each in lives] for lives in lives_of])
    resolved = None if days is None else [each for each in days if each is not None]
    return {
        "open_bugs": _counted([[each.is_open for each in lives] for lives in lives_of]),
        "critical_bugs": _counted([[each.is_open and each.critical for each in lives] for lives in lives_of]),
        "reopened_bugs": _counted([[each.reopened for each in lives] for lives in lives_of]),
        "avg_resolution_days": UNCLEAR if resolved is None else _mean(resolved),
        "bug_trend": UNCLEAR if resolved is None else _trend(created, len(resolved)),
    }


def _same(choices: Iterable[list[float | None]]) -> list[float | None] | None:
    found = [set(each) for each in choices]
    return None if any(len(each) > 1 for each in found) else [value for each in found for value in each]


def _counted(choices: Iterable[list[bool]]) -> Value:
    found = [set(each) for each in choices]
    return UNCLEAR if any(len(each) > 1 for each in found) else sum(True in each for each in found)


def _mean(days: list[float]) -> Value:
    return sum(days) / len(days) if days else "no_evidence"


def _trend(created: int, resolved: int) -> float:
    return created / resolved if resolved else float(created) if created else 1.0


# --- one issue -------------------------------------------------------------------------------------------------------


def _lives(site: Jira, issue: JiraIssue, at: Instants) -> list[Life]:
    """All that its history allows."""
    criticals = _criticals(site, issue)
    if not site.keeps_histories:
        return [Life(is_open, each, False, days) for each in criticals for is_open, days in _by_dates(site, issue, at)]
    lives = [_life(issue, means, critical, at) for means in _meanings(site, issue) for critical in criticals]
    gap = _gap(issue)
    if gap is None or gap[0] >= at.as_of:
        return lives
    return [each for life in lives for each in _with_gap(life, gap, at)]


def _gap(issue: JiraIssue) -> tuple[datetime, datetime] | None:
    """From when to when its history misses a move: what a move leads to isn't where the next one begins.

    Where it isn't where the issue is now, for ever.
    """
    nexts = [(move.from_status, move.at) for move in issue.transitions[1:]] + [(issue.status, FOREVER)]
    gaps = [
        (move.at, at) for move, (status, at) in zip(issue.transitions, nexts, strict=False) if move.to_status != status
    ]
    return gaps[0] if gaps else None


def _with_gap(life: Life, gap: tuple[datetime, datetime], at: Instants) -> list[Life]:
    """What it may have come to, where a move is missing: within the gap anything, after it what came later."""
    if at.as_of <= gap[1]:
        return [
            replace(life, is_open=True, reopened=False, resolved_days=None),
            replace(life, is_open=False, reopened=True, resolved_days=0.0),
        ]
    again = {life.reopened, True} if gap[1] >= at.window_start else {life.reopened}
    days = {None} if life.is_open else {None, 0.0}
    return [replace(life, reopened=reopened, resolved_days=each) for reopened in again for each in days]


def _by_dates(site: Jira, issue: JiraIssue, at: Instants) -> list[tuple[bool, float | None]]:
    """Whether it was open, and how long it took if it was resolved in the window, as far as dates tell it alone."""
    done = site.statuses[issue.status].category == "done"
    if done and issue.resolutiondate is not None:
        if issue.resolutiondate >= at.as_of:
            return [(True, None)]
        return [(False, _days(issue, issue.resolutiondate) if at.in_window(issue.resolutiondate) else None)]
    if issue.updated >= at.as_of:
        return [(True, None), (False, None), (False, 0.0)]
    if not done:
        return [(True, None)]
    return [(False, None), (False, 0.0)] if at.in_window(issue.updated) else [(False, None)]


def _days(issue: JiraIssue, resolved: datetime) -> float:
    return (resolved - issue.created) / timedelta(days=1)


def _criticals(site: Jira, issue: JiraIssue) -> tuple[bool, ...]:
    """A priority that was deleted since may have been critical or not."""
    return (False, True) if issue.priority in site.former_priorities else (issue.priority in site.critical,)


def _meanings(site: Jira, issue: JiraIssue) -> Iterator[Meanings]:
    """What the statuses of its history can have meant.

    A status that is listed means what its category says. A deleted one meant done, where a resolution stood while the
    issue was in it; else it says nothing.
    """
    listed = {key: status.category == "done" for key, status in site.statuses.items()}
    deleted = {move.to_status for move in issue.transitions} - listed.keys()
    resolved = {move.to_status for move, resolution in _with_resolutions(issue.transitions) if resolution}
    doubtful = sorted(deleted - resolved)
    for choice in product((False, True), repeat=len(doubtful)):
        yield {**listed, **dict.fromkeys(deleted & resolved, True), **dict(zip(doubtful, choice, strict=True))}


def _with_resolutions(moves: Iterable[Transition]) -> Iterator[tuple[Transition, str]]:
    """Each move, with the resolution that stood after it; "" for none."""
    resolution = ""
    for move in moves:
        resolution = resolution if move.resolution is None else move.resolution
        yield move, resolution


def _life(issue: JiraIssue, means: Meanings, critical: bool, at: Instants) -> Life:  # noqa: FBT001
    moves = issue.transitions
    changes = [move for move in moves if means[move.from_status] != means[move.to_status]]
    past = [move for move in changes if move.at < at.as_of]
    status = next((move.from_status for move in moves), issue.status)
    for move in moves:
        status = move.to_status if move.at < at.as_of else status
    resolved = _resolved(issue, past, means, at) if means[status] else None
    return Life(
        is_open=not means[status],
        critical=critical,
        reopened=any(at.in_window(move.at) and means[move.from_status] for move in changes),
        resolved_days=_days(issue, resolved) if resolved is not None and at.in_window(resolved) else None,
    )


def _resolved(issue: JiraIssue, past: Sequence[Transition], means: Meanings, at: Instants) -> datetime | None:
    """When the resolution that stood at as_of was reached: its date where that is this one's, else the move."""
    if means[issue.status] and issue.resolutiondate is not None and issue.resolutiondate < at.as_of:
        return issue.resolutiondate
    return max((move.at for move in past if means[move.to_status]), default=None)

"""The issue tracker: bugs of each customer's component, their histories, and what is no bug of theirs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from random import Random

from accountpulse.sandbox.world.model import Jira, JiraIssue, Status, Transition
from accountpulse.sandbox.world.plans import Blueprint, Calendar, Plan, moment, poisson

STATUSES = {
    status.id: status
    for status in (
        Status("1", "Open", "new"),
        Status("3", "In Progress", "indeterminate"),
        Status("4", "In Review", "indeterminate"),
        Status("5", "Done", "done"),
        Status("6", "Closed", "done"),
        Status("7", "Won't Do", "done"),
    )
}
FORMER = {  # deleted since: the first one's name was given to another, the second one's is gone
    "8": Status("8", "Done", "done"),
    "9": Status("9", "Fixed", "done"),
}
PRIORITIES = ["Highest", "High", "Medium", "Low", "Lowest"]
TYPES = ["Bug", "Story", "Task"]
PROJECTS = ("CORE", "WEB")
ORGANIZATIONS = "customfield_10002"
ACCOUNT_IDS = "customfield_10234"  # a field with options to choose several from
ACCOUNT_TEXT = "customfield_10500"  # the same as free text, where it is one
FIELD_NAMES = {ORGANIZATIONS: "Organizations", ACCOUNT_IDS: "Customer accounts", ACCOUNT_TEXT: "Customer account"}


class SiteBuilder:
    """The site while it fills."""

    def __init__(self, calendar: Calendar) -> None:
        """Ids come from a counter, keys from one a project."""
        self.calendar = calendar
        self.ids = count(10001)
        self.keys = {project: count(1) for project in PROJECTS}
        self.issues: list[JiraIssue] = []

    def add_issue(
        self, created: datetime, components: list[str], kind: str = "Bug", project: str = "CORE"
    ) -> JiraIssue:
        """A new open issue."""
        made = JiraIssue(
            id=str(next(self.ids)),
            key=f"{project}-{next(self.keys[project])}",
            project=project,
            type=kind,
            created=created,
            updated=created,
            status="1",
            priority="Medium",
            components=components,
            labels=["customer"] if components else [],
            statuscategorychangedate=created,
        )
        self.issues.append(made)
        return made

    def move(self, issue: JiraIssue, at: datetime, status: str, *, resolves: bool = True) -> bool:
        """Move an issue, unless that lies in the future. `resolves` false: the workflow sets no resolution."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # Jira keeps milliseconds
        if at >= self.calendar.until:
            return False
        statuses = {**STATUSES, **FORMER}
        before, after = statuses[issue.status], statuses[status]
        change: str | None = None
        if after.category == "done" and resolves:
            change = "Done" if status != "7" else "Won't Do"
            issue.resolution, issue.resolutiondate = change, at
        elif before.category == "done" and after.category != "done" and issue.resolution is not None:
            change, issue.resolution, issue.resolutiondate = "", None, None
        if before.category != after.category:
            issue.statuscategorychangedate = at
        issue.transitions.append(Transition(at, issue.status, status, change))
        issue.status, issue.updated = status, max(issue.updated, at)
        return True


def build_jira(blueprint: Blueprint) -> Jira:
    """The whole site, with the blueprint's extra issues.

    The calling user's profile is far from UTC: a date in JQL is not what it seems.
    """
    site = SiteBuilder(blueprint.calendar)
    linked = [plan for plan in blueprint.plans if plan.customer.jira_component is not None]
    for plan in linked:
        _add_customer_issues(site, plan)
    if len(linked) >= 3:
        _add_edge_cases(site, linked)
        _add_long_histories(site, linked)
    names = [str(plan.customer.jira_component) for plan in linked]
    if linked:
        _add_extra_bugs(site, blueprint, names)
    accounts = {str(plan.customer.jira_component): plan.customer.account_id for plan in linked}
    return site_of(site.issues, accounts, {"CORE": [*names, "Platform"], "WEB": [*names[:10], "Website"]})


def site_of(issues: list[JiraIssue], accounts: Mapping[str, str], components: dict[str, list[str]]) -> Jira:
    """The sandbox's site: issues that name their customers, whose account ids `accounts` has by component."""
    name_customers(issues, accounts)
    return Jira(
        email="integration@sandbox.example",
        token="jira-token-of-the-sandbox",
        timezone="America/Los_Angeles",
        statuses=STATUSES,
        priorities=PRIORITIES,
        issue_types=TYPES,
        components=components,
        issues=issues,
        former=FORMER,
        field_names=FIELD_NAMES,
        strict_fields={ORGANIZATIONS: list(accounts), ACCOUNT_IDS: list(accounts.values())},
        text_fields=[ACCOUNT_TEXT],
    )


def name_customers(issues: list[JiraIssue], accounts: Mapping[str, str]) -> None:
    """Say in every other way as well which customers an issue belongs to: label, organisation, options, text."""
    for issue in issues:
        ids = [accounts[name] for name in issue.components if name in accounts]
        if not ids:
            continue
        issue.labels = [*issue.labels, *ids]
        issue.fields[ORGANIZATIONS] = [
            {"id": str(number), "name": name} for number, name in enumerate(issue.components) if name in accounts
        ]
        issue.fields[ACCOUNT_IDS] = [{"id": str(30000 + number), "value": each} for number, each in enumerate(ids)]
        issue.fields[ACCOUNT_TEXT] = ids[0] if len(ids) == 1 else None


def _add_extra_bugs(site: SiteBuilder, blueprint: Blueprint, names: list[str]) -> None:
    """So many bugs more, evenly over the customers, touched in the last ninety days."""
    rng, calendar = Random(f"crowd {blueprint.seed}"), site.calendar
    for number in range(blueprint.issues):
        created = moment(rng, calendar.month_end - timedelta(days=blueprint.issue_days), calendar.month_end)
        issue = add_issue_with_history(site, rng, names[number % len(names)], created, bad=0.5)
        touched = moment(rng, max(created, calendar.window_start), calendar.month_end)
        issue.updated = max(issue.updated, touched)


def _add_customer_issues(site: SiteBuilder, plan: Plan) -> None:
    rng, calendar, component = plan.rng, site.calendar, str(plan.customer.jira_component)
    bad = 1 - plan.quality
    begin = max(
        calendar.start, datetime(plan.customer.since.year, plan.customer.since.month, 1, tzinfo=calendar.start.tzinfo)
    )
    months = max(1.0, (calendar.until - begin).days / 30.4)
    for _ in range(poisson(rng, (0.2 + 2.2 * bad) * months)):
        kind = "Bug" if rng.random() < 0.7 else rng.choice(TYPES)
        add_issue_with_history(site, rng, component, moment(rng, begin, calendar.until), bad=bad, kind=kind)
    if plan.customer.scenario == "bug storm":
        for _ in range(24):
            created = moment(rng, calendar.month_end - timedelta(days=50), calendar.month_end)
            add_issue_with_history(site, rng, component, created, bad=0.95)


def add_issue_with_history(
    site: SiteBuilder, rng: Random, component: str, created: datetime, *, bad: float, kind: str = "Bug"
) -> JiraIssue:
    """An issue's life: usually done after a while, sometimes opened again, sometimes without a resolution."""
    created += timedelta(milliseconds=rng.randrange(1000))
    issue = site.add_issue(created, [component], kind)
    issue.priority = (
        rng.choice(("Highest", "High", "Medium")) if rng.random() < bad else rng.choice(("Medium", "Low", None))
    )
    at = created + timedelta(hours=rng.expovariate(1 / (40 + 700 * bad)) + 1)
    if not site.move(issue, at, "3"):
        return issue
    at += timedelta(hours=rng.expovariate(1 / (60 + 900 * bad)) + 1)
    if rng.random() < 0.12 + 0.25 * bad or not site.move(
        issue, at, rng.choice(("5", "6", "7")), resolves=rng.random() < 0.7
    ):
        return issue
    if rng.random() < 0.2 and site.move(issue, at + timedelta(hours=30), "6"):  # done to done: not reopened
        at += timedelta(hours=30)
    if rng.random() < 0.08 + 0.2 * bad:
        at += timedelta(days=rng.uniform(1, 20))
        if site.move(issue, at, "1") and rng.random() < 0.6:
            site.move(issue, at + timedelta(days=rng.uniform(1, 15)), "5", resolves=rng.random() < 0.7)
    return issue


def _add_edge_cases(site: SiteBuilder, linked: list[Plan]) -> None:
    calendar, day, tick = site.calendar, timedelta(days=1), timedelta(milliseconds=1)
    first, second, third = (str(plan.customer.jira_component) for plan in linked[:3])
    # edges of the window and of as_of
    for at in (calendar.window_start, calendar.window_start - tick, calendar.month_end - tick, calendar.month_end):
        site.add_issue(at, [first])
        late = site.add_issue(calendar.window_start - 30 * day, [second])
        site.move(late, at, "5")
    # open at as_of, done since; done at as_of, open since; done twice around it
    site.move(site.add_issue(calendar.month_end - 20 * day, [third]), calendar.month_end + 2 * day, "5")
    reopened = site.add_issue(calendar.month_end - 20 * day, [third])
    site.move(reopened, calendar.month_end - 10 * day, "5")
    site.move(reopened, calendar.month_end + 2 * day, "1")
    twice = site.add_issue(calendar.month_end - 25 * day, [third])
    for days, status in ((-15, "6"), (1, "3"), (3, "5")):
        site.move(twice, calendar.month_end + days * day, status)
    # two customers' bug; a priority that was taken away; a scenario and a task; nobody's bugs; another project's
    site.add_issue(calendar.month_end - 8 * day, [first, second]).priority = "Highest"
    site.add_issue(calendar.month_end - 8 * day, [first]).priority = None
    site.add_issue(calendar.month_end - 8 * day, [second], "Story")
    site.add_issue(calendar.month_end - 8 * day, [second], "Task")
    site.add_issue(calendar.month_end - 8 * day, [])
    site.add_issue(calendar.month_end - 8 * day, ["Platform"])
    site.add_issue(calendar.month_end - 8 * day, [first], project="WEB").priority = "Highest"
    # old, open, and untouched for a year: still open
    site.add_issue(calendar.month_end - 400 * day, [third]).priority = "Highest"
    # done without a resolution, long before and within the window
    for days in (300, 12):
        quiet = site.add_issue(calendar.month_end - 350 * day, [second])
        site.move(quiet, calendar.month_end - days * day, "5", resolves=False)


def _add_long_histories(site: SiteBuilder, linked: list[Plan]) -> None:
    """Histories that are hard to read: of statuses that were deleted since, and longer than a search shows."""
    calendar, day = site.calendar, timedelta(days=1)
    first, second = (str(plan.customer.jira_component) for plan in linked[:2])
    for status in FORMER:  # reopened out of them within the window
        bug = site.add_issue(calendar.month_end - 120 * day, [first])
        site.move(bug, calendar.month_end - 100 * day, status)
        site.move(bug, calendar.month_end - 30 * day, "1")
    restless = site.add_issue(calendar.month_end - 80 * day, [second])
    site.move(restless, calendar.month_end - 70 * day, "5")
    site.move(restless, calendar.month_end - 69 * day, "1")  # the reopening is older than the forty that follow
    for hours in range(50):
        site.move(restless, calendar.month_end - 60 * day + hours * timedelta(hours=1), "3" if hours % 2 else "4")

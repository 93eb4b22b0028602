"""What the Jira site of the small company holds, as its readers must find it."""

from collections.abc import Iterable

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import Jira, JiraIssue
from support import Configure, extract

BUGS = "issuetype = Bug ORDER BY created ASC"


def visible(site: Jira) -> list[JiraIssue]:
    """The issues that the caller may see."""
    return [issue for issue in site.issues if issue.project not in site.hidden]


def bugs(site: Jira) -> list[JiraIssue]:
    """Those that are bugs, oldest first."""
    return sorted((each for each in visible(site) if each.type == "Bug"), key=lambda each: each.created)


def moves_of(histories: Iterable[tuple[str, Iterable[tuple[str, str | None, str | None]]]]) -> list[tuple[str, str]]:
    """The changes of status in a history by time; it is given as its time, and field, from and to of each item."""
    found = [
        (at, str(before), str(after)) for at, items in histories for field, before, after in items if field == "status"
    ]
    return [(before, after) for _at, before, after in sorted(found)]


def told_moves(issue: JiraIssue) -> list[tuple[str, str]]:
    """The same, as the world tells it."""
    return [(move.from_status, move.to_status) for move in issue.transitions]


def our_bugs(running: Sandbox, configure: Configure, scope: Scope) -> set[str]:
    """The ids of the issues that our extractor reads for the linked accounts."""
    changes = {} if "JIRA_EMAIL" in running.environment() else {"JIRA_EMAIL": None}
    loaded = configure(running, **changes)
    links = extract(loaded, "salesforce", scope).tables["links"]
    keys = tuple(key for source, key in links.select("source", "key").iter_rows() if source == "jira")
    issues = extract(loaded, "jira", scope, keys).spools["issues"].lazy().collect()
    return set(issues["issue_id"])

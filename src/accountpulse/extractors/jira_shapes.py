"""The parts of Jira's answers that we decode, and nothing else: no summary, description or person.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from accountpulse.errors import UnexpectedAnswer


class Shape(msgspec.Struct, gc=False):
    """Base of all shapes; fields that are not named are skipped undecoded."""


class ServerInfo(Shape, rename="camel"):
    """Which product answers: Cloud or Server (Data Center)."""

    deployment_type: str = "Server"


class Myself(Shape):
    """Who we are: that this is answered at all is what counts."""

    active: bool = True


class Category(Shape):
    """A status category; its key is stable, its name is translated."""

    key: str = "undefined"


class Status(Shape, rename="camel"):
    """A workflow status."""

    id: str
    name: str = ""
    status_category: Category = msgspec.field(default_factory=Category)


class Named(Shape):
    """Anything with an id and a name."""

    id: str | int | None = None
    name: str | None = None
    key: str | None = None
    value: str | None = None


class Projects(Shape, rename="camel"):
    """One page of projects on Cloud."""

    values: list[Named]
    is_last: bool = True


class Fields(Shape):
    """The fields of an issue that we ask for; a custom link field is taken from `Issue.fields` as it is."""

    created: str | None = None
    updated: str | None = None
    status: Status | None = None
    priority: Named | None = None
    resolutiondate: str | None = None
    statuscategorychangedate: str | None = None
    components: list[Named] | None = None
    labels: list[str] | None = None
    project: Named | None = None


class Change(Shape):
    """One changed field in a history entry; `from` and `to` are ids."""

    field: str = ""
    before: str | None = msgspec.field(default=None, name="from")
    after: str | None = msgspec.field(default=None, name="to")
    before_name: str | None = msgspec.field(default=None, name="fromString")
    after_name: str | None = msgspec.field(default=None, name="toString")


class History(Shape):
    """A history entry; bulk fetch has been seen with a number of milliseconds as its time."""

    created: str | int
    items: list[Change]


class Changelog(Shape):
    """An issue's histories, where they were asked for with the search."""

    histories: list[History]
    total: int | None = None


class Issue(Shape):
    """One issue of a search."""

    id: str
    fields: Raw = Raw(b"{}")
    changelog: Changelog | None = None


class CloudPage(Shape, rename="camel"):
    """One page of Cloud's search: it ends where there is no token."""

    issues: list[Issue]
    next_page_token: str | None = None
    is_last: bool | None = None


class ServerPage(Shape, rename="camel"):
    """One page of Data Center's search: `max_results` is what the server made of our wish."""

    issues: list[Issue]
    start_at: int = 0
    max_results: int = 0
    total: int = 0


class IssueChanges(Shape, rename="camel"):
    """One issue's histories from bulk fetch."""

    issue_id: str
    change_histories: list[History]


class BulkChanges(Shape, rename="camel"):
    """One page of bulk fetch."""

    issue_change_logs: list[IssueChanges]
    next_page_token: str | None = None


class Complaint(Shape, rename="camel"):
    """The body of an error: what Jira says is wrong."""

    error_messages: list[str] = []


def milliseconds(text: str | int | None) -> int | None:
    """A time such as `2026-10-01T16:29:31.871-0700` as milliseconds since 1970; null stays null."""
    if text is None or isinstance(text, int):
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnexpectedAnswer("jira", "reading a time", "it is not ISO 8601") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

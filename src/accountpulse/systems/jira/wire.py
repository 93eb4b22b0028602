"""The parts of Jira's answers that we decode, and nothing else: no summary, description or person.

Times such as `2026-10-01T16:29:31.871-0700` are read with the rest; what isn't ISO 8601 makes an answer unreadable.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

import msgspec

EARLIEST = 631_152_000_000  # milliseconds: 1990, before any tracker; 1970 is a date that was lost
ADRIFT = 86_400_000  # milliseconds: how far the dates of one issue may contradict each other, written by several clocks


NULL = msgspec.Raw(b"null")


class JiraStruct(msgspec.Struct, gc=False):
    """Base of all shapes; fields that are not named are skipped undecoded."""


class ServerInfo(JiraStruct, rename="camel"):
    """Which product answers: Cloud or Server (Data Center)."""

    deployment_type: str = "Server"


class Myself(JiraStruct, rename="camel"):
    """Who we are: that this is answered at all is what counts. Dates in JQL are of this zone."""

    time_zone: str | None = None


class Category(JiraStruct):
    """A status category; its key is stable, its name is translated."""

    key: str | None = None


class Status(JiraStruct, rename="camel"):
    """A workflow status."""

    id: str = ""
    name: str = ""
    status_category: Category | None = None


class Named(JiraStruct, rename="camel"):
    """Anything with an id and a name; its name may be translated into our user's language."""

    id: str | int | None = None
    name: str | None = None
    key: str | None = None
    untranslated_name: str | None = None


class ProjectInfo(Named):
    """A project that was asked for by a key, which may be an earlier one of it."""

    archived: bool = False
    deleted: bool = False


class FieldSchema(JiraStruct):
    """What kind of field it is: its type (`items` of what, where it is an array), and the custom type's own key."""

    type: str | None = None
    items: str | None = None
    custom: str | None = None


class FieldInfo(JiraStruct):
    """A field of the site."""

    id: str
    name: str = ""
    schema: FieldSchema | None = None


class Projects(JiraStruct, rename="camel"):
    """One page of projects on Cloud."""

    values: list[Named]
    is_last: bool | None = None
    total: int | None = None


class Fields(JiraStruct):
    """The fields of an issue that we ask for.

    A custom link field is `link`, whatever its id, and as it came: the same come again and again, and are read once.
    """

    created: datetime | None = None
    updated: datetime | None = None
    status: Status | None = None
    priority: Named | msgspec.UnsetType | None = msgspec.UNSET  # null: it has none; absent: not told
    resolutiondate: datetime | None = None
    statuscategorychangedate: datetime | None = None
    components: list[Named] | None = None
    labels: list[str] | None = None
    project: Named | None = None
    link: msgspec.Raw = NULL


class Change(JiraStruct, rename="camel"):
    """One changed field in a history entry; `from` and `to` are ids. Only what fields of our own hold is text.

    `field_id` is Cloud's, and Data Center names a field in words: one of its own fields by `field`, where `fieldtype`
    isn't `custom`.
    """

    field: str = ""
    field_id: str | None = None
    fieldtype: str | None = None
    before: Any = msgspec.field(default=None, name="from")
    after: Any = msgspec.field(default=None, name="to")

    @property
    def what(self) -> str | None:
        """The id of the field; None: a custom one of Data Center."""
        if self.field_id is not None:
            return self.field_id
        return None if self.fieldtype == "custom" else self.field.casefold()


class IssueHistory(JiraStruct):
    """A history entry; bulk fetch has been seen with a number of milliseconds as its time."""

    created: datetime | int
    items: list[Change] = []
    id: str | int | None = None


class Changelog(JiraStruct):
    """An issue's histories, newest first, where they were asked for with the search; it may be cut."""

    histories: list[IssueHistory]
    total: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it came."""
        return self.total is None or self.total <= len(self.histories)


class Issue(JiraStruct):
    """One issue of a search."""

    id: str
    fields: Fields | None = None
    changelog: Changelog | None = None
    created: int | None = None  # milliseconds since 1970: `fields.created`, read once
    minute: int | None = None  # where it lies in the slices of a walk


class SearchPage(JiraStruct, rename="camel"):
    """One page of a search: Cloud's ends where there is no token, Data Center's where `total` is reached.

    `max_results` is what the server made of our wish.
    """

    issues: list[Issue]
    next_page_token: str | None = None
    is_last: bool | None = None
    start_at: int = 0
    max_results: int = 0
    total: int | None = None


class Count(JiraStruct):
    """About how many issues a query has, on Cloud."""

    count: int


class IssueChanges(JiraStruct, rename="camel"):
    """One issue's histories from bulk fetch."""

    issue_id: str
    change_histories: list[IssueHistory]


class BulkChanges(JiraStruct, rename="camel"):
    """One page of bulk fetch."""

    issue_change_logs: list[IssueChanges]
    next_page_token: str | None = None


def page_decoder(link_field: str | None) -> "msgspec.json.Decoder[SearchPage]":
    """A decoder of search pages that takes the named custom field for `Fields.link`."""
    if link_field is None:
        return msgspec.json.Decoder(SearchPage)
    fields = msgspec.defstruct(
        "LinkFields", [("link", msgspec.Raw, NULL)], bases=(Fields,), rename={"link": link_field}, gc=False
    )
    issue = msgspec.defstruct("LinkIssue", [("fields", fields | None, None)], bases=(Issue,), gc=False)
    page = msgspec.defstruct("LinkPage", [("issues", list[issue])], bases=(SearchPage,), rename="camel", gc=False)  # type: ignore[valid-type]
    return msgspec.json.Decoder(page)


def created_at(fields: Fields) -> int | None:
    """When an issue was created; None: not told, or before there were trackers."""
    created = milliseconds(fields.created)
    return None if created is None or created < EARLIEST else created


def later_date(moment: datetime | None, created: int, updated: int | None) -> int | None:
    """A date of an issue that lies between its creation and its last update; None: not told, or it can't be."""
    at = milliseconds(moment)
    if at is None or at < created - ADRIFT or (updated is not None and at > updated + ADRIFT):
        return None
    return at


def milliseconds(moment: datetime | int | None) -> int | None:
    """A time as milliseconds since 1970, rounded down; null stays null."""
    if moment is None or isinstance(moment, int):
        return moment
    since = moment - _epoch(moment.tzinfo)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@cache
def _epoch(offset: tzinfo | None) -> datetime:
    """1970 at an offset from UTC: times of one offset are subtracted in half of the time that others take."""
    return datetime(1970, 1, 1, tzinfo=UTC).astimezone(offset) if offset is not None else datetime(1970, 1, 1)  # noqa: DTZ001

"""Searching Jira on both products: the conditions, their pages, their slices of time, and the histories of issues."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.period import Scope
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.http.paging import PageGuard
from accountpulse.http.slice_walk import RowPage
from accountpulse.http.time_slices import TimeSlice, equal_slices
from accountpulse.systems.jira.jql_dates import DAY, JqlDates
from accountpulse.systems.jira.links import listed
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.site import Site
from accountpulse.systems.jira.wire import BulkChanges, Count, Issue, IssueChanges, SearchPage, created_at

CLOUD_PAGE = 5000  # the most that Cloud takes; it gives fewer where fields are asked for
SERVER_PAGE = 1000  # the server makes less of it where its administrator said so
WINDOW = 8000  # issues of one query that Data Center is asked for; past 10,000 it answers with 500
FIRST_SLICES = 8  # of a query; whoever is idle takes over parts of them
SLICE_ROWS = 300  # a query with fewer issues for each slice has fewer slices
LARGEST_ROWS = 1500  # a slice is in memory until it is complete, so large queries have more slices
MOST_SLICES = 500  # a count may be wrong by any factor; whoever is idle cuts what is too large in any case
BULK = 1000  # issues in one bulk fetch of histories
BULK_PAGE = 10_000  # history entries in one of its pages
OPEN = -1  # the start of a stretch without one
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HISTORY_FIELDS = ("status", "resolution")

_COUNT = msgspec.json.Decoder(Count)
_BULK = msgspec.json.Decoder(BulkChanges)
_ISSUE = msgspec.json.Decoder(Issue)
_PLAIN = msgspec.json.Decoder(SearchPage)


@dataclass(frozen=True)
class Found:
    """What a first look at a condition told: how many issues it has (about, on Cloud), and when the oldest came."""

    keys: tuple[str, ...]
    condition: str
    count: int
    oldest: int  # minutes since 1970


def condition(link: str | None, mapping: JiraMapping, scope: Scope, *, cloud: bool) -> str:
    """Bugs of a link that are open now, or that anything happened to since the window's start.

    A date in JQL means the zone of our user's profile, so a day is added on both sides; times are compared here.
    """
    since, until = (f'"{(moment + timedelta(days=days)):%Y-%m-%d}"' for moment, days in _bounds(scope))
    dates = ["updated", "created", "resolved", *(["statusCategoryChangedDate"] if cloud else [])]
    touched = " OR ".join(f"{name} >= {since}" for name in dates)
    narrowed = mapping.projects and mapping.link != "project"  # else the keys are the narrowed ones already
    parts = [f"project in {listed(mapping.projects)}"] if narrowed else []
    parts += [
        *([link] if link else []),
        f"issuetype in {listed(mapping.bug_types)}",
        f"(statusCategory != Done OR {touched})",
    ]
    return " AND ".join([*parts, f"created < {until}"])


def _bounds(scope: Scope) -> tuple[tuple[datetime, int], tuple[datetime, int]]:
    return (scope.window.start, -1), (scope.as_of, 2)  # 2: the day itself is cut off, and a day


class Search:
    """One run's searches on one site.

    `fields` are asked for, and `decoder` reads them. Slices follow the minutes of `created`; `dates` writes their ends
    in the zone of our user's profile. `doubtful`: a page of it that was not the last led nowhere.
    """

    def __init__(
        self,
        web: Client,
        site: Site,
        fields: Sequence[str],
        decoder: "msgspec.json.Decoder[SearchPage]",
        begin: datetime = EPOCH,
    ) -> None:
        """Nothing is asked yet. `begin`: where slices begin if the oldest issue doesn't tell."""
        self.doubtful: set[str] = set()  # conditions
        self._begin = begin
        self._by_get = False  # a proxy lets no POST through
        self._web = web
        self._site = site
        self._fields = [*fields, *(["statuscategorychangedate"] if site.cloud else [])]
        self._decoder = decoder
        self.dates = JqlDates(site.zone)

    # --- before the walk

    async def look(self, keys: tuple[str, ...], text: str) -> Found:
        """Count a condition's issues and find the oldest."""
        found = await self._look(keys, text) or await self._look(keys, text)
        if found is None:
            raise UnexpectedAnswer("jira", "searching", "twice no issue came where Jira had counted some")
        return found

    async def _look(self, keys: tuple[str, ...], text: str) -> Found | None:
        """None: Jira counted issues and showed none."""
        body = {"jql": f"{text} ORDER BY created ASC", "fields": ["created"], "maxResults": 1}
        if self._site.cloud:
            page, count = await asyncio.gather(self._send(body, _PLAIN), self.count(text))
        else:
            page = await self._send({**body, "startAt": 0}, _PLAIN)
            count = page.total or 0
        if not page.issues:
            return Found(keys, text, 0, 0) if count == 0 else None
        fields = page.issues[0].fields
        created = created_at(fields) if fields is not None else None
        # the first slice is open to the left, wherever it begins
        oldest = int(self._begin.timestamp() * 1000) if created is None else created
        return Found(keys, text, max(1, count), oldest // 60_000)

    async def count(self, text: str) -> int:
        """About how many issues a condition has, on Cloud."""
        return (await self._web.post(f"{self._site.api}/search/approximate-count", _COUNT, {"jql": text})).count

    def distrust_zone(self) -> None:
        """Jira reads dates in another zone than it says: from the next walk on, slices lap over by days."""
        self.dates = JqlDates(None)

    async def slices(self, found: Found, until: datetime) -> list[TimeSlice]:
        """The stretch from the oldest issue on, in parts of which Data Center can show each whole.

        Half of them lie in the window: every issue that came about there is found, of older ones a few.
        """
        end = max(int(until.timestamp() // 60) + 3 * DAY, found.oldest + 1)  # beyond all that is found, in any zone
        number = max(min(FIRST_SLICES, found.count // SLICE_ROWS + 1), min(MOST_SLICES, found.count // LARGEST_ROWS))
        begin = int(self._begin.timestamp() // 60)
        older = number // 2 if found.oldest < begin else 0
        middle = begin if older else found.oldest
        parts = [*equal_slices(found.oldest, middle, older), *equal_slices(middle, end, number - older)]
        if self._site.cloud or found.count <= WINDOW:
            return parts
        return [small for few in await together(self._small(found, part) for part in parts) for small in few]

    async def _small(self, found: Found, part: TimeSlice) -> list[TimeSlice]:
        jql = _jql(found, _asked(found, part, self.dates), self.dates)
        total = (await self._send({"jql": jql, "fields": ["id"], "startAt": 0, "maxResults": 0}, _PLAIN)).total or 0
        if total <= WINDOW:
            return [part]
        if part.end - part.start < 2:
            raise UnexpectedAnswer("jira", "searching", f"{total:,} issues were created within one minute")
        halves = equal_slices(part.start, part.end, 2)
        return [small for few in await together(self._small(found, half) for half in halves) for small in few]

    # --- the walk

    def ask(
        self, found: Found, *, ids_only: bool = False
    ) -> Callable[[TimeSlice, str | None], Awaitable[RowPage[Issue]]]:
        """What sends the requests of a walk over the condition's issues."""
        fields, decoder = (["id"], _PLAIN) if ids_only else (self._fields, self._decoder)

        dates = self.dates  # of all of the walk: its slices must meet

        async def cloud(part: TimeSlice, cursor: str | None) -> RowPage[Issue]:
            asked = _asked(found, part, dates)
            body: dict[str, Any] = {"jql": _jql(found, asked, dates), "fields": fields, "maxResults": CLOUD_PAGE}
            if cursor is not None:
                body["nextPageToken"] = cursor
            page = await self._send(body, decoder)
            if page.next_page_token is None and page.is_last is False:
                self.doubtful.add(found.condition)
            return RowPage(page.issues if ids_only else _timed(page.issues, found, asked, dates), page.next_page_token)

        async def server(part: TimeSlice, cursor: str | None) -> RowPage[Issue]:
            start, size = map(int, cursor.split()) if cursor is not None else (0, SERVER_PAGE)
            asked = _asked(found, part, dates)
            body: dict[str, Any] = {
                "jql": _jql(found, asked, dates),
                "fields": fields,
                "startAt": start,
                "maxResults": size,
            }
            if not ids_only:
                body["expand"] = ["changelog"]
            page = await self._send(body, decoder)
            start += len(page.issues)
            more = bool(page.issues) and start != page.total  # a total below what came says nothing: on
            following = f"{start} {page.max_results or size}" if more else None
            return RowPage(page.issues if ids_only else _timed(page.issues, found, asked, dates), following, page.total)

        return cloud if self._site.cloud else server

    async def _send(self, body: dict[str, Any], decoder: "msgspec.json.Decoder[SearchPage]") -> SearchPage:
        """A page of a search; on Data Center always with the total that its rows are held against."""
        page = await self._ask(body, decoder)
        if page.total is None and not self._site.cloud:
            raise UnexpectedAnswer("jira", "searching", "an answer without its total, so that nobody knows what lacks")
        return page

    async def _ask(self, body: dict[str, Any], decoder: "msgspec.json.Decoder[SearchPage]") -> SearchPage:
        path = f"{self._site.api}/search/jql" if self._site.cloud else f"{self._site.api}/search"
        if not self._by_get:
            try:
                return await self._web.post(path, decoder, body)
            except RequestRefused as refused:
                if refused.status != 405:
                    raise
                self._by_get = True  # both products take their search by GET as well
        params = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in body.items()}
        return await self._web.get(path, decoder, params)

    # --- histories

    async def histories(self, issues: Sequence[str]) -> list[IssueChanges]:
        """The changes of status of up to BULK issues, on Cloud; an issue may come in several parts."""
        body: dict[str, Any] = {"issueIdsOrKeys": [*issues], "fieldIds": [*HISTORY_FIELDS], "maxResults": BULK_PAGE}
        guard, found = PageGuard("jira", "histories"), list[IssueChanges]()
        while True:
            page = await self._web.post(f"{self._site.api}/changelog/bulkfetch", _BULK, body)
            guard.check(page.next_page_token, len(page.issue_change_logs))
            found += page.issue_change_logs
            if page.next_page_token is None:
                return found
            body["nextPageToken"] = page.next_page_token

    async def history(self, issue: str) -> Issue | None:
        """One issue with all its changes, on Data Center; None: it is gone, or hidden since."""
        params = {"fields": "status", "expand": "changelog"}
        return await self._web.object("issues", issue, f"{self._site.api}/issue/{issue}", _ISSUE, params)


def _asked(found: Found, part: TimeSlice, dates: JqlDates) -> TimeSlice:
    """The stretch that is asked for to have a slice; the first slice is open to the left."""
    around = dates.around(part)
    return around if part.start > found.oldest else TimeSlice(OPEN, around.end)


def _jql(found: Found, asked: TimeSlice, dates: JqlDates) -> str:
    """The condition within a stretch."""
    parts = [found.condition]
    if asked.start != OPEN:
        parts.append(f"created >= {dates.text(asked.start)}")
    parts.append(f"created < {dates.text(asked.end)}")
    return " AND ".join(parts) + " ORDER BY created ASC, key ASC"


def _timed(issues: list[Issue], found: Found, asked: TimeSlice, dates: JqlDates) -> list[Issue]:
    """The issues with the times of their creation (one that can't be is none), held against what was asked.

    One that became older since the first look is the first slice's.
    """
    minutes = []
    for issue in issues:
        issue.created = created_at(issue.fields) if issue.fields is not None else None
        if issue.created is not None:
            issue.minute = max(found.oldest, issue.created // 60_000)
            minutes.append(issue.minute)
    if minutes:
        dates.hold(asked, (min(minutes), max(minutes)))
    return issues

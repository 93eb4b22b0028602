"""Jira → bugs and their changes of status, for every linked account: few queries over many accounts, in slices."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from accountpulse.core.catalogue import METRICS
from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.records import ISSUE_MOVES, ISSUES, Extract, Reason
from accountpulse.core.spooled import PartCollector, SpooledTable
from accountpulse.http import client
from accountpulse.http.client import Client, Endpoint, RequestRefused, together
from accountpulse.http.slice_walk import RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, without
from accountpulse.systems.jira import site as jira_site
from accountpulse.systems.jira.links import Links, combinations_for, split_by_clause, stands_alone
from accountpulse.systems.jira.parts import CountedIssueBatch, StretchTables, collector, ids_table, tables, unread
from accountpulse.systems.jira.rows import IssueReader, Moves, ceiled
from accountpulse.systems.jira.search import BULK, SLICE_ROWS, Found, Search, condition
from accountpulse.systems.jira.settings import JiraAccess, JiraMapping, JiraRequest
from accountpulse.systems.jira.site import LinkField, Site
from accountpulse.systems.jira.wire import Issue, page_decoder

REMEDIES = {
    401: "Check JIRA_API_TOKEN (Cloud tokens end after at most a year) and, for Cloud, JIRA_EMAIL; scoped tokens work "
    "only with a JIRA_BASE_URL at api.atlassian.com/ex/jira/<cloud id>.",
    403: "Let the user of JIRA_API_TOKEN browse the projects, or unlock it by signing in once.",
}
BUGS = tuple(name for name, metric in METRICS.items() if metric.domain == "bugs")
FIELDS = ("created", "updated", "status", "priority", "resolutiondate")
CARRIERS = {"project": "project", "component": "components", "label": "labels"}  # the field that a link is read from
SHOWN = 5  # how many keys a note names
SHOWN_KEY = 80  # how many characters of a key
HISTORIES = "histories"
ESTIMATE = 0.05  # how far an estimated count may be off before the reader is told


def extract(request: JiraRequest) -> Extract:
    """Bugs that are open now or were touched since the window's start, with their changes of status.

    `keys` are components, projects, labels, field values, organisations or JQL clauses, as `jira.link` says.
    """
    return client.run(_extract(request))


def connect(request: JiraRequest) -> Client:
    """The client of the configured site."""
    access = request.access
    headers = {"Authorization": authorization(access)}
    endpoint = Endpoint("jira", access.base_url, headers, REMEDIES)
    return Client(endpoint, request.budget, ca_bundle=request.connection.ca_bundle)


def authorization(access: JiraAccess) -> str:
    """The header: Basic with an e-mail (Cloud), Bearer without (Data Center)."""
    token = access.token.reveal()
    if access.email is None:
        return f"Bearer {token}"
    return "Basic " + base64.b64encode(f"{access.email}:{token}".encode()).decode()


async def _extract(request: JiraRequest) -> Extract:
    async with connect(request) as web:
        work = await begin(request, web)
        if isinstance(work, str):
            spools = {"issues": SpooledTable(ISSUES), "issue_moves": SpooledTable(ISSUE_MOVES)}
            return Extract("jira", {}, dict.fromkeys(BUGS, "field_missing"), {}, (work,), spools=spools)
        await work.search_all()
        await work.read_histories()
    spools = tables(work.collector.spools)
    return Extract("jira", {}, work.gaps, dict.fromkeys(work.refused, "not_linked"), tuple(work.notes()), spools=spools)


async def begin(request: JiraRequest, web: Client) -> "JiraExtraction | str":
    """The work, once the site is known; or why nothing can be known there. A wrong setting is raised."""
    site = await jira_site.look_at(web)
    mapping = request.mapping
    if unseen := _unseen(site, mapping):
        return unseen
    link_field = await jira_site.link_field(web, site, mapping)
    await jira_site.check_types(web, site, mapping.bug_types)
    return JiraExtraction.of(request, web, site, link_field)


def _unseen(site: Site, mapping: JiraMapping) -> str | None:
    """Why nothing can be known: bugs that our user can't see would be counted as none."""
    if not site.projects:
        return "no project is visible to the user of JIRA_API_TOKEN: its bugs are not known"
    missing = [] if mapping.link == "project" else jira_site.invisible(mapping, site)
    if missing:
        return f"jira.projects: not visible to our user, so that bugs are not known: {', '.join(missing)}"
    return None


@dataclass
class JiraExtraction:
    """One extraction from one site."""

    request: JiraRequest
    web: Client
    site: Site
    mapping: JiraMapping
    links: Links
    search: Search
    reader: IssueReader
    gaps: dict[str, Reason] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # keys that Jira doesn't know or doesn't understand
    collector: PartCollector[StretchTables] = field(init=False)
    counts: dict[Found, int] = field(default_factory=dict)  # issues that came, of each query
    expected: int = 0  # issues that Jira counted before they were read

    def __post_init__(self) -> None:
        """Begin with what an earlier process of this run has kept."""
        self.collector = collector(self.request.parts)

    @classmethod
    def of(cls, request: JiraRequest, web: Client, site: Site, link_field: LinkField | None) -> "JiraExtraction":
        """The work of a request, once the site is known."""
        mapping = request.mapping
        links = Links(mapping, request.keys, link_field)
        known = site.has_priority(mapping.critical_priorities)
        critical = frozenset(name.strip().casefold() for name in mapping.critical_priorities)
        carrier = link_field.id if link_field is not None else CARRIERS.get(mapping.link)
        decoder = page_decoder(link_field.id if link_field is not None else None)
        search = Search(web, site, [*FIELDS, *([carrier] if carrier else [])], decoder)
        reader = IssueReader(site, links, request.scope, critical, known)
        gaps: dict[str, Reason] = {} if known else {"critical_bugs": "field_missing"}
        return cls(request, web, site, mapping, links, search, reader, gaps)

    # --- searching

    async def search_all(self) -> None:
        """All keys that Jira can know: chunk by chunk side by side, each in slices."""
        queries = await self.find()
        if not queries:
            return
        self.expected = sum(found.count for found in queries)
        if any(found.count > SLICE_ROWS for found in queries):
            await self.search.try_zone(queries[0])
        if self.links.by_clause:
            await together(self._split_by_clause(found) for found in queries)
        await together(self._walk(found) for found in queries)

    async def find(self) -> list[Found]:
        """The queries that have issues, with their counts; keys that Jira refuses are in `refused`."""
        await self._refuse_unknown()
        keys = [key for key in self.request.keys if key not in self.refused]
        looked = await together(self._look(chunk) for chunk in self.links.chunks(keys))
        return [found for several in looked for found in several if found.count]

    async def _refuse_unknown(self) -> None:
        """Leave out what needs no search: values that the site doesn't list, clauses that can't stand in brackets."""
        known = await jira_site.known_names(self.web, self.site, self.mapping)
        for key in self.request.keys:
            broken = self.links.by_clause and not stands_alone(key)
            if broken or (known is not None and key.strip().casefold() not in known):
                self.refused.add(key)

    async def _look(self, keys: tuple[str, ...]) -> list[Found]:
        """What the keys find; where Jira refuses them, their halves are tried, down to the one that it refuses."""
        text = condition(self.links.clause(keys), self.mapping, self.request.scope, cloud=self.site.cloud)
        try:
            return [await self.search.look(keys, text)]
        except RequestRefused as refused:
            if refused.status != 400:
                raise
        if len(keys) == 1:
            self.refused.add(keys[0])
            return []
        half = len(keys) // 2
        return [found for part in await together(map(self._look, (keys[:half], keys[half:]))) for found in part]

    async def _split_by_clause(self, found: Found) -> None:
        """Learn which issue belongs to which clause of a query (see jira_links)."""
        combinations_of = combinations_for(len(found.keys))
        numbers = range(1 + max(number for each in combinations_of for number in each))
        groups = [
            [key for key, each in zip(found.keys, combinations_of, strict=True) if number in each] for number in numbers
        ]
        ids = await together(map(self._ids, groups))
        single, several, doubtful = split_by_clause(found.keys, combinations_of, ids)
        for issue, key in single.items():
            self.links.owners.setdefault(issue, set()).add(key)
        alone = sorted(doubtful)
        for key, own in zip(alone, await together(self._ids([key]) for key in alone), strict=True):
            for issue in several & own:
                self.links.owners.setdefault(issue, set()).add(key)

    async def _ids(self, keys: Sequence[str]) -> set[str]:
        text = condition(self.links.clause(keys), self.mapping, self.request.scope, cloud=self.site.cloud)
        found = await self.search.look(tuple(keys), text)
        parts = await self.search.slices(found, self.request.scope.as_of)
        ids: set[str] = set()
        ask = self.search.ask(found, ids_only=True)
        rows = RowSource("jira", "issues", ask, lambda issue: issue.id, lambda _issue: None)
        await SliceWalk(rows, self.web.limiter, Ids, lambda _part, batch, _rows: ids.update(batch.ids)).run(
            parts if found.count else ()
        )
        return ids

    async def _walk(self, found: Found) -> None:
        ask, question = self.search.ask(found), hashlib.sha256(found.condition.encode()).hexdigest()[:16]
        # one that became older since the first look is the first slice's
        rows = RowSource(
            "jira", "issues", ask, lambda issue: issue.id, lambda issue: max(found.oldest, issue.created // 60_000)
        )
        earlier = sum(facts["came"].get(question, 0) for facts in self.collector.facts)

        def done(part: TimeSlice, batch: CountedIssueBatch, _rows: SliceRows) -> None:
            issues, moves = batch.frames()
            rows = {"issues": issues, "issue_moves": moves, "unread": ids_table(batch.to_read)}
            self.collector.take(
                (question, part.start, part.end), StretchTables(rows, batch.unreadable, {question: batch.rows})
            )

        def progress(kept: int, _total: int | None) -> None:
            self.counts[found] = earlier + kept
            came = sum(self.counts.values())
            self.request.progress(came, max(came, self.expected))

        self.counts[found] = earlier
        walk = SliceWalk(rows, self.web.limiter, lambda: CountedIssueBatch(self.reader), done, progress)
        slices = await self.search.slices(found, self.request.scope.as_of)
        await walk.run(without(slices, self.collector.done(question)))
        if self.search.doubtful and self.counts[found] < found.count * (1 - ESTIMATE):
            answer = f"{self.counts[found]:,} issues of about {found.count:,} came, and no way to the others"
            raise UnexpectedAnswer("jira", "paging through issues", answer)

    # --- histories

    async def read_histories(self) -> None:
        """Fetch the histories that the search didn't bring; unreadable ones leave `reopened_bugs` unknown."""
        self.collector.close()
        issues = unread(self.collector.spools)
        try:
            await together(self._read(issues[at : at + BULK]) for at in range(0, len(issues), BULK))
        except RequestRefused as refused:
            if refused.status not in (403, 404):
                raise
            self.gaps["reopened_bugs"] = "field_missing"
        self.collector.close()
        if any(facts["unreadable"] for facts in self.collector.facts):
            self.gaps["reopened_bugs"] = "field_missing"

    async def _read(self, issues: Sequence[str]) -> None:
        moves, unreadable = Moves(self.site, ceiled(self.request.scope.window.start)), False
        if self.site.cloud:
            for changes in await self.search.histories(issues):
                moves.add(changes.issue_id, changes.change_histories)
        else:
            for issue, whole in zip(issues, await together(map(self.search.history, issues)), strict=True):
                changelog = whole.changelog
                if changelog is None or (changelog.total or 0) > len(changelog.histories):
                    unreadable = True
                else:
                    moves.add(issue, changelog.histories)
        rows = {"issue_moves": moves.frame(), "read": ids_table(issues)}
        self.collector.take((HISTORIES, int(issues[0]), int(issues[-1]) + 1), StretchTables(rows, unreadable))

    # --- what the reader should know

    def notes(self) -> Iterator[str]:
        """What the reader should know about this walk."""
        if self.refused:
            named = ", ".join(repr(key[:SHOWN_KEY]) for key in sorted(self.refused)[:SHOWN])
            more = f" and {len(self.refused) - SHOWN:,} more" if len(self.refused) > SHOWN else ""
            what = "JQL clauses are refused by Jira" if self.links.by_clause else "linked values are not known to Jira"
            yield f"{len(self.refused):,} {what}; their accounts count as not linked: {named}{more}"
        if "critical_bugs" in self.gaps:
            yield "none of jira.critical_priorities exists on the site: critical_bugs is not known"
        if "reopened_bugs" in self.gaps:
            yield "the histories of issues can't be read: reopened_bugs is not known"
        came = sum(self.counts.values())
        if abs(self.expected - came) > max(10, ESTIMATE * self.expected):
            yield f"{came:,} bugs came where Jira had counted {self.expected:,}: its index may lag behind; run again"


class Ids:
    """The ids of the issues of one slice."""

    def __init__(self) -> None:
        """Empty."""
        self.ids: set[str] = set()

    def add(self, rows: Sequence[Issue]) -> None:
        """Take the ids of a page."""
        self.ids.update(issue.id for issue in rows)

"""Jira → bugs and their changes of status, for every linked account: few queries over many accounts, in slices."""

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

import polars as pl
from msgspec import structs

from accountpulse.core.catalogue import METRICS
from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.records import ISSUE_MOVES, ISSUES, Extract, Reason, RowCounts, unknowns
from accountpulse.core.spooled import PartCollector, SpooledTable
from accountpulse.http import client
from accountpulse.http.client import Client, Endpoint, together, together_within
from accountpulse.http.refused_values import ValueQueries
from accountpulse.http.slice_walk import RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, without
from accountpulse.systems.jira import notes, parts
from accountpulse.systems.jira import site as jira_site
from accountpulse.systems.jira.fields import BY_FIELD, LinkField, link_field
from accountpulse.systems.jira.history_fetch import HistoryFetch
from accountpulse.systems.jira.history_flow import HistoryFlow, present_of
from accountpulse.systems.jira.jql_dates import ZoneMistaken
from accountpulse.systems.jira.links import Links, combinations_for, split_by_clause, stands_alone
from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.parts import StretchContent
from accountpulse.systems.jira.refusals import REMEDIES, cause
from accountpulse.systems.jira.rows import IssueBatch, IssueReader, Lives, framed
from accountpulse.systems.jira.search import Found, Search, condition
from accountpulse.systems.jira.settings import JiraAccess, JiraLook, JiraMapping, JiraRequest
from accountpulse.systems.jira.site import Listed, Priorities, Site
from accountpulse.systems.jira.wire import Issue, page_decoder

BUGS = tuple(name for name, metric in METRICS.items() if metric.domain == "bugs")
FIELDS = ("created", "updated", "status", "priority", "resolutiondate")
CARRIERS = {"project": "project", "component": "components", "label": "labels"}  # the field that a link is read from
ROWS_AT_ONCE = 20_000  # issues of the queries that are walked side by side, about: their slices are in memory
AGAIN, LAPPED = "+", "~"  # of a question's name: its second walk, and a walk in slices that lap over by days


def extract(request: JiraRequest) -> Extract:
    """Bugs that are open now or were touched since the window's start, with their changes of status.

    `keys` are components, projects, labels, field values, organisations or JQL clauses, as `jira.link` says.
    """
    return client.run(_extract(request))


def connect(request: JiraRequest | JiraLook) -> Client:
    """The client of the configured site."""
    access = request.access
    headers = {"Authorization": authorization(access)}
    endpoint = Endpoint("jira", access.base_url, headers, REMEDIES, cause)
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
            return Extract("jira", {}, dict.fromkeys(BUGS, "not_visible"), {}, (work,), spools=spools)
        async with work.histories:
            await work.search_all()
        await together((work.find_owners(), work.read_histories()))
        return work.result()


async def begin(request: JiraRequest, web: Client) -> "JiraExtraction | str":
    """The work, once the site is known; or why nothing can be known there. A wrong setting is raised."""
    mapping = request.mapping
    site = await jira_site.look_at(web, fields=mapping.link in BY_FIELD)
    if unseen := _unseen(site, mapping):
        return unseen
    field = link_field(site.fields, mapping)
    types = jira_site.bug_types(site, mapping.bug_types)
    listed = await _listed(web, site, mapping, request.keys)
    return JiraExtraction.of(request, web, site, structs.replace(mapping, bug_types=types), link=field, listed=listed)


async def _listed(web: Client, site: Site, mapping: JiraMapping, keys: Sequence[str]) -> Listed:
    if mapping.link == "project":
        return await jira_site.listed_projects(web, site, mapping, keys)
    if mapping.link == "component":
        return await jira_site.listed_components(web, site, mapping, keys)
    return Listed.none()


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
    mapping: JiraMapping  # with the issue types as queries call them
    links: Links
    listed: Listed
    search: Search
    reader: IssueReader
    gaps: dict[str, Reason] = field(default_factory=dict)
    refused: dict[str, Reason] = field(default_factory=dict)  # keys that Jira doesn't know or doesn't understand
    collector: PartCollector[StretchContent] = field(init=False)
    histories: HistoryFlow = field(init=False)
    counts: dict[Found, int] = field(default_factory=dict)  # issues that came, of each query
    guilty: dict[str, str] = field(default_factory=dict)  # keys with bugs that don't show them → one of these
    moved_on: set[str] = field(default_factory=set)  # issues that no key finds any more
    tables: parts.Tables | None = None
    _accepted: bool = False  # a query over values, or the one without, has passed
    _one_control: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Begin with what an earlier process of this run has kept."""
        self.collector = parts.collector(self.request.parts)
        fetch = HistoryFetch(self.search, cloud=self.site.cloud)
        self.histories = HistoryFlow(fetch, self.reader.history, self.collector.take)

    @classmethod
    def of(
        cls,
        request: JiraRequest,
        web: Client,
        site: Site,
        mapping: JiraMapping,
        *,
        link: LinkField | None,
        listed: Listed,
    ) -> "JiraExtraction":
        """The work of a request, once the site is known."""
        links = Links(mapping, request.keys, link, listed)
        priorities = Priorities(site.priorities, mapping.critical_priorities)
        carrier = link.id if link is not None else CARRIERS.get(mapping.link)
        decoder = page_decoder(link.id if link is not None else None)
        fields = [*FIELDS, *([carrier] if carrier else [])]
        search = Search(web, site, fields, decoder, request.scope.window.start)
        reader = IssueReader.of(site, links, request.scope, priorities)
        gaps: dict[str, Reason] = {} if priorities.known else {"critical_bugs": "field_missing"}
        return cls(request, web, site, mapping, links, listed, search, reader, gaps)

    # --- searching

    async def search_all(self) -> None:
        """All keys that Jira can know: chunk by chunk side by side, each in slices."""
        queries = await self.find()
        if not queries:
            return
        self.counts = dict.fromkeys(queries, 0)
        if self.links.by_clause:
            for owners in await together(self._owners(found) for found in queries):
                for issue, keys in owners.items():
                    self.links.owners.setdefault(issue, set()).update(keys)
        await together_within(ROWS_AT_ONCE, ((found.count, partial(self._walk, found)) for found in queries))

    async def find(self) -> list[Found]:
        """The queries that have issues, with their counts; keys that Jira refuses are in `refused`."""
        self._refuse_unseen()
        # what isn't listed is tried by itself, since it may be refused
        found = await together(self._find(is_listed=is_listed) for is_listed in (True, False))
        return [query for queries in found for query in queries]

    async def look_up(self) -> None:
        """Learn which keys Jira doesn't know, without a search for those that it lists."""
        self._refuse_unseen()
        await self._find(is_listed=False)

    async def _find(self, *, is_listed: bool) -> list[Found]:
        keys = [k for k in self.request.keys if k not in self.refused and (k in self.listed.called) is is_listed]
        queries = ValueQueries(self._look, self._control)
        looked = await together(queries.answers(chunk) for chunk in self.links.chunks(keys))
        self.refused |= dict.fromkeys(queries.refused, "not_linked")
        return [found for several in looked for found in several if found.count]

    def _refuse_unseen(self) -> None:
        """Leave out what needs no search: projects that our user can't see, clauses that can't stand in brackets."""
        if self.links.by_clause:
            self.refused |= {key: "not_linked" for key in self.request.keys if not stands_alone(key)}
        if self.mapping.link == "project":
            seen = {name for project in self.site.projects for name in jira_site.names_of(project)}
            for key in self.request.keys:
                if key not in self.listed.called:
                    self.refused[key] = "not_linked" if folded(key) in seen else "not_visible"

    def _condition(self, link: str | None) -> str:
        return condition(link, self.mapping, self.request.scope, cloud=self.site.cloud)

    async def _look(self, keys: Sequence[str]) -> Found:
        found = await self.search.look(tuple(keys), self._condition(self.links.clause(keys)))
        self._accepted = True
        return found

    async def _control(self) -> None:
        """The same query without values, once: where it is refused, no value is to blame."""
        async with self._one_control:
            if not self._accepted:
                await self.search.look((), self._condition(self.links.any_value))
                self._accepted = True

    async def _owners(self, found: Found) -> Mapping[str, set[str]]:
        """Which of a query's keys find each of its issues (see links): a few queries, whatever the number of keys."""
        if len(found.keys) == 1:
            return {issue: set(found.keys) for issue in await self._ids(found.keys)}
        combinations_of = combinations_for(len(found.keys))
        numbers = range(1 + max(number for each in combinations_of for number in each))
        groups = [
            [key for key, each in zip(found.keys, combinations_of, strict=True) if number in each] for number in numbers
        ]
        ids = await together(map(self._ids, groups))
        single, several, doubtful = split_by_clause(found.keys, combinations_of, ids)
        owners = {issue: {key} for issue, key in single.items()}
        alone = sorted(doubtful)
        for key, own in zip(alone, await together(self._ids([key]) for key in alone), strict=True):
            for issue in several & own:
                owners.setdefault(issue, set()).add(key)
        return owners

    async def _ids(self, keys: Sequence[str]) -> set[str]:
        found = await self._look(keys)
        slices = await self.search.slices(found, self.request.scope.as_of)
        ids: set[str] = set()
        ask = self.search.ask(found, ids_only=True)
        rows = RowSource("jira", "issues", ask, attrgetter("id"), lambda _issue: None)
        walk = SliceWalk(rows, self.web.limiter, Ids, lambda _part, some, _rows: ids.update(some.ids), is_answered=True)
        await walk.run(slices if found.count else ())
        return ids

    async def _walk(self, found: Found) -> None:
        """All issues of a query; once more where fewer came than Cloud had estimated."""
        question = self._question(found)
        came = await self._walk_in_zone(found, question)
        if not self.site.cloud or came >= found.count:
            return
        came = max(came, await self._walk_in_zone(found, question + AGAIN))
        self.counts[found] = came
        if found.condition in self.search.doubtful and came < found.count:
            answer = f"{came:,} issues of about {found.count:,} came, and no way to the others"
            raise UnexpectedAnswer("jira", "paging through issues", answer)

    async def _walk_in_zone(self, found: Found, question: str) -> int:
        """How many issues came; from the beginning again where Jira is found to read dates in another zone."""
        try:
            return await self._walk_once(found, question)
        except ZoneMistaken:
            self.search.distrust_zone()
            self.counts[found] = 0
            return await self._walk_once(found, question)

    async def _walk_once(self, found: Found, question: str) -> int:
        if self.search.dates.zone is None:  # its parts and those of slices that meet don't go together
            question += LAPPED
        # one without a time is kept where it is found
        rows = RowSource("jira", "issues", self.search.ask(found), attrgetter("id"), attrgetter("minute"))
        earlier = sum(facts["came"].get(question, 0) for facts in self.collector.facts)

        def done(part: TimeSlice, batch: IssueBatch, rows: SliceRows) -> None:
            self.collector.take((question, part.start, part.end), parts.of_slice(batch, rows, question))

        def progress(kept: int, _total: int | None) -> None:
            self.counts[found] = max(self.counts.get(found, 0), earlier + kept)
            came = sum(self.counts.values())
            self.request.progress(came, max(came, sum(each.count for each in self.counts)))

        asked = frozenset(found.keys)

        def batch() -> IssueBatch:
            flow = () if AGAIN in question else (self.histories.add,)  # a second walk finds few that are new
            return IssueBatch(self.reader, asked, *flow)

        expected = found.count - earlier if self.site.cloud else None
        walk = SliceWalk(rows, self.web.limiter, batch, done, progress, is_answered=True, expected=expected)
        slices = await self.search.slices(found, self.request.scope.as_of)
        await walk.run(without(slices, self.collector.done(question)))
        self.counts[found] = max(self.counts.get(found, 0), earlier + walk.kept)
        return int(earlier + walk.kept)

    def _question(self, found: Found) -> str:
        """What a query is called in checkpoint parts; slices meet at dates of one zone."""
        return hashlib.sha256(f"{self.site.zone} {found.condition}".encode()).hexdigest()[:16]

    # --- whose they are

    async def find_owners(self) -> None:
        """Ask which keys have found the issues that don't show them: of these keys' bugs nothing is known."""
        self.collector.close()
        if not self.collector.spools["suspects"].height:
            return
        suspects = parts.suspects(self.collector.spools)
        by_question = {self._question(found): found for found in self.counts}
        asked = pl.col("question").str.strip_chars_end(AGAIN + LAPPED)
        for (question,), some in suspects.group_by(asked, maintain_order=True):
            found = by_question.get(str(question))
            owners = await self._owners(found) if found is not None else {}
            for issue, keys in some.select("issue_id", "keys").iter_rows():
                shown, finding = set(keys or ()), owners.get(issue, set())
                for key in finding - shown:
                    self.guilty.setdefault(key, issue)
                if not finding and not shown:
                    self.moved_on.add(issue)

    # --- histories

    async def read_histories(self) -> None:
        """Read the histories that are left; what they would have said is unknown where they can't be."""
        self.collector.close()
        waiting = parts.unread(self.collector.spools)
        if not self.site.cloud and not self._has_histories():
            waiting, bare = waiting.filter(~pl.col("bare")), waiting.filter("bare")
        else:
            bare = waiting.clear()
        await self.histories.read(waiting.select("issue_id", "present").rows())
        self.collector.close()
        unread = parts.unread(self.collector.spools)
        nothing_read = not self.collector.spools["read"].height
        if bare.height or (self.site.cloud and nothing_read and unread.height > 1):
            self.gaps["reopened_bugs"] = "field_missing"
        lives = Lives()
        for issue, packed in unread.select("issue_id", "present").iter_rows():
            life = self.reader.history.without(present_of(packed))
            if "reopened_bugs" not in self.gaps:
                life.doubts |= life.bare
            lives.add(issue, life)
        for name, rows in lives.rows().items():
            self.collector.spools[name].add(framed(rows, parts.TABLES[name]))

    def _has_histories(self) -> bool:
        return any(facts["histories"] for facts in self.collector.facts)

    # --- what came of it

    def result(self) -> Extract:
        """Everything that came, and what is unknown of single keys."""
        spools, counts = self.collector.spools, Counter[str]()
        for facts in self.collector.facts:
            counts.update(facts["counts"])
        self.tables = parts.tables(
            spools, is_text=self.links.is_text, moved_on=self.moved_on, bare=self._has_histories()
        )
        left_out = Counter(self.tables.left_out)
        left_out[parts.REPEATED] += counts["repeated"]
        left_out["came without the time of their creation"] += counts["undated"]
        lost = spools["lost"].lazy().unique().sort("key").collect()["key"].to_list()
        unclear = self.tables.unknowns.with_columns(reason=pl.lit("unclear"))
        unknown = [unknowns(sorted(self.guilty), BUGS, "not_attributable"), unknowns(lost, BUGS, "unclear"), unclear]
        rows = RowCounts(counts["came"], counts["outside"], {rule: n for rule, n in left_out.items() if n})
        return Extract(
            "jira",
            {},
            self.gaps,
            self.refused,
            tuple(self.notes()),
            spools={"issues": self.tables.issues, "issue_moves": self.tables.moves},
            unknowns=pl.concat(unknown).unique().sort("key", "metric", "reason"),
            counts={"issues": rows},
        )

    def notes(self) -> Iterator[str]:
        """What the reader should know about this walk."""
        yield from notes.of_keys(self.refused, self.guilty, by_clause=self.links.by_clause)
        yield from notes.of_gaps(self.gaps)
        yield from notes.of_zone(self.site.zone, self.search.dates.zone)
        if self.tables is not None:
            yield from notes.of_issues(self.tables)
        yield from self.web.gone_notes()
        yield from notes.of_counts(self.counts)


class Ids:
    """The ids of the issues of one slice."""

    def __init__(self) -> None:
        """Empty."""
        self.ids: set[str] = set()

    def add(self, rows: Sequence[Issue]) -> None:
        """Take the ids of a page."""
        self.ids.update(issue.id for issue in rows)

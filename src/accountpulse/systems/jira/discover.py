"""What a site has, for the `jira:` block of a starter accountpulse.yaml: which issues are bugs, and whose they are.

Read are the site's lists, and of recent bugs what may name an account: no text, no person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http import client
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.systems.discovery import AccountSample, Discovery, Keys, MappingChoice
from accountpulse.systems.jira.bug_sample import (
    COMPONENT,
    JQL,
    PLAIN_FIELDS,
    PROJECT,
    BugSample,
    CustomField,
    clauses,
    custom_fields,
)
from accountpulse.systems.jira.extract import connect
from accountpulse.systems.jira.links import listed as jql_list
from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.settings import JiraLook
from accountpulse.systems.jira.site import CATEGORIES, PROJECT_PAGE
from accountpulse.systems.key_match import ID, KeyMatch, alternatives, ranked, same_count
from accountpulse.systems.looking import Unseen
from accountpulse.systems.samples import counted, inside, is_fit, listed, questions, rows, shown, text, whole
from accountpulse.systems.words import BUG, INCIDENT, TOP, says

DAYS = 365  # in which a sampled bug was created
ISSUES = 1000  # that are sampled
ISSUE_PAGES = 12
PROJECT_PAGES = 10
COMPONENT_PROJECTS = 10  # whose components are listed: those with most bugs
COUNTED_TYPES = 12
COUNTED_CLAUSES = 10
NO_LINK = (
    "Whose a bug is: nothing that recent bugs carry was found in a field of the account. Run `accountpulse accounts "
    "--suggest`, or give the links in a file (links.file)"
)
# types that are planned work, in English; what else is left is told with its counts
_PLANNED = frozenset({"epic", "story", "task", "sub-task", "subtask", "improvement", "new feature", "initiative"})
_ANY = msgspec.json.Decoder()
_ORGANIZATION = "organization"


def discover(request: JiraLook) -> Discovery:
    """What the site has, and the block that reads it.

    Some 10 requests, one for each 100 bugs up to 1,000 (Data Center: 1,000), and one for each of ten projects. What our
    user may not see is told, and the rest goes on; AccessError where the sign-in is refused, SourceUnavailable where
    nobody answers.
    """
    return client.run(_discover(request))


async def _discover(request: JiraLook) -> Discovery:
    unseen = Unseen()
    async with connect(request) as web:
        server = await web.get("/rest/api/2/serverInfo", _ANY)
        await web.get("/rest/api/2/myself", _ANY)  # a stranger would be shown an empty site
        is_cloud = inside(server, "deploymentType") == "Cloud"
        site = SiteLook(web, unseen, is_cloud, f"{request.now - timedelta(days=DAYS):%Y-%m-%d}")
        await site.read()
        types = await site.bug_types()
        sample = await site.sample(types.value)
        tried = [*sample.matches(request.accounts), *await site.clauses(request.accounts, types.value)]
    unknown = [*unseen.lines, *site.hidden(), *types.unknown]
    choices = [
        *_link(tried, sample, request.accounts, unknown),
        MappingChoice(("jira", "projects"), [], f"Bugs of all projects that our user sees: {len(site.projects):,}"),
        MappingChoice(("jira", "bug_types"), types.value, types.why, types.others),
        _critical(site.priorities, sample, unknown),
    ]
    return Discovery(tuple(site.lines(sample)), tuple(choices), questions(unknown))


@dataclass(frozen=True)
class BugTypes:
    """Which issue types are bugs, with the reason."""

    value: list[str]
    why: str
    others: tuple[tuple[object, str], ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass
class SiteLook:
    """The lists of one site, and its recent bugs. `since`: the day from which on bugs are sampled."""

    web: Client
    unseen: Unseen
    is_cloud: bool
    since: str
    projects: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)  # the most urgent first
    types: list[str] = field(default_factory=list)
    fields: list[CustomField] = field(default_factory=list)

    @property
    def _api(self) -> str:
        return "/rest/api/3" if self.is_cloud else "/rest/api/2"

    # --- lists

    async def read(self) -> None:
        """Ask for all lists."""
        self.projects = await self.unseen.have("Projects", self._projects()) or []
        self.statuses = await self._list("Statuses", "status")
        self.priorities = _named(await self._list("Priorities", "priority"))
        self.types = _named(await self._list("Issue types", "issuetype"))
        self.fields = custom_fields(await self._list("Fields", "field"))

    async def _list(self, what: str, path: str) -> list[dict[str, Any]]:
        return rows(await self.unseen.have(what, self.web.get(f"/rest/api/2/{path}", _ANY)))

    async def _projects(self) -> list[dict[str, Any]]:
        if not self.is_cloud:
            return rows(await self.web.get("/rest/api/2/project", _ANY))
        found: list[dict[str, Any]] = []
        for _ in range(PROJECT_PAGES):
            params = {"startAt": str(len(found)), "maxResults": str(PROJECT_PAGE)}
            page = await self.web.get("/rest/api/3/project/search", _ANY, params)
            found += (some := rows(page, "values"))
            if not some or inside(page, "isLast") is True or whole(inside(page, "total")) <= len(found):
                break
        return found

    async def _components(self, projects: Sequence[str]) -> set[str]:
        params = {"componentSource": "auto"} if self.is_cloud else None
        paths = [f"{self._api}/project/{quote(key, safe='')}/components" for key in projects]
        works = (
            self.web.object("projects", key, path, _ANY, params) for key, path in zip(projects, paths, strict=True)
        )
        answers = await together(works)
        self.unseen.lines += [f"Components: {note}" for note in self.web.gone_notes()]
        return {folded(name) for answer in answers for name in _named(rows(answer))}

    # --- searching

    async def _search(self, body: Mapping[str, Any]) -> Any:
        path = f"{self._api}/search/jql" if self.is_cloud else f"{self._api}/search"
        try:
            return await self.web.post(path, _ANY, body)
        except RequestRefused as refused:
            if refused.status != 405:  # a proxy that lets no POST through
                raise
        params = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in body.items()}
        return await self.web.get(path, _ANY, params)

    async def _count(self, jql: str) -> int:
        """How many issues a condition has; about, on Cloud."""
        if self.is_cloud:
            return whole(
                inside(await self.web.post(f"{self._api}/search/approximate-count", _ANY, {"jql": jql}), "count")
            )
        return whole(inside(await self._search({"jql": jql, "maxResults": 0, "fields": ["id"]}), "total"))

    def _recent(self, types: Sequence[str]) -> str:
        return f'issuetype in {jql_list(types)} AND created >= "{self.since}"'

    async def _count_each(self, types: Sequence[str]) -> dict[str, int]:
        counts = await together(self._count(self._recent([name])) for name in types)
        return dict(zip(types, counts, strict=True))

    async def sample(self, types: Sequence[str]) -> BugSample:
        """Recent bugs, and what the site lists of what they may carry."""
        found = BugSample(self.fields)
        if types and self.types:
            await self.unseen.have("Recent bugs", self._gather(found, self._recent(types)))
        seen = [key for key, _count in found.projects.most_common(COMPONENT_PROJECTS)]
        keys = seen or [
            key for each in self.projects[:COMPONENT_PROJECTS] if (key := text(each.get("key"))) is not None
        ]
        found.listed[COMPONENT] = await self.unseen.have("Components", self._components(keys)) or set()
        names = (text(each.get(way)) for each in self.projects for way in ("key", "name"))
        found.listed[PROJECT] = {folded(name) for name in names if name is not None}
        return found

    async def _gather(self, found: BugSample, jql: str) -> None:
        fields = [*PLAIN_FIELDS, *(each.id for each in self.fields)]
        body: dict[str, Any] = {"jql": f"{jql} ORDER BY created DESC", "fields": fields, "maxResults": ISSUES}
        for _ in range(ISSUE_PAGES):
            page = await self._search(body if self.is_cloud else {**body, "startAt": len(found.carried)})
            some = rows(page, "issues")
            for issue in some:
                found.add(issue)
            token, total = inside(page, "nextPageToken"), whole(inside(page, "total"))
            more = isinstance(token, str) if self.is_cloud else len(found.carried) < total
            if not some or not more or len(found.carried) >= ISSUES:
                return
            body = {**body, "nextPageToken": token} if self.is_cloud else body

    async def clauses(self, accounts: AccountSample, types: Sequence[str]) -> list[KeyMatch]:
        """Fields of the account that hold clauses of JQL, with how many bugs some of them find."""
        found = []
        for name, known in clauses(accounts).items():
            counts = await together(self._clause_count(clause, types) for clause in known[:COUNTED_CLAUSES])
            if told := sum(count for count in counts if count is not None):
                found.append(KeyMatch(JQL, name, len(known), 0, len(accounts.fields[name]), len(known), told))
        return found

    async def _clause_count(self, clause: str, types: Sequence[str]) -> int | None:
        """How many recent bugs a clause finds; None: Jira doesn't take it, as in a run."""
        try:
            return await self._count(f"{self._recent(types)} AND ({clause})")
        except (RequestRefused, UnexpectedAnswer):
            return None

    # --- which issues are bugs

    async def bug_types(self) -> BugTypes:
        """The types that are called so and in use; without any, those that are no planned work, and a question."""
        bugs = [name for name in self.types if says(name, BUG)]
        near = [name for name in self.types if name not in bugs and folded(name) not in _PLANNED]
        asked = [*bugs, *near][:COUNTED_TYPES]
        counts = await self.unseen.have("Issues by type", self._count_each(asked)) or {}
        used = [name for name in bugs if counts.get(name)] or bugs
        if used:
            rest = [name for name in near if says(name, INCIDENT) and counts.get(name)]
            others = tuple(([*used, name], f"{shown(name)} as well: {counts[name]:,} issues") for name in rest)
            return BugTypes(used, f"Issues of the last {DAYS} days: {_numbers(used, counts)}", others)
        guessed = max(near, key=lambda name: counts.get(name, 0), default=None)
        told = "Which issue types are bugs: no type is called so"
        if guessed is None:
            return BugTypes(
                ["Bug"], "No issue type is called so; name yours", (), (f"{told}. Name them in jira.bug_types",)
            )
        others = tuple(([name], f"{counts.get(name, 0):,} issues") for name in near if name != guessed)
        most = f"of those that are no planned work this one has most issues ({counts.get(guessed, 0):,})"
        why = f"No type is called a bug; {most}"
        return BugTypes([guessed], why, others, (f"{told}; {shown(guessed)} was taken. Ask who files them",))

    # --- what was seen

    def lines(self, sample: BugSample) -> Iterator[str]:
        """What was looked at."""
        yield f"Jira {'Cloud' if self.is_cloud else 'Data Center'} with {counted(len(self.projects), 'project')}"
        done = sum(CATEGORIES.get(str(inside(each, "statusCategory", "key"))) is True for each in self.statuses)
        yield f"{len(self.statuses):,} statuses, {done:,} of them done by their category"
        fields = f"{counted(len(self.fields), 'custom field')} that may name accounts"
        yield f"{len(sample.carried):,} bugs of the last {DAYS} days, with {fields}"

    def hidden(self) -> Iterator[str]:
        """What the site may keep from our user, or leaves open."""
        if not self.projects:
            yield "Bugs: no project is visible to the user of JIRA_API_TOKEN. Give it the permission Browse projects"
        open_ended = [each for each in self.statuses if inside(each, "statusCategory", "key") not in CATEGORIES]
        if open_ended:
            yield f"Whether {listed(_named(open_ended))} is done: the status has no category that Jira knows"


def _named(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of listed things, each once, that can stand in a mapping."""
    names = (text(each.get("name")) for each in items)
    return list({folded(name): name for name in names if name is not None and is_fit(name)}.values())


def _numbers(names: Sequence[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{shown(name)}: {counts.get(name, 0):,}" for name in names)


# --- whose they are -----------------------------------------------------------------------------------------------


def _link(
    tried: Sequence[KeyMatch], sample: BugSample, accounts: AccountSample, unknown: list[str]
) -> Iterator[MappingChoice]:
    """The keys that say whose a bug is."""
    found = ranked(tried, [*sample.carriers(), JQL], ("jira",))
    if not found:
        unknown.append(NO_LINK)
        lists = {carrier: len(sample.listed.get(carrier, ())) for carrier in (COMPONENT, PROJECT)}
        kind = max(lists, key=lambda carrier: lists[carrier])
        why = "No field was found that links; this one links nobody. A file of links holds names of the site's"
        keys = Keys({"account_field": ID, "link": kind})
        yield MappingChoice(("jira", "account_field"), keys, f"{why} {lists[kind]:,} {kind}s then")
        return
    best, *others = found
    why = _counts(best, sample, accounts)
    if same := same_count(best, others):
        why += f"; {len(same):,} other {'way finds' if len(same) == 1 else 'ways find'} as many"
    named = tuple((_keys(each, sample), _counts(each, sample, accounts)) for each in alternatives(best, others))
    yield MappingChoice(("jira", "account_field"), _keys(best, sample), why, named, asked=True)


def _counts(match: KeyMatch, sample: BugSample, accounts: AccountSample) -> str:
    if match.carrier == JQL:
        clauses_of = f"{match.linked:,} of the {match.values:,} values of {match.field} are clauses of JQL"
        return f"{clauses_of}, and some of them find {match.told:,} bugs"
    known = sample.known(match, accounts)
    in_list = f"; the site lists {known:,} of them" if known is not None else ""
    values = f"{match.linked:,} of the {match.values:,} values of {match.field} as {_noun(match.carrier, sample)}"
    return f"{match.told:,} of {len(sample.carried):,} recent bugs carry {values}{in_list}"


def _link_of(carrier: str, sample: BugSample) -> tuple[str, str | None]:
    """The kind of link, and the custom field where it is one."""
    known = {each.id: each for each in sample.fields}
    if carrier not in known:
        return carrier, None
    return (_ORGANIZATION, None) if known[carrier].is_organizations else ("field", carrier)


def _keys(match: KeyMatch, sample: BugSample) -> Keys:
    link, number = _link_of(match.carrier, sample)
    return Keys({"account_field": match.field, "link": link} | ({} if number is None else {"field": number}))


def _noun(carrier: str, sample: BugSample) -> str:
    names = {each.id: each.name for each in sample.fields}
    return shown(names[carrier]) if carrier in names else carrier


# --- priorities ---------------------------------------------------------------------------------------------------


def _critical(priorities: Sequence[str], sample: BugSample, unknown: list[str]) -> MappingChoice:
    """The priorities that say they are the highest; else the first of the list, which Jira keeps in their order."""
    path = ("jira", "critical_priorities")
    found = [name for name in priorities if says(name, TOP)]
    usual = ", ".join(f"{shown(name)}: {sample.priorities[name]:,}" for name in priorities[:6])
    why = f"Bugs by priority: {usual}"
    if found:
        more = priorities[: len(found) + 1]
        others = ((more, "one more of the list"),) if len(more) > len(found) and set(found) < set(more) else ()
        return MappingChoice(path, found, why, others)
    if priorities:
        unknown.append(
            f"Which priorities are critical: no name says it; {shown(priorities[0])}, the first listed, was taken"
        )
        return MappingChoice(path, [priorities[0]], f"The first of the list. {why}")
    unknown.append("Which priorities are critical: the site shows no list of them")
    return MappingChoice(path, None, "The site shows no list of priorities")

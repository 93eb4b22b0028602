"""What a Jira site is and knows: product, statuses, priorities, projects, components, issue types."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.errors import ConfigurationError, UnexpectedAnswer
from accountpulse.http.client import Client, RequestRefused, together
from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.wire import FieldInfo, Myself, Named, ProjectInfo, Projects, ServerInfo, Status

PROJECT_PAGE = 100
LISTED_PROJECTS = 50  # components are listed for so many projects at most; beyond, a search tells what is unknown
TRIED_KEYS = 20  # unlisted project keys that are asked for before it is believed that none of them is known
CATEGORIES = {"done": True, "new": False, "indeterminate": False, "undefined": False}  # key → whether it is done

_SERVER = msgspec.json.Decoder(ServerInfo)
_MYSELF = msgspec.json.Decoder(Myself)
_STATUSES = msgspec.json.Decoder(list[Status])
_FIELDS = msgspec.json.Decoder(list[FieldInfo])
_NAMED = msgspec.json.Decoder(list[Named])
_PROJECT = msgspec.json.Decoder(ProjectInfo)
_PROJECTS = msgspec.json.Decoder(Projects)


@dataclass(frozen=True)
class Site:
    """One Jira site, as far as our user sees it."""

    cloud: bool
    zone: ZoneInfo | None  # of our user's profile; None: hidden, or not known here
    done: Mapping[str, bool]  # status id → whether its category is done; one of unknown or of two meanings isn't there
    priorities: Sequence[Named]
    projects: tuple[Named, ...]  # the visible ones
    issue_types: Sequence[Named]
    fields: Sequence[FieldInfo]  # where they were asked for

    @property
    def api(self) -> str:
        """Where the product's REST interface begins."""
        return "/rest/api/3" if self.cloud else "/rest/api/2"

    def is_done(self, status: Status | None, resolved: datetime | None) -> bool | None:
        """Whether an issue's present status is a done one; None: not known.

        By the category that came with it, where the site's list doesn't say otherwise; else by the list. Where neither
        knows it, an issue with a resolution is done.
        """
        if status is not None:
            own, listed = category_done(status), self.done.get(status.id)
            if own is listed and own is not None:
                return own
            if own is not None and listed is not None:
                return None
            if own is not None or listed is not None:
                return listed if own is None else own
        return None if resolved is None else True


def category_done(status: Status) -> bool | None:
    """Whether a status is done by its own category; None: it has none, or one that is not known."""
    return CATEGORIES.get(status.status_category.key or "") if status.status_category is not None else None


async def look_at(web: Client, *, fields: bool = False) -> Site:
    """Ask the site about itself; a wrong token ends here, since search would answer strangers with an empty list.

    All that needs a good token is asked for at once, after it was found to be good: several refusals may lock a user.
    """
    server, myself = await asyncio.gather(
        web.get("/rest/api/2/serverInfo", _SERVER), web.get("/rest/api/2/myself", _MYSELF)
    )
    cloud = server.deployment_type == "Cloud"
    statuses, priorities, projects, issue_types, listed = await asyncio.gather(
        web.get("/rest/api/2/status", _STATUSES),
        web.get("/rest/api/2/priority", _NAMED),
        _projects(web, cloud=cloud),
        web.get("/rest/api/2/issuetype", _NAMED),
        _fields(web, wanted=fields),
    )
    zone = _zone(myself.time_zone)
    return Site(cloud, zone, _meanings(statuses), priorities, tuple(projects), issue_types, listed)


async def _fields(web: Client, *, wanted: bool) -> list[FieldInfo]:
    return await web.get("/rest/api/2/field", _FIELDS) if wanted else []


def _meanings(statuses: Iterable[Status]) -> dict[str, bool]:
    """Status id → whether it is done; one that is listed with two meanings has none."""
    found: dict[str, set[bool | None]] = {}
    for status in statuses:
        found.setdefault(status.id, set()).add(category_done(status))
    return {identifier: one for identifier, (one, *more) in found.items() if one is not None and not more}


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


async def _projects(web: Client, *, cloud: bool) -> list[Named]:
    if not cloud:
        return await web.get("/rest/api/2/project", _NAMED)
    found: list[Named] = []
    while True:
        params = {"startAt": str(len(found)), "maxResults": str(PROJECT_PAGE)}
        page = await web.get("/rest/api/3/project/search", _PROJECTS, params)
        found += page.values
        more = page.is_last is False if page.total is None else len(found) < page.total
        if not more:
            return found
        if not page.values:
            answer = f"{len(found):,} came, and Jira counted {page.total or 'more'}"
            raise UnexpectedAnswer("jira", "paging through projects", answer)


# --- priorities --------------------------------------------------------------------------------------------------


class Priorities:
    """Which priorities are critical: by their ids, which the configured names or ids are looked up for once."""

    def __init__(self, listed: Sequence[Named], wanted: Iterable[str]) -> None:
        """`wanted` are names, in any case, or ids."""
        self._wanted = frozenset(map(folded, wanted))
        meanings: dict[str, set[bool]] = {}
        for each in listed:
            meanings.setdefault(str(each.id), set()).add(not self._wanted.isdisjoint(names_of(each)))
        self._critical = {number: found == {True} for number, found in meanings.items() if len(found) == 1}
        self._by_name: dict[str, set[bool | None]] = {}
        for each in listed:
            self._by_name.setdefault(folded(each.name or ""), set()).add(self._critical.get(str(each.id)))
        self.known = any(self._critical.values())  # whether the site has any of them

    def is_critical(self, priority: Named | msgspec.UnsetType | None) -> bool | None:
        """Whether an issue's priority is critical; null where that can't be known, as of a priority that is gone."""
        if priority is None:
            return False
        if isinstance(priority, msgspec.UnsetType) or not self.known:
            return None
        return self._judge(priority)

    def _judge(self, priority: Named) -> bool | None:
        name = folded(priority.name or "")
        if priority.id is None:
            found = self._by_name.get(name, {None})
            return next(iter(found)) if len(found) == 1 else None
        number = str(priority.id)
        if number in self._wanted:
            return True
        critical = self._critical.get(number)
        return None if critical is False and name in self._wanted else critical


# --- what links may name -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """What the site lists of what links name: key → how a query calls it, and, where it isn't its name, its ids."""

    called: Mapping[str, str]
    ids: Mapping[str, frozenset[str]]

    @classmethod
    def none(cls) -> "Listed":
        """Nothing is listed: keys are found by their names alone."""
        return cls({}, {})


async def listed_projects(web: Client, site: Site, mapping: JiraMapping, keys: Sequence[str]) -> Listed:
    """The keys' projects: by key, else by name, else by id; one that isn't listed may be an earlier key of one."""
    seen = searched(site, mapping)
    ways = ("key", "name", "id")
    narrowed, visible = _Catalogue(seen, ways), _Catalogue(site.projects, ways)
    found = {key: narrowed.named(key, *ways) for key in keys}
    unlisted = [key for key, own in found.items() if not own and not visible.named(key, *ways)]
    by_id = {str(each.id): each for each in seen}
    for some in (unlisted[:TRIED_KEYS], unlisted[TRIED_KEYS:]):
        named = await together(_project(web, site, key) for key in some)
        renamed = {
            key: [by_id[str(each.id)]]
            for key, each in zip(some, named, strict=True)
            if each is not None and not each.archived and not each.deleted and str(each.id) in by_id
        }
        found |= renamed
        if not renamed:
            break
    own = {key: items for key, items in found.items() if items}
    return Listed(
        {key: str(items[0].key or items[0].name) for key, items in own.items()},
        {key: frozenset(str(item.id) for item in items) for key, items in own.items()},
    )


async def _project(web: Client, site: Site, key: str) -> ProjectInfo | None:
    try:
        return await web.get(f"{site.api}/project/{quote(key, safe='')}", _PROJECT)
    except RequestRefused:  # no such project, or hidden from our user: Jira gives both the same answer
        return None


async def listed_components(web: Client, site: Site, mapping: JiraMapping, keys: Sequence[str]) -> Listed:
    """The keys' components, by name, else by id; also those of Compass, where a project has these instead."""
    components, is_whole = await components_of(web, site, mapping)
    if not is_whole:
        return Listed.none()
    catalogue = _Catalogue(components, ("name", "id"))
    found = {key: own for key in keys if (own := catalogue.named(key, "name", "id"))}
    by_name = {key: own for key, own in found.items() if folded(own[0].name or "") == folded(key)}
    return Listed(
        {key: str(own[0].name if key in by_name else own[0].id) for key, own in found.items()},
        {key: frozenset(str(item.id) for item in own) for key, own in found.items() if key not in by_name},
    )


async def components_of(web: Client, site: Site, mapping: JiraMapping) -> tuple[list[Named], bool]:
    """The components of the projects that are searched; none, and False, where these are too many."""
    projects = [str(each.key) for each in searched(site, mapping)]
    if len(projects) > LISTED_PROJECTS:
        return [], False
    listed = await together(_components(web, site, project) for project in projects)
    return [component for several in listed for component in several], True


def searched(site: Site, mapping: JiraMapping) -> list[Named]:
    """The visible projects that the mapping narrows searches to; all of them, where it doesn't."""
    wanted = set(map(folded, mapping.projects))
    return [each for each in site.projects if not wanted or not names_of(each).isdisjoint(wanted)]


async def _components(web: Client, site: Site, project: str) -> list[Named]:
    """A project's components; none where they may not be seen, so that a search tells what is known."""
    path = f"{site.api}/project/{quote(project, safe='')}/components"
    params = {"componentSource": "auto"} if site.cloud else None
    return await web.object("projects", project, path, _NAMED, params) or []


class _Catalogue:
    """Items by each way to name them."""

    def __init__(self, items: Iterable[Named], ways: Sequence[str]) -> None:
        self._by_way: dict[str, dict[str, list[Named]]] = {way: {} for way in ways}
        for item in items:
            for way, found in self._by_way.items():
                if (name := getattr(item, way)) is not None:
                    found.setdefault(folded(str(name)), []).append(item)

    def named(self, key: str, *ways: str) -> list[Named]:
        """The items that a key means, by the first of the ways that fits any; the one that is written alike first."""
        for way in ways:
            if found := self._by_way[way].get(folded(key)):
                return [item for item in found if getattr(item, way) == key] or found
        return []


def bug_types(site: Site, types: Sequence[str]) -> tuple[str, ...]:
    """The configured issue types as queries call them; those that the site doesn't have are a mistake.

    By name, which several types may have (each team-managed project has its own), or by id. A name that is known in
    another language alone is asked for by the ids of its types.
    """
    listed = _Catalogue(site.issue_types, ("name", "untranslated_name", "id"))
    called: dict[str, None] = {}
    missing = []
    for name in types:
        if by_name := listed.named(name, "name"):
            called |= dict.fromkeys(str(each.name) for each in by_name)
        elif others := listed.named(name, "untranslated_name", "id"):
            called |= dict.fromkeys(str(each.id) for each in others)
        else:
            missing.append(name)
    if missing:
        problem = "the site has no such issue type, or our user doesn't see it"
        raise ConfigurationError("accountpulse.yaml", [f"jira.bug_types: {name}: {problem}" for name in missing])
    return tuple(called)


def invisible(mapping: JiraMapping, site: Site) -> list[str]:
    """The configured projects that our user can't see."""
    seen = {text for project in site.projects for text in names_of(project)}
    return sorted(name for name in mapping.projects if folded(name) not in seen)


def names_of(item: Named) -> set[str]:
    """What an item may be called: its id, key and name, whatever their case."""
    named = (item.id, item.key, item.name, item.untranslated_name)
    return {folded(str(text)) for text in named if text is not None}

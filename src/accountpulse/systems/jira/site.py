"""What a Jira site is and knows: product, statuses, priorities, projects, components, fields."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.errors import ConfigurationError
from accountpulse.http.client import Client, together
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.wire import Change, FieldInfo, Myself, Named, Projects, ServerInfo, Status

PROJECT_PAGE = 100
LISTED_PROJECTS = 50  # components are listed for so many projects at most; beyond, a search tells what is unknown
FREE_TEXT = (":textfield", ":textarea", ":readonlyfield", ":url")  # kinds of custom fields that only ~ searches

_SERVER = msgspec.json.Decoder(ServerInfo)
_MYSELF = msgspec.json.Decoder(Myself)
_STATUSES = msgspec.json.Decoder(list[Status])
_NAMED = msgspec.json.Decoder(list[Named])
_FIELDS = msgspec.json.Decoder(list[FieldInfo])
_PROJECTS = msgspec.json.Decoder(Projects)


@dataclass(frozen=True)
class LinkField:
    """The custom field that says whom an issue belongs to; one of free text is searched by its words."""

    id: str  # customfield_10234
    free_text: bool = False

    @property
    def clause(self) -> str:
        """Its name in JQL: names of fields repeat, numbers don't."""
        return f"cf[{self.id.removeprefix('customfield_')}]"


@dataclass(frozen=True)
class Site:
    """One Jira site, as far as our user sees it."""

    cloud: bool
    zone: ZoneInfo | None  # of our user's profile; None: hidden, or not known here
    done: Mapping[str, bool]  # status id → whether its category is done
    done_names: Mapping[str, bool]  # the same by name, for statuses that were deleted since
    priorities: Sequence[Named]
    projects: tuple[Named, ...]  # the visible ones

    @property
    def api(self) -> str:
        """Where the product's REST interface begins."""
        return "/rest/api/3" if self.cloud else "/rest/api/2"

    def has_priority(self, wanted: Sequence[str]) -> bool:
        """Whether one of the wanted names or ids exists here."""
        return any(named_in(priority, wanted) for priority in self.priorities)

    def is_done(self, status: Status | None, resolved: datetime | None) -> bool:
        """Whether a status counts as done: by its category, else by the site's list, else by the resolution."""
        if status is not None and status.status_category is not None:
            return status.status_category.key == "done"
        found = self._known(status.id, status.name) if status is not None else None
        return resolved is not None if found is None else found

    def moved(self, changes: Sequence[Change]) -> tuple[bool, bool] | None:
        """Whether the status was done before and after a change; None where it changed something else.

        A status that the site no longer has goes by its name; where that is gone too, by the resolution that was
        set or cleared with it.
        """
        status = resolution = None
        for change in changes:
            if change.field == "status":
                status = change
            elif change.field == "resolution":
                resolution = change
        if status is None:
            return None
        before, after = self._known(status.before, status.before_name), self._known(status.after, status.after_name)
        if resolution is not None:
            before = bool(resolution.before) if before is None else before
            after = bool(resolution.after) if after is None else after
        return bool(before), bool(after)

    def _known(self, status: str | None, name: str | None) -> bool | None:
        found = self.done.get(status or "")
        return self.done_names.get(name or "") if found is None else found


async def look_at(web: Client) -> Site:
    """Ask the site about itself; a wrong token ends here, since search would answer strangers with an empty list."""
    server = await web.get("/rest/api/2/serverInfo", _SERVER)
    myself = await web.get("/rest/api/2/myself", _MYSELF)
    cloud = server.deployment_type == "Cloud"
    statuses, priorities, projects = await asyncio.gather(
        web.get("/rest/api/2/status", _STATUSES), web.get("/rest/api/2/priority", _NAMED), _projects(web, cloud=cloud)
    )
    categories = [(status, status.status_category) for status in statuses]
    return Site(
        cloud=cloud,
        zone=_zone(myself.time_zone),
        done={status.id: category.key == "done" for status, category in categories if category is not None},
        done_names={status.name: category.key == "done" for status, category in categories if category is not None},
        priorities=priorities,
        projects=tuple(projects),
    )


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
        if page.is_last or not page.values:
            return found


async def components(web: Client, site: Site, projects: Sequence[str]) -> set[str] | None:
    """Names and ids of the components of these projects; None where there are too many projects to ask one by one."""
    if len(projects) > LISTED_PROJECTS:
        return None
    paths = [f"{site.api}/project/{quote(project, safe='')}/components" for project in projects]
    listed = await together(web.get(path, _NAMED) for path in paths)
    return {text for named in listed for component in named for text in names_of(component)}


async def known_names(web: Client, site: Site, mapping: JiraMapping) -> set[str] | None:
    """Every name, key and id that a link may hold, folded; None where the site has no list of them."""
    if mapping.link == "project":
        seen = [names_of(project) for project in site.projects]
        wanted = {name.strip().casefold() for name in mapping.projects}
        return {name for names in seen if not wanted or not names.isdisjoint(wanted) for name in names}
    if mapping.link == "component":
        return await components(web, site, mapping.projects or [str(project.key) for project in site.projects])
    return None


async def link_field(web: Client, site: Site, mapping: JiraMapping) -> LinkField | None:
    """The custom field that `jira.link` means, or None where it means none; one that is not there is a mistake."""
    if mapping.link not in ("field", "organization"):
        return None
    for field in await web.get(f"{site.api}/field", _FIELDS):
        custom = field.id.startswith("customfield_")
        wanted = field.id == mapping.field if mapping.link == "field" else custom and field.name == "Organizations"
        if wanted:
            kind = field.schema.custom if field.schema is not None else None
            return LinkField(field.id, free_text=(kind or "").endswith(FREE_TEXT))
    absent = f"field {mapping.field}" if mapping.link == "field" else "field Organizations"
    problem = f"link: {mapping.link}, but the site has no {absent} that our user can see"
    raise ConfigurationError("accountpulse.yaml", [f"jira.link: {problem}"])


async def check_types(web: Client, site: Site, types: Sequence[str]) -> None:
    """Refuse bug types that the site doesn't have: every search would be refused for them."""
    known = {text for named in await web.get(f"{site.api}/issuetype", _NAMED) for text in names_of(named)}
    missing = [name for name in types if name.strip().casefold() not in known]
    if missing:
        problem = "the site has no such issue type, or our user doesn't see it"
        raise ConfigurationError("accountpulse.yaml", [f"jira.bug_types: {name}: {problem}" for name in missing])


def invisible(mapping: JiraMapping, site: Site) -> list[str]:
    """The configured projects that our user can't see."""
    seen = {text for project in site.projects for text in names_of(project)}
    return sorted(name for name in mapping.projects if name.strip().casefold() not in seen)


def names_of(item: Named) -> set[str]:
    """What an item may be called: its id, key and name, whatever their case."""
    return {str(text).strip().casefold() for text in (item.id, item.key, item.name) if text is not None}


def named_in(item: Named | None, wanted: Sequence[str]) -> bool:
    """Whether an item has one of the wanted names (in any case) or ids."""
    return item is not None and not names_of(item).isdisjoint(name.strip().casefold() for name in wanted)

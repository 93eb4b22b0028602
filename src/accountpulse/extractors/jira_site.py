"""What a Jira site is and knows: product, statuses, priorities, projects, components, fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from accountpulse.errors import ConfigurationError
from accountpulse.extractors.jira_shapes import Myself, Named, Projects, ServerInfo, Status
from accountpulse.rest.client import Client
from accountpulse.settings.mapping import JiraMapping

PROJECT_PAGE = 100
LISTED_PROJECTS = 50  # components are listed for so many projects at most; beyond, a search tells what is unknown

_SERVER = msgspec.json.Decoder(ServerInfo)
_MYSELF = msgspec.json.Decoder(Myself)
_STATUSES = msgspec.json.Decoder(list[Status])
_NAMED = msgspec.json.Decoder(list[Named])
_PROJECTS = msgspec.json.Decoder(Projects)


@dataclass(frozen=True)
class Site:
    """One Jira site, as far as our user sees it."""

    cloud: bool
    done: Mapping[str, bool]  # status id → whether its category is done
    done_names: Mapping[str, bool]  # the same by name, for statuses that were deleted since
    priorities: Sequence[Named]
    projects: tuple[str, ...]  # keys of the visible projects

    @property
    def api(self) -> str:
        """Where the product's REST interface begins."""
        return "/rest/api/3" if self.cloud else "/rest/api/2"

    def has_priority(self, wanted: Sequence[str]) -> bool:
        """Whether one of the wanted names or ids exists here."""
        return any(named_in(priority, wanted) for priority in self.priorities)


async def look_at(web: Client) -> Site:
    """Ask the site about itself; a wrong token ends here, since search would answer strangers with an empty list."""
    server = await web.get("/rest/api/2/serverInfo", _SERVER)
    await web.get("/rest/api/2/myself", _MYSELF)
    statuses = await web.get("/rest/api/2/status", _STATUSES)
    priorities = await web.get("/rest/api/2/priority", _NAMED)
    cloud = server.deployment_type == "Cloud"
    return Site(
        cloud=cloud,
        done={status.id: status.status_category.key == "done" for status in statuses},
        done_names={status.name: status.status_category.key == "done" for status in statuses},
        priorities=priorities,
        projects=tuple(sorted(await _projects(web, cloud=cloud))),
    )


async def _projects(web: Client, *, cloud: bool) -> list[str]:
    if not cloud:
        return [str(project.key) for project in await web.get("/rest/api/2/project", _NAMED)]
    keys: list[str] = []
    while True:
        params = {"startAt": str(len(keys)), "maxResults": str(PROJECT_PAGE)}
        page = await web.get("/rest/api/3/project/search", _PROJECTS, params)
        keys += [str(project.key) for project in page.values]
        if page.is_last or not page.values:
            return keys


async def components(web: Client, site: Site, projects: Sequence[str]) -> set[str] | None:
    """The components of these projects; None where there are too many projects to ask one by one."""
    if len(projects) > LISTED_PROJECTS:
        return None
    found: set[str] = set()
    for project in projects:
        named = await web.get(f"{site.api}/project/{quote(project, safe='')}/components", _NAMED)
        found |= {component.name for component in named if component.name}
    return found


async def organization_field(web: Client, site: Site) -> str:
    """The id of the field that holds the organisations of Jira Service Management."""
    for field in await web.get(f"{site.api}/field", _NAMED):
        if field.name == "Organizations" and field.id is not None:
            return str(field.id)
    problem = "link: organization, but the site has no field Organizations that our user can see"
    raise ConfigurationError("accountpulse.yaml", [f"jira.link: {problem}"])


def visible(mapping: JiraMapping, site: Site) -> tuple[str, ...]:
    """The projects to search: the configured ones that are visible, or all of the visible ones."""
    return tuple(key for key in mapping.projects if key in site.projects) if mapping.projects else site.projects


def named_in(item: Named | None, wanted: Sequence[str]) -> bool:
    """Whether an item has one of the wanted names (in any case) or ids."""
    if item is None:
        return False
    return str(item.id) in wanted or (item.name or "").casefold() in {name.casefold() for name in wanted}

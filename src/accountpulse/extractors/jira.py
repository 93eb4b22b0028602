"""Jira → bugs and their changes of status, for every linked account, in chunks of values."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from accountpulse.errors import ConfigurationError
from accountpulse.extractors import jira_search, jira_site
from accountpulse.extractors.base import Request
from accountpulse.extractors.jira_search import CHUNK, listed, quoted
from accountpulse.extractors.jira_shapes import Fields, History, Issue, milliseconds
from accountpulse.extractors.jira_site import Site
from accountpulse.records import METRICS, TABLES, Extract, Reason
from accountpulse.rest import client
from accountpulse.rest.client import Client, Refused
from accountpulse.settings.access import JiraAccess
from accountpulse.settings.mapping import JiraMapping

REMEDIES = {
    401: "Check JIRA_API_TOKEN (Cloud tokens end after at most a year) and, for Cloud, JIRA_EMAIL; scoped tokens work "
    "only with a JIRA_BASE_URL at api.atlassian.com/ex/jira/<cloud id>.",
    403: "Let the user of JIRA_API_TOKEN browse the projects, or unlock it by signing in once.",
}
BUGS = tuple(name for name, metric in METRICS.items() if metric.domain == "bugs")

_FIELDS = msgspec.json.Decoder(Fields)


def extract(request: Request) -> Extract:
    """Bugs that are open now or were touched since the window's start, with their changes of status.

    `keys` are components, projects, labels, field values, organisations or JQL clauses, as `jira.link` says.
    """
    access = request.settings.jira
    if access is None:
        raise ValueError("jira is not configured")
    return client.run(_extract(request, access))


def authorization(access: JiraAccess) -> str:
    """The header: Basic with an e-mail (Cloud), Bearer without (Data Center)."""
    token = access.token.reveal()
    if access.email is None:
        return f"Bearer {token}"
    return "Basic " + base64.b64encode(f"{access.email}:{token}".encode()).decode()


async def _extract(request: Request, access: JiraAccess) -> Extract:
    headers = {"Authorization": authorization(access)}
    bundle = request.settings.ca_bundle
    async with Client("jira", access.base_url, headers, request.meter, REMEDIES, bundle) as web:
        site = await jira_site.look_at(web)
        mapping = request.settings.mapping.jira
        walk = Walk(request, web, site, mapping, jira_site.visible(mapping, site))
        if not walk.projects:
            text = "no project is visible to the user of JIRA_API_TOKEN: its bugs are not known"
            return Extract("jira", walk.tables(), dict.fromkeys(BUGS, "field_missing"), {}, (text,))
        await walk.prepare()
        await walk.search_all()
        await walk.read_histories()
    return Extract("jira", walk.tables(), walk.gaps, walk.unknown, tuple(walk.notes()))


@dataclass
class Walk:
    """One extraction from one site."""

    request: Request
    web: Client
    site: Site
    mapping: JiraMapping
    projects: tuple[str, ...]
    link_field: str | None = None
    gaps: dict[str, Reason] = field(default_factory=dict)
    unknown: dict[str, Reason] = field(default_factory=dict)
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    moves: list[dict[str, Any]] = field(default_factory=list)
    to_read: list[str] = field(default_factory=list)  # issues whose histories are still to be fetched

    async def prepare(self) -> None:
        """Find the link's field, check the bug types, and learn which priorities exist."""
        if self.mapping.link == "organization":
            self.link_field = await jira_site.organization_field(self.web, self.site)
        elif self.mapping.link == "field":
            self.link_field = self.mapping.field
        if not self.site.has_priority(self.mapping.critical_priorities):
            self.gaps["critical_bugs"] = "field_missing"
        try:
            probe = f"issuetype in {listed(self.mapping.bug_types)} AND updated >= -1d"
            async for _ in jira_search.search(self.web, self.site, probe, ("created",)):
                break
        except Refused as refused:
            if refused.status != 400:
                raise
            problem = "the site has no such issue type, or our user doesn't see it"
            raise ConfigurationError("accountpulse.yaml", [f"jira.bug_types: {problem}"]) from None

    async def search_all(self) -> None:
        """Search for all keys, in chunks; a clause of its own has a search of its own."""
        keys = self.request.keys
        if self.mapping.link == "jql":
            for clause in keys:
                await self._search([clause])
            return
        known = await self._known_values()
        if known is not None:
            self.unknown |= dict.fromkeys((key for key in keys if key.strip().casefold() not in known), "not_linked")
        asked = [key for key in keys if key not in self.unknown]
        for start in range(0, len(asked), CHUNK):
            await self._search(asked[start : start + CHUNK])

    async def _known_values(self) -> set[str] | None:
        if self.mapping.link == "project":
            return {key.casefold() for key in self.site.projects}
        if self.mapping.link == "component":
            found = await jira_site.components(self.web, self.site, self.projects)
            return None if found is None else {name.strip().casefold() for name in found}
        return None

    async def _search(self, keys: Sequence[str]) -> None:
        """One search; where Jira refuses a value, the halves are tried, down to the one that it doesn't know."""
        jql = jira_search.query(self._clause(keys), self.mapping.bug_types, self.mapping.projects, self.request.scope)
        extra = (self.link_field,) if self.link_field else ()
        try:
            async for issue in jira_search.search(self.web, self.site, jql, (*jira_search.FIELDS, *extra)):
                self._take(issue, keys)
        except Refused as refused:
            if refused.status != 400:
                raise
            if len(keys) == 1:
                self.unknown[keys[0]] = "not_linked"
                return
            half = len(keys) // 2
            await self._search(keys[:half])
            await self._search(keys[half:])
        self.request.progress(len(self.issues), None)

    def _clause(self, keys: Sequence[str]) -> str:
        if self.mapping.link == "jql":
            return f"({keys[0]})"
        if self.link_field:
            name = self.link_field.removeprefix("customfield_")
            return f"cf[{name}] in {listed(keys)}" if name.isdigit() else f"{quoted(self.link_field)} in {listed(keys)}"
        names = {"project": "project", "component": "component", "label": "labels"}
        return f"{names[self.mapping.link]} in {listed(keys)}"

    def _take(self, issue: Issue, keys: Sequence[str]) -> None:
        scope = self.request.scope
        fields = _FIELDS.decode(issue.fields)
        created, updated = milliseconds(fields.created), milliseconds(fields.updated)
        if created is None or created >= round(scope.as_of.timestamp() * 1000):
            return
        if issue.id in self.issues:  # a bug of several accounts may come with several chunks
            known = self.issues[issue.id]["keys"]
            self.issues[issue.id]["keys"] = sorted({*known, *self._keys(issue, fields, keys)})
            return
        done = fields.status is not None and fields.status.status_category.key == "done"
        resolved = milliseconds(fields.resolutiondate) or milliseconds(fields.statuscategorychangedate)
        critical = jira_site.named_in(fields.priority, self.mapping.critical_priorities)
        self.issues[issue.id] = {
            "issue_id": issue.id,
            "keys": self._keys(issue, fields, keys),
            "created_at": created,
            "done": done,
            "resolved_at": resolved if done else None,
            "critical": None if "critical_bugs" in self.gaps else critical,
        }
        if updated is not None and updated < round(scope.window.start.timestamp() * 1000):
            return  # its status hasn't moved since
        if jira_search.whole(issue.changelog) and issue.changelog is not None:
            self._note_moves(issue.id, issue.changelog.histories)
        else:
            self.to_read.append(issue.id)

    def _keys(self, issue: Issue, fields: Fields, keys: Sequence[str]) -> list[str]:
        """Which of the keys the issue carries, as the accounts' links spell them."""
        if self.mapping.link == "jql":
            return list(keys)
        spelled = {key.strip().casefold(): key for key in keys}
        return sorted({spelled[name] for name in self._carried(issue, fields) if name in spelled})

    def _carried(self, issue: Issue, fields: Fields) -> Iterator[str]:
        if self.link_field:
            raw = msgspec.json.decode(issue.fields).get(self.link_field)
            values = [text for item in _items(raw) for text in _texts(item)]
        elif self.mapping.link == "project":
            values = [fields.project.key or ""] if fields.project else []
        elif self.mapping.link == "label":
            values = fields.labels or []
        else:
            values = [component.name or "" for component in fields.components or ()]
        yield from (value.strip().casefold() for value in values)

    async def read_histories(self) -> None:
        """Fetch the histories that the search didn't bring; unreadable ones leave `reopened_bugs` unknown."""
        if not self.to_read:
            return
        if not self.site.cloud:
            self.gaps["reopened_bugs"] = "field_missing"
            return
        try:
            async for issue, found in jira_search.histories(self.web, self.site, self.to_read):
                self._note_moves(issue, found)
        except Refused as refused:
            if refused.status not in (403, 404):
                raise
            self.gaps["reopened_bugs"] = "field_missing"

    def _note_moves(self, issue: str, histories: Sequence[History]) -> None:
        for history in histories:
            for change in history.items:
                if change.field == "status":
                    before = self._is_done(change.before, change.before_name)
                    after = self._is_done(change.after, change.after_name)
                    moment = milliseconds(history.created)
                    self.moves.append({"issue_id": issue, "at": moment, "from_done": before, "to_done": after})

    def _is_done(self, status: str | None, name: str | None) -> bool:
        """By id; a status that was deleted since by its name, else it was not done."""
        found = self.site.done.get(status or "")
        return self.site.done_names.get(name or "", False) if found is None else found

    def tables(self) -> Mapping[str, pl.DataFrame]:
        """The two tables; a done issue without any date takes that of its last move into done."""
        last: dict[str, int] = {}
        for move in self.moves:
            if move["to_done"] and not move["from_done"]:
                last[move["issue_id"]] = max(move["at"], last.get(move["issue_id"], 0))
        for issue in self.issues.values():
            if issue["done"] and issue["resolved_at"] is None:
                issue["resolved_at"] = last.get(issue["issue_id"])
        return {
            "issues": pl.DataFrame(list(self.issues.values()), schema=TABLES["issues"], orient="row"),
            "issue_moves": pl.DataFrame(self.moves, schema=TABLES["issue_moves"], orient="row"),
        }

    def notes(self) -> Iterator[str]:
        """What the reader should know about this walk."""
        if missing := sorted(set(self.mapping.projects) - set(self.projects)):
            yield f"projects that are not visible to our user: {', '.join(missing)}"
        if self.unknown:
            yield f"{len(self.unknown):,} linked values are not known to Jira; their accounts count as not linked"
        if "critical_bugs" in self.gaps:
            yield "none of jira.critical_priorities exists on the site: critical_bugs is not known"
        if "reopened_bugs" in self.gaps:
            yield "the histories of issues can't be read: reopened_bugs is not known"


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _texts(item: object) -> list[str]:
    """The texts by which a field's value may be named: itself, or an option's value, name or id."""
    if isinstance(item, dict):
        return [str(item[name]) for name in ("value", "name", "id") if item.get(name) is not None]
    return [] if item is None else [str(item)]

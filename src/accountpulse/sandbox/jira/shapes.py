"""Jira's answers as JSON. An issue's text is made once for each choice of fields, since walks ask for it again."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accountpulse.sandbox.jira import fields
from accountpulse.sandbox.jira.index import (
    CATEGORY_NAMES,
    UNUSED,
    component_ids,
    priority_id,
    project_ids,
    project_name,
    type_id,
)
from accountpulse.sandbox.world.model import Jira, JiraIssue, Status, Transition

CATEGORY_IDS = {"undefined": 1, "new": 2, "done": 3, "indeterminate": 4}
EVERYTHING = {"*all", "*navigable"}
UNNAVIGABLE = {"comment", "worklog"}  # fields that no list shows unless it asks for them or for *all
HOME = "http://127.0.0.1/rest/api/3"
Entry = Sequence[Transition]  # what one entry of a history holds, in its order


class Shapes:
    """One site's things as one of its products writes them."""

    def __init__(self, site: Jira, *, cloud: bool) -> None:
        """Texts are kept from the first time that they are asked for."""
        self._site = site
        self._cloud = cloud
        self._zone = ZoneInfo(site.timezone)
        self._components = component_ids(site)
        self._projects = project_ids(site)
        names = sorted({issue.resolution for issue in site.issues if issue.resolution})
        self._resolutions = {name: str(number) for number, name in enumerate(names, 10000)}
        self._kept: dict[tuple[str, tuple[str, ...], int | None, bool], bytes] = {}
        self._changes: dict[tuple[str, int, tuple[str, ...]], bytes] = {}

    def issue(
        self, issue: JiraIssue, names: tuple[str, ...], histories: int | None, *, transitions: bool = False
    ) -> bytes:
        """An issue with the named fields; with its newest `histories` changes, or None: without them."""
        key = (issue.id, names, histories, transitions)
        if key not in self._kept:
            shown = self._issue(issue, names, histories)
            if transitions:
                shown["transitions"] = self.transitions(issue)
            self._kept[key] = json.dumps(shown, separators=(",", ":")).encode()
        return self._kept[key]

    def _issue(self, issue: JiraIssue, names: tuple[str, ...], histories: int | None) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": issue.id, "key": issue.key}
        everything = self._fields(issue)
        wanted = set(everything if EVERYTHING & set(names) else names)
        if "*all" not in names and "*navigable" in names:
            wanted = everything.keys() - UNNAVIGABLE | set(names)
        if names != ("id",):
            shown["self"] = f"{HOME}/issue/{issue.id}"
            shown["fields"] = {name: value for name, value in everything.items() if name in wanted}
        if histories is not None:
            moves = [self.history(entry, number=False) for entry in reversed(entries(issue))]
            shown["changelog"] = {"startAt": 0, "maxResults": min(histories, len(moves)), "total": len(moves)}
            newest = moves[:histories]
            shown["changelog"]["histories"] = newest if self._cloud else newest[::-1]
        return shown

    def _fields(self, issue: JiraIssue) -> dict[str, Any]:
        person = self._person(issue)
        shown = {
            **dict.fromkeys(UNUSED),
            "summary": f"Invented summary of {issue.key}",
            "description": _document(f"Invented description of {issue.key}. " * 12),
            "assignee": person,
            "reporter": person,
            "creator": person,
            "votes": {"self": f"{HOME}/issue/{issue.key}/votes", "votes": 0, "hasVoted": False},
            "watches": {"self": f"{HOME}/issue/{issue.key}/watchers", "watchCount": 1, "isWatching": False},
            "progress": {"progress": 0, "total": 0},
            "aggregateprogress": {"progress": 0, "total": 0},
            "issuetype": self.issue_type(issue.type, type_id(self._site, issue)),
            "project": self.project(issue.project),
            "status": self.status(self._site.statuses[issue.status]),
            "priority": self.priority(issue.priority) if issue.priority is not None else None,
            "resolution": self.resolution(issue.resolution) if issue.resolution else None,
            "resolutiondate": self._time(issue.resolutiondate),
            "created": self._time(issue.created),
            "updated": self._time(issue.updated),
            "components": [self.component(issue.project, name) for name in issue.components],
            "labels": issue.labels,
            "comment": {"comments": [], "maxResults": 0, "total": 0, "startAt": 0},
            "worklog": {"worklogs": [], "maxResults": 20, "total": 0, "startAt": 0},
            **issue.fields,
            **self._customers(issue),
        }
        if self._cloud:  # Data Center has no such field
            shown["statuscategorychangedate"] = self._time(issue.statuscategorychangedate)
        return {name: value for name, value in shown.items() if name not in issue.unshown}

    def _customers(self, issue: JiraIssue) -> dict[str, Any]:
        kinds = self._site.field_kinds
        return {name: fields.shown(kinds[name], named, cloud=self._cloud) for name, named in issue.customers.items()}

    def transitions(self, issue: JiraIssue) -> list[dict[str, Any]]:
        """Where an issue can go from here: to every other status."""
        others = [each for each in self._site.statuses.values() if each.id != issue.status]
        return [
            {"id": str(number), "name": each.name, "to": self.status(each), "hasScreen": False, "isGlobal": True}
            for number, each in enumerate(others, 11)
        ]

    @staticmethod
    def _person(issue: JiraIssue) -> dict[str, Any]:
        number = f"{int(issue.id) % 50:024x}"
        picture = f"{HOME}/avatar/{number}"
        person: dict[str, Any] = {"self": f"{HOME}/user?accountId={number}", "accountId": number, "active": True}
        return person | {"avatarUrls": _avatars(picture), "displayName": "Somebody", "accountType": "atlassian"}

    def change(self, issue: JiraIssue, place: int, wanted: tuple[str, ...]) -> bytes:
        """One entry of an issue's history as bulk fetch writes it, with the changes of these fields (none: all)."""
        key = (issue.id, place, wanted)
        if key not in self._changes:
            entry = self.history(entries(issue)[place], number=True)
            entry["items"] = [item for item in entry["items"] if not wanted or item["fieldId"] in wanted]
            self._changes[key] = json.dumps(entry, separators=(",", ":")).encode()
        return self._changes[key]

    def history(self, entry: Entry, *, number: bool) -> dict[str, Any]:
        """One entry of an issue's history. A resolution that was set or cleared with a move stands beside it."""
        move = entry[0]
        # bulk fetch shows milliseconds in its example, the search's changelog the usual text
        created: int | str | None = round(move.at.timestamp() * 1000) if number else self._time(move.at)
        items = [item for each in entry for item in self._items(each)]
        return {"id": str(round(move.at.timestamp())), "created": created, "items": items}

    def _items(self, move: Transition) -> list[dict[str, Any]]:
        before, after = self._status(move.from_status), self._status(move.to_status)
        items: list[dict[str, Any]] = [
            {"field": "status", "fieldId": "status", "fieldtype": "jira"}
            | {"from": before.id, "fromString": before.name, "to": after.id, "toString": after.name}
        ]
        if move.resolution is not None:
            reached = self._resolutions.get(move.resolution, "10000")
            old, new = ("10000", None) if move.resolution == "" else (None, reached)
            names = {"fromString": "Done" if old else None, "toString": move.resolution or None}
            items.append({"field": "resolution", "fieldId": "resolution", "fieldtype": "jira", "from": old, "to": new})
            items[-1] |= names
        items += [dict(each) for each in move.beside]
        if not self._cloud:  # only Cloud says which field by its id, too
            items = [{name: value for name, value in each.items() if name != "fieldId"} for each in items]
        return items

    def _status(self, identifier: str) -> Status:
        return self._site.statuses.get(identifier) or self._site.former[identifier]

    def component(self, project: str, name: str) -> dict[str, str]:
        """A component of a project."""
        number = self._components.get((project, name), "29999")
        return {"self": f"{HOME}/component/{number}", "id": number, "name": name, "description": "Invented"}

    def project(self, key: str) -> dict[str, Any]:
        """A project."""
        number = self._projects[key]
        shown = {"self": f"{HOME}/project/{number}", "id": number, "key": key, "name": project_name(self._site, key)}
        kind = {"projectTypeKey": "software", "simplified": False}
        return {**shown, **kind, "avatarUrls": _avatars(f"{HOME}/universal_avatar/view/type/project/avatar/{number}")}

    def priority(self, name: str) -> dict[str, str]:
        """A priority."""
        number = str(priority_id(self._site, name))
        icon = f"{HOME}/images/icons/priorities/{name.lower()}.svg"
        return {"self": f"{HOME}/priority/{number}", "iconUrl": icon, "name": name, "id": number}

    def resolution(self, name: str) -> dict[str, str]:
        """A resolution."""
        number = self._resolutions[name]
        return {"self": f"{HOME}/resolution/{number}", "id": number, "name": name, "description": ""}

    def resolutions(self) -> list[dict[str, str]]:
        """All resolutions: the world has no list of them, so those that issues have."""
        return [self.resolution(name) for name in self._resolutions]

    def issue_types(self) -> list[dict[str, Any]]:
        """All issue types; several may have one name."""
        return [self.issue_type(name, str(number)) for number, name in enumerate(self._site.issue_types, 10100)]

    @staticmethod
    def issue_type(name: str, number: str) -> dict[str, Any]:
        """An issue type."""
        return {"self": f"{HOME}/issuetype/{number}", "id": number, "name": name, "subtask": False}

    def statuses(self) -> list[dict[str, Any]]:
        """All workflow statuses."""
        return [self.status(each) for each in self._site.statuses.values()]

    def status(self, of: Status) -> dict[str, Any]:
        """A workflow status with its category."""
        shown = {"self": f"{HOME}/status/{of.id}", "description": "", "iconUrl": f"{HOME}/images/icons/status.png"}
        return {**shown, "name": of.name, "id": of.id, "statusCategory": self.status_category(of.category)}

    def status_category(self, key: str) -> dict[str, Any]:
        """One of the four categories of statuses, called as the site calls it, else in English."""
        number = CATEGORY_IDS[key]
        shown = {"self": f"{HOME}/statuscategory/{number}", "id": number, "key": key, "colorName": "green"}
        return {**shown, "name": self._site.category_names.get(key) or CATEGORY_NAMES.get(key, "No Category")}

    def _time(self, moment: datetime | None) -> str | None:
        """As Jira writes it: milliseconds, and the offset of the user's zone without a colon."""
        if moment is None:
            return None
        local = moment.astimezone(self._zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def entries(issue: JiraIssue) -> list[list[Transition]]:
    """The entries of an issue's history, oldest first."""
    found: list[list[Transition]] = []
    for move in issue.transitions:
        if move.joined and found:
            found[-1].append(move)
        else:
            found.append([move])
    return found


def changed_by(entry: Entry) -> set[str]:
    """The fields that an entry of a history changed."""
    return {"status"} if all(move.resolution is None for move in entry) else {"status", "resolution"}


def _avatars(url: str) -> dict[str, str]:
    return {f"{size}x{size}": f"{url}?size={size}" for size in (48, 24, 16, 32)}


def _document(text: str) -> dict[str, Any]:
    """A text in Atlassian's document format."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}

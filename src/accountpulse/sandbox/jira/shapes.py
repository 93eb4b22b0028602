"""Jira's answers as JSON. An issue's text is made once for each choice of fields, since walks ask for it again."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accountpulse.sandbox.jira.index import CATEGORY_NAMES, component_ids, project_ids
from accountpulse.sandbox.world.model import Jira, JiraIssue, Status, Transition

CATEGORY_IDS = {"undefined": 1, "new": 2, "done": 3, "indeterminate": 4}
EVERYTHING = {"*all", "*navigable"}
UNNAVIGABLE = {"comment", "worklog"}  # fields that no list shows unless it asks for them or for *all
HOME = "http://127.0.0.1/rest/api/3"


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
            moves = [self.history(move, number=False) for move in reversed(issue.transitions)]
            shown["changelog"] = {"startAt": 0, "maxResults": min(histories, len(moves)), "total": len(moves)}
            shown["changelog"]["histories"] = moves[:histories]
        return shown

    def _fields(self, issue: JiraIssue) -> dict[str, Any]:
        person = self._person(issue)
        fields = {
            **{f"customfield_{number}": None for number in range(11000, 11060)},  # what a grown site has besides
            "summary": f"Invented summary of {issue.key}",
            "description": _document(f"Invented description of {issue.key}. " * 12),
            "assignee": person,
            "reporter": person,
            "creator": person,
            "votes": {"self": f"{HOME}/issue/{issue.key}/votes", "votes": 0, "hasVoted": False},
            "watches": {"self": f"{HOME}/issue/{issue.key}/watchers", "watchCount": 1, "isWatching": False},
            "progress": {"progress": 0, "total": 0},
            "aggregateprogress": {"progress": 0, "total": 0},
            "issuetype": self.issue_type(issue.type),
            "project": self.project(issue.project),
            "status": status(self._site.statuses[issue.status]),
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
        }
        if self._cloud:  # Data Center has no such field
            fields["statuscategorychangedate"] = self._time(issue.statuscategorychangedate)
        return fields

    def transitions(self, issue: JiraIssue) -> list[dict[str, Any]]:
        """Where an issue can go from here: to every other status."""
        others = [each for each in self._site.statuses.values() if each.id != issue.status]
        return [
            {"id": str(number), "name": each.name, "to": status(each), "hasScreen": False, "isGlobal": True}
            for number, each in enumerate(others, 11)
        ]

    @staticmethod
    def _person(issue: JiraIssue) -> dict[str, Any]:
        number = f"{int(issue.id) % 50:024x}"
        picture = f"{HOME}/avatar/{number}"
        person: dict[str, Any] = {"self": f"{HOME}/user?accountId={number}", "accountId": number, "active": True}
        return person | {"avatarUrls": _avatars(picture), "displayName": "Somebody", "accountType": "atlassian"}

    def change(self, issue: JiraIssue, place: int, fields: tuple[str, ...]) -> bytes:
        """One entry of an issue's history as bulk fetch writes it, with the changes of these fields (none: all)."""
        key = (issue.id, place, fields)
        if key not in self._changes:
            entry = self.history(issue.transitions[place], number=True)
            entry["items"] = [item for item in entry["items"] if not fields or item["fieldId"] in fields]
            self._changes[key] = json.dumps(entry, separators=(",", ":")).encode()
        return self._changes[key]

    def history(self, move: Transition, *, number: bool) -> dict[str, Any]:
        """One entry of an issue's history. A resolution that was set or cleared with a move stands beside it."""
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
        # bulk fetch shows milliseconds in its example, the search's changelog the usual text
        created: int | str | None = round(move.at.timestamp() * 1000) if number else self._time(move.at)
        return {"id": str(round(move.at.timestamp())), "created": created, "items": items}

    def _status(self, identifier: str) -> Status:
        return self._site.statuses.get(identifier) or self._site.former[identifier]

    def component(self, project: str, name: str) -> dict[str, str]:
        """A component of a project."""
        number = self._components.get((project, name), "29999")
        return {"self": f"{HOME}/component/{number}", "id": number, "name": name, "description": "Invented"}

    def project(self, key: str) -> dict[str, Any]:
        """A project."""
        number = self._projects[key]
        shown = {"self": f"{HOME}/project/{number}", "id": number, "key": key, "name": f"{key} project"}
        kind = {"projectTypeKey": "software", "simplified": False}
        return {**shown, **kind, "avatarUrls": _avatars(f"{HOME}/universal_avatar/view/type/project/avatar/{number}")}

    def priority(self, name: str) -> dict[str, str]:
        """A priority."""
        number = str(1 + self._site.priorities.index(name))
        icon = f"{HOME}/images/icons/priorities/{name.lower()}.svg"
        return {"self": f"{HOME}/priority/{number}", "iconUrl": icon, "name": name, "id": number}

    def resolution(self, name: str) -> dict[str, str]:
        """A resolution."""
        number = self._resolutions[name]
        return {"self": f"{HOME}/resolution/{number}", "id": number, "name": name, "description": ""}

    def resolutions(self) -> list[dict[str, str]]:
        """All resolutions: the world has no list of them, so those that issues have."""
        return [self.resolution(name) for name in self._resolutions]

    def issue_type(self, name: str) -> dict[str, Any]:
        """An issue type."""
        number = str(10100 + self._site.issue_types.index(name))
        return {"self": f"{HOME}/issuetype/{number}", "id": number, "name": name, "subtask": False}

    def _time(self, moment: datetime | None) -> str | None:
        """As Jira writes it: milliseconds, and the offset of the user's zone without a colon."""
        if moment is None:
            return None
        local = moment.astimezone(self._zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def changed_by(move: Transition) -> set[str]:
    """The fields that an entry of a history changed."""
    return {"status"} if move.resolution is None else {"status", "resolution"}


def status(of: Status) -> dict[str, Any]:
    """A workflow status with its category."""
    shown = {"self": f"{HOME}/status/{of.id}", "description": "", "iconUrl": f"{HOME}/images/icons/status.png"}
    return {**shown, "name": of.name, "id": of.id, "statusCategory": status_category(of.category)}


def status_category(key: str) -> dict[str, Any]:
    """One of the four categories of statuses."""
    number = CATEGORY_IDS[key]
    shown = {"self": f"{HOME}/statuscategory/{number}", "id": number, "key": key, "colorName": "green"}
    return {**shown, "name": CATEGORY_NAMES.get(key, "No Category")}


def _avatars(url: str) -> dict[str, str]:
    return {f"{size}x{size}": f"{url}?size={size}" for size in (48, 24, 16, 32)}


def _document(text: str) -> dict[str, Any]:
    """A text in Atlassian's document format."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}

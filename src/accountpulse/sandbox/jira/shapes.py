"""Jira's answers as JSON. An issue's text is made once for each choice of fields, since walks ask for it again."""

import json
from collections.abc import Mapping, Sequence
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
HOME = "http://127.0.0.1/rest/api/3"
ESTIMATE = "customfield_10016"  # a number; some sites write numbers into their histories
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
        self._kept: dict[tuple[str, tuple[str, ...], int | None], bytes] = {}
        self._changes: dict[tuple[str, int, tuple[str, ...]], bytes] = {}

    def issue(self, issue: JiraIssue, names: tuple[str, ...], histories: int | None) -> bytes:
        """An issue with the named fields; with its newest `histories` changes, or None: without them."""
        key = (issue.id, names, histories)
        if key not in self._kept:
            self._kept[key] = json.dumps(self._issue(issue, names, histories), separators=(",", ":")).encode()
        return self._kept[key]

    def _issue(self, issue: JiraIssue, names: tuple[str, ...], histories: int | None) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": issue.id, "key": issue.key}
        everything = self._fields(issue)
        wanted = everything if EVERYTHING & set(names) else names
        if names != ("id",):
            shown["fields"] = {name: everything[name] for name in wanted if name in everything}
        if histories is not None:
            moves = [self.history(entry, number=False) for entry in reversed(entries(issue))]
            shown["changelog"] = {"startAt": 0, "maxResults": min(histories, len(moves)), "total": len(moves)}
            shown["changelog"]["histories"] = moves[:histories]
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
            "status": status(self._site.statuses[issue.status], self._site.category_names),
            "priority": self.priority(issue.priority) if issue.priority is not None else None,
            "resolution": {"id": "10000", "name": issue.resolution} if issue.resolution else None,
            "resolutiondate": self._time(issue.resolutiondate),
            "created": self._time(issue.created),
            "updated": self._time(issue.updated),
            "components": [self.component(issue.project, name) for name in issue.components],
            "labels": issue.labels,
            **issue.fields,
            **self._customers(issue),
        }
        if self._cloud:  # Data Center has no such field
            shown["statuscategorychangedate"] = self._time(issue.statuscategorychangedate)
        return {name: value for name, value in shown.items() if name not in issue.unshown}

    def _customers(self, issue: JiraIssue) -> dict[str, Any]:
        kinds = self._site.field_kinds
        return {name: fields.shown(kinds[name], named, cloud=self._cloud) for name, named in issue.customers.items()}

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
            old, new = ("10000", None) if move.resolution == "" else (None, "10000")
            names = {"fromString": "Done" if old else None, "toString": move.resolution or None}
            items.append({"field": "resolution", "fieldId": "resolution", "fieldtype": "jira", "from": old, "to": new})
            items[-1] |= names
        if move.estimate is not None:
            less, more = move.estimate, move.estimate + 1
            points = {"field": "Story Points", "fieldId": ESTIMATE, "fieldtype": "custom"}
            items.append({**points, "from": less, "fromString": f"{less}", "to": more, "toString": f"{more}"})
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

    @staticmethod
    def issue_type(name: str, number: str) -> dict[str, Any]:
        """An issue type."""
        return {"self": f"{HOME}/issuetype/{number}", "id": number, "name": name, "subtask": False}

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


def status(of: Status, categories: Mapping[str, str]) -> dict[str, Any]:
    """A workflow status with its category, called as the site calls its categories, else in English."""
    number = CATEGORY_IDS[of.category]
    category = {"self": f"{HOME}/statuscategory/{number}", "id": number, "key": of.category, "colorName": "green"}
    category["name"] = categories.get(of.category) or CATEGORY_NAMES.get(of.category, "No Category")
    shown = {"self": f"{HOME}/status/{of.id}", "description": "", "iconUrl": f"{HOME}/images/icons/status.png"}
    return {**shown, "name": of.name, "id": of.id, "statusCategory": category}


def _avatars(url: str) -> dict[str, str]:
    return {f"{size}x{size}": f"{url}?size={size}" for size in (48, 24, 16, 32)}


def _document(text: str) -> dict[str, Any]:
    """A text in Atlassian's document format."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}

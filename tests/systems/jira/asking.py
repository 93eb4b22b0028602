"""Asking a sandbox's Jira in tests: settings with a `jira:` block, and what the world says must come back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from accountpulse.core.period import Scope
from accountpulse.core.records import Extract
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import JiraIssue, World
from accountpulse.systems.jira import extract
from accountpulse.systems.jira.settings import JiraRequest
from support import Configure, request

Owners = Mapping[str, list[str]]  # issue id → keys


@dataclass
class Asking:
    """One way to call the extractor."""

    configure: Configure
    folder: Path
    scope: Scope

    def __call__(self, running: Sandbox, keys: Iterable[str], **block: Any) -> Extract:
        path = self.folder / "accountpulse.yaml"
        path.write_text(yaml.safe_dump({"jira": block}), encoding="utf-8")
        return extract.extract(self.request(running, keys, ACCOUNTPULSE_CONFIG=str(path)))

    def request(self, running: Sandbox, keys: Iterable[str], **changes: str | None) -> JiraRequest:
        by_bearer = {"JIRA_EMAIL": None} if "JIRA_EMAIL" not in running.environment() else {}
        return request(self.configure(running, **by_bearer, **changes), "jira", self.scope, sorted(keys))


def components(world: World) -> list[str]:
    return sorted({str(each.jira_component) for each in world.customers if each.jira_component})


def owners(extract: Extract) -> Owners:
    return dict(extract.spools["issues"].lazy().select("issue_id", "keys").collect().iter_rows())


def expected(world: World, scope: Scope, keys: Callable[[JiraIssue], Iterable[str]], wanted: Iterable[str]) -> Owners:
    """The bugs that must come: open now or touched since the window's start, there at the end, and somebody's."""
    known = set(wanted)
    found = {}
    for issue in world.jira.issues:
        open_now = world.jira.statuses[issue.status].category != "done"
        mine = sorted(known & set(keys(issue)))
        if (
            mine
            and issue.type == "Bug"
            and issue.created < scope.as_of
            and (open_now or issue.updated >= scope.window.start)
        ):
            found[issue.id] = mine
    return found


def searches(running: Sandbox) -> int:
    return sum("search" in call.path and "project" not in call.path for call in running.log)

"""Looking at a sandbox as `init` does, with what its CRM says of its accounts; and the mapping that comes of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from accountpulse.core.records import SourceName
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS
from accountpulse.systems.connection import Connection
from accountpulse.systems.discovery import AccountSample, DiscoverRequest, Discovery, MappingChoice
from support import NOW, Configure

KEYS = ("Intercom_Company_Id__c", "Jira_Component__c", "Tier__c", "Segment__c", "Type")  # texts of the org's accounts


def accounts_of(world: World, names: Iterable[str] = KEYS, **more: Iterable[str]) -> AccountSample:
    """The org's customers, with the values of these fields, and of more that the test makes up."""
    rows = world.salesforce.objects["Account"].rows
    ours = [row for row in rows if str(row["Type"]).startswith("Customer") and not row.get("IsDeleted")]
    fields = {name: frozenset(str(row[name]) for row in ours if row.get(name)) for name in names}
    return AccountSample(
        ids=frozenset(row["Id"] for row in ours),
        names=frozenset(row["Name"] for row in ours),
        fields={**fields, **{name: frozenset(values) for name, values in more.items()}},
    )


def look(loaded: Settings, name: SourceName, accounts: AccountSample, budget: RequestBudget | None = None) -> Discovery:
    """What a system shows to somebody who has mapped nothing."""
    system, known = SYSTEMS[name], loaded.connection(name)
    assert system.discover is not None
    bare = Connection(known.access, system.mapping(), ca_bundle=known.ca_bundle)
    return system.discover(DiscoverRequest(bare, NOW, accounts, budget or RequestBudget()))


def chosen(found: Discovery) -> dict[str, Any]:
    """Each key that was chosen, by its path, with its value."""
    return {".".join(path): value for each in found.choices for path, value in (each.keys or {each.path: None}).items()}


def choice(found: Discovery, path: str) -> MappingChoice:
    """The choice of one key."""
    return next(each for each in found.choices if ".".join(each.path) == path)


def proposed(choices: Iterable[MappingChoice]) -> Mapping[str, Any]:
    """The content of accountpulse.yaml that the choices make."""
    content: dict[str, Any] = {}
    for (*way, last), value in ((path, value) for each in choices for path, value in each.keys.items()):
        block = content
        for step in way:
            block = block.setdefault(step, {})
        block[last] = value
    return content


def loaded_with(
    running: Sandbox, configure: Configure, folder: Path, choices: Iterable[MappingChoice], **changes: str | None
) -> Settings:
    """Settings by the mapping that was proposed: it is read as a file, so it has to be a good one."""
    path = folder / "proposed.yaml"
    path.write_text(yaml.safe_dump(dict(proposed(choices)), allow_unicode=True), encoding="utf-8")
    return configure(running, ACCOUNTPULSE_CONFIG=str(path), **changes)


def texts(found: Discovery) -> list[str]:
    """Every text and value that a look hands over."""
    choices = [text for each in found.choices for text in (each.why, str(each.value), *map(str, each.others))]
    return [*found.found, *found.unknown, *choices]

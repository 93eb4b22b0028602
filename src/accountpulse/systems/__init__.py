"""The register of all systems: one line each.

A system is one folder here; its `__init__.py` holds `SYSTEM`, which declares it. Their order is that of the blocks in
accountpulse.yaml and of tables for people; a run reads the system that has the accounts first.
"""

from collections.abc import Mapping
from importlib import import_module

from accountpulse.core.records import Source, SourceName
from accountpulse.systems.system import AnySystem

REGISTER = (
    "intercom",
    "jira",
    "looker",
    "salesforce",
)
SYSTEMS: Mapping[SourceName, AnySystem] = {
    name: import_module(f"accountpulse.systems.{name}").SYSTEM for name in REGISTER
}
CRM = next(name for name, system in SYSTEMS.items() if system.has_accounts)
# what can be read, in the order of the flow: the accounts first, since they hold the links to the others
SOURCES: tuple[Source, ...] = tuple(
    sorted((system.source for system in SYSTEMS.values() if system.extract), key=lambda source: not source.has_accounts)
)
TITLES: Mapping[SourceName, str] = {name: system.title for name, system in SYSTEMS.items()}

"""The sandbox as a real server, and settings that lead to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accountpulse import settings
from accountpulse.period import Period, Scope, scope_of
from accountpulse.sandbox.model import World
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import Settings
from support import NOW, Configure


@pytest.fixture(scope="session")
def world() -> World:
    """The demo's world at a fixed instant. Tests that change it build their own."""
    return build(seed=7, accounts=120, until=NOW)


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    """A fresh server over the shared world; what was loaded into it is taken away afterwards."""
    with Sandbox(world) as running:
        yield running
    world.salesforce.objects["Health_Score__c"].rows.clear()


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Settings for a sandbox, with changes to the environment; None takes a name away."""

    def made(running: Sandbox, **changes: str | None) -> Settings:
        environment: dict[str, str | None] = {
            **running.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            **changes,
        }
        return settings.load({name: value for name, value in environment.items() if value is not None})

    return made


@pytest.fixture(scope="session")
def scope() -> Scope:
    """October 2026, seen from NOW."""
    return scope_of(Period(2026, 10), NOW)

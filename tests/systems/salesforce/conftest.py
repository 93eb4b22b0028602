"""A small org that a test fills by hand, and how it is read."""

from pathlib import Path

import pytest

from accountpulse.core.period import Scope
from accountpulse.sandbox.world.model import World
from salesforce_org import Org, Reader, reader
from support import Configure


@pytest.fixture
def org(world: World) -> Org:
    return Org(world)


@pytest.fixture
def read(configure: Configure, scope: Scope, tmp_path: Path) -> Reader:
    return reader(configure, scope, tmp_path)

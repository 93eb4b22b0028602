"""Extractors with a mapping of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from accountpulse.core.period import Scope
from accountpulse.core.records import Extract
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Sandbox
from accountpulse.settings import Settings
from support import Configure, extract
from systems.looker.asking import Change, Read, merged


@pytest.fixture
def loaded(sandbox: Sandbox, configure: Configure, tmp_path: Path) -> Callable[..., Settings]:
    """Settings whose `looker:` block differs from the sandbox's."""

    def made(change: Change | None = None, **environment: str | None) -> Settings:
        own = yaml.safe_load(Path(sandbox.environment()["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8"))
        file = tmp_path / "accountpulse.yaml"
        file.write_text(yaml.safe_dump(merged(own, change or {})), encoding="utf-8")
        return configure(sandbox, ACCOUNTPULSE_CONFIG=str(file), **environment)

    return made


@pytest.fixture
def read(loaded: Callable[..., Settings], scope: Scope) -> Read:
    """What the extractor makes of the sandbox with a changed `looker:` block."""

    def made(
        block: Change | None = None, keys: tuple[str, ...] = (), budget: RequestBudget | None = None, at: Scope = scope
    ) -> Extract:
        changed = loaded({"looker": block or {}})
        return extract(changed, "looker", at, keys, budget=budget or RequestBudget())

    return made

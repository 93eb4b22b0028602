"""The example of docs/looker.md: own metrics and seats of the sandbox's company, and a scorecard that declares them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import yaml

from accountpulse.core import yaml_structs
from accountpulse.core.catalogue import own_metric
from accountpulse.core.yaml_files import Document
from accountpulse.sandbox.server import Sandbox
from accountpulse.scoring.scorecard import default_text
from accountpulse.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "looker.md"
OWN = (own_metric("nps", "net promoter score", "points"), own_metric("engagement", "engagement", "points"))


def example() -> dict[str, Any]:
    """The mapping that the page shows."""
    block = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    shown: dict[str, Any] = yaml.safe_load(block)
    return shown


def with_own(settings: Settings) -> Settings:
    """The settings with the page's mapping beside their own."""
    whole = msgspec.to_builtins(settings.mapping)
    whole["looker"] |= example()["looker"]
    return replace(settings, mapping=yaml_structs.read(Document("own", whole, {}), type(settings.mapping)))


def config(folder: Path, sandbox: Sandbox, shown: dict[str, Any] | None = None) -> str:
    """A file accountpulse.yaml with the sandbox's mapping, the page's, and a scorecard of our own beside it."""
    whole = yaml.safe_load(Path(sandbox.environment()["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8"))
    whole["looker"] |= (shown or example())["looker"]
    whole["scorecard"] = "own.yaml"
    (folder / "own.yaml").write_text(card(), encoding="utf-8")
    file = folder / "accountpulse.yaml"
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return str(file)


def card(**declared: dict[str, str]) -> str:
    """The packaged scorecard with a dimension of own metrics; others are declared, and don't count."""
    plain = yaml.safe_load(default_text())
    plain["metrics"] = {metric.name: {"label": metric.label, "unit": metric.unit} for metric in OWN} | declared
    anchors = {"nps": [[-100, 0], [0, 50], [100, 100]], "engagement": [[0, 0], [100, 100]]}
    rules = {name: {"weight": 1, "anchors": points} for name, points in anchors.items()}
    plain["groups"]["voice"] = {"weight": 0.2, "metrics": rules}
    return yaml.safe_dump(plain, sort_keys=False)

"""A state that real runs left behind, for the tests of the report."""

from pathlib import Path

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.scorecard import default_text
from support import NOW, Silent

MONTHS = (7, 9, 10)  # August was not run


def runs(folder: Path, accounts: int = 120) -> Path:
    """The demo's company after runs of July, September and October, the last one with another scorecard."""
    card = folder / "mine.yaml"
    card.write_text(default_text().replace("weight: 0.30", "weight: 0.25", 1), encoding="utf-8")
    with Sandbox(build(seed=7, accounts=accounts, until=NOW)) as sandbox:
        environment = sandbox.environment()
        mapping = folder / "accountpulse.yaml"
        own = Path(environment["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
        mapping.write_text(f"currency: EUR\n{own}", encoding="utf-8")
        state = {"ACCOUNTPULSE_STATE": str(folder / "state"), "ACCOUNTPULSE_CONFIG": str(mapping)}
        loaded = settings.load({**environment, **state})
        for month in MONTHS:
            options = RunRequest(period=Period(2026, month), scorecard=card if month == 10 else None)
            assert pipeline.execute(loaded, options, NOW, Silent()).exit_code == 0
    return folder / "state"

"""`accountpulse sandbox`: the stand-ins in the foreground, and the truth about their world as tables."""

import io
import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from accountpulse.cli import files, progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.core.period import Period, last_complete
from accountpulse.sandbox.limits import Limit
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.outcomes import (
    HazardTruth,
    OutcomeTruth,
    hazards_truth,
    outcomes_truth,
    write_truth_rows,
)
from accountpulse.sandbox.truth.table import truth_table, write_csv
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.churn import churn_history
from accountpulse.sandbox.world.churn_tables import churn_tables, write_tables
from accountpulse.sandbox.world.model import World


@dataclass(frozen=True)
class WorldRequest:
    """Which company to invent."""

    seed: int
    accounts: int
    kind: str
    conversations: int = 0
    issues: int = 0

    def world(self, now: datetime) -> World:
        """As it is now."""
        more = {"conversations": self.conversations, "issues": self.issues}
        return build(self.seed, self.accounts, until=now, kind=self.kind, **more)


def serve(asked: WorldRequest, port: int, *, latency: int, rate: int | None, jira: str) -> int:
    """Serve until interrupted; stdout gets the settings as shell exports. `rate`: requests a second."""
    console = summary.tables()
    with progress.waiting("inventing a company …"):
        world = asked.world(datetime.now(UTC))
    with Sandbox(world, port=port, latency_ms=latency, jira="cloud" if jira == "cloud" else "datacenter") as sandbox:
        if rate is not None:
            sandbox.limits = {"intercom": Limit(rate * 10, 10), "jira": Limit(rate, 1)}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it, its certificates go
        try:
            company = f"{plural(asked.accounts, 'customer')}, seed {asked.seed}"
            text = f"# {company}; stop with Ctrl-C. Paste this into another shell:"
            console.print(text, soft_wrap=True)  # a comment that went over two lines would be half a command
            for name, value in sandbox.environment().items():
                if name == "ACCOUNTPULSE_CONFIG":
                    console.print("# the mapping by hand; leave it out to try `accountpulse init`:", soft_wrap=True)
                console.print(f"export {name}={shlex.quote(value)}", soft_wrap=True, markup=False)
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


def write_files(
    asked: WorldRequest,
    period: Period | None,
    *,
    truth: Path | None,
    outcomes: Path | None,
    hazards: Path | None,
    tables: Path | None,
) -> int:
    """Write what the world itself knows.

    `truth`: account_id, metric, value, reason of every account and metric of a month; the others are the churn world's.
    """
    now = datetime.now(UTC)
    if truth is not None:
        rows = truth_table(asked.world(now), (period or last_complete(now)).name, now)
        _write(truth, len(rows), "value", lambda stream: write_csv(rows, stream))
    if outcomes is not None:
        found = outcomes_truth(churn_history(asked.seed, asked.accounts, now))
        _write(outcomes, len(found), "outcome", lambda stream: write_truth_rows(OutcomeTruth, found, stream))
    if hazards is not None:
        latent = hazards_truth(churn_history(asked.seed, asked.accounts, now))
        _write(hazards, len(latent), "month", lambda stream: write_truth_rows(HazardTruth, latent, stream))
    if tables is not None:
        for file in write_tables(churn_tables(asked.seed, asked.accounts), tables):
            summary.tables().print(f"written to {file}", soft_wrap=True, markup=False)
    return 0


def _write(path: Path, count: int, noun: str, write: Callable[[TextIO], None]) -> None:
    text = io.StringIO(newline="")
    write(text)
    files.write(path, text.getvalue().encode())
    summary.tables().print(f"{plural(count, noun)} written to {path}")

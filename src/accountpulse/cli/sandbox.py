"""`accountpulse sandbox`: the stand-ins in the foreground, and the truth about their world as tables."""

import io
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from accountpulse.cli import files, progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period, last_complete, scope_of
from accountpulse.observe.outlet import write_json
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


def serve(asked: WorldRequest, port: int, *, latency: int, rate: int | None, jira: str, as_json: bool = False) -> int:
    """Serve until interrupted; stdout gets the settings as shell exports. `rate`: requests a second."""
    with progress.waiting("inventing a company …"):
        world = asked.world(datetime.now(UTC))
    stand_in = Sandbox(world, port=port, latency_ms=latency, jira="cloud" if jira == "cloud" else "datacenter")
    with _listening(stand_in, port) as sandbox:
        if rate is not None:
            sandbox.limits = {"intercom": Limit(rate * 10, 10), "jira": Limit(rate, 1)}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it, its certificates go
        try:
            if as_json:
                facts = {"accounts": asked.accounts, "seed": asked.seed, "environment": sandbox.environment()}
                write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])
            else:
                _show_exports(asked, sandbox)
            sys.stdout.flush()
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


@contextmanager
def _listening(sandbox: Sandbox, port: int) -> Iterator[Sandbox]:
    """The sandbox while it listens; a port that can't be had is a UsageError."""
    try:
        sandbox.start()
    except OSError as error:
        sandbox.stop()
        why = error.strerror or type(error).__name__
        raise UsageError(f"--port {port} can't be had ({why}); name another, or 0 for any free one") from None
    try:
        yield sandbox
    finally:
        sandbox.stop()


def _show_exports(asked: WorldRequest, sandbox: Sandbox) -> None:
    """The settings, as a shell takes them; a comment that went over two lines would be half a command."""
    console = summary.tables()
    company = f"{plural(asked.accounts, 'customer')}, seed {asked.seed}"
    console.print(f"# {company}; stop with Ctrl-C. Paste this into another shell:", soft_wrap=True)
    for name, value in sandbox.environment().items():
        if name == "ACCOUNTPULSE_CONFIG":
            console.print("# the mapping by hand; leave it out to try `accountpulse init`:", soft_wrap=True)
        console.print(f"export {name}={shlex.quote(value)}", soft_wrap=True, markup=False)


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
        month = period or last_complete(now)
        scope_of(month, now)  # a month that has not begun has no truth
        rows = truth_table(asked.world(now), month.name, now)
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

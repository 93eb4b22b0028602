"""`accountpulse sandbox`: the stand-ins in the foreground, and the truth about their world as a table."""

import shlex
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from accountpulse.cli import progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.core.period import Period, last_complete
from accountpulse.sandbox.limits import Limit
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.table import truth_table, write_csv
from accountpulse.sandbox.world import build


def serve(
    port: int,
    *,
    accounts: int,
    seed: int,
    latency: int,
    rate: int | None,
    jira: str,
    conversations: int,
    issues: int,
    kind: str,
) -> int:
    """Serve until interrupted; stdout gets the settings as shell exports. `rate`: requests a second."""
    console = summary.tables()
    with progress.waiting("inventing a company …"):
        now = datetime.now(UTC)
        world = build(seed, accounts, until=now, conversations=conversations, issues=issues, kind=kind)
    with Sandbox(world, port=port, latency_ms=latency, jira="cloud" if jira == "cloud" else "datacenter") as sandbox:
        if rate is not None:
            sandbox.limits = {"intercom": Limit(rate * 10, 10), "jira": Limit(rate, 1)}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it, its certificates go
        try:
            text = f"# {plural(accounts, 'customer')}, seed {seed}; stop with Ctrl-C. Paste this into another shell:"
            console.print(text, soft_wrap=True)  # a comment that went over two lines would be half a command
            for name, value in sandbox.environment().items():
                console.print(f"export {name}={shlex.quote(value)}", soft_wrap=True, markup=False)
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


def write_truth(
    period: Period | None, path: Path, *, accounts: int, seed: int, conversations: int, issues: int, kind: str
) -> int:
    """Write account_id, metric, value, reason for every account and metric, as the world itself knows them."""
    now = datetime.now(UTC)
    world = build(seed, accounts, until=now, conversations=conversations, issues=issues, kind=kind)
    rows = truth_table(world, (period or last_complete(now)).name, now)
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(rows, stream)
    summary.tables().print(f"{plural(len(rows), 'value')} written to {path}")
    return 0

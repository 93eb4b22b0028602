"""Run by the tests with a copy of the package: serves a small company and calls the command line in this process.

usage: driver.py ACCOUNTS COMMAND...    each COMMAND one text; the last line of stdout is the truth about support as JSON
"""

import json
import os
import shlex
import sys
from datetime import UTC, datetime

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def main() -> int:
    from accountpulse.cli import app
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.truth.table import truth_table
    from accountpulse.sandbox.world import build

    accounts, *commands = sys.argv[1:]
    world = build(seed=3, accounts=int(accounts), until=NOW)
    with Sandbox(world) as sandbox:
        os.environ.update(sandbox.environment())
        for name in os.environ.get("WITHOUT", "").split():
            os.environ.pop(name, None)
        for command in commands:
            print(f"$ accountpulse {command}", flush=True)
            code = int(app(shlex.split(command), standalone_mode=False) or 0)
            print(f"exit code {code}", flush=True)
    rows = [[row.account_id, row.metric, row.value, row.reason] for row in truth_table(world, "2026-10", NOW)]
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much memory and time the Lambda handler takes, through the real runtime client; for MemoryMB of the SAM template.

usage: lambda_memory.py [ACCOUNTS [CONVERSATIONS]]     default: 1000 accounts, no conversations beside the ordinary ones

The sandbox runs in this process, the handler in its own; the figure is that process's peak, as its summary tells it.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from aws.rig import Rig


def main() -> None:
    """Run one month and print what it took."""
    accounts, conversations = (*map(int, sys.argv[1:]), *(1000, 0)[len(sys.argv) - 1 :])
    world = build(seed=7, accounts=accounts, until=datetime(2026, 11, 23, 8, tzinfo=UTC), conversations=conversations)
    with Sandbox(world) as sandbox, tempfile.TemporaryDirectory() as folder:
        environment = {**sandbox.environment(), "ACCOUNTPULSE_STATE": f"{folder}/state"}
        with Rig(Path(folder), environment) as rig:
            begun = time.perf_counter()
            answer = rig.invoke({"period": "2026-10"}, 3600.0).body
            seconds = time.perf_counter() - begun
    if "peak_memory_mb" not in answer:
        raise SystemExit(str(answer))
    told = (
        f"{accounts:,} accounts, {conversations:,} conversations more: {answer['peak_memory_mb']} MB, {seconds:.0f} s"
    )
    print(f"{told}, {answer['scored']:,} scored, exit code {answer['exit_code']}")


if __name__ == "__main__":
    main()

"""What whole runs hold in memory: four times the conversations must cost no more, and 10,000 accounts less than 400 MB.

    python benchmarks/memory.py [--only NAME]… [--rounds 1]

Each scenario's sandbox is a process of its own, and so is each run: `accountpulse run` as the command line has it, with
an empty state. The peak is the largest resident set that the system saw of the run's process.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scenario:
    """A company, and the megabytes that a run over it may hold."""

    name: str
    most: int
    accounts: int
    conversations: int = 0  # beyond those that the accounts have anyway


SCENARIOS = (
    Scenario("60,000 conversations", 400, 500, 60_000),
    Scenario("240,000 conversations", 400, 500, 240_000),
    Scenario("600,000 conversations", 400, 500, 600_000),
    Scenario("10,000 accounts", 400, 10_000),
)
CLOSE = 0.05  # by how much the second may hold more than the first, as a share


@contextmanager
def served(scenario: Scenario) -> Iterator[dict[str, str]]:
    """The environment that leads to the scenario's sandbox."""
    sizes = ["--accounts", str(scenario.accounts), "--conversations", str(scenario.conversations)]
    command = [sys.executable, "-m", "accountpulse", "sandbox", "--port", "0", *sizes]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "400"}) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(14)]
        exports = [line.removeprefix("export ").strip().partition("=") for line in lines if line.startswith("export ")]
        try:
            yield {name: value.strip("'") for name, _, value in exports}
        finally:
            server.send_signal(signal.SIGINT)  # it takes its files along


def peak_of(environment: dict[str, str]) -> tuple[float, float, float]:
    """One run's peak in MB, its wall and CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        told = {**os.environ, **environment, "ACCOUNTPULSE_STATE": str(Path(folder) / "state")}
        command = [sys.executable, "-m", "accountpulse", "run", "--period", "2026-10"]
        begun = time.perf_counter()
        with subprocess.Popen(
            command, env=told, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            raise SystemExit(f"the run ended with {run.returncode}")
        return used.ru_maxrss / 1024, time.perf_counter() - begun, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    peaks: dict[str, float] = {}
    for scenario in SCENARIOS:
        if options.only and scenario.name not in options.only:
            continue
        with served(scenario) as environment:
            for _ in range(options.rounds):
                peak, wall, cpu = peak_of(environment)
                peaks[scenario.name] = max(peak, peaks.get(scenario.name, 0))
                verdict = "within" if peak < scenario.most else "ABOVE"
                told = f"{peak:4.0f} MB peak, {verdict} {scenario.most}; {wall:5.1f} s wall, {cpu:5.1f} s CPU"
                print(f"{scenario.name:22} {told}", flush=True)
    few, many = (peaks.get(scenario.name) for scenario in SCENARIOS[:2])
    if few and many:
        print(f"four times the conversations hold {many / few:.2f} times the memory (allowed: {1 + CLOSE})")


if __name__ == "__main__":
    main()

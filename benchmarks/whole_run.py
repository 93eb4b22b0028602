"""Where the CPU of a whole run goes: by source and by phase, with the modules that take most of each.

    python benchmarks/whole_run.py [--accounts 20000]

The sandbox answers from a process of its own; the run is `pipeline.execute` as the command line calls it, with an empty
state. Every few milliseconds a thread looks at the others: what one of them has used of the processor since is given to
the innermost function of ours that it is in. What Polars' own threads use can't be seen that way, and has a line of its
own. Linux alone tells a thread's clock.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import memory

STEP = 0.003  # seconds
MOST = 5  # modules of each part
PHASES = {"measure_accounts": "measure", "rate_accounts": "rate", "deliver_records": "deliver"}


class Sampler(threading.Thread):
    """CPU seconds of the other threads, by part of the run and by our module."""

    def __init__(self, package: Path) -> None:
        super().__init__(daemon=True)
        self.package = f"{package}{os.sep}"
        self.parts: Counter[str] = Counter()
        self.modules: Counter[tuple[str, str]] = Counter()
        self.ended = threading.Event()
        self.own = 0.0  # what the looking itself has cost

    def run(self) -> None:
        clocks: dict[int, float] = {}
        while not self.ended.wait(STEP):
            for thread, frame in sys._current_frames().items():  # noqa: SLF001
                if thread == threading.get_ident():
                    continue
                try:
                    now = time.clock_gettime(time.pthread_getcpuclockid(thread))
                except OSError:  # it has ended meanwhile
                    continue
                self.count(frame, now - clocks.get(thread, now))
                clocks[thread] = now
        self.own = time.thread_time()

    def count(self, frame: FrameType | None, seconds: float) -> None:
        """Give some seconds to the part and the module that a stack is in."""
        part, module = "the rest", ""
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(self.package):
                module = module or code.co_filename.removeprefix(self.package)
                if code.co_name == "_read" and code.co_filename.endswith("pipeline/read.py"):
                    part = f"read {frame.f_locals['name']}"
                part = PHASES.get(code.co_name, part)
            frame = frame.f_back
        self.parts[part] += seconds
        self.modules[part, module or "others' packages"] += seconds


def profile() -> None:
    """The run, in a process of its own."""
    begun = time.process_time()
    import accountpulse
    from accountpulse import pipeline, settings
    from accountpulse.core.period import Period
    from accountpulse.pipeline.watch import NoWatch

    imports = time.process_time() - begun
    sampler = Sampler(Path(accountpulse.__file__).parent)
    with tempfile.TemporaryDirectory() as folder:
        loaded = settings.load({**os.environ, "ACCOUNTPULSE_STATE": f"{folder}/state"})
        begun = time.process_time()
        sampler.start()
        result = pipeline.execute(loaded, pipeline.RunRequest(Period(2026, 10)), datetime.now(UTC), NoWatch())
        sampler.ended.set()
        sampler.join()
        used = time.process_time() - begun - sampler.own
    assert result.exit_code == 0, result.exit_code
    others = used - sampler.parts.total()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| part | CPU s | of it |\n| --- | --- | --- |\n| imports before the run | {imports:.2f} | |")
    for part, seconds in sampler.parts.most_common():
        most = Counter({name: share for (of, name), share in sampler.modules.items() if of == part}).most_common(MOST)
        print(f"| {part} | {seconds:.2f} | {', '.join(f'`{name}` {share:.2f}' for name, share in most)} |")
    print(f"| threads of Polars | {others:.2f} | |")
    print(f"| all | {imports + used:.2f} | peak {peak:.0f} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20_000)
    asked = parser.parse_args()
    with memory.served(memory.Scenario("profile", 0, asked.accounts)) as environment:
        command = [sys.executable, __file__, "--profile"]
        subprocess.run(command, env={**os.environ, **environment}, check=True)


if __name__ == "__main__":
    profile() if sys.argv[1:] == ["--profile"] else main()

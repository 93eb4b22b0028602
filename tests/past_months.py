"""Run the churn world's months one after the other into one state, each as its company stood three days after its end.

For developers, who want two years of history in a minute or two: `PYTHONPATH=tests python -m past_months FOLDER`.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.pipeline.watch import NoWatch
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import world_at
from accountpulse.sandbox.world.churn import History, churn_history, shifted

AFTER_ITS_END = timedelta(days=2, hours=4)


def run_months(history: History, folder: Path, months: Sequence[date]) -> Iterator[RunResult]:
    """The result of each month's run; what was written to Salesforce stays there from month to month."""
    written = None
    for first in months:
        now = datetime.combine(shifted(first, 1), datetime.min.time(), UTC) + AFTER_ITS_END
        world = world_at(history, min(now, history.until))
        objects = world.salesforce.objects
        written = objects["Health_Score__c"] = written or objects["Health_Score__c"]
        with Sandbox(world) as running:
            loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": str(folder)})
            yield pipeline.execute(loaded, RunRequest(period=Period(first.year, first.month)), world.until, NoWatch())


def main() -> None:
    """Read the arguments, run the months and say how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the state, such as ACCOUNTPULSE_STATE names it")
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--months", type=int, default=24, help="the last so many")
    given = parser.parse_args()
    history = churn_history(given.seed, given.accounts, datetime.now(UTC).replace(microsecond=0))
    begun = time.process_time()
    for result in run_months(history, given.folder, history.months[-given.months :]):
        spent, begun = time.process_time() - begun, time.process_time()
        sys.stdout.write(f"{result.run_id}: exit {result.exit_code}, {spent:.1f} CPU seconds\n")


if __name__ == "__main__":
    main()

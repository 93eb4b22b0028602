"""`accountpulse demo`: the whole job on the sandbox, from an empty folder to records that are read back.

What it leaves lies in one folder of its own, the state too: `explain` and `report` work on it afterwards.
"""

import shlex
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from accountpulse import pipeline, settings
from accountpulse.cli import progress, summary
from accountpulse.cli.formatting import plural, program
from accountpulse.cli.report import write_files
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period, last_complete
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import report_document
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.pipeline.watch import NoWatch
from accountpulse.report.files import EXTRA, drawing
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems.salesforce.destination import SalesforceDestination

EARLIER = 5  # months that are run before, so that trends, changes and lines have something to show
LARGE = 500  # accounts from which on one month has to do
STATE = "demo-state"  # in the demo's folder; made anew by each demo, whose world is another one every day


def show_demo(period: Period | None, accounts: int, seed: int, out: Path, *, as_json: bool = False) -> int:
    """Run it, print everything, and return the exit code."""
    now = datetime.now(UTC)
    console = summary.tables(stderr=as_json)
    console.quiet = as_json
    _refuse_foreign(out)
    console.print(f"[bold]accountpulse demo[/bold]: {plural(accounts, 'invented customer')}, seed {seed}")
    with progress.waiting("inventing a company …"):
        sandbox = Sandbox(build(seed=seed, accounts=accounts, until=now))
    folder = emptied(out / STATE)
    with sandbox:
        console.print(f"A sandbox on {sandbox.url} answers like Intercom, Jira, Looker and Salesforce.\n")
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        month = period or last_complete(now)
        _run_before(loaded, month, now, EARLIER if accounts < LARGE else 1, console)
        with progress.watching() as watch:
            result = pipeline.execute(loaded, RunRequest(period=month, out=out), now, watch)
        summary.report(result, console)
        found = _read_back(loaded, result)
        report = _report(State(str(folder)), month, out)
    if as_json:
        facts = {"state": str(folder), "report": report, "read_back": found}
        write_json(sys.stdout, [{"version": summary.JSON_VERSION, **result.summary(), **facts}])
    console.print(f"Read back from the sandbox's Salesforce: {plural(found, 'record')} of this run.")
    said = f"No report: {EXTRA}" if report is None else f"Report: {report} (open it in a browser)"
    console.print(said, markup=False, soft_wrap=report is not None)
    console.print("\n[bold]Next[/bold]")
    for step, why in _next_steps(folder, result):
        console.print(f"  {step}", markup=False, soft_wrap=True)  # to be copied: never broken
        console.print(Padding(Text(why, "dim"), (0, 0, 0, 6), expand=False))
    return result.exit_code or (0 if found == result.count("written") else 4)


def _refuse_foreign(out: Path) -> None:
    """A UsageError where the folder holds results that no demo left: invented ones would take their place."""
    if not (out / STATE).exists() and (real := sorted([*out.glob("health-scores-*"), *out.glob("report-*")])):
        raise UsageError(f"--out {out}: {real[0].name} there is not of a demo, and might be overwritten; name another")


def emptied(folder: Path) -> Path:
    """The folder of the demo's state, without what an earlier demo left there."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"{folder} can't be made anew ({error.strerror}); give another folder by --out") from None
    return folder


def _run_before(loaded: Settings, month: Period, now: datetime, count: int, console: Console) -> None:
    """Run the months before, quietly; what goes wrong in them shows in the month itself."""
    for back in range(count, 0, -1):
        earlier = month.shifted(-back)
        with progress.waiting(f"first {earlier.first_day:%B %Y} …"):
            pipeline.execute(loaded, RunRequest(period=earlier), now, NoWatch())
    months = "The month" if count == 1 else f"The {count} months"
    console.print(f"{months} before ran first, quietly, to have something to compare with.\n")


def _report(state: State, month: Period, out: Path) -> str | None:
    """Write the report; where its page is, None where its packages aren't installed."""
    if drawing() is None:
        return None
    page, _ = write_files(report_document.document(state, month), out)
    return str(page)


def _read_back(loaded: Settings, result: RunResult) -> int:
    """Ask the org itself how many records of this run it holds."""
    return len(SalesforceDestination(loaded.connection("salesforce")).read_back(result.run_id))


def _next_steps(folder: Path, result: RunResult) -> Iterator[tuple[str, str]]:
    """Commands that work here and now, and what each is for."""
    us, kept = program(), f"ACCOUNTPULSE_STATE={shlex.quote(str(folder))}"
    if result.scores is not None and result.rated_count:
        riskiest = result.scores.sort("churn_risk_score", "account_id", descending=[True, False], nulls_last=True)
        yield f"{kept} {us} explain {riskiest['account_id'][0]}", "why an account has its score: the one most at risk"
    yield f"{kept} {us} history", "the runs that the demo made"
    yield f"{us} scorecard show", "the weights and limits behind the scores"
    yield f"{us} score --help", "score a table of your own, without any system"
    yield f"{us} sandbox", "keep the four stand-ins running, and print the settings to try `run` on them"

"""`accountpulse run` and its options; it only translates."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from accountpulse.cli.commands import (
    CalibrationOption,
    JsonOption,
    MetricsOutOption,
    OutOption,
    PeriodOption,
    ScorecardOption,
    month_of,
)
from accountpulse.cli.completion import sources
from accountpulse.cli.environment import environment
from accountpulse.core.errors import UsageError
from accountpulse.core.memory import prepare
from accountpulse.core.period import day_in, parse_day

if TYPE_CHECKING:
    from accountpulse.core.records import SourceName


def run(
    *,
    period: PeriodOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DAY",
            help="In place of a month: a snapshot as of the end of this day, YYYY-MM-DD, or today up to now. Kept "
            "beside the months, and nothing goes to Salesforce.",
        ),
    ] = None,
    current: Annotated[
        bool,
        typer.Option("--current", help="With --as-of: write to Salesforce too, as the records of the running month."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the CSV, send nothing to Salesforce.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Write the rest where a configured source is unavailable.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            autocompletion=sources,
            help="Read only this source afresh, the others from this period's checkpoints; repeatable.",
        ),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Score and write only this account (its Salesforce id); repeatable."),
    ] = None,
    scorecard: ScorecardOption = None,
    calibration: CalibrationOption = None,
    deadline: Annotated[
        int | None, typer.Option(min=1, help="Seconds after which to stop; the same command goes on where it stopped.")
    ] = None,
    out: OutOption = None,
    metrics_out: MetricsOutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every account and write the scores to Salesforce. Reads every configured source."""
    prepare()
    from accountpulse import pipeline, settings
    from accountpulse.cli import files, progress, stopping, summary
    from accountpulse.core.tables import kind_of
    from accountpulse.pipeline.result import RunResult
    from accountpulse.pipeline.run import RunRequest

    if metrics_out is not None:
        kind_of(metrics_out.name)  # before the work
    sources = tuple(map(_source, only or ()))
    ends = None if deadline is None else time.monotonic() + deadline

    def work(loaded: settings.Settings) -> RunResult:
        now, zone = datetime.now(UTC), loaded.mapping.timezone
        asked = RunRequest(
            period=month_of(period, zone),
            as_of=None if as_of is None else parse_day(as_of, "--as-of", day_in(zone, now)),
            current=current,
            dry_run=dry_run,
            allow_partial=allow_partial,
            only=sources,
            accounts=tuple(account or ()),
            scorecard=scorecard,
            calibration=calibration,
            out=out,
            ends=ends,
        )
        return pipeline.execute(loaded, asked, now, watch)

    with stopping.orderly(), progress.watching() as watch:
        result = settings.work_with(environment(), settings.SecretCache(), work, watch.say)
    if as_json:
        summary.as_data(result)
    else:
        summary.report(result, summary.tables())
    if metrics_out is not None:
        files.write_metrics(result, metrics_out, summary.tables(stderr=as_json))
    raise typer.Exit(result.exit_code)


def _source(name: str) -> "SourceName":
    from accountpulse.systems import SOURCES

    names = [source.name for source in SOURCES]
    if name not in names:
        raise UsageError(f"--only: {name!r} is not a source; the sources are {', '.join(names)}")
    return name

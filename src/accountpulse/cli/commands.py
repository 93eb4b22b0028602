"""The commands and their options; each one only translates."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountpulse.core.errors import UsageError
from accountpulse.core.memory import prepare
from accountpulse.core.period import Period, parse_period

if TYPE_CHECKING:
    from accountpulse.core.records import Rules, SourceName
    from accountpulse.settings import Settings
    from accountpulse.state import State

PeriodOption = Annotated[str | None, typer.Option(help="The month, YYYY-MM. [default: the last complete one]")]
ScorecardOption = Annotated[
    Path | None, typer.Option(help="A scorecard file. [default: accountpulse.yaml's, else ours]")
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the CSV. [default: out, in a dry run]")]
MetricsOption = Annotated[str | None, typer.Option(help="A table of metrics, one row an account: .csv or .parquet.")]
StoredOption = Annotated[str | None, typer.Option(help="In place of --metrics: what the run of this month kept.")]
CalibrationOption = Annotated[
    Path | None, typer.Option(help="Turns the risk into a probability. [default: the state's calibration.yaml, if any]")
]
PillarOption = Annotated[list[str] | None, typer.Option(help="A configured pillar of platform value.")]


class EngineName(StrEnum):
    """What can score a table."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


class Deployment(StrEnum):
    """The two products that Jira is."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


class WorldKind(StrEnum):
    """What the sandbox's systems hold."""

    PLAIN = "plain"
    CROOKED = "crooked"


scorecards = typer.Typer(help="Look at scorecard files.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Hang all commands into the program."""
    from accountpulse.cli.account_commands import accounts

    for command in (demo, run, check, accounts, score, explain, report, outcomes, backtest, history, forget, sandbox):
        app.command()(command)
    scorecards.command("check")(scorecard_check)
    scorecards.command("show")(scorecard_show)
    scorecards.command("diff")(scorecard_diff)
    scorecards.command("schema")(scorecard_schema)
    app.add_typer(scorecards, name="scorecard")


def demo(
    period: PeriodOption = None,
    accounts: Annotated[
        int, typer.Option(min=1, max=20_000, help="How many customers the invented company has.")
    ] = 120,
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 7,
    out: Annotated[Path, typer.Option(help="Folder for the CSV and the report.")] = Path("out"),
) -> None:
    """The whole job on a local sandbox, without credentials."""
    prepare()
    from accountpulse.cli.demo import show_demo

    raise typer.Exit(show_demo(_period(period, "UTC"), accounts, seed, out))


def run(  # noqa: PLR0917
    period: PeriodOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the CSV, send nothing to Salesforce.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Write the rest where a configured source is unavailable.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
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
) -> None:
    """Score every account and write the scores to Salesforce. Reads every configured source."""
    prepare()
    from accountpulse import pipeline, settings
    from accountpulse.cli import progress, stopping, summary
    from accountpulse.pipeline.result import RunResult
    from accountpulse.pipeline.run import RunRequest

    sources = tuple(map(_source, only or ()))
    ends = None if deadline is None else time.monotonic() + deadline

    def work(loaded: settings.Settings) -> RunResult:
        asked = RunRequest(
            period=_period(period, loaded.mapping.timezone),
            dry_run=dry_run,
            allow_partial=allow_partial,
            only=sources,
            accounts=tuple(account or ()),
            scorecard=scorecard,
            calibration=calibration,
            out=out,
            ends=ends,
        )
        return pipeline.execute(loaded, asked, datetime.now(UTC), watch)

    with stopping.orderly(), progress.watching() as watch:
        result = settings.work_with(os.environ, settings.SecretCache(), work, watch.say)
    summary.report(result, summary.tables())
    raise typer.Exit(result.exit_code)


def check(
    period: PeriodOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Before a run: what would fail, and what to do. Reads everything a little, writes nothing to Salesforce."""
    from accountpulse.cli.check import show_check

    raise typer.Exit(show_check(os.environ, _period(period, "UTC"), datetime.now(UTC), as_json=as_json))


def history(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a run instead of a table.")] = False,
) -> None:
    """List every run that the state knows: when, how it ended, what it wrote."""
    from accountpulse.cli.history import show_history

    raise typer.Exit(show_history(configured_state(), json))


def forget(
    account: Annotated[str, typer.Argument(help="The account's Salesforce id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Erase one account from all periods of the state (a privacy request)."""
    from accountpulse.cli.history import forget_account

    raise typer.Exit(forget_account(configured_state(), account, yes))


def score(  # noqa: PLR0917
    out: Annotated[str, typer.Option(help="Where the scores go: .csv or .parquet.")],
    metrics: MetricsOption = None,
    scorecard: Annotated[Path | None, typer.Option(help="A scorecard file. [default: the packaged one]")] = None,
    period: StoredOption = None,
    calibration: CalibrationOption = None,
    engine: Annotated[
        EngineName, typer.Option(help="What does the work; duckdb and spark read and write Parquet.")
    ] = EngineName.POLARS,
    master: Annotated[
        str | None, typer.Option(help="Spark's address: local[2], spark://host:7077. [default: Spark's own settings]")
    ] = None,
) -> None:
    """Score a table of metrics, or those that a run kept; no system is asked. An empty cell is not known, not 0."""
    prepare()
    from accountpulse.cli.engines import score_on, streams
    from accountpulse.cli.scoring import score_file, score_stored

    if _one_of(metrics, period):
        raise typer.Exit(
            score_stored(configured_state(), _period(period, "UTC"), scorecard, Path(out), calibration=calibration)
        )
    table = str(metrics)
    if streams(engine.value, table, out):
        raise typer.Exit(score_on(engine.value, master, table, scorecard, out, calibration=calibration))
    raise typer.Exit(score_file(Path(table), scorecard, Path(out), calibration=calibration))


def explain(
    account: Annotated[str, typer.Argument(help="Its Salesforce id, of 15 or 18 characters, or its name.")],
    period: Annotated[str | None, typer.Option(help="The month, YYYY-MM. [default: the latest that was run]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, unrounded.")] = False,
) -> None:
    """One account: score, reasons, what changed, what is not known. Reads the state only."""
    from accountpulse.cli.explain import explain_account

    raise typer.Exit(explain_account(configured_state(), account, _period(period, "UTC"), as_json=as_json))


def report(
    period: Annotated[str | None, typer.Option(help="The month, YYYY-MM. [default: the latest that was run]")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page and the CSV.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print what the page is made of as JSON instead.")] = False,
) -> None:
    """One page of the whole portfolio and of each account, and a CSV beside it. Reads the state only."""
    prepare()
    from accountpulse.cli.report import print_document, write_report

    if as_json:
        raise typer.Exit(print_document(configured_state(), _period(period, "UTC")))
    raise typer.Exit(write_report(configured_state(), _period(period, "UTC"), out))


def outcomes(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Salesforce first; every run does so, too.")] = False,
    table: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Keep a .csv or .parquet of account_id, date, kind (lost, contraction, renewed), arr_lost in place of "
            "an earlier one; it wins over all else that is known of its accounts.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write every outcome to this .csv or .parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead.")] = False,
) -> None:
    """Who left and who renewed, where each was found, and what is doubtful. Reads the state only, but for --refresh."""
    prepare()
    from accountpulse.cli.outcomes import import_outcomes, refresh_outcomes, show_outcomes

    state = configured_state()
    rules = configured_rules()
    notes = refresh_outcomes(_settings(os.environ), state, datetime.now(UTC)) if refresh else ()
    done = () if table is None else import_outcomes(state, table, datetime.now(UTC).date())
    raise typer.Exit(show_outcomes(state, rules, out, (done, notes), as_json=as_json))


def backtest(
    *,
    metrics: Annotated[
        Path | None,
        typer.Option(
            help="A table of metrics with as_of, many days an account: .csv or .parquet. [default: the state]"
        ),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="A table of outcomes: account_id, date, kind (lost, contraction, renewed), arr_lost."),
    ] = None,
    scorecard: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With --metrics: score with this file, compare with a second one. Without: compare with this one.",
        ),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Days that a score looks ahead. [default: the scorecard's horizon_days]")
    ] = None,
    lead: Annotated[int, typer.Option(min=0, help="Days before a renewal at which its score is read.")] = 90,
    first: Annotated[str | None, typer.Option("--from", metavar="MONTH", help="The first month, YYYY-MM.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month, YYYY-MM.")] = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="How many accounts the team can look after in a month.")
    ] = None,
    known_until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="The last day of which all outcomes are known. [default: 60 days before they were read; with "
            "--outcomes FILE the last date in it, where that is later]",
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --metrics: judge the probabilities of this calibration too."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("out"),
) -> None:
    """Hold what the score said against who left: how well it ranks, whom it misjudged, what isn't proven."""
    prepare()
    from accountpulse.cli.backtest import BacktestRequest, backtest_state, backtest_table
    from accountpulse.cli.proof_tables import day_of, months_asked

    start, end = months_asked(first, last)
    asked = BacktestRequest(
        outcomes=outcomes,
        scorecards=tuple(scorecard or ()),
        horizon=horizon,
        lead=lead,
        first=start,
        last=end,
        capacity=capacity,
        known_until=day_of(known_until, "--known-until"),
        out=out,
        calibration=calibration,
    )
    if metrics is not None:
        raise typer.Exit(backtest_table(metrics, asked, datetime.now(UTC)))
    raise typer.Exit(backtest_state(asked, configured_state(), configured_rules(), datetime.now(UTC)))


def scorecard_check(
    file: Annotated[Path, typer.Argument(help="A scorecard file.")],
    pillar: PillarOption = None,
) -> None:
    """Report every mistake of a scorecard file, with its line."""
    from accountpulse.cli.scorecards import check_scorecard

    raise typer.Exit(check_scorecard(file, tuple(pillar or ()), os.environ))


def scorecard_show(
    file: Annotated[Path | None, typer.Argument(help="A scorecard file. [default: the packaged one]")] = None,
    pillar: PillarOption = None,
) -> None:
    """Show a scorecard as a page to read; as Markdown where the output is no terminal."""
    from accountpulse.cli.scorecards import show_scorecard

    raise typer.Exit(show_scorecard(file, tuple(pillar or ())))


def scorecard_diff(  # noqa: PLR0917
    before: Annotated[Path, typer.Argument(help="The scorecard file as it is.")],
    after: Annotated[Path, typer.Argument(help="The scorecard file as it might be.")],
    metrics: MetricsOption = None,
    period: StoredOption = None,
    out: Annotated[Path | None, typer.Option(help="Write every account of both to this .csv or .parquet.")] = None,
    pillar: PillarOption = None,
) -> None:
    """Compare two scorecards: what the files say, and which accounts would change tier, and why."""
    from accountpulse.cli.difference import compare_on_file, compare_on_state, show_difference

    if metrics is None and period is None:
        raise typer.Exit(show_difference(before, after, tuple(pillar or ()), out))
    if _one_of(metrics, period):
        raise typer.Exit(compare_on_state(before, after, configured_state(), _period(period, "UTC"), out))
    raise typer.Exit(compare_on_file(before, after, Path(str(metrics)), out))


def scorecard_schema() -> None:
    """Print the JSON Schema of scorecard files, for an editor."""
    from accountpulse.cli.scorecards import print_schema

    raise typer.Exit(print_schema())


def sandbox(  # noqa: PLR0917
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8765,
    accounts: Annotated[int, typer.Option(min=1, max=20_000, help="How many customers the company has.")] = 120,
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 7,
    latency: Annotated[int, typer.Option(min=0, help="Milliseconds before every answer.")] = 0,
    rate: Annotated[
        int | None,
        typer.Option(min=1, help="Requests a second that Intercom and Jira allow; Intercom counts ten seconds."),
    ] = None,
    jira: Annotated[Deployment, typer.Option(help="Which Jira to be.")] = Deployment.CLOUD,
    conversations: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Conversations in the last 90 days, beside the ordinary ones.")
    ] = 0,
    issues: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Bugs touched in the last 90 days, beside the ordinary ones.")
    ] = 0,
    world: Annotated[WorldKind, typer.Option(help="crooked: with what real sites have at worst.")] = WorldKind.PLAIN,
    churn: Annotated[
        bool, typer.Option("--churn", help="A company with two years behind it, whose customers leave.")
    ] = False,
    truth: Annotated[
        Path | None, typer.Option(help="Write the true value of every metric of --period to this CSV file, and end.")
    ] = None,
    outcomes_truth: Annotated[
        Path | None, typer.Option(help="With --churn: write who left, renewed or shrank, and when, to this CSV file.")
    ] = None,
    hazards_truth: Annotated[
        Path | None, typer.Option(help="With --churn: write each month's hidden health and hazard to this CSV file.")
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(
            help="With --churn: write such a company's metrics, outcomes and hazards to this folder as tables."
        ),
    ] = None,
    period: PeriodOption = None,
) -> None:
    """A stand-in for the four systems, until it is stopped. Prints the settings that lead to it."""
    from accountpulse.cli.sandbox import WorldRequest, serve, write_files

    kind = _kind(world, churn=churn, sized=bool(conversations or issues))
    if not churn and (outcomes_truth or hazards_truth or tables):
        raise UsageError(
            "--outcomes-truth, --hazards-truth and --tables are of the world whose customers leave: add --churn"
        )
    asked = WorldRequest(seed, accounts, kind, conversations, issues)
    if truth or outcomes_truth or hazards_truth or tables:
        month = _period(period, "UTC")
        raise typer.Exit(
            write_files(asked, month, truth=truth, outcomes=outcomes_truth, hazards=hazards_truth, tables=tables)
        )
    raise typer.Exit(serve(asked, port, latency=latency, rate=rate, jira=jira.value))


def _kind(world: WorldKind, *, churn: bool, sized: bool) -> str:
    """The world that is asked for."""
    if not churn:
        return world.value
    if world is not WorldKind.PLAIN:
        raise UsageError("give either --churn or --world crooked: they are two worlds")
    if sized:
        raise UsageError(
            "--churn decides itself how many conversations and bugs there are: leave out --conversations and --issues"
        )
    return "churn"


def _one_of(metrics: str | None, period: str | None) -> bool:
    """Whether the metrics are those of a month in the state."""
    if (metrics is None) == (period is None):
        raise UsageError("give either --metrics FILE or --period YYYY-MM")
    return period is not None


def _period(text: str | None, zone: str) -> Period | None:
    return None if text is None else parse_period(text, zone)


def _source(name: str) -> "SourceName":
    from accountpulse.systems import SOURCES

    names = [source.name for source in SOURCES]
    if name not in names:
        raise UsageError(f"--only: {name!r} is not a source; the sources are {', '.join(names)}")
    return name


def configured_state() -> "State":
    """The state that the environment names."""
    from accountpulse import settings
    from accountpulse.state import State

    return State(settings.state_of(os.environ))


def configured_rules() -> "Rules":
    """The company's rules, from the mapping file that the environment names."""
    from accountpulse import settings

    return settings.rules_of(settings.mapping_of(os.environ))


def _settings(environment: Mapping[str, str]) -> "Settings":
    from accountpulse import settings

    return settings.load(environment)

"""The commands and their options; each one only translates."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountpulse.errors import UsageError
from accountpulse.period import Period, parse_period

if TYPE_CHECKING:
    from accountpulse.records import Source
    from accountpulse.settings import Settings
    from accountpulse.state import State

PeriodOption = Annotated[str | None, typer.Option(help="The month, YYYY-MM. [default: the last complete one]")]
ScorecardOption = Annotated[
    Path | None, typer.Option(help="A scorecard file. [default: accountpulse.yaml's, else ours]")
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the CSV. [default: out, in a dry run]")]


class Deployment(StrEnum):
    """The two products that Jira is."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


scorecards = typer.Typer(help="Look at scorecard files.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Hang all commands into the program."""
    for command in (demo, run, accounts, score, history, forget, sandbox):
        app.command()(command)
    scorecards.command("check")(scorecard_check)
    app.add_typer(scorecards, name="scorecard")


def demo(
    period: PeriodOption = None,
    accounts: Annotated[
        int, typer.Option(min=1, max=20_000, help="How many customers the invented company has.")
    ] = 120,
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 7,
    out: Annotated[Path, typer.Option(help="Folder for the CSV.")] = Path("out"),
) -> None:
    """The whole job on a local sandbox, without credentials."""
    from accountpulse.cli.demo import show_demo

    raise typer.Exit(show_demo(_period(period, "UTC"), accounts, seed, out))


def run(  # noqa: PLR0917
    period: PeriodOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the CSV, send nothing to Salesforce.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Write the rest where a configured source is unavailable.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Read only this source afresh, the others from this period's checkpoints.")
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="Score and write only this account (its Salesforce id).")
    ] = None,
    scorecard: ScorecardOption = None,
    deadline: Annotated[
        int | None, typer.Option(min=1, help="Seconds after which to stop; the same command goes on where it stopped.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Read every configured source, score every account, write the scores to Salesforce."""
    from accountpulse import pipeline
    from accountpulse.cli import progress, show
    from accountpulse.pipeline.outcome import Options

    settings = _settings(os.environ)
    options = Options(
        period=_period(period, settings.mapping.timezone),
        dry_run=dry_run,
        allow_partial=allow_partial,
        only=tuple(map(_source, only or ())),
        accounts=tuple(account or ()),
        scorecard=scorecard,
        out=out,
        ends=None if deadline is None else time.monotonic() + deadline,
    )
    with progress.watching(settings.redactor) as watch:
        outcome = pipeline.run(settings, options, datetime.now(UTC), watch)
    show.report(outcome, show.tables(), settings.redactor)
    raise typer.Exit(outcome.exit_code)


def accounts(
    out: Annotated[Path | None, typer.Option(help="Write one line an account to this CSV file.")] = None,
) -> None:
    """Who is linked where, who isn't, who is twice. Reads Salesforce only."""
    from accountpulse.cli.links import show_links

    raise typer.Exit(show_links(_settings(os.environ), datetime.now(UTC), out))


def history(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a run instead of a table.")] = False,
) -> None:
    """List every run that the state knows: when, how it ended, what it wrote."""
    from accountpulse.cli.past import show_history

    raise typer.Exit(show_history(_state(), json))


def forget(
    account: Annotated[str, typer.Argument(help="The account's Salesforce id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Erase one account from all periods of the state (a privacy request)."""
    from accountpulse.cli.past import forget_account

    raise typer.Exit(forget_account(_state(), account, yes))


def score(
    metrics: Annotated[Path, typer.Option(help="A table of metrics, one row an account: .csv or .parquet.")],
    out: Annotated[Path, typer.Option(help="Where the scores go: .csv or .parquet.")],
    scorecard: ScorecardOption = None,
) -> None:
    """Score a table of metrics with a scorecard; no system is asked."""
    from accountpulse.cli.scoring import score_file

    raise typer.Exit(score_file(metrics, scorecard, out))


def scorecard_check(
    file: Annotated[Path, typer.Argument(help="A scorecard file.")],
    pillar: Annotated[list[str] | None, typer.Option(help="A configured pillar of platform value.")] = None,
) -> None:
    """Report every mistake of a scorecard file, with its line."""
    from accountpulse.cli.scoring import check_scorecard

    raise typer.Exit(check_scorecard(file, tuple(pillar or ())))


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
    truth: Annotated[
        Path | None, typer.Option(help="Write the true value of every metric of --period to this CSV file, and end.")
    ] = None,
    period: PeriodOption = None,
) -> None:
    """Run the stand-in for the four systems until it is stopped; prints the settings that lead to it."""
    from accountpulse.cli.sandbox import serve, write_truth

    if truth is not None:
        asked = _period(period, "UTC")
        more = {"conversations": conversations, "issues": issues}
        raise typer.Exit(write_truth(asked, truth, accounts=accounts, seed=seed, **more))
    raise typer.Exit(
        serve(
            port,
            accounts=accounts,
            seed=seed,
            latency=latency,
            rate=rate,
            jira=jira.value,
            conversations=conversations,
            issues=issues,
        )
    )


def _period(text: str | None, zone: str) -> Period | None:
    return None if text is None else parse_period(text, zone)


def _source(name: str) -> "Source":
    from accountpulse.records import SOURCES

    for source in SOURCES:
        if source == name:
            return source
    raise UsageError(f"{name!r} is not a source; the sources are {', '.join(SOURCES)}")


def _state() -> "State":
    from accountpulse import settings
    from accountpulse.state import State

    return State(settings.state_of(os.environ))


def _settings(environment: Mapping[str, str]) -> "Settings":
    from accountpulse import settings

    return settings.load(environment)

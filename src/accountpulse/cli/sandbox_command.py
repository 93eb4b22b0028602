"""The command that stands in for the four systems, and its options; it only translates."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accountpulse.cli.commands import JsonOption, PeriodOption, month_of
from accountpulse.core.errors import UsageError


class Deployment(StrEnum):
    """The two products that Jira is."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


class WorldKind(StrEnum):
    """What the sandbox's systems hold."""

    PLAIN = "plain"
    CROOKED = "crooked"
    RENAMED = "renamed"


def register(app: typer.Typer) -> None:
    """Hang it into the program."""
    app.command()(sandbox)


def sandbox(
    *,
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
    world: Annotated[
        WorldKind, typer.Option(help="crooked: with what real sites have at worst; renamed: an org with its own names.")
    ] = WorldKind.PLAIN,
    churn: Annotated[
        bool, typer.Option("--churn", help="A company with two years behind it, whose customers leave.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the true value of every metric of --period to this CSV file, and end."
        ),
    ] = None,
    outcomes_truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --churn: write who left, renewed or shrank, and when, to this CSV file."
        ),
    ] = None,
    hazards_truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --churn: write each month's hidden health and hazard to this CSV file."
        ),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --churn: write such a company's metrics, outcomes and hazards to this folder as tables.",
        ),
    ] = None,
    period: PeriodOption = None,
    as_json: JsonOption = False,
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
        month = month_of(period, "UTC")
        raise typer.Exit(
            write_files(asked, month, truth=truth, outcomes=outcomes_truth, hazards=hazards_truth, tables=tables)
        )
    raise typer.Exit(serve(asked, port, latency=latency, rate=rate, jira=jira.value, as_json=as_json))


def _kind(world: WorldKind, *, churn: bool, sized: bool) -> str:
    """The world that is asked for."""
    if not churn:
        return world.value
    if world is not WorldKind.PLAIN:
        raise UsageError(f"give either --churn or --world {world.value}: they are two worlds")
    if sized:
        raise UsageError(
            "--churn decides itself how many conversations and bugs there are: leave out --conversations and --issues"
        )
    return "churn"

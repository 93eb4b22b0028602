"""The commands that write a first file: a mapping of the systems, and a scorecard of what can be fed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from accountpulse.cli.environment import environment


def register(app: typer.Typer, scorecards: typer.Typer) -> None:
    """Hang them into the program, and into its `scorecard`."""
    app.command()(init)
    scorecards.command("init")(scorecard_init)


def init(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The file to write. [default: what ACCOUNTPULSE_CONFIG names, else accountpulse.yaml]"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every proposal without questions.")] = False,
) -> None:
    """Look at every system, and write a commented accountpulse.yaml. Never overwrites: shows what it would change."""
    from accountpulse.cli.init import show_init

    raise typer.Exit(show_init(environment(), out, datetime.now(UTC), yes=yes))


def scorecard_init(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = Path("scorecard.yaml"),
) -> None:
    """Write a scorecard to edit: the packaged one, with only the metrics that your mapping can feed."""
    from accountpulse.cli.scorecards import write_starter_card

    raise typer.Exit(write_starter_card(environment(), out))

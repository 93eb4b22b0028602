"""`accountpulse accounts` and its options; it only translates."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from accountpulse.cli.environment import environment
from accountpulse.core.errors import UsageError


def accounts(
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the mapping file to correct, a .csv or .xlsx: one line an account; with --suggest a link.",
        ),
    ] = None,
    suggest: Annotated[
        bool,
        typer.Option("--suggest", help="Suggest links for accounts that lack one, in links.csv or the file of --out."),
    ] = False,
    accept_above: Annotated[
        int | None,
        typer.Option(
            min=0, max=100, metavar="SCORE", help="With --suggest: accept clear first suggestions from this score on."
        ),
    ] = None,
    undo_accepted: Annotated[
        bool, typer.Option("--undo-accepted", help="Open every link again that --accept-above accepted, and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every account as JSON instead.")] = False,
) -> None:
    """Who is linked where and why, who isn't, who is twice. Writes nothing to any system."""
    from accountpulse import settings

    if accept_above is not None and not suggest:
        raise UsageError("--accept-above accepts suggestions: add --suggest")
    if undo_accepted and suggest:
        raise UsageError("--undo-accepted stands alone: run it first, then --suggest")
    if undo_accepted:
        from accountpulse.cli.link_suggestions import undo_accepted as undo

        raise typer.Exit(undo(settings.load(environment()), out))
    if suggest:
        from accountpulse.cli.link_suggestions import show_suggestions

        raise typer.Exit(
            show_suggestions(settings.load(environment()), datetime.now(UTC), out, accept_above, as_json=as_json)
        )
    from accountpulse.cli.links import show_links

    raise typer.Exit(show_links(settings.load(environment()), datetime.now(UTC), out, as_json=as_json))

"""`accountpulse digest` and its options."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from accountpulse.cli.environment import environment
from accountpulse.core.memory import prepare


def digest(
    *,
    send: Annotated[bool, typer.Option("--send", help="Send it, and note what was told. [default: print it]")] = False,
    channel: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one of digest.channels; repeatable.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DAY", help="The newest run up to this day. [default: the newest of all]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """What crossed a line since the last digest, for each channel. Reads the state; asks no system."""
    prepare()
    from accountpulse import settings
    from accountpulse.cli.digest import channels_named, day_named, send_digest, show_digest
    from accountpulse.pipeline.digest_channels import channels
    from accountpulse.state import State

    day, loaded = day_named(as_of), settings.load_for_digest(environment())
    state, block = State(loaded.state), loaded.mapping.block("digest")
    chosen = channels_named(channels(loaded), channel or ())
    if not send:
        raise typer.Exit(show_digest(state, block, chosen, day, as_json=as_json))
    clock = datetime.now(UTC), loaded.mapping.timezone
    raise typer.Exit(send_digest(state, block, chosen, day, clock, as_json=as_json))

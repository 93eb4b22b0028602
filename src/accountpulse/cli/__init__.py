"""The command line: arguments → settings → pipeline → text. Results on stdout, progress and errors on stderr."""

import os
import sys
import traceback
from typing import Annotated

import typer

from accountpulse import __version__
from accountpulse.cli import commands
from accountpulse.cli.session import redacted
from accountpulse.core.errors import AccountpulseError, Stopped

app = typer.Typer(
    name="accountpulse",
    help="Health and churn-risk scores for every customer account, with reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands.register(app)


def _version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        typer.echo(f"accountpulse {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command; end with the exit code that README.md lists."""
    try:
        app()
    except Stopped as error:
        from accountpulse.cli.stopping import leave

        print(redacted(str(error), os.environ), file=sys.stderr)  # noqa: T201
        leave(error.exit_code)
    except AccountpulseError as error:
        print(redacted(str(error), os.environ), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except Exception:  # noqa: BLE001
        print(redacted(traceback.format_exc(), os.environ), file=sys.stderr)  # noqa: T201
        print("This is a fault of accountpulse itself; please report the lines above.", file=sys.stderr)  # noqa: T201
        sys.exit(1)

"""The command line: arguments → settings → pipeline → text. Results on stdout, progress and errors on stderr."""

import os
import sys
import traceback
from typing import Annotated

import typer

from accountpulse import __version__
from accountpulse.cli import commands
from accountpulse.errors import AccountpulseError
from accountpulse.redact import Redactor

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
    except AccountpulseError as error:
        print(_redacted(str(error)), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except Exception:  # noqa: BLE001
        print(_redacted(traceback.format_exc()), file=sys.stderr)  # noqa: T201
        print("This is a fault of accountpulse itself; please report the lines above.", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _redacted(text: str) -> str:
    from accountpulse.settings.environment import SECRET_NAMES

    return Redactor(os.environ.get(name, "") for name in SECRET_NAMES)(text)

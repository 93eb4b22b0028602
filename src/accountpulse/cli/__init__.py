"""The command line: arguments → settings → pipeline → text. Results on stdout, progress and errors on stderr."""

import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated

import typer

from accountpulse import __version__
from accountpulse.cli import commands, deploy_files, proof_commands, run_command, sandbox_command, setup_commands
from accountpulse.cli.program import Program
from accountpulse.core.errors import AccountpulseError, Stopped, UsageError
from accountpulse.observe.outlet import install

INTERRUPTED = 130  # what typer ends with after Ctrl-C

app = Program(name="accountpulse", help="Health and churn-risk scores for every customer account, with reasons.")
commands.register(app, run_command.run)
proof_commands.register(app, commands.scorecards)
setup_commands.register(app, commands.scorecards)
deploy_files.register(app)
sandbox_command.register(app)


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
    out, err = install(_learn)
    code = _ended()
    out.flush()
    if out.trouble is not None:
        remedy = "What is shown there is not complete: make room, and call the command again."
        print(f"stdout can't be written ({out.trouble.strerror}). {remedy}", file=sys.stderr)  # noqa: T201
    err.flush()
    sys.exit(code or (UsageError.exit_code if out.trouble or err.trouble else 0))


def _learn() -> None:
    """The secrets in the environment and in .env: an error may repeat one before, or without, the settings' being read.

    A .env that can't be read is told by the command itself.
    """
    from accountpulse.settings import dotenv
    from accountpulse.settings.environment import learn_secrets

    learn_secrets(os.environ)
    with suppress(AccountpulseError, OSError):
        learn_secrets(dotenv.read(dotenv.beside(os.environ)).values)


def _ended() -> int:
    """Run it, and say on stderr what went wrong; the exit code."""
    try:
        app()
    except SystemExit as end:  # typer ends every command so
        code = end.code if isinstance(end.code, int) else 0
        return _interrupted() if code == INTERRUPTED else code
    except Stopped as error:
        from accountpulse.cli.stopping import leave

        print(error, file=sys.stderr)  # noqa: T201
        leave(error.exit_code)
    except AccountpulseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except Exception:  # noqa: BLE001
        print(traceback.format_exc(), file=sys.stderr)  # noqa: T201
        print("This is a fault of accountpulse itself; please report the lines above.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _interrupted() -> int:
    """Say that Ctrl-C ended the command; the exit code of what was stopped."""
    print("stopped by Ctrl-C", file=sys.stderr)  # noqa: T201
    return Stopped.exit_code

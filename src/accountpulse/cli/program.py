"""What every command of the program has: -h, --quiet, and below its help the exit codes."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from accountpulse.cli.voice import VOICE

EXIT_CODES = {
    0: "good",
    1: "a fault of accountpulse itself",
    2: "the command, or a file given to it, is wrong",
    3: "settings, credentials or permissions are wrong",
    4: "finished, but not for every account, or nothing can be offered",
    5: "a system did not answer, or the run was stopped: call it again",
    6: "another run of this month or day is under way",
}
_LINES = "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())
MOST = 1000  # letters of a command's first sentence
EPILOG = f"\b\nExit codes:\n{_LINES}"  # the first character keeps the lines as they are
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print results and errors only: no progress, no notes.")
]
Command = TypeVar("Command", bound=Callable[..., Any])


class _PlainCommand(TyperCommand):
    """A command that says in our words what is wrong with a value, and not in those of Typer's validator."""

    def parse_args(self, *given: Any, **more: Any) -> list[str]:
        """As Typer's."""
        try:
            return super().parse_args(*given, **more)
        except typer.BadParameter as error:
            mistakes = getattr(error.__cause__, "errors", None)
            if mistakes is not None:
                from accountpulse.core.yaml_files import in_words

                texts = [in_words(each["type"], each["msg"], each.get("ctx") or {}) for each in mistakes()]
                error.message = " or ".join(dict.fromkeys(texts))
            raise


class _Commands(TyperGroup):
    """A list of commands that wraps what they do, and cuts nothing."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A line of help for each command, whole."""
        listed = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [(name, command.get_short_help_str(MOST)) for name, command in listed.items() if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Program(typer.Typer):
    """A Typer whose commands all have the same habits."""

    def __init__(self, **more: Any) -> None:
        """As Typer's, without its decorations."""
        super().__init__(
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            cls=_Commands,
            epilog=EPILOG,
            context_settings={"help_option_names": ["-h", "--help"]},
            **more,
        )

    def command(self, name: str | None = None, **more: Any) -> Callable[[Command], Command]:
        """As Typer's, with --quiet added to the command's own options."""
        register = super().command(name, cls=_PlainCommand, epilog=EPILOG, **more)

        def add(command: Command) -> Command:
            register(_with_quiet(command))
            return command

        return add


def _with_quiet(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with an option that all share; the command itself is not told."""

    @wraps(command)
    def heard(*args: Any, quiet: bool, **more: Any) -> Any:
        VOICE.quiet = quiet
        return command(*args, **more)

    own = inspect.signature(command)
    option = inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption)
    heard.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    heard.__annotations__ = {**command.__annotations__, "quiet": QuietOption}
    return heard

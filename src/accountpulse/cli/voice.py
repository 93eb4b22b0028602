"""How much is said beside results and errors: with --quiet nothing."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Voice:
    """What the command that runs was asked for."""

    quiet: bool = False


VOICE = Voice()


def note(lines: Iterable[str]) -> None:
    """Print notes for the reader on stderr, a line each; a quiet command has none."""
    if not VOICE.quiet:
        for line in lines:
            print(f"! {line}", file=sys.stderr)  # noqa: T201

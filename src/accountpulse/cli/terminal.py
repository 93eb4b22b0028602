"""The console that results are laid out on.

Every text is cleaned before it is wrapped: afterwards a line's end may stand in the middle of a secret. What is written
past the console is cleaned by the stream's outlet.
"""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from accountpulse.core.outgoing import outgoing
from accountpulse.observe.outlet import laid_out


class Terminal(Console):
    """Rich's console on stdout, or on stderr."""

    def __init__(self, *, stderr: bool = False) -> None:
        """As wide as the terminal, else as COLUMNS says."""
        super().__init__(file=laid_out(sys.stderr if stderr else sys.stdout), stderr=stderr, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does; everything that is laid out comes through here, a cell of a table as well as a paragraph."""
        return super().render(_cleaned(renderable) if isinstance(renderable, Text) else renderable, options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich does; markup is read first."""
        return _cleaned(super().render_str(text, **options))


def _cleaned(text: Text) -> Text:
    """The same text, as it may leave; what had to be changed loses the styles of its parts."""
    clean = outgoing(text.plain)
    if clean == text.plain:
        return text
    same = text.blank_copy(clean)
    same.end = text.end
    return same

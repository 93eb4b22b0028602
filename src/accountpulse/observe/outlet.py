"""The door of stdout and stderr: whatever the program prints, or a library, passes here.

A reader who has seen enough and closes the pipe is no fault: the work goes on, and the rest is not shown. A full disk
is one, and told at the end. What the encoding doesn't have is replaced: signs by what looks like them, the rest by `?`.
"""

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from accountpulse.core.outgoing import outgoing, outgoing_data

NOBODY_READS = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN})
SIGNS = {  # what the program draws and writes with → the same in ASCII
    **dict.fromkeys("−–—•", "-"), **dict.fromkeys("✕✗", "x"), **dict.fromkeys("“”", '"'),
    "’": "'", "✓": "+", "…": "...", "→": "->", "·": "-", "×": "x", "±": "+/-", "≤": "<=", "≥": ">=",
    "█": "#", "▏": "|", "░": ".",
}  # fmt: skip


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """How a character is written that the encoding lacks; names keep a `?` for each letter, so nobody is renamed."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(SIGNS.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


codecs.register_error("signs", _spelled)


class Outlet(io.TextIOBase):
    """Stands in the place of a stream. It has no `buffer`: there is no way past it to the bytes.

    `trouble` is what went wrong when it was written to; what is written afterwards goes nowhere.
    """

    def __init__(self, stream: TextIO | None, prepare: Callable[[], None] | None = None) -> None:
        """`stream`: where it leads; None: nobody reads (it was closed before the program began).

        `prepare` is called before the first text that nobody has cleaned yet: to learn what else is a secret.
        """
        self._stream: Any = _nowhere() if stream is None else stream
        if hasattr(self._stream, "reconfigure"):
            self._stream.reconfigure(errors="signs")
        self.trouble: OSError | None = None
        self._prepare = prepare
        self.laid_out = _LaidOut(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's."""
        return str(getattr(self._stream, "encoding", None) or "utf-8")

    def write(self, text: str) -> int:
        """Write it as `outgoing` leaves it."""
        if not isinstance(text, str):
            raise TypeError(f"a text is written here, not {type(text).__name__}")
        if self._prepare is not None:
            prepare, self._prepare = self._prepare, None
            prepare()
        self.put(outgoing(text))
        return len(text)

    def put(self, text: str) -> None:
        """Write what has been through `outgoing` already."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Hand on what was written; what goes wrong is `trouble`."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def isatty(self) -> bool:
        """Whether somebody sits before it."""
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        """The stream's."""
        return int(self._stream.fileno())

    def writable(self) -> bool:
        """Always."""
        return True

    def _give_up(self, error: OSError) -> None:
        """Lead the stream nowhere, also what it still holds: the interpreter flushes it at its end."""
        if error.errno not in NOBODY_READS:
            self.trouble = self.trouble or error
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        except OSError:
            self._stream = _nowhere()


def _nowhere() -> TextIO:
    """Open for the rest of the process, as a stream is."""
    return Path(os.devnull).open("w", encoding="utf-8")


class _LaidOut(io.TextIOBase):
    """The same stream for what was cleaned before it was laid out: colours pass, and JSON stays JSON."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._outlet.encoding

    def write(self, text: str) -> int:
        self._outlet.put(text)
        return len(text)

    def flush(self) -> None:
        self._outlet.flush()

    def isatty(self) -> bool:
        return self._outlet.isatty()

    def fileno(self) -> int:
        return self._outlet.fileno()

    def writable(self) -> bool:
        return True


def install(prepare: Callable[[], None] | None = None) -> tuple[Outlet, Outlet]:
    """Put outlets in the place of stdout and stderr, once in a process; `prepare` is for errors, as Outlet says."""
    if not isinstance(sys.stdout, Outlet):
        sys.stdout = Outlet(sys.stdout)
    if not isinstance(sys.stderr, Outlet):
        sys.stderr = Outlet(sys.stderr, prepare)
    return sys.stdout, sys.stderr


def laid_out(stream: TextIO) -> Any:
    """Where cleaned text goes: past the outlet's own cleaning, if there is an outlet."""
    return stream.laid_out if isinstance(stream, Outlet) else stream


def in_ascii(stream: TextIO) -> bool:
    """Whether JSON must escape every other character, for the stream's encoding may lack it."""
    return not str(getattr(stream, "encoding", None) or "").lower().startswith("utf")


def write_json(stream: TextIO, values: Iterable[Any], indent: int | None = None) -> None:
    """Each value as one JSON document on a line of its own, exact in any encoding."""
    for value in values:
        text = json.dumps(outgoing_data(value), ensure_ascii=in_ascii(stream), allow_nan=False, indent=indent)
        print(text, file=laid_out(stream))

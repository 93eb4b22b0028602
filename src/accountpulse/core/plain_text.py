"""Text as a terminal, a file or a page may safely show it: without what steers them instead of being read.

Names of accounts and messages of systems are written by others. Terminals obey control characters and escape sequences
(ECMA-48), and marks of direction reorder what stands beside them (Unicode Technical Report 36, "Bidirectional Text
Spoofing").
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# whole sequences first, so that no "[31m" is left of a colour: CSI, then OSC and the other strings, then short ones
_SEQUENCES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]",
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)",
    r"\x1b[ -/]*[0-~]",
)
# of the controls, line feed and tab stay; marks of direction, invisible operators and byte-order marks go
_UNSEEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
_STEERING = "|".join((*_SEQUENCES, _UNSEEN))
_STEERS = re.compile(_STEERING)
_BREAKS = re.compile("[\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # half a character, which no encoding has
_SPACES = r"\s*[\n\t\x0b-\x0d\x85\u2028\u2029]\s*"


def plain(text: str) -> str:
    """The text without them; line feeds and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _BREAKS.sub(" ", _STEERS.sub("", text)))


def typed(text: str) -> str:
    """A word of the command line as text: bytes that the terminal's encoding doesn't have are read as UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def plain_table(table: "pl.DataFrame") -> "pl.DataFrame":
    """The same for a table: each text on one line, as names are."""
    import polars as pl

    texts = pl.col(pl.String)
    return table.with_columns(texts.str.replace_all(_SPACES, " ").str.replace_all(_STEERING, ""))

"""Keeps secrets out of every outgoing text, by value: a log line, an exception, an answer."""

import re
from collections.abc import Iterable

MASK = "•••"
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_SHORTEST = 4  # a shorter value would star ordinary words


class Redactor:
    """Replaces the given secret values, and anything that looks like an Authorization value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Longest first, so that a secret that begins with another one is replaced whole."""
        known = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=lambda s: (-len(s), s))
        self._pattern = re.compile("|".join(re.escape(s) for s in known)) if known else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _BEARER.sub(lambda match: f"{match[1]} {MASK}", text)

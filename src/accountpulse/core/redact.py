"""Keeps secrets out of every outgoing text, by value: a log line, an exception, an answer, a table."""

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    import polars as pl

MASK = "•••"
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_SHORTEST = 4  # a shorter value would star ordinary words


class Redactor:
    """Replaces the secret values that it knows, and anything that looks like an Authorization value.

    It can learn more of them: whoever holds one is safe also after a secret was rotated. Threads may share it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Knows `secrets`."""
        self._known: tuple[str, ...] = ()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know these as well, in each form in which a text may hold them."""
        found = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        # longest first, so that a secret that begins with another one is replaced whole
        self._known = tuple(sorted(found.union(self._known), key=lambda form: (-len(form), form)))
        self._pattern = re.compile("|".join(map(re.escape, self._known))) if self._known else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _BEARER.sub(lambda match: f"{match[1]} {MASK}", text)

    def table(self, table: "pl.DataFrame") -> "pl.DataFrame":
        """The table without known secrets in its texts."""
        import polars as pl

        if not self._known:
            return table
        masks = [MASK] * len(self._known)
        return table.with_columns(pl.col(pl.String).str.replace_many(list(self._known), masks, leftmost=True))


def _forms(secret: str) -> set[str]:
    """A value as it is, and as JSON, Python, an address, a form and XML write it."""
    written = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    return {secret, *written, quote(secret, safe=""), quote(secret), quote_plus(secret), escape(secret)}

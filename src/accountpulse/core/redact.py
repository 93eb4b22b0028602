"""Keeps secrets out of every outgoing text, by value: what is printed, logged, reported, sent or written.

There is one redactor in a process, `REDACT`, and every `Secret` teaches it itself. The places where text leaves ask it
(core/outgoing.py for people, state/files.py for the state); whoever writes a message need not.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from accountpulse.core.secret_forms import SecretForm, SecretPart, forms, values

if TYPE_CHECKING:
    import polars as pl

MASK = "•••"
_LONG = 10_000  # characters
# values that are secrets by their looks, also where nobody told us, by a sign in small letters that each text with one
# holds in some case; `lead` stays, the rest goes
_LOOKS = {
    sign: re.compile(pattern, re.DOTALL)
    for sign, pattern in (
        ("authorization", r"(?P<lead>(?i:authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:\w+\s+)?))[\w.~+/=-]{8,}"),
        ("bearer", r"(?P<lead>\b(?i:bearer)(?:\s+|%20))(?:(?=\S*[0-9])[\w.~+/=-]{8,}|[\w.~+/=-]{20,})"),
        ("basic", r"(?P<lead>\b(?i:basic)(?:\s+|%20))(?:(?=\S*[0-9+/=])[\w+/=-]{8,}|[\w+/=-]{20,})"),
        ("eyj", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),  # a JSON Web Token
        ("00d", r"\b00D[A-Za-z0-9]{12,15}(?:!|%21|\\u0021|&#33;)[\w.%+/=-]{16,}"),  # a session of Salesforce
        ("private key-----", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
        ("://", r"(?P<lead>://)[^\s/:@\"'<>]+:[^\s/@\"'<>]+(?=@)"),  # user and password of an address
        *(
            (sign, rf"(?P<lead>(?i:\b{sign})\\*[\"']?\s*[:=>]\s*\\*[\"']?)[\w.!~+/=%-]{{8,}}")
            for sign in ("access_token", "refresh_token", "id_token", "client_secret", "sessionid")
        ),
    )
}


class Redactor:
    """Replaces the secret values that it knows, in any form, and what looks like one.

    It learns whatever a run learns: a value that was rotated stays known beside the new one. Threads may share it.

    What is masked: a value of six characters or more wherever it stands. A plain word or number of fewer than twelve
    (`sunshine`, `20261031`), and anything of four or five, only where it stands by itself, so that ordinary words and
    numbers stay whole. What is shorter, a month, or a word that the program's own files are made of, isn't looked for.
    Of a random value any 16 characters in a row are masked, too. Numbers of data and tables are never touched.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Knows `secrets`."""
        self._known: frozenset[str] = frozenset()
        self._forms: tuple[tuple[str, SecretForm | SecretPart], ...] = ()  # each by each of its signs
        self._signs = sorted(_LOOKS)
        self._lock = Lock()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know these as well, from here on."""
        wanted = {value for secret in secrets for value in values(secret)}
        with self._lock:
            new = [form for value in sorted(wanted - self._known) for form in forms(value)]
            if new:
                self._forms = (*self._forms, *((sign, form) for form in new for sign in form.signs))
                self._signs = sorted({*self._signs, *(sign for sign, _form in self._forms)})
                self._known |= wanted

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if len(text) > _LONG and not self._may_hold(text):
            return text
        signed = dict.fromkeys(form for sign, form in self._forms if sign in text)
        spans = [span for form in signed for span in form.spans(text)]
        text = _masked(text, spans) if spans else text
        lower = text.lower()
        for sign, pattern in _LOOKS.items():
            if sign in lower:
                text = pattern.sub(_led, text)
        return text

    def data(self, value: Any) -> Any:
        """Plain data (texts, numbers, lists, mappings and their keys) without secrets in its texts."""
        return mapped(value, self) if self._may_hold("\0".join(_texts(value))) else value

    def table(self, table: "pl.DataFrame") -> "pl.DataFrame":
        """The table without secrets in its texts and lists of texts."""
        import polars as pl

        texts = {name: pl.col(name) for name, kind in table.schema.items() if kind == pl.String}
        listed = [name for name, kind in table.schema.items() if kind == pl.List(pl.String)]
        texts |= {name: pl.col(name).list.join("\0") for name in listed}
        found = [
            text.str.contains_any(self._signs, ascii_case_insensitive=True).fill_null(value=False).alias(name)
            for name, text in texts.items()
        ]
        for column in table.select(found):
            if column.any():
                pairs = zip(table[column.name].to_list(), column, strict=True)
                clean = [mapped(value, self) if signed else value for value, signed in pairs]
                table = table.with_columns(pl.Series(column.name, clean, table.schema[column.name]))
        return table

    def _may_hold(self, text: str) -> bool:
        """Whether a sign stands in it; of long texts this is much quicker than to look for each sign."""
        import polars as pl

        return bool(pl.Series([text]).str.contains_any(self._signs, ascii_case_insensitive=True).item())


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same data with every text changed, also those of keys."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {mapped(name, change): mapped(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(each, change) for each in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    """Every text of some data, also those of keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts(each))


def _led(match: re.Match[str]) -> str:
    return f"{match.groupdict().get('lead') or ''}{MASK}"


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """One mask in place of spans that touch each other."""
    kept, done = [], -1
    for start, end in sorted(spans):
        if start > done:
            kept += [text[max(done, 0) : start], MASK]
        done = max(done, end)
    return "".join([*kept, text[done:]])


REDACT = Redactor()  # what this process knows

"""Keeps secrets out of every outgoing text, by value: what is printed, logged, reported, sent or written.

There is one redactor in a process, `REDACT`, and every `Secret` teaches it itself. The places where text leaves ask it
(core/outgoing.py for people, state/files.py for the state); whoever writes a message need not.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from accountpulse.core.secret_forms import SecretForm, SecretPart, forms, values

if TYPE_CHECKING:
    import polars as pl

MASK = "•••"
_LONG = 10_000  # characters
_NAME = re.compile(r"[a-z_]{1,20}")  # as the keys of our own documents are
_TOKEN_NAMES = ("access_token", "refresh_token", "id_token", "client_secret", "sessionId", "SessionId", "sessionid")
# values that are secrets by their looks, also where nobody told us, each by its sign; `lead` stays, the rest goes. As
# texts: `re` compiles and keeps a pattern when its sign is first seen
_LOOKS = {
    **{
        f"{case}uthorization": (
            r"(?P<lead>(?i:authorization)\\*[\"']?\s*[:=]\s*\\*[\"']?(?i:(?:bearer|basic|oauth|token)\s+)?)"
            r"(?:(?<=\s)(?<!:\s)[\w.~+/=-]{8,}|(?=\S*[0-9])[\w.~+/=-]{8,})"
        )
        for case in "aA"
    },
    **{
        sign: rf"(?P<lead>\b{sign}(?:\s+|%20))(?:(?=\S*[0-9])[\w.~+/=-]{{8,}}|[\w.~+/=-]{{20,}})"
        for sign in ("bearer", "Bearer", "BEARER")
    },
    **{
        sign: rf"(?P<lead>\b{sign}(?:\s+|%20))(?:(?=\S*[0-9+/=])[\w+/=-]{{8,}}|[\w+/=-]{{20,}})"
        for sign in ("basic", "Basic", "BASIC")
    },
    **{sign: rf"(?P<lead>\b{sign}\\*[\"']?\s*[:=>]\s*\\*[\"']?)[\w.!~+/=%-]{{8,}}" for sign in _TOKEN_NAMES},
    # a JSON Web Token
    "eyJ": r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]*",
    # a session of Salesforce
    "00D": r"\b00D[A-Za-z0-9]{12,15}(?:!|%21|\\u0021|&#33;)[\w.%+/=-]{16,}",
    "PRIVATE KEY-----": (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    # user and password of an address
    "://": r"(?P<lead>://)[^\s/:@\"'<>]+:[^\s/@\"'<>]+(?=@)",
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
        for sign, pattern in _LOOKS.items():
            if sign in text:
                text = re.sub(pattern, _led, text)
        return text

    def data(self, value: Any) -> Any:
        """Plain data (texts, numbers, lists, mappings and their keys) without secrets in its texts."""
        texts: list[str] = []
        _gather(value, texts)
        return mapped(value, self) if self._may_hold("\0".join(texts)) else value

    def table(self, table: "pl.DataFrame") -> "pl.DataFrame":
        """The table without secrets in its texts and lists of texts."""
        import polars as pl

        texts = {
            name: table[name] if kind == pl.String else table[name].list.join("\0")
            for name, kind in table.schema.items()
            if kind in (pl.String, pl.List(pl.String))
        }
        if not texts or not table.height:
            return table
        # all columns at once: most of the work is to get ready for as many signs
        signed = pl.concat([column.alias("") for column in texts.values()]).str.contains_any(self._signs)
        for number, name in enumerate(texts):
            rows = signed.slice(number * table.height, table.height).arg_true()
            values = table[name].gather(rows).to_list()
            clean = mapped(values, self)
            if clean != values:  # a list of texts is dear to make anew: the others stay as they are
                both = pl.concat([table[name], pl.Series(name, clean, table.schema[name])])
                places = pl.int_range(table.height, eager=True).scatter(rows, range(table.height, both.len()))
                table = table.with_columns(both.gather(places))
        return table

    def _may_hold(self, text: str) -> bool:
        """Whether a sign stands in it."""
        if len(text) <= _LONG:
            return any(sign in text for sign in self._signs)
        import polars as pl  # looks for all signs in one go

        return bool(pl.Series([text]).str.contains_any(self._signs).item())


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same data with every text changed, also those of keys; but not a key such as `run_id`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_key(name, change): mapped(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(each, change) for each in value]
    return value


def _key(name: Any, change: Callable[[str], str]) -> Any:
    return change(name) if isinstance(name, str) and not _NAME.fullmatch(name) else name


def _gather(value: Any, texts: list[str]) -> None:
    """Add every text of some data, also those of keys."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            _gather(name, texts)
            _gather(each, texts)
    elif isinstance(value, list | tuple):
        for each in value:
            _gather(each, texts)


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

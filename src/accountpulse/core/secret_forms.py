"""The forms in which a text may hold a secret: as it is, escaped by whoever repeated it, in base64, in parts.

A form is found in two steps, since texts are many and finds are few: a sign, such as letters and digits that no
escaping changes, must stand in the text before its pattern is tried.
"""

import base64
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

SHORTEST = 4  # characters; what is shorter protects nothing, and stands in every text
_SURE = 6  # characters from which on a value is looked for inside of longer words, too
_WORD = 12  # characters from which on even a plain word or number is
_PART = 16  # characters of a random value that are masked without the rest of it
_PIECE = _PART // 2  # any part of that length holds a whole one of the pieces that lie side by side
_PLAIN = re.compile(r"[a-z]+|[A-Z][a-z]+|[A-Z]+|[0-9.,:/-]+", re.ASCII)
_WHITE = re.compile(r"\s")
# what the program's own documents are made of; nobody is helped by a state without months
_OURS = re.compile(
    r"\d{4}-\d\d(-\d\d)?|accountpulse|finished|intercom|jira|linked|looker|rollbar|salesforce|sandbox|stopped|unknown",
    re.IGNORECASE | re.ASCII,
)
_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
_AFTER = r"(?![A-Za-z0-9])"
_RUN = "A-Za-z0-9+/_-"  # of base64, in both alphabets


@dataclass(frozen=True)
class SecretForm:
    """One way to write a secret. Every text that holds it holds one of `signs`."""

    signs: tuple[str, ...]
    source: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a sign is first seen."""
        return re.compile(self.source)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the text holds it."""
        return (found.span() for found in self.pattern.finditer(text))


@dataclass(frozen=True)
class SecretPart:
    """A random value of which parts are looked for, too."""

    value: str

    @cached_property
    def signs(self) -> tuple[str, ...]:
        """Its pieces, side by side."""
        return tuple(self.value[at : at + _PIECE] for at in range(0, len(self.value) - _PIECE + 1, _PIECE))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the text holds 16 characters of it or more."""
        for number, piece in enumerate(self.signs):
            place = text.find(piece)
            while place >= 0:
                start, end = self._grown(text, place, number * _PIECE)
                if end - start >= _PART:
                    yield start, end
                place = text.find(piece, end)

    def _grown(self, text: str, place: int, at: int) -> tuple[int, int]:
        before, after = 0, _PIECE
        while before < min(place, at) and text[place - before - 1] == self.value[at - before - 1]:
            before += 1
        while place + after < len(text) and text[place + after : place + after + 1] == self.value[at + after :][:1]:
            after += 1
        return place - before, place + after


def values(secret: str) -> list[str]:
    """What is to be looked for because of one secret: itself, decoded, and a key's lines and body."""
    found = {secret, unquote(secret)}
    text = secret.replace("\\n", "\n") if "-----BEGIN" in secret else secret
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > 1:
        inner = [line for line in lines if not line.startswith("-----")]
        found |= {*inner, "".join(inner)}
    return [value for value in found if len(value) >= SHORTEST and not _is_ours(value)]


def _is_ours(value: str) -> bool:
    """Whether the program's own documents and tables are made of it."""
    from accountpulse.core import catalogue, records  # late: they load Polars, and nothing is learnt without settings

    names = {*records.TABLES, *(column for table in records.TABLES.values() for column in table), *records.SCORES}
    return bool(_OURS.fullmatch(value)) or value in names.union(catalogue.METRICS, records.REASONS)


def forms(value: str) -> Iterator[SecretForm | SecretPart]:
    """The ways to write a value whole; and parts of it, where it looks random and they are worth something."""
    written = _written(value)
    if len(value) < _SURE or (len(value) < _WORD and _PLAIN.fullmatch(value)):
        written = f"{_BEFORE}{written}{_AFTER}"
    yield SecretForm(_signs(value), written)
    for core in sorted(_cores(value)):
        coded = "".join({"+": r"(?:[+-]|\\++u002[bB]|%2[bB])", "/": r"(?:\\*+/|_|%2[fF])"}.get(c, c) for c in core)
        yield SecretForm(_signs(core), rf"(?<![{_RUN}])[{_RUN}]*?{coded}[{_RUN}]*(?:=|%3[dD]|\\u003[dD])*")
    mixed = all(re.search(kind, value) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    if len(value) > _PART and mixed and not _WHITE.search(value):
        yield SecretPart(value)


def _signs(value: str) -> tuple[str, ...]:
    """The longest run of what is never escaped; where there is none, what the first character may begin with."""
    run = max(re.findall(r"[A-Za-z0-9]+", value), key=len, default="")
    return (run,) if run else (value[0], "%", "&", "\\", "+", *(each[0] for each in _spellings(value[0])))


def _cores(value: str) -> set[str]:
    """The characters that base64 gives the value wherever it stands in what is encoded; those at its edges vary."""
    found = set()
    for encoding in ("utf-8", "latin-1"):
        data = value.encode(encoding, "ignore")
        for offset in range(3):
            text = base64.b64encode(bytes(offset) + data).decode()
            found.add(text[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6])
    return {core for core in found if len(core) >= _SURE}


def _written(value: str) -> str:
    """A pattern for the value with each of its characters in any escaping, also a repeated one."""
    return "".join(
        rf"(?:\\{{{len(run)},}}+|{_character(run[0]) * len(run)})" if len(run) > 1 else _character(run)
        for run in re.findall(r"\\+|.", value, re.DOTALL)
    )


def _character(char: str) -> str:
    r"""Behind any number of backslashes: itself, or as JSON (u00e4), Python (xe4), addresses (%E4) or HTML write it."""
    from html.entities import codepoint2name

    if re.fullmatch("[A-Za-z0-9]", char, re.ASCII):
        return char
    code, ways = ord(char), list[str]()
    units = char.encode("utf-16-be", "surrogatepass").hex()
    ways.append(r"\\++".join(rf"(?<=\\)u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4)))
    if code > 0xFFFF:
        ways.append(rf"(?<=\\)U(?i:{code:08x})")  # Python's way
    for encoding in ("utf-8", "latin-1"):
        coded = char.encode(encoding, "ignore")
        ways += [r"\\*+".join(rf"(?:%(?:25)*|(?<=\\)x)(?i:{byte:02x})" for byte in coded)] if coded else []
    names = "".join(f"|{name}" for name in (codepoint2name.get(code), "apos" if char == "'" else None) if name)
    ways.append(rf"&(?:amp;)*(?:#0*{code}|#[xX]0*(?i:{code:x}){names});")
    # itself comes last: a per cent sign begins its own escape
    return rf"\\*+(?:{'|'.join(dict.fromkeys((*ways, _as_it_is(char))))})"


def _as_it_is(char: str) -> str:
    """Itself; composed otherwise, or read in the wrong encoding."""
    match char:
        case "\\":
            return r"(?<=\\)"
        case "\n":
            return r"\r?\n|(?<=\\)(?:r\\++)?n"
        case "\r" | "\t":
            return rf"{re.escape(char)}|(?<=\\){repr(char)[2]}"
        case " ":
            return r" |\+"
    return "|".join(dict.fromkeys((re.escape(char), *map(re.escape, _spellings(char)))))


def _spellings(char: str) -> Iterator[str]:
    if not char.isascii():
        yield from (unicodedata.normalize(kind, char) for kind in ("NFC", "NFD"))
        for wrong in ("latin-1", "cp1252"):
            yield char.encode("utf-8", "surrogatepass").decode(wrong, "replace")
        yield "\N{REPLACEMENT CHARACTER}"  # of Latin-1 that was read as UTF-8

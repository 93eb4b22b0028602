"""Query text → tokens."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from accountpulse.sandbox.salesforce.soql.errors import SoqlError, malformed

MAX_TEXT = 100_000  # characters of a query
MAX_STRING = 4_000  # characters of a string in it

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<datetime>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)
      | (?P<date>\d{4}-\d\d-\d\d(?![0-9A-Za-z]))
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![0-9A-Za-z_-]))
      | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<operator><=|>=|!=|<>|=|<|>)
      | (?P<mark>[(),:])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)", re.DOTALL)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CHARACTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the query. `kind` is a group of the pattern above, or `end`; strings are without their quotes."""

    kind: str
    text: str
    position: int

    def keyword(self) -> str:
        """The word in capitals, empty for what is no word."""
        return self.text.upper() if self.kind == "name" else ""


def tokens(text: str) -> list[Token]:
    """All tokens and a last one of kind `end`; MALFORMED_QUERY at the first character that fits nothing."""
    if len(text) > MAX_TEXT:
        raise SoqlError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_TEXT} characters")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise malformed(f"unexpected token: '{text[position]}' (position {position + 1})")
        kind = match.lastgroup or ""
        if kind == "string":
            found.append(Token(kind, match.group()[1:-1], position))
        elif kind != "space":
            found.append(Token(kind, match.group(), position))
        position = match.end()
    return [*found, Token("end", "<EOF>", len(text))]


def string(raw: str) -> str:
    """The text that a quoted string stands for; MALFORMED_QUERY for a backslash that escapes nothing."""
    if len(raw) > MAX_STRING:
        raise malformed(f"a string in a query cannot be longer than {MAX_STRING} characters")
    return _ESCAPE.sub(_unescaped, raw)


def pattern(raw: str) -> re.Pattern[str]:
    r"""The LIKE pattern as a regular expression: % any text, _ one character, \% and \_ themselves."""
    if len(raw) > MAX_STRING:
        raise malformed(f"a string in a query cannot be longer than {MAX_STRING} characters")
    parts: list[str] = []
    position = 0
    while position < len(raw):
        match = _ESCAPE.match(raw, position)
        if match is None:
            parts.append({"%": ".*", "_": "."}.get(raw[position], re.escape(raw[position])))
            position += 1
        else:
            parts.append(re.escape(match[2] if match[2] in ("%", "_") else _unescaped(match)))
            position = match.end()
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _unescaped(match: re.Match[str]) -> str:
    code, letter = match.groups()
    if code:
        return chr(int(code, 16))
    if letter not in _CHARACTERS:
        raise malformed(rf"Illegal escape sequence: \{letter}")
    return _CHARACTERS[letter]


def day(text: str) -> date:
    """A date literal; MALFORMED_QUERY where there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise malformed(f"Invalid date: {text}") from None


def instant(text: str) -> datetime:
    """A dateTime literal in UTC; it must name its offset: Z or ±hh:mm."""
    wrong = malformed(f"Invalid dateTime: {text}; it is written YYYY-MM-DDThh:mm:ss and Z or ±hh:mm")
    if not _INSTANT.fullmatch(text):
        raise wrong
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None

"""A small honest JQL: what it doesn't know it refuses, in Jira's words.

https://support.atlassian.com/jira-service-management-cloud/docs/use-advanced-search-with-jira-query-language-jql/
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accountpulse.sandbox.jira.fields import kind_of
from accountpulse.sandbox.jira.index import UNUSED, Index, plain, project_ids, project_name, visible_components

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<cf>cf\[\d+\])|(?P<op>!=|<=|>=|=|<|>|!~|~)"""
    r"""|(?P<mark>[(),])|(?P<word>[^\s"'(),=<>!~]+))"""
)
RESERVED = frozenset(["and", "or", "not", "in", "is", "empty", "null", "order", "by", "asc", "desc", "was", "changed"])
# words that Jira keeps for itself: unquoted they are an error even where they look like a value
KEPT = frozenset(["int", "do", "to", "add", "end", "field", "group", "join", "select", "begin", "exec", "file", "from"])
DATES = ("created", "updated", "resolved", "resolutiondate", "statuscategorychangeddate")
CATEGORIES = ("To Do", "In Progress", "Done", "new", "indeterminate", "done")
OPPOSITES = {"=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class JqlError(Exception):
    """A query that Jira refuses with 400; the texts are its error messages, one for each value that doesn't exist."""


@dataclass(frozen=True)
class Token:
    """A piece of a query: text is quoted, a word is not."""

    kind: str
    value: str


@dataclass(frozen=True)
class Query:
    """A parsed query: which issues match, how they are sorted, and whether anything narrows it."""

    found: int  # a set of the index
    order: tuple[tuple[str, bool], ...]  # field, descending
    bounded: bool


def parse(text: str, index: Index, now: datetime) -> Query:
    """Read a query against what the site knows."""
    return _Parser(_tokens(text), index, now).query()


def run(query: Query, index: Index) -> list[int]:
    """The places of the matching issues in the query's order (newest first, where it names none)."""
    found = index.places(query.found)
    if not query.order:
        return found[::-1]
    for name, descending in reversed(query.order):
        if name == "created":  # places are in that order already
            found.sort(reverse=descending)
        elif name in ("key", "id", "issuekey"):
            found.sort(key=lambda place: _key(index, place), reverse=descending)
        elif name == "updated":
            found.sort(key=lambda place: index.issues[place].updated, reverse=descending)
        else:
            raise JqlError(f"Not able to sort using field '{name}'.")
    return found


def _custom_fields(index: Index) -> set[str]:
    """The site's custom fields that the caller may see."""
    site = index.site
    known = {*site.field_names, *site.field_kinds, *site.strict_fields, *site.text_fields, *UNUSED}
    return (known | index.fields_in_use) - set(site.hidden_fields)


def _key(index: Index, place: int) -> tuple[str, int]:
    issue = index.issues[place]
    return issue.project, int(issue.key.rpartition("-")[2])


def _tokens(text: str) -> list[Token]:
    tokens, place = [], 0
    text = text.strip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise JqlError(f"Error in the JQL Query: The character '{text[place]}' is not expected. (position {place})")
        kind = str(match.lastgroup)
        value = str(match[kind])
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        tokens.append(Token(kind, value))
        place = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: Sequence[Token], index: Index, now: datetime) -> None:
        self._tokens = tokens
        self._place = 0
        self._index = index
        self._now = now
        self._zone = ZoneInfo(index.site.timezone)
        self._custom = {f"cf[{name.removeprefix('customfield_')}]" for name in _custom_fields(index)}

    def query(self) -> Query:
        bounded = not (self._at_word("order") or self._ended())
        found = self._either() if bounded else self._index.everything
        order = self._order() if self._at_word("order") else ()
        if not self._ended():
            raise JqlError(f"Error in the JQL Query: Expecting operator but got '{self._peek().value}'.")
        return Query(found, order, bounded)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._next()
        self._word("by")
        order = []
        while True:
            name, descending = self._next().value.lower(), False
            if self._at_word("asc") or self._at_word("desc"):
                descending = self._next().value.lower() == "desc"
            order.append((name, descending))
            if not self._at_mark(","):
                return tuple(order)
            self._next()

    # NOT turns each clause below it into its opposite, as Jira does: an empty field is in neither of the two

    def _either(self, *, denied: bool = False) -> int:
        found = self._all(denied=denied)
        while self._at_word("or"):
            self._next()
            more = self._all(denied=denied)
            found = found & more if denied else found | more
        return found

    def _all(self, *, denied: bool) -> int:
        found = self._not(denied=denied)
        while self._at_word("and"):
            self._next()
            more = self._not(denied=denied)
            found = found | more if denied else found & more
        return found

    def _not(self, *, denied: bool) -> int:
        if self._at_word("not"):
            self._next()
            return self._not(denied=not denied)
        if self._at_mark("("):
            self._next()
            found = self._either(denied=denied)
            self._mark(")")
            return found
        return self._clause(denied=denied)

    def _clause(self, *, denied: bool) -> int:
        token = self._next()
        name = token.value if token.kind == "cf" else token.value.lower()
        if token.kind == "mark" or (token.kind == "word" and name in RESERVED):
            raise JqlError(f"Error in the JQL Query: '{token.value}' is a reserved JQL word.")
        name = self._renamed(name)
        if self._at_word("is"):
            return self._emptiness(name, denied=denied)
        if self._at_word("in") or self._at_word("not"):
            outside = self._at_word("not")
            self._next()
            if outside:
                self._word("in")
            return self._membership(name, self._list(), denied=outside is not denied)
        token = self._next()
        if token.kind != "op" or (token.value in ("~", "!~") and not self._free_text(name)):
            raise JqlError(f"The operator '{token.value}' is not supported by the '{name}' field.")
        operator = OPPOSITES[token.value] if denied else token.value
        if operator in ("~", "!~"):
            found = self._phrase(name, self._value())
            return found if operator == "~" else self._index.filled(name) & ~found
        value = self._value()
        if operator in ("=", "!="):
            return self._membership(name, [value], denied=operator == "!=")
        return self._comparison(name, operator, value)

    def _renamed(self, name: str) -> str:
        """A field's own name where the query calls it otherwise: `Organizations` is `cf[10002]`."""
        for identifier, called in self._index.site.field_names.items():
            if name == called.lower():
                return f"cf[{identifier.removeprefix('customfield_')}]"
        return name

    def _free_text(self, name: str) -> bool:
        return name.startswith("cf[") and kind_of(self._index.site, f"customfield_{name[3:-1]}").by_words

    def _phrase(self, name: str, text: str) -> int:
        """Text search of a phrase in quotes: words in their order, whatever stands around them."""
        if not (text.startswith('"') and text.endswith('"')):
            raise JqlError(f"The sandbox searches text for phrases in quotes only, not for '{text}'.")
        return self._index.worded(name, plain(re.sub(r"\\(.)", r"\1", text[1:-1])))

    def _emptiness(self, name: str, *, denied: bool) -> int:
        self._next()
        if self._at_word("not"):
            denied = not denied
            self._next()
        if self._next().value.lower() not in ("empty", "null"):
            raise JqlError("Error in the JQL Query: Expecting EMPTY.")
        self._check(name, ())
        filled = self._index.filled(name)
        return filled if denied else self._index.everything & ~filled

    def _membership(self, name: str, wanted: Sequence[str], *, denied: bool) -> int:
        self._check(name, wanted)
        if self._free_text(name):
            raise JqlError(f"The operator 'in' is not supported by the '{name}' field.")
        found = 0
        for value in wanted:
            found |= self._index.having(name, value)
        # an empty field is in no list, and not outside of one either
        return self._index.filled(name) & ~found if denied else found

    def _comparison(self, name: str, operator: str, value: str) -> int:
        if name not in DATES:
            raise JqlError(f"The operator '{operator}' is not supported by the '{name}' field.")
        return self._index.dated(name, operator, self._date(name, value))

    def _check(self, name: str, wanted: Sequence[str]) -> None:
        """Refuse a field that doesn't exist, and a value that a strict field doesn't know."""
        allowed = self._allowed_values(name)
        free = name in self._custom or name in ("labels", "key", "issuekey", "id", "resolution")
        if allowed is None and not free:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        folded = {each.casefold() for each in allowed or ()}
        strange = [value for value in wanted if value.casefold() not in folded] if allowed is not None else []
        if strange:
            raise JqlError(*(f"The value '{value}' does not exist for the field '{name}'." for value in strange))

    def _allowed_values(self, name: str) -> Iterable[str] | None:
        site = self._index.site
        names: dict[str, Iterable[str]] = {
            "priority": [*site.priorities, *(str(number + 1) for number in range(len(site.priorities)))],
            "status": [text for status in site.statuses.values() for text in (status.name, status.id)],
            "statuscategory": [*CATEGORIES, *site.category_names.values()],
        }
        if name in ("issuetype", "type"):
            return [text for number, each in enumerate(site.issue_types) for text in (each, str(10100 + number))]
        if name == "project":
            visible = [key for key in site.components if key not in site.hidden]
            return [text for key in visible for text in (key, project_name(site, key), project_ids(site)[key])]
        if name == "component":
            return [text for pair, number in visible_components(site).items() for text in (pair[1], number)]
        if name.startswith("cf[") and f"customfield_{name[3:-1]}" in site.strict_fields:
            return site.strict_fields[f"customfield_{name[3:-1]}"]
        return names.get(name)

    def _date(self, name: str, text: str) -> datetime:
        """A date in the zone of the user's profile, with minutes at most, or days from now (`-7d`)."""
        if (match := re.fullmatch(r"([+-]?\d+)([dwhm])", text)) is not None:
            unit = {"d": "days", "w": "weeks", "h": "hours", "m": "minutes"}[match[2]]
            return self._now + timedelta(**{unit: int(match[1])})
        for shape in ("%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M"):
            try:
                return datetime.strptime(text, shape).replace(tzinfo=self._zone)
            except ValueError:
                continue
        raise JqlError(f"Date value '{text}' for field '{name}' is invalid.")

    # --- tokens

    def _list(self) -> list[str]:
        self._mark("(")
        values = [self._value()]
        while self._at_mark(","):
            self._next()
            values.append(self._value())
        self._mark(")")
        return values

    def _value(self) -> str:
        token = self._next()
        if token.kind in ("mark", "op") or (token.kind == "word" and token.value.lower() in RESERVED | KEPT):
            raise JqlError(f"Error in the JQL Query: '{token.value}' is a reserved JQL word. Put it in quotes.")
        return token.value

    def _ended(self) -> bool:
        return self._place >= len(self._tokens)

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        if self._ended():
            raise JqlError("Error in the JQL Query: Expecting more before the end.")
        self._place += 1
        return self._tokens[self._place - 1]

    def _at_word(self, word: str) -> bool:
        return not self._ended() and self._peek().kind == "word" and self._peek().value.lower() == word

    def _at_mark(self, mark: str) -> bool:
        return not self._ended() and self._peek() == Token("mark", mark)

    def _word(self, word: str) -> None:
        if not self._at_word(word):
            raise JqlError(f"Error in the JQL Query: Expecting '{word}'.")
        self._next()

    def _mark(self, mark: str) -> None:
        if not self._at_mark(mark):
            raise JqlError(f"Error in the JQL Query: Expecting '{mark}'.")
        self._next()

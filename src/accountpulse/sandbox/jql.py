"""A small honest JQL: what it doesn't know it refuses, in Jira's words.

https://support.atlassian.com/jira-service-management-cloud/docs/use-advanced-search-with-jira-query-language-jql/
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accountpulse.sandbox.model import Jira, JiraIssue

Test = Callable[[JiraIssue], bool]
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<cf>cf\[\d+\])|(?P<op>!=|<=|>=|=|<|>|!~|~)"""
    r"""|(?P<mark>[(),])|(?P<word>[^\s"'(),=<>!~]+))"""
)
RESERVED = frozenset(["and", "or", "not", "in", "is", "empty", "null", "order", "by", "asc", "desc", "was", "changed"])
# words that Jira keeps for itself: unquoted they are an error even where they look like a value
KEPT = frozenset(["int", "do", "to", "add", "end", "field", "group", "join", "select", "begin", "exec", "file", "from"])
DATES = ("created", "updated", "resolved", "resolutiondate", "statuscategorychangeddate")


class JqlError(Exception):
    """A query that Jira refuses with 400; the text is its error message."""


@dataclass(frozen=True)
class Token:
    """A piece of a query: text is quoted, a word is not."""

    kind: str
    value: str


@dataclass(frozen=True)
class Query:
    """A parsed query: which issues match, how they are sorted, and whether anything narrows it."""

    matches: Test
    order: tuple[tuple[str, bool], ...]  # field, descending
    bounded: bool


def parse(text: str, site: Jira, now: datetime) -> Query:
    """Read a query against what the site knows."""
    return _Parser(_tokens(text), site, now).query()


def run(query: Query, issues: Iterable[JiraIssue]) -> list[JiraIssue]:
    """The matching issues in the query's order (by key, newest first, where it names none)."""
    found = [issue for issue in issues if query.matches(issue)]
    found.sort(key=lambda issue: int(issue.id), reverse=True)
    for name, descending in reversed(query.order):
        found.sort(key=lambda issue, name=name: _sort_value(issue, name), reverse=descending)  # type: ignore[misc]
    return found


def _sort_value(issue: JiraIssue, name: str) -> tuple[str, int] | str:
    if name in ("key", "id", "issuekey"):
        return issue.project, int(issue.key.rpartition("-")[2])
    if name in ("created", "updated"):
        return str(getattr(issue, name).isoformat())
    raise JqlError(f"Not able to sort using field '{name}'.")


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
    def __init__(self, tokens: Sequence[Token], site: Jira, now: datetime) -> None:
        self._tokens = tokens
        self._place = 0
        self._site = site
        self._now = now
        self._zone = ZoneInfo(site.timezone)

    def query(self) -> Query:
        bounded = not (self._at_word("order") or self._ended())
        matches: Test = self._either() if bounded else lambda _issue: True
        order = self._order() if self._at_word("order") else ()
        if not self._ended():
            raise JqlError(f"Error in the JQL Query: Expecting operator but got '{self._peek().value}'.")
        return Query(matches, order, bounded)

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

    def _either(self) -> Test:
        tests = [self._all()]
        while self._at_word("or"):
            self._next()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda issue: any(test(issue) for test in tests)

    def _all(self) -> Test:
        tests = [self._not()]
        while self._at_word("and"):
            self._next()
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda issue: all(test(issue) for test in tests)

    def _not(self) -> Test:
        if self._at_word("not"):
            self._next()
            inner = self._not()
            return lambda issue: not inner(issue)
        if self._at_mark("("):
            self._next()
            inner = self._either()
            self._mark(")")
            return inner
        return self._clause()

    def _clause(self) -> Test:
        token = self._next()
        name = token.value if token.kind == "cf" else token.value.lower()
        if token.kind == "mark" or (token.kind == "word" and name in RESERVED):
            raise JqlError(f"Error in the JQL Query: '{token.value}' is a reserved JQL word.")
        if self._at_word("is"):
            return self._emptiness(name)
        if self._at_word("in") or self._at_word("not"):
            denied = self._at_word("not")
            self._next()
            if denied:
                self._word("in")
            return self._membership(name, self._list(), denied=denied)
        operator = self._next()
        if operator.kind != "op" or operator.value in ("~", "!~"):
            raise JqlError(f"The operator '{operator.value}' is not supported by the '{name}' field.")
        value = self._value()
        if operator.value in ("=", "!="):
            return self._membership(name, [value], denied=operator.value == "!=")
        return self._comparison(name, operator.value, value)

    def _emptiness(self, name: str) -> Test:
        self._next()
        denied = self._at_word("not")
        if denied:
            self._next()
        if self._next().value.lower() not in ("empty", "null"):
            raise JqlError("Error in the JQL Query: Expecting EMPTY.")
        return lambda issue: bool(self._values(issue, name)) == denied

    def _membership(self, name: str, wanted: list[str], *, denied: bool) -> Test:
        self._check(name, wanted)
        folded = {value.casefold() for value in wanted}

        def test(issue: JiraIssue) -> bool:
            values = self._values(issue, name)
            if denied:  # an empty field is in no list, and not outside of one either
                return bool(values) and not folded & values
            return bool(folded & values)

        return test

    def _comparison(self, name: str, operator: str, value: str) -> Test:
        if name not in DATES:
            raise JqlError(f"The operator '{operator}' is not supported by the '{name}' field.")
        bound = self._date(name, value)
        compare: dict[str, Callable[[datetime], bool]] = {
            "<": lambda moment: moment < bound,
            "<=": lambda moment: moment <= bound,
            ">": lambda moment: moment > bound,
            ">=": lambda moment: moment >= bound,
        }
        return lambda issue: (moment := self._moment(issue, name)) is not None and compare[operator](moment)

    def _check(self, name: str, wanted: list[str]) -> None:
        """Refuse a value that a strict field doesn't know."""
        site = self._site
        known: Iterable[str] | None = {
            "project": list(site.components),
            "component": [each for names in site.components.values() for each in names],
            "issuetype": site.issue_types,
            "type": site.issue_types,
            "priority": site.priorities,
            "status": [status.name for status in site.statuses.values()],
            "statuscategory": ["To Do", "In Progress", "Done", "new", "indeterminate", "done"],
        }.get(name)
        free = name.startswith("cf[") or name in ("labels", "key", "issuekey", "id", "resolution")
        if known is None and not free:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        folded = {each.casefold() for each in known or ()}
        for value in wanted if known is not None else ():
            if value.casefold() not in folded:
                raise JqlError(f"The value '{value}' does not exist for the field '{name}'.")

    def _values(self, issue: JiraIssue, name: str) -> set[str]:
        status = self._site.statuses[issue.status]
        category = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}.get(status.category, "")
        if name.startswith("cf["):
            found = issue.fields.get(f"customfield_{name[3:-1]}")
            return {
                str(each).casefold() for each in (found if isinstance(found, list) else [found]) if each is not None
            }
        lists: dict[str, list[str | None]] = {
            "project": [issue.project],
            "component": [*issue.components],
            "labels": [*issue.labels],
            "issuetype": [issue.type],
            "type": [issue.type],
            "priority": [issue.priority],
            "status": [status.name],
            "statuscategory": [status.category, category],
            "resolution": [issue.resolution],
            "key": [issue.key],
            "issuekey": [issue.key],
            "id": [issue.id],
        }
        if name not in lists:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        return {value.casefold() for value in lists[name] if value is not None}

    def _moment(self, issue: JiraIssue, name: str) -> datetime | None:
        moments = {"created": issue.created, "updated": issue.updated, "resolved": issue.resolutiondate}
        moments |= {"resolutiondate": issue.resolutiondate}
        return moments.get(name, issue.statuscategorychangedate)

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

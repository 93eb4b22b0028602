"""Whom an issue belongs to: how many accounts are asked for in one query, and how its rows are told apart.

Values (projects, components, labels, options, organisations) are asked for by the chunk and looked for in the rows
themselves. Clauses of JQL can't be looked for in a row: many are asked for with OR, and each is put into three of
a few further queries for ids, in a combination of its own. An issue that exactly three find belongs to one clause,
which their combination names; one that more find belongs to several clauses, and these are asked one by one.
"""

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations, islice
from math import comb
from typing import NamedTuple

import msgspec

from accountpulse.systems.jira.fields import LinkField, LinkKind
from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.site import Listed
from accountpulse.systems.jira.wire import Fields, Named

CHUNK = 200  # values in one query
CHUNK_CLAUSES = 100
LONGEST = 30_000  # characters of values or clauses in one query
_FEW = 3  # so many queries hold each clause

_NAMES = {"project": "project", "component": "component", "label": "labels"}


def quoted(value: str) -> str:
    """A value as JQL text: everything that a user or a system wrote goes through here."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(values: Sequence[str]) -> str:
    """Values as a JQL list."""
    return "(" + ", ".join(map(quoted, values)) + ")"


def stands_alone(clause: str) -> bool:
    """Whether a clause can be put into brackets: its quotes and brackets are closed, and none closes ours."""
    depth, quote, place = 0, "", 0
    while place < len(clause):
        char = clause[place]
        if quote:
            place += char == "\\"  # what follows it stands for itself
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth < 0:
                return False
        place += 1
    return not quote and depth == 0 and bool(clause.strip())


def chunks(keys: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """The keys in groups of at most `most` keys and LONGEST characters; a longer key stands alone."""
    group: list[str] = []
    length = 0
    for key in keys:
        if group and (len(group) == most or length + len(key) > LONGEST):
            yield tuple(group)
            group, length = [], 0
        group.append(key)
        length += len(key)
    if group:
        yield tuple(group)


class Value(NamedTuple):
    """One value of a link's field: what it is called, and its ids. Without a name it can't be told whose it is."""

    names: tuple[str, ...]
    ids: tuple[str, ...] = ()


class Owned(NamedTuple):
    """The keys that an issue carries, sorted; `certain`: whether no other key can have found it."""

    keys: tuple[str, ...]
    certain: bool = True


class Links:
    """The keys of all accounts in one run, as `jira.link` reads them.

    A key is known by what the site's list says that it is (an id, or a name); one that isn't listed by either.
    """

    def __init__(
        self, mapping: JiraMapping, keys: Sequence[str], field: LinkField | None, listed: Listed | None = None
    ) -> None:
        """`field` is the custom field, where the link is one; `listed` what the site lists of the keys."""
        self.keys = keys
        self.by_clause = mapping.link == "jql"
        self.is_text = field is not None and field.free_text
        self._link = mapping.link
        self._field = field
        self._listed = listed or Listed.none()
        self._by_id: dict[str, list[str]] = {}
        self._exact: set[str] = set()
        self._folded: dict[str, list[str]] = {}
        for key in keys:
            ids = self._listed.ids.get(key)
            if ids is None:
                self._exact.add(key)
                self._folded.setdefault(self._form(key), []).append(key)
                ids = frozenset() if key in self._listed.called else frozenset([key.strip()])
            for each in ids:
                self._by_id.setdefault(each, []).append(key)
        self._known: dict[Hashable, Owned] = {}  # values → keys: the same come again and again
        self.owners: dict[str, set[str]] = {}  # of clauses: issue id → keys

    def chunks(self, keys: Sequence[str]) -> list[tuple[str, ...]]:
        """The keys as they go into queries."""
        return list(chunks(keys, CHUNK_CLAUSES if self.by_clause else CHUNK))

    def clause(self, keys: Sequence[str]) -> str:
        """The condition that finds the issues of these keys."""
        if self.by_clause:
            return "(" + " OR ".join(f"({key})" for key in keys) + ")"
        values = [self._listed.called.get(key, key.strip()) for key in keys]
        if self._field is None:
            return f"{_NAMES[self._link]} in {listed(values)}"
        if self._field.free_text:  # such a field has no list of values: its text is searched for the phrase
            return "(" + " OR ".join(f"{self._field.clause} ~ {quoted(quoted(value))}" for value in values) + ")"
        return f"{self._field.clause} in {listed(values)}"

    @property
    def any_value(self) -> str | None:
        """The condition that finds issues of any key; None: there is none for clauses."""
        if self.by_clause:
            return None
        return f"{self._field.clause if self._field is not None else _NAMES[self._link]} is not EMPTY"

    def of(self, issue: str, fields: Fields) -> Owned:
        """Which of the keys an issue carries; as the accounts' links spell them."""
        if self.by_clause:
            return Owned(tuple(sorted(self.owners.get(issue, ()))))
        written = self._written(fields)
        found = self._known.get(written)
        if found is None:
            found = self._known[written] = self._owned(self._values(fields))
        return found

    def named(self, fields: Fields) -> Iterator[str]:
        """What the link's field of an issue calls those whom it belongs to: the first name of each value."""
        return (value.names[0] for value in self._values(fields) if value.names)

    def _written(self, fields: Fields) -> Hashable:
        """The values as they came, in a form that can be looked up."""
        if self._field is not None:
            return bytes(fields.link)
        if self._link == "component":
            return tuple([(item.id, item.name) for item in fields.components or ()])
        return tuple(fields.labels or ()) if self._link == "label" else fields.project and fields.project.id

    def _owned(self, values: tuple[Value, ...]) -> Owned:
        meant = [self._meant(value) for value in values]
        keys = {key for found, _certain in meant for key in found}
        is_hidden = self.is_text and not values  # found by its text, which isn't shown
        return Owned(tuple(sorted(keys)), not is_hidden and all(certain for _keys, certain in meant))

    def _meant(self, value: Value) -> tuple[set[str], bool]:
        """The keys that mean one value, by its name, else by its id; and whether no other key can mean it."""
        by_name = {key for text in value.names for key in self._spelled(text)}
        by_id = {key for text in value.ids for key in self._by_id.get(text, ())}
        if self._field is None:  # the site's list says of each key which of both it is
            return by_name | by_id, True
        return by_name or by_id, by_id <= by_name if by_name else bool(by_id or value.names)

    def _spelled(self, value: str) -> Sequence[str]:
        """The keys that mean a value: the one that is written alike, else those that differ in case or blanks."""
        return (value,) if value in self._exact else self._folded.get(self._form(value), ())

    def _form(self, text: str) -> str:
        number = _number(text) if self._field is not None and self._field.kind == "number" else None
        return folded(text) if number is None else number

    def _values(self, fields: Fields) -> tuple[Value, ...]:
        """The values of the link's field; an issue of which it wasn't told has none."""
        if self._field is not None:
            return values_of(_decoded(fields.link), self._field.kind)
        if self._link == "label":
            return tuple(Value((label,)) for label in fields.labels or ())
        named = [fields.project] if self._link == "project" else fields.components or ()
        return tuple(_value(item) for item in named if item is not None)


def _decoded(content: msgspec.Raw) -> object:
    """A field's content; one that can't be read shows nothing."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return None


def _value(item: Named) -> Value:
    names = tuple(name for name in (item.key, item.name) if name is not None)
    return Value(names, () if item.id is None else (str(item.id),))


# --- what a field holds ------------------------------------------------------------------------------------------

_NAMES_OF_VALUES = ("value", "name", "key", "label", "objectKey", "displayName", "emailAddress", "title")
_IDS_OF_VALUES = ("id", "accountId", "groupId", "objectId")
_BLOCKS = frozenset(
    {"paragraph", "heading", "listItem", "tableCell", "tableHeader", "codeBlock", "blockquote", "panel"}
)
_LABELLED = re.compile(r"(?P<label>.+) \((?P<key>[A-Z][A-Z0-9_]*-\d+)\)")  # an object, as Data Center writes one


def values_of(content: object, kind: LinkKind) -> tuple[Value, ...]:
    """The values of a field.

    An option is called by its value, one of a cascade also by its parent's; a person by name or address. A text is
    called by all of it, and by each of its lines. An object of which only ids come has its name elsewhere.
    """
    items = content if isinstance(content, list) else [content]
    return tuple(_read(item, kind) for item in items if item is not None)


def _read(item: object, kind: LinkKind) -> Value:
    if isinstance(item, bool):
        return Value(())
    if isinstance(item, int | float):
        return Value((_number(str(item)) or str(item),))
    if isinstance(item, str):
        return Value(_names_in(item, kind))
    if not isinstance(item, dict):
        return Value(())
    if item.get("type") == "doc":
        return Value(_names_in(plain_text(item), "text"))
    names = [str(item[name]) for name in _NAMES_OF_VALUES if isinstance(item.get(name), str | int)]
    ids = [str(item[name]) for name in _IDS_OF_VALUES if isinstance(item.get(name), str | int)]
    if (child := item.get("child")) is not None:
        own = _read(child, kind)
        names, ids = [*names, *own.names], [*ids, *own.ids]
    return Value(tuple(names), tuple(ids))


def _names_in(text: str, kind: LinkKind) -> tuple[str, ...]:
    if kind == "object" and (match := _LABELLED.fullmatch(text.strip())) is not None:
        return (text, match["label"], match["key"])
    return tuple(dict.fromkeys([text, *text.splitlines()])) if kind == "text" else (text,)


def plain_text(node: Mapping[str, object]) -> str:
    """The text of a document, a line for each of its blocks.

    https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
    """
    kind, attributes = node.get("type"), node.get("attrs")
    if kind == "text":
        return str(node.get("text") or "")
    if kind == "hardBreak":
        return "\n"
    content = node.get("content")
    if not isinstance(content, list):
        shown = attributes if isinstance(attributes, dict) else {}
        return str(shown.get("text") or shown.get("url") or "")
    text = "".join(plain_text(each) for each in content if isinstance(each, dict))
    return f"{text}\n" if kind in _BLOCKS else text.strip("\n") if kind == "doc" else text


def _number(text: str) -> str | None:
    """A number in the one way that all its spellings share; None: it is none."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return f"{value.normalize():f}" if value.is_finite() else None


# --- clauses told apart ------------------------------------------------------------------------------------------


def combinations_for(count: int) -> list[tuple[int, ...]]:
    """For each of `count` clauses the numbers of the queries that hold it, each combination once."""
    queries = next(number for number in range(1, count + 1) if comb(number, _size(number)) >= count)
    return list(islice(combinations(range(queries), _size(queries)), count))


def _size(queries: int) -> int:
    return max(1, min(_FEW, queries - 1))


def split_by_clause(
    keys: Sequence[str], combinations_of: Sequence[tuple[int, ...]], found: Sequence[Collection[str]]
) -> tuple[Mapping[str, str], frozenset[str], frozenset[str]]:
    """Issue → its one key; the issues that several clauses may have; and the keys that must be asked for these.

    `combinations_of` are the queries of each key, `found` the ids that each query found.
    """
    hits: dict[str, list[int]] = {}
    for number, ids in enumerate(found):
        for issue in ids:
            hits.setdefault(issue, []).append(number)
    by_combination = dict(zip(combinations_of, keys, strict=True))
    single = {issue: key for issue, where in hits.items() if (key := by_combination.get(tuple(where))) is not None}
    several = frozenset(hits.keys() - single.keys())
    crossed = [frozenset(hits[issue]) for issue in several]
    doubtful = frozenset(
        key for key, where in zip(keys, combinations_of, strict=True) if any(each >= set(where) for each in crossed)
    )
    return single, several, doubtful

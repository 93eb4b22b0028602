"""Whom an issue belongs to: how many accounts are asked for in one query, and how its rows are told apart.

Values (projects, components, labels, options, organisations) are asked for by the chunk and looked for in the rows
themselves. Clauses of JQL can't be looked for in a row: many are asked for with OR, and each is put into three of
a few further queries for ids, in a combination of its own. An issue that exactly three find belongs to one clause,
which their combination names; one that more find belongs to several clauses, and these are asked one by one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, islice
from math import comb

from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.site import LinkField
from accountpulse.systems.jira.wire import Fields

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


class Links:
    """The keys of all accounts in one run, as `jira.link` reads them."""

    def __init__(self, mapping: JiraMapping, keys: Sequence[str], field: LinkField | None) -> None:
        """`field` is the custom field, where the link is one."""
        self.keys = keys
        self.by_clause = mapping.link == "jql"
        self._link = mapping.link
        self._field = field
        self._exact = frozenset(keys)
        self._folded: dict[str, list[str]] = {}
        for key in keys:
            self._folded.setdefault(key.strip().casefold(), []).append(key)
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}  # values → keys: the same come again and again
        self.owners: dict[str, set[str]] = {}  # of clauses: issue id → keys

    def chunks(self, keys: Sequence[str]) -> list[tuple[str, ...]]:
        """The keys as they go into queries."""
        return list(chunks(keys, CHUNK_CLAUSES if self.by_clause else CHUNK))

    def clause(self, keys: Sequence[str]) -> str:
        """The condition that finds the issues of these keys."""
        if self.by_clause:
            return "(" + " OR ".join(f"({key})" for key in keys) + ")"
        if self._field is None:
            return f"{_NAMES[self._link]} in {listed(keys)}"
        if self._field.free_text:  # such a field has no list of values: its text is searched for the phrase
            return "(" + " OR ".join(f"{self._field.clause} ~ {quoted(quoted(key))}" for key in keys) + ")"
        return f"{self._field.clause} in {listed(keys)}"

    def of(self, issue: str, fields: Fields) -> tuple[str, ...]:
        """Which of the keys an issue carries, sorted; as the accounts' links spell them."""
        if self.by_clause:
            return tuple(sorted(self.owners.get(issue, ())))
        values = self._values(fields)
        found = self._known.get(values)
        if found is None:
            found = self._known[values] = tuple(sorted({key for value in values for key in self._spelled(value)}))
        return found

    def _spelled(self, value: str) -> Sequence[str]:
        """The keys that mean a value: the one that is written alike, else those that differ in case or blanks."""
        return (value,) if value in self._exact else self._folded.get(value.strip().casefold(), ())

    def _values(self, fields: Fields) -> tuple[str, ...]:
        if self._field is not None:
            items = fields.link if isinstance(fields.link, list) else [fields.link]
            return tuple(text for item in items for text in _texts(item))
        if self._link == "label":
            return tuple(fields.labels or ())
        named = [fields.project] if self._link == "project" else fields.components or ()
        return tuple(str(text) for item in named if item is not None for text in (item.key, item.name, item.id) if text)


def _texts(item: object) -> list[str]:
    """The texts by which a field's value may be named: itself, or an option's value, name or id."""
    if isinstance(item, dict):
        return [str(item[name]) for name in ("value", "name", "id") if item.get(name) is not None]
    if isinstance(item, float) and item.is_integer():
        return [str(int(item))]
    return [] if item is None else [str(item)]


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

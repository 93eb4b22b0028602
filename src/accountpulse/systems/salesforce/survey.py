"""Looking at an org before anything is mapped: what it has, how many, how full. Few queries, and no personal data.

Names come from describe; values are quoted by `text` and `in_list`. What our user may not see isn't there; what the org
doesn't count (no permission, too long) is None, which is not 0.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accountpulse.systems.salesforce.client import Field, Org
from accountpulse.systems.salesforce.errors import NotThere, RefusedQuery, TookTooLong, UnknownName
from accountpulse.systems.salesforce.meanings import Meaning, bare
from accountpulse.systems.salesforce.queries import at
from accountpulse.systems.salesforce.schema import ObjectDescription

MOST_GROUPS = 1_000  # of one question: a field with more values is no list of kinds
SAMPLE = 5_000  # accounts whose fields are looked at, the last changed first
LONGEST_SELECT = 6_000  # characters of the fields of one query: an address has 16,384 bytes in all
UNCOUNTED = (RefusedQuery, UnknownName, NotThere, TookTooLong)
GroupValues = tuple[Any, ...]


@dataclass
class OrgSurvey:
    """The org, and what was asked of it. `unanswered` says in words what it would not tell."""

    org: Org
    unanswered: list[str] = field(default_factory=list)

    def object(self, name: str) -> ObjectDescription | None:
        """What describe says of an object; None where it is absent or not readable."""
        return self.org.object(name)

    def fields(self, name: str) -> Mapping[str, Field]:
        """The fields of an object that our user can see; none where it can't see the object."""
        found = self.org.object(name)
        return {} if found is None else found.fields

    def count(self, name: str, *conditions: str) -> int | None:
        """How many records meet all conditions; None where the org doesn't say."""
        try:
            return self.org.count(f"SELECT COUNT() FROM {name}{_where(conditions)}", name)  # noqa: S608
        except UNCOUNTED as error:
            self._unanswered(name, error)
            return None

    def accounts_of(self, name: str, account: str, *conditions: str) -> int | None:
        """How many different accounts the records that meet all conditions belong to."""
        soql = f"SELECT COUNT_DISTINCT({account}) FROM {name}{_where(conditions)}"  # noqa: S608
        try:
            return next((int(row["expr0"]) for row in self.org.query(soql, name)), 0)
        except UNCOUNTED as error:
            self._unanswered(name, error)
            return None

    def groups(self, name: str, paths: Sequence[str], *conditions: str) -> Counter[GroupValues]:
        """How many records have each combination of values; empty where the org doesn't say, or they are no kinds."""
        keys = ", ".join(paths)
        grouped = f"GROUP BY {keys} LIMIT {MOST_GROUPS}"
        soql = f"SELECT {keys}, COUNT(Id) FROM {name}{_where(conditions)} {grouped}"  # noqa: S608
        try:
            rows = list(self.org.query(soql, name))
        except UNCOUNTED as error:
            self._unanswered(name, error)
            return Counter()
        if len(rows) == MOST_GROUPS:
            return Counter()
        last = [path.rpartition(".")[2] for path in paths]
        return Counter({tuple(row.get(each) for each in last): int(row["expr0"]) for row in rows})

    def sample(
        self, name: str, paths: Iterable[str], *conditions: str, newest: str = "LastModifiedDate"
    ) -> list[dict[str, Any]]:
        """The newest records, by default those that were changed last, with these fields by their paths."""
        found: dict[str, dict[str, Any]] = {}
        end = f"{_where(conditions)} ORDER BY {newest} DESC LIMIT {SAMPLE}"
        for part in _parts(paths):
            selected = ", ".join(dict.fromkeys(["Id", *part]))
            for row in self.org.query(f"SELECT {selected} FROM {name}{end}", name):  # noqa: S608
                found.setdefault(row["Id"], {}).update({path: at(row, path) for path in ("Id", *part)})
        return list(found.values())

    def _unanswered(self, name: str, error: Exception) -> None:
        kind = "took too long to count" if isinstance(error, TookTooLong) else "were not counted for our user"
        line = f"records of {name} {kind}"
        if line not in self.unanswered:
            self.unanswered.append(line)


def _where(conditions: Sequence[str]) -> str:
    given = [each for each in conditions if each]
    return f" WHERE {' AND '.join(f'({each})' for each in given)}" if given else ""


def _parts(paths: Iterable[str]) -> Iterable[list[str]]:
    """The fields in parts that one address holds."""
    part: list[str] = []
    for path in paths:
        if part and sum(len(each) + 4 for each in (*part, path)) > LONGEST_SELECT:
            yield part
            part = []
        part.append(path)
    yield part


# --- what fits a key ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """A field that may be the one of a key: points by name, values and filled share; `filled` of `total` records."""

    field: Field
    points: float
    filled: int
    total: int
    values: tuple[Any, ...] = ()  # that occur, each once, most frequent first

    @property
    def name(self) -> str:
        """As SOQL and accountpulse.yaml have it."""
        return self.field.name

    @property
    def said(self) -> str:
        """What was counted, in words."""
        label = self.field.label
        shown = f" ({label})" if label and label.casefold() != bare(self.name).replace("_", " ").casefold() else ""
        return f"{self.name}{shown} is filled on {self.filled:,} of {self.total:,} customers"


def named_like(fields: Mapping[str, Field], meaning: Meaning, least: float = 1) -> list[tuple[Field, int]]:
    """The fields whose name or label has points of a meaning, most first, then by name."""
    found = [(each, points) for each in fields.values() if (points := meaning.of(each)) >= least]
    return sorted(found, key=lambda pair: (-pair[1], pair[0].name))

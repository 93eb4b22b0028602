"""links.csv in its long form: one row an account, system and key, with what people decided about it.

Only `accept` links. `reject` refuses the link, also to a rule; `later` is remembered, an empty decision is a suggestion
that nobody looked at. The key `none`, accepted, says that the account has no record in that system.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from accountpulse.core.ids import comparable_id, looks_like_an_id
from accountpulse.core.nearest import nearest
from accountpulse.core.records import LINK_DECISIONS, FileLink, SourceName
from accountpulse.core.tables import SHORTENED as SHORTENED_NUMBER
from accountpulse.systems import SOURCES

DECISIONS = ("accept", "reject", "later")
OWN_WORDS = "; your own words have their place in note"
NEEDED = ("account_id", "system", "key", "decision")
ABSENT = "none"  # the word for: no record in that system
KEYS: tuple[SourceName, ...] = tuple(source.name for source in SOURCES if not source.has_accounts)
_COMPARABLE = {source.name: source.comparable for source in SOURCES}
SHORTENED = re.compile(SHORTENED_NUMBER, re.IGNORECASE)  # what a spreadsheet makes of a long number
LOST_DIGITS = (
    "is what a spreadsheet made of a number, and its digits are lost: copy the key anew from its system, or run "
    "`accountpulse accounts --suggest --out links.xlsx`, and keep links as .xlsx"
)
CellRows = Iterable[tuple[int, Mapping[str, str]]]  # line of the file, and its cells by heading


@dataclass(frozen=True)
class LinkDecisions:
    """Every row of the file (LINK_DECISIONS), the links that count, those that were refused, and mistakes by line."""

    table: pl.DataFrame
    links: tuple[FileLink, ...]
    rejected: tuple[FileLink, ...]
    problems: tuple[str, ...]


def is_long(columns: Sequence[str]) -> bool:
    """Whether a heading is that of the long form."""
    return "decision" in columns


def read_decisions(columns: Sequence[str], rows: CellRows, line: int) -> LinkDecisions:
    """Read the rows below a heading, which stands in a line of the file."""
    problems = list(heading_problems(columns, line, NEEDED, LINK_DECISIONS.keys(), "links.csv", remedy=OWN_WORDS))
    reader = _DecisionReader(problems)
    if set(NEEDED) <= set(columns):
        for number, cells in rows:
            reader.row(number, cells)
    table = pl.DataFrame(reader.rows, schema=LINK_DECISIONS, orient="row")
    return LinkDecisions(table, tuple(reader.links), tuple(reader.rejected), tuple(problems))


def heading_problems(
    columns: Sequence[str], line: int, needed: Iterable[str], known: Collection[str], title: str, *, remedy: str = ""
) -> Iterator[str]:
    """What is wrong with the heading of a link file of either form, called `title`."""
    for name in needed:
        if name not in columns:
            yield f"line {line}: there is no column {name}"
    for column in dict.fromkeys(columns):
        if column not in known:
            yield f"line {line}: {column!r} is not a column of {title}{nearest(column, known)}{remedy}"
        elif columns.count(column) > 1:
            yield f"line {line}: column {column!r} is given twice"


@dataclass
class _DecisionReader:
    """The file so far."""

    problems: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    links: list[FileLink] = field(default_factory=list)
    rejected: list[FileLink] = field(default_factory=list)
    _seen: dict[tuple[str, SourceName, str], int] = field(default_factory=dict)  # → line
    _accepted: dict[tuple[str, SourceName], dict[bool, int]] = field(default_factory=dict)  # is it `none` → line

    def row(self, line: int, cells: Mapping[str, str]) -> None:
        """Take a row, or say what is wrong with it."""
        account, system, key = cells["account_id"], cells["system"].lower(), cells["key"]
        decision, score = cells["decision"].lower(), cells.get("score", "")
        found = [
            *_account_problem(account),
            *_system_problem(system),
            *_key_problem(key),
            *_decision_problem(decision),
            *_score_problem(score),
            *self._twice(line, account, system, key),
        ]
        named = cells.get("account_name") or None, cells.get("key_name") or None
        if decision == "accept" and not found:
            found += self._accept(line, account, system, key, named)
        elif decision == "reject" and not found:
            self.rejected.append(FileLink(account, system, key, line, *named))
        self.problems += [f"line {line}: {problem}" for problem in found]
        if not found:
            texts = {name: cells.get(name) or None for name in LINK_DECISIONS}
            given = {
                "system": system,
                "decision": decision or None,
                "score": int(re.split("[.,]", score)[0]) if score else None,
            }
            self.rows.append({**texts, **given})

    def _twice(self, line: int, account: str, system: str, key: str) -> Iterator[str]:
        same = comparable_id(account), system, _COMPARABLE[system](key) if system in KEYS else key
        if same in self._seen:
            yield f"the same account, system and key as in line {self._seen[same]}; delete one of the two"
        self._seen.setdefault(same, line)

    def _accept(
        self, line: int, account: str, system: str, key: str, named: tuple[str | None, str | None]
    ) -> Iterator[str]:
        is_absent = key.lower() == ABSENT
        said = self._accepted.setdefault((comparable_id(account), system), {})
        if (not is_absent) in said:
            yield f"{ABSENT} and a key for one account, see line {said[not is_absent]}"
            return
        said.setdefault(is_absent, line)
        self.links.append(FileLink(account, system, None if is_absent else key, line, *named))


def _account_problem(account: str) -> Iterator[str]:
    if not account:
        yield "no account_id"
    elif not looks_like_an_id(account):
        yield f"{account!r} is not a Salesforce id of 15 or 18 letters and digits"


def _system_problem(system: str) -> Iterator[str]:
    if system not in KEYS:
        yield f"system: {system!r} is none of {', '.join(KEYS)}{nearest(system, KEYS)}"


def _key_problem(key: str) -> Iterator[str]:
    if not key:
        yield "no key"
    elif SHORTENED.fullmatch(key):
        yield f"key: {key!r} {LOST_DIGITS}"


def _decision_problem(decision: str) -> Iterator[str]:
    if decision and decision not in DECISIONS:
        hint = nearest(decision, DECISIONS)
        yield f"decision: {decision!r} is none of {', '.join(DECISIONS)}{hint}; leave it empty to decide later on"


def _score_problem(score: str) -> Iterator[str]:
    if score and not re.fullmatch(r"\d{1,3}([.,]0+)?", score):
        yield f"score: {score!r} is no whole number from 0 to 100"

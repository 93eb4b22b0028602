"""The mapping file: a table that says which account is which record in each system, for what no rule can know.

One row an account: `account_id`, then a column for each system; `account_name`, `linked_by` and `note` are for the
reader. A blank cell says nothing, `none` that the account has no record there. A second row of the same account gives
it further keys.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accountpulse.core import given_files, tables
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.ids import looks_like_an_id, to_18
from accountpulse.core.nearest import nearest
from accountpulse.core.records import FileLink, LinkFile, SourceName
from accountpulse.core.tables import GivenTable
from accountpulse.settings.mapping import LinksBlock
from accountpulse.systems import SOURCES

IGNORED = ("account_name", "linked_by", "note")
KEYS: tuple[SourceName, ...] = tuple(source.name for source in SOURCES if not source.has_accounts)
COLUMNS = ("account_id", "account_name", *KEYS, "linked_by", "note")
KNOWN = ("account_id", *IGNORED, *KEYS)
ABSENT = "none"  # the word for: no record in that system
LISTED = 100  # mistakes that are told one by one

_SHORTENED = re.compile(tables.SHORTENED, re.ASCII | re.IGNORECASE)  # what a spreadsheet makes of a long number


def load(chosen: LinksBlock, folder: Path) -> LinkFile:
    """The mapping file that accountpulse.yaml names, beside it; without one it is empty."""
    if chosen.file is None:
        return LinkFile()
    path = folder / chosen.file
    try:
        data = given_files.read(path, given_files.MOST_LINKS)
    except given_files.Unreadable as error:
        raise ConfigurationError("links.file", [f"{path} can't be read ({error})"]) from None
    return LinkFile(path.name, read(data, path.name), chosen.first)


def read(data: bytes, name: str) -> tuple[FileLink, ...]:
    """The cells of a mapping file, in its order, or a ConfigurationError that lists every mistake with its line.

    Of every kind that core/tables.py reads, by the ending of the name.
    """
    reading = _LinkFileReader()
    try:
        reading.table(_table(data, name))
    except tables.TableRefused as error:
        raise ConfigurationError(name, error.problems) from None
    if reading.problems:
        more = len(reading.problems) - LISTED
        told = [*reading.problems[:LISTED], *([f"and {more:,} mistakes more"] if more > 0 else [])]
        raise ConfigurationError(name, told)
    return tuple(reading.links)


def _table(data: bytes, name: str) -> GivenTable:
    """The table under its headings in lower case; keys must be right to the letter, so that no encoding is guessed."""
    given = tables.read(data, name)
    if given.guessed_from is not None:
        raise given.refused([f"line {given.guessed_from}: not UTF-8; save the table as CSV UTF-8"])
    return given.called(KNOWN)


@dataclass
class _LinkFileReader:
    """The file so far: its links, and what is wrong with it."""

    links: list[FileLink] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    word: str = "line"
    _said: dict[tuple[str, SourceName], dict[str | None, int]] = field(default_factory=dict)  # key → line

    def table(self, given: GivenTable) -> None:
        """Take the heading, then every row."""
        self.word = given.word
        self.problems += _heading_problems(given)
        if "account_id" in given.columns:
            for line, cells in given.rows():
                self.row(line, cells)

    def row(self, line: int, cells: Mapping[str, str]) -> None:
        """Take the row's cells, or say what is wrong with them."""
        account = cells["account_id"]
        if not looks_like_an_id(account):
            what = f"{account!r} is not a Salesforce id of 15 or 18 letters and digits" if account else "no account_id"
            self.problems.append(f"{self.word} {line}: {what}")
            return
        for source in KEYS:
            if key := cells.get(source, ""):
                self.cell(line, account, source, key)

    def cell(self, line: int, account: str, source: SourceName, key: str) -> None:
        """Take one cell, unless it was there before or can't be meant."""
        where = f"{self.word} {line}, {source}"
        if _SHORTENED.fullmatch(key):
            self.problems.append(f"{where}: {key!r} is what a spreadsheet made of a number; make the column text")
            return
        value = None if key.lower() == ABSENT else key
        said = self._said.setdefault((to_18(account).upper(), source), {})
        if value in said:
            self.problems.append(f"{where}: the same as in {self.word} {said[value]}")
        elif said and (value is None or None in said):
            self.problems.append(f"{where}: {ABSENT} and a key for one account, see {self.word} {min(said.values())}")
        else:
            said[value] = line
            self.links.append(FileLink(account, source, value, line))


def _heading_problems(given: GivenTable) -> Iterator[str]:
    where = f"{given.word} {given.heading_line}"
    if "account_id" not in given.columns:
        yield f"{where}: there is no column account_id"
    if given.nameless:
        yield f"{where}: a heading is empty"
    for column in given.columns:
        if column not in KNOWN:
            yield f"{where}: {column!r} is not a column of the mapping file{nearest(column, KNOWN)}"

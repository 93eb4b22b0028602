"""The mapping file: a table that says which account is which record in each system, for what no rule can know.

It has one of two forms, told by the heading. With a column `decision` it is links.csv, one row an account, system and
key: settings/link_decisions.py. Else it has one row an account: `account_id`, then a column for each system;
`account_name`, `linked_by` and `note` are for the reader. A blank cell says nothing, `none` that the account has no
record there. A second row of the same account gives it further keys.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from accountpulse.core import given_files, tables
from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.ids import looks_like_an_id, to_18
from accountpulse.core.records import FileLink, LinkFile, SourceName
from accountpulse.settings.link_decisions import (
    ABSENT,
    KEYS,
    LOST_DIGITS,
    SHORTENED,
    LinkDecisions,
    heading_problems,
    is_long,
    read_decisions,
)
from accountpulse.settings.mapping import LinksBlock

IGNORED = ("account_name", "linked_by", "note")
COLUMNS = ("account_id", "account_name", *KEYS, "linked_by", "note")
DEFAULT_FILE = "links.csv"  # read where accountpulse.yaml names no other
LISTED = 100  # mistakes that are told one by one


def load(chosen: LinksBlock, folder: Path) -> LinkFile:
    """The mapping file that accountpulse.yaml names, beside it; else links.csv there, which may be missing."""
    path = place(chosen, folder)
    if chosen.file in {None, DEFAULT_FILE} and not path.exists():
        return LinkFile()
    try:
        data = given_files.read(path, given_files.MOST_LINKS)
    except given_files.Unreadable as error:
        raise ConfigurationError("links.file", [f"{path} can't be read ({error})"]) from None
    links, rejected = read_both(data, path.name)
    return LinkFile(path.name, links, chosen.first, rejected)


def place(chosen: LinksBlock, folder: Path) -> Path:
    """Where the mapping file is, or would be."""
    return folder / (chosen.file or DEFAULT_FILE)


def read(data: bytes, name: str) -> tuple[FileLink, ...]:
    """The links of a mapping file, in its order, or a ConfigurationError that lists every mistake with its line.

    Of every kind that core/tables.py reads, by the ending of the name; a CSV must be UTF-8 or UTF-16.
    """
    return read_both(data, name)[0]


def read_both(data: bytes, name: str) -> tuple[tuple[FileLink, ...], tuple[FileLink, ...]]:
    """The same, and beside it the links that people refused; errors as in `read`."""
    rows = _rows(data, name)
    line, columns = next(rows)
    if is_long(columns):
        found = _long_form(columns, line, rows)
        _refuse(name, found.problems)
        return found.links, found.rejected
    reading = _LinkFileReader()
    reading.rows(line, columns, rows)
    _refuse(name, reading.problems)
    return tuple(reading.links), ()


def read_decisions_of(path: Path) -> pl.DataFrame | None:
    """The rows of a file with decisions (LINK_DECISIONS); None: it has the other form. UsageError: unreadable."""
    try:
        found = decisions(given_files.read(path, given_files.MOST_LINKS), path.name)
    except given_files.Unreadable as error:
        raise UsageError(f"{path} can't be read ({error})") from None
    return None if found is None else found.table


def decisions(data: bytes, name: str) -> LinkDecisions | None:
    """What people decided about suggested links; None where the file has the other form. Errors as in `read`."""
    rows = _rows(data, name)
    line, columns = next(rows)
    if not is_long(columns):
        return None
    found = _long_form(columns, line, rows)
    _refuse(name, found.problems)
    return found


def _long_form(columns: Sequence[str], line: int, rows: Iterator[tuple[int, list[str]]]) -> LinkDecisions:
    """The rows by their headings."""
    return read_decisions(columns, ((number, dict(zip(columns, cells, strict=True))) for number, cells in rows), line)


def _refuse(name: str, problems: Sequence[str]) -> None:
    if problems:
        more = len(problems) - LISTED
        raise ConfigurationError(name, [*problems[:LISTED], *([f"and {more:,} mistakes more"] if more > 0 else [])])


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """The heading in lower case, then each row, each with the line that it begins on."""
    try:
        given = tables.read(data, name)
    except tables.TableRefused as error:
        raise ConfigurationError(name, error.problems) from None
    if given.guessed_from is not None:  # a key must be right to the letter
        raise ConfigurationError(name, [f"line {given.guessed_from}: not UTF-8; save the table as CSV UTF-8"])
    if given.nameless:
        raise ConfigurationError(name, [f"line {given.heading_line}: a heading is empty"])
    yield given.heading_line, [tables.plain_heading(column) for column in given.columns]
    for line, cells in given.rows():
        yield line, list(cells.values())


@dataclass
class _LinkFileReader:
    """The file so far: its links, and what is wrong with it."""

    links: list[FileLink] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _said: dict[tuple[str, SourceName], dict[str | None, int]] = field(default_factory=dict)  # key → line

    def rows(self, line: int, columns: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> None:
        """Judge the heading, which stands in a line of the file, then take every row."""
        known = {"account_id", *IGNORED, *KEYS}
        self.problems += heading_problems(columns, line, ("account_id",), known, "the mapping file")
        if "account_id" not in columns:
            return
        for number, cells in rows:
            self.row(number, columns, cells)

    def row(self, line: int, columns: Sequence[str], cells: Sequence[str]) -> None:
        """Take the row's cells, or say what is wrong with them."""
        given = dict(zip(columns, cells, strict=True))
        account = given.get("account_id", "")
        if not looks_like_an_id(account):
            what = f"{account!r} is not a Salesforce id of 15 or 18 letters and digits" if account else "no account_id"
            self.problems.append(f"line {line}: {what}")
            return
        for source in KEYS:
            if key := given.get(source, ""):
                self.cell(line, account, source, key, given.get("account_name") or None)

    def cell(self, line: int, account: str, source: SourceName, key: str, account_name: str | None) -> None:
        """Take one cell, unless it was there before or can't be meant."""
        where = f"line {line}, {source}"
        if SHORTENED.fullmatch(key):
            self.problems.append(f"{where}: {key!r} {LOST_DIGITS}")
            return
        value = None if key.lower() == ABSENT else key
        said = self._said.setdefault((to_18(account).upper(), source), {})
        if value in said:
            self.problems.append(f"{where}: the same as in line {said[value]}")
        elif said and (value is None or None in said):
            self.problems.append(f"{where}: {ABSENT} and a key for one account, see line {min(said.values())}")
        else:
            said[value] = line
            self.links.append(FileLink(account, source, value, line, account_name))

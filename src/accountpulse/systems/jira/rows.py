"""Issues and histories → columns, slice by slice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import ISSUE_MOVES, ISSUES, KEYS
from accountpulse.systems.jira.links import Links
from accountpulse.systems.jira.site import Site, names_of
from accountpulse.systems.jira.wire import Changelog, Fields, Issue, IssueHistory, Named, milliseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMPTY = Fields()


@dataclass(frozen=True)
class IssueReader:
    """What is needed to read an issue: the site, the accounts' keys, and the instants of the run."""

    site: Site
    links: Links
    scope: Scope
    critical: frozenset[str]  # names and ids of the priorities that are; small letters
    critical_known: bool
    _judged: dict[tuple[str | int | None, str | None], bool] = field(default_factory=dict)

    def is_critical(self, priority: Named | None) -> bool | None:
        """Whether a priority is one of the configured ones; null where the site has none of them."""
        if not self.critical_known:
            return None
        if priority is None:
            return False
        name = priority.id, priority.name
        if name not in self._judged:
            self._judged[name] = not self.critical.isdisjoint(names_of(priority))
        return self._judged[name]


class IssueBatch:
    """The issues of one slice as columns, with the histories that came with them.

    `to_read` are the issues whose histories are still to be fetched.
    """

    def __init__(self, reader: IssueReader) -> None:
        """Empty."""
        self.to_read: list[str] = []
        self.unreadable = False  # histories were asked for, and none came
        self._reader = reader
        self._until = ceiled(reader.scope.as_of)
        self._since = ceiled(reader.scope.window.start)
        self._ids: list[str] = []
        self._keys: list[int] = []  # numbers in `_sets`
        self._created: list[int] = []
        self._done: list[bool] = []
        self._resolved: list[int | None] = []
        self._critical: list[bool | None] = []
        self._sets: dict[tuple[str, ...], int] = {}  # of keys, each once: they repeat, and lists cost
        self._moves = Moves(reader.site, self._since)

    def add(self, rows: Sequence[Issue]) -> None:
        """Take the issues that were there at the period's end, and then open or touched since the window's start."""
        for issue in rows:
            if issue.created < self._until:
                self._add(issue, issue.fields or _EMPTY)

    def _add(self, issue: Issue, fields: Fields) -> None:
        done = self._reader.site.is_done(fields.status, fields.resolutiondate)
        changed = milliseconds(fields.statuscategorychangedate)
        touched = issue.created >= self._since or self._touched(fields, changed)
        if done and not touched:
            return
        keys = self._reader.links.of(issue.id, fields)
        resolved = milliseconds(fields.resolutiondate) if done and fields.resolutiondate is not None else changed
        self._ids.append(issue.id)
        self._keys.append(self._sets.setdefault(keys, len(self._sets)))
        self._created.append(issue.created)
        self._done.append(done)
        self._resolved.append(resolved if done else None)
        self._critical.append(self._reader.is_critical(fields.priority))
        # Cloud says when it last went into or out of done
        if touched and (changed is None or changed >= self._since):
            self._note(issue)

    def _touched(self, fields: Fields, changed: int | None) -> bool:
        """Whether anything happened to it since the window's start; not known counts as yes."""
        updated = milliseconds(fields.updated)
        if updated is None or updated >= self._since or (changed is not None and changed >= self._since):
            return True
        resolved = milliseconds(fields.resolutiondate)
        return resolved is not None and resolved >= self._since

    def _note(self, issue: Issue) -> None:
        """Take the moves that came with it; those that didn't are still to be read."""
        if issue.changelog is not None:
            self._moves.add(issue.id, issue.changelog.histories)
        elif not self._reader.site.cloud:
            self.unreadable = True
            return
        if issue.changelog is None or not _reaches_back(issue.changelog, self._since):
            self.to_read.append(issue.id)

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The two tables of this slice."""
        keys = pl.Series("keys", list(self._sets), dtype=KEYS).gather(pl.Series(self._keys, dtype=pl.UInt32))
        columns = (self._ids, keys, self._created, self._done, self._resolved, self._critical)
        return pl.DataFrame(dict(zip(ISSUES, columns, strict=True)), schema=ISSUES), self._moves.frame()


class Moves:
    """Changes into and out of done since an instant (milliseconds since 1970), as columns."""

    def __init__(self, site: Site, since: int) -> None:
        """Empty."""
        self._site = site
        self._since = since
        self._columns: dict[str, list[object]] = {name: [] for name in ISSUE_MOVES}

    def add(self, issue: str, histories: Iterable[IssueHistory]) -> None:
        """Take what moved an issue."""
        columns = self._columns
        for history in histories:
            moved = self._site.moved(history.items)
            if moved is None or moved[0] == moved[1]:
                continue
            at = milliseconds(history.created)
            if at is not None and at >= self._since:
                columns["issue_id"].append(issue)
                columns["at"].append(at)
                columns["from_done"].append(moved[0])
                columns["to_done"].append(moved[1])

    def frame(self) -> pl.DataFrame:
        """The table."""
        return pl.DataFrame(self._columns, schema=ISSUE_MOVES)


def _reaches_back(changelog: Changelog, since: int) -> bool:
    """Whether a search's changelog has all histories from `since` on: it comes newest first, and may be cut."""
    if changelog.total is None or changelog.total <= len(changelog.histories):
        return True
    oldest = [milliseconds(history.created) or since for history in changelog.histories]
    return bool(oldest) and min(oldest) < since


def ceiled(moment: datetime) -> int:
    """Milliseconds since 1970, rounded up: whole milliseconds lie before it just where they did."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))


def merged(frames: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All slices as the two tables, each row once, in an order of their own.

    An issue that several queries found has the keys of all. A done issue without any date takes that of its last
    move into done.
    """
    issues = pl.concat([pl.DataFrame(schema=ISSUES), *(issues for issues, _ in frames)])
    moves = pl.concat([pl.DataFrame(schema=ISSUE_MOVES), *(moves for _, moves in frames)])
    if issues["issue_id"].is_duplicated().any():
        rest = [pl.col(name).first() for name in ISSUES if name not in ("issue_id", "keys")]
        keys = pl.col("keys").explode().drop_nulls().unique().sort()
        issues = issues.group_by("issue_id").agg(keys, *rest)
    moves = moves.unique().sort("issue_id", "at", "from_done", "to_done")
    into_done = moves.filter(pl.col("to_done") & ~pl.col("from_done"))
    last = into_done.group_by("issue_id").agg(last=pl.col("at").max())
    resolved = pl.when("done").then(pl.coalesce("resolved_at", "last"))
    issues = issues.join(last, on="issue_id", how="left").with_columns(resolved_at=resolved)
    return issues.select(*ISSUES).sort("created_at", "issue_id"), moves

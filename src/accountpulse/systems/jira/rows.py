"""Issues and histories → rows, slice by slice."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import ISSUE_MOVES, ISSUES, KEYS, Columns
from accountpulse.systems.jira.history import NOTHING, RESOLVED, HistoryReader, Life, Present
from accountpulse.systems.jira.links import Links, Owned
from accountpulse.systems.jira.site import Priorities, Site
from accountpulse.systems.jira.wire import Fields, Issue, Named, later_date

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMPTY = Fields()
_PACK = msgspec.msgpack.Encoder().encode

# issues whose histories are still to be read; `present` is a Present, packed: one column costs less than its seven
UNREAD: Columns = {"issue_id": pl.String, "present": pl.Binary, "bare": pl.Boolean}
# metrics that an issue leaves unknown; `bare`: if other issues of the site have histories
DOUBTS: Columns = {"issue_id": pl.String, "metric": pl.String, "bare": pl.Boolean}
LOST: Columns = {"key": pl.String}  # keys of whose bugs nothing is known

TableRows = Sequence[tuple[object, ...]]  # of one table: values in the order of its columns


@dataclass(frozen=True)
class IssueReader:
    """What is needed to read an issue: the site, the accounts' keys, and the instants of the run."""

    site: Site
    links: Links
    scope: Scope
    priorities: Priorities
    history: HistoryReader
    meanings: dict[Hashable, tuple[str, bool | None, bool | None]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, site: Site, links: Links, scope: Scope, priorities: Priorities) -> "IssueReader":
        """With the reader of histories that belongs to it."""
        history = HistoryReader(site.done, ceiled(scope.window.start), ceiled(scope.as_of))
        return cls(site, links, scope, priorities, history)

    def present(self, fields: Fields, created: int) -> Present:
        """An issue as it is now."""
        status, done, critical = self._meanings(fields)
        updated = later_date(fields.updated, created, None)
        resolved = later_date(fields.resolutiondate, created, updated)
        changed = later_date(fields.statuscategorychangedate, created, updated)
        return Present(status, done, critical, created, updated, resolved, changed)

    def _meanings(self, fields: Fields) -> tuple[str, bool | None, bool | None]:
        """The status' id, whether it is done, and whether the priority is critical: the same come again and again."""
        status, priority = fields.status, fields.priority
        category = status.status_category.key if status is not None and status.status_category is not None else None
        named = (priority.id, priority.name) if isinstance(priority, Named) else priority
        shown = (status and (status.id, status.status_category is None, category), named, fields.resolutiondate is None)
        if shown not in self.meanings:
            critical = self.priorities.is_critical(priority) if self.priorities.known else False
            done = self.site.is_done(status, fields.resolutiondate)
            self.meanings[shown] = (status.id if status is not None else "", done, critical)
        return self.meanings[shown]


class IssueBatch:
    """The issues of one slice as rows (ISSUES), with what their histories say.

    `asked` are the keys whose query found them. `unread` are the issues whose histories are still to be read (UNREAD);
    `bare` ones came without any, though it had been asked for. `suspects` may have been found by a key that they don't
    show.
    """

    def __init__(
        self,
        reader: IssueReader,
        asked: frozenset[str] = frozenset(),
        unread: Callable[[Sequence[tuple[str, bytes]]], None] = lambda _issues: None,
    ) -> None:
        """Empty. `unread` is told of each page's unread issues, and what they are now."""
        self.came = 0
        self.outside = 0  # of another time
        self.undated = 0  # came without the time of its creation
        self.has_histories = False  # whether any entry of a history came
        self.suspects: list[str] = []
        self.lives = Lives()
        self.issues: list[tuple[object, ...]] = []
        self.unread: list[tuple[str, bytes, bool]] = []
        self._reader = reader
        self._asked = asked
        self._tell_unread = unread
        self._until, self._since = reader.history.until, reader.history.since
        self._suspicion: dict[Owned, bool] = {}  # the same keys come again and again

    def add(self, rows: Sequence[Issue]) -> None:
        """Take the issues that were there at the period's end, and then open or touched since the window's start."""
        self.came += len(rows)
        before = len(self.unread)
        for issue in rows:
            if issue.created is None:
                self._add_undated(issue)
            elif issue.created < self._until:
                self._add(issue, issue.fields or _EMPTY, issue.created)
            else:
                self.outside += 1
        self._tell_unread([(issue, present) for issue, present, _bare in self.unread[before:]])

    def _add_undated(self, issue: Issue) -> None:
        """An issue without the time of its creation is in no window: its accounts' bugs aren't known."""
        self.undated += 1
        owned = self._reader.links.of(issue.id, issue.fields or _EMPTY)
        self.lives.lose(owned.keys)
        if self._is_suspect(owned):
            self.suspects.append(issue.id)

    def _add(self, issue: Issue, fields: Fields, created: int) -> None:
        present = self._reader.present(fields, created)
        touched = created >= self._since or self._touched(present)
        if present.done and not touched:
            self.outside += 1
            return
        owned = self._reader.links.of(issue.id, fields)
        is_suspect = self._suspicion.get(owned)
        if is_suspect is None:
            is_suspect = self._suspicion[owned] = self._is_suspect(owned)
        if is_suspect:
            self.suspects.append(issue.id)
        resolved = None
        if present.done:
            resolved = present.resolved if present.resolved is not None else present.changed
        critical = present.critical if self._reader.priorities.known else None
        self.issues.append((issue.id, owned.keys, created, present.done, resolved, critical))
        if fields.resolutiondate is not None and present.resolved is None:  # at a time that can't be
            self.lives.add(issue.id, Life(doubts=set(RESOLVED)))
        self._read(issue, present, touched=touched)

    def _is_suspect(self, owned: Owned) -> bool:
        """Whether a key may have found it that it doesn't show; words in a text are found by design."""
        hidden = not self._reader.links.is_text and self._asked.isdisjoint(owned.keys)
        return bool(self._asked) and (hidden or not owned.certain)

    def _touched(self, present: Present) -> bool:
        """Whether anything happened to it since the window's start; not known counts as yes."""
        if present.updated is None or present.updated >= self._since:
            return True
        changed, resolved = present.changed, present.resolved
        return (changed is not None and changed >= self._since) or (resolved is not None and resolved >= self._since)

    def _read(self, issue: Issue, present: Present, *, touched: bool) -> None:
        """What its history says, if it came whole; Cloud says when its status category last changed."""
        history, changelog = self._reader.history, issue.changelog
        if not touched or (present.changed is not None and present.changed < self._since):
            self.lives.add(issue.id, history.unmoved(present))
        elif changelog is not None and changelog.is_whole:
            self.has_histories = self.has_histories or bool(changelog.histories)
            self.lives.add(issue.id, history.whole(changelog.histories, present))
        else:
            self.has_histories = self.has_histories or changelog is not None
            bare = changelog is None and not self._reader.site.cloud
            self.unread.append((issue.id, _PACK(present), bare))


class Lives:
    """What is known of several issues' lives, as rows: their moves, and what they leave unknown."""

    def __init__(self) -> None:
        """Empty."""
        self._moves: list[tuple[object, ...]] = []
        self._doubts: list[tuple[object, ...]] = []
        self._lost: set[str] = set()

    def add(self, issue: str, life: Life) -> None:
        """Take what is known of an issue."""
        if life is NOTHING:
            return
        for at, before, after in life.moves:
            self._moves.append((issue, at, before, after))
        if life.doubts or life.bare:
            self._doubts += [(issue, metric, False) for metric in sorted(life.doubts)]
            self._doubts += [(issue, metric, True) for metric in sorted(life.bare - life.doubts)]

    def lose(self, keys: Iterable[str]) -> None:
        """Nothing is known of the bugs of these keys."""
        self._lost.update(keys)

    def rows(self) -> Mapping[str, TableRows]:
        """The rows of each table that has any."""
        lost = [(key,) for key in sorted(self._lost)]
        found: dict[str, TableRows] = {"issue_moves": self._moves, "doubts": self._doubts, "lost": lost}
        return {name: rows for name, rows in found.items() if rows}


def framed(rows: TableRows, columns: Columns) -> pl.DataFrame:
    """A table of rows."""
    if not rows:
        return pl.DataFrame(schema=columns)
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    return pl.DataFrame({k: _lists(v) if columns[k] == KEYS else v for k, v in values.items()}, schema=columns)


def _lists(sets: Sequence[tuple[str, ...]]) -> pl.Series:
    """Several keys each, as a column: each set once, and by way of one long column, since lists are taken singly."""
    places = {keys: place for place, keys in enumerate(dict.fromkeys(sets))}
    long = [(place, key) for keys, place in places.items() for key in keys or (None,)]
    flat = framed(long, {"place": pl.UInt32, "keys": pl.String})
    each_once = flat.group_by("place", maintain_order=True).agg(pl.col("keys").drop_nulls())["keys"]
    return each_once.gather(pl.Series([places[keys] for keys in sets], dtype=pl.UInt32))


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

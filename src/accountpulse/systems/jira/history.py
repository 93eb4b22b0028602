"""What an issue's history says: whether it was done at an instant, when it moved, and what of that can't be known.

Between two moves an issue stands in one status. What that status means is the site's list's to say; a status that is
no longer listed is judged by what stood beside it (a resolution that was set or cleared with the move, the present
resolution, the present state) or by nobody. A history is held against the present status, against the time when the
status category last changed (Cloud) and against the time of the present resolution: where it lacks a move that these
show, what lies between is unknown.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise, permutations
from typing import NamedTuple

from accountpulse.systems.jira.wire import Change, IssueHistory, milliseconds

TOLERANCE = (
    60_000  # milliseconds: an issue, its history and its fields are written by several clocks, one after another
)
MOST_TIES = 6  # moves of one instant whose order is looked for
STATE = ("open_bugs", "critical_bugs", "avg_resolution_days", "bug_trend")  # what rests on the state at `as_of`
RESOLVED = ("avg_resolution_days", "bug_trend")
_NEVER, _ALWAYS = -(2**62), 2**62

Move = tuple[int, bool, bool]  # at, done before, done after


class Present(NamedTuple):
    """An issue as it is now; times in milliseconds since 1970.

    `status` "": not told. `done` None: unknown. `resolved` is the time of its present resolution, `changed` when its
    status category last changed (Cloud). `critical` None: its priority says nothing.
    """

    status: str
    done: bool | None
    critical: bool | None
    created: int
    updated: int | None
    resolved: int | None
    changed: int | None


@dataclass(slots=True)
class Life:
    """What is known of an issue: its moves, and the metrics that it leaves unknown.

    A move from a state to the same says what was so at that instant. `bare` are metrics that are unknown if other
    issues of the site have histories: then this one's is missing; a site without any is judged by its dates.
    """

    moves: list[Move] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


NOTHING = Life()  # of an issue that leaves nothing to say


class _HistoryEntry(NamedTuple):
    """The changes of status in one entry of a history, in order; `resolved` None: the resolution didn't change."""

    at: int
    number: str | int | None
    steps: tuple[tuple[str | None, str | None], ...]
    resolved: tuple[bool, bool] | None


@dataclass(frozen=True)
class HistoryReader:
    """Reads histories of one site. `done` has the statuses whose meaning is known; `since` to `until` is the window."""

    done: Mapping[str, bool]
    since: int
    until: int

    def whole(self, histories: Sequence[IssueHistory], present: Present) -> Life:
        """A history that has come whole."""
        try:
            life = self._plain(histories, present)
        except TypeError:  # a status that is a list or an object
            life = None
        if life is not None:
            return life
        entries, resolutions = _entries(histories)
        if not entries and present.changed is None and self.unexplained(present, (), resolutions) is not None:
            return self.without(present)  # its resolution came without an entry: others may be missing, too
        return _Chain(self, present, entries, resolutions).life()

    def _plain(self, histories: Sequence[IssueHistory], present: Present) -> Life | None:
        """What `_Chain` comes to for a history without any doubt, as nearly all are, in a fraction of the time."""
        steps = [
            (milliseconds(history.created) or 0, item.before, item.after)
            for history in histories
            for item in history.items
            if item.field == "status" and item.fieldtype != "custom"
        ]
        if not steps and histories:  # they may tell of it in other words
            return None
        if len(steps) > 1 and steps[0][0] > steps[-1][0]:
            steps.reverse()
        status, state, then, moves = present.status, present.done, None, list[Move]()
        if steps:
            status, state = steps[0][1], self._means(steps[0][1])
        last = crossed = _NEVER
        for at, before, after in steps:
            left = self._means(after)
            if at <= last or before != status or state is None or left is None:
                return None
            if then is None and at >= self.until:
                then = state
            if state is not left:
                crossed = at
                if at >= self.since:
                    moves.append((at, state, left))
            last, status, state = at, after, left
        if state is None or status != present.status or state is not present.done:
            return None
        if self.denies(present, crossed) or self.unexplained(present, [step[0] for step in steps]) is not None:
            return None
        if then is not None and self.by_present(present) is not None:
            then = state  # nothing has changed since, whatever small difference of clocks says
        return self.told(Life(moves), present, then=state if then is None else then)

    def _means(self, status: object) -> bool | None:
        """Whether a status of a history is a done one; None: not known."""
        return self.done.get(status) if isinstance(status, str) else None

    def denies(self, present: Present, crossed: int) -> bool:
        """Whether the category is said to have changed last before this move into or out of done."""
        return present.changed is not None and crossed > present.changed + TOLERANCE

    def unexplained(self, present: Present, moves: Sequence[int], resolutions: Sequence[int] = ()) -> int | None:
        """When something is said to have happened last that none of the moves shows.

        The category's change, where it is told; else the present resolution of a done issue. What lies before the
        window, or goes with the issue's creation, needn't be explained.
        """
        date = present.changed
        if date is None:
            date, moves = present.resolved if present.done else None, (*moves, *resolutions)
        if date is None or date < self.since or abs(date - present.created) <= TOLERANCE:
            return None
        for at in moves:
            if abs(at - date) <= TOLERANCE:
                return None
        return date

    def cut(self, histories: Sequence[IssueHistory], present: Present) -> Life:
        """A history of which only the newest part can be had."""
        return _Chain(self, present, *_entries(histories), is_cut=True).life()

    def without(self, present: Present) -> Life:
        """An issue whose history didn't come: its dates say what they can."""
        life, then = Life(), self.by_present(present)
        if not self._is_old(present):
            life.bare.add("reopened_bugs")
        if then is None and present.done is not None:
            date = present.resolved if present.resolved is not None else present.changed
            if present.done and date is not None:
                then = date < self.until
            life.bare.update(STATE if then is not None else ())
        if then and present.resolved is None and present.changed is None and not self._is_old(present):
            life.doubts.update(RESOLVED)
        return self.told(life, present, then=then)

    def _is_old(self, present: Present) -> bool:
        """Whether nothing has happened to an issue since the window's start."""
        return present.updated is not None and present.updated < self.since

    def unmoved(self, present: Present) -> Life:
        """An issue that wasn't moved since the window's start."""
        if present.done is False and present.critical is not None:
            return NOTHING
        return self.told(Life(), present, then=present.done)

    def by_present(self, present: Present) -> bool | None:
        """Whether it was done at `until`, where nothing of it has changed since: then as it is now."""
        category_stands = present.changed is not None and present.changed < self.until
        untouched = present.updated is not None and present.updated < self.until
        return present.done if category_stands or untouched else None

    def told(self, life: Life, present: Present, *, then: bool | None) -> Life:
        """With what the state at `until` leaves unknown, and with a row for that state where nothing else says it."""
        if present.critical is None and then is not True:
            life.doubts.add("critical_bugs")
        if then is None:
            life.doubts.update(name for name in STATE if name != "critical_bugs" or present.critical is not False)
        elif then != self._measured(life.moves, present):
            life.moves.append((self.until - 1, then, then))
        return life

    def _measured(self, moves: Sequence[Move], present: Present) -> bool | None:
        """The state at `until` as it is measured from these rows: the last move before, the next one, the dates."""
        if moves:
            before = [move for move in moves if move[0] < self.until]
            return max(before)[2] if before else min(moves)[1]
        resolved = present.resolved if present.resolved is not None else present.changed
        return present.done and (resolved is None or resolved < self.until)

    def in_window(self, at: int) -> bool:
        """Whether an instant lies in the window."""
        return self.since <= at < self.until


class _Chain:
    """One issue's history, as occupations: number k lies between move k - 1 and move k."""

    def __init__(
        self,
        reader: HistoryReader,
        present: Present,
        entries: list[_HistoryEntry],
        resolutions: Sequence[int],
        *,
        is_cut: bool = False,
    ) -> None:
        self.reader = reader
        self.present = present
        self.resolutions = resolutions
        self.came_from = min((entry.at for entry in entries), default=_ALWAYS) if is_cut else _NEVER
        self.at: list[int] = []
        self.steps: list[tuple[str | None, str | None]] = []
        self.resolved = [False]  # for each occupation: whether a resolution is known to have stood in it
        for entry in _ordered(entries, present.status):
            before, after = entry.resolved or (self.resolved[-1], self.resolved[-1])
            self.resolved[-1] = before
            for step in entry.steps:
                self.at.append(max(entry.at, self.at[-1]) if self.at else entry.at)
                self.steps.append(step)
                self.resolved.append(False)
            self.resolved[-1] = after
        self.gaps: list[tuple[int, int]] = []  # stretches in which moves are missing
        self.done = [self._done(number) for number in range(len(self.at) + 1)]

    def life(self) -> Life:
        """What is known of the issue."""
        self._hold_against_dates()
        life = Life(self._moves())
        then = self._then()
        reopened = any(before and not after and self.reader.in_window(at) for at, before, after in life.moves)
        if not reopened and self._may_be_reopened():
            life.doubts.add("reopened_bugs")
        if then and not self._knows_when_done():
            life.doubts.update(RESOLVED)
        return self.reader.told(life, self.present, then=then)

    # --- what each status meant

    def _start(self, number: int) -> int:
        return self.at[number - 1] if number else _NEVER

    def _end(self, number: int) -> int:
        return self.at[number] if number < len(self.at) else _ALWAYS

    def _done(self, number: int) -> bool | None:
        """Whether an occupation was a done one."""
        is_last = number == len(self.at)
        came = self.steps[number - 1][1] if number else None
        left = self.present.status or None if is_last else self.steps[number][0]
        if came is not None and left is not None and came != left and not (is_last and self._is_renamed(came)):
            self.gaps.append((self._start(number), self._end(number)))
            return None
        if is_last:
            return self.present.done
        known = self.reader.done.get(came or left or "")
        if known is None and (self.resolved[number] or self._is_resolved_by(self._start(number))):
            return True
        return known

    def _is_renamed(self, came: str) -> bool:
        """Whether the last status was exchanged for another of its category: that one hasn't changed since."""
        changed = self.present.changed
        stands = changed is not None and bool(self.at) and changed <= self.at[-1] + TOLERANCE
        return stands and self.reader.done.get(came) is self.present.done

    def _is_resolved_by(self, at: int) -> bool:
        """Whether the present resolution stood already."""
        resolved = self.present.resolved
        return bool(self.present.done) and resolved is not None and resolved <= at + TOLERANCE

    # --- against the present state and its dates

    def _hold_against_dates(self) -> None:
        if self.came_from > _NEVER:
            self.gaps.append((_NEVER, self.came_from))
        date = self.reader.unexplained(self.present, self.at, self.resolutions)
        if date is not None:
            self.gaps.append((self._start(bisect_left(self.at, date)), date))
        states = list(zip(self.at, pairwise(self.done), strict=True))
        crossings = [at for at, (before, after) in states if None not in (before, after) and before != after]
        if crossings and self.reader.denies(self.present, crossings[-1]):
            self.gaps.append((_NEVER, _ALWAYS))  # it says of itself that this move has never been

    # --- what follows

    def _then(self) -> bool | None:
        """Whether it was done at `until`."""
        until = self.reader.until
        number = bisect_left(self.at, until)
        found = self.done[number]
        now = self.reader.by_present(self.present)
        if any(start < until <= end for start, end in self.gaps):
            return None
        if found is None and self._is_resolved_by(until - 1 - TOLERANCE):
            return True
        return found if now is None else now

    def _may_be_reopened(self) -> bool:
        """Whether it may have gone from done to not done in the window, by a move that isn't known as one."""
        if any(start < self.reader.until and end >= self.reader.since for start, end in self.gaps):
            return True
        last = len(self.at)
        for number, known in enumerate(self.done):
            if known is None:
                before = self.done[number - 1] if number else False
                after = self.done[number + 1] if number < last else True
                if before is not False and self.reader.in_window(self._start(number)):
                    return True
                if after is not True and self.reader.in_window(self._end(number)):
                    return True
        return False

    def _knows_when_done(self) -> bool:
        """Whether it is known when it became done that was done at `until`, or that this was before the window."""
        date = self.present.resolved if self.present.resolved is not None else self.present.changed
        if self.present.done and date is not None and date < self.reader.until:
            return True
        number = bisect_left(self.at, self.reader.until)
        while number and self.done[number]:
            number -= 1
        entered = self.at[number] if number < len(self.at) else _NEVER
        in_gap = any(start <= entered <= end and end >= self.reader.since for start, end in self.gaps)
        return not in_gap and (self.done[number] is not None or entered < self.reader.since)

    def _moves(self) -> list[Move]:
        """The moves into and out of done since the window's start; one of which one side is known says that side."""
        found = []
        for number, at in enumerate(self.at):
            before, after = self.done[number], self.done[number + 1]
            if at >= self.reader.since and before is not after:
                known_before = after if before is None else before
                known_after = before if after is None else after
                if known_before is not None and known_after is not None:
                    found.append((at, known_before, known_after))
        return _apart(found, self.reader)


def _apart(moves: list[Move], reader: HistoryReader) -> list[Move]:
    """Moves of one instant a millisecond apart, since rows have no other order; none leaves the window's side."""
    if len({move[0] for move in moves}) == len(moves):
        return moves
    spread: list[Move] = []
    for at, group in groupby(moves, key=lambda move: move[0]):
        several = list(group)
        first = at - len(several) + 1
        crossed = any(first < edge <= at for edge in (reader.since, reader.until))
        base = at if crossed else first
        spread += [(base + place, before, after) for place, (_at, before, after) in enumerate(several)]
    return spread


# --- the order of a history --------------------------------------------------------------------------------------


def _entries(histories: Iterable[IssueHistory]) -> tuple[list[_HistoryEntry], list[int]]:
    """The entries that changed the status, each once by its number, and the times that changed the resolution.

    Entries without a number may be alike and yet two: there and back and there again, in one instant.
    """
    entries: dict[tuple[_HistoryEntry, int | None], _HistoryEntry] = {}
    resolutions: list[int] = []
    for place, history in enumerate(histories):
        moves: list[Change] = []
        resolution = None
        for item in history.items:
            what = item.what
            if what == "status":
                moves.append(item)
            elif what == "resolution":
                resolution = item
        at = milliseconds(history.created) if moves or resolution is not None else None
        if at is None:
            continue
        resolved = None
        if resolution is not None:
            resolutions.append(at)
            resolved = bool(resolution.before), bool(resolution.after)
        if moves:
            entry = _HistoryEntry(at, history.id, _chained(moves), resolved)
            entries[entry, place if entry.number is None else None] = entry
    return list(entries.values()), resolutions


def _chained(moves: Sequence[Change]) -> tuple[tuple[str | None, str | None], ...]:
    """Several changes of status in one entry, each going on where the one before it ended."""
    steps = [(_text(move.before), _text(move.after)) for move in moves]
    if len(steps) == 1:
        return (steps[0],)
    several = list(dict.fromkeys(steps))
    if len(several) > MOST_TIES:
        return tuple(several)
    return tuple(min(permutations(several), key=_breaks))


def _text(status: object) -> str | None:
    """A status' id as text; a number that is written as one is the same id."""
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    return None if status is None or status == "" else str(status)


def _breaks(steps: Iterable[tuple[str | None, str | None]], first: str | None = None, last: str | None = None) -> int:
    """How often a step doesn't begin where the one before it ended."""
    several = list(steps)
    ends = [first, *(after for _before, after in several)]
    starts = [*(before for before, _after in several), last]
    return sum(bool(end and start and end != start) for end, start in zip(ends, starts, strict=True))


def _ordered(entries: list[_HistoryEntry], status: str) -> Sequence[_HistoryEntry]:
    """The entries from the oldest to the newest, by their times; those of one time as they lead on.

    Where times don't lead on, the numbers may: servers of one site have several clocks.
    """
    if len(entries) > 1 and entries[0].at > entries[-1].at:
        entries = entries[::-1]
    by_time = sorted(entries, key=lambda entry: entry.at)
    if _is_unbroken(by_time, status):
        return by_time
    candidates = [by_time, _ties_led_on(by_time, status)]
    numbers = [int(str(entry.number)) for entry in entries if str(entry.number).isdecimal()]
    if len(set(numbers)) == len(entries):
        candidates.append(sorted(entries, key=lambda entry: int(str(entry.number))))
    return min(candidates, key=lambda order: _breaks([step for entry in order for step in entry.steps], last=status))


def _is_unbroken(entries: Sequence[_HistoryEntry], status: str) -> bool:
    end: str | None = None
    for entry in entries:
        for before, after in entry.steps:
            if end and before and end != before:
                return False
            end = after
    return not (end and status and end != status)


def _ties_led_on(entries: Sequence[_HistoryEntry], status: str) -> list[_HistoryEntry]:
    """The entries, with those of one instant in the order that has the fewest breaks over the whole history."""
    breaks: dict[str | None, int] = {None: 0}  # last status → breaks of the best way to it
    steps: list[
        dict[str | None, tuple[str | None, Sequence[_HistoryEntry]]]
    ] = []  # of each instant: whence, in what order
    for _at, tied in groupby(entries, key=lambda entry: entry.at):
        group = list(tied)
        further, step = dict[str | None, int](), dict[str | None, tuple[str | None, Sequence[_HistoryEntry]]]()
        for order in permutations(group) if len(group) <= MOST_TIES else (group,):
            last = order[-1].steps[-1][1]
            for end, before in breaks.items():
                so_far = before + _breaks_of(order, end, None)
                if last not in further or so_far < further[last]:
                    further[last], step[last] = so_far, (end, order)
        breaks = further
        steps.append(step)
    end = min(breaks, key=lambda last: breaks[last] + bool(last and status and last != status))
    found: list[_HistoryEntry] = []
    for step in reversed(steps):
        end, best = step[end]
        found += reversed(best)
    return found[::-1]


def _breaks_of(order: Sequence[_HistoryEntry], first: str | None, last: str | None) -> int:
    return _breaks([step for entry in order for step in entry.steps], first, last)

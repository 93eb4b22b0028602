"""Bug metrics out of Jira's raw answers, with the sandbox's mapping: components, and the usual critical priorities."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mutations.proxy import Exchanged

CRITICAL = ("Highest", "Blocker", "Critical")
DAY = 86_400
Measures = dict[str, float | None]


class Move(NamedTuple):
    """A step of one issue between statuses: when (seconds), and whether they mean done."""

    at: float
    before: bool
    after: bool


def measured(
    answers: Sequence[Exchanged], keys: Mapping[str, Sequence[str]], start: datetime, end: datetime
) -> dict[str, Measures]:
    """Account → the five bug metrics."""
    done = {status["id"]: _is_done(status) for status in _list(answers, "/status")}
    histories = _histories(answers)
    issues = list(_issues(answers).values())
    first, last = start.timestamp(), end.timestamp()
    found = {}
    for account, its in keys.items():
        mine = [each for each in issues if set(its) & {part["name"] for part in each["fields"]["components"] or ()}]
        lives = [_life(each, histories.get(each["id"], ()), done) for each in mine]
        found[account] = _metrics([each for each in lives if each.created < last], first, last)
    return found


class Life(NamedTuple):
    """One issue, as it went."""

    created: float
    moves: Sequence[Move]
    done_now: bool
    resolved: float | None  # by its fields
    critical: bool

    def done_at(self, at: float) -> bool:
        """Whether it was done at an instant."""
        past = [move for move in self.moves if move.at < at]
        if past:
            return past[-1].after
        later = [move for move in self.moves if move.at >= at]
        if later:
            return later[0].before
        return self.done_now and (self.resolved is None or self.resolved < at)

    def resolved_before(self, at: float) -> float | None:
        """When it became done for the last time before an instant, where it was done then."""
        if not self.done_at(at):
            return None
        if self.done_now and self.resolved is not None and self.resolved < at:
            return self.resolved
        into = [move.at for move in self.moves if move.after and not move.before and move.at < at]
        return into[-1] if into else self.resolved


def _metrics(lives: Sequence[Life], first: float, last: float) -> Measures:
    unresolved = [each for each in lives if not each.done_at(last)]
    pairs = [(each.created, each.resolved_before(last)) for each in lives]
    resolved = [(created, at) for created, at in pairs if at is not None and first <= at < last]
    reopened = [
        each for each in lives if any(first <= move.at < last and move.before and not move.after for move in each.moves)
    ]
    created = sum(first <= each.created < last for each in lives)
    days = [(at - created) / DAY for created, at in resolved]
    return {
        "open_bugs": len(unresolved),
        "critical_bugs": sum(each.critical for each in unresolved),
        "reopened_bugs": len(reopened),
        "avg_resolution_days": sum(days) / len(days) if days else None,
        "bug_trend": created / len(resolved) if resolved else float(created or 1),
    }


def _life(issue: Any, entries: Sequence[Any], done: Mapping[str, bool]) -> Life:
    fields = issue["fields"]
    moves = sorted(_moves(entries, done), key=lambda move: move.at)
    status = fields["status"]
    resolution = fields.get("resolutiondate") or fields.get("statuscategorychangedate")
    return Life(
        _seconds(fields["created"]),
        moves,
        done.get(status["id"], _is_done(status)),
        None if resolution is None else _seconds(resolution),
        (fields["priority"] or {}).get("name") in CRITICAL,
    )


def _moves(entries: Sequence[Any], done: Mapping[str, bool]) -> Iterator[Move]:
    """Steps of status; one that is listed no more means what the resolution beside it says."""
    for entry in entries:
        steps = [item for item in entry["items"] if item["field"] == "status"]
        solved = [item for item in entry["items"] if item["field"] == "resolution"]
        for step in steps:
            before, after = done.get(str(step["from"])), done.get(str(step["to"]))
            if solved:
                before = bool(solved[0]["from"]) if before is None else before
                after = bool(solved[0]["to"]) if after is None else after
            if before is not None and after is not None:
                yield Move(_seconds(entry["created"]), before, after)


def _is_done(status: Any) -> bool:
    return bool(status["statusCategory"]["key"] == "done")


def _seconds(time: str | float) -> float:
    if isinstance(time, int | float):
        return time / 1000
    read = datetime.fromisoformat(time)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


# --- what the answers hold


def _list(answers: Sequence[Exchanged], end: str) -> Any:
    return next(json.loads(each.answer.body) for each in answers if each.endpoint.endswith(end))


def _issues(answers: Sequence[Exchanged]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in answers:
        if each.endpoint.endswith(" page") and each.answer.status == 200:
            found.update((issue["id"], issue) for issue in json.loads(each.answer.body)["issues"])
    return found


def _histories(answers: Sequence[Exchanged]) -> dict[str, list[Any]]:
    """Every issue's history: fetched in bulk, or beside the issue."""
    found = {
        issue["id"]: list(issue["changelog"]["histories"])
        for issue in _issues(answers).values()
        if issue.get("changelog")
    }
    for each in answers:
        if each.answer.status != 200:
            continue
        if each.endpoint.endswith("/changelog/bulkfetch"):
            for one in json.loads(each.answer.body)["issueChangeLogs"]:
                found.setdefault(one["issueId"], []).extend(one["changeHistories"])
        elif each.endpoint.endswith("/issue/*"):
            issue = json.loads(each.answer.body)
            found[issue["id"]] = list(issue["changelog"]["histories"])
    return found

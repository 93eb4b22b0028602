"""One document a run, from its first moment to its summary: `runs/<period>/<run id>.json`; a snapshot's by its day.

A run that did not end well can be gone on with: the next run of the same period with the same settings takes over its
id, its instants and what it has read.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from accountpulse.core.period import Scope
from accountpulse.state.files import Files

RunState = Literal["begun", "stopped", "finished"]
RESUME_WITHIN = timedelta(hours=24)  # what was read is older than that: read it again


@dataclass(frozen=True)
class Unfinished:
    """A run that can be gone on with."""

    run_id: str
    as_of: datetime


class _RunDocument(msgspec.Struct):
    """What a run's document has to hold."""

    run_id: str
    period: str
    status: RunState
    fingerprint: str
    as_of: Annotated[datetime, msgspec.Meta(tz=True)]
    begun_at: Annotated[datetime, msgspec.Meta(tz=True)]
    snapshot: str | None = None  # the day; null: it is a month's
    # since it has ended
    problems: list[tuple[str, str, str]] = []
    failed: list[str] = []


# what a run that finished says beside; where one of an earlier version doesn't, the month can't be looked back on
FINISHED = frozenset({"as_of_day", "window_days", "failed", "signals_waived", "problems", "requests", "imbalance"})


class Runs:
    """The documents of all runs of months, or of all snapshots."""

    def __init__(self, files: Files, folder: str = "runs/") -> None:
        """Reads and writes through `files`; `folder` is where the documents lie."""
        self._files, self._folder = files, folder
        self._begun: dict[str, Any] = {}

    def begin(self, scope: Scope, run_id: str, fingerprint: str, now: datetime) -> None:
        """Note that a run has begun; one that is gone on with keeps its first moment."""
        name = self._name(scope.name, run_id)
        earlier = self._read(name) or {}
        facts = {
            "run_id": run_id,
            "period": scope.period.name,
            **({} if scope.snapshot is None else {"snapshot": scope.name}),
            "as_of": scope.as_of.isoformat(),
            "status": "begun",
            "begun_at": earlier.get("begun_at") or now.isoformat(),
            "fingerprint": fingerprint,
        }
        self._files.write_json(name, facts)
        self._begun = facts

    def end(self, scope: Scope, run_id: str, status: RunState, summary: Mapping[str, Any]) -> None:
        """Note how a run ended."""
        name = self._name(scope.name, run_id)
        facts = self._read(name) or self._begun  # what was damaged meanwhile is made anew
        self._files.write_json(name, {**facts, **summary, "status": status})

    def unfinished(self, name: str, fingerprint: str, now: datetime) -> Unfinished | None:
        """The last run of a month or day, where it did not finish, had the same settings, and is fresh enough."""
        runs = sorted(self.all(f"{name}/"), key=lambda facts: str(facts["begun_at"]))
        last = runs[-1] if runs else None
        if last is None or last["status"] == "finished" or last["fingerprint"] != fingerprint:
            return None
        if now - datetime.fromisoformat(last["begun_at"]) > RESUME_WITHIN:
            return None
        return Unfinished(last["run_id"], datetime.fromisoformat(last["as_of"]))

    def all(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """Every run's document, oldest month or day first; `prefix` may narrow it to one."""
        for name in list(self._files.names(f"{self._folder}{prefix}")):
            facts = self._read(name)
            if facts is not None:
                yield facts

    def last_finished(self, name: str) -> dict[str, Any] | None:
        """The document of the last run of a month or day that finished, or None."""
        done = [facts for facts in self.all(f"{name}/") if facts["status"] == "finished" and facts.keys() >= FINISHED]
        return max(done, key=lambda facts: str(facts["begun_at"]), default=None)

    def forget(self, account_id: str) -> None:
        """Take every word about an account out of every run's document, also where another's problem names it."""
        for name in list(self._files.names(self._folder)):
            facts = self._read(name) or {}
            rest = {key: _without(value, account_id[:15]) for key, value in facts.items()}
            if rest != facts:
                self._files.write_json(name, rest)

    def _read(self, name: str) -> dict[str, Any] | None:
        """A run's document; None, and set aside, where it isn't that of the run that it is named after."""
        facts = self._files.read_json(name, _RunDocument)
        if facts is not None and self._name(facts.get("snapshot") or facts["period"], facts["run_id"]) != name:
            self._files.set_aside(name, "is another run's document")
            return None
        return facts

    def _name(self, name: str, run_id: str) -> str:
        return f"{self._folder}{name}/{run_id}.json"


def _without(value: Any, mention: str) -> Any:
    """The value without its entries that mention an account; null where it does itself."""
    if isinstance(value, list):
        return [each for each in value if mention not in json.dumps(each)]
    return None if isinstance(value, str) and mention in value else value

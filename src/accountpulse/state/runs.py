"""One document a run, from its first moment to its summary: `runs/<period>/<run id>.json`.

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
    # since it has ended
    problems: list[tuple[str, str, str]] = []
    failed: list[str] = []


# what a run that finished says beside; where one of an earlier version doesn't, the month can't be looked back on
FINISHED = frozenset({"as_of_day", "window_days", "failed", "signals_waived", "problems", "requests", "imbalance"})


class Runs:
    """The documents of all runs."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files
        self._begun: dict[str, Any] = {}

    def begin(self, scope: Scope, run_id: str, fingerprint: str, now: datetime) -> None:
        """Note that a run has begun; one that is gone on with keeps its first moment."""
        earlier = self._read(_name(scope.period.name, run_id)) or {}
        facts = {
            "run_id": run_id,
            "period": scope.period.name,
            "as_of": scope.as_of.isoformat(),
            "status": "begun",
            "begun_at": earlier.get("begun_at") or now.isoformat(),
            "fingerprint": fingerprint,
        }
        self._files.write_json(_name(scope.period.name, run_id), facts)
        self._begun = facts

    def end(self, scope: Scope, run_id: str, status: RunState, summary: Mapping[str, Any]) -> None:
        """Note how a run ended."""
        name = _name(scope.period.name, run_id)
        facts = self._read(name) or self._begun  # what was damaged meanwhile is made anew
        self._files.write_json(name, {**facts, **summary, "status": status})

    def unfinished(self, period: str, fingerprint: str, now: datetime) -> Unfinished | None:
        """The period's last run, where it did not finish, had the same settings, and is fresh enough."""
        runs = sorted(self.all(f"{period}/"), key=lambda facts: str(facts["begun_at"]))
        last = runs[-1] if runs else None
        if last is None or last["status"] == "finished" or last["fingerprint"] != fingerprint:
            return None
        if now - datetime.fromisoformat(last["begun_at"]) > RESUME_WITHIN:
            return None
        return Unfinished(last["run_id"], datetime.fromisoformat(last["as_of"]))

    def all(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """Every run's document, oldest period first; `prefix` may narrow it to a period."""
        for name in list(self._files.names(f"runs/{prefix}")):
            facts = self._read(name)
            if facts is not None:
                yield facts

    def last_finished(self, period: str) -> dict[str, Any] | None:
        """The document of the period's last run that finished, or None."""
        done = [facts for facts in self.all(f"{period}/") if facts["status"] == "finished" and facts.keys() >= FINISHED]
        return max(done, key=lambda facts: str(facts["begun_at"]), default=None)

    def forget(self, account_id: str) -> None:
        """Take every word about an account out of every run's document, also where another's problem names it."""
        for name in list(self._files.names("runs/")):
            facts = self._read(name) or {}
            rest = {key: _without(value, account_id[:15]) for key, value in facts.items()}
            if rest != facts:
                self._files.write_json(name, rest)

    def _read(self, name: str) -> dict[str, Any] | None:
        """A run's document; None, and set aside, where it isn't that of the run that it is named after."""
        facts = self._files.read_json(name, _RunDocument)
        if facts is not None and _name(facts["period"], facts["run_id"]) != name:
            self._files.set_aside(name, "is another run's document")
            return None
        return facts


def _without(value: Any, mention: str) -> Any:
    """The value without its entries that mention an account; null where it does itself."""
    if isinstance(value, list):
        return [each for each in value if mention not in json.dumps(each)]
    return None if isinstance(value, str) and mention in value else value


def _name(period: str, run_id: str) -> str:
    return f"runs/{period}/{run_id}.json"

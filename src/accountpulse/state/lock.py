"""One run a period at a time: `locks/<period>.json` names the run that holds it, and until when it may.

A lock is stale when its time is over, or when its process is gone from this machine: then it is taken over, and the
reader told.
"""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accountpulse.core.errors import AlreadyRunning
from accountpulse.state.files import Files, encode

HAND_OVER = timedelta(minutes=15)
LONGEST = timedelta(hours=6)  # how long a run without a deadline may hold a period


@dataclass(frozen=True)
class Lock:
    """A held lock; `taken_over` tells of the run that left it behind."""

    name: str
    run_id: str
    token: str  # tells one holder from the next, also of the same run
    taken_over: str | None = None


class Locks:
    """The locks of all periods."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    @contextmanager
    def hold(self, period: str, run_id: str, now: datetime, limit: timedelta = LONGEST) -> Iterator[Lock]:
        """Hold the period while the body runs; AlreadyRunning where another process holds it."""
        lock = self._take(period, run_id, now, limit)
        try:
            yield lock
        finally:
            self.release(lock)

    def is_held(self, lock: Lock) -> bool:
        """Whether the lock is still ours: another run may have taken it over after its time."""
        facts = self._files.read_json(lock.name)
        return facts is not None and facts.get("token") == lock.token

    def hand_over(self, lock: Lock, now: datetime, limit: timedelta = HAND_OVER) -> None:
        """Keep the period for the next process of the same run, which has so long to take it."""
        found = self._files.store.read(lock.name)
        if found is not None and self.is_held(lock):
            facts = {"run_id": lock.run_id, "handed_over_at": now.isoformat(), "until": (now + limit).isoformat()}
            self._files.store.swap(lock.name, encode(facts), found.tag)

    def holder(self, period: str, now: datetime) -> str | None:
        """Who holds a period now, in words; None: nobody, or nobody any more."""
        facts = self._files.read_json(_name(period))
        return None if facts is None or _stale(facts, now) else _description(facts)

    def release(self, lock: Lock) -> None:
        """Give it back, if it is still ours."""
        if self.is_held(lock):
            self._files.store.remove(lock.name)

    def _take(self, period: str, run_id: str, now: datetime, limit: timedelta) -> Lock:
        name = _name(period)
        facts: dict[str, Any] = {
            "run_id": run_id,
            "token": secrets.token_hex(8),
            "host": socket.gethostname(),
            "process": os.getpid(),
            "process_began": _began(os.getpid()),
            "taken_at": now.isoformat(),
            "until": (now + limit).isoformat(),
        }
        content = encode(facts)
        if self._files.store.create(name, content):
            return Lock(name, run_id, facts["token"])
        found = self._files.store.read(name)
        other = None if found is None else self._files.document(name, found)
        if found is None or other is None:  # given back, or set aside, at this very moment
            if self._files.store.create(name, content):
                return Lock(name, run_id, facts["token"])
            raise AlreadyRunning(f"period {period} is being run by another process. Wait for it.")
        given = other.get("run_id") == run_id and "handed_over_at" in other
        if (given or _stale(other, now)) and self._files.store.swap(name, content, found.tag):
            return Lock(name, run_id, facts["token"], None if given else _description(other))
        raise AlreadyRunning(
            f"period {period} is being run by {_description(other)}. Wait for it; if that run is dead, remove "
            f"{self._files.store.place}/{name}."
        )


def _name(period: str) -> str:
    return f"locks/{period}.json"


def _description(facts: dict[str, Any]) -> str:
    if "handed_over_at" in facts:
        return f"run {facts.get('run_id')}, which goes on in a new process"
    return f"run {facts.get('run_id')} on {facts.get('host')} since {facts.get('taken_at')}"


def _stale(facts: dict[str, Any], now: datetime) -> bool:
    try:
        over = datetime.fromisoformat(facts["until"]) < now
    except (KeyError, TypeError, ValueError):
        return False
    here = facts.get("host") == socket.gethostname()
    return over or (here and _began(facts.get("process")) != facts.get("process_began"))


def _began(process: object) -> float | None:
    """When a process of this machine was started, which tells it from a later one with its number; None: it is gone."""
    import psutil

    try:
        return psutil.Process(process).create_time() if isinstance(process, int) else None
    except psutil.Error:
        return None

"""One run a period at a time: `locks/<period>.json` names the run that holds it, and gives a sign of life all along.

A lock is taken over, and the reader told, where its process is seen to be gone, or has given no sign of life for half a
minute. That is measured by a clock that nobody sets: the kernel's on the same machine; of another machine's lock it is
watched whether a sign comes. No time of the day takes a lock from a run that lives.
"""

import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from accountpulse.core.errors import AccountpulseError, AlreadyRunning
from accountpulse.core.period import is_day
from accountpulse.state import processes
from accountpulse.state.files import Files
from accountpulse.state.store import Blob

HAND_OVER = timedelta(minutes=15)
BEAT = 10.0  # seconds between two signs of life
MISSED = 3  # signs of life that a holder may miss
DIGEST = "digest"  # in place of a month: held while digests are sent
TRIES = 5  # of changing a lock that others change at the same time
Verdict = Literal["alive", "gone", "unseen"]
_OURS: set[str] = set()  # tokens of the locks that this process holds


class _LockDocument(msgspec.Struct):
    """What a lock has to hold. Without `beat_at` it is handed over, or of an earlier version: it ends at `until`."""

    run_id: str
    token: str | None = None
    boot: str | None = None
    pid_namespace: int | None = None
    process: int | None = None
    started_ticks: int | None = None
    beat_at: datetime | None = None
    beat_seconds: float = 0.0
    until: datetime | None = None

    def __post_init__(self) -> None:
        """A lock that could never end is none; to msgspec this is a ValidationError."""
        if self.beat_at is None and self.until is None:
            raise ValueError("neither a sign of life nor an end")


@dataclass(frozen=True)
class Lock:
    """A held lock; `taken_over` tells of the run that left it behind."""

    name: str
    run_id: str
    token: str  # tells one holder from the next, also of the same run
    taken_over: str | None = None


class Locks:
    """The locks of all periods."""

    def __init__(self, files: Files, beat: float = BEAT) -> None:
        """Reads and writes through `files`; `beat`: seconds between two signs of life, of all who share them."""
        self._files = files
        self._beat = beat
        self._writing = threading.Lock()  # a sign of life and a hand-over never cross

    @contextmanager
    def hold(self, period: str, run_id: str, now: datetime) -> Iterator[Lock]:
        """Hold the period while the body runs; AlreadyRunning where another process holds it."""
        token = secrets.token_hex(8)
        _OURS.add(token)
        try:
            lock = self._take(period, run_id, token, now)
            try:
                with self._beating(lock):
                    yield lock
            finally:
                with suppress(AccountpulseError):  # one that can't be given back ends with this process
                    self.release(lock)
        finally:
            _OURS.discard(token)

    def is_held(self, lock: Lock) -> bool:
        """Whether the lock is still ours: another run may have taken it over while this one slept."""
        facts = self._read(lock.name)[1]
        return facts is not None and facts.get("token") == lock.token

    def hand_over(self, lock: Lock, now: datetime, limit: timedelta = HAND_OVER) -> None:
        """Keep the period for the next process of the same run, which has so long to take it."""
        facts = {"run_id": lock.run_id, "handed_over_at": now.isoformat(), "until": (now + limit).isoformat()}
        with self._writing:
            self._replace(lock, facts)

    def holder(self, period: str, now: datetime) -> str | None:
        """Who holds a period now, in words; None: nobody, or nobody who gives a sign of life."""
        facts = self._read(_name(period))[1]
        return _description(facts) if facts is not None and self._verdict(facts, now) == "alive" else None

    def release(self, lock: Lock) -> None:
        """Give it back, if it is still ours."""
        if self.is_held(lock):
            self._files.store.remove(lock.name)

    def _take(self, period: str, run_id: str, token: str, now: datetime) -> Lock:
        name = _name(period)
        facts = {
            "run_id": run_id,
            "token": token,
            "machine": socket.gethostname(),
            "boot": processes.boot(),
            **processes.this_process(),
            "taken_at": now.isoformat(),
            **_beat(now),
        }
        for _ in range(TRIES):
            if self._files.create_json(name, facts):
                return Lock(name, run_id, token)
            found, other = self._read(name)
            if found is None or other is None:  # given back, or set aside, at this very moment
                continue
            if other.get("token") == token:  # ours, though the answer that said so was lost
                return Lock(name, run_id, token)
            given = other["run_id"] == run_id and "handed_over_at" in other
            if not given and not self._is_free(name, found, other, now):
                break
            lock = Lock(name, run_id, token, None if given else _description(other))
            if self._files.store.swap(name, self._files.encoded(name, facts), found.tag) or self.is_held(lock):
                return lock
        raise AlreadyRunning(self._refusal(period))

    def _refusal(self, period: str) -> str:
        other = self._read(_name(period))[1]
        who = "another process" if other is None else _description(other)
        what = "the digest is being sent" if period == DIGEST else f"{_titled(period)} is being run"
        soon = "once it gives no sign of life, it is free within a minute"
        if other is not None and "beat_at" not in other:
            soon = f"it is free at {other.get('until')}, or when you remove {self._files.store.place}/{_name(period)}"
        return f"{what} by {who}. Wait for it; if that run is dead, {soon}."

    def _is_free(self, name: str, found: Blob, other: Mapping[str, Any], now: datetime) -> bool:
        """Whether the holder is gone; where that can't be seen, it is watched for signs of life for a while."""
        verdict = self._verdict(other, now)
        if verdict != "unseen":
            return verdict == "gone"
        for _ in range(MISSED):
            time.sleep(self._beat)
            later = self._files.read(name)
            if later is None or later.tag != found.tag:
                return later is None
        return True

    def _verdict(self, facts: Mapping[str, Any], now: datetime) -> Verdict:
        lock = msgspec.convert(facts, _LockDocument)
        if lock.beat_at is None:
            over = lock.until is not None and _utc(lock.until) < now
            return "gone" if over else "alive"
        silence = MISSED * self._beat
        if lock.boot is not None and lock.boot == processes.boot():
            alive = processes.is_alive(msgspec.structs.asdict(lock))
            if alive and lock.process == processes.this_process()["process"] and lock.token not in _OURS:
                return "gone"  # of an earlier run of this very process, which could not give it back
            if alive is not None:
                return "alive" if alive else "gone"
            if (silent := time.monotonic() - lock.beat_seconds) >= 0:  # else a container with a clock of its own
                return "gone" if silent > silence else "alive"
        recent = abs((now - _utc(lock.beat_at)).total_seconds()) <= silence
        return "alive" if recent else "unseen"

    @contextmanager
    def _beating(self, lock: Lock) -> Iterator[None]:
        """Give signs of life from another thread while the body runs."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self._beat):
                with suppress(AccountpulseError), self._writing:  # the next may come through; loads look at the lock
                    self._replace(lock, _beat(datetime.now(UTC)), keep=True)

        thread = threading.Thread(target=beat, name="signs of life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(self._beat)

    def _replace(self, lock: Lock, facts: Mapping[str, Any], *, keep: bool = False) -> None:
        """Write what the lock says from now on, after what it said where that is kept; nothing if it isn't ours."""
        found, held = self._read(lock.name)
        if found is not None and held is not None and held.get("token") == lock.token:
            content = self._files.encoded(lock.name, {**held, **facts} if keep else facts)
            self._files.store.swap(lock.name, content, found.tag)

    def _read(self, name: str) -> tuple[Blob | None, dict[str, Any] | None]:
        """A lock's bytes and what they say."""
        found = self._files.read(name)
        return found, None if found is None else self._files.document(name, found, _LockDocument)


def _beat(now: datetime) -> dict[str, Any]:
    """A sign of life: the time of the day, and that of the kernel, which runs alike in all processes of a machine."""
    return {"beat_at": now.isoformat(), "beat_seconds": time.monotonic()}


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _titled(period: str) -> str:
    return f"the snapshot of {period}" if is_day(period) else f"period {period}"


def _name(period: str) -> str:
    return f"locks/{period}.json"


def _description(facts: Mapping[str, Any]) -> str:
    if "handed_over_at" in facts:
        return f"run {facts.get('run_id')}, which goes on in a new process"
    where = facts.get("machine") or facts.get("host")
    return f"run {facts.get('run_id')} on {where} since {facts.get('taken_at')}"

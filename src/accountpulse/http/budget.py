"""What a source costs, and what it may cost: requests, retries, seconds waited, and the run's own end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accountpulse.core.errors import OutOfTime

PATIENCE = 900.0  # seconds that one source may wait in all, because it asks for it or fails
UNREACHED = 1 / 15  # of a patience that is shorter, for one request to a system that can't be reached at all
GRACE = 30.0  # seconds before the run's end in which only what was begun elsewhere is ended, such as a bulk job
CUT = 1.0  # seconds before the run's end: a call that ends without an answer from here on was cut off by it


@dataclass
class RequestBudget:
    """Totals of one source in one run; shared by threads. `clock` stands in for time in tests."""

    ends: float | None = None  # on `clock`: no request is begun from here on; None: no deadline
    patience: float = PATIENCE
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    calls: int = 0  # requests sent, repeated ones included
    retries: int = 0
    waited: float = 0.0  # seconds in which anything of the source waited: waits side by side count once
    kept_back: float = 0.0  # seconds before the run's end that are for cleaning up alone
    _waits_until: float = 0.0  # on `clock`: the end of the last of the waits so far
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def sent(self, source: str) -> None:
        """One request of the named source goes out; OutOfTime where the run has no time left for it."""
        if self.left() <= 0:
            raise OutOfTime(source)
        with self._lock:
            self.calls += 1

    def retried(self, seconds: float) -> bool:
        """Whether a request may be repeated after a wait; where it may, the wait is counted."""
        with self._lock:
            ends = self.clock() + seconds
            more = max(0.0, min(seconds, ends - self._waits_until))
            if self.waited + more > self.patience or seconds >= self.left():
                return False
            self.retries += 1
            self.waited += more
            self._waits_until = max(self._waits_until, ends)
            return True

    def gives_up(self, seconds: float) -> bool:
        """Whether a request that does not reach its system is given up, rather than tried for so many seconds.

        Where somebody waits before the screen, most likely the address is wrong; in a run the system may come back.
        """
        return self.patience < PATIENCE and seconds > self.patience * UNREACHED

    def cut(self, source: str) -> None:
        """A request had no answer: OutOfTime where the run's end, and not the system, cut it off."""
        if self.left() < CUT:
            raise OutOfTime(source)

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """Inside, no request is repeated: for a last question whose answer nobody has to have."""
        patience, self.patience = self.patience, 0.0
        try:
            yield
        finally:
            self.patience = patience

    def left(self) -> float:
        """Seconds until the run's end, or until those that are kept back before it; infinite without one."""
        return float("inf") if self.ends is None else self.ends - self.clock() - self.kept_back

    @contextmanager
    def keeping_back(self, seconds: float = GRACE) -> Iterator[None]:
        """Inside, the run ends so much earlier, so that afterwards there is time to end what was begun here.

        OutOfTime of whoever asks inside; the seconds come back at the end, however it comes.
        """
        self.kept_back += seconds
        try:
            yield
        finally:
            self.kept_back -= seconds

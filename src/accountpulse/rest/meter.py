"""Counts what a source costs: requests sent, retries and seconds waited. Shared by threads."""

import threading
from dataclasses import dataclass, field


@dataclass
class Meter:
    """Totals of one source in one run."""

    calls: int = 0  # requests sent, repeated ones included
    retries: int = 0
    waited: float = 0.0  # seconds, because the system asked for it or failed
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def sent(self) -> None:
        """One request goes out."""
        with self._lock:
            self.calls += 1

    def retried(self, seconds: float) -> None:
        """A request will be repeated after a wait."""
        with self._lock:
            self.retries += 1
            self.waited += seconds

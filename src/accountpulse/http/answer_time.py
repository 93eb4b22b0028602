"""How long a system took for an answer, told apart from how late this process looked.

A process that is busy, or that the machine gives too little CPU, finds answers that have lain there for a while. Taken
for the system's, that time would make a quick system look slow, and the less CPU there is the fewer requests would go.
"""

import asyncio
from dataclasses import dataclass

TICK = 0.01  # seconds between two looks at the clock: being late by less isn't noticed


@dataclass(frozen=True)
class AnswerTime:
    """`waited`: seconds until a request's answer was seen; `late`: for how many of them it may have lain there."""

    waited: float
    late: float = 0.0

    @property
    def least(self) -> float:
        """Seconds that the system took at least; at most it was all that was waited."""
        return max(0.0, self.waited - self.late)


class LoopLag:
    """A timer on the running loop: it is as late as everything else that waits for the loop. Ticks until `stop`."""

    def __init__(self) -> None:
        """Nothing is late yet."""
        self._loop = asyncio.get_running_loop()
        self._last = 0.0  # seconds by which the last tick was late
        self._timer = self._loop.call_later(TICK, self._tick)

    def now(self) -> float:
        """Seconds by which the loop is behind: as much as the last tick was, or as the next one is by now."""
        return max(self._last, self._overdue())

    def stop(self) -> None:
        """The loop may end."""
        self._timer.cancel()

    def _overdue(self) -> float:
        return self._loop.time() - self._timer.when()

    def _tick(self) -> None:
        self._last = self._overdue()
        self._timer = self._loop.call_later(TICK, self._tick)


class AnswerClock:
    """Runs from a request's going to the first bytes of its answer; `took` is None before."""

    def __init__(self, lag: LoopLag) -> None:
        """The request goes now."""
        self._lag = lag
        self._went = asyncio.get_running_loop().time()
        self.took: AnswerTime | None = None

    def seen(self) -> None:
        """Something of the answer is there; only the first of it counts, since reading on depends on us as well."""
        if self.took is None:
            self.took = AnswerTime(asyncio.get_running_loop().time() - self._went, self._lag.now())

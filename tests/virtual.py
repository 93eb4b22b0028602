"""Time that costs nothing: an event loop whose clock jumps to whatever is due next."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


class _Jumping(selectors.SelectSelector):
    def __init__(self, clock: "Clock") -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self._clock.seconds += max(0.0, timeout)
        return super().select(0)


class Clock:
    """What a test lets time be."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(BEGIN.timestamp() + self.seconds, UTC)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.SelectorEventLoop(_Jumping(self))
        loop.time = lambda: self.seconds  # type: ignore[method-assign]
        try:
            return loop.run_until_complete(work)
        finally:
            loop.close()

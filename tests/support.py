"""What tests of several parts share."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from accountpulse.records import Source
from accountpulse.settings import Settings

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Configure = Callable[..., Settings]


class Silent:
    """A watch that shows nothing and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        pass

    def begin(self, source: Source) -> None:
        pass

    def rows(self, source: Source, done: int, total: int | None) -> None:
        pass

    def end(self, source: Source, standing: object) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)

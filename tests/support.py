"""What tests of several parts share."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from accountpulse.core.records import Source
from accountpulse.settings import Settings

ROOT = Path(__file__).parents[1]
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


def promises() -> dict[int, set[tuple[str, str]]]:
    """The tests that docs/reliability.md names for each fault, as file below tests/ and name."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", text, re.MULTILINE)
    return {int(number): set(re.findall(r"(\S+\.py) `(\w+)`", named)) for number, named in rows}

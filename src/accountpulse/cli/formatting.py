"""Words and numbers as people read them."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from accountpulse.pipeline.watch import SourceStatus
from accountpulse.systems import SYSTEMS

NAMED = 3  # accounts named in a line
NOT_OVER = "the month is not over: its scores will change"


def rows_of(status: SourceStatus) -> str:
    """What a source brought, in its own words: `1,534 conversations`, `1 account`."""
    counted = [(status.rows.get(feed.table, 0), feed.rows) for feed in SYSTEMS[status.source].feeds if feed.rows]
    return ", ".join(plural(count, rows.removesuffix("s"), rows) for count, rows in counted)


def money(amount: float | None) -> str:
    """An amount without its currency: `1.2M`, `340k`, `–`."""
    if amount is None:
        return "–"
    for limit, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= limit * 0.9995:
            return f"{amount / limit:.3g}{suffix}"
    return f"{amount:.0f}"


def points(value: float | None) -> str:
    """A score with one decimal, or `–`."""
    return "–" if value is None else f"{value:.1f}"


def named(text: str, accounts: Sequence[str], count: int) -> str:
    """What was found, with the first of so many accounts: `…: an outcome, but no month here (a, b, c and 9 more)`."""
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    return f"{text} ({', '.join(accounts[:NAMED])}{more})"


def plural(count: int, word: str, many: str | None = None) -> str:
    """`1 account`, `2 accounts`."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"


def program() -> str:
    """How this program was started, to be typed again: its name where the shell finds it, else its path."""
    script = Path(sys.argv[0])
    if script.name == "__main__.py":
        return "python -m accountpulse"
    found = shutil.which(script.name)
    return script.name if found and Path(found).resolve() == script.resolve() else str(script)

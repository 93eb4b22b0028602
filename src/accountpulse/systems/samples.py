"""What a look at a system samples, read without trusting its shape, and shown so that a line stays a line.

Names of tags, fields and values are written by others, and may be anything: very long, null, of another type, or with
characters that steer a terminal.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from accountpulse.core.plain_text import plain

LONGEST = 100  # characters of a value that a mapping may hold
SHOWN = 50  # characters of a name in a line
NAMED = 8  # names in a line
T = TypeVar("T")


def rows(answer: object, *names: str) -> list[dict[str, Any]]:
    """The objects in an answer: a list, or the first list under one of the names. Anything else in it is left out."""
    listed = answer
    if isinstance(answer, dict):
        listed = next((found for name in names if isinstance(found := answer.get(name), list)), None)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def inside(row: object, *path: str) -> Any:
    """The value at a path through objects; None where it isn't there."""
    for step in path:
        row = row.get(step) if isinstance(row, dict) else None
    return row


def text(value: object) -> str | None:
    """A text or a whole number as text, without outer blanks; None: it is empty, or anything else."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return str(int(value)) if value == int(value) else None


def domain_of(website: Any) -> str:
    """The host of a website as people write it, without www.; empty where there is none."""
    text = str(website or "").strip().casefold()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    host = host.rstrip(".").removeprefix("www.")
    return host if re.fullmatch(r"[^\s@]+\.[^\s@.]+", host) else ""


def whole(value: object) -> int:
    """A count; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def is_fit(name: str) -> bool:
    """Whether a name can stand in a mapping as it is: on one line, not too long, and nothing unseen in it."""
    return 0 < len(name) <= LONGEST and name.isprintable() and plain(name) == name


def shown(name: str) -> str:
    """A name in quotes, on one line, cut where it is long."""
    line = " ".join(plain(name[: 4 * SHOWN]).split())
    return f"'{line}'" if len(line) <= SHOWN else f"'{line[:SHOWN]}…'"


def listed(names: Iterable[str]) -> str:
    """Several names in one line; those beyond a few are counted."""
    found = list(names)
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return ", ".join(map(shown, found[:NAMED])) + more


def questions(lines: Iterable[str]) -> tuple[str, ...]:
    """What stays unknown, as a discovery has it: each line once, without a full stop."""
    return tuple(dict.fromkeys(line.rstrip(".") for line in lines))


def counted(count: int, noun: str) -> str:
    """A number with its noun, whose plural ends with s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly over all."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]

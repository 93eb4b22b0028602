"""What is said of a key that nobody reads and of a value that is no number, whatever reads the file."""

import re
from collections.abc import Iterable

from accountpulse.core.nearest import nearest

LONGEST_SHOWN = 20  # characters of a value that a message repeats
MOST_KEYS = 20  # that a message lists


def unknown_key(key: str, known: Iterable[str]) -> str:
    """A key that nobody reads, with the nearest that is read, else with all of them where they are few."""
    names = list(known)
    listed = f"; the keys here are {', '.join(sorted(names))}" if 0 < len(names) <= MOST_KEYS else ""
    return f"not a known key{nearest(key, names) or listed}"


def not_a_number(given: object, *, whole: bool) -> str:
    """What stands where a number must, and how to write the number that is most likely meant, unless it is `whole`."""
    if not isinstance(given, str) or len(given) > LONGEST_SHOWN:
        return ""
    number = re.fullmatch(r"(-?\d+)(?:[.,](\d+))?\s*(%?)", given, re.ASCII)
    if number is None or whole:
        return f", not {given!r}"
    digits, part, percent = number.groups()
    meant = float(f"{digits}.{part or 0}") / (100 if percent else 1)
    return f", not {given!r}: write {meant:.6g}"

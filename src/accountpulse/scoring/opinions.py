"""What people say of an account, in words: the CSM's pulse with its age, and what sales expect of the renewal."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from accountpulse.scoring.columns import PULSE, PULSE_ON, PULSE_STATE

# in this order counts of them are shown; NO_PULSE is an account without any
STATES = ("current", "stale", "void", "restarted", "undated", "unclear", "unread")
NO_PULSE = "none"
OUTLOOKS = {"likely": "the renewal is likely", "open": "the renewal is open", "unlikely": "the renewal is unlikely"}


def pulse_sentence(
    row: Mapping[str, Any], last_day: date, author: str | None, shown: Callable[[date], str] = str
) -> str | None:
    """`red on 2026-11-03 by Dana Owner, 27 days old`, with what keeps it from counting; None where there is no pulse.

    `row` has the columns of a pulse (OPINIONS). Ages are counted to the last day that was measured; `shown` says how
    days are written.
    """
    colour, state, on = row.get(PULSE), row.get(PULSE_STATE), row.get(PULSE_ON)
    if state is None:
        return None
    if state == "unread":
        return "could not be read in this run"
    if state == "unclear" or colour is None:
        return "unclear: a value that no colour lists, one of several, or one that was given later"
    by = f" by {author}" if author else ""
    if on is None:
        return f"{colour}{by}, without a date: it doesn't count"
    days = (last_day - on).days
    age = f"{days} day{'' if days == 1 else 's'} old"
    ending = {
        "stale": ", stale",
        "void": ", void: too old to count",
        "restarted": ", from before the owner changed: it doesn't count",
    }
    return f"{colour} on {shown(on)}{by}, {age}{ending.get(state, '')}"

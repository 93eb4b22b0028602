"""What Intercom's search does now and then, or is not documented to do: off, unless a test asks for it."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class IntercomOddities:
    """Counters run down; the others hold until they are changed.

    `page_cap`: rows that a page has at most, whatever was asked for. `order` of rows: as asked, or none at all.
    `moves`: so many pages meet a conversation that jumps to the end of the list, so that another slips over a page's
    edge. `repeats`: so many pages name their own cursor as the next one. `next_after_last`: the last page has a next
    one, which is empty. `inclusive`: `>` and `<` include their bound. `longest_array`: values that IN takes.
    `iso_times`: statistics have ISO times. `forgetful`: the cursor of a walk that is no longer kept is refused, where
    otherwise the walk is found again.
    """

    page_cap: int = 150
    order: Literal["asked", "none"] = "asked"
    moves: int = 0
    repeats: int = 0
    next_after_last: bool = False
    inclusive: bool = False
    longest_array: int = 150
    iso_times: bool = False
    forgetful: bool = False

"""Which accounts a scorecard's segments are for: a value that no account has is most likely a slip."""

from collections.abc import Iterator

import polars as pl

from accountpulse.core.nearest import nearest
from accountpulse.scoring.scorecard import Scorecard

SHOWN = 8  # values that a line names


def segment_counts(card: Scorecard, accounts: pl.DataFrame) -> str | None:
    """How many accounts each segment of the scorecard has, the first that matches counting; None: it has none.

    `accounts` has a row an account with its `segment`.
    """
    if not card.file.segments:
        return None
    left = accounts["segment"].cast(pl.String)
    parts = []
    for segment in card.file.segments:
        matches = left.is_in(segment.when.names).fill_null(value=False)
        parts.append(f"{segment.name} {int(matches.sum()):,}")
        left = left.filter(~matches)
    return f"accounts by segment: {', '.join(parts)}, none of these {left.len():,}"


def unmatched_segments(card: Scorecard, accounts: pl.DataFrame) -> Iterator[str]:
    """A line for each value of a segment that no account has, with the nearest that some have."""
    held = accounts["segment"].cast(pl.String).drop_nulls().value_counts(sort=True)["segment"].to_list()
    for segment in card.file.segments:
        for value in segment.when.names:
            if value not in held:
                there = ", ".join(map(repr, held[:SHOWN])) + (", …" if len(held) > SHOWN else "")
                hint = nearest(value, held) or (f"; they have {there}" if held else "; none has a segment at all")
                yield f"scorecard: segment {segment.name}: no account has the segment {value!r}{hint}"

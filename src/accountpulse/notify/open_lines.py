"""Which lines an account was told as having crossed for the worse, and has not crossed back.

A text each, since they are kept: `tier: Healthy` (until it is back in that tier or a better one), `cap: <reason>`,
`critical signal`, `renewal`, `coverage`.
"""

from collections.abc import Iterable, Iterator

from accountpulse.scoring.crossings import Crossing, LineState
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

_TIER, _CAP = "tier: ", "cap: "


def still_open(
    lines: Iterable[str], found: Iterable[Crossing], before: LineState, now: LineState, card: Scorecard
) -> tuple[str, ...]:
    """The lines that are open after these crossings; `lines`: those that were open before them."""
    crossed = tuple(found)
    left = [line for line in lines if not _is_back(line, crossed, now, card)]
    return tuple(dict.fromkeys([*left, *_opened(crossed, left, before)]))


def _is_back(line: str, crossed: Iterable[Crossing], now: LineState, card: Scorecard) -> bool:
    if line.startswith(_TIER):
        order = [tier.name for tier in card.tiers]
        base = line.removeprefix(_TIER)  # of a tier that the scorecard has no longer nothing can be said
        return base not in order or (now.tier != NOT_RATED and order.index(now.tier) <= order.index(base))
    if line.startswith(_CAP):
        return line.removeprefix(_CAP) not in now.caps
    return any(each.line == line and (not each.worse or line == "coverage") for each in crossed)


def _opened(crossed: Iterable[Crossing], left: Iterable[str], before: LineState) -> Iterator[str]:
    has_tier = any(line.startswith(_TIER) for line in left)
    for each in crossed:
        if not each.worse:
            continue
        if each.line == "tier":
            if not has_tier:
                yield f"{_TIER}{before.tier}"
        elif each.line == "cap":
            yield f"{_CAP}{each.text.partition(': ')[2]}"
        elif each.line != "coverage" or before.tier != NOT_RATED:
            yield each.line

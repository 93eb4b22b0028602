"""What one open critical signal does to an account: known before it is logged, so that it can show at once."""

import polars as pl

from accountpulse.scoring.columns import CRITICAL, HEALTH
from accountpulse.scoring.model import Cap
from accountpulse.scoring.scorecard import Scorecard

_NO_CAP = 100.0
_ONE = 1.0  # critical signal, neither confirmed nor with another beside it


def signal_cap(card: Scorecard) -> float:
    """The lowest cap of the scorecard that one open critical signal fulfils alone; 100 where there is none."""
    return min((cap.cap for cap in card.file.caps if _is_met(cap)), default=_NO_CAP)


def signal_tier(card: Scorecard) -> pl.Expr:
    """The tier of each row of scores with that cap; the lowest one where there is no health (SCORECARD: Not Rated)."""
    health = pl.min_horizontal(pl.col(HEALTH), pl.lit(signal_cap(card)))
    lowest = card.tiers[-1].name
    tier = pl.lit(lowest)
    for each in reversed(card.tiers):
        tier = pl.when(health >= each.min).then(pl.lit(each.name)).otherwise(tier)
    return pl.when(pl.col(HEALTH).is_null()).then(pl.lit(lowest)).otherwise(tier)


def _is_met(cap: Cap) -> bool:
    conditions = ((name, comparison) for name, when in cap.when.items() for comparison in when.comparisons)
    return all(name == CRITICAL and _compares(operator, edge) for name, (operator, edge) in conditions)


def _compares(operator: str, edge: float) -> bool:
    return {
        "gte": edge <= _ONE, "gt": edge < _ONE, "lte": edge >= _ONE, "lt": edge > _ONE, "eq": edge == _ONE,
    }[operator]  # fmt: skip

"""The org's daily API calls: read from every answer, and a reserve that is left to the org's other integrations."""

import re
from dataclasses import dataclass
from typing import Self

from accountpulse.core.errors import SourceUnavailable

_USAGE = re.compile(r"(?:^|[,;]\s*)api-usage=(\d{1,18})/(\d{1,18})\b", re.ASCII)


@dataclass(frozen=True)
class DailyAllowance:
    """Calls used of the last 24 hours' total, which all integrations of the org share."""

    used: int
    total: int

    @classmethod
    def read(cls, header: str) -> Self | None:
        """From `Sforce-Limit-Info: api-usage=18/5000`; None where it says nothing of the kind."""
        match = _USAGE.search(header)
        return cls(int(match[1]), int(match[2])) if match else None


def refuse_below(allowance: DailyAllowance | None, reserve: float) -> None:
    """Stop where fewer calls are left than `reserve` percent of the total: a SourceUnavailable, with the numbers.

    An org that doesn't tell is not refused.
    """
    if allowance is None:
        return
    left, kept = max(0, allowance.total - allowance.used), allowance.total * reserve / 100
    if left < kept:
        answer = f"{left:,} of {allowance.total:,} API calls of the day are left, and {kept:,.0f} are kept in reserve"
        remedy = "Try again later, or lower salesforce.daily_calls_reserve in accountpulse.yaml."
        raise SourceUnavailable("salesforce", "starting", answer, remedy)

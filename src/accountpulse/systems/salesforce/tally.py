"""Where the rows went that were read for one table."""

from collections import Counter
from dataclasses import dataclass, field

from accountpulse.core.records import RowCounts


@dataclass
class Tally:
    """Where the rows of one table went; `records.RowCounts` says what the words mean."""

    came: int = 0
    outside: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def counts(self) -> RowCounts:
        """For the extract."""
        return RowCounts(self.came, self.outside, dict(self.left_out))

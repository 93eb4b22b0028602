"""All periods' metrics and scores, as one Parquet data set each, partitioned by period.

```
history/metrics/period=2026-10/metrics.parquet     one row an account, as measured by the period's last full run
history/scores/period=2026-10/scores.parquet       the same accounts, scored
```
Polars, DuckDB and Spark read `history/scores` as it is; columns may differ between periods, as scorecards do.
"""

from typing import Literal

import polars as pl

from accountpulse.period import Period
from accountpulse.state.files import Files

Kind = Literal["metrics", "scores"]
KINDS: tuple[Kind, ...] = ("metrics", "scores")


class History:
    """What was measured and scored, period by period."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def save(self, period: Period, metrics: pl.DataFrame, scores: pl.DataFrame) -> None:
        """Keep a period's tables in place of those of an earlier run."""
        self._files.write_table(_name("metrics", period.name), metrics)
        self._files.write_table(_name("scores", period.name), scores)

    def load(self, period: Period, kind: Kind) -> pl.DataFrame | None:
        """A period's table, or None."""
        return self._files.read_table(_name(kind, period.name))

    def forget(self, account_id: str) -> int:
        """Take every row of an account out of every period; how many there were."""
        gone = 0
        for kind in KINDS:
            for name in list(self._files.names(f"history/{kind}/")):
                table = self._files.read_table(name)
                if table is None:
                    continue
                rest = table.filter(pl.col("account_id") != account_id)
                if rest.height < table.height:
                    self._files.write_table(name, rest)
                    gone += table.height - rest.height
        return gone


def _name(kind: Kind, period: str) -> str:
    return f"history/{kind}/period={period}/{kind}.parquet"

"""All periods' metrics and scores, as one Parquet data set each, partitioned by period.

```
history/metrics/period=2026-10/metrics.parquet     one row an account, as measured by the period's last full run
history/scores/period=2026-10/scores.parquet       the same accounts, scored
history/evidence/period=2026-10/evidence.parquet   what each source holds of each account, or why it says nothing
history/signals/period=2026-10/signals.parquet     the signals that were open, one row each
scorecards/<hash>.json                             every scorecard that any of these scores was made with
```
Polars, DuckDB and Spark read `history/scores` as it is; columns may differ between periods, as scorecards do.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.period import Period
from accountpulse.core.records import Columns
from accountpulse.state.files import Files

DetailKind = Literal["evidence", "signals"]
HistoryKind = Literal["metrics", "scores"] | DetailKind
# what each kind has to hold, at least; the checksum vouches for the rest where there is one
NEEDS: Mapping[HistoryKind, Columns] = {
    "metrics": {"account_id": pl.String},
    "scores": {"account_id": pl.String, "health_score": pl.Float64, "tier": pl.String, "scorecard": pl.String},
    "evidence": {"account_id": pl.String, "source": pl.String, "reason": pl.String, "rows": pl.Int64},
    "signals": {"account_id": pl.String, "severity": pl.String, "opened_on": pl.Date},
}


class _KeptScorecard(msgspec.Struct):
    """What a scorecard's document has to hold."""

    scorecard: dict[str, Any]
    pillars: list[Any]


class History:
    """What was measured and scored, period by period."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def save(
        self,
        period: Period,
        metrics: pl.DataFrame,
        scores: pl.DataFrame,
        details: Mapping[DetailKind, pl.DataFrame] = MappingProxyType({}),
    ) -> None:
        """Keep a period's tables in place of those of an earlier run."""
        for kind, table in details.items():
            self._files.write_table(_name(kind, period.name), table)
        self._files.write_table(_name("metrics", period.name), metrics)
        self._files.write_table(_name("scores", period.name), scores)

    def load(self, period: Period, kind: HistoryKind, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """A period's table, or only these of its columns; None where there is none."""
        return self._files.read_table(_name(kind, period.name), columns, needs=NEEDS[kind])

    def periods(self) -> list[str]:
        """The months that have scores, earliest first, as `YYYY-MM`."""
        names = self._files.names("history/scores/period=")
        return [name.removeprefix("history/scores/period=").split("/")[0] for name in names]

    def save_scorecard(self, content_hash: str, content: Mapping[str, Any]) -> None:
        """Keep a scorecard under its content hash."""
        self._files.write_json(f"scorecards/{content_hash}.json", content)

    def load_scorecard(self, content_hash: str) -> dict[str, Any] | None:
        """The content of a scorecard that was kept, or None."""
        return self._files.read_json(f"scorecards/{content_hash}.json", _KeptScorecard)

    def forget(self, account_id: str) -> int:
        """Take every row of an account out of every period; how many there were."""
        gone = 0
        for kind, needs in NEEDS.items():
            for name in list(self._files.names(f"history/{kind}/")):
                table = self._files.read_table(name, needs=needs)
                if table is None:
                    continue
                rest = table.filter(pl.col("account_id") != account_id)
                if rest.height < table.height:
                    self._files.write_table(name, rest)
                    gone += table.height - rest.height
        return gone


def _name(kind: HistoryKind, period: str) -> str:
    return f"history/{kind}/period={period}/{kind}.parquet"

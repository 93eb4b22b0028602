"""All periods' metrics and scores, as one Parquet data set each, partitioned by period.

```
history/metrics/period=2026-10/metrics.parquet     one row an account, as measured by the period's last full run
history/scores/period=2026-10/scores.parquet       the same accounts, scored
history/evidence/period=2026-10/evidence.parquet   what each source holds of each account, or why it says nothing
history/signals/period=2026-10/signals.parquet     the signals that were open, one row each
history/parents/period=2026-10/parents.parquet     each account's parent, and those of parents that are no customers
history/pulses/period=2026-10/pulses.parquet       what the CSMs said of the accounts, one row each
history/first/metrics/period=2026-10/…             what was known of a month when it was first measured as a whole
history/first/scores/period=2026-10/…              the same accounts, scored; comes last, and makes both count
history/first/forgotten.json                       how many accounts were erased from each of these months
scorecards/<hash>.json                             every scorecard that any of these scores was made with
```
Polars, DuckDB and Spark read `history/scores` as it is; columns may differ between periods, as scorecards do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.period import Period
from accountpulse.core.records import Columns
from accountpulse.state.files import Files

DetailKind = Literal["evidence", "signals", "parents", "pulses"]
HistoryKind = Literal["metrics", "scores"] | DetailKind
# what each kind has to hold, at least; the checksum vouches for the rest where there is one
NEEDS: Mapping[HistoryKind, Columns] = {
    "metrics": {"account_id": pl.String},
    "scores": {"account_id": pl.String, "health_score": pl.Float64, "tier": pl.String, "scorecard": pl.String},
    "evidence": {"account_id": pl.String, "source": pl.String, "reason": pl.String, "rows": pl.Int64},
    "signals": {"account_id": pl.String, "severity": pl.String, "opened_on": pl.Date},
    "pulses": {"account_id": pl.String, "pulse_colour": pl.String, "pulse_state": pl.String, "pulse_on": pl.Date},
    "parents": {"account_id": pl.String, "parent_id": pl.String, "parent_name": pl.String, "currency": pl.String},
}
_FIRST = "history/first/"
_FORGOTTEN = f"{_FIRST}forgotten.json"


@dataclass(frozen=True)
class FirstMonth:
    """What was known of a month when it was first measured as a whole; both tables carry the stamps of that run."""

    metrics: pl.DataFrame
    scores: pl.DataFrame


class _KeptScorecard(msgspec.Struct):
    """What a scorecard's document has to hold."""

    scorecard: dict[str, Any]
    pillars: list[Any]


class _Forgotten(msgspec.Struct):
    """What the count of erased accounts has to hold."""

    months: dict[str, int]


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
        return self._months("history/scores/period=")

    def save_first(self, period: Period, metrics: pl.DataFrame, scores: pl.DataFrame) -> bool:
        """Keep what was known of a month when it was first measured; False: it was before, and nothing changes.

        To be called by the run that holds the period. Metrics without scores are what a killed run left.
        """
        if period.name in self.first_periods():
            return False
        self._files.write_table(_first_name("metrics", period.name), metrics)
        self._files.write_table(_first_name("scores", period.name), scores)
        return True

    def first(self, period: Period) -> FirstMonth | None:
        """What was known of a month when it was first measured as a whole; None where nothing of it was kept."""
        scores = self._files.read_table(_first_name("scores", period.name))
        metrics = None if scores is None else self._files.read_table(_first_name("metrics", period.name))
        return None if scores is None or metrics is None else FirstMonth(metrics, scores)

    def first_periods(self) -> list[str]:
        """The months of which that was kept, earliest first, as `YYYY-MM`."""
        return self._months(f"{_FIRST}scores/period=")

    def forgotten(self) -> dict[str, int]:
        """How many accounts were erased from each month of which that was kept; months without any aren't named."""
        return dict((self._files.read_json(_FORGOTTEN, _Forgotten) or {"months": {}})["months"])

    def save_scorecard(self, content_hash: str, content: Mapping[str, Any]) -> None:
        """Keep a scorecard under its content hash."""
        self._files.write_json(f"scorecards/{content_hash}.json", content)

    def load_scorecard(self, content_hash: str) -> dict[str, Any] | None:
        """The content of a scorecard that was kept, or None."""
        return self._files.read_json(f"scorecards/{content_hash}.json", _KeptScorecard)

    def forget(self, account_id: str) -> int:
        """Take every row of an account out of every period; how many there were."""
        self._count_forgotten(account_id)
        gone = 0
        for kind, needs in NEEDS.items():
            for prefix in (f"history/{kind}/", f"{_FIRST}{kind}/"):
                names = list(self._files.names(prefix))
                gone += sum(without_account(self._files, name, needs, account_id) for name in names)
        return gone

    def _count_forgotten(self, account_id: str) -> None:
        """Before the rows go: whatever is shown of these months says that somebody is missing, and not who."""
        before = self.forgotten()
        months = dict(before)
        for month in self.first_periods():
            scores = self._files.read_table(_first_name("scores", month), ["account_id"])
            if scores is not None and account_id in scores["account_id"]:
                months[month] = months.get(month, 0) + 1
        if months != before:
            self._files.write_json(_FORGOTTEN, {"months": months})

    def _months(self, prefix: str) -> list[str]:
        return [name.removeprefix(prefix).split("/")[0] for name in self._files.names(prefix)]


def without_account(files: Files, name: str, needs: Columns, account_id: str) -> int:
    """Take the rows of an account out of a table, and those that name it as a parent; how many there were."""
    table = files.read_table(name, needs=needs)
    if table is None:
        return 0
    rest = table.filter(pl.col("account_id") != account_id)
    if "parent_id" in table.columns:
        rest = rest.filter(pl.col("parent_id").ne_missing(account_id))
    if rest.height < table.height:
        files.write_table(name, rest)
    return table.height - rest.height


def _name(kind: HistoryKind, period: str) -> str:
    return f"history/{kind}/period={period}/{kind}.parquet"


def _first_name(kind: Literal["metrics", "scores"], period: str) -> str:
    return f"{_FIRST}{kind}/period={period}/{kind}.parquet"

"""Snapshots of single days beside the months: what was measured and scored, and the documents of their runs.

```
snapshots/metrics/day=2026-11-22/metrics.parquet   as the history has them of a month; evidence and signals likewise
snapshots/scores/day=2026-11-22/scores.parquet     comes last, and makes the others count
snapshots/runs/2026-11-22/<run id>.json            one document a run
```
Nothing that reads months looks here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

import polars as pl

from accountpulse.state.files import Files
from accountpulse.state.history import NEEDS, DetailKind, HistoryKind, without_account
from accountpulse.state.runs import Runs

FOLDER = "snapshots/"
_SCORES = f"{FOLDER}scores/day="
_RUNS = f"{FOLDER}runs/"


class Snapshots:
    """What was measured and scored, day by day."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files
        self.runs = Runs(files, _RUNS)

    def save(
        self,
        day: date,
        metrics: pl.DataFrame,
        scores: pl.DataFrame,
        details: Mapping[DetailKind, pl.DataFrame] = MappingProxyType({}),
    ) -> None:
        """Keep a day's tables in place of those of an earlier run."""
        for kind, table in details.items():
            self._files.write_table(_name(kind, day.isoformat()), table)
        self._files.write_table(_name("metrics", day.isoformat()), metrics)
        self._files.write_table(_name("scores", day.isoformat()), scores)

    def load(self, day: date, kind: HistoryKind, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """A day's table, or only these of its columns; None where there is none."""
        return self._files.read_table(_name(kind, day.isoformat()), columns, needs=NEEDS[kind])

    def days(self) -> list[str]:
        """The days that have scores, earliest first, as `YYYY-MM-DD`."""
        return [name.removeprefix(_SCORES).split("/")[0] for name in self._files.names(_SCORES)]

    def run_days(self) -> list[str]:
        """The days that a run has begun for, also in vain, earliest first, as `YYYY-MM-DD`."""
        return sorted({name.removeprefix(_RUNS).split("/")[0] for name in self._files.names(_RUNS)})

    def remove(self, day: date) -> None:
        """Take away a day: its tables, the documents of its runs and its report."""
        self._files.store.remove(_name("scores", day.isoformat()))  # first: what is half gone doesn't count
        for kind in NEEDS:
            self._files.store.remove(_name(kind, day.isoformat()))
        self._files.remove_all(f"{_RUNS}{day.isoformat()}/")
        self._files.remove_all(f"reports/{day.isoformat()}.")

    def forget(self, account_id: str) -> int:
        """Take every row of an account out of every day; how many there were."""
        self.runs.forget(account_id)
        return sum(
            without_account(self._files, name, needs, account_id)
            for kind, needs in NEEDS.items()
            for name in list(self._files.names(f"{FOLDER}{kind}/"))
        )


def _name(kind: HistoryKind, day: str) -> str:
    return f"{FOLDER}{kind}/day={day}/{kind}.parquet"

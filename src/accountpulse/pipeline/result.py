"""What a run says in the end: the results of its phases, and one summary of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from accountpulse.core.errors import AccountpulseError, OutOfTime, SourceUnavailable
from accountpulse.core.period import Scope
from accountpulse.core.records import Problem, SourceName
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.conservation import as_data
from accountpulse.pipeline.deliver import Delivery, Load
from accountpulse.pipeline.measure import Measured
from accountpulse.pipeline.rate import Rated
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.run import Run
from accountpulse.pipeline.watch import SourceStatus
from accountpulse.scoring.columns import TIER
from accountpulse.scoring.model import NOT_RATED


@dataclass(frozen=True)
class RunResult:
    """The phases that were reached; a later one is None where the run stopped before it.

    `late`: why it stopped outside of reading, at its own end. `notes` are lines for the reader. `is_kept`: the state
    holds it as a dry run.
    """

    run: Run
    reading: Reading
    measured: Measured | None = None
    rated: Rated | None = None
    delivery: Delivery | None = None
    late: str | None = None
    notes: tuple[str, ...] = ()
    is_kept: bool = False

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.run_id

    @property
    def scope(self) -> Scope:
        """The instants of the run."""
        return self.run.scope

    @property
    def statuses(self) -> Mapping[SourceName, SourceStatus]:
        """How each source stands."""
        return self.reading.statuses

    @property
    def failed(self) -> tuple[str, ...]:
        """What should have been read and could not be: configured sources, and own metrics' tables."""
        return self.reading.unread

    @property
    def scores(self) -> pl.DataFrame | None:
        """The scores with the metrics beside them; None where the run stopped before."""
        return None if self.rated is None else self.rated.scores

    @property
    def metrics(self) -> pl.DataFrame | None:
        """The metrics of the accounts that were scored."""
        return None if self.rated is None else self.rated.metrics

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The accounts that should have been scored or written and were not."""
        found = () if self.rated is None else self.rated.problems
        loads = () if self.delivery is None else self.delivery.loads
        return (*found, *(problem for load in loads for problem in load.problems))

    @property
    def unlinked(self) -> Mapping[SourceName, int]:
        """Accounts without a known key, by configured source; a key without a row there may be none, too."""
        return {} if self.measured is None else self.measured.unlinked

    @property
    def stopped(self) -> str | None:
        """Why the run ended before scoring, or at its own end."""
        return self.late or self.reading.stopped

    @property
    def out_of_time(self) -> bool:
        """Stopped at its end; the next process goes on."""
        return self.late is not None or self.reading.out_of_time or isinstance(self.unready, OutOfTime)

    @property
    def loaded(self) -> bool:
        """Whether all records were written. False: a dry run, or one that stopped, or whose load broke off."""
        return self.run.may_write and self.delivery is not None and self.unready is None

    @property
    def csv(self) -> str | None:
        """Where the CSV lies, if one was asked for."""
        return None if self.delivery is None else self.delivery.csv

    @property
    def unready(self) -> AccountpulseError | None:
        """Why a destination took nothing; in a dry run: why it would refuse a load as a whole."""
        return None if self.delivery is None else self.delivery.error

    @property
    def imbalance(self) -> str | None:
        """What is wrong where a destination holds other records than were written."""
        loads = () if self.delivery is None else self.delivery.loads
        return " ".join(load.imbalance for load in loads if load.imbalance) or None

    def count(self, what: str) -> int:
        """`created`, `updated`, `unchanged`, `refused`, `written` or `calls`, of the first destination.

        It is where the accounts come from; `destinations` of the summary has the others as well.
        """
        loads = () if self.delivery is None else self.delivery.loads
        return int(getattr(loads[0], what)) if loads else 0

    @property
    def rated_count(self) -> int:
        """Accounts with a tier."""
        return 0 if self.scores is None else int((self.scores[TIER] != NOT_RATED).sum())

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        if self.unready is not None:
            return self.unready.exit_code
        if self.failed or self.out_of_time:
            return SourceUnavailable.exit_code
        if self.problems or self.imbalance or (self.scores is not None and not self.rated_count):
            return 4
        return 0

    def counted(self, source: SourceName) -> dict[str, Any] | None:
        """Where the rows of a source went (conservation.py); None where they weren't attributed to accounts."""
        rows = [] if self.measured is None else [each for each in self.measured.rows if each.source == source]
        return as_data(rows) if rows else None

    def summary(self) -> dict[str, Any]:
        """Everything but the accounts themselves, as plain data: for people, Lambda's answer, log and history."""
        scores, run = self.scores, self.run
        tiers = {} if scores is None else dict(sorted(scores[TIER].value_counts().iter_rows()))
        return {
            "run_id": run.run_id,
            "period": run.scope.period.name,
            "snapshot": None if run.scope.snapshot is None else run.scope.name,
            "current": run.scope.snapshot is not None and run.request.current,
            "as_of": run.scope.as_of.isoformat(),
            "as_of_day": run.scope.as_of_day.isoformat(),
            "window_days": run.scope.window.days,
            "scorecard": run.scorecard_name,
            "currency": run.settings.mapping.currency,
            "signals_waived": run.settings.rules.signals_waived,
            "scored": 0 if scores is None else scores.height,
            "rated": self.rated_count,
            "tiers": tiers,
            **{what: self.count(what) for what in ("written", "created", "updated", "unchanged", "refused")},
            "imbalance": self.imbalance,
            "problems": [[problem.account_id, problem.stage, problem.text] for problem in self.problems],
            "failed": list(self.failed),
            "stopped": self.stopped or self.imbalance or (None if self.delivery is None else self.delivery.trouble),
            "sources": {name: _source(status, self.counted(name)) for name, status in self.statuses.items()},
            "own_metrics": own_metrics.origins(run.card, run.settings),
            "tables": {each.metric: each.facts for each in self.reading.tables},
            "requests": {name: status.budget.calls for name, status in self.statuses.items()},
            "load_requests": self.count("calls"),
            "destinations": [] if self.delivery is None else [_destination(load) for load in self.delivery.loads],
            "csv": self.csv,
            "notes": list(self.notes),
            "exit_code": self.exit_code,
        }


def _destination(load: Load) -> dict[str, Any]:
    counts = {what: getattr(load, what) for what in ("written", "created", "updated", "unchanged", "refused")}
    facts = {"planned": load.planned, "requests": load.calls, "imbalance": load.imbalance, "error": load.trouble}
    return {"title": load.title, **counts, **facts}


def _source(status: SourceStatus, counted: dict[str, Any] | None) -> dict[str, Any]:
    state = "failed" if status.error is not None else "from checkpoint" if status.from_checkpoint else "read"
    read_at: datetime | None = status.read_at
    return {
        "state": state,
        "rows": dict(status.rows),
        "counted": counted,
        "requests": status.budget.calls,
        "retries": status.budget.retries,
        "waited_seconds": round(status.budget.waited, 1),
        "seconds": round(status.seconds, 1),
        "error": None if status.error is None else str(status.error),
        "read_at": None if read_at is None else read_at.isoformat(),
    }

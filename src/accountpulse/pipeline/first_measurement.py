"""A month as it was first measured as a whole: what was known then, which later runs of it don't change.

Each row carries the stamps of its run: `measured_at`, `reconstructed`, and what a score rests on beside the metrics
(`window_days`, `signals_waived`).
"""

import polars as pl

from accountpulse.core.records import RECONSTRUCTED
from accountpulse.pipeline.deliver import Delivery
from accountpulse.pipeline.rate import Rated
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.run import Run

MEASURED_AT = "measured_at"
WINDOW_DAYS, SIGNALS_WAIVED = "window_days", "signals_waived"
MEASURED_TYPE = pl.Datetime("us", "UTC")


def keep_first(run: Run, reading: Reading, rated: Rated, delivery: Delivery) -> None:
    """Keep a finished run of a whole month, unless one was kept before.

    Finished: the month is over, nothing was left out (`--only`, `--account`), every configured source was read, and
    everything was written.
    """
    scope = run.scope
    if not (run.may_write and run.request.is_whole) or scope.snapshot is not None or not scope.is_over:
        return
    if reading.unread or delivery.error is not None:
        return
    stamps = {
        MEASURED_AT: pl.lit(run.now, MEASURED_TYPE),
        RECONSTRUCTED: pl.lit(run.is_late),
        WINDOW_DAYS: pl.lit(scope.window.days),
        SIGNALS_WAIVED: pl.lit(run.settings.rules.signals_waived),
    }
    metrics, scores = (table.with_columns(**stamps) for table in (rated.metrics, rated.scores))
    run.state.history.save_first(scope.period, metrics, scores)

"""Signals: what the people who know an account have logged as a danger, as it stood at `as_of`."""

import narwhals.stable.v2 as nw

from accountpulse.core.period import Scope
from accountpulse.core.records import Rules
from accountpulse.metrics.shared import Frames, MetricFrame, beside, count_if, open_at, reported

_SEVERITIES = ("watch", "moderate", "critical")  # level 1 to 3
_COUNTS = (*_SEVERITIES, "confirmed", "lowered")


def measure_signals(accounts: MetricFrame, tables: Frames, scope: Scope, _rules: Rules) -> MetricFrame:
    """`account_id`, counts of open signals and their reasons, for every account.

    A signal that is being monitored counts one severity lower, a monitored watch not at all. A severity that is
    none of the three counts as watch.
    """
    monitoring = nw.col("monitoring").fill_null(value=False)
    severity = nw.col("severity")
    given = nw.when(severity == "critical").then(nw.lit(3)).when(severity == "moderate").then(nw.lit(2)).otherwise(1)
    levelled = (
        tables["signals"]
        .filter(open_at("opened_at", "closed_at", scope.as_of))
        .with_columns(monitoring=monitoring, level=given - monitoring.cast(nw.Int64))
    )
    levels = {name: count_if(nw.col("level") == level) for level, name in enumerate(_SEVERITIES, start=1)}
    counted = levelled.group_by("account_id").agg(
        confirmed=count_if((nw.col("level") == 3) & nw.col("confirmed")),
        lowered=count_if(nw.col("monitoring")),
        **levels,
    )
    return beside(accounts, counted, counts=_COUNTS).select(
        "account_id",
        *(column for name in _SEVERITIES for column in reported(f"{name}_signals", nw.col(name))),
        *reported("critical_confirmed_signals", nw.col("confirmed")),
        *reported("monitoring_reduction", nw.col("lowered")),
    )

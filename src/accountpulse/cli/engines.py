"""`accountpulse score` where the table is Parquet: any size, on any engine."""

from functools import partial
from pathlib import Path

from accountpulse import engines
from accountpulse.cli.files import check_apart, read_card
from accountpulse.cli.scoring import counting_calibration, pillars_apart, tell_scored
from accountpulse.cli.voice import note
from accountpulse.core.errors import UsageError
from accountpulse.engines import checks, files
from accountpulse.scoring.table import pillars_of


def streams(engine: engines.EngineKind, metrics: str, out: str) -> bool:
    """Whether the engine scores the file in batches: Polars from Parquet to Parquet, DuckDB and Spark always."""
    if engine == "polars":
        return metrics.lower().endswith(".parquet") and out.lower().endswith(".parquet")
    for name in (metrics, out):
        if name.lower().endswith((".csv", ".xlsx")):
            raise UsageError(
                f"{name}: the engine {engine} reads and writes Parquet; for other tables leave --engine out"
            )
    return True


def score_on(
    engine: engines.EngineKind,
    master: str | None,
    metrics: str,
    scorecard: Path | None,
    out: str,
    *,
    calibration: Path | None = None,
    as_json: bool = False,
) -> int:
    """Score one table into another; 4 where no account could be rated."""
    check_apart([Path(out)], [Path(metrics), scorecard, calibration])
    running = engines.start(engine, master)
    frame = running.read(metrics)
    card = read_card(scorecard, pillars_of(frame.collect_schema()))
    note([*pillars_apart(card, Path(metrics).name), *checks.unknown_columns(frame, metrics, card)])
    note(checks.odd_values(frame, metrics, card))
    counting = partial(counting_calibration, calibration, card)
    result = files.score_file(running, frame, metrics, card, out, calibration=counting)
    tell_scored((result.rows, result.rated), result.tiers, card, result.last, out, as_json=as_json)
    return 0 if result.rated or not result.rows else 4

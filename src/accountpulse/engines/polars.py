"""Polars, streaming: the table goes through in batches, so that memory does not grow with its size."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.scoring.calibration import Calibration, calibrated
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import score


class Polars:
    """The default: nothing else is needed."""

    def read(self, path: str) -> nw.LazyFrame[Any]:
        """As Engine.read."""
        frame = pl.scan_parquet(path)
        try:
            frame.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UsageError(f"{path} can't be read as Parquet ({str(error).splitlines()[0]})") from None
        return nw.from_native(frame)

    def score(
        self, metrics: nw.LazyFrame[Any], card: Scorecard, calibration: Calibration | None = None
    ) -> nw.LazyFrame[Any]:
        """As Engine.score."""
        scores: nw.LazyFrame[Any] = nw.from_native(calibrated(score(metrics.to_native(), card), calibration))
        return scores

    def write(self, scores: nw.LazyFrame[Any], path: str) -> None:
        """As Engine.write."""
        with atomic_file(path) as part:
            scores.to_native().sink_parquet(part)


@contextmanager
def atomic_file(path: str, write_error: type[Exception] = OSError) -> Iterator[Path]:
    """A temporary path that is renamed to `path` when the block ends well; the folder is made.

    A place that can't be written to is a UsageError; `write_error` is the writer's own error beside OSError.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(target)
    except (OSError, write_error) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UsageError(f"{path} can't be written ({why})") from None
    finally:
        with suppress(OSError):
            part.unlink()

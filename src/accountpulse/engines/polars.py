"""Polars, streaming: the table goes through in pieces, so that its size does not decide on the memory."""

import os
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from accountpulse.errors import UsageError
from accountpulse.scoring.score import score
from accountpulse.scoring.scorecard import Scorecard


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

    def score(self, metrics: nw.LazyFrame[Any], card: Scorecard) -> nw.LazyFrame[Any]:
        """As Engine.score."""
        scores: nw.LazyFrame[Any] = nw.from_native(score(metrics.to_native(), card))
        return scores

    def write(self, scores: nw.LazyFrame[Any], path: str) -> None:
        """As Engine.write."""
        part = partial(path)
        try:
            scores.to_native().sink_parquet(part)
            os.replace(part, path)  # noqa: PTH105
        except OSError as error:
            raise UsageError(f"{path} can't be written ({error.strerror or error})") from None
        finally:
            part.unlink(missing_ok=True)


def partial(path: str) -> Path:
    """Where a file is written before it takes its name, in a folder that exists then."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None
    return target.with_name(f".{target.name}.part")

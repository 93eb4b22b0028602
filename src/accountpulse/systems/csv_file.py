"""Records → a CSV file that a spreadsheet can open without running anything."""

import os
import tempfile
from pathlib import Path

import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.core.spreadsheet import harmless


def content(records: pl.DataFrame) -> bytes:
    """The file that `write` would make."""
    return harmless(records).write_csv().encode()


def write(records: pl.DataFrame, path: Path) -> int:
    """Write one line a record and give their number; texts that look like formulas get an apostrophe before them.

    Numbers stay as they are, null is an empty cell. The file appears whole or not at all; a folder that can't be
    written to is a UsageError.
    """
    made = content(records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(made)
            Path(part).chmod(0o644)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}); choose another folder with --out") from None
    return records.height

"""Tables that grow with the traffic and not with the accounts: they lie on disk while a run needs them."""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from accountpulse.core.errors import ConfigurationError

PIECE = 20_000  # rows that are in memory at once, about


class SpooledTable:
    """Rows of one table; in a temporary folder when they are many, which goes with the spool. `height` counts them."""

    def __init__(self, columns: Mapping[str, pl.DataType | type[pl.DataType]], piece: int = PIECE) -> None:
        """Empty; the folder is made when there is something to put down."""
        self.columns = dict(columns)
        self.height = 0
        self._piece = piece
        self._held: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._folder: Path | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; the order of all that was added stays."""
        if rows.height:
            self.height += rows.height
            self._held.append(rows.select(*self.columns))
            if sum(each.height for each in self._held) >= self._piece:
                self._put_down()

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Everything, one piece after the other; at least one, so that columns stay known."""
        for file in self._files:
            yield pl.read_parquet(file)
        if self._held or not self._files:
            yield self._rest()

    def lazy(self) -> pl.LazyFrame:
        """Everything, read when it is collected; the spool has to stand until then."""
        on_disk = [pl.scan_parquet(self._files)] if self._files else []
        return pl.concat([*on_disk, self._rest().lazy()])

    def _rest(self) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(schema=self.columns), *self._held])

    def _put_down(self) -> None:
        rows, self._held = pl.concat(self._held), []
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="accountpulse-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            file = self._folder / f"{len(self._files):06}.parquet"
            rows.write_parquet(file, compression="lz4", statistics=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            remedy = "Set TMPDIR to a folder with room that this user can write."
            where = self._folder or tempfile.gettempdir()
            raise ConfigurationError("temporary files", [f"{where} can't be written ({error}). {remedy}"]) from None
        self._files.append(file)


def spooled(table: pl.DataFrame) -> SpooledTable:
    """A spool of a table."""
    spool = SpooledTable(table.schema)
    spool.add(table)
    return spool

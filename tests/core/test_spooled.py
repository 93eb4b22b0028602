"""Tables on disk: what was added comes back, in pieces or whole, and nothing stays behind."""

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as some

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.spooled import SpooledTable, spooled


def numbers(start: int, end: int) -> pl.DataFrame:
    return pl.select(n=pl.int_range(start, end))


@given(sizes=some.lists(some.integers(0, 12), max_size=12), piece=some.integers(1, 30))
def test_what_was_added_comes_back_in_its_order_however_it_was_cut(sizes: list[int], piece: int) -> None:
    spool, total = SpooledTable({"n": pl.Int64}, piece), 0
    for size in sizes:
        spool.add(numbers(total, total + size))
        total += size
    assert spool.height == total
    assert spool.lazy().collect()["n"].to_list() == list(range(total))
    assert pl.concat(spool.pieces()).equals(numbers(0, total))
    assert all(part.height < piece + 12 for part in spool.pieces())


@pytest.mark.parametrize("piece", [2, 100])
def test_pieces_may_have_some_columns_only(piece: int) -> None:
    spool = SpooledTable({"n": pl.Int64, "half": pl.Float64}, piece)
    for start in range(0, 6, 2):
        spool.add(numbers(start, start + 2).with_columns(half=pl.col("n") / 2))
    assert pl.concat(spool.pieces("half")).to_dict(as_series=False) == {"half": [0, 0.5, 1, 1.5, 2, 2.5]}
    assert [each.columns for each in SpooledTable({"n": pl.Int64, "m": pl.Int64}).pieces("m")] == [["m"]]


def test_a_few_rows_need_no_disk_and_many_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    few = spooled(numbers(0, 1000))
    assert few.height == 1000
    assert list(tmp_path.iterdir()) == []
    many = SpooledTable({"n": pl.Int64}, piece=10)
    many.add(numbers(0, 100))
    assert len(list(tmp_path.iterdir())) == 1
    del many
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_takes_its_folders_along(tmp_path: Path) -> None:
    program = (
        "import polars as pl; from accountpulse.core.spooled import SpooledTable; p = SpooledTable({'n': pl.Int64}, 1);"
    )
    program += "p.add(pl.DataFrame({'n': [1, 2]})); print(len(list(p.pieces())))"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_written_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(ConfigurationError, match="TMPDIR"):
        SpooledTable({"n": pl.Int64}, piece=1).add(numbers(0, 1))

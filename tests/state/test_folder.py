"""What holds of a state in a folder alone: who may read it, what is left of killed writes, what stands in its way."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from accountpulse.core import file_locks, spooled
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period, scope_of
from accountpulse.core.spooled import PREFIX, SpooledTable
from accountpulse.state import State, store_at
from program import start

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
SCOPE = scope_of(Period(2026, 10), NOW)
HALF = "history/scores/period=2026-10/.scores.parquet.0123abcd"


def modes(folder: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and who may do what, of everything."""
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in [folder, *folder.rglob("*")]}


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=["open", "usual", "shut"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_nobody_else_may_read_a_state_whatever_the_umask(tmp_path: Path) -> None:
    state = State(tmp_path / "new" / "state")
    table = pl.DataFrame({"account_id": ["001"]})
    state.history.save(Period(2026, 10), table, table)
    state.files.write_json("runs/2026-10/r1.json", {"run_id": "r1"})
    with state.locks.hold("2026-10", "r1", NOW):
        assert modes(tmp_path / "new") == {(True, 0o700), (False, 0o600)}


def test_what_an_earlier_version_left_open_is_closed_by_the_next_run(tmp_path: Path) -> None:
    for folder in ("history", "history/scores", "runs"):
        (tmp_path / folder).mkdir(mode=0o755)
        (tmp_path / folder).chmod(0o755)
    State(tmp_path).sweep(SCOPE, "r1")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")} == {0o700}


def test_what_killed_writes_left_is_swept_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    half = tmp_path / HALF
    half.parent.mkdir(parents=True)
    half.write_bytes(b"001GONE and 29 others")
    (tmp_path / ".profile.0123abcd").write_text("somebody else's, beside our folders")
    with half.with_name(".scores.parquet.4567cdef").open("xb") as stream:
        file_locks.hold(stream.fileno())
        State(tmp_path).sweep(SCOPE, "r1")
        assert sorted(path.name for path in tmp_path.rglob(".*")) == [".profile.0123abcd", ".scores.parquet.4567cdef"]


def test_forget_takes_what_killed_writes_left(tmp_path: Path) -> None:
    half = tmp_path / HALF
    half.parent.mkdir(parents=True)
    half.write_bytes(b"001GONE and 29 others")
    State(tmp_path).forget("001GONE")
    assert not half.exists()


def test_tables_without_their_document_and_parts_of_other_runs_are_swept(root: str) -> None:
    state = State(root)
    table = pl.DataFrame({"id": ["a"]})
    for run, part in (("r1", "p-0-1"), ("r0", "p-1-2")):
        state.checkpoints.save_part(
            SCOPE, "intercom", run, part, spools={"some": spooled.spooled(table)}, facts={"stretches": []}
        )
    state.files.write_table("extract/2026-10/intercom/parts/p-2-3/some/1.parquet", table)
    state.files.write_table("extract/2026-10/jira/issues/1.parquet", table)
    state.files.write_table("extract/2026-09/jira/issues/1.parquet", table)  # another run's month
    state.sweep(SCOPE, "r1")
    assert list(state.files.names("extract/")) == [
        "extract/2026-09/jira/issues/1.parquet",
        "extract/2026-10/intercom/parts/p-0-1/part.json",
        "extract/2026-10/intercom/parts/p-0-1/some/1.parquet",
    ]


def test_temporary_folders_of_killed_processes_are_swept_and_those_in_use_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"{PREFIX}dead").mkdir()
    (tmp_path / f"{PREFIX}dead" / "000000.parquet").write_bytes(b"rows")
    (tmp_path / "accountpulse-other").mkdir()
    living = SpooledTable({"id": pl.String}, piece=1)
    living.add(pl.DataFrame({"id": ["a"]}))
    spooled.sweep()
    assert living.lazy().collect()["id"].to_list() == ["a"]
    assert sorted(path.name.partition("-spool-")[0] for path in tmp_path.iterdir()) == [
        "accountpulse",
        "accountpulse-other",
    ]
    del living
    assert [path.name for path in tmp_path.iterdir()] == ["accountpulse-other"]


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("file", "It is a file: set ACCOUNTPULSE_STATE to a folder."),
        ("file/below", "It is a file: set ACCOUNTPULSE_STATE to a folder."),
        ("x" * 300, "Set ACCOUNTPULSE_STATE to a shorter path."),
        ("/".join(["long"] * 1000), "Set ACCOUNTPULSE_STATE to a shorter path."),
        ("/sys/accountpulse", "Set ACCOUNTPULSE_STATE to a folder "),
    ],
    ids=["file", "below a file", "long name", "long path", "not writable"],
)
def test_a_state_that_cannot_be_is_a_setting_to_mend(tmp_path: Path, path: str, remedy: str) -> None:
    (tmp_path / "file").write_text("")
    store = store_at(tmp_path / path)
    actions = [
        lambda: store.write("runs/2026-10/r1.json", b""),
        lambda: store.create("locks/2026-10.json", b""),
        lambda: store.move("runs", "aside/runs"),
    ]
    if path != "/sys/accountpulse":  # it can be read: there is nothing yet
        actions += [lambda: store.read("runs/2026-10/r1.json"), lambda: list(store.names("runs/"))]
    for act in actions:
        with pytest.raises(ConfigurationError) as caught:
            act()
        assert remedy in str(caught.value)


def test_a_command_says_what_to_do_about_such_a_state(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = start(tmp_path, "history", ACCOUNTPULSE_STATE=str(tmp_path / "file"))
    assert done.returncode == 3
    assert "It is a file: set ACCOUNTPULSE_STATE to a folder." in done.stderr
    assert "Traceback" not in done.stderr

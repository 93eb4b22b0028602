"""No flipped bit, no cut and no foreign file changes what is said in silence: it is set aside, and told."""

import io
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period, parse_period, scope_of
from accountpulse.core.spooled import spooled
from accountpulse.pipeline import report_document
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.state import State, seals
from accountpulse.state.backtests import Backtests
from accountpulse.state.checkpoints import Checkpoints
from accountpulse.state.files import Files
from accountpulse.state.history import History
from accountpulse.state.lock import Locks
from accountpulse.state.outcomes import Outcomes
from accountpulse.state.runs import Runs
from accountpulse.state.store import Blob
from program import start
from report.backtests import few, plain
from support import NOW, Silent

SEPTEMBER, OCTOBER = Period(2026, 9), Period(2026, 10)
LATER = datetime(2026, 11, 30, tzinfo=UTC)
FLIPS = 12  # of each file; every bit of the smallest ones is flipped, too
CHANGING = {"Id", "Run_Id__c", "Scored_At__c", "SystemModstamp", "LastModifiedDate", "CreatedDate"}


def org_of(world: World) -> list[dict[str, Any]]:
    rows = world.salesforce.objects["Health_Score__c"].rows
    kept = [{name: value for name, value in row.items() if name not in CHANGING} for row in rows]
    return sorted(kept, key=lambda row: str(row["External_Key__c"]))


class Company:
    """A small company, its sandbox, and runs of it with a state in any folder."""

    def __init__(self, world: World, sandbox: Sandbox) -> None:
        self.world = world
        self.sandbox = sandbox

    def run(self, folder: Path, period: Period = OCTOBER) -> RunResult:
        """What a run says; the org is empty before it."""
        self.world.salesforce.objects["Health_Score__c"].rows.clear()
        loaded = settings.load({**self.sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        return pipeline.execute(loaded, RunRequest(period=period), NOW, Silent())


@pytest.fixture(scope="module")
def at(company: World) -> Iterator[Company]:
    with Sandbox(company) as running:
        yield Company(company, running)
    company.salesforce.objects["Health_Score__c"].rows.clear()


@pytest.fixture(scope="module")
def expected(at: Company, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the org holds after a run that nothing hinders, without earlier months."""
    assert at.run(tmp_path_factory.mktemp("clean") / "state").exit_code == 0
    return org_of(at.world)


@pytest.fixture(scope="module")
def finished(at: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a run leaves, and beside it what it takes away at its end: a part and a lock."""
    folder = tmp_path_factory.mktemp("finished") / "state"
    assert at.run(folder, SEPTEMBER).exit_code == 0
    state = State(folder)
    state.backtests.keep("2026-11-01T02:00:00+00:00", plain(few()))
    parts = {"some": spooled(pl.DataFrame({"id": ["a", "b"], "at": [1, 2]}))}
    state.checkpoints.save_part(
        scope_of(OCTOBER, NOW), "intercom", "r1", "p-0-1", spools=parts, facts={"stretches": [["p", 0, 1]]}
    )
    with state.locks.hold("2026-10", "r1", NOW):
        lock = state.files.store.read("locks/2026-10.json")
    assert lock is not None
    state.files.store.write("locks/2026-10.json", lock.content)
    return folder


class Memory:
    """A store that lies nowhere, for many tries. `fixed`: what is there can't be moved, as in a read-only folder."""

    place = "memory"

    def __init__(self, objects: dict[str, bytes], *, fixed: bool = False) -> None:
        self.objects = objects
        self.fixed = fixed

    def read(self, name: str) -> Blob | None:
        return Blob(self.objects[name]) if name in self.objects else None

    def write(self, name: str, content: bytes) -> None:
        self.objects[name] = content

    def create(self, name: str, content: bytes) -> bool:
        return self.objects.setdefault(name, content) is content

    def swap(self, name: str, content: bytes, tag: str) -> bool:
        raise NotImplementedError

    def remove(self, name: str) -> None:
        self.objects.pop(name, None)

    def move(self, name: str, to: str) -> None:
        if self.fixed:
            raise ConfigurationError("state", ["it can't be moved"])
        self.objects[to] = self.objects.pop(name)

    def names(self, prefix: str = "") -> Iterator[str]:
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))

    def sweep(self, prefix: str) -> None:
        pass


def said(files: Files, name: str) -> object:
    """What the state says that rests on one of its files; None: it takes it for absent."""
    found: object
    match name.split("/"):
        case ["runs", _, _]:
            found = next(Runs(files).all(), None)
        case ["scorecards", file]:
            found = History(files).load_scorecard(file.removesuffix(".json"))
        case ["history", "first", _, month, _]:
            found = History(files).first(parse_period(month.removeprefix("period=")))
        case ["history", kind, month, _]:
            found = History(files).load(parse_period(month.removeprefix("period=")), kind)  # type: ignore[arg-type]
        case ["outcomes", _]:
            outcomes = Outcomes(files).said()
            found = None if outcomes.is_empty() else outcomes
        case ["proof", _]:
            found = Backtests(files).last()
        case ["extract", _, source, "parts", *_]:
            found = next(Checkpoints(files).parts(scope_of(OCTOBER, NOW), source, "r1"), None)
        case ["extract", _, source, *_]:
            found = Checkpoints(files).load(scope_of(SEPTEMBER, NOW), source)
        case ["locks", _]:
            found = Locks(files).holder("2026-10", NOW)
        case _:
            raise AssertionError(name)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    store = State(folder).files.store
    return {name: blob.content for name in store.names() if (blob := store.read(name)) is not None}


def flipped(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def assert_set_aside(objects: dict[str, bytes], name: str, damaged: bytes) -> None:
    files = Files(Memory({**objects, name: damaged}))
    assert said(files, name) is None
    (note,) = files.notes
    assert note.startswith(f"state: {name} ")
    (kept,) = files.names("aside/")
    assert kept in note
    assert files.store.read(kept) == Blob(damaged)


def test_no_byte_of_any_file_can_be_flipped_or_cut_off_unnoticed(finished: Path) -> None:
    objects, chance = contents(finished), random.Random(20261101)  # noqa: S311
    kinds = {name.partition("/")[0] for name in objects}
    assert kinds == {"runs", "scorecards", "history", "outcomes", "proof", "extract", "locks"}
    assert len(objects) > 30
    for name, content in objects.items():
        others = {each: objects[each] for each in objects if each.rpartition("/")[0] != "runs/2026-09" or each == name}
        if not name.startswith("locks/"):  # it was that of this process, which holds none now
            assert said(Files(Memory({**others})), name) is not None, name
        for _ in range(FLIPS):
            at, bit = chance.randrange(len(content)), chance.randrange(8)
            assert_set_aside(others, name, flipped(content, at, bit))
        assert_set_aside(others, name, content[: chance.randrange(len(content))])
        assert_set_aside(others, name, content + b"\n")
        assert_set_aside(others, name, bytes(len(content)))  # as after a loss of power


def test_no_bit_of_a_document_or_a_table_is_outside_of_its_checksum(finished: Path) -> None:
    objects = contents(finished)
    for ending, check in ((".json", seals.is_sealed_document), (".parquet", seals.is_sealed_table)):
        name = min((each for each in objects if each.endswith(ending)), key=lambda each: len(objects[each]))
        content = objects[name]
        assert check(name, content)
        for at in range(len(content)):
            for bit in range(8):
                with pytest.raises(seals.Damaged):
                    check(name, flipped(content, at, bit))


def test_a_flipped_bit_is_noticed_in_a_folder_and_in_a_bucket(root: str) -> None:
    state = State(root)
    scores = pl.DataFrame({"account_id": ["001"], "health_score": [64.5]})
    state.history.save(OCTOBER, scores, scores)
    state.history.save_scorecard("abc", {"scorecard": {}, "pillars": []})
    for name in ("history/scores/period=2026-10/scores.parquet", "scorecards/abc.json"):
        found = state.files.store.read(name)
        assert found is not None
        state.files.store.write(name, flipped(found.content, len(found.content) // 2, 3))
    assert state.history.load(OCTOBER, "scores") is None
    assert state.history.load_scorecard("abc") is None
    assert len(state.files.notes) == len(list(state.files.names("aside/"))) == 2
    assert state.history.load(OCTOBER, "metrics") is not None


def test_a_whole_file_in_anothers_place_does_not_pass_for_it(finished: Path) -> None:
    objects = contents(finished)
    october = "history/scores/period=2026-10/scores.parquet"
    assert_set_aside(objects, october, objects["history/scores/period=2026-09/scores.parquet"])
    (run,) = [name for name in objects if name.startswith("runs/")]
    rest = {name: content for name, content in objects.items() if name != run}
    assert_set_aside(rest, "runs/2026-10/other.json", objects[run])


def test_what_cannot_be_moved_is_passed_over_and_told_once(finished: Path) -> None:
    """As in a folder that can be read and not written."""
    name = "history/scores/period=2026-09/scores.parquet"
    files = Files(Memory({name: contents(finished)[name][:-1]}, fixed=True))
    for _ in range(2):
        assert History(files).load(SEPTEMBER, "scores") is None
    (note,) = files.notes
    assert "is passed over" in note


@pytest.mark.parametrize(
    "document",
    [
        '{"version": 1, "run_id": "x"}',
        '{\n "version": 1,\n "run_id": "x"\n}',
        '{\n "version": 1,\n "run_id": "r1",\n "period": "2026-10",\n "status": "finished"\n}',
        '{\n "version": 1,\n "run_id": ' + "[" * 100_000,
        "null",
        "\ufeff{}",
    ],
    ids=["one line", "as we write", "half", "deep", "null", "mark"],
)
def test_a_foreign_run_document_is_set_aside_and_told(tmp_path: Path, document: str) -> None:
    state = State(tmp_path)
    state.files.store.write("runs/2026-10/r1.json", document.encode())
    assert state.runs.last_finished("2026-10") is None
    assert state.runs.unfinished("2026-10", "same", NOW) is None
    (note,) = state.files.notes
    assert "runs/2026-10/r1.json" in note
    assert "not gone on with" in note


def test_a_table_that_makes_its_reader_panic_is_set_aside(tmp_path: Path) -> None:
    """Of an earlier version, without a checksum, and one bit is another: polars panics, which is no Exception."""
    state = State(tmp_path)
    content = (Path(__file__).parent / "before" / "panic.parquet").read_bytes()
    with pytest.raises((pl.exceptions.PanicException, pl.exceptions.PolarsError)):  # as versions of polars have it
        pl.read_parquet(content, hive_partitioning=False)
    state.files.store.write("history/signals/period=2026-10/signals.parquet", content)
    assert state.history.load(OCTOBER, "signals") is None
    assert "history/signals/period=2026-10/signals.parquet" in state.files.notes[0]


def test_a_foreign_table_is_set_aside(root: str) -> None:
    state = State(root)
    table = pl.DataFrame({"account_id": [1], "note": ["mine"]})
    path = "history/scores/period=2026-10/scores.parquet"
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    state.files.store.write(path, buffer.getvalue())
    assert state.history.load(OCTOBER, "scores") is None
    assert "is not a table of ours" in state.files.notes[0]


def test_a_run_reads_again_what_was_damaged_and_ends_as_a_clean_one(
    at: Company, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder, chance = tmp_path / "state", random.Random(15)  # noqa: S311
    at.sandbox.down.add("jira")
    assert at.run(folder).exit_code == 5
    at.sandbox.down.clear()
    damaged = ["salesforce/accounts.parquet", "intercom/conversations/1.parquet", "looker/manifest.json"]
    for name in damaged:
        path = folder / "extract" / "2026-10" / name
        content = path.read_bytes()
        path.write_bytes(flipped(content, chance.randrange(len(content)), chance.randrange(8)))
    result = at.run(folder)
    assert result.exit_code == 0
    assert org_of(at.world) == expected
    told = [note for note in result.notes if "was set aside" in note]
    assert len(told) == len(damaged)
    assert all(any(f"extract/2026-10/{name} is damaged" in note for note in told) for name in damaged)


def test_a_run_goes_on_among_things_that_are_not_ours(
    at: Company, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Folders for files, files for folders, pipes, links in a circle, names that are no text."""
    folder = tmp_path / "state"
    (folder / "runs" / "2026-10" / "r0.json").mkdir(parents=True)
    (folder / "runs" / "2026-10" / "r1.json").write_text('{"version": 1, "run_id": "x"}')
    (folder / "runs" / "2026-10" / os.fsdecode(b"r\xff.json")).write_text("{}")
    os.mkfifo(folder / "runs" / "2026-10" / "r2.json")
    (folder / "runs" / "2026-10" / "r3.json").symlink_to("r3.json")
    (folder / "history" / "scores" / "period=2026-10" / "scores.parquet" / "deep").mkdir(parents=True)
    (folder / "scorecards").write_text("a file")
    (folder / "extract" / "2026-10" / "jira" / "issues" / "1.parquet").mkdir(parents=True)
    (folder / "locks" / "2026-10.json").mkdir(parents=True)
    result = at.run(folder)
    assert result.exit_code == 0
    assert org_of(at.world) == expected
    told = " ".join(result.notes)
    for name in ("r0.json", "r1.json", "r\\udcff.json", "r2.json", "r3.json", "scores.parquet", "scorecards", "locks/"):
        assert name in told
    again = State(folder)  # what it wrote is whole
    assert [facts["status"] for facts in again.runs.all()] == ["finished"]
    assert again.history.load(OCTOBER, "scores") is not None
    assert again.files.notes == []


def test_commands_and_the_report_tell_what_is_not_ours_and_go_on(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    for name, content in contents(finished).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    account = str(pl.read_parquet(folder / "history" / "scores" / "period=2026-09")["account_id"][0])
    foreign, text = folder / "runs" / "2026-09" / "foreign.json", '{"version": 1, "run_id": "x"}'
    foreign.write_text(text)
    state = State(folder)
    assert report_document.document(state, SEPTEMBER)["accounts"]
    assert "runs/2026-09/foreign.json" in state.files.notes[0]
    report = folder / "history" / "metrics" / "period=2026-09" / "metrics.parquet"
    report.write_bytes(report.read_bytes()[:-1])
    with pytest.raises(ConfigurationError, match=r"does not hold a run of 2026-09(.|\n)*metrics.parquet .*set aside"):
        report_document.document(State(folder), SEPTEMBER)
    for words in (("history",), ("forget", account, "--yes")):
        foreign.write_text(text)
        done = start(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "runs/2026-09/foreign.json" in done.stderr + done.stdout


def test_a_document_that_is_larger_than_any_of_ours_is_set_aside_unread(tmp_path: Path) -> None:
    huge = tmp_path / "runs" / "2026-10" / "x.json"
    huge.parent.mkdir(parents=True)
    with huge.open("wb") as stream:
        stream.truncate(2**40)  # a hole: it takes no room on the disk, and would take a terabyte of memory
    state = State(tmp_path)
    assert state.files.read_json("runs/2026-10/x.json") is None
    (note,) = state.files.notes
    assert "is larger than any document of ours" in note
    assert not huge.exists()

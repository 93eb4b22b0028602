"""What the program prints meets closed pipes, full disks, other encodings and names that steer a terminal."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accountpulse.observe.outlet import Outlet
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.state import State
from program import CLEAN
from support import NOW

FULL = Path("/dev/full")
OCTOBER = ("run", "--period", "2026-10")
STEERING = [*map(chr, (*range(9), *range(11, 32), *range(127, 160))), *"\u061c\u200b\u200e\u200f\u202e\u2066\ufeff"]
# of test_plain_text's, those that JSON can carry, and one that a spreadsheet would run once the mark before it is gone
NAMES = {
    "a \x1b[31;1mred\x1b[0m name": "a red name",
    "\x1b]0;a title\x07titled": "titled",
    "nul\x00 bell\x07 csi\x9b2J": "nul bell csi",
    "abc\u202etxt.exe\u2066 \u200fx": "abctxt.exe x",
    "two\nlines\tand a tab": "two lines and a tab",
    "\u200b=cmd|' /C calc'!A0": "=cmd|' /C calc'!A0",
}


class Place:
    """A sandbox with hostile names, a state, and the program before them."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox

    def start(self, *words: str, out: int | None = subprocess.PIPE, **more: str) -> "subprocess.Popen[bytes]":
        given = {**CLEAN, "HOME": str(self.folder), "COLUMNS": "120", **self.sandbox.environment(), **more}
        given["ACCOUNTPULSE_STATE"] = str(self.folder / "state")
        command = [sys.executable, "-m", "accountpulse", *words]
        return subprocess.Popen(command, cwd=self.folder, env=given, stdout=out, stderr=subprocess.PIPE)

    def done(self, *words: str, out: int | None = subprocess.PIPE, **more: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(*words, out=out, **more)
        shown, told = process.communicate(timeout=600)
        return process.returncode, (shown or b"").decode(), told.decode()

    def runs(self) -> list[str]:
        return [facts["status"] for facts in State(self.folder / "state").runs.all()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = build(seed=7, accounts=len(NAMES), until=NOW)
    customers = [customer.account_id for customer in world.customers]
    for row in world.salesforce.objects["Account"].rows:
        if row["Id"] in customers:
            row["Name"] = list(NAMES)[customers.index(row["Id"])]
    with Sandbox(world) as sandbox:
        yield Place(tmp_path_factory.mktemp("terminal"), sandbox)


@pytest.fixture(scope="module")
def month(place: Place) -> str:
    """What a run prints, for those who look at its month afterwards."""
    code, shown, told = place.done(*OCTOBER, "--out", "out")
    assert code == 0, told
    return shown


def test_a_run_whose_reader_is_gone_finishes_its_work_and_ends_with_0(place: Place, month: str) -> None:
    assert month
    before, org = len(place.runs()), place.sandbox.world.salesforce.objects["Health_Score__c"]
    org.rows.clear()
    process = place.start(*OCTOBER)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"begin" in process.stderr.readline() + process.stderr.readline() + process.stderr.readline()
    process.stderr.close()  # of the progress, too
    assert process.wait(120) == 0
    assert place.runs() == ["finished"] * (before + 1)
    assert len(org.rows) == len(NAMES)


def test_a_reader_who_has_seen_enough_gets_0_and_no_word_on_stderr(place: Place, month: str) -> None:
    assert month
    process = place.start("history", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(120) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("words", [("history",), ("--help",)])
def test_a_full_disk_behind_stdout_is_told_and_ends_with_2(place: Place, month: str, words: tuple[str, ...]) -> None:
    assert month
    with FULL.open("w") as full:
        code, _, told = place.done(*words, out=full.fileno())
    assert code == 2
    assert told == (
        "stdout can't be written (No space left on device). What is shown there is not complete: make room, and call "
        "the command again.\n"
    )


def test_a_graver_exit_code_than_that_of_a_full_disk_stays(place: Place) -> None:
    place.sandbox.down.add("jira")
    with FULL.open("w") as full:
        code, _, told = place.done("accounts", out=full.fileno())
    place.sandbox.down.clear()
    assert code == 5
    assert "stdout can't be written" in told
    assert "Traceback" not in told


def test_another_encoding_gets_replacements_in_text_and_everything_in_json(place: Place, month: str) -> None:
    assert month
    code, shown, told = place.done("explain", "titled", PYTHONIOENCODING="ascii")
    assert (code, told) == (0, "")
    assert "titled\n" in shown
    assert "#" in shown
    assert "?" not in shown.replace("/?jql=", "")  # of a link
    code, shown, _ = place.done("explain", "titled", "--json", PYTHONIOENCODING="latin-1")
    assert code == 0
    assert shown.isascii()
    assert json.loads(shown)["account_name"] == "titled"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "x Gr??e -20.9 % ### a -> b ..."),
        ("cp1252", "x Größe -20.9 % ### a -> b …"),
        ("utf-8", "✗ Größe −20.9 % ███ a → b …"),
    ],
)
def test_signs_that_an_encoding_lacks_are_written_in_ascii(encoding: str, shown: str) -> None:
    written = io.BytesIO()
    Outlet(io.TextIOWrapper(written, encoding, write_through=True)).write("✗ Größe −20.9 % ███ a → b …")
    assert written.getvalue().decode(encoding) == shown


def test_names_are_shown_without_what_steers_a_terminal(place: Place, month: str) -> None:
    code, shown, told = place.done("explain", "\x1b[31mno \u202esuch \x9bname")
    assert code == 2
    for text in (month, shown, told):
        assert not [hex(ord(each)) for each in STEERING if each in text]
    for name in NAMES.values():
        assert name in " ".join(month.split())


def test_names_in_files_are_clean_and_no_formulas(place: Place, month: str) -> None:
    assert month
    code, _, told = place.done("report")
    assert (code, told) == (0, "")
    page = (place.folder / "out" / "report-2026-10.html").read_text(encoding="utf-8")
    body = page[page.index("<body") : page.index("<script")]
    assert not [hex(ord(each)) for each in STEERING if each in body]
    assert "abctxt.exe x" in body
    with (place.folder / "out" / "report-2026-10.csv").open(encoding="utf-8", newline="") as stream:
        names = {row["account_name"] for row in csv.DictReader(stream)}
    assert names == {name if name[0] != "=" else f"'{name}" for name in NAMES.values()}

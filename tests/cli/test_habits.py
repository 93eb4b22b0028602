"""What every command has: -h, --quiet, exit codes in its help, JSON of a documented shape; completion and docs."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.main import get_command

from accountpulse.cli import app
from accountpulse.cli.completion import months, pages, sources
from accountpulse.cli.program import EXIT_CODES
from accountpulse.core.errors import AccountpulseError
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.scorecard import default_text
from program import Said, call
from support import NOW, ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
RUN = ("run", "--period", "2026-10")


def commands() -> Iterator[list[str]]:
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        yield from ([name, each] for each in inner) if inner else [[name]]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_short_help_quiet_and_the_exit_codes(tmp_path: Path, words: list[str]) -> None:
    done = call(tmp_path, *words, "-h")
    assert done.exit_code == 0
    assert "-q, --quiet" in done.stdout
    assert "-h, --help" in done.stdout
    for code, meaning in EXIT_CODES.items():
        assert f"    {code}  {meaning}\n" in done.stdout
    assert not re.search("--.*(<str>|<path>)", done.stdout)  # what is wanted is named


def test_the_pages_list_the_exit_codes_that_errors_end_with(tmp_path: Path) -> None:
    rows = dict(re.findall(r"^\| (\d) \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {str(code): meaning for code, meaning in EXIT_CODES.items()}
    readme = re.findall(r"^\| (\d) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert readme == list(rows)
    kinds = [AccountpulseError, *AccountpulseError.__subclasses__()]
    assert {kind.exit_code for kind in kinds} <= set(EXIT_CODES)
    assert call(tmp_path, "-h").stdout.count("Exit codes:") == 1


def test_months_sources_and_pages_are_completed() -> None:
    known = list(months(""))
    assert len(known) == 24
    assert known == sorted(known, reverse=True)
    assert list(months(known[5])) == [known[5]]
    assert list(months("x")) == []
    assert sources("j") == ["jira"]
    assert "mapping" in pages("map")


def test_the_documentation_is_listed_and_shown_without_a_network(tmp_path: Path) -> None:
    listed = call(tmp_path, "docs")
    assert listed.exit_code == 0
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= set(listed.stdout.split())
    shown = call(tmp_path, "docs", "mapping")
    assert shown.stdout == (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    readme = call(tmp_path, "docs", "README")
    assert readme.stdout == (ROOT / "README.md").read_text(encoding="utf-8")
    near = call(tmp_path, "docs", "maping")
    assert (near.exit_code, "did you mean 'mapping'?" in near.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "--deadline", "soon"), "Invalid value for '--deadline': must be a whole number"),
        (("run", "--deadline", "0"), "Invalid value for '--deadline': must be at least 1"),
        (
            ("sandbox", "--world", "odd"),
            "Invalid value for '--world': 'odd' is not one of 'plain', 'crooked', 'renamed'",
        ),
        (("sandbox", "--truth", "t.csv", "--accounts", "1", "--period", "2999-01"), "2999-01 has not begun yet"),
        (("demo", "--out", "."), "--out .: report-2026-10.html there is not of a demo"),
        (("forget", "001Hu00000000ZZIAY"), "Nobody answered: nothing was erased."),
        (("explain", "x"), "run `accountpulse run` first"),
        (("run",), "`accountpulse init` writes a .env that lists every setting, to be filled in"),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else "",
)
def test_what_can_not_be_done_is_said_in_our_own_words_on_stderr_alone(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    (tmp_path / "report-2026-10.html").touch()
    done = call(tmp_path, *words)
    assert done.exit_code == (3 if words[0] in {"run", "explain"} and len(words) < 3 else 2)
    assert done.stdout == ""
    assert says in done.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = call(tmp_path, "sandbox", "--accounts", "1", "--port", port)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"--port {port} can't be had (Address already in use); name another" in done.stderr


# --- with a company --------------------------------------------------------------------------------------------


class Office:
    """A small company, its state after two months, and the program before them."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox

    def call(self, *words: str, **more: str) -> Said:
        return call(self.folder, *words, **{**self.sandbox.environment(), **more})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    (folder / "card.yaml").write_text(default_text(), encoding="utf-8")
    (folder / "other.yaml").write_text(default_text().replace("min: 75", "min: 80"), encoding="utf-8")
    with Sandbox(build(seed=7, accounts=6, until=NOW)) as sandbox:
        place = Office(folder, sandbox)
        assert place.call("run", "--period", "2026-09", "--quiet").exit_code == 0
        yield place


@pytest.fixture(scope="module")
def ran(office: Office) -> Said:
    """October, as a program asks for it."""
    return office.call(*RUN, "--quiet", "--json")


def documented(command: str) -> set[str]:
    """The keys of a row of docs/commands.md."""
    (row,) = re.findall(rf"^\| `{command}` \| (.*) \|$", PAGE, re.MULTILINE)
    more = documented("run") if "those of `run`" in row else set()
    return more | set(re.findall(r"`(\w+)`", row)) - {"run"}


def objects(said: Said) -> list[dict[str, Any]]:
    """One object a line, or one over many lines."""
    try:
        return [json.loads(said.stdout)]
    except ValueError:
        return [json.loads(line) for line in said.stdout.splitlines()]


def test_a_runs_json_has_the_documented_keys_and_a_quiet_run_says_nothing_else(ran: Said) -> None:
    assert (ran.exit_code, ran.stderr) == (0, "")
    (found,) = objects(ran)
    assert set(found) == documented("run")
    assert (found["period"], found["scored"], found["rated"]) == ("2026-10", 6, sum(found["tiers"].values()))


@pytest.mark.parametrize(
    "words",
    [
        ("history",),
        ("history", "--metrics", "stored.csv"),
        ("check", "--period", "2026-10"),
        ("accounts",),
        ("score", "--period", "2026-10", "--out", "scores.csv"),
        ("explain", "O'Brien"),
        ("forget", "001Hu00000000ZZIAY", "--yes"),
        ("outcomes",),
        ("scorecard", "check", "card.yaml"),
        ("scorecard", "diff", "card.yaml", "other.yaml", "--period", "2026-10"),
        ("scorecard", "diff", "card.yaml", "other.yaml"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_json_prints_has_the_documented_keys(office: Office, ran: Said, words: tuple[str, ...]) -> None:
    assert ran.exit_code == 0
    done = office.call(*words, "--json")
    name = " ".join(words[:2]) if words[0] == "scorecard" or "--metrics" in words else words[0]
    found = objects(done)
    assert found
    for each in found:
        assert set(each) == documented(name)


def test_one_scorecard_has_one_hash_whoever_prints_it(office: Office, ran: Said) -> None:
    (run,) = objects(ran)
    (checked,) = objects(office.call("scorecard", "check", "card.yaml", "--json"))
    (diff,) = objects(office.call("scorecard", "diff", "card.yaml", "other.yaml", "--json"))
    (explained,) = objects(office.call("explain", "O'Brien", "--json"))
    (scored,) = objects(office.call("score", "--period", "2026-10", "--out", "again.csv", "--json"))
    hashes = {checked["hash"], diff["before"]["hash"], explained["scorecard"]["hash"]}
    assert hashes == {run["scorecard"].split()[-1]} == {scored["scorecard"].split()[-1]}
    assert f"content hash `{checked['hash']}`" in office.call("scorecard", "show", "card.yaml").stdout


def test_after_dry_runs_alone_commands_say_how_they_are_shown(office: Office) -> None:
    own = {"ACCOUNTPULSE_STATE": str(office.folder / "dry")}
    (dry,) = objects(office.call(*RUN, "--dry-run", "--quiet", "--json", **own))
    for words in (("report",), ("explain", "O'Brien")):
        refused = office.call(*words, **own)
        assert (refused.exit_code, "`report --run last`" in refused.stderr) == (3, True)
        assert office.call(*words, "--run", "last", **own).exit_code == 0
    assert dry["run_id"] in office.call("history", **own).stdout


def test_a_table_with_other_pillars_than_the_mapping_is_remarked(office: Office, ran: Said) -> None:
    assert ran.exit_code == 0
    assert office.call("history", "--metrics", "all.parquet").exit_code == 0
    less = pl.read_parquet(office.folder / "all.parquet").drop("pillar_insights", "pillar_insights_reason")
    less.write_parquet(office.folder / "less.parquet")
    less.write_csv(office.folder / "less.csv")
    assert "pillars" not in office.call("score", "--metrics", "all.parquet", "--out", "s.csv").stderr
    for kind in ("csv", "parquet"):  # the second one streams
        said = office.call("score", "--metrics", f"less.{kind}", "--out", f"s.{kind}").stderr
        assert f"less.{kind} and accountpulse.yaml differ in pillars: only one of them has pillar_insights." in said


def test_a_quiet_check_shows_what_would_fail_alone(office: Office) -> None:
    done = office.call("check", "--period", "2026-10", "--quiet", INTERCOM_API_TOKEN="wrong")
    marks = [line[0] for line in done.stdout.splitlines() if line[:2] in {"✓ ", "! ", "✗ "}]
    assert (done.exit_code, marks) == (3, ["✗"])


def test_a_quiet_run_shows_errors_and_no_notes(office: Office, ran: Said) -> None:
    assert objects(ran)[0]["notes"]
    quiet = office.call(*RUN, "--dry-run", "--quiet", JIRA_API_TOKEN="wrong")
    assert quiet.exit_code == 3
    assert quiet.stdout == ""
    assert "JIRA_API_TOKEN" in quiet.stderr
    assert len(quiet.stderr.splitlines()) == 1


@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_history_says_when_each_run_began_and_how_long_it_took(office: Office, ran: Said, columns: str) -> None:
    assert ran.exit_code == 0
    shown = office.call("history", COLUMNS=columns).stdout.splitlines()
    assert max(map(len, shown)) <= int(columns)
    facts = objects(office.call("history", "--json"))[0]
    assert facts["begun_at"][:16].replace("T", " ") in shown[1]
    assert facts["run_id"] in shown[1]
    assert ("Took" in shown[0]) == (columns == "140")


def test_a_month_that_runs_still_is_remarked_and_one_to_come_refused(office: Office) -> None:
    this, later = (f"{month}" for month in (next(months("")), "2999-01"))
    own = {"ACCOUNTPULSE_STATE": str(office.folder / "open")}
    (found,) = objects(office.call("run", "--period", this, "--json", "--quiet", **own))
    assert any(f"{this} is not over" in note for note in found["notes"])
    for words in (("explain", "O'Brien"), ("report",)):
        assert "the month is not over: its scores will change" in " ".join(office.call(*words, **own).stdout.split())
    refused = office.call("run", "--period", later, "--dry-run")
    assert refused.exit_code == office.call("check", "--period", later).exit_code == 2
    assert "has not begun yet" in refused.stderr

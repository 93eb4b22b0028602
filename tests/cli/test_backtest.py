"""`backtest`, as people call it: on a table, on what a run kept, and what is refused."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.cli.backtest import BacktestRequest, backtest_table
from accountpulse.cli.proof_tables import months_asked
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.scoring.scorecard import load
from accountpulse.state import State
from calibrations import FITTED
from program import CLEAN, start
from support import NOW, Silent

CARD = """name: mine
horizon_days: 120
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""
METRICS = "account_id,account_name,as_of,csat_score,arr\n" + "".join(
    f"a{account:02},Company {account},2025-{month:02}-01,{60 + 3 * account if account > 6 else 20 + account},1000\n"
    for account in range(13)
    for month in range(1, 13)
    if account > 6 or month < 8
)
OUTCOMES = "account_id,date,kind\n" + "".join(f"a{account:02},2025-07-{account + 1:02},lost\n" for account in range(7))
OUTCOMES += "a12,2025-12-20,lost\na12,2025-12-20,lost\nnobody,2025-12-24,lost\ngone,2025-09-01,lost\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"card.yaml": CARD, "m.csv": METRICS, "o.csv": OUTCOMES}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def told(folder: Path, *words: str, code: int = 0) -> str:
    done = start(folder, "backtest", "--metrics", "m.csv", "--scorecard", "card.yaml", *words, COLUMNS="72")
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout if code == 0 else done.stderr).split())


def test_a_table_is_held_against_outcomes(folder: Path) -> None:
    text = told(folder, "--outcomes", "o.csv")
    assert "Of 8 customers who left, 7 were Poor 90 days before." in text
    assert "13 customers, 8 of them left by 2025-12-20; 1 more who left is in none of these months" in text
    assert "False greens: green, and left (1 customer)" in text
    assert "Company 12" in text
    assert "2 accounts: an outcome, but no month here (gone, nobody)" in text
    assert "o.csv: 1 row says again what another says (a12); it counts once" in text
    document = json.loads((folder / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert (document["horizon_days"], document["known_until"], document["main"]) == (120, "2025-12-20", "months")
    assert document["false_greens"][0]["account_name"] == "Company 12"
    assert "Company 12" in (folder / "out" / "backtest.html").read_text(encoding="utf-8")
    assert not (folder / "state").exists()
    rows = pl.read_parquet(folder / "out" / "rows.parquet")
    # of the first seven accounts January to July, of the others all twelve months; the first one left on 1 July
    assert rows.filter(pl.col("sample") == "months").height == 7 * 7 + 6 * 12 - 1


def test_a_calibration_is_judged_a_horizon_after_it_was_fitted_and_by_its_own_horizon(folder: Path) -> None:
    own = replace(FITTED, scorecard_hash=load(CARD, "card.yaml").hash, horizon_days=120, months=("2024-12",))
    (folder / "k.yaml").write_text(own.to_document(), encoding="utf-8")
    asked = ("--outcomes", "o.csv", "--calibration", "k.yaml")
    # eight left, which is too few to judge a probability by
    assert "too few account-months with a known outcome are as of 2025-05-01 or later" in told(folder, *asked)
    assert "the probabilities of k.yaml speak of 120 days" in told(folder, *asked, "--horizon", "60", code=2)
    (folder / "k.yaml").write_text(FITTED.to_document(), encoding="utf-8")
    assert "it was fitted" in told(folder, *asked, code=3)


def test_a_day_to_come_closes_no_window(folder: Path) -> None:
    (folder / "o.csv").write_text(OUTCOMES + "a11,2999-01-01,renewed\n", encoding="utf-8")
    told(folder, "--outcomes", "o.csv")
    document = json.loads((folder / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert document["known_until"] == "2025-12-20"
    assert "--known-until 2999-01-01 is a day to come" in told(
        folder, "--outcomes", "o.csv", "--known-until", "2999-01-01", code=2
    )


def test_options_say_what_counts(folder: Path) -> None:
    more = (
        "--scorecard",
        "card.yaml",
        "--horizon",
        "60",
        "--from",
        "2025-02",
        "--to",
        "2025-05",
        "--known-until",
        "2025-07-20",
        "--out",
        "here",
    )
    text = told(folder, "--outcomes", "o.csv", *more)
    assert "Too few customers left to compare the ranking of mine with this one's. Its own horizon is 120 days;" in text
    document = json.loads((folder / "here" / "backtest.json").read_text(encoding="utf-8"))
    assert document["months"] == ["2025-02", "2025-03", "2025-04", "2025-05"]
    assert (document["horizon_days"], document["known_until"]) == (60, "2025-07-20")
    # of June's first day on, a horizon of 60 days runs past the twentieth of July
    assert document["account_months"]["censored"] == 13


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", METRICS.replace("as_of", "month"), "there is no column as_of"),
        (
            "o.csv",
            OUTCOMES.replace("2025-07-03", "03/07/2025"),
            "'03/07/2025' is not a day such as 2026-03-31 (line 4)",
        ),
        ("o.csv", OUTCOMES.replace("2025-07-02,lost", "2025-07-02,churned"), "'churned' is none of lost"),
        ("o.csv", "account_id,date,kind\n", "there is no outcome in it"),
    ],
)
def test_a_table_that_cannot_be_read_for_certain_is_refused(folder: Path, name: str, content: str, said: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    assert said in told(folder, "--outcomes", "o.csv", code=2)
    assert not (folder / "out").exists()


def test_what_is_asked_wrongly_is_refused(folder: Path) -> None:
    assert "give the outcomes of the table's accounts" in told(folder, code=2)
    assert "is not a day of the form YYYY-MM-DD" in told(folder, "--outcomes", "o.csv", "--known-until", "June", code=2)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-06", "2025-01", "--from 2025-06 is after --to 2025-01"),
        (None, "2025-13", "--to '2025-13' is not a month"),
    ],
)
def test_months_are_refused_by_the_name_of_their_option(first: str | None, last: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        months_asked(first, last)
    assert months_asked("2025-01", None) == ("2025-01", None)


@pytest.mark.parametrize(
    ("changed", "out", "said"),
    [
        ({"m.csv": ""}, "out", "m.csv: the file is empty"),
        (
            {"o.csv": OUTCOMES.replace("\na", "\nx")},
            "out",
            "none of the 10 accounts in o.csv is in m.csv: ids such as x00 ",
        ),
        ({}, "m.csv", "m.csv: this is a file, not a folder"),
    ],
)
def test_what_would_come_to_nothing_is_refused(folder: Path, changed: dict[str, str], out: str, said: str) -> None:
    for name, text in changed.items():
        (folder / name).write_text(text, encoding="utf-8")
    asked = BacktestRequest(folder / "o.csv", (), None, 90, None, None, None, None, folder / out)
    with pytest.raises(UsageError, match=said):
        backtest_table(folder / "m.csv", asked, NOW)


def test_without_its_packages_it_says_what_to_install(folder: Path) -> None:
    program = "import sys; sys.modules['scipy'] = None; from accountpulse.cli import main; main()"
    words = ["backtest", "--metrics", "m.csv", "--outcomes", "o.csv"]
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False, timeout=600)
    said = "backtest:\n  - it needs packages that are not installed: pip install 'accountpulse[backtest]'\n"
    assert (done.returncode, done.stderr) == (3, said)


def test_without_the_templates_all_but_the_page_is_written(folder: Path) -> None:
    program = "import sys; sys.modules['jinja2'] = None; from accountpulse.cli import main; main()"
    words = ["backtest", "--metrics", "m.csv", "--outcomes", "o.csv"]
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Page: not written: the page needs Jinja2, which is not installed: pip install Jinja2" in " ".join(
        done.stdout.split()
    )
    written = sorted(path.name for path in (folder / "out").iterdir())
    assert written == ["backtest.json", "rows.parquet", "words.parquet"]


def test_what_a_run_kept_is_held_against_a_table(tmp_path: Path) -> None:
    world = build(seed=7, accounts=10, until=NOW)
    with Sandbox(world) as sandbox:
        loaded = settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")})
        ran = pipeline.execute(loaded, RunRequest(period=Period(2026, 5)), datetime(2026, 6, 8, tzinfo=UTC), Silent())
    assert ran.scores is not None
    leaver = ran.scores["account_id"][0]
    (tmp_path / "o.csv").write_text(f"account_id,date,kind\n{leaver[:15]},2026-08-15,lost\n", encoding="utf-8")
    words = ("--outcomes", "o.csv", "--known-until", "2026-11-30")
    done = start(tmp_path, "backtest", *words)
    assert done.returncode == 0, done.stderr
    assert "on what runs kept: 2026-05 to 2026-05" in " ".join(done.stdout.split())
    document = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    months = document["account_months"]
    assert (months["rows"], months["left"], document["labels"]["departures"]) == (ran.scores.height, 1, 1)
    kept = kept_in(tmp_path, leaver)
    assert (kept["account_months"], kept["sentences"]) == (months, document["sentences"])
    some_months = start(tmp_path, "backtest", *words[:2], "--to", "2026-05", "--lead", "30")
    assert some_months.returncode == 0
    # the last date in the file, later than 60 days before the run of 2026-06-08
    again = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert again["known_until"] == "2026-08-15"
    assert kept_in(tmp_path, leaver) == kept
    reported = json.loads(start(tmp_path, "report", "--json").stdout)["proof"]
    assert (reported["left"], reported["months"], reported["same_scorecard"]) == (1, 1, True)
    assert (reported["sentences"], reported["auc"]) == (document["sentences"], None)
    assert reported["not_proven"] == document["not_proven"][0]


def kept_in(folder: Path, leaver: str) -> dict[str, Any]:
    """The document that the state keeps for the report; it names nobody."""
    kept = State(folder / "state").backtests.last()
    assert kept is not None
    assert leaver not in json.dumps(kept)
    document: dict[str, Any] = kept["document"]
    return document


def test_a_state_without_a_month_is_refused(tmp_path: Path) -> None:
    done = start(tmp_path, "backtest")
    assert done.returncode == 3
    assert "it holds no month that was run as a whole" in done.stderr

"""`accountpulse outcomes`: who left and who renewed, from a state, a table and the org."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.cli import app
from accountpulse.core.errors import AccessError
from accountpulse.core.period import Period
from accountpulse.core.records import MERGES, OUTCOMES
from accountpulse.pipeline.first_measurement import MEASURED_TYPE
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.org import record_id
from accountpulse.state import State
from program import start
from salesforce_org import ONE, Org
from support import NOW

LEFT, STAYED, STRANGER = (record_id("001", number) for number in (1, 2, 3))
TABLE = f"account_id,date,kind,arr_lost\n{LEFT[:15]},2026-09-15,lost,1200\n{STRANGER},2026-06-30,lost,\n"


def of_then(month: int, **arr: float) -> tuple[Period, pl.DataFrame]:
    """A month of the two accounts."""
    names = {LEFT: "Left [Ltd]", STAYED: "Stayed and a name that is much longer than any terminal has room for"}
    rows = [{"account_id": account, "account_name": names[account], "arr": amount} for account, amount in arr.items()]
    measured = pl.lit(datetime(2026, month + 1, 2, tzinfo=UTC), MEASURED_TYPE)
    return Period(2026, month), pl.DataFrame(rows).with_columns(measured_at=measured, reconstructed=pl.lit(month == 8))


Call = Callable[..., str]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """What the command prints, called in this process and in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def called(*words: str, **environment: str) -> str:
        given = {"ACCOUNTPULSE_STATE": str(tmp_path / "state"), "COLUMNS": "100", **environment}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert app(["outcomes", *words], standalone_mode=False) == 0
        return capsys.readouterr().out

    return called


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state of two months, in which one account shrank, and what the org said of both."""
    state = State(tmp_path / "state")
    for month, amount in ((8, 100.0), (9, 60.0)):
        period, table = of_then(month, **{LEFT: 50.0, STAYED: amount})
        state.history.save_first(period, table, table)
    said: list[dict[str, Any]] = [
        {"account_id": LEFT, "happened_on": date(2026, 6, 30), "kind": "lost", "origin": "contracts"},
        {"account_id": STAYED, "happened_on": date(2026, 5, 31), "kind": "renewed", "origin": "contracts"},
    ]
    state.outcomes.keep(pl.DataFrame(said, schema=OUTCOMES), [])
    state.outcomes.keep_merges(pl.DataFrame([("001LOSER", STAYED)], schema=MERGES, orient="row"))
    return tmp_path


def test_every_outcome_is_told_with_its_origin_and_its_doubts(folder: Path, call: Call) -> None:
    found = json.loads(call("--json", "--out", "all.xlsx"))
    assert found["counts"] == {"contracts": {"lost": 1, "renewed": 1}, "history": {"contraction": 1}}
    assert [(each["account_id"], each["kind"], each["doubt"]) for each in found["outcomes"]] == [
        (STAYED, "contraction", "one of the two months was measured afterwards"),
        (LEFT, "lost", "still had ARR on 2026-09-01"),
        (STAYED, "renewed", None),
    ]
    assert found["outcomes"][0]["arr_lost"] == 40.0
    assert (found["months"], found["reconstructed_months"], found["doubtful"]) == (2, 1, 2)
    assert found["merged"] == {"001LOSER": STAYED}
    assert [(each["what"], each["accounts"]) for each in found["findings"]] == [("before_first_month", [LEFT])]
    written = pl.read_excel(folder / "all.xlsx")
    assert written.columns[:2] == ["account_id", "account_name"]
    assert written["account_id"].to_list() == [STAYED, LEFT, STAYED]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("width", [72, 160])
def test_a_terminal_of_any_width_shows_all_of_it(call: Call, width: int) -> None:
    shown = call(COLUMNS=str(width))
    assert max(map(len, shown.splitlines())) <= width
    for text in ("3 outcomes of 2 customers", "2 doubtful", "Left [Ltd]", "contraction", "then: 2, 1 of them"):
        assert text in shown
    assert (STAYED in shown) == (width == 160)


def test_a_table_wins_is_kept_and_can_be_replaced(folder: Path, call: Call) -> None:
    (folder / "left.csv").write_text(TABLE, encoding="utf-8")
    shown = call("--import", "left.csv")
    assert "left.csv: 2 outcomes imported" in shown
    assert f"1 account: an outcome, but no month here ({STRANGER})" in shown
    found = json.loads(call("--json"))["outcomes"]
    lost = [(each["account_id"], each["happened_on"], each["origin"]) for each in found if each["kind"] == "lost"]
    assert lost == [(LEFT, "2026-09-15", "table"), (STRANGER, "2026-06-30", "table")]
    (folder / "left.csv").write_text(TABLE.replace(STRANGER, STAYED), encoding="utf-8")
    assert "in place of the 2 outcomes of an earlier table" in call("--import", "left.csv")


def test_a_table_with_a_mistake_changes_nothing_and_ends_with_2(folder: Path) -> None:
    (folder / "left.csv").write_text(TABLE.replace("2026-06-30", "30.06.2026"), encoding="utf-8")
    done = start(folder, "outcomes", "--import", "left.csv")
    assert done.returncode == 2
    assert "'30.06.2026' is not a day such as 2026-03-31 (line 3)" in done.stderr
    assert State(folder / "state").outcomes.imported().is_empty()


def test_the_org_is_asked_and_a_refusal_is_the_errors_own(tmp_path: Path, call: Call) -> None:
    org = Org(build(seed=7, accounts=1, until=NOW))
    closed = {"Type": "Renewal", "IsClosed": True, "Amount": 900.0}
    org.add("Opportunity", AccountId=ONE, CloseDate=date(2025, 5, 20), **closed)
    (tmp_path / "mine.yaml").write_text("salesforce: {outcomes: {years: 20}}", encoding="utf-8")
    with Sandbox(org.world) as sandbox:
        environment = {**sandbox.environment(), "ACCOUNTPULSE_CONFIG": str(tmp_path / "mine.yaml")}
        (asked,) = json.loads(call("--refresh", "--json", **environment))["outcomes"]
        with pytest.raises(AccessError, match="SALESFORCE_CLIENT_ID"):
            call("--refresh", **{**environment, "SALESFORCE_CLIENT_SECRET": "wrong-token-1"})
        written = [sent for sent in sandbox.log if sent.method not in {"GET", "POST"}]
    assert (asked["account_id"], asked["happened_on"], asked["arr_lost"]) == (ONE, "2025-05-20", 900.0)
    assert State(tmp_path / "state").outcomes.said()["account_id"].to_list() == [ONE]
    assert written == []


def test_without_any_it_says_what_to_do(call: Call) -> None:
    assert "accountpulse outcomes --refresh" in " ".join(call().split())

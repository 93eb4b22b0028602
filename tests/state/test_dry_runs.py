"""The last dry runs are kept to be looked at, each whole or not at all."""

from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.pipeline.earlier_runs import chosen
from accountpulse.scoring import scorecard
from accountpulse.state import State

CARD = scorecard.default()
METRICS = pl.DataFrame({"account_id": ["001000000000001AAA"], "mau": [3.0]})
SCORES = METRICS.select("account_id", health_score=pl.lit(50.0), tier=pl.lit("Stable"), scorecard=pl.lit("default x"))
IDS = [f"2026110{day}T060000Z-aaaaaa" for day in range(1, 6)]


def keep(state: State, run_id: str) -> None:
    facts = {"run_id": run_id, "period": "2026-10", "dry_run": True}
    state.dry_runs.save(run_id, facts, CARD.content, {"metrics": METRICS, "scores": SCORES})


def test_the_last_three_are_kept_and_none_of_them_is_a_month_of_the_history(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    for run_id in IDS:
        keep(state, run_id)
    assert state.dry_runs.ids() == IDS[-3:]
    assert {name.split("/")[1] for name in state.files.names("")} == set(IDS[-3:])
    assert (state.history.periods(), list(state.runs.all())) == ([], [])
    last = chosen(State(tmp_path / "state"), None, "last")
    assert (last.facts["run_id"], last.card.hash, last.detail("evidence")) == (IDS[-1], CARD.hash, None)
    assert last.metrics.equals(METRICS)


def test_forgetting_an_account_takes_all_of_them_away(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    keep(state, IDS[0])
    state.forget("001000000000009AAA")
    assert state.dry_runs.ids() == []


@pytest.mark.parametrize("name", ["run.json", "scores.parquet"])
def test_a_damaged_one_is_set_aside_and_said(tmp_path: Path, name: str) -> None:
    state = State(tmp_path / "state")
    keep(state, IDS[0])
    file = tmp_path / "state" / "dry-runs" / IDS[0] / name
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ConfigurationError, match="that dry run can't be shown"):
        chosen(state, None, IDS[0])

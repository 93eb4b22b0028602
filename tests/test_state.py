import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from accountpulse.errors import ConfigurationError
from accountpulse.period import Period, scope_of
from accountpulse.records import TABLES, TABLES_OF, Extract, frame
from accountpulse.state import State

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SCOPE = scope_of(Period(2026, 10), NOW)


def an_extract() -> Extract:
    tables = {name: frame(name) for name in TABLES_OF["looker"]}
    tables["pillars"] = frame("pillars", [{"key": "001", "pillar": "insights", "value": 51.5}])
    return Extract("looker", tables, {"dau": "field_missing"}, {"x": "not_linked"}, ("a note",))


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    state = State(tmp_path / "new" / "folder")
    state.save_extract(SCOPE, an_extract())
    back = state.load_extract(SCOPE, "looker")
    assert back is not None
    assert back.gaps == {"dau": "field_missing"}
    assert back.unknown_keys == {"x": "not_linked"}
    assert back.notes == ("a note",)
    assert back.tables["pillars"].rows() == [("001", "insights", 51.5)]
    assert dict(back.tables["usage_days"].schema) == dict(TABLES["usage_days"])


def test_a_checkpoint_of_other_instants_is_not_used(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.save_extract(SCOPE, an_extract())
    assert state.load_extract(scope_of(Period(2026, 10), NOW, 30), "looker") is None
    assert state.load_extract(SCOPE, "jira") is None


def test_without_its_manifest_a_checkpoint_does_not_count(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.save_extract(SCOPE, an_extract())
    (tmp_path / "2026-10" / "extract" / "looker" / "manifest.json").unlink()
    assert state.load_extract(SCOPE, "looker") is None


def test_nothing_half_written_stays_behind(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.save_table(SCOPE.period, "metrics", pl.DataFrame({"account_id": ["a"]}))
    state.save_run(SCOPE.period, {"run_id": "r1"})
    assert sorted(p.name for p in (tmp_path / "2026-10").iterdir()) == ["metrics.parquet", "run.json"]
    assert json.loads((tmp_path / "2026-10" / "run.json").read_text())["run_id"] == "r1"


def test_a_manifest_that_is_no_json_is_reported_and_left_alone(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.save_run(SCOPE.period, {})
    path = tmp_path / "2026-10" / "run.json"
    path.write_text("{half")
    with pytest.raises(ConfigurationError, match=r"run\.json can't be read"):
        state.load_run(SCOPE.period)
    assert path.read_text() == "{half"


def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ACCOUNTPULSE_STATE"):
        State(tmp_path / "file").save_run(SCOPE.period, {})

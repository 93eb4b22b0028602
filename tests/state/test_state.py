"""What a run leaves behind comes back as it was, or not at all."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import ON_DISK, TABLES, Extract, frame
from accountpulse.core.spooled import SpooledTable, spooled
from accountpulse.state import State, seals
from support import TABLES_OF

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
OCTOBER = Period(2026, 10)
SCOPE = scope_of(OCTOBER, NOW)


def days(rows: int) -> SpooledTable:
    """More rows than one piece holds, added little by little."""
    spool = SpooledTable(TABLES["usage_days"])
    for start in range(0, rows, 8_000):
        some = pl.select(users=pl.int_range(start, start + 8_000))
        spool.add(some.with_columns(key=pl.format("a{}", "users"), day=pl.lit(OCTOBER.first_day)))
    return spool


def an_extract() -> Extract:
    tables = {name: frame(name) for name in TABLES_OF["looker"] if name not in ON_DISK}
    tables["figures"] = frame("figures", [{"key": "001", "metric": "pillar_insights", "value": 51.5}])
    return Extract(
        "looker",
        tables,
        {"dau": "field_missing"},
        {"x": "not_linked"},
        ("a note",),
        spools={"usage_days": days(120_000)},
    )


def test_a_checkpoint_comes_back_as_it_was(root: str) -> None:
    State(root).checkpoints.save(SCOPE, an_extract(), "r1")
    back = State(root).checkpoints.load(SCOPE, "looker")
    assert back is not None
    assert back.gaps == {"dau": "field_missing"}
    assert back.unknown_keys == {"x": "not_linked"}
    assert back.notes == ("a note",)
    assert back.tables["figures"].rows() == [("001", "pillar_insights", 51.5)]
    assert back.spools["usage_days"].lazy().collect().equals(days(120_000).lazy().collect())


def test_a_checkpoint_of_other_instants_or_another_run_is_not_used(root: str) -> None:
    checkpoints = State(root).checkpoints
    checkpoints.save(SCOPE, an_extract(), "r1")
    assert checkpoints.load(scope_of(OCTOBER, NOW, 30), "looker") is None
    assert checkpoints.load(SCOPE, "jira") is None
    assert checkpoints.load(SCOPE, "looker", "r2") is None
    assert checkpoints.load(SCOPE, "looker", "r1") is not None


@pytest.mark.parametrize("missing", ["manifest.json", "figures.parquet", "usage_days/2.parquet"])
def test_a_checkpoint_that_is_not_whole_does_not_count(root: str, missing: str) -> None:
    state = State(root)
    state.checkpoints.save(SCOPE, an_extract(), "r1")
    state.files.store.remove(f"extract/2026-10/looker/{missing}")
    assert state.checkpoints.load(SCOPE, "looker") is None


def test_parts_stand_until_the_whole_source_is_there(root: str) -> None:
    checkpoints = State(root).checkpoints
    table = pl.DataFrame({"id": ["a", "b"], "at": [1, 2]})
    many, none = days(120_000), pl.DataFrame(schema={"id": pl.String})
    spools = {"some": spooled(table), "many": many, "none": spooled(none)}
    checkpoints.save_part(SCOPE, "looker", "r1", "0-10", spools=spools, facts={"stretches": [[0, 10]]})
    ((back, facts),) = State(root).checkpoints.parts(SCOPE, "looker", "r1")
    assert facts == {"stretches": [[0, 10]]}
    assert back["some"].lazy().collect().equals(table)
    assert back["many"].lazy().collect().equals(many.lazy().collect())
    assert back["none"].lazy().collect().equals(none)
    assert list(checkpoints.parts(SCOPE, "looker", "r2")) == []
    assert list(checkpoints.parts(SCOPE, "jira", "r1")) == []
    checkpoints.save(SCOPE, an_extract(), "r1")
    assert list(checkpoints.parts(SCOPE, "looker", "r1")) == []


def test_history_is_a_data_set_that_polars_reads_as_it_is(tmp_path: Path) -> None:
    history = State(tmp_path).history
    for month, health in ((9, 71.0), (10, 64.5)):
        scores = pl.DataFrame({"account_id": ["A", "B"], "health_score": [health, None]})
        history.save(Period(2026, month), scores.select("account_id"), scores)
    found = pl.read_parquet(tmp_path / "history" / "scores", hive_partitioning=True).sort("period", "account_id")
    assert found["period"].to_list() == ["2026-09", "2026-09", "2026-10", "2026-10"]
    assert found["health_score"].to_list() == [71.0, None, 64.5, None]


@pytest.mark.parametrize("content", [b"{half", b"[]", b'{"somebody": "else"}', b""])
def test_what_is_not_ours_is_set_aside_and_reported_never_overwritten(root: str, content: bytes) -> None:
    state = State(root)
    state.files.store.write("runs/2026-10/r1.json", content)
    assert list(state.runs.all()) == []
    (note,) = state.files.notes
    assert "runs/2026-10/r1.json" in note
    (kept,) = state.files.names("aside/")
    assert kept in note
    found = state.files.store.read(kept)
    assert found is not None
    assert found.content == content


def test_a_table_that_is_no_parquet_is_set_aside(root: str) -> None:
    state = State(root)
    name = "history/metrics/period=2026-10/metrics.parquet"
    state.files.store.write(name, b"PAR1 no more")
    assert state.history.load(OCTOBER, "metrics") is None
    assert state.files.store.read(name) is None
    assert len(list(state.files.names("aside/"))) == 1


def test_what_a_newer_accountpulse_wrote_is_left_alone(root: str) -> None:
    state = State(root)
    name = "runs/2026-10/r1.json"
    content = seals.seal_document(name, json.dumps({"version": 99, "run_id": "r1"}, indent=1))
    state.files.store.write(name, content)
    with pytest.raises(ConfigurationError, match="newer accountpulse"):
        list(state.runs.all())
    found = state.files.store.read(name)
    assert found is not None
    assert found.content == content


def test_a_forgotten_account_is_nowhere_in_the_state(root: str) -> None:
    state = State(root)
    for month in (8, 9, 10):
        table = pl.DataFrame({"account_id": ["001GONE", "001STAYS"], "owner": ["x", "y"]})
        state.history.save(Period(2026, month), table, table, {"evidence": table, "signals": table})
    for name in ("reports/2026-10.html", "reports/2026-10.csv", "dry-runs/r0.csv"):
        state.files.store.write(name, b"001GONE and 001STAYS")
    state.runs.begin(SCOPE, "r1", "f", NOW)
    problems = [
        ["001GONE", "link", "two companies"],
        ["001STAYS", "link", "two companies"],
        ["001OTHER", "link", "its company is also that of 001GONE"],
    ]
    notes = ["001GONE is called as nobody else", "a note"]
    state.runs.end(SCOPE, "r1", "finished", {"problems": problems, "notes": notes, "error": "about 001GONE"})
    state.files.store.write("dry-runs/r0.csv", b"001GONE,71\n001STAYS,64\n")
    contract = {name: frame(name) for name in TABLES_OF["salesforce"]}
    contract["accounts"] = frame("accounts", [{"account_id": "001GONE"}])
    state.checkpoints.save(SCOPE, Extract("salesforce", contract, {}, {}, ()), "r1")
    assert State(root).forget("001GONE") == 12
    names = list(state.files.names(""))
    assert names
    for name in names:
        found = state.files.store.read(name)
        assert found is not None
        text = str(state.files.read_table(name)) if name.endswith(".parquet") else found.content.decode()
        assert "001GONE" not in text, name
        assert "001STAYS" in text, name


def test_a_scorecard_is_kept_under_its_hash_and_months_with_scores_are_known(root: str) -> None:
    state = State(root)
    assert state.history.periods() == []
    state.history.save_scorecard("abc", {"scorecard": {}, "pillars": []})
    kept = state.history.load_scorecard("abc")
    assert kept is not None
    assert kept["pillars"] == []
    assert state.history.load_scorecard("def") is None
    table = pl.DataFrame({"account_id": ["a"]})
    for month in (10, 2):
        state.history.save(Period(2026, month), table, table)
    assert state.history.periods() == ["2026-02", "2026-10"]

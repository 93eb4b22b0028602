"""A run with own metrics of all three origins: what is measured, noted, kept for a look, and written out for score."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from accountpulse import pipeline, settings
from accountpulse.check import Finding, check
from accountpulse.core.errors import ConfigurationError
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import FieldDef, World
from accountpulse.scoring.scorecard import default_text
from accountpulse.state import State
from conftest import AWS
from program import call
from support import NOW, Silent

FIELDS = {"Health_Check__c": "double", "Share__c": "percent", "Checked_On__c": "date", "Mood__c": "string"}
LABELS = {"nps": "net promoter score", "checked": "health check", "engagement": "engagement", "mood": "mood"}
LOOK = {
    "look": "42",
    "account": "platform_metrics.account_id",
    "value": "platform_metrics.engagement_index",
    "month": "platform_metrics.metric_month",
}
CHECKED = {"field": "Health_Check__c", "dated": "Checked_On__c", "max_age_days": 60}
METRICS = {"nps": {"from": "nps.csv"}, "checked": CHECKED, "engagement": LOOK, "mood": {"field": "Mood__c"}}


@pytest.fixture(scope="module")
def company() -> World:
    """Eight customers; the first five were checked on different days, the first at last in November."""
    world = build(seed=7, accounts=8, until=NOW)
    accounts = world.salesforce.objects["Account"]
    accounts.fields |= {name: FieldDef(name, kind, name) for name, kind in FIELDS.items()}
    days = [date(2026, 11, 2), date(2026, 10, 31), date(2026, 9, 1), date(2026, 8, 31), None]
    for number, row in enumerate(accounts.rows):
        known = {"Health_Check__c": float(number), "Checked_On__c": days[number]} if number < len(days) else {}
        row.update({**dict.fromkeys(FIELDS), "Mood__c": "fine", **known})
    return world


@pytest.fixture(scope="module")
def served(company: World) -> Iterator[Sandbox]:
    with Sandbox(company) as running:
        yield running


def environment(served: Sandbox, folder: Path, **changes: Any) -> dict[str, str]:
    """A folder with a mapping of own metrics, a table, and a scorecard that counts three of them."""
    whole = yaml.safe_load(Path(served.environment()["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8"))
    whole |= {"metrics": METRICS, "scorecard": "own.yaml", **changes}
    (folder / "accountpulse.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    content = yaml.safe_load(default_text())
    content["metrics"] = {name: {"label": label, "unit": "points"} for name, label in LABELS.items()}
    rules = {name: {"weight": 1, "anchors": [[0, 0], [100, 100]]} for name in ("nps", "checked", "engagement")}
    content["groups"]["support"]["metrics"] |= rules  # no dimension of its own: the org has no field for one
    (folder / "own.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    state = {"ACCOUNTPULSE_STATE": str(folder / "state"), "ACCOUNTPULSE_CONFIG": str(folder / "accountpulse.yaml")}
    return {**served.environment(), **state}


def ids(company: World) -> list[str]:
    return [row["Id"] for row in company.salesforce.objects["Account"].rows[:8]]  # behind them are strangers


def table(company: World, folder: Path) -> None:
    lines = [f"{each[:15]},{10 * number}" for number, each in enumerate(ids(company)[:6])]
    (folder / "nps.csv").write_text("\n".join(["account_id,nps", *lines]), encoding="utf-8")


def run(given: dict[str, str], **options: Any) -> RunResult:
    return pipeline.execute(settings.load(given), RunRequest(keep_csv=True, **options), NOW, Silent())


@pytest.fixture(scope="module")
def told(served: Sandbox, company: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], RunResult]:
    """A dry run with everything there."""
    folder = tmp_path_factory.mktemp("told")
    table(company, folder)
    given = environment(served, folder, window=30)
    return given, run(given, dry_run=True)


def of(result: RunResult, metric: str) -> dict[str, Any]:
    assert result.scores is not None
    rows = result.scores.select("account_id", metric, f"{metric}_reason").iter_rows()
    return {account_id: reason if value is None else value for account_id, value, reason in rows}


def test_each_origin_feeds_its_metric(told: tuple[dict[str, str], RunResult], company: World) -> None:
    _given, result = told
    accounts = ids(company)
    nps = [10.0 * number for number in range(6)] + ["no_evidence"] * 2
    assert of(result, "nps") == dict(zip(accounts, nps, strict=True))
    # 60 days before 31 October is 1 September; the fifth has no date, and the rest no value
    checked = ["too_new", 1.0, 2.0, "stale", "unclear", *["no_evidence"] * 3]
    assert of(result, "checked") == dict(zip(accounts, checked, strict=True))
    assert any(isinstance(value, float) for value in of(result, "engagement").values())
    assert set(of(result, "mood").values()) == {"field_missing"}


def test_what_is_missing_is_counted_and_named_by_label_and_reason(told: tuple[dict[str, str], RunResult]) -> None:
    _given, result = told
    notes = "\n".join(result.notes)
    assert (
        "net promoter score (nps, from nps.csv): 6 of 8 accounts have a value; no value there: 2 (no_evidence)" in notes
    )
    assert "health check (checked, from Salesforce): 2 of 8 accounts have a value; no value there: 3" in notes
    assert "Health_Check__c has a value without its Checked_On__c: 1 account" in notes
    assert "mood.field: Account.Mood__c is a text field, and this key takes a number or percent field, such as" in notes
    assert result.summary()["tables"]["nps"] | {"sha256": ""} == {
        "from": "nps.csv", "rows": 6, "sha256": "", "error": None,
    }  # fmt: skip


def test_a_dry_run_is_kept_for_report_and_explain_and_counts_for_nothing(
    told: tuple[dict[str, str], RunResult], company: World, tmp_path: Path
) -> None:
    given, result = told
    state = State(given["ACCOUNTPULSE_STATE"])
    assert result.is_kept
    assert (state.history.periods(), state.history.first_periods(), list(state.runs.all())) == ([], [], [])
    listed = call(tmp_path, "history", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    assert f"{result.run_id} of 2026-10, begun 20" in listed.stdout
    listed = call(tmp_path, "history", "--json", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    (facts,) = map(json.loads, listed.stdout.splitlines())
    assert (facts["run_id"], facts["status"], facts["dry_run"]) == (result.run_id, "dry run", True)
    for run_id in (result.run_id, "last"):
        said = call(tmp_path, "report", "--run", run_id, ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
        assert said.exit_code == 0, said.stderr
        assert f"Dry run {result.run_id}: nothing was written" in " ".join(said.stdout.split())
        assert "✗" not in said.stdout
    page = (tmp_path / "out" / "report-2026-10-dry-run.html").read_text(encoding="utf-8")
    assert f"<strong>Dry run {result.run_id}: nothing was written" in page
    assert "<strong>Failed:</strong>" not in page
    account = ids(company)[3]
    said = call(tmp_path, "explain", account, "--run", "last", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    assert "health check: older than the mapping allows" in " ".join(said.stdout.split()), said.stdout
    said = call(tmp_path, "report", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    assert said.exit_code == 3
    said = call(tmp_path, "report", "--run", "20200101T000000Z-aaaaaa", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    assert f"dry runs are kept of {result.run_id}" in said.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_score_on_the_metrics_of_a_run_gives_its_scores(
    told: tuple[dict[str, str], RunResult], tmp_path: Path, ending: str
) -> None:
    """To the bit; a spreadsheet holds 15 digits. The window is 30 days, so that counts are scaled."""
    from accountpulse.cli.files import write_table

    given, result = told
    assert result.rated is not None
    write_table(tmp_path / f"m.{ending}", result.rated.table)
    card = Path(given["ACCOUNTPULSE_CONFIG"]).with_name("own.yaml")
    said = call(tmp_path, "score", "--metrics", f"m.{ending}", "--scorecard", str(card), "--out", "s.parquet")
    assert said.exit_code == 0, said.stderr
    again = pl.read_parquet(tmp_path / "s.parquet")
    scores = result.rated.scores.select(again.columns)
    exact = ending != "xlsx"
    assert_frame_equal(again, scores, check_exact=exact, check_dtypes=False, abs_tol=0 if exact else 1e-9)


# --- a table that fails -----------------------------------------------------------------------------------------


def test_without_its_table_a_run_ends_before_it_reads_anything(served: Sandbox, company: World, tmp_path: Path) -> None:
    everything = environment(served, tmp_path)
    given = {name: value for name, value in everything.items() if not name.startswith(("INTERCOM_", "JIRA_"))}
    served.log.clear()
    with pytest.raises(ConfigurationError, match=r"nps\.csv: it can't be read") as caught:
        run(given, allow_partial=True)
    assert caught.value.exit_code == 3
    assert not served.log
    table(company, tmp_path)  # the run goes on, and reads the table as it is now
    whole = run(given)
    assert whole.exit_code == 0
    assert any(note.startswith("goes on with run ") for note in whole.notes)
    assert of(whole, "nps")[ids(company)[5]] == 50.0
    said = call(tmp_path, "history", "--metrics", "kept.parquet", ACCOUNTPULSE_STATE=given["ACCOUNTPULSE_STATE"])
    assert said.exit_code == 0, said.stderr
    assert whole.rated is not None
    assert_frame_equal(pl.read_parquet(tmp_path / "kept.parquet"), whole.rated.table, check_dtypes=False)
    company.salesforce.objects["Health_Score__c"].rows.clear()


def test_where_s3_does_not_answer_a_run_writes_nothing_unless_it_may_write_the_rest(
    served: Sandbox, company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        **AWS,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    there = {**METRICS, "nps": {"from": "s3://tables/nps.csv"}}
    everything = environment(served, tmp_path, metrics=there)
    given = {name: value for name, value in everything.items() if not name.startswith(("INTERCOM_", "JIRA_"))}
    stopped = run(given)
    assert (stopped.exit_code, stopped.failed) == (5, ("metrics.nps",))
    remedy = "Run again later, or with --allow-partial."
    assert stopped.stopped == f"s3://tables/nps.csv could not be read: nothing was written. {remedy}"
    assert company.salesforce.objects["Health_Score__c"].rows == []
    partial = run(given, dry_run=True, allow_partial=True)
    assert partial.exit_code == 5
    assert set(of(partial, "nps").values()) == {"source_failed"}
    assert partial.scores is not None
    assert partial.rated_count > 0  # one figure that is missing keeps nobody from a tier who never had one


def lines(given: dict[str, str]) -> tuple[int, list[Finding]]:
    found = check(given, None, NOW, lambda _line: None)
    return found.exit_code, found.lines


def test_check_reads_the_tables_and_names_what_nothing_feeds(served: Sandbox, company: World, tmp_path: Path) -> None:
    table(company, tmp_path)
    lacking = environment(served, tmp_path, looker={}, metrics={**METRICS, "engagement": {"from": "late.csv"}})
    code, found = lines(lacking)
    assert code == 3, found
    assert any(line.code == 3 and "late.csv: it can't be read" in line.text for line in found)
    (tmp_path / "late.csv").write_text("account_id,engagement\n", encoding="utf-8")
    code, found = lines(
        environment(served, tmp_path, looker={}, metrics={**METRICS, "engagement": {"from": "late.csv"}})
    )
    texts = [f"{line.mark} {line.text}" for line in found]
    assert "good nps: 6 rows with a value in nps.csv" in texts
    assert any("warning net promoter score (nps, from nps.csv): 6 of 8 accounts have a value" in each for each in texts)
    (unfed,) = [each for each in texts if "no mapping" in each]
    assert "features in use (7.5 % of the weight) and platform_value (20 % of the weight) have no mapping" in unfed
    assert "To do: map `looker.features.catalogue`, map `looker.platform.pillars`; or leave out" in unfed

"""Snapshots beside the months: what they measure and write, what they are compared with, what they leave alone."""

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.errors import AlreadyRunning, ConfigurationError, UsageError
from accountpulse.core.period import Period
from accountpulse.pipeline import earlier_runs, report_document, report_input
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest, started
from accountpulse.report.crossings import crossed
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import Settings
from accountpulse.state import State
from support import NOW, Silent

OCTOBER = RunRequest(period=Period(2026, 10))
USAGE = {"dau", "mau", "dau_trend_pct", "mau_trend_pct", "feature_breadth", "login_frequency"}
LAST_OF_OCTOBER, SUNDAY = date(2026, 10, 31), date(2026, 11, 22)


def snapshot(day: date, **more: Any) -> RunRequest:
    return RunRequest(as_of=day, **more)


def run(loaded: Settings, asked: RunRequest, now: datetime = NOW) -> RunResult:
    result = pipeline.execute(loaded, asked, now, Silent())
    assert result.exit_code == 0, result.summary()
    return result


def writes(sandbox: Sandbox) -> int:
    return sum(call.method in {"PATCH", "PUT", "DELETE"} or "/jobs/ingest" in call.path for call in sandbox.log)


def records(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    rows = sandbox.world.salesforce.objects["Health_Score__c"].rows
    return {str(row["External_Key__c"]): dict(row) for row in rows}


@dataclass
class Story:
    """A state of October alone, and one of the same October between snapshots; what the org held after each run."""

    sandbox: Sandbox
    months: Settings
    loaded: Settings
    results: dict[str, RunResult]
    written: dict[str, int]
    org: dict[str, dict[str, dict[str, Any]]]
    asked: dict[str, set[str]] = field(default_factory=dict)
    stopped: RunResult | None = None

    @property
    def state(self) -> State:
        return State(self.loaded.state)


def keep_old(state: State) -> None:
    """A snapshot of January, as a run of that time left it."""
    metrics, scores = (state.snapshots.load(LAST_OF_OCTOBER, kind) for kind in ("metrics", "scores"))
    assert metrics is not None
    assert scores is not None
    state.snapshots.save(date(2026, 1, 5), metrics, scores)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once; the tests only look, or take a copy of the state."""
    folder = tmp_path_factory.mktemp("snapshots")
    with Sandbox(build(seed=7, accounts=10, until=NOW)) as sandbox:
        months, mixed = (
            settings.load({**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder / name)})
            for name in ("months", "mixed")
        )
        told = Story(sandbox, months, mixed, {}, {}, {})
        then = datetime(2026, 10, 20, 8, tzinfo=UTC)
        steps = {
            "18 October": (snapshot(date(2026, 10, 18), current=True), then),
            "October": (OCTOBER, NOW),
            "31 October": (snapshot(LAST_OF_OCTOBER), NOW),
            "15 November": (snapshot(date(2026, 11, 15)), NOW),
            "22 November": (snapshot(SUNDAY, current=True), NOW),
        }
        for name, (asked, now) in steps.items():
            if name == "15 November":  # first in vain
                sandbox.down.add("looker")
                told.stopped = pipeline.execute(mixed, asked, now - timedelta(hours=1), Silent())
                sandbox.down.clear()
            elif name == "22 November":
                keep_old(told.state)
            sandbox.log.clear()
            told.results[name] = run(mixed, asked, now)
            told.written[name], told.org[name] = writes(sandbox), copy.deepcopy(records(sandbox))
            told.asked[name] = {call.system for call in sandbox.log}
        run(months, OCTOBER)
        yield told


@pytest.fixture
def copied(story: Story, tmp_path: Path) -> State:
    return State(shutil.copytree(story.loaded.state, tmp_path / "state"))


# --- what is measured ------------------------------------------------------------------------------------------


def test_of_a_months_last_day_all_but_usage_is_as_in_the_month(story: Story) -> None:
    month, day = story.results["October"].metrics, story.results["31 October"].metrics
    assert month is not None
    assert day is not None
    differ = {name for name in month.columns if not month[name].equals(day[name])}
    assert differ <= USAGE
    assert "dau" in differ


def test_usage_is_that_of_the_28_days_that_end_with_the_day(story: Story) -> None:
    """Counted here from the world's own days: a user is a mask with a bit for each day."""
    looker, metrics = story.sandbox.world.looker, story.state.snapshots.load(LAST_OF_OCTOBER, "metrics")
    assert metrics is not None
    end = (date(2026, 11, 1) - looker.first_day).days
    stretches = [((1 << 28) - 1) << (end - 28 * (back + 1)) for back in range(4)]
    compared = 0
    for row in metrics.filter(pl.col("mau") > 0).iter_rows(named=True):
        used = looker.usage.get(row["account_id"])
        if used is None:
            continue
        daily = [sum((days & mask).bit_count() for days in used.users) for mask in stretches]
        assert row["mau"] == sum(1 for days in used.users if days & stretches[0])
        assert row["dau"] == pytest.approx(daily[0] / 28)
        if row["dau_trend_pct"] is not None and all(daily):
            assert row["dau_trend_pct"] == pytest.approx(100 * (daily[0] - sum(daily[1:]) / 3) / (sum(daily[1:]) / 3))
        compared += 1
    assert compared >= 5


def test_a_day_that_is_not_over_is_said_to_be_so(story: Story) -> None:
    asked = snapshot(NOW.date(), dry_run=True)
    card = pipeline.read_scorecard(story.loaded, None)
    with started(story.loaded, asked, card, NOW, Silent()) as running:
        text = "2026-11-23 is not over: measured up to 08:00 (UTC), usage up to the end of 2026-11-22"
        assert running.notes == (text,)
        assert running.scope.as_of == NOW


# --- what stays ------------------------------------------------------------------------------------------------


def test_months_are_the_same_bytes_with_and_without_snapshots(story: Story) -> None:
    def kept(loaded: Settings) -> dict[str, bytes]:
        root = Path(loaded.state)
        names = [each.relative_to(root) for each in root.rglob("*") if each.is_file()]
        apart = ("snapshots", "runs", "locks", "extract")  # the others by name, runs by their ids and times
        return {str(each): (root / each).read_bytes() for each in names if each.parts[0] not in apart}

    alone, mixed = kept(story.months), kept(story.loaded)
    assert alone == mixed
    assert any(name.startswith("history/first/scores") for name in alone)
    assert len(list((Path(story.loaded.state) / "runs").rglob("*.json"))) == 1


def test_what_a_finished_snapshot_has_read_goes_with_the_next_one(story: Story) -> None:
    assert story.state.checkpoints.names() == ["2026-10", "2026-11-22"]


def test_forget_takes_an_account_out_of_snapshots_too(story: Story, copied: State) -> None:
    parents = story.state.snapshots.load(SUNDAY, "parents")
    assert parents is not None
    account = parents["parent_id"].drop_nulls()[0]  # its children name it too
    assert copied.forget(account) > 0
    for day in copied.snapshots.days():
        for kind in ("metrics", "scores", "evidence", "signals", "parents"):
            table = copied.snapshots.load(date.fromisoformat(day), kind)  # type: ignore[arg-type]
            assert table is not None
            assert account not in table["account_id"]
            assert "parent_id" not in table.columns or account not in table["parent_id"]
    texts = [each.read_bytes() for each in Path(copied.files.store.place).rglob("*.json")]
    assert not [text for text in texts if account.encode() in text]


def test_old_snapshots_go_after_a_finished_one_and_the_run_says_which(story: Story) -> None:
    rule = "every day is kept for 60 days, the last one of a week for 26 weeks"
    assert story.results["22 November"].notes[-1] == f"snapshots removed: 2026-01-05 ({rule})"
    assert story.state.snapshots.days() == ["2026-10-18", "2026-10-31", "2026-11-15", "2026-11-22"]
    assert not [name for name in story.state.files.names("snapshots/") if "2026-01-05" in name]


# --- Salesforce ------------------------------------------------------------------------------------------------


def test_without_current_nothing_is_sent_to_salesforce(story: Story) -> None:
    for name in ("31 October", "15 November"):
        assert story.written[name] == 0
        assert story.results[name].summary()["destinations"] == []
    assert story.org["15 November"] == story.org["October"]


def test_with_current_the_running_months_records_are_written_and_no_others(story: Story) -> None:
    before, after = story.org["15 November"], story.org["22 November"]
    accounts = {key.rpartition("-2026-")[0] for key in before}
    assert set(after) == set(before) | {f"{account}-2026-11" for account in accounts}
    health = {row["account_id"]: row["health_score"] for row in _scores(story, SUNDAY).iter_rows(named=True)}
    new = {key: row for key, row in after.items() if key.endswith("-2026-11")}
    assert {row["Account__c"]: row["Health_Score__c"] for row in new.values()} == pytest.approx(health, abs=0.005)
    changed = {name for key, row in before.items() for name in row if row[name] != after[key][name]}
    assert changed <= {"Current__c", "Is_Current__c", "LastModifiedDate", "SystemModstamp"}


def test_the_months_own_run_takes_its_records_over(story: Story) -> None:
    before, after = story.org["18 October"], story.org["October"]
    assert set(before) == set(after)
    assert {key[-8:] for key in after} == {"-2026-10"}
    result, month = story.results["October"], story.results["October"].scores
    assert month is not None
    assert (result.count("created"), result.count("updated") + result.count("unchanged")) == (0, len(after))
    health = dict(month.select("account_id", "health_score").iter_rows())
    assert {row["Account__c"]: row["Health_Score__c"] for row in after.values()} == pytest.approx(health, abs=0.005)
    assert before != after


def _scores(story: Story, day: date) -> pl.DataFrame:
    found = story.state.snapshots.load(day, "scores")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (RunRequest(period=Period(2026, 10), as_of=SUNDAY), "either --period YYYY-MM or --as-of"),
        (RunRequest(current=True), "--current goes with --as-of"),
        (snapshot(date(2026, 11, 24)), "has not begun"),
        (snapshot(date(2026, 1, 2)), "would not be kept"),
        (snapshot(LAST_OF_OCTOBER, current=True), "2026-10 is over"),
        (
            snapshot(date(2026, 11, 21), current=True),
            "newer than 2026-11-21: run .* is as of 2026-11-23",
        ),
        (snapshot(SUNDAY, accounts=("001000000000001",)), "--account: a snapshot of some accounts is not kept"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(story: Story, asked: RunRequest, words: str) -> None:
    story.sandbox.log.clear()
    with pytest.raises(UsageError, match=words):
        pipeline.execute(story.loaded, asked, NOW, Silent())
    assert story.sandbox.log == []


def test_while_a_run_of_the_month_is_under_way_its_records_are_not_written(story: Story, copied: State) -> None:
    loaded = settings.load({**story.sandbox.environment(), "ACCOUNTPULSE_STATE": copied.files.store.place})
    with copied.locks.hold("2026-11", "a run of November", NOW), pytest.raises(AlreadyRunning):
        pipeline.execute(loaded, snapshot(SUNDAY, current=True), NOW, Silent())


# --- going on --------------------------------------------------------------------------------------------------


def test_a_snapshot_that_stopped_goes_on_with_what_it_has_read(story: Story) -> None:
    stopped, ended = story.stopped, story.results["15 November"]
    assert stopped is not None
    assert (stopped.exit_code, stopped.scores) == (5, None)
    assert ended.run_id == stopped.run_id
    assert story.asked["15 November"] == {"looker"}
    assert story.asked["31 October"] == {"salesforce", "intercom", "jira", "looker"}


# --- what it is compared with ----------------------------------------------------------------------------------


def test_a_report_shows_a_snapshot_beside_the_one_of_a_week_before(story: Story) -> None:
    document = report_document.document(story.state, None, day=SUNDAY)
    assert (document["period"], document["snapshot"], document["period_text"]) == (
        "2026-11", "2026-11-22", "22 November 2026",
    )  # fmt: skip
    assert document["before"]["period"] == document["details"]["change"]["since"] == "2026-11-15"
    assert document["as_of"] == "2026-11-23"
    windows = {each["window"] for each in document["catalogue"]}
    assert "the 28 days up to 2026-11-22" in windows
    assert not [window for window in windows if "the month" in window]
    assert report_document.document(story.state, None)["period_text"] == "October 2026"


def test_a_snapshot_after_a_month_alone_is_compared_with_it_and_says_so(copied: State) -> None:
    for day in (date(2026, 10, 18), LAST_OF_OCTOBER):
        copied.snapshots.remove(day)
    document = report_document.document(copied, None, day=date(2026, 11, 15))
    assert document["before"]["period_text"] == "October 2026"
    told = [
        note for note in document["notes"] if note.startswith("compared with October 2026: usage of the whole month")
    ]
    assert len(told) == 1


def without_a_source(state: State, run_id: str, day: date, source: str) -> None:
    """As the run of this day would have kept it where that source could not be read."""
    name = f"snapshots/runs/{day}/{run_id}.json"
    facts = state.files.read_json(name)
    assert facts is not None
    state.files.write_json(name, {**facts, "failed": [source]})


def test_a_run_that_lacks_a_source_is_no_measure_for_a_later_one(story: Story, copied: State) -> None:
    without_a_source(copied, story.results["15 November"].run_id, date(2026, 11, 15), "jira")
    assert report_document.document(copied, None, day=SUNDAY)["before"]["period"] == str(LAST_OF_OCTOBER)


def test_an_outage_moves_nobody_over_a_line(story: Story, copied: State) -> None:
    for kind in ("metrics", "scores"):
        table = copied.snapshots.load(SUNDAY, kind)
        assert table is not None
        lost = [name for name in ("open_bugs", "critical_bugs", "reopened_bugs") if name in table.columns]
        reasons = [pl.lit("source_failed").alias(f"{name}_reason") for name in lost]
        changed = table.with_columns(*(pl.lit(None, table.schema[name]).alias(name) for name in lost), *reasons)
        if kind == "scores":  # as if that alone had changed the tier of everybody
            changed = changed.with_columns(tier=pl.lit("Critical"), coverage=pl.lit(60.0))
        copied.files.write_table(f"snapshots/{kind}/day={SUNDAY}/{kind}.parquet", changed)

    def lines() -> set[str]:
        inputs = report_input.read(copied, None, day=SUNDAY)
        found = crossed(inputs.month.scores.select("arr"), inputs)
        return {line["line"] for each in found for line in each["lines"]}

    assert {"tier", "coverage"} <= lines()
    without_a_source(copied, story.results["22 November"].run_id, SUNDAY, "jira")
    assert lines() <= {"renewal", "critical signal"}


def test_the_latest_run_is_the_newest_whole_one_of_both_kinds(story: Story, copied: State) -> None:
    def latest() -> str | None:
        found = earlier_runs.latest(copied)
        return None if found is None else found.name

    names = [latest()]
    copied.snapshots.remove(SUNDAY)
    document = f"snapshots/runs/2026-11-15/{story.results['15 November'].run_id}.json"
    whole = copied.files.read_json(document)
    assert whole is not None
    copied.files.write_json(document, {**whole, "failed": ["jira"]})
    names.append(latest())  # also one that lacks a source: whoever reads it says so
    copied.snapshots.remove(date(2026, 11, 15))
    names.append(latest())  # of two of one moment the snapshot
    copied.snapshots.remove(LAST_OF_OCTOBER)
    names.append(latest())
    assert names == ["2026-11-22", "2026-11-15", "2026-10-31", "2026-10"]
    assert earlier_runs.latest(State(Path(copied.files.store.place) / "empty")) is None


def test_a_snapshot_that_is_not_there_is_said_so_with_those_that_are(story: Story) -> None:
    with pytest.raises(ConfigurationError, match="2026-11-21 with its scorecard; there are snapshots of 2026-10-18, "):
        earlier_runs.chosen(story.state, None, None, date(2026, 11, 21))


def test_a_run_is_found_by_its_id_and_the_last_of_all_is_a_snapshots(story: Story) -> None:
    run_id = story.results["15 November"].run_id
    assert earlier_runs.recall_run(story.state, run_id).name == "2026-11-15"
    known = {result.run_id: name for name, result in story.results.items()}
    assert earlier_runs.recall_run(story.state, "last").facts["run_id"] == max(known)

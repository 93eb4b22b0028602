"""What a report says where something is missing: a source, an older run's facts, a month before, a link."""

import json
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline, settings
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import frame
from accountpulse.pipeline import report_document, report_input
from accountpulse.pipeline.account_urls import URLS
from accountpulse.pipeline.evidence import evidence, open_signals, rows_by_source
from accountpulse.pipeline.run import RunRequest
from accountpulse.report.gaps import source_coverage
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from support import NAMES, NOW, Configure, Silent

SEPTEMBER, OCTOBER = Period(2026, 9), Period(2026, 10)


def run(configure: Configure, sandbox: Sandbox, period: Period = OCTOBER, **options: Any) -> State:
    loaded = configure(sandbox)
    result = pipeline.execute(loaded, RunRequest(period=period, **options), NOW, Silent())
    assert result.loaded, result.stopped
    return State(loaded.state)


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    """What a run of October left."""
    folder = tmp_path_factory.mktemp("october") / "state"
    with Sandbox(world) as running:
        loaded = settings.load({**running.environment(), "ACCOUNTPULSE_STATE": str(folder)})
        assert pipeline.execute(loaded, RunRequest(period=OCTOBER), NOW, Silent()).loaded
    world.salesforce.objects["Health_Score__c"].rows.clear()
    return folder


@pytest.fixture
def kept(october: Path, tmp_path: Path) -> State:
    """A state of one's own that holds it, to take things away from."""
    return State(shutil.copytree(october, tmp_path / "kept"))


def document(state: State) -> dict[str, Any]:
    return json.loads(json.dumps(report_document.document(state, OCTOBER), allow_nan=False))


def test_the_first_month_has_no_before(kept: State) -> None:
    made = document(kept)
    assert made["before"] is None
    assert made["movers"] == []
    assert made["details"]["change"]["since"] is None
    assert {*made["details"]["change"]["total"], *made["accounts"]["tier_before"]} == {None}
    assert {each["accounts_before"] for each in (*made["distribution"], *made["risk"])} == {None}
    assert (made["counts"]["new"], made["counts"]["gone"]) == (None, None)


def test_a_source_that_failed_is_loud_and_its_accounts_could_not_be_looked_at(
    configure: Configure, sandbox: Sandbox
) -> None:
    sandbox.down.add("looker")
    made = document(run(configure, sandbox, allow_partial=True))
    by_name = {each["name"]: each for each in made["sources"]}
    assert by_name["Looker"]["state"] == "failed"
    assert by_name["Looker"]["error"]
    assert by_name["Looker"]["read_at"] is None
    assert by_name["Jira"]["state"] == "read"
    assert len(made["alarms"]) == 1
    assert "Looker could not be read" in made["alarms"][0]
    kinds = Counter[str]()
    for each in made["gaps"]:
        if each["source"] == "Looker":
            kinds.update({kind: each[kind] for kind in ("known", "could_not_look", "nothing_there", "not_linked")})
    assert kinds == {"could_not_look": 120, "known": 0, "nothing_there": 0, "not_linked": 0}
    share = made["accounts"]["tier"].count("Not Rated") / 120  # all but those with a critical signal
    assert share > 0.8
    assert made["warnings"] == [
        f"{share:.0%} of the accounts are Not Rated: too little is known to judge the portfolio by"
    ]


def test_a_source_that_is_not_configured_has_no_line_among_the_gaps(configure: Configure, sandbox: Sandbox) -> None:
    loaded = configure(sandbox, JIRA_BASE_URL=None, JIRA_EMAIL=None, JIRA_API_TOKEN=None)
    assert pipeline.execute(loaded, RunRequest(period=OCTOBER), NOW, Silent()).loaded
    made = document(State(loaded.state))
    assert {each["name"]: each["state"] for each in made["sources"]}["Jira"] == "not configured"
    assert {each["source"] for each in made["gaps"]} == {"Salesforce", "Intercom", "Looker"}
    assert "Jira" not in made["counts"]["unlinked"]


def test_a_state_of_an_older_version_gives_a_report_that_says_what_is_not_known(kept: State) -> None:
    new = document(kept)
    kept.files.remove_all("history/evidence/")
    kept.files.remove_all("history/signals/")
    (name,) = kept.files.names("runs/2026-10/")
    facts = kept.files.read_json(name) or {}
    for each in ("sources", "ended_at"):
        del facts[each]
    kept.files.write_json(name, facts)
    scores = kept.history.load(OCTOBER, "scores")
    metrics = kept.history.load(OCTOBER, "metrics")
    assert scores is not None
    assert metrics is not None
    bounds = [c for c in scores.columns if c.endswith("_bound") and c not in ("lower_bound", "upper_bound")]
    assert len(bounds) == 12
    kept.history.save(OCTOBER, metrics, scores.drop(bounds))
    old = document(kept)
    assert old["details"]["signals"] is None
    assert old["details"]["signal_counts"] == new["details"]["signal_counts"]
    assert old["run"]["ended_at"] is None
    assert [(each["state"], each["rows"], each["read_at"]) for each in old["sources"]] == [("read", {}, None)] * 4
    assert [each["requests"] for each in old["sources"]] == [each["requests"] for each in new["sources"]]
    assert old["counts"]["unlinked"] == new["counts"]["unlinked"]
    assert set(old["details"]["dimensions"]["support"]["lower"]) == {None}
    assert old["accounts"] == {**new["accounts"], "links": [[] for _ in new["accounts"]["id"]]}

    def sums(made: dict[str, Any], kind: str) -> dict[tuple[str, str], int]:
        return {(each["source"], each["tier"]): each[kind] for each in made["gaps"] if each["source"] == "Jira"}

    assert sums(old, "nothing_there") == sums(new, "nothing_there")
    assert sum(sums(old, "nothing_there").values()) > 5


def test_a_later_run_that_did_not_finish_is_loud(kept: State) -> None:
    assert document(kept)["alarms"] == []
    november = Period(2026, 11)
    kept.runs.begin(scope_of(november, NOW + timedelta(days=10)), "r2", "f", NOW + timedelta(days=10))
    assert document(kept)["alarms"] == [
        "run r2 of 2026-11, begun later, did not finish: this is what the run before it left"
    ]
    kept.runs.end(scope_of(november, NOW + timedelta(days=10)), "r2", "finished", {})
    assert document(kept)["alarms"] == []


def test_accounts_that_were_left_out_are_counted_and_loud(kept: State) -> None:
    (name,) = kept.files.names("runs/2026-10/")
    facts = kept.files.read_json(name) or {}
    scored = document(kept)["accounts"]["id"][0]
    problems = [["001OUT", "accounts", "is linked twice"], [scored, "load", "is locked"]]
    kept.files.write_json(name, {**facts, "problems": problems})
    made = document(kept)
    assert (made["counts"]["customers"], made["counts"]["scored"], made["counts"]["left_out"]) == (121, 120, 1)
    assert made["alarms"] == [
        "customers left out: 1, the first because: is linked twice",
        "records that could not be written: 1, the first because: is locked",
    ]


def test_freshness_of_a_checkpoint_is_that_of_the_run_that_read_it(configure: Configure, sandbox: Sandbox) -> None:
    run(configure, sandbox)
    loaded = configure(sandbox)
    later = NOW + timedelta(hours=5)
    assert pipeline.execute(loaded, RunRequest(period=OCTOBER, only=("jira",)), later, Silent()).loaded
    made = {each["name"]: each for each in document(State(loaded.state))["sources"]}
    assert (made["Jira"]["state"], made["Jira"]["read_at"]) == ("read", "2026-11-23T13:00:00+00:00")
    assert (made["Looker"]["state"], made["Looker"]["read_at"]) == ("from checkpoint", "2026-11-23T08:00:00+00:00")


# --- kinds of gaps, by hand --------------------------------------------------------------------------------------


def test_evidence_counts_rows_of_an_account_and_says_why_there_can_be_none() -> None:
    reasons = pl.DataFrame(
        {
            "account_id": ["A", "B"],
            "salesforce": [None, None],
            "intercom": [None, "not_linked"],
            "jira": ["source_failed"] * 2,
            "looker": ["not_configured"] * 2,
        },
        schema_overrides={"salesforce": pl.String},
    )
    conversations = pl.DataFrame({"conversation_id": ["1", "2"], "account_id": ["A", "A"]})
    signals = pl.DataFrame({"account_id": ["B"]})
    tables = (
        {"conversations": conversations.with_columns(source=pl.lit("intercom"))},
        {"issue_moves": frame("issue_moves").with_columns(source=pl.lit("jira"))},
        {"signals": signals.with_columns(source=pl.lit("salesforce"))},
    )
    urls = pl.DataFrame([("A", "jira", ["https://jira.example/A"])], schema=URLS, orient="row")
    found = evidence(reasons, [rows_by_source(each) for each in tables], NAMES, urls)
    assert found.rows() == [
        ("A", "intercom", None, 2, None),
        ("A", "jira", "source_failed", 0, ["https://jira.example/A"]),
        ("A", "looker", "not_configured", 0, None),
        ("A", "salesforce", None, 0, None),
        ("B", "intercom", "not_linked", 0, None),
        ("B", "jira", "source_failed", 0, None),
        ("B", "looker", "not_configured", 0, None),
        ("B", "salesforce", None, 1, None),
    ]


def test_signals_are_kept_while_they_are_open_the_worst_first() -> None:
    as_of = scope_of(OCTOBER, NOW).as_of
    day = timedelta(days=1)
    common, said = {"monitoring": None, "confirmed": True}, {"title": "Budget", "owner": "Ann Lee"}
    given = frame(
        "signals",
        [
            {"account_id": "A", "severity": "watch", "opened_at": as_of - 9 * day, "closed_at": None, **common, **said},
            {"account_id": "A", "severity": "critical", "opened_at": as_of - day, "closed_at": as_of, **common},
            {"account_id": "A", "severity": "critical", "opened_at": as_of - day, "closed_at": as_of - day, **common},
            {"account_id": "A", "severity": "critical", "opened_at": as_of, "closed_at": None, **common},
            {"account_id": None, "severity": "critical", "opened_at": as_of - day, "closed_at": None, **common},
        ],
    )
    kept = open_signals(given, as_of)
    assert kept.rows() == [
        ("A", "critical", False, True, None, None, (as_of - day).date()),
        ("A", "watch", False, True, "Budget", "Ann Lee", (as_of - 9 * day).date()),
    ]


def test_not_linked_nothing_there_and_could_not_look_are_told_apart(kept: State) -> None:
    inputs = report_input.read(kept, OCTOBER)
    assert inputs.evidence is not None
    kinds = dict(source_coverage(inputs).filter(source="intercom").select("account_id", "kind").iter_rows())
    read = Path(kept.files.store.place) / "extract" / "2026-10"
    talked = {
        key for keys in pl.read_parquet(read / "intercom" / "conversations" / "*.parquet")["keys"] for key in keys
    }
    links = pl.read_parquet(read / "salesforce" / "links.parquet").filter(source="intercom")
    keys = {account: key for account, _, key in links.iter_rows() if key}
    assert len(kinds) == inputs.month.scores.height
    for account, kind in kinds.items():
        key = keys.get(account)
        assert kind == ("not_linked" if key is None else "known" if key in talked else "nothing_there")
    assert Counter(kinds.values())["not_linked"] == 1
    assert Counter(kinds.values())["nothing_there"] > 5


@pytest.mark.parametrize("gone", ["scorecards/", "history/scores/", "runs/"])
def test_without_one_part_of_a_run_there_is_no_report(kept: State, gone: str) -> None:
    assert document(kept)
    kept.files.remove_all(gone)
    with pytest.raises(ConfigurationError, match="does not hold"):
        report_document.document(kept, OCTOBER)


def test_a_forgotten_account_is_in_no_later_report(kept: State) -> None:
    account = document(kept)["accounts"]["id"][0]
    kept.forget(account)
    made = document(kept)
    assert account not in json.dumps(made)
    assert made["counts"]["scored"] == 119
    assert Path(kept.files.store.place).is_dir()


TINY = """name: tiny
coverage: {tier_needs_readable: [critical_signals]}
groups: {support: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""


def test_months_of_two_scorecards_that_share_nothing_still_add_up(
    configure: Configure, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    run(configure, sandbox, SEPTEMBER, scorecard=tmp_path / "tiny.yaml")
    state = run(configure, sandbox)
    made = document(state)
    tiers = [each["tier"] for each in made["distribution"]]
    assert tiers == ["Champion", "Healthy", "At Risk", "Critical", "Not Rated", *sorted(tiers[5:])]
    assert set(tiers[5:]) == {"Good", "Poor"}
    assert sum(each["accounts_before"] for each in made["distribution"]) == 120
    change, told = made["details"]["change"], 0
    for i, total in enumerate(change["total"]):
        before, after = made["accounts"]["health_before"][i], made["accounts"]["health"][i]
        assert (total is None) == (before is None or after is None)
        if total is not None:
            told += 1
            effects = [values[i] or 0.0 for values in change["parts"]["metrics"].values()]
            parts = [change["parts"][name][i] for name in ("scorecard", "coverage", "caps")]
            assert sum(parts) + sum(effects) == pytest.approx(after - before, abs=1e-9)
    assert told > 50
    assert all(each["words"] for each in made["movers"])
    assert {each["scorecard_effect"] for each in made["movers"] if each["change"] is not None} != {0.0}
    rescored = report_input.read(state, OCTOBER).rescored
    assert rescored is not None
    again = dict(rescored.select("account_id", "tier").iter_rows())
    by_the_card = 0
    for each in made["movers"]:
        alone = each["tier_before"] != again[made["accounts"]["id"][each["i"]]] == each["tier"]
        assert ("another tier by the new scorecard alone" in each["words"]) == alone
        by_the_card += alone
    assert 50 < by_the_card < len(made["movers"])

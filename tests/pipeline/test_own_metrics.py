"""Own metrics of a scorecard, and seats, from Looker: mapped, checked, measured, scored, told where missing."""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse import pipeline
from accountpulse.check import Finding, check
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from own_metrics import card, config, example
from program import start
from support import NOW, Configure, Silent


@pytest.fixture(scope="module")
def company() -> World:
    return build(seed=7, accounts=20, until=NOW)


@pytest.fixture
def served(company: World) -> Iterator[Sandbox]:
    with Sandbox(company) as running:
        yield running
    company.salesforce.objects["Health_Score__c"].rows.clear()


def run(served: Sandbox, configure: Configure, file: str, **options: Any) -> RunResult:
    loaded = configure(served, ACCOUNTPULSE_CONFIG=file)
    return pipeline.execute(loaded, RunRequest(dry_run=True, keep_csv=True, **options), NOW, Silent())


def of(result: RunResult, *columns: str) -> dict[str, tuple[Any, ...]]:
    assert result.scores is not None
    return {row[0]: row[1:] for row in result.scores.select("account_id", *columns).iter_rows()}


# --- a run ------------------------------------------------------------------------------------------------------


def test_a_run_measures_and_scores_own_metrics_by_one_query_and_one_look(
    company: World, served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    """Pillars and seats come by one query, engagement by the pillar's Look; only the surveys are asked for anew."""
    plain = run(served, configure, served.environment()["ACCOUNTPULSE_CONFIG"])
    before = plain.statuses["looker"].budget.calls
    result = run(served, configure, config(tmp_path, served))
    assert result.statuses["looker"].budget.calls == before + 3  # the explore, the query, its rows
    assert "voice" in result.run.card.dimensions
    measured = of(result, "nps", "nps_reason", "engagement", "engagement_reason", "voice_score")
    true = {
        (row.account_id, row.metric): (row.value, row.reason)
        for row in truth_table(company, "2026-10", NOW)
        if row.metric in ("nps", "engagement")
    }
    assert len(true) == 2 * len(measured)
    for account_id, (nps, nps_why, engagement, engagement_why, score) in measured.items():
        assert (nps, nps_why) == true[account_id, "nps"]
        assert (engagement, engagement_why) == true[account_id, "engagement"]
        both = [50 + nps / 2] if nps is not None else []
        both += [min(100.0, engagement)] if engagement is not None else []
        assert score is None if not both else math.isclose(score, sum(both) / len(both), rel_tol=1e-12)
    assert any(nps is None for nps, *_ in measured.values())
    assert any(score is not None for *_, score in measured.values())


def test_lookers_seats_count_before_the_crms_which_fill_the_rest(
    company: World, served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    crm = {row["Id"]: row["Seats__c"] for row in company.salesforce.objects["Account"].rows}
    usage = {key[:15]: used for key, used in company.looker.usage.items()}
    found = of(run(served, configure, config(tmp_path, served)), "seats", "pillar_operations")
    known = 0
    for account_id, (seats, _pillar) in found.items():
        used = usage.get(account_id[:15])
        has_row = used is not None and any("2026-10" in used.pillars[name] for name in company.looker.pillars)
        licences = used.licences if used is not None and has_row else None
        known += licences is not None
        assert seats == (crm[account_id] if licences is None else licences)
    assert 0 < known < len(found)


def test_an_own_metric_with_a_name_of_our_tables_gets_in_nobodys_way(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    shown = example()
    names = ("sessions", "features", "figures", "looker", "first_day")
    shown["looker"]["metrics"] |= dict.fromkeys(names, shown["looker"]["metrics"]["engagement"])
    file = config(tmp_path, served, shown)
    calm = of(run(served, configure, file), "mau", "engagement")
    declared = {name: {"label": name, "unit": "points"} for name in names}
    (tmp_path / "own.yaml").write_text(card(**declared), encoding="utf-8")
    found = of(run(served, configure, file), "mau", *names)
    assert found == {account: (mau, *[engagement] * len(names)) for account, (mau, engagement) in calm.items()}


# --- where there is none ----------------------------------------------------------------------------------------


def changed(**metrics: Any) -> dict[str, Any]:
    shown = copy.deepcopy(example())
    shown["looker"]["metrics"] |= metrics
    return {"looker": {**shown["looker"], "metrics": {k: v for k, v in shown["looker"]["metrics"].items() if v}}}


@pytest.mark.parametrize(
    ("nps", "reason", "note"),
    [
        (None, "not_configured", "scorecard: nothing in a run measures nps (left empty); `metrics:` in"),
        ({"measure": "surveys.promoters"}, "field_missing", "explore surveys has no field surveys.promoters"),
        ({"explore": "survey"}, "field_missing", "the nearest name is surveys"),
        ({"filters": {"surveys.canal": "email"}}, "field_missing", "the nearest name is surveys.channel"),
    ],
)
def test_an_own_metric_that_cannot_be_had_is_empty_with_its_reason_and_costs_no_other(  # noqa: PLR0917
    served: Sandbox, configure: Configure, tmp_path: Path, nps: dict[str, Any] | None, reason: str, note: str
) -> None:
    full = example()["looker"]["metrics"]["nps"]
    result = run(served, configure, config(tmp_path, served, changed(nps=nps and {**full, **nps})))
    found = of(result, "nps", "nps_reason", "engagement", "mau")
    assert {row[:2] for row in found.values()} == {(None, reason)}
    assert any(row[2] is not None for row in found.values())
    assert any(row[3] is not None for row in found.values())
    assert any(note in each for each in result.notes)


def test_where_looker_is_down_own_metrics_say_so(served: Sandbox, configure: Configure, tmp_path: Path) -> None:
    file = config(tmp_path, served)
    answer = b'[{"looker_error": "the database went away"}]'
    served.faults.append(Fault("looker", 200, {}, answer, path_contains="/run/json"))
    found = of(run(served, configure, file, allow_partial=True), "nps", "nps_reason", "seats")
    assert {row[:2] for row in found.values()} == {(None, "source_failed")}
    assert any(seats is not None for *_, seats in found.values())  # the CRM's


def test_a_feed_that_the_scorecard_does_not_declare_is_told_with_the_nearest_name(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    full = example()["looker"]["metrics"]["nps"]
    result = run(served, configure, config(tmp_path, served, changed(nps=None, nps_=full)))
    assert "metrics: nps_ is no own metric of the scorecard default; did you mean 'nps'?" in result.notes
    assert result.scores is not None
    assert "nps_" not in result.scores.columns


# --- before a run -----------------------------------------------------------------------------------------------


def lines(served: Sandbox, tmp_path: Path, file: str) -> list[Finding]:
    environment = {**served.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state"), "ACCOUNTPULSE_CONFIG": file}
    return check(environment, None, NOW, lambda _line: None).lines


def test_check_finds_nothing_to_say_of_own_metrics_that_are_there(served: Sandbox, tmp_path: Path) -> None:
    found = lines(served, tmp_path, config(tmp_path, served))
    assert not [line for line in found if line.area in ("looker", "scorecard") and line.mark != "good"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nps": None}, "nothing in a run measures nps"),
        ({"engagement": {"look": "41", "account": "a", "value": "b"}}, "Look 41 is absent, or not open to our user"),
        (
            {"engagement": {"look": "42", "account": "platform_metrics.account_id", "value": "engagement_index"}},
            "the Look has no column engagement_index; the nearest name is platform_metrics.engagement_index",
        ),
    ],
)
def test_check_names_what_an_own_metric_lacks_without_running_a_look(
    served: Sandbox, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    found = lines(served, tmp_path, config(tmp_path, served, changed(**change)))
    assert any(told in line.text and line.mark == "warning" for line in found)
    assert not [
        call for call in served.log if call.system == "looker" and "/looks/" in call.path and "/run/" in call.path
    ]


def test_scorecard_check_names_own_metrics_that_no_run_would_measure(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(card(), encoding="utf-8")
    alone = start(tmp_path, "scorecard", "check", "own.yaml")
    assert alone.returncode == 0
    assert alone.stderr == (
        "! nps, engagement: not under metrics: in accountpulse.yaml, left empty by a run; "
        "only `accountpulse score` has them\n"
    )
    mapping = "looker: {metrics: {nps: {look: 1, account: a, value: b}, engagement: {look: 1, account: a, value: c}}}"
    (tmp_path / "accountpulse.yaml").write_text(mapping, encoding="utf-8")
    assert start(tmp_path, "scorecard", "check", "own.yaml").stderr == ""


def test_a_scorecard_of_own_metrics_alone_is_refused_where_nothing_feeds_them(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    text = (
        "name: mine\nmetrics: {nps: {label: n, unit: points}}\ncoverage: {tier_min: 0.5}\ntiers: [{name: A, min: 0}]\n"
    )
    text += "groups: {voice: {weight: 1, metrics: {nps: {weight: 1, anchors: [[0, 0], [9, 100]]}}}}\n"
    file = config(tmp_path, served)
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    assert of(run(served, configure, file), "nps")
    config(tmp_path, served, changed(nps=None))
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pipeline.ConfigurationError, match="feed 0% of the weight"):
        run(served, configure, file)


# --- how it is asked --------------------------------------------------------------------------------------------


def test_measures_that_are_asked_alike_come_by_one_query(served: Sandbox, configure: Configure, tmp_path: Path) -> None:
    full = example()["looker"]["metrics"]["nps"]
    more = {**full, "measure": "surveys.answer_count"}
    file = config(tmp_path, served, changed(answers=more, monthly={**more, "days": None}, ever={**more, **EVER}))
    declared = {name: {"label": name, "unit": "count"} for name in ("answers", "monthly", "ever")}
    (tmp_path / "own.yaml").write_text(card(**declared), encoding="utf-8")
    result = run(served, configure, file)
    found = of(result, "nps", "answers", "monthly", "ever")
    counts = [row for row in found.values() if row[1] is not None]
    assert counts
    assert all(row[0] is not None and (row[2] or 0) <= row[1] <= row[3] for row in counts)
    usage = {key[:15]: used for key, used in served.world.looker.usage.items()}
    for account_id, (_nps, _answers, _monthly, ever) in found.items():
        used = usage.get(account_id[:15])
        told = sum(channel == "email" for _day, channel, _score in used.answers) if used else 0
        assert ever == (told or None)
    queries = [call for call in served.log if call.system == "looker" and call.path.endswith("/api/4.0/queries")]
    assert len(queries) == 3 + 1 + 3  # days, months, features; pillars with seats; surveys by three spans


EVER = {"date": None, "days": None}


def test_a_pillar_may_come_from_an_explore_of_its_own_and_is_clamped(
    served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    shown = example()
    full = shown["looker"]["metrics"]["nps"]
    shown["looker"]["platform"] = {"pillars": {"voice": full}}
    result = run(served, configure, config(tmp_path, served, shown))
    found = of(result, "nps", "pillar_voice")
    assert any(nps is not None and nps < 0 for nps, _pillar in found.values())
    assert all(pillar == (None if nps is None else max(0.0, nps)) for nps, pillar in found.values())
    assert any("figures of pillars outside 0 to 100" in note and "(voice)" in note for note in result.notes)


def test_own_metrics_stay_with_the_period_for_explain_and_what_if(
    company: World, served: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    loaded = configure(served, ACCOUNTPULSE_CONFIG=config(tmp_path, served))
    target = company.salesforce.objects["Health_Score__c"].fields  # a dimension of one's own needs a field in the org
    target["Voice_Score__c"] = replace(target["Support_Score__c"], name="Voice_Score__c")
    result = pipeline.execute(loaded, RunRequest(), NOW, Silent())
    del target["Voice_Score__c"]
    assert result.scores is not None
    known = result.scores.filter(pl.col("nps").is_not_null())["account_id"][0]
    told = start(tmp_path, "explain", known, "--json", ACCOUNTPULSE_STATE=loaded.state)
    assert told.returncode == 0, told.stderr
    assert '"nps"' in told.stdout
    again = start(
        tmp_path, "score", "--period", "2026-10", "--scorecard", "own.yaml", "--out", "s.csv",
        ACCOUNTPULSE_STATE=loaded.state,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert pl.read_csv(tmp_path / "s.csv")["voice_score"].drop_nulls().len() > 0

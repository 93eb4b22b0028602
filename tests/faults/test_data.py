"""Faults of what the systems say (18 to 26): no row is lost or counted twice, and no account pays for another.

The numbers are those of docs/reliability.md.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from accountpulse import pipeline
from accountpulse.core.catalogue import Metric
from accountpulse.core.period import Period
from accountpulse.main import Event, ReportPage, _report, summarise
from accountpulse.observe.rollbar import alerts
from accountpulse.pipeline.rate import rate_accounts
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Call, Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import Conversation, World
from accountpulse.scoring.scorecard import Scorecard
from aws.rig import Rig
from observe.test_rollbar import Project, access
from support import NOW, Configure, Silent

OCTOBER = RunRequest(period=Period(2026, 10))


class Log(list[Call]):
    """The sandbox's log; `then` sees each call as it is answered."""

    def __init__(self, then: Callable[[Call], None]) -> None:
        super().__init__()
        self._then = then

    def append(self, call: Call) -> None:
        super().append(call)
        self._then(call)


def scores_of(result: RunResult) -> pl.DataFrame:
    assert result.scores is not None
    return result.scores


def small() -> World:
    """A company of one test, for those that change it."""
    return build(seed=7, accounts=12, until=NOW)


def calm(world: World, configure: Configure) -> pl.DataFrame:
    """The scores of a dry run without a fault."""
    with Sandbox(world) as running:
        return scores_of(
            pipeline.execute(configure(running), replace(OCTOBER, dry_run=True, keep_csv=True), NOW, Silent())
        )


@pytest.mark.parametrize("system", ["intercom", "jira"])
def test_19_cursors_that_die_while_a_rate_limit_is_waited_out_begin_their_slices_anew(
    configure: Configure, system: str
) -> None:
    world = small()
    undisturbed = calm(world, configure)
    refused = []
    with Sandbox(world) as running:
        running.intercom_oddities.forgetful = True
        running.intercom_oddities.page_cap = 5
        running.jira_oddities.cloud_page = 5

        def watch(call: Call) -> None:
            if call.system != system or "/search" not in call.path:
                return
            pages = sum(each.path == call.path for each in running.log)
            if pages == 12:  # in the middle of the walk
                running.faults.append(Fault(system, 429, {"Retry-After": "0.1"}, path_contains="/search"))
            if call.status == 429:
                running.services["intercom"].walks.clear()  # what was still to be walked is forgotten meanwhile
                running.jira_oddities.forget += 1
            if call.status == 400:
                refused.append(call)

        running.log = Log(watch)
        result = pipeline.execute(configure(running), OCTOBER, NOW, Silent())
    assert refused
    assert result.exit_code == 0
    assert result.statuses[system].budget.waited >= 0.1
    assert scores_of(result).equals(undisturbed)


def number_as_text(world: World) -> str:
    """ARR kept in a text field: right for all but one."""
    accounts = world.salesforce.objects["Account"]
    accounts.fields["ARR__c"] = replace(accounts.fields["ARR__c"], type="string")
    for row in accounts.rows:
        row["ARR__c"] = None if row["ARR__c"] is None else str(row["ARR__c"])
    struck = customer_rows(world)[3]
    struck["ARR__c"] = "about fifty thousand"
    return str(struck["Id"])


def day_that_is_none(world: World) -> str:
    struck = customer_rows(world)[4]
    struck["Renewal_Date__c"] = "2026-02-31"
    return str(struck["Id"])


def customer_rows(world: World) -> list[dict[str, object]]:
    customers = {customer.account_id for customer in world.customers}
    return [row for row in world.salesforce.objects["Account"].rows if row["Id"] in customers]


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (number_as_text, "accounts: ARR__c is no number"),
        (day_that_is_none, "a date or time is not ISO 8601"),
    ],
)
def test_20_an_account_with_malformed_data_is_listed_with_field_and_reason_and_costs_nobody_else(
    configure: Configure, plant: Callable[[World], str], words: str
) -> None:
    world = small()
    before = calm(world, configure)
    struck = plant(world)
    with Sandbox(world) as running:
        result = pipeline.execute(configure(running), OCTOBER, NOW, Silent())
    assert result.exit_code == 4
    ((account, text),) = [(problem.account_id, problem.text) for problem in result.problems]
    assert account == struck
    assert words in text
    assert scores_of(result).equals(before.filter(pl.col("account_id") != struck))
    stored = {row["Account__c"] for row in world.salesforce.objects["Health_Score__c"].rows}
    assert stored == {customer.account_id for customer in world.customers} - {struck}


def test_20_a_duration_that_is_negative_is_never_a_quick_answer(configure: Configure) -> None:
    """Answered before it began, by the clock of another system: not known, and no median of minus a day."""
    world = small()
    for talk in world.intercom.conversations:
        if talk.first_admin_reply_at is not None:
            talk.first_admin_reply_at = talk.created_at - timedelta(days=1)
    with Sandbox(world) as running:
        result = pipeline.execute(configure(running), OCTOBER, NOW, Silent())
    medians = scores_of(result)["median_first_response_seconds"].drop_nulls()
    assert not [median for median in medians if median < 0]


class Buggy(Scorecard):
    """A card with a planted bug: it has lost what one metric is called, which strikes whoever has it as a reason."""

    @property
    def catalogue(self) -> dict[str, Metric]:
        return {name: metric for name, metric in super().catalogue.items() if name != "csat_score"}


def test_21_accounts_that_a_bug_of_ours_strikes_are_listed_and_reported_and_cost_nobody_else(
    configure: Configure, served: Sandbox
) -> None:
    loaded = configure(served)
    dry = pipeline.execute(loaded, replace(OCTOBER, dry_run=True, keep_csv=True), NOW, Silent())
    assert dry.metrics is not None
    card = pipeline.read_scorecard(loaded, None)
    buggy = Buggy(card.file, card.risk, card.pillars)
    assert dry.measured is not None
    run = replace(dry.run, card=buggy)
    result = replace(dry, run=run, rated=rate_accounts(run, dry.reading, dry.measured), delivery=None)
    label = card.catalogue["csat_score"].label
    told_of = pl.col("drivers_text").str.contains(rf"(^|; |: |, ){label}(:|,| \()")
    struck = set(scores_of(dry).filter(told_of)["account_id"])
    assert 0 < len(struck) < 25
    assert {problem.account_id for problem in result.problems} == struck
    assert {(problem.stage, problem.text) for problem in result.problems} == {
        ("score", "a fault of accountpulse itself: KeyError")
    }
    assert result.exit_code == 4
    assert scores_of(result).equals(scores_of(dry).filter(~told_of))
    with Project() as project:
        _report(result, alerts(access(project.url)))
    assert len(project.items) == 1
    assert all(account in json.dumps(project.items[0]) for account in struck)
    assert summarise(result, Event(), ReportPage())["left_out"] == len(struck)


def strange(talk: Conversation) -> None:
    """Fields, depth and values that nobody has seen before, and 20 MB of text."""
    talk.custom_attributes["a new field"] = [[{"deep": {"deeper": [1, None, {"er": "x" * 100}]}}] * 3] * 3
    talk.custom_attributes["description"] = "é" * 10_000_000
    talk.tags.append("a tag that no rule names")


def test_23_unknown_fields_depth_values_and_20_mb_of_text_change_nothing(tmp_path: Path) -> None:
    world = small()
    talk = next(
        talk
        for talk in world.intercom.conversations
        if talk.priority == "none" and NOW - timedelta(days=80) < talk.created_at < NOW - timedelta(days=30)
    )
    answers = []
    for round_ in range(2):
        with Sandbox(world) as running:
            environment = {**running.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / f"state-{round_}")}
            folder = tmp_path / str(round_)
            folder.mkdir()
            with Rig(folder, environment) as rig:
                answers.append(rig.invoke({"period": "2026-10", "dry_run": True}).body)
            csv = next((tmp_path / f"state-{round_}" / "dry-runs").glob("*.csv")).read_text(encoding="utf-8")
        answers[-1]["table"] = pl.read_csv(csv.encode(), infer_schema=False).drop("Run_Id__c", "Scored_At__c")
        strange(talk)
    before, after = answers
    assert (before["exit_code"], after["exit_code"]) == (0, 0)
    assert after["table"].equals(before["table"])
    assert after["peak_memory_mb"] < before["peak_memory_mb"] + 150  # the page and its text, a few times over


def test_23_values_that_nobody_has_seen_are_counted_and_never_a_zero(configure: Configure) -> None:
    """A severity of churn signals that the mapping does not name: told, and no proof that there is no such signal."""
    world = small()
    world.salesforce.objects["Churn_Signal__c"].fields["Severity__c"].values = ["Apocalyptic"]
    with Sandbox(world) as running:
        result = pipeline.execute(configure(running), OCTOBER, NOW, Silent())
    assert "is no value of Churn_Signal__c.Severity__c, which has Apocalyptic" in " ".join(result.notes)
    assert set(scores_of(result)["critical_signals_reason"]) == {"field_missing"}

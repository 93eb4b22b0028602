"""Loading over real sockets: the real client against the sandbox's org, by collections and by bulk jobs."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from accountpulse.core.errors import ConfigurationError, OutOfTime, SourceUnavailable, UnexpectedAnswer
from accountpulse.core.records import DETAILS, ScoreRecords
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.deliver import Load
from accountpulse.sandbox.server import Call, Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import FieldDef, World
from accountpulse.sandbox.world.org import record_id
from accountpulse.systems.destination import LoadResult
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.destination import SalesforceDestination
from accountpulse.systems.salesforce.load import load
from accountpulse.systems.salesforce.load_plan import Plan, plan
from accountpulse.systems.salesforce.record import payload
from accountpulse.systems.salesforce.settings import Target
from accountpulse.systems.salesforce.writes import bulk
from support import NOW, Configure

COLLECTIONS, BULK = Target(bulk_above=1_000_000), Target(bulk_above=0)
WAYS = pytest.mark.parametrize("target", [COLLECTIONS, BULK], ids=["collections", "bulk"])
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def small() -> World:
    return build(seed=7, accounts=1, until=NOW)


class Crm:
    """An org with as many accounts as a test wants, and our connection to it."""

    def __init__(self, sandbox: Sandbox, configure: Configure) -> None:
        self.sandbox = sandbox
        self.objects = sandbox.world.salesforce.objects
        self.behaviour = sandbox.behaviour
        self.slept: list[float] = []
        self.budget = RequestBudget()
        loaded = configure(sandbox)
        self.org = Org.connect(loaded.access["salesforce"], self.budget, loaded.ca_bundle)

    def accounts(self, count: int) -> list[str]:
        template = self.objects["Account"].rows[0]
        ids = [record_id("001", 50_000 + number) for number in range(count)]
        self.objects["Account"].rows[:] = [template | {"Id": identifier, "IsDeleted": False} for identifier in ids]
        return sorted(ids)

    def plan(self, records: pl.DataFrame, target: Target = COLLECTIONS) -> Plan:
        return plan(self.org, target, records)

    def load(self, records: pl.DataFrame, target: Target = COLLECTIONS) -> LoadResult:
        return load(self.org, target, self.plan(records, target), self.slept.append)

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["External_Key__c"]: row for row in self.objects["Health_Score__c"].rows}

    def calls(self, path: str) -> list[tuple[str, str]]:
        return [(call.method, call.path) for call in self.sandbox.log if path in call.path]

    def writes(self) -> int:
        return sum(call.method != "GET" and "/services/data" in call.path for call in self.sandbox.log)


@pytest.fixture
def crm(small: World, configure: Configure) -> Iterator[Crm]:
    with Sandbox(copy.deepcopy(small)) as running:
        yield Crm(running, configure)


PERCENTS = (18.0449, 11.0, 28.5)


def scores(ids: list[str], period: str = "2026-10", run: str = "run-1", **columns: Any) -> pl.DataFrame:
    """Records as the pipeline makes them: a value for all accounts, or one each; the moment is the run's own."""
    values = {
        "health_score": 82.29, "churn_risk_score": 11.0, "tier": "Healthy", "coverage": 90.0, "lower_bound": 70.0,
        "upper_bound": 90.0, "support_score": 55.5, "cap_reason": None, "drivers": "slow answers",
        **dict.fromkeys(("churn_probability", "churn_probability_lower", "churn_probability_upper")),
        **dict.fromkeys(DETAILS), **columns,
    }  # fmt: skip
    whole = {name: value if isinstance(value, list) else [value] * len(ids) for name, value in values.items()}
    schema = {**dict.fromkeys(("tier", "cap_reason", "drivers"), pl.String), **DETAILS}
    kinds = {name: schema.get(name, pl.Float64) for name in whole}
    table = pl.DataFrame({"account_id": ids, **whole}, schema={"account_id": pl.String, **kinds})
    moment = datetime(2026, 11, 3, 6, 0, tzinfo=NOW.tzinfo) + timedelta(hours=int(run[-1]))
    stamped = table.with_columns(
        period=pl.lit(period), scored_at=pl.lit(moment), scorecard=pl.lit("default 0f1e2d"), run_id=pl.lit(run)
    )
    return payload(ScoreRecords(stamped, ("support",)))


def summary(result: LoadResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.refused)


# --- how much is sent ------------------------------------------------------------------------------------------


def test_10000_accounts_are_50_calls(crm: Crm) -> None:
    result = crm.load(scores(crm.accounts(10_000)))
    assert summary(result) == (10_000, 0, 0, 0)
    assert len(crm.calls("composite/sobjects")) == crm.writes() == 50
    assert result.found == len(crm.rows) == 10_000


def test_10000_accounts_are_one_bulk_job_by_default(crm: Crm) -> None:
    records = scores(crm.accounts(10_000))
    result = crm.load(records, Target())
    assert summary(result) == (10_000, 0, 0, 0)
    assert len([call for call in crm.calls("jobs/ingest") if call[0] == "POST"]) == 1
    assert crm.calls("composite/sobjects") == []
    assert result.found == len(crm.rows) == 10_000
    assert summary(crm.load(records, Target())) == (0, 0, 10_000, 0)


@WAYS
def test_a_second_load_writes_nothing_and_leaves_equal_records(crm: Crm, target: Target) -> None:
    ids = crm.accounts(450)
    crm.load(scores(ids), target)
    before = copy.deepcopy(crm.rows)
    crm.sandbox.log.clear()
    result = crm.load(scores(ids, run="run-2"), target)
    assert summary(result) == (0, 0, 450, 0)
    assert result.found == 0
    assert crm.writes() == 0
    assert crm.rows == before


@WAYS
def test_only_what_differs_is_sent(crm: Crm, target: Target) -> None:
    ids = crm.accounts(300)
    crm.load(scores(ids), target)
    result = crm.load(scores(ids, run="run-2", health_score=[82.29] * 299 + [40.0]), target)
    assert summary(result) == (0, 1, 299, 0)
    assert result.found == 1
    assert [row["Account__c"] for row in crm.rows.values() if row["Run_Id__c"] == "run-2"] == [ids[-1]]
    assert crm.rows[f"{ids[-1]}-2026-10"]["Health_Score__c"] == 40.0


@WAYS
def test_a_value_that_became_null_is_null_in_the_org(crm: Crm, target: Target) -> None:
    ids = crm.accounts(3)
    crm.load(scores(ids, cap_reason="open critical signal"), target)
    empty = scores(ids, run="run-2", health_score=None, support_score=None, cap_reason=None, drivers=None)
    assert summary(crm.load(empty, target)) == (0, 3, 0, 0)
    for row in crm.rows.values():
        assert (row["Health_Score__c"], row["Support_Score__c"], row["Cap_Reason__c"], row["Drivers__c"]) == (None,) * 4
        assert row["Coverage__c"] == 90.0
    assert summary(crm.load(empty, target)) == (0, 0, 3, 0)


@WAYS
def test_texts_arrive_as_they_are(crm: Crm, target: Target) -> None:
    ids = crm.accounts(1)
    text = 'CSAT 41 %, "slow"; quotes, commas,\nlines – and ünïcode\ttabs, =1+1'
    crm.load(scores(ids, drivers=text), target)
    assert crm.rows[f"{ids[0]}-2026-10"]["Drivers__c"] == text


@WAYS
def test_what_the_org_rounds_or_trims_counts_as_equal(crm: Crm, target: Target) -> None:
    """An org whose scores have no decimals, and texts with blanks around them, which no org keeps."""
    ids = crm.accounts(3)
    crm.objects["Health_Score__c"].fields["Health_Score__c"].scale = 0
    crm.objects["Health_Score__c"].fields["Support_Score__c"].scale = 1
    given = {"health_score": [82.5, 82.49, 1.15], "support_score": 55.55, "drivers": "  slow\r\nanswers \n"}
    assert summary(crm.load(scores(ids, **given), target)) == (3, 0, 0, 0)
    assert [row["Health_Score__c"] for row in crm.rows.values()] == [83.0, 82.0, 1.0]
    assert {row["Support_Score__c"] for row in crm.rows.values()} == {55.6}
    assert summary(crm.load(scores(ids, run="run-2", **given), target)) == (0, 0, 3, 0)


def test_an_empty_table_asks_for_the_fields_and_the_count_only(crm: Crm) -> None:
    records = scores([])
    result = load(crm.org, COLLECTIONS, crm.plan(records), crm.slept.append)
    assert summary(result) == (0, 0, 0, 0)
    assert crm.writes() == 0


# --- what is refused --------------------------------------------------------------------------------------------


@WAYS
def test_a_lock_on_record_7_of_200_is_retried_and_written(crm: Crm, target: Target) -> None:
    ids = crm.accounts(200)
    crm.behaviour.locked[ids[6]] = 2
    result = crm.load(scores(ids), target)
    assert summary(result) == (200, 0, 0, 0)
    assert crm.rows[f"{ids[6]}-2026-10"]["Health_Score__c"] == 82.29
    assert result.found == 200
    if target is COLLECTIONS:
        assert len(crm.calls("composite/sobjects")) == 3
        first, second = crm.slept
        assert 0.5 <= first < 1.5
        assert 1.0 <= second < 3.0


@WAYS
def test_a_lock_that_stays_is_listed_after_four_tries(crm: Crm, target: Target) -> None:
    ids = crm.accounts(20)
    crm.behaviour.locked[ids[6]] = 100
    result = crm.load(scores(ids), target)
    assert summary(result) == (19, 0, 0, 1)
    assert crm.behaviour.locked[ids[6]] == 96
    assert "UNABLE_TO_LOCK_ROW" in result.refused[0].text


def test_a_call_that_is_refused_as_a_whole_for_a_lock_is_repeated(crm: Crm) -> None:
    ids = crm.accounts(5)
    body = json.dumps([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}]).encode()
    crm.sandbox.faults.append(Fault("salesforce", 400, JSON, body, path_contains="composite"))
    assert summary(crm.load(scores(ids))) == (5, 0, 0, 0)


@WAYS
def test_a_validation_rule_costs_one_record_of_200(crm: Crm, target: Target) -> None:
    ids = crm.accounts(200)
    crm.behaviour.refused.add(ids[120])
    result = crm.load(scores(ids), target)
    assert summary(result) == (199, 0, 0, 1)
    assert result.found == len(crm.rows) == 199
    [problem] = result.refused
    assert (problem.account_id, problem.stage) == (ids[120], "load")
    assert problem.text == "FIELD_CUSTOM_VALIDATION_EXCEPTION (record): This account is closed for scores"


@WAYS
def test_a_refusal_names_the_field_and_the_orgs_words(crm: Crm, target: Target) -> None:
    ids = crm.accounts(2)
    crm.objects["Account"].rows[:] = [row for row in crm.objects["Account"].rows if row["Id"] != ids[0]]
    result = crm.load(scores(ids), target)
    [problem] = result.refused
    assert problem.text == "INVALID_CROSS_REFERENCE_KEY (Account__c): invalid cross reference id"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"health_score": float("nan")}, "Health_Score__c is not a number"),
        ({"churn_risk_score": float("inf")}, "Churn_Risk_Score__c is not a number"),
        ({"coverage": -float("inf")}, "Coverage__c is not a number"),
        ({"health_score": 1000.0}, "Health_Score__c: 1000 has more than the field's 3 digits before the point"),
        ({"tier": "Splendid"}, "Tier__c: 'Splendid' is not among the values of the restricted picklist"),
    ],
)
def test_what_no_field_can_hold_is_refused_before_the_call_and_in_a_dry_run_too(
    crm: Crm, columns: dict[str, Any], words: str
) -> None:
    good, bad = crm.accounts(2)
    records = pl.concat([scores([good]), scores([bad], **columns)])
    made = crm.plan(records)
    assert [(problem.account_id, problem.text) for problem in made.refused] == [(bad, words)]
    assert len(made.create) == 1
    assert crm.writes() == 0
    result = crm.load(records)
    assert summary(result) == (1, 0, 0, 1)
    assert list(crm.rows) == [f"{good}-2026-10"]


def test_a_text_that_is_longer_than_the_orgs_field_is_refused_before_the_call(crm: Crm) -> None:
    ids = crm.accounts(1)
    crm.objects["Health_Score__c"].fields["Cap_Reason__c"].length = 20
    made = crm.plan(scores(ids, cap_reason="an open critical signal"))
    assert made.refused[0].text == "Cap_Reason__c: 23 characters are more than the field's 20"


def test_a_key_given_twice_is_refused_for_both_before_the_call(crm: Crm) -> None:
    first, second = crm.accounts(2)
    records = pl.concat([scores([first]), scores([second]), scores([first], health_score=3.0)])
    result = crm.load(records)
    assert summary(result) == (1, 0, 0, 2)
    assert {problem.account_id for problem in result.refused} == {first}
    assert {problem.text for problem in result.refused} == {"its key is given twice"}
    assert list(crm.rows) == [f"{second}-2026-10"]


# --- answers that can't be right --------------------------------------------------------------------------------


def test_fewer_results_than_records_are_no_success(crm: Crm) -> None:
    body = json.dumps([{"id": "a01", "success": True, "created": True, "errors": []}]).encode()
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="composite"))
    with pytest.raises(UnexpectedAnswer, match="not one result for each record"):
        crm.load(scores(crm.accounts(2)))


def test_a_lost_answer_is_asked_for_again_and_what_it_created_counts_as_created(crm: Crm) -> None:
    crm.sandbox.faults.append(Fault("salesforce", 503, {"Retry-After": "0"}, path_contains="composite", after=True))
    result = crm.load(scores(crm.accounts(3)))
    assert summary(result) == (3, 0, 0, 0)
    assert result.found == len(crm.rows) == 3


def test_a_session_that_ends_during_the_load_is_opened_again(crm: Crm) -> None:
    crm.behaviour.calls_per_session = 4
    ids = crm.accounts(900)
    assert summary(crm.load(scores(ids))) == (900, 0, 0, 0)
    assert len(crm.calls("/Soap/") + crm.calls("/oauth2/token")) == 3


def test_a_stored_record_of_another_shape_is_named_before_anything_is_written(crm: Crm) -> None:
    ids = crm.accounts(1)
    crm.load(scores(ids))
    fields = ("External_Key__c", "Account__c", "Period__c", "Is_Current__c")
    record = {"Id": "a01Hu00000AAAAAIA4", **dict.fromkeys(fields), "Period__c": 202609}
    body = json.dumps({"totalSize": 1, "done": True, "records": [record]}).encode()
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="Period__c+%21%3D"))
    with pytest.raises(UnexpectedAnswer, match=r"Health_Score__c\.Period__c of a01\w+ is a number, which no string is"):
        crm.plan(scores(ids, run="run-2"))


def test_a_count_that_differs_is_asked_for_once_more(crm: Crm) -> None:
    body = json.dumps({"totalSize": 1, "done": True, "records": []}).encode()
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="SELECT+COUNT"))
    result = crm.load(scores(crm.accounts(2)))
    assert (result.found, result.expected) == (2, 2)


# --- bulk jobs -----------------------------------------------------------------------------------------------------


def test_a_job_is_looked_at_with_growing_pauses_until_it_has_ended(crm: Crm) -> None:
    crm.behaviour.bulk_looks = 12
    assert summary(crm.load(scores(crm.accounts(3)), BULK)) == (3, 0, 0, 0)
    assert crm.slept == sorted(crm.slept)
    assert (crm.slept[0], crm.slept[-1], len(crm.slept)) == (1.0, 20.0, 13)


def test_a_job_that_does_not_end_is_aborted_and_named(crm: Crm) -> None:
    crm.behaviour.bulk_looks = 1_000_000
    with pytest.raises(SourceUnavailable, match=r"job 750\w+ hadn't ended after 30 minutes and was aborted"):
        crm.load(scores(crm.accounts(3)), BULK)
    assert 1_800 <= sum(crm.slept) < 1_821
    assert crm.rows == {}
    [job] = {path for method, path in crm.calls("jobs/ingest") if method == "PATCH"}
    assert crm.org.client.restful(job.partition("/v66.0/")[2])["state"] == "Aborted"


def test_a_job_that_fails_half_way_lists_what_it_left_and_counts_what_it_did(crm: Crm) -> None:
    crm.behaviour.bulk_failure = (60, "ServerError : too many things at once")
    ids = crm.accounts(100)
    result = crm.load(scores(ids), BULK)
    assert summary(result) == (60, 0, 0, 40)
    assert result.found == len(crm.rows) == 60
    words = "not processed: the job ended as Failed ServerError : too many things at once"
    assert {problem.text for problem in result.refused} == {words}
    assert {problem.account_id for problem in result.refused} == set(ids[60:])


def test_records_that_are_more_than_a_job_holds_go_in_several_jobs(crm: Crm) -> None:
    crm.behaviour.bulk_bytes = 2_000
    made = crm.plan(scores(crm.accounts(30)))
    parts = bulk(crm.org, "Health_Score__c", "External_Key__c", made.create, sleep=crm.slept.append, limit=2_000)
    assert [answer.created for answers in parts for answer in answers] == [True] * 30
    assert len(crm.rows) == 30
    assert len([call for call in crm.calls("jobs/ingest") if call[0] == "POST"]) > 2


def cut_results(crm: Crm, times: int) -> None:
    body = b'"sf__Id","sf__Created","External_Key__c"\n'
    crm.sandbox.faults.append(Fault("salesforce", 200, {"Content-Type": "text/csv"}, body, times, "successfulResults"))


def test_results_that_do_not_cover_every_record_are_asked_for_once_more(crm: Crm) -> None:
    cut_results(crm, 1)
    assert summary(crm.load(scores(crm.accounts(2)), BULK)) == (2, 0, 0, 0)


def test_results_that_twice_do_not_cover_every_record_are_no_success(crm: Crm) -> None:
    cut_results(crm, 2)
    result = crm.load(scores(crm.accounts(2)), BULK)
    assert isinstance(result.broken, UnexpectedAnswer)
    assert "counts differ from its results, twice" in str(result.broken)
    assert (result.created, result.unseen, result.written) == (0, 2, 2)  # the job had worked: the org has them


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"id": "a01", "success": "yes", "errors": []}], "doesn't say whether it was a success"),
        ([None], "doesn't say whether it was a success"),
        ({"success": True}, "not one result for each record"),
    ],
)
def test_a_result_of_another_type_is_no_success(crm: Crm, body: object, words: str) -> None:
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, json.dumps(body).encode(), path_contains="composite"))
    with pytest.raises(UnexpectedAnswer, match=words):
        crm.load(scores(crm.accounts(1)))


# --- cleaning up ---------------------------------------------------------------------------------------------------


def left_behind(crm: Crm, records: pl.DataFrame) -> str:
    """A job that a killed process has handed over to the org, and that is still at work there."""
    crm.behaviour.bulk_looks = 1_000_000
    cut = RuntimeError("killed")

    def killed(_seconds: float) -> None:
        raise cut

    with pytest.raises(RuntimeError, match="killed"):
        load(crm.org, BULK, crm.plan(records, BULK), killed)
    crm.behaviour.bulk_looks = 0
    [job] = {path.rpartition("/")[2] for method, path in crm.calls("jobs/ingest/750") if method == "PATCH"}
    return job


def state_of(crm: Crm, job: str) -> str:
    return str(crm.org.client.restful(f"jobs/ingest/{job}")["state"])


def test_a_job_at_work_at_the_deadline_is_aborted_in_the_time_that_is_kept_back(crm: Crm) -> None:
    ids = crm.accounts(3)
    made = crm.plan(scores(ids), BULK)
    crm.behaviour.bulk_looks = 1_000_000
    clock = [0.0]
    crm.budget.clock, crm.budget.ends = lambda: clock[0], 100.0

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    with pytest.raises(OutOfTime):
        load(crm.org, BULK, made, sleep)
    assert 69 <= clock[0] <= 71  # 30 of the 100 seconds were kept back
    crm.budget.ends = None
    [job] = {path.rpartition("/")[2] for method, path in crm.calls("jobs/ingest/750") if method == "PATCH"}
    crm.behaviour.bulk_looks = 0
    assert state_of(crm, job) == "Aborted"
    assert crm.rows == {}


def test_a_job_is_aborted_where_somebody_stops_the_run(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(3)), BULK)
    stop = KeyboardInterrupt()

    def sleep(_seconds: float) -> None:
        raise stop

    with pytest.raises(KeyboardInterrupt):
        load(crm.org, BULK, made, sleep)
    [job] = {path.rpartition("/")[2] for method, path in crm.calls("jobs/ingest/750") if method == "PATCH"}
    assert state_of(crm, job) == "Aborted"


def test_no_job_is_opened_where_there_is_no_time_to_end_it(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(3)), BULK)
    crm.budget.clock, crm.budget.ends = lambda: 75.0, 100.0
    with pytest.raises(OutOfTime):
        load(crm.org, BULK, made, crm.slept.append)
    assert crm.writes() == 0


def test_a_job_that_an_earlier_run_left_behind_is_aborted_and_the_later_runs_records_stay(crm: Crm) -> None:
    ids = crm.accounts(3)
    job = left_behind(crm, scores(ids, health_score=10.0))
    result = crm.load(scores(ids, run="run-2", health_score=82.0), BULK)
    assert summary(result) == (3, 0, 0, 0)
    assert state_of(crm, job) == "Aborted"
    assert {row["Health_Score__c"] for row in crm.rows.values()} == {82.0}
    assert {row["Run_Id__c"] for row in crm.rows.values()} == {"run-2"}


def test_what_a_job_of_an_earlier_run_wrote_before_it_ended_is_planned_with(crm: Crm) -> None:
    """It can't be aborted any more: it ends between the plan and the load, and the org holds its values."""
    ids = crm.accounts(3)
    left_behind(crm, scores(ids, health_score=10.0))
    made = crm.plan(scores(ids, run="run-2", health_score=82.0), BULK)
    assert len(made.create) == 3
    body = json.dumps([{"errorCode": "INVALIDJOBSTATE", "message": "the job is being finished"}]).encode()
    crm.sandbox.faults.append(Fault("salesforce", 400, JSON, body, path_contains="jobs/ingest/750", method="PATCH"))
    result = load(crm.org, BULK, made, crm.slept.append)
    assert summary(result) == (0, 3, 0, 0)
    assert {row["Health_Score__c"] for row in crm.rows.values()} == {82.0}


def test_a_dry_run_says_which_job_a_load_would_abort_and_aborts_none(crm: Crm) -> None:
    ids = crm.accounts(3)
    job = left_behind(crm, scores(ids))
    before = crm.writes()
    made = crm.plan(scores(ids, run="run-2"), BULK)
    assert made.notes == (f"bulk job {job} of an earlier load hasn't ended: a load aborts it first",)
    assert crm.writes() == before


def test_jobs_of_others_are_left_alone(crm: Crm) -> None:
    order = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Id", "contentType": "CSV"}
    jobs = [{**order, "id": "750Hu0000000001AAA", "state": "InProgress"}, {**order, "id": "750Hu0000000002AAA"}]
    ended = {**order, "object": "Health_Score__c", "id": "750Hu0000000003AAA", "state": "JobComplete"}
    body = json.dumps({"done": True, "nextRecordsUrl": None, "records": [*jobs, ended]}).encode()
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="jobs/ingest", method="GET"))
    assert crm.plan(scores(crm.accounts(3)), BULK).unfinished == ()


def test_a_user_who_may_not_see_jobs_is_told_and_the_load_goes_on(crm: Crm) -> None:
    body = json.dumps([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]).encode()
    crm.sandbox.faults.append(Fault("salesforce", 403, JSON, body, path_contains="jobs/ingest", method="GET"))
    made = crm.plan(scores(crm.accounts(3)), BULK)
    assert ["may not see the org's bulk jobs" in note for note in made.notes] == [True]
    assert summary(load(crm.org, BULK, made, crm.slept.append)) == (3, 0, 0, 0)


def test_a_small_portfolio_asks_for_no_jobs(crm: Crm) -> None:
    crm.load(scores(crm.accounts(3)), Target())
    assert crm.calls("jobs/ingest") == []


def test_closing_a_job_twice_because_an_answer_was_lost_changes_nothing(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(2)))
    crm.sandbox.faults.append(
        Fault("salesforce", 503, {"Retry-After": "0"}, path_contains="jobs/ingest/750", after=True, method="PATCH")
    )
    assert summary(load(crm.org, BULK, made, crm.slept.append)) == (2, 0, 0, 0)


def jobs(crm: Crm) -> list[str]:
    """The states of all jobs, in their order."""
    opened = sorted({path.split("/")[6] for method, path in crm.calls("jobs/ingest/750") if method == "PUT"})
    return [state_of(crm, job) for job in opened]


def test_data_whose_answer_was_lost_goes_into_a_new_job_and_is_written_once(crm: Crm) -> None:
    """An open job doesn't say whether it has its data, and takes it once: it is aborted before it has written."""
    made = crm.plan(scores(crm.accounts(2)))
    crm.sandbox.faults.append(Fault("salesforce", 503, path_contains="batches", after=True))
    assert summary(load(crm.org, BULK, made, crm.slept.append)) == (2, 0, 0, 0)
    assert jobs(crm) == ["Aborted", "JobComplete"]
    assert crm.budget.retries == 0


def test_data_whose_answer_is_always_lost_is_given_up_and_no_job_stays(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(2)))
    crm.sandbox.faults.append(Fault("salesforce", 503, path_contains="batches", after=True, times=100))
    with pytest.raises(SourceUnavailable, match="HTTP 503"):
        load(crm.org, BULK, made, crm.slept.append)
    assert jobs(crm) == ["Aborted"] * 4
    assert crm.rows == {}


def test_data_that_the_org_refuses_is_not_offered_again(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(2)))
    crm.sandbox.faults.append(Fault("salesforce", 400, JSON, b"[]", path_contains="batches"))
    with pytest.raises(UnexpectedAnswer, match="HTTP 400"):
        load(crm.org, BULK, made, crm.slept.append)
    assert jobs(crm) == ["Aborted"]


# --- loads that break off -----------------------------------------------------------------------------------------


class Breaking(list[Call]):
    """The sandbox's log, which plans a fault as soon as it has seen a writing call."""

    def __init__(self, crm: Crm, fault: Fault) -> None:
        super().__init__()
        self.crm, self.fault = crm, fault

    def append(self, call: Call) -> None:
        super().append(call)
        if call.method == "PATCH" and self.fault not in self.crm.sandbox.faults:
            self.crm.sandbox.faults.append(self.fault)


def test_what_was_written_before_a_load_broke_off_is_counted(crm: Crm) -> None:
    records = scores(crm.accounts(450))
    crm.sandbox.log = Breaking(crm, Fault("salesforce", 400, JSON, b"[]", path_contains="composite"))
    result = crm.load(records)
    assert isinstance(result.broken, UnexpectedAnswer)
    assert (result.created, result.unseen, result.written, len(crm.rows)) == (200, 0, 200, 200)
    crm.sandbox.log = []
    made = crm.plan(records)
    assert "200 records of this run are in the org already, from before it broke off" in made.notes[0]
    assert summary(load(crm.org, COLLECTIONS, made, crm.slept.append)) == (250, 0, 200, 0)


def test_a_call_that_was_carried_out_without_an_answer_is_counted_too(crm: Crm) -> None:
    records = scores(crm.accounts(450))
    crm.sandbox.log = Breaking(crm, Fault("salesforce", 400, JSON, b"[]", path_contains="composite", after=True))
    result = crm.load(records)
    assert (result.created, result.unseen, result.written, len(crm.rows)) == (200, 200, 400, 400)


@pytest.mark.parametrize("accounts", [450, 3])
def test_what_was_written_is_not_known_where_the_org_could_not_be_asked(crm: Crm, accounts: int) -> None:
    records = scores(crm.accounts(accounts))
    made = crm.plan(records)
    lost = Fault("salesforce", 400, JSON, b"[]", path_contains="composite", after=True)
    crm.sandbox.faults += [lost, Fault("salesforce", 503, path_contains="SELECT+COUNT", times=100)]
    result = load(crm.org, COLLECTIONS, made, crm.slept.append)
    assert (result.created, result.unseen, result.written) == (0, None, 0)
    assert len(crm.rows) == min(200, accounts)
    load_ = Load("Salesforce", done=True, planned=accounts, unseen=None, error=result.broken)
    assert f"At least 0 of {accounts} records were written before that." in str(load_.trouble)


def test_a_load_that_breaks_off_before_anything_was_written_raises(crm: Crm) -> None:
    made = crm.plan(scores(crm.accounts(3)))
    crm.sandbox.faults.append(Fault("salesforce", 400, JSON, b"[]", path_contains="composite"))
    with pytest.raises(UnexpectedAnswer):
        load(crm.org, COLLECTIONS, made, crm.slept.append)


# --- which month is the current one -------------------------------------------------------------------------------


def current(crm: Crm) -> set[str]:
    return {key for key, row in crm.rows.items() if row["Is_Current__c"]}


@WAYS
def test_the_newest_month_is_the_current_one(crm: Crm, target: Target) -> None:
    first, second = crm.accounts(2)
    crm.load(scores([first, second], "2026-09"), target)
    assert current(crm) == {f"{first}-2026-09", f"{second}-2026-09"}
    result = crm.load(scores([first], "2026-10", "run-2"), target)
    assert current(crm) == {f"{first}-2026-10", f"{second}-2026-09"}
    assert summary(result) == (1, 0, 0, 0)
    assert crm.rows[f"{first}-2026-09"]["Run_Id__c"] == "run-1"  # the old record is otherwise as it was
    assert crm.rows[f"{first}-2026-09"]["Health_Score__c"] == 82.29


@WAYS
def test_a_late_run_of_a_past_month_takes_nothing_from_a_newer_one(crm: Crm, target: Target) -> None:
    ids = crm.accounts(2)
    crm.load(scores(ids, "2026-10"), target)
    assert summary(crm.load(scores(ids, "2026-08", "run-2"), target)) == (2, 0, 0, 0)
    assert current(crm) == {f"{account}-2026-10" for account in ids}
    assert summary(crm.load(scores(ids, "2026-08", "run-3"), target)) == (0, 0, 2, 0)
    assert current(crm) == {f"{account}-2026-10" for account in ids}


def without(crm: Crm, records: pl.DataFrame, *former: str) -> tuple[LoadResult, tuple[str, ...]]:
    """A load after which these accounts are known to be no customers any more."""
    made = plan(crm.org, COLLECTIONS, records, frozenset(former))
    return load(crm.org, COLLECTIONS, made, crm.slept.append), made.notes


def test_who_is_no_customer_any_more_has_no_current_record(crm: Crm) -> None:
    """One that left, one that was deleted, one that could not be scored this month, and one whose month is loaded."""
    stays, left, deleted, unscored = crm.accounts(4)
    crm.load(scores([stays, left, deleted, unscored], "2026-09"))
    crm.rows[f"{deleted}-2026-09"]["Account__c"] = None
    result, notes = without(crm, scores([stays], "2026-10", "run-2"), left, deleted)
    assert current(crm) == {f"{stays}-2026-10", f"{unscored}-2026-09"}
    assert summary(result) == (1, 0, 0, 0)
    assert result.found == result.expected == 1
    assert notes[0].startswith("2 records are no longer marked as current, since the account is no customer any more")
    again, notes = without(crm, scores([stays], "2026-10", "run-3"), left, deleted)
    assert (summary(again), notes) == ((0, 0, 1, 0), ())
    back, _ = without(crm, scores([stays, left], "2026-10", "run-4"), deleted)
    assert summary(back) == (1, 0, 1, 0)
    assert f"{left}-2026-10" in current(crm)


def test_who_left_within_the_month_or_was_merged_has_no_current_record_of_it(crm: Crm) -> None:
    """Salesforce moves the records of an account that is merged to the one that stays."""
    stays, left, merged = crm.accounts(3)
    crm.load(scores([stays, left, merged]))
    crm.rows[f"{merged}-2026-10"]["Account__c"] = stays
    without(crm, scores([stays], run="run-2"), left, merged)
    assert current(crm) == {f"{stays}-2026-10"}


def test_a_run_of_some_accounts_takes_no_mark_from_others(crm: Crm) -> None:
    first, second = crm.accounts(2)
    crm.load(scores([first, second], "2026-09"))
    crm.load(scores([first], "2026-10", "run-2"))  # as of whom nobody knows that they left
    assert current(crm) == {f"{first}-2026-10", f"{second}-2026-09"}


def test_two_marks_that_a_broken_load_left_are_mended_by_the_next(crm: Crm) -> None:
    ids = crm.accounts(3)
    crm.load(scores(ids, "2026-09"))
    made = crm.plan(scores(ids, "2026-10", "run-2"))
    made.outdated = made.outdated.clear()  # as if it had broken off before the marks moved
    load(crm.org, COLLECTIONS, made, crm.slept.append)
    assert len(current(crm)) == 6
    assert summary(crm.load(scores(ids, "2026-10", "run-3"))) == (0, 0, 3, 0)
    assert current(crm) == {f"{account}-2026-10" for account in ids}


def test_an_old_mark_that_cannot_be_taken_away_is_named(crm: Crm) -> None:
    """A rule of the org that refuses every change of the account's records, set up after the new one was written."""
    [account] = crm.accounts(1)
    crm.load(scores([account], "2026-09"))
    made = crm.plan(scores([account], "2026-10", "run-2"))
    made.outdated = made.outdated.clear()
    load(crm.org, COLLECTIONS, made, crm.slept.append)
    crm.behaviour.refused.add(account)
    result = crm.load(scores([account], "2026-10", "run-3"))
    assert summary(result) == (0, 0, 1, 0)
    [problem] = result.stuck
    assert problem.text == (
        "its record of 2026-09 is still marked as current: "
        "FIELD_CUSTOM_VALIDATION_EXCEPTION (record): This account is closed for scores"
    )


@WAYS
def test_a_killed_run_that_is_gone_on_with_under_its_id_still_adds_up(crm: Crm, target: Target) -> None:
    ids = crm.accounts(20)
    crm.load(scores(ids[:12]), target)  # so far it had come
    result = crm.load(scores(ids), target)
    assert summary(result) == (8, 0, 12, 0)
    assert (result.found, result.expected) == (20, 20)


def test_an_account_whose_new_record_is_refused_keeps_its_old_one_as_current(crm: Crm) -> None:
    ids = crm.accounts(2)
    crm.load(scores(ids, "2026-09"))
    crm.behaviour.refused.add(ids[0])
    crm.load(scores(ids, "2026-10", "run-2"))
    assert current(crm) == {f"{ids[0]}-2026-09", f"{ids[1]}-2026-10"}


def test_an_org_without_the_optional_fields_is_written_with_a_note(crm: Crm) -> None:
    for name in ("Is_Current__c", "Cap_Reason__c"):
        del crm.objects["Health_Score__c"].fields[name]
    ids = crm.accounts(2)
    made = crm.plan(scores(ids))
    assert made.notes == ("Health_Score__c has no Cap_Reason__c, Is_Current__c: not written",)
    assert summary(crm.load(scores(ids))) == (2, 0, 0, 0)
    assert summary(crm.load(scores(ids, run="run-2"))) == (0, 0, 2, 0)


def test_the_probability_is_written_where_there_is_one_and_cleared_where_it_is_gone(crm: Crm) -> None:
    ids = crm.accounts(2)
    names = ("Churn_Probability__c", "Churn_Probability_Lower__c", "Churn_Probability_Upper__c")
    known = dict(
        zip(("churn_probability", "churn_probability_lower", "churn_probability_upper"), PERCENTS, strict=True)
    )
    assert summary(crm.load(scores(ids))) == (2, 0, 0, 0)
    assert summary(crm.load(scores(ids, run="run-2", **known))) == (0, 2, 0, 0)
    assert {tuple(row[name] for name in names) for row in crm.rows.values()} == {(18.04, 11.0, 28.5)}
    assert summary(crm.load(scores(ids, run="run-3", **known))) == (0, 0, 2, 0)
    assert summary(crm.load(scores(ids, run="run-4"))) == (0, 2, 0, 0)
    assert {row[name] for row in crm.rows.values() for name in names} == {None}


def test_an_org_without_the_fields_of_the_probability_is_written_and_told_of_only_where_there_is_one(crm: Crm) -> None:
    for name in ("Churn_Probability__c", "Churn_Probability_Lower__c", "Churn_Probability_Upper__c"):
        del crm.objects["Health_Score__c"].fields[name]
    ids = crm.accounts(2)
    assert crm.plan(scores(ids)).notes == ()
    of_a_band = scores(ids, churn_probability_lower=11.0, churn_probability_upper=28.5)
    (note,) = crm.plan(of_a_band).notes
    absent = "Churn_Probability_Lower__c, Churn_Probability_Upper__c"
    remedy = "`accountpulse deploy-files salesforce` has them, see `accountpulse docs salesforce`"
    assert note == f"Health_Score__c has no {absent}: not written; {remedy}"
    assert summary(crm.load(of_a_band)) == (2, 0, 0, 0)
    assert summary(crm.load(scores(ids, run="run-2"))) == (0, 0, 2, 0)


TIERS = ("Champion", "Healthy", "At Risk", "Critical", "Not Rated")
Required = Callable[..., list[tuple[str, int, str]]]


@pytest.fixture
def required(crm: Crm, configure: Configure) -> Required:
    """What the destination says of a load, without what is good."""

    def said(tiers: tuple[str, ...] = TIERS) -> list[tuple[str, int, str]]:
        destination = SalesforceDestination(configure(crm.sandbox).connection("salesforce"))
        found = destination.requirements(("support",), tiers)
        return [(each.mark, each.code, each.text) for each in found if each.mark != "good"]

    return said


# --- what stands beside the score -----------------------------------------------------------------------------------

NEWER = (
    "Account_Owner__c", "ARR__c", "Renewal_Date__c", "Main_Driver__c", "Next_Step__c", "Health_Change__c",
    "Tier_Before__c", "Signal_Cap__c", "Signal_Tier__c", "Green_Tiers__c", "Group_Health__c", "Group_Lowest__c",
    "Group_ARR__c", "Group_ARR_Rated__c", "Disagreement__c",
)  # fmt: skip


def known(crm: Crm, **changes: Any) -> dict[str, Any]:
    owner = crm.objects["User"].rows[0]["Id"]
    values = {
        "owner_id": owner, "arr": 423_000.555, "renewal_date": date(2026, 12, 20), "main_driver": "slow answers",
        "next_step": "Call the sponsor", "health_change": -12.3449, "tier_before": "Healthy", "signal_cap": 49.0,
        "signal_tier": "Critical", "green_tiers": ";Champion;Healthy;", "group_health": 61.25,
        "group_lowest": "Acme Iberia: 31, Critical", "group_arr": 1_423_000.5, "group_arr_rated": 99.9971,
        "disagreement": "score Healthy (82.3), pulse red of 2026-10-05",
    }  # fmt: skip
    return values | changes


@WAYS
def test_what_stands_beside_the_score_arrives_and_is_unchanged_the_next_time(crm: Crm, target: Target) -> None:
    ids = crm.accounts(3)
    assert summary(crm.load(scores(ids, **known(crm)), target)) == (3, 0, 0, 0)
    row = next(iter(crm.rows.values()))
    assert tuple(row[name] for name in NEWER) == (
        crm.objects["User"].rows[0]["Id"], 423_000.56, date(2026, 12, 20), "slow answers", "Call the sponsor", -12.34,
        "Healthy", 49.0, "Critical", ";Champion;Healthy;", 61.25, "Acme Iberia: 31, Critical", 1_423_000.5,
        99.99,  # 100 would say that all of it is rated
        "score Healthy (82.3), pulse red of 2026-10-05",
    )  # fmt: skip
    assert summary(crm.load(scores(ids, run="run-2", **known(crm)), target)) == (0, 0, 3, 0)
    later = scores(ids, run="run-3", **known(crm, renewal_date=None, owner_id=None, arr=None))
    assert summary(crm.load(later, target)) == (0, 3, 0, 0)
    assert {row[name] for row in crm.rows.values() for name in NEWER[:3]} == {None}


@WAYS
def test_an_org_that_an_earlier_version_made_ready_is_written_and_told_what_to_deploy(
    crm: Crm, target: Target, required: Required
) -> None:
    for name in NEWER:
        del crm.objects["Health_Score__c"].fields[name]
    ids = crm.accounts(2)
    note = (
        f"Health_Score__c has no {', '.join(NEWER)}, or our user may not see them: not written, all else is; deploy "
        "`health-score` again, with `churn-signal` or `own-signals`: `accountpulse deploy-files salesforce` has them, "
        "see `accountpulse docs salesforce`"
    )
    assert crm.plan(scores(ids, **known(crm)), target).notes == (note,)
    assert [(mark, code, text) for mark, code, text in required()] == [("warning", 0, note)]
    assert summary(crm.load(scores(ids, **known(crm)), target)) == (2, 0, 0, 0)
    assert {row["Health_Score__c"] for row in crm.rows.values()} == {82.29}
    assert summary(crm.load(scores(ids, run="run-2", **known(crm)), target)) == (0, 0, 2, 0)


def test_a_field_of_the_orgs_own_that_can_not_hold_it_stays_as_it_is_and_costs_no_record(crm: Crm) -> None:
    fields = crm.objects["Health_Score__c"].fields
    fields["Next_Step__c"].type = "double"
    fields["Tier_Before__c"].writable = False
    fields["Renewal_Date__c"].type = "datetime"
    fields["Group_Lowest__c"].type = "reference"
    ids = crm.accounts(2)
    assert crm.plan(scores(ids, **known(crm))).notes == (
        "Health_Score__c.Renewal_Date__c is of the type datetime, and can't hold a date: not written",
        "Health_Score__c.Next_Step__c is of the type double, and can't hold a text: not written",
        "Health_Score__c.Tier_Before__c is not writable for our user: not written",
        "Health_Score__c.Group_Lowest__c is of the type reference, and can't hold a text: not written",
    )
    assert summary(crm.load(scores(ids, **known(crm)))) == (2, 0, 0, 0)


def test_an_amount_goes_into_a_currency_field_of_an_org_with_one_currency(crm: Crm) -> None:
    crm.objects["Health_Score__c"].fields["ARR__c"].type = "currency"
    ids = crm.accounts(1)
    assert crm.plan(scores(ids, **known(crm))).notes == ()
    crm.load(scores(ids, **known(crm, arr=1_234.5)))
    assert next(iter(crm.rows.values()))["ARR__c"] == 1_234.5


def test_an_amount_goes_into_no_currency_field_of_an_org_with_several_currencies(crm: Crm) -> None:
    fields = crm.objects["Health_Score__c"].fields
    fields["ARR__c"].type = "currency"
    ids = crm.accounts(1)
    fields["CurrencyIsoCode"] = FieldDef("CurrencyIsoCode", "picklist", "Currency ISO Code", 3, values=["EUR", "USD"])
    (note,) = crm.plan(scores(ids, **known(crm))).notes
    assert note.startswith("Health_Score__c.ARR__c is of the type currency, and would be read in the currency of each")
    assert summary(crm.load(scores(ids, **known(crm)))) == (1, 0, 0, 0)
    assert next(iter(crm.rows.values())).get("ARR__c") is None


def test_a_value_beside_the_score_that_the_field_can_not_hold_is_left_out_and_said(crm: Crm) -> None:
    crm.objects["Health_Score__c"].fields["ARR__c"].precision = 7
    ids = crm.accounts(3)
    records = scores(ids, **known(crm, arr=[99_999.0, 423_000.0, 523_000.0]))
    made = crm.plan(records)
    assert made.refused == []
    fault = "ARR__c: 423000 has more than the field's 5 digits before the point"
    assert made.notes == (f"2 records are written without ARR__c, such as: {fault}",)
    assert summary(crm.load(records)) == (3, 0, 0, 0)
    assert [crm.rows[f"{account}-2026-10"]["ARR__c"] for account in ids] == [99_999.0, None, None]


@WAYS
def test_an_owner_that_the_org_refuses_costs_no_account_its_score(crm: Crm, target: Target) -> None:
    ids = crm.accounts(4)
    owner, nobody = crm.objects["User"].rows[0]["Id"], record_id("005", 999_999)
    records = scores(ids, **known(crm, owner_id=[owner, nobody, owner, nobody]))
    result = crm.load(records, target)
    assert summary(result) == (4, 0, 0, 0)
    assert result.found == result.expected == 4
    (note,) = result.notes
    assert note.startswith("2 records are written without Account_Owner__c, such as: INVALID_CROSS_REFERENCE_KEY")
    assert [crm.rows[f"{account}-2026-10"]["Account_Owner__c"] for account in ids] == [owner, None, owner, None]
    assert {row["Next_Step__c"] for row in crm.rows.values()} == {"Call the sponsor"}


@WAYS
def test_an_owner_whom_our_user_can_not_see_costs_no_account_its_score(crm: Crm, target: Target) -> None:
    """The org names no field then; a record that is refused for its account is refused all the same."""
    ids = crm.accounts(3)
    crm.objects["Account"].rows[:] = [row for row in crm.objects["Account"].rows if row["Id"] != ids[2]]
    owner, unseen = (row["Id"] for row in crm.objects["User"].rows[:2])
    crm.behaviour.unseen.add(unseen)
    result = crm.load(scores(ids, **known(crm, owner_id=[owner, unseen, owner])), target)
    assert summary(result) == (2, 0, 0, 1)
    assert [crm.rows[f"{account}-2026-10"]["Account_Owner__c"] for account in ids[:2]] == [owner, None]
    said = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY (record): insufficient access rights on cross-reference id"
    assert result.notes == (f"1 records are written without Account_Owner__c, such as: {said}: {unseen[:15]}",)


def test_a_queue_and_a_text_are_no_owner(crm: Crm) -> None:
    ids = crm.accounts(2)
    records = scores(ids, **known(crm, owner_id=[record_id("00G", 7), None]))
    assert records["Account_Owner__c"].to_list() == [None, None]
    assert summary(crm.load(records)) == (2, 0, 0, 0)


def test_a_long_step_is_cut_with_a_sign(crm: Crm) -> None:
    ids = crm.accounts(1)
    crm.load(scores(ids, **known(crm, next_step="x" * 300)))
    assert next(iter(crm.rows.values()))["Next_Step__c"] == "x" * 254 + "…"


@pytest.mark.parametrize("change", ["absent", "read-only", "hidden", "text", "not unique"])
def test_an_org_that_cannot_take_the_records_is_refused_before_anything_is_written(crm: Crm, change: str) -> None:
    fields = crm.objects["Health_Score__c"].fields
    if change == "absent":
        del fields["Support_Score__c"]
    elif change == "read-only":
        fields["Support_Score__c"].writable = False
    elif change == "text":
        fields["Support_Score__c"].type = "string"
    elif change == "hidden":
        crm.behaviour.hidden.add(("Health_Score__c", "Support_Score__c"))
    else:
        fields["External_Key__c"].unique = False
    with pytest.raises(ConfigurationError) as caught:
        crm.load(scores(crm.accounts(1)))
    assert ("External_Key__c" if change == "not unique" else "Support_Score__c") in str(caught.value)
    assert crm.writes() == 0


# --- what check says before ----------------------------------------------------------------------------------------


def test_an_org_that_takes_everything_has_nothing_said_against_it(required: Required) -> None:
    assert required() == []


def test_a_tier_that_the_restricted_picklist_lacks_is_said_before_a_load(required: Required) -> None:
    [(mark, code, text)] = required(("Gold", *TIERS))
    assert (mark, code) == ("bad", 4)
    assert "Health_Score__c.Tier__c is a restricted picklist without 'Gold'" in text


def test_a_key_field_that_is_too_short_is_said_before_a_load(crm: Crm, required: Required) -> None:
    crm.objects["Health_Score__c"].fields["External_Key__c"].length = 18
    [(mark, code, text)] = required()
    assert (mark, code) == ("bad", 4)
    assert "External_Key__c has 18 characters, and up to 26 are written" in text


def test_a_field_that_some_values_do_not_fit_into_is_said_before_a_load(crm: Crm, required: Required) -> None:
    fields = crm.objects["Health_Score__c"].fields
    fields["Drivers__c"].length = 255
    fields["Coverage__c"].precision, fields["Coverage__c"].scale = 4, 2
    assert [(mark, code, text.split(";")[0]) for mark, code, text in required()] == [
        ("warning", 0, "Health_Score__c.Coverage__c: 100 has more than the field's 2 digits before the point"),
        ("warning", 0, "Health_Score__c.Drivers__c has 255 characters, and up to 4,096 are written"),
    ]


@pytest.mark.parametrize(("right", "word"), [("createable", "create"), ("updateable", "edit")])
def test_a_user_who_may_not_write_the_object_is_told_which_permission_is_missing(
    crm: Crm, required: Required, right: str, word: str
) -> None:
    """The fields' own permissions are there; the object's isn't."""
    described = crm.org.client.restful("sobjects/Health_Score__c/describe") | {right: False}
    body = json.dumps(described).encode()
    crm.sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="Health_Score__c/describe"))
    with pytest.raises(ConfigurationError, match=rf"may not {word} records of Health_Score__c"):
        required()

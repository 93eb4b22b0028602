"""The sandbox's bulk jobs, driven by the real client's own bulk calls; expected values are the vendor's rules."""

import csv
import gc
import io

import pytest
import requests
from simple_salesforce import Salesforce as Client
from simple_salesforce import SalesforceLogin
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest, SalesforceOperationError

from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.org import record_id
from support import NOW

KEY = "External_Key__c"
ACCOUNTS = [record_id("001", n) for n in range(1, 6)]
ORDER = {"object": "Health_Score__c", "operation": "upsert", "externalIdFieldName": KEY, "contentType": "CSV"}


class Crm:
    def __init__(self, sandbox, session):
        self.behaviour = sandbox.behaviour
        self.objects = sandbox.world.salesforce.objects
        self.behaviour.bulk_looks = 0
        self.rows = self.objects["Health_Score__c"].rows
        org = sandbox.world.salesforce
        token, instance = SalesforceLogin(
            username=org.username,
            password=org.password,
            security_token=org.security_token,
            sf_version="64.0",
            scratch_url=sandbox.https_url,
            session=session,
        )
        self.client = Client(session_id=token, instance=instance, version="66.0", session=session)

    @property
    def bulk(self):
        return self.client.bulk2.Health_Score__c

    def upsert(self, *records):
        """The counts and the failed records, as the client reads them."""
        [counts] = self.bulk.upsert(records=list(records), external_id_field=KEY, wait=0)
        return counts, list(csv.DictReader(io.StringIO(self.bulk.get_failed_records(counts["job_id"]))))

    def job(self, **changes):
        order = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
        return self.client.restful("jobs/ingest", method="POST", json=order)

    def send(self, method, path, content=b"", kind="text/csv"):
        headers = {**self.client.headers, "Content-Type": kind}
        return self.client.session.request(
            method, f"{self.client.base_url}{path}", headers=headers, data=content, timeout=5
        )

    def run(self, content, **changes):
        """A whole job by hand; what it says in the end."""
        job = self.job(**changes)["id"]
        assert self.send("PUT", f"jobs/ingest/{job}/batches", content).status_code == 201
        self.state(job, "UploadComplete")
        return self.client.restful(f"jobs/ingest/{job}")

    def state(self, job, state):
        return self.client.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": state})


@pytest.fixture(scope="module")
def running():
    world = build(seed=7, accounts=1, until=NOW)
    template = world.salesforce.objects["Account"].rows[0]
    world.salesforce.objects["Account"].rows[:] = [template | {"Id": identifier} for identifier in ACCOUNTS]
    with Sandbox(world) as sandbox:
        yield sandbox
        gc.collect()


@pytest.fixture
def crm(running):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(running.ca_file)
        yield Crm(running, session)
    running.world.salesforce.objects["Health_Score__c"].rows.clear()
    running.behaviour.bulk_bytes = 100_000_000


def score(account=1, **fields):
    identifier = ACCOUNTS[account - 1]
    return {KEY: f"{identifier}-2026-10", "Account__c": identifier, **fields}


def test_the_client_creates_and_then_updates(crm):
    counts, failed = crm.upsert(score(1, Health_Score__c="81.5"), score(2, Health_Score__c="4"))
    assert (counts["numberRecordsProcessed"], counts["numberRecordsFailed"], failed) == (2, 0, [])
    good = list(csv.DictReader(io.StringIO(crm.bulk.get_successful_records(counts["job_id"]))))
    assert [row["sf__Created"] for row in good] == ["true", "true"]
    assert [row["sf__Id"] for row in good] == [row["Id"] for row in crm.rows]
    counts, _ = crm.upsert(score(1, Health_Score__c="82"))
    assert '"false"' in crm.bulk.get_successful_records(counts["job_id"])
    assert [row["Health_Score__c"] for row in crm.rows] == [82.0, 4.0]


def test_an_empty_cell_leaves_the_field_and_the_null_sign_clears_it(crm):
    crm.upsert(score(1, Health_Score__c="81.5", Coverage__c="90", Cap_Reason__c="x", Is_Current__c="true"))
    crm.upsert(score(1, Health_Score__c="", Coverage__c="#N/A", Cap_Reason__c="#N/A", Is_Current__c="false"))
    [row] = crm.rows
    assert (row["Health_Score__c"], row["Coverage__c"], row["Cap_Reason__c"]) == (81.5, None, None)
    assert row["Is_Current__c"] is False


def test_digits_behind_the_scale_are_cut_off(crm):
    crm.upsert(score(1, Health_Score__c="81.999", Coverage__c="1.15"))
    assert (crm.rows[0]["Health_Score__c"], crm.rows[0]["Coverage__c"]) == (81.99, 1.15)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"Health_Score__c": "nan"}, "INVALID_TYPE_ON_FIELD_IN_RECORD:value not of required type:Health_Score__c --"),
        ({"Health_Score__c": "1e3"}, "NUMBER_OUTSIDE_VALID_RANGE:"),
        ({"Is_Current__c": "perhaps"}, "INVALID_TYPE_ON_FIELD_IN_RECORD:"),
        ({"Scored_At__c": "2026-11-23"}, "INVALID_TYPE_ON_FIELD_IN_RECORD:"),
        ({"Tier__c": "Great"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:"),
        ({"Cap_Reason__c": "x" * 256}, "STRING_TOO_LONG:"),
        ({"Account__c": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:Account__c --"),
        ({KEY: "#N/A"}, "MISSING_ARGUMENT:External_Key__c not specified: --"),
    ],
)
def test_one_refused_record_does_not_cost_the_others(crm, fields, error):
    counts, failed = crm.upsert({**score(1), **dict.fromkeys(fields, ""), **fields}, score(2))
    assert (counts["numberRecordsProcessed"], counts["numberRecordsFailed"]) == (2, 1)
    assert failed[0]["sf__Error"].startswith(error)
    assert failed[0]["sf__Id"] == ""
    assert [row["Account__c"] for row in crm.rows] == [ACCOUNTS[1]]


def test_the_same_key_twice_is_refused_for_both_whatever_its_case(crm):
    _, failed = crm.upsert(score(1), score(2), {**score(1), KEY: score(1)[KEY].lower()})
    assert [row["sf__Error"].partition(":")[0] for row in failed] == ["DUPLICATE_VALUE"] * 2


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (b"External_Key__c,Account__c\r\nk,x\r\n", {}, "Current LineEnding setting is LF"),
        (b"External_Key__c,Account__c\nk,x\n", {"lineEnding": "CRLF"}, "Current LineEnding setting is CRLF"),
        (b"External_Key__c,Foo__c\nk,x\n", {}, "InvalidBatch : Field name not found : Foo__c"),
        (b"Account__c\nx\n", {}, "InvalidBatch : Field name not found : External_Key__c"),
        (b"External_Key__c;Account__c\nk;x\n", {}, "InvalidBatch : Field name not found : External_Key__c"),
        (b"External_Key__c,Account__c\nk\n", {}, "not as many columns"),
        (b"External_Key__c,Account__c\nk\xff,x\n", {}, "not UTF-8"),
    ],
)
def test_a_mistake_of_the_file_fails_the_whole_job(crm, content, changes, message):
    found = crm.run(content, **changes)
    assert found["state"] == "Failed"
    assert message in found["errorMessage"]
    assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == (0, 0)
    left = crm.bulk.get_unprocessed_records(found["id"]).splitlines()
    assert len(left) == 2
    assert crm.rows == []


def test_lines_may_end_as_on_windows_and_have_semicolons_where_the_job_says_so(crm):
    line = f"{ACCOUNTS[0]}-2026-10;{ACCOUNTS[0]}"
    content = f"{KEY};Account__c\r\n{line}\r\n".encode()
    found = crm.run(content, lineEnding="CRLF", columnDelimiter="SEMICOLON")
    assert (found["state"], found["numberRecordsProcessed"]) == ("JobComplete", 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"object": "Foo__c"}, "INVALIDENTITY"),
        ({"externalIdFieldName": "Period__c"}, "INVALIDJOB"),
        ({"externalIdFieldName": None}, "INVALIDJOB"),
        ({"operation": "truncate"}, "INVALIDJOB"),
        ({"contentType": "JSON"}, "INVALIDJOB"),
        ({"lineEnding": "CR"}, "INVALIDJOB"),
        ({"mood": "good"}, "INVALIDJOB"),
    ],
)
def test_an_order_that_cannot_be_carried_out_opens_no_job(crm, changes, code):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        crm.job(**changes)
    assert caught.value.content[0]["errorCode"] == code


def test_a_job_goes_from_open_to_complete_and_no_other_way(crm):
    crm.behaviour.bulk_looks = 1
    job = crm.job()
    assert (job["state"], job["apiVersion"]) == ("Open", 66.0)
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"
    with pytest.raises(SalesforceMalformedRequest):  # nothing in it yet
        crm.state(job["id"], "UploadComplete")
    content = f"{KEY},Account__c\nk,{ACCOUNTS[0]}\n".encode()
    path = f"jobs/ingest/{job['id']}"
    assert crm.send("PUT", f"{path}/batches", content, "application/json").status_code == 400
    assert crm.send("PUT", f"{path}/batches", content).status_code == 201
    again = crm.send("PUT", f"{path}/batches", content)
    assert (again.status_code, "multiple contents" in again.json()[0]["message"]) == (400, True)
    assert crm.send("GET", f"{path}/successfulResults").status_code == 400
    assert crm.state(job["id"], "UploadComplete")["state"] == "UploadComplete"
    with pytest.raises(SalesforceMalformedRequest):
        crm.state(job["id"], "UploadComplete")
    assert crm.client.restful(path)["state"] == "InProgress"
    assert crm.rows == []
    assert crm.client.restful(path)["state"] == "JobComplete"
    assert len(crm.rows) == 1
    with pytest.raises(SalesforceMalformedRequest):
        crm.state(job["id"], "Aborted")
    assert crm.send("GET", f"{path}/otherResults").status_code == 404
    assert crm.send("GET", "jobs/ingest/750000000000000AAA").status_code == 404


def test_an_aborted_job_writes_nothing(crm):
    job = crm.job()["id"]
    crm.send("PUT", f"jobs/ingest/{job}/batches", f"{KEY},Account__c\nk,{ACCOUNTS[0]}\n".encode())
    assert crm.state(job, "Aborted")["state"] == "Aborted"
    assert crm.client.restful(f"jobs/ingest/{job}")["state"] == "Aborted"
    assert crm.rows == []
    assert crm.bulk.get_unprocessed_records(job).splitlines() == [f'"{KEY}","Account__c"', f'"k","{ACCOUNTS[0]}"']


def test_more_than_the_limit_is_not_taken(crm):
    crm.behaviour.bulk_bytes = 200
    with pytest.raises(SalesforceGeneralError) as caught:
        crm.upsert(*(score(n) for n in (1, 2, 3, 4, 5)))
    assert caught.value.status == 413
    assert crm.rows == []


def test_a_planned_failure_is_what_the_client_calls_an_error(crm):
    crm.behaviour.bulk_failure = (1, "ServerError : no")
    with pytest.raises(SalesforceOperationError, match="ServerError"):
        crm.upsert(score(1), score(2))
    assert len(crm.rows) == 1

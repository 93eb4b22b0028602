"""The sandbox's Salesforce over HTTPS, asked by the real client."""

import gc
import json
import socket
import threading
import time
from datetime import UTC, date, datetime

import pytest
import requests
import trustme
import uvicorn
from simple_salesforce import Salesforce as Client
from simple_salesforce import SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from starlette.applications import Starlette

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.service import SalesforceService
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.org import empty_objects, record_id

NOW = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
ACCOUNTS = [record_id("001", n) for n in range(1, 8)]
KEY = "External_Key__c"


class Running:
    """A server whose application can be changed, and the certificate to trust."""

    def __init__(self, port, authority):
        self.url = f"https://localhost:{port}"
        self.authority = authority
        self.app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms for an ACK
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        running = Running(listening.getsockname()[1], str(folder / "ca.pem"))
        config = uvicorn.Config(running, ssl_certfile=folder / "server.pem", lifespan="off", ws="none", log_config=None)
        uvicorn_server = uvicorn.Server(config)
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not uvicorn_server.started:
            time.sleep(0.01)
        yield running
        uvicorn_server.should_exit = True
        thread.join()


class Sandbox:
    """One test's org: its data, its behaviour, and clients of it."""

    def __init__(self, server, session):
        self.url = server.url
        self.session = session
        self.behaviour = SalesforceBehaviour()
        self.org = Salesforce("pulse@example.com", "p<ss&word", "T0ken", "client-1", "s3cret", empty_objects())
        for number, identifier in enumerate(ACCOUNTS, start=1):
            self.add("Account", Id=identifier, Name=f"Account {number}")
        server.app = Starlette(routes=SalesforceService(self.org, self.behaviour, lambda: NOW).routes())

    def add(self, name, **values):
        sobject = self.org.objects[name]
        row = {field: None for field in sobject.fields} | {"IsDeleted": False}  # noqa: C420
        row["Id"] = record_id(sobject.key_prefix, len(sobject.rows) + 1)
        sobject.rows.append(row | values)

    @property
    def scores(self):
        return self.org.objects["Health_Score__c"].rows

    def login(self, version="64.0", **changes):
        credentials = {"username": "pulse@example.com", "password": "p<ss&word", "security_token": "T0ken", **changes}
        return SalesforceLogin(**credentials, sf_version=version, scratch_url=self.url, session=self.session)

    def client(self):
        token, instance = self.login()
        return Client(session_id=token, instance=instance, version="66.0", session=self.session)

    def upsert(self, *records, **options):
        typed = [{"attributes": {"type": "Health_Score__c"}, **record} for record in records]
        path = f"composite/sobjects/Health_Score__c/{KEY}"
        return self.client().restful(path, method="PATCH", json={"records": typed, **options})


@pytest.fixture(scope="module")
def session(server):
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = server.authority
        yield opened
    gc.collect()  # urllib3 closes its connections when they are collected; the server waits for that


@pytest.fixture
def sandbox(server, session):
    return Sandbox(server, session)


def score(account=1, period="2026-10", **fields):
    identifier = ACCOUNTS[account - 1]
    return {KEY: f"{identifier}-{period}", "Account__c": identifier, "Period__c": period, **fields}


def codes(results):
    return [[error["statusCode"] for error in result["errors"]] for result in results]


# --- logging in ---


def test_a_right_login_gives_a_session_for_the_host_that_was_asked(sandbox):
    token, instance = sandbox.login()
    assert f"https://{instance}" == sandbox.url
    assert "!" in token
    assert sandbox.client().query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1


@pytest.mark.parametrize(
    "wrong", [{"password": "other"}, {"security_token": "other"}, {"security_token": ""}, {"username": "other"}]
)
def test_wrong_credentials_are_an_invalid_login(sandbox, wrong):
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        sandbox.login(**wrong)
    assert caught.value.code == "INVALID_LOGIN"


@pytest.mark.parametrize("version", ["65.0", "66.0"])
def test_soap_login_is_gone_from_version_65_on(sandbox, version):
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        sandbox.login(version=version)
    assert caught.value.code == "INVALID_OPERATION"
    assert f"version specified ({version})" in str(caught.value)


def oauth(sandbox, auth=None, **form):
    return sandbox.session.post(f"{sandbox.url}/services/oauth2/token", data=form, auth=auth, timeout=60)


@pytest.mark.parametrize("way", ["basic", "form"])
def test_client_credentials_open_a_session(sandbox, way):
    if way == "basic":
        answer = oauth(sandbox, ("client-1", "s3cret"), grant_type="client_credentials")
    else:
        answer = oauth(sandbox, grant_type="client_credentials", client_id="client-1", client_secret="s3cret")
    found = answer.json()
    assert answer.status_code == 200
    assert (found["instance_url"], found["token_type"]) == (sandbox.url, "Bearer")
    assert found["issued_at"] == "1795420800123"
    client = Client(session_id=found["access_token"], instance_url=sandbox.url, version="66.0", session=sandbox.session)
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == len(ACCOUNTS)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "other", "client_secret": "s3cret"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "password", "username": "pulse@example.com", "password": "p<ss&wordT0ken"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_other_grants_and_wrong_secrets_are_refused(sandbox, form, error):
    answer = oauth(sandbox, **form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_a_session_expires_after_the_planned_number_of_calls(sandbox):
    sandbox.behaviour.calls_per_session = 2
    client = sandbox.client()
    for _ in range(2):
        client.limits()
    with pytest.raises(SalesforceExpiredSession) as caught:
        client.limits()
    assert caught.value.content == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    sandbox.client().limits()


def test_without_a_session_nothing_is_answered(sandbox):
    for path in ("", "/v66.0/query?q=SELECT+Id+FROM+Account", "/v66.0/nothing"):
        answer = sandbox.session.get(f"{sandbox.url}/services/data{path}", timeout=60)
        assert answer.status_code == 401
        assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"


# --- reading ---


def test_query_all_walks_over_every_page(sandbox):
    sandbox.behaviour.page_size = 3
    client = sandbox.client()
    first = client.query("SELECT Id FROM Account ORDER BY Name DESC")
    assert (first["totalSize"], first["done"], len(first["records"])) == (7, False, 3)
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/01g")
    assert first["nextRecordsUrl"].endswith("-3")
    everything = client.query_all("SELECT Id FROM Account ORDER BY Name DESC")
    assert [record["Id"] for record in everything["records"]] == ACCOUNTS[::-1]
    sandbox.behaviour.page_size = len(ACCOUNTS)
    whole = client.query("SELECT Id FROM Account")
    assert whole["done"] is True
    assert "nextRecordsUrl" not in whole


def test_a_page_holds_2000_records_or_as_many_as_the_header_says(sandbox):
    for number in range(2_001):
        sandbox.add("Event", Subject=f"{number}")
    client = sandbox.client()
    sizes = []
    for options in ("", "batchSize=500", "batchSize=1"):
        page = client.query("SELECT Id FROM Event", headers={"Sforce-Query-Options": options})
        sizes.append(len(page["records"]))
    assert sizes == [2_000, 500, 200]
    assert len(client.query_all("SELECT Id FROM Event")["records"]) == 2_001


def test_groups_come_in_one_page_and_not_beyond_2000(sandbox):
    client = sandbox.client()
    sandbox.behaviour.page_size = 2
    found = client.query("SELECT Name, COUNT(Id) n FROM Account GROUP BY Name")
    assert (found["totalSize"], found["done"], found["records"][0]["n"]) == (7, True, 1)
    for number in range(2_001):
        sandbox.add("Event", Subject=f"{number}")
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.query("SELECT Subject, COUNT(Id) FROM Event GROUP BY Subject")
    assert caught.value.content[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


@pytest.mark.parametrize("locator", ["01gHu0000000000AAA-2000", "nonsense", "01gHu0000000000AAA-x"])
def test_a_bad_locator_is_refused(sandbox, locator):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sandbox.client().query_more(locator)
    assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_records_carry_their_parents_dates_and_numbers_as_the_crm_writes_them(sandbox):
    created = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
    sandbox.add("Opportunity", AccountId=ACCOUNTS[1], CreatedDate=created, CloseDate=date(2026, 12, 24), Probability=20)
    sandbox.add("Opportunity", CreatedDate=created)
    records = sandbox.client().query(
        "SELECT Account.Name, CreatedDate, CloseDate, Probability, IsWon FROM Opportunity"
    )["records"]
    assert records[0]["attributes"]["url"] == f"/services/data/v66.0/sobjects/Opportunity/{record_id('006', 1)}"
    assert records[0]["Account"]["Name"] == "Account 2"
    assert records[0]["CreatedDate"] == "2026-10-01T12:00:00.000+0000"
    assert (records[0]["CloseDate"], records[0]["Probability"], records[0]["IsWon"]) == ("2026-12-24", 20.0, False)
    assert (records[1]["Account"], records[1]["CloseDate"]) == (None, None)


def test_deleted_rows_are_in_query_all_only(sandbox):
    sandbox.add("Account", Id=record_id("001", 99), Name="Gone", IsDeleted=True)
    client = sandbox.client()
    text = "SELECT Id FROM Account WHERE Name = 'Gone'"
    assert client.query(text)["totalSize"] == 0
    assert client.query(text, include_deleted=True)["totalSize"] == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Foo__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Foo__c", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ],
)
def test_a_wrong_query_is_answered_400_with_its_code(sandbox, text, code):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sandbox.client().query(text)
    assert [error["errorCode"] for error in caught.value.content] == [code]


def test_a_url_over_16384_bytes_is_answered_414(sandbox):
    client = sandbox.client()
    quoted = ",".join(f"'{record_id('001', number)}'" for number in range(620))
    with pytest.raises(SalesforceGeneralError) as caught:
        client.query(f"SELECT Id FROM Account WHERE Id IN ({quoted})")  # noqa: S608
    assert caught.value.status == 414


def test_describe_shows_what_the_user_may_read(sandbox):
    sandbox.behaviour.hidden.add(("Account", "ARR__c"))
    client = sandbox.client()
    assert {"Account", "Health_Score__c"} <= {found["name"] for found in client.describe()["sobjects"]}
    account = {field["name"]: field for field in client.Account.describe()["fields"]}
    assert "ARR__c" not in account
    assert account["OwnerId"]["referenceTo"] == ["User"]
    assert account["OwnerId"]["relationshipName"] == "Owner"
    assert [value["value"] for value in account["Tier__c"]["picklistValues"]] == [
        "Bronze",
        "Silver",
        "Gold",
        "Platinum",
    ]
    target = {field["name"]: field for field in client.Health_Score__c.describe()["fields"]}
    assert (target[KEY]["externalId"], target[KEY]["unique"], target[KEY]["length"]) == (True, True, 64)
    assert (target[KEY]["nillable"], target[KEY]["permissionable"]) == (False, False)
    assert (target["Tier__c"]["restrictedPicklist"], target["Tier__c"]["updateable"]) == (True, True)
    assert (target["Drivers__c"]["filterable"], target["CreatedDate"]["createable"]) == (False, False)
    with pytest.raises(SalesforceMalformedRequest):
        client.query("SELECT ARR__c FROM Account")


@pytest.mark.parametrize("path", ["sobjects/Foo__c/describe", "nothing", "sobjects/Account/001000000000000AAA"])
def test_an_unknown_path_is_404_and_never_an_empty_list(sandbox, path):
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sandbox.client().restful(path)
    assert caught.value.content[0]["errorCode"] == "NOT_FOUND"


def test_a_version_that_is_not_served_is_404_and_a_wrong_method_405(sandbox):
    token, _ = sandbox.login()
    headers = {"Authorization": f"Bearer {token}"}
    old = sandbox.session.get(f"{sandbox.url}/services/data/v20.0/limits", headers=headers, timeout=60)
    assert old.status_code == 404
    posted = sandbox.session.post(f"{sandbox.url}/services/data/v66.0/limits", headers=headers, timeout=60)
    assert (posted.status_code, posted.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    newest = sandbox.session.get(f"{sandbox.url}/services/data/", headers=headers, timeout=60).json()[-1]
    assert newest["url"] == "/services/data/v68.0"


def test_the_days_calls_are_counted_and_end(sandbox):
    sandbox.behaviour.calls_before = 99_997
    client = sandbox.client()
    assert client.limits()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 2}
    client.query("SELECT Id FROM Account")
    usage = client.api_usage["api-usage"]
    assert (usage.used, usage.total) == (99_999, 100_000)
    client.limits()
    with pytest.raises(SalesforceRefusedRequest) as caught:
        client.limits()
    assert caught.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


# --- writing ---


def test_an_upsert_creates_then_updates_and_adds_no_row(sandbox):
    first = sandbox.upsert(score(1, Health_Score__c=81.5, Tier__c="Healthy"), score(2, Health_Score__c=40))
    again = sandbox.upsert(score(1, Health_Score__c=82.25))
    assert [(r["success"], r["created"], r["errors"]) for r in first] == [(True, True, [])] * 2
    assert [(r["id"], r["created"]) for r in again] == [(first[0]["id"], False)]
    assert len(sandbox.scores) == 2
    stored = sandbox.client().restful(f"sobjects/Health_Score__c/{first[0]['id']}")
    assert (stored["Health_Score__c"], stored["Tier__c"], stored["Account__c"]) == (82.25, "Healthy", ACCOUNTS[0])
    assert stored["CreatedDate"] == stored["LastModifiedDate"] == "2026-11-23T08:00:00.000+0000"
    found = sandbox.client().query("SELECT Account__r.Name FROM Health_Score__c WHERE Health_Score__c > 80")
    assert [record["Account__r"]["Name"] for record in found["records"]] == ["Account 1"]


def test_null_clears_and_a_missing_key_leaves(sandbox):
    sandbox.upsert(score(1, Health_Score__c=50, Coverage__c=90, Cap_Reason__c="signals"))
    sandbox.upsert({KEY: f"{ACCOUNTS[0]}-2026-10", "Health_Score__c": None, "Cap_Reason__c": ""})
    [row] = sandbox.scores
    assert (row["Health_Score__c"], row["Coverage__c"], row["Cap_Reason__c"]) == (None, 90, None)


def test_the_external_id_is_the_same_in_capitals_and_small_letters(sandbox):
    sandbox.upsert(score(1))
    [result] = sandbox.upsert({**score(1), KEY: f"{ACCOUNTS[0]}-2026-10".lower()})
    assert result["created"] is False


@pytest.mark.parametrize(
    ("record", "code", "fields"),
    [
        (score(1, Account__c="001000000000000AAA"), "INVALID_CROSS_REFERENCE_KEY", ["Account__c"]),
        (score(1, Account__c="nonsense"), "MALFORMED_ID", ["Account__c"]),
        (score(1, Account__c=None), "REQUIRED_FIELD_MISSING", ["Account__c"]),
        ({KEY: "k"}, "REQUIRED_FIELD_MISSING", ["Account__c"]),
        ({"Account__c": ACCOUNTS[0]}, "MISSING_ARGUMENT", []),
        (score(1, Tier__c="Great"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Tier__c"]),
        (score(1, Cap_Reason__c="x" * 256), "STRING_TOO_LONG", ["Cap_Reason__c"]),
        (score(1, Drivers__c="x" * 4097), "STRING_TOO_LONG", ["Drivers__c"]),
        (score(1, Health_Score__c=1000), "NUMBER_OUTSIDE_VALID_RANGE", ["Health_Score__c"]),
        (score(1, CreatedDate="2026-10-01T00:00:00Z"), "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
    ],
)
def test_one_refused_record_does_not_cost_the_others(sandbox, record, code, fields):
    sandbox.org.objects["Health_Score__c"].fields["Account__c"].required = True
    refused, good = sandbox.upsert(record, score(2, Drivers__c="x" * 4096, Scored_At__c="2026-11-23T08:00:00.000Z"))
    assert codes([refused]) == [[code]]
    assert refused["errors"][0]["fields"] == fields
    assert refused["success"] is False
    assert good["success"] is True
    assert [row["Account__c"] for row in sandbox.scores] == [ACCOUNTS[1]]
    assert sandbox.scores[0]["Scored_At__c"] == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_deleted_account_is_named_as_such(sandbox):
    sandbox.org.objects["Account"].rows[0]["IsDeleted"] = True
    assert codes(sandbox.upsert(score(1))) == [["ENTITY_IS_DELETED"]]


def test_the_same_key_twice_in_one_call_is_refused_for_both(sandbox):
    results = sandbox.upsert(score(1), score(2), score(1, Health_Score__c=3))
    assert codes(results) == [["DUPLICATE_VALUE"], [], ["DUPLICATE_VALUE"]]
    assert len(sandbox.scores) == 1


def test_all_or_none_rolls_the_good_ones_back(sandbox):
    results = sandbox.upsert(score(1), score(2, Tier__c="Great"), allOrNone=True)
    assert codes(results) == [["ALL_OR_NONE_OPERATION_ROLLED_BACK"], ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]]
    assert sandbox.scores == []


def test_a_planned_lock_goes_away_and_a_validation_rule_does_not(sandbox):
    sandbox.behaviour.locked[ACCOUNTS[0]] = 2
    sandbox.behaviour.refused.add(ACCOUNTS[1])
    seen = [codes(sandbox.upsert(score(1), score(2), score(3))) for _ in range(3)]
    assert [one[0] for one in seen] == [["UNABLE_TO_LOCK_ROW"], ["UNABLE_TO_LOCK_ROW"], []]
    assert [one[1] for one in seen] == [["FIELD_CUSTOM_VALIDATION_EXCEPTION"]] * 3
    assert [one[2] for one in seen] == [[]] * 3


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([score(1, Foo__c=1)], "INVALID_FIELD"),
        ([score(1, Id="a01000000000000AAA")], "INVALID_FIELD"),
        ([score(1, Health_Score__c="81")], "JSON_PARSER_ERROR"),
        ([score(1, Health_Score__c=True)], "JSON_PARSER_ERROR"),
        ([score(1, Period__c=202610)], "JSON_PARSER_ERROR"),
        ([score(1, Scored_At__c="2026-11-23T08:00:00")], "JSON_PARSER_ERROR"),
        ([score(n, f"{2000 + n}") for n in [1] * 201], "EXCEEDED_ID_LIMIT"),
        ([score(1, attributes={"type": "Account"})], "INVALID_TYPE"),
    ],
)
def test_what_is_not_well_formed_is_refused_whole(sandbox, records, code):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sandbox.upsert(score(2), *records)
    assert caught.value.content[0]["errorCode"] == code
    assert sandbox.scores == []


def test_200_records_fit_in_one_call(sandbox):
    results = sandbox.upsert(*(score(n % 7 + 1, f"{1900 + n}-01") for n in range(200)))
    assert len(results) == len({result["id"] for result in results}) == 200


@pytest.mark.parametrize("body", [json.dumps({"records": [score(1, Health_Score__c=float("nan"))]}), "{", "[]", "{}"])
def test_what_is_no_json_is_a_parser_error(sandbox, body):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sandbox.client().restful(f"composite/sobjects/Health_Score__c/{KEY}", method="PATCH", data=body)
    assert caught.value.content[0]["errorCode"] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize("target", [f"Foo__c/{KEY}", "Health_Score__c/Period__c", "Health_Score__c/Foo__c"])
def test_an_object_or_key_that_is_not_there_is_404(sandbox, target):
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sandbox.client().restful(f"composite/sobjects/{target}", method="PATCH", json={"records": []})
    assert caught.value.content[0]["errorCode"] == "NOT_FOUND"

"""simple_salesforce, as its documentation shows it, signs in to the sandbox and reads the org."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from readers.road import Road
from support import Configure, extract

Rows = list[dict[str, Any]]


@pytest.fixture
def road(served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with Road(served, tmp_path_factory.mktemp("road")) as listening:
        yield listening


@pytest.fixture
def signed_in(road: Road) -> Iterator[Callable[..., Salesforce]]:
    sessions: list[requests.Session] = []

    def made(**how: Any) -> Salesforce:
        session = requests.Session()
        session.trust_env, session.verify = False, str(road.ca_file)
        sessions.append(session)
        session.proxies["https"] = road.url
        return Salesforce(session=session, **how)

    yield made
    for session in sessions:
        session.close()


@pytest.fixture
def sf(signed_in: Callable[..., Salesforce], company: World) -> Salesforce:
    org = company.salesforce
    return signed_in(username=org.username, password=org.password, security_token=org.security_token)


def rows(world: World, name: str) -> Rows:
    """The object's rows that aren't in the bin."""
    return [row for row in world.salesforce.objects[name].rows if not row["IsDeleted"]]


def ids(found: Any) -> set[str]:
    return {record["Id"] for record in found["records"]}


def test_each_way_to_sign_in_leads_to_the_same_org(
    signed_in: Callable[..., Salesforce], company: World, sf: Salesforce
) -> None:
    org = company.salesforce
    app = signed_in(consumer_key=org.client_id, consumer_secret=org.client_secret, domain="sandbox.my")
    again = signed_in(instance_url="https://login.salesforce.com", session_id=sf.session_id)
    count = "SELECT COUNT() FROM Account"
    assert {each.query(count)["totalSize"] for each in (sf, app, again)} == {len(rows(company, "Account"))}


def test_the_org_says_what_it_has(sf: Salesforce, company: World) -> None:
    objects = company.salesforce.objects
    assert {each["name"] for each in sf.describe()["sobjects"]} == set(objects)
    described = sf.Account.describe()
    assert {each["name"] for each in described["fields"]} == set(objects["Account"].fields)
    children = {each["relationshipName"] for each in described["childRelationships"]}
    assert children >= {"Contacts", "Opportunities", "Contracts", "Cases", "Histories", "Churn_Signals__r"}
    assert sf.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    assert sf.restful("")["query"].endswith("/query")
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sf.oauth2("userinfo")["preferred_username"] == company.salesforce.username
    assert sf.is_sandbox() is True
    versions = sf._call_salesforce("GET", f"https://{sf.sf_instance}/services/data/").json()
    assert versions[-1]["version"] == "68.0"


def test_every_account_reads_as_ours_does(sf: Salesforce, served: Sandbox, configure: Configure, scope: Scope) -> None:
    ours = extract(configure(served), "salesforce", scope).tables["accounts"]
    found = sf.query_all(
        "SELECT Id, Name, ARR__c, OwnerId, Owner.Name FROM Account WHERE Type LIKE 'Customer%' ORDER BY Id"
    )
    assert found["totalSize"] == ours.height > 20
    read = {
        each["Id"]: (each["Name"], each["ARR__c"], each["OwnerId"], each["Owner"]["Name"]) for each in found["records"]
    }
    told = zip(ours["account_name"], ours["arr"], ours["owner_id"], ours["owner"], strict=True)
    assert read == dict(zip(ours["account_id"], told, strict=True))


def test_one_record_by_its_id_and_by_the_orgs_own_key(sf: Salesforce, company: World) -> None:
    account = rows(company, "Account")[3]
    assert sf.Account.get(account["Id"])["Name"] == account["Name"]
    scored = {
        "Account__c": account["Id"],
        "External_Key__c": "001:2026-10",
        "Health_Score__c": 55.5,
        "Is_Current__c": True,
    }
    company.salesforce.objects["Health_Score__c"].rows.append(
        {**dict.fromkeys(company.salesforce.objects["Health_Score__c"].fields), "Id": "a01Hu0000000001AAA", **scored}
    )
    assert sf.Health_Score__c.get_by_custom_id("External_Key__c", "001:2026-10")["Health_Score__c"] == 55.5
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get("001Hu0000099999AAA")


def test_pages_of_a_query_are_walked(sf: Salesforce, served: Sandbox, company: World) -> None:
    served.behaviour.page_size = 50
    everything = rows(company, "Opportunity") + rows(company, "Contact")
    queries = ("SELECT Id FROM Opportunity", "SELECT Id FROM Contact")
    read = [each["Id"] for soql in queries for each in sf.query_all_iter(soql)]
    assert sorted(read) == sorted(row["Id"] for row in everything)
    paths = [call.path for call in served.log if "/query/" in call.path]
    assert any("-50" in path for path in paths)


def test_deleted_records_are_there_for_queryall_alone(sf: Salesforce, company: World) -> None:
    gone = {row["Id"] for row in company.salesforce.objects["Account"].rows if row["IsDeleted"]}
    assert gone
    assert gone.isdisjoint(ids(sf.query_all("SELECT Id FROM Account")))
    assert gone == ids(sf.query_all("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True))


def test_date_literals_mean_what_the_reference_says(sf: Salesforce, company: World) -> None:
    today = datetime.now(UTC).date()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    expected = {
        "= LAST_MONTH": lambda day: before <= day < month,
        "= THIS_YEAR": lambda day: day.year == today.year,
        "= LAST_N_DAYS:90": lambda day: today - timedelta(days=90) <= day <= today,
        "< TODAY": lambda day: day < today,
        ">= TODAY": lambda day: day >= today,
        "= LAST_N_YEARS:2": lambda day: day.year in (today.year - 1, today.year - 2),
    }
    for condition, holds in expected.items():
        wanted = {row["Id"] for row in rows(company, "Opportunity") if row["CloseDate"] and holds(row["CloseDate"])}
        soql = f"SELECT Id FROM Opportunity WHERE CloseDate {condition}"  # noqa: S608 - the lines above
        assert ids(sf.query_all(soql)) == wanted, condition
    assert isinstance(rows(company, "Opportunity")[0]["CloseDate"], date)


def test_children_and_parents_of_a_record_come_with_it(sf: Salesforce, company: World) -> None:
    soql = "SELECT Id, Owner.Name, (SELECT Id, Name FROM Contacts), (SELECT Id FROM Churn_Signals__r) FROM Account"
    found = {each["Id"]: each for each in sf.query_all(soql)["records"]}
    users = {row["Id"]: row["Name"] for row in rows(company, "User")}
    for account in rows(company, "Account"):
        each = found[account["Id"]]
        assert (each["Owner"] or {}).get("Name") == users.get(account["OwnerId"])
        for name, child, field in (
            ("Contacts", "Contact", "AccountId"),
            ("Churn_Signals__r", "Churn_Signal__c", "Account__c"),
        ):
            own = {row["Id"] for row in rows(company, child) if row[field] == account["Id"]}
            assert ids(each[name] or {"records": []}) == own
            assert (each[name] is None) == (not own)


def test_semi_joins_and_counts(sf: Salesforce, company: World) -> None:
    inner = "SELECT AccountId FROM Opportunity WHERE IsWon = true"
    won = {row["AccountId"] for row in rows(company, "Opportunity") if row["IsWon"]}
    every = {row["Id"] for row in rows(company, "Account")}
    accounts = "SELECT Id FROM Account WHERE Id"
    assert ids(sf.query_all(f"{accounts} IN ({inner})")) == every & won
    assert ids(sf.query_all(f"{accounts} NOT IN ({inner})")) == every - won
    grouped = sf.query("SELECT Type, COUNT(Id) accounts FROM Account GROUP BY Type")["records"]
    told: dict[Any, int] = {}
    for row in rows(company, "Account"):
        told[row["Type"]] = told.get(row["Type"], 0) + 1
    assert {each["Type"]: each["accounts"] for each in grouped} == told


def test_a_bulk_job_reads_the_same_rows(sf: Salesforce, company: World) -> None:
    soql = "SELECT Id, Name, CloseDate, IsWon, Amount, Account.Name FROM Opportunity"
    pieces = [
        list(csv.DictReader(io.StringIO(each))) for each in sf.bulk2.Opportunity.query(soql, max_records=40, wait=0.05)
    ]
    assert len(pieces) > 1
    assert {len(piece) for piece in pieces[:-1]} == {40}
    read = {each["Id"]: each for piece in pieces for each in piece}
    plain = {each["Id"]: each for each in sf.query_all(soql)["records"]}
    assert read.keys() == plain.keys() == {row["Id"] for row in rows(company, "Opportunity")}
    for identifier, each in plain.items():
        same = read[identifier]
        assert (same["Name"], same["CloseDate"], same["IsWon"]) == (
            each["Name"],
            each["CloseDate"],
            str(each["IsWon"]).lower(),
        )
        assert (float(same["Amount"]) if same["Amount"] else None) == each["Amount"]
        assert same["Account.Name"] == ((each["Account"] or {}).get("Name") or "")
    with pytest.raises(SalesforceMalformedRequest):
        list(sf.bulk2.Opportunity.query("SELECT COUNT(Id) FROM Opportunity", wait=0.05))


def test_what_changed_and_what_was_deleted(sf: Salesforce, company: World) -> None:
    end = datetime.now(UTC)
    start = end - timedelta(days=29)

    def within(row: dict[str, Any]) -> bool:
        return start <= row["SystemModstamp"] < end

    every = company.salesforce.objects["Account"].rows
    updated = sf.Account.updated(start, end)["ids"]
    assert set(updated) == {row["Id"] for row in every if not row["IsDeleted"] and within(row)}
    deleted = sf.Account.deleted(start, end)["deletedRecords"]
    assert {each["id"] for each in deleted} == {row["Id"] for row in every if row["IsDeleted"] and within(row)}

"""The ways that every query of an org takes: what its rows are held against, where they go, whose fault a refusal is.

October 2026 is measured: as_of is 2026-11-01T00:00Z.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from accountpulse.core.errors import AccessError, ConfigurationError, UnexpectedAnswer
from accountpulse.core.period import Scope
from accountpulse.core.records import RowCounts
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world.model import FieldDef
from accountpulse.systems.mapping_parts import CountName, DateName, MappingBlock, MoneyName, YesNoName
from accountpulse.systems.salesforce.choices import Only
from accountpulse.systems.salesforce.client import Org as Connected
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, RowCondition
from salesforce_org import ONE, THREE, TWO, Org, Reader
from support import Configure, extract

JSON = {"Content-Type": "application/json"}
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
CONTRACT = "800Hu00000AAAAAIA4"


@pytest.fixture
def sandbox(org: Org) -> Iterator[Sandbox]:
    with Sandbox(org.world) as running:
        running.recorded = []
        yield running


@pytest.fixture
def reading(sandbox: Sandbox, configure: Configure, scope: Scope) -> OrgReading:
    loaded = configure(sandbox)
    connected = Connected.connect(loaded.access["salesforce"], RequestBudget(), loaded.ca_bundle)
    connected.sleep = lambda _seconds: None
    return OrgReading(connected, scope, table="renewals")


def queries(sandbox: Sandbox) -> list[str]:
    return [each.query["q"] for each in sandbox.recorded or () if "q" in each.query]


def page(*records: dict[str, Any], total: Any = None, done: Any = True, **more: Any) -> bytes:
    return json.dumps(
        {"totalSize": len(records) if total is None else total, "done": done, "records": records, **more}
    ).encode()


def answer(sandbox: Sandbox, body: bytes, times: int = 1, of: str = "Contract", status: int = 200) -> None:
    """What the next queries of an object are answered."""
    sandbox.faults.append(Fault("salesforce", status, JSON, body, times, quote_plus(f"FROM {of}")))


def contract(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contract"}, "Id": CONTRACT, "AccountId": ONE, "EndDate": "2026-12-01", **values}


def contracts(reading: OrgReading, *conditions: str | RowCondition | None) -> list[dict[str, Any]]:
    return [dict(row) for row in reading.rows("Contract", ("AccountId", "EndDate"), *conditions)]


# --- totals are held against rows -----------------------------------------------------------------------------------


def test_fewer_rows_than_counted_are_asked_for_once_more(org: Org, sandbox: Sandbox, reading: OrgReading) -> None:
    for account in (ONE, TWO):
        org.add("Contract", AccountId=account)
    answer(sandbox, page(contract(), total=2))
    assert len(contracts(reading)) == 2
    assert len(queries(sandbox)) == 2


NO_END = {"done": False, "nextRecordsUrl": "/services/data/v66.0/query/01g-2000"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (page(contract(), total=2), "2 records counted, and 1 came, twice"),
        (page(contract(), total=0), "0 records counted, and 1 came, twice"),
        (page(total=1), "1 records counted, and 0 came, twice"),
        (page(contract(), total=1, **NO_END), "1 records counted, and pages without an end, twice"),
        (page(total=5, **NO_END), "5 records counted, and pages without an end, twice"),
    ],
)
def test_rows_that_twice_are_not_those_that_were_counted_are_refused(
    sandbox: Sandbox, reading: OrgReading, body: bytes, words: str
) -> None:
    answer(sandbox, body, times=2)
    with pytest.raises(UnexpectedAnswer, match=words):
        contracts(reading)
    assert len([each for each in sandbox.recorded or () if "/query" in each.path]) == 2


def test_a_second_page_that_counts_otherwise_is_not_believed(org: Org, sandbox: Sandbox, reading: OrgReading) -> None:
    for _ in range(5):
        org.add("Contract", AccountId=ONE)
    sandbox.behaviour.page_size = 2
    later = Fault("salesforce", 200, JSON, page(contract(), total=3), 2, "query/01g")
    sandbox.faults.append(later)
    with pytest.raises(UnexpectedAnswer, match="5 records counted on one page, and 3 on another, twice"):
        contracts(reading)


def test_a_list_whose_place_was_lost_is_begun_again(org: Org, sandbox: Sandbox, reading: OrgReading) -> None:
    for _ in range(5):
        org.add("Contract", AccountId=ONE)
    sandbox.behaviour.page_size = 2
    body = json.dumps([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]).encode()
    sandbox.faults.append(Fault("salesforce", 400, JSON, body, 1, "query/01g"))
    assert len(contracts(reading)) == 5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (page(contract(), total="many"), "totalSize is no whole number"),
        (page(contract(), total=-1), "totalSize is no whole number"),
        (page(contract(), total=True), "totalSize is no whole number"),
        (page(contract(), done="true"), "done is neither true nor false"),
        (json.dumps({"totalSize": 0, "done": True, "records": {}}).encode(), "records is no list of records"),
        (json.dumps({"totalSize": 1, "done": True, "records": [None]}).encode(), "records is no list of records"),
        (page(contract(), total=2, done=False), "a page that doesn't lead to the next one"),
    ],
)
def test_a_page_of_another_shape_names_what_is_wrong_and_is_asked_for_once(
    sandbox: Sandbox, reading: OrgReading, body: bytes, words: str
) -> None:
    answer(sandbox, body, times=5)
    with pytest.raises(UnexpectedAnswer, match=words):
        contracts(reading)
    assert len(queries(sandbox)) == 1


@pytest.mark.parametrize("total", [1.0, "1", "1.0"])
def test_a_count_may_be_written_as_a_decimal_or_as_text(sandbox: Sandbox, reading: OrgReading, total: Any) -> None:
    answer(sandbox, page(contract(), total=total))
    assert len(contracts(reading)) == 1


# --- a value is of its field's type ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"EndDate": 20261201}, f"Contract.EndDate of {CONTRACT} is a number, which no date is"),
        ({"EndDate": ["2026-12-01"]}, f"Contract.EndDate of {CONTRACT} is a list, which no date is"),
        ({"AccountId": {"Id": ONE}}, f"Contract.AccountId of {CONTRACT} is a record, which no reference is"),
        ({"AccountId": True}, f"Contract.AccountId of {CONTRACT} is true or false, which no reference is"),
        ({"Id": None}, "Contract.Id is no record id"),
        ({"Id": "x"}, "Contract.Id is no record id"),
    ],
)
def test_a_value_of_another_type_names_the_field_and_the_record_and_is_asked_for_once(
    sandbox: Sandbox, reading: OrgReading, values: dict[str, Any], words: str
) -> None:
    answer(sandbox, page(contract(**values)), times=5)
    with pytest.raises(UnexpectedAnswer, match=words):
        contracts(reading)
    assert len(queries(sandbox)) == 1


def test_a_field_that_does_not_come_is_no_empty_one(sandbox: Sandbox, reading: OrgReading) -> None:
    cut = contract()
    del cut["EndDate"]
    answer(sandbox, page(cut))
    with pytest.raises(UnexpectedAnswer, match=rf"Contract\.EndDate of {CONTRACT} is not in the record"):
        contracts(reading)


def test_a_checkbox_that_is_null_is_not_false(sandbox: Sandbox, reading: OrgReading) -> None:
    answer(sandbox, page({"Id": "006Hu00000AAAAAIA4", "IsClosed": None}), of="Opportunity")
    with pytest.raises(UnexpectedAnswer, match=r"Opportunity\.IsClosed of \w+ is null, which a boolean"):
        list(reading.rows("Opportunity", ("IsClosed",)))


def test_a_field_of_ones_own_that_was_made_required_later_may_still_be_empty(
    org: Org, sandbox: Sandbox, reading: OrgReading
) -> None:
    org.field("Contract", "Terms__c", "string", required=True)
    answer(sandbox, page({"Id": CONTRACT, "Terms__c": None}))
    assert [row["Terms__c"] for row in reading.rows("Contract", ("Terms__c",))] == [None]


def test_a_record_that_comes_twice_stands_for_one_that_did_not_come(sandbox: Sandbox, reading: OrgReading) -> None:
    """Also by its short id: a query finds a record once, so a list of as many as were counted lacks another one."""
    answer(sandbox, page(contract(), contract(Id=CONTRACT[:15])), times=5)
    with pytest.raises(UnexpectedAnswer, match="2 records counted, and 1 of them came again in place of others, twice"):
        contracts(reading)
    assert len(queries(sandbox)) == 2


def test_a_page_that_repeats_is_asked_for_again(org: Org, sandbox: Sandbox, reading: OrgReading) -> None:
    for _ in range(4):
        org.add("Contract", AccountId=ONE)
    sandbox.behaviour.page_size = 2
    whole = contracts(reading)
    first = [contract(Id=row["Id"]) for row in whole[:2]]
    sandbox.faults.append(Fault("salesforce", 200, JSON, page(*first, total=4), 1, "query/01g"))
    assert [row["Id"] for row in contracts(reading)] == [row["Id"] for row in whole]


@pytest.mark.parametrize(
    "body",
    [
        page(contract(), done=False, total=2, nextRecordsUrl="/@").replace(b"@", b"\xff"),
        page(contract(), total="9" * 5000),
        page(contract(EndDate="@")).replace(b'"@"', b"[" * 6000 + b"]" * 6000),
        page(contract(EndDate="@")).replace(b'"@"', b'"\xff"'),
    ],
    ids=["address", "count", "depth", "text"],
)
def test_what_no_json_says_is_an_unexpected_answer(sandbox: Sandbox, reading: OrgReading, body: bytes) -> None:
    sandbox.faults.append(
        Fault("salesforce", 200, {"Content-Type": "text/plain"}, body, 5, quote_plus("FROM Contract"))
    )
    with pytest.raises(UnexpectedAnswer):
        contracts(reading)


# --- archived records -----------------------------------------------------------------------------------------------


def test_archived_records_are_asked_for_without_those_that_were_deleted(
    org: Org, sandbox: Sandbox, reading: OrgReading
) -> None:
    org.add("Event", AccountId=ONE, Subject="QBR", IsDeleted=True)
    kept = org.add("Event", AccountId=ONE, Subject="QBR")
    assert [row["Id"] for row in reading.rows("Event", ("AccountId",), archived=True)] == [kept]
    asked = next(each for each in sandbox.recorded or () if "/query" in each.path)
    assert asked.path.rstrip("/").endswith("/queryAll")
    assert asked.query["q"].endswith("WHERE (IsDeleted = false)")


# --- null is decided ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filterable", [True, False])
@pytest.mark.parametrize(
    ("operator", "null", "expected"),
    [
        ("<", False, ["2026-10-31"]),
        ("<", True, ["2026-10-31", None]),
        (">=", False, ["2026-11-01"]),
        (">=", True, ["2026-11-01", None]),
    ],
)
def test_a_comparison_says_what_null_is_also_where_the_org_cannot_filter(  # noqa: PLR0917
    org: Org,
    reading: OrgReading,
    filterable: bool,  # noqa: FBT001
    operator: Any,
    null: bool,  # noqa: FBT001
    expected: list[str | None],
) -> None:
    for end in (date(2026, 10, 31), date(2026, 11, 1), None):
        org.add("Contract", AccountId=ONE, EndDate=end)
    org.objects["Contract"].fields["EndDate"].filterable = filterable
    found = contracts(reading, reading.compare("Contract", "EndDate", operator, AS_OF, null=null))
    assert [row["EndDate"] for row in found] == expected
    counts = reading.tally.counts()
    assert counts.kept == len(expected)
    assert (counts.came, counts.outside) == ((len(expected), 0) if filterable else (3, 3 - len(expected)))


def test_a_time_is_compared_to_the_instant(org: Org, reading: OrgReading) -> None:
    for moment in ("2026-10-31T23:59:59+00:00", "2026-11-01T00:00:00+00:00"):
        org.add("Contract", AccountId=ONE, CreatedDate=datetime.fromisoformat(moment))
    before = reading.compare("Contract", "CreatedDate", "<", AS_OF, null=False)
    assert [row["CreatedDate"][:10] for row in reading.rows("Contract", ("CreatedDate",), before)] == ["2026-10-31"]


def test_values_of_a_field_that_cannot_be_filtered_are_read_and_decided_here(
    org: Org, sandbox: Sandbox, reading: OrgReading
) -> None:
    org.field("Contract", "Terms__c", "textarea", filterable=False)
    for terms in ("Renewal", "renewal", "New", None):
        org.add("Contract", AccountId=ONE, Terms__c=terms)
    chosen = reading.only("Contract", Only(field="Terms__c", values=("RENEWAL",)))
    assert len(contracts(reading, chosen)) == 2
    assert "WHERE" not in queries(sandbox)[-1]
    assert reading.tally.counts() == RowCounts(4, left_out={"Terms__c has another value": 2})
    assert any("Contract.Terms__c is a textarea that the org can't filter by" in note for note in reading.notes)


# --- parents that can't be seen -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "hidden"),
    [
        ({"AccountId": ONE, "Account": None}, True),
        ({"AccountId": None, "Account": None}, False),
        ({"AccountId": ONE, "Account": {"Tier__c": None}}, False),
    ],
)
def test_a_null_parent_of_a_present_key_is_hidden(
    sandbox: Sandbox,
    reading: OrgReading,
    values: dict[str, Any],
    hidden: bool,  # noqa: FBT001
) -> None:
    answer(sandbox, page({"Id": CONTRACT, **values}))
    [row] = reading.rows("Contract", ("Account.Tier__c",))
    assert reading.hidden("Contract", row, "Account.Tier__c") is hidden


def test_what_rests_on_a_hidden_parent_is_unknown_for_that_account_alone(
    org: Org, sandbox: Sandbox, configure: Configure, scope: Scope, tmp_path: Path
) -> None:
    """ONE has a parent that sharing hides, TWO one that can be seen."""
    parent = org.add("Account", Type="Prospect", Tier__c="Gold")
    org.objects["Account"].fields["ParentId"] = FieldDef(
        "ParentId", "reference", "Parent", 18, reference_to="Account", relationship="Parent"
    )
    for account in (ONE, TWO):
        org.account(account)["ParentId"] = parent
    path = tmp_path / "accountpulse.yaml"
    path.write_text("salesforce: {arr_history: none, accounts: {tier: Parent.Tier__c}}", encoding="utf-8")
    loaded = configure(sandbox, ACCOUNTPULSE_CONFIG=str(path))
    extract(loaded, "salesforce", scope)
    asked = next(each for each in sandbox.recorded or () if " FROM Account WHERE" in each.query.get("q", ""))
    seen = json.loads(asked.answer)
    for record in seen["records"]:
        if record["Id"] == ONE:
            record["Parent"] = None
    answer(sandbox, json.dumps(seen).encode(), of="Account WHERE")
    found = extract(loaded, "salesforce", scope)
    assert set(found.unknowns.iter_rows()) == {
        (ONE, each, "not_visible") for each in ("tier_alignment", "qbr_attendance")
    }
    tiers = dict(found.tables["accounts"].select("account_id", "customer_tier").iter_rows())
    assert tiers == {ONE: None, TWO: "Gold", THREE: None}
    words = f"accounts: our user can't see the record that Parent.Tier__c is read from: 1 account, such as {ONE}"
    assert words in found.notes


# --- whose fault a refused query is ---------------------------------------------------------------------------------


def refusal(code: str) -> bytes:
    return json.dumps([{"errorCode": code, "message": "about somebody's own text"}]).encode()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Type = =", ConfigurationError, r"salesforce\.accounts\.where: the org doesn't take this text"),
        ("Nonesuch__c = 1", AccessError, r"a name in the `where` text for Account is absent"),
        ("ParentId = 'x'", ConfigurationError, r"salesforce\.accounts\.where: the org doesn't take this text"),
    ],
)
def test_a_wrong_text_of_the_accounts_ends_with_3_and_its_key(
    org: Org, read: Reader, text: str, kind: type[Exception], words: str
) -> None:
    org.field("Account", "ParentId", "reference")
    with pytest.raises(kind, match=words) as caught:
        read(org, f'salesforce: {{accounts: {{where: "{text}"}}}}')
    assert getattr(caught.value, "exit_code", None) == 3


def test_a_where_text_is_blamed_only_where_the_query_passes_without_it(sandbox: Sandbox, reading: OrgReading) -> None:
    reading.own_texts = {"Status = 'x'": "salesforce.renewal 2.where"}
    answer(sandbox, refusal("MALFORMED_QUERY"), times=2, status=400)
    with pytest.raises(AccessError, match=r"querying Contract was refused \(MALFORMED_QUERY\)"):
        contracts(reading, "Status = 'x'")
    assert [query.partition(" WHERE ")[2] for query in queries(sandbox)] == ["(Status = 'x')", ""]


def test_values_that_the_org_refuses_cost_their_part_alone(org: Org, reading: OrgReading) -> None:
    org.field("Contract", "RecordTypeId", "reference")
    chosen = reading.only("Contract", Only(field="RecordTypeId", values=("Renewal",)))
    with pytest.raises(MissingInOrg):
        contracts(reading, chosen)
    assert reading.notes == ["accounts: only: the org doesn't take its values for Contract.RecordTypeId"]


def test_a_query_with_good_values_is_asked_once(org: Org, sandbox: Sandbox, reading: OrgReading) -> None:
    org.add("Contract", AccountId=ONE, Status="Activated")
    assert len(contracts(reading, reading.only("Contract", Only(field="Status", values=("activated",))))) == 1
    assert len(queries(sandbox)) == 1


# --- what is unknown of single accounts -----------------------------------------------------------------------------


def test_what_is_unknown_is_told_once_with_how_many_and_an_example(reading: OrgReading) -> None:
    reading.setting = "champions"
    for account in (ONE[:15], ONE, TWO):
        reading.unknown(account, ("champion_stability",), "not_visible", "contacts that our user can't see")
    reading.unknown(None, ("champion_stability",), "not_visible", "contacts that our user can't see")
    for record in ("00K1", "00K2", "00K1"):
        reading.nobodys({"Id": record}, "an opportunity that our user can't see")
    reading.tell_unknowns()
    rows = [row for table in reading.unknown_rows() for row in table.iter_rows()]
    assert rows == [(account, "champion_stability", "not_visible") for account in (ONE, TWO)]
    assert reading.notes == [
        f"champions: contacts that our user can't see: 2 accounts, such as {ONE}",
        "champions: an opportunity that our user can't see: 2 records, such as 00K1",
    ]


# --- the kinds of fields --------------------------------------------------------------------------------------------


class Terms(MappingBlock):
    """A part of a mapping that names a field of each kind."""

    object: str = "Contract"
    due: DateName = "EndDate"
    amount: MoneyName | None = None
    problems: CountName | None = None
    left: YesNoName | None = None
    only: Only | None = None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"due": "Due_Text__c"}, "due: Contract.Due_Text__c is a text field, and this key takes a date field"),
        (
            {"amount": "Share__c"},
            "amount: Contract.Share__c is a percent field, and this key takes a currency or number",
        ),
        (
            {"problems": "Worth__c"},
            "problems: Contract.Worth__c is a currency field, and this key takes a number field",
        ),
        ({"left": "Left__c"}, "left: Contract.Left__c is a picklist field, and this key takes a checkbox field"),
        (
            {"due": "Account.Tier__c"},
            "due: Contract.Account.Tier__c is a picklist field, and this key takes a date field",
        ),
    ],
)
def test_a_key_that_names_a_field_of_another_kind_is_told_and_its_field_is_as_if_absent(
    org: Org, reading: OrgReading, names: dict[str, str], words: str
) -> None:
    for name, kind in (("Due_Text__c", "string"), ("Share__c", "percent"), ("Worth__c", "currency")):
        org.field("Contract", name, kind)
    org.field("Contract", "Left__c", "picklist", values=["Yes", "No"])
    org.field("Contract", "Due_Day__c", "date")
    reading.check_kinds(Terms(**names), "terms")
    assert [note.startswith(f"terms: {words}") for note in reading.notes] == [True], reading.notes
    for setting, there in (("terms", False), ("renewal 1 (from: contract)", True)):
        reading.setting = setting
        assert (reading.find("Contract", next(iter(names.values()))) is not None) is there
    reading.setting = "terms"
    with pytest.raises(MissingInOrg):
        reading.need("Contract", *names.values())
    assert len(reading.notes) == 1


def test_a_key_of_the_wrong_kind_offers_the_nearest_names_of_the_right_one(org: Org, reading: OrgReading) -> None:
    org.field("Contract", "Due_Text__c", "string")
    org.field("Contract", "Due_Day__c", "date")
    reading.check_kinds(Terms(due="Due_Text__c"), "terms")
    assert reading.notes[0].endswith("takes a date field, such as Due_Day__c")


@pytest.mark.parametrize("kind", ["currency", "double", "int", "string"])
def test_an_amount_may_be_any_number_or_a_text_with_one(org: Org, reading: OrgReading, kind: str) -> None:
    org.field("Contract", "Worth__c", kind)
    reading.check_kinds(Terms(amount="Worth__c"), "terms")
    assert reading.notes == []


def test_a_label_in_place_of_a_value_is_told_with_the_value(sandbox: Sandbox, reading: OrgReading) -> None:
    """A translated org shows "Aktiviert"; records and queries have "Activated"."""
    described = reading.org.client.restful("sobjects/Contract/describe")
    status = next(each for each in described["fields"] if each["name"] == "Status")
    status["picklistValues"] = [{"active": True, "label": "Aktiviert", "value": "Activated"}]
    body = json.dumps(described).encode()
    sandbox.faults.append(Fault("salesforce", 200, JSON, body, path_contains="Contract/describe"))
    assert reading.known("Contract", "Status", ("Aktiviert",), "only") == ()
    words = "accounts: only: 'Aktiviert' is no value of Contract.Status, which has Activated"
    assert reading.notes == [f"{words}; 'Aktiviert' is how 'Activated' is shown"]


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_key_in_a_number_field_has_no_decimals(org: Org, read: Reader) -> None:
    org.field("Account", "Customer_No__c", "double")
    org.account(ONE)["Customer_No__c"] = 4711.0
    found = read(org, "looker: {account_field: Customer_No__c}")
    links = found.extract.tables["links"]
    assert [row["key"] for row in links.iter_rows(named=True) if row["source"] == "looker"] == ["4711"]


def test_a_field_that_cannot_hold_a_key_links_nobody_and_is_told(org: Org, read: Reader) -> None:
    org.field("Account", "Active__c", "boolean")
    found = read(org, "looker: {account_field: Active__c}")
    assert "looker.account_field: Account.Active__c is a boolean, which can't hold a key" in found.notes
    assert "looker" not in set(found.extract.tables["links"]["source"])


# --- every row is accounted for -------------------------------------------------------------------------------------


def test_the_rows_of_every_table_are_those_that_came_without_those_left_out(org: Org, read: Reader) -> None:
    org.add("Opportunity", AccountId=ONE, Type="Renewal", CloseDate=date(2026, 12, 1))
    org.add("Case", AccountId=TWO, Type="Billing", CreatedDate=AS_OF.replace(month=10))
    org.add("AccountHistory", AccountId=ONE, Field="ARR__c", OldValue="90", NewValue="100", CreatedDate=AS_OF)
    found = read(org).extract
    own = {"links", "parents"}  # of the accounts, which are counted themselves
    assert {name: found.counts[name].kept for name in found.tables if name not in own} == {
        name: table.height for name, table in found.tables.items() if name not in own
    }
    assert found.counts["arr_changes"].outside == 1  # it came after the month
    assert found.counts["accounts"].came == 3


def test_two_changes_of_arr_in_one_second_are_put_in_their_order(org: Org, read: Reader) -> None:
    for before, after in ((200.0, 100.0), (150.0, 200.0)):
        values = {"OldValue": str(before), "NewValue": str(after)}
        org.add("AccountHistory", AccountId=ONE, Field="ARR__c", CreatedDate=AS_OF.replace(day=3), **values)
    accounts = read(org).extract.tables["accounts"]
    assert dict(accounts.select("account_id", "arr").iter_rows()) == {ONE: 150.0, TWO: 30_000.0, THREE: None}


def test_changes_of_arr_in_one_second_without_an_order_leave_it_unknown(org: Org, read: Reader) -> None:
    for before, after in ((200.0, 100.0), (150.0, 90.0)):
        values = {"OldValue": str(before), "NewValue": str(after)}
        org.add("AccountHistory", AccountId=ONE, Field="ARR__c", CreatedDate=AS_OF.replace(day=3), **values)
    found = read(org)
    assert found.values("tier_alignment")[0] == "unclear"
    assert found.extract.tables["accounts"]["arr"][0] is None
    assert "several changes of ARR in one second" in found.notes

"""The sandbox's query language: expected rows by hand, SQLite as a second opinion, and what must be refused."""

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import format_soql

from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.evaluator import run
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.world.org import empty_objects, long_id, record_id

ROOT = "/services/data/v66.0"
ACCOUNTS = [record_id("001", n) for n in range(1, 5)]
SUBJECTS = ["QBR Q3", "Lunch", "100% plan", "1000 plan", None, "Business\\Review"]


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def add(objects, name, number, **values):
    sobject = objects[name]
    row = dict.fromkeys(sobject.fields)
    row |= {"Id": record_id(sobject.key_prefix, number), "IsDeleted": False, "CreatedDate": at(2026, 1, 1)}
    sobject.rows.append(row | values)


@pytest.fixture(scope="module")
def objects():
    found = empty_objects()
    add(found, "User", 1, Name="Olga Owner")
    owner = found["User"].rows[0]["Id"]
    add(found, "Account", 1, Name="Alpha", Type="Customer - Direct", ARR__c=120_000, Tier__c="Gold", OwnerId=owner)
    add(found, "Account", 2, Name="beta", Type="Customer - Channel", ARR__c=30_000.5, Tier__c="Silver")
    add(found, "Account", 3, Name="Gamma", Type="Prospect", ARR__c=None, Tier__c=None, OwnerId=owner)
    add(found, "Account", 4, Name="Delta", Type=None, ARR__c=0, Tier__c="gold", IsDeleted=True)
    stages = [
        (1, 0, "Renewal", False, False, date(2026, 10, 1), 20, at(2026, 8, 25)),
        (2, 0, "Renewal", True, True, date(2026, 9, 30), 100, at(2026, 8, 24, 23, 59, 59)),
        (3, 1, "Expansion", False, False, date(2026, 12, 24), 60, at(2026, 9, 1, 12)),
        (4, 2, "New Customer", True, False, date(2026, 7, 1), 0, at(2026, 1, 2)),
        (5, None, None, False, False, None, None, at(2026, 10, 31, 23)),
    ]
    for number, account, kind, closed, won, close, probability, created in stages:
        add(
            found,
            "Opportunity",
            number,
            AccountId=None if account is None else ACCOUNTS[account],
            Type=kind,
            IsClosed=closed,
            IsWon=won,
            CloseDate=close,
            Probability=probability,
            CreatedDate=created,
        )
    for number, subject in enumerate(SUBJECTS, start=1):
        add(found, "Event", number, AccountId=ACCOUNTS[0], Subject=subject, ActivityDate=date(2026, 9, number))
    return found


def names(objects, where, name="Account", field="Name", hidden=frozenset(), **options):
    found = run(f"SELECT {field} FROM {name} {where}", Schema(objects, hidden), **options)  # noqa: S608
    return [row[field] for row in found.rows]


def refusal(objects, text, hidden=frozenset()):
    with pytest.raises(SoqlError) as caught:
        run(text, Schema(objects, hidden))
    return caught.value


# --- by hand ---


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ["Alpha", "beta", "Gamma"]),
        ("WHERE Name = 'ALPHA'", ["Alpha"]),
        ("WHERE Name != 'alpha'", ["beta", "Gamma"]),
        ("WHERE Tier__c = null", ["Gamma"]),
        ("WHERE Tier__c != null", ["Alpha", "beta"]),
        ("WHERE Tier__c = ''", ["Gamma"]),
        ("WHERE Tier__c <> 'Gold'", ["beta", "Gamma"]),
        ("WHERE Tier__c NOT IN ('Gold', 'Bronze')", ["beta", "Gamma"]),
        ("WHERE Tier__c IN ('silver', null)", ["beta", "Gamma"]),
        ("WHERE ARR__c > 30000", ["Alpha", "beta"]),
        ("WHERE ARR__c <= 30000.5", ["beta"]),
        ("WHERE ARR__c = 1.2e5", ["Alpha"]),
        ("WHERE NOT ARR__c > 30000", ["Gamma"]),
        ("WHERE Type LIKE 'customer%'", ["Alpha", "beta"]),
        ("WHERE Name LIKE '_eta'", ["beta"]),
        ("WHERE Name LIKE 'et'", []),
        ("WHERE (Type LIKE 'Cust%' AND ARR__c >= 100000) OR Name = 'Gamma'", ["Alpha", "Gamma"]),
        ("WHERE Type LIKE 'Cust%' AND (NOT Name LIKE 'a%')", ["beta"]),
        ("WHERE Owner.Name = 'olga owner'", ["Alpha", "Gamma"]),
        ("WHERE Owner.Name = null", ["beta"]),
        ("WHERE Account.Name = 'Gamma'", ["Gamma"]),
        ("where name in ('Alpha') or name in ('beta')", ["Alpha", "beta"]),
        ("WHERE Id IN (SELECT AccountId FROM Opportunity WHERE Type = 'Renewal')", ["Alpha"]),
        ("WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsClosed = true)", ["beta"]),
        ("ORDER BY Name DESC", ["Gamma", "beta", "Alpha"]),
        ("ORDER BY ARR__c", ["Gamma", "beta", "Alpha"]),
        ("ORDER BY ARR__c DESC NULLS LAST", ["Alpha", "beta", "Gamma"]),
        ("ORDER BY ARR__c DESC", ["Gamma", "Alpha", "beta"]),
        ("ORDER BY Owner.Name NULLS LAST, Name DESC", ["Gamma", "Alpha", "beta"]),
        ("ORDER BY Name LIMIT 1 OFFSET 1", ["beta"]),
        ("LIMIT 0", []),
    ],
)
def test_a_query_finds_the_rows_that_a_reader_would(objects, where, expected):
    assert names(objects, where) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE CreatedDate >= 2026-08-25T00:00:00Z AND CreatedDate < 2026-10-01T00:00:00Z", [1, 3]),
        ("WHERE CreatedDate = 2026-08-25T02:00:00+02:00", [1]),
        ("WHERE CreatedDate < 2026-08-24T19:00:00.000-05:00 AND CreatedDate > 2026-02-01T00:00:00Z", [2]),
        ("WHERE CloseDate >= 2026-10-01", [1, 3]),
        ("WHERE CloseDate = null", [5]),
        ("WHERE IsClosed = false AND Probability >= 20", [1, 3]),
        ("WHERE IsWon = null AND IsClosed != false", [4]),
        ("WHERE Account.Owner.Name LIKE 'O%'", [1, 2, 4]),
        ("WHERE Account.Type = null", [5]),
        (f"WHERE AccountId = '{ACCOUNTS[0]}'", [1, 2]),
        (f"WHERE AccountId IN ('{ACCOUNTS[0][:15]}', '{ACCOUNTS[1]}')", [1, 2, 3]),
    ],
)
def test_dates_instants_booleans_and_ids_compare_as_in_the_crm(objects, where, expected):
    wanted = [record_id("006", number) for number in expected]
    assert names(objects, where, "Opportunity", "Id") == wanted


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (r"LIKE '%QBR%'", ["QBR Q3"]),
        (r"LIKE '100\% %'", ["100% plan"]),
        (r"LIKE '100_ %'", ["100% plan", "1000 plan"]),
        (r"LIKE 'Business\\Review'", ["Business\\Review"]),
        (r"LIKE '%'", ["QBR Q3", "Lunch", "100% plan", "1000 plan", "Business\\Review"]),
        (r"= '\u004Cunch'", ["Lunch"]),
    ],
)
def test_like_patterns_and_escapes(objects, where, expected):
    assert names(objects, f"WHERE Subject {where}", "Event", "Subject") == expected


def test_deleted_rows_are_only_seen_when_asked_for(objects):
    assert names(objects, "WHERE Tier__c = 'GOLD'") == ["Alpha"]
    assert names(objects, "WHERE Tier__c = 'GOLD'", with_deleted=True) == ["Alpha", "Delta"]


def test_archived_rows_are_only_seen_by_query_all_and_unshared_ones_never(objects):
    """REST API guide, "QueryAll": archived task and event records are returned by it alone."""
    events = replace(objects["Event"], archived={record_id("00U", 1)}, unshared={record_id("00U", 2)})
    found = {**objects, "Event": events}
    assert names(found, "WHERE Subject LIKE '_____%'", "Event", "Subject") == [*SUBJECTS[2:4], SUBJECTS[5]]
    assert names(found, "WHERE Subject LIKE 'QBR%'", "Event", "Subject", with_deleted=True) == ["QBR Q3"]
    assert names(found, "WHERE Subject = 'Lunch'", "Event", "Subject", with_deleted=True) == []


def test_a_parent_that_is_not_shared_is_null_though_its_id_is_there(objects):
    found = {**objects, "Account": replace(objects["Account"], unshared={ACCOUNTS[0]})}
    text = "SELECT AccountId, Account.Name FROM Opportunity WHERE Account.Name = null AND AccountId != null"
    answer = run(text, Schema(found))
    assert [answer.record(row, ROOT)["Account"] for row in answer.rows] == [None, None]
    assert {row["AccountId"] for row in answer.rows} == {ACCOUNTS[0]}
    assert names(found, "WHERE Id IN (SELECT AccountId FROM Opportunity)") == ["beta", "Gamma"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE Tier__c != 'Gold'", ["beta"]),
        ("WHERE Tier__c NOT IN ('Gold', 'Bronze')", ["beta"]),
        ("WHERE (NOT Tier__c = 'Gold')", ["beta"]),
        ("WHERE (NOT Tier__c LIKE 'G%')", ["beta"]),
        ("WHERE (NOT ARR__c > 30000)", []),
        ("WHERE NOT (Tier__c = 'Gold' AND ARR__c > 30000)", ["beta"]),
        ("WHERE NOT (Tier__c = 'Silver' OR Name = 'Gamma')", ["Alpha"]),
        ("WHERE Tier__c = null", ["Gamma"]),
        ("WHERE Tier__c != null", ["Alpha", "beta"]),
        ("WHERE Tier__c IN ('silver', null)", ["beta", "Gamma"]),
        ("WHERE Tier__c = 'gold' OR Tier__c = null", ["Alpha", "Gamma"]),
        ("WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsClosed = true)", ["beta"]),
    ],
)
def test_where_nulls_do_not_compare_nothing_follows_from_one(objects, where, expected):
    found = run(f"SELECT Name FROM Account {where}", Schema(objects, nulls_compare=False))  # noqa: S608
    assert [row["Name"] for row in found.rows] == expected


def test_a_record_nests_its_parents_and_names_its_address(objects):
    text = "select Id, AccountId, Account.Owner.Name, CLOSEDATE, createddate, Probability FROM Opportunity"
    found = run(f"{text} WHERE Account.Name != 'beta' AND Type != 'New Customer'", Schema(objects))
    first, _, orphan = [found.record(row, ROOT) for row in found.rows]
    assert first == {
        "attributes": {"type": "Opportunity", "url": f"{ROOT}/sobjects/Opportunity/{record_id('006', 1)}"},
        "Id": record_id("006", 1),
        "AccountId": ACCOUNTS[0],
        "Account": {
            "attributes": {"type": "Account", "url": f"{ROOT}/sobjects/Account/{ACCOUNTS[0]}"},
            "Owner": {
                "attributes": {"type": "User", "url": f"{ROOT}/sobjects/User/{record_id('005', 1)}"},
                "Name": "Olga Owner",
            },
        },
        "CloseDate": "2026-10-01",
        "CreatedDate": "2026-08-25T00:00:00.000+0000",
        "Probability": 20.0,
    }
    assert orphan["Account"] is None
    assert orphan["CloseDate"] is None


def test_count_only_counts(objects):
    found = run("SELECT COUNT() FROM Account WHERE Type LIKE 'Customer%'", Schema(objects))
    assert found.count_only
    assert len(found.rows) == 2


# --- second opinion ---

SECOND_OPINION = [
    ("IsClosed = false", "o.IsClosed = 0"),
    ("Type = 'renewal'", "lower(o.Type) = 'renewal'"),
    ("Type != 'renewal'", "lower(o.Type) IS NOT 'renewal'"),
    ("Type IN ('Renewal', 'Expansion') AND IsClosed = false", "o.Type IN ('Renewal', 'Expansion') AND NOT o.IsClosed"),
    ("Type NOT IN ('Renewal')", "o.Type IS NULL OR o.Type <> 'Renewal'"),
    ("CloseDate >= 2026-09-30 AND CloseDate < 2026-12-24", "o.CloseDate BETWEEN '2026-09-30' AND '2026-12-23'"),
    ("CreatedDate < 2026-08-25T00:00:00Z", "o.CreatedDate < '2026-08-25T00:00:00'"),
    ("CreatedDate >= 2026-09-01T14:00:00+02:00", "o.CreatedDate >= '2026-09-01T12:00:00'"),
    ("(Probability > 50 OR IsWon = true) AND CloseDate != null", "(Probability > 50 OR IsWon) AND CloseDate NOT NULL"),
    ("(NOT Type LIKE '%e%a%') AND Type != null", "o.Type NOT LIKE '%e%a%'"),
    ("Account.Type LIKE 'Customer%'", "a.Type LIKE 'Customer%'"),
    ("Account.ARR__c >= 30000.5", "a.ARR__c >= 30000.5"),
    (
        "AccountId IN (SELECT Id FROM Account WHERE Tier__c = 'Gold' OR Tier__c = null)",
        "o.AccountId IN (SELECT Id FROM Account WHERE Tier__c = 'Gold' OR Tier__c IS NULL)",
    ),
    ("NOT (IsClosed = true OR Probability < 30)", "NOT (o.IsClosed OR ifnull(o.Probability, 99) < 30)"),
]


@pytest.fixture(scope="module")
def database(objects):
    connection = sqlite3.connect(":memory:")
    for name in ("Account", "Opportunity"):
        columns = list(objects[name].fields)
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        for row in objects[name].rows:
            values = [v.isoformat()[:19] if isinstance(v, date) else v for v in map(row.get, columns)]
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", values)  # noqa: S608
    yield connection
    connection.close()


@pytest.mark.parametrize(("where", "sql"), SECOND_OPINION)
def test_sqlite_finds_the_same_rows(objects, database, where, sql):
    query = f"SELECT o.Id FROM Opportunity o LEFT JOIN Account a ON a.Id = o.AccountId WHERE {sql}"  # noqa: S608
    expected = sorted(row[0] for row in database.execute(query))
    assert sorted(names(objects, f"WHERE {where}", "Opportunity", "Id")) == expected


# --- laws ---

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(TEXT)
def test_a_text_that_a_client_quotes_is_found_again(text):
    objects = empty_objects()
    add(objects, "Account", 1, Name=text)
    add(objects, "Account", 2, Name=text + "x")
    found = run(format_soql("SELECT Id FROM Account WHERE Name = {}", text), Schema(objects))
    assert [row["Id"] for row in found.rows] == [ACCOUNTS[0]]


@given(TEXT, TEXT)
def test_a_quoted_like_pattern_finds_its_text_anywhere_and_nothing_else(text, other):
    objects = empty_objects()
    add(objects, "Account", 1, Name=f"{other}{text}{other}")
    add(objects, "Account", 2, Name="")
    found = run(format_soql("SELECT Id FROM Account WHERE Name LIKE '%{:like}%'", text), Schema(objects))
    assert [row["Id"] for row in found.rows] == [ACCOUNTS[0]]


@pytest.mark.parametrize(
    ("short", "long"), [("001A000000nVGnh", "001A000000nVGnhIAG"), ("0D5B000000SKZ7V", "0D5B000000SKZ7VKAX")]
)
def test_ids_get_the_check_characters_that_the_crm_gives_them(short, long):
    assert long_id(short) == long
    assert long_id(long) == long


# --- refused ---


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT FROM Account",
        "SELECT * FROM Account",
        "SELECT Id, FROM Account",
        "SELECT Id FROM Account WHERE",
        'SELECT Id FROM Account WHERE Name = "x"',
        "SELECT Id FROM Account WHERE Name = 'O'Brien'",
        "SELECT Id FROM Account WHERE Name = 'x",
        r"SELECT Id FROM Account WHERE Name = 'a\qb'",
        r"SELECT Id FROM Account WHERE Name = '100\%'",
        "SELECT Id FROM Account WHERE Name IN ()",
        "SELECT Id FROM Account WHERE Name IS NULL",
        "SELECT Id FROM Account WHERE Name IS NOT NULL",
        "SELECT Id FROM Account WHERE Name = None",
        "SELECT Id FROM Account WHERE Name NOT LIKE 'x'",
        "SELECT Id FROM Account WHERE Name LIKE null",
        "SELECT Id FROM Account WHERE ARR__c BETWEEN 1 AND 2",
        "SELECT Id FROM Account JOIN Contact",
        "SELECT Id AS x FROM Account",
        "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' AND Name = 'c'",
        "SELECT Id FROM Account WHERE Name != null AND NOT Name = 'a'",
        "SELECT Id FROM Account WHERE NOT Name = 'a' AND Name != null",
        "SELECT Id FROM Account WHERE (Name = 'a'",
        "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00",
        "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T10Z",
        "SELECT Id FROM Account WHERE Renewal_Date__c > 2026-02-30",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:0",
        "SELECT Id FROM Account WHERE CreatedDate = TODAY:3",
        "SELECT Id FROM Account WHERE CreatedDate = THIS_FORTNIGHT",
        "SELECT Id FROM Account WHERE CreatedDate = THIS_FISCAL_YEAR",
        "SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2026",
        "SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account",
        "SELECT Id, (SELECT Id, (SELECT Id FROM OpportunityContactRoles) FROM Contacts) FROM Account",
        "SELECT COUNT(), Id FROM Account",
        "SELECT COUNT(), COUNT(Id) FROM Account",
        "SELECT Type, COUNT(Id) FROM Account",
        "SELECT Type, Name FROM Account GROUP BY Type",
        "SELECT SUM(Name) FROM Account",
        "SELECT COUNT(Id) FROM Account LIMIT 5",
        "SELECT Type FROM Account GROUP BY Type HAVING COUNT(Id) > 1",
        "SELECT Type FROM Account GROUP BY Type ORDER BY Type",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Case GROUP BY AccountId)",
        "SELECT Id FROM Account LIMIT -1",
        "SELECT Id FROM Account LIMIT 99999999999999999999",
        "SELECT Id FROM Account OFFSET 1 LIMIT 1",
        "SELECT Id FROM Account WHERE Name IN (SELECT Name FROM User)",
        "SELECT Id FROM Account WHERE OwnerId IN (SELECT Name FROM User)",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Case) OR Name = 'x'",
        "SELECT Id FROM Account; SELECT Id FROM Contact",
    ],
)
def test_what_is_no_query_is_malformed(objects, text):
    assert refusal(objects, text).code == "MALFORMED_QUERY"


def test_groups_count_and_add_up(objects):
    found = run(
        "SELECT Type, COUNT(Id) n, MAX(Probability), MIN(CloseDate) first FROM Opportunity GROUP BY Type",
        Schema(objects),
    )
    by_type = {
        each["Type"]: {k: v for k, v in each.items() if k not in ("attributes", "Type")} for each in found.results
    }
    assert by_type == {
        "Renewal": {"n": 2, "expr1": 100.0, "first": "2026-09-30"},
        "Expansion": {"n": 1, "expr1": 60.0, "first": "2026-12-24"},
        "New Customer": {"n": 1, "expr1": 0.0, "first": "2026-07-01"},
        None: {"n": 1, "expr1": None, "first": None},
    }
    assert {each["attributes"]["type"] for each in found.results} == {"AggregateResult"}
    whole = run(
        "SELECT COUNT_DISTINCT(Type), AVG(Probability) FROM Opportunity WHERE Probability != null", Schema(objects)
    )
    assert [(each["expr0"], each["expr1"]) for each in whole.results] == [(3, 45.0)]


def test_a_group_is_named_by_its_own_field_also_through_a_parent(objects):
    found = run("SELECT Account.Name, COUNT(Id) n FROM Opportunity GROUP BY Account.Name", Schema(objects))
    assert {each["Name"]: each["n"] for each in found.results} == {"Alpha": 2, "beta": 1, "Gamma": 1, None: 1}


def test_more_than_2000_groups_are_refused_and_have_no_second_page():
    """SOQL reference, "Considerations When Using GROUP BY": queryMore() doesn't walk over groups."""
    objects = empty_objects()
    for number in range(2_001):
        add(objects, "Task", number + 1, Subject=f"{number}")
    text = "SELECT Subject, COUNT(Id) FROM Task GROUP BY Subject"
    assert refusal(objects, text).code == "EXCEEDED_ID_LIMIT"
    assert len(run(f"{text} LIMIT 2000", Schema(objects)).results) == 2_000


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT ARR__c FROM Account GROUP BY ARR__c", "INVALID_FIELD", "can not be grouped"),
        ("SELECT CreatedDate FROM Account GROUP BY CreatedDate", "INVALID_FIELD", "can not be grouped"),
        ("SELECT Foo__c FROM Account", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Account'"),
        ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'"),
        ("SELECT Owner.Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'User'"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Account__c.Name FROM Churn_Signal__c", "INVALID_FIELD", "Didn't understand relationship"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FROM Invoice__c", "INVALID_TYPE", "sObject type 'Invoice__c' is not supported"),
        ("SELECT Id FROM Opportunity WHERE CloseDate > '2026-10-01'", "INVALID_FIELD", "should not be enclosed"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate > 2026-10-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Opportunity WHERE CloseDate > 2026-10-01T00:00:00Z", "INVALID_FIELD", "of type date "),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE ARR__c = '5'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Opportunity WHERE IsWon = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Opportunity WHERE IsWon > false", "INVALID_QUERY_FILTER_OPERATOR", "IsWon"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE ARR__c LIKE '5%'", "INVALID_QUERY_FILTER_OPERATOR", "ARR__c"),
        ("SELECT Id FROM AccountHistory WHERE OldValue = '5'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Churn_Signal__c WHERE Description__c LIKE '%a%'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Churn_Signal__c ORDER BY Description__c", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_a_refusal_has_the_code_and_names_the_field(objects, text, code, words):
    error = refusal(objects, text)
    assert error.code == code
    assert words in error.message


def test_mixed_and_and_or_is_refused_with_the_remedy(objects):
    error = refusal(objects, "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'")
    assert "brackets" in error.message


def test_a_hidden_field_is_as_absent(objects):
    hidden = {("Account", "ARR__c")}
    for text in ("SELECT ARR__c FROM Account", "SELECT Id FROM Opportunity WHERE Account.ARR__c > 0"):
        assert refusal(objects, text, hidden).message.startswith("No such column 'ARR__c' on entity 'Account'")
    assert names(objects, "", hidden={("Account", "Name2")}) == ["Alpha", "beta", "Gamma"]


def test_an_offset_caps_the_rows_at_2000_in_all():
    objects = empty_objects()
    for number in range(2_105):
        add(objects, "Event", number, Subject="x")
    assert len(names(objects, "", "Event", "Id")) == 2_105
    assert len(names(objects, "OFFSET 0", "Event", "Id")) == 2_000
    assert len(names(objects, "OFFSET 200", "Event", "Id")) == 1_905

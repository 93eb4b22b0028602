"""Every query that any strategy makes is SOQL, whatever the configured values hold: judged by a parser of others."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.period import Scope
from accountpulse.sandbox.salesforce.soql import lexer
from accountpulse.sandbox.world.model import World
from accountpulse.systems.salesforce.queries import in_list, text
from salesforce_org import Org, reader
from support import Configure

PARSER = Path(__file__).parents[3] / ".node" / "node_modules" / "@jetstreamapp" / "soql-parser-js"
needs_parser = pytest.mark.skipif(
    shutil.which("node") is None or not PARSER.is_dir(), reason="no Node, or `make .node/.ready` could not install"
)
HARMLESS = ("a", "b", "c", "d", "e", "f")
HOSTILE = (
    "O'Brien",
    "' OR Id != '",
    "\\",
    "\\' OR Id != ''",
    'two\nlines\r\nand a\ttab, "quoted"',
    "') OR (Name LIKE '%",
)


def strategies(values: tuple[str, ...]) -> list[dict[str, Any]]:
    """Three mappings that together use every way to read, with the values wherever values go."""

    def only(field: str) -> dict[str, object]:
        return {"field": field, "values": values}

    common = {
        "reviews": {"subject_like": values, "not_subject_like": values},
        "expansion": {"only": only("Type"), "where": "Amount > 0 OR Amount = null"},
    }
    return [
        {
            **common,
            "renewal": [
                {
                    "from": "opportunity",
                    "date": "CloseDate",
                    "only": only("Type"),
                    "where": "Amount > 0 OR Name != null",
                },
                {"from": "contract", "date": "EndDate", "only": only("Account.Segment__c")},
                {"from": "account", "date": "Renewal_Date__c"},
            ],
            "payment": {"only": only("Type")},
            "downgrades": {"only": only("Type")},
            "arr_history": [{"from": "history"}],
            "champions": {"roles": values},
        },
        {
            **common,
            "payment": {"from": "invoice", "only": only("Status__c")},
            "downgrades": {"from": "history"},
            "arr_history": [{"from": "snapshots"}],
            "champions": {"from": "contact", "only": only("Power__c")},
        },
        {**common, "payment": {"from": "account", "field": "Segment__c", "values": values}, "arr_history": "none"},
    ]


@pytest.fixture
def queries_with(
    world: World, configure: Configure, scope: Scope, tmp_path: Path
) -> Callable[[tuple[str, ...]], list[str]]:
    """Every query of every strategy, as the sandbox got it, with these values configured."""
    org = Org(world)
    org.object("Invoice__c", "a10", Account__c="string", Due_Date__c="date", Paid_Date__c="date", Status__c="string")
    org.object("ARR_Snapshot__c", "a11", Account__c="reference", Snapshot_Date__c="date", ARR__c="currency")
    org.field("Contact", "Power__c", "string")
    org.field("Account", "CurrencyIsoCode", "string")
    org.field("ARR_Snapshot__c", "CurrencyIsoCode", "string")
    org.object("CurrencyType", "01L", IsoCode="string", ConversionRate="double")
    dates = {"StartDate": "date", "NextStartDate": "date"}
    org.object("DatedConversionRate", "04w", IsoCode="string", ConversionRate="double", **dates)
    picklists = {"Account": "Segment__c", "Opportunity": "Type", "Case": "Type", "OpportunityContactRole": "Role"}
    for name, each in picklists.items():
        org.objects[name].fields[each].values = []  # any value may stand there
    read = reader(configure, scope, tmp_path)

    def queries(values: tuple[str, ...]) -> list[str]:
        return [query for each in strategies(values) for query in read(org, json.dumps({"salesforce": each})).queries]

    return queries


def judged(queries: list[str]) -> list[dict[str, Any]]:
    script = Path(__file__).with_name("parse_soql.cjs")
    done = subprocess.run(
        ["node", script, PARSER], input=json.dumps(queries), capture_output=True, text=True, check=True, timeout=60
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def meant(literal: str) -> str:
    """What a quoted literal stands for; SOQL reference, "Quoted String Escape Sequences"."""
    letters = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: letters.get(match[1], match[1]), literal[1:-1])


@needs_parser
def test_the_parser_refuses_what_is_no_soql() -> None:
    wrong = ["SELECT Id FROM Account WHERE Name = 'O'Brien'", "SELECT * FROM Account", "SELECT Id FROM A WHERE X IN ()"]
    assert all("error" in answer for answer in judged(wrong))


@needs_parser
def test_every_query_of_every_strategy_is_soql(queries_with: Callable[[tuple[str, ...]], list[str]]) -> None:
    queries = queries_with(HARMLESS)
    answers = judged(queries)
    assert [(query, answer["error"]) for query, answer in zip(queries, answers, strict=True) if "error" in answer] == []
    assert {answer["object"] for answer in answers} == {
        "Account", "AccountHistory", "ARR_Snapshot__c", "Case", "Churn_Signal__c", "Contact", "Contract",
        "CurrencyType", "DatedConversionRate", "Event", "Invoice__c", "Opportunity", "OpportunityContactRole", "Task",
    }  # fmt: skip


@needs_parser
def test_hostile_values_stay_values(queries_with: Callable[[tuple[str, ...]], list[str]]) -> None:
    """The conditions are those that harmless values make; only what they compare with differs, and it is whole."""
    calm, hostile = judged(queries_with(HARMLESS)), judged(queries_with(HOSTILE))
    assert not [answer for answer in hostile if "error" in answer]

    def shape(answers: list[dict[str, Any]]) -> list[list[tuple[str, str]]]:
        return [[(each["field"], each["operator"]) for each in answer["conditions"]] for answer in answers]

    assert shape(hostile) == shape(calm)
    literals: dict[tuple[str, str], list[list[str]]] = {}
    for answer in hostile:
        for each in answer["conditions"]:
            if each["operator"] == "IN":
                found = literals.setdefault((answer["object"], each["field"]), [])
                found.append([meant(value) for value in each["values"]])
    for place in (
        ("Opportunity", "Type"),
        ("Contract", "Account.Segment__c"),
        ("Case", "Type"),
        ("Invoice__c", "Status__c"),
        ("OpportunityContactRole", "Role"),
        ("Contact", "Power__c"),
    ):
        assert list(HOSTILE) in literals[place], place
    assert [
        meant(value)
        for answer in hostile[:20]
        if answer["object"] == "Event"
        for each in answer["conditions"]
        if each["operator"] == "LIKE"
        for value in each["values"]
    ][:12] == [*HOSTILE, *HOSTILE]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_one_quoted_string_that_stands_for_it(value: str) -> None:
    string, end = lexer.tokens(text(value))
    assert (string.kind, end.kind) == ("string", "end")
    assert lexer.string(string.text) == value


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8))
def test_a_list_holds_as_many_strings_as_values(values: list[str]) -> None:
    found = [lexer.string(token.text) for token in lexer.tokens(in_list(values)) if token.kind == "string"]
    assert found == values

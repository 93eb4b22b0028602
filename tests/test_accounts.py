from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.accounts import Linked, attribute, attribute_all, link
from accountpulse.ids import to_18
from accountpulse.records import SOURCES, TABLES_OF, Extract, Reason, Source, frame

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"
IN = datetime(2026, 10, 5, tzinfo=UTC)


def extracts(
    links: Sequence[tuple[str, Source, str | None]] = (),
    unknown: Mapping[Source, Mapping[str, Reason]] | None = None,
    without: Sequence[Source] = (),
    **tables: list[dict[str, Any]],
) -> dict[Source, Extract]:
    """Extracts of all sources: the given links and tables, everything else empty."""
    rows: dict[str, list[dict[str, Any]]] = {
        "links": [{"account_id": account, "source": source, "key": key} for account, source, key in links],
        **tables,
    }
    return {
        source: Extract(
            source,
            {name: frame(name, rows.get(name, [])) for name in TABLES_OF[source]},
            unknown_keys=(unknown or {}).get(source, {}),
        )
        for source in SOURCES
        if source not in without
    }


def accounts_of(*ids: str | None) -> pl.DataFrame:
    return frame("accounts", [{"account_id": account_id} for account_id in ids])


def linked(
    *links: tuple[str, Source, str | None],
    ids: Sequence[str | None] = (A, B, C),
    configured: Sequence[Source] = SOURCES,
    failed: Sequence[Source] = (),
    **more: Any,
) -> Linked:
    return link(accounts_of(*ids), extracts(links, **more), configured, failed)


def reasons(result: Linked, source: Source) -> dict[str, str | None]:
    return dict(result.reasons.select("account_id", source).iter_rows())


# --- ids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001000000000001", "001000000000001AAA"),
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),  # place 3 of 0 to 4: bit 3, 8, I; Vm9r: V is place 1 of the third
        ("aaaaaAaaaaaaaaA", "aaaaaAaaaaaaaaAABQ"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
        ("aAaaaaaAaaaaaAa", "aAaaaaaAaaaaaAaCEI"),
    ],
)
def test_a_15_character_id_gets_the_three_that_tell_its_capitals(short: str, long: str) -> None:
    assert to_18(short) == long
    assert to_18(f" {short}\n") == long


@pytest.mark.parametrize(
    "key", ["001A0000006Vm9rIAC", "64f0c1d2e3a4b5c6d7e8f901", "Payments team", "", "001A0000006-m9r"]
)
def test_other_keys_stay_as_they_are(key: str) -> None:
    assert to_18(key) == key


@given(st.from_regex(r"\A[A-Za-z0-9]{15}\Z"), st.from_regex(r"\A[A-Za-z0-9]{15}\Z"))
def test_ids_that_differ_stay_different_where_case_is_lost(one: str, other: str) -> None:
    for second in (other, one.swapcase()):
        assert (to_18(one).upper() == to_18(second).upper()) == (one == second)


# --- reasons ---------------------------------------------------------------------------------------------------


def test_an_account_is_linked_by_a_key_that_the_system_knows() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-2"), unknown={"intercom": {"c-2": "not_linked"}})
    assert reasons(result, "intercom") == {A: None, B: "not_linked", C: "not_linked"}
    assert result.unlinked["intercom"] == 2
    assert result.problems == ()


def test_the_systems_own_reason_for_an_unknown_key_is_kept() -> None:
    result = linked((A, "jira", "Alpha"), (B, "jira", "Beta"), unknown={"jira": {"Alpha": "field_missing"}})
    assert reasons(result, "jira") == {A: "field_missing", B: None, C: "not_linked"}


def test_one_known_key_of_several_is_enough() -> None:
    result = linked((A, "intercom", "c-1"), (A, "intercom", "c-2"), unknown={"intercom": {"c-1": "not_linked"}})
    assert reasons(result, "intercom")[A] is None


def test_a_link_may_name_its_account_by_15_characters() -> None:
    assert reasons(linked((A[:15], "jira", "Alpha")), "jira")[A] is None


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_key_is_none(blank: str | None) -> None:
    result = linked((A, "jira", blank), (B, "jira", blank))
    assert reasons(result, "jira") == {A: "not_linked", B: "not_linked", C: "not_linked"}
    assert result.problems == ()


def test_the_system_that_holds_the_accounts_needs_no_link() -> None:
    assert reasons(linked(), "salesforce") == {A: None, B: None, C: None}


def test_a_source_that_is_not_configured_or_failed_says_nothing_of_anyone() -> None:
    keys = tuple((A, source, "k") for source in ("intercom", "jira", "looker"))
    result = linked(
        *keys, configured=("salesforce", "intercom", "looker"), failed=("intercom", "jira"), without=["looker"]
    )
    assert set(reasons(result, "jira").values()) == {"not_configured"}
    assert set(reasons(result, "intercom").values()) == {"source_failed"}
    assert set(reasons(result, "looker").values()) == {"source_failed"}  # configured, and nothing came
    assert "jira" not in result.unlinked


# --- problems --------------------------------------------------------------------------------------------------


def test_accounts_that_share_a_key_are_both_left_out_and_named() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-1"), (C, "intercom", "c-3"))
    assert [(problem.account_id, problem.stage) for problem in result.problems] == [(A, "accounts"), (B, "accounts")]
    assert result.problems[0].text.startswith(f"Intercom company 'c-1' is also linked by {B}:")
    assert A in result.problems[1].text
    assert result.accounts["account_id"].to_list() == [C]
    assert reasons(result, "intercom") == {C: None}


def test_a_key_may_be_used_in_two_systems_and_given_twice_for_one_account() -> None:
    assert linked((A, "intercom", "k"), (B, "jira", "k"), (A, "intercom", "k ")).problems == ()


def test_a_shared_key_in_a_system_that_is_not_configured_harms_nobody() -> None:
    result = linked((A, "jira", "k"), (B, "jira", "k"), configured=("salesforce", "intercom"))
    assert result.problems == ()


def test_an_account_that_is_not_looked_at_can_still_share_a_key() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-1"), ids=(A,))
    assert [problem.account_id for problem in result.problems] == [A]
    assert B in result.problems[0].text


def test_a_key_shared_by_many_names_a_few() -> None:
    ids = [f"{number:015d}AAA" for number in range(20)]
    result = linked(*((account, "jira", "Misc") for account in ids), ids=ids)
    assert len(result.problems) == 20
    assert all(problem.text.count("AAA") == 5 and "and 14 more" in problem.text for problem in result.problems)


def test_an_account_given_twice_is_left_out_whatever_the_length_of_its_id() -> None:
    result = linked(ids=(A, B, A[:15]))
    assert [problem.account_id for problem in result.problems] == [A]
    assert result.accounts["account_id"].to_list() == [B]


@pytest.mark.parametrize("blank", ["", " ", None])
def test_an_account_without_an_id_is_a_problem(blank: str | None) -> None:
    result = linked(ids=(A, blank))
    assert [problem.account_id for problem in result.problems] == [""]
    assert result.accounts["account_id"].to_list() == [A]


def test_no_accounts_link_to_nothing() -> None:
    result = linked(ids=())
    assert (result.accounts.height, result.reasons.height, result.problems) == (0, 0, ())


# --- attribution -----------------------------------------------------------------------------------------------


def conversation(name: str, *keys: str) -> dict[str, Any]:
    return {"conversation_id": name, "keys": list(keys), "created_at": IN}


def owners(rows: pl.DataFrame, name: str) -> list[tuple[Any, ...]]:
    return sorted(rows.select(name, "account_id").iter_rows())


def test_a_row_stands_once_for_each_account_that_its_keys_lead_to() -> None:
    result = linked((A, "intercom", "c-1"), (A, "intercom", "c-2"), (B, "intercom", "c-3"))
    rows = [
        conversation("one", "c-1"),
        conversation("same", "c-1", "c-2", "c-1"),
        conversation("shared", "c-1", "c-3", "c-9"),
        conversation("stranger", "c-9"),
        conversation("nobody"),
        {**conversation("no list"), "keys": None},
    ]
    found = attribute(frame("conversations", rows), result, "intercom")
    assert owners(found.rows, "conversation_id") == [("one", A), ("same", A), ("shared", A), ("shared", B)]
    assert (found.shared, found.nobodys) == (1, 3)
    assert "keys" not in found.rows.columns


def test_a_row_that_came_on_two_pages_stands_once() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-2"))
    rows = [conversation("1", "c-1"), conversation("1", "c-1"), conversation("1", "c-2")]
    found = attribute(frame("conversations", rows), result, "intercom")
    assert owners(found.rows, "conversation_id") == [("1", A), ("1", B)]


def test_keys_of_one_system_do_not_lead_anywhere_in_another() -> None:
    result = linked((A, "jira", "c-1"))
    assert attribute(frame("conversations", [conversation("1", "c-1")]), result, "intercom").rows.height == 0


def test_rows_of_an_account_that_was_left_out_belong_to_nobody() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-1"))
    found = attribute(frame("conversations", [conversation("1", "c-1")]), result, "intercom")
    assert (found.rows.height, found.shared, found.nobodys) == (0, 0, 1)


SHORT = "001A0000006Vm9r"
LONG = "001A0000006Vm9rIAC"


@pytest.mark.parametrize("link_key", [SHORT, LONG])
@pytest.mark.parametrize("table_key", [SHORT, LONG, LONG.lower(), LONG.upper()])
def test_ids_of_15_and_18_characters_are_the_same_key(link_key: str, table_key: str) -> None:
    result = linked((LONG, "looker", link_key), (A, "looker", "001a0000006Vm9r"), ids=(LONG, A))
    table = frame("features", [{"key": table_key, "feature": "x"}, {"key": "unknown", "feature": "y"}])
    found = attribute(table, result, "looker")
    assert found.rows.rows(named=True) == [{"feature": "x", "account_id": LONG}]
    assert found.nobodys == 1


def test_an_unknown_key_is_recognised_in_either_length() -> None:
    result = linked((LONG, "looker", LONG), ids=(LONG,), unknown={"looker": {SHORT: "not_linked"}})
    assert reasons(result, "looker") == {LONG: "not_linked"}


def test_tables_with_account_ids_keep_the_rows_of_known_accounts() -> None:
    rows = [{"account_id": account, "rank": rank} for rank, account in enumerate([A, "001000000000009AAA", B[:15], A])]
    found = attribute(frame("renewals", rows), linked(), "salesforce")
    assert owners(found.rows, "rank") == [(0, A), (2, B), (3, A)]


def test_all_tables_are_attributed_and_moves_stay_with_their_issues() -> None:
    move = {"issue_id": "1", "at": IN, "from_done": True, "to_done": False}
    issue = {"issue_id": "1", "keys": ["Alpha"], "created_at": IN, "done": False}
    given_extracts = extracts([(A, "jira", "Alpha")], issues=[issue], issue_moves=[move])
    result = link(accounts_of(A), given_extracts, SOURCES, ())
    found = attribute_all(given_extracts, result)
    assert set(found) == {name for names in TABLES_OF.values() for name in names} - {"accounts", "links"}
    assert owners(found["issues"].rows, "issue_id") == [("1", A)]
    assert found["issue_moves"].rows.equals(frame("issue_moves", [move]))

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.accounts import Linked, asked_keys, attribute, attribute_all, link
from accountpulse.core.ids import to_18
from accountpulse.core.records import NOT_MEASURED, Extract, FileLink, LinkFile, Reason, SourceName, frame
from accountpulse.core.spooled import SpooledTable
from accountpulse.systems import SOURCES
from support import NAMES, TABLES_OF

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"
SHORT, LONG = "001A0000006Vm9r", "001A0000006Vm9rIAC"
BY_NAME = {source.name: source for source in SOURCES}
IN = datetime(2026, 10, 5, tzinfo=UTC)


def extracts(
    links: Sequence[tuple[str, SourceName, str | None]] = (),
    unknown: Mapping[SourceName, Mapping[str, Reason]] | None = None,
    without: Sequence[SourceName] = (),
    found: Mapping[SourceName, Mapping[str, tuple[str, ...]]] | None = None,
    **tables: list[dict[str, Any]],
) -> dict[SourceName, Extract]:
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
            found_keys=(found or {}).get(source),
        )
        for source in NAMES
        if source not in without
    }


def accounts_of(*ids: str | None) -> pl.DataFrame:
    return frame("accounts", [{"account_id": account_id} for account_id in ids])


def linked(
    *links: tuple[str, SourceName, str | None],
    ids: Sequence[str | None] = (A, B, C),
    configured: Sequence[SourceName] = NAMES,
    failed: Sequence[SourceName] = (),
    file: Sequence[tuple[str, SourceName, str | None]] = (),
    first: Literal["file", "rules"] = "file",
    **more: Any,
) -> Linked:
    said = LinkFile("links.csv", tuple(FileLink(*cell, line) for line, cell in enumerate(file, 2)), first)
    return link(accounts_of(*ids), extracts(links, **more), SOURCES, configured, failed, link_file=said)


def reasons(result: Linked, source: SourceName) -> dict[str, str | None]:
    return dict(result.reasons.select("account_id", source).iter_rows())


def conversation(name: str, *keys: str) -> dict[str, Any]:
    return {"conversation_id": name, "keys": list(keys), "created_at": IN}


def owners(rows: pl.DataFrame, name: str) -> list[tuple[Any, ...]]:
    return sorted(rows.select(name, "account_id").iter_rows())


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


def test_a_key_that_nobody_knows_puts_nobody_in_doubt() -> None:
    """Accounts of one name, where the rule is that a component is called like the account, and there is none."""
    result = linked((A, "jira", "Acme"), (B, "jira", "Acme"), unknown={"jira": {"Acme": "not_linked"}})
    assert result.problems == ()
    assert reasons(result, "jira") == {A: "not_linked", B: "not_linked", C: "not_linked"}


def test_components_that_differ_in_case_alone_are_one_key_and_companies_are_not() -> None:
    result = linked((A, "jira", "Alpha"), (B, "jira", "ALPHA"), (A, "intercom", "c"), (B, "intercom", "C"))
    assert {problem.account_id for problem in result.problems} == {A, B}
    assert all("Jira" in problem.text for problem in result.problems)


def test_an_account_with_two_companies_by_rule_is_left_out_and_named_with_both() -> None:
    result = linked(
        (A, "intercom", A), (B, "intercom", B), found={"intercom": {A[:15]: ("c-1", "c-2"), B: ("c-3",), "x": ("c-9",)}}
    )
    assert [problem.account_id for problem in result.problems] == [A]
    assert "'c-1', 'c-2'" in result.problems[0].text
    assert reasons(result, "intercom") == {B: None, C: "not_linked"}


def test_two_accounts_whose_attribute_leads_to_one_company_are_both_named() -> None:
    result = linked((A, "intercom", "n-1"), (B, "intercom", "n-2"), found={"intercom": {"n-1": ("c",), "n-2": ("c",)}})
    assert [problem.account_id for problem in result.problems] == [A, B]


def test_an_attribute_that_leads_nowhere_links_nothing() -> None:
    assert reasons(linked((A, "intercom", "n-1"), found={"intercom": {}}), "intercom")[A] == "not_linked"


# --- the mapping file ------------------------------------------------------------------------------------------


def keys(result: Linked, source: SourceName) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for account_id, key, by in result.keys.filter(source=source).select("account_id", "key", "by").iter_rows():
        found.setdefault(account_id, set()).add((key, by))
    return found


def test_where_the_file_comes_first_it_replaces_the_rule() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-2"), file=[(A, "intercom", "c-7")])
    assert keys(result, "intercom") == {A: {("c-7", "file")}, B: {("c-2", "rule")}}


def test_where_the_rules_come_first_the_file_fills_what_they_leave() -> None:
    result = linked(
        (A, "jira", "Alpha"),
        (B, "jira", "Beta"),
        file=[(A, "jira", "Other"), (B, "jira", "Real"), (C, "jira", "New")],
        first="rules",
        unknown={"jira": {"Beta": "not_linked"}},
    )
    assert keys(result, "jira") == {A: {("Alpha", "rule")}, B: {("Real", "file")}, C: {("New", "file")}}


def test_where_the_rules_come_first_the_file_decides_what_they_leave_in_doubt() -> None:
    rules: list[tuple[str, SourceName, str]] = [(A, "intercom", "c-1"), (B, "intercom", "c-1")]
    result = linked(*rules, file=[(B, "intercom", None)], first="rules")
    assert keys(result, "intercom") == {A: {("c-1", "rule")}}
    assert result.problems == ()


def test_none_in_the_file_takes_the_link_away() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-1"), file=[(B, "intercom", None)])
    assert result.problems == ()
    assert reasons(result, "intercom") == {A: None, B: "not_linked", C: "not_linked"}
    assert result.absent.rows() == [("intercom", B)]


def test_several_keys_in_the_file_all_count() -> None:
    result = linked(file=[(A, "intercom", "c-1"), (A, "intercom", "c-2")])
    assert result.problems == ()
    assert keys(result, "intercom") == {A: {("c-1", "file"), ("c-2", "file")}}


def test_the_file_and_a_rule_of_another_account_can_claim_one_key_and_both_are_named_with_the_line() -> None:
    result = linked((A, "intercom", "c-1"), file=[(C, "jira", "x"), (B, "intercom", "c-1")])
    assert [problem.account_id for problem in result.problems] == [A, B]
    assert "line 3 of links.csv" in result.problems[1].text


@pytest.mark.parametrize("written", [SHORT, LONG, LONG.lower(), LONG.upper()])
def test_the_file_may_write_an_accounts_id_in_either_length_and_18_in_any_case(written: str) -> None:
    result = linked(file=[(written, "jira", "x")], ids=(LONG, A))
    assert reasons(result, "jira") == {LONG: None, A: "not_linked"}
    assert result.notes == ()


def test_lines_of_strangers_and_unknown_keys_are_told_and_stop_nothing() -> None:
    stranger = "001000000000009AAA"
    result = linked(
        file=[(A, "jira", "Alhpa"), (stranger, "jira", "x"), (B, "looker", "gone")],
        unknown={"jira": {"Alhpa": "not_linked"}, "looker": {"gone": "not_linked"}},
        configured=("salesforce", "jira"),
    )
    assert result.problems == ()
    assert [note for note in result.notes if stranger in note and "line 3" in note]
    assert [note for note in result.notes if "'Alhpa' (line 2)" in note and "Jira" in note]
    assert not [note for note in result.notes if "gone" in note]
    assert reasons(result, "jira")[A] == "not_linked"


def test_a_source_is_asked_for_the_keys_that_may_count() -> None:
    links = frame("links", [{"account_id": a, "source": "jira", "key": k} for a, k in ((A, "a"), (B, "b"), (C, " "))])
    cells = (FileLink(B[:15], "jira", "other", 2), FileLink(A, "looker", "x", 3), FileLink(C, "jira", None, 4))
    assert asked_keys(links, BY_NAME["jira"], None, LinkFile(links=cells)) == ("a", "other")
    assert asked_keys(links, BY_NAME["jira"], None, LinkFile(links=cells, first="rules")) == ("a", "b", "other")
    assert asked_keys(links, BY_NAME["jira"], {"b": ("found",)}, LinkFile(links=cells, first="rules")) == (
        "found",
        "other",
    )


# --- laws ------------------------------------------------------------------------------------------------------

IDS = [f"{number:015d}AAA" for number in range(5)]
KEYS = ["k1", "k2", "K2", "k3"]
link_rows = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(["intercom", "jira"]), st.sampled_from(KEYS)))
file_rows = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(["intercom", "jira"]), st.sampled_from([*KEYS, None])), unique=True
)
firsts: st.SearchStrategy[Literal["file", "rules"]] = st.sampled_from(["file", "rules"])
unknowns = st.fixed_dictionaries({"jira": st.dictionaries(st.sampled_from(KEYS), st.just("not_linked"), max_size=2)})


def meaning(result: Linked) -> tuple[Any, ...]:
    claims = result.claims.select("source", "match", "account_id", "by", "reason", "shared", "several").rows()
    left_out = sorted((problem.account_id, problem.text) for problem in result.problems)
    return sorted(map(str, claims)), left_out, sorted(result.reasons.rows()), sorted(result.notes)


@settings(max_examples=60, deadline=None)
@given(link_rows, file_rows, firsts, unknowns, st.randoms(use_true_random=False))
def test_the_order_of_accounts_links_and_rows_of_the_file_changes_nothing(
    links: list[Any], file: list[Any], first: Literal["file", "rules"], unknown: Any, dice: Any
) -> None:
    said = [FileLink(*cell, line) for line, cell in enumerate(file, 2)]
    results = []
    for _ in range(2):
        given_extracts = extracts(links, unknown)
        result = link(
            accounts_of(*ids_in(dice)), given_extracts, SOURCES, NAMES, (), link_file=LinkFile("l", tuple(said), first)
        )
        results.append(meaning(result))
        dice.shuffle(links)
        dice.shuffle(said)
    assert results[0] == results[1]


def ids_in(dice: Any) -> list[str]:
    shuffled = list(IDS)
    dice.shuffle(shuffled)
    return shuffled


def by_hand(links: Any, file: Any, first: str, unknown: Any) -> tuple[set[str], dict[tuple[str, str], set[str]]]:
    """Page linking.md, account by account: who is left out, and the known keys that count for each account."""

    def same(source: str, key: str) -> str:
        return key.casefold() if source == "jira" else key

    unheard = {same("jira", key) for key in unknown["jira"]}
    rule: dict[tuple[str, str], set[str]] = {}
    for account, source, key in links:
        if source != "jira" or same(source, key) not in unheard:
            rule.setdefault((source, account), set()).add(same(source, key))
    counts: dict[tuple[str, str], set[str]] = {}
    left_out = set()
    for source in ("intercom", "jira"):
        for account in IDS:
            own, told = rule.get((source, account), set()), [k for a, s, k in file if (a, s) == (account, source)]
            clear = len(own) == 1 and not any(
                own & rule.get((source, other), set()) for other in IDS if other != account
            )
            if told and (first == "file" or not clear):
                counts[source, account] = {same(source, k) for k in told if k} - (
                    unheard if source == "jira" else set()
                )
                continue
            counts[source, account] = own
            if len(own) > 1:
                left_out.add(account)
        for account in IDS:
            if any(counts[source, account] & counts[source, other] for other in IDS if other != account):
                left_out.add(account)
    return left_out, counts


@settings(max_examples=120, deadline=None)
@given(link_rows, file_rows, firsts, unknowns)
def test_a_row_goes_to_the_one_account_that_claims_its_key_and_to_nobody_where_two_do(
    links: list[Any], file: list[Any], first: Literal["file", "rules"], unknown: Any
) -> None:
    result = linked(*links, file=file, first=first, unknown=unknown, ids=IDS)
    left_out, counts = by_hand(links, file, first, unknown)
    assert {problem.account_id for problem in result.problems} == left_out
    talks = frame("conversations", [conversation(key, key) for key in KEYS])
    given_to = owners(attribute(talks, result, BY_NAME["intercom"]).rows, "conversation_id")
    assert len({talk for talk, _ in given_to}) == len(given_to)
    assert given_to == sorted((key, a) for a in IDS if a not in left_out for key in counts["intercom", a])
    for source in ("intercom", "jira"):
        assert {a for a, reason in reasons(result, source).items() if reason is None} == {
            a for a in IDS if a not in left_out and counts[source, a]
        }


# --- attribution -----------------------------------------------------------------------------------------------


def test_a_row_stands_once_for_each_account_that_its_keys_lead_to() -> None:
    result = linked((B, "intercom", "c-3"), file=[(A, "intercom", "c-1"), (A, "intercom", "c-2")])
    rows = [
        conversation("one", "c-1"),
        conversation("same", "c-1", "c-2", "c-1"),
        conversation("shared", "c-1", "c-3", "c-9"),
        conversation("stranger", "c-9"),
        conversation("nobody"),
        {**conversation("no list"), "keys": None},
    ]
    found = attribute(frame("conversations", rows), result, BY_NAME["intercom"])
    assert owners(found.rows, "conversation_id") == [("one", A), ("same", A), ("shared", A), ("shared", B)]
    assert (found.shared, found.nobodys) == (1, 3)
    assert "keys" not in found.rows.columns


def test_a_row_that_came_on_two_pages_stands_once() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-2"))
    rows = [conversation("1", "c-1"), conversation("1", "c-1"), conversation("1", "c-2")]
    found = attribute(frame("conversations", rows), result, BY_NAME["intercom"])
    assert owners(found.rows, "conversation_id") == [("1", A), ("1", B)]


def test_keys_of_one_system_do_not_lead_anywhere_in_another() -> None:
    result = linked((A, "jira", "c-1"))
    assert attribute(frame("conversations", [conversation("1", "c-1")]), result, BY_NAME["intercom"]).rows.height == 0


def test_rows_of_an_account_that_was_left_out_belong_to_nobody() -> None:
    result = linked((A, "intercom", "c-1"), (B, "intercom", "c-1"))
    found = attribute(frame("conversations", [conversation("1", "c-1")]), result, BY_NAME["intercom"])
    assert (found.rows.height, found.shared, found.nobodys) == (0, 0, 1)


@pytest.mark.parametrize("link_key", [SHORT, LONG])
@pytest.mark.parametrize("table_key", [SHORT, LONG, LONG.lower(), LONG.upper()])
def test_ids_of_15_and_18_characters_are_the_same_key(link_key: str, table_key: str) -> None:
    result = linked((LONG, "looker", link_key), (A, "looker", "001a0000006Vm9r"), ids=(LONG, A))
    table = frame("features", [{"key": table_key, "feature": "x"}, {"key": "unknown", "feature": "y"}])
    found = attribute(table, result, BY_NAME["looker"])
    assert found.rows.rows(named=True) == [{"feature": "x", "account_id": LONG}]
    assert found.nobodys == 1


def test_an_unknown_key_is_recognised_in_either_length() -> None:
    result = linked((LONG, "looker", LONG), ids=(LONG,), unknown={"looker": {SHORT: "not_linked"}})
    assert reasons(result, "looker") == {LONG: "not_linked"}


def test_tables_with_account_ids_keep_the_rows_of_known_accounts() -> None:
    rows = [{"account_id": account, "rank": rank} for rank, account in enumerate([A, "001000000000009AAA", B[:15], A])]
    found = attribute(frame("renewals", rows), linked(), BY_NAME["salesforce"])
    assert owners(found.rows, "rank") == [(0, A), (2, B), (3, A)]


def test_all_tables_are_attributed_and_moves_stay_with_their_issues() -> None:
    move = {"issue_id": "1", "at": IN, "from_done": True, "to_done": False}
    issue = {"issue_id": "1", "keys": ["Alpha"], "created_at": IN, "done": False}
    given_extracts = extracts([(A, "jira", "Alpha")], issues=[issue], issue_moves=[move])
    result = link(accounts_of(A), given_extracts, SOURCES, NAMES, ())
    found = {
        name: rows
        for each in given_extracts.values()
        for name, rows in attribute_all(each, result, BY_NAME[each.source]).tables.items()
    }
    assert set(found) == {name for names in TABLES_OF.values() for name in names} - {"accounts", "links", *NOT_MEASURED}
    assert owners(found["issues"].lazy().collect(), "issue_id") == [("1", A)]
    assert found["issue_moves"].lazy().collect().drop("source").equals(frame("issue_moves", [move]))


def test_a_table_on_disk_is_attributed_piece_by_piece_like_one_in_memory() -> None:
    rows = [conversation(str(number), ("c-1", "c-2", "c-9")[number % 3]) for number in range(200)]
    table = frame("conversations", rows)
    every = extracts([(A, "intercom", "c-1"), (B, "intercom", "c-2")])
    result = link(accounts_of(A, B), every, SOURCES, NAMES, ())
    spool = SpooledTable(table.schema, piece=30)
    for start in range(0, table.height, 15):
        spool.add(table[start : start + 15])
    found = attribute_all(
        replace(every["intercom"], tables={}, spools={"conversations": spool}), result, BY_NAME["intercom"]
    )
    assert (
        found.tables["conversations"]
        .lazy()
        .collect()
        .drop("source")
        .equals(attribute(table, result, BY_NAME["intercom"]).rows)
    )


def test_a_link_that_people_refused_is_made_by_no_rule_and_is_told() -> None:
    links = (A, "jira", "Acme"), (B, "jira", "acme"), (C, "jira", "Corp")
    said = LinkFile("links.csv", rejected=(FileLink(A[:15], "jira", "ACME", 2), FileLink(B, "jira", "other", 3)))
    found = link(accounts_of(A, B, C), extracts(links), SOURCES, NAMES, (), link_file=said)
    assert reasons(found, "jira") == {A: "not_linked", B: None, C: None}
    assert found.problems == ()  # the key is B's alone
    (note,) = [note for note in found.notes if "reject" in note]
    assert note == f"not linked in Jira, since links.csv rejects what the rule finds: {A} and 'Acme'"
    only = LinkFile("links.csv", rejected=(FileLink(C, "jira", "corp", 2),))
    assert asked_keys(extracts(links)["salesforce"].tables["links"], BY_NAME["jira"], None, only) == ("Acme", "acme")

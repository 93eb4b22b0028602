"""What people decided about suggested links stays theirs, and nothing links that nobody accepted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.accounts import link
from accountpulse.accounts.decisions import accepted_keys, decide, grounds, rejected, undone
from accountpulse.accounts.suggestions import SUGGESTIONS, suggest
from accountpulse.core.records import CUSTOMERS, LINK_DECISIONS, Extract, LinkFile, frame
from accountpulse.settings import link_file
from accountpulse.systems import SOURCES, SYSTEMS, csv_file
from support import NAMES, TABLES_OF

A, B, C = "001Hu00000000G8IAI", "001000000000002AAA", "001000000000003AAA"
COMPARABLE = {name: SYSTEMS[name].comparable for name in SYSTEMS}
TODAY = "2026-11-30"
Row = dict[str, Any]


def row(account: str, key: str, decision: str | None = None, **more: Any) -> Row:
    made = {
        "account_id": account,
        "system": "jira",
        "key": key,
        "decision": decision,
        "score": 94,
        "reasons": "same name",
    }
    return {**dict.fromkeys(LINK_DECISIONS), **made, **more}


def decisions(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(LINK_DECISIONS))


def suggested(account: str, key: str, score: int = 94, rank: int = 1, **more: Any) -> Row:
    made = {"account_id": account, "key": key, "key_name": key, "rank": rank, "score": score, "reasons": "same name"}
    return {**made, "unclear": None, "system": "jira", **more}


def suggestions(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={**SUGGESTIONS, "system": pl.String})


def customers(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame([(key, name, [], [], []) for key, name in rows], schema=dict(CUSTOMERS), orient="row")


def rows_of(table: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return table.select(columns or ("account_id", "key", "decision")).rows()


def test_new_suggestions_are_open_and_have_their_reasons() -> None:
    found = decide(
        decisions(), suggestions(suggested(A, "Acme", unclear="Acme 2 too")), {A: "Acme GmbH"}, COMPARABLE, today=TODAY
    )
    assert found.table.row(0, named=True) == row(
        A, "Acme", account_name="Acme GmbH", key_name="Acme", reasons="same name; unclear: Acme 2 too"
    )


def test_what_people_decided_stays_and_is_dated() -> None:
    before = decisions(
        row(A, "Acme", "accept", note="asked Kim"),
        row(B, "Beta", "later"),
        row(C, "Gamma", "reject", decided_at="2026-01-02"),
    )
    again = suggestions(suggested(B, "Beta", 97, reasons="same name; same website"))
    found = decide(before, again, {}, COMPARABLE, today=TODAY, above=0)
    assert rows_of(found.table, "key", "decision", "decided_at", "note", "score") == [
        ("Acme", "accept", TODAY, "asked Kim", 94),
        ("Beta", "later", TODAY, None, 97),
        ("Gamma", "reject", "2026-01-02", None, 94),
    ]
    assert (found.accepted, found.kept, found.again) == (0, 3, 0)
    assert found.table.equals(decide(found.table, again, {}, COMPARABLE, today="2027-01-01", above=0).table)


def test_open_rows_follow_what_is_suggested_now_but_for_those_with_a_note() -> None:
    before = decisions(row(A, "Old"), row(B, "Noted", note="ask Kim"))
    found = decide(before, suggestions(suggested(A, "New")), {}, COMPARABLE, today=TODAY)
    assert rows_of(found.table, "key", "note") == [("Noted", "ask Kim"), ("New", None)]


def test_what_was_rejected_comes_back_with_other_grounds_and_says_so() -> None:
    before = decisions(row(A, "Acme", "reject", decided_at="2026-01-02", note="no"))
    assert rejected(before, "jira", COMPARABLE) == {(A.upper(), "acme"): "same name"}
    found = decide(
        before, suggestions(suggested(A, "Acme", reasons="same website")), {}, COMPARABLE, today=TODAY, above=0
    )
    # a person said no: it is put to people again, and never accepted by score
    assert rows_of(found.table, "decision", "reasons", "note") == [
        ("later", "same website", "no; rejected 2026-01-02 for: same name")
    ]
    assert (found.again, found.accepted) == (1, 0)
    again = decide(found.table, suggestions(suggested(A, "Acme")), {}, COMPARABLE, today=TODAY, above=0)
    assert again.table["decision"].to_list() == ["later"]


def test_what_was_rejected_without_reasons_never_comes_back() -> None:
    before = decisions(row(A, "Acme", "reject", reasons=None))
    theirs = customers(("Acme", "Acme"), ("Acme 2", "Acme 2"))
    found = suggest(customers((A, "Acme")), theirs, rejected=rejected(before, "jira", COMPARABLE), comparable=str.lower)
    assert "Acme" not in found["key"].to_list()


def test_an_accepted_key_that_its_system_lost_leaves_room_for_suggestions_to_decide_about() -> None:
    before = decisions(row(A, "Deleted", "accept"))
    now, lost = suggestions(suggested(A, "Acme")), {("jira", A.upper(), "deleted")}
    found = decide(before, now, {}, COMPARABLE, today=TODAY, above=0, unknown=lost)
    assert rows_of(found.table, "key", "decision") == [("Deleted", "accept"), ("Acme", None)]
    assert rows_of(decide(before, now, {}, COMPARABLE, today=TODAY).table, "key") == [("Deleted",)]


def test_suggestions_of_a_system_that_could_not_be_asked_stay() -> None:
    before = decisions(row(A, "Acme"), row(B, "Beta", system="intercom"))
    found = decide(before, suggestions(), {}, COMPARABLE, today=TODAY, unasked={"jira"})
    assert rows_of(found.table, "key", "score") == [("Acme", 94)]


def test_grounds_are_the_reasons_without_who_else_comes_into_question() -> None:
    assert grounds("same name; same website a.com; unclear: Acme 2 (k) comes into question as well") == (
        "same name; same website a.com"
    )
    assert grounds(None) == ""


def test_only_clear_first_suggestions_from_the_score_on_are_accepted_and_marked() -> None:
    given = suggestions(
        suggested(A, "Acme", 95),
        suggested(A, "Acme 2", 95, rank=2),
        suggested(B, "Beta", 89),
        suggested(C, "Gamma", 99, unclear="Gamma 2 too"),
    )
    found = decide(decisions(), given, {}, COMPARABLE, today=TODAY, above=90)
    assert rows_of(found.table, "key", "decision", "decided_by") == [
        ("Acme", "accept", "accept-above 90"),  # and the other one that it might have been is settled
        ("Beta", None, None),
        ("Gamma", None, None),
    ]
    assert found.accepted == 1


def test_a_key_that_is_somebodys_in_any_case_is_not_accepted_again() -> None:
    before = decisions(row(A, "ACME", "accept"))
    found = decide(before, suggestions(suggested(B, "acme", 100)), {}, COMPARABLE, today=TODAY, above=0)
    assert found.accepted == 0
    assert accepted_keys(found.table, "jira", COMPARABLE) == {"acme"}


def test_an_account_with_an_accepted_key_gets_no_second_one_by_score() -> None:
    before = decisions(row(A[:15], "Acme", "accept"))
    assert decide(before, suggestions(suggested(A, "Acme 2", 100)), {}, COMPARABLE, today=TODAY, above=0).accepted == 0


def test_what_was_accepted_by_score_can_be_undone_and_people_s_decisions_stay() -> None:
    found = decide(
        decisions(row(A, "Acme", "accept")), suggestions(suggested(B, "Beta")), {}, COMPARABLE, today=TODAY, above=90
    )
    table, count = undone(found.table)
    assert count == 1
    assert rows_of(table) == [(A, "Acme", "accept"), (B, "Beta", None)]
    assert undone(table)[1] == 0


# --- laws ---------------------------------------------------------------------------------------------------------

IDS = (A, B, C)
ANY_KEY = st.sampled_from(["k", "K", "l", "m", "none"])
ANY_ROW = st.builds(
    lambda account, system, key, decision: row(account, key, decision, system=system),
    st.sampled_from(IDS),
    st.sampled_from(["intercom", "jira", "looker"]),
    ANY_KEY,
    st.sampled_from(["accept", "reject", "later", None]),
)


def linked_by(rows: Sequence[Row]) -> set[tuple[str, str, str]]:
    """What a run links by a file of these rows, without any rule: through the file's bytes and `link` itself."""
    data = csv_file.content(decisions(*rows), "links.csv")
    accounts = frame("accounts", [{"account_id": each} for each in IDS])
    extracts = {name: Extract(name, {each: frame(each) for each in TABLES_OF[name]}) for name in NAMES}
    said = LinkFile("links.csv", link_file.read(data, "links.csv"))
    found = link(accounts, extracts, SOURCES, NAMES, (), link_file=said)
    return {key for key in found.keys.select("account_id", "source", "key").rows() if key[1] != "salesforce"}


def comparable(links: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    return {(account, system, COMPARABLE[system](key)) for account, system, key in links}


def accepted_alone(rows: Sequence[Row]) -> set[tuple[str, str, str]]:
    """What a run should link, in other words: each accepted key but `none`, of accounts that share none of theirs."""
    pairs = ((each["account_id"], each["system"], each["key"]) for each in rows if each["decision"] == "accept")
    links = comparable(pair for pair in pairs if pair[2] != "none")
    owners = Counter((system, key) for _, system, key in links)
    doubtful = {account for account, system, key in links if owners[system, key] > 1}
    return {link for link in links if link[0] not in doubtful}


def consistent(rows: Sequence[Row]) -> list[Row]:
    """Without what is refused as a mistake: a pair twice, and a key beside `none`."""
    absent = {(each["account_id"], each["system"]) for each in rows if each["key"] == "none"}
    kept = {}
    for each in rows:
        if each["key"] == "none" or (each["account_id"], each["system"]) not in absent:
            kept.setdefault((each["account_id"], each["system"], COMPARABLE[each["system"]](each["key"])), each)
    return list(kept.values())


ANY_SUGGESTION = st.builds(
    lambda account, key, score, rank, unclear: suggested(account, key, score, rank, unclear=unclear),
    st.sampled_from(IDS),
    st.sampled_from(["k", "K", "l", "m"]),
    st.integers(0, 100),
    st.integers(1, 2),
    st.sampled_from([None, None, "somebody too"]),
)


@settings(max_examples=40)
@given(st.lists(ANY_ROW, max_size=8), st.lists(ANY_SUGGESTION, max_size=6))
def test_linked_is_what_people_accepted_and_nothing_else_before_and_after_suggestions(
    rows: list[Row], now: list[Row]
) -> None:
    before = consistent(rows)
    assert comparable(linked_by(before)) == accepted_alone(before)
    after = decide(decisions(*before), suggestions(*now), {}, COMPARABLE, today=TODAY).table
    assert comparable(linked_by(after.rows(named=True))) == accepted_alone(before)


@settings(max_examples=50)
@given(
    st.lists(
        ANY_ROW.filter(lambda each: each["key"] != "none"),
        max_size=5,
        unique_by=lambda e: (e["account_id"], e["system"], e["key"]),
    ),
    st.lists(ANY_SUGGESTION, max_size=6, unique_by=lambda each: (each["account_id"], each["key"])),
    st.integers(0, 100),
)
def test_accepting_by_score_decides_nothing_that_a_person_decided_and_gives_no_key_away_twice(
    before: list[Row], now: list[Row], above: int
) -> None:
    found = decide(decisions(*before), suggestions(*now), {}, COMPARABLE, today=TODAY, above=above)
    by_score = found.table.filter(pl.col("decided_by").is_not_null())
    assert by_score.height == found.accepted
    clear = {
        (each["account_id"], each["key"].lower())
        for each in now
        if each["rank"] == 1 and each["unclear"] is None and each["score"] >= above
    }
    assert {(account, key.lower()) for account, key in by_score.select("account_id", "key").iter_rows()} <= clear
    persons = {(each["account_id"], each["system"], each["key"].lower()) for each in before if each["decision"]}
    for each in by_score.iter_rows(named=True):
        assert (each["account_id"], "jira", each["key"].lower()) not in persons
        same = found.table.filter(
            (pl.col("decision") == "accept")
            & (pl.col("system") == "jira")
            & (pl.col("key").str.to_lowercase() == each["key"].lower())
        )
        assert same.height == 1
    back, count = undone(found.table)
    assert count == found.accepted
    assert back.filter(pl.col("decision") == "accept").height == sum(each["decision"] == "accept" for each in before)

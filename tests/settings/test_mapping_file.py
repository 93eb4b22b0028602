"""The mapping file: what it says, every mistake with its line, and the way out and back in."""

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accountpulse.accounts import Linked, link
from accountpulse.cli.links_table import mapping_file, rows_of
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.records import Extract, FileLink, LinkFile, SourceName, frame
from accountpulse.core.spreadsheet import harmless
from accountpulse.settings.link_file import read
from accountpulse.systems import SOURCES, csv_file
from support import NAMES, TABLES_OF, meant

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"


def cells(text: str | bytes) -> list[tuple[str, str, str | None, int]]:
    data = text if isinstance(text, bytes) else text.encode()
    return [(each.account_id, each.source, each.key, each.line) for each in read(data, "links.csv")]


def mistakes(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text if isinstance(text, bytes) else text.encode(), "links.csv")
    assert caught.value.exit_code == 3
    assert caught.value.subject == "links.csv"
    return caught.value.problems


# --- reading ---------------------------------------------------------------------------------------------------


def test_a_cell_is_a_key_a_blank_says_nothing_and_none_says_no() -> None:
    text = f"account_id,account_name,intercom,jira,looker,linked_by,note\n{A},Acme,c-1, ,NONE,x,y\n{B},,,None,17,,\n"
    assert cells(text) == [
        (A, "intercom", "c-1", 2),
        (A, "looker", None, 2),
        (B, "jira", None, 3),
        (B, "looker", "17", 3),
    ]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_files_that_spreadsheets_write_are_read(mark: bytes, delimiter: str, ends: str) -> None:
    rows = [["Account_ID ", "jira"], [A, '"Comma, ""Semicolon""; Ltd"'], ["", ""], [f" {B[:15]} ", "\u00a0Søfart "]]
    text = ends.join(delimiter.join(row) for row in rows) + ends
    assert cells(mark + text.encode()) == [(A, "jira", 'Comma, "Semicolon"; Ltd', 2), (B[:15], "jira", "Søfart", 4)]


def test_ids_stay_text() -> None:
    assert cells(f"account_id,looker,jira\n{A},007,1e5\n") == [(A, "jira", "1e5", 2), (A, "looker", "007", 2)]


def test_a_key_over_two_lines_does_not_shift_the_lines_after_it() -> None:
    assert [line for *_, line in cells(f'account_id,jira\n{A},"two\nlines"\n{B},x\n')] == [2, 4]


def test_several_rows_of_an_account_give_it_several_keys() -> None:
    assert cells(f"account_id,jira,looker\n{A},x,1\n{A},y,\n") == [
        (A, "jira", "x", 2),
        (A, "looker", "1", 2),
        (A, "jira", "y", 3),
    ]


@pytest.mark.parametrize("text", ["account_id,jira\n", "account_id\n" + A, f"account_id,jira\n{A},\n\n\n"])
def test_a_file_that_says_nothing_is_no_mistake(text: str) -> None:
    assert cells(text) == []


def test_every_mistake_is_listed_with_its_line() -> None:
    text = "\n".join(
        [
            "account_id,itercom,jira,owner",
            f"{A},,x,",
            ",,y,",
            "Acme Ltd,,y,",
            f"{C},,1.5E+17,",
        ]
    )
    found = mistakes(text)
    for part in (
        "line 1: 'itercom' is not a column of the mapping file; did you mean 'intercom'?",
        "line 1: 'owner' is not a column",
        "line 3: no account_id",
        "line 4: 'Acme Ltd' is not a Salesforce id",
        "line 5, jira: '1.5E+17'",
    ):
        assert [problem for problem in found if problem.startswith(part)], (part, found)


def test_a_key_twice_for_one_account_is_a_mistake_whatever_the_length_or_case_of_its_id() -> None:
    found = mistakes(f"account_id,jira\n{A},x\n{A[:15]},x\n{A.lower()},x\n")
    assert found == ["line 3, jira: the same as in line 2", "line 4, jira: the same as in line 2"]


@pytest.mark.parametrize("values", [("none", "x"), ("x", "none")])
def test_none_beside_a_key_is_a_mistake(values: tuple[str, str]) -> None:
    one, other = values
    assert mistakes(f"account_id,jira\n{A},{one}\n{A},{other}\n") == [
        "line 3, jira: none and a key for one account, see line 2"
    ]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "the file is empty"),
        (b"account_id,jira,jira\n", "column 'jira' is given twice"),
        (f"account_id,jira\n{A},x,,extra\n".encode(), "line 2 has 4 cells, the heading 2"),
        (b"name,jira\nx,y\n", "there is no column account_id"),
        ("account_id,jira\nx,Søfart\n".encode("latin-1"), "line 2: not UTF-8"),
        (f'account_id,jira\n{A},"open\n'.encode(), "line 2: not a CSV row"),
        (f"account_id,,jira\n{A},x,y\n".encode(), "line 1: a heading is empty"),
    ],
)
def test_what_is_no_mapping_file_says_why(data: bytes, part: str) -> None:
    assert any(part in problem for problem in mistakes(data))


def test_a_thousand_mistakes_are_not_a_thousand_lines() -> None:
    found = mistakes("account_id,jira\n" + "x,y\n" * 1000)
    assert len(found) == 101
    assert found[-1] == "and 900 mistakes more"


# --- out and in again ------------------------------------------------------------------------------------------

HOSTILE = st.text(st.sampled_from("'=+-@ \t,;\"\n｜＝a1e.\ufeff\u00a0"), max_size=6) | st.text(max_size=6)


@hypothesis_settings(max_examples=120, deadline=None)
@given(HOSTILE)
@example("'=x")
@example("''-5")
@example("'\x1c=x")
@example("'-\u0663")
@example("-5\n")
@example("-5")
@example("\x1f@")
def test_the_guard_against_formulas_is_taken_away_again_exactly(text: str) -> None:
    guarded = harmless(pl.DataFrame({"x": [text]}, schema={"x": pl.String}))["x"][0]
    assert meant(guarded) == text
    assert guarded.lstrip()[:1] not in tuple("=@＝＠")


def test_a_guarded_key_comes_back_through_the_file(tmp_path: Path) -> None:
    wanted = ["=HYPERLINK(1)", "-Beta", "'=x", "@a", "+49", "-5", "007"]
    table = pl.DataFrame({"account_id": [f"{n:015d}" for n in range(len(wanted))], "jira": wanted})
    csv_file.write(table, tmp_path / "links.csv")
    assert [key for _, _, key, _ in cells((tmp_path / "links.csv").read_bytes())] == wanted


IDS = [f"{number:015d}AAA" for number in range(4)]
SYSTEMS: list[SourceName] = ["intercom", "jira", "looker"]
TEXTS = ["k1", "k2", "=k3", "none such"]
pairs = st.tuples(st.sampled_from(IDS), st.sampled_from(SYSTEMS))
rule_rows = st.lists(st.tuples(pairs, st.sampled_from(TEXTS)), unique=True)
file_rows = st.lists(st.tuples(pairs, st.sampled_from([*TEXTS, None])), unique=True)


def linked(rules: list[tuple[tuple[str, SourceName], str]], link_file: LinkFile, unknown: list[str]) -> Linked:
    rows = {"links": [{"account_id": account, "source": source, "key": key} for (account, source), key in rules]}
    accounts = frame("accounts", [{"account_id": account, "account_name": f"={account}"} for account in IDS])
    extracts = {
        source: Extract(
            source,
            {name: frame(name, rows.get(name, [])) for name in TABLES_OF[source]},
            unknown_keys=dict.fromkeys(unknown, "not_linked") if source == "jira" else {},
        )
        for source in NAMES
    }
    return link(accounts, extracts, SOURCES, NAMES, (), link_file=link_file)


@hypothesis_settings(max_examples=80, deadline=None)
@given(rule_rows, file_rows, st.lists(st.sampled_from(TEXTS), unique=True))
def test_a_mapping_file_that_is_given_back_unedited_changes_nothing(
    rules: list[tuple[tuple[str, SourceName], str]],
    file: list[tuple[tuple[str, SourceName], str | None]],
    unknown: list[str],
) -> None:
    said = {(pair, key): (pair, key) for pair, key in file if key or all(p != pair or not k for p, k in file)}
    link_file = LinkFile(links=tuple(FileLink(*pair, key, 2) for pair, key in said.values()))
    before = linked(rules, link_file, unknown)
    accounts = frame("accounts", [{"account_id": account, "account_name": f"={account}"} for account in IDS])
    target = io.BytesIO()
    harmless(mapping_file(rows_of(accounts, before))).write_csv(target)
    after = linked(rules, LinkFile(links=read(target.getvalue(), "links.csv")), unknown)
    assert after.reasons.equals(before.reasons)
    columns = ["source", "match", "account_id", "reason", "shared", "several"]
    assert after.claims.select(columns).equals(before.claims.select(columns))
    assert [problem.account_id for problem in after.problems] == [problem.account_id for problem in before.problems]
    again = io.BytesIO()
    harmless(mapping_file(rows_of(accounts, after)).drop("linked_by")).write_csv(again)
    assert read(again.getvalue(), "links.csv") == read(target.getvalue(), "links.csv")

"""links.csv in its long form, beside the mapping file with a column for each system."""

from pathlib import Path

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.records import FileLink
from accountpulse.settings import link_file
from accountpulse.settings.mapping import LinksBlock

A, B = "001000000000001AAA", "001000000000002"
HEADING = "account_id,account_name,system,key,key_name,decision,score,reasons,decided_at,decided_by,note"


def links(*lines: str, heading: str = "account_id,system,key,decision") -> tuple[FileLink, ...]:
    return link_file.read("\n".join([heading, *lines]).encode(), "links.csv")


def test_only_accepted_rows_link() -> None:
    found = links(f"{A},jira,Acme,accept", f"{A},jira,Beta,reject", f"{A},intercom,c-1,later", f"{B},jira,Gamma,")
    assert found == (FileLink(A, "jira", "Acme", 2),)


def test_rejected_rows_are_handed_on() -> None:
    data = f"account_id,system,key,decision\n{A},jira,Acme,accept\n{A},jira,Beta,reject\n"
    assert link_file.read_both(data.encode(), "links.csv")[1] == (FileLink(A, "jira", "Beta", 3),)


def test_the_form_is_told_by_the_heading() -> None:
    assert links(f"{A},Acme", heading="account_id,jira") == (FileLink(A, "jira", "Acme", 2),)
    assert link_file.decisions(f"account_id,jira\n{A},Acme".encode(), "links.csv") is None


def test_what_a_spreadsheet_saves_is_read_semicolons_case_and_all() -> None:
    data = f"\ufeffAccount_ID;System;Key;Decision;Score;Note\n{A};Jira;'=Acme;Accept;94.0;ask; \n".replace("; \n", "\n")
    found = link_file.decisions(data.encode(), "links.csv")
    assert found is not None
    assert found.links == (FileLink(A, "jira", "=Acme", 2),)
    assert found.table.select("system", "decision", "score", "note").rows() == [("jira", "accept", 94, "ask")]


def test_none_says_that_there_is_no_record() -> None:
    assert links(f"{A},jira,none,accept") == (FileLink(A, "jira", None, 2),)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",jira,Acme,accept", "no account_id"),
        ("4711,jira,Acme,accept", "'4711' is not a Salesforce id of 15 or 18 letters and digits"),
        (f"{A},jirra,Acme,accept", "'jirra' is none of intercom, jira, looker; did you mean 'jira'?"),
        (f"{A},jira,,accept", "no key"),
        (f"{A},intercom,6.4E+23,accept", "its digits are lost: copy the key anew"),
        (f"{A},jira,Acme,yes", "'yes' is none of accept, reject, later"),
        (f"{A},jira,Acme,accepted", "did you mean 'accept'?"),
        (f"{A},jira,BETA,reject", "the same account, system and key as in line 2; delete one of the two"),
        (f"{A},jira,none,accept", "none and a key for one account, see line 2"),
    ],
)
def test_mistakes_are_told_with_their_lines(line: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        links(f"{A},jira,Beta,accept", line)
    assert [problem for problem in refused.value.problems if problem.startswith("line 3: ") and told in problem]


def test_columns_that_are_missing_or_unknown_are_told() -> None:
    with pytest.raises(ConfigurationError) as refused:
        links(heading="account_id,decision,decison,key")
    told = "\n".join(refused.value.problems)
    for part in ("there is no column system", "'decison' is not a column of links.csv"):
        assert part in told


@pytest.mark.parametrize(
    ("heading", "line", "told"),
    [
        ("account_id,system,key,decision", f"{A},jira,Acme,accept,more", "line 2 has 5 cells, the heading 4"),
        ("account_id,system,key,key,decision", f"{A},jira,Acme,Acme,accept", "column 'key' is given twice"),
    ],
)
def test_a_table_whose_columns_are_not_clear_is_refused_as_any_other(heading: str, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        links(line, heading=heading)


def test_a_score_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="score: 'high' is no whole number"):
        links(f"{A},jira,Acme,accept,high", heading="account_id,system,key,decision,score")


def test_links_csv_beside_accountpulse_yaml_is_read_where_no_other_file_is_named(tmp_path: Path) -> None:
    assert link_file.load(LinksBlock(), tmp_path).links == ()
    (tmp_path / "links.csv").write_text(f"account_id,system,key,decision\n{A},jira,Acme,accept\n", encoding="utf-8")
    assert link_file.load(LinksBlock(), tmp_path).links == (FileLink(A, "jira", "Acme", 2),)
    (tmp_path / "other.csv").write_text("account_id,system,key,decision\n", encoding="utf-8")
    assert link_file.load(LinksBlock(file="other.csv"), tmp_path).links == ()
    with pytest.raises(ConfigurationError, match="can't be read"):
        link_file.load(LinksBlock(file="absent.csv"), tmp_path)

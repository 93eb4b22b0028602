"""The names in links.csv against those of the systems."""

import pytest

from accountpulse.accounts.link_names import contradictions, is_same_name
from accountpulse.cli.link_names import names_that_contradict
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import FileLink, LinkFile
from accountpulse.systems.extraction import CustomerList

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"
NAMES = {A: "Alpha Logistik GmbH", B: "Beta Inc", C: "Gamma"}


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Müller GmbH", "Mueller", True),
        ("Alpha Logistics Ltd", "ALPHA LOGISTICS", True),
        ("Weber Logistik", "Logistik Weber", True),
        ("Acme", "Acme Holding", True),
        ("Gamma AG (formerly Delta)", "Delta AG", True),
        ("Alpha Logistics", "Beta Logistics", False),
        ("Alpha", "Beta", False),
        ("---", "Beta", False),
    ],
)
def test_names_compare_as_companies_are_called_not_to_the_letter(one: str, two: str, *, same: bool) -> None:
    assert is_same_name(one, two) == same
    assert is_same_name(two, one) == same


def test_a_key_moved_by_a_row_contradicts_in_every_row_that_it_reached() -> None:
    moved = ((A, "i-b", 2, "Alpha"), (B, "i-c", 3, "Beta"), (C, "i-a", 4, "Gamma"))
    links = tuple(FileLink(account, "intercom", key, line, NAMES[account], name) for account, key, line, name in moved)
    theirs = CustomerList.of([("i-a", "Alpha", [], [], []), ("i-b", "Beta", [], [], []), ("i-c", None, [], [], [])])
    (note,) = names_that_contradict(LinkFile("links.xlsx", links), NAMES, {"intercom": theirs})
    assert "line 2 (key_name 'Alpha', in Intercom 'Beta'), line 4 (key_name 'Gamma', in Intercom 'Alpha')" in note
    assert "line 3" not in note  # Intercom gives it no name


def test_an_account_under_another_name_is_told_and_a_name_that_nobody_gives_is_not() -> None:
    links = (
        FileLink(A, "jira", "x", 2, "Beta Inc", None),
        FileLink(B, "jira", None, 3, "BETA", "Gamma"),
        FileLink("001000000000009AAA", "jira", "y", 4, "Nobody", "Nobody"),
    )
    ours = {comparable_id(account): name for account, name in NAMES.items()}
    found = list(contradictions(LinkFile("links.csv", links), ours, {"jira": {}}, {"jira": str.lower}))
    assert found == [(2, "account_name", "Beta Inc", None, "Alpha Logistik GmbH")]

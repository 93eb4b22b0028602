"""Whose account is whose parent, from the org's own words: one row an account, parents outside the list included."""

from typing import Any

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.sandbox.world.model import SObject
from salesforce_org import ONE, THREE, TWO, Org, Reader

Edges = dict[str, tuple[str | None, str | None]]


def edges(found: Any) -> Edges:
    table = found.extract.tables["parents"]
    return {row["account_id"]: (row["parent_id"], row["parent_name"]) for row in table.iter_rows(named=True)}


def outside(org: Org, name: str, parent: str | None = None) -> str:
    return org.add("Account", Name=name, Type="Prospect", ParentId=parent)


def test_a_customers_parent_is_read_with_its_name(org: Org, read: Reader) -> None:
    org.account(TWO)["ParentId"] = ONE
    found = edges(read(org))
    assert found == {ONE: (None, None), TWO: (ONE, ONE[-4:]), THREE: (None, None)}


def test_parents_that_are_no_customers_are_followed_up_so_that_those_below_meet(org: Org, read: Reader) -> None:
    top = outside(org, "Top")
    middle = outside(org, "Middle", top)
    org.account(ONE)["ParentId"] = middle
    org.account(TWO)["ParentId"] = top
    found = read(org)
    assert edges(found) == {
        ONE: (middle, "Middle"), TWO: (top, "Top"), THREE: (None, None), middle: (top, "Top"), top: (None, None),
    }  # fmt: skip
    assert (
        len([query for query in found.queries if query.startswith("SELECT Id, Name") and "FROM Account " in query]) == 1
    )  # the accounts' own


def test_of_a_long_line_five_parents_are_read(org: Org, read: Reader) -> None:
    line = [outside(org, "P0")]
    for number in range(1, 7):
        line.append(outside(org, f"P{number}", line[-1]))
    org.account(ONE)["ParentId"] = line[-1]
    came = read(org)
    found, notes = edges(came), came.notes
    assert found[ONE] == (line[6], "P6")
    assert found[line[3]] == (line[2], "P2")  # the fifth above is the last that a query can name
    assert line[1] not in found
    assert f"1 accounts have more, such as {ONE}" in notes


def test_a_parent_that_our_user_can_not_see_is_its_id_and_is_said(org: Org, read: Reader) -> None:
    nobody = "001Hu00000ZZZZZIA4"
    org.account(ONE)["ParentId"] = nobody
    found = read(org)
    parent, name = edges(found)[ONE]
    assert (parent or "")[:15] == nobody[:15]
    assert name is None
    assert "parents that our user can't see are shown by their ids: 1, such as 001" in found.notes


def test_a_lookup_of_ones_own_may_be_named(org: Org, read: Reader) -> None:
    org.field("Account", "Ultimate__c", "reference", reference_to="Account", relationship="Ultimate__r")
    org.account(ONE)["ParentId"] = THREE
    org.account(ONE)["Ultimate__c"] = TWO
    found = edges(read(org, "salesforce: {accounts: {parent: Ultimate__c}}"))
    assert found[ONE] == (TWO, TWO[-4:])


def test_a_parents_parent_is_no_lookup_of_the_account(org: Org, read: Reader) -> None:
    with pytest.raises(ConfigurationError, match="name a lookup of the account itself"):
        read(org, "salesforce: {accounts: {parent: Parent.ParentId}}")


def test_off_reads_no_parent(org: Org, read: Reader) -> None:
    org.account(ONE)["ParentId"] = TWO
    found = read(org, "salesforce: {accounts: {parent: null}}")
    assert edges(found) == {}
    assert not [query for query in found.queries if "ParentId" in query]


@pytest.mark.parametrize("change", ["absent", "of users"])
def test_a_field_that_is_no_lookup_of_accounts_makes_no_groups_and_no_error(
    org: Org, read: Reader, change: str
) -> None:
    kind: SObject = org.objects["Account"]
    if change == "absent":
        del kind.fields["ParentId"]
        for row in kind.rows:
            del row["ParentId"]
    else:
        kind.fields["ParentId"].reference_to = "User"
    found = read(org)
    assert edges(found) == {}
    assert "ParentId" in found.notes


def test_a_text_can_not_be_followed_and_that_is_said(org: Org, read: Reader) -> None:
    org.field("Account", "Group_Name__c", "string")
    org.account(TWO)["Group_Name__c"] = ONE
    found = read(org, "salesforce: {accounts: {parent: Group_Name__c}}")
    assert edges(found) == {}
    assert found.notes.count("Account.Group_Name__c is no lookup of accounts: there are no groups") == 1


def test_metrics_are_the_same_with_and_without_parents(org: Org, read: Reader) -> None:
    before = read(org).measured
    org.account(ONE)["ParentId"] = TWO
    org.account(TWO)["ParentId"] = ONE  # a circle
    assert read(org).measured.equals(before)


def test_the_currency_is_the_accounts_own(org: Org, read: Reader) -> None:
    org.field("Account", "CurrencyIsoCode", "string")
    for account, code in ((ONE, "USD"), (TWO, "EUR"), (THREE, "USD")):
        org.account(account)["CurrencyIsoCode"] = code
    table = read(org).extract.tables["parents"]
    assert dict(table.select("account_id", "currency").iter_rows()) == {ONE: "USD", TWO: "EUR", THREE: "USD"}

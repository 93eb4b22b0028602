"""Names of the company's own people: who owns an account, who logged a signal, and what is said of signals."""

from typing import Any

from accountpulse.sandbox.world.org import record_id
from salesforce_org import ONE, THREE, TWO, Org, Read, Reader, at

ANN, OTHER_ANN, BOB, QUEUE = (record_id("005", 1), record_id("005", 2), record_id("005", 3), record_id("00G", 4))
IDS = "salesforce: {accounts: {owner_as: id}}"


def people(org: Org) -> None:
    """Ann owns the first account and Bob, who has left, the second; another Ann owns nothing."""
    for user, name, active in ((ANN, "Ann Lee", True), (OTHER_ANN, "Ann Lee", True), (BOB, "Bob Ray", False)):
        org.add("User", Id=user, Name=name, IsActive=active)
    for account, owner in ((ONE, ANN), (TWO, BOB)):
        org.account(account)["OwnerId"] = owner


def owners(found: Read) -> list[tuple[Any, Any]]:
    """The owner of each account, as it is shown and as an id."""
    return [(row["owner"], row["owner_id"]) for row in (found.of(account) for account in (ONE, TWO, THREE))]


def test_an_owner_is_shown_by_name_with_the_id_beside_it(org: Org, read: Reader) -> None:
    people(org)
    found = read(org)
    assert owners(found) == [("Ann Lee", ANN), ("Bob Ray", BOB), (None, None)]
    # whose owner has left is counted, and nobody is named
    assert f"accounts: owner: the owner is an inactive user: 1 account, such as {TWO}; " in found.notes
    assert "Bob" not in found.notes


def test_two_owners_of_one_name_stay_apart(org: Org, read: Reader) -> None:
    people(org)
    org.account(THREE)["OwnerId"] = OTHER_ANN
    (one, two, three) = owners(read(org))
    assert one == (f"Ann Lee (…{ANN[-4:]})", ANN)
    assert two == ("Bob Ray", BOB)
    assert three == (f"Ann Lee (…{OTHER_ANN[-4:]})", OTHER_ANN)


def test_by_id_nothing_of_users_is_read(org: Org, read: Reader) -> None:
    people(org)
    found = read(org, IDS)
    assert owners(found) == [(ANN, ANN), (BOB, BOB), (None, None)]
    assert not any("Owner." in query for query in found.queries)
    assert "inactive" not in found.notes


def test_a_name_that_our_user_may_not_see_leaves_the_id_and_says_so_once(org: Org, read: Reader) -> None:
    people(org)
    org.objects["User"].rows.pop(1)
    org.account(THREE)["OwnerId"] = OTHER_ANN
    found = read(org)
    assert owners(found)[2] == (OTHER_ANN, OTHER_ANN)
    said = f"accounts: owner: the id is shown where the name can't be seen: 1 account, such as {THREE}; "
    assert found.notes.count(said) == 1
    assert "give our user read access to users, or write owner_as: id" in found.notes
    hidden = read(org, hidden={("User", "Name")})
    assert owners(hidden)[0] == (ANN, ANN)
    assert hidden.notes.count("owner: names of users can't be read by our user: Account.OwnerId is shown as an id") == 1


def test_a_lookup_of_the_companys_own_and_a_queue_are_named_too(org: Org, read: Reader) -> None:
    people(org)
    org.object("Group", "00G", Name="string")
    org.add("Group", Id=QUEUE, Name="Pooled customers")
    for each, to, values in (("Csm__c", "User", (BOB, ANN)), ("Desk__c", "Group", (QUEUE, None))):
        org.field("Account", each, "reference", reference_to=to, relationship=each.replace("__c", "__r"))
        for account, value in zip((ONE, TWO), values, strict=True):
            org.account(account)[each] = value
    assert owners(read(org, "salesforce: {accounts: {owner: Csm__c}}"))[:2] == [("Bob Ray", BOB), ("Ann Lee", ANN)]
    found = read(org, "salesforce: {accounts: {owner: Desk__c}}")
    assert owners(found)[:2] == [("Pooled customers", QUEUE), (None, None)]


def test_a_contact_is_a_customers_person_and_is_never_named(org: Org, read: Reader) -> None:
    person = org.add("Contact", Name="Cleo Customer", AccountId=ONE)
    org.field("Account", "Sponsor__c", "reference", reference_to="Contact", relationship="Sponsor__r")
    org.account(ONE)["Sponsor__c"] = person
    found = read(org, "salesforce: {accounts: {owner: Sponsor__c}}")
    assert owners(found)[0] == (person, person)
    assert not any("Sponsor__r" in query for query in found.queries)
    assert "owner: Account.Sponsor__c leads to Contact, and only users are named: the id is shown" in found.notes


def test_a_text_stays_as_it_is_unless_it_is_a_users_id(org: Org, read: Reader) -> None:
    org.field("Account", "Csm_Name__c", "string")
    for account, text in ((ONE, "Ann Lee"), (TWO, "CustomerSuccess"), (THREE, BOB[:15])):
        org.account(account)["Csm_Name__c"] = text
    found = read(org, "salesforce: {accounts: {owner: Csm_Name__c}}")
    assert owners(found) == [("Ann Lee", None), ("CustomerSuccess", None), (BOB, BOB)]


# --- signals -----------------------------------------------------------------------------------------------------


def signal(org: Org, **values: Any) -> None:
    usual = {"Account__c": ONE, "Severity__c": "Critical", "Status__c": "Active", "Signal_Date__c": at("2026-10-10")}
    org.add("Churn_Signal__c", **usual, **values)


def test_a_signal_has_its_title_and_whose_it_is(org: Org, read: Reader) -> None:
    people(org)
    signal(org, Category__c="Budget", CreatedById=BOB)
    signal(org)
    kept = read(org).extract.tables["signals"]
    assert kept.select("title", "owner").rows() == [("Budget", "Bob Ray"), (None, None)]
    assert read(org, IDS).extract.tables["signals"]["owner"].to_list() == [BOB, None]


def test_a_long_title_is_cut_and_stands_on_one_line(org: Org, read: Reader) -> None:
    signal(org, Description__c="They will\nleave\x1b[31m us. " + "So it goes. " * 30)
    (title,) = read(org, "signals: {title: Description__c}").extract.tables["signals"]["title"]
    assert title.startswith("They will leave us. So it goes.")
    assert title.endswith("…")
    assert len(title) <= 120


def test_an_object_without_such_fields_has_none_and_only_one_that_was_named_is_missed(org: Org, read: Reader) -> None:
    for each in ("Category__c", "CreatedById"):
        del org.objects["Churn_Signal__c"].fields[each]
    signal(org)
    found = read(org)
    assert found.extract.tables["signals"].select("title", "owner").rows() == [(None, None)]
    assert "Category__c" not in found.notes
    named = read(org, "signals: {title: Headline__c}")
    assert "signals: field Churn_Signal__c.Headline__c is absent" in named.notes
    assert named.values("critical_signals")[0] == 1

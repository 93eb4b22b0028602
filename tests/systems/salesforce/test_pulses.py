"""What the CSMs said of the accounts, from fields and from records; who got a new owner; what sales expect."""

from typing import Any

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Period, scope_of
from accountpulse.sandbox.world.org import record_id
from salesforce_org import ONE, THREE, TWO, Org, Read, Reader, at, day
from support import NOW

ANN, BOB = record_id("005", 1), record_id("005", 2)
RECORDS = """
salesforce:
  pulse:
    from: records
    object: Check_In__c
    account: Customer__c
    value: Mood__c
    date: Held_On__c
    author: null
    reason: Notes__c
    green: [Gut]
    yellow: [Mittel]
    red: [Schlecht]
"""
Said = dict[str, tuple[Any, ...]]


def pulse(org: Org, account: str, value: str | None, given: str | None = "2026-10-05T09:00:00", **more: Any) -> None:
    """What stands in an account's fields."""
    org.account(account).update({"Pulse__c": value, "Pulse_Date__c": given and at(given), **more})


def said(found: Read) -> Said:
    """By account: colour, the day it was given, and what is in doubt."""
    rows = found.extract.tables["pulses"].iter_rows(named=True)
    return {
        row["account_id"]: (row["colour"], row["given_at"] and str(row["given_at"].date()), row["doubt"])
        for row in rows
    }


def test_fields_say_colour_day_author_and_reason(org: Org, read: Reader) -> None:
    org.add("User", Id=ANN, Name="Ann Lee", IsActive=True)
    pulse(org, ONE, "Red", Pulse_Author__c=ANN, Pulse_Reason__c="Sponsor\nleft \x1b[31mus")
    pulse(org, TWO, "green")  # the case of a value is of no account
    pulse(org, THREE, None)
    found = read(org)
    assert said(found) == {ONE: ("red", "2026-10-05", None), TWO: ("green", "2026-10-05", None)}
    row = found.extract.tables["pulses"].row(0, named=True)
    assert (row["author"], row["author_id"], row["reason"]) == ("Ann Lee", ANN, "Sponsor left us")
    assert "Sponsor" not in found.notes
    assert "Ann" not in found.notes


def test_by_id_no_author_is_named(org: Org, read: Reader) -> None:
    org.add("User", Id=ANN, Name="Ann Lee", IsActive=True)
    pulse(org, ONE, "Red", Pulse_Author__c=ANN)
    row = read(org, "salesforce: {accounts: {owner_as: id}}").extract.tables["pulses"].row(0, named=True)
    assert (row["author"], row["author_id"]) == (ANN, ANN)


@pytest.mark.parametrize(
    ("stands", "means", "note"),
    [
        (("Purple", "2026-10-05T09:00:00"), (None, None, "unclear"), "list ('Purple') is unclear: 1 account, such as "),
        (("Red", None), ("red", None, None), f"a pulse without a date doesn't count: 1 account, such as {ONE}"),
        (("Red", "2026-11-01T00:00:00"), (None, None, "unclear"), f"hides the one before: 1 account, such as {ONE}"),
        (("Red", "2026-10-31T23:59:59"), ("red", "2026-10-31", None), ""),
        (("Red", "2093-01-01T00:00:00"), (None, None, "unclear"), "given after the time that is measured"),
        (("  ", "2026-10-05T09:00:00"), None, ""),
    ],
)
def test_what_can_not_be_known_is_said(
    org: Org, read: Reader, stands: tuple[str, str | None], means: tuple[Any, ...] | None, note: str
) -> None:
    org.objects["Account"].fields["Pulse__c"].values.append("Purple")
    pulse(org, ONE, *stands)
    found = read(org)
    assert said(found).get(ONE) == means
    assert note in found.notes
    assert ("pulse" in found.notes) == bool(note)


def test_an_org_without_these_fields_has_no_pulses_and_no_word_of_them(org: Org, read: Reader) -> None:
    for name in ("Pulse__c", "Pulse_Date__c", "Pulse_Author__c", "Pulse_Reason__c"):
        del org.objects["Account"].fields[name]
    found = read(org)
    assert said(found) == {}
    assert "pulse" not in found.notes
    assert not any("Pulse" in query or "'Owner'" in query for query in found.queries)


@pytest.mark.parametrize(
    "text",
    [
        "salesforce: {pulse: {value: Feeling__c}}",
        "salesforce: {pulse: {value: Seats__c, green: [Good]}}",  # no number is called so; it is read, and unclear
        RECORDS,
    ],
)
def test_a_name_that_the_org_lacks_leaves_every_pulse_unread_and_costs_nothing_else(
    org: Org, read: Reader, text: str
) -> None:
    before = read(org, "salesforce: {pulse: none}")
    found = read(org, text)
    expected = {} if "Seats__c" in text else dict.fromkeys((ONE, TWO, THREE), (None, None, "unread"))
    assert said(found) == expected
    assert found.measured.equals(before.measured)
    assert ("pulse: " in found.notes) == bool(expected)


def test_a_field_that_our_user_may_not_read_is_said_where_the_date_beside_it_is_seen(org: Org, read: Reader) -> None:
    found = read(org, hidden=frozenset({("Account", "Pulse__c")}))
    assert "pulse: field Account.Pulse__c is absent, or our user may not read it" in found.notes
    assert {doubt for *_, doubt in said(found).values()} == {"unread"}


def test_a_picklist_that_has_none_of_the_values_is_unread(org: Org, read: Reader) -> None:
    org.objects["Account"].fields["Pulse__c"].values[:] = ["Gut", "Schlecht"]
    pulse(org, ONE, "Gut")
    found = read(org)
    assert said(found)[ONE] == (None, None, "unread")
    assert "'Green' is no value of Account.Pulse__c, which has Gut, Schlecht" in found.notes
    named = read(org, "salesforce: {pulse: {green: [Gut], yellow: [], red: [Schlecht]}}")
    assert said(named) == {ONE: ("green", "2026-10-05", None)}


def test_of_a_text_nobodys_words_are_logged(org: Org, read: Reader) -> None:
    org.field("Account", "Mood__c", "string")
    pulse(org, ONE, None, Mood__c="Anna says that they are leaving")
    found = read(org, "salesforce: {pulse: {value: Mood__c}}")
    assert said(found) == {ONE: (None, None, "unclear")}
    assert f"list is unclear: 1 account, such as {ONE}" in found.notes
    assert "Anna" not in found.notes


def test_a_number_of_points_may_be_a_pulse(org: Org, read: Reader) -> None:
    org.field("Account", "Points__c", "double")
    pulse(org, ONE, None, Points__c=2.0)
    text = 'salesforce: {pulse: {value: Points__c, green: ["4", "5"], yellow: ["3"], red: ["1", "2"]}}'
    assert said(read(org, text)) == {ONE: ("red", "2026-10-05", None)}


def test_one_value_is_of_one_colour(org: Org, read: Reader) -> None:
    with pytest.raises(ConfigurationError, match="'red' can't be of two colours"):
        read(org, "salesforce: {pulse: {yellow: [Red]}}")


# --- records ---------------------------------------------------------------------------------------------------


def check_ins(org: Org, *rows: tuple[str | None, str, str | None]) -> None:
    """Records of an object of the org's own: account, value, day."""
    org.object("Check_In__c", "a7M", Customer__c="reference", Mood__c="picklist", Held_On__c="date", Notes__c="string")
    org.objects["Check_In__c"].fields["Customer__c"].reference_to = "Account"
    org.objects["Check_In__c"].fields["Mood__c"].values[:] = ["Gut", "Mittel", "Schlecht"]
    for number, (account, value, held) in enumerate(rows):
        made = at(f"2026-10-09T{number:02d}:00:00")
        org.add("Check_In__c", Customer__c=account, Mood__c=value, Held_On__c=held and day(held), CreatedDate=made)


def test_of_records_the_last_before_the_month_ended_counts(org: Org, read: Reader) -> None:
    check_ins(
        org,
        (ONE, "Gut", "2026-09-01"), (ONE, "Schlecht", "2026-10-02"), (ONE, "Gut", "2026-10-01"),
        (ONE, "Gut", "2026-11-01"),  # after the month
        (TWO, "Gut", "2026-10-02"), (TWO, "Mittel", "2026-10-02"),  # of one day, the one that was made later
        (THREE, "Mittel", None),  # nobody knows when
        (None, "Gut", "2026-10-02"),
    )  # fmt: skip
    found = read(org, RECORDS)
    assert said(found) == {
        ONE: ("red", "2026-10-02", None), TWO: ("yellow", "2026-10-02", None), THREE: ("yellow", None, None),
    }  # fmt: skip
    assert f"a pulse without a date doesn't count: 1 account, such as {THREE}" in found.notes
    counts = found.extract.counts["pulses"]
    assert (counts.came, counts.kept) == (7, 3)  # the org was asked for those before the month's end alone


def test_two_records_of_one_instant_that_differ_are_unclear(org: Org, read: Reader) -> None:
    check_ins(
        org,
        (ONE, "Gut", "2026-10-02"),
        (ONE, "Schlecht", "2026-10-02"),
        (TWO, "Gut", "2026-10-02"),
        (TWO, "gut", "2026-10-02"),
    )
    for row in org.objects["Check_In__c"].rows:
        row["CreatedDate"] = at("2026-10-09T00:00:00")
    assert said(read(org, RECORDS)) == {ONE: (None, None, "unclear"), TWO: ("green", "2026-10-02", None)}


def test_two_values_of_one_colour_are_one_pulse(org: Org, read: Reader) -> None:
    check_ins(org, (ONE, "Gut", "2026-10-02"), (ONE, "Mittel", "2026-10-02"))
    for row in org.objects["Check_In__c"].rows:
        row["CreatedDate"] = at("2026-10-09T00:00:00")
    found = read(org, RECORDS.replace("green: [Gut]", "green: [Gut, Mittel]").replace("yellow: [Mittel]", "yellow: []"))
    assert said(found) == {ONE: ("green", "2026-10-02", None)}


def test_an_answer_that_makes_no_sense_costs_no_account_its_score(org: Org, read: Reader) -> None:
    before = read(org, "salesforce: {pulse: none}")
    check_ins(org, (ONE, "Gut", "2026-10-02"))
    org.objects["Check_In__c"].rows[0]["Id"] = "no record's id"
    found = read(org, RECORDS)
    assert {doubt for *_, doubt in said(found).values()} == {"unread"}
    assert "pulse: the pulses can't be read: " in found.notes
    assert found.measured.equals(before.measured)


def test_a_deleted_record_says_nothing(org: Org, read: Reader) -> None:
    check_ins(org, (ONE, "Gut", "2026-10-02"), (ONE, "Schlecht", "2026-10-03"))
    org.objects["Check_In__c"].rows[-1]["IsDeleted"] = True
    assert said(read(org, RECORDS)) == {ONE: ("green", "2026-10-02", None)}


# --- owners ----------------------------------------------------------------------------------------------------


def changed(org: Org, account: str, when: str, *values: tuple[str, str], field: str = "Owner") -> None:
    for old, new in values:
        org.add("AccountHistory", AccountId=account, Field=field, OldValue=old, NewValue=new, CreatedDate=at(when))


def changes(found: Read) -> list[tuple[Any, ...]]:
    return [(account, str(when.date()), owner) for account, when, owner in found.extract.tables["owner_changes"].rows()]


def test_a_change_of_owner_is_one_whatever_rows_tell_of_it(org: Org, read: Reader) -> None:
    pulse(org, ONE, "Red")
    changed(org, ONE, "2026-10-07T09:00:00", ("Bob Ray", "Ann Lee"), (BOB, ANN))
    changed(org, TWO, "2026-10-07T09:00:00", (ANN, BOB), ("Ann Lee", "Bob Ray"))
    changed(org, THREE, "2026-10-07T09:00:00", ("Ann Lee", "Bob Ray"))
    changed(org, THREE, "2026-11-01T00:00:00", (BOB, ANN))  # after the month
    changed(org, THREE, "2026-06-03T23:59:59", (BOB, ANN))  # of a time of which every pulse is void
    changed(org, THREE, "2026-10-07T09:00:00", ("Gold", "Silver"), field="Tier__c")
    org.add("Account", Id=(prospect := record_id("001", 777)), Name="P", Type="Prospect")
    changed(org, prospect, "2026-10-07T09:00:00", (BOB, ANN))
    found = read(org)
    assert changes(found) == [
        (ONE, "2026-10-07", ANN), (TWO, "2026-10-07", BOB), (THREE, "2026-10-07", None), (THREE, "2026-11-01", ANN),
    ]  # fmt: skip


def test_a_lookup_of_ones_own_is_followed_under_its_own_name(org: Org, read: Reader) -> None:
    org.field("Account", "Csm__c", "reference", reference_to="User", relationship="Csm__r")
    pulse(org, ONE, "Red")
    changed(org, ONE, "2026-10-07T09:00:00", (BOB, ANN))
    changed(org, TWO, "2026-10-07T09:00:00", (BOB, ANN), field="Csm__c")
    assert changes(read(org, "salesforce: {accounts: {owner: Csm__c}}")) == [(TWO, "2026-10-07", ANN)]


def test_without_pulses_nobody_asks_for_owners(org: Org, read: Reader) -> None:
    assert not [query for query in read(org).queries if "'Owner'" in query]


def test_an_org_without_a_history_is_said_and_costs_no_pulse(org: Org, read: Reader) -> None:
    pulse(org, ONE, "Red")
    del org.objects["AccountHistory"]
    found = read(org)
    assert said(found) == {ONE: ("red", "2026-10-05", None)}
    assert "pulse: object AccountHistory is absent" in found.notes


# --- forecast --------------------------------------------------------------------------------------------------


def deal(org: Org, category: str | None, due: str = "2026-12-01", account: str = ONE, **more: Any) -> None:
    org.add("Opportunity", AccountId=account, Type="Renewal", CloseDate=day(due), ForecastCategory=category, **more)


def forecasts(found: Read) -> list[Any]:
    return found.extract.tables["renewals"].sort("due")["forecast"].to_list()


@pytest.mark.parametrize(
    ("category", "means"),
    [
        ("Forecast", "likely"), ("Closed", "likely"), ("Omitted", "unlikely"), ("Pipeline", "open"),
        ("BestCase", "open"), ("MostLikely", "open"), (None, None),
    ],
)  # fmt: skip
def test_the_categories_by_their_api_names(org: Org, read: Reader, category: str | None, means: str | None) -> None:
    deal(org, category)
    assert forecasts(read(org)) == [means]


def test_a_field_of_ones_own_says_it_in_its_own_words(org: Org, read: Reader) -> None:
    org.field("Opportunity", "Aussicht__c", "picklist", values=["Sicher", "Offen", "Verloren"])
    deal(org, "Forecast", Aussicht__c="verloren")
    text = "salesforce: {renewal: {forecast: {field: Aussicht__c, likely: [Sicher], unlikely: [Verloren]}}}"
    assert forecasts(read(org, text)) == ["unlikely"]


def test_without_the_field_or_by_none_nothing_is_expected_and_the_renewals_stay(org: Org, read: Reader) -> None:
    deal(org, "Forecast")
    off = read(org, "salesforce: {renewal: {forecast: none}}")
    assert forecasts(off) == [None]
    assert not [query for query in off.queries if "ForecastCategory" in query]
    del org.objects["Opportunity"].fields["ForecastCategory"]
    usual = read(org)
    assert forecasts(usual) == [None]
    assert "forecast" not in usual.notes
    named = read(org, "salesforce: {renewal: {forecast: {field: Outlook__c}}}")
    assert forecasts(named) == [None]
    assert "Opportunity.Outlook__c is absent" in named.notes
    assert off.measured.equals(usual.measured)


def test_a_contract_or_a_date_of_the_account_has_no_forecast(org: Org, read: Reader) -> None:
    org.account(ONE)["Renewal_Date__c"] = day("2026-12-05")
    org.add("Contract", AccountId=TWO, Status="Activated", EndDate=day("2026-12-04"))
    assert forecasts(read(org)) == [None, None]


def test_pulses_of_an_earlier_month_are_those_of_then(org: Org, read: Reader) -> None:
    pulse(org, ONE, "Red", "2026-10-05T09:00:00")
    pulse(org, TWO, "Red", "2026-09-05T09:00:00")
    september = read(org, at=scope_of(Period(2026, 9), NOW))
    assert said(september) == {ONE: (None, None, "unclear"), TWO: ("red", "2026-09-05", None)}

"""What may be concluded from an org's records, and what stays unknown: each on an org small enough to see it.

October 2026 is measured: as_of is 2026-11-01T00:00Z, the 365 days begin on 2025-11-01, the 90 days on 2026-08-03. The
org's clock says NOW, 2026-11-23. What is right is said by Salesforce's Object Reference and SOQL reference.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from accountpulse.core.period import Period, scope_of
from accountpulse.settings import load
from salesforce_org import ONE, THREE, TWO, Org, Reader, at, day
from support import NOW

MISSING = "field_missing"


# --- renewals: the first strategy that answers, for each account (rule 7) ------------------------------------------


def old_contracts(org: Org) -> None:
    for account in (ONE, TWO):
        org.add("Contract", AccountId=account, Status="Activated", EndDate=day("2024-06-30"))
    org.add("Contract", AccountId=ONE, Status="Activated", EndDate=None)
    org.account(TWO)["Renewal_Date__c"] = day("2027-06-30")


def test_a_contract_that_ended_long_ago_is_no_renewal_and_hides_none(org: Org, read: Reader) -> None:
    old_contracts(org)
    assert read(org).values("days_to_renewal") == ["no_evidence", 241, "no_evidence"]


def test_how_long_overdue_a_renewal_may_be_is_the_mappings(org: Org, read: Reader) -> None:
    old_contracts(org)
    text = """salesforce: {renewal: {overdue_days: 900, strategies: [
      {from: contract, date: EndDate, only: {field: Status, values: [Activated]}}]}}"""
    assert read(org, text).values("days_to_renewal") == [-854, -854, "no_evidence"]


def test_a_list_of_strategies_stands_for_the_whole_part(org: Org, read: Reader) -> None:
    old_contracts(org)
    assert read(org, "salesforce: {renewal: [{from: account, date: Renewal_Date__c}]}").values("days_to_renewal") == [
        "no_evidence",
        241,
        "no_evidence",
    ]


# --- business reviews: archives, series, records without a day (rules 3, 4, 5) -------------------------------------


def test_activities_and_histories_are_asked_for_with_the_archive_and_without_deleted_ones(
    org: Org, read: Reader
) -> None:
    org.add("Event", AccountId=TWO, Subject="QBR", ActivityDate=day("2025-11-10"))
    org.add("Event", AccountId=TWO, Subject="QBR", ActivityDate=day("2025-12-10"), IsDeleted=True)
    text = "salesforce: {outcomes: none, reviews: {expected_per_year: {Silver: 2}}}"  # outcomes want deleted ones
    found = read(org, text)
    assert found.of(TWO)["qbr_attendance"] == 50
    for name in ("Event", "Task", "AccountHistory"):
        asked = [(path, query) for path, query in found.asked if f" FROM {name} " in query]
        assert asked
        assert all(path.rstrip("/").endswith("/queryAll") and "IsDeleted = false" in query for path, query in asked)


def reviews_of_two(org: Org, **values: Any) -> None:
    """Silver is owed one review a year."""
    for name in ("IsRecurrence", "IsRecurrence2"):
        org.field("Event", name, "boolean")
    org.field("Event", "GroupEventType", "picklist", values=["0", "1", "2", "3"])
    org.add("Event", AccountId=TWO, Subject="QBR", ActivityDate=day("2026-05-04"), **values)


@pytest.mark.parametrize(
    ("series", "held"),
    [
        ({"IsRecurrence": True}, 0),  # Salesforce Classic: the record of the series
        ({"GroupEventType": "3"}, 0),  # Lightning: the record of the pattern
        ({"IsRecurrence2": True, "GroupEventType": "0"}, 100),  # an occurrence
        ({"IsChild": True}, 0),  # the same event in an invitee's calendar
        ({"No_Show__c": True}, 0),
    ],
)
def test_the_record_of_a_series_is_no_review_and_an_occurrence_is(
    org: Org, read: Reader, series: dict[str, Any], held: float
) -> None:
    reviews_of_two(org, **series)
    assert read(org).of(TWO)["qbr_attendance"] == held


def test_a_finished_task_without_a_due_date_makes_its_account_unknown(org: Org, read: Reader) -> None:
    org.add("Task", AccountId=TWO, Subject="QBR", IsClosed=True, LastModifiedDate=at("2026-06-01T10:00"))
    org.add("Task", AccountId=ONE, Subject="QBR", IsClosed=False)
    found = read(org, "salesforce: {reviews: {expected_per_year: {Silver: 1, Bronze: 1}}}")
    assert found.values("qbr_attendance") == [0, "unclear", "not_configured"]
    assert f"reviews: a business review (Task) without a day: 1 account, such as {TWO}" in found.notes


def test_a_task_that_the_digest_made_is_no_review(org: Org, read: Reader) -> None:
    review = {"AccountId": TWO, "Subject": "Customer health: QBR overdue", "IsClosed": True}
    org.add("Task", **review, ActivityDate=day("2026-05-04"), Accountpulse_Key__c=f"{TWO}-2026-05-04-0123456789ab")
    assert read(org).of(TWO)["qbr_attendance"] == 0
    org.add("Task", **review, ActivityDate=day("2026-05-04"))
    assert read(org).of(TWO)["qbr_attendance"] == 100


@pytest.mark.parametrize(
    ("dates", "held"),
    [
        ({"CompletedDateTime": at("2026-06-01T10:00")}, 100),
        ({"CompletedDateTime": at("2025-06-01T10:00")}, 0),
        ({"LastModifiedDate": at("2025-10-31T23:00")}, 0),  # whatever it was, it was over by then
        ({"CreatedDate": at("2026-11-02T00:00"), "LastModifiedDate": at("2026-11-02T00:00")}, 0),
    ],
)
def test_what_else_a_task_says_of_its_day_is_believed(
    org: Org, read: Reader, dates: dict[str, datetime], held: float
) -> None:
    org.field("Task", "CompletedDateTime", "datetime")
    org.add("Task", **{"AccountId": TWO, "Subject": "QBR", "IsClosed": True} | dates)
    assert read(org).of(TWO)["qbr_attendance"] == held


def test_an_activity_about_the_account_itself_is_its_own(org: Org, read: Reader) -> None:
    org.add("Event", AccountId=None, WhatId=TWO, Subject="QBR", ActivityDate=day("2026-05-04"))
    org.add("Event", AccountId=None, Subject="QBR", ActivityDate=day("2026-05-04"))
    found = read(org)
    assert found.of(TWO)["qbr_attendance"] == 100
    assert found.extract.tables["reviews"]["account_id"].to_list() == [TWO, None]


def test_a_no_show_that_is_no_checkbox_leaves_reviews_unknown(org: Org, read: Reader) -> None:
    org.field("Event", "Outcome__c", "picklist", values=["Held", "No show"])
    reviews_of_two(org)
    found = read(org, "salesforce: {reviews: {objects: [Event], no_show: Outcome__c}}")
    assert found.values("qbr_attendance") == [MISSING] * 3
    assert "reviews: no_show: Event.Outcome__c is a picklist field" in found.notes


# --- champions: kinds, hidden contacts (rules 2, 5, 10) ------------------------------------------------------------


def champion(org: Org, account: str, **values: Any) -> str:
    person = org.add("Contact", AccountId=account, **values)
    deal = org.add("Opportunity", AccountId=account, IsWon=True, IsClosed=True, CloseDate=day("2026-01-01"))
    org.add("OpportunityContactRole", OpportunityId=deal, ContactId=person, Role="Decision Maker")
    return person


LEFT = "salesforce: {champions: {from: role, contact_left: Left__c%s}}"


def test_a_departure_that_is_kept_in_words_needs_its_values(org: Org, read: Reader) -> None:
    org.field("Contact", "Left__c", "picklist", values=["Yes", "No"])
    champion(org, ONE, Left__c="No")
    champion(org, TWO, Left__c="yes")
    champion(org, THREE, Left__c=None)
    found = read(org, LEFT % "")
    assert found.values("champion_stability") == [MISSING] * 3
    assert "champions: contact_left: Contact.Left__c is a picklist, no checkbox" in found.notes
    assert read(org, LEFT % ", left_values: ['Yes']").values("champion_stability") == [100, 0, 100]
    absent = read(org, LEFT % ", left_values: [Gone]")
    assert absent.values("champion_stability") == [MISSING] * 3
    assert "left_values: 'Gone' is no value of Contact.Left__c, which has Yes, No" in absent.notes


def test_a_text_is_compared_with_the_mappings_values_and_never_for_truth(org: Org, read: Reader) -> None:
    org.field("Contact", "Left__c", "string")
    for account, value in ((ONE, "no"), (TWO, " HAS LEFT "), (THREE, "")):
        champion(org, account, Left__c=value)
    assert read(org, LEFT % ", left_values: [has left]").values("champion_stability") == [100, 0, 100]


def test_a_day_of_leaving_counts_from_then_on(org: Org, read: Reader) -> None:
    org.field("Contact", "Left__c", "date")
    for account, value in ((ONE, day("2026-11-01")), (TWO, day("2026-10-31")), (THREE, None)):
        champion(org, account, Left__c=value)
    assert read(org, LEFT % "").values("champion_stability") == [100, 0, 100]


def test_mail_that_bounced_after_the_month_says_nothing_of_it(org: Org, read: Reader) -> None:
    champion(org, ONE, EmailBouncedDate=at("2026-11-01T00:00"))
    champion(org, TWO, EmailBouncedDate=at("2026-10-31T23:59"))
    assert read(org).values("champion_stability") == [100, 0, "no_evidence"]


def test_a_field_of_a_kind_that_says_nothing_leaves_champions_unknown(org: Org, read: Reader) -> None:
    org.field("Contact", "Left__c", "currency")
    champion(org, ONE)
    found = read(org, LEFT % "")
    assert found.values("champion_stability") == [MISSING] * 3
    assert "contact_left: Contact.Left__c is a currency field" in found.notes


def test_a_value_that_the_org_no_longer_lists_says_nothing(org: Org, read: Reader) -> None:
    org.field("Contact", "Left__c", "picklist", values=["Yes", "No"])
    champion(org, ONE, Left__c="Sabbatical")
    champion(org, TWO, Left__c="No")
    assert read(org, LEFT % ", left_values: ['Yes']").values("champion_stability") == ["unclear", 100, "no_evidence"]


# --- signals: null dates, unknown severities (rules 3, 10) ---------------------------------------------------------


def signal(org: Org, account: str | None = ONE, **values: Any) -> str:
    usual = {"Severity__c": "Critical", "Status__c": "Active", "Confidence__c": "Confirmed"}
    usual["Signal_Date__c"] = at("2026-09-15T00:00")  # type: ignore[assignment]
    return org.add("Churn_Signal__c", Account__c=account, **usual | values)


def test_a_signal_without_a_date_is_open_since_long_ago(org: Org, read: Reader) -> None:
    signal(org, Signal_Date__c=None, CreatedDate=at("2026-09-15T00:00"))
    signal(org, TWO, Signal_Date__c=None, CreatedDate=at("2026-11-05T00:00"))  # nobody had logged it by then
    found = read(org)
    assert found.values("critical_signals") == found.values("critical_confirmed_signals") == [1, 0, 0]


@pytest.mark.parametrize("severity", [None, "Severe"])
def test_a_severity_that_nobody_can_place_makes_its_accounts_signals_unknown(
    org: Org, read: Reader, severity: str | None
) -> None:
    signal(org, Severity__c=severity)
    signal(org, TWO)
    found = read(org)
    for metric in ("critical_signals", "moderate_signals", "watch_signals", "monitoring_reduction"):
        assert found.values(metric)[0] == "unclear"
    assert found.values("critical_signals")[1:] == [1, 0]


def test_a_status_or_confidence_that_the_org_no_longer_lists_says_nothing(org: Org, read: Reader) -> None:
    signal(org, Status__c="Parked")
    signal(org, TWO, Confidence__c="Sure")
    found = read(org)
    assert found.values("critical_signals") == ["unclear", 1, 0]
    assert found.values("critical_confirmed_signals") == ["unclear", "unclear", 0]


def test_signals_of_no_account_are_told(org: Org, read: Reader) -> None:
    lost = signal(org, None)
    found = read(org)
    assert found.values("critical_signals") == [0, 0, 0]
    assert f"signals: 1 open signals name no account and count for nobody, such as {lost}" in found.notes


def test_a_text_that_is_no_record_id_is_nobodys_and_a_short_id_is_the_accounts(org: Org, read: Reader) -> None:
    org.field("Churn_Signal__c", "Customer__c", "string")
    signal(org, None, Customer__c=ONE[:15])
    stray = signal(org, None, Customer__c="Acme Inc.")
    found = read(org, "signals: {account: Customer__c}")
    assert found.values("critical_signals") == [1, 0, 0]
    assert f"Churn_Signal__c.Customer__c is no record id: whose it is can't be known: 1 record, such as {stray}" in (
        found.notes
    )


def test_a_signal_that_was_closed_before_it_began_and_is_not_resolved_is_unclear(org: Org, read: Reader) -> None:
    for account, status in ((ONE, "Active"), (TWO, "Resolved")):
        dates = {"Signal_Date__c": at("2026-10-15T00:00"), "Closed_Date__c": at("2026-08-01T00:00")}
        signal(org, account, Status__c=status, **dates)
    signal(org, THREE, Closed_Date__c=at("2026-10-01T00:00"))  # closed after it began, whatever its status says
    found = read(org)
    assert found.values("critical_signals") == found.values("critical_confirmed_signals") == ["unclear", 0, 0]
    assert f"a signal that isn't resolved and was closed before it began: 1 account, such as {ONE}" in found.notes


def test_a_signal_that_may_have_been_resolved_after_the_month_is_unclear(org: Org, read: Reader) -> None:
    org.field("Churn_Signal__c", "LastModifiedDate", "datetime")
    for account, changed in ((ONE, "2026-11-10T00:00"), (TWO, "2026-10-10T00:00")):
        signal(org, account, Status__c="Resolved", LastModifiedDate=at(changed))
    assert read(org).values("critical_signals") == ["unclear", 0, 0]


def test_a_lookup_of_another_object_names_no_account(org: Org, read: Reader) -> None:
    for name in ("Churn_Signal__c", "Case", "Opportunity"):
        org.field(name, "Contract__c", "reference", reference_to="Contract")
    signal(org)
    found = read(
        org,
        """{signals: {account: Contract__c}, salesforce: {payment: {from: case, account: Contract__c},
        downgrades: {account: Contract__c}}}""",
    )
    for metric in ("critical_signals", "payment_health", "contract_changes"):
        assert found.values(metric) == [MISSING] * 3
    assert (
        "Churn_Signal__c.Contract__c is a Lookup(Contract) field, and this key takes a Lookup(Account)" in found.notes
    )


def test_a_status_that_is_empty_is_neither_resolved_nor_monitored(org: Org, read: Reader) -> None:
    signal(org, Status__c=None)
    assert read(org, "signals: {monitoring: [none], resolved: [None]}").values("critical_signals") == [1, 0, 0]


# --- payment: null dates, kinds (rules 2, 3) -----------------------------------------------------------------------

CASES = """salesforce: {payment: {from: case, object: Trouble__c, account: Account__c, only: null,
  opened: Opened__c, closed: Closed__c}}"""


@pytest.mark.parametrize(
    ("opened", "closed", "right"),
    [
        (None, None, 1),  # open since long ago
        (None, "2026-11-05T00:00", 1),  # open at as_of
        (None, "2026-05-01T00:00", 0),
        (None, "2026-09-01T00:00", "unclear"),  # over, and nobody knows whether it began in the 90 days
        ("2026-09-01T00:00", "2026-08-01T00:00", 1),  # begun in the 90 days, whatever its end says
        ("2026-01-01T00:00", None, 1),
    ],
)
def test_a_problem_without_a_beginning_began_long_ago(
    org: Org, read: Reader, opened: str | None, closed: str | None, right: Any
) -> None:
    org.object("Trouble__c", "a12", Account__c="string", Opened__c="datetime", Closed__c="datetime")
    dates = {"Opened__c": opened and at(opened), "Closed__c": closed and at(closed)}
    org.add("Trouble__c", Account__c=ONE, **dates)
    assert read(org, CASES).values("payment_health") == [right, 0, 0]


def test_an_invoice_without_a_due_date_is_unknown_until_it_is_paid(org: Org, read: Reader) -> None:
    org.object("Invoice__c", "a10", Account__c="string", Due_Date__c="date", Paid_Date__c="date")
    org.add("Invoice__c", Account__c=ONE, Due_Date__c=None, Paid_Date__c=None)
    org.add("Invoice__c", Account__c=TWO, Due_Date__c=None, Paid_Date__c=day("2026-10-01"))
    org.add("Invoice__c", Account__c=THREE, Due_Date__c=None, Paid_Date__c=day("2026-11-03"))  # unpaid at as_of
    found = read(org, "salesforce: {payment: {from: invoice}}")
    assert found.values("payment_health") == ["unclear", 0, "unclear"]
    assert f"payment: an unpaid invoice without a due date: 2 accounts, such as {ONE}" in found.notes


@pytest.mark.parametrize("kind", ["currency", "percent"])
def test_money_or_a_share_counts_no_problems(org: Org, read: Reader, kind: str) -> None:
    org.field("Account", "Overdue__c", kind)
    org.account(ONE)["Overdue__c"] = 12_500.0
    found = read(org, "salesforce: {payment: {from: account, field: Overdue__c}}")
    assert found.values("payment_health") == [MISSING] * 3
    assert f"payment: field: Account.Overdue__c is a {kind} field" in found.notes


def test_a_number_that_counts_nothing_is_unclear(org: Org, read: Reader) -> None:
    org.field("Account", "Overdue__c", "double")
    for account, value in ((ONE, 2.5), (TWO, -1.0), (THREE, 2.0)):
        org.account(account)["Overdue__c"] = value
    found = read(org, "salesforce: {payment: {from: account, field: Overdue__c}}")
    assert found.values("payment_health") == ["unclear", "unclear", 2]


# --- expansions and downgrades -------------------------------------------------------------------------------------


def test_an_opportunity_without_a_probability_is_counted_as_left_out(org: Org, read: Reader) -> None:
    for probability in (None, 20.0, 19.0):
        org.add("Opportunity", AccountId=ONE, Type="Expansion", Probability=probability)
    found = read(org)
    assert found.values("expansion_signals") == [1, 0, 0]
    counts = found.extract.counts["expansions"]
    assert (counts.came, counts.left_out) == (2, {"an opportunity without a probability": 1})
    assert read(org, "salesforce: {expansion: {min_probability: 0}}").values("expansion_signals") == [3, 0, 0]


def test_a_downgrade_without_a_date_is_unknown_where_it_may_lie_in_the_year(org: Org, read: Reader) -> None:
    org.object("Amendment__c", "a13", Account__c="string", Day__c="date", LastModifiedDate="datetime")
    for account, changed in ((ONE, "2026-03-01T00:00"), (TWO, "2025-03-01T00:00")):
        org.add("Amendment__c", Account__c=account, Day__c=None, LastModifiedDate=at(changed))
    text = "{object: Amendment__c, account: Account__c, only: null, where: null, date: Day__c}"
    found = read(org, f"salesforce: {{downgrades: {text}}}")
    assert found.values("contract_changes") == ["unclear", 0, 0]


def test_seats_that_are_tracked_since_late_are_known_of_younger_accounts_only(org: Org, read: Reader) -> None:
    change = {"Field": "Seats__c", "OldValue": "50", "NewValue": "40", "CreatedDate": at("2026-09-10T00:00")}
    for account in (ONE, THREE):
        org.add("AccountHistory", AccountId=account, **change)
    org.account(THREE)["CreatedDate"] = at("2026-09-05T00:00")
    for more in ("", ", tracked_since: 2026-09-01"):
        found = read(org, f"salesforce: {{downgrades: {{from: history{more}}}}}")
        last = 1 if more else "too_new"  # without the day, the first row of all is where the history begins
        assert found.values("contract_changes") == ["too_new", "too_new", last]
    early = read(org, "salesforce: {downgrades: {from: history, tracked_since: 2024-12-01}}")
    assert early.values("contract_changes") == [1, 0, 1]


def test_a_history_of_seats_without_a_single_row_proves_nothing(org: Org, read: Reader) -> None:
    found = read(org, "salesforce: {downgrades: {from: history}}")
    assert found.values("contract_changes") == ["no_evidence"] * 3
    assert "downgrades: AccountHistory has no record of Seats__c: is it tracked there?" in found.notes


FALLS = "salesforce: {downgrades: {from: history, field: %s, tracked_since: 2025-01-01}}"


def test_a_fall_of_what_is_no_number_is_a_mistake_of_the_mapping(org: Org, read: Reader) -> None:
    changed(org, ONE, "2026-06-10T00:00", "Gold", "Silver", Field="Tier__c")
    found = read(org, FALLS % "Tier__c")
    assert found.values("contract_changes") == [MISSING] * 3
    assert "downgrades: field: Account.Tier__c is a picklist field" in found.notes


def test_a_number_that_was_emptied_may_have_fallen(org: Org, read: Reader) -> None:
    changed(org, ONE, "2026-06-10T00:00", 100, None, Field="Seats__c")
    changed(org, TWO, "2026-06-10T00:00", None, 100, Field="Seats__c")
    assert read(org, FALLS % "Seats__c").values("contract_changes") == ["unclear", 0, 0]


@pytest.mark.parametrize("tracked", [True, False])
def test_another_currency_is_no_downgrade(org: Org, read: Reader, *, tracked: bool) -> None:
    currencies(org, dated=True)
    if tracked:
        changed(org, ONE, "2026-04-01T00:00", "JPY", "USD", Field="CurrencyIsoCode")
    changed(org, ONE, "2026-04-01T00:00", 15_000_000, 100_000)
    changed(org, TWO, "2026-04-01T00:00", 40_000, 30_000)
    assert read(org, FALLS % "ARR__c").values("contract_changes") == ["unclear", 1, 0]


# --- ARR: when tracking began, contradictions, ties (rules 4, 5, 10) -----------------------------------------------

HISTORY = "salesforce: {arr_history: [{from: history%s}]}"


def changed(org: Org, account: str, when: str, old: float | str | None, new: float | str | None, **more: str) -> None:
    values = {"OldValue": None if old is None else str(old), "NewValue": None if new is None else str(new)}
    org.add("AccountHistory", **{"AccountId": account, "CreatedDate": at(when), "Field": "ARR__c"} | values | more)


@pytest.mark.parametrize("since", ["", ", tracked_since: 2026-09-01"])
def test_a_history_that_began_late_proves_no_one_unchanged(org: Org, read: Reader, since: str) -> None:
    org.account(ONE)["ARR__c"] = 110.0
    changed(org, ONE, "2026-09-10T00:00", 100, 110)
    found = read(org, HISTORY % since)
    assert found.values("arr_trajectory_pct") == ["too_new"] * 3
    assert "AccountHistory tells changes of ARR__c from 2026-09-" in found.notes
    assert found.of(TWO)["tier_alignment"] == 0


def test_a_month_whose_year_lies_before_what_the_org_keeps_is_too_new(org: Org, read: Reader) -> None:
    changed(org, ONE, "2026-09-10T00:00", 90, 100)
    march = scope_of(Period(2025, 3), NOW)  # its year begins on 2024-04-01; histories are kept from 2024-11 on
    for since in ("", ", tracked_since: 2020-01-01"):
        assert read(org, HISTORY % since, at=march).values("arr_trajectory_pct") == ["too_new"] * 3


def test_a_field_that_was_tracked_before_the_year_is_known_of_everybody(org: Org, read: Reader) -> None:
    changed(org, TWO, "2025-10-20T00:00", 20_000, 30_000)  # any row of anybody from before the year proves it
    changed(org, ONE, "2026-09-10T00:00", 80, 100)
    found = read(org, HISTORY % "")
    assert found.values("arr_trajectory_pct") == [25, 0, "no_evidence"]
    assert not [query for query in found.queries if "LIMIT" in query]
    assert found.extract.counts["arr_changes"].outside == 1


def test_an_account_that_was_made_within_the_year_is_too_new(org: Org, read: Reader) -> None:
    org.account(TWO)["CreatedDate"] = at("2026-02-01T00:00")
    assert read(org, HISTORY % ", tracked_since: 2025-01-01").values("arr_trajectory_pct")[:2] == [0, "too_new"]


TRACKED = HISTORY % ", tracked_since: 2025-01-01"


def test_changes_of_one_second_are_put_in_the_order_that_joins_them(org: Org, read: Reader) -> None:
    changed(org, ONE, "2026-09-10T00:00", 80, 100)
    changed(org, ONE, "2026-09-10T00:00", 50, 80)
    changed(org, TWO, "2026-09-10T00:00", 10_000, 20_000)
    changed(org, TWO, "2026-09-10T00:00", 15_000, 30_000)
    found = read(org, TRACKED)
    assert found.values("arr_trajectory_pct") == [100, "unclear", "no_evidence"]
    assert found.values("tier_alignment") == [0, "unclear", "no_evidence"]


def test_a_history_that_contradicts_the_present_is_unclear_and_told(org: Org, read: Reader) -> None:
    changed(org, ONE, "2026-09-10T00:00", 50, 60)
    changed(org, TWO, "2026-09-10T00:00", "20000.00", "30000.001")  # the same to the cent
    found = read(org, TRACKED)
    assert found.values("arr_trajectory_pct") == ["unclear", 50, "no_evidence"]
    assert f"contradicts itself or the present amount: 1 account, such as {ONE}" in found.notes


def test_two_snapshots_of_one_day_are_several_rows_unless_they_are_equal(org: Org, read: Reader) -> None:
    org.object("ARR_Snapshot__c", "a11", Account__c="reference", Snapshot_Date__c="date", ARR__c="double")
    for account, amount in ((ONE, 80.0), (ONE, 90.0), (TWO, 20_000.0), (TWO, 20_000.0)):
        org.add("ARR_Snapshot__c", Account__c=account, Snapshot_Date__c=day("2025-11-01"), ARR__c=amount)
    found = read(org, "salesforce: {arr_history: [{from: snapshots}]}")
    assert found.values("arr_trajectory_pct") == ["several_rows", 50, "no_evidence"]
    assert f"two snapshots of one day with different amounts: 1 account, such as {ONE}" in found.notes


def test_arr_at_as_of_comes_from_a_snapshot_also_where_none_is_a_year_old(org: Org, read: Reader) -> None:
    org.object("ARR_Snapshot__c", "a11", Account__c="reference", Snapshot_Date__c="date", ARR__c="double")
    org.add("ARR_Snapshot__c", Account__c=TWO, Snapshot_Date__c=day("2026-10-31"), ARR__c=120_000.0)
    found = read(org, "salesforce: {arr_history: [{from: snapshots}]}")
    assert found.values("arr_trajectory_pct") == ["no_evidence"] * 3
    assert (found.of(TWO)["arr"], found.of(TWO)["tier_alignment"]) == (120_000, 1)


def test_own_history_is_asked_last(tmp_path: Path) -> None:
    path = tmp_path / "accountpulse.yaml"
    path.write_text("salesforce: {arr_history: [{from: own}, {from: history}]}", encoding="utf-8")
    with pytest.raises(Exception, match="from: own must be the last of arr_history"):
        load({"ACCOUNTPULSE_CONFIG": str(path)})


# --- currencies: a value has its time (rule 6) ---------------------------------------------------------------------


def currencies(org: Org, *, dated: bool) -> None:
    org.field("Account", "CurrencyIsoCode", "string")
    for account in (ONE, TWO, THREE):
        org.account(account)["CurrencyIsoCode"] = "USD"
    org.account(ONE).update(CurrencyIsoCode="JPY", ARR__c=15_000_000.0)
    org.object("CurrencyType", "01L", IsoCode="string", ConversionRate="double")
    for iso, rate in (("USD", 1.0), ("JPY", 150.0)):
        org.add("CurrencyType", IsoCode=iso, ConversionRate=rate)
    if dated:
        fields = {"IsoCode": "string", "ConversionRate": "double", "StartDate": "date", "NextStartDate": "date"}
        org.object("DatedConversionRate", "04w", **fields)
        stretches = (("USD", "2020-01-01", "9999-12-31", 1.0), ("JPY", "2020-01-01", "2026-07-01", 150.0))
        for iso, since, until, rate in (*stretches, ("JPY", "2026-07-01", "9999-12-31", 200.0)):
            dates = {"StartDate": day(since), "NextStartDate": day(until)}
            org.add("DatedConversionRate", IsoCode=iso, ConversionRate=rate, **dates)


def to_yen(org: Org, when: str = "2026-04-01T00:00", *, with_arr: bool = True) -> None:
    changed(org, ONE, when, "USD", "JPY", Field="CurrencyIsoCode")
    if with_arr:
        changed(org, ONE, when, 100_000, 15_000_000)


def test_an_account_that_changed_its_currency_grew_by_what_its_worth_did(org: Org, read: Reader) -> None:
    """The yen fell from 150 to 200 later on, which is no fall of the customer's."""
    currencies(org, dated=True)
    to_yen(org)
    found = read(org, TRACKED)
    assert found.of(ONE)["arr_trajectory_pct"] == pytest.approx(0)
    assert found.of(ONE)["arr"] == pytest.approx(75_000)


def test_without_rates_of_that_day_a_change_of_currency_is_unclear(org: Org, read: Reader) -> None:
    currencies(org, dated=False)
    to_yen(org)
    found = read(org, TRACKED)
    assert found.values("arr_trajectory_pct")[:2] == ["unclear", 0]
    assert "the org has no rates of that day" in found.notes


def test_a_currency_that_changed_without_its_amount_is_unclear(org: Org, read: Reader) -> None:
    currencies(org, dated=True)
    to_yen(org, with_arr=False)
    assert read(org, TRACKED).values("arr_trajectory_pct")[:2] == ["unclear", 0]


def test_a_change_as_large_as_two_currencies_differ_is_unclear_where_nobody_tracks_them(org: Org, read: Reader) -> None:
    currencies(org, dated=True)
    changed(org, ONE, "2026-04-01T00:00", 100_000, 15_000_000)
    assert read(org, TRACKED).values("arr_trajectory_pct")[:2] == ["unclear", 0]


def test_a_currency_that_changed_after_as_of_is_not_its_currency_yet(org: Org, read: Reader) -> None:
    currencies(org, dated=True)
    to_yen(org, "2026-11-10T00:00")
    found = read(org, TRACKED)
    assert found.of(ONE)["arr"] == pytest.approx(100_000)
    assert found.of(ONE)["arr_trajectory_pct"] == pytest.approx(0)


def test_snapshots_in_another_currency_or_in_none_are_unclear(org: Org, read: Reader) -> None:
    currencies(org, dated=True)
    org.object("ARR_Snapshot__c", "a11", Account__c="reference", Snapshot_Date__c="date", ARR__c="currency")
    org.field("ARR_Snapshot__c", "CurrencyIsoCode", "string")
    for account, amount in ((ONE, 100_000.0), (TWO, 20_000.0)):
        kept = {"Snapshot_Date__c": day("2025-11-01"), "ARR__c": amount, "CurrencyIsoCode": "USD"}
        org.add("ARR_Snapshot__c", Account__c=account, **kept)
    text = "salesforce: {arr_history: [{from: snapshots}]}"
    assert read(org, text).values("arr_trajectory_pct")[:2] == ["unclear", 50]
    org.objects["ARR_Snapshot__c"].fields["ARR__c"].type = "double"
    assert read(org, text).values("arr_trajectory_pct")[:2] == ["unclear", 50]


# --- where the rows went (rule 1) ----------------------------------------------------------------------------------


def test_every_row_of_every_table_is_accounted_for(org: Org, read: Reader) -> None:
    signal(org, Status__c="Resolved")
    signal(org)
    changed(org, ONE, "2026-09-10T00:00", 80, 100)
    changed(org, "001Hu000000zzzzIAA", "2026-09-10T00:00", 80, 100)
    org.add("Task", AccountId=TWO, Subject="QBR", IsClosed=True, LastModifiedDate=at("2026-06-01T10:00"))
    champion(org, ONE)
    found = read(org, TRACKED)
    for table, counts in found.extract.counts.items():
        assert counts.kept == found.extract.tables[table].height, table
    assert found.extract.counts["signals"].left_out == {"resolved, but without a date": 1}
    assert found.extract.counts["reviews"].left_out == {"a review without a day": 1}
    assert found.extract.tables["arr_changes"].height == 2
